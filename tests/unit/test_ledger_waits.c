// SPDX-License-Identifier: GPL-2.0-or-later
#include "ledger.h"

#define WAKER (100ULL << 32 | 101)

static const struct ss_cause futex = {
	SS_WAIT_FUTEX, SS_OBJECT_FUTEX, 202, -1, { 0x7000, 0 }
};

static const struct ss_cause unknown = { SS_WAIT_UNKNOWN, SS_OBJECT_NONE, -1, -1, { 0, 0 } };

/* It runs, and will wait for the futex until WAKER wakes it. */
static struct thread runs(uint64_t at_ns)
{
	struct thread t = begins(&grid, at_ns, SS_LEDGER_RUN);

	t.cause = futex;
	t.waker = WAKER;
	return t;
}

/* A wait from @at_ns on for @length_ns, and it is on a CPU again at once. */
static void waits(struct thread *t, uint64_t at_ns, uint64_t length_ns)
{
	leaves_cpu(t, at_ns, 0, SS_LEDGER_SLEEP, true);
	wakes(t, at_ns + length_ns, true);
	gets_cpu(t, at_ns + length_ns, true);
}

/* Closes windows up to @at_ns: their waits are told then. */
static void goes_on(struct thread *t, uint64_t at_ns)
{
	ss_ledger_advance(&t->ledger, &grid, at_ns);
}

/* Part @i that was told, which is of @window and was for @cause. */
static const struct ss_wait *part(size_t i, uint64_t window, const struct ss_cause *cause)
{
	assert_true(i < told.nparts);
	assert_int_equal(told.part[i].window, window);
	assert_memory_equal(&told.part[i].wait.cause, cause, sizeof(*cause));
	return &told.part[i].wait;
}

/* It ended waits in that window, of which the buckets tell, too. */
static void assert_ended(const struct ss_wait *w, uint64_t waker, uint64_t ns, uint32_t count,
			 uint64_t ended_ns, uint64_t max_ns)
{
	uint32_t n = 0;

	assert_int_equal(w->waker, waker);
	assert_int_equal(w->ns, ns);
	assert_int_equal(w->count, count);
	assert_int_equal(w->ended_ns, ended_ns);
	assert_int_equal(w->max_ns, max_ns);
	for (int i = 0; i < SS_WAIT_BUCKETS; i++)
		n += w->hist[i];
	assert_int_equal(n, count);
	if (count)
		assert_true(w->hist[ss_wait_bucket(max_ns)] > 0);
}

/* Its wait goes on: nobody ended it, and its length is not known. */
static void assert_goes_on(const struct ss_wait *w, uint64_t ns)
{
	assert_ended(w, 0, ns, 0, 0, 0);
}

static void bucket__any_length__is_below_its_end(void **state)
{
	(void)state;
	assert_int_equal(ss_wait_bucket(0), 0);
	assert_int_equal(ss_wait_bucket(1023), 0);
	for (uint32_t b = 1; b < SS_WAIT_BUCKETS - 1; b++) {
		assert_int_equal(ss_wait_bucket(1ULL << (b + 9)), b);
		assert_int_equal(ss_wait_bucket((1ULL << (b + 10)) - 1), b);
	}
	for (int shift = SS_WAIT_BUCKETS + 8; shift < 64; shift++)
		assert_int_equal(ss_wait_bucket(1ULL << shift), SS_WAIT_BUCKETS - 1);
	assert_int_equal(ss_wait_bucket(UINT64_MAX), SS_WAIT_BUCKETS - 1);
}

static void waits__one_inside_a_window__is_told_with_it(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits(&t, 2010 * MS, 25 * MS);
	assert_int_equal(told.nparts, 0);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &futex), WAKER, 25 * MS, 1, 25 * MS, 25 * MS);
	/* From 16.8 to 33.6 ms. */
	assert_int_equal(told.part[0].wait.hist[15], 1);
	/* The next window has none. */
	goes_on(&t, 2100 * MS);
	assert_int_equal(told.n, 2);
	assert_int_equal(told.nparts, 1);
}

static void waits__over_the_end_of_a_window__end_in_the_next(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits(&t, 2010 * MS, 70 * MS);
	goes_on(&t, 2100 * MS);
	assert_int_equal(told.nparts, 2);
	assert_goes_on(part(0, 21, &futex), 40 * MS);
	assert_ended(part(1, 22, &futex), WAKER, 30 * MS, 1, 70 * MS, 70 * MS);
	assert_int_equal(told.part[1].wait.hist[ss_wait_bucket(70 * MS)], 1);
}

static void waits__that_end_with_a_window__count_in_the_next(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits(&t, 2010 * MS, 40 * MS);
	/* One that begins with a window has no part in the one before. */
	waits(&t, 2100 * MS, 10 * MS);
	goes_on(&t, 2150 * MS);
	assert_int_equal(told.n, 3);
	assert_int_equal(told.nparts, 3);
	assert_goes_on(part(0, 21, &futex), 40 * MS);
	assert_ended(part(1, 22, &futex), WAKER, 0, 1, 40 * MS, 40 * MS);
	assert_ended(part(2, 23, &futex), WAKER, 10 * MS, 1, 10 * MS, 10 * MS);
}

static void waits__over_many_windows__are_for_the_cause_of_the_record(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits(&t, 2020 * MS, 510 * MS);
	assert_int_equal(told.n, 1);
	assert_int_equal(told.closed[0].more, 9);
	assert_int_equal(told.closed[0].phase, SS_LEDGER_SLEEP);
	assert_memory_equal(&told.closed[0].cause, &futex, sizeof(futex));
	goes_on(&t, 2550 * MS);
	/* The whole windows in between have none of their own. */
	assert_int_equal(told.nparts, 2);
	assert_goes_on(part(0, 21, &futex), 30 * MS);
	assert_ended(part(1, 31, &futex), WAKER, 30 * MS, 1, 510 * MS, 510 * MS);
}

static void waits__same_cause_and_waker__are_one(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits(&t, 2001 * MS, 5 * MS);
	/* Through another descriptor. */
	t.cause.fd = 9;
	waits(&t, 2010 * MS, 20 * MS);
	waits(&t, 2040 * MS, 1 * MS);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &t.cause), WAKER, 26 * MS, 3, 26 * MS, 20 * MS);
	assert_int_equal(told.part[0].wait.hist[ss_wait_bucket(5 * MS)], 1);
	assert_int_equal(told.part[0].wait.hist[ss_wait_bucket(20 * MS)], 1);
	assert_int_equal(told.part[0].wait.hist[ss_wait_bucket(1 * MS)], 1);
}

static void waits__another_cause_or_waker__are_apart(void **state)
{
	struct ss_cause other[6];
	struct thread t;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(other); i++)
		other[i] = futex;
	other[0].kind = SS_WAIT_PIPE;
	other[1].object = SS_OBJECT_PIPE;
	other[2].syscall = 449;
	other[3].key[0]++;
	other[4].key[1]++;
	/* The last has another waker. */
	for (size_t i = 0; i < SS_ARRAY_SIZE(other); i++) {
		t = runs(2000 * MS);
		waits(&t, 2010 * MS, 10 * MS);
		t.cause = other[i];
		t.waker += i == 5;
		waits(&t, 2030 * MS, 5 * MS);
		goes_on(&t, 2050 * MS);
		assert_int_equal(told.nparts, 2);
		assert_ended(part(0, 21, &futex), WAKER, 10 * MS, 1, 10 * MS, 10 * MS);
		assert_ended(part(1, 21, &other[i]), t.waker, 5 * MS, 1, 5 * MS, 5 * MS);
	}
}

static void waits__one_goes_on_and_others_ended__are_apart(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits(&t, 2010 * MS, 10 * MS);
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_SLEEP, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 2);
	assert_ended(part(0, 21, &futex), WAKER, 10 * MS, 1, 10 * MS, 10 * MS);
	assert_goes_on(part(1, 21, &futex), 20 * MS);
}

static void waits__every_phase_asleep__is_a_wait(void **state)
{
	static const uint8_t phase[] = { SS_LEDGER_SLEEP, SS_LEDGER_BLOCK, SS_LEDGER_IOWAIT,
					 SS_LEDGER_STOP };
	struct thread t = runs(2000 * MS);

	(void)state;
	for (uint64_t i = 0; i < SS_ARRAY_SIZE(phase); i++) {
		t.cause.key[0] = i;
		leaves_cpu(&t, (2001 + 10 * i) * MS, 0, phase[i], true);
		wakes(&t, (2002 + 11 * i) * MS, true);
		gets_cpu(&t, (2004 + 11 * i) * MS, true);
	}
	/* Preempted, it waits for nothing but a CPU. */
	leaves_cpu(&t, 2045 * MS, 0, SS_LEDGER_QUEUE, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 4);
	for (uint64_t i = 0; i < SS_ARRAY_SIZE(phase); i++) {
		t.cause.key[0] = i;
		assert_ended(part(i, 21, &t.cause), WAKER, (i + 1) * MS, 1, (i + 1) * MS,
			     (i + 1) * MS);
	}
}

static void waits__fifth_cause__takes_the_place_of_the_first(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	for (uint64_t i = 0; i < 6; i++) {
		t.cause.key[0] = i;
		waits(&t, (2001 + 5 * i) * MS, (i % 4 + 1) * MS);
		assert_int_equal(t.ledger.evicted, i < 4 ? 0 : i - 3);
		assert_int_equal(told.nparts, i < 4 ? 0 : i - 3);
	}
	/* The first comes back, and the third gives way. */
	t.cause.key[0] = 0;
	waits(&t, 2035 * MS, 7 * MS);
	assert_int_equal(t.ledger.evicted, 3);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 7);
	for (uint64_t i = 0; i < 3; i++) {
		t.cause.key[0] = i;
		assert_ended(part(i, 21, &t.cause), WAKER, (i + 1) * MS, 1, (i + 1) * MS,
			     (i + 1) * MS);
	}
	t.cause.key[0] = 0;
	assert_ended(part(5, 21, &t.cause), WAKER, 7 * MS, 1, 7 * MS, 7 * MS);
	assert_int_equal(t.ledger.evicted, 0);
	assert_int_equal(t.ledger.nwaits, 0);
}

static void waits__one_that_goes_on_as_fifth__evicts_at_the_end_of_the_window(void **state)
{
	struct thread t = runs(2000 * MS);
	uint64_t ns = 0;

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		t.cause.key[0] = i;
		waits(&t, (2001 + 5 * i) * MS, 2 * MS);
	}
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_BLOCK, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 5);
	for (size_t i = 0; i < told.nparts; i++) {
		assert_int_equal(told.part[i].window, 21);
		ns += told.part[i].wait.ns;
	}
	assert_int_equal(ns, 28 * MS);
	/* It says nothing of the next one. */
	assert_int_equal(t.ledger.evicted, 0);
	goes_on(&t, 2100 * MS);
	assert_int_equal(told.nparts, 6);
	assert_goes_on(part(5, 22, &t.cause), 50 * MS);
}

/* Each of 600 ns, 700 ns apart: all of them in window 21. */
static void waits_often(struct thread *t, uint32_t from, uint32_t to)
{
	for (uint64_t i = from; i < to; i++)
		waits(t, 2000 * MS + 700 * i + 10, 600);
}

static void waits__more_than_a_bucket_holds__spill(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits_often(&t, 0, 65535);
	assert_int_equal(told.nparts, 0);
	waits_often(&t, 65535, 65538);
	assert_int_equal(told.nparts, 1);
	assert_int_equal(t.ledger.evicted, 1);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 2);
	assert_ended(part(0, 21, &futex), WAKER, 65535 * 600, 65535, 65535 * 600, 600);
	assert_ended(part(1, 21, &futex), WAKER, 3 * 600, 3, 3 * 600, 600);
}

static void waits__as_many_as_a_bucket_holds__are_told_once(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	waits_often(&t, 0, 65535);
	waits(&t, 2060 * MS, 3 * MS);
	t.waker++;
	waits(&t, 2070 * MS, 4 * MS);
	assert_int_equal(t.ledger.evicted, 0);
	goes_on(&t, 2100 * MS);
	assert_int_equal(told.nparts, 3);
	assert_ended(part(0, 21, &futex), WAKER, 65535 * 600, 65535, 65535 * 600, 600);
	assert_ended(part(1, 22, &futex), WAKER, 3 * MS, 1, 3 * MS, 3 * MS);
	assert_ended(part(2, 22, &futex), WAKER + 1, 4 * MS, 1, 4 * MS, 4 * MS);
}

static void waits__asleep_when_the_account_began__are_for_something_unknown(void **state)
{
	struct thread t = begins(&grid, 2010 * MS, SS_LEDGER_SLEEP);

	(void)state;
	t.waker = WAKER;
	wakes(&t, 2030 * MS, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &unknown), WAKER, 20 * MS, 1, 20 * MS, 20 * MS);
}

static void waits__missed_switch_out__are_for_something_unknown(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	leaves_cpu(&t, 2015 * MS, 0, SS_LEDGER_BLOCK, false);
	wakes(&t, 2025 * MS, true);
	gets_cpu(&t, 2027 * MS, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &unknown), 0, 10 * MS, 1, 10 * MS, 10 * MS);
}

static void waits__missed_wakeup__ended_by_nobody_known(void **state)
{
	struct thread in = runs(2000 * MS), out;

	(void)state;
	leaves_cpu(&in, 2010 * MS, 0, SS_LEDGER_SLEEP, true);
	wakes(&in, 2040 * MS, false);
	out = in;
	gets_cpu(&in, 2041 * MS, true);
	goes_on(&in, 2050 * MS);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &futex), 0, 30 * MS, 1, 30 * MS, 30 * MS);
	/* The same, and its switch-in was missed, too. */
	told.n = told.nparts = 0;
	gets_cpu(&out, 2041 * MS, false);
	leaves_cpu(&out, 2045 * MS, 0, SS_LEDGER_QUEUE, true);
	goes_on(&out, 2050 * MS);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &futex), 0, 30 * MS, 1, 30 * MS, 30 * MS);
}

static void waits__woken_again__ended_by_the_first(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_SLEEP, true);
	wakes(&t, 2020 * MS, true);
	t.waker++;
	ss_ledger_wakeup(&t.ledger, &grid, 2021 * MS, t.waker);
	gets_cpu(&t, 2022 * MS, true);
	ss_ledger_wakeup(&t.ledger, &grid, 2023 * MS, t.waker);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &futex), WAKER, 10 * MS, 1, 10 * MS, 10 * MS);
}

static void waits__clock_of_the_other_cpu_is_behind__count_and_take_no_time(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	leaves_cpu(&t, 2010 * MS, 0, SS_LEDGER_SLEEP, true);
	wakes(&t, 2010 * MS - 200, true);
	gets_cpu(&t, 2010 * MS, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.nparts, 1);
	assert_ended(part(0, 21, &futex), WAKER, 0, 1, 0, 0);
	assert_int_equal(told.part[0].wait.hist[0], 1);
}

static void waits__woken_before_its_cpu_left_it__have_their_time(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	t.k.now_ns = 2010 * MS;
	t.k.runtime_ns += 10 * MS;
	ss_ledger_go_on(&t.ledger, &grid, &t.k, 2010 * MS + 12000, SS_LEDGER_SLEEP, &futex, WAKER);
	assert_int_equal(t.ledger.open.phase, SS_LEDGER_RUN);
	/* It runs 5 us after that, which only its runtime tells. */
	t.k.last_arrival_ns = 2010 * MS + 17000;
	leaves_cpu(&t, 2030 * MS, 0, SS_LEDGER_STOP, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 30 * MS - 17000, 5000, 12000, 0, 0, 20 * MS);
	assert_int_equal(told.closed[0].flags, SS_LEDGER_REPAIRED);
	assert_int_equal(told.closed[0].bound_ns, 5000);
	assert_int_equal(told.nparts, 2);
	assert_ended(part(0, 21, &futex), WAKER, 12000, 1, 12000, 12000);
	assert_goes_on(part(1, 21, &futex), 20 * MS);
	/* Of one that does not run this says nothing. */
	ss_ledger_go_on(&t.ledger, &grid, &t.k, 2060 * MS, SS_LEDGER_SLEEP, &futex, WAKER);
	assert_int_equal(t.ledger.open.phase, SS_LEDGER_STOP);
	assert_int_equal(t.ledger.since_ns, 2050 * MS);
}

static void waits__woken_before_its_cpu_left_it__says_nothing_of_the_next_time_on_a_cpu(void **state)
{
	struct thread t = runs(2000 * MS);

	(void)state;
	t.k.now_ns = 2010 * MS;
	t.k.runtime_ns += 10 * MS;
	ss_ledger_go_on(&t.ledger, &grid, &t.k, 2010 * MS, SS_LEDGER_SLEEP, &futex, WAKER);
	t.k.last_arrival_ns = 2010 * MS;
	leaves_cpu(&t, 2020 * MS, 0, SS_LEDGER_QUEUE, false);
	gets_cpu(&t, 2020 * MS, true);
	/* Its counter came to a stand 7 us before the switch. */
	t.k.runtime_ns -= 7000;
	leaves_cpu(&t, 2040 * MS, 0, SS_LEDGER_STOP, true);
	goes_on(&t, 2050 * MS);
	assert_int_equal(told.n, 1);
	assert_parts(&told.closed[0], 0, 40 * MS - 7000, 0, 0, 0, 0, 10 * MS + 7000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bucket__any_length__is_below_its_end),
		cmocka_unit_test(waits__one_inside_a_window__is_told_with_it),
		cmocka_unit_test(waits__over_the_end_of_a_window__end_in_the_next),
		cmocka_unit_test(waits__that_end_with_a_window__count_in_the_next),
		cmocka_unit_test(waits__over_many_windows__are_for_the_cause_of_the_record),
		cmocka_unit_test(waits__same_cause_and_waker__are_one),
		cmocka_unit_test(waits__another_cause_or_waker__are_apart),
		cmocka_unit_test(waits__one_goes_on_and_others_ended__are_apart),
		cmocka_unit_test(waits__every_phase_asleep__is_a_wait),
		cmocka_unit_test(waits__fifth_cause__takes_the_place_of_the_first),
		cmocka_unit_test(waits__one_that_goes_on_as_fifth__evicts_at_the_end_of_the_window),
		cmocka_unit_test(waits__more_than_a_bucket_holds__spill),
		cmocka_unit_test(waits__as_many_as_a_bucket_holds__are_told_once),
		cmocka_unit_test(waits__asleep_when_the_account_began__are_for_something_unknown),
		cmocka_unit_test(waits__missed_switch_out__are_for_something_unknown),
		cmocka_unit_test(waits__missed_wakeup__ended_by_nobody_known),
		cmocka_unit_test(waits__woken_again__ended_by_the_first),
		cmocka_unit_test(waits__clock_of_the_other_cpu_is_behind__count_and_take_no_time),
		cmocka_unit_test(waits__woken_before_its_cpu_left_it__have_their_time),
		cmocka_unit_test(waits__woken_before_its_cpu_left_it__says_nothing_of_the_next_time_on_a_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
