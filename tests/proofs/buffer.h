/* SPDX-License-Identifier: MIT */
#ifndef STLS_TESTS_PROOF_BUFFER_H
#define STLS_TESTS_PROOF_BUFFER_H

#include "base/buf.h"
#include "proof.h"

/* Told by the harness: what it does with each octet that is sent. */
void on_wire(unsigned char c);

#endif
