/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "account/fields.h"

#include <string.h>

#include "base/util.h"

#define COLUMN(row, field, unit, type, have, help) \
	{ #field, unit, type, offsetof(struct row, field), have, help }

/* The first nineteen and their order are the format that readers rely on. Append only. */
#define S(field, unit, type, have, help) COLUMN(ss_sample, field, unit, type, have, help)
static const struct ss_column sample_columns[] = {
	S(tick, "", SS_TYPE_S64, 0,
	  "Number of the tick that closed the interval; tick 0 opened the accounts."),
	S(time_ns, "ns", SS_TYPE_S64, 0,
	  "End of the interval on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	S(mono_ns, "ns", SS_TYPE_S64, 0,
	  "End of the interval on CLOCK_MONOTONIC, in nanoseconds."),
	S(pid, "", SS_TYPE_S32, 0, "Process ID: the thread group of the thread."),
	S(tid, "", SS_TYPE_S32, 0, "Thread ID; equal to pid for the main thread."),
	S(comm, "", SS_TYPE_TEXT, 0, "Newest name of the thread."),
	S(wall_ns, "ns", SS_TYPE_S64, 0,
	  "Nanoseconds of the interval in which the thread existed; "
	  "all parts and residual_ns add up to it."),
	S(run_ns, "ns", SS_TYPE_S64, SS_PART_RUN, "Nanoseconds on a CPU."),
	S(rq_ns, "ns", SS_TYPE_S64, SS_PART_RQ, "Nanoseconds runnable but waiting for a CPU."),
	S(sleep_ns, "ns", SS_TYPE_S64, SS_PART_SLEEP, "Nanoseconds in interruptible sleep."),
	S(block_ns, "ns", SS_TYPE_S64, SS_PART_BLOCK,
	  "Nanoseconds in uninterruptible sleep that was not waiting for I/O."),
	S(iowait_ns, "ns", SS_TYPE_S64, SS_PART_IOWAIT,
	  "Nanoseconds in uninterruptible sleep waiting for I/O."),
	S(stop_ns, "ns", SS_TYPE_S64, SS_PART_STOP,
	  "Nanoseconds stopped by a signal or by a tracer."),
	S(residual_ns, "ns", SS_TYPE_S64, 0,
	  "Nanoseconds of wall_ns that no part explains; negative when the parts exceed it."),
	S(nvcsw, "count", SS_TYPE_S64, SS_PART_SWITCHES,
	  "Voluntary context switches: times the thread left a CPU because it waited."),
	S(nivcsw, "count", SS_TYPE_S64, SS_PART_SWITCHES,
	  "Involuntary context switches: times the thread left a CPU while runnable."),
	S(cpu, "", SS_TYPE_S32, SS_PART_CPU, "Number of the CPU that the thread last ran on."),
	S(event, "", SS_TYPE_EVENT, 0,
	  "What happened to the thread in the interval: empty, start, exit or start+exit."),
	S(quality, "", SS_TYPE_QUALITY, 0,
	  "How the row was obtained, best first: exact, repaired, snapshot, estimate or counter."),
	S(bound_ns, "ns", SS_TYPE_S64, SS_PART_BOUND,
	  "Nanoseconds by which an inferred part can be wrong at most."),
	S(stolen_ns, "ns", SS_TYPE_S64, SS_PART_STOLEN,
	  "Nanoseconds that interrupts or the hypervisor took while the thread was on a CPU; a part "
	  "of wall_ns where it is measured."),
};

#define D(field, unit, type, help) COLUMN(ss_delay, field, unit, type, 0, help)
#define DELAY(kind, index, count_help, ns_help) \
	{ kind "_count", "count", SS_TYPE_S64, offsetof(struct ss_delay, count[index]), \
	  1u << (index), "Number of " count_help "." }, \
	{ kind "_ns", "ns", SS_TYPE_S64, offsetof(struct ss_delay, ns[index]), \
	  1u << (index), "Nanoseconds " ns_help "." }
static const struct ss_column delay_columns[] = {
	D(tick, "", SS_TYPE_S64, "Number of the tick that closed the interval."),
	D(time_ns, "ns", SS_TYPE_S64,
	  "End of the interval on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	D(pid, "", SS_TYPE_S32, "Process ID: the thread group of the thread."),
	D(tid, "", SS_TYPE_S32, "Thread ID; equal to pid for the main thread."),
	DELAY("cpu", SS_DELAY_CPU, "waits for a CPU that ended",
	      "waited for a CPU, of the waits that ended"),
	DELAY("blkio", SS_DELAY_BLKIO, "waits for block I/O that ended",
	      "waited for block I/O, of the waits that ended"),
	DELAY("swapin", SS_DELAY_SWAPIN, "waits for a page to be swapped in",
	      "waited for pages to be swapped in"),
	DELAY("freepages", SS_DELAY_FREEPAGES, "direct memory reclaims",
	      "spent in direct memory reclaim"),
	DELAY("thrashing", SS_DELAY_THRASHING, "waits for a page that had just been evicted",
	      "waited for pages that had just been evicted"),
	DELAY("compact", SS_DELAY_COMPACT, "direct memory compactions",
	      "spent in direct memory compaction"),
	DELAY("wpcopy", SS_DELAY_WPCOPY, "page copies after a write-protect fault",
	      "spent copying pages after write-protect faults"),
	DELAY("irq", SS_DELAY_IRQ, "times that interrupts took CPU time from the thread",
	      "that interrupts took from the thread"),
};

#define T(field, unit, type, have, help) COLUMN(ss_thread_row, field, unit, type, have, help)
static const struct ss_column thread_columns[] = {
	T(tick, "", SS_TYPE_S64, 0, "Number of the tick at which the row was written."),
	T(time_ns, "ns", SS_TYPE_S64, 0,
	  "Instant of that tick on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	T(pid, "", SS_TYPE_S32, 0, "Process ID: the thread group of the thread."),
	T(tid, "", SS_TYPE_S32, 0, "Thread ID; equal to pid for the main thread."),
	T(ppid, "", SS_TYPE_S32, SS_THREAD_PPID, "Process ID of the parent process."),
	T(comm, "", SS_TYPE_TEXT, 0, "Name of the thread."),
	T(start_ns, "ns", SS_TYPE_S64, SS_THREAD_START,
	  "Instant of its creation on CLOCK_MONOTONIC, in nanoseconds."),
	T(exit_ns, "ns", SS_TYPE_S64, SS_THREAD_EXIT,
	  "Instant of its end on CLOCK_MONOTONIC, in nanoseconds."),
	T(event, "", SS_TYPE_EVENT, 0,
	  "Empty, start or exit: it was found, was created while watched, or ended."),
	T(found, "", SS_TYPE_TEXT, 0,
	  "Why it is watched: pid, tid, match, all, follow or launch."),
	T(exe, "", SS_TYPE_TEXT, SS_THREAD_EXE, "Path of the program that its process executes."),
	T(cgroup, "", SS_TYPE_TEXT, SS_THREAD_CGROUP, "Path of its control group."),
};

#define K(field, unit, have, help) COLUMN(ss_tick_row, field, unit, SS_TYPE_S64, have, help)
static const struct ss_column tick_columns[] = {
	K(tick, "", 0, "Number of the tick; tick 0 opened the accounts."),
	K(time_ns, "ns", 0,
	  "Instant of the tick on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	K(scheduled_ns, "ns", 0,
	  "Instant on CLOCK_MONOTONIC at which the tick was due, in nanoseconds."),
	K(actual_ns, "ns", 0,
	  "Instant on CLOCK_MONOTONIC at which the program saw the tick, in nanoseconds."),
	K(lateness_ns, "ns", 0, "Nanoseconds from scheduled_ns to actual_ns."),
	K(read_ns, "ns", 0, "Nanoseconds that finding and reading the threads took."),
	K(threads, "count", 0, "Number of threads watched."),
	K(still, "count", 0,
	  "Number of threads that were not read because their process proved not to have run."),
	K(rows, "count", 0, "Number of samples rows of this tick."),
	K(starts, "count", 0, "Number of threads that started since the tick before."),
	K(exits, "count", 0, "Number of threads that ended since the tick before."),
	K(suspended_ns, "ns", SS_TICK_SUSPENDED,
	  "Nanoseconds that the machine was suspended since the tick before."),
	K(lost_ticks, "count", 0,
	  "Number of deadlines that passed while the tick before was being read."),
	K(lost_events, "count", 0, "Number of losses that the kernel's event queues reported."),
	K(lost_replies, "count", 0, "Number of taskstats requests without an answer."),
	K(lost_parse, "count", 0, "Number of kernel records rejected because they did not parse."),
	K(lost_reads, "count", 0, "Number of reads that failed although the thread was alive."),
	K(lost_threads, "count", 0,
	  "Number of threads known to have lived whose account could not be read."),
	K(lost_restarts, "count", 0,
	  "Number of accounts restarted because their counters went backwards."),
	K(lost_batches, "count", 0,
	  "Number of ticks that this output lost before this one because its queue was full."),
	K(lost_rows, "count", 0, "Number of samples rows in those ticks."),
	K(unseen_max, "count", SS_TICK_UNSEEN,
	  "Number of tasks, at most, that were created on this machine and never seen."),
};

#define W(field, unit, type, have, help) COLUMN(ss_wait_row, field, unit, type, have, help)
static const struct ss_column wait_columns[] = {
	W(tick, "", SS_TYPE_S64, 0, "Number of the tick that closed the interval."),
	W(time_ns, "ns", SS_TYPE_S64, 0,
	  "End of the interval on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	W(pid, "", SS_TYPE_S32, 0, "Process ID: the thread group of the thread."),
	W(tid, "", SS_TYPE_S32, 0, "Thread ID; equal to pid for the main thread."),
	W(kind, "", SS_TYPE_KIND, 0, "What kind of wait it was."),
	W(syscall, "", SS_TYPE_SYSCALL, SS_WAIT_CALL,
	  "Name of the system call in which the thread waited; its number if it has no name here."),
	W(resource, "", SS_TYPE_S64, SS_WAIT_RESOURCE,
	  "Number, in the table resources, of what it waited for."),
	W(wait_ns, "ns", SS_TYPE_S64, 0, "Nanoseconds of the interval in which it waited for that."),
	W(count, "count", SS_TYPE_S64, SS_WAIT_ENDED, "Number of waits that ended in the interval."),
	W(ended_ns, "ns", SS_TYPE_S64, SS_WAIT_ENDED,
	  "Nanoseconds that those took as a whole, also before the interval."),
	W(max_ns, "ns", SS_TYPE_S64, SS_WAIT_MAX, "Nanoseconds that the longest of those took."),
	W(hist, "", SS_TYPE_HIST, SS_WAIT_ENDED,
	  "How many of those were how long: pairs of the shortest length in nanoseconds that is "
	  "counted and a count."),
	W(waker, "", SS_TYPE_TEXT, SS_WAIT_WAKER,
	  "Who ended those: thread, interrupt, or outside for a thread that has no number here."),
	W(waker_pid, "", SS_TYPE_S32, SS_WAIT_WAKER_THREAD, "Process ID of the thread that did."),
	W(waker_tid, "", SS_TYPE_S32, SS_WAIT_WAKER_THREAD, "Thread ID of it."),
	W(quality, "", SS_TYPE_QUALITY, 0,
	  "How the row was obtained, best first: exact, repaired, snapshot, estimate or counter."),
};

#define A(field, unit, type, help) COLUMN(ss_wake_row, field, unit, type, 0, help)
static const struct ss_column wake_columns[] = {
	A(tick, "", SS_TYPE_S64, "Number of the tick that closed the interval."),
	A(time_ns, "ns", SS_TYPE_S64,
	  "End of the interval on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	A(waker_pid, "", SS_TYPE_S32, "Process ID of the thread that ended the waits."),
	A(waker_tid, "", SS_TYPE_S32, "Thread ID of it."),
	A(pid, "", SS_TYPE_S32, "Process ID of the thread that waited."),
	A(tid, "", SS_TYPE_S32, "Thread ID of it."),
	A(kind, "", SS_TYPE_KIND, "What kind of waits they were."),
	A(count, "count", SS_TYPE_S64, "Number of those that ended in the interval."),
	A(ended_wait_ns, "ns", SS_TYPE_S64,
	  "Nanoseconds that those took as a whole, also before the interval."),
};

#define R(name, field, unit, type, have, help) \
	{ name, unit, type, offsetof(struct ss_resource_row, field), have, help }
static const struct ss_column resource_columns[] = {
	R("tick", tick, "", SS_TYPE_S64, 0, "Number of the tick at which the row was written."),
	R("time_ns", time_ns, "ns", SS_TYPE_S64, 0,
	  "Instant of that tick on CLOCK_REALTIME, in nanoseconds since 1970-01-01 UTC."),
	R("id", id, "", SS_TYPE_S64, 0, "Number of the resource, by which rows of waits name it."),
	R("kind", object, "", SS_TYPE_OBJECT, 0, "What kind of object it is."),
	R("pid", pid, "", SS_TYPE_S32, SS_RESOURCE_PID,
	  "Process ID of its owner, where only there the key means this object."),
	R("key0", key[0], "", SS_TYPE_S64, 0, "First number that tells it from others of its kind."),
	R("key1", key[1], "", SS_TYPE_S64, 0, "Second such number."),
	R("name", name, "", SS_TYPE_TEXT, SS_RESOURCE_NAME, "Name of it for people."),
};

#define TABLE(row, columns, name, record, scope, help) \
	{ name, record, scope, columns, SS_ARRAY_SIZE(columns), sizeof(struct row), \
	  offsetof(struct row, have), help }

const struct ss_table ss_table_samples =
	TABLE(ss_sample, sample_columns, "samples", "sample", "thread",
	      "Where the time of a thread went: one row a thread and tick.");
const struct ss_table ss_table_delays =
	TABLE(ss_delay, delay_columns, "delays", "delay", "thread",
	      "The kernel's delay accounting of a thread: one row a thread and tick.");
/* Few rows, and the index of a recording: global, although each names a thread. */
const struct ss_table ss_table_threads =
	TABLE(ss_thread_row, thread_columns, "threads", "thread", "global",
	      "Who was watched: one row when a thread is first watched and one when it ends.");
const struct ss_table ss_table_ticks =
	TABLE(ss_tick_row, tick_columns, "ticks", "tick", "global",
	      "How well each tick was kept and all that was lost: one row a tick.");
const struct ss_table ss_table_waits =
	TABLE(ss_wait_row, wait_columns, "waits", "wait", "thread",
	      "What a thread waited for: one row a thread, tick, cause and waker.");
const struct ss_table ss_table_wakes =
	TABLE(ss_wake_row, wake_columns, "wakes", "wake", "thread",
	      "Which thread ended waits of which: one row a pair, kind of wait and tick.");
const struct ss_table ss_table_resources =
	TABLE(ss_resource_row, resource_columns, "resources", "resource", "global",
	      "What threads waited for: one row when it is first seen.");

const struct ss_table *const ss_tables[SS_TABLE_COUNT] = {
	[SS_TABLE_THREADS] = &ss_table_threads,
	[SS_TABLE_SAMPLES] = &ss_table_samples,
	[SS_TABLE_DELAYS] = &ss_table_delays,
	[SS_TABLE_RESOURCES] = &ss_table_resources,
	[SS_TABLE_WAITS] = &ss_table_waits,
	[SS_TABLE_WAKES] = &ss_table_wakes,
	[SS_TABLE_TICKS] = &ss_table_ticks,
};

const struct ss_column *ss_column_find(const struct ss_table *table, const char *name)
{
	for (size_t i = 0; i < table->ncolumns; i++)
		if (!strcmp(table->columns[i].name, name))
			return &table->columns[i];
	return NULL;
}

const char *ss_event_name(unsigned int event)
{
	static const char *const names[] = {
		[0] = "",
		[SS_EVENT_START] = "start",
		[SS_EVENT_EXIT] = "exit",
		[SS_EVENT_START | SS_EVENT_EXIT] = "start+exit",
	};

	return names[event & (SS_EVENT_START | SS_EVENT_EXIT)];
}

const char *ss_wait_kind_name(unsigned int kind)
{
	static const char *const names[SS_WAIT_KINDS] = {
		[SS_WAIT_UNKNOWN] = "unknown", [SS_WAIT_FUTEX] = "futex", [SS_WAIT_PIPE] = "pipe",
		[SS_WAIT_FIFO] = "fifo", [SS_WAIT_SOCKET] = "socket", [SS_WAIT_UNIX] = "unix",
		[SS_WAIT_READ] = "read", [SS_WAIT_WRITE] = "write", [SS_WAIT_SYNC] = "sync",
		[SS_WAIT_DEVICE] = "device", [SS_WAIT_EVENTFD] = "eventfd",
		[SS_WAIT_EPOLL] = "epoll", [SS_WAIT_POLL] = "poll", [SS_WAIT_SELECT] = "select",
		[SS_WAIT_TIMER] = "timer", [SS_WAIT_CHILD] = "child", [SS_WAIT_SIGNAL] = "signal",
		[SS_WAIT_IO_URING] = "io_uring", [SS_WAIT_AIO] = "aio", [SS_WAIT_IPC] = "ipc",
		[SS_WAIT_LOCK] = "lock", [SS_WAIT_MEMORY] = "memory", [SS_WAIT_PATH] = "path",
		[SS_WAIT_FAULT] = "fault", [SS_WAIT_BLOCK] = "block",
		[SS_WAIT_FREEZER] = "freezer", [SS_WAIT_STOP] = "stop", [SS_WAIT_EXIT] = "exit",
		[SS_WAIT_KERNEL] = "kernel", [SS_WAIT_SYSCALL] = "syscall",
	};

	return kind < SS_WAIT_KINDS ? names[kind] : "?";
}

const char *ss_object_name(unsigned int object)
{
	static const char *const names[SS_OBJECTS] = {
		[SS_OBJECT_NONE] = "none", [SS_OBJECT_FUTEX] = "futex", [SS_OBJECT_PIPE] = "pipe",
		[SS_OBJECT_FIFO] = "fifo", [SS_OBJECT_SOCKET] = "socket",
		[SS_OBJECT_UNIX] = "unix", [SS_OBJECT_FILE] = "file",
		[SS_OBJECT_DEVICE] = "device", [SS_OBJECT_BLOCK] = "block",
		[SS_OBJECT_EPOLL] = "epoll", [SS_OBJECT_EVENTFD] = "eventfd",
		[SS_OBJECT_TIMERFD] = "timerfd", [SS_OBJECT_SIGNALFD] = "signalfd",
		[SS_OBJECT_IO_URING] = "io_uring", [SS_OBJECT_INOTIFY] = "inotify",
		[SS_OBJECT_ANON] = "anon", [SS_OBJECT_AIO] = "aio",
	};

	return object < SS_OBJECTS ? names[object] : "?";
}
