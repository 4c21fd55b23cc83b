/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TESTS_FUZZ_TASKSTATS_H
#define TESTS_FUZZ_TASKSTATS_H

#include "fuzz.h"
#include "source/parse.h"

/* What holds for every record that was taken. */
static inline void check_taskstats(const struct ss_taskstats *ts)
{
	CHECK(ts->version >= 8);
	CHECK(ts->tid >= 0);
	CHECK(ts->age_us >= 0 && ts->age_us <= INT64_MAX / 1000);
	CHECK(strnlen(ts->comm, sizeof(ts->comm)) < sizeof(ts->comm));
	CHECK(ts->reading.have ==
	      (SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES));
	CHECK(ts->reading.run_ns <= SS_COUNT_MAX && ts->reading.rq_ns <= SS_COUNT_MAX);
	CHECK(!(ts->delay_have >> SS_DELAY_COUNT));
	for (int kind = 0; kind < SS_DELAY_COUNT; kind++)
		if (!(ts->delay_have & 1u << kind))
			CHECK(!ts->delay_count[kind] && !ts->delay_ns[kind]);
}

#endif
