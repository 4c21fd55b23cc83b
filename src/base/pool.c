// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/mutex.h"

struct worker {
	struct ss_pool *pool;
	unsigned index;
	pthread_t thread;
};

struct ss_pool {
	pthread_mutex_t lock;
	pthread_cond_t start, done;
	/* Under @lock. */
	unsigned long round;	/* grows by one a job; a worker runs each round once */
	unsigned active;	/* workers that take part in this round */
	unsigned running;	/* of these, how many have not finished */
	bool stop;
	ss_pool_fn fn;
	void *arg;

	unsigned size;
	struct worker worker[];
};

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct ss_pool *pool = w->pool;
	unsigned long seen = 0;

	pthread_mutex_lock(&pool->lock);
	for (;;) {
		while (!pool->stop && pool->round == seen)
			pthread_cond_wait(&pool->start, &pool->lock);
		if (pool->stop)
			break;
		seen = pool->round;
		if (w->index >= pool->active)
			continue;
		pthread_mutex_unlock(&pool->lock);
		pool->fn(pool->arg, w->index);
		pthread_mutex_lock(&pool->lock);
		if (--pool->running == 0)
			pthread_cond_signal(&pool->done);
	}
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

int ss_pool_new(struct ss_pool **out, unsigned workers)
{
	struct ss_pool *pool;
	sigset_t all, before;
	int err = 0;

	pool = calloc(1, sizeof(*pool) + workers * sizeof(pool->worker[0]));
	if (!pool)
		return -ENOMEM;
	ss_mutex_init(&pool->lock);
	pthread_cond_init(&pool->start, NULL);
	pthread_cond_init(&pool->done, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (pool->size = 1; pool->size < workers; pool->size++) {
		struct worker *w = &pool->worker[pool->size];

		w->pool = pool;
		w->index = pool->size;
		err = pthread_create(&w->thread, NULL, worker_main, w);
		if (err)
			break;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		ss_pool_free(pool);
		return -err;
	}
	*out = pool;
	return 0;
}

unsigned ss_pool_size(const struct ss_pool *pool)
{
	return pool->size;
}

void ss_pool_run(struct ss_pool *pool, unsigned active, ss_pool_fn fn, void *arg)
{
	if (active > 1) {
		pthread_mutex_lock(&pool->lock);
		pool->fn = fn;
		pool->arg = arg;
		pool->active = active;
		pool->running = active - 1;
		pool->round++;
		pthread_cond_broadcast(&pool->start);
		pthread_mutex_unlock(&pool->lock);
	}
	fn(arg, 0);
	if (active > 1) {
		pthread_mutex_lock(&pool->lock);
		while (pool->running)
			pthread_cond_wait(&pool->done, &pool->lock);
		pthread_mutex_unlock(&pool->lock);
	}
}

void ss_pool_free(struct ss_pool *pool)
{
	unsigned i;

	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->stop = true;
	pthread_cond_broadcast(&pool->start);
	pthread_mutex_unlock(&pool->lock);
	for (i = 1; i < pool->size; i++)
		pthread_join(pool->worker[i].thread, NULL);
	pthread_cond_destroy(&pool->done);
	pthread_cond_destroy(&pool->start);
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}
