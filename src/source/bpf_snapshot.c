// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler's counters of all threads at a tick, read in the kernel by one run of a program
 * (bpf/snapshot.bpf.c); snapshot.c makes readings of them.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "source/bpf_common.h"
#include "source/procfs.h"
#include "source/snapshot.h"
#include "bpf/snapshot.skel.h"

/* Threads beyond these are read as the procfs source does. */
#define SLOTS 16384
#define TIDS_MAX (1u << 22)	/* PID_MAX_LIMIT of a 64-bit kernel */

_Static_assert(SLOTS < UINT16_MAX, "a slot is told in 16 bits");

/* What is kept of one watched thread, beside its snapshot. */
struct slot {
	uint64_t start_boot_ns;		/* 0: not seen yet */
	struct ss_snapshot_sleep sleep;
};

struct ss_source {
	const struct ss_source_env *env;
	struct snapshot_bpf *skel;
	struct bpf_link *listed;	/* NULL: the program that needs no file works */
	int refused;			/* why that does not, where the kernel could have it: -errno */
	struct ss_snapshot *snapshot;	/* shared with the kernel, like the next one */
	uint64_t *place;		/* by slot: where the kernel has the thread; 0: not known */
	uint16_t *wanted;		/* by tid: its slot + 1; 0: none */
	uint32_t tids;			/* how many */
	struct ss_snapshot_shared *shared;
	struct ss_snapshot_clock clock;
	struct slot slot[SLOTS];
	struct ss_thread *thread[SLOTS];
	uint32_t free[SLOTS], nfree;
	uint32_t top;			/* no slot from here on was ever used */
	int64_t begin_mono_ns;		/* of the run of this tick: it had not begun before */
	bool failed;			/* that run */
	bool by_procfs;			/* some threads are read as the procfs source does */
};

static int load_with(struct ss_source *s, bool in_one_go)
{
	struct snapshot_bpf *skel;

	snapshot_bpf__destroy(s->skel);
	ss_bpf_hush();
	s->skel = skel = snapshot_bpf__open();
	if (!skel)
		return -errno;
	bpf_program__set_autoload(skel->progs.read_all, in_one_go);
	bpf_program__set_autoload(skel->progs.read_listed, !in_one_go);
	bpf_map__set_max_entries(skel->maps.snapshots, SLOTS);
	bpf_map__set_max_entries(skel->maps.places, SLOTS);
	bpf_map__set_max_entries(skel->maps.wanted, s->tids / SS_WANTED_BLOCK);
	return snapshot_bpf__load(skel);
}

/* The iterator that programs can open themselves is of 6.7. */
static int load(struct ss_source *s)
{
	struct btf *btf;
	bool has_iterator;
	int err;

	ss_bpf_hush();
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return -ENOENT;
	has_iterator = btf__find_by_name_kind(btf, "bpf_iter_task_new", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	if (has_iterator) {
		err = load_with(s, true);
		if (!err || err == -EPERM)
			return err;
		s->refused = err;
	}
	err = load_with(s, false);
	if (err)
		return err;
	s->listed = bpf_program__attach_iter(s->skel->progs.read_listed, NULL);
	return s->listed ? 0 : -errno;
}

static void *share_map(const struct bpf_map *map, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(map), 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static int share(struct ss_source *s)
{
	s->shared = &s->skel->bss->shared;
	s->snapshot = share_map(s->skel->maps.snapshots, SLOTS * sizeof(*s->snapshot));
	s->place = share_map(s->skel->maps.places, SLOTS * sizeof(*s->place));
	s->wanted = share_map(s->skel->maps.wanted, s->tids * sizeof(*s->wanted));
	return s->snapshot && s->place && s->wanted ? 0 : -errno;
}

static int read_clock(struct ss_source *s)
{
	return ss_bpf_read_clock(s->skel->progs.read_clock, &s->shared->clock_ns,
				 &s->shared->mono_ns, &s->clock.mono_to_rq_ns);
}

/* Tids are below kernel.pid_max. */
static uint32_t count_tids(const struct ss_procfs *procfs)
{
	char text[32];
	unsigned long max = TIDS_MAX;

	if (ss_procfs_read(procfs, text, sizeof(text), "sys/kernel/pid_max") > 0)
		max = strtoul(text, NULL, 10);
	if (max > TIDS_MAX)
		max = TIDS_MAX;
	return ((uint32_t)max / SS_WANTED_BLOCK + 1) * SS_WANTED_BLOCK;
}

static int open_all(struct ss_source *s, struct ss_procfs *procfs)
{
	int err = -ENOTSUP;

	if (procfs->is_real) {
		s->tids = count_tids(procfs);
		err = load(s);
	}
	if (!err)
		err = share(s);
	return err ? err : read_clock(s);
}

static void snapshot_close(struct ss_source *s)
{
	bpf_link__destroy(s->listed);
	if (s->snapshot)
		munmap(s->snapshot, SLOTS * sizeof(*s->snapshot));
	if (s->place)
		munmap(s->place, SLOTS * sizeof(*s->place));
	if (s->wanted)
		munmap(s->wanted, s->tids * sizeof(*s->wanted));
	snapshot_bpf__destroy(s->skel);
	free(s);
}

static int open_and_report(struct ss_source **out, struct ss_procfs *procfs, struct ss_caps *caps)
{
	struct ss_source *s = calloc(1, sizeof(*s));
	char found[128] = "a program with the task iterator";
	int err;

	if (!s)
		return -ENOMEM;
	err = open_all(s, procfs);
	if (s->refused)
		snprintf(found, sizeof(found), "iter/task: the kernel refused the faster program: %s",
			 strerror(-s->refused));
	else if (s->listed)
		snprintf(found, sizeof(found), "iter/task");
	ss_bpf_report(caps, "bpf-snapshot", err, found,
		      "counters with exact parts in flight at little cost");
	if (err)
		snapshot_close(s);
	else
		*out = s;
	return err;
}

static int snapshot_open(struct ss_source **out, const struct ss_source_env *env)
{
	int err = open_and_report(out, env->procfs, env->caps);

	if (err)
		return err;
	(*out)->env = env;
	(*out)->clock.lag_max_ns = env->account.lag_max_ns;
	return 0;
}

static int snapshot_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	struct ss_source *s;
	int err = open_and_report(&s, procfs, caps);

	if (!err)
		snapshot_close(s);
	return err;
}

/* Without a slot it is read as the procfs source does. */
static int snapshot_attach(struct ss_source *s, struct ss_thread *thread)
{
	uint32_t index;

	if ((uint32_t)thread->tid >= s->tids || (!s->nfree && s->top == SLOTS)) {
		s->by_procfs = true;
		return 0;
	}
	index = s->nfree ? s->free[--s->nfree] : s->top++;
	s->wanted[thread->tid] = (uint16_t)(index + 1);
	memset(&s->slot[index], 0, sizeof(s->slot[index]));
	s->snapshot[index].run = s->snapshot[index].asleep = 0;
	s->thread[index] = thread;
	thread->slot_number = index + 1;
	return 0;
}

static void snapshot_detach(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread)
{
	uint32_t index = thread->slot_number - 1;

	ss_procfs_drop_files(shard, thread);
	if (!thread->slot_number)
		return;
	/* Another thread may have got its tid, and have been attached. */
	if (s->wanted[thread->tid] == thread->slot_number)
		s->wanted[thread->tid] = 0;
	thread->slot_number = 0;
	s->thread[index] = NULL;
	s->place[index] = 0;
	s->free[s->nfree++] = index;
}

static int run(struct ss_source *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (s->listed)
		return ss_bpf_run_iter(s->listed);
	return bpf_prog_test_run_opts(bpf_program__fd(s->skel->progs.read_all), &opts);
}

static bool was_visited(const struct ss_source *s, const struct ss_thread *thread)
{
	return s->snapshot[thread->slot_number - 1].run == s->shared->run;
}

static bool is_there(const struct ss_thread *thread)
{
	return !syscall(SYS_tgkill, thread->pid, thread->tid, 0) || errno != ESRCH;
}

/* A listing that a thread's end cuts short misses some that were in the one before. */
static bool was_cut_short(const struct ss_source *s)
{
	if (s->shared->visited == s->shared->threads)
		return false;
	for (uint32_t i = 0; i < s->top; i++)
		if (s->thread[i] && s->slot[i].start_boot_ns && !was_visited(s, s->thread[i]) &&
		    is_there(s->thread[i]))
			return true;
	return false;
}

static void snapshot_begin(struct ss_source *s, const struct ss_tick *tick)
{
	(void)tick;
	/* A reading that fails leaves the one before. */
	read_clock(s);
	s->begin_mono_ns = ss_now_ns(CLOCK_MONOTONIC);
	s->shared->run++;
	s->shared->visited = 0;
	s->shared->slots = s->top;
	s->shared->threads = s->top - s->nfree;
	s->failed = run(s) || (was_cut_short(s) && run(s));
}

/* False when it is another thread's that got the tid. */
static bool check_start(struct slot *slot, const struct ss_snapshot *snapshot,
			struct ss_thread *thread, const struct ss_tick *tick)
{
	if (!slot->start_boot_ns) {
		slot->start_boot_ns = snapshot->start_boot_ns;
		ss_source_set_start(thread,
				    (int64_t)slot->start_boot_ns - tick->mono_to_boot_ns);
	}
	return slot->start_boot_ns == snapshot->start_boot_ns;
}

/* /proc has longer ones for kernel workers, which begin with this. */
static void take_name(struct ss_thread *thread, const char *comm)
{
	if (strncmp(thread->comm, comm, 15))
		snprintf(thread->comm, sizeof(thread->comm), "%.15s", comm);
}

static bool snapshot_wants_clocks(const struct ss_source *s)
{
	return __atomic_load_n(&s->by_procfs, __ATOMIC_RELAXED);
}

static void collect_one(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread,
			const struct ss_tick *tick)
{
	struct ss_snapshot *snapshot = &s->snapshot[thread->slot_number - 1];
	struct slot *slot = &s->slot[thread->slot_number - 1];
	const struct ss_account *account = &thread->account;
	const struct ss_reading *prev = &account->prev;
	struct ss_reading r;

	if (!was_visited(s, thread) && !slot->start_boot_ns) {
		/* Some machines do not list all to programs: PID 1 of a guest whose host manages it. */
		__atomic_store_n(&s->by_procfs, true, __ATOMIC_RELAXED);
		ss_procfs_collect_thread(s->env, shard, thread);
	} else if (!was_visited(s, thread)) {
		if (s->failed || is_there(thread))
			shard->lost_reads++;
		else
			ss_source_gone(shard, thread);
	} else if (snapshot->flags & SS_SNAPSHOT_STILL) {
		ss_source_close_asleep(s->env, shard, thread, s->begin_mono_ns, s->begin_mono_ns);
	} else if (!check_start(slot, snapshot, thread, tick)) {
		ss_source_gone(shard, thread);
	} else if (!ss_snapshot_read(snapshot, &s->clock, &slot->sleep,
				     prev->have & SS_HAVE_PLACE ? prev : NULL, &r)) {
		shard->lost_reads++;
	} else {
		take_name(thread, (const char *)snapshot->comm);
		ss_source_close_window(s->env, shard, thread, &r);
		snapshot->asleep = !account->bound_ns && ss_snapshot_may_sleep_on(snapshot, &r);
	}
}

static void snapshot_collect(struct ss_source *s, unsigned worker, struct ss_shard *shard,
			     const struct ss_tick *tick)
{
	(void)worker;
	for (size_t i = 0; i < shard->n; i++) {
		struct ss_thread *thread = shard->threads[i];

		if (thread->slot_number)
			collect_one(s, shard, thread, tick);
		else
			ss_procfs_collect_thread(s->env, shard, thread);
	}
}

const struct ss_source_ops ss_source_bpf_snapshot = {
	.name = "bpf-snapshot",
	.help = "counters of each thread with their parts in flight, read in the kernel",
	.probe = snapshot_probe,
	.open = snapshot_open,
	.attach = snapshot_attach,
	.wants_clocks = snapshot_wants_clocks,
	.begin = snapshot_begin,
	.collect = snapshot_collect,
	.detach = snapshot_detach,
	.close = snapshot_close,
};
