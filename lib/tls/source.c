/* SPDX-License-Identifier: MIT */
#include "tls/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/base64.h"
#include "base/cleanup.h"
#include "base/eintr.h"
#include "base/secret.h"

static const char begin_mark[] = "-----BEGIN ";
static const char end_mark[] = "-----END ";
static const char dashes[] = "-----";

void
stls_source_done(struct stls_source *source)
{
	if (source->owned != NULL && !source->is_public)
		stls_wipe(source->owned, source->len);
	free(source->owned);
	memset(source, 0, sizeof(*source));
}

void
stls_source_rewind(struct stls_source *source)
{
	source->offset = 0;
	source->line = 1;
}

static int
check_file(struct stls_err *err, int fd, const char *path, size_t *out_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "%s", path);
	if (S_ISDIR(st.st_mode))
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s: is a directory", path);
	if (!S_ISREG(st.st_mode))
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s: not a regular file", path);
	if (st.st_size > (off_t)STLS_SOURCE_SIZE_MAX)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "%s: larger than %lu bytes", path, STLS_SOURCE_SIZE_MAX);
	*out_size = (size_t)st.st_size;
	return SMTPTLS_OK;
}

/* Read `len` bytes; what comes behind them was written meanwhile. */
static int
read_all(struct stls_err *err, int fd, const char *path, char *data, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = read(fd, data + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return stls_err_errno(
			    err, SMTPTLS_E_INVALID, errno, "%s", path);
		if (n == 0)
			return stls_err_set(err, SMTPTLS_E_INVALID,
			    "%s: became shorter while it was read", path);
		done += (size_t)n;
	}
	return SMTPTLS_OK;
}

int
stls_source_open(
    struct stls_source *out, struct stls_err *err, const char *path)
{
	CLEANUP(close_fd) int fd = -1;
	CLEANUP(stls_source_done) struct stls_source source = { 0 };
	int r;

	/* O_NONBLOCK: opening a FIFO that nobody writes to must not wait. */
	fd = UNINTERRUPTED(
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
	if (fd < 0)
		return stls_err_errno(
		    err, SMTPTLS_E_INVALID, errno, "%s", path);
	r = check_file(err, fd, path, &source.len);
	if (r < 0)
		return r;
	if (source.len == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID, "%s: empty", path);
	source.owned = stls_alloc(source.len);
	if (source.owned == NULL)
		return stls_err_nomem(err);
	r = read_all(err, fd, path, source.owned, source.len);
	if (r < 0)
		return r;
	source.name = path;
	source.data = source.owned;
	stls_source_rewind(&source);
	*out = source;
	source.owned = NULL;
	return SMTPTLS_OK;
}

int
stls_source_init_mem(
    struct stls_source *out, struct stls_err *err, const void *data, size_t len)
{
	if (data == NULL || len == 0)
		return stls_err_set(err, SMTPTLS_E_INVALID, "no data");
	if (len > STLS_SOURCE_SIZE_MAX)
		return stls_err_set(err, SMTPTLS_E_INVALID,
		    "data larger than %lu bytes", STLS_SOURCE_SIZE_MAX);
	memset(out, 0, sizeof(*out));
	out->data = data;
	out->len = len;
	stls_source_rewind(out);
	return SMTPTLS_OK;
}

int
stls_source_fail(const struct stls_source *source, struct stls_err *err,
    const struct stls_block *block, const char *fmt, ...)
{
	char text[STLS_ERR_TEXT_MAX];
	const char *name = source->name != NULL ? source->name : "data";
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (block == NULL)
		return stls_err_set(
		    err, SMTPTLS_E_INVALID, "%s: %s", name, text);
	return stls_err_set(err, SMTPTLS_E_INVALID, "%s %s %zu: %s", name,
	    block->label != NULL ? "line" : "byte", block->line, text);
}

bool
stls_block_is(const struct stls_block *block, const char *label)
{
	return block->label_len == strlen(label) &&
	    memcmp(block->label, label, block->label_len) == 0;
}

static size_t
line_len(const struct stls_source *source, size_t offset)
{
	const char *start = source->data + offset;
	const char *end = memchr(start, '\n', source->len - offset);

	return end != NULL ? (size_t)(end - start) + 1 : source->len - offset;
}

/* Whether a line is `<mark>LABEL-----`; blanks may follow (RFC 7468). */
static bool
is_boundary(const char *line, size_t len, const char *mark,
    const char **out_label, size_t *out_label_len)
{
	size_t mark_len = strlen(mark);

	while (len > 0 && strchr(" \t\r\n", line[len - 1]) != NULL)
		len--;
	if (len < mark_len + strlen(dashes) ||
	    memcmp(line, mark, mark_len) != 0)
		return false;
	len -= strlen(dashes);
	if (memcmp(line + len, dashes, strlen(dashes)) != 0)
		return false;
	*out_label = line + mark_len;
	*out_label_len = len - mark_len;
	return true;
}

/* Nearly all lines are no boundary, which their first character tells. */
static bool
may_be_boundary(const char *line)
{
	return line[0] == '-';
}

/* Find the end of a block whose first line has been read. */
static int
find_end(struct stls_source *source, struct stls_err *err,
    struct stls_block *block, size_t start)
{
	const char *label;
	size_t len, label_len;

	while (source->offset < source->len) {
		const char *line = source->data + source->offset;

		len = line_len(source, source->offset);
		if (may_be_boundary(line) &&
		    is_boundary(line, len, begin_mark, &label, &label_len))
			break;
		source->offset += len;
		source->line++;
		if (!may_be_boundary(line) ||
		    !is_boundary(line, len, end_mark, &label, &label_len))
			continue;
		if (label_len != block->label_len ||
		    memcmp(label, block->label, label_len) != 0)
			break;
		block->data.size = (unsigned int)(source->offset - start);
		return SMTPTLS_OK;
	}
	return stls_source_fail(source, err, block, "%.*s without its end",
	    (int)block->label_len, block->label);
}

static int
next_pem(
    struct stls_source *source, struct stls_err *err, struct stls_block *out)
{
	size_t start, len;

	while (source->offset < source->len) {
		start = source->offset;
		len = line_len(source, start);
		source->offset += len;
		source->line++;
		if (!may_be_boundary(source->data + start) ||
		    !is_boundary(source->data + start, len, begin_mark,
			&out->label, &out->label_len))
			continue;
		out->format = GNUTLS_X509_FMT_PEM;
		out->line = source->line - 1;
		out->data.data = (unsigned char *)source->data + start;
		return find_end(source, err, out, start);
	}
	return SMTPTLS_AGAIN;
}

/*
 * The length of the DER value (X.690 section 8.1) in front; 0: none. Only a
 * SEQUENCE, as certificates and revocation lists are, and a definite length.
 */
static size_t
der_len(const unsigned char *data, size_t len)
{
	size_t count, i, value = 0;

	if (len < 2 || data[0] != 0x30)
		return 0;
	if (data[1] < 0x80)
		return len - 2 >= data[1] ? 2U + data[1] : 0;
	count = data[1] & 0x7f;
	if (count == 0 || count > 4 || len - 2 < count)
		return 0;
	for (i = 0; i < count; i++)
		value = value << 8 | data[2 + i];
	return len - 2 - count >= value ? 2 + count + value : 0;
}

static int
next_der(
    struct stls_source *source, struct stls_err *err, struct stls_block *out)
{
	const unsigned char *data = (const unsigned char *)source->data;
	size_t len;

	if (source->offset == source->len)
		return SMTPTLS_AGAIN;
	out->format = GNUTLS_X509_FMT_DER;
	out->label = NULL;
	out->label_len = 0;
	out->line = source->offset;
	len = der_len(data + source->offset, source->len - source->offset);
	if (len == 0)
		return stls_source_fail(
		    source, err, out, "neither PEM nor DER");
	out->data.data = (unsigned char *)data + source->offset;
	out->data.size = (unsigned int)len;
	source->offset += len;
	return SMTPTLS_OK;
}

int
stls_source_next(
    struct stls_source *source, struct stls_err *err, struct stls_block *out)
{
	/*
	 * DER of this size begins with 0x30, the tag, and a length of several
	 * bytes, which is no text.
	 */
	if (source->len > 1 && source->data[0] == 0x30 &&
	    ((unsigned char)source->data[1] & 0x80) != 0)
		return next_der(source, err, out);
	return next_pem(source, err, out);
}

/* Length of the next line without its end; *size is with it. */
static size_t
next_line(const char *at, const char *end, size_t *size)
{
	const char *eol = memchr(at, '\n', (size_t)(end - at));
	size_t len = (size_t)((eol != NULL ? eol : end) - at);

	*size = eol != NULL ? len + 1 : len;
	return len > 0 && at[len - 1] == '\r' ? len - 1 : len;
}

/*
 * Lines of base64, all of them whole, behind the first, which is the label and
 * nothing else, and before the last.
 */
static size_t
decode_pem(unsigned char *out, const struct stls_block *block)
{
	static const char around[] = "-----BEGIN -----";
	const char *at = (const char *)block->data.data;
	const char *end = at + block->data.size;
	size_t total = 0, len, size, n = 0;
	bool is_last = false;

	if (next_line(at, end, &size) != strlen(around) + block->label_len)
		return 0;
	for (at += size; at < end && at[0] != '-'; at += size) {
		len = next_line(at, end, &size);
		if (is_last || len == 0 ||
		    stls_base64_decode(out + total, at, len, &n) < 0)
			return 0;
		is_last = n < len / 4 * 3;
		total += n;
	}
	if (at == end)
		return 0;
	next_line(at, end, &size);
	return at + size == end ? total : 0;
}

size_t
stls_block_decode(unsigned char *out, const struct stls_block *block)
{
	if (block->format == GNUTLS_X509_FMT_PEM)
		return decode_pem(out, block);
	memcpy(out, block->data.data, block->data.size);
	return block->data.size;
}
