/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/secret.h"

#define MASK 0xa5
#define MAPS_MAX 2048
#define PAGE 4096
/* More than an allocator writes over in what was freed. */
#define HEAD "In-front-of-what-is-looked-for-0"

struct area {
	const unsigned char *start;
	size_t len;
};

/* Here, so that reading the list makes no memory that is not in it. */
static struct area areas[MAPS_MAX];

static void
mask(
    const struct scan_needle *needle, size_t form, const char *text, size_t len)
{
	struct scan_needle *out = (struct scan_needle *)(void *)needle;
	size_t i;

	for (i = 0; i < len && i < SCAN_LEN_MAX; i++)
		out->masked[form][i] = (unsigned char)text[i] ^ MASK;
	out->len[form] = i;
}

/* Three octets become four digits; what is not whole at an end may be any. */
static void
mask_base64(struct scan_needle *needle, size_t form, const char *secret)
{
	static const char digits[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)secret;
	size_t len = strlen(secret), skip = (3 - (form - 1)) % 3, at = 0;
	char text[SCAN_LEN_MAX];

	for (p += skip, len -= skip; len >= 3 && at + 4 <= sizeof(text);
	     p += 3, len -= 3) {
		text[at++] = digits[p[0] >> 2];
		text[at++] = digits[(p[0] & 3) << 4 | p[1] >> 4];
		text[at++] = digits[(p[1] & 15) << 2 | p[2] >> 6];
		text[at++] = digits[p[2] & 63];
	}
	mask(needle, form, text, at);
	stls_wipe(text, sizeof(text));
}

void
scan_needle_init(struct scan_needle *needle)
{
	/* By pieces: whole it would be in the program for ever. */
	char secret[64];
	size_t form;

	snprintf(secret, sizeof(secret), "%s%s%s", "q7Vb2LxTz", "9RkWm4Ydf3Np",
	    "8HsJc6Ga");
	mask(needle, 0, secret, strlen(secret));
	for (form = 1; form < SCAN_FORMS; form++)
		mask_base64(needle, form, secret);
	stls_wipe(secret, strlen(secret));
}

char *
scan_needle_lend(const struct scan_needle *needle)
{
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t i;

	if (page == MAP_FAILED)
		abort();
	memcpy(page, HEAD, sizeof(HEAD) - 1);
	for (i = 0; i < needle->len[0]; i++)
		page[sizeof(HEAD) - 1 + i] = (char)(needle->masked[0][i] ^
		    MASK);
	return page;
}

void
scan_needle_take_back(char *lent)
{
	munmap(lent, PAGE);
}

/* Memory of the kernel, and of devices, is not for reading. */
static bool
is_to_be_read(const char *line)
{
	return strstr(line, " r") != NULL && strstr(line, "[v") == NULL &&
	    strstr(line, "/dev/") == NULL;
}

static size_t
list_areas(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[1024];
	unsigned long start, end;
	size_t count = 0;

	if (maps == NULL)
		return 0;
	while (count < MAPS_MAX && fgets(line, sizeof(line), maps) != NULL) {
		if (!is_to_be_read(line) ||
		    sscanf(line, "%lx-%lx", &start, &end) != 2)
			continue;
		areas[count++] = (struct area){ (const unsigned char *)start,
			end - start };
	}
	fclose(maps);
	return count;
}

static bool
is_here(const unsigned char *place, const unsigned char *masked, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((place[i] ^ MASK) != masked[i])
			return false;
	}
	return true;
}

static int
count_in(const struct area *area, const unsigned char *masked, size_t len)
{
	const unsigned char *place = area->start;
	const unsigned char *end = area->start + area->len;
	int count = 0;

	while (len > 0 && (size_t)(end - place) >= len) {
		place = memchr(
		    place, masked[0] ^ MASK, (size_t)(end - place) - len + 1);
		if (place == NULL)
			break;
		count += is_here(place, masked, len);
		place++;
	}
	return count;
}

int
scan_block(const struct scan_needle *needle, const void *block, size_t size)
{
	const struct area area = { block, size };
	size_t form;
	int found = 0;

	for (form = 0; form < SCAN_FORMS; form++)
		found += count_in(
		    &area, needle->masked[form], needle->len[form]);
	return found;
}

int
scan_memory(const struct scan_needle *needle)
{
	size_t count = list_areas(), i;
	int found = 0;

	if (count == 0)
		return -1;
	for (i = 0; i < count; i++)
		found += scan_block(needle, areas[i].start, areas[i].len);
	return found;
}
