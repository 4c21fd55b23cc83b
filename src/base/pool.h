/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fixed pool of worker threads that run one function together and meet at its end. The caller
 * is worker 0, so a pool of one has no threads and no synchronisation.
 */
#ifndef SS_BASE_POOL_H
#define SS_BASE_POOL_H

struct ss_pool;

typedef void (*ss_pool_fn)(void *arg, unsigned worker);

/**
 * Start @workers - 1 threads (@workers >= 1). They inherit the scheduling policy of the caller.
 * All signals are blocked in them. Returns 0 or negative errno.
 */
int ss_pool_new(struct ss_pool **pool, unsigned workers);

unsigned ss_pool_size(const struct ss_pool *pool);

/**
 * Run fn(arg, w) for w in 0..@active-1, worker 0 in the calling thread; returns when all are
 * done. @active is at most the pool's size: a small job wakes no thread. What the caller wrote
 * before is visible to the workers, and what they wrote is visible to the caller afterwards.
 */
void ss_pool_run(struct ss_pool *pool, unsigned active, ss_pool_fn fn, void *arg);

/** Join the threads. NULL is allowed. */
void ss_pool_free(struct ss_pool *pool);

#endif
