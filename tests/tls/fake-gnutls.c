/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libgnutls when the probe for the file of the system's CAs is
 * tested: how it finds them is said by SYSTEM.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include <gnutls/x509.h>

enum system {
	NONE,
	ONE_FILE,
	ONE_FILE_BY_OPEN,
	RELATIVE_FILE,
	TWO_FILES,
	PKCS11,
	PKCS11_AND_FILE,
	DIRECTORY
};

void *p11_kit_uri_new(void);

int
gnutls_x509_trust_list_init(gnutls_x509_trust_list_t *list, unsigned int size)
{
	(void)size;
	*list = NULL;
	return 0;
}

void
gnutls_x509_trust_list_deinit(gnutls_x509_trust_list_t list, unsigned int all)
{
	(void)list;
	(void)all;
}

int
gnutls_x509_trust_list_add_system_trust(
    gnutls_x509_trust_list_t list, unsigned int flags, unsigned int verify)
{
	static const enum system how = SYSTEM;
	FILE *volatile file = NULL;

	(void)list;
	(void)flags;
	(void)verify;
	(void)file;
	if (how == ONE_FILE || how == TWO_FILES || how == PKCS11_AND_FILE)
		file = fopen("/etc/ca.pem", "rb");
	if (how == TWO_FILES)
		file = fopen("/etc/distrusted.pem", "rb");
	if (how == ONE_FILE_BY_OPEN)
		open("/etc/ca.pem", O_RDONLY);
	if (how == RELATIVE_FILE)
		open("ca.pem", O_RDONLY);
	if (how == PKCS11 || how == PKCS11_AND_FILE)
		p11_kit_uri_new();
	if (how == DIRECTORY)
		opendir("/etc/certs");
	return 0;
}
