/* SPDX-License-Identifier: MIT */
/*
 * Send a file of a spool once. What may have happened to it is on disk before
 * it happens, so that a crash never sends it twice:
 *
 *	FILE		not accepted: send it
 *	FILE.doubt	the last octet may have left: ask somebody
 *	neither		accepted
 *
 * usage: spool URL CAFILE SENDER RECIPIENT FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <smtptls/smtptls.h>

struct entry {
	const char *path;
	char doubt[4096];
	int is_in_doubt;
};

/* A rename that is still there after the power failed. */
static int
rename_durably(const char *from, const char *to)
{
	char copy[4096];
	int fd, r;

	if (rename(from, to) < 0)
		return -1;
	snprintf(copy, sizeof(copy), "%s", to);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = fsync(fd);
	close(fd);
	return r;
}

/* A smtptls_before_end_cb: all but the end of data has been written. */
static int
before_end(struct smtptls_message *mail, void *arg)
{
	struct entry *entry = arg;

	(void)mail;
	if (rename_durably(entry->path, entry->doubt) < 0)
		return SMTPTLS_E_IO; /* then it is not sent either */
	entry->is_in_doubt = 1;
	return SMTPTLS_OK;
}

/* The outcome is known: so is the state. */
static int
settle(const struct entry *entry, int r)
{
	if (r == SMTPTLS_OK)
		return unlink(entry->doubt) < 0 ? EX_CANTCREAT : EX_OK;
	if (r == SMTPTLS_E_IN_DOUBT)
		return EX_IOERR;
	if (entry->is_in_doubt && rename_durably(entry->doubt, entry->path) < 0)
		return EX_CANTCREAT;
	return r == SMTPTLS_E_REFUSED ? EX_UNAVAILABLE : EX_TEMPFAIL;
}

static int
send_entry(struct smtptls_client *client, char **envelope, struct entry *entry)
{
	struct smtptls_message *mail = NULL;
	int fd, r, status;

	fd = open(entry->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(entry->path);
		return EX_NOINPUT;
	}
	smtptls_message_new(&mail);
	smtptls_message_set_sender(mail, envelope[0]);
	smtptls_message_add_recipient(mail, envelope[1]);
	smtptls_message_set_body_fd(mail, fd);
	smtptls_message_set_before_end(mail, before_end, entry);
	r = smtptls_client_send(client, mail);
	if (r < 0)
		fprintf(stderr, "%s\n", smtptls_client_error(client));
	status = settle(entry, r);
	smtptls_message_free(mail);
	close(fd);
	return status;
}

int
main(int argc, char *argv[])
{
	struct smtptls_context *context = NULL;
	struct smtptls_client *client = NULL;
	struct entry entry = { 0 };
	int status;

	if (argc != 6 || strlen(argv[5]) > sizeof(entry.doubt) - 7) {
		fprintf(stderr,
		    "usage: spool URL CAFILE SENDER RECIPIENT "
		    "FILE\n");
		return EX_USAGE;
	}
	entry.path = argv[5];
	snprintf(entry.doubt, sizeof(entry.doubt), "%s.doubt", argv[5]);
	if (access(entry.doubt, F_OK) == 0) {
		fprintf(stderr, "%s is there: it may have been sent\n",
		    entry.doubt);
		return EX_IOERR;
	}
	if (smtptls_context_new_default(
		SMTPTLS_SERVER_AUTH, argv[2], NULL, NULL, 0, &context) < 0) {
		fprintf(stderr, "%s\n", smtptls_context_error(context));
		smtptls_context_free(context);
		return EX_CONFIG;
	}
	smtptls_client_new(argv[1], context, &client);
	status = send_entry(client, argv + 3, &entry);
	smtptls_client_quit(client);
	smtptls_client_free(client);
	smtptls_context_free(context);
	return status;
}
