/* SPDX-License-Identifier: MIT */
/*
 * For meson alone: print which file GnuTLS reads as the CAs of the system, and
 * fail unless it is one file and nothing else. What opens something, or turns
 * to PKCS#11, is defined here, so that libgnutls calls it in the place of the
 * real one: it is told that nothing is there, and so goes through all that it
 * knows. What is not seen here is not one file either.
 */
#undef _FILE_OFFSET_BITS /* or the one name stands for the other, in glibc */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include <gnutls/x509.h>

#undef fopen64 /* the same in musl */
#undef open64

static char path[4096];
static int files, others;

static void
note_file(const char *name)
{
	files++;
	snprintf(path, sizeof(path), "%s", name);
	errno = ENOENT;
}

FILE *
fopen(const char *name, const char *mode)
{
	(void)mode;
	note_file(name);
	return NULL;
}

int open(const char *name, int flags, ...);
int
open(const char *name, int flags, ...)
{
	(void)flags;
	note_file(name);
	return -1;
}

FILE *fopen64(const char *name, const char *mode);
FILE *
fopen64(const char *name, const char *mode)
{
	return fopen(name, mode);
}

int open64(const char *name, int flags, ...);
int
open64(const char *name, int flags, ...)
{
	return open(name, flags);
}

DIR *
opendir(const char *name)
{
	(void)name;
	others++;
	errno = ENOENT;
	return NULL;
}

void *p11_kit_modules_load(const char *reserved, int flags);
void *
p11_kit_modules_load(const char *reserved, int flags)
{
	(void)reserved;
	(void)flags;
	others++;
	return NULL;
}

void *p11_kit_uri_new(void);
void *
p11_kit_uri_new(void)
{
	others++;
	return NULL;
}

int
main(void)
{
	gnutls_x509_trust_list_t list;

	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		return 1;
	files = others = 0;
	gnutls_x509_trust_list_add_system_trust(list, 0, 0);
	gnutls_x509_trust_list_deinit(list, 1);
	if (files != 1 || others != 0 || path[0] != '/')
		return 1;
	puts(path);
	return 0;
}
