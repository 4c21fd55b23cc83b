// SPDX-License-Identifier: GPL-2.0-or-later
/* --probe: ask every station what it may do here, without sampling. */
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/caps.h"
#include "base/log.h"
#include "base/procfs.h"
#include "engine.h"
#include "roster/roster.h"
#include "source/source.h"
#include "tick/clockmap.h"
#include "tick/tick.h"

static void ignore_thread(void *arg, struct ss_thread *thread)
{
	(void)arg;
	(void)thread;
}

static void ask_all(struct ss_caps *caps, struct ss_procfs *procfs, const char **best)
{
	static const struct ss_roster_ops ops = { .born = ignore_thread, .ended = ignore_thread };
	const struct ss_selection nobody = { .npids = 0 };
	const struct ss_source_ops *const *source;
	struct ss_clockmap *clockmap = NULL;
	struct ss_roster *roster = NULL;

	for (source = ss_sources; *source; source++)
		if (!(*source)->probe(procfs, caps) && !*best)
			*best = (*source)->name;
	ss_roster_new(&roster, procfs, &nobody, &ops, NULL, caps);
	ss_roster_free(roster);
	ss_clockmap_new(&clockmap, caps);
	ss_clockmap_free(clockmap);
	ss_tick_make_punctual(caps);
}

static bool can(const struct ss_caps *caps, const char *name)
{
	const struct ss_cap *cap = ss_caps_find(caps, name);

	return cap && cap->state != SS_CAP_NO;
}

/* Which quality follows, for threads that ran and for threads that did not. */
static void tell_quality(const struct ss_caps *caps)
{
	bool snapshot = can(caps, "bpf-snapshot");
	bool kinds = !snapshot && can(caps, "schedstats");

	if (can(caps, "bpf"))
		puts("quality   exact (from the scheduler's events)");
	else if (!snapshot && !can(caps, "sched-clock"))
		puts("quality   counter: run and rq are up to one scheduler tick behind");
	else
		printf("quality   run and rq: snapshot (parts in flight are exact)\n"
		       "          sleep, block and iowait: %s\n",
		       kinds ? "snapshot (the kernel's own sums)" :
		       "snapshot where the states at both ends tell all, else estimate with its bound");
}

int ss_engine_probe(const struct ss_options *options)
{
	struct ss_caps caps = { .n = 0 };
	struct ss_procfs procfs;
	const char *best = NULL;
	struct utsname uts;
	size_t i;
	int err;

	(void)options;
	err = ss_procfs_open(&procfs);
	if (err) {
		ss_err("/proc: %s; mount it with: mount -t proc proc /proc", strerror(-err));
		return SS_EXIT_FAILURE;
	}
	ask_all(&caps, &procfs, &best);
	ss_procfs_close(&procfs);
	uname(&uts);
	printf("kernel    %s %s\n", uts.sysname, uts.release);
	printf("source    %s\n", best ? best : "none");
	if (best)
		tell_quality(&caps);
	for (i = 0; i < caps.n; i++) {
		const struct ss_cap *c = &caps.cap[i];

		printf("\n%-15s %-6s %s\n", c->name, ss_cap_state_name(c->state), c->detail);
		if (*c->lost)
			printf("%-15s lost:  %s\n", "", c->lost);
		if (*c->remedy)
			printf("%-15s get it: %s\n", "", c->remedy);
	}
	if (ss_flush_stdout())
		return SS_EXIT_FAILURE;
	return best ? SS_EXIT_OK : SS_EXIT_FAILURE;
}
