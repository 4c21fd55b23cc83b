/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which processes the selection takes. Internal to src/roster.
 */
#ifndef SS_ROSTER_SELECT_H
#define SS_ROSTER_SELECT_H

#include "roster/table.h"

/* The longest command line that is matched: MAX_ARG_STRLEN of the kernel. */
#define SS_CMDLINE_SIZE (128 << 10)

/** True when processes may join that are not named: match, all, follow. */
bool ss_select_is_open(const struct ss_selection *selection);

/** True when the selection takes that process; then *found says why. */
bool ss_select_takes(struct ss_roster *r, int32_t pid, int32_t ppid, const char *comm,
		     enum ss_found *found);

/** True when the process was judged since ss_select_forget() and was not taken. */
bool ss_select_was_rejected(const struct ss_roster *r, int32_t pid);

void ss_select_reject(struct ss_roster *r, int32_t pid, int32_t ppid);

/** To be called after a run of ss_select_reject(). */
void ss_select_sort(struct ss_roster *r);

/** Judge all again: a process that executes another program keeps its number. */
void ss_select_forget(struct ss_roster *r);

#endif
