/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a counter source knows of one thread at one instant. All times are nanoseconds. Missing is
 * never zero: a field counts only when its bit in @have is set.
 */
#ifndef SS_ACCOUNT_READING_H
#define SS_ACCOUNT_READING_H

#include <stdint.h>

/* Presence bits of struct ss_reading. */
enum ss_have {
	SS_HAVE_RUN = 1u << 0,		/* run_ns */
	SS_HAVE_RQ = 1u << 1,		/* rq_ns */
	SS_HAVE_PCOUNT = 1u << 2,	/* pcount */
	SS_HAVE_SWITCHES = 1u << 3,	/* nvcsw, nivcsw */
	SS_HAVE_STATE = 1u << 4,	/* state */
	SS_HAVE_CPU = 1u << 5,		/* cpu */
	SS_HAVE_EXEC_START = 1u << 6,	/* exec_start_ns; 0 is a value: migrated while queued */
	SS_HAVE_SCHEDSTATS = 1u << 7,	/* sleep_ns, block_ns, iowait_ns, *_start_ns */
	SS_HAVE_BLKIO = 1u << 8,	/* blkio_ns: delay accounting was on for this thread */
	SS_HAVE_QUIET = 1u << 9,	/* quiet_ns */
	SS_HAVE_PLACE = 1u << 10,	/* phase, since_ns, bound_ns; run_ns and rq_ns hold their parts
					 * in flight */
	SS_HAVE_SLEPT = 1u << 11,	/* slept_ns */
};

/* The scheduler's state of a thread, as /proc/PID/stat field 3 groups it. */
enum ss_state {
	SS_STATE_RUNNABLE,	/* R: on a CPU or queued for one */
	SS_STATE_SLEEP,		/* S, I (TASK_IDLE), P */
	SS_STATE_BLOCK,		/* D, also K and W of old kernels */
	SS_STATE_STOP,		/* T, t */
	SS_STATE_DEAD,		/* Z, X: it will not run again; its counters are final */
};

/* Bits of struct ss_reading.flags. */
enum ss_reading_flag {
	SS_READING_FAIR = 1u << 0,	/* scheduled by the fair class */
	SS_READING_OLD_SCHEDSTATS = 1u << 1, /* se.statistics.*: before 5.16, fair class only */
};

struct ss_reading {
	int64_t mono_ns;	/* CLOCK_MONOTONIC when it was taken */
	int64_t torn_ns;	/* 0, or the thread was switched meanwhile: all was read within this span */
	uint32_t have;
	uint8_t state;		/* enum ss_state */
	uint8_t flags;
	int32_t cpu;		/* last CPU it ran on */
	uint64_t run_ns;	/* sum_exec_runtime; up to one scheduler tick behind while running */
	uint64_t rq_ns;		/* sched_info.run_delay: completed runqueue waits */
	uint64_t pcount;	/* sched_info.pcount: times switched in */
	uint64_t nvcsw;		/* switched out while not runnable */
	uint64_t nivcsw;	/* switched out while runnable */
	uint64_t exec_start_ns;	/* se.exec_start, on the rq_clock_task of @cpu */
	/* Kernel sums of completed waits with SCHEDSTATS. sleep includes block includes iowait. */
	uint64_t sleep_ns, block_ns, iowait_ns;
	uint64_t sleep_start_ns, block_start_ns;	/* rq_clock; 0: not in that state */
	uint64_t blkio_ns;	/* delay accounting: completed block I/O waits */
	uint64_t slept_ns;	/* completed sleeps of all kinds, by old SCHEDSTATS, which have no
				 * delayed dequeue */
	int64_t quiet_ns;	/* CLOCK_MONOTONIC at which no other task of the machine was runnable */
	uint8_t phase;		/* enum ss_phase; unknown: dead */
	int64_t since_ns;	/* CLOCK_MONOTONIC at which it began; INT64_MIN: not known */
	int64_t bound_ns;	/* what run_ns and rq_ns can be wrong by since the last reading */
};

/*
 * Offsets from CLOCK_MONOTONIC to the scheduler's clocks of one CPU. The two scheduler clocks
 * tick together except for interrupt and steal time, which rq_clock_task leaves out.
 */
struct ss_clock_offset {
	int64_t task_minus_mono_ns;
	int64_t bound_ns;	/* |error| of the offset; < 0: not known */
};

#endif
