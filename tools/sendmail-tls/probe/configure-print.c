/* SPDX-License-Identifier: MIT */
#include "probe/configure.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

static void
print_origin(const struct configuration *c)
{
	static const char *const words[] = {
		[ORIGIN_GIVEN] = "given by --url",
		[ORIGIN_SRV] = "found by the SRV records of the domain, which "
			       "are not authenticated",
		[ORIGIN_USUAL_NAMES] = "found by its usual name; there is no "
				       "SRV record",
	};

	if (c->srv_err.code != 0)
		printf("# The server was found by its usual name; SRV: %s.\n",
		    c->srv_err.text);
	else
		printf("# The server was %s.\n", words[c->origin]);
}

static void
print_tried(const struct configuration *c)
{
	size_t i;

	for (i = 0; i < c->chosen; i++)
		printf("# Not to be used: %s: %s.\n", c->candidates[i].url,
		    c->candidates[i].err.text);
}

static void
print_server(const struct configuration *c)
{
	const struct endpoint *endpoint = &c->endpoint;
	struct smtptls_cert_info info;

	printf("# %s (%s) was verified: %s", endpoint->url,
	    smtptls_client_peer(endpoint->client),
	    smtptls_tls_version_name(
		smtptls_session_version(endpoint->session)));
	if (smtptls_session_get_peer_cert_info(endpoint->session, 0, &info) ==
	    0)
		printf(", certificate of %s until %s", info.issuer,
		    info.not_after);
	fputs(".\n", stdout);
}

/* RFC 6186 section 6: what only the DNS says a person has to say as well. */
static void
print_url(const struct configuration *c)
{
	const struct candidate *chosen = &c->candidates[c->chosen];

	if (!chosen->is_outside) {
		printf("url = %s\n", chosen->url);
		return;
	}
	printf("# REVIEW: this server is outside of %s, and only the DNS says "
	       "that it is\n"
	       "# the right one. If your provider says so too, take the sign "
	       "off the next line.\n"
	       "#url = %s\n",
	    c->address.domain, chosen->url);
}

/* Where the configuration is read the working directory is another one. */
static void
print_path(const char *key, const char *path)
{
	CLEANUP(free_ptr) char *whole = NULL;

	if (path == NULL)
		return;
	whole = realpath(path, NULL);
	printf("%s = %s\n", key, whole != NULL ? whole : path);
}

static void
print_trust(const struct settings *settings)
{
	size_t i;

	print_path("cafile", settings->cafile);
	print_path("capath", settings->capath);
	print_path("crlfile", settings->crlfile);
	if (settings->system_ca)
		puts("system-ca = yes");
	for (i = 0; i < settings->pins.count; i++)
		printf("pin = %s\n", settings->pins.text[i]);
}

static void
print_login(const struct configuration *c)
{
	const char *offered = smtptls_client_find_capability(
	    c->endpoint.client, "AUTH");
	const char *user = c->settings->user;

	if (offered == NULL) {
		puts("\n# The server offers no login.");
		return;
	}
	printf("\n# It offers to log in by %s. No password is in this file: "
	       "let a command\n"
	       "# print it, or have it in a file that nobody else can read.\n",
	    offered);
	if (user == NULL && c->address.local[0] != '\0')
		printf("# Some servers want %s alone.\n", c->address.local);
	printf("user = %s\n"
	       "#password-command = pass show mail/%s\n"
	       "#password-file = ~/.config/sendmail-tls.password\n",
	    user != NULL ? user : c->address.mailbox, c->address.domain);
	/* OAUTHBEARER and XOAUTH2. */
	if (strcasestr(offered, "OAUTH") != NULL)
		puts("# or an OAuth 2.0 access token:\n"
		     "#token-command = oauth2-token show mail");
}

static void
print_sender(const struct configuration *c)
{
	printf("\n# Who sends, where a program does not say; and how to have "
	       "one account of several.\n"
	       "envelope-from = %s\n"
	       "#[%.40s]\n"
	       "#senders = %s\n",
	    c->address.mailbox, c->address.domain, c->address.mailbox);
}

void
configure_print(struct configuration *c)
{
	printf("# Configuration of sendmail-tls for %s, written by "
	       "--configure.\n"
	       "# Read it, then save it as ~/.config/sendmail-tls.conf.\n",
	    c->address.mailbox);
	print_origin(c);
	print_tried(c);
	print_server(c);
	print_url(c);
	print_trust(c->settings);
	print_login(c);
	print_sender(c);
}
