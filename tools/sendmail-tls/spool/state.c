/* SPDX-License-Identifier: MIT */
#include "spool/state.h"

#include <sysexits.h>

enum spool_state
spool_state_of(const struct transfer *transfer, size_t i)
{
	if (transfer->message == NULL)
		return SPOOL_WAITING;
	switch (smtptls_message_outcome(transfer->message, i)) {
	case SMTPTLS_OUTCOME_ACCEPTED:
		return SPOOL_ACCEPTED;
	case SMTPTLS_OUTCOME_REFUSED:
		return SPOOL_REFUSED;
	case SMTPTLS_OUTCOME_IN_DOUBT:
		return SPOOL_IN_DOUBT;
	default:
		break;
	}
	return transfer->status == EX_DATAERR || transfer->status == EX_USAGE
	    ? SPOOL_REFUSED
	    : SPOOL_WAITING;
}
