// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "account.h"

static void account__asleep_throughout__is_all_sleep(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = r1.exec_start_ns = task_clock(900 * MS);
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_int_equal(p.wall_ns, 50 * MS);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
	assert_int_equal(p.have, SS_PART_RUN | SS_PART_RQ | SS_PART_SLEEP | SS_PART_BLOCK |
			 SS_PART_IOWAIT | SS_PART_STOP | SS_PART_SWITCHES | SS_PART_CPU);
}

static void account__counters_only__idle_row_says_what_it_does_not_know(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), c = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open(&a, &r0, &env);
	c.have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT;
	assert_true(ss_account_is_idle(&a, &c));
	ss_account_close(&a, &c, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 50 * MS);
	assert_true(p.have & SS_PART_BOUND);

	/* No other task was runnable 1 ms before: it can have been queued for that long only. */
	c.mono_ns = 1100 * MS;
	c.quiet_ns = 1099 * MS;
	c.have |= SS_HAVE_QUIET;
	ss_account_close(&a, &c, &env, &p);
	assert_int_equal(p.bound_ns, 1 * MS);

	c.pcount++;
	assert_false(ss_account_is_idle(&a, &c));
}

static void account__proven_asleep__as_an_idle_reading_would_close(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1150 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open(&a, &r0, &env);
	assert_false(ss_account_stays_asleep(&a, 1000 * MS + 1, 1050 * MS));
	assert_true(ss_account_stays_asleep(&a, 1000 * MS, 1050 * MS));
	ss_account_close_asleep(&a, 1050 * MS, 1049 * MS, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 1 * MS);
	assert_true(p.have & SS_PART_SWITCHES);
	/* The window after it begins where it ended. */
	ss_account_close(&a, &r1, &env, &p);
	assert_int_equal(p.wall_ns, 100 * MS);

	r0.state = SS_STATE_RUNNABLE;
	ss_account_open(&a, &r0, &env);
	assert_false(ss_account_stays_asleep(&a, 0, 1050 * MS));
}

static void account__running_throughout__adds_the_part_in_flight(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* On a CPU: pcount is one ahead. The kernel's runtime is 3 ms behind, then 1 ms. */
	r0.pcount = r1.pcount = 51;
	r0.exec_start_ns = task_clock(997 * MS);
	r1.exec_start_ns = task_clock(1049 * MS);
	r1.run_ns += 52 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 50 * MS, 0, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void account__runnable_without_voluntary_switch__shows_the_gap_as_residual(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.pcount = 51;
	r1.pcount = 53;
	r1.nivcsw += 2;
	r0.exec_start_ns = task_clock(1000 * MS);
	r1.exec_start_ns = task_clock(1050 * MS);
	r1.run_ns += 30 * MS;
	r1.rq_ns += 19 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 30 * MS, 19 * MS, 0, 0, 0, 0, 1 * MS);
}

static void account__preempted__is_queued_since_its_switch_out(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_RUNNABLE), r3 = at(1150 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.pcount = 51;
	r0.exec_start_ns = task_clock(1000 * MS);
	ss_account_open(&a, &r0, &env);
	/* Ran 20 ms, preempted, still queued; the kernel's run_delay will count it when it ends. */
	r1.pcount = r2.pcount = 51;
	r1.nivcsw = r2.nivcsw = 11;
	r1.run_ns = r2.run_ns = 120 * MS;
	r1.exec_start_ns = r2.exec_start_ns = task_clock(1020 * MS);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 20 * MS, 30 * MS, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 0, 50 * MS, 0, 0, 0, 0, 0);
	/* Switched in after 100 ms of queueing, at 1120. */
	r3.pcount = 52;
	r3.nivcsw = 11;
	r3.rq_ns = 110 * MS;
	r3.run_ns = 145 * MS;
	r3.exec_start_ns = task_clock(1145 * MS);
	ss_account_close(&a, &r3, &env, &p);
	assert_parts(&p, 30 * MS, 20 * MS, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void account__woken_and_queued__bounds_the_wait_in_both_windows(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = r1.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 50 * MS);
	/* It had been queued since 1030 and runs since 1060: 20 ms of the wait lie before the window. */
	r2.pcount = 51;
	r2.rq_ns = 40 * MS;
	r2.run_ns = 137 * MS;
	r2.exec_start_ns = task_clock(1097 * MS);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 40 * MS, 30 * MS, 0, 0, 0, 0, -20 * MS);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_true(p.bound_ns >= 20 * MS);
}

static void account__woken_and_queued__since_when_is_in_the_sum_of_sleep(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* Slept from 990 to 1030, ran from 1060 to 1065, asleep since. */
	r0.have |= SS_HAVE_SLEPT;
	r1.have |= SS_HAVE_SLEPT;
	r2.have |= SS_HAVE_SLEPT;
	r0.slept_ns = 7 * MS;
	r1.slept_ns = r2.slept_ns = 47 * MS;
	r0.exec_start_ns = r1.exec_start_ns = task_clock(990 * MS);
	r2.exec_start_ns = task_clock(1065 * MS);
	r2.pcount = 51;
	r2.nvcsw = 41;
	r2.rq_ns += 30 * MS;
	r2.run_ns += 5 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 0, 20 * MS, 30 * MS, 0, 0, 0, 0);
	assert_int_equal(p.bound_ns, 50 * MS);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 5 * MS, 10 * MS, 35 * MS, 0, 0, 0, 0);

	/* A sum that does not go with the rest says nothing. */
	r1.slept_ns = 100 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
}

static void account__woken_and_queued__gives_back_what_was_taken_for_sleep(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* Queued from 1030, ran from 1060 to 1065, asleep since: 65 ms of sleep in all. */
	r0.exec_start_ns = r1.exec_start_ns = task_clock(990 * MS);
	r2.exec_start_ns = task_clock(1065 * MS);
	r2.pcount = 51;
	r2.nvcsw = 41;
	r2.rq_ns += 30 * MS;
	r2.run_ns += 5 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 5 * MS, 30 * MS, 15 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_true(p.bound_ns >= 20 * MS);
}

static void account__counters_backwards__restart_and_say_so(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open(&a, &r0, &env);
	r1.run_ns = r2.run_ns = 1;
	ss_account_close(&a, &r1, &env, &p);
	assert_true(p.restarted);
	assert_int_equal(p.have, 0);
	assert_parts(&p, 0, 0, 0, 0, 0, 0, 50 * MS);
	assert_int_equal(p.quality, SS_QUALITY_COUNTER);
	ss_account_close(&a, &r2, &env, &p);
	assert_false(p.restarted);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
}

static void account__clock_of_the_cpu_unknown__is_quality_counter(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.cpu = r1.cpu = 1;
	r0.pcount = r1.pcount = 51;
	r0.exec_start_ns = r1.exec_start_ns = 1;
	r1.run_ns += 48 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 48 * MS, 0, 0, 0, 0, 0, 2 * MS);
	assert_int_equal(p.quality, SS_QUALITY_COUNTER);
}

static void account__part_in_flight_beyond_two_ticks__is_quality_counter(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_account_env nohz_full = env;
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.pcount = r1.pcount = 51;
	r0.exec_start_ns = task_clock(991 * MS);	/* just believed */
	r1.exec_start_ns = task_clock(1041 * MS) - 1;	/* not any more */
	r1.run_ns += 50 * MS;
	ss_account_open(&a, &r0, &env);
	assert_true(a.run_exact);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 41 * MS, 0, 0, 0, 0, 0, 9 * MS);
	assert_int_equal(p.quality, SS_QUALITY_COUNTER);

	/* A nohz_full CPU has one scheduler tick a second. */
	nohz_full.lag_max_ns = 2000 * MS;
	ss_account_open(&a, &r0, &nohz_full);
	ss_account_close(&a, &r1, &nohz_full, &p);
	assert_parts(&p, 50 * MS + 1, 0, 0, 0, 0, 0, -1);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void account__distance_not_seen_before__to_be_confirmed(void **state)
{
	struct ss_reading r = at(1000 * MS, SS_STATE_SLEEP);
	struct ss_account a = { .open = false };
	struct ss_parts p;

	(void)state;
	assert_true(ss_account_must_confirm(&a, &r));
	ss_account_open(&a, &r, &env);
	assert_false(ss_account_must_confirm(&a, &r));
	r.pcount++;	/* on a CPU */
	assert_false(ss_account_must_confirm(&a, &r));
	r.pcount++;
	assert_true(ss_account_must_confirm(&a, &r));
	r.pcount -= 3;	/* switched out more often than in */
	assert_true(ss_account_must_confirm(&a, &r));
	r.have &= ~(uint32_t)SS_HAVE_SWITCHES;
	assert_false(ss_account_must_confirm(&a, &r));

	/* What was learned in spite of that does not stay: it slept, two switch-ins ahead. */
	r = at(1000 * MS, SS_STATE_SLEEP);
	r.pcount -= 2;
	ss_account_open(&a, &r, &env);
	r.mono_ns += 50 * MS;
	r.pcount += 2;
	ss_account_close(&a, &r, &env, &p);
	assert_int_equal(a.phase, SS_PHASE_SLEEP);
	r.mono_ns += 50 * MS;
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
}

static void account__base_of_minus_one__is_learned_asleep(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.pcount = 49;			/* 49 - 50 = -1 while asleep */
	r0.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r0, &env);
	r1.pcount = 50;			/* 0: so it runs */
	r1.exec_start_ns = task_clock(1045 * MS);
	r1.run_ns += 5 * MS;
	ss_account_close(&a, &r1, &env, &p);
	/* 5 ms counted and 5 in flight. */
	assert_parts(&p, 10 * MS, 0, 40 * MS, 0, 0, 0, 0);
}

static void account__asleep_at_both_ends__needs_no_exec_start(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r0, &env);
	r1.pcount = 51;
	r1.nvcsw = 41;
	r1.run_ns += 4 * MS;
	r1.have &= ~(uint32_t)SS_HAVE_EXEC_START;
	assert_true(ss_account_needs_no_more(&a, &r1));
	r1.pcount = 52;			/* on a CPU: its part in flight must be read */
	assert_false(ss_account_needs_no_more(&a, &r1));
	r1.pcount = 51;
	r1.state = SS_STATE_BLOCK;	/* since when matters */
	assert_false(ss_account_needs_no_more(&a, &r1));
	r1.state = SS_STATE_SLEEP;
	r1.torn_ns = 1000;
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 4 * MS, 0, 46 * MS, 0, 0, 0, 0);
	assert_int_equal(p.bound_ns, 1000);
	/* It slept on: once, it must be looked at whether it was moved meanwhile. */
	r1.mono_ns += 50 * MS;
	assert_false(ss_account_needs_no_more(&a, &r1));
	assert_false(ss_account_is_idle(&a, &r1));
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_true(ss_account_is_idle(&a, &r1));
}

static void account__readings__agree_unless_it_ran_in_between(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), counters = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_reading r1 = counters;
	struct ss_account a;

	(void)state;
	ss_account_open(&a, &r0, &env);
	assert_true(ss_account_agrees(&a, &counters, &r1));
	r1.run_ns++;			/* it ran, and is off the CPU by pcount */
	assert_false(ss_account_agrees(&a, &counters, &r1));
	counters.pcount = r1.pcount = 51;	/* it has been on a CPU all the time */
	assert_true(ss_account_agrees(&a, &counters, &r1));
}

static void account__born_inside__counts_from_its_birth(void **state)
{
	struct ss_reading r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open_at_birth(&a, 1030 * MS, 0);
	r1.run_ns = 5 * MS;
	r1.rq_ns = 1 * MS;
	r1.pcount = r1.nvcsw = 1;
	r1.nivcsw = 0;
	r1.exec_start_ns = task_clock(1036 * MS);
	ss_account_close(&a, &r1, &env, &p);
	assert_int_equal(p.wall_ns, 20 * MS);
	assert_parts(&p, 5 * MS, 1 * MS, 14 * MS, 0, 0, 0, 0);
	assert_int_equal(p.nvcsw, 1);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);

	ss_account_open_at_birth(&a, 1030 * MS, 10 * MS);
	ss_account_close(&a, &r1, &env, &p);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 10 * MS);
}

static void account__exit_record_of_a_thread_that_never_slept__deduces_its_run(void **state)
{
	struct ss_reading final = {
		.have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES,
		.run_ns = 0, .rq_ns = 100000, .pcount = 1,
	};
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open_at_birth(&a, 1000 * MS, 0);
	ss_account_close_exit(&a, &final, 1001 * MS, false, &env, &p);
	assert_int_equal(p.wall_ns, 1 * MS);
	assert_parts(&p, 900000, 100000, 0, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 900000);
}

static void account__exit_without_a_record__is_all_residual(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open(&a, &r0, &env);
	ss_account_close_exit(&a, NULL, 1050 * MS, true, &env, &p);
	assert_int_equal(p.wall_ns, 50 * MS);
	assert_int_equal(p.have, SS_PART_BOUND);
	assert_int_equal(p.bound_ns, 50 * MS);
	assert_parts(&p, 0, 0, 0, 0, 0, 0, 50 * MS);

	ss_account_open(&a, &r0, &env);
	ss_account_close_exit(&a, NULL, 1020 * MS, false, &env, &p);
	assert_int_equal(p.have, 0);
	assert_parts(&p, 0, 0, 0, 0, 0, 0, 20 * MS);
}

static void account__zombie__ends_at_its_last_switch(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), z = at(1050 * MS, SS_STATE_DEAD);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r0, &env);
	z.exec_start_ns = task_clock(1012 * MS);
	z.pcount = 51;
	z.nvcsw = 41;		/* do_task_dead() */
	z.run_ns += 2 * MS;
	ss_account_close_exit(&a, &z, 1050 * MS, true, &env, &p);
	assert_int_equal(p.wall_ns, 12 * MS);
	assert_parts(&p, 2 * MS, 0, 10 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void account__ended_before_the_last_reading__is_nothing(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), final = r0;
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	ss_account_open(&a, &r0, &env);
	ss_account_close_exit(&a, NULL, 999 * MS, false, &env, &p);
	assert_int_equal(p.wall_ns, 0);
	assert_int_equal(sum(&p), 0);
	/* What was read was of one that took its number over, and has counted less. */
	final.run_ns += 4 * MS;
	ss_account_close_exit(&a, &final, 999 * MS, false, &env, &p);
	assert_int_equal(p.wall_ns, 0);
	assert_parts(&p, 0, 0, 0, 0, 0, 0, 0);
	assert_int_equal(p.have, 0);
}

static void account__migrated_while_queued__counts_the_wait_once(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* Preempted at 1040; at 1080 another CPU got it, with 40 ms in the sum. */
	r0.exec_start_ns = task_clock(1000 * MS);
	r0.pcount = 51;
	r1.exec_start_ns = task_clock(1040 * MS);
	r1.pcount = 51;
	r1.nivcsw = 11;
	r1.run_ns += 40 * MS;
	r2 = r1;
	r2.mono_ns = 1100 * MS;
	r2.exec_start_ns = 0;
	r2.rq_ns += 40 * MS;
	ss_account_open(&a, &(struct ss_reading){ .mono_ns = 0 }, &env);
	a.base_known = true;
	ss_account_close(&a, &r0, &env, &p);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 40 * MS, 10 * MS, 0, 0, 0, 0, 0);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 0, 50 * MS, 0, 0, 0, 0, 0);
}

static void account__about_to_sleep__leaves_what_is_in_flight_to_the_next_window(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_RUNNABLE), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* Charged at 1048: whether it still runs at 1050 cannot be seen. It did not. */
	r0.exec_start_ns = task_clock(1000 * MS);
	r0.pcount = 51;
	r1.exec_start_ns = task_clock(1048 * MS);
	r1.pcount = 51;
	r1.run_ns += 48 * MS;
	r2.exec_start_ns = task_clock(1048 * MS);
	r2.pcount = 51;
	r2.nvcsw = 41;
	r2.run_ns = r1.run_ns;
	ss_account_open(&a, &(struct ss_reading){ .mono_ns = 0 }, &env);
	a.base_known = true;
	ss_account_close(&a, &r0, &env, &p);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 48 * MS, 0, 0, 0, 0, 0, 2 * MS);
	assert_int_equal(p.bound_ns, 2 * MS);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
}

static void account__given_too_much__later_windows_get_less(void **state)
{
	struct ss_reading r = at(1000 * MS, SS_STATE_RUNNABLE);
	uint64_t begin_ns = r.run_ns;
	struct ss_account a;
	struct ss_parts p;
	int64_t run;

	(void)state;
	/* On a CPU with 5 ms in flight, of which 2 come to be charged. */
	r.pcount = 51;
	r.exec_start_ns = task_clock(1000 * MS);
	ss_account_open(&a, &(struct ss_reading){ .mono_ns = 0 }, &env);
	a.base_known = true;
	ss_account_close(&a, &r, &env, &p);
	r.mono_ns = 1005 * MS;
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 5 * MS, 0, 0, 0, 0, 0, 0);
	run = p.run_ns;
	r.mono_ns = 1055 * MS;
	r.state = SS_STATE_SLEEP;
	r.exec_start_ns = task_clock(1002 * MS);
	r.nvcsw = 41;
	r.run_ns += 2 * MS;
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 0, 0, 50 * MS, 0, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 3 * MS);
	run += p.run_ns;
	r.mono_ns = 1105 * MS;
	r.exec_start_ns = task_clock(1080 * MS);
	r.pcount = 52;
	r.nvcsw = 42;
	r.run_ns += 10 * MS;
	ss_account_close(&a, &r, &env, &p);
	assert_parts(&p, 7 * MS, 0, 43 * MS, 0, 0, 0, 0);
	run += p.run_ns;
	assert_int_equal(run, r.run_ns - begin_ns);
}

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/*
 * A simulated thread: runs, is preempted, sleeps and blocks at random; readings at random instants
 * with all counters as the kernel would show them. The parts over the whole time must be the
 * simulation's, and every window must add up.
 */
static void account__random_schedule__conserves_time_and_finds_the_truth(void **state)
{
	(void)state;
	for (int round = 0; round < 200; round++) {
		int64_t now = 1000 * MS, tick = now + 50 * MS, run = 0, rq = 0, off = 0;
		int64_t got_run = 0, got_rq = 0, got_off = 0, got_residual = 0, wall = 0;
		struct ss_reading r = at(now, SS_STATE_SLEEP);
		struct ss_account a;
		struct ss_parts p;

		r.exec_start_ns = task_clock(now);
		ss_account_open(&a, &r, &env);
		run = rq = off = 0;
		for (int step = 0; step < 400; step++) {
			/* Asleep, then queued, then on a CPU until the next voluntary switch. */
			int64_t sleep = (int64_t)(next_random() % (20 * MS)) + 1;
			int64_t wait = (int64_t)(next_random() % (2 * MS)) + 1;
			int64_t burst = (int64_t)(next_random() % (8 * MS)) + 1;
			uint64_t base_run = r.run_ns;

			for (; tick <= now + sleep; tick += 50 * MS) {
				r.mono_ns = tick;
				r.state = SS_STATE_SLEEP;
				ss_account_close(&a, &r, &env, &p);
				assert_int_equal(sum(&p), p.wall_ns);
				got_run += p.run_ns, got_rq += p.rq_ns, wall += p.wall_ns;
				got_off += p.sleep_ns + p.block_ns;
				got_residual += p.residual_ns;
			}
			now += sleep, off += sleep;
			/* A tick within the wait sees it as R with the wakeup unknown. */
			for (; tick <= now + wait; tick += 50 * MS) {
				r.mono_ns = tick;
				r.state = SS_STATE_RUNNABLE;
				ss_account_close(&a, &r, &env, &p);
				assert_int_equal(sum(&p), p.wall_ns);
				assert_true(p.bound_ns > 0);
				got_run += p.run_ns, got_rq += p.rq_ns, wall += p.wall_ns;
				got_off += p.sleep_ns + p.block_ns;
				got_residual += p.residual_ns;
			}
			now += wait, rq += wait;
			r.rq_ns += (uint64_t)wait;
			r.pcount++;
			for (; tick <= now + burst; tick += 50 * MS) {
				r.mono_ns = tick;
				r.state = SS_STATE_RUNNABLE;
				/* The kernel updated the runtime at some earlier instant. */
				r.run_ns = base_run + (uint64_t)(tick - now) / 2;
				r.exec_start_ns = task_clock(now + (tick - now) / 2);
				ss_account_close(&a, &r, &env, &p);
				assert_int_equal(sum(&p), p.wall_ns);
				got_run += p.run_ns, got_rq += p.rq_ns, wall += p.wall_ns;
				got_off += p.sleep_ns + p.block_ns;
				got_residual += p.residual_ns;
			}
			now += burst, run += burst;
			r.run_ns = base_run + (uint64_t)burst;
			r.exec_start_ns = task_clock(now);
			r.nvcsw++;
		}
		r.mono_ns = now;
		r.state = SS_STATE_SLEEP;
		ss_account_close(&a, &r, &env, &p);
		got_run += p.run_ns, got_rq += p.rq_ns, wall += p.wall_ns;
		got_off += p.sleep_ns + p.block_ns;
		got_residual += p.residual_ns;
		assert_int_equal(wall, now - 1000 * MS);
		assert_int_equal(got_run, run);
		assert_int_equal(got_rq, rq);
		assert_int_equal(got_off + got_residual, off);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(account__asleep_throughout__is_all_sleep),
		cmocka_unit_test(account__counters_only__idle_row_says_what_it_does_not_know),
		cmocka_unit_test(account__proven_asleep__as_an_idle_reading_would_close),
		cmocka_unit_test(account__running_throughout__adds_the_part_in_flight),
		cmocka_unit_test(account__runnable_without_voluntary_switch__shows_the_gap_as_residual),
		cmocka_unit_test(account__preempted__is_queued_since_its_switch_out),
		cmocka_unit_test(account__woken_and_queued__bounds_the_wait_in_both_windows),
		cmocka_unit_test(account__woken_and_queued__since_when_is_in_the_sum_of_sleep),
		cmocka_unit_test(account__woken_and_queued__gives_back_what_was_taken_for_sleep),
		cmocka_unit_test(account__counters_backwards__restart_and_say_so),
		cmocka_unit_test(account__clock_of_the_cpu_unknown__is_quality_counter),
		cmocka_unit_test(account__part_in_flight_beyond_two_ticks__is_quality_counter),
		cmocka_unit_test(account__distance_not_seen_before__to_be_confirmed),
		cmocka_unit_test(account__base_of_minus_one__is_learned_asleep),
		cmocka_unit_test(account__asleep_at_both_ends__needs_no_exec_start),
		cmocka_unit_test(account__readings__agree_unless_it_ran_in_between),
		cmocka_unit_test(account__born_inside__counts_from_its_birth),
		cmocka_unit_test(account__exit_record_of_a_thread_that_never_slept__deduces_its_run),
		cmocka_unit_test(account__exit_without_a_record__is_all_residual),
		cmocka_unit_test(account__zombie__ends_at_its_last_switch),
		cmocka_unit_test(account__ended_before_the_last_reading__is_nothing),
		cmocka_unit_test(account__migrated_while_queued__counts_the_wait_once),
		cmocka_unit_test(account__about_to_sleep__leaves_what_is_in_flight_to_the_next_window),
		cmocka_unit_test(account__given_too_much__later_windows_get_less),
		cmocka_unit_test(account__random_schedule__conserves_time_and_finds_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
