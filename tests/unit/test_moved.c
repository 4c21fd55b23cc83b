// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads that are moved to another runqueue while they sleep: ss_account_moved_asleep(). */
#include "account.h"

/*
 * Asleep since 900 ms, moved to another runqueue at 930 and woken at 1060; queued for 1 ms, 4 ms on
 * a CPU, asleep again. The kernel counts all from the move on as queued.
 */
static struct ss_reading after_the_move(const struct ss_reading *asleep)
{
	struct ss_reading r = *asleep;

	r.mono_ns = 1100 * MS;
	r.exec_start_ns = task_clock(1065 * MS);
	r.pcount++;
	r.nvcsw++;
	r.run_ns += 4 * MS;
	r.rq_ns += 131 * MS;
	r.sleep_ns += 160 * MS;
	return r;
}

static void moved__asleep__queue_is_what_no_sleep_explains(void **state)
{
	struct ss_reading r0 = stats_at(920 * MS, SS_STATE_SLEEP), moved, r1;
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = task_clock(900 * MS);
	moved = r0;
	moved.mono_ns = 1050 * MS;
	moved.exec_start_ns = 0;
	r1 = after_the_move(&moved);
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &moved, &env, &p);
	assert_parts(&p, 0, 0, 130 * MS, 0, 0, 0, 0);
	assert_false(p.have & SS_PART_BOUND);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 4 * MS, 1 * MS, 45 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 1 * MS);
	/* Once only. */
	r1.mono_ns = 1150 * MS;
	r1.exec_start_ns = task_clock(1150 * MS);
	r1.pcount++;
	r1.nvcsw++;
	r1.run_ns += 6 * MS;
	r1.rq_ns += 3 * MS;
	r1.sleep_ns += 35 * MS + 40 * MS;
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 6 * MS, 3 * MS, 40 * MS, 0, 0, 0, 1 * MS);
}

static void moved__asleep__is_remembered_until_it_runs(void **state)
{
	struct ss_reading moved = stats_at(1050 * MS, SS_STATE_SLEEP), r1 = after_the_move(&moved);
	struct ss_reading queued = moved;
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	queued.mono_ns = 1060 * MS;
	queued.state = SS_STATE_RUNNABLE;
	queued.sleep_start_ns = 0;
	queued.sleep_ns = r1.sleep_ns;
	ss_account_open(&a, &moved, &env);
	ss_account_close(&a, &queued, &env, &p);
	/* Since when it slept is not known, so neither is when it was woken. */
	assert_parts(&p, 0, 0, 10 * MS, 0, 0, 0, 0);
	assert_int_equal(p.bound_ns, 10 * MS);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 4 * MS, 1 * MS, 35 * MS, 0, 0, 0, 0);
}

static void moved__asleep__since_when_unknown__io_is_still_the_kernels(void **state)
{
	struct ss_reading moved = stats_at(1050 * MS, SS_STATE_SLEEP), r1 = after_the_move(&moved);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r1.sleep_ns += 7 * MS;
	r1.block_ns += 7 * MS;
	r1.iowait_ns += 6 * MS;
	r1.nvcsw++;
	r1.pcount++;
	ss_account_open(&a, &moved, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 4 * MS, 0, 39 * MS, 1 * MS, 6 * MS, 0, 0);
	assert_int_equal(p.bound_ns, 39 * MS);
}

static void moved__asleep__without_sums_all_of_it_is_inferred(void **state)
{
	struct ss_reading moved = at(1050 * MS, SS_STATE_SLEEP), r1 = after_the_move(&moved);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open(&a, &moved, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 4 * MS, 0, 46 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 11 * MS);
}

/* What tells that a sleeper was moved lasts while it sleeps, so it is looked for while it is young. */
static void moved__young_sleep__is_looked_at_each_time_it_has_doubled(void **state)
{
	struct ss_reading r = at(1000 * MS, SS_STATE_SLEEP), c;
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r, &env);
	c = r;
	c.have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT;
	c.mono_ns = 1009 * MS;
	assert_true(ss_account_is_idle(&a, &c));
	assert_true(ss_account_stays_asleep(&a, 0, c.mono_ns));
	ss_account_close(&a, &c, &env, &p);
	c.mono_ns = 1010 * MS;
	assert_false(ss_account_is_idle(&a, &c));
	assert_false(ss_account_stays_asleep(&a, 0, c.mono_ns));
	r.mono_ns = 1030 * MS;
	ss_account_close(&a, &r, &env, &p);
	c.mono_ns = 2000 * MS;		/* 40 ms old when it was looked at */
	assert_true(ss_account_is_idle(&a, &c));
	/* Moved: that is known. */
	ss_account_open(&a, &r, &env);
	r.exec_start_ns = 0;
	r.mono_ns += 1 * MS;
	ss_account_close(&a, &r, &env, &p);
	assert_true(ss_account_is_idle(&a, &c));
	/* Only the fair class does that. */
	r.exec_start_ns = task_clock(r.mono_ns);
	r.flags = 0;
	ss_account_open(&a, &r, &env);
	assert_true(ss_account_is_idle(&a, &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moved__asleep__queue_is_what_no_sleep_explains),
		cmocka_unit_test(moved__asleep__is_remembered_until_it_runs),
		cmocka_unit_test(moved__asleep__since_when_unknown__io_is_still_the_kernels),
		cmocka_unit_test(moved__asleep__without_sums_all_of_it_is_inferred),
		cmocka_unit_test(moved__young_sleep__is_looked_at_each_time_it_has_doubled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
