// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>

#include "fuzz.h"
#include "source/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_reading r = { 0 }, again = { 0 };
	int err = ss_parse_schedstat((const char *)data, size, &r), n;
	char text[80];

	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	CHECK(r.have == 0 || r.have == (SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT));
	/* Printed as the kernel does, it means the same; and nothing is known of a part of it. */
	n = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", r.run_ns, r.rq_ns,
		     r.pcount);
	CHECK(!ss_parse_schedstat(text, (size_t)n, &again));
	CHECK(!memcmp(&r, &again, sizeof(r)));
	while (size-- > 0)
		CHECK(ss_parse_schedstat((const char *)data, size, &again) == -EBADMSG);
	return 0;
}
