/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the programs in the kernel and the bpf source share: fixed-width, no pointers.
 */
#ifndef SS_BPF_WIRE_H
#define SS_BPF_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* What a thread does; also the index of its part in ns[]. */
enum ss_ledger_phase {
	SS_LEDGER_UNKNOWN = 0,
	SS_LEDGER_RUN = 1,
	SS_LEDGER_QUEUE = 2,
	SS_LEDGER_SLEEP = 3,
	SS_LEDGER_BLOCK = 4,
	SS_LEDGER_IOWAIT = 5,
	SS_LEDGER_STOP = 6,
	SS_LEDGER_DEAD = 7,
};
#define SS_LEDGER_PARTS 8	/* a power of two: an index is masked for the verifier */

enum ss_ledger_flag {
	SS_LEDGER_REPAIRED = 1u << 0,	/* an event was missed; bound_ns says what it can have moved */
	SS_LEDGER_BORN = 1u << 1,	/* the account began with the thread */
};

/*
 * Where windows end. Window 0 ends at the first epoch, window w one interval after window w - 1.
 * Windows from @from on count from the second epoch: the grid follows CLOCK_MONOTONIC, which is
 * slewed, without moving the end of a window that somebody may have closed.
 */
struct ss_grid {
	__u64 interval_ns;
	__u64 epoch_ns[2];
	__u64 from;
};

/* One window that closed, and how many whole ones after it that were all @phase. */
struct ss_closed {
	__u64 window;
	__u64 more;
	__u64 begin_ns, end_ns;
	__s64 ns[SS_LEDGER_PARTS];	/* by enum ss_ledger_phase; [0] is stolen time */
	__s64 bound_ns;
	__u32 nvcsw, nivcsw;
	__s32 cpu;
	__u8 phase;	/* enum ss_ledger_phase at its end */
	__u8 flags;	/* enum ss_ledger_flag */
	__u8 pad[2];
};
#define SS_LEDGER_STOLEN SS_LEDGER_UNKNOWN

/* The open window. */
struct ss_ledger {
	__u64 since_ns;		/* up to here everything is accounted for */
	__u64 in_ns;		/* when it was switched in */
	__u64 runtime_ns;	/* its runtime counter at the last switch */
	__u64 skew_ns;		/* rq->clock - rq->clock_task when it was switched in */
	__u64 run_delay_ns;	/* its counter of completed runqueue waits at the last switch-out */
	__u64 pcount;		/* its counter of switch-ins then */
	struct ss_closed open;
};

/*
 * One watched thread. Written by the events of that thread, which are serialised by its runqueue's
 * lock; user space reads it through a shared mapping. @seq is odd meanwhile (x86-64 keeps the order
 * of stores).
 */
struct ss_slot {
	__u32 seq;
	__u32 generation;	/* of this slot: how many threads it has had */
	__s32 pid, tid;		/* as in the PID namespace of the program */
	__u64 start_boot_ns;	/* CLOCK_BOOTTIME of its creation: its identity */
	__u32 events;		/* since the slot was taken */
	__u32 number;		/* of this slot */
	__u8 guess;		/* enum ss_ledger_phase, seen while there had been no event */
	__u8 inherit;		/* enum ss_inherit */
	__u8 pad[6];
	char comm[16];		/* since it was watched it took that name; empty: none */
	struct ss_ledger ledger;
};

/* Which new threads are watched from their first instant. */
enum ss_inherit {
	SS_INHERIT_THREADS = 1u << 0,	/* of the same process */
	SS_INHERIT_CHILDREN = 1u << 1,	/* of processes that it creates */
};

/* A thread that is to be watched: what user space asks for, and the answer. */
struct ss_wanted {
	__u32 slot;	/* to be taken */
	__u32 has;	/* 1 + the one that it has already, as a new thread of a watched process does */
	__u8 inherit;	/* enum ss_inherit */
	__u8 done;
	__u8 pad[2];
};

enum ss_record_kind {
	SS_RECORD_WINDOW = 0,
	SS_RECORD_BIRTH = 1,	/* a thread that the kernel began to watch at its creation */
	SS_RECORD_EXIT = 2,	/* the last window, which ends with the thread */
};

struct ss_record {
	__u32 slot, generation;
	__u32 kind;		/* enum ss_record_kind */
	__s32 pid, tid;
	__u32 pad;
	__u64 start_boot_ns;
	struct ss_closed closed;
};

/* In one page that both sides map. */
struct ss_shared {
	struct ss_grid grid;
	__s64 mono_to_rq_ns;	/* add to CLOCK_MONOTONIC for the scheduler's clock */
	__u64 lost_records;	/* the ring buffer was full */
	__u64 lost_threads;	/* no slot, or no memory, for a new thread */
	/* Of the PID namespace of the program; level 0 is the first one. */
	__u32 pidns_level, pidns_inum;
	/* Of the last run of read_clock. */
	__u64 clock_ns, mono_ns;
};

#endif
