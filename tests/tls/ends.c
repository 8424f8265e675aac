/* SPDX-License-Identifier: MIT */
#include "ends.h"

#include <check.h>

struct factory *factory;
const struct cert *ca, *server;
struct smtptls_context *context;
gnutls_datum_t ticket_key;

const char *const versions[2] = {
	"NORMAL:-VERS-ALL:+VERS-TLS1.3",
	"NORMAL:-VERS-ALL:+VERS-TLS1.2",
};

void
ends_setup(void)
{
	factory = factory_new();
	ca = factory_ca(factory);
	server = factory_server(factory, ca, "DNS:" HOST);
	context = peer_client_context(factory, ca);
	ck_assert_int_ge(gnutls_session_ticket_key_generate(&ticket_key), 0);
}

void
ends_teardown(void)
{
	gnutls_free(ticket_key.data);
	ticket_key.data = NULL;
	smtptls_context_free(context);
	factory_free(factory);
}
