/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots and records as the kernel would write them, and the windows that follow, for the tests of
 * source/ledger.c.
 */
#ifndef TESTS_UNIT_WATCHES_H
#define TESTS_UNIT_WATCHES_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "source/ledger.h"

#define MS 1000000LL
#define INTERVAL (50 * MS)
#define EPOCH_RQ (1000 * MS)	/* of the scheduler's clock; where window 0 ends */
#define EPOCH_MONO (7000 * MS)	/* the same instant */
#define SLOTS 200
#define WAIT_FOR_CLAIM_TICKS 100	/* as in ledger.c */

static struct ss_slot slot[SLOTS];
static struct ss_watches watches;
static struct ss_shard shard;
static struct ss_thread thread[SLOTS];
static struct ss_ledger_clock at;

static inline int setup(void **state)
{
	(void)state;
	memset(slot, 0, sizeof(slot));
	memset(thread, 0, sizeof(thread));
	memset(&shard, 0, sizeof(shard));
	for (uint32_t i = 0; i < SLOTS; i++) {
		slot[i].number = i;
		slot[i].generation = 1;
	}
	at = (struct ss_ledger_clock){
		.grid = { .interval_ns = INTERVAL, .epoch_ns = { EPOCH_RQ, EPOCH_RQ } },
		.epoch_mono_ns = EPOCH_MONO,
	};
	return ss_watches_new(&watches, slot, SLOTS, true);
}

static inline int teardown(void **state)
{
	(void)state;
	ss_watches_free(&watches);
	free(shard.windows);
	free(shard.waits);
	return 0;
}

/* The instant @ns after the beginning of a window, on the scheduler's clock. */
static inline uint64_t in_window(uint64_t window, int64_t ns)
{
	return (uint64_t)(EPOCH_RQ + ((int64_t)window - 1) * INTERVAL + ns);
}

static inline int64_t mono_end(int64_t window)
{
	return EPOCH_MONO + window * INTERVAL;
}

/* What the kernel has of a thread that has been in @phase for @ns of @window, and unseen before. */
static inline void kernel_has(uint32_t number, uint64_t window, int64_t ns, uint8_t phase)
{
	struct ss_slot *s = &slot[number];

	s->seq += 2;
	s->events++;
	s->ledger.since_ns = s->ledger.wait_since_ns = in_window(window, ns);
	s->ledger.open = (struct ss_closed){
		.window = window, .begin_ns = in_window(window, ns), .phase = phase, .cpu = 2,
	};
	s->ledger.nwaits = s->ledger.evicted = 0;
}

/* The same, but that it ran from the beginning of the window. */
static inline void kernel_has_run(uint32_t number, uint64_t window, int64_t ns, uint8_t phase)
{
	kernel_has(number, window, ns, phase);
	slot[number].ledger.open.begin_ns = in_window(window, 0);
	slot[number].ledger.open.ns[SS_LEDGER_RUN] = ns;
	slot[number].ledger.open.nvcsw = 1;
}

/* A window that was all of one phase, and @more after it. */
static inline struct ss_closed all_of(uint64_t window, uint64_t more, uint8_t phase)
{
	struct ss_closed c = {
		.window = window, .more = more, .begin_ns = in_window(window, 0),
		.end_ns = in_window(window + 1, 0), .phase = phase, .cpu = 2,
	};

	c.ns[phase] = INTERVAL;
	return c;
}

static inline struct ss_record record_of(uint32_t number, uint32_t kind,
					 const struct ss_closed *closed)
{
	struct ss_record r = {
		.slot = number, .generation = slot[number].generation, .kind = kind,
		.birth = { .pid = 100, .tid = 100 + (int32_t)number },
	};

	if (closed)
		r.closed = *closed;
	return r;
}

static inline void kernel_tells(uint32_t number, uint32_t kind, struct ss_closed closed)
{
	struct ss_record r = record_of(number, kind, &closed);

	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
}

static inline void kernel_tells_birth(uint32_t number)
{
	struct ss_record r = record_of(number, SS_RECORD_BIRTH, NULL);

	assert_int_equal(ss_watches_record(&watches, &r, sizeof(r)), 0);
}

/* The last window of a thread, which ran for the first @ns of it. */
static inline struct ss_closed ended_at(uint64_t window, int64_t ns)
{
	struct ss_closed c = all_of(window, 0, SS_LEDGER_DEAD);

	c.end_ns = in_window(window, ns);
	c.ns[SS_LEDGER_DEAD] = 0;
	c.ns[SS_LEDGER_RUN] = ns;
	c.nvcsw = 1;
	return c;
}

static inline int64_t sum(const struct ss_parts *p)
{
	return p->run_ns + p->rq_ns + p->sleep_ns + p->block_ns + p->iowait_ns + p->stop_ns +
	       p->stolen_ns + p->residual_ns;
}

/* Those of a window are neighbours, as the windows are, and are all of its blocked time. */
static inline void check_waits(void)
{
	size_t n = 0;

	for (size_t i = 0; i < shard.nwindows && watches.waits; i++) {
		const struct ss_window *w = &shard.windows[i];
		uint64_t ns = 0;

		for (; n < shard.nwaits; n++) {
			const struct ss_window_wait *wait = &shard.waits[n];

			if (wait->thread != w->thread || wait->tick != w->tick)
				break;
			assert_int_equal(wait->end_mono_ns, w->end_mono_ns);
			assert_int_equal(wait->quality, w->parts.quality);
			ns += wait->wait.ns;
		}
		assert_int_equal(ns, w->parts.sleep_ns + w->parts.block_ns + w->parts.iowait_ns +
				     w->parts.stop_ns);
	}
	assert_int_equal(n, shard.nwaits);
}

static inline void close_all(const struct ss_tick *tick, const struct ss_reading *counters)
{
	shard.tick = tick->index;
	shard.nwindows = shard.nwaits = 0;
	for (uint32_t i = 0; i < SLOTS; i++)
		if (thread[i].slot_number)
			ss_watches_close(&watches, &shard, &thread[i], tick, &at, counters);
	assert_false(shard.oom);
	for (size_t i = 0; i < shard.nwindows; i++)
		assert_int_equal(sum(&shard.windows[i].parts), shard.windows[i].parts.wall_ns);
	check_waits();
}

static inline struct ss_tick tick_on_grid(int64_t index)
{
	return (struct ss_tick){
		.index = index, .interval_ns = INTERVAL, .end_ns = mono_end(index),
		.scheduled_ns = mono_end(index) + MS,
	};
}

static inline void tick(int64_t index)
{
	struct ss_tick t = tick_on_grid(index);

	ss_watches_copy(&watches);
	close_all(&t, NULL);
}

/* The last one: @ns after the beginning of a window. */
static inline int64_t last_tick(int64_t window, int64_t ns)
{
	struct ss_tick t = tick_on_grid(window);

	t.end_ns = mono_end(window - 1) + ns;
	t.off_grid = true;
	ss_watches_copy(&watches);
	close_all(&t, NULL);
	return t.end_ns;
}

/* A thread that slept since the middle of window 5, and its windows up to that one. */
static inline void watch_sleeper(uint32_t number)
{
	kernel_has(number, 5, 20 * MS, SS_LEDGER_SLEEP);
	ss_watches_claim(&watches, number, &thread[number]);
	tick(5);
	assert_int_equal(shard.nwindows, 1);
}

static inline const struct ss_window *window(size_t i)
{
	assert_true(i < shard.nwindows);
	return &shard.windows[i];
}

/* Window @i is the whole one of @number on the grid. */
static inline const struct ss_parts *whole(size_t i, int64_t number)
{
	const struct ss_window *w = window(i);

	assert_int_equal(w->tick, number);
	assert_int_equal(w->end_mono_ns, mono_end(number));
	assert_int_equal(w->parts.wall_ns, INTERVAL);
	return &w->parts;
}

static inline void assert_asleep(size_t i, int64_t number)
{
	const struct ss_parts *p = whole(i, number);

	assert_int_equal(p->sleep_ns, INTERVAL);
	assert_int_equal(p->quality, SS_QUALITY_EXACT);
	assert_true(p->have & SS_PART_SLEEP);
	assert_int_equal(window(i)->event, 0);
}

static inline void assert_gap(size_t i, int64_t number)
{
	const struct ss_parts *p = whole(i, number);

	assert_int_equal(p->have, 0);
	assert_int_equal(p->residual_ns, INTERVAL);
	assert_int_equal(p->quality, SS_QUALITY_COUNTER);
}

static inline size_t count_events(uint8_t event)
{
	size_t n = 0;

	for (size_t i = 0; i < shard.nwindows; i++)
		n += (shard.windows[i].event & event) != 0;
	return n;
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
