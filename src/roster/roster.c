/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roster/roster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "roster/scan.h"
#include "roster/select.h"
#include "roster/table.h"

#define FULL_SCAN_NS SS_NSEC_PER_SEC
/* No number is given away again so soon: all others come before. */
#define REUSE_MIN_NS (100 * SS_NSEC_PER_MSEC)
#define EVENTS_A_DRAIN 65536	/* so that a storm of forks cannot hold the engine up for ever */
#define AGE_TOLERANCE_NS (50 * SS_NSEC_PER_MSEC)

static void open_connector(struct ss_roster *r, struct ss_caps *caps)
{
	const char *lost = "threads that live shorter than an interval may be missed; the ticks "
			   "table says how many at most";
	const char *remedy = "run as root (any user since Linux 6.6), outside of containers, on a "
			     "kernel with CONFIG_PROC_EVENTS";
	char detail[160];
	int err;

	if (!r->procfs->is_real) {
		ss_caps_set(caps, "proc-connector", SS_CAP_NO,
			    "not used: /proc is a capture or of another PID namespace", lost,
			    remedy);
		return;
	}
	err = ss_connector_open(&r->connector);
	if (!err) {
		ss_caps_set(caps, "proc-connector", SS_CAP_YES,
			    "the kernel tells the start and end of every thread", NULL, NULL);
		return;
	}
	if (err == -ETIMEDOUT)
		snprintf(detail, sizeof(detail), "the kernel does not answer: in a container?");
	else
		snprintf(detail, sizeof(detail), "the kernel refused: %s", strerror(-err));
	ss_caps_set(caps, "proc-connector", SS_CAP_NO, detail, lost, remedy);
}

int ss_roster_new(struct ss_roster **roster, struct ss_procfs *procfs,
		  const struct ss_selection *selection, const struct ss_roster_ops *ops, void *arg,
		  struct ss_caps *caps)
{
	struct ss_roster *r = calloc(1, sizeof(*r));
	int err = 0;

	if (!r)
		return -ENOMEM;
	r->procfs = procfs;
	r->selection = selection;
	r->ops = ops;
	r->arg = arg;
	r->user_tick_ns = SS_NSEC_PER_SEC / sysconf(_SC_CLK_TCK);
	r->newest.fd = -1;
	if (selection->match) {
		r->cmdline = malloc(SS_CMDLINE_SIZE);
		if (!r->cmdline)
			err = -ENOMEM;
	}
	open_connector(r, caps);
	if (r->connector) {
		r->stash = calloc(SS_STASH_SIZE, sizeof(*r->stash));
		if (!r->stash)
			err = -ENOMEM;
	}
	if (err) {
		ss_roster_free(r);
		return err;
	}
	ss_scan_open(r);
	*roster = r;
	return 0;
}

static void take_time(struct ss_roster *r, const struct ss_tick *tick)
{
	r->before_mono_ns = r->now_mono_ns;
	r->now_mono_ns = tick->actual_ns;
	r->mono_to_boot_ns = tick->mono_to_boot_ns;
}

int ss_roster_begin(struct ss_roster *r, const struct ss_tick *tick, int32_t *missing)
{
	const struct ss_selection *s = r->selection;
	int err;

	take_time(r, tick);
	r->before_mono_ns = r->begin_mono_ns = r->full_mono_ns = tick->actual_ns;
	ss_scan_newest_pid(r);
	for (size_t i = 0; i < s->npids; i++) {
		int32_t pid = ss_scan_pid_of(r, s->pids[i]);

		*missing = s->pids[i];
		if (pid < 0)
			return pid;
		/* /proc/TID exists for every thread, but a thread is no process. */
		err = pid == s->pids[i] ? ss_scan_watch(r, pid, SS_FOUND_PID) : -ESRCH;
		if (err)
			return err;
	}
	for (size_t i = 0; i < s->ntids; i++) {
		int32_t pid = ss_scan_pid_of(r, s->tids[i]);

		*missing = s->tids[i];
		err = pid < 0 ? pid : ss_scan_watch_thread(r, pid, s->tids[i]);
		if (err)
			return err;
	}
	/* A command that has ended at once is no error: there is nothing to watch. */
	if (s->launched)
		ss_scan_watch(r, s->launched, SS_FOUND_LAUNCH);
	if (ss_select_is_open(s))
		ss_scan_root(r);
	r->begun = true;
	return 0;
}

/* A process that the kernel says was created. */
static void process_forked(struct ss_roster *r, const struct ss_connector_event *ev)
{
	const struct ss_process *parent = ss_table_process(r, ev->parent_pid);
	struct ss_process *p = ss_table_process(r, ev->pid);
	enum ss_found found;
	struct ss_stat st;
	bool have_stat;

	/* Its number was used before, and that end was missed. */
	if (p)
		ss_table_drop_process(r, p);
	have_stat = !ss_scan_stat(r, ev->pid, ev->tid, &st);
	if (!ss_select_takes(r, ev->pid, ev->parent_pid,
			     have_stat ? st.comm : parent ? parent->comm : "", &found))
		return;
	p = ss_table_add_process(r, ev->pid, found);
	if (!p)
		return;
	p->ppid = ev->parent_pid;
	p->listed_mono_ns = ev->mono_ns;
	if (have_stat)
		p->start_ticks = st.start_ticks;
	if (have_stat || parent)
		memcpy(p->comm, have_stat ? st.comm : parent->comm, sizeof(p->comm));
	ss_table_add_thread(r, p, ev->tid, have_stat ? &st : NULL, ev->mono_ns, 0);
}

static void forked(struct ss_roster *r, const struct ss_connector_event *ev)
{
	struct ss_member *m = ss_table_thread(r, ev->tid);
	struct ss_process *p;
	struct ss_stat st;

	if (ev->pid == 0 || ev->tid == 0)
		return;
	if (m) {
		/*
		 * A listing found it: before its event was read, or already before that was made, which
		 * is a moment after a thread can be listed (copy_process()). Else its number is reused.
		 */
		if (ev->mono_ns <= m->added_mono_ns + REUSE_MIN_NS)
			return;
		ss_table_end_thread(r, m, INT64_MAX);
	}
	if (ev->pid == ev->tid) {
		process_forked(r, ev);
		return;
	}
	p = ss_table_process(r, ev->pid);
	if (!p || p->tids_only)
		return;
	ss_table_add_thread(r, p, ev->tid, ss_scan_stat(r, ev->pid, ev->tid, &st) ? NULL : &st,
			    ev->mono_ns, 0);
}

static void exited(struct ss_roster *r, const struct ss_connector_event *ev)
{
	struct ss_member *m = ss_table_newest(r, ev->tid);
	struct ss_process *p;

	/* An event from before its birth is about an earlier thread of that number. */
	if (!m || ev->mono_ns < m->thread.birth_mono_ns)
		return;
	if (m->state != SS_MEMBER_ALIVE) {
		/* A worker noticed before the event was read, but not when it was. */
		if (m->thread.exit_mono_ns == INT64_MAX)
			m->thread.exit_mono_ns = ev->mono_ns;
		return;
	}
	/* A leader stays as a zombie, mostly until its parent waits: a worker reads its last counters. */
	if (ev->tid == m->thread.pid) {
		m->thread.exit_mono_ns = ev->mono_ns;
		return;
	}
	p = m->thread.process;
	ss_table_end_thread(r, m, ev->mono_ns);
	ss_scan_settle(r, p);
}

/* Another program or another name: the selection may take it now. */
static void changed(struct ss_roster *r, const struct ss_connector_event *ev)
{
	struct ss_member *m = ss_table_thread(r, ev->tid);
	struct ss_process *p = ss_table_process(r, ev->pid);
	struct ss_stat st;

	if (!p || p->tids_only) {
		if (r->selection->match)
			ss_scan_judge(r, ev->pid);
		return;
	}
	if (ev->kind == SS_CONNECTOR_COMM) {
		if (m)
			memcpy(m->thread.comm, ev->comm, sizeof(ev->comm));
		if (ev->pid == ev->tid)
			memcpy(p->comm, ev->comm, sizeof(ev->comm));
		return;
	}
	if (!ss_scan_stat(r, ev->pid, ev->pid, &st)) {
		memcpy(p->comm, st.comm, sizeof(p->comm));
		if (m && ev->tid == ev->pid)
			memcpy(m->thread.comm, st.comm, sizeof(st.comm));
	}
	/*
	 * A thread that executes a program takes the number of the leader, which has ended
	 * (de_thread()): its old number is gone without an event, and the new one comes without.
	 */
	if (m && m->thread.exit_mono_ns)
		ss_table_end_thread(r, m, m->thread.exit_mono_ns);
	else if (m)
		return;
	p->rescan = true;
}

void ss_roster_drain(struct ss_roster *r)
{
	struct ss_connector_event ev;
	int left = EVENTS_A_DRAIN, n;

	if (!r->connector || !r->begun)
		return;
	while (left-- > 0 && (n = ss_connector_next(r->connector, &ev)) != 0) {
		if (n == -ENOBUFS) {
			r->stats.lost_events++;
			r->scan_all = true;
		} else if (n < 0) {
			r->stats.lost_parse++;
		} else if (ev.kind == SS_CONNECTOR_FORK) {
			forked(r, &ev);
		} else if (ev.kind == SS_CONNECTOR_EXIT) {
			exited(r, &ev);
		} else if (ev.kind == SS_CONNECTOR_EXEC || ev.kind == SS_CONNECTOR_COMM) {
			changed(r, &ev);
		}
	}
	/* The fork event of a record's thread was queued before it: what is left is not ours. */
	if (left >= 0)
		r->nstash = 0;
}

static int64_t count_unseen(const struct ss_roster *r, bool events_complete)
{
	const struct ss_newest_pid *newest = &r->newest;
	uint64_t born;

	if (events_complete)
		return SS_UNSEEN_NONE;
	if (!newest->trusted)
		return SS_UNSEEN_UNKNOWN;
	born = newest->now - newest->old;
	if (newest->now < newest->old)
		born += newest->pid_max;
	return (int64_t)born > r->births_seen ? (int64_t)born - r->births_seen : 0;
}

static void tell_ended(struct ss_roster *r)
{
	struct ss_member *m;

	while ((m = LIST_FIRST(&r->ending))) {
		LIST_REMOVE(m, link);
		LIST_INSERT_HEAD(&r->ended, m, link);
		m->state = SS_MEMBER_ENDED;
		r->ops->ended(r->arg, &m->thread);
	}
}

void ss_roster_update(struct ss_roster *r, const struct ss_tick *tick)
{
	struct ss_process *p, *next;
	bool complete, full, births;

	take_time(r, tick);
	ss_roster_drain(r);
	r->births_seen = 0;
	ss_scan_newest_pid(r);
	complete = r->connector && !r->scan_all;
	full = r->scan_all || !r->procfs->is_real ||
	       r->now_mono_ns - r->full_mono_ns >= FULL_SCAN_NS;
	births = full || (!r->connector && ss_scan_may_have_births(r));
	for (p = LIST_FIRST(&r->processes); p; p = next) {
		next = LIST_NEXT(p, link);
		if (births || p->rescan)
			ss_scan_process(r, p, full);
		ss_scan_settle(r, p);
	}
	if (full) {
		ss_select_forget(r);
		r->full_mono_ns = r->now_mono_ns;
		r->scan_all = false;
	}
	if (births && ss_select_is_open(r->selection))
		ss_scan_root(r);
	r->stats.unseen_max = count_unseen(r, complete);
	tell_ended(r);
}

void ss_roster_mark_ended(struct ss_roster *r, struct ss_thread *thread)
{
	struct ss_member *m = (struct ss_member *)thread;
	struct ss_process *p = thread->process;

	if (m->state == SS_MEMBER_ENDED)
		return;
	if (m->state == SS_MEMBER_ALIVE) {
		ss_table_end_thread(r, m, INT64_MAX);
		/* Without events, another may have taken its place: then nlink shows no change. */
		p->rescan = !r->connector;
		ss_scan_settle(r, p);
	}
	LIST_REMOVE(m, link);
	LIST_INSERT_HEAD(&r->ended, m, link);
	m->state = SS_MEMBER_ENDED;
}

static bool give_exit_reading(struct ss_roster *r, const struct ss_stashed *s)
{
	struct ss_thread *t = r->by_tid[(uint32_t)s->record.tid % SS_TID_BUCKETS];

	while (t && !ss_table_give_record(t, s))
		t = t->hash_next;
	return t;
}

bool ss_roster_exit_record(struct ss_roster *r, const struct ss_exit_record *record)
{
	struct ss_stashed s = { .record = *record };
	int64_t age_us = record->age_us, age_ns;

	/* Hostile ages would overflow; no thread lives for 146 years. */
	if (age_us < 0 || age_us > INT64_MAX / 2 / SS_NSEC_PER_USEC)
		return false;
	age_ns = age_us * SS_NSEC_PER_USEC;
	/* It ended between the update before the last one, when the queue was read, and now. */
	s.born_min_ns = r->before_mono_ns - age_ns - AGE_TOLERANCE_NS;
	s.born_max_ns = ss_now_ns(CLOCK_MONOTONIC) - age_ns + AGE_TOLERANCE_NS;
	if (give_exit_reading(r, &s))
		return true;
	if (!r->connector)
		return false;
	if (r->nstash == SS_STASH_SIZE)
		r->stats.lost_events++;
	else
		r->stash[r->nstash++] = s;
	return false;
}

void ss_roster_reap(struct ss_roster *r)
{
	struct ss_member *m, *next;

	for (m = LIST_FIRST(&r->ended); m; m = next) {
		next = LIST_NEXT(m, link);
		if (!m->thread.held)
			ss_table_recycle(r, m);
	}
}

bool ss_roster_finished(const struct ss_roster *r)
{
	const struct ss_member *m;

	LIST_FOREACH(m, &r->ended, link)
		if (m->thread.held)
			return false;
	return !r->selection->match && !r->selection->all && LIST_EMPTY(&r->processes);
}

void ss_roster_stats(const struct ss_roster *r, struct ss_roster_stats *stats)
{
	*stats = r->stats;
}

void ss_roster_free(struct ss_roster *r)
{
	if (!r)
		return;
	ss_connector_close(r->connector);
	ss_scan_close(r);
	ss_table_free(r);
	free(r->rejected);
	free(r->cmdline);
	free(r->stash);
	free(r);
}
