/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The capability report: what this machine allows, what is lost where it does not, how to get
 * it, and which quality follows. Stations add entries when they probe; `--probe` prints them and
 * every recording holds them.
 */
#ifndef SS_BASE_CAPS_H
#define SS_BASE_CAPS_H

#include <stddef.h>

enum ss_cap_state {
	SS_CAP_NO = 0,		/* not available */
	SS_CAP_YES = 1,		/* available */
	SS_CAP_PARTLY = 2,	/* available with a limit that @detail names */
};

struct ss_cap {
	char name[32];		/* stable identifier, e.g. "taskstats" */
	enum ss_cap_state state;
	char detail[160];	/* what was found, e.g. "version 16" or "EPERM" */
	char lost[160];		/* what a user loses without it; empty when available */
	char remedy[160];	/* how to get it; empty when available */
};

struct ss_caps {
	struct ss_cap cap[24];
	size_t n;
};

/** Add an entry, or replace the one of that name. NULL texts count as empty. */
void ss_caps_set(struct ss_caps *caps, const char *name, enum ss_cap_state state,
		 const char *detail, const char *lost, const char *remedy);

const struct ss_cap *ss_caps_find(const struct ss_caps *caps, const char *name);

/** "no", "yes" or "partly". */
const char *ss_cap_state_name(enum ss_cap_state state);

#endif
