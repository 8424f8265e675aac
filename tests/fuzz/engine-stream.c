/* SPDX-License-Identifier: MIT */
#include "engine-stream.h"

#include "fuzz.h"

bool
stream_is_early(const struct stream *stream)
{
	return stream->len > 0 && stream->data[0] == STREAM_EARLY;
}

/* True behind the last line of a reply. */
static bool
hear(struct stream *stream, char c, uint64_t written)
{
	struct stream_reply *reply = &stream->pending[stream->count];
	bool is_last;

	if (!stream->has_begun) {
		stream->has_begun = true;
		stream->begun_at = written;
	}
	if (stream->line_len < sizeof(stream->start))
		stream->start[stream->line_len] = c;
	stream->line_len++;
	if (c != '\n')
		return false;
	is_last = stream->start[3] != '-';
	stream->line_len = 0;
	if (!is_last)
		return false;
	FUZZ_CHECK(stream->count < STREAM_PENDING_MAX);
	reply->code = (stream->start[0] - '0') * 100 +
	    (stream->start[1] - '0') * 10 + stream->start[2] - '0';
	reply->at = stream->begun_at;
	stream->count++;
	stream->has_begun = false;
	return true;
}

size_t
stream_next(struct stream *stream, char *out, uint64_t written)
{
	size_t n = 0;
	uint8_t c;
	bool is_end = false;

	while (stream->len > 0 && !is_end) {
		c = *stream->data++;
		stream->len--;
		if (c == STREAM_CUT && n > 0)
			break;
		if (c >= STREAM_GLUE)
			continue;
		out[n++] = (char)c;
		is_end = hear(stream, (char)c, written) &&
		    !(stream->len > 0 && stream->data[0] == STREAM_GLUE);
	}
	return n;
}

const struct stream_reply *
stream_take(struct stream *stream)
{
	if (stream->taken == stream->count)
		return NULL;
	return &stream->pending[stream->taken++];
}

void
stream_restart(struct stream *stream)
{
	stream->count = stream->taken = stream->line_len = 0;
	stream->has_begun = false;
}
