// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The scheduler's counters of all threads at a tick, read in the kernel by one run of a program
 * over all threads of the machine (bpf/snapshot.bpf.c); snapshot.c makes readings of them.
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

#define SLOTS 16384	/* threads beyond that are read as the procfs source does */

/* What is kept of one watched thread, beside its snapshot. */
struct slot {
	uint64_t start_boot_ns;		/* 0: not seen yet */
	struct ss_snapshot_sleep sleep;
};

struct ss_source {
	const struct ss_source_env *env;
	struct snapshot_bpf *skel;
	struct bpf_link *listed;	/* NULL: the program that needs no file works */
	struct ss_snapshot *snapshot;	/* shared with the kernel */
	struct ss_snapshot_shared *shared;
	struct ss_snapshot_clock clock;
	struct slot slot[SLOTS];
	struct ss_thread *thread[SLOTS];
	uint32_t free[SLOTS], nfree;
	uint32_t top;			/* no slot from here on was ever used */
	bool failed;			/* the run of this tick */
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
	bpf_map__set_max_entries(skel->maps.wanted, SLOTS);
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
	}
	err = load_with(s, false);
	if (err)
		return err;
	s->listed = bpf_program__attach_iter(s->skel->progs.read_listed, NULL);
	return s->listed ? 0 : -errno;
}

static int share(struct ss_source *s)
{
	void *memory = mmap(NULL, SLOTS * sizeof(*s->snapshot), PROT_READ | PROT_WRITE, MAP_SHARED,
			    bpf_map__fd(s->skel->maps.snapshots), 0);

	if (memory == MAP_FAILED)
		return -errno;
	s->snapshot = memory;
	s->shared = &s->skel->bss->shared;
	return 0;
}

static int read_clock(struct ss_source *s)
{
	return ss_bpf_read_clock(s->skel->progs.read_clock, &s->shared->clock_ns,
				 &s->shared->mono_ns, &s->clock.mono_to_rq_ns);
}

static int open_all(struct ss_source *s, struct ss_procfs *procfs)
{
	int err = procfs->is_real ? load(s) : -ENOTSUP;

	if (!err)
		err = share(s);
	return err ? err : read_clock(s);
}

static void snapshot_close(struct ss_source *s)
{
	bpf_link__destroy(s->listed);
	if (s->snapshot)
		munmap(s->snapshot, SLOTS * sizeof(*s->snapshot));
	snapshot_bpf__destroy(s->skel);
	free(s);
}

static int open_and_report(struct ss_source **out, struct ss_procfs *procfs, struct ss_caps *caps)
{
	struct ss_source *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	err = open_all(s, procfs);
	ss_bpf_report(caps, "bpf-snapshot", err,
		      s->listed ? "iter/task" : "a program with the task iterator",
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

	if (s->nfree)
		index = s->free[--s->nfree];
	else if (s->top < SLOTS)
		index = s->top++;
	else
		return 0;
	if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.wanted), &thread->tid, &index, BPF_ANY)) {
		s->free[s->nfree++] = index;
		return 0;
	}
	memset(&s->slot[index], 0, sizeof(s->slot[index]));
	s->snapshot[index].run = 0;
	s->thread[index] = thread;
	thread->slot_number = index + 1;
	return 0;
}

static void snapshot_detach(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread)
{
	int wanted = bpf_map__fd(s->skel->maps.wanted);
	uint32_t index = thread->slot_number - 1, current;

	ss_procfs_drop_files(shard, thread);
	if (!thread->slot_number)
		return;
	/* Another thread may have got its tid, and have been attached. */
	if (!bpf_map_lookup_elem(wanted, &thread->tid, &current) && current == index)
		bpf_map_delete_elem(wanted, &thread->tid);
	thread->slot_number = 0;
	s->thread[index] = NULL;
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
	if (s->shared->visited == s->top - s->nfree)
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
	s->shared->run++;
	s->shared->visited = 0;
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
static void take_name(struct ss_thread *thread, const char comm[16])
{
	if (strncmp(thread->comm, comm, 15))
		snprintf(thread->comm, sizeof(thread->comm), "%.15s", comm);
}

static void collect_one(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread,
			const struct ss_tick *tick)
{
	const struct ss_snapshot *snapshot = &s->snapshot[thread->slot_number - 1];
	struct slot *slot = &s->slot[thread->slot_number - 1];
	const struct ss_reading *prev = &thread->account.prev;
	struct ss_reading r;

	if (!was_visited(s, thread)) {
		/* Some machines do not list all to programs: PID 1 of a guest whose host manages it. */
		if (!slot->start_boot_ns)
			ss_procfs_collect_thread(s->env, shard, thread);
		else if (s->failed || is_there(thread))
			shard->lost_reads++;
		else
			ss_source_gone(shard, thread);
	} else if (!check_start(slot, snapshot, thread, tick)) {
		ss_source_gone(shard, thread);
	} else if (!ss_snapshot_read(snapshot, &s->clock, &slot->sleep,
				     prev->have & SS_HAVE_PLACE ? prev : NULL, &r)) {
		shard->lost_reads++;
	} else {
		take_name(thread, snapshot->comm);
		ss_source_close_window(s->env, shard, thread, &r);
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
	.begin = snapshot_begin,
	.collect = snapshot_collect,
	.detach = snapshot_detach,
	.close = snapshot_close,
};
