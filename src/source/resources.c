/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/resources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/util.h"
#include "source/resource_look.h"

#define ENTRIES_MAX 65536
#define BUCKETS ENTRIES_MAX	/* a power of two */

struct entry {
	LIST_ENTRY(entry) by_key, by_id;	/* by_id: only with an id */
	TAILQ_ENTRY(entry) by_use;
	int64_t id;		/* 0: nobody has waited for it yet, or it is another now */
	char *name;		/* owned; NULL: not named */
	struct ss_object_info info;	/* as told last; else object, key and pid */
};

LIST_HEAD(entries, entry);

struct ss_resources {
	struct ss_look look;
	uint64_t seed;
	int64_t last_id;
	size_t nentries;
	TAILQ_HEAD(, entry) by_use;	/* the longest unused first */
	struct entries by_key[BUCKETS], by_id[BUCKETS];
};

int ss_resources_new(struct ss_resources **resources, const struct ss_procfs *procfs)
{
	struct ss_resources *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->look.procfs = procfs;
	/* A process that chose its keys for it could put them all in one bucket. */
	r->seed = (uint64_t)ss_now_ns(CLOCK_MONOTONIC) ^ (uintptr_t)r;
	TAILQ_INIT(&r->by_use);
	*resources = r;
	return 0;
}

static struct entries *id_bucket(const struct ss_resources *r, int64_t id)
{
	return (struct entries *)&r->by_id[(uint64_t)id % BUCKETS];
}

static void drop_id(struct entry *e)
{
	if (e->id)
		LIST_REMOVE(e, by_id);
	e->id = 0;
	free(e->name);
	e->name = NULL;
}

static void drop_entry(struct ss_resources *r, struct entry *e)
{
	drop_id(e);
	LIST_REMOVE(e, by_key);
	TAILQ_REMOVE(&r->by_use, e, by_use);
	r->nentries--;
	free(e);
}

void ss_resources_free(struct ss_resources *r)
{
	if (!r)
		return;
	while (!TAILQ_EMPTY(&r->by_use))
		drop_entry(r, TAILQ_FIRST(&r->by_use));
	ss_look_free(&r->look);
	free(r);
}

/* Whose keys of that object are. */
static int32_t owner_of(uint8_t object, int32_t pid)
{
	return ss_object_is_global(object) ? 0 : pid;
}

static struct entries *key_bucket(struct ss_resources *r, const struct ss_object_info *info)
{
	const uint64_t parts[] = {
		info->key[0], info->key[1],
		(uint64_t)info->object << 32 | (uint32_t)owner_of(info->object, info->pid),
	};
	uint64_t hash = r->seed;

	for (size_t i = 0; i < SS_ARRAY_SIZE(parts); i++) {
		hash = (hash ^ parts[i]) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 32;
	}
	return &r->by_key[hash % BUCKETS];
}

static bool is_same(const struct ss_object_info *a, const struct ss_object_info *b)
{
	return a->key[0] == b->key[0] && a->key[1] == b->key[1] && a->object == b->object &&
	       owner_of(a->object, a->pid) == owner_of(b->object, b->pid);
}

/* The entry of that object and key, which is the one used last then. NULL: no memory. */
static struct entry *use_entry(struct ss_resources *r, const struct ss_object_info *info)
{
	struct entries *bucket = key_bucket(r, info);
	struct entry *e;

	LIST_FOREACH(e, bucket, by_key)
		if (is_same(&e->info, info))
			break;
	if (e) {
		TAILQ_REMOVE(&r->by_use, e, by_use);
	} else {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		if (r->nentries == ENTRIES_MAX)
			drop_entry(r, TAILQ_FIRST(&r->by_use));
		e->info = *info;
		LIST_INSERT_HEAD(bucket, e, by_key);
		r->nentries++;
	}
	TAILQ_INSERT_TAIL(&r->by_use, e, by_use);
	return e;
}

/* Numbers of inodes and descriptors come again: what was named may have been something else. */
static bool is_other(const struct ss_object_info *old, const struct ss_object_info *new)
{
	return old->ready != new->ready ||
	       memcmp(old->ready_key, new->ready_key, sizeof(old->ready_key)) ||
	       old->family != new->family || old->type != new->type ||
	       old->protocol != new->protocol || old->local_port != new->local_port ||
	       old->remote_port != new->remote_port ||
	       memcmp(old->local, new->local, sizeof(old->local)) ||
	       memcmp(old->remote, new->remote, sizeof(old->remote)) ||
	       (old->peer_pid && new->peer_pid && old->peer_pid != new->peer_pid) ||
	       (old->name[0] && strncmp(old->name, new->name, sizeof(old->name)));
}

void ss_resources_tell(struct ss_resources *r, const struct ss_object_info *info)
{
	struct entry *e;

	ss_look_forget(&r->look);
	if (info->object == SS_OBJECT_NONE || info->object >= SS_OBJECTS)
		return;
	e = use_entry(r, info);
	if (!e)
		return;
	if (is_other(&e->info, info))
		drop_id(e);
	e->info = *info;
}

int64_t ss_resources_id(struct ss_resources *r, int32_t pid, const struct ss_cause *cause,
			bool *fresh)
{
	const struct ss_object_info info = {
		.object = cause->object, .pid = pid, .fd = -1,
		.key = { cause->key[0], cause->key[1] },
	};
	char name[SS_NAME_SIZE];
	struct entry *e;

	*fresh = false;
	if (cause->object == SS_OBJECT_NONE || cause->object >= SS_OBJECTS)
		return 0;
	e = use_entry(r, &info);
	if (!e)
		return -ENOMEM;
	if (e->id)
		return e->id;
	if (ss_look_name(&r->look, pid, cause->fd, &e->info, name)) {
		e->name = strdup(name);
		if (!e->name)
			return -ENOMEM;
	}
	e->id = ++r->last_id;
	LIST_INSERT_HEAD(id_bucket(r, e->id), e, by_id);
	*fresh = true;
	return e->id;
}

void ss_resources_row(const struct ss_resources *r, int64_t id, struct ss_resource_row *row)
{
	const struct entry *e;

	memset(row, 0, sizeof(*row));
	row->id = id;
	LIST_FOREACH(e, id_bucket(r, id), by_id)
		if (e->id == id)
			break;
	if (!e)
		return;
	row->object = e->info.object;
	row->key[0] = (int64_t)e->info.key[0];
	row->key[1] = (int64_t)e->info.key[1];
	if (!ss_object_is_global(row->object)) {
		row->pid = e->info.pid;
		row->have |= SS_RESOURCE_PID;
	}
	if (e->name) {
		strcpy(row->name, e->name);
		row->have |= SS_RESOURCE_NAME;
	}
}
