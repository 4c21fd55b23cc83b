/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mutex.h"

struct ss_batch_pool {
	pthread_mutex_t lock;		/* of all below; batches are put back by writer threads */
	struct ss_batch *free;
	size_t made, limit;
};

int ss_batch_pool_new(struct ss_batch_pool **pool, size_t limit)
{
	struct ss_batch_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	ss_mutex_init(&p->lock);
	p->limit = limit;
	*pool = p;
	return 0;
}

void ss_batch_pool_free(struct ss_batch_pool *pool)
{
	struct ss_batch *b;

	if (!pool)
		return;
	while ((b = pool->free)) {
		pool->free = b->next;
		for (int t = 0; t < SS_TABLE_COUNT; t++)
			free(b->rows[t].data);
		free(b);
	}
	pthread_mutex_destroy(&pool->lock);
	free(pool);
}

struct ss_batch *ss_batch_get(struct ss_batch_pool *pool)
{
	struct ss_batch *b;

	pthread_mutex_lock(&pool->lock);
	b = pool->free;
	if (b) {
		pool->free = b->next;
	} else if (pool->made < pool->limit) {
		b = calloc(1, sizeof(*b));
		if (b)
			pool->made++;
	}
	pthread_mutex_unlock(&pool->lock);
	if (!b)
		return NULL;
	b->next = NULL;
	b->pool = pool;
	b->tick = b->time_ns = b->mono_ns = 0;
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		b->rows[t].n = 0;
	atomic_store(&b->refs, 1);
	return b;
}

void ss_batch_ref(struct ss_batch *batch)
{
	atomic_fetch_add(&batch->refs, 1);
}

void ss_batch_put(struct ss_batch *batch)
{
	struct ss_batch_pool *pool;

	/* Sequentially consistent: what the other holders read happens before the reuse. */
	if (!batch || atomic_fetch_sub(&batch->refs, 1) != 1)
		return;
	pool = batch->pool;
	pthread_mutex_lock(&pool->lock);
	batch->next = pool->free;
	pool->free = batch;
	pthread_mutex_unlock(&pool->lock);
}

int ss_batch_reserve(struct ss_batch *batch, enum ss_table_id table, size_t n)
{
	struct ss_rows *rows = &batch->rows[table];
	size_t size = ss_tables[table]->row_size, cap;
	void *data;

	if (n <= rows->cap - rows->n)
		return 0;
	if (n > SIZE_MAX / 2 / size - rows->n)
		return -ENOMEM;
	/* A quarter more: slowly growing numbers of threads must not reallocate each tick. */
	cap = rows->n + n;
	cap += cap / 4;
	data = realloc(rows->data, cap * size);
	if (!data)
		return -ENOMEM;
	rows->data = data;
	rows->cap = cap;
	return 0;
}

void *ss_batch_add(struct ss_batch *batch, enum ss_table_id table)
{
	struct ss_rows *rows = &batch->rows[table];
	size_t size = ss_tables[table]->row_size;

	return memset((char *)rows->data + rows->n++ * size, 0, size);
}
