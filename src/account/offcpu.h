/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The time off the CPU within one window, split by kind. Internal to src/account.
 */
#ifndef SS_ACCOUNT_OFFCPU_H
#define SS_ACCOUNT_OFFCPU_H

#include "account/account.h"

#define UNKNOWN_NS INT64_MIN	/* an instant that is not known */

/* A reading, understood: where the thread was, since when, and its totals with parts in flight. */
struct view {
	enum ss_phase phase;
	int64_t since_ns;	/* CLOCK_MONOTONIC; UNKNOWN_NS */
	int64_t run_ns, rq_ns;
	bool run_exact;
	int64_t bound_ns;	/* what the parts in flight can be wrong by */
	int64_t carry_ns;	/* of that, what the next window will be wrong by the other way */
};

/* A window under construction. */
struct window {
	struct ss_parts *out;
	int64_t off_ns;		/* not yet explained time off the CPU */
	int64_t io_ahead_ns;	/* I/O wait that the kernel has counted and the next window will hold */
	bool in_flight_is_io;	/* a wait for a device that has not ended is taken for I/O */
	bool rq_unknown;	/* the kernel's sum has sleep in it; what no sleep explains is rq */
	bool determined;	/* the kinds of all off-CPU time are known, not inferred */
};

static inline bool is_asleep(enum ss_phase phase)
{
	return phase == SS_PHASE_SLEEP || phase == SS_PHASE_BLOCK || phase == SS_PHASE_STOP ||
	       phase == SS_PHASE_IOWAIT;
}

static inline bool have_all(const struct ss_reading *r, uint32_t bits)
{
	return (r->have & bits) == bits;
}

static inline bool both_have(const struct ss_account *a, const struct ss_reading *r, uint32_t bits)
{
	return have_all(&a->prev, bits) && have_all(r, bits);
}

/* Off the CPU all the time since the last reading, or on it. */
static inline bool not_switched_in(const struct ss_account *a, const struct ss_reading *r)
{
	return both_have(a, r, SS_HAVE_PCOUNT) && a->prev.pcount == r->pcount;
}

static inline int64_t max_s64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static inline void worse(struct ss_parts *out, enum ss_quality quality)
{
	if (out->quality < quality)
		out->quality = quality;
}

/* No counter of a kernel makes them that large; a hostile one must not make them small. */
static inline int64_t add_bounds(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static inline void infer(struct ss_parts *out, int64_t bound_ns)
{
	out->bound_ns = add_bounds(out->bound_ns, bound_ns);
	out->have |= SS_PART_BOUND;
	worse(out, SS_QUALITY_ESTIMATE);
}

/* As infer(), for what earlier bounds of this window are a part of. */
static inline void infer_whole(struct ss_parts *out, int64_t bound_ns)
{
	infer(out, max_s64(0, bound_ns - out->bound_ns));
}

/* Move time from what is to be explained to its kind. */
static inline void give(struct window *w, enum ss_phase phase, int64_t ns)
{
	switch (phase) {
	case SS_PHASE_BLOCK:
		w->out->block_ns += ns;
		break;
	case SS_PHASE_STOP:
		w->out->stop_ns += ns;
		break;
	case SS_PHASE_IOWAIT:
		w->out->iowait_ns += ns;
		break;
	default:
		w->out->sleep_ns += ns;
	}
	w->off_ns -= ns;
}

/**
 * Give the window's off-CPU time (w->off_ns) to sleep, block, iowait and stop: by the kernel's
 * sums of waits where both readings have usable ones, else by the states seen at both ends. What
 * stays in w->off_ns is not explained.
 */
void ss_offcpu_split(struct window *w, const struct ss_account *a, const struct ss_reading *now,
		     const struct view *v);

/**
 * Where delay accounting counts I/O: learn from the window up to @now, at which the thread was in
 * @phase, whether most of its waits for devices are I/O.
 */
void ss_offcpu_learn_io(struct ss_account *a, const struct ss_reading *now, enum ss_phase phase);

/** Whether a wait in flight at @now is taken for I/O: as it was so far, or as most waits were. */
bool ss_offcpu_presumes_io(const struct ss_account *a, const struct ss_reading *now);

/**
 * How often the thread slept in the window, apart from the sleep it is in at the end: the one it
 * was in at the start and one for each voluntary switch. INT64_MAX when not known.
 */
int64_t ss_offcpu_sleeps(const struct ss_account *a, const struct ss_reading *now,
			 enum ss_phase phase);

#endif
