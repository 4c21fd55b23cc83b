// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>

#include "fuzz.h"
#include "source/parse.h"

#define TIMES (SS_HAVE_RUN | SS_HAVE_EXEC_START | SS_HAVE_SWITCHES)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ss_reading full = { 0 };
	int err = ss_parse_sched((const char *)data, size, &full);
	size_t shortest = size > 128 ? size - 128 : 0, len;

	CHECK(err == 0 || err == -EBADMSG);
	if (err)
		return 0;
	CHECK(full.have == TIMES || full.have == (TIMES | SS_HAVE_SCHEDSTATS) ||
	      full.have == (TIMES | SS_HAVE_BLKIO) ||
	      full.have == (TIMES | SS_HAVE_BLKIO | SS_HAVE_SLEPT));
	CHECK(!(full.have & SS_HAVE_SLEPT) || (full.flags & SS_READING_FAIR));
	CHECK(!(full.flags & ~(SS_READING_FAIR | SS_READING_OLD_SCHEDSTATS)));
	/* Cut off anywhere, it says less or nothing, but nothing else. */
	for (len = shortest; len < size; len++) {
		struct ss_reading part = { 0 };

		err = ss_parse_sched((const char *)data, len, &part);
		CHECK(err == 0 || err == -EBADMSG);
		if (err)
			continue;
		/* Without its sum of block, which comes last, a text is like one of an old kernel. */
		CHECK(!(part.have & ~full.have & ~(uint32_t)(SS_HAVE_BLKIO | SS_HAVE_SLEPT)));
		CHECK(!(part.flags & ~full.flags));
		CHECK(part.run_ns == full.run_ns && part.exec_start_ns == full.exec_start_ns &&
		      part.nvcsw == full.nvcsw && part.nivcsw == full.nivcsw);
		if (part.have & SS_HAVE_BLKIO)
			CHECK(part.blkio_ns == (full.have & SS_HAVE_BLKIO ? full.blkio_ns :
						full.iowait_ns));
		if (part.have & SS_HAVE_SLEPT)
			CHECK(part.slept_ns == (full.have & SS_HAVE_SLEPT ? full.slept_ns :
						full.sleep_ns));
		if (part.have & SS_HAVE_SCHEDSTATS)
			CHECK(part.sleep_ns == full.sleep_ns && part.block_ns == full.block_ns &&
			      part.iowait_ns == full.iowait_ns &&
			      part.sleep_start_ns == full.sleep_start_ns &&
			      part.block_start_ns == full.block_start_ns);
	}
	return 0;
}
