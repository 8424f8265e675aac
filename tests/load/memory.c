/* SPDX-License-Identifier: MIT */
#include "load/memory.h"

#include <stdio.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Sessions and verdicts that are kept are not all of one size. */
#define USED_KB_MORE 128
/* What the heap has in reserve comes and goes. */
#define RESIDENT_KB_MORE 8192

/* Memory that this process shares with the server does not count. */
static long
read_resident_kb(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[256];
	long kb = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (sscanf(line, "RssAnon: %ld", &kb) == 1)
			break;
	}
	if (file != NULL)
		fclose(file);
	return kb;
}

static long
read_used_kb(void)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
	return (long)(mallinfo2().uordblks / 1024);
#else
	return 0;
#endif
}

void
memory_note(struct memory_log *log)
{
	log->rounds++;
	log->used_kb = read_used_kb();
	log->resident_kb = read_resident_kb();
	if (log->rounds == 2) {
		log->first_used_kb = log->used_kb;
		log->first_resident_kb = log->resident_kb;
	}
}

void
memory_check(const struct memory_log *log, struct scene *scene)
{
	scene_check(scene, log->used_kb <= log->first_used_kb + USED_KB_MORE,
	    "%ld KB are in use, %ld behind the second round", log->used_kb,
	    log->first_used_kb);
	scene_check(scene,
	    log->resident_kb <= log->first_resident_kb + RESIDENT_KB_MORE,
	    "%ld KB are resident, %ld behind the second round",
	    log->resident_kb, log->first_resident_kb);
}
