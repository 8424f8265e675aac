/* SPDX-License-Identifier: MIT */
/*
 * Send a file with every TLS setting and credential there is.
 *
 * usage: submit URL SENDER RECIPIENT [NAME=VALUE...] < message
 *
 *	connect=PLACE	connect there, whatever the URL says
 *	cafile=FILE	trust these CAs and not the system's
 *	crlfile=FILE	with these revocation lists
 *	cert=FILE	own certificate, with its key
 *	ciphers=LIST	only these suites
 *	tls13=yes	no TLS 1.2
 *	user=NAME	authenticate, with the password
 *	password=FILE	in the first line of a file
 *	external=yes	authenticate by the own certificate
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

/* The value of a NAME=VALUE among the arguments, NULL without it. */
static const char *
setting(char **arguments, const char *name)
{
	size_t len = strlen(name);

	for (; *arguments != NULL; arguments++) {
		if (strncmp(*arguments, name, len) == 0 &&
		    (*arguments)[len] == '=')
			return *arguments + len + 1;
	}
	return NULL;
}

/* A smtptls_password_cb: from the file that arg names. */
static int
read_password(const char *what, char *password, size_t cap, void *arg)
{
	const char *path = arg;
	FILE *f;
	int r = SMTPTLS_E_SOURCE;

	(void)what;
	if (path == NULL || (f = fopen(path, "r")) == NULL)
		return r;
	if (fgets(password, (int)cap, f) != NULL) {
		password[strcspn(password, "\n")] = '\0';
		r = SMTPTLS_OK;
	}
	fclose(f);
	return r;
}

static int
make_context(char **arguments, struct smtptls_context **context)
{
	const char *value;
	int r;

	r = smtptls_context_new_default(SMTPTLS_SERVER_AUTH,
	    setting(arguments, "cafile"), NULL, NULL, 0, context);
	if (r < 0)
		return r;
	if ((value = setting(arguments, "crlfile")) != NULL)
		smtptls_context_load_crl_file(*context, value);
	if ((value = setting(arguments, "cert")) != NULL)
		smtptls_context_load_cert_chain(*context, value, NULL,
		    read_password, (void *)setting(arguments, "password"));
	if ((value = setting(arguments, "ciphers")) != NULL)
		smtptls_context_set_ciphers(*context, value);
	if (setting(arguments, "tls13") != NULL)
		smtptls_context_set_minimum_version(*context, SMTPTLS_TLS_1_3);
	return SMTPTLS_OK;
}

static void
set_up(struct smtptls_client *client, char **arguments)
{
	const char *user = setting(arguments, "user");
	const char *place = setting(arguments, "connect");
	char password[256] = "";

	if (place != NULL)
		smtptls_client_set_connect_to(client, place);
	if (setting(arguments, "external") != NULL)
		smtptls_client_set_external(client, "");
	if (user == NULL)
		return;
	/* Without a password this is an error, and the client tells it. */
	(void)read_password(user, password, sizeof(password),
	    (void *)setting(arguments, "password"));
	smtptls_client_set_credentials(client, user, password);
	explicit_bzero(password, sizeof(password));
}

static void
tell_tls(struct smtptls_session *tls)
{
	struct smtptls_cert_info info;
	struct smtptls_cipher cipher;

	if (smtptls_session_cipher(tls, &cipher) == SMTPTLS_OK)
		printf("%s, %s\n", smtptls_tls_version_name(cipher.version),
		    cipher.name);
	if (smtptls_session_get_peer_cert_info(tls, 0, &info) == SMTPTLS_OK)
		printf("certificate for %s\n", info.names);
	if (smtptls_session_sent_certificate(tls))
		printf("own certificate sent\n");
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	struct smtptls_message *mail = NULL;
	int r;

	if (argc < 4) {
		fprintf(stderr,
		    "usage: submit URL SENDER RECIPIENT "
		    "[NAME=VALUE...] < message\n");
		return 64;
	}
	if (make_context(argv + 4, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return 1;
	}
	smtptls_client_new(argv[1], context, &client);
	set_up(client, argv + 4);
	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, argv[2]);
	smtptls_message_add_recipient(mail, argv[3]);
	smtptls_message_set_body_fd(mail, STDIN_FILENO);

	r = smtptls_client_send(client, mail);
	if (r == SMTPTLS_OK) {
		tell_tls(smtptls_client_session(client));
		if (smtptls_client_auth_mechanism(client)[0] != '\0')
			printf("authenticated by %s\n",
			    smtptls_client_auth_mechanism(client));
		smtptls_client_quit(client);
	} else {
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	}
	smtptls_message_free(mail);
	smtptls_client_free(client);
	smtptls_context_free(context);
	return r == SMTPTLS_OK ? 0 : 1;
}
