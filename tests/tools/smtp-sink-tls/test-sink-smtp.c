/* SPDX-License-Identifier: MIT */
/* What a good server answers, wherever what it hears is cut. */
#include <string.h>

#include "sink-talk.h"

static const struct {
	const char *input;
	const char *codes;
	unsigned int how;
	unsigned int without;
	unsigned int messages;
} conversations[] = {
	/* The way it should be. */
	{ HI FROM TO "DATA\r\nx\r\n.\r\nQUIT\r\n", "250 250 250 354 250 221", 0,
	    0, 1 },
	{ HI FROM TO "DATA\r\n.\r\n" FROM TO "DATA\r\n..\r\n.\r\n",
	    "250 250 250 354 250 250 250 354 250", 0, 0, 2 },
	{ HI FROM TO "BDAT 3 LAST\r\nx\r\nQUIT\r\n", "250 250 250 250 221", 0,
	    0, 1 },
	{ HI FROM TO "BDAT 1\r\nxBDAT 0\r\nBDAT 2\r\n\r\nBDAT 0 last\r\n",
	    "250 250 250 250 250 250 250", 0, 0, 1 },
	{ "ehlo [192.0.2.1]\r\nmail from:<> size=10 body=8bitmime smtputf8\r\n"
	  "rcpt to:<postmaster>\r\ndata\r\n.\r\n",
	    "250 250 250 354 250", 0, 0, 1 },
	{ "HELO c\r\n" FROM TO "DATA\r\n.\r\n", "250 250 250 354 250", 0, 0,
	    1 },
	{ HI FROM "RSET\r\n" FROM TO TO "NOOP x\r\nHELP\r\nVRFY x\r\nQUIT\r\n",
	    "250 250 250 250 250 250 250 214 252 221", 0, 0, 0 },
	{ HI "NOOP  \r\nQUIT \r\n", "250 250 221", 0, 0, 0 },

	/* In the wrong order. */
	{ FROM HI FROM, "503 250 250", 0, 0, 0 },
	{ HI TO "DATA\r\n" FROM FROM "DATA\r\n", "250 503 503 250 503 503", 0,
	    0, 0 },
	{ HI FROM TO HI TO, "250 250 250 250 503", 0, 0, 0 },
	{ HI FROM TO "BDAT 1\r\nxDATA\r\nRCPT TO:<c@example.org>\r\nRSET\r\n",
	    "250 250 250 250 503 503 250", 0, 0, 0 },
	{ "QUIT\r\nNOOP\r\n", "221", 0, 0, 0 },

	/* The chunk of a refused BDAT is never run as commands. */
	{ HI "BDAT 6 LAST\r\nNOOP\r\nQUIT\r\n", "250 503 221", 0, 0, 0 },
	{ "BDAT 6\r\nNOOP\r\nQUIT\r\n", "503 221", 0, 0, 0 },
	{ HI FROM "BDAT 6\r\nNOOP\r\n" TO "BDAT 6 LAST\r\nNOOP\r\n" FROM,
	    "250 250 503 250 503 250", 0, 0, 0 },
	{ HI FROM TO "BDAT 6 LAST\r\nNOOP\r\nQUIT\r\n", "250 250 250 502 221",
	    0, SINK_CHUNKING, 0 },
	{ HI "BDAT x\r\nNOOP\r\n", "250 501", 0, 0, 0 },
	{ HI "BDAT\r\nNOOP\r\n", "250 501", 0, 0, 0 },
	{ HI "BDAT 1 LAST x\r\nNOOP\r\n", "250 501", 0, 0, 0 },
	{ HI "BDAT 99999999999999999999\r\nNOOP\r\n", "250 501", 0, 0, 0 },

	/* Line ends. */
	{ HI FROM TO "DATA\r\nx\n.\n.\r\n.\r\n" FROM, "250 250 250 354 554 250",
	    0, 0, 0 },
	{ HI FROM TO "DATA\r\nx\r\n.\nQUIT\r\n.\r\nQUIT\r\n",
	    "250 250 250 354 554 221", 0, 0, 0 },
	{ HI FROM TO "DATA\r\nx\r.\r\ny\r\n.\r\nQUIT\r\n",
	    "250 250 250 354 554 221", 0, 0, 0 },
	{ HI FROM TO "BDAT 2 LAST\r\nx\nQUIT\r\n", "250 250 250 554 221", 0, 0,
	    0 },
	{ HI FROM TO "BDAT 2 LAST\r\nx\rQUIT\r\n", "250 250 250 554 221", 0, 0,
	    0 },
	{ HI FROM TO "BDAT 2\r\nx\rBDAT 1 LAST\r\n\nQUIT\r\n",
	    "250 250 250 250 250 221", 0, 0, 1 },
	{ "EHLO c\nQUIT\r\n", "500 221", 0, 0, 0 },
	{ "NOOP\rQUIT\r\nQUIT\r\n", "500 221", 0, 0, 0 },

	/* Syntax. */
	{ "EHLO\r\nEHLO a b\r\nHELO <x>\r\nEHLO \xc3\xa4\r\n",
	    "501 501 501 501", 0, 0, 0 },
	{ "XYZ\r\n\r\nMAIL\tFROM:<a@example.org>\r\n", "500 500 500", 0, 0, 0 },
	{ HI "MAIL\r\nMAIL FROM: <a@example.org>\r\nMAIL FROM:a@example.org\r\n"
	     "MAIL FROM:<a@example.org\r\nMAIL FROM:<a>\r\n",
	    "250 501 501 501 501 501", 0, 0, 0 },
	{ HI "MAIL FROM:<a@b@c>\r\nMAIL FROM:<.a@b>\r\nMAIL FROM:<a..b@c>\r\n"
	     "MAIL FROM:<a@.b>\r\nMAIL FROM:<a@b.>\r\nMAIL FROM:<a b@c>\r\n"
	     "MAIL FROM:<@x:a@b>\r\nMAIL FROM:<a@b>x\r\n"
	     "MAIL FROM:<\"a@b>\r\nMAIL FROM:<a@[b>\r\n",
	    "250 501 501 501 501 501 501 501 501 501 501", 0, 0, 0 },
	{ HI "MAIL FROM:<\"a b\\\"@> \"@[192.0.2.1]>\r\n", "250 250", 0, 0, 0 },
	{ HI FROM "RCPT TO:<>\r\nRCPT TO:<Postmaster>\r\nRCPT TO:<root>\r\n",
	    "250 250 501 250 501", 0, 0, 0 },
	{ HI "DATA x\r\nRSET x\r\nQUIT x\r\nVRFY\r\n", "250 501 501 501 501", 0,
	    0, 0 },

	/* Parameters. */
	{ HI "MAIL FROM:<a@b> SIZE=1 SIZE=1\r\nMAIL FROM:<a@b> SIZE=\r\n"
	     "MAIL FROM:<a@b> SIZE=x\r\nMAIL FROM:<a@b> SIZE\r\n"
	     "MAIL FROM:<a@b> SIZE=1  BODY=7BIT\r\n"
	     "MAIL FROM:<a@b> BODY=BINARYMIME\r\nMAIL FROM:<a@b> X=1\r\n"
	     "MAIL FROM:<a@b> SMTPUTF8=1\r\nMAIL FROM:<a@b> AUTH=<>\r\n",
	    "250 501 501 501 501 501 501 555 501 555", 0, 0, 0 },
	{ HI "MAIL FROM:<a@b> SIZE=1073741825\r\n"
	     "MAIL FROM:<a@b> SIZE=18446744073709551617\r\n"
	     "MAIL FROM:<a@b> SIZE=99999999999999999999\r\n"
	     "MAIL FROM:<a@b> SIZE=1073741824\r\n",
	    "250 552 552 552 250", 0, 0, 0 },
	{ HI "MAIL FROM:<a@b> SIZE=1\r\nMAIL FROM:<a@b> BODY=7BIT\r\n"
	     "MAIL FROM:<a@b> SMTPUTF8\r\nMAIL FROM:<a@b> RET=FULL\r\n",
	    "250 555 555 555 555", 0,
	    SINK_SIZE | SINK_8BITMIME | SINK_SMTPUTF8 | SINK_DSN, 0 },
	{ "HELO c\r\nMAIL FROM:<a@b> SIZE=1\r\n", "250 555", 0, 0, 0 },
	{ HI
	    "MAIL FROM:<a@b> RET=HDRS ENVID=QQ+3D314\r\n"
	    "RCPT TO:<c@d> NOTIFY=SUCCESS,delay ORCPT=rfc822;c+2Bd@d\r\n"
	    "RCPT TO:<c@d> NOTIFY=NEVER\r\nRCPT TO:<c@d> NOTIFY=NEVER,DELAY\r\n"
	    "RCPT TO:<c@d> NOTIFY=\r\nRCPT TO:<c@d> ORCPT=c@d\r\n"
	    "RCPT TO:<c@d> SIZE=1\r\n",
	    "250 250 250 250 501 501 501 555", 0, 0, 0 },
	{ HI "MAIL FROM:<a@b> RET=ALL\r\nMAIL FROM:<a@b> ENVID=+3\r\n",
	    "250 501 501", 0, 0, 0 },

	{ HI "MAIL FROM:<a@b> REQUIRETLS MT-PRIORITY=-9 HOLDFOR=1 BY=-1;NT\r\n"
	     "RSET\r\n"
	     "MAIL FROM:<a@b> HOLDUNTIL=2026-11-27T08:00:00Z BY=60;r\r\n",
	    "250 250 250 250", 0, 0, 0 },
	{ HI
	    "MAIL FROM:<a@b> REQUIRETLS=1\r\n"
	    "MAIL FROM:<a@b> REQUIRETLS REQUIRETLS\r\n"
	    "MAIL FROM:<a@b> MT-PRIORITY=10\r\n"
	    "MAIL FROM:<a@b> MT-PRIORITY=-0\r\nMAIL FROM:<a@b> MT-PRIORITY=\r\n"
	    "MAIL FROM:<a@b> HOLDFOR=0\r\nMAIL FROM:<a@b> HOLDFOR=2592001\r\n"
	    "MAIL FROM:<a@b> HOLDUNTIL=2100-01-01T00:00:00Z\r\n"
	    "MAIL FROM:<a@b> HOLDUNTIL=2026-11-27\r\n"
	    "MAIL FROM:<a@b> HOLDFOR=1 HOLDUNTIL=2026-11-27T08:00:00Z\r\n",
	    "250 501 501 501 501 501 501 501 501 501 501", 0, 0, 0 },
	{ HI "MAIL FROM:<a@b> BY=60\r\nMAIL FROM:<a@b> BY=;N\r\n"
	     "MAIL FROM:<a@b> BY=59;R\r\nMAIL FROM:<a@b> BY=-60;R\r\n"
	     "MAIL FROM:<a@b> BY=1000000000;N\r\nMAIL FROM:<a@b> BY=1;X\r\n",
	    "250 501 501 501 501 501 501", 0, 0, 0 },
	{ HI "MAIL FROM:<a@b> REQUIRETLS\r\nMAIL FROM:<a@b> MT-PRIORITY=1\r\n"
	     "MAIL FROM:<a@b> HOLDFOR=1\r\nMAIL FROM:<a@b> BY=60;N\r\n",
	    "250 555 555 555 555", 0,
	    SINK_REQUIRETLS | SINK_MT_PRIORITY | SINK_FUTURERELEASE |
		SINK_DELIVERBY,
	    0 },

	/* What is not ASCII. */
	{ HI "MAIL FROM:<\xc3\xa4@b>\r\nMAIL FROM:<\xc3\xa4@b> SMTPUTF8\r\n"
	     "RCPT TO:<\xc3\xb6@\xc3\xbc.example.org>\r\n",
	    "250 553 250 250", 0, 0, 0 },
	{ HI FROM "RCPT TO:<\xc3\xb6@b>\r\n", "250 250 553", 0, 0, 0 },
	{ HI "MAIL FROM:<\xc3@b> SMTPUTF8\r\n"
	     "MAIL FROM:<\xc2\x85@b> SMTPUTF8\r\n"
	     "MAIL FROM:<\xe2\x80\xa8@b> SMTPUTF8\r\n",
	    "250 501 501 501", 0, 0, 0 },

	/* Before TLS. */
	{ HI FROM TO "DATA\r\nVRFY x\r\nAUTH PLAIN\r\nQUIT\r\n",
	    "250 530 530 530 530 530 221", CLEAR, 0, 0 },
	{ HI "BDAT 6\r\nNOOP\r\nQUIT\r\n", "250 530 221", CLEAR, 0, 0 },
	{ HI "STARTTLS x\r\nRSET\r\nNOOP\r\n", "250 501 250 250", CLEAR, 0, 0 },
	{ "STARTTLS\r\n", "503", CLEAR, 0, 0 },
	{ "HELO c\r\nSTARTTLS\r\n", "250 502", CLEAR, 0, 0 },
	{ HI "STARTTLS\r\n", "250 502", CLEAR, SINK_STARTTLS, 0 },
	{ HI "STARTTLS\r\n", "250 503", 0, 0, 0 },

	/* Authentication. */
	{ HI FROM "AUTH PLAIN " PLAIN "\r\n" FROM, "250 530 235 250", LOGIN, 0,
	    0 },
	{ HI "BDAT 6 LAST\r\nNOOP\r\nQUIT\r\n", "250 530 221", LOGIN, 0, 0 },
	{ HI "auth plain\r\n" PLAIN "\r\n" FROM, "250 334 235 250", LOGIN, 0,
	    0 },
	{ HI "AUTH LOGIN\r\nYWxpY2U=\r\nc2VjcmV0\r\n" FROM,
	    "250 334 334 235 250", LOGIN, 0, 0 },
	{ HI "AUTH LOGIN YWxpY2U=\r\nc2VjcmV0\r\n" FROM, "250 334 235 250",
	    LOGIN, 0, 0 },
	/* alice acts as alice; as bob */
	{ HI "AUTH PLAIN YWxpY2UAYWxpY2UAc2VjcmV0\r\n", "250 235", LOGIN, 0,
	    0 },
	{ HI "AUTH PLAIN Ym9iAGFsaWNlAHNlY3JldA==\r\n" FROM, "250 535 530",
	    LOGIN, 0, 0 },
	/* alice: secre, secrets; bob: secret; alice: nothing */
	{ HI
	    "AUTH PLAIN AGFsaWNlAHNlY3Jl\r\nAUTH PLAIN AGFsaWNlAHNlY3JldHM=\r\n"
	    "AUTH PLAIN AGJvYgBzZWNyZXQ=\r\nAUTH PLAIN AGFsaWNlAA==\r\n" FROM,
	    "250 535 535 535 535 530", LOGIN, 0, 0 },
	{ HI "AUTH LOGIN\r\n*\r\nAUTH PLAIN\r\n*\r\n" FROM,
	    "250 334 501 334 501 530", LOGIN, 0, 0 },
	{ HI "AUTH PLAIN x\r\nAUTH PLAIN =\r\nAUTH PLAIN " PLAIN "=\r\n"
	     "AUTH PLAIN YWJj\r\nAUTH LOGIN\r\nx\nNOOP\r\n",
	    "250 501 501 501 501 334 500 250", LOGIN, 0, 0 },
	{ HI "AUTH\r\nAUTH CRAM-MD5\r\nAUTH PLAIN " PLAIN
	     "\r\nAUTH PLAIN " PLAIN "\r\n",
	    "250 504 504 235 503", LOGIN, 0, 0 },
	{ HI "AUTH PLAIN " PLAIN "\r\n", "250 502", 0, 0, 0 },
	{ HI "AUTH PLAIN " PLAIN "\r\n" FROM, "250 502 530", LOGIN, SINK_AUTH,
	    0 },
	{ HI "AUTH PLAIN " PLAIN "\r\n" HI FROM "AUTH PLAIN " PLAIN "\r\n",
	    "250 235 250 250 503", LOGIN, 0, 0 },

	/* Tokens: taken, and refused in two steps. */
	{ HI "AUTH OAUTHBEARER "
	     "bixhPWFsaWNlLAFob3N0PWgBcG9ydD00NjUBYXV0aD1CZWFyZXIgdG8ta2VuPT0BA"
	     "Q==\r\n" FROM,
	    "250 235 250", TOKEN, 0, 0 },
	{ HI "AUTH XOAUTH2 "
	     "dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0by1rZW49PQEB\r\n" FROM,
	    "250 235 250", TOKEN, 0, 0 },
	{ HI "AUTH xoauth2\r\n"
	     "dXNlcj1hbGljZQFhdXRoPUJlYXJlciB0by1rZW49PQEB\r\n" FROM,
	    "250 334 235 250", TOKEN, 0, 0 },
	{ HI "AUTH OAUTHBEARER "
	     "bixhPWFsaWNlLAFob3N0PWgBcG9ydD00NjUBYXV0aD1CZWFyZXIgdG8ta2VuAQE="
	     "\r\nAQ==\r\n" FROM,
	    "250 334 535 530", TOKEN, 0, 0 },
	{ HI "AUTH XOAUTH2 "
	     "dXNlcj1ib2IBYXV0aD1CZWFyZXIgdG8ta2VuPT0BAQ==\r\n\r\n" FROM,
	    "250 334 535 530", TOKEN, 0, 0 },
	{ HI "AUTH XOAUTH2 "
	     "dXNlcj1hbGljZQFhdXRoPUJlYXJlciBubwEB\r\nAQ==\r\n" FROM,
	    "250 334 501 530", TOKEN, 0, 0 },
	{ HI "AUTH OAUTHBEARER "
	     "bixhPWFsaWNlLAFob3N0PWgBcG9ydD00NjUBYXV0aD1CZWFyZXIgbm8BAQ==\r\n*"
	     "\r\n" FROM,
	    "250 334 501 530", TOKEN, 0, 0 },
	{ HI "AUTH OAUTHBEARER "
	     "bixhPT02MWxpY2UsAWhvc3Q9aAFwb3J0PTQ2NQFhdXRoPUJlYXJlciB0by1rZW49P"
	     "QEB\r\n"
	     "AUTH OAUTHBEARER bixhPWFsaWNlLA==\r\n"
	     "AUTH OAUTHBEARER bixhPWFsaWNlLAFhdXRoPUJlYXJlciB0by1rZW49PQE=\r\n"
	     "AUTH OAUTHBEARER bixhPWFsaWNlLAEB\r\n"
	     "AUTH OAUTHBEARER "
	     "bixhPWFsaWNlLAFhdXRoPUJlYXJlciBhAWF1dGg9QmVhcmVyIHRvLWtlbj09AQE="
	     "\r\n"
	     "AUTH XOAUTH2 dXNlcj1hbGljZQFhdXRoPXRvLWtlbj09AQE=\r\n"
	     "AUTH XOAUTH2 =\r\n" FROM,
	    "250 501 501 501 501 501 501 501 530", TOKEN, 0, 0 },
	{ HI "AUTH PLAIN " PLAIN "\r\n" FROM, "250 504 530", TOKEN, 0, 0 },
	{ HI "AUTH OAUTHBEARER "
	     "bixhPWFsaWNlLAFob3N0PWgBcG9ydD00NjUBYXV0aD1CZWFyZXIgdG8ta2VuPT0BA"
	     "Q==\r\n" FROM,
	    "250 504 530", LOGIN, 0, 0 },
	{ HI "AUTH PLAIN " PLAIN "\r\n" FROM, "250 235 250", LOGIN | TOKEN, 0,
	    0 },
};

START_TEST(conversation_is_the_same_at_every_cut)
{
	const char *input = conversations[_i].input;
	size_t len = strlen(input), cut;

	for (cut = 0; cut <= len; cut++) {
		begin(conversations[_i].how,
		    SINK_EXTENSIONS_ALL & ~conversations[_i].without);
		feed_cut(input, len, cut);
		ck_assert_str_eq(codes(), conversations[_i].codes);
		ck_assert_uint_eq(stats.messages, conversations[_i].messages);
		sink_smtp_done(&smtp);
	}
}
END_TEST

#define LATER                                                                  \
	"250-MT-PRIORITY\r\n"                                                  \
	"250-FUTURERELEASE 2592000 2099-12-31T23:59:59Z\r\n"                   \
	"250 DELIVERBY 60\r\n"

static const struct {
	unsigned int how;
	const char *reply;
} greetings[] = {
	{ CLEAR,
	    "250-localhost\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n"
	    "250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
	    "250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n" LATER },
	{ LOGIN,
	    "250-localhost\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n"
	    "250-AUTH PLAIN LOGIN\r\n250-ENHANCEDSTATUSCODES\r\n"
	    "250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	    "250-REQUIRETLS\r\n" LATER },
	{ TOKEN,
	    "250-localhost\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n"
	    "250-AUTH OAUTHBEARER XOAUTH2\r\n250-ENHANCEDSTATUSCODES\r\n"
	    "250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	    "250-REQUIRETLS\r\n" LATER },
	{ LOGIN | TOKEN,
	    "250-localhost\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n"
	    "250-AUTH OAUTHBEARER XOAUTH2 PLAIN LOGIN\r\n"
	    "250-ENHANCEDSTATUSCODES\r\n"
	    "250-8BITMIME\r\n250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n"
	    "250-REQUIRETLS\r\n" LATER },
	{ CLEAR | LOGIN,
	    "250-localhost\r\n250-PIPELINING\r\n250-SIZE 1073741824\r\n"
	    "250-STARTTLS\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n"
	    "250-DSN\r\n250-SMTPUTF8\r\n250-CHUNKING\r\n" LATER },
};

START_TEST(starttls_is_offered_before_tls_and_others_after_it)
{
	begin(greetings[_i].how, SINK_EXTENSIONS_ALL);
	feed(HI);
	ck_assert_str_eq(out, greetings[_i].reply);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(without_extensions_there_is_one_line_and_no_enhanced_code)
{
	static const char input[] = HI FROM "RCPT TO:<>\r\n";

	begin(0, 0);
	feed(input);
	ck_assert_str_eq(out,
	    "250 localhost\r\n250 sender ok\r\n"
	    "501 the recipient is no valid address\r\n");
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(starttls_is_answered_when_nothing_follows)
{
	static const char input[] = HI "STARTTLS\r\n";

	begin(CLEAR, SINK_EXTENSIONS_ALL);
	feed_cut(input, strlen(input), 3);
	ck_assert_str_eq(codes(), "250");
	ck_assert(!smtp.wants_tls);
	sink_smtp_pause(&smtp);
	collect();
	ck_assert_str_eq(codes(), "250 220");
	ck_assert(smtp.wants_tls);

	sink_smtp_tls_started(&smtp);
	out_len = 0;
	feed(FROM);
	ck_assert_str_eq(codes(), "503");
	ck_assert_uint_eq(stats.starttls_injected, 0);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(what_follows_starttls_is_refused_and_counted)
{
	static const char input[] = HI "STARTTLS\r\n" HI FROM TO;
	size_t after_starttls = strlen(HI) + strlen("STARTTLS\r\n"), cut;

	for (cut = 0; cut < strlen(input); cut++) {
		begin(CLEAR, SINK_EXTENSIONS_ALL);
		feed_cut(input, strlen(input), cut);
		if (cut < after_starttls)
			sink_smtp_pause(&smtp);
		collect();
		ck_assert_str_eq(codes(), "250 554");
		ck_assert(sink_smtp_is_closing(&smtp));
		ck_assert(!smtp.wants_tls);
		ck_assert_uint_eq(stats.starttls_injected, 1);
		sink_smtp_done(&smtp);
	}
}
END_TEST

static const struct {
	const char *input; /* arrives at once */
	unsigned int without;
	unsigned int violations;
} groups[] = {
	{ HI, 0, 0 },
	{ HI FROM, 0, 1 },
	{ FROM TO "DATA\r\n", 0, 0 },
	{ FROM TO "DATA\r\n.\r\n", 0, 1 },
	{ "NOOP\r\nNOOP\r\nNOOP\r\n", 0, 2 },
	{ "RSET\r\n" FROM "RSET\r\nQUIT\r\n", 0, 0 },
	{ "QUIT\r\nNOOP\r\n", 0, 1 },
	{ FROM TO, SINK_PIPELINING, 1 },
	{ FROM TO "BDAT 2 LAST\r\n\r\n", SINK_PIPELINING, 2 },
	{ FROM TO "BDAT 2 LAST\r\n\r\n" FROM, SINK_PIPELINING, 3 },
	{ FROM TO "BDAT 2 LAST\r\n\r\n" FROM, 0, 0 },
};

START_TEST(commands_that_may_not_share_a_group_are_counted)
{
	begin(0, SINK_EXTENSIONS_ALL & ~groups[_i].without);
	feed(HI);
	feed(groups[_i].input);
	ck_assert_uint_eq(stats.pipelining_violations, groups[_i].violations);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(content_in_the_flight_of_the_next_mail_is_no_violation)
{
	static const char content[] = "x\r\n.\r\n" FROM TO "DATA\r\n";

	begin(0, SINK_EXTENSIONS_ALL);
	feed(HI);
	feed(FROM TO "DATA\r\n");
	feed(content);
	ck_assert_uint_eq(stats.pipelining_violations, 0);
	ck_assert_uint_eq(stats.messages, 1);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(content_without_the_extension_it_needs_is_counted)
{
	static const char input[] = HI FROM TO
	    "BDAT 4 LAST\r\n\xc3\xa4\r\n"
	    "MAIL FROM:<a@b> BODY=8BITMIME\r\n" TO
	    "BDAT 4 LAST\r\n\xc3\xa4\r\n";

	begin(0, SINK_EXTENSIONS_ALL);
	feed(input);
	ck_assert_uint_eq(stats.messages, 2);
	ck_assert_uint_eq(stats.eightbit_violations, 1);
	ck_assert_uint_eq(stats.bytes, 8);
	sink_smtp_done(&smtp);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("sink-smtp");
	TCase *tc = tcase_create("conversation");

	tcase_add_loop_test(
	    tc, conversation_is_the_same_at_every_cut, 0, COUNT(conversations));
	tcase_add_loop_test(tc,
	    starttls_is_offered_before_tls_and_others_after_it, 0,
	    COUNT(greetings));
	tcase_add_test(
	    tc, without_extensions_there_is_one_line_and_no_enhanced_code);
	tcase_add_test(tc, starttls_is_answered_when_nothing_follows);
	tcase_add_test(tc, what_follows_starttls_is_refused_and_counted);
	tcase_add_loop_test(tc, commands_that_may_not_share_a_group_are_counted,
	    0, COUNT(groups));
	tcase_add_test(
	    tc, content_in_the_flight_of_the_next_mail_is_no_violation);
	tcase_add_test(tc, content_without_the_extension_it_needs_is_counted);
	suite_add_tcase(suite, tc);
	return run_suite(suite);
}
