/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parsers: bytes in, values out, no I/O. The bytes come from a kernel, a captured tree or a
 * fuzzer, need no terminator, and are trusted in nothing. Each returns 0, or -EBADMSG when the
 * text is not what the kernel prints; then nothing in the result may be used.
 */
#ifndef SS_SOURCE_PARSE_H
#define SS_SOURCE_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "account/fields.h"
#include "account/reading.h"

/*
 * More than a kernel can have counted: 36 years in nanoseconds. A record with a larger counter is
 * rejected, so that sums and differences of a few cannot overflow.
 */
#define SS_COUNT_MAX ((uint64_t)INT64_MAX / 8)

/**
 * /proc/PID/task/TID/schedstat: "run_ns run_delay_ns pcount\n" (proc_pid_schedstat()). Sets
 * RUN, RQ and PCOUNT; "0 0 0" of a kernel without sched_info gives RUN only when it is not all
 * zero.
 */
int ss_parse_schedstat(const char *text, size_t len, struct ss_reading *r);

/**
 * /proc/PID/task/TID/sched (proc_sched_show_task()). Sets RUN (from se.sum_exec_runtime),
 * EXEC_START, SWITCHES, and SCHEDSTATS where the kernel prints these. Times are printed as
 * milliseconds with six decimals: integer nanoseconds. Names are matched by their last dotted
 * component: se.statistics.wait_sum up to 5.15 is wait_sum later.
 */
int ss_parse_sched(const char *text, size_t len, struct ss_reading *r);

/* What is used of /proc/PID/task/TID/stat. */
struct ss_stat {
	int32_t tid, ppid;
	char state;			/* the letter */
	int32_t cpu;
	int32_t num_threads;
	uint64_t start_ticks;		/* clock ticks (USER_HZ) since boot */
	uint32_t policy;		/* SCHED_* */
	uint64_t flags;			/* PF_*: PF_KTHREAD 0x00200000 */
	char comm[SS_COMM_LEN];
};

/** The name is between the first '(' and the last ')': it may hold any byte but NUL. */
int ss_parse_stat(const char *text, size_t len, struct ss_stat *st);

/** The state of the letter; -1 for one that no kernel prints. */
int ss_state_of_letter(char letter);

enum ss_syscall_where {
	SS_SYSCALL_RUNNING,	/* the thread was not blocked */
	SS_SYSCALL_OUTSIDE,	/* blocked, but in no system call: sp and pc only */
	SS_SYSCALL_INSIDE,
};

/* /proc/PID/task/TID/syscall: where a blocked thread entered the kernel. */
struct ss_syscall {
	uint8_t where;		/* enum ss_syscall_where */
	int32_t nr;		/* of its system call; -1: none */
	uint64_t arg[6];
	uint64_t sp, pc;
};

/** "running\n", "-1 sp pc\n" or "nr arg0 ... arg5 sp pc\n" (proc_pid_syscall()). */
int ss_parse_syscall(const char *text, size_t len, struct ss_syscall *call);

/**
 * What a thread that blocked in @call waits for, as far as that alone tells it: the object of a
 * descriptor in cause->fd is still to be found, unless cause->object says what it is.
 */
void ss_cause_of_syscall(const struct ss_syscall *call, struct ss_cause *cause);

/**
 * The kind of a wait in the kernel's function that /proc/PID/task/TID/wchan names;
 * SS_WAIT_UNKNOWN when that does not tell it.
 */
uint8_t ss_kind_of_wchan(const char *text, size_t len);

/**
 * The object behind a link of /proc/PID/fd that is no file with a path: "pipe:[1]",
 * "anon_inode:[eventfd]". SS_OBJECT_NONE: it is one.
 */
uint8_t ss_object_of_link(const char *link);

/** /proc/loadavg: runnable tasks of the machine and the newest pid of our PID namespace. */
int ss_parse_loadavg(const char *text, size_t len, uint64_t *runnable, uint64_t *last_pid);

/* A decoded struct taskstats of any version. */
struct ss_taskstats {
	uint16_t version;
	int32_t tid;			/* ac_pid; 0: it lost its pid while the record was made */
	struct ss_reading reading;	/* RUN, RQ, PCOUNT, SWITCHES */
	int64_t age_us;			/* ac_etime: since the thread was created; CLOCK_MONOTONIC */
	char comm[32];			/* ac_comm: NUL-terminated */
	uint32_t delay_have;		/* fields this version has: 1 << enum ss_delay_kind */
	uint64_t delay_count[SS_DELAY_COUNT];
	uint64_t delay_ns[SS_DELAY_COUNT];
};

/**
 * Decode struct taskstats (include/uapi/linux/taskstats.h) by its version. Known: 8 to 17; newer
 * ones are decoded as the newest known, because fields are only appended since 16.
 */
int ss_parse_taskstats(const void *data, size_t len, struct ss_taskstats *ts);

#endif
