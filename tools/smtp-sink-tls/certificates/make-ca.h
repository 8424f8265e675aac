/* SPDX-License-Identifier: MIT */
#ifndef SINK_CERTIFICATES_MAKE_CA_H
#define SINK_CERTIFICATES_MAKE_CA_H

#include "base/err.h"

#include "certificates/make-cert.h"

/* Where the files are; free with sink_ca_files_done(). */
struct sink_ca_files {
	char *ca;
	char *cert;
	char *key;
	char *flawed[SINK_FLAW_COUNT]; /* certificates for the same key */
};

/*
 * Make a throwaway CA and a certificate for localhost, 127.0.0.1 and ::1 in a
 * folder, which is made where it is missing. What is there already is used
 * again if it is whole and valid for a day more. The key of the CA is kept
 * nowhere, so nothing else can ever be signed with it.
 */
int sink_make_ca(
    struct stls_err *err, const char *dir, struct sink_ca_files *out_files);

void sink_ca_files_done(struct sink_ca_files *files);

#endif
