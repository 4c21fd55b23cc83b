/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that the kernel accounts for, and what its ledger tells, for the tests of bpf/ledger.h.
 */
#ifndef TESTS_UNIT_LEDGER_H
#define TESTS_UNIT_LEDGER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "bpf/ledger.h"
#include "random.h"

#define MS 1000000ULL
#define INTERVAL (50 * MS)
#define EPOCH (1000 * MS)
#define CPU 3

/* Windows that closed, and their waits: of the thread itself, or of a copy of its ledger. */
struct told {
	struct ss_closed closed[64];
	size_t n;
	struct {
		uint64_t window;
		struct ss_wait wait;
	} part[64];
	size_t nparts;
};

static struct told told, derived, *telling = &told;

static inline void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	(void)l;
	assert_true(telling->n < SS_ARRAY_SIZE(telling->closed));
	telling->closed[telling->n++] = *closed;
}

static inline void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait)
{
	assert_true(telling->nparts < SS_ARRAY_SIZE(telling->part));
	telling->part[telling->nparts].window = l->open.window;
	telling->part[telling->nparts++].wait = *wait;
}

/* Window 21 is from 2000 to 2050 ms. */
static const struct ss_grid grid = { .interval_ns = INTERVAL, .epoch_ns = { EPOCH, EPOCH } };

/* A thread with the counters that the kernel keeps of it. The ledger sees an event or misses it. */
struct thread {
	struct ss_ledger ledger;
	const struct ss_grid *grid;
	struct ss_switch k;
	struct ss_cause cause;		/* of its next wait */
	uint64_t waker;			/* who ends that */
};

static inline struct thread begins(const struct ss_grid *g, uint64_t at_ns, uint8_t phase)
{
	struct thread t = {
		.grid = g,
		.k = { .skew_ns = 7 * MS, .runtime_ns = 300 * MS, .run_delay_ns = 20 * MS,
		       .pcount = 70 },
	};

	told.n = derived.n = told.nparts = derived.nparts = 0;
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

static inline void wakes(struct thread *t, uint64_t at_ns, bool seen)
{
	t->k.last_queued_ns = at_ns;
	if (seen)
		ss_ledger_wakeup(&t->ledger, t->grid, at_ns, t->waker);
}

static inline void gets_cpu(struct thread *t, uint64_t at_ns, bool seen)
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

static inline void leaves_cpu(struct thread *t, uint64_t at_ns, uint64_t stolen_ns, uint8_t phase,
		       bool seen)
{
	t->k.now_ns = at_ns;
	t->k.skew_ns += stolen_ns;
	t->k.runtime_ns += at_ns - t->k.last_arrival_ns - stolen_ns;
	if (seen)
		ss_ledger_switch_out(&t->ledger, t->grid, &t->k, phase, &t->cause,
				     phase != SS_LEDGER_QUEUE);
	if (phase == SS_LEDGER_QUEUE)
		t->k.last_queued_ns = at_ns;
}

static inline int64_t sum(const struct ss_closed *closed)
{
	int64_t ns = 0;

	for (int i = 0; i < SS_LEDGER_PARTS; i++)
		ns += closed->ns[i];
	return ns;
}

#define assert_parts(closed, ...) \
	assert_parts_at(closed, (const int64_t[SS_LEDGER_PARTS]){ __VA_ARGS__ }, __LINE__)

/* stolen, run, queue, sleep, block, iowait, stop. */
static inline void assert_parts_at(const struct ss_closed *closed, const int64_t *want, int line)
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
static inline void assert_whole(const struct ss_closed *closed, uint64_t window)
{
	assert_int_equal(closed->window, window);
	assert_int_equal(closed->more, 0);
	assert_int_equal(closed->begin_ns, EPOCH + (window - 1) * INTERVAL);
	assert_int_equal(closed->end_ns, EPOCH + window * INTERVAL);
	assert_int_equal(closed->flags, 0);
	assert_int_equal(closed->bound_ns, 0);
	assert_int_equal(sum(closed), INTERVAL);
}

/* A second epoch is a little earlier or later than the first, or the same. */
static inline struct ss_grid random_grid(uint64_t windows)
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

#endif
