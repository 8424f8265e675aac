/* SPDX-License-Identifier: MIT */
#include "message/print.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sysexits.h>

/* What the last piece has left open. */
struct printer {
	FILE *file;
	bool after_cr;
	bool in_line;
};

/* Every line end as a LF, as they leave as a CRLF. */
static void
print_piece(struct printer *printer, const char *text, size_t len)
{
	const char *cr;
	size_t n;

	while (len > 0) {
		if (printer->after_cr && text[0] == '\n') {
			text++;
			len--;
		}
		printer->after_cr = false;
		cr = memchr(text, '\r', len);
		n = cr != NULL ? (size_t)(cr - text) : len;
		fwrite(text, 1, n, printer->file);
		if (n > 0)
			printer->in_line = text[n - 1] != '\n';
		text += n;
		len -= n;
		if (cr == NULL)
			continue;
		putc('\n', printer->file);
		printer->after_cr = true;
		printer->in_line = false;
		text++;
		len--;
	}
}

static int
print_content(struct stls_err *err, struct content *content, FILE *file)
{
	struct printer printer = { .file = file };
	char piece[16384];
	size_t len;

	content_rewind(content);
	do {
		if (content_read(content, piece, sizeof(piece), &len) != 0)
			return stls_err_errno(err, EX_TEMPFAIL, errno,
			    "the file that holds the message");
		print_piece(&printer, piece, len);
	} while (len > 0);
	if (printer.in_line)
		putc('\n', file);
	return 0;
}

/* As it is said on a command line, since that is what is being tried. */
static void
print_options(const struct mail_options *options, FILE *file)
{
	const char *arguments[MAIL_OPTIONS_ARGUMENTS_MAX];
	struct mail_options_words words;
	size_t count = mail_options_to_arguments(options, &words, arguments);
	size_t i;

	if (count == 0)
		return;
	fputs("asks for:", file);
	for (i = 0; i < count; i++)
		fprintf(file, " %s", arguments[i]);
	putc('\n', file);
}

int
mail_print(struct stls_err *err, struct mail *mail, FILE *file)
{
	size_t i;
	int r;

	fprintf(file, "MAIL FROM:<%s>\n", mail->sender);
	for (i = 0; i < mail->recipients.count; i++)
		fprintf(
		    file, "RCPT TO:<%s>\n", mail->recipients.items[i].mailbox);
	print_options(&mail->options, file);
	putc('\n', file);
	r = print_content(err, &mail->content, file);
	if (r == 0 && fflush(file) != 0)
		return stls_err_set(
		    err, EX_SOFTWARE, "standard output cannot be written");
	return r;
}
