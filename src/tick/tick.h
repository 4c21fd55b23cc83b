/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When: absolute deadlines on a grid, so that no error adds up. A deadline that passes while the
 * tick before is still being read is missed: counted, and its interval becomes part of the next.
 */
#ifndef SS_TICK_TICK_H
#define SS_TICK_TICK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/caps.h"

struct ss_tick {
	int64_t index;		/* of its deadline; 0 is the baseline that opens the accounts */
	int64_t scheduled_ns;	/* CLOCK_MONOTONIC */
	int64_t end_ns;		/* before that by the settling time: where windows on the grid end */
	int64_t interval_ns;
	bool off_grid;		/* the last one, at no deadline */
	int64_t actual_ns;	/* CLOCK_MONOTONIC when the program saw it */
	int64_t missed;		/* deadlines between the last tick and this one */
	int64_t mono_to_real_ns;	/* add to CLOCK_MONOTONIC to get CLOCK_REALTIME */
	int64_t mono_to_boot_ns;	/* add to CLOCK_MONOTONIC to get CLOCK_BOOTTIME */
};

struct ss_ticker;

/**
 * Prepare deadlines @interval_ns apart (>= 1 ms); they start with ss_ticker_start().
 * Returns 0 or negative errno.
 */
int ss_ticker_new(struct ss_ticker **ticker, int64_t interval_ns);

/**
 * How long after the end of a window its events may still arrive; before ss_ticker_start(). 0 by
 * default.
 */
void ss_ticker_set_settle(struct ss_ticker *ticker, int64_t settle_ns);

/** The grid begins now: fill @tick with index 0. Returns 0 or negative errno. */
int ss_ticker_start(struct ss_ticker *ticker, struct ss_tick *tick);

/** A descriptor that polls readable when a deadline has passed. Borrowed. */
int ss_ticker_fd(const struct ss_ticker *ticker);

/** Take the deadlines that have passed. Returns 1 with @tick filled, 0: none, or negative errno. */
int ss_ticker_read(struct ss_ticker *ticker, struct ss_tick *tick);

/** An extra tick now, off the grid: the last one of a session. */
void ss_ticker_now(struct ss_ticker *ticker, struct ss_tick *tick);

void ss_ticker_free(struct ss_ticker *ticker);

/** Fill the clocks of a tick that belongs to no grid: @actual_ns and the offsets are now's. */
void ss_tick_read_clocks(struct ss_tick *tick);

/**
 * Make the calling thread punctual: SCHED_FIFO 1 with reset on fork, else nice -20; timer slack
 * 1 ns. Tells in @caps what was granted. Threads started afterwards by it do not inherit it.
 */
void ss_tick_make_punctual(struct ss_caps *caps);

#endif
