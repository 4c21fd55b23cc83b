// SPDX-License-Identifier: GPL-2.0-or-later
#include "account.h"

static void offcpu__one_sleep_of_known_kind__is_exact(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_STOP), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* Stopped until some instant, queued 1 ms, ran 4 ms, asleep since 1040. */
	r0.exec_start_ns = task_clock(500 * MS);
	r1.exec_start_ns = task_clock(1040 * MS);
	r1.pcount = 51;
	r1.nvcsw = 41;
	r1.run_ns += 4 * MS;
	r1.rq_ns += 1 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 4 * MS, 1 * MS, 10 * MS, 0, 0, 35 * MS, 0);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
	assert_true(p.have & SS_PART_BLOCK);
}

static void offcpu__unseen_sleeps__take_the_kind_seen_and_say_how_much(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_BLOCK), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = task_clock(995 * MS);
	r1.exec_start_ns = task_clock(1048 * MS);
	r1.pcount = 60;
	r1.nvcsw = 50;
	r1.run_ns += 8 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 8 * MS, 0, 2 * MS, 40 * MS, 0, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 40 * MS);
	assert_false(p.have & SS_PART_STOP);
	assert_false(p.have & SS_PART_IOWAIT);
	assert_true(p.have & SS_PART_BLOCK);
}

static void offcpu__delay_accounting__takes_iowait_out(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.have |= SS_HAVE_BLKIO;
	r1.have |= SS_HAVE_BLKIO;
	r0.blkio_ns = 5 * MS;
	r1.blkio_ns = 25 * MS;
	r0.exec_start_ns = task_clock(990 * MS);
	r1.exec_start_ns = task_clock(1045 * MS);
	r1.pcount = 60;
	r1.nvcsw = 50;
	r1.run_ns += 10 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	/* 50 = 10 run + 20 I/O + 20 sleep; 15 of the sleep were not seen. */
	assert_parts(&p, 10 * MS, 0, 20 * MS, 0, 20 * MS, 0, 0);
	assert_int_equal(p.bound_ns, 20 * MS);
	assert_true(p.have & SS_PART_IOWAIT);
}

static void offcpu__delay_accounting_beyond_the_off_cpu_time__is_not_believed(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_BLOCK), r1 = at(1050 * MS, SS_STATE_BLOCK);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.have |= SS_HAVE_BLKIO;
	r1.have |= SS_HAVE_BLKIO;
	r1.blkio_ns = 56 * MS;
	r0.exec_start_ns = task_clock(1000 * MS);
	r1.exec_start_ns = task_clock(1050 * MS);
	r1.pcount = 450;
	r1.nvcsw = 440;
	r1.run_ns += 10 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 40 * MS, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	assert_int_equal(p.bound_ns, 40 * MS);
}

static void offcpu__io_sum_read_a_little_later__is_all_io(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* Asleep, then queued; 40 ms off the CPU in 400 sleeps, and 44 ms of I/O by its sum. */
	r0.have |= SS_HAVE_BLKIO;
	r1.have |= SS_HAVE_BLKIO;
	r1.blkio_ns = 44 * MS;
	r1.pcount = 450;
	r1.nvcsw = 440;
	r1.exec_start_ns = task_clock(1050 * MS);
	r1.run_ns += 10 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 40 * MS, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);

	/* Far more than that is another error, unless the reading was torn for so long. */
	r1.blkio_ns = 60 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 40 * MS, 0, 0, 0, 0);
	r1.torn_ns = 15 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 40 * MS, 0, 0);
}

static void offcpu__block_in_flight__is_counted_once(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_BLOCK);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.have |= SS_HAVE_BLKIO;
	r1.have |= SS_HAVE_BLKIO;
	r2.have |= SS_HAVE_BLKIO;
	r0.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r0, &env);
	/* Asleep to 1020, ran to 1030, waits for the disk since. */
	r1.exec_start_ns = task_clock(1030 * MS);
	r1.pcount = 51;
	r1.nvcsw = 41;
	r1.run_ns += 10 * MS;
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 20 * MS, 0, 20 * MS, 0, 0);
	assert_int_equal(p.quality, SS_QUALITY_ESTIMATE);
	/* The wait ended at 1080: 50 ms in all, 30 of them in this window; ran to 1090. */
	r2.exec_start_ns = task_clock(1090 * MS);
	r2.pcount = 52;
	r2.nvcsw = 42;
	r2.run_ns += 20 * MS;
	r2.blkio_ns = 50 * MS;
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 10 * MS, 0, 10 * MS, 0, 30 * MS, 0, 0);
}

static void offcpu__schedstats__kinds_are_the_kernels_and_the_rest_is_residual(void **state)
{
	struct ss_reading r0 = stats_at(1000 * MS, SS_STATE_SLEEP);
	struct ss_reading r1 = stats_at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = task_clock(990 * MS);	/* 10 ms in flight */
	r1.exec_start_ns = task_clock(1044 * MS);	/* 6 ms in flight */
	r1.pcount = 60;
	r1.nvcsw = 50;
	r1.run_ns += 5 * MS;
	r1.rq_ns += 2 * MS;
	/* Completed: 46 ms of sleep, in it 20 ms of block, in it 12 ms of I/O. */
	r1.sleep_ns += 46 * MS;
	r1.block_ns += 20 * MS;
	r1.iowait_ns += 12 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	/* sleep = 46 - 10 + 6 - 20; 1 ms is in no sum. */
	assert_parts(&p, 5 * MS, 2 * MS, 22 * MS, 8 * MS, 12 * MS, 0, 1 * MS);
	assert_int_equal(p.quality, SS_QUALITY_SNAPSHOT);
}

static void offcpu__schedstats__blocked_and_then_without_a_mark__sums_hold_it_all(void **state)
{
	struct ss_reading r0 = stats_at(1000 * MS, SS_STATE_SLEEP);
	struct ss_reading r1 = stats_at(1050 * MS, SS_STATE_BLOCK);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.exec_start_ns = task_clock(1000 * MS);
	/* Seen in D; woken before its sums were read: no mark, and nothing is in flight. */
	r1.block_start_ns = 0;
	r1.exec_start_ns = task_clock(1030 * MS);
	r1.pcount = 60;
	r1.nvcsw = 50;
	r1.run_ns += 10 * MS;
	r1.sleep_ns += 39 * MS;
	r1.block_ns += 39 * MS;
	r1.iowait_ns += 39 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 39 * MS, 0, 1 * MS);
	assert_true(p.have & SS_PART_IOWAIT);
}

static void offcpu__schedstats_of_old_kernels__are_not_used_for_realtime_threads(void **state)
{
	struct ss_reading r0 = stats_at(1000 * MS, SS_STATE_SLEEP);
	struct ss_reading r1 = stats_at(1050 * MS, SS_STATE_SLEEP);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r0.flags = r1.flags = SS_READING_OLD_SCHEDSTATS;
	r0.exec_start_ns = r1.exec_start_ns = task_clock(990 * MS);
	r1.pcount = 51;
	r1.nvcsw = 41;
	r1.exec_start_ns = task_clock(1040 * MS);
	r1.run_ns += 5 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 5 * MS, 0, 45 * MS, 0, 0, 0, 0);
}

static void offcpu__io_sum_ahead_of_the_counters__is_io_of_the_next_window(void **state)
{
	struct ss_reading r0 = at(1000 * MS, SS_STATE_SLEEP), r1 = at(1050 * MS, SS_STATE_RUNNABLE);
	struct ss_reading r2 = at(1100 * MS, SS_STATE_RUNNABLE);
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	/* It does nothing but I/O: 40 and 40 ms. The first sum was read 4 ms late. */
	r0.have |= SS_HAVE_BLKIO;
	r1.have |= SS_HAVE_BLKIO;
	r2.have |= SS_HAVE_BLKIO;
	r1.blkio_ns = 44 * MS;
	r2.blkio_ns = 80 * MS;
	r1.pcount = 450;
	r1.nvcsw = 440;
	r2.pcount = 850;
	r2.nvcsw = 840;
	r1.exec_start_ns = task_clock(1050 * MS);
	r2.exec_start_ns = task_clock(1100 * MS);
	r1.run_ns += 10 * MS;
	r2.run_ns += 20 * MS;
	ss_account_open(&a, &r0, &env);
	ss_account_close(&a, &r1, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 40 * MS, 0, 0);
	ss_account_close(&a, &r2, &env, &p);
	assert_parts(&p, 10 * MS, 0, 0, 0, 40 * MS, 0, 0);
}

/* Waits of 30 ms, each seen 20 ms before its end: of which kind shows when they end. */
static void offcpu__waits_that_were_no_io__are_not_taken_for_it(void **state)
{
	struct ss_reading r = at(1000 * MS, SS_STATE_SLEEP);
	int64_t iowait = 0, block = 0;
	struct ss_account a;
	struct ss_parts p;

	(void)state;
	r.have |= SS_HAVE_BLKIO;
	r.exec_start_ns = task_clock(990 * MS);
	ss_account_open(&a, &r, &env);
	for (int i = 0; i < 10; i++) {
		/* Runs 10 ms, blocks, and is seen after 10 ms; at the next reading it is over. */
		r.mono_ns += 20 * MS;
		r.state = SS_STATE_BLOCK;
		r.exec_start_ns = task_clock(r.mono_ns - 10 * MS);
		r.pcount++;
		r.nvcsw++;
		r.run_ns += 10 * MS;
		ss_account_close(&a, &r, &env, &p);
		iowait += p.iowait_ns;
		block += p.block_ns;
		r.mono_ns += 30 * MS;
		r.state = SS_STATE_SLEEP;
		r.exec_start_ns = task_clock(r.mono_ns);
		r.pcount++;
		r.nvcsw++;
		r.run_ns += 10 * MS;
		ss_account_close(&a, &r, &env, &p);
		assert_int_equal(p.iowait_ns, 0);
		block += p.block_ns;
	}
	/* The first was taken for I/O. */
	assert_int_equal(iowait, 10 * MS);
	assert_int_equal(block, 10 * 30 * MS - 10 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offcpu__one_sleep_of_known_kind__is_exact),
		cmocka_unit_test(offcpu__unseen_sleeps__take_the_kind_seen_and_say_how_much),
		cmocka_unit_test(offcpu__delay_accounting__takes_iowait_out),
		cmocka_unit_test(offcpu__delay_accounting_beyond_the_off_cpu_time__is_not_believed),
		cmocka_unit_test(offcpu__io_sum_read_a_little_later__is_all_io),
		cmocka_unit_test(offcpu__block_in_flight__is_counted_once),
		cmocka_unit_test(offcpu__schedstats__kinds_are_the_kernels_and_the_rest_is_residual),
		cmocka_unit_test(offcpu__schedstats__blocked_and_then_without_a_mark__sums_hold_it_all),
		cmocka_unit_test(offcpu__schedstats_of_old_kernels__are_not_used_for_realtime_threads),
		cmocka_unit_test(offcpu__io_sum_ahead_of_the_counters__is_io_of_the_next_window),
		cmocka_unit_test(offcpu__waits_that_were_no_io__are_not_taken_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
