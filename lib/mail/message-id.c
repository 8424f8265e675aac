/* SPDX-License-Identifier: MIT */
#include "mail/message-id.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "crypto/random.h"

int
stls_message_id_make(struct stls_err *err, time_t now, const char *host,
    char out_id[STLS_MESSAGE_ID_LEN_MAX + 1])
{
	CLEANUP(stls_address_done) struct stls_address id = { .local = NULL };
	unsigned char random[12];
	char left[sizeof("-9223372036854775808.") + 2 * sizeof(random)];
	size_t i, n;
	int r;

	r = stls_random(err, random, sizeof(random));
	if (r < 0)
		return r;
	n = (size_t)snprintf(left, sizeof(left), "%lld.", (long long)now);
	for (i = 0; i < sizeof(random); i++)
		n += (size_t)snprintf(
		    left + n, sizeof(left) - n, "%02x", random[i]);

	if (host == NULL || host[0] == '\0')
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "there is no host name for a Message-ID");
	/* An identifier is written like a mailbox, and its domain checked. */
	r = stls_address_make(err, left, n, host, strlen(host), &id);
	if (r < 0)
		return r;
	snprintf(out_id, STLS_MESSAGE_ID_LEN_MAX + 1, "<%s>", id.mailbox);
	return SMTPTLS_OK;
}
