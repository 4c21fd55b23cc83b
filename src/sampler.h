/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One tick: roster, source and account, from "what time is it" to a full batch. The engine says
 * when and hands the batch to the writers.
 */
#ifndef SS_SAMPLER_H
#define SS_SAMPLER_H

#include "base/pool.h"
#include "batch.h"
#include "roster/roster.h"
#include "source/source.h"
#include "tick/clockmap.h"
#include "tick/quiet.h"

/* A growing list of threads. */
struct ss_thread_list {
	struct ss_thread **thread;
	size_t n, cap;
};

struct ss_sampler {
	struct ss_procfs *procfs;	/* borrowed */
	struct ss_tick tick;		/* the current one */
	int64_t mono_to_boot_ns;	/* at the last tick: a suspend shows as growth */

	int64_t work_ns;		/* worker time of the last reading */
	int64_t collected_ns;		/* tick of the last reading */
	struct ss_pool *pool;
	struct ss_shard *shard;		/* env.shards of them */
	struct ss_fdbudget budget;
	struct ss_clockmap *clockmap;	/* NULL: the kernel does not show its clocks */
	struct ss_clock_offset *replay_offset;	/* of a captured tree, instead */
	struct ss_quiet quiet;

	struct ss_roster *roster;
	struct ss_roster_stats roster_seen;
	const struct ss_source_ops *source_ops;
	struct ss_source *source;
	struct ss_source_env env;
	struct ss_source_stats source_stats, source_seen;

	struct ss_thread_list born, ended;	/* since the last batch */
	bool oom;
};

/**
 * Workers, descriptors, clocks. @procfs and @caps are borrowed and outlive it. After a failure
 * ss_sampler_close() is still to be called, as after success.
 */
int ss_sampler_open(struct ss_sampler *s, struct ss_procfs *procfs, struct ss_caps *caps);

/** Open one source; tries its probe first. Returns 0 or negative errno. */
int ss_sampler_open_source(struct ss_sampler *s, const struct ss_source_ops *ops);

/** Find the threads of @selection (borrowed); errors as ss_roster_begin(). */
int ss_sampler_begin(struct ss_sampler *s, const struct ss_selection *selection,
		     const struct ss_tick *tick, int32_t *missing);

/** Between ticks, at least every 100 ms: empty the queues of kernel events. */
void ss_sampler_drain(struct ss_sampler *s);

/** The clocks of the captured tick that comes next; before ss_sampler_tick() when replaying. */
void ss_sampler_set_replay_clock(struct ss_sampler *s, const struct ss_procfs_clock *clock);

/** Close the windows of all threads at @tick into @batch (empty). Returns 0 or -ENOMEM. */
int ss_sampler_tick(struct ss_sampler *s, const struct ss_tick *tick, struct ss_batch *batch);

/** Idempotent; a zeroed sampler is allowed. */
void ss_sampler_close(struct ss_sampler *s);

#endif
