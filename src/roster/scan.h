/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding processes and threads in /proc. Internal to src/roster.
 */
#ifndef SS_ROSTER_SCAN_H
#define SS_ROSTER_SCAN_H

#include "roster/table.h"

/** Open /proc/loadavg, if there is one, and read it a first time. */
void ss_scan_open(struct ss_roster *r);
void ss_scan_close(struct ss_roster *r);

/** Read the newest pid: everything after the one read before was handed out since. */
void ss_scan_newest_pid(struct ss_roster *r);

/** True unless it is certain that no task was created between the last two reads. */
bool ss_scan_may_have_births(const struct ss_roster *r);

/** /proc/PID/task/TID/stat. -ESRCH and -ENOENT: it ended; -EBADMSG is counted. */
int ss_scan_stat(struct ss_roster *r, int32_t pid, int32_t tid, struct ss_stat *st);

/** The process of a thread, or negative errno: -ESRCH, -EACCES. */
int32_t ss_scan_pid_of(struct ss_roster *r, int32_t tid);

/**
 * Watch a process and its threads. A process of which only some threads were watched becomes
 * watched as a whole. Returns 0, -ESRCH when it has ended, or negative errno.
 */
int ss_scan_watch(struct ss_roster *r, int32_t pid, enum ss_found found);

/** Watch one thread of a process. Returns as ss_scan_watch(). */
int ss_scan_watch_thread(struct ss_roster *r, int32_t pid, int32_t tid);

/** Judge an unknown process by the selection; watch it or remember that it was rejected. */
void ss_scan_judge(struct ss_roster *r, int32_t pid);

/**
 * Births and deaths in a watched process. Without @force it is skipped when the number of its
 * threads is as known.
 */
int ss_scan_process(struct ss_roster *r, struct ss_process *p, bool force);

/** A process of which no thread is left is dropped, or listed again at the next update. */
void ss_scan_settle(struct ss_roster *r, struct ss_process *p);

/** Judge the processes that are not watched. */
void ss_scan_root(struct ss_roster *r);

#endif
