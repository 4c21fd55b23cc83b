/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bounded caches of open files. There is ONE budget for the process (its size follows
 * RLIMIT_NOFILE); each owner (a sampling shard, an output directory) has its own list, so that
 * nothing on the tick path takes a lock. An owner works in rounds (ticks). When the budget is used
 * up it closes a file of its own that it did not use in this round or the last: files that are all
 * used in every round would only push each other out in turn. If it has none it gets -EMFILE, and
 * opens and closes without the cache.
 */
#ifndef SS_BASE_FDCACHE_H
#define SS_BASE_FDCACHE_H

#include <stdatomic.h>
#include <stdint.h>

struct ss_fdbudget {
	atomic_int left;	/* descriptors that may still be opened */
	int size;
};

/**
 * Raise the soft RLIMIT_NOFILE to the hard one and set the budget to it less @reserve
 * descriptors for everything else (at least 8 are left for the cache). Returns the budget.
 */
int ss_fdbudget_init(struct ss_fdbudget *budget, int reserve);

/** One cached file; embedded in its user. Zero it with ss_fdent_init(). */
struct ss_fdent {
	struct ss_fdent *newer, *older;
	int fd;			/* -1: not open */
	uint32_t used;		/* the round of its last use */
};

struct ss_fdcache {
	struct ss_fdbudget *budget;	/* borrowed */
	struct ss_fdent head;		/* circular: head.older is the newest, head.newer the oldest */
	uint32_t round;
	uint64_t opened, evicted;	/* for the statistics */
	int error;			/* first negative errno of closing an evicted file */
};

void ss_fdcache_init(struct ss_fdcache *cache, struct ss_fdbudget *budget);
static inline void ss_fdent_init(struct ss_fdent *e)
{
	e->newer = e->older = 0;
	e->fd = -1;
	e->used = 0;
}

/** A new round begins. */
static inline void ss_fdcache_next_round(struct ss_fdcache *cache)
{
	cache->round++;
}

/** The open descriptor of @e, now in use; -1 when it is not open. Touches nothing but @e. */
static inline int ss_fdcache_get(const struct ss_fdcache *cache, struct ss_fdent *e)
{
	e->used = cache->round;
	return e->fd;
}

/**
 * Reserve room for one more descriptor, closing another of this cache if need be. Call it
 * before open(2), then ss_fdcache_put(), or ss_fdcache_unreserve() when open failed.
 * Returns 0 or -EMFILE.
 */
int ss_fdcache_reserve(struct ss_fdcache *cache);
void ss_fdcache_unreserve(struct ss_fdcache *cache);
void ss_fdcache_put(struct ss_fdcache *cache, struct ss_fdent *e, int fd);

/** Close @e if it is open. Returns 0 or the negative errno of close(2). */
int ss_fdcache_drop(struct ss_fdcache *cache, struct ss_fdent *e);

/** Close all; the first failure goes to cache->error. */
void ss_fdcache_clear(struct ss_fdcache *cache);

#endif
