/* SPDX-License-Identifier: MIT */
#include "system/ready.h"

#include <errno.h>

int
ready_wait(int fd, short events, stls_deadline deadline)
{
	struct pollfd pfd = { .fd = fd, .events = events };
	int n;

	do {
		n = poll(&pfd, 1, stls_deadline_left_ms(deadline));
	} while (n < 0 && errno == EINTR);
	return n;
}
