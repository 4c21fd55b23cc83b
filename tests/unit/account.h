/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings and checks that the tests of the account share.
 */
#ifndef SS_UNIT_ACCOUNT_H
#define SS_UNIT_ACCOUNT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "account/account.h"

#define MS 1000000LL
#define TASK_OFFSET (-7 * MS)	/* rq_clock_task runs behind CLOCK_MONOTONIC by this */

static struct ss_clock_offset offset[2] = {
	{ .task_minus_mono_ns = TASK_OFFSET, .bound_ns = 100 },
	{ .task_minus_mono_ns = 0, .bound_ns = -1 },	/* a CPU that could not be measured */
};
static const struct ss_account_env env = { .offset = offset, .ncpus = 2, .tick_ns = 4 * MS,
					  .lag_max_ns = 9 * MS };

/* What a full procfs reading looks like; tests change what they are about. */
static inline struct ss_reading at(int64_t mono_ns, enum ss_state state)
{
	return (struct ss_reading){
		.mono_ns = mono_ns,
		.have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES |
			SS_HAVE_STATE | SS_HAVE_CPU | SS_HAVE_EXEC_START,
		.state = (uint8_t)state,
		.flags = SS_READING_FAIR,
		.cpu = 0,
		.run_ns = 100 * MS,
		.rq_ns = 10 * MS,
		.pcount = 50,
		.nvcsw = 40,
		.nivcsw = 10,
	};
}

static inline struct ss_reading stats_at(int64_t mono_ns, enum ss_state s)
{
	struct ss_reading r = at(mono_ns, s);

	r.have |= SS_HAVE_SCHEDSTATS;
	r.sleep_ns = 700 * MS;
	r.block_ns = 300 * MS;
	r.iowait_ns = 200 * MS;
	r.sleep_start_ns = s == SS_STATE_SLEEP;
	r.block_start_ns = s == SS_STATE_BLOCK;
	return r;
}

static inline uint64_t task_clock(int64_t mono_ns)
{
	return (uint64_t)(mono_ns + TASK_OFFSET);
}

static inline int64_t sum(const struct ss_parts *p)
{
	return p->run_ns + p->rq_ns + p->sleep_ns + p->block_ns + p->iowait_ns + p->stop_ns +
	       p->residual_ns;
}

#define assert_parts(p, ...) assert_parts_at(p, (const int64_t[7]){ __VA_ARGS__ }, __LINE__)

/* run, rq, sleep, block, iowait, stop, residual. */
static inline void assert_parts_at(const struct ss_parts *p, const int64_t want[7], int line)
{
	const int64_t got[7] = { p->run_ns, p->rq_ns, p->sleep_ns, p->block_ns, p->iowait_ns,
				 p->stop_ns, p->residual_ns };
	static const char *const name[] = { "run", "rq", "sleep", "block", "iowait", "stop",
					    "residual" };

	for (int i = 0; i < 7; i++)
		if (got[i] != want[i])
			fail_msg("line %d: %s is %lld, not %lld", line, name[i],
				 (long long)got[i], (long long)want[i]);
	assert_int_equal(sum(p), p->wall_ns);
}

#endif
