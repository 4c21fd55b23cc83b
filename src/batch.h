/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything that one tick produced. Built by the engine, then immutable; every sink's writer
 * holds a reference. Batches are recycled: once their arrays have grown, a tick allocates nothing.
 */
#ifndef SS_BATCH_H
#define SS_BATCH_H

#include <stdatomic.h>
#include <stddef.h>

#include "account/fields.h"

/* Rows of one table. */
struct ss_rows {
	void *data;		/* n rows of the table's row_size */
	size_t n, cap;
};

struct ss_batch_pool;

struct ss_batch {
	struct ss_batch *next;		/* in the pool's free list */
	struct ss_batch_pool *pool;	/* where it returns to */
	atomic_int refs;
	int64_t tick, time_ns, mono_ns;
	struct ss_rows rows[SS_TABLE_COUNT];	/* by enum ss_table_id; exactly one tick row */
};

/** A pool of at most @limit batches. Thread-safe. Returns 0 or -ENOMEM. */
int ss_batch_pool_new(struct ss_batch_pool **pool, size_t limit);
/** All batches must have been put back. NULL is allowed. */
void ss_batch_pool_free(struct ss_batch_pool *pool);

/** An empty batch with one reference, or NULL: all are in use, or no memory. */
struct ss_batch *ss_batch_get(struct ss_batch_pool *pool);
void ss_batch_ref(struct ss_batch *batch);
/** Drop a reference; the last one returns the batch to its pool. NULL is allowed. */
void ss_batch_put(struct ss_batch *batch);

/** Make room for @n more rows of a table. Returns 0 or -ENOMEM. */
int ss_batch_reserve(struct ss_batch *batch, enum ss_table_id table, size_t n);

/** The next row, zeroed; room must have been reserved. */
void *ss_batch_add(struct ss_batch *batch, enum ss_table_id table);

static inline const void *ss_rows_at(const struct ss_batch *batch, enum ss_table_id table, size_t i)
{
	return (const char *)batch->rows[table].data + i * ss_tables[table]->row_size;
}

#endif
