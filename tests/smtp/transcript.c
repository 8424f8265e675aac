/* SPDX-License-Identifier: MIT */
#include "smtp/transcript.h"

#include "test.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* A file that is being read. */
struct source {
	const char *name;
	int line;
};

static void __attribute__((noreturn, format(printf, 2, 3)))
complain(const struct source *source, const char *fmt, ...)
{
	char what[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	ck_abort_msg("%s:%d: %s", source->name, source->line, what);
}

static void
append(struct text *text, const char *data, size_t len)
{
	text->data = realloc(text->data, text->len + len + 1);
	ck_assert_ptr_nonnull(text->data);
	memcpy(text->data + text->len, data, len);
	text->len += len;
	text->data[text->len] = '\0';
}

/* What stands for an octet behind a backslash. */
static const struct {
	char letter, octet;
} escapes[] = {
	{ 'r', '\r' },
	{ 'n', '\n' },
	{ 't', '\t' },
	{ '0', '\0' },
	{ '\\', '\\' },
	{ '"', '"' },
};

static const char *append_text(const struct source *source, struct text *text,
    const char *at, const char *stop);

/* "{100 ab}": a hundred times ab. */
static const char *
append_repeated(const struct source *source, struct text *text, const char *at)
{
	struct text unit = { 0 };
	unsigned long times;
	char *blank;

	times = strtoul(at + 1, &blank, 10);
	append(&unit, "", 0);
	at = append_text(source, &unit, blank + (*blank == ' ' ? 1 : 0), "}");
	if (*at != '}')
		complain(source, "a repetition is not closed");
	while (times-- > 0)
		append(text, unit.data, unit.len);
	free(unit.data);
	return at + 1;
}

/* Append what an escape stands for; at is behind the backslash. */
static const char *
append_escape(const struct source *source, struct text *text, const char *at)
{
	unsigned int octet;
	size_t i;
	char c;

	if (*at == '{')
		return append_repeated(source, text, at);
	if (*at == 'x' && sscanf(at + 1, "%2x", &octet) == 1) {
		c = (char)octet;
		append(text, &c, 1);
		return at + 3;
	}
	for (i = 0; i < COUNT(escapes); i++) {
		if (escapes[i].letter == *at) {
			append(text, &escapes[i].octet, 1);
			return at + 1;
		}
	}
	complain(source, "no escape: \\%s", at);
}

/* Append up to the end of the line, or to one of the characters of stop. */
static const char *
append_text(const struct source *source, struct text *text, const char *at,
    const char *stop)
{
	while (*at != '\0' && strchr(stop, *at) == NULL) {
		if (*at == '\\')
			at = append_escape(source, text, at + 1);
		else
			append(text, at++, 1);
	}
	return at;
}

static void
parse_words(const struct source *source, struct step *step, const char *at)
{
	struct text *word;

	while (*(at += strspn(at, " ")) != '\0') {
		if (step->count == WORDS_MAX)
			complain(source, "too many words");
		word = &step->words[step->count++];
		append(word, "", 0);
		if (*at != '"') {
			at = append_text(source, word, at, " ");
			continue;
		}
		at = append_text(source, word, at + 1, "\"");
		if (*at++ != '"')
			complain(source, "a quote is not closed");
	}
	if (step->count == 0)
		complain(source, "nothing to do");
}

static void
add_part(const struct source *source, struct transcript *transcript)
{
	if (transcript->part_count == PARTS_MAX)
		complain(source, "too many conversations");
	transcript->parts[transcript->part_count++].steps =
	    &transcript->steps[transcript->count];
}

static struct part *
present_part(struct transcript *transcript)
{
	return &transcript->parts[transcript->part_count - 1];
}

static struct step *
add_step(const struct source *source, struct transcript *transcript,
    enum step_kind kind)
{
	struct step *step;

	if (transcript->count == STEPS_MAX)
		complain(source, "too many steps");
	step = &transcript->steps[transcript->count++];
	present_part(transcript)->count++;
	step->kind = kind;
	step->line = source->line;
	return step;
}

static void
parse_setup(const struct source *source, struct transcript *transcript,
    const char *words)
{
	const struct {
		const char *word;
		bool *flag;
	} flags[] = {
		{ "lmtp", &transcript->lmtp },
		{ "implicit", &transcript->implicit_tls },
		{ "cleartext", &transcript->cleartext },
		{ "auth", &transcript->authenticate },
		{ "one-by-one", &transcript->one_by_one },
		{ "no-chunking", &transcript->no_chunking },
		{ "at-once", &transcript->at_once },
		{ "window", &transcript->window },
		{ "small-chunks", &transcript->small_chunks },
	};
	struct step step = { 0 };
	bool known;
	size_t i, j;

	parse_words(source, &step, words);
	for (i = 0; i < step.count; i++) {
		known = false;
		for (j = 0; j < COUNT(flags); j++) {
			if (strcmp(flags[j].word, step.words[i].data) == 0)
				known = *flags[j].flag = true;
		}
		if (!known)
			complain(source, "no setting: %s", step.words[i].data);
		free(step.words[i].data);
	}
}

/* S, s, C or c: one more line of what is already going there, or a new one. */
static void
parse_traffic(const struct source *source, struct transcript *transcript,
    const char *line, bool continues)
{
	enum step_kind kind = line[0] == 'S' || line[0] == 's' ? STEP_SERVER
							       : STEP_CLIENT;
	struct step *step = NULL;
	size_t before;

	if (continues && transcript->count > 0)
		step = &transcript->steps[transcript->count - 1];
	if (step == NULL || step->kind != kind)
		step = add_step(source, transcript, kind);
	before = step->text.len;
	append_text(source, &step->text, line[2] != '\0' ? line + 3 : "", "");
	if (line[0] == 'S' || line[0] == 'C')
		append(&step->text, "\r\n", 2);
	if (kind == STEP_SERVER)
		present_part(transcript)->server_len += step->text.len - before;
}

static void parse_action(
    const struct source *source, struct transcript *transcript, const char *at);

/* A reply to EHLO that offers the keywords, which commas separate. */
static void
add_offers(const struct source *source, struct transcript *transcript,
    const char *keywords)
{
	bool none = strcmp(keywords, "-") == 0;
	char line[256];
	size_t len;

	snprintf(
	    line, sizeof(line), "S: 250%cmail.example.org", none ? ' ' : '-');
	parse_traffic(source, transcript, line, false);
	while (!none && *keywords != '\0') {
		len = strcspn(keywords, ",");
		snprintf(line, sizeof(line), "S: 250%c%.*s",
		    keywords[len] == ',' ? '-' : ' ', (int)len, keywords);
		parse_traffic(source, transcript, line, true);
		keywords += len + (keywords[len] == ',');
	}
}

/* Everything up to the EHLO reply that counts. */
static void
add_session(const struct source *source, struct transcript *transcript,
    const char *keywords)
{
	const char *hello = transcript->lmtp ? "C: LHLO client.example.org"
					     : "C: EHLO client.example.org";
	bool starttls = !transcript->implicit_tls && !transcript->cleartext;

	if (transcript->implicit_tls)
		parse_action(source, transcript, "tls");
	parse_traffic(
	    source, transcript, "S: 220 mail.example.org ESMTP", false);
	parse_traffic(source, transcript, hello, false);
	if (starttls) {
		add_offers(source, transcript, "STARTTLS");
		parse_traffic(source, transcript, "C: STARTTLS", false);
		parse_traffic(source, transcript, "S: 220 go ahead", false);
		parse_action(source, transcript, "tls");
		parse_traffic(source, transcript, hello, false);
	}
	add_offers(source, transcript, keywords);
}

static void
parse_action(
    const struct source *source, struct transcript *transcript, const char *at)
{
	struct step *step = add_step(source, transcript, STEP_DO);

	parse_words(source, step, at);
	if (strcmp(step->words[0].data, "session") != 0)
		return;
	if (step->count != 2)
		complain(source, "a session takes keywords, or -");
	add_session(source, transcript, step->words[1].data);
}

/* Returns whether the next line may go on with this one. */
static bool
parse_line(const struct source *source, struct transcript *transcript,
    const char *line, bool continues)
{
	if (line[0] == '\0')
		return false;
	if (line[0] == '#')
		return continues;
	if (strchr("SsCc", line[0]) != NULL && line[1] == ':' &&
	    (line[2] == ' ' || line[2] == '\0')) {
		parse_traffic(source, transcript, line, continues);
		return true;
	}
	if (strncmp(line, "! ", 2) == 0)
		parse_setup(source, transcript, line + 2);
	else if (strcmp(line, "= again") == 0)
		add_part(source, transcript);
	else if (strncmp(line, "= ", 2) == 0)
		parse_action(source, transcript, line + 2);
	else
		complain(source, "no line of a transcript: %s", line);
	return false;
}

struct transcript *
transcript_load(const char *folder, const char *name)
{
	struct source source = { .name = name };
	struct transcript *transcript = calloc(1, sizeof(*transcript));
	CLEANUP(close_file) FILE *file = NULL;
	CLEANUP(free_ptr) char *line = NULL;
	bool continues = false;
	char path[1024];
	size_t cap = 0;
	ssize_t len;

	ck_assert_ptr_nonnull(transcript);
	transcript->name = name;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		complain(&source, "%s cannot be read", path);
	add_part(&source, transcript);
	while ((len = getline(&line, &cap, file)) >= 0) {
		source.line++;
		if (len > 0 && line[len - 1] == '\n')
			line[len - 1] = '\0';
		continues = parse_line(&source, transcript, line, continues);
	}
	return transcript;
}

void
transcript_free(struct transcript *transcript)
{
	struct step *step;
	size_t i, j;

	for (i = 0; i < transcript->count; i++) {
		step = &transcript->steps[i];
		free(step->text.data);
		for (j = 0; j < step->count; j++)
			free(step->words[j].data);
	}
	free(transcript);
}
