// SPDX-License-Identifier: GPL-2.0-or-later
#include "sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "rows.h"
#include "source/resources.h"
#include "source/sampled.h"

#define WORKERS_MAX 8
/*
 * Sharing the reading out makes it shorter but costs CPU time (measured: half as much again, from
 * cache lines that go back and forth): only when one worker would need this part of the interval.
 */
#define SHARE_OF_INTERVAL 2
#define RESERVED_FDS 320	/* everything but the caches: the roster's 258, sockets, outputs */
#define REPLAY_CPUS 1024
#define REPLAY_LAG_MAX_NS (2 * SS_NSEC_PER_SEC)	/* a captured tree does not tell its tick */

static void list_add(struct ss_sampler *s, struct ss_thread_list *list, struct ss_thread *thread)
{
	if (list->n == list->cap) {
		size_t cap = list->cap ? list->cap * 2 : 64;
		struct ss_thread **grown = realloc(list->thread, cap * sizeof(*grown));

		if (!grown) {
			s->oom = true;
			return;
		}
		list->thread = grown;
		list->cap = cap;
	}
	list->thread[list->n++] = thread;
}

static void on_born(void *arg, struct ss_thread *thread)
{
	struct ss_sampler *s = arg;
	struct ss_shard *shard = &s->shard[0];
	unsigned i;

	for (i = 1; i < s->env.shards; i++)
		if (s->shard[i].n < shard->n)
			shard = &s->shard[i];
	for (i = 0; i < SS_THREAD_FILES; i++)
		ss_fdent_init(&thread->file[i]);
	if (!ss_shard_grow(shard) || s->source_ops->attach(s->source, thread)) {
		s->oom = true;
		return;
	}
	if (thread->birth_mono_ns)
		ss_account_open_at_birth(&thread->account, thread->birth_mono_ns,
					 thread->birth_bound_ns);
	thread->shard = (uint32_t)(shard - s->shard);
	thread->slot = (uint32_t)shard->n;
	shard->threads[shard->n++] = thread;
	list_add(s, &s->born, thread);
}

static void shard_remove(struct ss_sampler *s, struct ss_thread *thread)
{
	struct ss_shard *shard = &s->shard[thread->shard];
	struct ss_thread *last = shard->threads[--shard->n];

	shard->threads[thread->slot] = last;
	last->slot = thread->slot;
	s->source_ops->detach(s->source, shard, thread);
}

/* It is not read any more; its last window is closed with this tick's batch. */
static void end_thread(struct ss_sampler *s, struct ss_thread *thread)
{
	/* After a failed allocation it may be in no shard; the session is over. */
	if (s->oom)
		return;
	thread->held = false;
	shard_remove(s, thread);
	list_add(s, &s->ended, thread);
}

static void on_ended(void *arg, struct ss_thread *thread)
{
	struct ss_sampler *s = arg;

	/* It stays in its shard until the source has told its last window. */
	if (s->source_ops->ends_threads)
		thread->held = true;
	else
		end_thread(s, thread);
}

static void on_exit_record(void *arg, const struct ss_exit_record *record)
{
	struct ss_sampler *s = arg;

	ss_roster_exit_record(s->roster, record);
}

void ss_sampler_drain(struct ss_sampler *s)
{
	ss_roster_drain(s->roster);
	if (s->source_ops->drain)
		s->source_ops->drain(s->source, on_exit_record, s, &s->source_stats);
}

/* One tick's reading, shared out to the workers that take part. */
struct job {
	struct ss_sampler *s;
	unsigned active;
};

static void collect_shards(void *arg, unsigned worker)
{
	const struct job *job = arg;
	struct ss_sampler *s = job->s;
	unsigned i;

	for (i = worker; i < s->env.shards; i += job->active)
		s->source_ops->collect(s->source, i, &s->shard[i], &s->tick);
}

static int64_t now_of(const struct ss_sampler *s)
{
	return s->env.replay_mono_ns ? s->env.replay_mono_ns : ss_now_ns(CLOCK_MONOTONIC);
}

/* As many as the work of the last tick would take, done in this interval. */
static unsigned workers_needed(const struct ss_sampler *s)
{
	int64_t share_ns = (s->tick.actual_ns - s->collected_ns) / SHARE_OF_INTERVAL;
	int64_t n = share_ns > 0 ? 1 + s->work_ns / share_ns : 1;

	return n < s->env.shards ? (unsigned)n : s->env.shards;
}

/* Read all threads. What was read lies in the shards. */
static void collect(struct ss_sampler *s)
{
	struct job job = { .s = s, .active = workers_needed(s) };
	int64_t begin_ns = now_of(s);
	unsigned i;

	for (i = 0; i < s->env.shards; i++) {
		struct ss_shard *shard = &s->shard[i];

		shard->tick = s->tick.index;
		shard->nwindows = shard->nwaits = shard->ndelays = 0;
		shard->ngone = shard->nstill = 0;
		ss_fdcache_next_round(&shard->files);
		shard->lost_parse = shard->lost_reads = shard->lost_replies = shard->restarts = 0;
	}
	if (s->clockmap && s->source_ops->wants_clocks && s->source_ops->wants_clocks(s->source))
		ss_clockmap_refresh(s->clockmap, s->tick.actual_ns);
	if (s->source_ops->takes_stillness)
		ss_roster_look_for_still(s->roster, ss_quiet_check(&s->quiet));
	if (s->source_ops->begin)
		s->source_ops->begin(s->source, &s->tick);
	ss_pool_run(s->pool, job.active, collect_shards, &job);
	s->work_ns = (now_of(s) - begin_ns) * job.active;
	s->collected_ns = s->tick.actual_ns;
}

/* The threads that the workers found to have ended join those that the roster told of. */
static void take_gone(struct ss_sampler *s)
{
	unsigned i;
	size_t k;
	bool any = false;

	/*
	 * Their exit records and most of their events were sent before they became unreadable. Also
	 * the news of their start may still be queued: while they are known as alive it is theirs.
	 */
	for (i = 0; i < s->env.shards; i++) {
		any |= s->shard[i].ngone > 0;
		for (k = 0; k < s->shard[i].nwindows && !any; k++)
			any = s->shard[i].windows[k].event & SS_EVENT_EXIT;
	}
	if (any)
		ss_sampler_drain(s);
	for (i = 0; i < s->env.shards; i++) {
		struct ss_shard *shard = &s->shard[i];

		for (k = 0; k < shard->nwindows; k++)
			if (shard->windows[k].event & SS_EVENT_EXIT)
				ss_roster_mark_ended(s->roster, shard->windows[k].thread);
		for (k = 0; k < shard->ngone; k++) {
			ss_roster_mark_ended(s->roster, shard->gone[k]);
			end_thread(s, shard->gone[k]);
		}
	}
}

/* The last window of a thread that ended without a last reading by a worker. */
static void close_ended(struct ss_sampler *s, struct ss_thread *thread, struct ss_window *w,
			int64_t *lost_threads)
{
	struct ss_exit_record *record = thread->has_exit_record ? &thread->exit_record : NULL;
	int64_t start_ns = thread->birth_bound_ns || !thread->birth_mono_ns ?
			   thread->start_mono_ns : thread->birth_mono_ns;
	int64_t end_ns, begin_ns;
	bool known;

	if (record && start_ns)
		record->final.mono_ns = start_ns + record->age_us * SS_NSEC_PER_USEC;
	/* The event is a little later than the record, but can come too late to be seen now. */
	if (thread->exit_mono_ns == INT64_MAX && record && start_ns)
		thread->exit_mono_ns = record->final.mono_ns;
	known = thread->exit_mono_ns != INT64_MAX;
	end_ns = known ? thread->exit_mono_ns : now_of(s);
	if (record && *record->comm)
		memcpy(thread->comm, record->comm, sizeof(thread->comm));
	memset(w, 0, sizeof(*w));
	w->thread = thread;
	w->tick = s->tick.index;
	w->event = SS_EVENT_EXIT | (thread->announced ? 0 : SS_EVENT_START);
	if (!thread->account.open) {
		/* An old thread that ended before it was ever read: its counters are of before. */
		ss_account_open_at_birth(&thread->account, end_ns, 0);
		record = NULL;
	}
	begin_ns = thread->account.prev.mono_ns;
	ss_account_close_exit(&thread->account, record ? &record->final : NULL, end_ns, !known,
			      &s->env.account, &w->parts);
	w->end_mono_ns = begin_ns + w->parts.wall_ns;
	if (!(w->parts.have & SS_PART_RUN))
		++*lost_threads;
}

static void fill_tick_row(struct ss_sampler *s, struct ss_batch *batch, size_t exits,
			  int64_t lost_threads)
{
	struct ss_tick_row *row = ss_batch_add(batch, SS_TABLE_TICKS);
	int64_t suspended = s->tick.mono_to_boot_ns - s->mono_to_boot_ns;
	struct ss_roster_stats roster;
	unsigned i;

	ss_roster_stats(s->roster, &roster);
	row->tick = s->tick.index;
	row->time_ns = batch->time_ns;
	row->scheduled_ns = s->tick.scheduled_ns;
	row->actual_ns = s->tick.actual_ns;
	row->lateness_ns = s->tick.actual_ns - s->tick.scheduled_ns;
	row->read_ns = now_of(s) - s->tick.actual_ns;
	row->threads = roster.threads;
	row->rows = (int64_t)batch->rows[SS_TABLE_SAMPLES].n;
	for (i = 0; i < s->born.n; i++)
		row->starts += s->born.thread[i]->birth_mono_ns != 0;
	row->exits = (int64_t)exits;
	for (i = 0; i < s->env.shards; i++) {
		const struct ss_shard *shard = &s->shard[i];

		row->still += (int64_t)shard->nstill;
		row->lost_parse += shard->lost_parse;
		row->lost_reads += shard->lost_reads;
		row->lost_replies += shard->lost_replies;
		row->lost_restarts += shard->restarts;
	}
	row->lost_ticks = s->tick.missed;
	row->lost_threads = lost_threads;
	row->lost_events = roster.lost_events - s->roster_seen.lost_events +
			   s->source_stats.lost_events - s->source_seen.lost_events;
	row->lost_parse += roster.lost_parse - s->roster_seen.lost_parse +
			   s->source_stats.lost_parse - s->source_seen.lost_parse;
	if (roster.unseen_max >= 0) {
		row->unseen_max = roster.unseen_max;
		row->have |= SS_TICK_UNSEEN;
	}
	/* A slewed clock moves the two by microseconds; a suspend by more. */
	if (s->tick.index && suspended > SS_NSEC_PER_MSEC) {
		row->suspended_ns = suspended;
		row->have |= SS_TICK_SUSPENDED;
	}
	s->mono_to_boot_ns = s->tick.mono_to_boot_ns;
	s->roster_seen = roster;
	s->source_seen = s->source_stats;
}

static int64_t exit_ns_of(const struct ss_thread *thread)
{
	return thread->exit_mono_ns == INT64_MAX ? 0 : thread->exit_mono_ns;
}

/*
 * Room for all rows of this tick: samples and delays a window, thread rows for births and ends, a
 * waker and a new resource a wait.
 */
static int reserve_rows(struct ss_sampler *s, struct ss_batch *batch)
{
	size_t samples = s->ended.n, delays = 0, threads = s->born.n + s->ended.n,
	       waits = s->ended.n, k;
	unsigned i;
	int err;

	for (i = 0; i < s->env.shards; i++) {
		const struct ss_shard *shard = &s->shard[i];

		samples += shard->nwindows;
		delays += shard->ndelays;
		waits += shard->nwaits;
		s->oom |= shard->oom;
		for (k = 0; k < shard->nwindows; k++)
			threads += (shard->windows[k].event & SS_EVENT_EXIT) != 0;
	}
	err = s->oom ? -ENOMEM : ss_batch_reserve(batch, SS_TABLE_SAMPLES, samples);
	if (!err)
		err = ss_batch_reserve(batch, SS_TABLE_DELAYS, delays);
	if (!err)
		err = ss_batch_reserve(batch, SS_TABLE_THREADS, threads);
	if (!err)
		err = ss_batch_reserve(batch, SS_TABLE_WAITS, waits);
	if (!err)
		err = ss_batch_reserve(batch, SS_TABLE_WAKES, waits);
	if (!err)
		err = ss_batch_reserve(batch, SS_TABLE_RESOURCES, waits);
	if (!err)
		err = ss_batch_reserve(batch, SS_TABLE_TICKS, 1);
	return err;
}

/*
 * Rows of the windows of @tick; those of earlier ones, if any, are taken with the first. Returns
 * the next tick that has windows, INT64_MAX: none.
 */
static int64_t add_windows(struct ss_sampler *s, struct ss_batch *batch, int64_t tick, bool first,
			   size_t *exits)
{
	int64_t next = INT64_MAX;
	unsigned i;
	size_t k;

	for (i = 0; i < s->env.shards; i++) {
		struct ss_shard *shard = &s->shard[i];

		for (k = 0; k < shard->nwindows; k++) {
			const struct ss_window *w = &shard->windows[k];

			if (w->tick > tick && w->tick < next)
				next = w->tick;
			if (w->tick > tick || (w->tick < tick && !first))
				continue;
			ss_rows_add_window(batch, w, &s->tick);
			if (!(w->event & SS_EVENT_EXIT))
				continue;
			ss_rows_add_thread(batch, w->thread, s->procfs, SS_EVENT_EXIT,
					   w->end_mono_ns);
			++*exits;
			w->thread->held = false;
			shard_remove(s, w->thread);
		}
	}
	return next;
}

/* One wait, and what it waited for if that is new. */
static void add_wait(struct ss_sampler *s, struct ss_batch *batch, const struct ss_window_wait *w)
{
	bool fresh = false;
	int64_t id = ss_resources_id(s->env.resources, w->thread->pid, &w->wait.cause, &fresh);

	if (id < 0)
		s->oom = true;
	else if (fresh)
		ss_rows_add_resource(batch, s->env.resources, id);
	ss_rows_add_wait(batch, w, id, &s->tick);
}

/* The waits of the windows that add_windows() takes. */
static void add_waits(struct ss_sampler *s, struct ss_batch *batch, int64_t tick, bool first)
{
	unsigned i;
	size_t k, n, j;

	for (i = 0; i < s->env.shards; i++) {
		const struct ss_shard *shard = &s->shard[i];

		for (k = 0; k < shard->nwaits; k += n) {
			const struct ss_window_wait *w = &shard->waits[k];

			for (n = 1; k + n < shard->nwaits && w[n].thread == w->thread &&
				    w[n].end_mono_ns == w->end_mono_ns; n++)
				;
			if (w->tick > tick || (w->tick < tick && !first))
				continue;
			for (j = 0; j < n; j++)
				add_wait(s, batch, &w[j]);
			ss_rows_add_wakes(batch, w, n, &s->tick);
		}
	}
}

/* Of a thread that ended without a last reading by a worker. */
static void add_last_wait(struct ss_sampler *s, struct ss_batch *batch, const struct ss_window *last)
{
	struct ss_shard *shard = &s->shard[last->thread->shard];
	size_t k = shard->nwaits;

	ss_sampled_wait(&s->env, shard, last);
	if (shard->nwaits > k)
		add_wait(s, batch, &shard->waits[k]);
}

static void fill_rows(struct ss_sampler *s, struct ss_batch *batch)
{
	int64_t lost_threads = 0, first = s->tick.index - s->tick.missed, tick, next;
	size_t exits = s->ended.n, k;
	struct ss_window last;
	unsigned i;

	for (k = 0; k < s->born.n; k++)
		ss_rows_add_thread(batch, s->born.thread[k], s->procfs,
				   s->born.thread[k]->birth_mono_ns ? SS_EVENT_START : 0, 0);
	/* A ledger has the windows of ticks that were missed. */
	for (tick = first; tick != INT64_MAX; tick = next) {
		next = add_windows(s, batch, tick, tick == first, &exits);
		add_waits(s, batch, tick, tick == first);
	}
	for (i = 0; i < s->env.shards; i++)
		for (k = 0; k < s->shard[i].ndelays; k++)
			ss_rows_add_delay(batch, &s->shard[i].delays[k], &s->tick);
	for (k = 0; k < s->ended.n; k++) {
		struct ss_thread *thread = s->ended.thread[k];

		close_ended(s, thread, &last, &lost_threads);
		ss_rows_add_window(batch, &last, &s->tick);
		add_last_wait(s, batch, &last);
		ss_rows_add_thread(batch, thread, s->procfs, SS_EVENT_EXIT, exit_ns_of(thread));
	}
	fill_tick_row(s, batch, exits, lost_threads);
}

int ss_sampler_tick(struct ss_sampler *s, const struct ss_tick *tick, struct ss_batch *batch)
{
	int err;

	s->tick = *tick;
	ss_sampler_drain(s);
	ss_roster_update(s->roster, tick);
	collect(s);
	take_gone(s);
	batch->tick = tick->index;
	batch->mono_ns = tick->actual_ns;
	batch->time_ns = tick->actual_ns + tick->mono_to_real_ns;
	err = s->oom ? -ENOMEM : reserve_rows(s, batch);
	if (err)
		return err;
	fill_rows(s, batch);
	s->born.n = s->ended.n = 0;
	ss_roster_reap(s->roster);
	return 0;
}

static void make_punctual(void *arg, unsigned worker)
{
	struct ss_sampler *s = arg;
	struct ss_caps unused = { .n = 0 };

	ss_tick_make_punctual(worker ? &unused : s->env.caps);
}

static int open_replay_clock(struct ss_sampler *s)
{
	s->replay_offset = calloc(REPLAY_CPUS, sizeof(*s->replay_offset));
	if (!s->replay_offset)
		return -ENOMEM;
	s->env.account.offset = s->replay_offset;
	s->env.account.ncpus = REPLAY_CPUS;
	s->env.account.lag_max_ns = REPLAY_LAG_MAX_NS;
	return 0;
}

/* How far behind the counters of a running thread can be on this machine. */
static void set_lag(struct ss_account_env *account)
{
	int fd = open("/sys/devices/system/cpu/nohz_full", O_RDONLY | O_CLOEXEC);
	char nohz_full[64];	/* its beginning tells */
	struct timespec resolution;
	ssize_t n = 0;

	if (fd >= 0) {
		n = read(fd, nohz_full, sizeof(nohz_full) - 1);
		close(fd);
	}
	nohz_full[n > 0 ? n : 0] = '\0';
	clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
	account->tick_ns = resolution.tv_nsec;
	account->lag_max_ns = ss_clockmap_lag_max_ns(account->tick_ns, nohz_full);
}

int ss_sampler_open(struct ss_sampler *s, struct ss_procfs *procfs, struct ss_caps *caps)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned i, n = online < 1 ? 1 : online > WORKERS_MAX ? WORKERS_MAX : (unsigned)online;
	int err;

	memset(s, 0, sizeof(*s));
	s->procfs = procfs;
	s->env.procfs = procfs;
	s->env.caps = caps;
	s->quiet.fd = -1;
	set_lag(&s->env.account);
	if (ss_procfs_is_capture(procfs))
		n = 1;
	ss_fdbudget_init(&s->budget, RESERVED_FDS);
	s->shard = calloc(n, sizeof(*s->shard));
	if (!s->shard)
		return -ENOMEM;
	s->env.shards = n;
	for (i = 0; i < n; i++)
		ss_fdcache_init(&s->shard[i].files, &s->budget);
	err = ss_pool_new(&s->pool, n);
	if (!err)
		err = ss_resources_new(&s->env.resources, procfs);
	if (err)
		return err;
	if (ss_procfs_is_capture(procfs))
		return open_replay_clock(s);
	ss_pool_run(s->pool, n, make_punctual, s);
	/* Without the map, parts in flight are not known: the rows say so by their quality. */
	if (!ss_clockmap_new(&s->clockmap, caps))
		s->env.account.offset = ss_clockmap_offsets(s->clockmap, &s->env.account.ncpus);
	ss_quiet_open(&s->quiet, procfs);
	return 0;
}

int ss_sampler_open_source(struct ss_sampler *s, const struct ss_source_ops *ops)
{
	int err = ops->open(&s->source, &s->env);

	if (!err)
		s->source_ops = ops;
	return err;
}

int ss_sampler_begin(struct ss_sampler *s, const struct ss_selection *selection,
		     const struct ss_tick *tick, int32_t *missing)
{
	static const struct ss_roster_ops ops = { .born = on_born, .ended = on_ended };
	int err;

	s->mono_to_boot_ns = tick->mono_to_boot_ns;
	s->env.follow = selection->follow || selection->all;
	err = ss_roster_new(&s->roster, s->procfs, selection, &ops, s, s->env.caps);
	return err ? err : ss_roster_begin(s->roster, tick, missing);
}

void ss_sampler_set_replay_clock(struct ss_sampler *s, const struct ss_procfs_clock *clock)
{
	int i;

	s->env.replay_mono_ns = clock->mono_ns;
	for (i = 0; i < REPLAY_CPUS; i++)
		s->replay_offset[i].task_minus_mono_ns = clock->task_ns - clock->mono_ns;
}

/* Threads are detached before the roster frees them, and before their source closes. */
void ss_sampler_close(struct ss_sampler *s)
{
	unsigned i;
	size_t k;

	for (i = 0; i < s->env.shards; i++) {
		struct ss_shard *shard = &s->shard[i];

		for (k = shard->n; k-- > 0;)
			s->source_ops->detach(s->source, shard, shard->threads[k]);
		free(shard->threads);
		free(shard->windows);
		free(shard->waits);
		free(shard->delays);
		free(shard->gone);
	}
	s->env.shards = 0;
	ss_roster_free(s->roster);
	if (s->source)
		s->source_ops->close(s->source);
	ss_resources_free(s->env.resources);
	ss_pool_free(s->pool);
	if (s->procfs)
		ss_quiet_close(&s->quiet);
	ss_clockmap_free(s->clockmap);
	free(s->replay_offset);
	free(s->shard);
	free(s->born.thread);
	free(s->ended.thread);
	memset(s, 0, sizeof(*s));
}
