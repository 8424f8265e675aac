/* SPDX-License-Identifier: MIT */
#include "freed.h"

#if __has_include(<malloc_np.h>)
#include <malloc_np.h>
#else
#include <malloc.h>
#endif
#include <stdlib.h>

#include <gnutls/gnutls.h>

#include "defined.h"

static freed_cb look_at;

/* The linker has the library call the second, and us the first. */
void __real_free(void *block);
void __wrap_free(void *block);

void
__wrap_free(void *block)
{
	size_t size;

	if (look_at != NULL && block != NULL) {
		size = malloc_usable_size(block);
		take_for_written(block, size);
		look_at(block, size);
	}
	__real_free(block);
}

void
freed_tell(freed_cb look)
{
	look_at = look;
}

void
freed_tell_all(freed_cb look)
{
	look_at = look;
	gnutls_free = look != NULL ? __wrap_free : __real_free;
}
