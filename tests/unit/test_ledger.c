// SPDX-License-Identifier: GPL-2.0-or-later
#include "ledger.h"

static void grid__any__has_each_instant_in_one_window(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct ss_grid g = random_grid(30);
		uint64_t last_ns = ss_grid_end(&g, 60);

		assert_int_equal(ss_grid_window(&g, 0), 0);
		assert_int_equal(ss_grid_end(&g, 0), g.epoch_ns[g.from == 0]);
		for (uint64_t w = 0; w < 60; w++) {
			uint64_t end_ns = ss_grid_end(&g, w);

			assert_true(end_ns < ss_grid_end(&g, w + 1));
			assert_int_equal(ss_grid_window(&g, end_ns - 1), w);
			assert_int_equal(ss_grid_window(&g, end_ns), w + 1);
		}
		for (int i = 0; i < 100; i++) {
			uint64_t ns = g.epoch_ns[0] + next_random() % (last_ns - g.epoch_ns[0]);
			uint64_t w = ss_grid_window(&g, ns);

			assert_true(w >= 1);
			assert_true(ns >= ss_grid_end(&g, w - 1));
			assert_true(ns < ss_grid_end(&g, w));
		}
	}
}

static void grid__second_epoch__moves_only_what_comes_after(void **state)
{
	struct ss_grid g = grid;

	(void)state;
	g.from = 10;
	g.epoch_ns[1] += 300;
	assert_int_equal(ss_grid_end(&g, 9), EPOCH + 9 * INTERVAL);
	assert_int_equal(ss_grid_end(&g, 10), EPOCH + 10 * INTERVAL + 300);
	/* Window 10 is longer by that. */
	assert_int_equal(ss_grid_window(&g, EPOCH + 10 * INTERVAL + 299), 10);
	g.epoch_ns[1] = EPOCH - 300;
	assert_int_equal(ss_grid_window(&g, EPOCH + 9 * INTERVAL - 1), 9);
	assert_int_equal(ss_grid_window(&g, EPOCH + 9 * INTERVAL), 10);
	assert_int_equal(ss_grid_window(&g, EPOCH + 10 * INTERVAL - 300), 11);
}

static void ledger__one_sleep_inside_a_window__has_all_parts(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_SLEEP, true);
	wakes(&t, 2035 * MS, true);
	gets_cpu(&t, 2036 * MS, true);
	leaves_cpu(&t, 2055 * MS, 0, SS_LEDGER_BLOCK, true);
	assert_int_equal(told.n, 1);
	assert_whole(&told.closed[0], 21);
	assert_parts(&told.closed[0], 0, 24 * MS, 1 * MS, 25 * MS);
	assert_int_equal(told.closed[0].nvcsw, 1);
	assert_int_equal(told.closed[0].nivcsw, 0);
	assert_int_equal(told.closed[0].cpu, CPU);
	assert_int_equal(told.closed[0].phase, SS_LEDGER_RUN);
	assert_parts(&t.ledger.open, 0, 5 * MS);
	assert_int_equal(t.ledger.open.nvcsw, 1);
}

static void ledger__every_kind_of_wait__has_its_part(void **state)
{
	static const uint8_t kind[] = { SS_LEDGER_SLEEP, SS_LEDGER_BLOCK, SS_LEDGER_IOWAIT,
					SS_LEDGER_STOP };
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	for (uint64_t i = 0; i < SS_ARRAY_SIZE(kind); i++) {
		leaves_cpu(&t, (2001 + 10 * i) * MS, 0, kind[i], true);
		wakes(&t, (2002 + 11 * i) * MS, true);
		gets_cpu(&t, (2004 + 11 * i) * MS, true);
	}
	leaves_cpu(&t, 2045 * MS, 0, SS_LEDGER_QUEUE, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_whole(&told.closed[0], 21);
	assert_parts(&told.closed[0], 0, 27 * MS, 13 * MS, 1 * MS, 2 * MS, 3 * MS, 4 * MS);
	assert_int_equal(told.closed[0].nvcsw, 4);
	assert_int_equal(told.closed[0].nivcsw, 1);
}

static void ledger__events_on_the_end_of_a_window__belong_to_the_next(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2050 * MS, 0, SS_LEDGER_SLEEP, true);
	wakes(&t, 2100 * MS, true);
	gets_cpu(&t, 2150 * MS, true);
	leaves_cpu(&t, 2200 * MS, 0, SS_LEDGER_QUEUE, true);
	assert_int_equal(told.n, 4);
	for (uint64_t i = 0; i < 4; i++)
		assert_whole(&told.closed[i], 21 + i);
	assert_parts(&told.closed[0], 0, INTERVAL);
	assert_parts(&told.closed[1], 0, 0, 0, INTERVAL);
	assert_parts(&told.closed[2], 0, 0, INTERVAL);
	assert_parts(&told.closed[3], 0, INTERVAL);
	assert_int_equal(told.closed[0].nvcsw, 0);
	assert_int_equal(told.closed[1].nvcsw, 1);
	assert_int_equal(told.closed[3].nivcsw, 0);
	assert_parts(&t.ledger.open, 0);
	assert_int_equal(t.ledger.open.nivcsw, 1);
	assert_int_equal(t.ledger.open.begin_ns, 2200 * MS);
}

static void ledger__begun_inside_a_window__counts_from_there(void **state)
{
	struct thread t = begins(&grid, 2040 * MS, SS_LEDGER_QUEUE);

	(void)state;
	gets_cpu(&t, 2043 * MS, true);
	leaves_cpu(&t, 2060 * MS, 0, SS_LEDGER_SLEEP, true);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.closed[0].window, 21);
	assert_int_equal(told.closed[0].begin_ns, 2040 * MS);
	assert_int_equal(told.closed[0].end_ns, 2050 * MS);
	assert_parts(&told.closed[0], 0, 7 * MS, 3 * MS);
}

static void ledger__born__says_so_in_its_first_window_only(void **state)
{
	struct ss_ledger l;

	(void)state;
	told.n = 0;
	ss_ledger_begin(&l, &grid, 2010 * MS, SS_LEDGER_QUEUE, SS_LEDGER_BORN);
	ss_ledger_advance(&l, &grid, 2060 * MS);
	ss_ledger_advance(&l, &grid, 2110 * MS);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_BORN);
	assert_int_equal(told.closed[0].cpu, -1);
	assert_int_equal(told.closed[1].flags, 0);
}

static void ledger__account_that_ends_on_a_cpu__has_no_switch_for_that(void **state)
{
	struct thread t = begins(&grid, 2010 * MS, SS_LEDGER_RUN);

	(void)state;
	t.k.now_ns = 2030 * MS;
	t.k.runtime_ns += 20 * MS;
	ss_ledger_switch_out(&t.ledger, &grid, &t.k, SS_LEDGER_DEAD, &t.cause, -1);
	assert_parts(&t.ledger.open, 0, 20 * MS);
	assert_int_equal(t.ledger.open.phase, SS_LEDGER_DEAD);
	assert_int_equal(t.ledger.open.flags, 0);
	assert_int_equal(t.ledger.open.nvcsw + t.ledger.open.nivcsw, 0);
}

static void ledger__phase_over_many_windows__is_one_record(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_STOP, true);
	wakes(&t, 2530 * MS, true);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.closed[0].window, 21);
	assert_int_equal(told.closed[0].more, 9);
	assert_int_equal(told.closed[0].end_ns, 2050 * MS);
	assert_int_equal(told.closed[0].phase, SS_LEDGER_STOP);
	assert_parts(&told.closed[0], 0, 20 * MS, 0, 0, 0, 0, 30 * MS);
	/* What is left is in the open one. */
	assert_int_equal(t.ledger.open.window, 31);
	assert_int_equal(t.ledger.open.more, 0);
	assert_int_equal(t.ledger.open.begin_ns, 2500 * MS);
	assert_int_equal(t.ledger.open.nvcsw, 0);
	assert_parts(&t.ledger.open, 0, 0, 0, 0, 0, 0, 30 * MS);
}

static void ledger__before_the_first_window__closes_window_0(void **state)
{
	struct thread t = begins(&grid, EPOCH - 3 * MS, SS_LEDGER_SLEEP);

	(void)state;
	ss_ledger_advance(&t.ledger, &grid, EPOCH + 60 * MS);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.closed[0].window, 0);
	assert_int_equal(told.closed[0].more, 1);
	assert_parts(&told.closed[0], 0, 0, 0, 3 * MS);
	assert_int_equal(t.ledger.open.window, 2);
}

static void ledger__clock_of_the_other_cpu_is_behind__loses_nothing(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);
	struct ss_ledger before;

	(void)state;
	wakes(&t, 2050 * MS, true);
	before = t.ledger;
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS - 200);
	assert_memory_equal(&t.ledger, &before, sizeof(before));
	/* Its clock is behind that of the CPU it was woken on, and behind the end of the window. */
	t.k.last_queued_ns = 2050 * MS - 200;
	gets_cpu(&t, 2050 * MS - 100, true);
	assert_int_equal(t.ledger.since_ns, 2050 * MS);
	leaves_cpu(&t, 2060 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_whole(&told.closed[0], 21);
	assert_parts(&told.closed[0], 0, 0, 0, INTERVAL);
	assert_whole(&told.closed[1], 22);
	assert_parts(&told.closed[1], 0, 10 * MS, 0, 40 * MS);
}

static void ledger__repair_with_a_clock_that_is_behind__has_no_negative_bound(void **state)
{
	struct thread in = begins(&grid, 2000 * MS, SS_LEDGER_RUN), out;

	(void)state;
	leaves_cpu(&in, 2010 * MS, 0, SS_LEDGER_SLEEP, true);
	out = in;
	/* Woken at once, without an event, by a CPU whose clock is behind. */
	wakes(&in, 2010 * MS - 200, false);
	gets_cpu(&in, 2010 * MS - 100, true);
	assert_int_equal(in.ledger.open.flags, SS_LEDGER_REPAIRED);
	assert_int_equal(in.ledger.open.bound_ns, 0);
	/* The same, and its switches were missed until it leaves the CPU for the second time. */
	out.k.pcount++;
	wakes(&out, 2010 * MS - 200, false);
	gets_cpu(&out, 2010 * MS - 100, false);
	leaves_cpu(&out, 2010 * MS - 50, 0, SS_LEDGER_SLEEP, true);
	assert_int_equal(out.ledger.open.flags, SS_LEDGER_REPAIRED);
	assert_int_equal(out.ledger.open.bound_ns, 0);
}

static void ledger__run__is_what_the_runtime_counter_says(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2010 * MS, true);
	/* It counted a microsecond less than went by, and nothing says where that is. */
	t.k.runtime_ns -= 1000;
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_QUEUE, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 20 * MS - 1000, 20 * MS, 10 * MS, 0, 0, 0, 1000);
	assert_int_equal(told.closed[0].flags, 0);
}

static void ledger__sleeper__left_when_its_counter_came_to_a_stand(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	/* Its switch is 15 us behind the end of the window, which is 5 us behind that. */
	t.k.runtime_ns -= 20000;
	leaves_cpu(&t, 2050 * MS + 15000, 0, SS_LEDGER_BLOCK, true);
	assert_int_equal(told.n, 0);
	ss_ledger_advance(&t.ledger, &grid, 2090 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 50 * MS - 5000, 0, 0, 5000);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 20000);
	assert_parts(&t.ledger.open, 0, 0, 0, 0, 40 * MS);
	assert_int_equal(t.ledger.open.flags, 0);
}

static void ledger__sleeper_with_missed_switches__has_a_residual(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_SLEEP, false);
	wakes(&t, 2020 * MS, false);
	gets_cpu(&t, 2020 * MS, false);
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 20 * MS, 0, 20 * MS, 0, 0, 0, 10 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 10 * MS);
	assert_int_equal(t.ledger.open.flags, 0);
}

static void ledger__missed_switches_over_a_window_end__both_windows_say_so(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2020 * MS, false);
	leaves_cpu(&t, 2055 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	/* Its counter has 45 ms; what it did in the other 10 is not known. */
	assert_parts(&told.closed[0], 0, 45 * MS, 0, 0, 0, 0, 0, 5 * MS);
	assert_parts(&told.closed[1], 0, 0, 0, 45 * MS, 0, 0, 0, 5 * MS);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(told.closed[i].flags, SS_LEDGER_REPAIRED);
		assert_int_equal(told.closed[i].bound_ns, 10 * MS);
	}
	assert_int_equal(t.ledger.open.flags, 0);
}

static void ledger__missed_switch_out__is_not_missed_again(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2020 * MS, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	leaves_cpu(&t, 2060 * MS, 0, SS_LEDGER_QUEUE, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_whole(&told.closed[1], 22);
	assert_int_equal(told.closed[1].flags, 0);
}

static void ledger__time_stolen_while_on_a_cpu__is_a_part(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2010 * MS, true);
	leaves_cpu(&t, 2030 * MS, 3 * MS, SS_LEDGER_SLEEP, true);
	/* What is stolen from others is not its own. */
	t.k.skew_ns += 5 * MS;
	wakes(&t, 2040 * MS, true);
	gets_cpu(&t, 2040 * MS, true);
	leaves_cpu(&t, 2045 * MS, 1 * MS, SS_LEDGER_QUEUE, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_whole(&told.closed[0], 21);
	assert_parts(&told.closed[0], 4 * MS, 21 * MS, 5 * MS, 20 * MS);
}

static void ledger__stolen_over_a_window_end__comes_after_the_run(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2060 * MS, 14 * MS, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_whole(&told.closed[0], 21);
	assert_whole(&told.closed[1], 22);
	assert_parts(&told.closed[0], 4 * MS, 46 * MS);
	assert_parts(&told.closed[1], 10 * MS, 0, 0, 40 * MS);
}

static void ledger__gap_over_a_window_end__leaves_no_part_negative(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	t.k.runtime_ns -= 3 * MS;
	leaves_cpu(&t, 2051 * MS, 0, SS_LEDGER_QUEUE, true);
	gets_cpu(&t, 2051 * MS, true);
	/* Two windows go by meanwhile. */
	t.k.runtime_ns -= 120 * MS;
	leaves_cpu(&t, 2201 * MS, 0, SS_LEDGER_QUEUE, true);
	ss_ledger_advance(&t.ledger, &grid, 2250 * MS);
	assert_int_equal(told.n, 3);
	assert_parts(&told.closed[0], 0, 48 * MS, 0, 0, 0, 0, 0, 2 * MS);
	assert_parts(&told.closed[1], 0, 30 * MS, 0, 0, 0, 0, 0, 20 * MS);
	assert_int_equal(told.closed[1].more, 2);
	assert_int_equal(told.closed[1].phase, SS_LEDGER_UNEXPLAINED);
	assert_parts(&told.closed[2], 0, 0, 49 * MS, 0, 0, 0, 0, 1 * MS);
}

static void ledger__counters_beyond_the_clock__are_believed(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	t.k.runtime_ns += 2 * MS;
	leaves_cpu(&t, 2010 * MS, 3 * MS, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 3 * MS, 9 * MS, 0, 40 * MS);
	assert_int_equal(sum(&told.closed[0]), INTERVAL + 2 * MS);
}

static void ledger__missed_switch_in__is_put_right(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2012 * MS, false);
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_BLOCK, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 8 * MS, 2 * MS, 10 * MS, 30 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 0);
	assert_int_equal(told.closed[0].nvcsw, 1);
}

static void ledger__missed_switch_in_before_its_counter_began__is_queued_until_then(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2012 * MS, false);
	t.k.runtime_ns -= MS;
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_QUEUE, true);
	gets_cpu(&t, 2030 * MS, true);
	/* The next time it was seen. */
	t.k.runtime_ns -= MS;
	leaves_cpu(&t, 2045 * MS, 0, SS_LEDGER_QUEUE, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 21 * MS, 18 * MS, 10 * MS, 0, 0, 0, MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, MS);
}

static void ledger__missed_switch_in_and_out__is_bounded(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2012 * MS, false);
	leaves_cpu(&t, 2013 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2016 * MS, false);
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_BLOCK, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	/* Its counter has the millisecond that it ran in between; where that was is not known. */
	assert_parts(&told.closed[0], 0, 5 * MS, 6 * MS, 10 * MS, 30 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 6 * MS);
}

static void ledger__missed_wakeup_and_switch_in__are_put_right(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_IOWAIT);

	(void)state;
	wakes(&t, 2010 * MS, false);
	gets_cpu(&t, 2012 * MS, false);
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 8 * MS, 2 * MS, 30 * MS, 0, 10 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 0);
}

static void ledger__missed_switch_in_over_a_window_end__both_windows_say_so(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2040 * MS, false);
	leaves_cpu(&t, 2060 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_parts(&told.closed[0], 0, 10 * MS, 30 * MS, 10 * MS);
	assert_parts(&told.closed[1], 0, 10 * MS, 0, 40 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[1].flags, SS_LEDGER_REPAIRED);
}

static void ledger__missed_wakeup__is_when_the_kernel_queued_it(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	t.ledger.open.cpu = CPU;
	wakes(&t, 2010 * MS, false);
	gets_cpu(&t, 2013 * MS, true);
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_BLOCK, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 17 * MS, 3 * MS, 10 * MS, 20 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 0);
}

static void ledger__missed_wakeup_on_another_cpu__is_bounded(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	t.ledger.open.cpu = CPU + 1;
	wakes(&t, 2010 * MS, false);
	gets_cpu(&t, 2013 * MS, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 37 * MS, 3 * MS, 10 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 3 * MS);
}

static void ledger__missed_wakeup_at_no_known_instant__is_bounded(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	t.k.last_queued_ns = 0;
	gets_cpu(&t, 2013 * MS, true);
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_BLOCK, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_parts(&told.closed[0], 0, 17 * MS, 0, 13 * MS, 20 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 13 * MS);
	assert_whole(&told.closed[1], 22);
}

static void ledger__missed_wakeup_over_a_window_end__both_windows_say_so(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	t.k.last_queued_ns = 0;
	gets_cpu(&t, 2080 * MS, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_true(told.closed[0].bound_ns >= (int64_t)INTERVAL);
	/* It may have been queued in all of the 30 ms before. */
	assert_parts(&told.closed[1], 0, 20 * MS, 0, 30 * MS);
	assert_int_equal(told.closed[1].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[1].bound_ns, 30 * MS);
}

static void ledger__missed_preemption__is_put_right(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2005 * MS, true);
	gets_cpu(&t, 2005 * MS, true);
	leaves_cpu(&t, 2015 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2018 * MS, true);
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 12 * MS, 3 * MS, 35 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 0);
}

static void ledger__missed_sleep__is_bounded(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2005 * MS, true);
	gets_cpu(&t, 2005 * MS, true);
	leaves_cpu(&t, 2015 * MS, 0, SS_LEDGER_BLOCK, false);
	/* The wakeup finds it on a CPU, as far as is known. */
	wakes(&t, 2025 * MS, true);
	assert_int_equal(t.ledger.open.phase, SS_LEDGER_RUN);
	gets_cpu(&t, 2027 * MS, true);
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	/* Run and the wait for a CPU are right; that it was blocked is not known. */
	assert_parts(&told.closed[0], 0, 13 * MS, 2 * MS, 35 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_true(told.closed[0].bound_ns >= 10 * (int64_t)MS);
	assert_true(told.closed[0].bound_ns <= 12 * (int64_t)MS);
}

static void ledger__missed_switch_out_and_in__is_bounded(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2005 * MS, true);
	gets_cpu(&t, 2005 * MS, true);
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2012 * MS, false);
	leaves_cpu(&t, 2014 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2020 * MS, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.closed[0].ns[SS_LEDGER_RUN], 37 * MS);
	assert_int_equal(sum(&told.closed[0]), INTERVAL);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_true(told.closed[0].bound_ns >= 8 * (int64_t)MS);
}

static void ledger__wakeup_of_one_that_is_not_asleep__changes_nothing(void **state)
{
	static const uint8_t phase[] = { SS_LEDGER_RUN, SS_LEDGER_QUEUE, SS_LEDGER_DEAD };

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(phase); i++) {
		struct thread t = begins(&grid, 2000 * MS, phase[i]);
		struct ss_ledger before = t.ledger;

		ss_ledger_wakeup(&t.ledger, &grid, 2070 * MS, 7);
		assert_memory_equal(&t.ledger, &before, sizeof(before));
		assert_int_equal(told.n, 0);
	}
}

static void ledger__arrived_by_its_counters__runs_from_there(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);
	struct ss_ledger before;

	(void)state;
	wakes(&t, 2040 * MS, true);
	before = t.ledger;
	/* Nothing is missing while the counters say that it is queued. */
	ss_ledger_arrived(&t.ledger, &grid, t.k.pcount, t.k.run_delay_ns);
	assert_memory_equal(&t.ledger, &before, sizeof(before));
	gets_cpu(&t, 2044 * MS, false);
	ss_ledger_arrived(&t.ledger, &grid, t.k.pcount, t.k.run_delay_ns);
	assert_int_equal(t.ledger.open.phase, SS_LEDGER_RUN);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 6 * MS, 4 * MS, 40 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 0);
	/* Only one that waits for a CPU gets one. */
	before = t.ledger;
	ss_ledger_arrived(&t.ledger, &grid, t.k.pcount + 1, t.k.run_delay_ns + MS);
	assert_memory_equal(&t.ledger, &before, sizeof(before));
}

static void ledger__arrived_more_than_once__is_bounded(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_SLEEP);

	(void)state;
	wakes(&t, 2010 * MS, true);
	gets_cpu(&t, 2011 * MS, false);
	leaves_cpu(&t, 2012 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2015 * MS, false);
	ss_ledger_arrived(&t.ledger, &grid, t.k.pcount, t.k.run_delay_ns);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 36 * MS, 4 * MS, 10 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 4 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grid__any__has_each_instant_in_one_window),
		cmocka_unit_test(grid__second_epoch__moves_only_what_comes_after),
		cmocka_unit_test(ledger__one_sleep_inside_a_window__has_all_parts),
		cmocka_unit_test(ledger__every_kind_of_wait__has_its_part),
		cmocka_unit_test(ledger__events_on_the_end_of_a_window__belong_to_the_next),
		cmocka_unit_test(ledger__begun_inside_a_window__counts_from_there),
		cmocka_unit_test(ledger__born__says_so_in_its_first_window_only),
		cmocka_unit_test(ledger__account_that_ends_on_a_cpu__has_no_switch_for_that),
		cmocka_unit_test(ledger__phase_over_many_windows__is_one_record),
		cmocka_unit_test(ledger__before_the_first_window__closes_window_0),
		cmocka_unit_test(ledger__clock_of_the_other_cpu_is_behind__loses_nothing),
		cmocka_unit_test(ledger__repair_with_a_clock_that_is_behind__has_no_negative_bound),
		cmocka_unit_test(ledger__run__is_what_the_runtime_counter_says),
		cmocka_unit_test(ledger__sleeper__left_when_its_counter_came_to_a_stand),
		cmocka_unit_test(ledger__sleeper_with_missed_switches__has_a_residual),
		cmocka_unit_test(ledger__missed_switches_over_a_window_end__both_windows_say_so),
		cmocka_unit_test(ledger__missed_switch_out__is_not_missed_again),
		cmocka_unit_test(ledger__time_stolen_while_on_a_cpu__is_a_part),
		cmocka_unit_test(ledger__stolen_over_a_window_end__comes_after_the_run),
		cmocka_unit_test(ledger__gap_over_a_window_end__leaves_no_part_negative),
		cmocka_unit_test(ledger__counters_beyond_the_clock__are_believed),
		cmocka_unit_test(ledger__missed_switch_in__is_put_right),
		cmocka_unit_test(ledger__missed_switch_in_before_its_counter_began__is_queued_until_then),
		cmocka_unit_test(ledger__missed_switch_in_and_out__is_bounded),
		cmocka_unit_test(ledger__missed_wakeup_and_switch_in__are_put_right),
		cmocka_unit_test(ledger__missed_switch_in_over_a_window_end__both_windows_say_so),
		cmocka_unit_test(ledger__missed_wakeup__is_when_the_kernel_queued_it),
		cmocka_unit_test(ledger__missed_wakeup_on_another_cpu__is_bounded),
		cmocka_unit_test(ledger__missed_wakeup_at_no_known_instant__is_bounded),
		cmocka_unit_test(ledger__missed_wakeup_over_a_window_end__both_windows_say_so),
		cmocka_unit_test(ledger__missed_preemption__is_put_right),
		cmocka_unit_test(ledger__missed_sleep__is_bounded),
		cmocka_unit_test(ledger__missed_switch_out_and_in__is_bounded),
		cmocka_unit_test(ledger__wakeup_of_one_that_is_not_asleep__changes_nothing),
		cmocka_unit_test(ledger__arrived_by_its_counters__runs_from_there),
		cmocka_unit_test(ledger__arrived_more_than_once__is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
