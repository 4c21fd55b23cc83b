// SPDX-License-Identifier: GPL-2.0-or-later
/* Threads that are born and that end while they are watched. */
#include "watches.h"

static void watches__born__begins_with_its_first_window(void **state)
{
	struct ss_closed first = all_of(6, 0, SS_LEDGER_QUEUE);

	(void)state;
	first.begin_ns = in_window(6, 30 * MS);
	first.ns[SS_LEDGER_QUEUE] = 20 * MS;
	kernel_tells_birth(9);
	kernel_tells_birth(8);
	assert_true(ss_watches_in_use(&watches, 9));
	kernel_tells(9, SS_RECORD_WINDOW, first);
	assert_int_equal(ss_watches_find_born(&watches, 100, 109), 9);
	assert_int_equal(ss_watches_find_born(&watches, 100, 108), 8);
	assert_int_equal(ss_watches_find_born(&watches, 101, 109), -ENOENT);
	assert_int_equal(ss_watches_find_born(&watches, 100, 110), -ENOENT);
	kernel_has(9, 7, 0, SS_LEDGER_SLEEP);
	ss_watches_claim(&watches, 9, &thread[9]);
	assert_int_equal(ss_watches_find_born(&watches, 100, 109), -ENOENT);
	assert_int_equal(ss_watches_find_born(&watches, 100, 108), 8);
	tick(8);
	assert_int_equal(shard.nwindows, 3);
	assert_int_equal(window(0)->tick, 6);
	assert_int_equal(window(0)->event, SS_EVENT_START);
	assert_int_equal(window(0)->parts.rq_ns, 20 * MS);
	assert_int_equal(window(0)->parts.wall_ns, 20 * MS);
	assert_asleep(1, 7);
	assert_asleep(2, 8);
}

static void watches__birth_that_is_told_after_its_claim__is_its_start(void **state)
{
	(void)state;
	/* The birth was under way when the thread was found by other means. */
	kernel_has(0, 6, 10 * MS, SS_LEDGER_SLEEP);
	ss_watches_claim(&watches, 0, &thread[0]);
	kernel_tells_birth(0);
	assert_int_equal(watches.nunclaimed, 0);
	tick(6);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(window(0)->event, SS_EVENT_START);
	assert_false(ss_watches_drop(&watches, 0));
}

static void watches__born_and_ended_before_its_claim__is_one_window(void **state)
{
	(void)state;
	kernel_tells_birth(0);
	kernel_tells(0, SS_RECORD_EXIT, ended_at(6, 30 * MS));
	kernel_has(0, 6, 30 * MS, SS_LEDGER_DEAD);
	ss_watches_claim(&watches, 0, &thread[0]);
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(window(0)->tick, 6);
	assert_int_equal(window(0)->event, SS_EVENT_START | SS_EVENT_EXIT);
	assert_int_equal(window(0)->parts.run_ns, 30 * MS);
	assert_int_equal(thread[0].exit_mono_ns, mono_end(5) + 30 * MS);
	assert_true(ss_watches_drop(&watches, 0));
}

static void watches__exit_record__is_the_last_window(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_tells(0, SS_RECORD_EXIT, ended_at(7, 20 * MS));
	kernel_has(0, 7, 20 * MS, SS_LEDGER_DEAD);
	tick(9);
	assert_int_equal(shard.nwindows, 2);
	assert_asleep(0, 6);
	assert_int_equal(window(1)->tick, 7);
	assert_int_equal(window(1)->event, SS_EVENT_EXIT);
	assert_int_equal(window(1)->end_mono_ns, mono_end(6) + 20 * MS);
	assert_int_equal(window(1)->parts.wall_ns, 20 * MS);
	assert_int_equal(window(1)->parts.run_ns, 20 * MS);
	assert_int_equal(thread[0].exit_mono_ns, mono_end(6) + 20 * MS);
	tick(10);
	assert_int_equal(shard.nwindows, 0);
	assert_true(ss_watches_drop(&watches, 0));
	assert_int_equal(thread[0].slot_number, 0);
	assert_false(ss_watches_in_use(&watches, 0));
}

static void watches__exit_of_which_the_record_was_lost__is_seen_in_the_slot(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_has_run(0, 6, 20 * MS, SS_LEDGER_DEAD);
	slot[0].ledger.open.end_ns = in_window(6, 20 * MS);
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(window(0)->tick, 6);
	assert_int_equal(window(0)->event, SS_EVENT_EXIT);
	assert_int_equal(window(0)->parts.run_ns, 20 * MS);
	assert_int_equal(window(0)->parts.residual_ns, 0);
	assert_int_equal(thread[0].exit_mono_ns, mono_end(5) + 20 * MS);
	tick(8);
	assert_int_equal(shard.nwindows, 0);
	assert_true(ss_watches_drop(&watches, 0));
}

static void watches__exit_in_a_window_that_was_derived__is_told(void **state)
{
	(void)state;
	/* A CPU that was taken from the machine in the middle of a switch tells of it late. */
	watch_sleeper(0);
	tick(6);
	kernel_tells(0, SS_RECORD_EXIT, ended_at(6, 49 * MS));
	kernel_has(0, 6, 49 * MS, SS_LEDGER_DEAD);
	tick(7);
	assert_int_equal(count_events(SS_EVENT_EXIT), 1);
	assert_true(ss_watches_drop(&watches, 0));

	watch_sleeper(1);
	tick(6);
	kernel_has_run(1, 6, 49 * MS, SS_LEDGER_DEAD);
	slot[1].ledger.open.end_ns = in_window(6, 49 * MS);
	tick(7);
	assert_int_equal(count_events(SS_EVENT_EXIT), 1);
}

static void watches__ended_without_a_word_of_the_kernel__is_given_up(void **state)
{
	(void)state;
	watch_sleeper(0);
	thread[0].exit_mono_ns = mono_end(5) + 10 * MS;
	/* It may wait for a CPU on which to end: for ten seconds it is believed to. */
	for (int64_t i = 6; i <= 205; i++) {
		tick(i);
		assert_asleep(0, i);
	}
	assert_int_equal(shard.lost_reads, 0);
	tick(206);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(window(0)->event, SS_EVENT_EXIT);
	assert_int_equal(window(0)->tick, 206);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_COUNTER);
	assert_int_equal(window(0)->parts.have, 0);
	assert_int_equal(shard.lost_reads, 1);
	/* The kernel may still write to the slot. */
	assert_false(ss_watches_drop(&watches, 0));
}

static void watches__ended_and_told_in_time__is_not_given_up(void **state)
{
	(void)state;
	watch_sleeper(0);
	thread[0].exit_mono_ns = INT64_MAX;
	for (int64_t i = 6; i < 200; i++)
		tick(i);
	kernel_tells(0, SS_RECORD_EXIT, ended_at(200, 20 * MS));
	kernel_has(0, 200, 20 * MS, SS_LEDGER_DEAD);
	tick(200);
	assert_int_equal(count_events(SS_EVENT_EXIT), 1);
	assert_int_equal(shard.lost_reads, 0);
	assert_int_equal(thread[0].exit_mono_ns, mono_end(199) + 20 * MS);
}

/* It is on a CPU since @since of window 6, and got another number in window 7 at @ns. */
static void runs_and_leaves(int64_t since_ns, int64_t ns)
{
	struct ss_record r = record_of(0, SS_RECORD_LEAVE, NULL);
	struct ss_ledger *l = &slot[0].ledger;

	kernel_has(0, 6, since_ns, SS_LEDGER_RUN);
	l->in_ns = l->since_ns;
	l->runtime_ns = 300 * MS;
	l->pcount = 70;
	r.left = (struct ss_switch){
		.now_ns = in_window(7, ns), .pcount = 71, .skew_ns = 2 * MS,
		.runtime_ns = (uint64_t)(300 * MS + INTERVAL - since_ns + ns - 2 * MS),
	};
	l->skew_ns = 0;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
}

static void watches__left_on_a_cpu__ends_there(void **state)
{
	(void)state;
	kernel_tells_birth(0);
	ss_watches_claim(&watches, 0, &thread[0]);
	runs_and_leaves(10 * MS, 20 * MS);
	tick(8);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(window(0)->tick, 6);
	assert_int_equal(window(0)->event, SS_EVENT_START);
	assert_int_equal(window(0)->parts.wall_ns, 40 * MS);
	assert_int_equal(window(0)->parts.run_ns, 40 * MS);
	assert_int_equal(window(1)->event, SS_EVENT_EXIT);
	assert_int_equal(window(1)->end_mono_ns, mono_end(6) + 20 * MS);
	assert_int_equal(window(1)->parts.wall_ns, 20 * MS);
	assert_int_equal(window(1)->parts.run_ns, 18 * MS);
	assert_int_equal(window(1)->parts.stolen_ns, 2 * MS);
	assert_int_equal(window(1)->parts.residual_ns, 0);
	assert_int_equal(window(1)->parts.quality, SS_QUALITY_EXACT);
	assert_int_equal(window(1)->parts.nvcsw + window(1)->parts.nivcsw, 0);
	assert_int_equal(thread[0].exit_mono_ns, mono_end(6) + 20 * MS);
	/* Nothing is told twice. */
	tick(9);
	assert_int_equal(shard.nwindows, 0);
	assert_true(ss_watches_drop(&watches, 0));
}

static void watches__left_after_its_copy__is_closed_at_the_next_tick(void **state)
{
	struct ss_tick t = tick_on_grid(7);

	(void)state;
	watch_sleeper(0);
	ss_watches_copy(&watches);
	runs_and_leaves(10 * MS, 20 * MS);
	close_all(&t, NULL);
	assert_int_equal(shard.nwindows, 0);
	tick(8);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(window(1)->event, SS_EVENT_EXIT);
	assert_int_equal(window(1)->parts.run_ns, 18 * MS);
}

static void watches__left_and_never_claimed__is_swept(void **state)
{
	struct ss_record r = record_of(0, SS_RECORD_LEAVE, NULL);

	(void)state;
	kernel_tells_birth(0);
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
	for (int i = 0; i <= WAIT_FOR_CLAIM_TICKS; i++)
		ss_watches_sweep(&watches);
	assert_int_equal(ss_watches_find_born(&watches, 100, 100), -ENOENT);
}

/* One tick's: what it frees is counted. */
static uint32_t sweep(void)
{
	uint32_t n = 0;
	int64_t number;

	while ((number = ss_watches_sweep(&watches)) >= 0) {
		assert_false(ss_watches_in_use(&watches, (uint32_t)number));
		n++;
	}
	assert_int_equal(number, -ENOENT);
	return n;
}

static void watches__ended_and_never_claimed__is_swept(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3; i++)
		kernel_tells_birth(i);
	kernel_tells(1, SS_RECORD_EXIT, ended_at(6, 20 * MS));
	for (int i = 0; i < WAIT_FOR_CLAIM_TICKS; i++)
		assert_int_equal(sweep(), 0);
	assert_int_equal(ss_watches_sweep(&watches), 1);
	assert_int_equal(ss_watches_find_born(&watches, 100, 101), -ENOENT);
	/* The others live. */
	for (int i = 0; i < 2 * WAIT_FOR_CLAIM_TICKS; i++)
		assert_int_equal(sweep(), 0);
	assert_int_equal(ss_watches_find_born(&watches, 100, 100), 0);
	assert_int_equal(ss_watches_find_born(&watches, 100, 102), 2);
}

static void watches__many_ended_and_never_claimed__are_all_kept_as_long(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 120; i++) {
		kernel_tells_birth(i);
		kernel_tells(i, SS_RECORD_EXIT, ended_at(6, 20 * MS));
	}
	for (int i = 0; i < 60; i++)
		assert_int_equal(sweep(), 0);
	kernel_tells_birth(150);
	kernel_tells(150, SS_RECORD_EXIT, ended_at(6, 20 * MS));
	for (int i = 60; i < WAIT_FOR_CLAIM_TICKS; i++)
		assert_int_equal(sweep(), 0);
	/* Those that go do not make this one older. */
	assert_int_equal(sweep(), 120);
	assert_int_equal(ss_watches_find_born(&watches, 100, 250), 150);
	for (int i = WAIT_FOR_CLAIM_TICKS + 1; i < WAIT_FOR_CLAIM_TICKS + 60; i++)
		assert_int_equal(sweep(), 0);
	assert_int_equal(sweep(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(watches__born__begins_with_its_first_window),
		test(watches__birth_that_is_told_after_its_claim__is_its_start),
		test(watches__born_and_ended_before_its_claim__is_one_window),
		test(watches__exit_record__is_the_last_window),
		test(watches__exit_of_which_the_record_was_lost__is_seen_in_the_slot),
		test(watches__exit_in_a_window_that_was_derived__is_told),
		test(watches__ended_without_a_word_of_the_kernel__is_given_up),
		test(watches__ended_and_told_in_time__is_not_given_up),
		test(watches__left_on_a_cpu__ends_there),
		test(watches__left_after_its_copy__is_closed_at_the_next_tick),
		test(watches__left_and_never_claimed__is_swept),
		test(watches__ended_and_never_claimed__is_swept),
		test(watches__many_ended_and_never_claimed__are_all_kept_as_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
