/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the programs in the kernel and the bpf-snapshot source share: fixed-width, no pointers.
 */
#ifndef SS_BPF_SNAPSHOT_H
#define SS_BPF_SNAPSHOT_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Bits of struct ss_snapshot.flags. */
enum ss_snapshot_flag {
	SS_SNAPSHOT_CURRENT = 1u << 0,	/* rq->curr is it */
	SS_SNAPSHOT_QUEUED = 1u << 1,	/* on a runqueue, and not about to be taken off */
	SS_SNAPSHOT_IOWAIT = 1u << 2,
	SS_SNAPSHOT_DEAD = 1u << 3,	/* exit_state is set */
	SS_SNAPSHOT_TORN = 1u << 4,	/* changed each time while it was read */
	SS_SNAPSHOT_DELAYED = 1u << 5,	/* on a runqueue, and about to be taken off */
	SS_SNAPSHOT_STILL = 1u << 6,	/* slept on since the run before: no more was read */
};

/* One watched thread as it was at one instant. In memory that both sides map; two cache lines. */
struct ss_snapshot {
	__u32 run;		/* number of the run that visited it last; 0: none */
	__u32 state;		/* task_struct.__state */
	__u16 flags;		/* enum ss_snapshot_flag */
	__u16 asleep;		/* user space: it was, and off its runqueue, as this was read */
	__s32 cpu;		/* of its runqueue */
	__u64 start_boot_ns;	/* CLOCK_BOOTTIME of its creation: its identity */
	__u64 nvcsw, nivcsw;
	__u64 runtime_ns;	/* se.sum_exec_runtime */
	__u64 comm[2];		/* 16 characters */
	__u64 mono_ns;		/* CLOCK_MONOTONIC, when all of it was true */
	__u64 exec_start_ns;	/* rq->clock_task up to which runtime_ns counts */
	__u64 run_delay_ns;	/* sched_info, on rq->clock, like the next two */
	__u64 last_queued_ns;	/* 0: not queued */
	__u64 last_arrival_ns;
	__u64 pcount;
	__u64 clock_ns, clock_task_ns;	/* of its runqueue */
};

/* One that slept on is read all the same after so many runs: it can have got a new name. */
#define SS_SNAPSHOT_RUNS_STILL 32

/* Neighbours in numbers are neighbours in memory, as they were when they were created. */
#define SS_WANTED_BLOCK 32
struct ss_wanted_block {
	__u16 number[SS_WANTED_BLOCK];	/* of the snapshot of each thread by its tid, + 1; 0: not wanted */
};

/* In one page that both sides map. */
struct ss_snapshot_shared {
	__u32 run;		/* number of the current one */
	__u32 visited;		/* wanted threads in it so far */
	__u32 threads;		/* that are wanted */
	__u32 slots;		/* no snapshot from here on is used */
	/* Of the PID namespace of the program; level 0 is the first one. */
	__u32 pidns_level, pidns_inum;
	/* Of the last run of read_clock. */
	__u64 clock_ns, mono_ns;
};

#endif
