/* SPDX-License-Identifier: MIT */
#include "fail-calls.h"

#include <errno.h>
#include <sys/syscall.h>

/* What the manual pages of Linux say of each that can happen here. */
static const struct fail_call calls[] = {
#ifdef SYS_open
	{ SYS_open, "open", false, 0, false,
	    { EMFILE, EACCES, EIO, ENOENT, ENOMEM, ENFILE, EINTR, ELOOP } },
#endif
	{ SYS_openat, "openat", false, 1, false,
	    { EMFILE, EACCES, EIO, ENOENT, ENOMEM, ENFILE, EINTR, ELOOP,
		ENOSPC } },
	{ SYS_close, "close", true, -1, false, { EIO, EINTR, ENOSPC } },
	{ SYS_read, "read", true, -1, true, { EIO, EINTR, ENOMEM } },
	{ SYS_pread64, "pread", true, -1, true, { EIO, EINTR } },
	{ SYS_write, "write", true, -1, true,
	    { ENOSPC, EIO, EINTR, EDQUOT, EFBIG, EPIPE } },
	{ SYS_pwrite64, "pwrite", true, -1, true,
	    { ENOSPC, EIO, EINTR, EDQUOT, EFBIG } },
	{ SYS_fsync, "fsync", true, -1, false,
	    { EIO, EINTR, ENOSPC, EDQUOT, EINVAL } },
	{ SYS_fdatasync, "fdatasync", true, -1, false,
	    { EIO, EINTR, ENOSPC, EDQUOT } },
	{ SYS_ftruncate, "ftruncate", true, -1, false, { EIO, EINTR, EFBIG } },
	{ SYS_fallocate, "fallocate", true, -1, false,
	    { ENOSPC, EOPNOTSUPP, EINTR, EIO } },
	{ SYS_lseek, "lseek", true, -1, false, { EOVERFLOW } },
	{ SYS_flock, "flock", true, -1, false, { ENOLCK, EWOULDBLOCK } },
	{ SYS_fcntl, "fcntl", true, -1, false, { EINVAL, ENOLCK } },
	{ SYS_fstat, "fstat", true, -1, false, { ENOMEM, EIO, EOVERFLOW } },
	{ SYS_newfstatat, "fstatat", true, 1, false,
	    { ENOMEM, EACCES, EIO, ENOENT } },
	{ SYS_fstatfs, "fstatfs", true, -1, false, { EIO, ENOSYS } },
	{ SYS_faccessat, "faccessat", false, 1, false, { EACCES, EIO } },
	{ SYS_getdents64, "getdents", true, -1, false, { EIO } },
	{ SYS_mkdirat, "mkdirat", false, 1, false,
	    { ENOSPC, EACCES, EIO, EROFS } },
	{ SYS_renameat2, "renameat2", false, 1, false,
	    { EIO, ENOSPC, EACCES, EROFS, EXDEV } },
	{ SYS_unlinkat, "unlinkat", false, 1, false,
	    { EIO, EACCES, ENOENT, EROFS } },
	{ SYS_linkat, "linkat", false, 1, false,
	    { EIO, ENOSPC, EMLINK, EPERM } },
	{ SYS_utimensat, "utimensat", false, -1, false, { EACCES, EROFS } },
#ifdef SYS_access
	{ SYS_access, "access", false, 0, false, { EACCES, EIO } },
	{ SYS_mkdir, "mkdir", false, 0, false, { ENOSPC, EACCES, EIO, EROFS } },
	{ SYS_rename, "rename", false, 0, false,
	    { EIO, ENOSPC, EACCES, EROFS, EXDEV } },
	{ SYS_renameat, "renameat", false, 1, false,
	    { EIO, ENOSPC, EACCES, EROFS, EXDEV } },
	{ SYS_unlink, "unlink", false, 0, false,
	    { EIO, EACCES, ENOENT, EROFS } },
	{ SYS_poll, "poll", false, -1, false, { EINTR, ENOMEM } },
#endif
	{ SYS_ppoll, "ppoll", false, -1, false, { EINTR, ENOMEM } },
	{ SYS_pipe2, "pipe2", false, -1, false, { EMFILE, ENFILE } },
	{ SYS_socket, "socket", false, -1, false,
	    { EMFILE, ENOBUFS, ENOMEM, ENFILE, EAFNOSUPPORT, EACCES } },
	{ SYS_connect, "connect", true, -1, false,
	    { ECONNREFUSED, EINTR, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EACCES,
		EADDRNOTAVAIL, ENOBUFS } },
	{ SYS_getsockopt, "getsockopt", true, -1, false, { ENOBUFS } },
	{ SYS_setsockopt, "setsockopt", true, -1, false, { ENOMEM } },
	{ SYS_getsockname, "getsockname", true, -1, false, { ENOBUFS } },
	{ SYS_getpeername, "getpeername", true, -1, false,
	    { ENOTCONN, ENOBUFS } },
	{ SYS_shutdown, "shutdown", true, -1, false, { ENOTCONN } },
	{ SYS_recvfrom, "recv", true, -1, true,
	    { ECONNRESET, EINTR, ETIMEDOUT, ENOMEM, EHOSTUNREACH } },
	{ SYS_recvmsg, "recvmsg", true, -1, false,
	    { ECONNRESET, EINTR, ETIMEDOUT, ENOMEM } },
	{ SYS_sendto, "send", true, -1, true,
	    { EPIPE, EINTR, ECONNRESET, ETIMEDOUT, ENOBUFS, ENOMEM } },
	{ SYS_sendmsg, "sendmsg", true, -1, false,
	    { EPIPE, EINTR, ECONNRESET, ETIMEDOUT, ENOBUFS, ENOMEM } },
	{ SYS_getrandom, "getrandom", false, -1, false, { EINTR } },
#ifdef SYS_clone3
	{ SYS_clone3, "clone3", false, -1, false, { EAGAIN, ENOMEM } },
#endif
	{ SYS_clone, "clone", false, -1, false, { EAGAIN, ENOMEM } },
	{ SYS_wait4, "wait4", false, -1, false, { EINTR } },
};

const struct fail_call *
fail_call_find(long number)
{
	size_t i;

	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].number == number)
			return &calls[i];
	}
	return NULL;
}

size_t
fail_call_errors(const struct fail_call *call)
{
	size_t n = 0;

	while (n < FAIL_ERRORS_MAX && call->errors[n] != 0)
		n++;
	return n;
}

int
fail_call_error(const struct fail_call *call, size_t n)
{
	return n < FAIL_ERRORS_MAX ? call->errors[n] : 0;
}

bool
fail_call_has(const struct fail_call *call, int errnum)
{
	size_t i;

	for (i = 0; i < FAIL_ERRORS_MAX; i++) {
		if (call->errors[i] == errnum)
			return true;
	}
	return false;
}
