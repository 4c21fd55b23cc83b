/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who: the threads that are watched, from /proc scans, sharpened by the proc connector where it
 * may be used. Not thread-safe: the engine's thread only, between ticks.
 */
#ifndef SS_ROSTER_ROSTER_H
#define SS_ROSTER_ROSTER_H

#include <regex.h>

#include "base/caps.h"
#include "roster/thread.h"
#include "tick/tick.h"

struct ss_procfs;

/* Which threads to watch. */
struct ss_selection {
	const int32_t *pids;		/* borrowed */
	size_t npids;
	const int32_t *tids;		/* borrowed */
	size_t ntids;
	const regex_t *match;		/* on comm or the command line; NULL: none; borrowed */
	bool all, follow;
	int32_t launched;		/* process started by us, 0: none */
};

/*
 * What the roster tells the engine while it updates. @born: a thread was added. @ended: it will
 * be removed by ss_roster_reap(); until then it stays valid for its last row.
 */
struct ss_roster_ops {
	void (*born)(void *arg, struct ss_thread *thread);
	void (*ended)(void *arg, struct ss_thread *thread);
};

struct ss_roster_stats {
	int64_t processes, threads;	/* watched now */
	int64_t lost_events;		/* connector overflows, in total */
	int64_t lost_parse;		/* records that did not parse, in total */
	int64_t unseen_max;		/* born unseen since the last update, or SS_UNSEEN_* */
};
#define SS_UNSEEN_NONE (-1)	/* the kernel told everything */
#define SS_UNSEEN_UNKNOWN (-2)	/* a capture, or a /proc/loadavg that is not the kernel's */

struct ss_roster;

/** @procfs, @selection and @ops are borrowed. Returns 0 or negative errno. */
int ss_roster_new(struct ss_roster **roster, struct ss_procfs *procfs,
		  const struct ss_selection *selection, const struct ss_roster_ops *ops, void *arg,
		  struct ss_caps *caps);

/**
 * Find the threads that exist. A pid or tid of the selection that does not exist is -ESRCH and
 * *missing names it; a process that may not be read is -EACCES.
 */
int ss_roster_begin(struct ss_roster *roster, const struct ss_tick *tick, int32_t *missing);

/** Empty the queues of events; call it at least every 100 ms, and at each tick. */
void ss_roster_drain(struct ss_roster *roster);

/** At each tick: births and deaths since the last one. */
void ss_roster_update(struct ss_roster *roster, const struct ss_tick *tick);

/**
 * At each tick, just before it is read: which processes have not run since the last one.
 * @quiet_ns: CLOCK_MONOTONIC instant, in this tick, at which nothing but the caller was runnable
 * on this machine; 0: not so.
 */
void ss_roster_look_for_still(struct ss_roster *roster, int64_t quiet_ns);

/** A worker found that the thread ended; told by the engine after the workers met. */
void ss_roster_mark_ended(struct ss_roster *roster, struct ss_thread *thread);

/** An exit record arrived (copied); ignored (false) when no such thread is watched. */
bool ss_roster_exit_record(struct ss_roster *roster, const struct ss_exit_record *record);

/** Free the threads that ended and are not held. */
void ss_roster_reap(struct ss_roster *roster);

/** True when nothing is watched and nothing can appear: all selected processes have ended, and none
 * of their threads is held. */
bool ss_roster_finished(const struct ss_roster *roster);

void ss_roster_stats(const struct ss_roster *roster, struct ss_roster_stats *stats);

void ss_roster_free(struct ss_roster *roster);

#endif
