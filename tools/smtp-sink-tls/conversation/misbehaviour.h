/* SPDX-License-Identifier: MIT */
#ifndef SINK_CONVERSATION_MISBEHAVIOUR_H
#define SINK_CONVERSATION_MISBEHAVIOUR_H

#include "conversation/mischief.h"

enum sink_misbehaviour_flag {
	SINK_NEEDS_AUTH = 1 << 0, /* --user */
	SINK_NEEDS_CA = 1 << 1,	  /* --make-ca */
	/* `step` is not when it is done, its hook sees all answers. */
	SINK_AT_ANY_STEP = 1 << 2,
	SINK_STRIPS_TLS = 1 << 3,
	SINK_WANTS_DATA = 1 << 4
};

/* What is done to TLS. */
enum sink_tls_mischief {
	SINK_TLS_GOOD = 0,
	SINK_TLS_INJECT_SEGMENT, /* in clear, behind the 220 */
	SINK_TLS_INJECT_HELLO,	 /* in clear, before ServerHello */
	SINK_TLS_NONE,		 /* words: plaintext, silence, close */
	SINK_TLS_CLEAR_AFTER,	 /* the replies leave in clear */
	SINK_TLS_OLD,		 /* words: the versions */
	SINK_TLS_RENEGOTIATE,
	SINK_TLS_KEY_UPDATES,
	SINK_TLS_TICKETS,
	SINK_TLS_CERTIFICATE,	     /* words: its flaw */
	SINK_TLS_CERTIFICATE_CHANGES /* from the second handshake on */
};

/* What is done to the way of octets. */
enum sink_wire_mischief {
	SINK_WIRE_GOOD = 0,
	SINK_WIRE_DRIP,		/* one octet at a time, of TLS too */
	SINK_WIRE_DRIP_REPLIES, /* of SMTP */
	SINK_WIRE_REVERSED	/* the last answer of a flight first */
};

/*
 * One way to misbehave. Hooks say whether they did something; the rest is
 * looked at by whoever does it.
 */
struct sink_misbehaviour {
	const char *name;
	const char *words; /* one of them follows the name: "a|b"; or NULL */
	uint64_t min;	   /* then a number from ... */
	uint64_t max;	   /* ... to; 0: none */
	const char *sentence;
	enum sink_step at; /* where no word is the step; OTHER: any */
	unsigned int flags;

	void (*begin)(struct sink_smtp *smtp);
	bool (*take)(struct sink_smtp *smtp);
	bool (*reply)(struct sink_smtp *smtp, size_t mark);
	const char *text; /* for the hooks */
	size_t text_len;
	const char *tail;
	enum sink_end end;
	enum sink_tls_mischief tls;
	enum sink_wire_mischief wire;
};

#endif
