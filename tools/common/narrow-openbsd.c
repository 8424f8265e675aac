/* SPDX-License-Identifier: MIT */
#include "narrow.h"

#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* Memory is never both on OpenBSD, and nobody else of the user traces. */
int
narrow_memory(void)
{
	const struct rlimit none = { 0, 0 };

	return setrlimit(RLIMIT_CORE, &none) < 0 ? -errno : 0;
}

int
narrow_calls(enum narrow_kind kind)
{
	static const char *const promises[] = {
		[NARROW_CLIENT] = "stdio rpath wpath cpath fattr flock inet "
				  "unix dns getpw tty",
		/* "inet" is also to accept. */
		[NARROW_SERVER] = "stdio rpath wpath cpath fattr inet",
	};

	return pledge(promises[kind], NULL) < 0 ? -errno : 0;
}

int
narrow_files(const struct narrow_place *places, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		if (places[i].path != NULL &&
		    unveil(places[i].path, places[i].is_folder ? "wc" : "w") <
			0)
			return -errno;
	}
	return unveil(NULL, NULL) < 0 ? -errno : 0;
}
