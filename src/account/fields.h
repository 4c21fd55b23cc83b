/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ONE table of columns. Every sink, `--list-columns`, the man page and the tests read it.
 * A table describes the rows of one kind in a batch; a column says where its value lies in the
 * row's struct and which bit of the row's @have says that it was measured.
 */
#ifndef SS_ACCOUNT_FIELDS_H
#define SS_ACCOUNT_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "account/account.h"
#include "bpf/wire.h"

/* Stored in schema versions: append only. */
enum ss_type {
	SS_TYPE_S64 = 0,	/* int64_t */
	SS_TYPE_S32 = 1,	/* int32_t */
	SS_TYPE_TEXT = 2,	/* char[]: bytes that another program chose, NUL-terminated */
	SS_TYPE_EVENT = 3,	/* uint8_t: bits of enum ss_event */
	SS_TYPE_QUALITY = 4,	/* uint8_t: enum ss_quality */
	SS_TYPE_KIND = 5,	/* uint8_t: enum ss_wait_kind */
	SS_TYPE_OBJECT = 6,	/* uint8_t: enum ss_object */
	SS_TYPE_SYSCALL = 7,	/* int32_t: number of a system call; told by its name */
	SS_TYPE_HIST = 8,	/* uint32_t[SS_WAIT_BUCKETS]: told as "lowest:count ..." */
};

struct ss_column {
	const char *name;
	const char *unit;	/* "ns", "count", "" */
	enum ss_type type;
	size_t offset;		/* in the row's struct */
	uint32_t have;		/* presence bit in the row's @have; 0: always there */
	const char *help;
};

struct ss_table {
	const char *name;	/* plural: names files and folders: "samples" */
	const char *record;	/* singular: the "type" of a JSON line: "sample" */
	const char *scope;	/* "thread": rows belong to (pid, tid); "global" */
	const struct ss_column *columns;
	size_t ncolumns;
	size_t row_size;
	size_t have_offset;	/* of the row's uint32_t have */
	const char *help;
};

enum ss_event {
	SS_EVENT_START = 1u << 0,
	SS_EVENT_EXIT = 1u << 1,
};

#define SS_COMM_LEN 64		/* proc_task_name() prints up to 63 bytes for kernel workers */

/*
 * Rows. Each begins with @have. Each thread-scoped row has pid and tid next. time_ns is
 * CLOCK_REALTIME, mono_ns CLOCK_MONOTONIC, both at the end of the interval.
 */
struct ss_sample {
	uint32_t have;		/* enum ss_part_have */
	int32_t pid, tid;
	int32_t cpu;
	uint8_t event;		/* enum ss_event */
	uint8_t quality;	/* enum ss_quality */
	char comm[SS_COMM_LEN];
	int64_t tick, time_ns, mono_ns;
	int64_t wall_ns, run_ns, rq_ns, sleep_ns, block_ns, iowait_ns, stop_ns, residual_ns;
	int64_t bound_ns;
	int64_t nvcsw, nivcsw;
	int64_t stolen_ns;
};

/* Delay accounting of one thread over one interval: pairs of how often and how long. */
enum ss_delay_kind {
	SS_DELAY_CPU, SS_DELAY_BLKIO, SS_DELAY_SWAPIN, SS_DELAY_FREEPAGES,
	SS_DELAY_THRASHING, SS_DELAY_COMPACT, SS_DELAY_WPCOPY, SS_DELAY_IRQ,
};
#define SS_DELAY_COUNT 8

struct ss_delay {
	uint32_t have;		/* 1 << enum ss_delay_kind */
	int32_t pid, tid;
	int64_t tick, time_ns;
	int64_t count[SS_DELAY_COUNT];
	int64_t ns[SS_DELAY_COUNT];
};

enum ss_thread_have {
	SS_THREAD_START = 1u << 0,
	SS_THREAD_EXIT = 1u << 1,
	SS_THREAD_PPID = 1u << 2,
	SS_THREAD_EXE = 1u << 3,
	SS_THREAD_CGROUP = 1u << 4,
};

/* One row when a thread is first watched and one when it ends. */
struct ss_thread_row {
	uint32_t have;		/* enum ss_thread_have */
	int32_t pid, tid, ppid;
	int64_t tick, time_ns;
	int64_t start_ns, exit_ns;	/* CLOCK_MONOTONIC */
	uint8_t event;			/* enum ss_event */
	char comm[SS_COMM_LEN];
	char exe[256];
	char cgroup[256];
	char found[16];		/* why: "pid", "tid", "match", "all", "follow", "launch" */
};

enum ss_wait_have {
	SS_WAIT_RESOURCE = 1u << 0,
	SS_WAIT_CALL = 1u << 1,
	SS_WAIT_ENDED = 1u << 2,	/* count, ended_ns and hist were measured */
	SS_WAIT_MAX = 1u << 3,		/* a wait ended */
	SS_WAIT_WAKER = 1u << 4,
	SS_WAIT_WAKER_THREAD = 1u << 5,	/* and it is a thread with a number here */
};

/* The waits of one thread and interval for one cause that were ended by one waker. */
struct ss_wait_row {
	uint32_t have;		/* enum ss_wait_have */
	int32_t pid, tid;
	int64_t tick, time_ns;
	uint8_t kind;		/* enum ss_wait_kind */
	uint8_t quality;	/* enum ss_quality */
	int32_t syscall;
	int64_t resource;	/* ss_resource_row.id */
	int64_t wait_ns;	/* within the interval */
	int64_t count;		/* of waits that ended in it */
	int64_t ended_ns, max_ns;	/* whole lengths of those */
	uint32_t hist[SS_WAIT_BUCKETS];	/* of those lengths */
	char waker[12];		/* "thread", "interrupt", "outside" */
	int32_t waker_pid, waker_tid;
};

/* How often one thread ended waits of another, per interval. Follows from the waits. */
struct ss_wake_row {
	uint32_t have;
	int32_t pid, tid;	/* the wakee */
	int32_t waker_pid, waker_tid;
	int64_t tick, time_ns;
	uint8_t kind;		/* enum ss_wait_kind */
	int64_t count, ended_wait_ns;
};

/* What threads wait for; one row when it is first seen. */
struct ss_resource_row {
	uint32_t have;		/* enum ss_resource_have */
	int64_t id;
	int64_t tick, time_ns;
	uint8_t object;		/* enum ss_object */
	int32_t pid;		/* whose it is */
	int64_t key[2];
	char name[256];
};

enum ss_resource_have {
	SS_RESOURCE_PID = 1u << 0,	/* keys of that object are the process's */
	SS_RESOURCE_NAME = 1u << 1,
};

enum ss_tick_have {
	SS_TICK_UNSEEN = 1u << 0,
	SS_TICK_SUSPENDED = 1u << 1,
};

/* One row a tick: how well it was kept, and everything that was lost. */
struct ss_tick_row {
	uint32_t have;		/* enum ss_tick_have */
	int64_t tick, time_ns;
	int64_t scheduled_ns, actual_ns, lateness_ns;	/* CLOCK_MONOTONIC */
	int64_t read_ns;	/* roster and sources, wall time */
	int64_t threads, still, rows, starts, exits;
	int64_t suspended_ns;	/* the machine slept: growth of BOOTTIME - MONOTONIC */
	int64_t lost_ticks;	/* deadlines that passed while the previous tick was read */
	int64_t lost_events;	/* netlink queues overflowed (ENOBUFS) */
	int64_t lost_replies;	/* taskstats requests without an answer */
	int64_t lost_parse;	/* kernel records that did not parse */
	int64_t lost_reads;	/* reads that failed with the thread alive */
	int64_t lost_threads;	/* threads known to have lived whose account could not be read */
	int64_t lost_restarts;	/* accounts restarted: counters went backwards */
	int64_t lost_batches;	/* ticks that this output lost because its queue was full */
	int64_t lost_rows;	/* sample rows in those */
	int64_t unseen_max;	/* tasks created on this machine that the scan cannot have seen */
};

extern const struct ss_table ss_table_samples;
extern const struct ss_table ss_table_delays;
extern const struct ss_table ss_table_threads;
extern const struct ss_table ss_table_ticks;
extern const struct ss_table ss_table_waits;
extern const struct ss_table ss_table_wakes;
extern const struct ss_table ss_table_resources;

/*
 * All of them, in the order in which the rows of a tick are written, which is not stored: resources
 * before the waits that name them, the tick last.
 */
enum ss_table_id {
	SS_TABLE_THREADS, SS_TABLE_SAMPLES, SS_TABLE_DELAYS, SS_TABLE_RESOURCES, SS_TABLE_WAITS,
	SS_TABLE_WAKES, SS_TABLE_TICKS,
};
#define SS_TABLE_COUNT 7
extern const struct ss_table *const ss_tables[SS_TABLE_COUNT];

/** The column of that name, or NULL. */
const struct ss_column *ss_column_find(const struct ss_table *table, const char *name);

/** True when the value was measured. */
static inline int ss_column_present(const struct ss_table *table, const struct ss_column *column,
				    const void *row)
{
	const uint32_t *have = (const uint32_t *)((const char *)row + table->have_offset);

	return !column->have || (*have & column->have);
}

/** "" , "start", "exit", "start+exit". */
const char *ss_event_name(unsigned int event);

/** Of enum ss_wait_kind: "futex"; "?" for a number that is none. */
const char *ss_wait_kind_name(unsigned int kind);

/** Of enum ss_object, in the same way. */
const char *ss_object_name(unsigned int object);

/**
 * The shortest length in nanoseconds that ss_wait_row.hist[@bucket] counts: bucket 0 holds what is
 * below 1024, each other one up to twice its lowest, the last one all the rest.
 */
static inline int64_t ss_wait_bucket_low(unsigned int bucket)
{
	return bucket ? INT64_C(1) << (bucket + 9) : 0;
}

#endif
