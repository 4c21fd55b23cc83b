// SPDX-License-Identifier: GPL-2.0-or-later
#include "account/account.h"

#include <string.h>

#include "account/offcpu.h"

/*
 * Before this or beyond env->lag_max_ns, what a clock offset says of a thread on a CPU is not
 * believed: every scheduler tick brings exec_start up to date, so either the offset is stale, or
 * the virtual CPU was stopped and its thread did not run all that time.
 */
#define LAG_MIN_NS (-1000000)
/* An offset this good makes a part in flight exact for our purpose. */
#define OFFSET_GOOD_NS 20000

/* A sleeper that is not taken off its runqueue by then is the exception. */
#define DEQUEUED_NS (40 * 1000000)

#define UNBOUND_NS (-1)	/* a bound that is not known */

const char *ss_quality_name(enum ss_quality quality)
{
	static const char *const name[SS_QUALITY_COUNT] = {
		[SS_QUALITY_EXACT] = "exact",
		[SS_QUALITY_REPAIRED] = "repaired",
		[SS_QUALITY_SNAPSHOT] = "snapshot",
		[SS_QUALITY_ESTIMATE] = "estimate",
		[SS_QUALITY_COUNTER] = "counter",
		[SS_QUALITY_SAMPLED] = "sampled",
	};

	return (unsigned int)quality < SS_QUALITY_COUNT ? name[quality] : "?";
}

static const struct ss_clock_offset *offset_of(const struct ss_account_env *env,
					       const struct ss_reading *r)
{
	const struct ss_clock_offset *offset;

	if (!have_all(r, SS_HAVE_CPU) || r->cpu < 0 || r->cpu >= env->ncpus)
		return NULL;
	offset = &env->offset[r->cpu];
	return offset->bound_ns < 0 ? NULL : offset;
}

/* When the scheduler last set exec_start, or UNKNOWN_NS. 0 means migrated while queued. */
static int64_t exec_start_mono(const struct ss_reading *r, const struct ss_account_env *env)
{
	const struct ss_clock_offset *offset = offset_of(env, r);

	if (!offset || !have_all(r, SS_HAVE_EXEC_START) || !r->exec_start_ns)
		return UNKNOWN_NS;
	return (int64_t)r->exec_start_ns - offset->task_minus_mono_ns;
}

/*
 * The same of a thread off the CPU: since when. The files are read after the reading's instant, and
 * a switch-out between the two is now for it.
 */
static int64_t switched_out_mono(const struct ss_reading *r, const struct ss_account_env *env)
{
	int64_t start = exec_start_mono(r, env);

	return start > r->mono_ns ? r->mono_ns : start;
}

static int64_t in_flight_distance(const struct ss_reading *r)
{
	return (int64_t)(r->pcount - r->nvcsw - r->nivcsw);
}

/*
 * Learn what pcount - nvcsw - nivcsw is while the thread is off the CPU. It is off when its state
 * says so (the smallest value counts: a thread can be about to sleep and still run), and on when it
 * ran since the last reading without any switch.
 */
static void learn_base(struct ss_account *a, const struct ss_reading *r)
{
	int64_t distance = in_flight_distance(r);

	if (r->state != SS_STATE_RUNNABLE) {
		/* More than one ahead: what was learned was of two instants. */
		if (!a->base_known || distance < a->base || distance > a->base + 1)
			a->base = distance;
		a->base_known = true;
	} else if (!a->base_known && a->open &&
		   both_have(a, r, SS_HAVE_PCOUNT | SS_HAVE_SWITCHES | SS_HAVE_RUN) &&
		   a->prev.pcount == r->pcount && a->prev.run_ns < r->run_ns &&
		   in_flight_distance(&a->prev) == distance) {
		a->base = distance - 1;
		a->base_known = true;
	}
}

/*
 * For how long it has been queued: what is left of the window besides what it ran, queued before
 * and slept by the kernel's sum, which a wakeup brings up to date. Negative when that is not known.
 */
static int64_t queued_by_sums(const struct ss_account *a, const struct ss_reading *r,
			      const struct view *v)
{
	int64_t slept_ns = (int64_t)(r->slept_ns - a->prev.slept_ns);

	if (!a->open || !both_have(a, r, SS_HAVE_SLEPT | SS_HAVE_RUN | SS_HAVE_RQ) ||
	    a->phase == SS_PHASE_UNKNOWN || a->phase == SS_PHASE_STOP)
		return -1;
	if (is_asleep(a->phase) && a->since_ns == UNKNOWN_NS)
		return -1;
	if (is_asleep(a->phase))
		slept_ns -= a->prev.mono_ns - a->since_ns;
	return r->mono_ns - a->prev.mono_ns - (v->run_ns - a->run_total_ns) -
	       (v->rq_ns - a->rq_total_ns) - slept_ns;
}

/*
 * Queued: since when? Exact after a preemption; after a sleep the wakeup is not recorded, and sums
 * only tell it as well as all of them go together.
 */
static void view_queued(const struct ss_account *a, const struct ss_reading *r,
			const struct ss_account_env *env, struct view *v)
{
	int64_t earliest = switched_out_mono(r, env);

	v->phase = SS_PHASE_QUEUE;
	if (a->open && a->phase == SS_PHASE_QUEUE && a->since_ns != UNKNOWN_NS &&
	    not_switched_in(a, r)) {
		/* Migrated meanwhile: the wait so far is in the sum already (sched_info_dequeue()). */
		v->since_ns = a->since_ns + (int64_t)(r->rq_ns - a->prev.rq_ns);
		v->carry_ns = a->bound_ns;
	} else if (a->open && earliest != UNKNOWN_NS && both_have(a, r, SS_HAVE_SWITCHES) &&
		   a->prev.nvcsw == r->nvcsw && a->prev.nivcsw != r->nivcsw) {
		v->since_ns = earliest;
	} else {
		/* Woken at some instant since it was last seen off the queue, or last ran. */
		v->since_ns = r->mono_ns;
		if (a->open)
			earliest = max_s64(earliest, a->prev.mono_ns);
		v->carry_ns = earliest == UNKNOWN_NS ? UNBOUND_NS : r->mono_ns - earliest;
		if (a->open) {
			int64_t queued_ns = queued_by_sums(a, r, v);

			v->bound_ns = add_bounds(v->bound_ns, v->carry_ns);
			if (queued_ns > 0 && queued_ns <= v->carry_ns)
				v->since_ns -= queued_ns;
		}
	}
	v->rq_ns += r->mono_ns - v->since_ns;
}

static void view_running(const struct ss_reading *r, const struct ss_account_env *env,
			 struct view *v)
{
	int64_t start = exec_start_mono(r, env);
	/* UNKNOWN_NS is too far away to be subtracted. */
	int64_t lag = start == UNKNOWN_NS ? INT64_MAX : r->mono_ns - start;

	v->phase = SS_PHASE_RUN;
	if (lag < LAG_MIN_NS || lag > env->lag_max_ns) {
		v->run_exact = false;
		return;
	}
	if (r->state != SS_STATE_RUNNABLE) {
		/*
		 * About to sleep, or charged for the last time and on its way out: __schedule() counts the
		 * switch only after it found what to run next. Nothing tells the two apart.
		 */
		v->carry_ns = max_s64(lag, 0);
		v->bound_ns += v->carry_ns;
		return;
	}
	v->run_ns += lag;
	if (offset_of(env, r)->bound_ns > OFFSET_GOOD_NS)
		v->bound_ns += offset_of(env, r)->bound_ns;
}

/* Understand a reading in the light of the one before. */
static struct view view_of(struct ss_account *a, const struct ss_reading *r,
			   const struct ss_account_env *env)
{
	static const enum ss_phase phase_of_state[] = {
		[SS_STATE_SLEEP] = SS_PHASE_SLEEP,
		[SS_STATE_BLOCK] = SS_PHASE_BLOCK,
		[SS_STATE_STOP] = SS_PHASE_STOP,
	};
	struct view v = {
		.phase = SS_PHASE_UNKNOWN,
		.since_ns = UNKNOWN_NS,
		.run_ns = (int64_t)r->run_ns,
		.rq_ns = (int64_t)r->rq_ns,
		.run_exact = true,
	};
	bool on_cpu;

	if (!have_all(r, SS_HAVE_STATE)) {
		v.run_exact = false;
		return v;
	}
	if (have_all(r, SS_HAVE_PLACE)) {
		v.phase = r->phase;
		v.since_ns = r->since_ns;
		v.bound_ns = r->bound_ns;
		return v;
	}
	if (r->state == SS_STATE_DEAD) {
		v.since_ns = exec_start_mono(r, env);
		return v;
	}
	if (!have_all(r, SS_HAVE_PCOUNT | SS_HAVE_SWITCHES)) {
		/* On a CPU or not cannot be told apart, and neither can the part in flight. */
		if (r->state != SS_STATE_RUNNABLE)
			v.phase = phase_of_state[r->state];
		else
			v.run_exact = false;
		return v;
	}
	/* Files of different instants would teach a wrong distance. */
	if (!r->torn_ns)
		learn_base(a, r);
	on_cpu = in_flight_distance(r) == a->base + 1;
	if (on_cpu) {
		view_running(r, env, &v);
	} else if (r->state == SS_STATE_RUNNABLE) {
		view_queued(a, r, env, &v);
	} else {
		v.phase = phase_of_state[r->state];
		v.since_ns = switched_out_mono(r, env);
		if (v.since_ns == UNKNOWN_NS && a->open && a->phase == v.phase && not_switched_in(a, r))
			v.since_ns = a->since_ns;
	}
	return v;
}

/*
 * The totals never go back: where the part in flight was taken for too much, later windows get less
 * until the kernel's counters have caught up.
 */
static void hold_totals(const struct ss_account *a, struct view *v)
{
	int64_t behind = add_bounds(max_s64(a->run_total_ns - v->run_ns, 0),
				    max_s64(a->rq_total_ns - v->rq_ns, 0));

	v->run_ns = max_s64(a->run_total_ns, v->run_ns);
	v->rq_ns = max_s64(a->rq_total_ns, v->rq_ns);
	v->bound_ns = add_bounds(v->bound_ns, behind);
	if (v->carry_ns != UNBOUND_NS)
		v->carry_ns = add_bounds(v->carry_ns, behind);
}

static void keep(struct ss_account *a, const struct ss_reading *r, const struct view *v,
		 const struct window *w)
{
	a->looked = have_all(r, SS_HAVE_EXEC_START) || not_switched_in(a, r);
	a->looked_ns = r->mono_ns;
	a->moved_asleep = ss_account_moved_asleep(r) || (a->moved_asleep && not_switched_in(a, r));
	a->prev = *r;
	a->prev.blkio_ns -= (uint64_t)w->io_ahead_ns;
	a->in_flight_is_io = w->in_flight_is_io;
	a->phase = v->phase;
	a->since_ns = v->since_ns;
	a->run_total_ns = v->run_ns;
	a->rq_total_ns = v->rq_ns;
	a->run_exact = v->run_exact;
	a->bound_ns = v->carry_ns;
	a->open = true;
}

void ss_account_open(struct ss_account *a, const struct ss_reading *first,
		     const struct ss_account_env *env)
{
	const struct window w = { .in_flight_is_io = true };
	struct view v;

	memset(a, 0, sizeof(*a));
	v = view_of(a, first, env);
	keep(a, first, &v, &w);
}

void ss_account_open_at_birth(struct ss_account *a, int64_t birth_mono_ns, int64_t bound_ns)
{
	memset(a, 0, sizeof(*a));
	a->bound_ns = bound_ns;
	a->prev.mono_ns = birth_mono_ns;
	a->prev.have = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES | SS_HAVE_STATE;
	a->prev.state = SS_STATE_RUNNABLE;
	a->phase = SS_PHASE_QUEUE;
	a->since_ns = birth_mono_ns;
	a->run_exact = true;
	a->open = true;
}

/*
 * It can still be moved while it sleeps, or have been since it was looked at. What tells lasts until
 * it runs, so the later it is looked at the better, and when that will be is not known: each time
 * that it has slept twice as long.
 */
static bool must_look(const struct ss_account *a, int64_t mono_ns)
{
	int64_t age_ns;

	if (!is_asleep(a->phase) || a->moved_asleep || have_all(&a->prev, SS_HAVE_PLACE))
		return false;
	if (!a->looked)
		return true;
	if (!(a->prev.flags & SS_READING_FAIR) || a->since_ns == UNKNOWN_NS)
		return false;
	age_ns = a->looked_ns - a->since_ns;
	return age_ns < DEQUEUED_NS && mono_ns - a->looked_ns >= age_ns;
}

bool ss_account_is_idle(const struct ss_account *a, const struct ss_reading *c)
{
	const uint32_t bits = SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT;

	return a->open && (is_asleep(a->phase) || a->phase == SS_PHASE_QUEUE) &&
	       !must_look(a, c->mono_ns) &&
	       both_have(a, c, bits) && a->prev.pcount == c->pcount &&
	       a->prev.run_ns == c->run_ns && a->prev.rq_ns == c->rq_ns;
}

bool ss_account_needs_no_more(const struct ss_account *a, const struct ss_reading *r)
{
	return a->open && a->phase == SS_PHASE_SLEEP && r->state == SS_STATE_SLEEP &&
	       (a->looked || !not_switched_in(a, r)) &&
	       have_all(r, SS_HAVE_RUN | SS_HAVE_RQ | SS_HAVE_PCOUNT | SS_HAVE_SWITCHES |
			SS_HAVE_STATE) &&
	       !(a->prev.have & (SS_HAVE_SCHEDSTATS | SS_HAVE_BLKIO)) && a->base_known &&
	       in_flight_distance(r) == a->base;
}

bool ss_account_must_confirm(const struct ss_account *a, const struct ss_reading *r)
{
	int64_t ahead;

	if (!have_all(r, SS_HAVE_PCOUNT | SS_HAVE_SWITCHES))
		return false;
	ahead = in_flight_distance(r) - a->base;
	return !a->base_known || ahead < 0 || ahead > 1;
}

bool ss_account_moved_asleep(const struct ss_reading *r)
{
	return have_all(r, SS_HAVE_STATE | SS_HAVE_EXEC_START) && !r->exec_start_ns &&
	       (r->flags & SS_READING_FAIR) && r->state != SS_STATE_RUNNABLE &&
	       r->state != SS_STATE_DEAD;
}

bool ss_account_agrees(const struct ss_account *a, const struct ss_reading *counters,
		       const struct ss_reading *now)
{
	if (!have_all(now, SS_HAVE_PCOUNT | SS_HAVE_SWITCHES))
		return true;
	return counters->run_ns == now->run_ns ||
	       (a->base_known && in_flight_distance(now) == a->base + 1);
}

static bool went_backwards(const struct ss_account *a, const struct ss_reading *r)
{
	const struct ss_reading *p = &a->prev;

	return (both_have(a, r, SS_HAVE_RUN) && r->run_ns < p->run_ns) ||
	       (both_have(a, r, SS_HAVE_RQ) && r->rq_ns < p->rq_ns) ||
	       (both_have(a, r, SS_HAVE_PCOUNT) && r->pcount < p->pcount) ||
	       (both_have(a, r, SS_HAVE_SWITCHES) &&
		(r->nvcsw < p->nvcsw || r->nivcsw < p->nivcsw)) ||
	       (both_have(a, r, SS_HAVE_SCHEDSTATS) &&
		(r->sleep_ns < p->sleep_ns || r->block_ns < p->block_ns ||
		 r->iowait_ns < p->iowait_ns)) ||
	       (both_have(a, r, SS_HAVE_BLKIO) && r->blkio_ns < p->blkio_ns);
}

/* What was not explained, after every part that came out negative has been made zero. */
static void settle(struct ss_parts *out)
{
	int64_t *part[] = { &out->run_ns, &out->rq_ns, &out->sleep_ns,
			    &out->block_ns, &out->iowait_ns, &out->stop_ns };
	size_t i;

	out->residual_ns = out->wall_ns;
	for (i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		*part[i] = max_s64(*part[i], 0);
		out->residual_ns -= *part[i];
	}
}

static void put_context(struct ss_parts *out, const struct ss_account *a,
			const struct ss_reading *now)
{
	if (both_have(a, now, SS_HAVE_SWITCHES)) {
		out->nvcsw = (int64_t)(now->nvcsw - a->prev.nvcsw);
		out->nivcsw = (int64_t)(now->nivcsw - a->prev.nivcsw);
		out->have |= SS_PART_SWITCHES;
	}
	if (have_all(now, SS_HAVE_CPU)) {
		out->cpu = now->cpu;
		out->have |= SS_PART_CPU;
	}
}

/* Nothing but the wall time is known. */
static void close_unknown(struct ss_parts *out)
{
	out->quality = SS_QUALITY_COUNTER;
	out->residual_ns = out->wall_ns;
}

/* The thread was not switched in: it spent the window where it was. */
static void close_idle(struct ss_account *a, int64_t mono_ns, int64_t quiet_ns,
		       struct ss_parts *out)
{
	struct window w = { .out = out, .off_ns = out->wall_ns };
	int64_t begin_ns = a->prev.mono_ns;

	/* All that a full reading would say is what the last one said. */
	a->prev.mono_ns = mono_ns;
	out->have |= SS_PART_RUN | SS_PART_RQ | SS_PART_SLEEP | SS_PART_BLOCK | SS_PART_IOWAIT |
		     SS_PART_STOP;
	put_context(out, a, &a->prev);
	if (a->phase == SS_PHASE_QUEUE) {
		out->rq_ns = out->wall_ns;
		a->rq_total_ns += out->wall_ns;
	} else {
		/* It can have been woken and not yet switched in: only seen when it runs. */
		a->bound_ns = mono_ns - max_s64(begin_ns, quiet_ns);
		if (a->bound_ns)
			infer(out, a->bound_ns);
		if (a->phase == SS_PHASE_BLOCK && have_all(&a->prev, SS_HAVE_BLKIO) &&
		    a->in_flight_is_io)
			out->iowait_ns = out->wall_ns;
		else
			give(&w, a->phase, out->wall_ns);
		if (a->phase == SS_PHASE_BLOCK && !(a->prev.have & (SS_HAVE_BLKIO | SS_HAVE_PLACE)))
			out->have &= ~(uint32_t)SS_PART_IOWAIT;
	}
	out->residual_ns = 0;
}

/*
 * Close the window up to @now, where the thread was as @v says. Missing parts stay missing: what
 * cannot be split is residual. Returns the window for what the next one must know of it.
 */
static struct window close_window(const struct ss_account *a, const struct ss_reading *now,
				  const struct view *v, struct ss_parts *out)
{
	struct window w = { .out = out, .in_flight_is_io = ss_offcpu_presumes_io(a, now) };

	if (!both_have(a, now, SS_HAVE_RUN)) {
		close_unknown(out);
		return w;
	}
	out->have |= SS_PART_RUN | SS_PART_SLEEP;
	out->run_ns = v->run_ns - a->run_total_ns;
	if (both_have(a, now, SS_HAVE_RQ)) {
		w.rq_unknown = a->moved_asleep && !not_switched_in(a, now);
		if (!w.rq_unknown)
			out->rq_ns = v->rq_ns - a->rq_total_ns;
		out->have |= SS_PART_RQ;
	}
	w.off_ns = out->wall_ns - out->run_ns - out->rq_ns;
	if (!a->run_exact || !v->run_exact)
		worse(out, SS_QUALITY_COUNTER);
	if (v->bound_ns)
		infer(out, v->bound_ns);
	if (now->torn_ns)
		infer(out, now->torn_ns);
	/* Still queued since then: the window in which that wait ends will be wrong, not this one. */
	if (a->bound_ns == UNBOUND_NS)
		worse(out, SS_QUALITY_COUNTER);
	else if (a->bound_ns && v->carry_ns != a->bound_ns)
		infer(out, a->bound_ns);

	ss_offcpu_split(&w, a, now, v);
	if (w.rq_unknown && w.off_ns > 0) {
		infer_whole(out, w.off_ns);
		out->rq_ns = w.off_ns;
	}

	/* Without a kernel's sum, kinds that were not seen are unknown unless all was explained. */
	if (w.determined || out->block_ns)
		out->have |= SS_PART_BLOCK;
	if (w.determined || out->stop_ns)
		out->have |= SS_PART_STOP;
	if ((w.determined && (!out->block_ns || have_all(now, SS_HAVE_PLACE))) || out->iowait_ns)
		out->have |= SS_PART_IOWAIT;
	put_context(out, a, now);
	settle(out);
	return w;
}

static void begin_parts(struct ss_parts *out, int64_t wall_ns)
{
	memset(out, 0, sizeof(*out));
	out->wall_ns = wall_ns;
	out->quality = SS_QUALITY_SNAPSHOT;
}

void ss_account_close(struct ss_account *a, const struct ss_reading *now,
		      const struct ss_account_env *env, struct ss_parts *out)
{
	struct window w;
	struct view v;

	begin_parts(out, now->mono_ns - a->prev.mono_ns);
	if (!have_all(now, SS_HAVE_STATE) && ss_account_is_idle(a, now)) {
		if (have_all(now, SS_HAVE_BLKIO)) {
			a->prev.blkio_ns = now->blkio_ns;
			a->prev.have |= SS_HAVE_BLKIO;
		}
		close_idle(a, now->mono_ns, have_all(now, SS_HAVE_QUIET) ? now->quiet_ns : INT64_MIN,
			   out);
		return;
	}
	if (went_backwards(a, now)) {
		close_unknown(out);
		out->restarted = true;
		ss_account_open(a, now, env);
		return;
	}
	v = view_of(a, now, env);
	hold_totals(a, &v);
	w = close_window(a, now, &v, out);
	ss_offcpu_learn_io(a, now, v.phase);
	keep(a, now, &v, &w);
}

bool ss_account_stays_asleep(const struct ss_account *a, int64_t since_ns, int64_t mono_ns)
{
	return a->open && is_asleep(a->phase) && a->prev.mono_ns >= since_ns &&
	       !must_look(a, mono_ns);
}

void ss_account_close_asleep(struct ss_account *a, int64_t mono_ns, int64_t quiet_ns,
			     struct ss_parts *out)
{
	begin_parts(out, mono_ns - a->prev.mono_ns);
	close_idle(a, mono_ns, quiet_ns, out);
}

/*
 * A thread runs while it ends, so when it cannot have slept since the last reading, all that it did
 * not wait for a CPU it ran; the record's own runtime is behind by up to a scheduler tick.
 */
static bool deduce_run(const struct ss_account *a, const struct ss_reading *final,
		       const struct ss_account_env *env, struct view *v, int64_t end_mono_ns)
{
	int64_t behind = end_mono_ns - a->prev.mono_ns - (v->run_ns - a->run_total_ns) -
			 (v->rq_ns - a->rq_total_ns);

	v->phase = SS_PHASE_RUN;
	v->run_exact = false;
	if (!both_have(a, final, SS_HAVE_RQ) || !a->run_exact || behind < 0 ||
	    behind > 2 * env->tick_ns || ss_offcpu_sleeps(a, final, SS_PHASE_RUN))
		return false;
	v->run_ns += behind;
	v->run_exact = true;
	v->bound_ns = behind;
	return true;
}

void ss_account_close_exit(struct ss_account *a, const struct ss_reading *final,
			   int64_t end_mono_ns, bool end_is_bound,
			   const struct ss_account_env *env, struct ss_parts *out)
{
	struct ss_reading last;
	struct view v;

	/* What was read after its end was of another thread, which has its number. */
	if (end_mono_ns < a->prev.mono_ns)
		final = NULL;
	end_mono_ns = max_s64(end_mono_ns, a->prev.mono_ns);
	begin_parts(out, end_mono_ns - a->prev.mono_ns);
	if (!final || !a->open || went_backwards(a, final)) {
		close_unknown(out);
		if (end_is_bound)
			infer(out, out->wall_ns);
		return;
	}
	last = *final;
	v = view_of(a, &last, env);
	hold_totals(a, &v);
	if (have_all(&last, SS_HAVE_STATE) && last.state == SS_STATE_DEAD) {
		/* Its last switch-out is the end, to the nanosecond. */
		if (v.since_ns != UNKNOWN_NS && v.since_ns >= a->prev.mono_ns &&
		    v.since_ns <= end_mono_ns) {
			out->wall_ns = v.since_ns - a->prev.mono_ns;
			end_is_bound = false;
		}
	} else if (!deduce_run(a, &last, env, &v, end_mono_ns) && last.mono_ns) {
		/* It can have queued for long between its record and its end: that is residual. */
		deduce_run(a, &last, env, &v, last.mono_ns);
	}
	last.mono_ns = a->prev.mono_ns + out->wall_ns;
	close_window(a, &last, &v, out);
	if (end_is_bound)
		infer(out, out->wall_ns);
}
