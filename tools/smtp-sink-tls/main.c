/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtptls/context.h>
#include <smtptls/status.h>
#include <smtptls/version.h>

#include "base/cleanup.h"
#include "base/deadline.h"
#include "base/err.h"
#include "base/secret.h"

#include "certificates/make-ca.h"
#include "common/narrow.h"
#include "connection/conn.h"
#include "conversation/maildir.h"
#include "conversation/stats.h"
#include "mischief/misbehave.h"
#include "options.h"
#include "server.h"

/* As for the client: see smtptls_client_set_credentials(), _set_token(). */
#define PASSWORD_LEN_MAX 4096
#define TOKEN_LEN_MAX 8192

/* The whole program: what is made here is ended by sink_done(). */
struct sink {
	struct sink_options options;
	struct sink_ca_files files;
	struct smtptls_context *context;
	struct smtptls_context *bad_context;
	struct sink_stats stats;
	struct sink_policy policy;
	struct sink_conn_config conn_config;
	struct sink_server server;
};

static void
sink_done(struct sink *sink)
{
	smtptls_context_free(sink->context);
	smtptls_context_free(sink->bad_context);
	sink_ca_files_done(&sink->files);
	stls_secret_done(&sink->policy.credentials.password);
	stls_secret_done(&sink->policy.credentials.token);
	close_fd(&sink->policy.maildir);
	close_fd(&sink->server.smtp.fd);
	close_fd(&sink->server.smtps.fd);
}

/* Whoever starts this may have closed 0, 1 or 2: no place for sockets. */
static void
occupy_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	close_fd(&fd);
}

static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* The first line of the file, without its end. */
static int
load_secret(struct stls_err *err, const char *what, const char *path,
    size_t len_max, struct stls_secret *out)
{
	CLEANUP(close_file) FILE *f = fopen(path, "re");
	char line[TOKEN_LEN_MAX + 2];
	size_t len;
	int r;

	if (f == NULL)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "%s", path);
	/* stdio would leave a copy of the secret behind. */
	setvbuf(f, NULL, _IONBF, 0);
	if (fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	len = strcspn(line, "\r\n");
	if (len == 0 || len > len_max)
		r = stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s: the first line is no %s of 1 to %zu octets", path,
		    what, len_max);
	else if (stls_secret_set(out, line, len) < 0)
		r = stls_err_nomem(err);
	else
		r = SMTPTLS_OK;
	stls_wipe(line, sizeof(line));
	return r;
}

static int
context_failed(
    struct stls_err *err, const struct smtptls_context *context, int code)
{
	return stls_err_set(err, code, "%s", smtptls_context_error(context));
}

/* A server context: this is how one is made. */
static int
make_context(struct stls_err *err, const struct sink *sink, const char *cert,
    const char *key, struct smtptls_context **out_context)
{
	const struct sink_options *options = &sink->options;
	int r;

	r = smtptls_context_new_default(SMTPTLS_CLIENT_AUTH, options->client_ca,
	    NULL, NULL, 0, out_context);
	if (r < 0)
		return context_failed(err, *out_context, r);
	r = smtptls_context_load_cert_chain(
	    *out_context, cert, key, NULL, NULL);
	if (r < 0)
		return context_failed(err, *out_context, r);
	if (options->client_ca == NULL)
		return SMTPTLS_OK;
	r = smtptls_context_set_verify_mode(
	    *out_context, SMTPTLS_CERT_REQUIRED);
	if (r < 0)
		return context_failed(err, *out_context, r);
	return SMTPTLS_OK;
}

/* The one with a flaw, where --misbehave asks for it. */
static int
make_bad_context(struct stls_err *err, struct sink *sink)
{
	const struct sink_mischief *mischief = sink->policy.mischief;
	enum sink_flaw flaw = SINK_FLAW_OTHER_CA;

	if (mischief == NULL ||
	    (mischief->row->tls != SINK_TLS_CERTIFICATE &&
		mischief->row->tls != SINK_TLS_CERTIFICATE_CHANGES))
		return SMTPTLS_OK;
	/* Its words are in the order of the flaws. */
	if (mischief->row->tls == SINK_TLS_CERTIFICATE)
		flaw = (enum sink_flaw)mischief->word;
	return make_context(err, sink, sink->files.flawed[flaw],
	    sink->files.key, &sink->bad_context);
}

static int
make_contexts(struct stls_err *err, struct sink *sink)
{
	const struct sink_options *options = &sink->options;
	bool has_own = options->ca_dir == NULL;
	int r;

	r = make_context(err, sink, has_own ? options->cert : sink->files.cert,
	    has_own ? options->key : sink->files.key, &sink->context);
	return r < 0 ? r : make_bad_context(err, sink);
}

static int
load_credentials(struct stls_err *err, const struct sink_options *options,
    struct sink_credentials *credentials)
{
	int r = SMTPTLS_OK;

	credentials->user = options->user;
	if (options->password_file != NULL)
		r = load_secret(err, "password", options->password_file,
		    PASSWORD_LEN_MAX, &credentials->password);
	if (r == SMTPTLS_OK && options->token_file != NULL)
		r = load_secret(err, "token", options->token_file,
		    TOKEN_LEN_MAX, &credentials->token);
	return r;
}

static int
load_files(struct stls_err *err, struct sink *sink)
{
	const struct sink_options *options = &sink->options;
	int r;

	if (options->ca_dir != NULL) {
		r = sink_make_ca(err, options->ca_dir, &sink->files);
		if (r < 0)
			return r;
	}
	r = make_contexts(err, sink);
	if (r < 0)
		return r;
	r = load_credentials(err, options, &sink->policy.credentials);
	if (r < 0)
		return r;
	if (options->maildir == NULL)
		return SMTPTLS_OK;
	return sink_maildir_open(err, options->maildir, &sink->policy.maildir);
}

static int
listen_on(struct stls_err *err, struct sink *sink)
{
	int r = SMTPTLS_OK;

	if (sink->options.smtp_port >= 0)
		r = sink_server_listen(
		    err, &sink->server.smtp, sink->options.smtp_port);
	if (r == SMTPTLS_OK && sink->options.smtps_port >= 0)
		r = sink_server_listen(
		    err, &sink->server.smtps, sink->options.smtps_port);
	return r;
}

/* Whoever started this reads the line to know that it can be used now. */
static int
print_ports(struct stls_err *err, const struct sink *sink)
{
	const struct sink_server *server = &sink->server;

	if (server->smtp.fd >= 0)
		printf("smtp=%d", server->smtp.port);
	if (server->smtp.fd >= 0 && server->smtps.fd >= 0)
		putchar(' ');
	if (server->smtps.fd >= 0)
		printf("smtps=%d", server->smtps.port);
	putchar('\n');
	if (fflush(stdout) != 0)
		return stls_err_errno(
		    err, SMTPTLS_E_IO, errno, "standard output");
	return SMTPTLS_OK;
}

static void
sink_init(struct sink *sink, const struct sink_options *options)
{
	memset(sink, 0, sizeof(*sink));
	sink->options = *options;
	sink->policy.stats = &sink->stats;
	sink->policy.extensions = options->extensions;
	sink->policy.maildir = -1;
	if (options->misbehave != NULL)
		sink->policy.mischief = &sink->options.mischief;
	sink->conn_config.policy = &sink->policy;
	sink->conn_config.delay_ms = options->delay_ms;
	sink->conn_config.idle_ms = options->idle_seconds * 1000;
	sink->server.policy = &sink->policy;
	sink->server.conn_config = &sink->conn_config;
	sink->server.max_messages = options->max_messages;
	sink->server.smtp.fd = -1;
	sink->server.smtps.fd = -1;
	sink->server.smtps.is_implicit = true;
}

static int
protect_memory(struct stls_err *err)
{
	int r = narrow_memory();

	if (r < 0)
		return stls_err_errno(err, SMTPTLS_E_UNSUPPORTED, -r,
		    "the memory of the process cannot be protected");
	return SMTPTLS_OK;
}

/* From here on all it does is to accept, to answer and to write mails down. */
static int
confine(struct stls_err *err, const struct sink_options *options)
{
	CLEANUP(free_ptr) char *folder = NULL;
	struct narrow_place places[] = {
		{ options->maildir, true },
		{ NULL, false },
	};
	int r;

	if (options->stats != NULL) {
		r = sink_stats_place(err, options->stats, &folder);
		if (r < 0)
			return r;
		places[1].path = folder != NULL ? folder : options->stats;
		places[1].is_folder = folder != NULL;
	}
	r = narrow_files(places, sizeof(places) / sizeof(places[0]));
	if (r == 0)
		r = narrow_calls(NARROW_SERVER);
	if (r < 0)
		return stls_err_errno(err, SMTPTLS_E_UNSUPPORTED, -r,
		    "the process cannot give up what it does not need");
	return SMTPTLS_OK;
}

static int
run(struct stls_err *err, struct sink *sink)
{
	int r;

	r = protect_memory(err);
	if (r < 0)
		return r;
	r = load_files(err, sink);
	if (r < 0)
		return r;
	sink->conn_config.context = sink->context;
	sink->conn_config.bad_context = sink->bad_context;
	raise_descriptor_limit();
	sink_server_catch_signals(&sink->server);
	r = listen_on(err, sink);
	if (r < 0)
		return r;
	r = confine(err, &sink->options);
	if (r < 0)
		return r;
	sink->server.end = stls_deadline_in(
	    (int64_t)sink->options.max_seconds * 1000);
	r = print_ports(err, sink);
	if (r < 0)
		return r;
	r = sink_server_run(err, &sink->server);
	if (r < 0 || sink->options.stats == NULL)
		return r;
	return sink_stats_write(err, &sink->stats, sink->options.stats);
}

static int
exit_status(int code)
{
	switch (code) {
	case SMTPTLS_OK:
		return EX_OK;
	case SMTPTLS_E_INVALID:
		return EX_NOINPUT;
	case SMTPTLS_E_NOMEM:
		return EX_OSERR;
	case SMTPTLS_E_IO:
		return EX_CANTCREAT;
	default:
		return EX_SOFTWARE;
	}
}

int
main(int argc, char **argv)
{
	CLEANUP(sink_done) struct sink sink;
	struct sink_options options = { .action = SINK_RUN };
	struct stls_err err;
	int r;

	occupy_standard_descriptors();
	r = sink_options_parse(&err, argc, argv, &options);
	sink_init(&sink, &options);
	if (r < 0) {
		fprintf(stderr, "smtp-sink-tls: %s\n", stls_err_text(&err));
		return EX_USAGE;
	}
	if (options.action == SINK_HELP) {
		fputs(sink_options_help, stdout);
		return EX_OK;
	}
	if (options.action == SINK_VERSION) {
		printf("smtp-sink-tls %s\n", smtptls_version());
		return EX_OK;
	}
	if (options.action == SINK_LIST_MISBEHAVIOUR) {
		sink_misbehave_list(stdout);
		return EX_OK;
	}
	r = run(&err, &sink);
	if (r < 0)
		fprintf(stderr, "smtp-sink-tls: %s\n", stls_err_text(&err));
	return exit_status(r);
}
