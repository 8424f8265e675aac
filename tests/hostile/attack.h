/* SPDX-License-Identifier: MIT */
#ifndef STLS_TEST_ATTACK_H
#define STLS_TEST_ATTACK_H

#include "client/talk.h"

/*
 * An attack on a client that has credentials and a message: the server does
 * what its script says, and whatever leaves that is not in the script fails
 * the test. No recipient is ever told that the mail was taken.
 */

#define GREETING SEND("220 mail.example.org ESMTP\r\n")
#define UP_TO_EHLO GREETING, PREFIX("EHLO ")
#define UP_TO_STARTTLS                                                         \
	UP_TO_EHLO, SEND("250-mail.example.org\r\n250 STARTTLS\r\n"),          \
	    LINE("STARTTLS")
/* The rest of a conversation that goes well, after the answer to EHLO. */
#define TAKE_MAIL                                                              \
	LINE("MAIL FROM:<alice@example.org>"), SEND("250 ok\r\n"),             \
	    LINE("RCPT TO:<bob@example.org>"), SEND("250 ok\r\n"),             \
	    LINE("DATA"), SEND("354 go\r\n"), STEP(CONTENT),                   \
	    SEND("250 ok\r\n")
/* All the answers somebody could want, before their questions. */
#define PUSHED                                                                 \
	"250-mail.example.org\r\n250 AUTH PLAIN LOGIN\r\n235 welcome\r\n"      \
	"250 ok\r\n250 ok\r\n354 go\r\n250 queued\r\n"

/*
 * A row of a table as a test of its own in so many modes, under the name of
 * its advisory: _i is as of add_rows_in_modes().
 */
void attack_add(
    TCase *tc, const TTest *test, const char *name, int row, int modes);

/* The script begins when the connection does; nothing gets inside TLS. */
void attack_in_clear(
    int mode, const struct step *script, int code, const char *sentence);

/* The script begins with the answer to EHLO, inside TLS. */
void attack_inside(
    int mode, const struct step *script, int code, const char *sentence);

/*
 * The server shows a certificate; it is refused, over STARTTLS and not, before
 * anything is said.
 */
void attack_with_cert(int mode, const struct cert *cert, const char *sentence);

/* Neither a sender nor a recipient may be this, and then nothing is sent. */
void attack_by_address(const char *address);

/* As a recipient, which is a good one: it is on the wire like this. */
void attack_by_good_address(int mode, const char *address, const char *command);

/* The server offers these mechanisms and none of them is of any use. */
void attack_by_offer(int mode, const char *offer, const char *mechanism);

#endif
