/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One watched thread. Its identity is (tid, start time): a reused tid is another thread. The
 * roster creates and ends threads, between ticks, on the engine's thread; while a tick is read, a
 * thread belongs to the worker of its shard.
 */
#ifndef SS_ROSTER_THREAD_H
#define SS_ROSTER_THREAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "account/account.h"
#include "account/fields.h"
#include "base/fdcache.h"

struct ss_process;

enum ss_found {
	SS_FOUND_PID, SS_FOUND_TID, SS_FOUND_MATCH, SS_FOUND_ALL, SS_FOUND_FOLLOW, SS_FOUND_LAUNCH,
};

enum ss_thread_file {
	SS_FILE_SCHEDSTAT, SS_FILE_SCHED, SS_FILE_STAT, SS_FILE_SYSCALL, SS_FILE_WCHAN,
};
#define SS_THREAD_FILES 5

/* Which file tells what a thread waits for. */
enum ss_look { SS_LOOK_UNTRIED, SS_LOOK_SYSCALL, SS_LOOK_WCHAN, SS_LOOK_NONE };

/* What a thread leaves when it ends: its counters as do_exit() had them (taskstats_exit()). */
struct ss_exit_record {
	int32_t tid;
	int64_t age_us;			/* between its creation and the record */
	struct ss_reading final;
	char comm[SS_COMM_LEN];
};

/*
 * What is known of all threads of a process without reading any. Instants of CLOCK_MONOTONIC; 0:
 * not known. Written by the roster before a tick is read.
 */
struct ss_stillness {
	int64_t quiet_ns;	/* none of them was runnable then */
	int64_t since_ns, still_ns;	/* none of them was on a CPU from the one to the other */
};

struct ss_thread {
	/* Identity; written by the roster only. */
	int32_t pid, tid, ppid;
	uint64_t start_ticks;		/* /proc/PID/stat field 22: clock ticks since boot; 0: not read */
	int64_t birth_mono_ns;		/* instant of creation; 0: before the first tick */
	int64_t birth_bound_ns;		/* how much later it may have been */
	uint8_t found;			/* enum ss_found */
	struct ss_process *process;	/* owner of the list it is in */
	const struct ss_stillness *still;	/* of that process; NULL: not watched any more */
	struct ss_thread *hash_next;

	/*
	 * Ending; written by the roster (events) or by the worker (a read that failed: INT64_MAX; a
	 * zombie, whose last window the worker closes itself). A leader whose end was told is read
	 * until it is seen to have ended.
	 */
	int64_t exit_mono_ns;		/* 0: alive as far as known; INT64_MAX: ended, instant unknown */
	bool has_exit_record;
	struct ss_exit_record exit_record;

	/* Sampling; the shard's worker. */
	char comm[SS_COMM_LEN];
	struct ss_account account;
	uint32_t shard, slot;		/* slot: index in the shard */
	bool announced;			/* its first row was written */
	bool held;			/* ended, and kept until its source has told its last window */
	uint32_t slot_number;		/* bpf sources: 1 + its slot; 0: none yet */
	uint8_t unfound;		/* bpf source: ticks at which the kernel did not show it */
	int64_t start_mono_ns;		/* creation to the microsecond, from its source; 0: not told */
	struct ss_fdent file[SS_THREAD_FILES];
	bool file_read[SS_THREAD_FILES];	/* the kernel has that file */
	uint32_t file_generation;	/* of the replayed tree they belong to */
	bool kernel;			/* a kernel thread */
	uint8_t look;			/* enum ss_look */
	bool cause_known;		/* @cause is that of the wait after switch-in @cause_pcount */
	uint64_t cause_pcount;
	struct ss_cause cause;		/* what it was last seen to wait for; of no kind: nothing yet */
	struct ss_delay_state *delay;	/* owned by the taskstats source; NULL */
};

#endif
