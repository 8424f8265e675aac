/* SPDX-License-Identifier: MIT */
#include "probe/srv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* meson.build looks for the parser of libresolv, and how to ask. */
#if HAVE_NS_PARSERR
#include <netinet/in.h>

#include <arpa/nameser.h>
#include <netdb.h>
#include <resolv.h>
#endif

#include "base/alloc.h"
#include "base/cleanup.h"
#include "settings/settings.h"

#define SERVICES 2

/* Behind "_submissions._tcp." a domain has no place to be longer. */
#define NAME_CAP (STLS_HOST_LEN_MAX + 32)

static int
compare(const void *a, const void *b)
{
	const struct srv_record *x = a, *y = b;

	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->implicit_tls != y->implicit_tls)
		return x->implicit_tls ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	return strcmp(x->target, y->target);
}

void
srv_sort(struct srv_list *list)
{
	qsort(list->records, list->count, sizeof(list->records[0]), compare);
}

#if HAVE_NS_PARSERR

static int
refuse(struct stls_err *err, const char *why)
{
	return stls_err_set(err, EX_PROTOCOL,
	    "the answer of the name service cannot be read: %s", why);
}

static uint16_t
get_16(const unsigned char *data)
{
	return (uint16_t)(data[0] << 8 | data[1]);
}

/* RFC 2782: priority, weight, port, and a name that is not compressed. */
static int
parse_record(struct stls_err *err, const ns_msg *message, const ns_rr *record,
    bool implicit_tls, struct srv_list *list)
{
	const unsigned char *data = ns_rr_rdata(*record);
	size_t len = ns_rr_rdlen(*record);
	struct srv_record *out = &list->records[list->count];
	char target[NS_MAXDNAME];
	struct stls_err reason;
	struct stls_host host;
	int used;

	if (len < 7)
		return refuse(err, "an SRV record is too short");
	used = ns_name_uncompress(ns_msg_base(*message), ns_msg_end(*message),
	    data + 6, target, sizeof(target));
	if (used < 0 || (size_t)used + 6 != len)
		return refuse(err, "an SRV record has no target");
	if (target[0] == '\0' || strcmp(target, ".") == 0) {
		list->is_denied = true;
		return 0;
	}
	if (stls_host_parse(&reason, target, strlen(target), &host) < 0 ||
	    host.is_ip || get_16(data + 4) == 0)
		return refuse(err, "an SRV record names no host and port");
	snprintf(out->target, sizeof(out->target), "%s", host.name);
	out->priority = get_16(data);
	out->weight = get_16(data + 2);
	out->port = get_16(data + 4);
	out->implicit_tls = implicit_tls;
	list->count++;
	return 0;
}

int
srv_parse(struct stls_err *err, const unsigned char *answer, size_t len,
    bool implicit_tls, struct srv_list *list)
{
	struct srv_list parsed = *list;
	ns_msg message;
	ns_rr record;
	int i, r;

	if (len > NS_MAXMSG || ns_initparse(answer, (int)len, &message) < 0)
		return refuse(err, "it is no message");
	for (i = 0; i < ns_msg_count(message, ns_s_an); i++) {
		if (ns_parserr(&message, ns_s_an, i, &record) < 0)
			return refuse(err, "a record is cut off");
		/* An alias stands before what it leads to. */
		if (ns_rr_type(record) != ns_t_srv ||
		    ns_rr_class(record) != ns_c_in || parsed.count == SRV_MAX)
			continue;
		r = parse_record(err, &message, &record, implicit_tls, &parsed);
		if (r != 0)
			return r;
	}
	*list = parsed;
	return 0;
}

/* The length of the answer, or -1 and what h_errno would be. */
static int
ask(const char *name, unsigned char *answer, int *out_why)
{
#if HAVE_RES_NQUERY
	struct __res_state state;
	int n;

	memset(&state, 0, sizeof(state));
	*out_why = TRY_AGAIN;
	if (res_ninit(&state) < 0)
		return -1;
	/* People wait for it, and there are other questions. */
	state.retrans = 3;
	state.retry = 2;
	n = res_nquery(&state, name, ns_c_in, ns_t_srv, answer, NS_MAXMSG);
	*out_why = state.res_h_errno;
	res_nclose(&state);
	return n;
#else
	int n = res_query(name, ns_c_in, ns_t_srv, answer, NS_MAXMSG);

	*out_why = h_errno;
	return n;
#endif
}

int
srv_lookup(struct stls_err *err, const char *domain, struct srv_list *out_list)
{
	static const char *const services[SERVICES] = { "_submissions._tcp",
		"_submission._tcp" };
	CLEANUP(free_ptr) unsigned char *answer = stls_alloc(NS_MAXMSG);
	char name[NAME_CAP];
	int i, n, r, why;

	memset(out_list, 0, sizeof(*out_list));
	if (answer == NULL)
		return stls_err_set(err, EX_OSERR, "out of memory");
	for (i = 0; i < SERVICES; i++) {
		snprintf(name, sizeof(name), "%s.%s", services[i], domain);
		n = ask(name, answer, &why);
		if (n < 0 && (why == HOST_NOT_FOUND || why == NO_DATA))
			continue;
		if (n < 0)
			return stls_err_set(err, EX_TEMPFAIL,
			    "the name service does not answer for %s", name);
		r = srv_parse(err, answer, (size_t)n, i == 0, out_list);
		if (r != 0)
			return r;
	}
	srv_sort(out_list);
	return 0;
}

#else

int
srv_parse(struct stls_err *err, const unsigned char *answer, size_t len,
    bool implicit_tls, struct srv_list *list)
{
	(void)answer;
	(void)len;
	(void)implicit_tls;
	(void)list;
	return stls_err_set(err, EX_UNAVAILABLE,
	    "this build of " PROGRAM " cannot look up SRV records");
}

int
srv_lookup(struct stls_err *err, const char *domain, struct srv_list *out_list)
{
	(void)domain;
	memset(out_list, 0, sizeof(*out_list));
	return srv_parse(err, NULL, 0, false, out_list);
}

#endif
