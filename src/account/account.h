/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The account of one thread: two readings close a window whose parts add up to its wall time.
 *
 *	wall = run + rq + sleep + block + iowait + stop + residual	(integers, every window)
 *
 * No I/O, no clock, no allocation. The rules, and why:
 *
 * - run and rq are the kernel's counters plus their part in flight. A thread is on a CPU when
 *   pcount (incremented at switch-in, sched_info_arrive()) is one ahead of nvcsw + nivcsw
 *   (incremented at switch-out, __schedule()); their distance off the CPU is learned per thread,
 *   because it is -1 for some.
 *   A source that sees where a thread is says so (SS_HAVE_PLACE).
 * - What is left of the wall time was off the CPU. With SCHEDSTATS its kinds come from the
 *   kernel's own sums and the rest is residual. Without, they come from the states seen at both
 *   ends: exact when the thread slept at most once more than the ends show; otherwise the part
 *   between is given to the kind seen at an end, and bound_ns says how much that was.
 * - A thread that was runnable at the start and made no voluntary switch cannot have slept: what
 *   is left is residual, positive or negative. This is where errors show.
 * - A part that would be negative is 0, and its negative amount is residual. Of run and rq, it is
 *   later windows that get less: their sums over all windows are the kernel's.
 * - rq that has sleep in it (ss_account_moved_asleep()) is not used: with sums of sleep it is what
 *   they leave, without it is part of what is inferred.
 * - Counters that go backwards (writing to /proc/PID/sched zeroes them) restart the account: the
 *   parts of that window are missing and all of it is residual.
 */
#ifndef SS_ACCOUNT_ACCOUNT_H
#define SS_ACCOUNT_ACCOUNT_H

#include <stdbool.h>

#include "account/reading.h"

/* How a row was obtained, best first. Stored: append only. */
enum ss_quality {
	SS_QUALITY_EXACT = 0,		/* event ledger */
	SS_QUALITY_REPAIRED = 1,	/* event ledger with a missed event put right */
	SS_QUALITY_SNAPSHOT = 2,	/* counters plus exact parts in flight */
	SS_QUALITY_ESTIMATE = 3,	/* a part is inferred; bound_ns says how much at most */
	SS_QUALITY_COUNTER = 4,		/* counters only: run up to one scheduler tick behind */
	SS_QUALITY_SAMPLED = 5,		/* waits only: their cause was seen at the tick */
};
#define SS_QUALITY_COUNT 6

/* Bits of struct ss_parts.have; a part without its bit was not measured. */
enum ss_part_have {
	SS_PART_RUN = 1u << 0,
	SS_PART_RQ = 1u << 1,
	SS_PART_SLEEP = 1u << 2,
	SS_PART_BLOCK = 1u << 3,
	SS_PART_IOWAIT = 1u << 4,
	SS_PART_STOP = 1u << 5,
	SS_PART_SWITCHES = 1u << 6,
	SS_PART_CPU = 1u << 7,
	SS_PART_BOUND = 1u << 8,
	SS_PART_STOLEN = 1u << 9,
};

/* One closed window. Times in nanoseconds. */
struct ss_parts {
	uint32_t have;		/* enum ss_part_have */
	uint8_t quality;	/* enum ss_quality */
	bool restarted;		/* counters went backwards */
	int32_t cpu;
	int64_t wall_ns;
	int64_t run_ns, rq_ns, sleep_ns, block_ns, iowait_ns, stop_ns;
	int64_t stolen_ns;	/* by interrupts and the hypervisor while it was on a CPU */
	int64_t residual_ns;
	int64_t bound_ns;	/* upper bound of what an inferred part can be wrong by */
	int64_t nvcsw, nivcsw;
};

/* Where a thread was at the end of the last window. */
enum ss_phase {
	SS_PHASE_UNKNOWN,
	SS_PHASE_RUN,
	SS_PHASE_QUEUE,
	SS_PHASE_SLEEP,
	SS_PHASE_BLOCK,
	SS_PHASE_STOP,
	SS_PHASE_IOWAIT,	/* only a source that can tell it from block has it */
};

/* Between two windows: the last reading with its parts in flight. Owned by one shard. */
struct ss_account {
	struct ss_reading prev;
	int64_t since_ns;	/* CLOCK_MONOTONIC at which @phase began; INT64_MIN: before anything seen */
	int64_t run_total_ns;	/* run_ns + in flight, at prev.mono_ns */
	int64_t rq_total_ns;
	int64_t bound_ns;	/* error that the last window left to the next: a birth or a wakeup
				 * whose instant is not known; < 0: without bound */
	int64_t io_tally_ns;	/* block I/O counted less half of the time seen blocked, fading */
	int64_t looked_ns;	/* CLOCK_MONOTONIC of the last reading that had more than counters */
	int64_t base;		/* pcount - nvcsw - nivcsw while off the CPU */
	uint8_t phase;		/* enum ss_phase */
	bool base_known;
	bool run_exact;		/* run_total_ns has its part in flight */
	bool in_flight_is_io;	/* the last window took a wait that had not ended for I/O */
	bool moved_asleep;	/* rq_ns will get a part of its sleep: ss_account_moved_asleep() */
	bool looked;		/* all that tells whether it was moved was read since it fell asleep */
	bool open;
};

/*
 * What one tick has in common for all accounts: offsets of the scheduler's clocks and the longest
 * distance that counters of a running thread can lag.
 */
struct ss_account_env {
	const struct ss_clock_offset *offset;	/* borrowed; one a CPU */
	int ncpus;
	int64_t tick_ns;	/* scheduler tick: CLOCK_MONOTONIC_COARSE resolution */
	int64_t lag_max_ns;	/* longest distance that exec_start of a running thread can be
				 * behind: two scheduler ticks and a millisecond, or 2 s where a CPU
				 * is nohz_full */
};

/** Open the account with a first reading: no window yet. */
void ss_account_open(struct ss_account *a, const struct ss_reading *first,
		     const struct ss_account_env *env);

/**
 * Open the account of a thread that was created at @birth_mono_ns, or up to @bound_ns later: all
 * counters were zero, and it was queued (wake_up_new_task() puts a new task on a runqueue).
 */
void ss_account_open_at_birth(struct ss_account *a, int64_t birth_mono_ns, int64_t bound_ns);

/**
 * True when a reading that holds counters only (run, rq, pcount) proves that the thread has not
 * been switched in since the last one and was not on a CPU then, so that nothing more need be
 * read to close the window, but now and then for ss_account_moved_asleep(): while a sleep is young.
 */
bool ss_account_is_idle(const struct ss_account *a, const struct ss_reading *counters);

/**
 * True when the thread was asleep at its last reading, at or after @since_ns, so that what proves
 * that it has not run from then to @mono_ns proves that it still is, and no more need be read (as
 * with ss_account_is_idle()).
 */
bool ss_account_stays_asleep(const struct ss_account *a, int64_t since_ns, int64_t mono_ns);

/**
 * Close the window of a thread that ss_account_stays_asleep() and did not run until @mono_ns; it
 * was not runnable at @quiet_ns, which is @mono_ns where it was seen asleep.
 */
void ss_account_close_asleep(struct ss_account *a, int64_t mono_ns, int64_t quiet_ns,
			     struct ss_parts *out);

/**
 * True when counters with switches and the state prove that the thread was off the CPU and sleeps
 * as it did at the last reading, so that since when does not matter, and no sums of waits are kept
 * that would have to be read.
 */
bool ss_account_needs_no_more(const struct ss_account *a, const struct ss_reading *r);

/**
 * True when switch-ins (pcount) and switches are further apart than they were ever seen of this
 * thread, or are seen for the first time: what they teach, whether it is on a CPU, holds for
 * all readings to come, and each is read at an instant of its own.
 */
bool ss_account_must_confirm(const struct ss_account *a, const struct ss_reading *r);

/**
 * True when the thread was moved to another CPU's runqueue while it slept. Since 6.12 a sleeper can
 * stay on its runqueue (delayed dequeue); one that is moved meanwhile is stamped as queued
 * (sched_info_enqueue()), so that all from there to its next switch-in joins run_delay. Nothing but
 * a move makes exec_start 0 (migrate_task_rq_fair()). One that was woken and moved after its state
 * was read looks the same: the state, read again, tells the two apart.
 */
bool ss_account_moved_asleep(const struct ss_reading *r);

/**
 * True when @counters (run, rq, pcount), read first, and @now, which holds them and what was read
 * after them, go together: the thread did not run in between, or it has been on a CPU all the time
 * (then pcount is still one ahead of the switches).
 */
bool ss_account_agrees(const struct ss_account *a, const struct ss_reading *counters,
		       const struct ss_reading *now);

/**
 * Close the window between the last reading and @now, and keep @now for the next one.
 * now->mono_ns must not be before the last reading's. @out always adds up to the wall time.
 */
void ss_account_close(struct ss_account *a, const struct ss_reading *now,
		      const struct ss_account_env *env, struct ss_parts *out);

/**
 * Close the last window of a thread that ended at or before @end_mono_ns. @final holds its last
 * counters (a taskstats exit record, taken while it ran do_exit(), so behind by up to a
 * scheduler tick; its mono_ns may be 0: not known), or is NULL when nothing is known: then the
 * parts are missing. When
 * @end_is_bound, the thread ended at some instant after the last reading and @end_mono_ns is the
 * latest possible one. Where it ended before the last reading, that was of another thread, and
 * nothing is known either.
 */
void ss_account_close_exit(struct ss_account *a, const struct ss_reading *final,
			   int64_t end_mono_ns, bool end_is_bound,
			   const struct ss_account_env *env, struct ss_parts *out);

/** "exact", "repaired", "snapshot", "estimate", "counter", "sampled". */
const char *ss_quality_name(enum ss_quality quality);

#endif
