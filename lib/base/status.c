/* SPDX-License-Identifier: MIT */
#include <smtptls/status.h>

#include <stddef.h>

/* Indexed by -status. */
static const char *const texts[] = {
	"success",
	"out of memory",
	"invalid argument",
	"not possible in this state",
	"host name cannot be resolved",
	"cannot connect",
	"time limit passed",
	"connection lost",
	"protocol violation by the peer",
	"the peer exceeded a limit",
	"STARTTLS not available",
	"TLS failed",
	"certificate refused",
	"authentication refused",
	"not offered by the server",
	"source of the message failed",
	"refused for now",
	"refused",
	"some recipients refused",
	"in doubt: handed over, answer lost",
	"cancelled",
	"object belongs to the parent process",
};

const char *
smtptls_strerror(int status)
{
	if (status == SMTPTLS_AGAIN)
		return "not finished";
	if (status > 0 || status <= -(int)(sizeof(texts) / sizeof(texts[0])))
		return "unknown status";
	return texts[-status];
}
