/* SPDX-License-Identifier: MIT */
#include "ends.h"

#include <check.h>

struct ends ends;

const char *const ends_versions[2] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.3",
	"NORMAL:-VERS-ALL:+VERS-TLS1.2",
};

void
ends_setup(void)
{
	ends.factory = factory_new();
	ends.ca = factory_ca(ends.factory);
	ends.server = factory_server(ends.factory, ends.ca, "DNS:" ENDS_HOST);
	ends.context = peer_client_context(ends.factory, ends.ca);
	ck_assert_int_ge(
	    gnutls_session_ticket_key_generate(&ends.ticket_key), 0);
}

void
ends_teardown(void)
{
	gnutls_free(ends.ticket_key.data);
	ends.ticket_key.data = NULL;
	smtptls_context_free(ends.context);
	factory_free(ends.factory);
}
