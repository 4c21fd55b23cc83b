/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The account of one thread from its scheduler events. Compiled for the kernel (ledger.bpf.c), for
 * user space (src/source/ledger_windows.c), which closes with it the windows of threads that had no
 * event, and for the unit tests.
 *
 * All instants are of the scheduler's own clock (rq->clock), in nanoseconds. Each part comes from
 * its own events: run from the thread's runtime counter, rq, sleep, block, iowait and stop from the
 * instants at which they began and ended. Nothing is what the others leave, so that what does not
 * add up to the wall time shows.
 *
 * The includer defines ss_ledger_emit() and ss_ledger_emit_wait(), and SS_LEDGER_GATHERS where waits
 * may not be wanted.
 */
#ifndef SS_BPF_LEDGER_H
#define SS_BPF_LEDGER_H

#include "wire.h"

#ifndef SS_LEDGER_FUNC
#define SS_LEDGER_FUNC static inline
#endif
#ifndef SS_LEDGER_CALLED	/* from several places: not worth a copy in each */
#define SS_LEDGER_CALLED static inline
#endif

#ifndef SS_LEDGER_GATHERS	/* whether waits are gathered and emitted */
#define SS_LEDGER_GATHERS 1
#endif

/* Between an instant that the runtime counter gives and the switch itself. */
#define SS_LEDGER_SAME_NS 1000

/** What to do with a closed window; defined by the includer. */
SS_LEDGER_FUNC void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed);

/** What to do with gathered waits of the open window, before that is emitted; by the includer, too. */
SS_LEDGER_FUNC void ss_ledger_emit_wait(struct ss_ledger *l, const struct ss_wait *wait);

SS_LEDGER_FUNC __u64 ss_grid_end(const struct ss_grid *g, __u64 window)
{
	return g->epoch_ns[window >= g->from] + window * g->interval_ns;
}

/* The window that @ns lies in; one that ends there is over. */
SS_LEDGER_FUNC __u64 ss_grid_window(const struct ss_grid *g, __u64 ns)
{
	__u64 window;

	if (ns < g->epoch_ns[0])
		return 0;
	window = (ns - g->epoch_ns[0]) / g->interval_ns + 1;
	if (window < g->from)
		return window;
	window = ns < g->epoch_ns[1] ? 0 : (ns - g->epoch_ns[1]) / g->interval_ns + 1;
	return window < g->from ? g->from : window;
}

/** Begin at @now_ns in @phase. */
SS_LEDGER_FUNC void ss_ledger_begin(struct ss_ledger *l, const struct ss_grid *g, __u64 now_ns,
				    __u8 phase, __u8 flags)
{
	__builtin_memset(l, 0, sizeof(*l));
	l->since_ns = l->in_ns = l->open.begin_ns = now_ns;
	l->open.window = ss_grid_window(g, now_ns);
	l->open.phase = phase;
	l->open.flags = flags;
	l->open.cpu = -1;
	l->open.cause.syscall = -1;
	l->open.cause.fd = -1;
	l->wait_since_ns = now_ns;
}

SS_LEDGER_FUNC int ss_ledger_is_asleep(__u8 phase)
{
	return phase >= SS_LEDGER_SLEEP && phase <= SS_LEDGER_STOP;
}

/**
 * Lengths below 1,024 ns are in bucket 0, those below 2^(b + 10) ns in b; the last has no end. It is
 * the number of bits of what is left, counted without a branch: each would be one more possibility
 * that the verifier follows to the end.
 */
SS_LEDGER_FUNC __u32 ss_wait_bucket(__u64 length_ns)
{
	__u64 bits = length_ns >> 10;

	for (int shift = 1; shift < 64; shift *= 2)
		bits |= bits >> shift;
	bits -= bits >> 1 & 0x5555555555555555;
	bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
	bits = ((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f) * 0x0101010101010101 >> 56;
	return bits < SS_WAIT_BUCKETS ? (__u32)bits : SS_WAIT_BUCKETS - 1;
}

SS_LEDGER_FUNC int ss_wait_is(const struct ss_wait *w, const struct ss_cause *cause, __u64 waker)
{
	if (w->cause.key[0] != cause->key[0] || w->cause.key[1] != cause->key[1])
		return 0;
	return w->cause.kind == cause->kind && w->cause.object == cause->object &&
	       w->cause.syscall == cause->syscall && w->waker == waker;
}

/*
 * The part of its wait that lies in the open window joins those of the same cause and waker; when
 * it ended, so does the whole of it.
 */
SS_LEDGER_CALLED void ss_ledger_gather(struct ss_ledger *l, int ended, __u64 waker)
{
	__u64 length_ns = l->since_ns - l->wait_since_ns;
	struct ss_wait *w = 0;
	__u32 i;

	for (i = 0; i < SS_LEDGER_WAITS; i++) {
		w = &l->wait[i];
		if (i >= l->nwaits || ss_wait_is(w, &l->open.cause, waker))
			break;
	}
	if (i >= SS_LEDGER_WAITS || (i < l->nwaits && w->count >= SS_WAIT_COUNT_MAX)) {
		/* Each gives way in its turn. */
		if (i >= SS_LEDGER_WAITS)
			w = &l->wait[l->evicted & (SS_LEDGER_WAITS - 1)];
		l->evicted++;
		ss_ledger_emit_wait(l, w);
		__builtin_memset(w, 0, sizeof(*w));
	} else if (i >= l->nwaits) {
		l->nwaits++;
		__builtin_memset(w, 0, sizeof(*w));
	}
	w->cause = l->open.cause;
	w->waker = waker;
	w->ns += l->wait_ns;
	l->wait_ns = 0;
	if (!ended)
		return;
	w->count++;
	w->ended_ns += length_ns;
	if (length_ns > w->max_ns)
		w->max_ns = length_ns;
	w->hist[ss_wait_bucket(length_ns) & (SS_WAIT_BUCKETS - 1)]++;
}

/** Emit what has been gathered of the open window, with the part in it of a wait that goes on. */
SS_LEDGER_CALLED void ss_ledger_emit_waits(struct ss_ledger *l)
{
	if (!SS_LEDGER_GATHERS)
		return;
	if (l->wait_ns)
		ss_ledger_gather(l, 0, 0);
	for (__u32 i = 0; i < SS_LEDGER_WAITS; i++)
		if (i < l->nwaits)
			ss_ledger_emit_wait(l, &l->wait[i]);
	l->nwaits = l->evicted = 0;
}

/*
 * The phase went on until @now_ns: close the windows that ended by then. An instant before what is
 * accounted for is taken for that: clocks of two CPUs can differ by a little.
 */
SS_LEDGER_CALLED void ss_ledger_advance(struct ss_ledger *l, const struct ss_grid *g, __u64 now_ns)
{
	struct ss_closed *open = &l->open;
	__u64 end_ns = ss_grid_end(g, open->window), window;
	__u8 part = open->phase & (SS_LEDGER_PARTS - 1);
	int asleep = ss_ledger_is_asleep(part);

	if (now_ns <= l->since_ns)
		return;
	if (now_ns >= end_ns) {
		if (end_ns > l->since_ns) {
			open->ns[part] += (__s64)(end_ns - l->since_ns);
			if (asleep)
				l->wait_ns += end_ns - l->since_ns;
		}
		ss_ledger_emit_waits(l);
		window = ss_grid_window(g, now_ns);
		open->end_ns = end_ns;
		open->more = window - open->window - 1;
		ss_ledger_emit(l, open);
		open->window = window;
		open->more = 0;
		l->since_ns = open->begin_ns = ss_grid_end(g, window - 1);
		__builtin_memset(open->ns, 0, sizeof(open->ns));
		open->bound_ns = 0;
		open->nvcsw = open->nivcsw = 0;
		open->flags = 0;
	}
	open->ns[part] += (__s64)(now_ns - l->since_ns);
	if (asleep)
		l->wait_ns += now_ns - l->since_ns;
	l->since_ns = now_ns;
}

/* It is queued from what is accounted for on, and not asleep any more. */
SS_LEDGER_FUNC void ss_ledger_end_wait(struct ss_ledger *l, __u64 waker)
{
	if (SS_LEDGER_GATHERS)
		ss_ledger_gather(l, 1, waker);
	l->open.phase = SS_LEDGER_QUEUE;
}

SS_LEDGER_FUNC void ss_ledger_repaired(struct ss_ledger *l, __u64 bound_ns)
{
	l->open.flags |= SS_LEDGER_REPAIRED;
	l->open.bound_ns += (__s64)bound_ns;
}

/* The window that a repair began in may have been told: say it of the one that it ends in, too. */
SS_LEDGER_FUNC void ss_ledger_repaired_since(struct ss_ledger *l, __u64 window, __u64 bound_ns)
{
	__u64 here_ns = l->since_ns - l->open.begin_ns;

	if (l->open.window != window)
		ss_ledger_repaired(l, bound_ns < here_ns ? bound_ns : here_ns);
}

/* From what is accounted for to @now_ns, which the clock of another CPU can be behind. */
SS_LEDGER_FUNC __u64 ss_ledger_until(const struct ss_ledger *l, __u64 now_ns)
{
	return now_ns > l->since_ns ? now_ns - l->since_ns : 0;
}

/**
 * It was woken by @waker: queued from now on. Nothing when it is queued or on a CPU, as some wakeups
 * find it.
 */
SS_LEDGER_FUNC void ss_ledger_wakeup(struct ss_ledger *l, const struct ss_grid *g, __u64 now_ns,
				     __u64 waker)
{
	if (!ss_ledger_is_asleep(l->open.phase))
		return;
	ss_ledger_advance(l, g, now_ns);
	ss_ledger_end_wait(l, waker);
}

/* It sleeps from what is accounted for on. */
SS_LEDGER_FUNC void ss_ledger_begin_wait(struct ss_ledger *l, __u8 phase,
					 const struct ss_cause *cause)
{
	l->open.phase = phase;
	l->open.cause = *cause;
	l->wait_since_ns = l->since_ns;
}

SS_LEDGER_FUNC void ss_ledger_arrive(struct ss_ledger *l, __u64 now_ns, __u64 skew_ns)
{
	l->open.phase = SS_LEDGER_RUN;
	l->in_ns = now_ns;
	l->skew_ns = skew_ns;
	l->in_unseen = 0;
}

/** It gets a CPU. */
SS_LEDGER_FUNC void ss_ledger_switch_in(struct ss_ledger *l, const struct ss_grid *g,
					const struct ss_switch *s, __s32 cpu)
{
	const struct ss_cause unknown = { .kind = SS_WAIT_UNKNOWN, .syscall = -1, .fd = -1 };
	__u64 queued_ns = s->last_queued_ns, unknown_ns = 0, window = 0;
	int repaired = 0;

	if (l->open.phase == SS_LEDGER_RUN) {
		/* Its switch-out was missed: it ran as its counter says, then it was off the CPU. */
		__u64 off_ns = l->in_ns + (s->runtime_ns - l->runtime_ns);

		if (off_ns < l->since_ns || off_ns > s->now_ns)
			off_ns = l->since_ns;
		ss_ledger_advance(l, g, off_ns);
		ss_ledger_begin_wait(l, SS_LEDGER_SLEEP, &unknown);
		/* Preempted, it was queued again at once; else what it waited for is not known. */
		if (s->pcount != l->pcount + 1 || queued_ns < off_ns ||
		    queued_ns > off_ns + SS_LEDGER_SAME_NS)
			unknown_ns = s->now_ns - off_ns;
	}
	if (ss_ledger_is_asleep(l->open.phase)) {
		/*
		 * Its wakeup was missed, or there was none: a sleeper whose dequeue was delayed can be
		 * queued again without one (since 6.12). The kernel noted when (sched_info_enqueue()).
		 */
		if (queued_ns < l->since_ns || queued_ns > s->now_ns) {
			queued_ns = s->now_ns;
			unknown_ns = ss_ledger_until(l, s->now_ns);
		} else if (!unknown_ns && cpu != l->open.cpu) {
			/* It can have been moved while its dequeue was delayed: that notes one, too. */
			unknown_ns = s->now_ns - queued_ns;
		}
		repaired = 1;
		window = l->open.window;
		ss_ledger_repaired(l, unknown_ns);
		ss_ledger_advance(l, g, queued_ns);
		ss_ledger_end_wait(l, 0);
	}
	ss_ledger_advance(l, g, s->now_ns);
	if (repaired)
		ss_ledger_repaired_since(l, window, unknown_ns);
	ss_ledger_arrive(l, s->now_ns, s->skew_ns);
	l->runtime_ns = s->runtime_ns;
	l->pcount = s->pcount;
	l->open.cpu = cpu;
}

/**
 * It got a CPU without an event: @pcount and @run_delay_ns are its counters now. Between two events
 * only; the next one puts right what this leaves.
 */
SS_LEDGER_FUNC void ss_ledger_arrived(struct ss_ledger *l, const struct ss_grid *g, __u64 pcount,
				      __u64 run_delay_ns)
{
	__u64 rq_ns = run_delay_ns - l->run_delay_ns;

	if (l->open.phase != SS_LEDGER_QUEUE || pcount == l->pcount)
		return;
	ss_ledger_repaired(l, pcount == l->pcount + 1 ? 0 : rq_ns);
	ss_ledger_advance(l, g, l->since_ns + rq_ns);
	ss_ledger_arrive(l, l->since_ns, l->skew_ns);
}

/*
 * While it seemed to run, it was in @phase from @from_ns on for @ns; by what does not fit before
 * @left_ns, the counters disagree with the clock. Returns the end of it.
 */
SS_LEDGER_FUNC __u64 ss_ledger_spend(struct ss_ledger *l, const struct ss_grid *g, __u8 phase,
				     __u64 from_ns, __u64 ns, __u64 left_ns)
{
	__u64 end_ns = from_ns + ns, rest_ns = 0;

	if (end_ns > left_ns) {
		rest_ns = end_ns - left_ns;
		end_ns = left_ns;
	}
	l->open.phase = phase;
	ss_ledger_advance(l, g, end_ns);
	l->open.phase = SS_LEDGER_RUN;
	l->open.ns[phase] += (__s64)rest_ns;
	return end_ns;
}

/*
 * It is in @phase from @s on. Until then it ran for what its runtime counter says, and time was
 * stolen from it; when, nothing tells: it comes after. What neither accounts for is a gap.
 *
 * One that goes to sleep left when its counter came to a stand. The instant of @s is nearly always
 * that; but while the CPU looks for something else to run, the kernel can move that instant on and
 * leave the counter as it was. One that nobody saw get its CPU was queued until its counter began.
 */
SS_LEDGER_FUNC void ss_ledger_leave(struct ss_ledger *l, const struct ss_grid *g,
				    const struct ss_switch *s, __u8 phase)
{
	__u64 run_ns = s->runtime_ns - l->runtime_ns, stolen_ns = s->skew_ns - l->skew_ns;
	__u64 at_ns = l->in_ns, left_ns = s->now_ns > at_ns ? s->now_ns : at_ns;
	__u64 counted_ns = at_ns + run_ns + stolen_ns, window = l->open.window;
	__u64 gap_ns = counted_ns < left_ns ? left_ns - counted_ns : 0;
	/* A switch-out and the next switch-in were missed. */
	int missed = s->pcount > l->pcount + 1;
	int known = s->pcount == l->pcount + 1 && (l->in_unseen || ss_ledger_is_asleep(phase));

	if (missed || (known && gap_ns))
		ss_ledger_repaired(l, gap_ns);
	if (known && !l->in_unseen)
		left_ns -= gap_ns;
	else if (known && gap_ns)
		at_ns = ss_ledger_spend(l, g, SS_LEDGER_QUEUE, at_ns, gap_ns, left_ns);
	at_ns = ss_ledger_spend(l, g, SS_LEDGER_RUN, at_ns, run_ns, left_ns);
	if (stolen_ns)
		at_ns = ss_ledger_spend(l, g, SS_LEDGER_STOLEN, at_ns, stolen_ns, left_ns);
	if (at_ns < left_ns)
		ss_ledger_spend(l, g, SS_LEDGER_UNEXPLAINED, at_ns, left_ns - at_ns, left_ns);
	if (missed && l->open.window != window)
		ss_ledger_repaired(l, gap_ns);
	l->runtime_ns = s->runtime_ns;
}

/**
 * It blocked at @s, but before its CPU had found anything else to run it was woken, by @waker, and
 * went on: there was no switch. When exactly, no event tells, but in the end its runtime counter does.
 */
SS_LEDGER_FUNC void ss_ledger_go_on(struct ss_ledger *l, const struct ss_grid *g,
				    const struct ss_switch *s, __u64 woken_ns, __u8 phase,
				    const struct ss_cause *cause, __u64 waker)
{
	if (l->open.phase != SS_LEDGER_RUN)
		return;
	ss_ledger_leave(l, g, s, phase);
	ss_ledger_begin_wait(l, phase, cause);
	ss_ledger_advance(l, g, woken_ns);
	ss_ledger_end_wait(l, waker);
	ss_ledger_arrive(l, l->since_ns, s->skew_ns);
	l->in_unseen = 1;
	ss_ledger_repaired(l, 0);
}

/**
 * It leaves its CPU, and is in @phase from now on, asleep because of @cause. @voluntary: 0, 1, or
 * -1: no switch, its account ends while it is on a CPU.
 */
SS_LEDGER_FUNC void ss_ledger_switch_out(struct ss_ledger *l, const struct ss_grid *g,
					 const struct ss_switch *s, __u8 phase,
					 const struct ss_cause *cause, int voluntary)
{
	int repaired = l->open.phase != SS_LEDGER_RUN;

	if (repaired) {
		/* Its switch-in was missed; the kernel noted it (sched_info_arrive()). */
		__u64 in_ns = s->last_arrival_ns, rq_ns = s->run_delay_ns - l->run_delay_ns;
		__u64 window = l->open.window, off_ns, bound_ns;

		if (in_ns < l->since_ns || in_ns > s->now_ns)
			in_ns = s->now_ns;
		off_ns = ss_ledger_until(l, in_ns);
		if (rq_ns > off_ns)
			rq_ns = off_ns;
		/* Was it on a CPU once more in between, nothing else tells of that. */
		bound_ns = s->pcount == l->pcount + 1 ? 0 : off_ns;
		ss_ledger_repaired(l, bound_ns);
		if (ss_ledger_is_asleep(l->open.phase)) {
			ss_ledger_advance(l, g, in_ns - rq_ns);
			ss_ledger_end_wait(l, 0);
		}
		ss_ledger_advance(l, g, in_ns);
		ss_ledger_repaired_since(l, window, bound_ns);
		ss_ledger_arrive(l, in_ns, s->skew_ns);
		l->in_unseen = 1;
	}
	ss_ledger_leave(l, g, s, phase);
	l->run_delay_ns = s->run_delay_ns;
	l->pcount = s->pcount;
	if (ss_ledger_is_asleep(phase))
		ss_ledger_begin_wait(l, phase, cause);
	else
		l->open.phase = phase;
	/* The window that the repair began in has been told; this one may be another. */
	if (repaired)
		l->open.flags |= SS_LEDGER_REPAIRED;
	l->open.nvcsw += voluntary > 0;
	l->open.nivcsw += !voluntary;
}

#endif
