// SPDX-License-Identifier: GPL-2.0-or-later
#include "rows.h"

#include <stdio.h>
#include <string.h>

#include "source/resources.h"

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

/* A thread, and not one of the others, which have no PID. */
static bool is_thread(uint64_t waker)
{
	return waker >> 32;
}

static void set_waker(struct ss_wait_row *row, uint64_t waker)
{
	const char *who = is_thread(waker) ? "thread" :
			  waker == SS_WAKER_INTERRUPT ? "interrupt" : "outside";

	if (!waker)
		return;
	row->have |= SS_WAIT_WAKER;
	strcpy(row->waker, who);
	if (!is_thread(waker))
		return;
	row->have |= SS_WAIT_WAKER_THREAD;
	row->waker_pid = (int32_t)(waker >> 32);
	row->waker_tid = (int32_t)waker;
}

void ss_rows_add_wait(struct ss_batch *batch, const struct ss_window_wait *w, int64_t resource,
		      const struct ss_tick *tick)
{
	struct ss_wait_row *row = ss_batch_add(batch, SS_TABLE_WAITS);
	const struct ss_wait *wait = &w->wait;

	row->pid = w->thread->pid;
	row->tid = w->thread->tid;
	row->tick = w->tick;
	row->time_ns = w->end_mono_ns + tick->mono_to_real_ns;
	row->kind = wait->cause.kind;
	row->quality = w->quality;
	row->wait_ns = (int64_t)wait->ns;
	if (resource > 0) {
		row->resource = resource;
		row->have |= SS_WAIT_RESOURCE;
	}
	if (wait->cause.syscall >= 0) {
		row->syscall = wait->cause.syscall;
		row->have |= SS_WAIT_CALL;
	}
	set_waker(row, wait->waker);
	/* Who looks now and then sees that a thread waits, not when its waits end. */
	if (w->quality > SS_QUALITY_REPAIRED)
		return;
	row->have |= SS_WAIT_ENDED | (wait->count ? SS_WAIT_MAX : 0);
	row->count = wait->count;
	row->ended_ns = (int64_t)wait->ended_ns;
	row->max_ns = (int64_t)wait->max_ns;
	for (int i = 0; i < SS_WAIT_BUCKETS; i++)
		row->hist[i] = wait->hist[i];
}

/* The row that @wait belongs to, among those from @first on. */
static struct ss_wake_row *find_wake(struct ss_batch *batch, size_t first,
				     const struct ss_wait *wait)
{
	struct ss_wake_row *rows = batch->rows[SS_TABLE_WAKES].data;

	for (size_t i = batch->rows[SS_TABLE_WAKES].n; i-- > first;)
		if (rows[i].kind == wait->cause.kind && rows[i].waker_tid == (int32_t)wait->waker &&
		    rows[i].waker_pid == (int32_t)(wait->waker >> 32))
			return &rows[i];
	return NULL;
}

void ss_rows_add_wakes(struct ss_batch *batch, const struct ss_window_wait *waits, size_t n,
		       const struct ss_tick *tick)
{
	size_t first = batch->rows[SS_TABLE_WAKES].n;

	for (size_t i = 0; i < n; i++) {
		const struct ss_wait *wait = &waits[i].wait;
		struct ss_wake_row *row;

		if (!is_thread(wait->waker) || !wait->count)
			continue;
		row = find_wake(batch, first, wait);
		if (!row) {
			row = ss_batch_add(batch, SS_TABLE_WAKES);
			row->pid = waits[i].thread->pid;
			row->tid = waits[i].thread->tid;
			row->waker_pid = (int32_t)(wait->waker >> 32);
			row->waker_tid = (int32_t)wait->waker;
			row->tick = waits[i].tick;
			row->time_ns = waits[i].end_mono_ns + tick->mono_to_real_ns;
			row->kind = wait->cause.kind;
		}
		row->count += wait->count;
		row->ended_wait_ns += (int64_t)wait->ended_ns;
	}
}

void ss_rows_add_resource(struct ss_batch *batch, const struct ss_resources *resources, int64_t id)
{
	struct ss_resource_row *row = ss_batch_add(batch, SS_TABLE_RESOURCES);

	ss_resources_row(resources, id, row);
	row->tick = batch->tick;
	row->time_ns = batch->time_ns;
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
