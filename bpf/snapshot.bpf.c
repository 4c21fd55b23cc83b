// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * The snapshot: one run writes down what the scheduler counts of the threads that are wanted. It
 * goes to each where it was seen last, and over all threads of the machine if one is not there any
 * more. Nothing is locked: what changes while it is read is read again.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "core_compat.bpf.h"
#include "snapshot.h"

#define TRIES 16	/* one of a ping-pong pair can be in the middle of a switch many times */

struct ss_snapshot_shared shared;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* set by user space */
	__type(key, __u32);
	__type(value, struct ss_snapshot);
} snapshots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* set by user space */
	__type(key, __u32);		/* tid, in the PID namespace of the program, / SS_WANTED_BLOCK */
	__type(value, struct ss_wanted_block);
} wanted SEC(".maps");

/*
 * Where the thread of each snapshot was seen last; 0: not yet. Nothing keeps it there: it is read
 * as memory that can be gone, and what is there must be the same thread, alive.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* set by user space */
	__type(key, __u32);
	__type(value, __u64);
} places SEC(".maps");

extern void bpf_rcu_read_lock(void) __weak __ksym;
extern void bpf_rcu_read_unlock(void) __weak __ksym;
extern int bpf_iter_task_new(struct bpf_iter_task *it, struct task_struct *t,
			     unsigned int flags) __weak __ksym;
extern struct task_struct *bpf_iter_task_next(struct bpf_iter_task *it) __weak __ksym;
extern void bpf_iter_task_destroy(struct bpf_iter_task *it) __weak __ksym;
extern int bpf_iter_num_new(struct bpf_iter_num *it, int start, int end) __weak __ksym;
extern int *bpf_iter_num_next(struct bpf_iter_num *it) __weak __ksym;
extern void bpf_iter_num_destroy(struct bpf_iter_num *it) __weak __ksym;

#include "here.bpf.h"

static __always_inline __u32 flags_of(struct task_struct *t, const struct rq *rq)
{
	__u32 flags = 0;

	if (rq->curr == t)
		flags |= SS_SNAPSHOT_CURRENT;
	if (t->on_rq)
		flags |= compat_sched_delayed(t) ? SS_SNAPSHOT_DELAYED : SS_SNAPSHOT_QUEUED;
	if (BPF_CORE_READ_BITFIELD(t, in_iowait))
		flags |= SS_SNAPSHOT_IOWAIT;
	if (t->exit_state)
		flags |= SS_SNAPSHOT_DEAD;
	return flags;
}

static __always_inline void look(struct task_struct *t, const struct rq *rq, struct ss_snapshot *s)
{
	s->runtime_ns = t->se.sum_exec_runtime;
	s->exec_start_ns = t->se.exec_start;
	s->run_delay_ns = t->sched_info.run_delay;
	s->last_queued_ns = t->sched_info.last_queued;
	s->last_arrival_ns = t->sched_info.last_arrival;
	s->pcount = t->sched_info.pcount;
	s->nvcsw = t->nvcsw;
	s->nivcsw = t->nivcsw;
	s->clock_ns = rq->clock;
	s->clock_task_ns = rq->clock_task;
	s->state = compat_state(t);
	s->cpu = rq->cpu;
	s->flags = (__u16)flags_of(t, rq);
	s->asleep = 0;
	barrier();
	s->mono_ns = bpf_ktime_get_ns();
}

/* Nothing has changed since: all of it was true at mono_ns. */
static __always_inline bool holds(struct task_struct *t, const struct rq *rq,
				  const struct ss_snapshot *s)
{
	__u64 differs;

	barrier();
	differs = s->runtime_ns ^ t->se.sum_exec_runtime;
	differs |= s->exec_start_ns ^ t->se.exec_start;
	differs |= s->run_delay_ns ^ t->sched_info.run_delay;
	differs |= s->last_queued_ns ^ t->sched_info.last_queued;
	differs |= s->pcount ^ t->sched_info.pcount;
	differs |= s->nvcsw ^ t->nvcsw;
	differs |= s->nivcsw ^ t->nivcsw;
	differs |= s->state ^ compat_state(t);
	differs |= s->flags ^ flags_of(t, rq);
	/* Its clocks move one after the other; they matter where something is in flight. */
	if (s->flags & (SS_SNAPSHOT_CURRENT | SS_SNAPSHOT_QUEUED)) {
		differs |= s->clock_ns ^ rq->clock;
		differs |= s->clock_task_ns ^ rq->clock_task;
	}
	return !differs && compat_rq(t) == rq;
}

/*
 * It was seen asleep, is off its runqueue, and has not been switched out since: so it slept all the
 * time, at least until this run had begun. For the thread at the same place: a new one there has
 * another start, and so has one that took a number over as it called exec().
 */
static __always_inline bool sleeps_on(struct task_struct *t, const struct ss_snapshot *s)
{
	__u64 differs;

	if (!s->asleep || t->on_rq)
		return false;
	barrier();
	differs = s->nvcsw ^ t->nvcsw;
	differs |= s->nivcsw ^ t->nivcsw;
	differs |= s->start_boot_ns ^ t->start_boottime;
	differs |= s->state ^ compat_state(t);
	return !differs;
}

static __always_inline bool read_once(struct task_struct *t, struct ss_snapshot *s)
{
	const struct rq *rq = compat_rq(t);

	look(t, rq, s);
	return holds(t, rq, s);
}

static __always_inline bool read_again(struct task_struct *t, struct ss_snapshot *s)
{
	for (int i = 1; i < TRIES; i++)
		if (read_once(t, s))
			return true;
	return false;
}

/* The same for the verifier of read_all(), which would follow each way through each try. */
static __always_inline bool read_again_iterated(struct task_struct *t, struct ss_snapshot *s)
{
	struct bpf_iter_num it;
	bool done = false;

	bpf_iter_num_new(&it, 1, TRIES);
	while (!done && bpf_iter_num_next(&it))
		done = read_once(t, s);
	bpf_iter_num_destroy(&it);
	return done;
}

static __always_inline void read_thread(struct task_struct *t, struct ss_snapshot *s, bool iterated)
{
	if (!read_once(t, s) &&
	    !(iterated ? read_again_iterated(t, s) : read_again(t, s)))
		s->flags |= SS_SNAPSHOT_TORN;
	s->start_boot_ns = t->start_boottime;
	s->comm[0] = *(const __u64 *)&t->comm[0];
	s->comm[1] = *(const __u64 *)&t->comm[8];
}

/* Sleepers are read all the same now and then: see SS_SNAPSHOT_RUNS_STILL. */
static __always_inline bool is_still(struct task_struct *t, const struct ss_snapshot *s,
				     __u32 index)
{
	return (index + shared.run) % SS_SNAPSHOT_RUNS_STILL && sleeps_on(t, s);
}

static __always_inline void visited(struct ss_snapshot *s)
{
	s->run = shared.run;
	shared.visited++;
}

/* One of the machine's threads, if it is wanted and was not read in this run. */
static __always_inline void visit(struct task_struct *t, bool iterated)
{
	__u32 tid = (__u32)number_of(t), block = tid / SS_WANTED_BLOCK, index;
	const struct ss_wanted_block *of_block = bpf_map_lookup_elem(&wanted, &block);
	struct ss_snapshot *s;
	__u64 *place;

	if (!of_block || !of_block->number[tid % SS_WANTED_BLOCK])
		return;
	index = of_block->number[tid % SS_WANTED_BLOCK] - 1;
	s = bpf_map_lookup_elem(&snapshots, &index);
	place = bpf_map_lookup_elem(&places, &index);
	if (!s || !place || s->run == shared.run)
		return;
	if (*place == (__u64)t && is_still(t, s, index))
		s->flags |= SS_SNAPSHOT_STILL;
	else
		read_thread(t, s, iterated);
	*place = (__u64)t;
	visited(s);
}

/* The wanted thread of @index, if it is where it was. */
static __always_inline void visit_place(__u32 index)
{
	struct ss_snapshot *s = bpf_map_lookup_elem(&snapshots, &index);
	const __u64 *place = bpf_map_lookup_elem(&places, &index);
	struct task_struct *t;
	__u64 start_boot_ns;

	if (!s || !place || !*place || s->run == shared.run)
		return;
	t = bpf_rdonly_cast((const void *)*place, bpf_core_type_id_kernel(struct task_struct));
	if (is_still(t, s, index)) {
		s->flags |= SS_SNAPSHOT_STILL;
	} else {
		start_boot_ns = s->start_boot_ns;
		if (t->start_boottime != start_boot_ns)
			return;
		read_thread(t, s, true);
		if (s->start_boot_ns != start_boot_ns || s->flags & SS_SNAPSHOT_DEAD)
			return;
	}
	visited(s);
}

SEC("iter/task")
int read_listed(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (t)
		visit(t, false);
	return 0;
}

/* The same in one go, without a file. */
SEC("syscall")
int read_all(void *ctx)
{
	struct bpf_iter_num places_it;
	struct bpf_iter_task it;
	struct task_struct *t;
	const int *index;

	bpf_rcu_read_lock();
	bpf_iter_num_new(&places_it, 0, (int)shared.slots);
	while ((index = bpf_iter_num_next(&places_it)))
		visit_place((__u32)*index);
	bpf_iter_num_destroy(&places_it);
	if (shared.visited != shared.threads) {
		bpf_iter_task_new(&it, bpf_get_current_task_btf(), BPF_TASK_ITER_ALL_THREADS);
		while ((t = bpf_iter_task_next(&it)))
			visit(t, true);
		bpf_iter_task_destroy(&it);
	}
	bpf_rcu_read_unlock();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
