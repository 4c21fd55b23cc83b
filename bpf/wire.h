/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What the programs in the kernel and the bpf source share: fixed-width, no pointers.
 */
#ifndef SS_BPF_WIRE_H
#define SS_BPF_WIRE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#include "cause.h"

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

/*
 * The waits of one thread and window that have the same cause and were ended by the same waker. Its
 * part of a wait that began earlier or goes on counts in ns only.
 */
#define SS_WAIT_BUCKETS 32	/* a power of two, too */
#define SS_WAIT_COUNT_MAX 0xffff	/* what a bucket holds */
struct ss_wait {
	struct ss_cause cause;
	__u64 waker;		/* 0: not known, or it goes on; pid << 32 | tid, or enum ss_waker */
	__u64 ns;		/* blocked within the window */
	__u64 ended_ns;		/* whole lengths of the waits that ended in it */
	__u64 max_ns;		/* the longest of those */
	__u32 count;		/* of those */
	__u16 hist[SS_WAIT_BUCKETS];	/* of their lengths: see ss_wait_bucket() */
	__u8 pad[4];
};

/* Wakers without a PID. */
#define SS_WAKER_INTERRUPT 1	/* a timer, a device, a packet */
#define SS_WAKER_OUTSIDE 2	/* a thread without a number in the program's PID namespace */

/*
 * What the kernel knows of an object besides its key, told when a thread begins to wait for it. Ports
 * are numbers, addresses as the network has them.
 */
struct ss_object_info {
	__u8 object;		/* enum ss_object */
	__u8 ready;		/* epoll: enum ss_object of the descriptor that was ready, of which */
				/* all below but pid and key[] tells */
	__u16 family;		/* AF_INET, AF_INET6, AF_UNIX, ... */
	__u16 type, protocol;	/* SOCK_STREAM, IPPROTO_TCP, ... */
	__u16 local_port, remote_port;
	__u8 local[16], remote[16];	/* IPv4: the first four */
	__s32 pid;		/* of the process that waited */
	__s32 peer_pid;		/* unix: of the process at the other end; 0: not known */
	__s32 fd;		/* in that process; -1: none */
	__u32 pad2;
	__u64 key[2], ready_key[2];
	char name[64];		/* unix: path, '@' and a name if abstract; file: last part of its path */
};

/* One window that closed, and how many whole ones after it that were all @phase, for @cause. */
struct ss_closed {
	__u64 window;
	__u64 more;
	__u64 begin_ns, end_ns;
	__s64 ns[SS_LEDGER_PARTS];	/* by enum ss_ledger_phase; but two are stolen and unexplained time */
	__s64 bound_ns;
	__u32 nvcsw, nivcsw;
	__s32 cpu;
	__u8 phase;	/* enum ss_ledger_phase at its end */
	__u8 flags;	/* enum ss_ledger_flag */
	__u8 pad[2];
	struct ss_cause cause;	/* of its wait at its end; else the one before */
};
#define SS_LEDGER_STOLEN SS_LEDGER_UNKNOWN
#define SS_LEDGER_UNEXPLAINED SS_LEDGER_DEAD
#define SS_LEDGER_WAITS 4	/* causes that are gathered before they are told */

/* The open window. */
struct ss_ledger {
	__u64 since_ns;		/* up to here everything is accounted for */
	__u64 in_ns;		/* when it was switched in */
	__u64 runtime_ns;	/* its runtime counter at the last switch */
	__u64 skew_ns;		/* rq->clock - rq->clock_task when it was switched in */
	__u64 run_delay_ns;	/* its counter of completed runqueue waits at the last switch-out */
	__u64 pcount;		/* its counter of switch-ins then */
	__u64 wait_since_ns;	/* when its wait began */
	__u64 wait_ns;		/* of it, within the open window */
	struct ss_closed open;
	__u32 nwaits;
	__u32 evicted;		/* waits of the open window that gave way to others */
	__u32 in_unseen;	/* no event told when it got its CPU: not before in_ns */
	__u32 pad;
	struct ss_wait wait[SS_LEDGER_WAITS];	/* of the open window, those that ended */
};

/* What is read of a thread at a switch. */
struct ss_switch {
	__u64 now_ns;		/* rq->clock */
	__u64 skew_ns;		/* rq->clock - rq->clock_task */
	__u64 runtime_ns;	/* se.sum_exec_runtime */
	__u64 last_arrival_ns;	/* sched_info: its last switch-in, rq->clock of that CPU */
	__u64 last_queued_ns;	/* sched_info: queued since, 0 when it is not */
	__u64 run_delay_ns;	/* sched_info: completed runqueue waits */
	__u64 pcount;		/* sched_info: switch-ins; at a switch-in without this one */
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
	__u8 pad[2];
	__u32 block_dev;	/* of the last block I/O that it asked for: major << 20 | minor; 0: none */
	struct ss_cause guess_cause;	/* where guess is asleep */
	struct ss_cause cause;	/* of its wait, as it leaves its CPU */
	struct ss_switch at;	/* of its last switch */
	__u64 epoll;		/* address of the instance that it waits for; 0: none */
	__u32 ready;		/* 1 + the descriptor that ended that wait; 0: not known */
	__s32 epoll_fd;
	struct ss_cause ready_cause;	/* what that is */
	char comm[16];		/* since it was watched it took that name; empty: none */
	__u64 waker;		/* of its next wakeup, as in struct ss_wait; without a lock */
	struct ss_ledger ledger;
};

/* Which new threads are watched from their first instant. */
enum ss_inherit {
	SS_INHERIT_THREADS = 1u << 0,	/* of the same process */
	SS_INHERIT_CHILDREN = 1u << 1,	/* of processes that it creates */
};

/* What came of a thread that is to be watched. */
enum ss_answer {
	SS_ANSWER_NONE = 0,	/* it was not found */
	SS_ANSWER_WATCHED = 1,
	SS_ANSWER_NO_MEMORY = 2,	/* at once: there can be some in a moment */
};

/* A thread that is to be watched: what user space asks for, and the answer. */
struct ss_wanted {
	__u32 slot;	/* to be taken */
	__u32 has;	/* 1 + the one that it has already, as a new thread of a watched process does */
	__u8 inherit;	/* enum ss_inherit */
	__u8 answer;	/* enum ss_answer */
	__u8 pad[2];
};

enum ss_record_kind {
	SS_RECORD_WINDOW = 0,
	SS_RECORD_BIRTH = 1,	/* a thread that the kernel began to watch at its creation */
	SS_RECORD_EXIT = 2,	/* the last window, which ends with the thread */
	SS_RECORD_WAIT = 3,	/* part of a window, which comes after it */
	SS_RECORD_OBJECT = 4,
	SS_RECORD_LEAVE = 5,	/* its account ends while it is on a CPU: it has another number */
};

struct ss_record {
	__u32 slot, generation;
	__u32 kind;		/* enum ss_record_kind */
	__u32 pad;
	union {
		struct ss_closed closed;	/* window, exit */
		struct {
			__s32 pid, tid;
		} birth;
		struct {
			__u64 window;
			struct ss_wait wait;
		} part;
		struct ss_object_info object;
		struct ss_switch left;
	};
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
