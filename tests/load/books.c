/* SPDX-License-Identifier: MIT */
#include "load/books.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define LINE_MAX_LEN 78

static size_t
size_of(size_t letters_max)
{
	return sizeof(struct books) + letters_max * sizeof(struct letter);
}

struct books *
books_new(uint64_t seed, size_t letters_max)
{
	struct books *books = mmap(NULL, size_of(letters_max),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (books == MAP_FAILED) {
		perror("mmap");
		exit(EXIT_FAILURE);
	}
	books->seed = seed;
	books->letters_max = letters_max;
	return books;
}

void
books_free(struct books *books)
{
	munmap(books, size_of(books->letters_max));
}

uint64_t
books_hash(uint64_t hash, const char *data, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)data[i]) * 0x100000001b3u;
	return hash;
}

/* Lines of any length, many of which begin with a dot. */
static size_t
write_content(struct chance *chance, uint32_t id, char *out, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz. :-\t01";
	size_t len, line;

	len = (size_t)sprintf(out, "Subject: number %u\r\n\r\n", id);
	while (len < size) {
		line = chance_below(chance, LINE_MAX_LEN);
		if (chance_one_in(chance, 8))
			out[len++] = '.';
		for (; line > 0; line--)
			out[len++] = letters[chance_below(chance, 32)];
		out[len++] = '\r';
		out[len++] = '\n';
	}
	return len;
}

uint32_t
books_invent(struct books *books, char **out_content, size_t *out_len)
{
	uint32_t id = atomic_fetch_add(&books->letters_count, 1);
	struct chance chance = chance_of(books->seed, 'l', id);
	size_t size = chance_scale(&chance, 16);
	struct letter *letter;

	if (id >= books->letters_max) {
		atomic_fetch_sub(&books->letters_count, 1);
		return (uint32_t)books->letters_max;
	}
	letter = &books->letters[id];
	*out_content = malloc(size + LINE_MAX_LEN + 64);
	if (*out_content == NULL)
		abort();
	*out_len = write_content(&chance, id, *out_content, size);
	letter->recipients = (uint8_t)(1 +
	    chance_below(&chance, RECIPIENTS_MAX));
	letter->hash = books_hash(HASH_BEGIN, *out_content, *out_len);
	return id;
}

struct smtptls_message *
books_message(struct books *books, uint32_t id, const char *content, size_t len)
{
	const struct letter *letter = &books->letters[id];
	struct smtptls_message *message = NULL;
	char address[64];
	unsigned int i;

	if (smtptls_message_new(&message) < 0)
		return NULL;
	snprintf(address, sizeof(address), "s%u@example.org", id);
	(void)smtptls_message_set_sender(message, address);
	for (i = 0; i < letter->recipients; i++) {
		snprintf(address, sizeof(address), "r%u.%u@example.org", i, id);
		(void)smtptls_message_add_recipient(message, address);
	}
	(void)smtptls_message_set_body_mem(message, content, len);
	return message;
}

void
books_release(struct books *books, uint32_t id)
{
	atomic_fetch_add(&books->letters[id].released, 1);
}

void
books_settle(
    struct books *books, uint32_t id, const struct smtptls_message *message)
{
	struct letter *letter = &books->letters[id];
	unsigned int i;

	for (i = 0; i < letter->recipients; i++)
		letter->outcome[i] = (uint8_t)smtptls_message_outcome(
		    message, i);
	letter->has_outcome++;
}

/* What may be wrong with one recipient of one letter. */
enum wrong {
	WRONG_NONE,
	WRONG_NO_OUTCOME,
	WRONG_LOST,    /* accepted, and not there */
	WRONG_DOUBLED, /* there more than once */
	WRONG_KEPT,    /* refused or not tried, and there */
	WRONG_DOUBT,   /* in doubt, and its end was never let go */
	WRONG_MANGLED,
	WRONG_PREMATURE,
	WRONG_STRANGE,
	WRONGS
};

static const char *const wrong_names[WRONGS] = {
	[WRONG_NO_OUTCOME] = "without an outcome, or with two",
	[WRONG_LOST] = "accepted and lost",
	[WRONG_DOUBLED] = "doubled",
	[WRONG_KEPT] = "refused or not tried, and kept by the server",
	[WRONG_DOUBT] = "in doubt, and their end was never let go",
	[WRONG_MANGLED] = "kept with another content",
	[WRONG_PREMATURE] = "ended before the end was let go",
	[WRONG_STRANGE] = "for somebody else",
};

static enum wrong
compare(const struct letter *letter, unsigned int i)
{
	unsigned int kept = atomic_load(&letter->kept[i]);

	if (letter->has_outcome != 1)
		return WRONG_NO_OUTCOME;
	if (kept > 1)
		return WRONG_DOUBLED;
	switch ((enum smtptls_outcome)letter->outcome[i]) {
	case SMTPTLS_OUTCOME_ACCEPTED:
		return kept == 1 ? WRONG_NONE : WRONG_LOST;
	case SMTPTLS_OUTCOME_IN_DOUBT:
		return atomic_load(&letter->released) > 0 ? WRONG_NONE
							  : WRONG_DOUBT;
	case SMTPTLS_OUTCOME_NOT_TRIED:
	case SMTPTLS_OUTCOME_REFUSED_LATER:
	case SMTPTLS_OUTCOME_REFUSED:
		break;
	}
	return kept == 0 ? WRONG_NONE : WRONG_KEPT;
}

int
books_compare(const struct books *books, size_t out_outcomes[5])
{
	size_t wrongs[WRONGS] = { 0 };
	uint32_t count = atomic_load(&books->letters_count), id;
	const struct letter *letter;
	unsigned int i;
	int kinds = 0;

	memset(out_outcomes, 0, 5 * sizeof(*out_outcomes));
	for (id = 0; id < count; id++) {
		letter = &books->letters[id];
		for (i = 0; i < letter->recipients; i++) {
			wrongs[compare(letter, i)]++;
			out_outcomes[letter->outcome[i]]++;
		}
	}
	wrongs[WRONG_MANGLED] = atomic_load(&books->mangled);
	wrongs[WRONG_PREMATURE] = atomic_load(&books->premature);
	wrongs[WRONG_STRANGE] = atomic_load(&books->strange);
	for (i = WRONG_NONE + 1; i < WRONGS; i++) {
		if (wrongs[i] == 0)
			continue;
		printf("wrong: %zu %s\n", wrongs[i], wrong_names[i]);
		kinds++;
	}
	return kinds;
}
