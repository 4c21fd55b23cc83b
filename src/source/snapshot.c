// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/snapshot.h"

#include <string.h>

/* task_struct.__state; in kernel/sched since when each value has been that. */
#define TASK_INTERRUPTIBLE	0x0001
#define TASK_STOPPED_OR_TRACED	(0x0004 | 0x0008)
#define TASK_PARKED		0x0040
#define TASK_DEAD		0x0080
#define TASK_WAKING		0x0200
#define TASK_NOLOAD		0x0400
#define TASK_NEW		0x0800

static const uint8_t state_of_phase[] = {
	[SS_PHASE_UNKNOWN] = SS_STATE_DEAD,
	[SS_PHASE_RUN] = SS_STATE_RUNNABLE,
	[SS_PHASE_QUEUE] = SS_STATE_RUNNABLE,
	[SS_PHASE_SLEEP] = SS_STATE_SLEEP,
	[SS_PHASE_BLOCK] = SS_STATE_BLOCK,
	[SS_PHASE_STOP] = SS_STATE_STOP,
	[SS_PHASE_IOWAIT] = SS_STATE_BLOCK,
};

static bool is_asleep(enum ss_phase phase)
{
	return state_of_phase[phase] != SS_STATE_RUNNABLE && phase != SS_PHASE_UNKNOWN;
}

/*
 * A CPU that finds nothing else to run still has the thread that went to sleep as its current one
 * for a while: what counts is that it has left the runqueue.
 */
static enum ss_phase phase_of(const struct ss_snapshot *s)
{
	if (s->flags & SS_SNAPSHOT_QUEUED)
		return s->flags & SS_SNAPSHOT_CURRENT ? SS_PHASE_RUN : SS_PHASE_QUEUE;
	if (s->flags & SS_SNAPSHOT_DEAD || s->state & TASK_DEAD)
		return SS_PHASE_UNKNOWN;
	if (!s->state || s->state & (TASK_WAKING | TASK_NEW))
		return SS_PHASE_QUEUE;
	if (s->state & TASK_STOPPED_OR_TRACED)
		return SS_PHASE_STOP;
	if (s->state & (TASK_INTERRUPTIBLE | TASK_NOLOAD | TASK_PARKED))
		return SS_PHASE_SLEEP;
	return s->flags & SS_SNAPSHOT_IOWAIT ? SS_PHASE_IOWAIT : SS_PHASE_BLOCK;
}

static int64_t not_negative(int64_t ns)
{
	return ns > 0 ? ns : 0;
}

/* All of the runqueue's clock that has passed and it does not show yet: @ahead_ns. */
static void put_run(const struct ss_snapshot *s, const struct ss_snapshot_clock *clock,
		    int64_t ahead_ns, struct ss_reading *r)
{
	r->run_ns = s->runtime_ns;
	if (r->phase != SS_PHASE_RUN)
		return;
	if (ahead_ns > clock->lag_max_ns) {
		/* Its virtual CPU stands still, or has another clock. */
		r->bound_ns += ahead_ns;
		ahead_ns = 0;
	}
	r->run_ns += (uint64_t)not_negative((int64_t)(s->clock_task_ns - s->exec_start_ns) +
					    ahead_ns);
}

/* What of run_delay and of the wait in flight was sleep, as far as that was seen. */
static int64_t slept(const struct ss_snapshot *s, struct ss_snapshot_sleep *sleep, int64_t now_ns,
		     struct ss_reading *r)
{
	if (sleep->last_queued_ns) {
		/* It was woken at some instant since it was last seen asleep. */
		if (!is_asleep(r->phase) || sleep->last_queued_ns != s->last_queued_ns)
			r->bound_ns += r->mono_ns - sleep->seen_mono_ns;
		if (sleep->last_queued_ns != s->last_queued_ns) {
			sleep->counted_ns += sleep->slept_ns;
			sleep->last_queued_ns = 0;
			sleep->slept_ns = 0;
		}
	}
	if (is_asleep(r->phase) && s->last_queued_ns) {
		sleep->last_queued_ns = s->last_queued_ns;
		sleep->slept_ns = not_negative(now_ns - (int64_t)s->last_queued_ns);
		sleep->seen_mono_ns = r->mono_ns;
	}
	return sleep->counted_ns + (is_asleep(r->phase) ? 0 : sleep->slept_ns);
}

static void put_rq(const struct ss_snapshot *s, struct ss_snapshot_sleep *sleep, int64_t now_ns,
		   struct ss_reading *r)
{
	int64_t rq_ns = (int64_t)s->run_delay_ns - slept(s, sleep, now_ns, r);

	/* Just switched in, and not yet counted: the wait ended at what the clock shows. */
	if (r->phase == SS_PHASE_RUN && s->last_queued_ns)
		rq_ns += not_negative((int64_t)(s->clock_ns - s->last_queued_ns));
	else if (r->phase == SS_PHASE_QUEUE && s->last_queued_ns)
		rq_ns += not_negative(now_ns - (int64_t)s->last_queued_ns);
	r->rq_ns = (uint64_t)not_negative(rq_ns);
}

static int64_t since(const struct ss_snapshot *s, const struct ss_snapshot_clock *clock,
		     const struct ss_snapshot_sleep *sleep, const struct ss_reading *r)
{
	/* Interrupts and the hypervisor hold the one clock back and not the other. */
	int64_t skew_ns = (int64_t)(s->clock_ns - s->clock_task_ns), rq_ns;

	if (r->phase == SS_PHASE_QUEUE && sleep->last_queued_ns)
		return sleep->seen_mono_ns;
	if (r->phase == SS_PHASE_RUN)
		rq_ns = (int64_t)s->last_arrival_ns;
	else if (r->phase == SS_PHASE_QUEUE)
		rq_ns = (int64_t)s->last_queued_ns;
	else
		rq_ns = s->exec_start_ns ? (int64_t)s->exec_start_ns + skew_ns : 0;
	if (!rq_ns)	/* 0: moved to another runqueue since */
		return r->phase == SS_PHASE_QUEUE ? r->mono_ns : INT64_MIN;
	rq_ns -= clock->mono_to_rq_ns;
	return rq_ns < r->mono_ns ? rq_ns : r->mono_ns;
}

/* A part in flight that was too long for once, or a switch that was taken back, shows here. */
static void keep_order(uint64_t *counter, uint64_t before, int64_t *bound_ns)
{
	if (*counter >= before)
		return;
	if (bound_ns)
		*bound_ns += (int64_t)(before - *counter);
	*counter = before;
}

bool ss_snapshot_read(const struct ss_snapshot *s, const struct ss_snapshot_clock *clock,
		      struct ss_snapshot_sleep *sleep, const struct ss_reading *prev,
		      struct ss_reading *r)
{
	int64_t now_ns = (int64_t)s->mono_ns + clock->mono_to_rq_ns, ahead_ns;

	if (s->flags & SS_SNAPSHOT_TORN)
		return false;
	/* An offset that is a little wrong must not make it earlier than what was seen. */
	ahead_ns = not_negative(now_ns - (int64_t)s->clock_ns);
	memset(r, 0, sizeof(*r));
	r->have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES | SS_HAVE_STATE |
		  SS_HAVE_CPU | SS_HAVE_PLACE;
	r->mono_ns = (int64_t)s->mono_ns;
	r->phase = (uint8_t)phase_of(s);
	r->state = state_of_phase[r->phase];
	r->cpu = s->cpu;
	r->pcount = s->pcount;
	/* Not yet switched out, and the switch not yet counted. */
	r->nvcsw = s->nvcsw + (is_asleep(r->phase) && s->flags & SS_SNAPSHOT_CURRENT ? 1 : 0);
	r->nivcsw = s->nivcsw;
	put_run(s, clock, ahead_ns, r);
	put_rq(s, sleep, now_ns, r);
	r->since_ns = since(s, clock, sleep, r);
	if (prev) {
		keep_order(&r->run_ns, prev->run_ns, &r->bound_ns);
		keep_order(&r->rq_ns, prev->rq_ns, &r->bound_ns);
		keep_order(&r->nvcsw, prev->nvcsw, NULL);
	}
	return true;
}

bool ss_snapshot_may_sleep_on(const struct ss_snapshot *s, const struct ss_reading *r)
{
	/* One that is still on its runqueue can be stamped as queued. */
	return is_asleep(r->phase) && !s->last_queued_ns &&
	       !(s->flags & (SS_SNAPSHOT_CURRENT | SS_SNAPSHOT_DELAYED));
}
