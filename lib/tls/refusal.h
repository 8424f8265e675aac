/* SPDX-License-Identifier: MIT */
#ifndef STLS_TLS_REFUSAL_H
#define STLS_TLS_REFUSAL_H

/*
 * What GnuTLS says of a certificate, and no rule of ours can explain better:
 * "<certificate> <sentence>". `status` is that of its verification.
 */
const char *stls_refusal_sentence(unsigned int status);

#endif
