/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_LOAD_FAULTS_H
#define STLS_TEST_LOAD_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "load/chance.h"

/* What goes wrong with a connection of the server. */
enum fault {
	FAULT_NONE = 0,

	/* on the wire, at some octet of what is sent or read */
	FAULT_RESET_SENDING,
	FAULT_RESET_READING,
	FAULT_CLOSE_SENDING,
	FAULT_CLOSE_READING,
	FAULT_HALF_CLOSE,    /* sends no more, and reads on */
	FAULT_STALL_SENDING, /* for ever, and reads on */
	FAULT_STALL_READING, /* until the window is closed */
	FAULT_FLIP,	     /* of a bit that is sent */
	FAULT_DRIP,	     /* some octets each millisecond */

	/* in the place of an answer, at some step */
	FAULT_LATER,   /* 4xx */
	FAULT_NEVER,   /* 5xx */
	FAULT_CLOSING, /* 421, and the end */
	FAULT_BYE,     /* close_notify */
	FAULT_CUT_OFF, /* the end without close_notify */
	FAULT_RESET,
	FAULT_SILENCE,

	/* besides it */
	FAULT_TWICE,   /* the same answer again */
	FAULT_UNASKED, /* 421 behind it */
	FAULTS
};

extern const char *const fault_names[FAULTS];

enum step {
	STEP_GREETING,
	STEP_EHLO,
	STEP_STARTTLS,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_END, /* of the content */
	STEPS
};

/* What is going to happen to a connection. */
struct plan {
	enum fault fault;
	size_t octet;	      /* on the wire */
	enum step step;	      /* of the dialogue */
	unsigned int message; /* the how many-eth of the connection */
	bool keeps;	      /* what came to its end, whatever it says */
	unsigned int drip;    /* octets at a time */

	/* not faults */
	bool has_pipelining;
	bool has_chunking;
	bool has_tls12;
};

/* The plan of the n-th connection. */
struct plan plan_make(struct chance *chance, bool has_faults);

static inline bool
fault_is_of_wire(enum fault fault)
{
	return fault >= FAULT_RESET_SENDING && fault <= FAULT_DRIP;
}

#endif
