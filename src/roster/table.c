/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roster/table.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"

static struct ss_processes *pid_bucket(struct ss_roster *r, int32_t pid)
{
	return &r->by_pid[(uint32_t)pid % SS_PID_BUCKETS];
}

static struct ss_thread **tid_bucket(struct ss_roster *r, int32_t tid)
{
	return &r->by_tid[(uint32_t)tid % SS_TID_BUCKETS];
}

struct ss_process *ss_table_process(const struct ss_roster *r, int32_t pid)
{
	struct ss_process *p;

	LIST_FOREACH(p, &r->by_pid[(uint32_t)pid % SS_PID_BUCKETS], hash_link)
		if (p->pid == pid)
			return p;
	return NULL;
}

struct ss_process *ss_table_add_process(struct ss_roster *r, int32_t pid, enum ss_found found)
{
	struct ss_process *p = calloc(1, sizeof(*p));

	if (!p) {
		r->stats.lost_events++;
		return NULL;
	}
	p->pid = pid;
	p->found = found;
	p->dir = -1;
	LIST_INIT(&p->threads);
	LIST_INSERT_HEAD(&r->processes, p, link);
	LIST_INSERT_HEAD(pid_bucket(r, pid), p, hash_link);
	r->stats.processes++;
	return p;
}

void ss_table_drop_process(struct ss_roster *r, struct ss_process *p)
{
	while (!LIST_EMPTY(&p->threads))
		ss_table_end_thread(r, LIST_FIRST(&p->threads), INT64_MAX);
	if (p->dir >= 0) {
		close(p->dir);
		r->kept_dirs--;
	}
	LIST_REMOVE(p, link);
	LIST_REMOVE(p, hash_link);
	r->stats.processes--;
	free(p);
}

struct ss_member *ss_table_newest(const struct ss_roster *r, int32_t tid)
{
	struct ss_thread *t = r->by_tid[(uint32_t)tid % SS_TID_BUCKETS];

	while (t && t->tid != tid)
		t = t->hash_next;
	return (struct ss_member *)t;
}

struct ss_member *ss_table_thread(const struct ss_roster *r, int32_t tid)
{
	struct ss_member *m = ss_table_newest(r, tid);

	/* When the newest of that number has ended, all have. */
	return m && m->state == SS_MEMBER_ALIVE ? m : NULL;
}

bool ss_table_give_record(struct ss_thread *t, const struct ss_stashed *s)
{
	if (t->tid != s->record.tid || (t->birth_mono_ns && (t->birth_mono_ns < s->born_min_ns ||
						      t->birth_mono_ns > s->born_max_ns)))
		return false;
	t->exit_record = s->record;
	t->has_exit_record = true;
	return true;
}

struct ss_member *ss_table_add_thread(struct ss_roster *r, struct ss_process *p, int32_t tid,
				      const struct ss_stat *st, int64_t birth_mono_ns,
				      int64_t birth_bound_ns)
{
	struct ss_member *m = LIST_FIRST(&r->unused);
	struct ss_thread *t;

	if (m) {
		LIST_REMOVE(m, link);
		memset(m, 0, sizeof(*m));
	} else {
		m = calloc(1, sizeof(*m));
	}
	if (!m) {
		r->stats.lost_events++;
		return NULL;
	}
	t = &m->thread;
	t->pid = p->pid;
	t->tid = tid;
	t->ppid = p->ppid;
	t->found = p->found;
	t->process = p;
	t->still = &p->still;
	t->birth_mono_ns = birth_mono_ns;
	t->birth_bound_ns = birth_bound_ns;
	if (st)
		t->start_ticks = st->start_ticks;
	memcpy(t->comm, st ? st->comm : p->comm, sizeof(t->comm));
	for (size_t i = 0; i < SS_THREAD_FILES; i++)
		ss_fdent_init(&t->file[i]);
	t->hash_next = *tid_bucket(r, tid);
	*tid_bucket(r, tid) = t;
	m->seen = r->listing;
	m->added_mono_ns = ss_now_ns(CLOCK_MONOTONIC);
	LIST_INSERT_HEAD(&p->threads, m, link);
	p->nalive++;
	r->stats.threads++;
	/* Its exit record may have come before its birth was known. */
	for (size_t i = 0; i < r->nstash; i++)
		ss_table_give_record(t, &r->stash[i]);
	r->ops->born(r->arg, t);
	return m;
}

void ss_table_end_thread(struct ss_roster *r, struct ss_member *m, int64_t exit_mono_ns)
{
	m->state = SS_MEMBER_ENDING;
	/* A worker may have seen the end already. */
	if (!m->thread.exit_mono_ns)
		m->thread.exit_mono_ns = exit_mono_ns;
	if (m->thread.tid == m->thread.pid)
		m->thread.process->leader_ended = true;
	m->thread.process->nalive--;
	m->thread.process = NULL;
	m->thread.still = NULL;
	r->stats.threads--;
	LIST_REMOVE(m, link);
	LIST_INSERT_HEAD(&r->ending, m, link);
}

void ss_table_recycle(struct ss_roster *r, struct ss_member *m)
{
	struct ss_thread **t = tid_bucket(r, m->thread.tid);

	while (*t != &m->thread)
		t = &(*t)->hash_next;
	*t = m->thread.hash_next;
	LIST_REMOVE(m, link);
	LIST_INSERT_HEAD(&r->unused, m, link);
}

static void free_members(struct ss_members *list)
{
	struct ss_member *m;

	while ((m = LIST_FIRST(list))) {
		LIST_REMOVE(m, link);
		free(m);
	}
}

void ss_table_free(struct ss_roster *r)
{
	while (!LIST_EMPTY(&r->processes))
		ss_table_drop_process(r, LIST_FIRST(&r->processes));
	free_members(&r->ending);
	free_members(&r->ended);
	free_members(&r->unused);
}
