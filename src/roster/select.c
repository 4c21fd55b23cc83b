/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roster/select.h"

#include <stdlib.h>
#include <unistd.h>

bool ss_select_is_open(const struct ss_selection *selection)
{
	return selection->match || selection->all || selection->follow;
}

/* The command line with its separating NULs as blanks; kernel threads have none. */
static bool cmdline_matches(struct ss_roster *r, int32_t pid)
{
	ssize_t n = ss_procfs_read(r->procfs, r->cmdline, SS_CMDLINE_SIZE, "%d/cmdline", (int)pid);

	if (n <= 0)
		return false;
	while (n > 0 && r->cmdline[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if (r->cmdline[i] == '\0')
			r->cmdline[i] = ' ';
	return !regexec(r->selection->match, r->cmdline, 0, NULL, 0);
}

bool ss_select_takes(struct ss_roster *r, int32_t pid, int32_t ppid, const char *comm,
		     enum ss_found *found)
{
	const struct ss_selection *s = r->selection;

	/* Our own command line holds the expression: it would always match. */
	bool can_match = s->match && !(r->procfs->is_real && pid == getpid());

	if (s->all)
		*found = SS_FOUND_ALL;
	else if (can_match && (!regexec(s->match, comm, 0, NULL, 0) || cmdline_matches(r, pid)))
		*found = SS_FOUND_MATCH;
	else if (s->follow && ss_table_process(r, ppid))
		*found = SS_FOUND_FOLLOW;
	else
		return false;
	return true;
}

static int by_pid(const void *a, const void *b)
{
	int32_t x = ((const struct ss_rejected *)a)->pid, y = ((const struct ss_rejected *)b)->pid;

	return (x > y) - (x < y);
}

bool ss_select_was_rejected(const struct ss_roster *r, int32_t pid)
{
	struct ss_rejected key = { .pid = pid };

	return r->nsorted && bsearch(&key, r->rejected, r->nsorted, sizeof(key), by_pid);
}

void ss_select_reject(struct ss_roster *r, int32_t pid, int32_t ppid)
{
	if (r->nrejected == r->rejected_cap) {
		size_t cap = r->rejected_cap ? 2 * r->rejected_cap : 256;
		struct ss_rejected *bigger = reallocarray(r->rejected, cap, sizeof(*bigger));

		/* What is not remembered is only judged more often. */
		if (!bigger)
			return;
		r->rejected = bigger;
		r->rejected_cap = cap;
	}
	r->rejected[r->nrejected++] = (struct ss_rejected){ .pid = pid, .ppid = ppid };
}

void ss_select_sort(struct ss_roster *r)
{
	if (r->nsorted != r->nrejected)
		qsort(r->rejected, r->nrejected, sizeof(*r->rejected), by_pid);
	r->nsorted = r->nrejected;
}

void ss_select_forget(struct ss_roster *r)
{
	r->nrejected = r->nsorted = 0;
}
