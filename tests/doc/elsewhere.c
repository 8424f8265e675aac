/* SPDX-License-Identifier: MIT */
/*
 * Linked into the program of the README, which is not changed for it: the
 * name service says that mail.example.org, at the port of submission, is the
 * server of the test, and the system trusts the CA of the test and nobody
 * else, or, without one, a CA that the server does not have.
 */
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>

#include <gnutls/x509.h>

int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
    struct addrinfo **out)
{
	static struct sockaddr_in address;
	static struct addrinfo info;
	const char *port = getenv("TEST_PORT");

	(void)hints;
	if (name == NULL || strcmp(name, "mail.example.org") != 0 ||
	    service == NULL || strcmp(service, "587") != 0 || port == NULL)
		return EAI_NONAME;
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	info.ai_family = AF_INET;
	info.ai_socktype = SOCK_STREAM;
	info.ai_addr = (struct sockaddr *)&address;
	info.ai_addrlen = sizeof(address);
	*out = &info;
	return 0;
}

void
freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

#ifdef SYSTEM_BUNDLE
/* The library reads the CAs of the system by itself. */
int
open(const char *path, int flags, ...)
{
	if (strcmp(path, SYSTEM_BUNDLE) == 0)
		path = getenv("TEST_CA");
	return openat(AT_FDCWD, path, flags, 0600);
}
#endif

int
gnutls_x509_trust_list_add_system_trust(gnutls_x509_trust_list_t list,
    unsigned int tl_flags, unsigned int tl_vflags)
{
	return gnutls_x509_trust_list_add_trust_file(list, getenv("TEST_CA"),
	    NULL, GNUTLS_X509_FMT_PEM, tl_flags, tl_vflags);
}
