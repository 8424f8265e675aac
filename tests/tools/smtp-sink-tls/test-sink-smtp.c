/* SPDX-License-Identifier: MIT */
#include "test.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "smtp.h"

#define OUT_SIZE 65536

#define CLEAR 1u /* not yet in TLS */
#define LOGIN 2u /* alice has to authenticate with the password secret */
#define TOKEN 4u /* or with a token */

static struct sink_stats stats;
static struct sink_policy policy;
static struct sink_smtp smtp;
static char out[OUT_SIZE];
static size_t out_len;

static void
begin(unsigned int how, unsigned int extensions)
{
	memset(&stats, 0, sizeof(stats));
	memset(&policy, 0, sizeof(policy));
	policy.stats = &stats;
	policy.extensions = extensions;
	policy.maildir = -1;
	if ((how & LOGIN) != 0) {
		policy.credentials.user = "alice";
		policy.credentials.password.data = (char *)"secret";
		policy.credentials.password.len = 6;
	}
	if ((how & TOKEN) != 0) {
		policy.credentials.user = "alice";
		policy.credentials.token.data = (char *)"to-ken==";
		policy.credentials.token.len = 8;
	}
	sink_smtp_init(&smtp, &policy);
	if ((how & CLEAR) == 0)
		sink_smtp_tls_started(&smtp);
	out_len = 0;
}

static void
collect(void)
{
	size_t n = stls_buf_len(&smtp.out);

	ck_assert_uint_lt(out_len + n, sizeof(out));
	memcpy(out + out_len, stls_buf_data(&smtp.out), n);
	out_len += n;
	out[out_len] = '\0';
	stls_buf_consume(&smtp.out, n);
}

/* Feed what is there as a connection does, keeping what is not used. */
static void
feed(const char *data, size_t len, size_t cut)
{
	size_t used;

	used = sink_smtp_feed(&smtp, data, cut);
	collect();
	sink_smtp_feed(&smtp, data + used, len - used);
	collect();
}

/* The codes of the replies, a blank between: easier to read than the texts. */
static const char *
codes(void)
{
	static char text[OUT_SIZE];
	char *p = text;
	const char *line = out;

	while (*line != '\0') {
		if (line[3] == ' ') {
			if (p != text)
				*p++ = ' ';
			memcpy(p, line, 3);
			p += 3;
		}
		line = strstr(line, "\r\n");
		ck_assert_ptr_nonnull(line);
		line += 2;
	}
	*p = '\0';
	return text;
}

#define HI "EHLO c.example.org\r\n"
#define FROM "MAIL FROM:<a@example.org>\r\n"
#define TO "RCPT TO:<b@example.org>\r\n"
/* alice, secret */
#define PLAIN "AGFsaWNlAHNlY3JldA=="

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
		feed(input, len, cut);
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
	feed(HI, strlen(HI), 0);
	ck_assert_str_eq(out, greetings[_i].reply);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(without_extensions_there_is_one_line_and_no_enhanced_code)
{
	static const char input[] = HI FROM "RCPT TO:<>\r\n";

	begin(0, 0);
	feed(input, strlen(input), 0);
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
	feed(input, strlen(input), 3);
	ck_assert_str_eq(codes(), "250");
	ck_assert(!smtp.wants_tls);
	sink_smtp_pause(&smtp);
	collect();
	ck_assert_str_eq(codes(), "250 220");
	ck_assert(smtp.wants_tls);

	sink_smtp_tls_started(&smtp);
	out_len = 0;
	feed(FROM, strlen(FROM), 0);
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
		feed(input, strlen(input), cut);
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
	feed(HI, strlen(HI), 0);
	feed(groups[_i].input, strlen(groups[_i].input), 0);
	ck_assert_uint_eq(stats.pipelining_violations, groups[_i].violations);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(content_in_the_flight_of_the_next_mail_is_no_violation)
{
	static const char content[] = "x\r\n.\r\n" FROM TO "DATA\r\n";

	begin(0, SINK_EXTENSIONS_ALL);
	feed(HI, strlen(HI), 0);
	feed(FROM TO "DATA\r\n", strlen(FROM TO "DATA\r\n"), 0);
	feed(content, strlen(content), 0);
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
	feed(input, strlen(input), 0);
	ck_assert_uint_eq(stats.messages, 2);
	ck_assert_uint_eq(stats.eightbit_violations, 1);
	ck_assert_uint_eq(stats.bytes, 8);
	sink_smtp_done(&smtp);
}
END_TEST

/* `line_len` octets with the CRLF, filled up in the middle. */
static void
feed_line(const char *start, char fill, const char *end, size_t line_len)
{
	static char line[20000];
	size_t start_len = strlen(start), end_len = strlen(end);

	ck_assert_uint_le(start_len + end_len, line_len);
	memcpy(line, start, start_len);
	memset(line + start_len, fill, line_len - start_len - end_len);
	memcpy(line + line_len - end_len, end, end_len);
	out_len = 0;
	feed(line, line_len, line_len / 2);
}

static const struct {
	const char *start;
	char fill;
	const char *end;
	size_t line_len;
	const char *codes;
} lines[] = {
	{ "NOOP ", 'x', "\r\n", 512, "250" },
	{ "NOOP ", 'x', "\r\n", 513, "500" },
	{ "NOOP ", 'x', "\r\n", 12288, "500" },
	{ "NOOP ", 'x', "\r\n", 19999, "500" },
	{ "AUTH PLAIN ", 'A', "\r\n", 12287, "501" },
	{ "AUTH PLAIN ", 'A', "\r\n", 12289, "500" },
	{ "MAIL FROM:<", 'x', "@example.org>\r\n", 11 + 64 + 15, "250" },
	{ "MAIL FROM:<", 'x', "@example.org>\r\n", 11 + 65 + 15, "501" },
	{ "MAIL FROM:<a@", 'x', ">\r\n", 11 + 254 + 3, "250" },
	{ "MAIL FROM:<a@", 'x', ">\r\n", 11 + 255 + 3, "501" },
	{ "MAIL FROM:<a@b> ENVID=", 'x', "\r\n", 22 + 100 + 2, "250" },
	{ "MAIL FROM:<a@b> ENVID=", 'x', "\r\n", 22 + 101 + 2, "501" },
	{ "MAIL FROM:<a@b> AUTH=", 'x', "\r\n", 21 + 500 + 2, "250" },
	{ "MAIL FROM:<a@b> AUTH=", 'x', "\r\n", 2000, "500" },
};

START_TEST(line_up_to_its_limit_is_taken_and_beyond_it_refused)
{
	begin(LOGIN, SINK_EXTENSIONS_ALL);
	feed(HI, strlen(HI), 0);
	smtp.is_authenticated = lines[_i].start[0] != 'A';
	feed_line(
	    lines[_i].start, lines[_i].fill, lines[_i].end, lines[_i].line_len);
	ck_assert_str_eq(codes(), lines[_i].codes);
	out_len = 0;
	feed("QUIT\r\n", 6, 0);
	ck_assert_str_eq(codes(), "221");
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(recipients_beyond_the_limit_wait_for_the_next_message)
{
	int i;

	begin(0, SINK_EXTENSIONS_ALL);
	feed(HI FROM, strlen(HI FROM), 0);
	for (i = 0; i < SINK_RECIPIENTS_MAX; i++) {
		out_len = 0;
		feed(TO, strlen(TO), 0);
		ck_assert_str_eq(codes(), "250");
	}
	out_len = 0;
	feed(TO, strlen(TO), 0);
	ck_assert_str_eq(codes(), "452");
	feed("DATA\r\n.\r\n", 9, 6);
	ck_assert_uint_eq(stats.recipients, SINK_RECIPIENTS_MAX);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(who_makes_too_many_errors_is_sent_away)
{
	int i;

	begin(0, SINK_EXTENSIONS_ALL);
	for (i = 0; i < 99; i++)
		feed("X\r\n", 3, 0);
	ck_assert(!sink_smtp_is_closing(&smtp));
	out_len = 0;
	feed("X\r\n", 3, 0);
	ck_assert_str_eq(codes(), "500 421");
	ck_assert(sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(who_guesses_passwords_is_sent_away)
{
	static const char guess[] = "AUTH PLAIN AGFsaWNlAHg=\r\n";
	int i;

	begin(LOGIN, SINK_EXTENSIONS_ALL);
	feed(HI, strlen(HI), 0);
	for (i = 0; i < 4; i++)
		feed(guess, strlen(guess), 0);
	ck_assert_str_eq(codes(), "250 535 535 535 535");
	feed(guess, strlen(guess), 0);
	ck_assert_str_eq(codes(), "250 535 535 535 535 421");
	ck_assert_uint_eq(stats.authentication_failures, 5);
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(replies_do_not_pile_up_while_they_cannot_leave)
{
	static char input[60000];
	size_t i, used;

	for (i = 0; i < sizeof(input); i += 6)
		memcpy(input + i, "HELP\r\n", 6);
	begin(0, SINK_EXTENSIONS_ALL);
	used = sink_smtp_feed(&smtp, input, sizeof(input));
	ck_assert_uint_lt(used, sizeof(input));
	ck_assert_uint_ge(stls_buf_len(&smtp.out), SINK_OUT_HIGH);
	ck_assert_uint_eq(sink_smtp_feed(&smtp, input, sizeof(input)), 0);
	ck_assert(!sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(whoever_is_in_the_middle_of_content_gets_no_421)
{
	begin(0, SINK_EXTENSIONS_ALL);
	feed(HI, strlen(HI), 0);
	feed(FROM TO "DATA\r\n", strlen(FROM TO "DATA\r\n"), 0);
	out_len = 0;
	feed("x\r\n", 3, 0);
	sink_smtp_abort(&smtp, "4.3.2", "the end");
	collect();
	ck_assert_uint_eq(out_len, 0);
	ck_assert(sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

START_TEST(no_message_is_begun_when_the_server_is_about_to_end)
{
	begin(0, SINK_EXTENSIONS_ALL);
	policy.is_finishing = true;
	feed(HI FROM, strlen(HI FROM), 0);
	ck_assert_str_eq(codes(), "250 421");
	ck_assert(sink_smtp_is_closing(&smtp));
	sink_smtp_done(&smtp);
}
END_TEST

static uint32_t
next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/*
 * Words a parser may trip over, in any order, with any octet between them:
 * nothing but whole reply lines may come out, and the sanitizers watch.
 */
static void
feed_garbage(uint32_t seed)
{
	static const char *const words[] = { HI, FROM, TO, "DATA\r\n",
		"BDAT 7\r\n", "BDAT 3 LAST\r\n", ".\r\n", "\r\n", "\n", "\r",
		"<", ">", "\"", "\\", "@", "[", "MAIL FROM:", "RCPT TO:", " ",
		" SIZE=", " ORCPT=rfc822;", " NOTIFY=", " ENVID=+", "=", ",",
		"AUTH PLAIN ", "AUTH LOGIN\r\n", PLAIN, "RSET\r\n", "\xc3\xa4",
		"\xf0\x9f", "*\r\n", "STARTTLS\r\n" };
	uint32_t state = seed;
	char input[2048];
	size_t len = 0, n;
	const char *word;

	while (len < sizeof(input) - 64) {
		word = words[next_random(&state) % COUNT(words)];
		n = strlen(word);
		memcpy(input + len, word, n);
		len += n;
		if (next_random(&state) % 8 == 0)
			input[len++] = (char)next_random(&state);
	}
	begin(seed % 2 == 0 ? LOGIN : CLEAR, SINK_EXTENSIONS_ALL);
	smtp.is_authenticated = seed % 4 == 0;
	feed(input, len, next_random(&state) % len);
	sink_smtp_done(&smtp);
}

START_TEST(garbage_gets_whole_replies)
{
	uint32_t seed;

	for (seed = 0; seed < 200; seed++) {
		feed_garbage(seed);
		ck_assert_ptr_nonnull(codes());
		ck_assert(
		    out_len == 0 || memcmp(out + out_len - 2, "\r\n", 2) == 0);
	}
}
END_TEST

static void
add_conversations(TCase *tc)
{
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
}

static void
add_limits(TCase *tc)
{
	tcase_add_loop_test(tc,
	    line_up_to_its_limit_is_taken_and_beyond_it_refused, 0,
	    COUNT(lines));
	tcase_add_test(
	    tc, recipients_beyond_the_limit_wait_for_the_next_message);
	tcase_add_test(tc, who_makes_too_many_errors_is_sent_away);
	tcase_add_test(tc, who_guesses_passwords_is_sent_away);
	tcase_add_test(tc, replies_do_not_pile_up_while_they_cannot_leave);
	tcase_add_test(tc, whoever_is_in_the_middle_of_content_gets_no_421);
	tcase_add_test(tc, no_message_is_begun_when_the_server_is_about_to_end);
	tcase_add_test(tc, garbage_gets_whole_replies);
}

int
main(void)
{
	Suite *suite = suite_create("sink-smtp");
	TCase *conversation = tcase_create("conversation");
	TCase *limits = tcase_create("limits");

	add_conversations(conversation);
	add_limits(limits);
	suite_add_tcase(suite, conversation);
	suite_add_tcase(suite, limits);
	return run_suite(suite);
}
