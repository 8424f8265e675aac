/* SPDX-License-Identifier: MIT */
#include "submit/peer.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

static bool
is_listening(int fd)
{
	socklen_t len = sizeof(int);
	int listens = 0;

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) == 0 &&
	    listens != 0;
}

static bool
is_unix_stream(int fd)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t len = sizeof(address), type_len = sizeof(int);
	int type = 0;

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	    address.ss_family == AF_UNIX &&
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 &&
	    type == SOCK_STREAM;
}

static int
ask(int fd, uid_t *out_uid)
{
#if defined(__linux__)
	struct ucred credentials;
	socklen_t len = sizeof(credentials);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &len) < 0)
		return -1;
	/* What the kernel answers where there is no peer. */
	if (credentials.pid == 0 && credentials.uid == (uid_t)-1) {
		errno = ENOTCONN;
		return -1;
	}
	*out_uid = credentials.uid;
	return 0;
#else
	gid_t gid;

	return getpeereid(fd, out_uid, &gid);
#endif
}

int
peer_get_uid(struct stls_err *err, int fd, uid_t *out_uid)
{
	if (!is_unix_stream(fd))
		return stls_err_set(err, EX_USAGE,
		    "standard input is no unix socket: --submit is started by "
		    "systemd or inetd for a connection, not by hand");
	if (is_listening(fd))
		return stls_err_set(err, EX_USAGE,
		    "standard input is a listening socket: --submit wants a "
		    "connection (Accept=yes of systemd, nowait of inetd)");
	if (ask(fd, out_uid) < 0)
		return stls_err_errno(err,
		    errno == ENOTCONN ? EX_USAGE : EX_OSERR, errno,
		    "who is at the other end of standard input");
	return 0;
}
