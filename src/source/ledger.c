// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "source/procfs.h"
#include "source/waits.h"

/* A copy of a thread's ledger, and the window that closes when it is taken further. */
struct derived {
	struct ss_ledger ledger;
	struct ss_closed closed;
	bool any;
	struct ss_wait wait[SS_LEDGER_WAITS + 1];	/* one can give way to that which goes on */
	uint32_t nwaits;
};

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed);
static void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait);

#include "bpf/ledger.h"

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	struct derived *d = (struct derived *)((char *)l - offsetof(struct derived, ledger));

	d->closed = *closed;
	d->any = true;
}

static void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait)
{
	struct derived *d = (struct derived *)((char *)l - offsetof(struct derived, ledger));

	d->wait[d->nwaits++] = *wait;
}

#define COPY_TRIES 10000	/* the kernel writes for less than a microsecond */
/*
 * The end of a thread is told before it leaves its CPU for the last time, for which it may have to be
 * given one first.
 */
#define WAIT_FOR_END_NS (10 * SS_NSEC_PER_SEC)
#define WAIT_FOR_RECORD_TICKS 2
#define WAIT_FOR_CLAIM_TICKS 100

/* A record in the list of its slot. */
struct ss_link {
	uint32_t next;		/* index + 1 */
	uint32_t kind;		/* enum ss_record_kind: a window, an exit or a wait */
	union {
		struct ss_closed closed;
		struct {
			uint64_t window;
			struct ss_wait wait;
		};
	};
};

struct ss_watch {
	struct ss_thread *thread;	/* NULL: not claimed */
	int32_t pid, tid;
	uint32_t generation;
	uint32_t position;		/* in active[] or unclaimed[] */
	uint32_t first, last;		/* records, index + 1 */
	uint32_t done;			/* the last of them that was handed out */
	uint64_t told;			/* first window that no record has told of */
	uint32_t copied_seq;
	uint64_t next;			/* first window that has not been handed out */
	uint64_t derived;		/* first of those that no record has told of; or next */
	int64_t owed[SS_LEDGER_PARTS];	/* to later windows: what records told of derived ones, */
					/* less what those were handed out with */
	struct ss_ledger copy;
	bool born, exited, begun;
	bool stale;			/* its slot could not be copied at this tick */
	uint8_t late;			/* ticks for which records have been missing */
	uint32_t waited;		/* ticks since it ended, for a record of that or for a claim */
};

int ss_watches_new(struct ss_watches *w, const struct ss_slot *slot, uint32_t n, bool waits)
{
	memset(w, 0, sizeof(*w));
	w->slot = slot;
	w->n = n;
	w->waits = waits;
	w->watch = calloc(n, sizeof(*w->watch));
	w->active = calloc(n, sizeof(*w->active));
	w->unclaimed = calloc(n, sizeof(*w->unclaimed));
	return w->watch && w->active && w->unclaimed ? 0 : -ENOMEM;
}

void ss_watches_free(struct ss_watches *w)
{
	free(w->watch);
	free(w->active);
	free(w->unclaimed);
	free(w->link);
	memset(w, 0, sizeof(*w));
}

static uint32_t take_link(struct ss_watches *w)
{
	uint32_t cap = w->nlinks ? w->nlinks * 2 : 1024, number = w->free_link;
	struct ss_link *grown;

	if (!number) {
		grown = realloc(w->link, cap * sizeof(*grown));
		if (!grown)
			return 0;
		w->link = grown;
		for (number = cap; number > w->nlinks; number--) {
			grown[number - 1].next = w->free_link;
			w->free_link = number;
		}
		w->nlinks = cap;
		number = w->free_link;
	}
	w->free_link = w->link[number - 1].next;
	return number;
}

/* Those up to @last. */
static void drop_links(struct ss_watches *w, struct ss_watch *watch, uint32_t last)
{
	uint32_t next;

	if (!last)
		return;
	next = w->link[last - 1].next;
	w->link[last - 1].next = w->free_link;
	w->free_link = watch->first;
	watch->first = next;
	if (!next)
		watch->last = 0;
	watch->done = 0;
}

static void remove_slot(struct ss_watches *w, uint32_t *list, uint32_t *n, uint32_t position)
{
	list[position] = list[--*n];
	w->watch[list[position]].position = position;
}

static void begin_watch(struct ss_watches *w, struct ss_watch *watch, uint32_t generation)
{
	drop_links(w, watch, watch->last);
	*watch = (struct ss_watch){ .generation = generation, .begun = true };
}

int ss_watches_record(struct ss_watches *w, const void *data, size_t size)
{
	const struct ss_record *r = data;
	struct ss_watch *watch;
	struct ss_link *link;
	uint32_t number;

	if (size < sizeof(*r) || r->slot >= w->n || r->kind > SS_RECORD_WAIT)
		return -EBADMSG;
	watch = &w->watch[r->slot];
	if (r->kind == SS_RECORD_BIRTH) {
		/* It was found by other means, and claimed, while this was on its way. */
		if (watch->thread && !watch->born && r->generation == watch->generation) {
			watch->born = true;
			return 0;
		}
		if (watch->begun)
			return -EBADMSG;
		begin_watch(w, watch, r->generation);
		watch->position = w->nunclaimed;
		w->unclaimed[w->nunclaimed++] = r->slot;
		watch->born = true;
		watch->pid = r->birth.pid;
		watch->tid = r->birth.tid;
		return 0;
	}
	/* Of a thread that had this slot before. */
	if (!watch->begun || r->generation != watch->generation)
		return 0;
	drop_links(w, watch, watch->done);
	number = take_link(w);
	if (!number) {
		w->lost++;
		return 0;
	}
	link = &w->link[number - 1];
	link->kind = r->kind;
	link->next = 0;
	if (r->kind == SS_RECORD_WAIT) {
		link->window = r->part.window;
		link->wait = r->part.wait;
	} else {
		link->closed = r->closed;
		watch->told = r->closed.window + r->closed.more + 1;
	}
	if (watch->last)
		w->link[watch->last - 1].next = number;
	else
		watch->first = number;
	watch->last = number;
	watch->exited |= r->kind == SS_RECORD_EXIT;
	return 0;
}

int64_t ss_watches_find_born(const struct ss_watches *w, int32_t pid, int32_t tid)
{
	for (uint32_t i = w->nunclaimed; i-- > 0;) {
		const struct ss_watch *watch = &w->watch[w->unclaimed[i]];

		if (watch->tid == tid && watch->pid == pid)
			return w->unclaimed[i];
	}
	return -ENOENT;
}

bool ss_watches_in_use(const struct ss_watches *w, uint32_t slot)
{
	return w->watch[slot].begun;
}

void ss_watches_claim(struct ss_watches *w, uint32_t slot, struct ss_thread *thread)
{
	struct ss_watch *watch = &w->watch[slot];

	if (watch->born)
		remove_slot(w, w->unclaimed, &w->nunclaimed, watch->position);
	else
		begin_watch(w, watch, w->slot[slot].generation);
	watch->thread = thread;
	watch->waited = 0;
	watch->copied_seq = 1;		/* none: the kernel's is even when it is read */
	watch->position = w->nactive;
	w->active[w->nactive++] = slot;
	thread->slot_number = slot + 1;
}

static void end_watch(struct ss_watches *w, struct ss_watch *watch)
{
	drop_links(w, watch, watch->last);
	watch->thread = NULL;
	watch->born = watch->begun = false;
}

bool ss_watches_drop(struct ss_watches *w, uint32_t slot)
{
	struct ss_watch *watch = &w->watch[slot];

	remove_slot(w, w->active, &w->nactive, watch->position);
	watch->thread->slot_number = 0;
	end_watch(w, watch);
	return watch->exited;
}

int64_t ss_watches_sweep(struct ss_watches *w)
{
	for (uint32_t i = w->nunclaimed; i-- > 0;) {
		uint32_t slot = w->unclaimed[i];
		struct ss_watch *watch = &w->watch[slot];

		if (!watch->exited || watch->waited < WAIT_FOR_CLAIM_TICKS)
			continue;
		remove_slot(w, w->unclaimed, &w->nunclaimed, i);
		end_watch(w, watch);
		return slot;
	}
	/* The last call of this tick. */
	for (uint32_t i = 0; i < w->nunclaimed; i++) {
		struct ss_watch *watch = &w->watch[w->unclaimed[i]];

		if (watch->exited && watch->waited < WAIT_FOR_CLAIM_TICKS)
			watch->waited++;
	}
	return -ENOENT;
}

/* x86-64 keeps the order of loads; the compiler must too. */
static void copy_slot(struct ss_watch *watch, const struct ss_slot *slot)
{
	uint32_t seq, tries = 0;
	struct ss_ledger copy;

	watch->stale = false;
	do {
		/* The CPU that writes can have been taken from the machine meanwhile. */
		if (++tries > COPY_TRIES) {
			watch->stale = true;
			return;
		}
		seq = __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE);
		if (seq == watch->copied_seq)
			return;
		copy = slot->ledger;
		if (!slot->events && copy.open.phase == SS_LEDGER_UNKNOWN) {
			copy.open.phase = slot->guess;
			copy.open.cause = slot->guess_cause;
		}
		__asm__ volatile("" ::: "memory");
	} while (seq & 1 || __atomic_load_n(&slot->seq, __ATOMIC_RELAXED) != seq);
	watch->copy = copy;
	watch->copied_seq = seq;
}

/* Written without a lock: it may be half one name and half another, until the next tick. */
static void copy_name(struct ss_thread *thread, const struct ss_slot *slot)
{
	if (!slot->comm[0])
		return;
	memcpy(thread->comm, slot->comm, sizeof(slot->comm));
	thread->comm[sizeof(slot->comm) - 1] = '\0';
}

void ss_watches_copy(struct ss_watches *w)
{
	for (uint32_t i = 0; i < w->nactive; i++) {
		const struct ss_slot *slot = &w->slot[w->active[i]];
		struct ss_watch *watch = &w->watch[w->active[i]];

		copy_slot(watch, slot);
		copy_name(watch->thread, slot);
	}
}

bool ss_watches_incomplete(const struct ss_watches *w)
{
	for (uint32_t i = 0; i < w->nactive; i++) {
		const struct ss_watch *watch = &w->watch[w->active[i]];
		uint64_t next = watch->told > watch->next ? watch->told : watch->next;

		if (next && watch->copy.open.window > next)
			return true;
	}
	return false;
}

bool ss_watches_is_queued(const struct ss_watches *w, const struct ss_thread *thread)
{
	return w->watch[thread->slot_number - 1].copy.open.phase == SS_LEDGER_QUEUE;
}

/* What the windows of one thread have in common. */
struct closing {
	struct ss_watch *watch;
	struct ss_shard *shard;
	const struct ss_grid *grid;
	int64_t epoch_mono_ns;
	bool waits;		/* they are wanted */
	size_t first_wait;	/* in the shard, of a window that is not yet complete */
};

/*
 * Instants follow the grid, and that follows CLOCK_MONOTONIC: windows that come one after the other
 * in the one clock do so in the other.
 */
static int64_t offset_in(const struct closing *c, uint64_t window)
{
	return (int64_t)c->grid->epoch_ns[window >= c->grid->from] - c->epoch_mono_ns;
}

static struct ss_window *add_window(const struct closing *c, uint64_t tick, uint64_t end_ns)
{
	struct ss_thread *thread = c->watch->thread;
	struct ss_window *w = ss_shard_add_window(c->shard);

	if (!w)
		return NULL;
	w->thread = thread;
	w->tick = (int64_t)tick;
	w->end_mono_ns = (int64_t)end_ns - offset_in(c, tick);
	if (c->watch->born && !thread->announced)
		w->event = SS_EVENT_START;
	thread->announced = true;
	return w;
}

static int64_t part_of(const struct ss_closed *closed, enum ss_ledger_phase phase)
{
	/* A part that would be negative is 0, and its negative amount is residual. */
	return closed->ns[phase] > 0 ? closed->ns[phase] : 0;
}

static void fill_parts(struct ss_parts *p, const struct ss_closed *closed)
{
	p->have = SS_PART_RUN | SS_PART_RQ | SS_PART_SLEEP | SS_PART_BLOCK | SS_PART_IOWAIT |
		  SS_PART_STOP | SS_PART_SWITCHES | SS_PART_STOLEN;
	p->wall_ns = (int64_t)(closed->end_ns - closed->begin_ns);
	p->run_ns = part_of(closed, SS_LEDGER_RUN);
	p->rq_ns = part_of(closed, SS_LEDGER_QUEUE);
	p->sleep_ns = part_of(closed, SS_LEDGER_SLEEP);
	p->block_ns = part_of(closed, SS_LEDGER_BLOCK);
	p->iowait_ns = part_of(closed, SS_LEDGER_IOWAIT);
	p->stop_ns = part_of(closed, SS_LEDGER_STOP);
	p->stolen_ns = part_of(closed, SS_LEDGER_STOLEN);
	p->residual_ns = (int64_t)((uint64_t)p->wall_ns - (uint64_t)p->run_ns -
				   (uint64_t)p->rq_ns - (uint64_t)p->sleep_ns -
				   (uint64_t)p->block_ns - (uint64_t)p->iowait_ns -
				   (uint64_t)p->stop_ns - (uint64_t)p->stolen_ns);
	p->nvcsw = closed->nvcsw;
	p->nivcsw = closed->nivcsw;
	p->cpu = closed->cpu;
	if (closed->cpu >= 0)
		p->have |= SS_PART_CPU;
	p->quality = SS_QUALITY_EXACT;
	if (closed->flags & SS_LEDGER_REPAIRED) {
		p->quality = SS_QUALITY_REPAIRED;
		p->bound_ns = closed->bound_ns;
		p->have |= SS_PART_BOUND;
	}
}

/* A wait of a window that comes after it. */
static void stage_wait(const struct closing *c, uint64_t window, const struct ss_wait *wait)
{
	struct ss_window_wait *w;

	if (!c->waits || window < c->watch->next)
		return;
	w = ss_shard_add_wait(c->shard);
	if (!w)
		return;
	w->thread = c->watch->thread;
	w->tick = (int64_t)window;
	w->wait = *wait;
}

/* @w is all that is told of its window: so are its waits. */
static void complete_waits(struct closing *c, const struct ss_window *w)
{
	if (c->waits)
		c->first_wait = ss_waits_complete(c->shard, c->first_wait, w);
}

static void stage_derived(const struct closing *c, struct derived *d)
{
	for (uint32_t i = 0; i < d->nwaits; i++)
		stage_wait(c, d->closed.window, &d->wait[i]);
	d->nwaits = 0;
}

/* A record was lost: what the windows before differ by will never be known. */
static void forget_owed(struct ss_watch *watch)
{
	memset(watch->owed, 0, sizeof(watch->owed));
	watch->derived = watch->next;
}

/* Windows whose records were lost: that they were is all that is known. */
static void add_gap(const struct closing *c, uint64_t to)
{
	for (; c->watch->next < to; c->watch->next++) {
		uint64_t end_ns = ss_grid_end(c->grid, c->watch->next);
		struct ss_window *w = add_window(c, c->watch->next, end_ns);

		if (!w)
			return;
		w->parts.wall_ns = (int64_t)(end_ns - ss_grid_end(c->grid, c->watch->next - 1));
		w->parts.residual_ns = w->parts.wall_ns;
		w->parts.quality = SS_QUALITY_COUNTER;
	}
	forget_owed(c->watch);
}

/* Records that no kernel sends may make it too large: then it is wrong, as they are. */
static void owe(struct ss_watch *watch, const struct ss_closed *closed, uint64_t sign)
{
	for (size_t p = 0; p < SS_LEDGER_PARTS; p++)
		watch->owed[p] = (int64_t)((uint64_t)watch->owed[p] +
					   sign * (uint64_t)closed->ns[p]);
}

static struct ss_closed whole_window(const struct closing *c, const struct ss_closed *closed,
				     uint64_t window)
{
	struct ss_closed whole = {
		.window = window, .phase = closed->phase, .cpu = closed->cpu,
		.begin_ns = ss_grid_end(c->grid, window - 1),
		.end_ns = ss_grid_end(c->grid, window),
	};

	whole.ns[closed->phase & (SS_LEDGER_PARTS - 1)] = (int64_t)(whole.end_ns - whole.begin_ns);
	if (closed->phase == SS_LEDGER_UNEXPLAINED) {
		whole.bound_ns = whole.ns[SS_LEDGER_UNEXPLAINED];
		whole.flags = SS_LEDGER_REPAIRED;
	}
	return whole;
}

/*
 * A record told of windows that had been derived. They are the same, unless an event was missed
 * before and the next one put that right: then later windows have the difference.
 */
static void take_told(const struct closing *c, const struct ss_closed *told)
{
	struct ss_watch *watch = c->watch;
	uint64_t last = told->window + told->more;

	if (told->window > watch->derived)
		forget_owed(watch);
	for (; watch->derived <= last && watch->derived < watch->next; watch->derived++) {
		struct ss_closed whole = whole_window(c, told, watch->derived);

		owe(watch, watch->derived == told->window ? told : &whole, 1);
	}
}

/*
 * What is owed moves from parts that were handed out with too much to those that had too little, as
 * far as the window has it; by the rest, the windows of a thread that ends are wrong.
 */
static void settle(struct ss_watch *watch, struct ss_closed *closed, bool exit)
{
	int64_t *owed = watch->owed, ns;

	for (size_t less = 0; less < SS_LEDGER_PARTS; less++) {
		for (size_t more = 0; owed[less] < 0 && more < SS_LEDGER_PARTS; more++) {
			ns = owed[more] < closed->ns[less] ? owed[more] : closed->ns[less];
			if (ns <= 0)
				continue;
			if (owed[less] + ns > 0)
				ns = -owed[less];
			closed->ns[less] -= ns;
			closed->ns[more] += ns;
			owed[less] += ns;
			owed[more] -= ns;
			closed->bound_ns += ns;
			closed->flags |= SS_LEDGER_REPAIRED;
		}
	}
	for (size_t p = 0; exit && p < SS_LEDGER_PARTS; p++) {
		if (owed[p] <= 0 || __builtin_add_overflow(closed->bound_ns, owed[p], &ns))
			continue;
		closed->bound_ns = ns;
		closed->flags |= SS_LEDGER_REPAIRED;
	}
}

/* @closed is the next window, from a record or derived. */
static struct ss_window *hand_out(const struct closing *c, const struct ss_closed *closed,
				  bool derived, bool exit)
{
	struct ss_watch *watch = c->watch;
	struct ss_closed settled = *closed;
	struct ss_window *w = add_window(c, closed->window, closed->end_ns);

	if (!w)
		return NULL;
	/* While records are on their way, what is owed is not known. */
	if (watch->derived == watch->next)
		settle(watch, &settled, exit);
	if (derived)
		owe(watch, closed, -1ULL);
	fill_parts(&w->parts, &settled);
	if (exit)
		w->event |= SS_EVENT_EXIT;
	watch->next++;
	if (!derived)
		watch->derived = watch->next;
	return w;
}

static void add_closed(struct closing *c, const struct ss_closed *closed, bool derived, bool exit)
{
	struct ss_watch *watch = c->watch;
	struct ss_wait wait = { .cause = closed->cause };
	uint64_t i, last = closed->window + closed->more;
	struct ss_window *w;

	if (!watch->next)
		watch->next = watch->derived = closed->window;
	if (closed->window > watch->next)
		add_gap(c, closed->window);
	if (closed->window == watch->next) {
		w = hand_out(c, closed, derived, exit);
		if (!w)
			return;
		complete_waits(c, w);
	} else if (exit) {
		/* That window was handed out before its end was told: only this is left to tell. */
		w = add_window(c, watch->next, ss_grid_end(c->grid, watch->next - 1));
		if (!w)
			return;
		w->event |= SS_EVENT_EXIT;
		w->parts.quality = SS_QUALITY_COUNTER;
	}
	for (i = watch->next; i <= last; i++) {
		struct ss_closed whole = whole_window(c, closed, i);

		wait.ns = whole.end_ns - whole.begin_ns;
		if (ss_ledger_is_asleep(closed->phase))
			stage_wait(c, i, &wait);
		w = hand_out(c, &whole, derived, false);
		if (!w)
			return;
		complete_waits(c, w);
	}
}

/* It ended as others told, and the kernel's record of it is not to be had. */
static void give_up(const struct closing *c, const struct ss_tick *tick)
{
	struct ss_window *w;

	w = add_window(c, (uint64_t)tick->index,
		       (uint64_t)(tick->end_ns + offset_in(c, (uint64_t)tick->index)));
	if (!w)
		return;
	w->event |= SS_EVENT_EXIT;
	w->parts.quality = SS_QUALITY_COUNTER;
	c->shard->lost_reads++;
}

/* What its records tell; waits of a window that is still open stay staged. */
static void add_told(struct closing *c, struct ss_watches *w)
{
	struct ss_watch *watch = c->watch;
	struct ss_thread *thread = watch->thread;
	uint32_t number = watch->done ? w->link[watch->done - 1].next : watch->first;

	for (; number; number = w->link[number - 1].next) {
		const struct ss_link *link = &w->link[number - 1];

		if (link->kind == SS_RECORD_WAIT) {
			stage_wait(c, link->window, &link->wait);
			continue;
		}
		take_told(c, &link->closed);
		add_closed(c, &link->closed, false, link->kind == SS_RECORD_EXIT);
		watch->done = number;
		if (link->kind == SS_RECORD_EXIT) {
			thread->exit_mono_ns = (int64_t)link->closed.end_ns -
					       offset_in(c, link->closed.window);
			break;
		}
	}
}

/*
 * Those that gave way to others after the copy was made are in the copy; those of windows before it
 * have lost the record of their window.
 */
static void unstage_newer(const struct closing *c)
{
	const struct ss_ledger *copy = &c->watch->copy;
	struct ss_shard *shard = c->shard;
	size_t i, n = c->first_wait;

	for (i = n; i < shard->nwaits && n - c->first_wait < copy->evicted; i++)
		if (shard->waits[i].tick == (int64_t)copy->open.window)
			shard->waits[n++] = shard->waits[i];
	shard->nwaits = n;
}

static void close_open(struct closing *c, struct derived *d, bool exit)
{
	ss_ledger_emit_waits(&d->ledger);
	d->closed = d->ledger.open;
	stage_derived(c, d);
	add_closed(c, &d->closed, true, exit);
}

static void add_derived(struct closing *c, struct derived *d)
{
	if (!d->any)
		return;
	stage_derived(c, d);
	add_closed(c, &d->closed, true, false);
	d->any = false;
}

/* What follows for the windows up to @tick's end from what the kernel has of the thread. */
static void add_copied(struct closing *c, struct ss_watches *w, const struct ss_tick *tick,
		       const struct ss_reading *counters)
{
	struct ss_watch *watch = c->watch;
	struct ss_thread *thread = watch->thread;
	struct derived d = { .ledger = watch->copy };
	uint64_t end_ns = (uint64_t)(tick->end_ns + offset_in(c, (uint64_t)tick->index));

	/* All of its waits have been told. */
	if (watch->copy.open.phase == SS_LEDGER_DEAD) {
		close_open(c, &d, true);
		watch->exited = true;
		thread->exit_mono_ns = (int64_t)watch->copy.open.end_ns -
				       offset_in(c, watch->copy.open.window);
		return;
	}
	if (thread->exit_mono_ns && ++watch->waited * c->grid->interval_ns > WAIT_FOR_END_NS) {
		give_up(c, tick);
		return;
	}
	unstage_newer(c);
	/* What the counters tell is news only while no event came. */
	if (counters && __atomic_load_n(&w->slot[thread->slot_number - 1].seq, __ATOMIC_ACQUIRE) ==
	    watch->copied_seq) {
		ss_ledger_arrived(&d.ledger, c->grid, counters->pcount, counters->rq_ns);
		add_derived(c, &d);
		watch->copy = d.ledger;
	}
	/* Off the grid, what came after the end is accounted for already: then that is the end. */
	if (end_ns < d.ledger.since_ns)
		end_ns = d.ledger.since_ns;
	if (!tick->off_grid)
		end_ns = ss_grid_end(c->grid, (uint64_t)tick->index);
	ss_ledger_advance(&d.ledger, c->grid, end_ns);
	add_derived(c, &d);
	if (tick->off_grid && d.ledger.open.window >= watch->next &&
	    d.ledger.open.begin_ns < end_ns) {
		d.ledger.open.end_ns = end_ns;
		close_open(c, &d, false);
	}
}

void ss_watches_close(struct ss_watches *w, struct ss_shard *shard, struct ss_thread *thread,
		      const struct ss_tick *tick, const struct ss_ledger_clock *clock,
		      const struct ss_reading *counters)
{
	struct ss_watch *watch = &w->watch[thread->slot_number - 1];
	struct closing c = { watch, shard, &clock->grid, clock->epoch_mono_ns, w->waits,
			     shard->nwaits };

	add_told(&c, w);
	if (watch->exited)
		goto out;
	/* Its windows come with the next tick: what is known of it is of before. */
	if (watch->stale) {
		shard->lost_reads++;
		goto out;
	}
	/* What the kernel has is beyond its records: they come with the next tick, or were lost. */
	if (!tick->off_grid && watch->next && watch->copy.open.window > watch->next &&
	    watch->late++ < WAIT_FOR_RECORD_TICKS)
		goto out;
	watch->late = 0;
	add_copied(&c, w, tick, counters);
out:
	/* What is still staged comes with its window. */
	shard->nwaits = c.first_wait;
}
