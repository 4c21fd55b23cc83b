// SPDX-License-Identifier: GPL-2.0-or-later
#include "watches.h"

#define WAKER (100ULL << 32 | 101)
#define GOES_ON 99	/* the futex of which nobody has ended a wait */

static struct ss_cause futex_at(uint64_t address)
{
	return (struct ss_cause){
		.kind = SS_WAIT_FUTEX, .object = SS_OBJECT_FUTEX, .syscall = 202, .fd = -1,
		.key = { address },
	};
}

static const struct ss_cause unknown = { .kind = SS_WAIT_UNKNOWN, .syscall = -1, .fd = -1 };

/* One that was @ns long and ended. */
static struct ss_wait wait_of(uint64_t address, int64_t ns)
{
	struct ss_wait w = {
		.cause = futex_at(address), .waker = WAKER, .ns = (uint64_t)ns,
		.ended_ns = (uint64_t)ns, .max_ns = (uint64_t)ns, .count = 1,
	};

	w.hist[5] = 1;
	return w;
}

static void kernel_tells_wait(uint32_t number, uint64_t window, struct ss_wait wait)
{
	struct ss_record r = record_of(number, SS_RECORD_WAIT, NULL);

	r.part.window = window;
	r.part.wait = wait;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
}

/* A window opened, and it waits from its beginning on. */
static void kernel_opens(uint32_t number, uint64_t window)
{
	kernel_has(number, window, 0, SS_LEDGER_SLEEP);
	slot[number].ledger.open.cause = futex_at(GOES_ON);
}

/* A wait in the open window ended, of @ns; another begins. */
static void kernel_ends_wait(uint32_t number, uint64_t address, int64_t ns)
{
	struct ss_ledger *l = &slot[number].ledger;

	slot[number].seq += 2;
	l->since_ns += (uint64_t)ns;
	l->wait_since_ns = l->since_ns;
	l->open.ns[SS_LEDGER_SLEEP] += ns;
	assert_true(l->nwaits < SS_LEDGER_WAITS);
	l->wait[l->nwaits++] = wait_of(address, ns);
}

/* The oldest of them gives way to others; its record may be lost. */
static void kernel_evicts(uint32_t number, bool told)
{
	struct ss_ledger *l = &slot[number].ledger;

	slot[number].seq += 2;
	if (told)
		kernel_tells_wait(number, l->open.window, l->wait[0]);
	l->evicted++;
	l->nwaits--;
	memmove(&l->wait[0], &l->wait[1], l->nwaits * sizeof(l->wait[0]));
}

/* The sum of all waits of thread 0 in window @number that were for @cause and ended by @waker. */
static struct ss_wait told_of(int64_t number, struct ss_cause cause, uint64_t waker)
{
	struct ss_wait all = { .cause = cause, .waker = waker };

	for (size_t i = 0; i < shard.nwaits; i++) {
		const struct ss_window_wait *w = &shard.waits[i];

		if (w->thread != &thread[0] || w->tick != number || w->wait.waker != waker ||
		    memcmp(&w->wait.cause, &cause, sizeof(cause)))
			continue;
		assert_true(w->wait.ns || w->wait.count);
		all.ns += w->wait.ns;
		all.ended_ns += w->wait.ended_ns;
		all.count += w->wait.count;
		for (size_t b = 0; b < SS_WAIT_BUCKETS; b++)
			all.hist[b] = (uint16_t)(all.hist[b] + w->wait.hist[b]);
		if (w->wait.max_ns > all.max_ns)
			all.max_ns = w->wait.max_ns;
	}
	return all;
}

/* That window has one for the futex at @address, of @ns, or 0: none. */
static void assert_ended(int64_t number, uint64_t address, int64_t ns)
{
	struct ss_wait want = wait_of(address, ns), got = told_of(number, want.cause, WAKER);

	if (!ns)
		want = (struct ss_wait){ .cause = want.cause, .waker = WAKER };
	assert_memory_equal(&got, &want, sizeof(got));
}

/* @ns of waits for @cause of which nobody ended one there. */
static void assert_goes_on(int64_t number, struct ss_cause cause, int64_t ns)
{
	struct ss_wait want = { .cause = cause, .ns = (uint64_t)ns };
	struct ss_wait got = told_of(number, cause, 0);

	assert_memory_equal(&got, &want, sizeof(got));
}

static void assert_unknown(int64_t number, int64_t ns)
{
	assert_goes_on(number, unknown, ns);
}

static void waits__records__come_with_their_window(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_RUN);

	(void)state;
	watch_sleeper(0);
	c.ns[SS_LEDGER_RUN] = 20 * MS;
	c.ns[SS_LEDGER_SLEEP] = 12 * MS;
	c.ns[SS_LEDGER_BLOCK] = 8 * MS;
	c.ns[SS_LEDGER_IOWAIT] = 7 * MS;
	c.ns[SS_LEDGER_STOP] = 3 * MS;
	c.flags = SS_LEDGER_REPAIRED;
	kernel_tells_wait(0, 6, wait_of(1, 13 * MS));
	kernel_tells_wait(0, 6, wait_of(2, 17 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, c);
	kernel_tells_wait(0, 7, wait_of(1, 50 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(7, 0, SS_LEDGER_SLEEP));
	kernel_has(0, 8, 0, SS_LEDGER_RUN);
	tick(7);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(shard.nwaits, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct ss_window_wait *w = &shard.waits[i];

		assert_ptr_equal(w->thread, &thread[0]);
		assert_int_equal(w->tick, i < 2 ? 6 : 7);
		assert_int_equal(w->end_mono_ns, mono_end(i < 2 ? 6 : 7));
		assert_int_equal(w->quality, i < 2 ? SS_QUALITY_REPAIRED : SS_QUALITY_EXACT);
	}
	assert_ended(6, 1, 13 * MS);
	assert_ended(6, 2, 17 * MS);
	assert_ended(7, 1, 50 * MS);
	tick(8);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(shard.nwaits, 0);
}

static void waits__not_wanted__windows_come_without(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_RUN);

	(void)state;
	watches.waits = false;
	watch_sleeper(0);
	c.ns[SS_LEDGER_RUN] = 38 * MS;
	c.ns[SS_LEDGER_SLEEP] = 12 * MS;
	kernel_tells(0, SS_RECORD_WINDOW, c);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(7, 1, SS_LEDGER_SLEEP));
	kernel_has(0, 9, 0, SS_LEDGER_SLEEP);
	slot[0].ledger.wait_ns = 112 * MS;
	tick(9);
	assert_int_equal(shard.nwaits, 0);
	assert_int_equal(shard.nwindows, 4);
	assert_int_equal(shard.windows[0].parts.sleep_ns, 12 * MS);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(shard.windows[i].parts.sleep_ns, 50 * MS);
}

static void waits__gathered_in_the_slot__are_of_the_derived_window(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_RUN));
	kernel_opens(0, 7);
	for (uint64_t i = 1; i <= 4; i++)
		kernel_ends_wait(0, i, (int64_t)i * MS);
	tick(8);
	assert_int_equal(shard.nwindows, 3);
	for (uint64_t i = 1; i <= 4; i++)
		assert_ended(7, i, (int64_t)i * MS);
	assert_goes_on(7, futex_at(GOES_ON), 40 * MS);
	assert_goes_on(8, futex_at(GOES_ON), INTERVAL);
	assert_int_equal(shard.nwaits, 6);
	tick(10);
	assert_int_equal(shard.nwaits, 2);
	assert_goes_on(9, futex_at(GOES_ON), INTERVAL);
	assert_goes_on(10, futex_at(GOES_ON), INTERVAL);
}

static void waits__whole_windows__are_for_the_cause_of_the_record(void **state)
{
	struct ss_closed c = all_of(6, 2, SS_LEDGER_STOP);

	(void)state;
	watch_sleeper(0);
	c.cause = futex_at(3);
	kernel_tells_wait(0, 6, (struct ss_wait){ .cause = c.cause, .ns = INTERVAL });
	kernel_tells(0, SS_RECORD_WINDOW, c);
	/* It ran, and its last cause says nothing of that. */
	c = all_of(9, 1, SS_LEDGER_RUN);
	c.cause = futex_at(3);
	kernel_tells(0, SS_RECORD_WINDOW, c);
	kernel_has(0, 11, 0, SS_LEDGER_RUN);
	tick(10);
	assert_int_equal(shard.nwindows, 5);
	assert_int_equal(shard.nwaits, 3);
	for (int64_t w = 6; w < 9; w++)
		assert_goes_on(w, futex_at(3), INTERVAL);
}

static void waits__record_of_a_derived_window__adds_none(void **state)
{
	struct ss_closed late = all_of(6, 2, SS_LEDGER_SLEEP);

	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(5, 0, SS_LEDGER_SLEEP));
	kernel_opens(0, 6);
	kernel_ends_wait(0, 1, 10 * MS);
	tick(7);
	assert_int_equal(shard.nwindows, 2);
	assert_ended(6, 1, 10 * MS);
	/* The kernel has closed the same when it was woken; window 8 is news. */
	late.cause = futex_at(GOES_ON);
	kernel_tells_wait(0, 6, wait_of(1, 10 * MS));
	kernel_tells_wait(0, 6, (struct ss_wait){ .cause = late.cause, .ns = 40 * MS });
	kernel_tells(0, SS_RECORD_WINDOW, late);
	kernel_tells_wait(0, 9, wait_of(GOES_ON, 50 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(9, 0, SS_LEDGER_SLEEP));
	kernel_opens(0, 10);
	tick(9);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(shard.nwaits, 2);
	assert_goes_on(8, futex_at(GOES_ON), INTERVAL);
	assert_ended(9, GOES_ON, 50 * MS);
}

static void waits__evicted__are_kept_for_their_window(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 7);
	kernel_ends_wait(0, 1, 1 * MS);
	kernel_ends_wait(0, 2, 2 * MS);
	kernel_tells_wait(0, 6, wait_of(8, 50 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_evicts(0, true);
	/* The program was late: window 7 is open already. */
	tick(6);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(shard.nwaits, 1);
	kernel_ends_wait(0, 3, 3 * MS);
	kernel_evicts(0, true);
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	for (uint64_t i = 1; i <= 3; i++)
		assert_ended(7, i, (int64_t)i * MS);
	assert_goes_on(7, futex_at(GOES_ON), 44 * MS);
	/* They are not of the next one. */
	tick(8);
	assert_int_equal(shard.nwaits, 1);
	assert_goes_on(8, futex_at(GOES_ON), INTERVAL);
}

static void waits__evicted_and_then_closed__are_of_that_window(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells_wait(0, 6, wait_of(1, 20 * MS));
	kernel_opens(0, 6);
	slot[0].ledger.evicted = 1;
	tick(5);
	assert_int_equal(shard.nwindows, 0);
	assert_int_equal(shard.nwaits, 0);
	kernel_tells_wait(0, 6, wait_of(2, 30 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_opens(0, 7);
	tick(6);
	assert_int_equal(shard.nwaits, 2);
	assert_ended(6, 1, 20 * MS);
	assert_ended(6, 2, 30 * MS);
}

static void waits__evicted_after_the_copy__are_those_of_the_copy(void **state)
{
	struct ss_tick t = tick_on_grid(6);

	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 6);
	for (uint64_t i = 1; i <= 4; i++)
		kernel_ends_wait(0, i, (int64_t)i * MS);
	kernel_evicts(0, true);
	ss_watches_copy(&watches);
	kernel_evicts(0, true);
	kernel_evicts(0, true);
	close_all(&t, NULL);
	assert_int_equal(shard.nwindows, 1);
	for (uint64_t i = 1; i <= 4; i++)
		assert_ended(6, i, (int64_t)i * MS);
	assert_goes_on(6, futex_at(GOES_ON), 40 * MS);
	tick(7);
	assert_int_equal(shard.nwaits, 1);
}

static void waits__evicted_and_lost__are_for_something_unknown(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 6);
	kernel_ends_wait(0, 1, 10 * MS);
	kernel_ends_wait(0, 2, 15 * MS);
	kernel_evicts(0, false);
	tick(6);
	assert_int_equal(shard.nwaits, 3);
	assert_ended(6, 2, 15 * MS);
	assert_goes_on(6, futex_at(GOES_ON), 25 * MS);
	assert_unknown(6, 10 * MS);
}

static void waits__lost_and_evicted_after_the_copy__are_no_more_than_the_window(void **state)
{
	struct ss_tick t = tick_on_grid(6);

	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 6);
	kernel_ends_wait(0, 1, 1 * MS);
	kernel_ends_wait(0, 2, 15 * MS);
	kernel_evicts(0, false);
	ss_watches_copy(&watches);
	/* It seems to be the one that was lost. */
	kernel_evicts(0, true);
	close_all(&t, NULL);
	assert_int_equal(shard.nwaits, 1);
	assert_unknown(6, INTERVAL);
}

static void waits__record_lost__is_for_something_unknown(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells_wait(0, 6, wait_of(1, 20 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	/* All of them. */
	kernel_tells(0, SS_RECORD_WINDOW, all_of(7, 0, SS_LEDGER_BLOCK));
	kernel_has(0, 8, 0, SS_LEDGER_RUN);
	tick(7);
	assert_int_equal(shard.nwaits, 3);
	assert_ended(6, 1, 20 * MS);
	assert_unknown(6, 30 * MS);
	assert_unknown(7, INTERVAL);
}

static void waits__of_a_window_that_was_lost__are_dropped(void **state)
{
	(void)state;
	watch_sleeper(0);
	for (uint64_t i = 1; i <= 3; i++)
		kernel_tells_wait(0, 6, wait_of(i, 10 * MS));
	kernel_opens(0, 7);
	kernel_ends_wait(0, 4, 4 * MS);
	kernel_ends_wait(0, 5, 5 * MS);
	kernel_evicts(0, true);
	tick(7);
	tick(8);
	assert_int_equal(shard.nwindows, 0);
	assert_int_equal(shard.nwaits, 0);
	tick(9);
	assert_int_equal(shard.nwindows, 4);
	assert_gap(0, 6);
	/* What gave way in the window after it is not lost. */
	assert_ended(7, 4, 4 * MS);
	assert_ended(7, 5, 5 * MS);
	assert_goes_on(7, futex_at(GOES_ON), 41 * MS);
	assert_unknown(7, 0);
	assert_int_equal(shard.nwaits, 5);
}

static void waits__of_a_window_that_was_lost__are_not_of_the_next_record(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells_wait(0, 6, wait_of(1, 10 * MS));
	kernel_tells_wait(0, 7, wait_of(2, 20 * MS));
	kernel_tells_wait(0, 8, wait_of(3, 30 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(8, 0, SS_LEDGER_SLEEP));
	kernel_has(0, 9, 0, SS_LEDGER_RUN);
	tick(8);
	assert_int_equal(shard.nwindows, 3);
	assert_gap(0, 6);
	assert_gap(1, 7);
	assert_int_equal(shard.nwaits, 2);
	assert_ended(8, 3, 30 * MS);
	assert_unknown(8, 20 * MS);
}

static void waits__record_of_their_window_is_late__wait_for_it(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells_wait(0, 6, wait_of(1, 50 * MS));
	kernel_opens(0, 7);
	tick(7);
	assert_int_equal(shard.nwindows, 0);
	assert_int_equal(shard.nwaits, 0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	tick(8);
	assert_int_equal(shard.nwindows, 3);
	assert_int_equal(shard.nwaits, 3);
	assert_ended(6, 1, 50 * MS);
}

static void waits__of_another_generation__are_ignored(void **state)
{
	(void)state;
	watch_sleeper(0);
	slot[0].generation = 2;
	kernel_tells_wait(0, 6, wait_of(1, 20 * MS));
	slot[0].generation = 1;
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_has(0, 7, 0, SS_LEDGER_RUN);
	tick(6);
	assert_int_equal(shard.nwaits, 1);
	assert_unknown(6, INTERVAL);
}

static void waits__last_tick__has_all_up_to_its_end(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells_wait(0, 6, wait_of(3, 50 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_opens(0, 7);
	kernel_ends_wait(0, 1, 4 * MS);
	kernel_ends_wait(0, 2, 5 * MS);
	kernel_evicts(0, true);
	last_tick(7, 20 * MS);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(shard.nwaits, 4);
	assert_ended(6, 3, 50 * MS);
	assert_ended(7, 1, 4 * MS);
	assert_ended(7, 2, 5 * MS);
	assert_goes_on(7, futex_at(GOES_ON), 11 * MS);
	assert_int_equal(shard.waits[3].end_mono_ns, mono_end(6) + 20 * MS);
}

static void waits__last_tick_after_a_derived_window__has_its_own(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 6);
	kernel_ends_wait(0, 1, 4 * MS);
	last_tick(7, 20 * MS);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(shard.nwaits, 3);
	assert_ended(6, 1, 4 * MS);
	assert_goes_on(6, futex_at(GOES_ON), 46 * MS);
	assert_goes_on(7, futex_at(GOES_ON), 20 * MS);
}

static void waits__last_tick_before_the_last_event__end_with_that(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells_wait(0, 6, wait_of(3, 50 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_opens(0, 7);
	kernel_ends_wait(0, 1, 21 * MS);
	last_tick(7, 20 * MS);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(window(1)->parts.wall_ns, 21 * MS);
	assert_int_equal(shard.nwaits, 2);
	assert_ended(7, 1, 21 * MS);
}

static void waits__exit__has_those_of_its_last_window(void **state)
{
	struct ss_closed c = ended_at(6, 30 * MS);

	(void)state;
	watch_sleeper(0);
	c.ns[SS_LEDGER_RUN] = 10 * MS;
	c.ns[SS_LEDGER_SLEEP] = 20 * MS;
	kernel_tells_wait(0, 6, wait_of(1, 20 * MS));
	kernel_tells(0, SS_RECORD_EXIT, c);
	kernel_has(0, 6, 30 * MS, SS_LEDGER_DEAD);
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(window(0)->event, SS_EVENT_EXIT);
	assert_int_equal(shard.nwaits, 1);
	assert_ended(6, 1, 20 * MS);
	assert_int_equal(shard.waits[0].end_mono_ns, mono_end(5) + 30 * MS);
	tick(8);
	assert_int_equal(shard.nwaits, 0);
}

static void waits__exit_of_which_the_record_was_lost__were_told(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_has_run(0, 6, 30 * MS, SS_LEDGER_DEAD);
	slot[0].ledger.open.end_ns = in_window(6, 30 * MS);
	slot[0].ledger.open.ns[SS_LEDGER_RUN] = 10 * MS;
	slot[0].ledger.open.ns[SS_LEDGER_SLEEP] = 20 * MS;
	/* All are told before it, and none is in the slot. */
	kernel_tells_wait(0, 6, wait_of(1, 5 * MS));
	kernel_tells_wait(0, 6, wait_of(2, 15 * MS));
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(window(0)->event, SS_EVENT_EXIT);
	assert_int_equal(shard.nwaits, 2);
	assert_ended(6, 1, 5 * MS);
	assert_ended(6, 2, 15 * MS);
}

static void waits__exit_in_a_window_that_was_derived__adds_none(void **state)
{
	(void)state;
	watch_sleeper(0);
	tick(6);
	kernel_tells_wait(0, 6, wait_of(1, 40 * MS));
	kernel_tells(0, SS_RECORD_EXIT, ended_at(6, 49 * MS));
	kernel_has(0, 6, 49 * MS, SS_LEDGER_DEAD);
	tick(7);
	assert_int_equal(count_events(SS_EVENT_EXIT), 1);
	assert_int_equal(shard.nwaits, 0);
}

static void waits__asleep_when_it_was_claimed__are_for_what_it_seemed_to_be(void **state)
{
	(void)state;
	kernel_has(0, 5, 20 * MS, SS_LEDGER_UNKNOWN);
	slot[0].events = 0;
	slot[0].guess = SS_LEDGER_BLOCK;
	slot[0].guess_cause = futex_at(7);
	ss_watches_claim(&watches, 0, &thread[0]);
	tick(6);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(shard.nwaits, 2);
	assert_goes_on(5, futex_at(7), 30 * MS);
	assert_goes_on(6, futex_at(7), INTERVAL);
	/* Its first event takes the place of that. */
	kernel_tells_wait(0, 7, wait_of(8, 50 * MS));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(7, 0, SS_LEDGER_SLEEP));
	kernel_opens(0, 8);
	tick(8);
	assert_int_equal(shard.nwaits, 2);
	assert_ended(7, 8, 50 * MS);
	assert_goes_on(8, futex_at(GOES_ON), INTERVAL);
}

static void waits__window_that_counters_close__are_told_once(void **state)
{
	const struct ss_reading counters = { .pcount = 6, .rq_ns = 10 * MS };
	struct ss_tick t = tick_on_grid(6);

	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 6);
	kernel_ends_wait(0, 1, 25 * MS);
	kernel_ends_wait(0, 2, 20 * MS);
	slot[0].ledger.open.phase = SS_LEDGER_QUEUE;
	slot[0].ledger.pcount = 5;
	slot[0].ledger.run_delay_ns = 3 * MS;
	kernel_evicts(0, true);
	ss_watches_copy(&watches);
	/* It got its CPU in the next window. */
	close_all(&t, &counters);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(whole(0, 6)->rq_ns, 5 * MS);
	assert_int_equal(shard.nwaits, 2);
	assert_ended(6, 1, 25 * MS);
	assert_ended(6, 2, 20 * MS);
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(shard.nwaits, 0);
}

static void waits__of_two_threads__are_not_mixed(void **state)
{
	(void)state;
	watch_sleeper(1);
	watch_sleeper(0);
	for (uint32_t i = 0; i < 2; i++) {
		kernel_opens(i, 6);
		kernel_ends_wait(i, 1 + i, 10 * MS);
		kernel_evicts(i, true);
		kernel_ends_wait(i, 3 + i, 20 * MS);
	}
	tick(6);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(shard.nwaits, 6);
	assert_ended(6, 1, 10 * MS);
	assert_ended(6, 2, 0);
	assert_ended(6, 3, 20 * MS);
	assert_ended(6, 4, 0);
}

static void waits__born_and_claimed_later__are_all_kept(void **state)
{
	(void)state;
	kernel_tells_birth(0);
	for (uint64_t w = 6; w < 9; w++) {
		kernel_tells_wait(0, w, wait_of(w, 50 * MS));
		kernel_tells(0, SS_RECORD_WINDOW, all_of(w, 0, SS_LEDGER_SLEEP));
	}
	kernel_opens(0, 9);
	kernel_ends_wait(0, 9, 20 * MS);
	kernel_evicts(0, true);
	ss_watches_claim(&watches, 0, &thread[0]);
	tick(9);
	assert_int_equal(shard.nwindows, 4);
	assert_int_equal(window(0)->event, SS_EVENT_START);
	assert_int_equal(shard.nwaits, 5);
	for (int64_t w = 6; w < 9; w++)
		assert_ended(w, (uint64_t)w, 50 * MS);
	assert_ended(9, 9, 20 * MS);
}

static void waits__same_tick_again__has_none_twice(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_opens(0, 6);
	kernel_ends_wait(0, 1, 10 * MS);
	kernel_ends_wait(0, 2, 10 * MS);
	kernel_evicts(0, true);
	tick(6);
	assert_int_equal(shard.nwaits, 3);
	tick(6);
	assert_int_equal(shard.nwindows, 0);
	assert_int_equal(shard.nwaits, 0);
}

/* Half of what there is room for at first, again and again: with a window, and with a thread. */
static void waits__records_of_many__leave_no_links(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		uint64_t w = 6 + (uint64_t)round;

		if (!round)
			watch_sleeper(0);
		for (uint64_t i = 0; i < 500; i++)
			kernel_tells_wait(0, w, wait_of(i, MS / 10));
		kernel_tells(0, SS_RECORD_WINDOW, all_of(w, 0, SS_LEDGER_SLEEP));
		kernel_opens(0, w + 1);
		tick((int64_t)w);
		assert_int_equal(shard.nwindows, 1);
		assert_int_equal(told_of((int64_t)w, futex_at(499), WAKER).count, 1);
	}
	for (int round = 0; round < 50; round++) {
		watch_sleeper(1);
		for (uint64_t i = 0; i < 500; i++)
			kernel_tells_wait(1, 6, wait_of(i, MS / 10));
		assert_false(ss_watches_drop(&watches, 1));
	}
	assert_int_equal(watches.nlinks, 1024);
	assert_int_equal(watches.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(waits__records__come_with_their_window),
		test(waits__not_wanted__windows_come_without),
		test(waits__gathered_in_the_slot__are_of_the_derived_window),
		test(waits__whole_windows__are_for_the_cause_of_the_record),
		test(waits__record_of_a_derived_window__adds_none),
		test(waits__evicted__are_kept_for_their_window),
		test(waits__evicted_and_then_closed__are_of_that_window),
		test(waits__evicted_after_the_copy__are_those_of_the_copy),
		test(waits__evicted_and_lost__are_for_something_unknown),
		test(waits__lost_and_evicted_after_the_copy__are_no_more_than_the_window),
		test(waits__record_lost__is_for_something_unknown),
		test(waits__of_a_window_that_was_lost__are_dropped),
		test(waits__of_a_window_that_was_lost__are_not_of_the_next_record),
		test(waits__record_of_their_window_is_late__wait_for_it),
		test(waits__of_another_generation__are_ignored),
		test(waits__last_tick__has_all_up_to_its_end),
		test(waits__last_tick_after_a_derived_window__has_its_own),
		test(waits__last_tick_before_the_last_event__end_with_that),
		test(waits__exit__has_those_of_its_last_window),
		test(waits__exit_of_which_the_record_was_lost__were_told),
		test(waits__exit_in_a_window_that_was_derived__adds_none),
		test(waits__asleep_when_it_was_claimed__are_for_what_it_seemed_to_be),
		test(waits__window_that_counters_close__are_told_once),
		test(waits__of_two_threads__are_not_mixed),
		test(waits__born_and_claimed_later__are_all_kept),
		test(waits__same_tick_again__has_none_twice),
		test(waits__records_of_many__leave_no_links),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
