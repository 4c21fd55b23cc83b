// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "fuzz.h"
#include "source/parse.h"

#define TIMES (SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES)

/* Without what only the end of the text tells. */
static struct ss_reading without_stats(struct ss_reading r)
{
	r.have &= ~(uint32_t)SS_HAVE_SCHEDSTATS;
	r.flags = 0;
	r.sleep_ns = r.block_ns = r.iowait_ns = r.sleep_start_ns = r.block_start_ns = 0;
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_reading full = { 0 };
	int err = ss_parse_sched((const char *)data, size, &full);
	size_t shortest = size > 128 ? size - 128 : 0, len;

	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	CHECK(full.have == TIMES || full.have == (TIMES | SS_HAVE_SCHEDSTATS));
	CHECK(!(full.flags & ~(SS_READING_FAIR | SS_READING_OLD_SCHEDSTATS)));
	/* Cut off anywhere, it says less or nothing, but nothing else. */
	for (len = shortest; len < size; len++) {
		struct ss_reading part = { 0 }, a, b;

		err = ss_parse_sched((const char *)data, len, &part);
		CHECK(err == 0 || err == -EBADMSG);
		if (err)
			continue;
		CHECK(!(part.have & ~full.have) && !(part.flags & ~full.flags));
		a = without_stats(part);
		b = without_stats(full);
		CHECK(!memcmp(&a, &b, sizeof(a)));
		if (part.have & SS_HAVE_SCHEDSTATS)
			CHECK(part.sleep_ns == full.sleep_ns && part.block_ns == full.block_ns &&
			      part.iowait_ns == full.iowait_ns &&
			      part.sleep_start_ns == full.sleep_start_ns &&
			      part.block_start_ns == full.block_start_ns);
	}
	return 0;
}
