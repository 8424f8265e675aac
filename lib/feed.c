/* SPDX-License-Identifier: MIT */
/* The content of messages, from the program to the engine. */
#include "client.h"

#include "message.h"

static struct smtptls_message *
current_message(const struct smtptls_client *client)
{
	return stls_message_of(client->engine.sending);
}

/* The program has nothing for us now: send and read what there is. */
static int
stall(struct smtptls_client *client, int source_fd)
{
	client->source_fd = source_fd;
	client->source_stalls = source_fd < 0;
	if (stls_engine_has_output(&client->engine))
		return stls_client_write(client);
	/* The program may take its time; the server does not wait in vain. */
	stls_client_restart_limit(client);
	return stls_client_read(client);
}

/* A second attempt begins at the start again. */
static int
rewind_content(struct smtptls_client *client, struct stls_err *err)
{
	struct smtptls_message *message = current_message(client);

	if (!message->txn.is_repeated)
		return SMTPTLS_OK;
	message->txn.is_repeated = false;
	return stls_content_rewind(&message->content, err);
}

int
stls_client_feed(struct smtptls_client *client)
{
	struct smtptls_message *message = current_message(client);
	struct stls_content *content = &message->content;
	struct stls_err reason;
	const char *data = NULL;
	size_t len = 0;
	int r;

	r = rewind_content(client, &reason);
	if (r == SMTPTLS_OK && message->progress != NULL) {
		message->progress(content->offset, message->progress_arg);
		client->is_drained = false;
	}
	if (r == SMTPTLS_OK)
		r = stls_content_read(content, &reason, &data, &len);
	/* Whatever was seen before is old now. */
	if (!stls_content_never_waits(content))
		client->is_drained = false;
	if (r == SMTPTLS_AGAIN)
		return stall(client, stls_content_poll_fd(content));
	if (r < 0)
		stls_engine_abandon(&client->engine, &reason);
	else if (len == 0)
		stls_engine_body_end(&client->engine);
	else
		stls_engine_body(&client->engine, data, len);
	return SMTPTLS_OK;
}

/* Everything in front of the last octet has left: ask the hook. */
int
stls_client_end_content(struct smtptls_client *client)
{
	struct smtptls_message *message = current_message(client);
	struct stls_err reason;
	int r;

	if (message->before_end != NULL) {
		if (stls_engine_has_output(&client->engine))
			return stls_client_write(client);
		/* The server may have ended it: the engine is asked anew. */
		if (stls_client_has_gathered(client))
			return stls_client_flush(client);
		r = message->before_end(message, message->before_end_arg);
		client->is_drained = false;
		if (r == SMTPTLS_AGAIN)
			return stall(client, -1);
		message->hook_was_called = true;
		if (r != SMTPTLS_OK) {
			stls_err_set(&reason, SMTPTLS_E_SOURCE,
			    "given up before the end of data");
			stls_engine_abandon(&client->engine, &reason);
			return SMTPTLS_OK;
		}
	}
	stls_engine_end_of_data(&client->engine);
	return SMTPTLS_OK;
}
