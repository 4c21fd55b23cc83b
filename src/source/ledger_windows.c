// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The windows of a thread: those that records tell of, and those that follow from the copy of its
 * ledger where no event came.
 */
#include <string.h>

#include "base/util.h"
#include "source/waits.h"
#include "source/watch.h"

struct closing;

/* A copy of a thread's ledger, and the waits of the window that closes when it is taken further. */
struct derived {
	struct ss_ledger ledger;
	struct closing *closing;
	struct ss_wait wait[SS_LEDGER_WAITS + 1];	/* one can give way to that which goes on */
	uint32_t nwaits;
};

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed);
static void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait);

#include "bpf/ledger.h"

static void add_derived(struct derived *d, const struct ss_closed *closed, bool exit);

static void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed)
{
	add_derived((struct derived *)((char *)l - offsetof(struct derived, ledger)), closed, false);
}

static void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait)
{
	struct derived *d = (struct derived *)((char *)l - offsetof(struct derived, ledger));

	d->wait[d->nwaits++] = *wait;
}

/*
 * The end of a thread is told before it leaves its CPU for the last time, for which it may have to be
 * given one first.
 */
#define WAIT_FOR_END_NS (10 * SS_NSEC_PER_SEC)
#define WAIT_FOR_RECORD_TICKS 2

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

static void add_derived(struct derived *d, const struct ss_closed *closed, bool exit)
{
	for (uint32_t i = 0; i < d->nwaits; i++)
		stage_wait(d->closing, closed->window, &d->wait[i]);
	d->nwaits = 0;
	add_closed(d->closing, closed, true, exit);
}

static void close_open(struct derived *d, bool exit)
{
	ss_ledger_emit_waits(&d->ledger);
	add_derived(d, &d->ledger.open, exit);
}

/* Its account ended on a CPU. False: what was copied is of before, and more was told since. */
static bool leave(struct closing *c, const struct ss_slot *slot, struct derived *d)
{
	struct ss_watch *watch = c->watch;

	if (__atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE) != watch->copied_seq)
		return false;
	ss_ledger_switch_out(&d->ledger, c->grid, &watch->left_at, SS_LEDGER_DEAD,
			     &d->ledger.open.cause, -1);
	d->ledger.open.end_ns = d->ledger.since_ns;
	watch->copy = d->ledger;
	watch->left = false;
	return true;
}

/* What follows for the windows up to @tick's end from what the kernel has of the thread. */
static void add_copied(struct closing *c, struct ss_watches *w, const struct ss_tick *tick,
		       const struct ss_reading *counters)
{
	struct ss_watch *watch = c->watch;
	struct ss_thread *thread = watch->thread;
	const struct ss_slot *slot = &w->slot[thread->slot_number - 1];
	struct derived d = { .ledger = watch->copy, .closing = c };
	uint64_t end_ns = (uint64_t)(tick->end_ns + offset_in(c, (uint64_t)tick->index));

	if (watch->left && !leave(c, slot, &d)) {
		/* They come with the next tick, if there is one. */
		c->shard->lost_reads += tick->off_grid;
		return;
	}
	/* All of its waits have been told. */
	if (watch->copy.open.phase == SS_LEDGER_DEAD) {
		close_open(&d, true);
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
	if (counters && __atomic_load_n(&slot->seq, __ATOMIC_ACQUIRE) == watch->copied_seq) {
		ss_ledger_arrived(&d.ledger, c->grid, counters->pcount, counters->rq_ns);
		watch->copy = d.ledger;
	}
	/* Off the grid, what came after the end is accounted for already: then that is the end. */
	if (end_ns < d.ledger.since_ns)
		end_ns = d.ledger.since_ns;
	if (!tick->off_grid)
		end_ns = ss_grid_end(c->grid, (uint64_t)tick->index);
	ss_ledger_advance(&d.ledger, c->grid, end_ns);
	if (tick->off_grid && d.ledger.open.window >= watch->next &&
	    d.ledger.open.begin_ns < end_ns) {
		d.ledger.open.end_ns = end_ns;
		close_open(&d, false);
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
	if (watch->exited && !watch->left)
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
