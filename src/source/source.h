/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel knows. A source is asked for the windows that have closed, not for counters: a
 * counter source (procfs, taskstats) closes one window a thread and tick with account.h, and an
 * event ledger hands out windows that the kernel closed, none or many a thread. A new source is one
 * file and one line in ss_sources[].
 */
#ifndef SS_SOURCE_SOURCE_H
#define SS_SOURCE_SOURCE_H

#include "account/account.h"
#include "base/caps.h"
#include "base/fdcache.h"
#include "base/procfs.h"
#include "bpf/wire.h"
#include "roster/thread.h"
#include "tick/tick.h"

/* One closed window of one thread. */
struct ss_window {
	struct ss_thread *thread;	/* borrowed until the roster reaps it */
	int64_t tick;			/* number of the tick that ended it */
	int64_t end_mono_ns;
	struct ss_parts parts;
	uint8_t event;			/* enum ss_event */
};

/* The waits of one window that have one cause and one waker. Follows from, and lies in, that window. */
struct ss_window_wait {
	struct ss_thread *thread;	/* borrowed */
	int64_t tick, end_mono_ns;	/* of the window */
	uint8_t quality;		/* enum ss_quality */
	struct ss_wait wait;
};

/* What one shard produced in one tick. Grown between ticks, never while reading. */
struct ss_shard {
	int64_t tick;			/* number of the current one */
	bool oom;			/* no memory for a window */
	struct ss_thread **threads;	/* borrowed */
	size_t n, cap;
	struct ss_window *windows;
	size_t nwindows, windows_cap;
	struct ss_window_wait *waits;	/* those of one window are neighbours */
	size_t nwaits, waits_cap;
	struct ss_delay *delays;	/* room for as many; tick is still 0, time_ns CLOCK_MONOTONIC */
	size_t ndelays;
	struct ss_thread **gone;	/* room for n: found to have ended, account still open */
	size_t ngone;
	size_t nstill;			/* closed by ss_source_close_asleep() */
	struct ss_fdcache files;
	/* Losses of this tick. */
	int64_t lost_parse, lost_reads, lost_replies, restarts;
};

struct ss_resources;

/* What all sources share. Borrowed; lives longer than every source. */
struct ss_source_env {
	struct ss_procfs *procfs;
	struct ss_account_env account;	/* refreshed by the engine each tick */
	int64_t replay_mono_ns;	/* instant of the captured tree that is read; 0: this machine, now */
	unsigned shards;
	struct ss_resources *resources;	/* told of what threads wait for; not while shards are read */
	bool follow;		/* children of watched processes are watched, too */
	bool waits;		/* what threads wait for is told, too; known before a source is opened */
	struct ss_caps *caps;
};

/* A thread ended; the record is borrowed. */
typedef void (*ss_source_exit_fn)(void *arg, const struct ss_exit_record *record);

struct ss_source_stats {
	int64_t lost_events;		/* exit records lost: queue overflow or a gap in their sequence */
	int64_t lost_parse;
};

struct ss_source;

struct ss_source_ops {
	const char *name;
	const char *help;
	int64_t settle_ns;	/* how long after the end of a window its events may still arrive */
	bool takes_stillness;	/* it reads no thread of which the roster proves that it did not run */
	bool ends_threads;	/* it tells the end of each thread itself, at the latest some seconds after
				 * the roster has set its exit_mono_ns */
	/** Whether it works here; adds its entries to @caps. Returns 0 or negative errno. */
	int (*probe)(struct ss_procfs *procfs, struct ss_caps *caps);
	/** Probes first. */
	int (*open)(struct ss_source **source, const struct ss_source_env *env);
	/** A thread joins; it may fail for this thread alone, which then yields no windows. */
	int (*attach)(struct ss_source *source, struct ss_thread *thread);
	/** Between ticks, often: hand out exit records. NULL: has none. */
	void (*drain)(struct ss_source *source, ss_source_exit_fn fn, void *arg,
		      struct ss_source_stats *stats);
	/** Whether env->account must hold the clocks of the CPUs at this tick. NULL: never. */
	bool (*wants_clocks)(const struct ss_source *source);
	/** Before the workers start. NULL: nothing to do. */
	void (*begin)(struct ss_source *source, const struct ss_tick *tick);
	/**
	 * Fill shard->windows for its threads; one call a shard, in parallel. A thread that is found
	 * to have ended has its last window here, with SS_EVENT_EXIT, or is put on shard->gone.
	 */
	void (*collect)(struct ss_source *source, unsigned worker, struct ss_shard *shard,
			const struct ss_tick *tick);
	void (*detach)(struct ss_source *source, struct ss_shard *shard, struct ss_thread *thread);
	void (*close)(struct ss_source *source);
};

/* All sources, best first, NULL at the end. */
extern const struct ss_source_ops *const ss_sources[];
extern const struct ss_source_ops ss_source_bpf, ss_source_bpf_snapshot, ss_source_taskstats,
	ss_source_procfs;

/**
 * One more window, of the current tick and otherwise zeroed. NULL: no memory, and the shard says so; there is
 * always room for one a thread.
 */
struct ss_window *ss_shard_add_window(struct ss_shard *shard);

/** The same for a wait of a window. */
struct ss_window_wait *ss_shard_add_wait(struct ss_shard *shard);

/** Room for one more thread, and for a window of each. False: no memory. */
bool ss_shard_grow(struct ss_shard *shard);

#endif
