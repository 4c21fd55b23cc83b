/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/fdcache.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <unistd.h>

#define LOOKED_AT 8	/* files that one request looks at for one to close */

int ss_fdbudget_init(struct ss_fdbudget *budget, int reserve)
{
	struct rlimit limit = { 0 }, raised;
	rlim_t size;

	getrlimit(RLIMIT_NOFILE, &limit);
	raised = limit;
	raised.rlim_cur = raised.rlim_max;
	if (!setrlimit(RLIMIT_NOFILE, &raised))
		limit = raised;
	size = limit.rlim_cur < INT_MAX ? limit.rlim_cur : INT_MAX;
	budget->size = (int)size - reserve;
	if (budget->size < 8)
		budget->size = 8;
	atomic_init(&budget->left, budget->size);
	return budget->size;
}

void ss_fdcache_init(struct ss_fdcache *cache, struct ss_fdbudget *budget)
{
	*cache = (struct ss_fdcache){ .budget = budget };
	cache->head.newer = cache->head.older = &cache->head;
	cache->head.fd = -1;
}

static void insert_newest(struct ss_fdcache *cache, struct ss_fdent *e)
{
	e->newer = &cache->head;
	e->older = cache->head.older;
	e->older->newer = e;
	cache->head.older = e;
}

static void detach(struct ss_fdent *e)
{
	e->newer->older = e->older;
	e->older->newer = e->newer;
}


/* Close @e but keep its share of the budget. */
static int close_entry(struct ss_fdent *e)
{
	int err = close(e->fd) ? -errno : 0;

	detach(e);
	ss_fdent_init(e);
	return err;
}

static void note_error(struct ss_fdcache *cache, int err)
{
	if (!cache->error)
		cache->error = err;
}

static bool take(struct ss_fdbudget *budget)
{
	int left = atomic_load(&budget->left);

	while (left > 0)
		if (atomic_compare_exchange_weak(&budget->left, &left, left - 1))
			return true;
	return false;
}

/* A file that was used neither in this round nor in the one before; NULL: none among a few. */
static struct ss_fdent *find_victim(struct ss_fdcache *cache)
{
	int i;

	for (i = 0; i < LOOKED_AT; i++) {
		struct ss_fdent *e = cache->head.newer;

		if (e == &cache->head)
			return NULL;
		if (cache->round - e->used > 1)
			return e;
		detach(e);
		insert_newest(cache, e);
	}
	return NULL;
}

int ss_fdcache_reserve(struct ss_fdcache *cache)
{
	struct ss_fdent *victim;

	if (take(cache->budget))
		return 0;
	victim = find_victim(cache);
	if (!victim)
		return -EMFILE;
	/* Its share goes straight to the new file: given back, another cache could take it. */
	note_error(cache, close_entry(victim));
	cache->evicted++;
	return 0;
}

void ss_fdcache_unreserve(struct ss_fdcache *cache)
{
	atomic_fetch_add(&cache->budget->left, 1);
}

void ss_fdcache_put(struct ss_fdcache *cache, struct ss_fdent *e, int fd)
{
	e->fd = fd;
	e->used = cache->round;
	insert_newest(cache, e);
	cache->opened++;
}

int ss_fdcache_drop(struct ss_fdcache *cache, struct ss_fdent *e)
{
	int err;

	if (e->fd < 0)
		return 0;
	err = close_entry(e);
	ss_fdcache_unreserve(cache);
	return err;
}

void ss_fdcache_clear(struct ss_fdcache *cache)
{
	while (cache->head.newer != &cache->head)
		note_error(cache, ss_fdcache_drop(cache, cache->head.newer));
}
