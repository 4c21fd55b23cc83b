// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows.h"

#include <stdio.h>
#include <string.h>

static const char *const found_name[] = {
	[SS_FOUND_PID] = "pid", [SS_FOUND_TID] = "tid", [SS_FOUND_MATCH] = "match",
	[SS_FOUND_ALL] = "all", [SS_FOUND_FOLLOW] = "follow", [SS_FOUND_LAUNCH] = "launch",
};

void ss_rows_add_window(struct ss_batch *batch, const struct ss_window *w,
			const struct ss_tick *tick)
{
	const struct ss_parts *p = &w->parts;
	struct ss_sample *s = ss_batch_add(batch, SS_TABLE_SAMPLES);

	s->have = p->have;
	s->pid = w->thread->pid;
	s->tid = w->thread->tid;
	s->cpu = p->cpu;
	s->event = w->event;
	s->quality = p->quality;
	memcpy(s->comm, w->thread->comm, sizeof(s->comm));
	s->tick = w->tick;
	s->time_ns = w->end_mono_ns + tick->mono_to_real_ns;
	s->mono_ns = w->end_mono_ns;
	s->wall_ns = p->wall_ns;
	s->run_ns = p->run_ns;
	s->rq_ns = p->rq_ns;
	s->sleep_ns = p->sleep_ns;
	s->block_ns = p->block_ns;
	s->iowait_ns = p->iowait_ns;
	s->stop_ns = p->stop_ns;
	s->residual_ns = p->residual_ns;
	s->bound_ns = p->bound_ns;
	s->nvcsw = p->nvcsw;
	s->nivcsw = p->nivcsw;
	s->stolen_ns = p->stolen_ns;
}

void ss_rows_add_delay(struct ss_batch *batch, const struct ss_delay *delay,
		       const struct ss_tick *tick)
{
	struct ss_delay *d = ss_batch_add(batch, SS_TABLE_DELAYS);

	*d = *delay;
	d->tick = tick->index;
	d->time_ns += tick->mono_to_real_ns;
}

void ss_rows_add_thread(struct ss_batch *batch, const struct ss_thread *thread,
			const struct ss_procfs *procfs, enum ss_event event, int64_t exit_ns)
{
	struct ss_thread_row *row = ss_batch_add(batch, SS_TABLE_THREADS);
	char cgroup[4096], *path;

	row->pid = thread->pid;
	row->tid = thread->tid;
	row->tick = batch->tick;
	row->time_ns = batch->time_ns;
	memcpy(row->comm, thread->comm, sizeof(row->comm));
	snprintf(row->found, sizeof(row->found), "%s", found_name[thread->found]);
	if (thread->birth_mono_ns) {
		row->start_ns = thread->birth_mono_ns;
		row->have |= SS_THREAD_START;
	}
	if (thread->ppid) {
		row->ppid = thread->ppid;
		row->have |= SS_THREAD_PPID;
	}
	row->event = event;
	if (exit_ns) {
		row->exit_ns = exit_ns;
		row->have |= SS_THREAD_EXIT;
	}
	if (event & SS_EVENT_EXIT)
		return;
	if (thread->tid != thread->pid)
		return;
	if (ss_procfs_readlink(procfs, row->exe, sizeof(row->exe), "%d/exe", thread->pid) > 0)
		row->have |= SS_THREAD_EXE;
	if (ss_procfs_read(procfs, cgroup, sizeof(cgroup), "%d/cgroup", thread->pid) > 0) {
		/* The unified hierarchy's line is "0::PATH"; with only the old ones, the first. */
		path = strstr(cgroup, "0::");
		path = path ? path + 3 : strchr(cgroup, '/');
		if (path) {
			path[strcspn(path, "\n")] = '\0';
			snprintf(row->cgroup, sizeof(row->cgroup), "%.255s", path);
			row->have |= SS_THREAD_CGROUP;
		}
	}
}
