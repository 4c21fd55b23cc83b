/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CPU quotas of control groups. A thread that is woken in a group whose quota is used up is
 * runnable and on no runqueue (throttle_cfs_rq() takes the group's threads out of
 * rq->nr_running), so that a count of runnable tasks proves nothing about it.
 */
#ifndef SS_ROSTER_QUOTA_H
#define SS_ROSTER_QUOTA_H

#include <stdbool.h>

/**
 * False only when no control group of a process can have a quota: @cgroup is the text of its
 * /proc/PID/cgroup, @mount where control groups are mounted ("/sys/fs/cgroup"). True also when
 * that cannot be told, as in a control group namespace, which hides the groups above it.
 */
bool ss_quota_possible(const char *mount, const char *cgroup);

#endif
