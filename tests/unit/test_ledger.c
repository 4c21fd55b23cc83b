// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "bpf/wire.h"

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed);

#include "bpf/ledger.h"

#define MS 1000000ULL
#define INTERVAL (50 * MS)
#define EPOCH (1000 * MS)
#define CPU 3

/* Windows that closed: of the thread itself, or of a copy of its ledger. */
struct told {
	struct ss_closed closed[64];
	size_t n;
};

static struct told told, derived, *telling = &told;

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	(void)l;
	assert_true(telling->n < SS_ARRAY_SIZE(telling->closed));
	telling->closed[telling->n++] = *closed;
}

/* Window 21 is from 2000 to 2050 ms. */
static const struct ss_grid grid = { .interval_ns = INTERVAL, .epoch_ns = { EPOCH, EPOCH } };

/* A thread with the counters that the kernel keeps of it. The ledger sees an event or misses it. */
struct thread {
	struct ss_ledger ledger;
	const struct ss_grid *grid;
	struct ss_switch k;
};

static struct thread begins(const struct ss_grid *g, uint64_t at_ns, uint8_t phase)
{
	struct thread t = {
		.grid = g,
		.k = { .skew_ns = 7 * MS, .runtime_ns = 300 * MS, .run_delay_ns = 20 * MS,
		       .pcount = 70 },
	};

	told.n = derived.n = 0;
	ss_ledger_begin(&t.ledger, g, at_ns, phase, 0);
	t.ledger.skew_ns = t.k.skew_ns;
	t.ledger.runtime_ns = t.k.runtime_ns;
	t.ledger.run_delay_ns = t.k.run_delay_ns;
	t.ledger.pcount = t.k.pcount;
	if (phase == SS_LEDGER_QUEUE)
		t.k.last_queued_ns = at_ns;
	if (phase == SS_LEDGER_RUN) {
		t.k.last_arrival_ns = at_ns;
		t.k.pcount++;
	}
	return t;
}

static void wakes(struct thread *t, uint64_t at_ns, bool seen)
{
	t->k.last_queued_ns = at_ns;
	if (seen)
		ss_ledger_wakeup(&t->ledger, t->grid, at_ns);
}

static void gets_cpu(struct thread *t, uint64_t at_ns, bool seen)
{
	t->k.now_ns = at_ns;
	/* The kernel counts an arrival after it has told of the switch. */
	if (seen)
		ss_ledger_switch_in(&t->ledger, t->grid, &t->k, CPU);
	t->k.run_delay_ns += at_ns - t->k.last_queued_ns;
	t->k.last_arrival_ns = at_ns;
	t->k.last_queued_ns = 0;
	t->k.pcount++;
}

static void leaves_cpu(struct thread *t, uint64_t at_ns, uint64_t stolen_ns, uint8_t phase,
		       bool seen)
{
	t->k.now_ns = at_ns;
	t->k.skew_ns += stolen_ns;
	t->k.runtime_ns += at_ns - t->k.last_arrival_ns - stolen_ns;
	if (seen)
		ss_ledger_switch_out(&t->ledger, t->grid, &t->k, phase, phase != SS_LEDGER_QUEUE);
	if (phase == SS_LEDGER_QUEUE)
		t->k.last_queued_ns = at_ns;
}

static int64_t sum(const struct ss_closed *closed)
{
	int64_t ns = 0;

	for (int i = 0; i < SS_LEDGER_PARTS; i++)
		ns += closed->ns[i];
	return ns;
}

#define assert_parts(closed, ...) \
	assert_parts_at(closed, (const int64_t[SS_LEDGER_PARTS]){ __VA_ARGS__ }, __LINE__)

/* stolen, run, queue, sleep, block, iowait, stop. */
static void assert_parts_at(const struct ss_closed *closed, const int64_t *want, int line)
{
	static const char *const name[SS_LEDGER_PARTS] = {
		"stolen", "run", "queue", "sleep", "block", "iowait", "stop", "dead",
	};

	for (int i = 0; i < SS_LEDGER_PARTS; i++)
		if (closed->ns[i] != want[i])
			fail_msg("line %d: %s is %lld, not %lld", line, name[i],
				 (long long)closed->ns[i], (long long)want[i]);
}

/* It closed window @window alone, which is whole and was never repaired. */
static void assert_whole(const struct ss_closed *closed, uint64_t window)
{
	assert_int_equal(closed->window, window);
	assert_int_equal(closed->more, 0);
	assert_int_equal(closed->begin_ns, EPOCH + (window - 1) * INTERVAL);
	assert_int_equal(closed->end_ns, EPOCH + window * INTERVAL);
	assert_int_equal(closed->flags, 0);
	assert_int_equal(closed->bound_ns, 0);
	assert_int_equal(sum(closed), INTERVAL);
}

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A second epoch is a little earlier or later than the first, or the same. */
static struct ss_grid random_grid(uint64_t windows)
{
	struct ss_grid g = { .interval_ns = next_random() % (100 * MS) + MS };
	uint64_t change = next_random() % (g.interval_ns - 1) + 1;

	g.epoch_ns[0] = g.epoch_ns[1] = next_random() % (1000000 * MS) + 1000 * MS;
	if (next_random() % 4)
		g.epoch_ns[1] += next_random() % 2 ? change : -change;
	if (g.epoch_ns[1] != g.epoch_ns[0])
		g.from = next_random() % windows + 1;
	return g;
}

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
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 20 * MS - 1000, 0, 30 * MS);
	assert_int_equal(sum(&told.closed[0]), INTERVAL - 1000);
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

static void ledger__stolen_over_a_window_end__is_of_the_window_it_is_seen_in(void **state)
{
	struct thread t = begins(&grid, 2000 * MS, SS_LEDGER_RUN);

	(void)state;
	leaves_cpu(&t, 2060 * MS, 4 * MS, SS_LEDGER_SLEEP, true);
	ss_ledger_advance(&t.ledger, &grid, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_whole(&told.closed[0], 21);
	assert_whole(&told.closed[1], 22);
	assert_parts(&told.closed[0], 0, INTERVAL);
	assert_parts(&told.closed[1], 4 * MS, 6 * MS, 0, 40 * MS);
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
	wakes(&t, 2010 * MS, false);
	gets_cpu(&t, 2013 * MS, true);
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_BLOCK, true);
	ss_ledger_advance(&t.ledger, &grid, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 17 * MS, 3 * MS, 10 * MS, 20 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 0);
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

		ss_ledger_wakeup(&t.ledger, &grid, 2070 * MS);
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

/* What a thread really did, window by window; found without any function of the ledger. */
#define WINDOWS 4096
struct truth {
	uint64_t end_ns[WINDOWS];
	uint64_t window;		/* in which the newest instant lies */
	struct {
		int64_t ns[SS_LEDGER_PARTS];
		uint32_t nvcsw, nivcsw;
	} in[WINDOWS];
};

static struct truth truth;

static void truth_begins(const struct ss_grid *g, uint64_t at_ns)
{
	memset(&truth, 0, sizeof(truth));
	truth.end_ns[0] = g->epoch_ns[0];
	for (uint64_t w = 1; w < WINDOWS; w++) {
		truth.end_ns[w] = truth.end_ns[w - 1] + g->interval_ns;
		if (w == g->from)
			truth.end_ns[w] += g->epoch_ns[1] - g->epoch_ns[0];
	}
	while (at_ns >= truth.end_ns[truth.window])
		truth.window++;
}

static void truth_goes_on(uint8_t phase, uint64_t from_ns, uint64_t to_ns)
{
	for (; to_ns >= truth.end_ns[truth.window]; truth.window++) {
		truth.in[truth.window].ns[phase] += (int64_t)(truth.end_ns[truth.window] - from_ns);
		from_ns = truth.end_ns[truth.window];
	}
	truth.in[truth.window].ns[phase] += (int64_t)(to_ns - from_ns);
}

static void assert_true_parts(const struct ss_closed *closed, uint64_t window)
{
	for (int part = 0; part < SS_LEDGER_PARTS; part++)
		assert_int_equal(closed->ns[part], truth.in[window].ns[part]);
	assert_int_equal(closed->nvcsw, truth.in[window].nvcsw);
	assert_int_equal(closed->nivcsw, truth.in[window].nivcsw);
}

/* All that closed since the last call: conservation, alignment, order and truth. */
static void check_told(uint64_t *next, uint64_t *begin_ns)
{
	for (size_t i = 0; i < told.n; i++) {
		const struct ss_closed *c = &told.closed[i];

		assert_int_equal(c->window, *next);
		assert_int_equal(c->begin_ns, *begin_ns);
		assert_int_equal(c->end_ns, truth.end_ns[c->window]);
		assert_int_equal(sum(c), c->end_ns - c->begin_ns);
		assert_int_equal(c->flags, 0);
		assert_int_equal(c->bound_ns, 0);
		assert_true_parts(c, c->window);
		for (uint64_t w = c->window + 1; w <= c->window + c->more; w++) {
			struct ss_closed whole = { .phase = c->phase };

			whole.ns[c->phase] = (int64_t)(truth.end_ns[w] - truth.end_ns[w - 1]);
			assert_true_parts(&whole, w);
		}
		*next = c->window + c->more + 1;
		*begin_ns = truth.end_ns[*next - 1];
	}
	told.n = 0;
}

/* How long a phase takes: nothing, next to nothing, up to the end of a window, or many of them. */
static uint64_t random_time(const struct ss_grid *g, uint64_t now_ns)
{
	switch (next_random() % 8) {
	case 0:
		return 0;
	case 1:
		return next_random() % 3;
	case 2:
		return truth.end_ns[truth.window] - now_ns;
	case 3:
		return truth.end_ns[truth.window + next_random() % 5] - now_ns;
	case 4:
		return next_random() % (g->interval_ns * 12);
	default:
		return next_random() % (g->interval_ns / 4);
	}
}

/* Somebody who cannot wait takes a copy at instants before the next event. */
static void derive(const struct thread *t, uint64_t until_ns)
{
	struct ss_ledger copy = t->ledger;
	uint64_t at_ns = copy.since_ns;

	derived.n = 0;
	telling = &derived;
	for (int i = 0; i < 3; i++) {
		at_ns += next_random() % (until_ns - at_ns + 1);
		ss_ledger_advance(&copy, t->grid, at_ns);
	}
	telling = &told;
}

/* What was derived is what the event closes, which may come to more windows of the same kind. */
static void check_derived(size_t already)
{
	const struct ss_closed *c = &told.closed[already];
	uint64_t whole;

	if (!derived.n)
		return;
	assert_true(told.n > already);
	assert_int_equal(derived.closed[0].window, c->window);
	assert_int_equal(derived.closed[0].begin_ns, c->begin_ns);
	assert_int_equal(derived.closed[0].end_ns, c->end_ns);
	assert_int_equal(derived.closed[0].nvcsw, c->nvcsw);
	assert_int_equal(derived.closed[0].nivcsw, c->nivcsw);
	assert_memory_equal(derived.closed[0].ns, c->ns, sizeof(c->ns));
	whole = c->window + derived.closed[0].more;
	for (size_t i = 1; i < derived.n; i++) {
		const struct ss_closed *d = &derived.closed[i];

		assert_int_equal(d->window, whole + 1);
		assert_int_equal(d->ns[c->phase], truth.end_ns[d->window] -
				 truth.end_ns[d->window - 1]);
		assert_int_equal(sum(d), d->ns[c->phase]);
		whole += 1 + d->more;
	}
	assert_true(whole <= c->window + c->more);
}

/*
 * A simulated thread: runs, is preempted, sleeps in all ways, for random times on a random grid.
 * The windows must be the simulation's to the nanosecond.
 */
static void ledger__random_schedule__conserves_time_and_finds_the_truth(void **state)
{
	(void)state;
	for (int round = 0; round < 300; round++) {
		struct ss_grid g = random_grid(200);
		uint64_t now_ns = g.epoch_ns[0] + next_random() % (g.interval_ns * 3);
		uint8_t phase = (uint8_t)(next_random() % SS_LEDGER_STOP + SS_LEDGER_RUN);
		struct thread t = begins(&g, now_ns, phase);
		uint64_t begin_ns = now_ns, next;

		truth_begins(&g, now_ns);
		next = truth.window;
		for (int step = 0; step < 1000 && truth.window + 20 < WINDOWS; step++) {
			uint64_t at_ns = now_ns + random_time(&g, now_ns), stolen_ns = 0;
			uint8_t was = phase;

			derive(&t, at_ns);
			truth_goes_on(was, now_ns, at_ns);
			switch (phase) {
			case SS_LEDGER_RUN:
				phase = (uint8_t)(next_random() % 5 + SS_LEDGER_QUEUE);
				if (next_random() % 4 == 0)
					stolen_ns = next_random() % (at_ns - now_ns + 1);
				truth.in[truth.window].ns[SS_LEDGER_STOLEN] += (int64_t)stolen_ns;
				truth.in[truth.window].ns[SS_LEDGER_RUN] -= (int64_t)stolen_ns;
				if (phase == SS_LEDGER_QUEUE)
					truth.in[truth.window].nivcsw++;
				else
					truth.in[truth.window].nvcsw++;
				leaves_cpu(&t, at_ns, stolen_ns, phase, true);
				break;
			case SS_LEDGER_QUEUE:
				phase = SS_LEDGER_RUN;
				gets_cpu(&t, at_ns, true);
				break;
			default:
				phase = SS_LEDGER_QUEUE;
				wakes(&t, at_ns, true);
				break;
			}
			now_ns = at_ns;
			check_derived(0);
			check_told(&next, &begin_ns);
			assert_int_equal(t.ledger.open.window, truth.window);
			assert_true_parts(&t.ledger.open, truth.window);
		}
	}
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
		cmocka_unit_test(ledger__phase_over_many_windows__is_one_record),
		cmocka_unit_test(ledger__before_the_first_window__closes_window_0),
		cmocka_unit_test(ledger__clock_of_the_other_cpu_is_behind__loses_nothing),
		cmocka_unit_test(ledger__repair_with_a_clock_that_is_behind__has_no_negative_bound),
		cmocka_unit_test(ledger__run__is_what_the_runtime_counter_says),
		cmocka_unit_test(ledger__time_stolen_while_on_a_cpu__is_a_part),
		cmocka_unit_test(ledger__stolen_over_a_window_end__is_of_the_window_it_is_seen_in),
		cmocka_unit_test(ledger__missed_switch_in__is_put_right),
		cmocka_unit_test(ledger__missed_switch_in_and_out__is_bounded),
		cmocka_unit_test(ledger__missed_wakeup_and_switch_in__are_put_right),
		cmocka_unit_test(ledger__missed_switch_in_over_a_window_end__both_windows_say_so),
		cmocka_unit_test(ledger__missed_wakeup__is_when_the_kernel_queued_it),
		cmocka_unit_test(ledger__missed_wakeup_at_no_known_instant__is_bounded),
		cmocka_unit_test(ledger__missed_wakeup_over_a_window_end__both_windows_say_so),
		cmocka_unit_test(ledger__missed_preemption__is_put_right),
		cmocka_unit_test(ledger__missed_sleep__is_bounded),
		cmocka_unit_test(ledger__missed_switch_out_and_in__is_bounded),
		cmocka_unit_test(ledger__wakeup_of_one_that_is_not_asleep__changes_nothing),
		cmocka_unit_test(ledger__arrived_by_its_counters__runs_from_there),
		cmocka_unit_test(ledger__arrived_more_than_once__is_bounded),
		cmocka_unit_test(ledger__random_schedule__conserves_time_and_finds_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
