/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings from /proc/PID/task/TID/{schedstat,sched,stat}. Descriptors are kept within the
 * shard's budget and read with pread(2). The taskstats source uses these for the parts in flight.
 */
#ifndef SS_SOURCE_PROCFS_H
#define SS_SOURCE_PROCFS_H

#include "source/source.h"

/**
 * The counters alone, from schedstat: what a thread that stays asleep costs. @r is begun anew.
 * Returns 0; -ESRCH when the thread ended; -EBADMSG (counted) when the text did not parse; else
 * the negative errno of the read (counted).
 */
int ss_procfs_read_counters(const struct ss_source_env *env, struct ss_shard *shard,
			    struct ss_thread *thread, struct ss_reading *r);

/**
 * What /proc knows, added to the counters in @r: state and CPU, and exec_start, switches and
 * SCHEDSTATS unless the window can be closed without (ss_account_needs_no_more()); also the
 * thread's name, and its start time if it was not known. When the thread was switched meanwhile so
 * that the files do not go together, torn_ns says so. Errors as above; -ESRCH also when @thread's
 * start time shows another thread with its tid.
 */
int ss_procfs_read_detail(const struct ss_source_env *env, struct ss_shard *shard,
			  struct ss_thread *thread, struct ss_reading *r);

/**
 * Up to @size bytes of a file of @thread, from its kept descriptor. Returns how many or negative
 * errno.
 */
ssize_t ss_procfs_read_file(const struct ss_source_env *env, struct ss_shard *shard,
			    struct ss_thread *thread, enum ss_thread_file file, char *text,
			    size_t size);

/** Close what is open of it. */
void ss_procfs_drop_files(struct ss_shard *shard, struct ss_thread *thread);

/** Add to @r what the roster knows of the machine: quiet_ns. */
void ss_source_put_quiet(const struct ss_thread *thread, struct ss_reading *r);

/** The instant of @thread's creation, to the microsecond. */
void ss_source_set_start(struct ss_thread *thread, int64_t start_mono_ns);

/**
 * Close the window of @thread, which slept on until @mono_ns and was not runnable at @quiet_ns: see
 * ss_account_close_asleep(). Appends to shard->windows; the appended window, or NULL: no memory.
 */
struct ss_window *ss_source_close_asleep(const struct ss_source_env *env, struct ss_shard *shard,
					 struct ss_thread *thread, int64_t mono_ns,
					 int64_t quiet_ns);

/**
 * Close the window of @thread without reading it, when it is proven that it slept on. Appends to
 * shard->windows; the appended window, or NULL: it has to be read.
 */
struct ss_window *ss_source_close_still(const struct ss_source_env *env, struct ss_shard *shard,
					struct ss_thread *thread);

/**
 * Close the window of @thread with @r, or open its account with it. A dead (zombie) thread's last
 * window is closed here. Appends to shard->windows; the appended window, or NULL.
 */
struct ss_window *ss_source_close_window(const struct ss_source_env *env, struct ss_shard *shard,
					 struct ss_thread *thread, const struct ss_reading *r);

/** For sources that read all threads so: true. */
bool ss_procfs_wants_clocks(const struct ss_source *source);

/** One thread with procfs alone: read, and close its window or note that it ended. */
void ss_procfs_collect_thread(const struct ss_source_env *env, struct ss_shard *shard,
			      struct ss_thread *thread);

/** Note that @thread ended without a reading: the engine closes its account. */
void ss_source_gone(struct ss_shard *shard, struct ss_thread *thread);

#endif
