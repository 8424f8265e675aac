/* SPDX-License-Identifier: MIT */
#ifndef SENDMAIL_SYSTEM_READY_H
#define SENDMAIL_SYSTEM_READY_H

#include <poll.h>

#include "base/deadline.h"

/*
 * Wait for events of poll(2), through signals. Above 0: there is one; 0: the
 * time is over; below 0 with errno.
 */
int ready_wait(int fd, short events, stls_deadline deadline);

#endif
