/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_ENGINE_LOGIN_H
#define STLS_TESTS_ENGINE_LOGIN_H

#include <stdbool.h>

#include "sasl/sasl.h"
#include "smtp/engine.h"

/* What a program does where the engine wants it to log in. */
#define LOGIN_PASSWORD "s3cr3t/pass+word"
/* The same in base64, wherever it is cut: no trace has it. */
#define LOGIN_ENCODED "czNjcjN0L3Bhc3Mrd29yZA"

struct login {
	struct stls_secret password;
	const struct stls_sasl_mechanism *mechanism;
	unsigned int round;
};

void login_init(struct login *login);
void login_done(struct login *login);

/* With a token rather than the password, or with either. */
void login_start(
    struct login *login, struct stls_engine *engine, bool has_token);
void login_answer(struct login *login, struct stls_engine *engine);

#endif
