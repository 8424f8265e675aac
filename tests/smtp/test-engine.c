/* SPDX-License-Identifier: MIT */
/* usage: test-smtp-engine FOLDER-OF-TRANSCRIPTS */
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "smtp/conversation.h"

/* Long conversations are not cut at every byte, but so often at least. */
#define SPLITS_MAX 2000

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
play(const struct transcript *transcript, int kind, size_t n)
{
	struct manner manner = { .n = n };

	manner.kind = kind;
	return conversation_play(transcript, &manner);
}

START_TEST(a_conversation_goes_as_it_is_written)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);

	play(transcript, WHOLE, 0);
	transcript_free(transcript);
}
END_TEST

START_TEST(it_goes_so_with_one_byte_at_a_time)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);

	play(transcript, BY_BYTE, 0);
	transcript_free(transcript);
}
END_TEST

START_TEST(it_goes_so_cut_in_two_at_any_byte)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);
	size_t stride = transcript->server_len / SPLITS_MAX + 1, at;

	for (at = 1; at < transcript->server_len; at += stride)
		play(transcript, SPLIT, at);
	transcript_free(transcript);
}
END_TEST

START_TEST(without_memory_nothing_is_claimed_that_is_not_so)
{
	struct transcript *transcript = transcript_load(
	    folder, files[_i]->d_name);
	size_t n = 1;

	while (play(transcript, FAULT, n))
		n++;
	ck_assert_uint_gt(n, 1);
	transcript_free(transcript);
}
END_TEST

static void
add_transcripts(TCase *tc)
{
	tcase_add_loop_test(
	    tc, a_conversation_goes_as_it_is_written, 0, file_count);
	tcase_add_loop_test(
	    tc, it_goes_so_with_one_byte_at_a_time, 0, file_count);
	tcase_add_loop_test(
	    tc, it_goes_so_cut_in_two_at_any_byte, 0, file_count);
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
