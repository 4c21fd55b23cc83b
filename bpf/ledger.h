/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * The account of one thread from its scheduler events. Compiled for the kernel (ledger.bpf.c), for
 * user space (src/source/bpf.c), which closes with it the windows of threads that had no event, and
 * for the unit tests.
 *
 * All instants are of the scheduler's own clock (rq->clock), in nanoseconds. Each part comes from
 * its own events: run from the thread's runtime counter, rq, sleep, block, iowait and stop from the
 * instants at which they began and ended. Nothing is what the others leave, so that what does not
 * add up to the wall time shows.
 *
 * The includer defines ss_ledger_emit().
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

/* Between an instant that the runtime counter gives and the switch itself. */
#define SS_LEDGER_SAME_NS 1000

/* What is read of a thread at a switch. */
struct ss_switch {
	__u64 now_ns;		/* rq->clock */
	__u64 skew_ns;		/* rq->clock - rq->clock_task */
	__u64 runtime_ns;	/* se.sum_exec_runtime */
	__u64 last_arrival_ns;	/* sched_info: its last switch-in, rq->clock of that CPU */
	__u64 last_queued_ns;	/* sched_info: queued since, 0 when it is not */
	__u64 run_delay_ns;	/* sched_info: completed runqueue waits */
	__u64 pcount;		/* sched_info: switch-ins; at a switch-in without this one */
};

/** What to do with a closed window; defined by the includer. */
SS_LEDGER_FUNC void ss_ledger_emit(struct ss_ledger *l, const struct ss_closed *closed);

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

	if (now_ns <= l->since_ns)
		return;
	if (now_ns >= end_ns) {
		if (end_ns > l->since_ns)
			open->ns[part] += (__s64)(end_ns - l->since_ns);
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
	l->since_ns = now_ns;
}

SS_LEDGER_FUNC int ss_ledger_is_asleep(__u8 phase)
{
	return phase >= SS_LEDGER_SLEEP && phase <= SS_LEDGER_STOP;
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

/** It was woken: queued from now on. Nothing when it is queued or on a CPU, as some wakeups find it. */
SS_LEDGER_FUNC void ss_ledger_wakeup(struct ss_ledger *l, const struct ss_grid *g, __u64 now_ns)
{
	if (!ss_ledger_is_asleep(l->open.phase))
		return;
	ss_ledger_advance(l, g, now_ns);
	l->open.phase = SS_LEDGER_QUEUE;
}

SS_LEDGER_FUNC void ss_ledger_arrive(struct ss_ledger *l, __u64 now_ns, __u64 skew_ns)
{
	l->open.phase = SS_LEDGER_RUN;
	l->in_ns = now_ns;
	l->skew_ns = skew_ns;
}

/** It gets a CPU. */
SS_LEDGER_FUNC void ss_ledger_switch_in(struct ss_ledger *l, const struct ss_grid *g,
					const struct ss_switch *s, __s32 cpu)
{
	__u64 queued_ns = s->last_queued_ns, unknown_ns = 0, window = 0;
	int repaired = 0;

	if (l->open.phase == SS_LEDGER_RUN) {
		/* Its switch-out was missed: it ran as its counter says, then it was off the CPU. */
		__u64 off_ns = l->in_ns + (s->runtime_ns - l->runtime_ns);

		if (off_ns < l->since_ns || off_ns > s->now_ns)
			off_ns = l->since_ns;
		ss_ledger_advance(l, g, off_ns);
		l->open.phase = SS_LEDGER_SLEEP;
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
		}
		repaired = 1;
		window = l->open.window;
		ss_ledger_repaired(l, unknown_ns);
		ss_ledger_advance(l, g, queued_ns);
		l->open.phase = SS_LEDGER_QUEUE;
	}
	ss_ledger_advance(l, g, s->now_ns);
	if (repaired)
		ss_ledger_repaired_since(l, window, unknown_ns);
	ss_ledger_arrive(l, s->now_ns, s->skew_ns);
	l->runtime_ns = s->runtime_ns;
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

/** It leaves its CPU, and is in @phase from now on. */
SS_LEDGER_FUNC void ss_ledger_switch_out(struct ss_ledger *l, const struct ss_grid *g,
					 const struct ss_switch *s, __u8 phase, int voluntary)
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
			l->open.phase = SS_LEDGER_QUEUE;
		}
		ss_ledger_advance(l, g, in_ns);
		ss_ledger_repaired_since(l, window, bound_ns);
		ss_ledger_arrive(l, in_ns, s->skew_ns);
	}
	ss_ledger_advance(l, g, s->now_ns);
	/* Windows that closed meanwhile took their run from the clock; this one is what is left of it. */
	l->open.ns[SS_LEDGER_RUN] += (__s64)(s->runtime_ns - l->runtime_ns) -
				     (__s64)(s->now_ns - l->in_ns);
	l->open.ns[SS_LEDGER_STOLEN] += (__s64)(s->skew_ns - l->skew_ns);
	l->runtime_ns = s->runtime_ns;
	l->run_delay_ns = s->run_delay_ns;
	l->pcount = s->pcount;
	l->open.phase = phase;
	/* The window that the repair began in has been told; this one may be another. */
	if (repaired)
		l->open.flags |= SS_LEDGER_REPAIRED;
	if (voluntary)
		l->open.nvcsw++;
	else
		l->open.nivcsw++;
}

#endif
