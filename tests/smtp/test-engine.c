/* SPDX-License-Identifier: MIT */
/* usage: test-smtp-engine FOLDER-OF-TRANSCRIPTS */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "smtp/conversation.h"

/* What is longer is not cut at every byte, but at so many places. */
#define LONG 1024
#define LONG_SPLITS 200

static const char *folder;
static struct dirent **files;
static int file_count;

static int
is_transcript(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot != NULL && strcmp(dot, ".txt") == 0;
}

static bool
play(const struct transcript *transcript, size_t part, int kind, size_t n)
{
	struct manner manner = { .n = n };

	manner.kind = kind;
	return conversation_play(transcript, &transcript->parts[part], &manner);
}

static void
play_cut(const struct transcript *transcript, size_t part)
{
	size_t len = transcript->parts[part].server_len, at;
	size_t stride = len > LONG ? len / LONG_SPLITS : 1;

	for (at = 1; at < len; at += stride)
		play(transcript, part, SPLIT, at);
}

START_TEST(a_conversation_goes_as_it_is_written_however_it_is_cut)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);
	size_t part;

	for (part = 0; part < transcript->part_count; part++) {
		play(transcript, part, WHOLE, 0);
		play(transcript, part, BY_BYTE, 0);
		play_cut(transcript, part);
	}
	transcript_free(transcript);
}
END_TEST

START_TEST(without_memory_nothing_is_claimed_that_is_not_so)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);
	size_t part, n;

	for (part = 0; part < transcript->part_count; part++) {
		n = 1;
		while (play(transcript, part, FAULT, n))
			n++;
		ck_assert_uint_gt(n, 1);
	}
	transcript_free(transcript);
}
END_TEST

static void
add_transcripts(TCase *tc)
{
	tcase_add_loop_test(tc,
	    a_conversation_goes_as_it_is_written_however_it_is_cut, 0,
	    file_count);
	tcase_add_loop_test(tc,
	    without_memory_nothing_is_claimed_that_is_not_so, 0, file_count);
}

int
main(int argc, char **argv)
{
	Suite *suite = suite_create("engine");
	TCase *tc = tcase_create("transcripts");
	int result;

	folder = argc > 1 ? argv[1] : "tests/transcripts";
	file_count = scandir(folder, &files, is_transcript, alphasort);
	if (file_count <= 0) {
		fprintf(stderr, "no transcripts in %s\n", folder);
		return EXIT_FAILURE;
	}
	add_transcripts(tc);
	suite_add_tcase(suite, tc);
	result = run_suite(suite);
	while (file_count > 0)
		free(files[--file_count]);
	free(files);
	return result;
}
