// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The event ledger (bpf/ledger.bpf.c): loads it, tells it whom to watch and where windows end, and
 * hands its records and what it has of each thread to ledger.c.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "source/bpf_common.h"
#include "source/calls.h"
#include "source/ledger.h"
#include "source/procfs.h"
#include "source/resources.h"
#include "bpf/ledger.skel.h"

#define SLOTS 16384
#define RING_BYTES (16u << 20)
#define RECORD_TRIES 20
#define UNFOUND_TICKS 2			/* it may just have ended; after that the kernel hides it */
#define GRID_AHEAD 4			/* windows between a change of the grid and its effect */
#define GRID_TOLERANCE_NS 1000

struct ss_source {
	const struct ss_source_env *env;	/* NULL: it is probed */
	bool waits;			/* as env has it */
	struct ledger_bpf *skel;
	struct ring_buffer *ring;
	struct ss_slot *slot;		/* shared with the kernel */
	size_t slot_bytes;
	struct ss_shared *shared;
	struct ss_watches watches;
	struct ss_thread **pending;	/* attached, and not yet watched */
	size_t npending, cap;
	int64_t lost_parse;
	int64_t epoch_mono_ns;
};

/* Task storage that tracing programs may use is of 5.12: before, a hash of PIDs does it. */
static int load_with(struct ss_source *s, bool storage)
{
	struct ledger_bpf *skel;

	ledger_bpf__destroy(s->skel);
	s->skel = skel = ledger_bpf__open();
	if (!skel)
		return -errno;
	ss_bpf_hush();
	skel->rodata->use_hash = !storage;
	skel->rodata->tell_waits = s->waits;
	bpf_program__set_autoload(skel->progs.sched_waking, s->waits);
	bpf_program__set_autoload(skel->progs.block_bio_queue, s->waits);
	memcpy((void *)skel->rodata->calls, ss_calls, sizeof(ss_calls));
	bpf_map__set_max_entries(skel->maps.slots, SLOTS);
	bpf_map__set_max_entries(skel->maps.free_slots, SLOTS);
	bpf_map__set_max_entries(skel->maps.wanted, SLOTS);
	bpf_map__set_max_entries(skel->maps.records, RING_BYTES);
	if (storage)
		bpf_map__set_autocreate(skel->maps.slot_of_pid, false);
	else
		bpf_map__set_autocreate(skel->maps.slot_of_task, false);
	bpf_map__set_max_entries(skel->maps.slot_of_pid, SLOTS);
	bpf_program__set_autoattach(skel->progs.stock, false);
	return ledger_bpf__load(skel);
}

static int load(struct ss_source *s)
{
	int err = load_with(s, true);

	/* What the library says where there is no type information. */
	if (err == -ESRCH)
		return -ENOENT;
	if (err && err != -EPERM && err != -EACCES)
		err = load_with(s, false);
	return err;
}

static int on_record(void *arg, void *data, size_t size)
{
	const struct ss_record *record = data;
	struct ss_source *s = arg;

	if (size >= sizeof(*record) && record->kind == SS_RECORD_OBJECT)
		ss_resources_tell(s->env->resources, &record->object);
	else if (ss_watches_record(&s->watches, data, size))
		s->lost_parse++;
	return 0;
}

/* All slots are free. */
static int stock(const struct ss_source *s)
{
	union bpf_iter_link_info info = { .map.map_fd = (uint32_t)bpf_map__fd(s->skel->maps.slots) };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(s->skel->progs.stock, &opts);
	int err;

	if (!link)
		return -errno;
	err = ss_bpf_run_iter(link);
	bpf_link__destroy(link);
	return err;
}

static int share(struct ss_source *s)
{
	struct ledger_bpf *skel = s->skel;
	void *memory;
	int err;

	s->shared = &skel->bss->shared;
	s->slot_bytes = SLOTS * sizeof(*s->slot);
	memory = mmap(NULL, s->slot_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(skel->maps.slots), 0);
	if (memory == MAP_FAILED)
		return -errno;
	s->slot = memory;
	err = stock(s);
	if (err)
		return err;
	s->ring = ring_buffer__new(bpf_map__fd(skel->maps.records), on_record, s, NULL);
	if (!s->ring)
		return -errno;
	err = ss_watches_new(&s->watches, s->slot, SLOTS, s->waits);
	if (err)
		return err;
	skel->links.enrol = bpf_program__attach_iter(skel->progs.enrol, NULL);
	return skel->links.enrol ? 0 : -errno;
}

static void bpf_close(struct ss_source *s)
{
	if (!s)
		return;
	ring_buffer__free(s->ring);
	ss_watches_free(&s->watches);
	if (s->slot)
		munmap(s->slot, s->slot_bytes);
	ledger_bpf__destroy(s->skel);
	free(s->pending);
	free(s);
}

static void report(struct ss_caps *caps, int err)
{
	ss_bpf_report(caps, "bpf", err, "the event ledger loads",
		      "exact windows, and those of ticks that come late");
}

static int read_clock(const struct ss_source *s, int64_t *mono_to_rq_ns)
{
	return ss_bpf_read_clock(s->skel->progs.read_clock, &s->shared->clock_ns,
				 &s->shared->mono_ns, mono_to_rq_ns);
}

static int open_all(struct ss_source *s, struct ss_procfs *procfs)
{
	int err;

	if (!procfs->is_real)
		return -ENOTSUP;
	ss_bpf_hush();
	err = load(s);
	if (!err)
		err = share(s);
	if (!err)
		err = read_clock(s, (int64_t *)&s->shared->mono_to_rq_ns);
	/* Nobody is watched yet: this costs time that the first tick has not. */
	return err ? err : ledger_bpf__attach(s->skel);
}

static int bpf_open(struct ss_source **out, const struct ss_source_env *env)
{
	struct ss_source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->env = env;
	s->waits = env->waits;
	err = open_all(s, env->procfs);
	report(env->caps, err);
	if (err)
		bpf_close(s);
	else
		*out = s;
	return err;
}

static int bpf_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	struct ss_source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->waits = true;
	err = open_all(s, procfs);
	report(caps, err);
	bpf_close(s);
	return err;
}

static int bpf_attach(struct ss_source *s, struct ss_thread *thread)
{
	struct ss_thread **grown;
	size_t cap = s->cap ? s->cap * 2 : 256;

	if (s->npending == s->cap) {
		grown = realloc(s->pending, cap * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		s->pending = grown;
		s->cap = cap;
	}
	s->pending[s->npending++] = thread;
	return 0;
}

/* Where the windows end that this tick and the next ones close; the grid follows CLOCK_MONOTONIC. */
static void follow_clock(struct ss_source *s, const struct ss_tick *tick)
{
	volatile struct ss_grid *grid = &s->shared->grid;
	uint64_t from = (uint64_t)tick->index + GRID_AHEAD;
	int64_t mono_to_rq_ns = s->shared->mono_to_rq_ns, drift;

	/* A reading that fails leaves the one before, with which windows close as well. */
	read_clock(s, &mono_to_rq_ns);
	s->shared->mono_to_rq_ns = mono_to_rq_ns;
	if (!grid->interval_ns) {
		grid->interval_ns = (uint64_t)tick->interval_ns;
		s->epoch_mono_ns = tick->end_ns;
		grid->epoch_ns[0] = grid->epoch_ns[1] = (uint64_t)(tick->end_ns + mono_to_rq_ns);
		return;
	}
	if (tick->off_grid || (uint64_t)tick->index <= grid->from)
		return;
	drift = s->epoch_mono_ns + mono_to_rq_ns - (int64_t)grid->epoch_ns[1];
	if (drift > -GRID_TOLERANCE_NS && drift < GRID_TOLERANCE_NS)
		return;
	/* Each store leaves a grid that is right for all windows that may be open. */
	grid->epoch_ns[0] = grid->epoch_ns[1];
	grid->from = from;
	grid->epoch_ns[1] += (uint64_t)drift;
}

static int take_slot(const struct ss_source *s, uint32_t *slot)
{
	return bpf_map_lookup_and_delete_elem(bpf_map__fd(s->skel->maps.free_slots), NULL, slot);
}

static void free_slot(const struct ss_source *s, uint32_t slot)
{
	bpf_map_update_elem(bpf_map__fd(s->skel->maps.free_slots), NULL, &slot, BPF_ANY);
}

/* Which of the threads that it creates are watched, too. */
static uint8_t inherit_of(const struct ss_source *s, const struct ss_thread *t)
{
	if (t->found == SS_FOUND_TID)
		return 0;
	return s->env->follow ? SS_INHERIT_THREADS | SS_INHERIT_CHILDREN : SS_INHERIT_THREADS;
}

/* The kernel counts there, too. */
static void count_lost(const struct ss_source *s, size_t threads)
{
	__atomic_fetch_add(&s->shared->lost_threads, threads, __ATOMIC_RELAXED);
}

/* Ask for all that are not watched yet. Returns how many were asked for. */
static size_t ask(struct ss_source *s)
{
	size_t i, n = 0, left = 0;

	for (i = 0; i < s->npending; i++) {
		struct ss_thread *t = s->pending[i];
		struct ss_wanted w = { .inherit = inherit_of(s, t) };
		int64_t born = ss_watches_find_born(&s->watches, t->pid, t->tid);

		if (born >= 0) {
			ss_watches_claim(&s->watches, (uint32_t)born, t);
			continue;
		}
		/* All are in use: it has no windows. */
		if (take_slot(s, &w.slot)) {
			count_lost(s, 1);
			continue;
		}
		if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.wanted), &t->tid, &w,
					       BPF_ANY)) {
			free_slot(s, w.slot);
			count_lost(s, 1);
			continue;
		}
		n++;
		s->pending[left++] = t;
	}
	s->npending = left;
	return n;
}

/*
 * Those that were not found stay pending: they have ended, or are found next time. Returns for how
 * many there was no memory. @again: not the first time at this tick.
 */
static size_t take_answers(struct ss_source *s, bool again)
{
	int wanted = bpf_map__fd(s->skel->maps.wanted);
	size_t i, left = 0, starved = 0;

	for (i = 0; i < s->npending; i++) {
		struct ss_thread *t = s->pending[i];
		struct ss_wanted w;

		if (bpf_map_lookup_elem(wanted, &t->tid, &w)) {
			s->pending[left++] = t;
			continue;
		}
		bpf_map_delete_elem(wanted, &t->tid);
		if (w.answer == SS_ANSWER_WATCHED) {
			ss_watches_claim(&s->watches, w.slot, t);
			continue;
		}
		free_slot(s, w.slot);
		/* Its birth will be told when it is queued; else another thread of ours was this one. */
		if (w.has && w.has <= SLOTS && s->slot[w.has - 1].events &&
		    !ss_watches_in_use(&s->watches, w.has - 1))
			ss_watches_claim(&s->watches, w.has - 1, t);
		else
			s->pending[left++] = t;
		if (w.answer == SS_ANSWER_NO_MEMORY)
			starved++;
		else if (!again && !w.has && t->unfound < UNFOUND_TICKS)
			t->unfound++;
	}
	s->npending = left;
	return starved;
}

/*
 * Begin to watch all that are pending. The kernel's memory for that comes in lots, the first of four,
 * and what brings the next is a thread on -rt: it gets a moment, as long as there are more each time.
 */
static void enrol(struct ss_source *s)
{
	const struct timespec moment = { .tv_nsec = 100000 };
	size_t starved = SIZE_MAX, before;

	while (ask(s)) {
		ss_bpf_run_iter(s->skel->links.enrol);
		before = starved;
		starved = take_answers(s, before != SIZE_MAX);
		if (!starved)
			return;
		if (starved >= before) {
			count_lost(s, starved);
			return;
		}
		nanosleep(&moment, NULL);
	}
}

static void bpf_drain(struct ss_source *s, ss_source_exit_fn fn, void *arg,
		      struct ss_source_stats *stats)
{
	(void)fn;
	(void)arg;
	ring_buffer__consume(s->ring);
	stats->lost_events = (int64_t)s->shared->lost_records + (int64_t)s->shared->lost_threads +
			     s->watches.lost;
	stats->lost_parse = s->lost_parse;
}

static void bpf_begin(struct ss_source *s, const struct ss_tick *tick)
{
	int64_t slot;

	follow_clock(s, tick);
	ring_buffer__consume(s->ring);
	while ((slot = ss_watches_sweep(&s->watches)) >= 0)
		free_slot(s, (uint32_t)slot);
	enrol(s);
	ss_watches_copy(&s->watches);
	ring_buffer__consume(s->ring);
	/* One that a CPU is still writing hides those after it. */
	for (int i = 0; i < RECORD_TRIES && ss_watches_incomplete(&s->watches); i++) {
		sched_yield();
		ring_buffer__consume(s->ring);
	}
}

static void bpf_collect(struct ss_source *s, unsigned worker, struct ss_shard *shard,
			const struct ss_tick *tick)
{
	const struct ss_ledger_clock clock = { s->shared->grid, s->epoch_mono_ns };
	size_t i;

	(void)worker;
	for (i = 0; i < shard->n; i++) {
		struct ss_thread *t = shard->threads[i];
		struct ss_reading r;
		bool read = t->slot_number && ss_watches_is_queued(&s->watches, t) &&
			    !ss_procfs_read_counters(s->env, shard, t, &r);

		if (t->slot_number)
			ss_watches_close(&s->watches, shard, t, tick, &clock, read ? &r : NULL);
		else if (t->exit_mono_ns)
			ss_source_gone(shard, t);
		else if (t->unfound == UNFOUND_TICKS)
			shard->lost_reads++;
	}
}

static void bpf_detach(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread)
{
	uint32_t slot = thread->slot_number;
	size_t i;

	for (i = 0; i < s->npending; i++)
		if (s->pending[i] == thread)
			s->pending[i--] = s->pending[--s->npending];
	ss_procfs_drop_files(shard, thread);
	if (slot && ss_watches_drop(&s->watches, slot - 1))
		free_slot(s, slot - 1);
}

const struct ss_source_ops ss_source_bpf = {
	.name = "bpf",
	.help = "every scheduler event of each thread, accounted in the kernel; exact",
	.settle_ns = SS_NSEC_PER_MSEC,
	.ends_threads = true,
	.probe = bpf_probe,
	.open = bpf_open,
	.attach = bpf_attach,
	.drain = bpf_drain,
	.begin = bpf_begin,
	.collect = bpf_collect,
	.detach = bpf_detach,
	.close = bpf_close,
};
