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

/* Asked for by user space, before loading. */
const volatile bool use_hash;		/* no task storage for tracing programs: before 5.12 */
const volatile bool tell_waits;		/* what threads wait for, and who wakes them */

#include "core_compat.bpf.h"

#define SS_LEDGER_FUNC static __always_inline
#define SS_LEDGER_CALLED static __noinline
#define SS_LEDGER_GATHERS tell_waits
#include "ledger.h"

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

	if (!use_hash) {
		/* Most threads have none: that is seen without a call. */
		if (!t->bpf_storage)
			return NULL;
		return slot_at(bpf_task_storage_get(&slot_of_task, t, 0, 0));
	}
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

/* Room for a record in the ring, or NULL, which is counted. */
static __always_inline struct ss_record *new_record(const struct ss_slot *slot, __u32 kind)
{
	struct ss_record *record = bpf_ringbuf_reserve(&records, sizeof(*record), 0);

	if (!record) {
		__sync_fetch_and_add(&shared.lost_records, 1);
		return NULL;
	}
	record->slot = slot->number;
	record->generation = slot->generation;
	record->kind = kind;
	return record;
}

static __always_inline void send_closed(const struct ss_slot *slot, const struct ss_closed *closed,
					__u32 kind)
{
	struct ss_record *record = new_record(slot, kind);

	if (!record)
		return;
	record->closed = *closed;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

static __always_inline struct ss_slot *slot_of(struct ss_ledger *l)
{
	return (struct ss_slot *)((char *)l - __builtin_offsetof(struct ss_slot, ledger));
}

static __always_inline void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	send_closed(slot_of(l), closed, SS_RECORD_WINDOW);
}

static __always_inline void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait)
{
	struct ss_record *record = new_record(slot_of(l), SS_RECORD_WAIT);

	if (!record)
		return;
	record->part.window = l->open.window;
	record->part.wait = *wait;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
}

#include "here.bpf.h"
#include "cause.bpf.h"

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

static __always_inline void look(struct task_struct *t, struct ss_switch *s)
{
	const struct rq *rq = compat_rq(t);

	s->now_ns = rq->clock;
	s->skew_ns = s->now_ns - rq->clock_task;
	s->runtime_ns = t->se.sum_exec_runtime;
	s->last_arrival_ns = t->sched_info.last_arrival;
	s->last_queued_ns = t->sched_info.last_queued;
	s->run_delay_ns = t->sched_info.run_delay;
	s->pcount = t->sched_info.pcount;
}

/* The counters of one that is off the CPU: what they have from here on belongs to the account. */
static __always_inline void take_counters(struct ss_ledger *l, const struct task_struct *t)
{
	l->runtime_ns = t->se.sum_exec_runtime;
	l->run_delay_ns = t->sched_info.run_delay;
	l->pcount = t->sched_info.pcount;
}

/*
 * The first event after it began to be watched tells that it had been in @phase: unless it was seen
 * to be in one that comes before that; then an event was missed.
 */
static __always_inline void resolve(struct ss_slot *slot, __u8 phase, const struct ss_switch *s)
{
	struct ss_ledger *l = &slot->ledger;

	if (l->open.phase != SS_LEDGER_UNKNOWN)
		return;
	l->skew_ns = s->skew_ns;
	if (ss_ledger_is_asleep(slot->guess)) {
		l->open.phase = slot->guess;
		l->open.cause = slot->guess_cause;
	} else if (phase == SS_LEDGER_RUN && slot->guess != SS_LEDGER_QUEUE) {
		l->open.phase = SS_LEDGER_RUN;
		l->runtime_ns = s->runtime_ns - (s->now_ns > l->in_ns ? s->now_ns - l->in_ns : 0);
	} else {
		l->open.phase = SS_LEDGER_QUEUE;
	}
}

/*
 * The two halves of a switch are functions of their own for the verifier, which goes once through
 * each instead of through all combinations. Only numbers can be passed to those before 5.12.
 */
__noinline int switch_out(__u32 index, __u32 phase, __u32 voluntary)
{
	struct ss_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return 0;
	write_begin(slot);
	resolve(slot, SS_LEDGER_RUN, &slot->at);
	ss_ledger_switch_out(&slot->ledger, &shared.grid, &slot->at, (__u8)phase, &slot->cause,
			     (int)voluntary);
	if (phase == SS_LEDGER_DEAD) {
		slot->ledger.open.end_ns = slot->at.now_ns;
		ss_ledger_emit_waits(&slot->ledger);
		send_closed(slot, &slot->ledger.open, SS_RECORD_EXIT);
	}
	write_end(slot);
	return 0;
}

__noinline int switch_in(__u32 index, __s32 cpu)
{
	struct ss_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return 0;
	write_begin(slot);
	resolve(slot, SS_LEDGER_QUEUE, &slot->at);
	ss_ledger_switch_in(&slot->ledger, &shared.grid, &slot->at, cpu);
	write_end(slot);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(sched_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	struct ss_slot *slot = find(prev);
	__u32 state, phase;

	if (slot) {
		state = compat_prev_state(ctx, prev);
		phase = phase_of(prev, preempt, state);
		if (ss_ledger_is_asleep((__u8)phase))
			read_cause(prev, slot, (__u8)phase, state, true, &slot->cause);
		look(prev, &slot->at);
		take_leave(&slot->at, prev);
		switch_out(slot->number, phase, !preempt && state);
		if (phase == SS_LEDGER_DEAD && use_hash) {
			__u32 pid = prev->pid;

			bpf_map_delete_elem(&slot_of_pid, &pid);
		}
	}
	slot = find(next);
	if (slot) {
		look(next, &slot->at);
		switch_in(slot->number, (__s32)bpf_get_smp_processor_id());
	}
	return 0;
}

/*
 * Who wakes it: this runs in the context of the waker, often on another CPU than the wakeup, and not
 * under the lock of a runqueue.
 */
SEC("tp_btf/sched_waking")
int BPF_PROG(sched_waking, struct task_struct *t)
{
	struct ss_slot *slot = find(t);

	if (!slot)
		return 0;
	slot->waker = read_waker(slot, ctx);
	if (slot->epoll)
		read_ready(slot);
	return 0;
}

/* Woken before its CPU had found anything else to run. */
__noinline int go_on(__u32 index, __u32 phase, __u64 woken_ns)
{
	struct ss_slot *slot = bpf_map_lookup_elem(&slots, &index);

	if (!slot)
		return 0;
	write_begin(slot);
	ss_ledger_go_on(&slot->ledger, &shared.grid, &slot->at, woken_ns, (__u8)phase, &slot->cause,
			slot->waker);
	slot->waker = 0;
	slot->epoll = slot->ready = 0;
	write_end(slot);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(sched_wakeup, struct task_struct *t)
{
	struct ss_slot *slot = find(t);
	bool unknown;
	__u64 now_ns;
	__u8 phase;

	if (!slot)
		return 0;
	now_ns = compat_rq(t)->clock;
	/* Nobody is queued while it runs; the kernel has just noted that this one is. */
	if (slot->ledger.open.phase == SS_LEDGER_RUN && t->sched_info.last_queued == now_ns) {
		phase = BPF_CORE_READ_BITFIELD(t, in_iowait) ? SS_LEDGER_IOWAIT : SS_LEDGER_SLEEP;
		read_cause(t, slot, phase, 0, false, &slot->cause);
		look(t, &slot->at);
		take_leave(&slot->at, t);
		go_on(slot->number, phase, now_ns);
		return 0;
	}
	unknown = slot->ledger.open.phase == SS_LEDGER_UNKNOWN;
	/* Some are woken that run, or are queued: that tells nothing. */
	if (unknown && (slot->guess == SS_LEDGER_RUN || slot->guess == SS_LEDGER_QUEUE))
		return 0;
	write_begin(slot);
	if (unknown) {
		slot->ledger.open.phase = ss_ledger_is_asleep(slot->guess) ? slot->guess :
					  SS_LEDGER_SLEEP;
		slot->ledger.open.cause = slot->guess_cause;
		take_counters(&slot->ledger, t);
	}
	if (slot->ready && slot->ledger.open.cause.object == SS_OBJECT_EPOLL)
		slot->ledger.open.cause.key[1] = slot->ready;
	ss_ledger_wakeup(&slot->ledger, &shared.grid, now_ns, slot->waker);
	slot->waker = 0;
	slot->epoll = slot->ready = 0;
	write_end(slot);
	return 0;
}

static __always_inline void tell_birth(const struct ss_slot *slot)
{
	struct ss_record *record = new_record(slot, SS_RECORD_BIRTH);

	if (!record)
		return;
	record->birth.pid = slot->pid;
	record->birth.tid = slot->tid;
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
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
	tell_birth(slot);
	write_end(slot);
	return 0;
}

/* Where it seems to be; true for certain when no event came since before it was looked at. */
static __always_inline void guess(struct task_struct *t, struct ss_slot *slot)
{
	__u32 state = compat_state(t);

	if (compat_rq(t)->curr == t) {
		slot->guess = SS_LEDGER_RUN;
		return;
	}
	slot->guess = phase_of(t, 0, state);
	if (!ss_ledger_is_asleep(slot->guess))
		return;
	read_cause(t, slot, slot->guess, state, false, &slot->guess_cause);
}

static __always_inline void take(struct ss_slot *slot, __u32 index, struct task_struct *t,
				 __u8 inherit)
{
	slot->number = index;
	slot->tid = number_of(t);
	slot->pid = number_of(t->group_leader);
	slot->start_boot_ns = t->start_boottime;
	slot->inherit = inherit;
	slot->guess = SS_LEDGER_UNKNOWN;
	slot->waker = 0;
	slot->epoll = slot->ready = 0;
	slot->block_dev = 0;
	slot->comm[0] = '\0';
	ss_ledger_begin(&slot->ledger, &shared.grid, bpf_ktime_get_ns() + shared.mono_to_rq_ns,
			SS_LEDGER_UNKNOWN, 0);
	slot->guess_cause = slot->ledger.open.cause;
	take_counters(&slot->ledger, t);
	slot->events = 0;
	slot->generation++;
}

/* A slot for @t, which is not bound to it yet, or NULL: none is free, which is counted. */
static __always_inline struct ss_slot *take_free(struct task_struct *t, __u8 inherit)
{
	struct ss_slot *slot;
	__u32 index;

	if (bpf_map_pop_elem(&free_slots, &index)) {
		__sync_fetch_and_add(&shared.lost_threads, 1);
		return NULL;
	}
	slot = bpf_map_lookup_elem(&slots, &index);
	if (slot)
		take(slot, index, t, inherit);
	return slot;
}

/* A thread of a watched process, or a child of one, before it runs. */
SEC("tp_btf/task_newtask")
int BPF_PROG(task_newtask, struct task_struct *t, __u64 clone_flags)
{
	__u8 needed = clone_flags & CLONE_THREAD ? SS_INHERIT_THREADS : SS_INHERIT_CHILDREN;
	struct ss_slot *slot = find_current();
	__u32 index;

	/* User space can have been told of it, and have asked for it, before this. */
	if (!slot || !(slot->inherit & needed) || find(t))
		return 0;
	slot = take_free(t, slot->inherit);
	if (!slot)
		return 0;
	index = slot->number;
	if (!bind(t, index)) {
		bpf_map_push_elem(&free_slots, &index, 0);
		__sync_fetch_and_add(&shared.lost_threads, 1);
	}
	return 0;
}

/* From now on its events are those of the slot @number - 1; 0: of none. */
static __always_inline void rebind(struct task_struct *t, __u32 old_pid, __u32 number)
{
	__u32 pid = t->pid, *stored;

	if (use_hash) {
		bpf_map_delete_elem(&slot_of_pid, &old_pid);
		if (number)
			bpf_map_update_elem(&slot_of_pid, &pid, &number, BPF_ANY);
		return;
	}
	stored = bpf_task_storage_get(&slot_of_task, t, 0, 0);
	if (stored)
		*stored = number;
}

/* The account of @t, on a CPU and with a new number, begins as @at says. Slot + 1; 0: none. */
static __always_inline __u32 begin_anew(struct task_struct *t, const struct ss_switch *at,
					__u8 inherit)
{
	struct ss_slot *slot = NULL;

	if (inherit & SS_INHERIT_THREADS)
		slot = take_free(t, inherit);
	if (!slot)
		return 0;
	ss_ledger_begin(&slot->ledger, &shared.grid, at->now_ns, SS_LEDGER_RUN, SS_LEDGER_BORN);
	slot->ledger.runtime_ns = at->runtime_ns;
	slot->ledger.skew_ns = at->skew_ns;
	slot->ledger.run_delay_ns = at->run_delay_ns;
	slot->ledger.pcount = at->pcount - 1;
	slot->ledger.open.cpu = (__s32)bpf_get_smp_processor_id();
	tell_birth(slot);
	return slot->number + 1;
}

/*
 * One that is not the leader takes the number of that as it executes a program (de_thread()): for
 * whoever watches, a thread has ended and another one begins. It is on a CPU, and can be switched
 * here: then its old account goes on until after that. User space closes it: to do that here would
 * take the verifier as long as half of the rest.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(sched_process_exec, struct task_struct *t, int old_pid)
{
	__u32 key = (__u32)old_pid, events;
	struct ss_record *record;
	struct ss_switch at;
	struct ss_slot *slot;

	if (t->pid == old_pid)
		return 0;
	slot = use_hash ? slot_at(bpf_map_lookup_elem(&slot_of_pid, &key)) : find(t);
	if (!slot)
		return 0;
	events = slot->events;
	look(t, &at);
	take_leave(&at, t);
	rebind(t, key, begin_anew(t, &at, slot->inherit));
	if (slot->events != events) {
		look(t, &at);
		take_leave(&at, t);
	}
	/* No event is its own any more. */
	write_begin(slot);
	resolve(slot, SS_LEDGER_RUN, &at);
	write_end(slot);
	record = new_record(slot, SS_RECORD_LEAVE);
	if (record) {
		record->left = at;
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
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

/* Block I/O that a watched thread asks for. */
SEC("tp_btf/block_bio_queue")
int block_bio_queue(__u64 *ctx)
{
	struct ss_slot *slot = find_current();

	if (slot)
		slot->block_dev = compat_bio_dev(ctx);
	return 0;
}

/* Put all slots on the stack of those that are free, the first on top. */
SEC("iter/bpf_map_elem")
int stock(struct bpf_iter__bpf_map_elem *ctx)
{
	const __u32 *key = ctx->key;
	__u32 index;

	if (!key)
		return 0;
	index = ctx->map->max_entries - 1 - *key;
	bpf_map_push_elem(&free_slots, &index, 0);
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
	if (!w || w->answer == SS_ANSWER_WATCHED)
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
	take(slot, index, t, w->inherit);
	slot->ledger.open.cpu = compat_cpu(t);
	w->answer = SS_ANSWER_NO_MEMORY;
	if (bind(t, index)) {
		/* From here on its events are seen. */
		guess(t, slot);
		w->answer = SS_ANSWER_WATCHED;
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
