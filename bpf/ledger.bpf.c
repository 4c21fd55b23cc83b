// SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause
/*
 * The event ledger: closes the time account of each watched thread at every event of the scheduler
 * that concerns it, and its windows on the grid of the ticks.
 *
 * Instants are those of rq->clock, on which the scheduler itself accounts. sched_switch and
 * sched_wakeup run with the runqueue of their thread locked, so the events of one thread come one
 * after the other, and in order.
 */
#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "core_compat.bpf.h"

#define SS_LEDGER_FUNC static __always_inline
#define SS_LEDGER_CALLED static __noinline
#include "ledger.h"

/* Asked for by user space, before loading. */
const volatile bool use_hash;		/* no task storage for tracing programs: before 5.12 */
const volatile bool has_prev_state;	/* sched_switch tells it: since 5.18 (9c2136be0878) */

/* In kernel/sched: since when each value has been that. */
#define TASK_INTERRUPTIBLE	0x0001
#define TASK_UNINTERRUPTIBLE	0x0002
#define TASK_STOPPED_OR_TRACED	(0x0004 | 0x0008)
#define TASK_PARKED		0x0040
#define TASK_DEAD		0x0080
#define TASK_NOLOAD		0x0400
#define TASK_NEW		0x0800

#define CLONE_THREAD		0x00010000

struct ss_shared shared;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* set by user space */
	__type(key, __u32);
	__type(value, struct ss_slot);
} slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u32);		/* slot + 1 */
} slot_of_task SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);		/* task->pid */
	__type(value, __u32);
} slot_of_pid SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __s32);		/* tid, in the PID namespace of the program */
	__type(value, struct ss_wanted);
} wanted SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} records SEC(".maps");

static __always_inline struct ss_slot *slot_at(const __u32 *number)
{
	__u32 index;

	if (!number || !*number)
		return NULL;
	index = *number - 1;
	return bpf_map_lookup_elem(&slots, &index);
}

static __always_inline struct ss_slot *find(struct task_struct *t)
{
	__u32 pid;

	if (!use_hash)
		return slot_at(bpf_task_storage_get(&slot_of_task, t, 0, 0));
	pid = t->pid;
	return slot_at(bpf_map_lookup_elem(&slot_of_pid, &pid));
}

/* Where there is task storage, there is bpf_get_current_task_btf(), of 5.11. */
static __always_inline struct ss_slot *find_current(void)
{
	__u32 pid;

	if (!use_hash)
		return find(bpf_get_current_task_btf());
	pid = (__u32)bpf_get_current_pid_tgid();
	return slot_at(bpf_map_lookup_elem(&slot_of_pid, &pid));
}

static __always_inline bool bind(struct task_struct *t, __u32 index)
{
	__u32 number = index + 1, pid = t->pid, *stored;

	if (use_hash)
		return !bpf_map_update_elem(&slot_of_pid, &pid, &number, BPF_ANY);
	stored = bpf_task_storage_get(&slot_of_task, t, &number, BPF_LOCAL_STORAGE_GET_F_CREATE);
	return stored && *stored == number;
}

static __always_inline void write_begin(struct ss_slot *slot)
{
	slot->seq++;
	barrier();
}

static __always_inline void write_end(struct ss_slot *slot)
{
	slot->events++;
	barrier();
	slot->seq++;
}

static __always_inline void send(const struct ss_slot *slot, const struct ss_closed *closed,
				 __u32 kind)
{
	struct ss_record record = {
		.slot = slot->number,
		.generation = slot->generation,
		.kind = kind,
		.pid = slot->pid,
		.tid = slot->tid,
		.start_boot_ns = slot->start_boot_ns,
	};

	if (closed)
		record.closed = *closed;
	if (bpf_ringbuf_output(&records, &record, sizeof(record), BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&shared.lost_records, 1);
}

static __always_inline void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	send((struct ss_slot *)((char *)l - __builtin_offsetof(struct ss_slot, ledger)), closed,
	     SS_RECORD_WINDOW);
}

/* What the thread is from now on, as it leaves its CPU. */
static __always_inline __u8 phase_of(struct task_struct *t, bool preempt, __u32 state)
{
	if (preempt || !state)
		return SS_LEDGER_QUEUE;
	/* It was about to sleep when a signal came; before 6.14 the event does not tell. */
	if (t->on_rq && !compat_sched_delayed(t))
		return SS_LEDGER_QUEUE;
	if (state & TASK_DEAD)
		return SS_LEDGER_DEAD;
	if (state & TASK_STOPPED_OR_TRACED)
		return SS_LEDGER_STOP;
	if (state & (TASK_INTERRUPTIBLE | TASK_NOLOAD | TASK_PARKED))
		return SS_LEDGER_SLEEP;
	if (BPF_CORE_READ_BITFIELD(t, in_iowait))
		return SS_LEDGER_IOWAIT;
	return SS_LEDGER_BLOCK;
}

/*
 * The instant at which @t left its CPU: that at which its runtime was brought up to date. A CPU that
 * has nothing else to run looks for work between that and the switch, and its clock goes on
 * (sched_balance_newidle()).
 */
static __always_inline void take_leave(struct ss_switch *s, const struct task_struct *t)
{
	__u64 left_ns = t->se.exec_start + s->skew_ns;

	if (left_ns < s->now_ns)
		s->now_ns = left_ns;
}

static __always_inline struct ss_switch look(struct task_struct *t)
{
	const struct rq *rq = compat_rq(t);
	__u64 now_ns = rq->clock;

	return (struct ss_switch){
		.now_ns = now_ns,
		.skew_ns = now_ns - rq->clock_task,
		.runtime_ns = t->se.sum_exec_runtime,
		.last_arrival_ns = t->sched_info.last_arrival,
		.last_queued_ns = t->sched_info.last_queued,
		.run_delay_ns = t->sched_info.run_delay,
		.pcount = t->sched_info.pcount,
	};
}

/* The first event after it began to be watched tells what it had been doing. */
static __always_inline void resolve(struct ss_ledger *l, __u8 phase, const struct ss_switch *s)
{
	if (l->open.phase != SS_LEDGER_UNKNOWN)
		return;
	l->open.phase = phase;
	l->skew_ns = s->skew_ns;
	l->runtime_ns = s->runtime_ns - (s->now_ns > l->in_ns ? s->now_ns - l->in_ns : 0);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct ss_slot *slot = find(prev);
	struct ss_switch s;
	__u32 state;
	__u8 phase;

	if (slot) {
		state = has_prev_state ? (__u32)ctx[3] : compat_state(prev);
		phase = phase_of(prev, preempt, state);
		s = look(prev);
		take_leave(&s, prev);
		write_begin(slot);
		resolve(&slot->ledger, SS_LEDGER_RUN, &s);
		ss_ledger_switch_out(&slot->ledger, &shared.grid, &s, phase, !preempt && state);
		if (phase == SS_LEDGER_DEAD) {
			slot->ledger.open.end_ns = s.now_ns;
			send(slot, &slot->ledger.open, SS_RECORD_EXIT);
		}
		write_end(slot);
		if (phase == SS_LEDGER_DEAD && use_hash) {
			__u32 pid = prev->pid;

			bpf_map_delete_elem(&slot_of_pid, &pid);
		}
	}
	slot = find(next);
	if (slot) {
		s = look(next);
		write_begin(slot);
		resolve(&slot->ledger, SS_LEDGER_QUEUE, &s);
		ss_ledger_switch_in(&slot->ledger, &shared.grid, &s,
				    (__s32)bpf_get_smp_processor_id());
		write_end(slot);
	}
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *t)
{
	struct ss_slot *slot = find(t);
	__u64 now_ns;

	if (!slot)
		return 0;
	now_ns = compat_rq(t)->clock;
	write_begin(slot);
	if (slot->ledger.open.phase == SS_LEDGER_UNKNOWN)
		slot->ledger.open.phase = ss_ledger_is_asleep(slot->guess) ? slot->guess :
					  SS_LEDGER_SLEEP;
	ss_ledger_wakeup(&slot->ledger, &shared.grid, now_ns);
	write_end(slot);
	return 0;
}

/* A new thread is on a runqueue for the first time: here its account begins. */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(sched_wakeup_new, struct task_struct *t)
{
	struct ss_slot *slot = find(t);

	if (!slot)
		return 0;
	write_begin(slot);
	ss_ledger_begin(&slot->ledger, &shared.grid, compat_rq(t)->clock, SS_LEDGER_QUEUE,
			SS_LEDGER_BORN);
	send(slot, NULL, SS_RECORD_BIRTH);
	write_end(slot);
	return 0;
}

static __always_inline int read_upid(struct upid *upid, const struct pid *pid, __u32 level)
{
	return bpf_probe_read_kernel(upid, sizeof(*upid), (const char *)pid +
				     bpf_core_field_offset(pid->numbers) + level * sizeof(*upid));
}

/* The number of a thread in the PID namespace that asked. */
static __always_inline __s32 number_of(const struct task_struct *t)
{
	__u32 level = shared.pidns_level;
	const struct pid *pid;
	struct upid upid;
	__s32 number = t->pid;

	/* One load for this and upid.nr, as the compiler would have it, is none for the verifier. */
	barrier_var(number);
	if (!level)
		return number;
	/* Not read as a typed pointer: the verifier would not let it be added to. */
	pid = BPF_CORE_READ(t, thread_pid);
	if (BPF_CORE_READ(pid, level) < level || read_upid(&upid, pid, level))
		return 0;
	return BPF_CORE_READ(upid.ns, ns.inum) == shared.pidns_inum ? upid.nr : 0;
}

/* Where it seems to be; true for certain when no event came since before it was looked at. */
static __always_inline __u8 guess_of(struct task_struct *t)
{
	if (compat_rq(t)->curr == t)
		return SS_LEDGER_RUN;
	return phase_of(t, 0, compat_state(t));
}

static __always_inline void take(struct ss_slot *slot, struct task_struct *t, __u8 inherit)
{
	slot->tid = number_of(t);
	slot->pid = number_of(t->group_leader);
	slot->start_boot_ns = t->start_boottime;
	slot->inherit = inherit;
	slot->guess = SS_LEDGER_UNKNOWN;
	slot->comm[0] = '\0';
	ss_ledger_begin(&slot->ledger, &shared.grid, bpf_ktime_get_ns() + shared.mono_to_rq_ns,
			SS_LEDGER_UNKNOWN, 0);
	slot->ledger.pcount = t->sched_info.pcount;
	slot->ledger.run_delay_ns = t->sched_info.run_delay;
	slot->events = 0;
	slot->generation++;
}

/* A thread of a watched process, or a child of one, before it runs. */
SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *t, __u64 clone_flags)
{
	__u8 needed = clone_flags & CLONE_THREAD ? SS_INHERIT_THREADS : SS_INHERIT_CHILDREN, inherit;
	struct ss_slot *slot = find_current();
	__u32 index;

	/* User space can have been told of it, and have asked for it, before this. */
	if (!slot || !(slot->inherit & needed) || find(t))
		return 0;
	inherit = slot->inherit;
	if (bpf_map_pop_elem(&free_slots, &index)) {
		__sync_fetch_and_add(&shared.lost_threads, 1);
		return 0;
	}
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot)
		return 0;
	take(slot, t, inherit);
	if (!bind(t, index)) {
		bpf_map_push_elem(&free_slots, &index, 0);
		__sync_fetch_and_add(&shared.lost_threads, 1);
	}
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(task_rename, struct task_struct *t, const char *comm)
{
	struct ss_slot *slot = find(t);

	if (slot)
		bpf_probe_read_kernel_str(slot->comm, sizeof(slot->comm), comm);
	return 0;
}

/* Begin to watch the threads that user space wants. */
SEC("iter/task")
int enrol(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct ss_wanted *w;
	struct ss_slot *slot;
	__u32 index;
	__s32 tid;

	if (!t)
		return 0;
	tid = number_of(t);
	w = bpf_map_lookup_elem(&wanted, &tid);
	if (!w || w->done)
		return 0;
	/* Not yet on a runqueue: its birth is about to be told; or not any more. */
	if (compat_state(t) & (TASK_NEW | TASK_DEAD))
		return 0;
	slot = find(t);
	if (slot) {
		w->has = slot->number + 1;
		return 0;
	}
	index = w->slot;
	slot = bpf_map_lookup_elem(&slots, &index);
	if (!slot)
		return 0;
	take(slot, t, w->inherit);
	if (bind(t, index)) {
		/* From here on its events are seen. */
		slot->guess = guess_of(t);
		w->done = 1;
	}
	return 0;
}

/* This CPU's scheduler clock as the last update of its runqueue left it; and who asks. */
SEC("raw_tp")
int read_clock(void *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct cfs_rq *cfs_rq = BPF_CORE_READ(t, se.cfs_rq);
	struct rq *rq = BPF_CORE_READ(cfs_rq, rq);
	struct upid upid;
	struct pid *pid;

	shared.clock_ns = BPF_CORE_READ(rq, clock);
	shared.mono_ns = bpf_ktime_get_ns();
	pid = BPF_CORE_READ(t, thread_pid);
	shared.pidns_level = BPF_CORE_READ(pid, level);
	if (!read_upid(&upid, pid, shared.pidns_level))
		shared.pidns_inum = BPF_CORE_READ(upid.ns, ns.inum);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
