// SPDX-License-Identifier: GPL-2.0-or-later
#include "watches.h"

static void watches__idle_thread__has_a_window_a_tick(void **state)
{
	(void)state;
	kernel_has(3, 5, 20 * MS, SS_LEDGER_SLEEP);
	ss_watches_claim(&watches, 3, &thread[3]);
	assert_int_equal(thread[3].slot_number, 4);
	assert_true(ss_watches_in_use(&watches, 3));
	assert_false(ss_watches_in_use(&watches, 2));
	/* It was claimed after the end of the first tick. */
	tick(4);
	assert_int_equal(shard.nwindows, 0);
	tick(5);
	assert_int_equal(shard.nwindows, 1);
	assert_ptr_equal(window(0)->thread, &thread[3]);
	assert_int_equal(window(0)->tick, 5);
	assert_int_equal(window(0)->end_mono_ns, mono_end(5));
	assert_int_equal(window(0)->parts.wall_ns, 30 * MS);
	assert_int_equal(window(0)->parts.sleep_ns, 30 * MS);
	assert_int_equal(window(0)->parts.cpu, 2);
	/* It is not known when it was created. */
	assert_int_equal(window(0)->event, 0);
	for (int64_t i = 6; i < 10; i++) {
		tick(i);
		assert_int_equal(shard.nwindows, 1);
		assert_asleep(0, i);
	}
}

static void watches__same_tick_again__has_no_windows_twice(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 1, SS_LEDGER_SLEEP));
	kernel_has(0, 8, 10 * MS, SS_LEDGER_SLEEP);
	tick(7);
	assert_int_equal(shard.nwindows, 2);
	tick(7);
	assert_int_equal(shard.nwindows, 0);
}

static void watches__after_a_pause__has_all_windows_one_by_one(void **state)
{
	(void)state;
	watch_sleeper(0);
	tick(12);
	assert_int_equal(shard.nwindows, 7);
	for (size_t i = 0; i < 7; i++)
		assert_asleep(i, 6 + (int64_t)i);
	tick(13);
	assert_int_equal(shard.nwindows, 1);
	assert_asleep(0, 13);
}

static void watches__not_yet_an_event__is_what_it_seemed_to_be(void **state)
{
	(void)state;
	kernel_has(0, 5, 0, SS_LEDGER_UNKNOWN);
	slot[0].events = 0;
	slot[0].guess = SS_LEDGER_IOWAIT;
	ss_watches_claim(&watches, 0, &thread[0]);
	tick(5);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(whole(0, 5)->iowait_ns, INTERVAL);
}

static void watches__renamed__has_the_name_that_fits(void **state)
{
	(void)state;
	memcpy(thread[0].comm, "old", 4);
	watch_sleeper(0);
	assert_string_equal(thread[0].comm, "old");
	memcpy(slot[0].comm, "0123456789abcdef", sizeof(slot[0].comm));
	tick(6);
	assert_string_equal(thread[0].comm, "0123456789abcde");
}

static void watches__record__becomes_a_window_with_its_parts(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_SLEEP);
	const struct ss_parts *p;

	(void)state;
	watch_sleeper(0);
	for (int i = 0; i < SS_LEDGER_DEAD; i++)
		c.ns[i] = (i + 1) * MS;
	/* 28 ms in all; 22 are missing. */
	c.nvcsw = 3;
	c.nivcsw = 4;
	kernel_has_run(0, 7, 10 * MS, SS_LEDGER_SLEEP);
	kernel_tells(0, SS_RECORD_WINDOW, c);
	tick(6);
	assert_int_equal(shard.nwindows, 1);
	p = whole(0, 6);
	assert_int_equal(p->stolen_ns, 1 * MS);
	assert_int_equal(p->run_ns, 2 * MS);
	assert_int_equal(p->rq_ns, 3 * MS);
	assert_int_equal(p->sleep_ns, 4 * MS);
	assert_int_equal(p->block_ns, 5 * MS);
	assert_int_equal(p->iowait_ns, 6 * MS);
	assert_int_equal(p->stop_ns, 7 * MS);
	assert_int_equal(p->residual_ns, 22 * MS);
	assert_int_equal(p->nvcsw, 3);
	assert_int_equal(p->nivcsw, 4);
	assert_int_equal(p->cpu, 2);
	assert_int_equal(p->quality, SS_QUALITY_EXACT);
	assert_int_equal(p->have, SS_PART_RUN | SS_PART_RQ | SS_PART_SLEEP | SS_PART_BLOCK |
			 SS_PART_IOWAIT | SS_PART_STOP | SS_PART_SWITCHES | SS_PART_STOLEN |
			 SS_PART_CPU);
}

static void watches__repaired_record__has_its_bound(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_RUN);

	(void)state;
	watch_sleeper(0);
	c.flags = SS_LEDGER_REPAIRED;
	c.bound_ns = 4 * MS;
	c.cpu = -1;
	kernel_has(0, 7, 0, SS_LEDGER_RUN);
	kernel_tells(0, SS_RECORD_WINDOW, c);
	tick(6);
	assert_int_equal(whole(0, 6)->quality, SS_QUALITY_REPAIRED);
	assert_int_equal(window(0)->parts.bound_ns, 4 * MS);
	assert_true(window(0)->parts.have & SS_PART_BOUND);
	assert_false(window(0)->parts.have & SS_PART_CPU);
}

static void watches__part_that_is_negative__is_residual(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_SLEEP);

	(void)state;
	watch_sleeper(0);
	c.ns[SS_LEDGER_RUN] = -2 * MS;
	c.ns[SS_LEDGER_STOLEN] = 2 * MS;
	kernel_has(0, 7, 0, SS_LEDGER_SLEEP);
	kernel_tells(0, SS_RECORD_WINDOW, c);
	tick(6);
	assert_int_equal(whole(0, 6)->run_ns, 0);
	assert_int_equal(window(0)->parts.stolen_ns, 2 * MS);
	assert_int_equal(window(0)->parts.residual_ns, -2 * MS);
}

static void watches__records_then_nothing__what_follows_is_derived(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 2, SS_LEDGER_BLOCK));
	kernel_tells(0, SS_RECORD_WINDOW, all_of(9, 0, SS_LEDGER_RUN));
	kernel_has_run(0, 10, 5 * MS, SS_LEDGER_SLEEP);
	tick(11);
	assert_int_equal(shard.nwindows, 6);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(whole(i, 6 + (int64_t)i)->block_ns, INTERVAL);
		assert_int_equal(window(i)->parts.nvcsw, 0);
	}
	assert_int_equal(whole(3, 9)->run_ns, INTERVAL);
	assert_int_equal(whole(4, 10)->run_ns, 5 * MS);
	assert_int_equal(window(4)->parts.sleep_ns, 45 * MS);
	assert_int_equal(window(4)->parts.nvcsw, 1);
	assert_asleep(5, 11);
	tick(12);
	assert_int_equal(shard.nwindows, 1);
	assert_asleep(0, 12);
}

static void watches__record_of_a_derived_window__is_dropped(void **state)
{
	struct ss_closed late = all_of(6, 2, SS_LEDGER_SLEEP);

	(void)state;
	watch_sleeper(0);
	tick(7);
	assert_int_equal(shard.nwindows, 2);
	/* The kernel has closed the same when it was woken; window 8 is news. */
	late.ns[SS_LEDGER_SLEEP] = 0;
	kernel_tells(0, SS_RECORD_WINDOW, late);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(9, 0, SS_LEDGER_RUN));
	kernel_has(0, 10, 0, SS_LEDGER_RUN);
	tick(9);
	assert_int_equal(shard.nwindows, 2);
	assert_asleep(0, 8);
	assert_int_equal(whole(1, 9)->run_ns, INTERVAL);
}

/* A whole window: it ran for @ns, and was in @phase then. */
static struct ss_closed ran_for(uint64_t number, int64_t ns, uint8_t phase)
{
	struct ss_closed c = all_of(number, 0, phase);

	c.ns[phase] = INTERVAL - ns;
	c.ns[SS_LEDGER_RUN] = ns;
	return c;
}

/* Window 6 was derived of one that ran; then the kernel put right that it did so for 10 ms only. */
static void derived_too_much_run(void)
{
	struct ss_closed c = ran_for(6, 10 * MS, SS_LEDGER_SLEEP);

	kernel_has_run(0, 6, 0, SS_LEDGER_RUN);
	ss_watches_claim(&watches, 0, &thread[0]);
	tick(6);
	assert_int_equal(whole(0, 6)->run_ns, INTERVAL);
	c.flags = SS_LEDGER_REPAIRED;
	kernel_tells(0, SS_RECORD_WINDOW, c);
}

static void watches__derived_otherwise_than_told__is_put_right_by_later_windows(void **state)
{
	(void)state;
	derived_too_much_run();
	kernel_has_run(0, 7, 30 * MS, SS_LEDGER_QUEUE);
	tick(7);
	assert_int_equal(whole(0, 7)->run_ns, 0);
	assert_int_equal(window(0)->parts.sleep_ns, 30 * MS);
	assert_int_equal(window(0)->parts.rq_ns, 20 * MS);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_REPAIRED);
	assert_int_equal(window(0)->parts.bound_ns, 30 * MS);
	/* The rest is for the next one that the kernel tells of. */
	kernel_tells(0, SS_RECORD_WINDOW, ran_for(7, 30 * MS, SS_LEDGER_QUEUE));
	kernel_has_run(0, 8, 20 * MS, SS_LEDGER_RUN);
	tick(8);
	assert_int_equal(whole(0, 8)->run_ns, 40 * MS);
	assert_int_equal(window(0)->parts.sleep_ns, 10 * MS);
	assert_int_equal(window(0)->parts.bound_ns, 10 * MS);
	tick(9);
	assert_int_equal(whole(0, 9)->run_ns, INTERVAL);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_EXACT);
}

static void watches__derived_otherwise_and_ended__says_what_was_not_put_right(void **state)
{
	(void)state;
	derived_too_much_run();
	kernel_tells(0, SS_RECORD_EXIT, ended_at(7, 5 * MS));
	tick(7);
	assert_int_equal(window(0)->event, SS_EVENT_EXIT);
	assert_int_equal(window(0)->parts.run_ns, 0);
	assert_int_equal(window(0)->parts.sleep_ns, 5 * MS);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_REPAIRED);
	assert_int_equal(window(0)->parts.bound_ns, 40 * MS);
}

static void watches__whole_windows_without_explanation__say_so(void **state)
{
	(void)state;
	kernel_has_run(0, 6, 0, SS_LEDGER_RUN);
	ss_watches_claim(&watches, 0, &thread[0]);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 1, SS_LEDGER_UNEXPLAINED));
	kernel_has(0, 8, 0, SS_LEDGER_QUEUE);
	tick(7);
	assert_int_equal(shard.nwindows, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(window(i)->parts.residual_ns, INTERVAL);
	assert_int_equal(window(1)->parts.quality, SS_QUALITY_REPAIRED);
	assert_int_equal(window(1)->parts.bound_ns, INTERVAL);
}

static void watches__derived_otherwise_and_a_record_lost__is_left(void **state)
{
	(void)state;
	derived_too_much_run();
	/* That of window 7, which was derived, too. */
	kernel_has_run(0, 7, 30 * MS, SS_LEDGER_QUEUE);
	tick(7);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(8, 0, SS_LEDGER_RUN));
	kernel_has(0, 9, 0, SS_LEDGER_RUN);
	tick(8);
	assert_int_equal(whole(0, 8)->run_ns, INTERVAL);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_EXACT);
}

static void watches__windows_beyond_the_tick__are_handed_out_once(void **state)
{
	(void)state;
	watch_sleeper(0);
	/* The program was late: windows closed since its deadline. */
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 1, SS_LEDGER_SLEEP));
	kernel_has(0, 8, 0, SS_LEDGER_RUN);
	tick(6);
	assert_int_equal(shard.nwindows, 2);
	assert_asleep(0, 6);
	assert_asleep(1, 7);
	tick(7);
	assert_int_equal(shard.nwindows, 0);
	tick(8);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(whole(0, 8)->run_ns, INTERVAL);
}

static void watches__slot_that_is_being_written__is_counted_and_told_later(void **state)
{
	int64_t lost;

	(void)state;
	watch_sleeper(0);
	lost = shard.lost_reads;
	/* The CPU that writes it does not go on. */
	slot[0].seq |= 1;
	tick(6);
	assert_int_equal(shard.nwindows, 0);
	assert_int_equal(shard.lost_reads, lost + 1);
	slot[0].seq++;
	tick(7);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(window(0)->tick, 6);
	assert_int_equal(window(1)->tick, 7);
}

static void watches__lost_record__is_a_gap_after_two_ticks(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_has(0, 7, 0, SS_LEDGER_SLEEP);
	tick(7);
	assert_int_equal(shard.nwindows, 0);
	tick(8);
	assert_int_equal(shard.nwindows, 0);
	tick(9);
	assert_int_equal(shard.nwindows, 4);
	assert_gap(0, 6);
	assert_asleep(1, 7);
	assert_asleep(2, 8);
	assert_asleep(3, 9);
	/* It comes at last. */
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_RUN));
	tick(10);
	assert_int_equal(shard.nwindows, 1);
	assert_asleep(0, 10);
	/* The next loss is waited for as long. */
	kernel_has(0, 12, 0, SS_LEDGER_SLEEP);
	tick(12);
	assert_int_equal(shard.nwindows, 0);
}

static void watches__record_that_is_late__is_waited_for(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_has(0, 7, 0, SS_LEDGER_SLEEP);
	assert_false(ss_watches_incomplete(&watches));
	ss_watches_copy(&watches);
	assert_true(ss_watches_incomplete(&watches));
	tick(7);
	assert_int_equal(shard.nwindows, 0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_RUN));
	assert_false(ss_watches_incomplete(&watches));
	tick(8);
	assert_int_equal(shard.nwindows, 3);
	assert_int_equal(whole(0, 6)->run_ns, INTERVAL);
	assert_asleep(1, 7);
	assert_asleep(2, 8);
	assert_false(ss_watches_incomplete(&watches));
}

static void watches__record_after_a_lost_one__shows_the_gap_at_once(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(8, 0, SS_LEDGER_RUN));
	kernel_has(0, 9, 0, SS_LEDGER_SLEEP);
	tick(8);
	assert_int_equal(shard.nwindows, 3);
	assert_gap(0, 6);
	assert_gap(1, 7);
	assert_int_equal(whole(2, 8)->run_ns, INTERVAL);
}

static void watches__lost_record_at_the_last_tick__is_a_gap_at_once(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_has(0, 7, 0, SS_LEDGER_SLEEP);
	/* There is no later tick that it could come with. */
	last_tick(7, 20 * MS);
	assert_int_equal(shard.nwindows, 2);
	assert_gap(0, 6);
	assert_int_equal(window(1)->tick, 7);
	assert_int_equal(window(1)->parts.sleep_ns, 20 * MS);
}

static void watches__record_of_another_generation__is_ignored(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_RUN);
	struct ss_record r = record_of(0, SS_RECORD_WINDOW, &c);

	(void)state;
	watch_sleeper(0);
	r.generation = 2;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
	r.kind = SS_RECORD_EXIT;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
	tick(6);
	assert_int_equal(shard.nwindows, 1);
	assert_asleep(0, 6);
	assert_false(ss_watches_drop(&watches, 0));
	/* Nobody has the slot. */
	r.generation = 1;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
	assert_false(ss_watches_in_use(&watches, 0));
}

static void watches__slot_of_one_that_ended__serves_another(void **state)
{
	(void)state;
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_EXIT, ended_at(6, 20 * MS));
	kernel_has(0, 6, 20 * MS, SS_LEDGER_DEAD);
	tick(6);
	assert_true(ss_watches_drop(&watches, 0));
	slot[0].generation++;
	kernel_tells_birth(0);
	kernel_has(0, 7, 10 * MS, SS_LEDGER_SLEEP);
	assert_int_equal(ss_watches_find_born(&watches, 100, 100), 0);
	ss_watches_claim(&watches, 0, &thread[5]);
	tick(7);
	assert_int_equal(shard.nwindows, 1);
	assert_ptr_equal(window(0)->thread, &thread[5]);
	assert_int_equal(window(0)->event, SS_EVENT_START);
	assert_int_equal(window(0)->parts.sleep_ns, 40 * MS);
	assert_false(ss_watches_drop(&watches, 0));
}

static void watches__malformed_record__is_refused(void **state)
{
	struct ss_closed c = all_of(6, 0, SS_LEDGER_RUN);
	struct ss_record r = record_of(0, SS_RECORD_WINDOW, &c);

	(void)state;
	watch_sleeper(0);
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r) - 1), -EBADMSG);
	assert_int_equal(ss_watches_record(&watches, &r, 0), -EBADMSG);
	r.slot = SLOTS;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), -EBADMSG);
	r.slot = UINT32_MAX;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), -EBADMSG);
	r.slot = 0;
	r.kind = SS_RECORD_OBJECT;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), -EBADMSG);
	for (r.kind = SS_RECORD_LEAVE + 1; r.kind < 10; r.kind++)
		assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), -EBADMSG);
	/* The slot has a thread already. */
	r.kind = SS_RECORD_BIRTH;
	r.generation = 2;
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), -EBADMSG);
	kernel_tells_birth(1);
	r = record_of(1, SS_RECORD_BIRTH, NULL);
	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), -EBADMSG);
	assert_int_equal(watches.nunclaimed, 1);
	tick(6);
	assert_int_equal(shard.nwindows, 1);
	assert_asleep(0, 6);
}

static void watches__last_tick__closes_the_open_window_too(void **state)
{
	int64_t end_ns;

	(void)state;
	watch_sleeper(0);
	end_ns = last_tick(8, 20 * MS);
	assert_int_equal(shard.nwindows, 3);
	assert_asleep(0, 6);
	assert_asleep(1, 7);
	assert_int_equal(window(2)->tick, 8);
	assert_int_equal(window(2)->end_mono_ns, end_ns);
	assert_int_equal(window(2)->parts.wall_ns, 20 * MS);
	assert_int_equal(window(2)->parts.sleep_ns, 20 * MS);
	assert_int_equal(window(2)->parts.quality, SS_QUALITY_EXACT);
}

static void watches__last_tick_on_the_end_of_a_window__adds_no_empty_one(void **state)
{
	(void)state;
	watch_sleeper(0);
	last_tick(7, 0);
	assert_int_equal(shard.nwindows, 1);
	assert_asleep(0, 6);
}

static void watches__last_tick_before_the_last_event__ends_with_that(void **state)
{
	(void)state;
	/* It went to sleep while the tick settled: what it ran before is one sum. */
	watch_sleeper(0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 0, SS_LEDGER_SLEEP));
	kernel_has_run(0, 7, 21 * MS, SS_LEDGER_SLEEP);
	last_tick(7, 20 * MS);
	assert_int_equal(shard.nwindows, 2);
	assert_int_equal(window(1)->tick, 7);
	assert_int_equal(window(1)->end_mono_ns, mono_end(6) + 21 * MS);
	assert_int_equal(window(1)->parts.wall_ns, 21 * MS);
	assert_int_equal(window(1)->parts.run_ns, 21 * MS);
	assert_int_equal(window(1)->parts.residual_ns, 0);
}

/* Each window begins where the one before ended, up to @slack_ns. Returns the last end. */
static int64_t assert_joined(int64_t end_ns, int64_t slack_ns)
{
	for (size_t i = 0; i < shard.nwindows; i++) {
		int64_t begin_ns = window(i)->end_mono_ns - window(i)->parts.wall_ns;

		assert_true(begin_ns - end_ns <= slack_ns);
		assert_true(end_ns - begin_ns <= slack_ns);
		assert_int_equal(window(i)->parts.residual_ns, 0);
		end_ns = window(i)->end_mono_ns;
	}
	return end_ns;
}

static void watches__windows__join_on_the_monotonic_clock(void **state)
{
	int64_t end_ns;

	(void)state;
	watch_sleeper(0);
	end_ns = assert_joined(mono_end(4) + 20 * MS, 0);
	kernel_tells(0, SS_RECORD_WINDOW, all_of(6, 3, SS_LEDGER_SLEEP));
	kernel_has_run(0, 10, 20 * MS, SS_LEDGER_BLOCK);
	tick(12);
	end_ns = assert_joined(end_ns, 0);
	assert_int_equal(end_ns, mono_end(12));
	last_tick(13, 7 * MS);
	end_ns = assert_joined(end_ns, 0);
	assert_int_equal(end_ns, mono_end(12) + 7 * MS);
}

static void watches__grid_that_follows_the_clock__joins_within_its_change(void **state)
{
	static const int64_t change[] = { 300, -300 };

	for (size_t i = 0; i < SS_ARRAY_SIZE(change); i++) {
		int64_t end_ns;

		watch_sleeper(0);
		end_ns = mono_end(5);
		/* As bpf.c does: what may be open keeps its end. */
		at.grid.from = 9;
		at.grid.epoch_ns[1] += (uint64_t)change[i];
		tick(8);
		assert_int_equal(shard.nwindows, 3);
		end_ns = assert_joined(end_ns, 0);
		tick(11);
		assert_int_equal(shard.nwindows, 3);
		assert_int_equal(window(0)->parts.wall_ns, INTERVAL + change[i]);
		assert_int_equal(window(1)->parts.wall_ns, INTERVAL);
		end_ns = assert_joined(end_ns, 300);
		assert_int_equal(end_ns, mono_end(11));
		/* The next change. */
		at.grid.epoch_ns[0] = at.grid.epoch_ns[1];
		at.grid.from = 15;
		at.grid.epoch_ns[1] += (uint64_t)change[i];
		tick(20);
		assert_int_equal(shard.nwindows, 9);
		end_ns = assert_joined(end_ns, 300);
		assert_int_equal(end_ns, mono_end(20));
		teardown(state);
		setup(state);
	}
}

static void watches__counters__tell_of_a_missed_switch_in(void **state)
{
	const struct ss_reading counters = { .pcount = 6, .rq_ns = 7 * MS };
	struct ss_tick t = tick_on_grid(6);

	(void)state;
	watch_sleeper(0);
	assert_false(ss_watches_is_queued(&watches, &thread[0]));
	kernel_has_run(0, 6, 40 * MS, SS_LEDGER_QUEUE);
	slot[0].ledger.pcount = 5;
	slot[0].ledger.run_delay_ns = 3 * MS;
	ss_watches_copy(&watches);
	assert_true(ss_watches_is_queued(&watches, &thread[0]));
	close_all(&t, &counters);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(whole(0, 6)->rq_ns, 4 * MS);
	assert_int_equal(window(0)->parts.run_ns, 46 * MS);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_REPAIRED);
	assert_int_equal(window(0)->parts.bound_ns, 0);
	/* It stays so until an event comes. */
	tick(7);
	assert_false(ss_watches_is_queued(&watches, &thread[0]));
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(whole(0, 7)->run_ns, INTERVAL);
}

static void watches__counters_of_after_an_event__tell_nothing(void **state)
{
	const struct ss_reading counters = { .pcount = 6, .rq_ns = 7 * MS };
	struct ss_tick t = tick_on_grid(6);

	(void)state;
	watch_sleeper(0);
	kernel_has_run(0, 6, 40 * MS, SS_LEDGER_QUEUE);
	slot[0].ledger.pcount = 5;
	slot[0].ledger.run_delay_ns = 3 * MS;
	ss_watches_copy(&watches);
	slot[0].seq += 2;
	close_all(&t, &counters);
	assert_int_equal(shard.nwindows, 1);
	assert_int_equal(whole(0, 6)->rq_ns, 10 * MS);
	assert_int_equal(window(0)->parts.quality, SS_QUALITY_EXACT);
}

/* More records than there is room for at first, of slots that come and go. */
static void watches__many_records__are_all_handed_out_in_order(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < SLOTS; i++) {
			slot[i].generation++;
			kernel_tells_birth(i);
		}
		for (uint64_t w = 6; w < 16; w++)
			for (uint32_t i = 0; i < SLOTS; i++)
				kernel_tells(i, SS_RECORD_WINDOW, all_of(w, 0, SS_LEDGER_RUN));
		for (uint32_t i = 0; i < SLOTS; i++) {
			thread[i].announced = false;
			kernel_has(i, 16, 0, SS_LEDGER_SLEEP);
			ss_watches_claim(&watches, i, &thread[i]);
		}
		tick(16);
		assert_int_equal(shard.nwindows, 11 * SLOTS);
		for (size_t i = 0; i < shard.nwindows; i++) {
			assert_ptr_equal(window(i)->thread, &thread[i / 11]);
			assert_int_equal(window(i)->tick, 6 + i % 11);
			assert_int_equal(window(i)->event, i % 11 ? 0 : SS_EVENT_START);
			assert_int_equal(window(i)->parts.run_ns, i % 11 < 10 ? INTERVAL : 0);
		}
		/* From both ends. */
		for (uint32_t i = 0; i < SLOTS; i++)
			assert_false(ss_watches_drop(&watches, i % 2 ? i : SLOTS - 2 - i));
		assert_int_equal(watches.nactive, 0);
		assert_int_equal(watches.nunclaimed, 0);
	}
	assert_int_equal(watches.nlinks, 2048);
	assert_int_equal(watches.lost, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(watches__idle_thread__has_a_window_a_tick),
		test(watches__same_tick_again__has_no_windows_twice),
		test(watches__after_a_pause__has_all_windows_one_by_one),
		test(watches__not_yet_an_event__is_what_it_seemed_to_be),
		test(watches__renamed__has_the_name_that_fits),
		test(watches__record__becomes_a_window_with_its_parts),
		test(watches__repaired_record__has_its_bound),
		test(watches__part_that_is_negative__is_residual),
		test(watches__records_then_nothing__what_follows_is_derived),
		test(watches__record_of_a_derived_window__is_dropped),
		test(watches__derived_otherwise_than_told__is_put_right_by_later_windows),
		test(watches__derived_otherwise_and_ended__says_what_was_not_put_right),
		test(watches__whole_windows_without_explanation__say_so),
		test(watches__derived_otherwise_and_a_record_lost__is_left),
		test(watches__windows_beyond_the_tick__are_handed_out_once),
		test(watches__slot_that_is_being_written__is_counted_and_told_later),
		test(watches__lost_record__is_a_gap_after_two_ticks),
		test(watches__record_that_is_late__is_waited_for),
		test(watches__record_after_a_lost_one__shows_the_gap_at_once),
		test(watches__lost_record_at_the_last_tick__is_a_gap_at_once),
		test(watches__record_of_another_generation__is_ignored),
		test(watches__slot_of_one_that_ended__serves_another),
		test(watches__malformed_record__is_refused),
		test(watches__last_tick__closes_the_open_window_too),
		test(watches__last_tick_on_the_end_of_a_window__adds_no_empty_one),
		test(watches__last_tick_before_the_last_event__ends_with_that),
		test(watches__windows__join_on_the_monotonic_clock),
		test(watches__grid_that_follows_the_clock__joins_within_its_change),
		test(watches__counters__tell_of_a_missed_switch_in),
		test(watches__counters_of_after_an_event__tell_nothing),
		test(watches__many_records__are_all_handed_out_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
