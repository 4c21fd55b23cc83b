/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proof that no thread of a process has run, at the cost of one system call. The CPU clock of a
 * process is the sum of all its threads' runtimes (thread_group_cputime()), each of which only
 * grows, and it moves to the process's own sum when a thread ends: two equal values mean that no
 * thread's runtime has grown in between. One that is on a CPU but has not been charged yet
 * is excluded by the machine: nothing was runnable.
 */
#include "base/util.h"
#include "roster/quota.h"
#include "roster/table.h"

#define WAIT_MAX 16			/* ticks without a look at a process that keeps running */
#define QUOTA_CHECK_NS (10 * SS_NSEC_PER_SEC)

static bool quota_possible(const struct ss_roster *r, struct ss_process *p)
{
	char text[4096];
	ssize_t n;

	if (p->quota_checked_ns && r->now_mono_ns - p->quota_checked_ns < QUOTA_CHECK_NS)
		return p->quota_possible;
	n = ss_procfs_read(r->procfs, text, sizeof(text), "%d/cgroup", p->pid);
	p->quota_possible = n < 0 || n >= (ssize_t)sizeof(text) - 1 ||
			    (n > 0 && ss_quota_possible("/sys/fs/cgroup", text));
	p->quota_checked_ns = r->now_mono_ns;
	return p->quota_possible;
}

static void look(struct ss_process *p)
{
	struct ss_stillness *still = &p->still;
	int64_t begin_ns = ss_now_ns(CLOCK_MONOTONIC);
	struct timespec cpu;
	clockid_t clock;

	if (clock_getcpuclockid(p->pid, &clock) || clock_gettime(clock, &cpu)) {
		still->since_ns = 0;
		return;
	}
	if (still->since_ns && cpu.tv_sec == p->cpu_time.tv_sec &&
	    cpu.tv_nsec == p->cpu_time.tv_nsec) {
		still->still_ns = begin_ns;
		p->wait_next = 0;
		return;
	}
	p->cpu_time = cpu;
	still->since_ns = ss_now_ns(CLOCK_MONOTONIC);
	p->wait = p->wait_next;
	p->wait_next = p->wait_next ? p->wait_next * 2 : 1;
	if (p->wait_next > WAIT_MAX)
		p->wait_next = WAIT_MAX;
}

void ss_roster_look_for_still(struct ss_roster *r, int64_t quiet_ns)
{
	struct ss_process *p;

	LIST_FOREACH(p, &r->processes, link) {
		p->still.quiet_ns = p->still.still_ns = 0;
		if (!quiet_ns || quota_possible(r, p))
			continue;
		p->still.quiet_ns = quiet_ns;
		if (p->wait)
			p->wait--;
		else
			look(p);
	}
}
