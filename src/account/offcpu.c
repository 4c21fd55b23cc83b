// SPDX-License-Identifier: GPL-2.0-or-later
#include "account/offcpu.h"

int64_t ss_offcpu_sleeps(const struct ss_account *a, const struct ss_reading *now,
			 enum ss_phase phase)
{
	int64_t n;

	if (!both_have(a, now, SS_HAVE_SWITCHES) || a->phase == SS_PHASE_UNKNOWN)
		return INT64_MAX;
	n = (int64_t)(now->nvcsw - a->prev.nvcsw) + is_asleep(a->phase) - is_asleep(phase);
	/* The last switch of a dead thread is voluntary and no sleep (do_task_dead()). */
	if (have_all(now, SS_HAVE_STATE) && now->state == SS_STATE_DEAD && n > 0)
		n--;
	return n;
}

/*
 * The last window gave sleep what was a wait for a CPU already, or missed a part in flight; this
 * one has it in its sums. So much less is left here for the sleep at the end.
 */
static int64_t less_the_carry(const struct window *w, const struct ss_account *a, int64_t sleep_ns)
{
	int64_t lack_ns = sleep_ns - max_s64(w->off_ns, 0);

	if (lack_ns <= 0)
		return sleep_ns;
	return a->bound_ns >= 0 && a->bound_ns < lack_ns ? sleep_ns - a->bound_ns :
							   sleep_ns - lack_ns;
}

/* Length of the sleep that the thread is in at the end, as far as it lies in the window. */
static int64_t last_sleep_ns(const struct ss_account *a, const struct ss_reading *now,
			     const struct view *v)
{
	if (!is_asleep(v->phase))
		return 0;
	if (is_asleep(a->phase) && not_switched_in(a, now))
		return now->mono_ns - a->prev.mono_ns;
	if (v->since_ns == UNKNOWN_NS)
		return 0;
	return now->mono_ns - max_s64(v->since_ns, a->prev.mono_ns);
}

static int64_t block_in_flight_ns(int64_t mono_ns, enum ss_phase phase, int64_t since_ns)
{
	if (phase != SS_PHASE_BLOCK || since_ns == UNKNOWN_NS)
		return 0;
	return mono_ns - since_ns;
}

/* Still in the wait for a device that the last window saw in flight. */
static bool same_wait(const struct ss_account *a, const struct ss_reading *now)
{
	return a->phase == SS_PHASE_BLOCK && now->state == SS_STATE_BLOCK && not_switched_in(a, now);
}

bool ss_offcpu_presumes_io(const struct ss_account *a, const struct ss_reading *now)
{
	return same_wait(a, now) ? a->in_flight_is_io : a->io_tally_ns >= 0;
}

void ss_offcpu_learn_io(struct ss_account *a, const struct ss_reading *now, enum ss_phase phase)
{
	if (!both_have(a, now, SS_HAVE_BLKIO))
		return;
	/* The state at the end is as likely as its share of the time; half of that is the limit. */
	a->io_tally_ns += (int64_t)(now->blkio_ns - a->prev.blkio_ns) - a->io_tally_ns / 32;
	if (phase == SS_PHASE_BLOCK)
		a->io_tally_ns -= (now->mono_ns - a->prev.mono_ns) / 2;
}

/*
 * Block I/O wait in the window from delay accounting. It counts a wait when it ends, so whether one
 * in flight is I/O is only known then; until then it is what most of the thread's waits were.
 */
static int64_t blkio_ns(const struct window *w, const struct ss_account *a,
			const struct ss_reading *now, const struct view *v)
{
	int64_t ns = (int64_t)(now->blkio_ns - a->prev.blkio_ns);

	if (w->in_flight_is_io)
		ns += block_in_flight_ns(now->mono_ns, v->phase, v->since_ns);
	if (a->in_flight_is_io)
		ns -= block_in_flight_ns(a->prev.mono_ns, a->phase, a->since_ns);
	return ns;
}

/*
 * The kind of sleeps that were not seen: what was seen at an end, the start first, since a state
 * sampled there is as likely as its share of the time. Not block when I/O has been taken out.
 */
static enum ss_phase likely_kind(enum ss_phase first, enum ss_phase last, bool io_taken)
{
	if (is_asleep(first) && !(io_taken && first == SS_PHASE_BLOCK))
		return first;
	if (is_asleep(last) && !(io_taken && last == SS_PHASE_BLOCK))
		return last;
	return SS_PHASE_SLEEP;
}

/* Kinds from the states at both ends, of what is not taken yet. */
static void split_by_state(struct window *w, const struct ss_account *a,
			   const struct ss_reading *now, const struct view *v, bool io_taken)
{
	int64_t sleeps = ss_offcpu_sleeps(a, now, v->phase);

	w->determined = true;
	if (!io_taken || v->phase != SS_PHASE_BLOCK)
		give(w, v->phase, less_the_carry(w, a, last_sleep_ns(a, now, v)));
	/* Nothing is left to explain, or no sleep was left to explain it with: residual. */
	if (w->off_ns <= 0 || sleeps <= 0)
		return;
	if (sleeps == 1 && is_asleep(a->phase)) {
		if (w->rq_unknown)
			infer_whole(w->out, w->off_ns);
		give(w, a->phase, w->off_ns);
		return;
	}
	w->determined = false;
	infer_whole(w->out, w->off_ns);
	give(w, likely_kind(a->phase, v->phase, io_taken), w->off_ns);
}

/*
 * The same where delay accounting counted the thread's I/O. Its sum is never taken for exact: since
 * 6.12 a sleeper whose dequeue was delayed gets its start stamp on whichever task is current then
 * (__block_task()), so that a later wait counts from an old stamp. A sum beyond the off-CPU time
 * cannot be right; then it only tells that what blocked was I/O.
 */
static void split_with_blkio(struct window *w, const struct ss_account *a,
			     const struct ss_reading *now, const struct view *v)
{
	int64_t off_ns = w->off_ns, io_ns = blkio_ns(w, a, now, v);
	int64_t slack_ns = off_ns / 8;
	bool credible = io_ns >= 0 && io_ns <= off_ns;

	w->out->have |= SS_PART_IOWAIT;
	if (io_ns)
		infer(w->out, credible ? io_ns : max_s64(off_ns, 0));
	/* The sums were read at different instants: of a thread that only does I/O it is a bit more. */
	if (now->flags & SS_READING_OLD_SCHEDSTATS)
		slack_ns = off_ns;	/* a sum that is right */
	if (io_ns > off_ns && io_ns - off_ns <= slack_ns + now->torn_ns + a->prev.torn_ns) {
		w->io_ahead_ns = io_ns - off_ns;
		/* At most what its sum has: the wait in flight is counted when it ends. */
		if (w->io_ahead_ns > (int64_t)(now->blkio_ns - a->prev.blkio_ns))
			w->io_ahead_ns = (int64_t)(now->blkio_ns - a->prev.blkio_ns);
		io_ns = off_ns;
		credible = true;
	}
	if (credible) {
		w->out->iowait_ns = io_ns;
		w->off_ns -= io_ns;
	}
	split_by_state(w, a, now, v, credible && w->in_flight_is_io);
	if (io_ns > 0 && !credible) {
		w->out->iowait_ns = w->out->block_ns;
		w->out->block_ns = 0;
	}
}

/*
 * Whether the kernel's sums of waits can be used between the two readings. Before 5.16 they were
 * kept for the fair class only, and a thread that sleeps without its start mark (statistics
 * switched on meanwhile, or a delayed dequeue) will not be counted. One that was seen blocked, has
 * no mark and @switched in this window was woken between the state and the sums, which hold it all.
 */
static bool stats_usable(const struct ss_reading *r, enum ss_phase phase, int64_t since_ns,
			 bool switched)
{
	if (!have_all(r, SS_HAVE_SCHEDSTATS))
		return false;
	if ((r->flags & SS_READING_OLD_SCHEDSTATS) && !(r->flags & SS_READING_FAIR))
		return false;
	if (phase == SS_PHASE_SLEEP)
		return r->sleep_start_ns != 0;
	if (phase == SS_PHASE_BLOCK)
		return r->block_start_ns ? since_ns != UNKNOWN_NS : switched;
	return phase != SS_PHASE_UNKNOWN;
}

/* Sums of one end with its part in flight. */
struct stats {
	int64_t sleep_ns, block_ns, iowait_ns;	/* each includes the next */
};

static struct stats stats_at(const struct ss_reading *r, enum ss_phase phase, int64_t since_ns)
{
	struct stats s = { (int64_t)r->sleep_ns, (int64_t)r->block_ns, (int64_t)r->iowait_ns };
	int64_t in_flight = since_ns == UNKNOWN_NS ? 0 : r->mono_ns - since_ns;

	if (phase == SS_PHASE_BLOCK && !r->block_start_ns)
		in_flight = 0;
	if (phase == SS_PHASE_SLEEP || phase == SS_PHASE_BLOCK)
		s.sleep_ns += in_flight;
	if (phase == SS_PHASE_BLOCK) {
		s.block_ns += in_flight;
		/* Whether it is I/O shows when it ends; until then it counts as most did so far. */
		if (r->iowait_ns > r->block_ns / 2)
			s.iowait_ns += in_flight;
	}
	return s;
}

static bool sleeps_since_unknown(enum ss_phase phase, int64_t since_ns)
{
	return phase == SS_PHASE_SLEEP && since_ns == UNKNOWN_NS;
}

/* Kinds of the off-CPU time from the kernel's own sums; nothing is a remainder where they do. */
static void split_by_stats(struct window *w, const struct ss_account *a,
			   const struct ss_reading *now, const struct view *v)
{
	struct stats s0 = stats_at(&a->prev, a->phase, a->since_ns);
	struct stats s1 = stats_at(now, v->phase, v->since_ns);
	int64_t sleep = s1.sleep_ns - s0.sleep_ns, block = s1.block_ns - s0.block_ns;
	int64_t iowait = s1.iowait_ns - s0.iowait_ns, sleeps = ss_offcpu_sleeps(a, now, v->phase);

	w->determined = true;
	w->out->have |= SS_PART_IOWAIT;
	w->out->iowait_ns = iowait;
	w->off_ns -= iowait;
	give(w, SS_PHASE_BLOCK, block - iowait);
	if (sleeps_since_unknown(a->phase, a->since_ns) || sleeps_since_unknown(v->phase, v->since_ns)) {
		/* How much of the sum lies in the window cannot be told: all that nothing else explains. */
		sleep = block + max_s64(w->off_ns, 0);
		if (!not_switched_in(a, now))
			infer_whole(w->out, sleep - block);
	}
	give(w, SS_PHASE_SLEEP, sleep - block);
	if (a->phase == SS_PHASE_BLOCK || v->phase == SS_PHASE_BLOCK)
		infer(w->out, max_s64(block, 0));
	/* Stopped time is in none of the sums. */
	if (v->phase == SS_PHASE_STOP)
		give(w, SS_PHASE_STOP, last_sleep_ns(a, now, v));
	if (a->phase == SS_PHASE_STOP && sleeps >= 1 && w->off_ns > 0) {
		if (sleeps != 1)
			infer(w->out, w->off_ns);
		give(w, SS_PHASE_STOP, w->off_ns);
	}
}

void ss_offcpu_split(struct window *w, const struct ss_account *a, const struct ss_reading *now,
		     const struct view *v)
{
	bool switched = both_have(a, now, SS_HAVE_PCOUNT) && a->prev.pcount != now->pcount;

	if (stats_usable(&a->prev, a->phase, a->since_ns, switched) &&
	    stats_usable(now, v->phase, v->since_ns, switched))
		split_by_stats(w, a, now, v);
	else if (both_have(a, now, SS_HAVE_BLKIO))
		split_with_blkio(w, a, now, v);
	else
		split_by_state(w, a, now, v, false);
}
