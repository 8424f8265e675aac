/* SPDX-License-Identifier: MIT */
/* Answers of a name service to a question for SRV records. */
#include "fuzz.h"

#include <string.h>

#include <smtptls/status.h>

#include "probe/srv.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	bool implicit_tls = fuzz_flag(fuzz_take(&input), 0);
	struct srv_list list = { .count = 0 };
	struct stls_err err = { 0 };
	struct stls_host host;
	size_t i;

	if (srv_parse(&err, input.data, input.len, implicit_tls, &list) != 0) {
		FUZZ_CHECK(fuzz_is_sentence(err.text));
		FUZZ_CHECK(list.count == 0 && !list.is_denied);
		return 0;
	}
	FUZZ_CHECK(list.count <= SRV_MAX);
	srv_sort(&list);
	for (i = 0; i < list.count; i++) {
		const struct srv_record *record = &list.records[i];

		FUZZ_CHECK(stls_host_parse(&err, record->target,
			       strlen(record->target), &host) == SMTPTLS_OK);
		FUZZ_CHECK(!host.is_ip && record->port != 0);
		FUZZ_CHECK(strcmp(host.name, record->target) == 0);
		FUZZ_CHECK(record->implicit_tls == implicit_tls);
		if (i > 0)
			FUZZ_CHECK(record[-1].priority <= record->priority);
	}
	return 0;
}
