/* SPDX-License-Identifier: MIT */
/*
 * Print the password of a user at a host from the keyring of the session, for
 * sendmail-tls, which runs this with a time limit and an empty environment.
 *
 * usage: sendmail-tls-keyring BUS HOST USER
 */
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

#include <libsecret/secret.h>

#include "common/narrow.h"

/* What secret-tool(1) is given to store one; others are in the same ring. */
static const SecretSchema schema = {
	.name = "org.freedesktop.Secret.Generic",
	.flags = SECRET_SCHEMA_DONT_MATCH_NAME,
	.attributes = {
		{ "service", SECRET_SCHEMA_ATTRIBUTE_STRING },
		{ "host", SECRET_SCHEMA_ATTRIBUTE_STRING },
		{ "user", SECRET_SCHEMA_ATTRIBUTE_STRING },
		{ NULL, 0 },
	},
};

int
main(int argc, char **argv)
{
	GError *error = NULL;
	char *password;
	int status;

	if (argc != 4)
		return EX_USAGE;
	if (narrow_memory() < 0 || narrow_calls(NARROW_CLIENT) < 0)
		return EX_OSERR;
	if (setenv("DBUS_SESSION_BUS_ADDRESS", argv[1], 1) < 0)
		return EX_OSERR;
	password = secret_password_lookup_nonpageable_sync(&schema, NULL,
	    &error, "service", "smtp", "host", argv[2], "user", argv[3], NULL);
	if (error != NULL) {
		fprintf(
		    stderr, "sendmail-tls: the keyring: %s\n", error->message);
		g_error_free(error);
		return EX_UNAVAILABLE;
	}
	if (password == NULL) {
		fprintf(stderr,
		    "sendmail-tls: the keyring has no password for %s at %s: "
		    "secret-tool store --label=mail service smtp host %s user "
		    "%s\n",
		    argv[3], argv[2], argv[2], argv[3]);
		return EX_NOUSER;
	}
	/* Unbuffered: no copy is left behind. */
	setvbuf(stdout, NULL, _IONBF, 0);
	status = puts(password) < 0 ? EX_IOERR : 0;
	secret_password_free(password);
	return status;
}
