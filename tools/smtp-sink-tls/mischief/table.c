/* SPDX-License-Identifier: MIT */
#include "mischief/table.h"

#include "mischief/ehlo.h"
#include "mischief/order.h"
#include "mischief/reply.h"
#include "mischief/talk.h"

/* Where a connection is ended: the most octets that are counted. */
#define OCTETS_MAX 100000
/* Far above any limit of a client. */
#define LINE_LEN_MAX 67108864
#define LINES_MAX 1000000
#define MESSAGES_MAX 1000000
#define DRIP_MS_MAX 60000

/* With NUL in it a text has no other length. */
#define TEXT(s) .text = (s), .text_len = sizeof(s) - 1

/* All steps, and those that something can be said to before they are asked. */
#define STEPS                                                                  \
	"greeting|ehlo|starttls|auth|mail|rcpt|data|chunk|content|rset|quit"
#define EARLY_STEPS "ehlo|starttls|auth|mail|rcpt|data|content|quit"

#define REWRITE .reply = sink_mischief_rewrite

/* clang-format off */
const struct sink_misbehaviour sink_misbehaviours[] = {
	/* STARTTLS. */
	{ "starttls-not-offered", NULL, 0, 0,
	    "STARTTLS is neither offered nor done; mail and AUTH are taken in "
	    "clear",
	    .at = SINK_STEP_EHLO, .flags = SINK_STRIPS_TLS,
	    .begin = sink_mischief_hide_starttls,
	    .reply = sink_mischief_offer_in_clear },
	{ "starttls-garbled", NULL, 0, 0,
	    "the same, and EHLO has XXXXXXXA, START TLS and STARTTLS2",
	    .at = SINK_STEP_EHLO, .flags = SINK_STRIPS_TLS,
	    .begin = sink_mischief_hide_starttls,
	    .reply = sink_mischief_offer_in_clear,
	    .text = "XXXXXXXA\nSTART TLS\nSTARTTLS2" },
	{ "inject-same-segment", NULL, 0, 0,
	    "an EHLO reply in clear comes in the segment of the 220",
	    .at = SINK_STEP_STARTTLS, .reply = sink_mischief_push,
	    .text = "250-localhost\r\n250 AUTH PLAIN LOGIN\r\n" },
	{ "inject-next-segment", NULL, 0, 0,
	    "an EHLO reply in clear comes in the segment behind the 220",
	    .tls = SINK_TLS_INJECT_SEGMENT },
	{ "inject-before-server-hello", NULL, 0, 0,
	    "an EHLO reply in clear comes before the ServerHello",
	    .tls = SINK_TLS_INJECT_HELLO },
	{ "no-handshake", "plaintext|silence|close|garbage", 0, 0,
	    "instead of the handshake: SMTP in clear, nothing, FIN, no TLS",
	    .tls = SINK_TLS_NONE },
	{ "cleartext-after-handshake", NULL, 0, 0,
	    "after the handshake the replies leave in clear",
	    .tls = SINK_TLS_CLEAR_AFTER },
	{ "only-before-tls",
	    "auth|size|8bitmime|smtputf8|chunking|pipelining|dsn|requiretls",
	    0, 0,
	    "offered in clear (SIZE with 1), and inside TLS neither offered "
	    "nor taken",
	    .at = SINK_STEP_EHLO,
	    .begin = sink_mischief_only_before_tls,
	    .reply = sink_mischief_tiny_size },

	/* TLS. */
	{ "certificate",
	    "expired|not-yet-valid|other-name|self-signed|other-ca", 0, 0,
	    "the certificate has this flaw",
	    .flags = SINK_NEEDS_CA, .tls = SINK_TLS_CERTIFICATE },
	{ "certificate-changes", NULL, 0, 0,
	    "from the second handshake on the certificate is of another CA",
	    .flags = SINK_NEEDS_CA, .tls = SINK_TLS_CERTIFICATE_CHANGES },
	{ "old-tls", "1.0|1.1", 0, 0,
	    "no other version of TLS is spoken",
	    .tls = SINK_TLS_OLD },
	{ "renegotiate", NULL, 0, MESSAGES_MAX,
	    "TLS 1.2, and after the handshake so many HelloRequests; 0: no end",
	    .tls = SINK_TLS_RENEGOTIATE },
	{ "key-updates", NULL, 0, MESSAGES_MAX,
	    "after the handshake so many KeyUpdates; 0: no end",
	    .tls = SINK_TLS_KEY_UPDATES },
	{ "tickets", NULL, 0, MESSAGES_MAX,
	    "after the handshake so many session tickets; 0: no end",
	    .tls = SINK_TLS_TICKETS },

	/* EHLO. */
	{ "size", "zero|one|negative|text|huge|twice", 0, 0,
	    "inside TLS SIZE is offered with such a limit",
	    .at = SINK_STEP_EHLO, .reply = sink_mischief_offer,
	    .text = "SIZE 0|SIZE 1|SIZE -1|SIZE many|"
		    "SIZE 99999999999999999999999999|SIZE 1\nSIZE 99999999" },
	{ "limits", "one-recipient|one-mail|zero|text", 0, 0,
	    "inside TLS LIMITS is offered with such limits",
	    .at = SINK_STEP_EHLO, .reply = sink_mischief_offer,
	    .text = "LIMITS RCPTMAX=1|LIMITS MAILMAX=1|"
		    "LIMITS RCPTMAX=0 MAILMAX=0 RCPTDOMAINMAX=0|"
		    "LIMITS RCPTMAX=-1 MAILMAX=many =1 RCPTDOMAINMAX" },
	{ "limits-lie", NULL, 0, 0,
	    "LIMITS offers 1000 recipients, and the second one is refused",
	    .at = SINK_STEP_EHLO, .flags = SINK_AT_ANY_STEP,
	    .take = sink_mischief_one_recipient,
	    .reply = sink_mischief_offer,
	    .text = "LIMITS RCPTMAX=1000" },
	{ "extensions", "malformed|long|twice", 0, 0,
	    "inside TLS EHLO has such lines besides",
	    .at = SINK_STEP_EHLO, .reply = sink_mischief_offer,
	    .text = " \n=\n-X\nX-\xc3\xa4\nX- \x01\nSTARTTLS\nSTARTTLS=x|"
		    "X-LONG xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		    "|8BITMIME\n8BITMIME\n8bitmime" },

	/* AUTH. */
	{ "auth-offers", "unknown|cram-md5|nothing", 0, 0,
	    "inside TLS only such a mechanism is offered",
	    .at = SINK_STEP_EHLO, .flags = SINK_NEEDS_AUTH,
	    .reply = sink_mischief_offer,
	    .text = "AUTH X-UNKNOWN|AUTH CRAM-MD5|AUTH" },
	{ "auth-endless-challenge", NULL, 0, 0,
	    "whatever the client says to AUTH, it is challenged again",
	    .at = SINK_STEP_AUTH, .reply = sink_mischief_challenge,
	    .text = "Z28gb24=" },
	{ "auth-bad-base64", NULL, 0, 0,
	    "the first answer to AUTH is a challenge that is no base64",
	    .at = SINK_STEP_AUTH, .reply = sink_mischief_challenge_once,
	    .text = "***?=" },
	{ "auth-long-challenge", NULL, 4, LINE_LEN_MAX,
	    "the first answer to AUTH is a challenge of so many octets",
	    .at = SINK_STEP_AUTH, .reply = sink_mischief_long_challenge },
	{ "auth-repeated", NULL, 0, 0,
	    "AUTH is refused with 535, and the reply repeats its argument",
	    .at = SINK_STEP_AUTH, .take = sink_mischief_repeat },
	{ "auth-with-greeting", NULL, 0, 0,
	    "with the greeting comes a 235",
	    .at = SINK_STEP_GREETING, .reply = sink_mischief_push,
	    .text = "235 2.7.0 authenticated\r\n" },

	/* Which answer. */
	{ "421-at", STEPS, 0, 0,
	    "the step is not done but answered with 421, then close",
	    .take = sink_mischief_421 },
	{ "answer", STEPS, 200, 599,
	    "the step is not done but answered with this code",
	    .take = sink_mischief_answer },
	{ "lie", STEPS, 200, 599,
	    "the step is done but answered with this code",
	    .reply = sink_mischief_lie },
	{ "always-250", NULL, 0, 0,
	    "everything behind EHLO is answered with 250, DATA too",
	    .take = sink_mischief_always_250, .flags = SINK_WANTS_DATA },
	{ "always-354", NULL, 0, 0,
	    "everything behind EHLO is answered with 354",
	    .take = sink_mischief_always_354 },
	{ "every-second-recipient", NULL, 0, 0,
	    "every second RCPT is refused with 550",
	    .at = SINK_STEP_RCPT, .take = sink_mischief_every_second },
	{ "redirect", "251|551|421", 0, 0,
	    "RCPT is answered so, with another address or host",
	    .at = SINK_STEP_RCPT, .take = sink_mischief_redirect,
	    .reply = sink_mischief_redirect_251 },
	{ "first-chunk-refused", NULL, 0, 0,
	    "the first BDAT is answered with 452, but not forgotten",
	    .at = SINK_STEP_CHUNK, .reply = sink_mischief_refuse_first_chunk },

	/* How many answers, and when. */
	{ "twice", STEPS, 0, 0,
	    "the step is answered twice",
	    .reply = sink_mischief_twice },
	{ "skip", STEPS, 0, 0,
	    "the step is done but not answered, later ones are",
	    .reply = sink_mischief_skip },
	{ "early", EARLY_STEPS, 0, 0,
	    "the step is answered with the one before, and not again",
	    .flags = SINK_AT_ANY_STEP, .begin = sink_mischief_want_data,
	    .reply = sink_mischief_early },
	{ "reversed", NULL, 0, 0,
	    "the replies of a flight come in the opposite order",
	    .wire = SINK_WIRE_REVERSED },

	/* What a reply looks like. */
	{ "reply-no-text", STEPS, 0, 0,
	    "the reply is a code alone",
	    REWRITE, TEXT("%~\r\n") },
	{ "reply-no-blank", STEPS, 0, 0,
	    "the reply is a code and CRLF, without a blank",
	    REWRITE, TEXT("%\r\n") },
	{ "reply-no-code", STEPS, 0, 0,
	    "the reply has no code",
	    REWRITE, TEXT("*\r\n") },
	{ "reply-short-code", STEPS, 0, 0,
	    "the reply has a code of two digits",
	    REWRITE, TEXT("25~*\r\n") },
	{ "reply-long-code", STEPS, 0, 0,
	    "the reply has a code of four digits",
	    REWRITE, TEXT("%0~*\r\n") },
	{ "reply-code-0", STEPS, 0, 0,
	    "the reply has the code 000",
	    REWRITE, TEXT("000~*\r\n") },
	{ "reply-code-999", STEPS, 0, 0,
	    "the reply has the code 999",
	    REWRITE, TEXT("999~*\r\n") },
	{ "reply-mixed-codes", STEPS, 0, 0,
	    "the reply has a line with 550 in front",
	    REWRITE, TEXT("550-5.0.0 no\r\n%~*\r\n") },
	{ "reply-empty-line", STEPS, 0, 0,
	    "in front of the reply is an empty line",
	    REWRITE, TEXT("\r\n%~*\r\n") },
	{ "reply-nul", STEPS, 0, 0,
	    "the reply has NUL in it",
	    REWRITE, TEXT("%~*\0 250 ok\r\n") },
	{ "reply-8bit", STEPS, 0, 0,
	    "the reply has octets that are no UTF-8",
	    REWRITE, TEXT("%~* \xe4\xff\xc0\x80\r\n") },
	{ "reply-escape", STEPS, 0, 0,
	    "the reply has ESC, BEL and other control characters",
	    REWRITE, TEXT("%~*\x1b]0;owned\x07\x1b[2J\x08\x9b" "31m\x7f\r\n") },
	{ "reply-bare-lf", STEPS, 0, 0,
	    "the reply ends with a bare LF",
	    REWRITE, TEXT("%~*\n") },
	{ "reply-bare-cr", STEPS, 0, 0,
	    "the reply has a bare CR, and another reply behind it",
	    REWRITE, TEXT("%~*\r250 ok\r\n") },
	{ "reply-cr-cr-lf", STEPS, 0, 0,
	    "the reply ends with CR CR LF",
	    REWRITE, TEXT("%~*\r\r\n") },
	{ "reply-no-end", STEPS, 0, 0,
	    "the reply has no last line, and then comes nothing",
	    REWRITE, TEXT("%-*\r\n"), .end = SINK_END_SILENCE },
	{ "reply-no-end-close", STEPS, 0, 0,
	    "the reply has no last line, and then comes a close",
	    REWRITE, TEXT("%-*\r\n"), .end = SINK_END_NOTIFY },
	{ "reply-line", STEPS, 0, LINE_LEN_MAX,
	    "the reply is a line with so many octets of text; 0: no end",
	    .reply = sink_mischief_long_line },
	{ "reply-lines", STEPS, 0, LINES_MAX,
	    "the reply has so many lines before the last; 0: no end",
	    .reply = sink_mischief_many_lines },

	/* Time. */
	{ "drip", NULL, 1, DRIP_MS_MAX,
	    "one octet each so many milliseconds, those of TLS too",
	    .wire = SINK_WIRE_DRIP },
	{ "drip-replies", NULL, 1, DRIP_MS_MAX,
	    "one octet of SMTP each so many milliseconds",
	    .wire = SINK_WIRE_DRIP_REPLIES },
	{ "stop-reading", STEPS, 0, 0,
	    "after the step is answered nothing is read any more",
	    .reply = sink_mischief_end_behind, .end = SINK_END_DEAF },

	/* The end of the connection. */
	{ "silence-at", STEPS, 0, 0,
	    "the step is done, but nothing is answered from then on",
	    .reply = sink_mischief_drop, .end = SINK_END_SILENCE },
	{ "close-at", STEPS, 0, 0,
	    "the step is done, but the answer is a close without close_notify",
	    .reply = sink_mischief_drop, .end = SINK_END_CLOSE },
	{ "notify-at", STEPS, 0, 0,
	    "the step is done, but the answer is a close with close_notify",
	    .reply = sink_mischief_drop, .end = SINK_END_NOTIFY },
	{ "reset-at", STEPS, 0, 0,
	    "the step is done, but the answer is a TCP reset",
	    .reply = sink_mischief_drop, .end = SINK_END_RESET },
	{ "half-close-at", STEPS, 0, 0,
	    "the step is done, but the answer is a FIN, and reading goes on",
	    .reply = sink_mischief_drop, .end = SINK_END_HALF },
	{ "close-behind", STEPS, 0, 0,
	    "the step is answered, then comes a close without close_notify",
	    .reply = sink_mischief_end_behind, .end = SINK_END_CLOSE },
	{ "notify-behind", STEPS, 0, 0,
	    "the step is answered, then comes a close with close_notify",
	    .reply = sink_mischief_end_behind, .end = SINK_END_NOTIFY },
	{ "reset-behind", STEPS, 0, 0,
	    "the step is answered, then comes a TCP reset",
	    .reply = sink_mischief_end_behind, .end = SINK_END_RESET },
	{ "half-close-behind", STEPS, 0, 0,
	    "the step is answered, then comes a FIN, and reading goes on",
	    .reply = sink_mischief_end_behind, .end = SINK_END_HALF },
	{ "close-after", NULL, 1, OCTETS_MAX,
	    "close after so many octets of SMTP, without close_notify",
	    .end = SINK_END_CLOSE },
	{ "notify-after", NULL, 1, OCTETS_MAX,
	    "close after so many octets of SMTP, with close_notify",
	    .end = SINK_END_NOTIFY },
	{ "reset-after", NULL, 1, OCTETS_MAX,
	    "a TCP reset after so many octets of SMTP",
	    .end = SINK_END_RESET },
	{ "half-close-after", NULL, 1, OCTETS_MAX,
	    "a FIN after so many octets of SMTP, and reading goes on",
	    .end = SINK_END_HALF },
	{ "silence-after", NULL, 1, OCTETS_MAX,
	    "nothing more after so many octets of SMTP",
	    .end = SINK_END_SILENCE },
};
/* clang-format on */

const size_t sink_misbehaviour_count = sizeof(sink_misbehaviours) /
    sizeof(sink_misbehaviours[0]);
