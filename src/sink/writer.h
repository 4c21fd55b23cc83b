/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The writer thread of one sink, behind a bounded queue. Offering a batch never blocks: when the
 * queue is full the batch is dropped for this sink and counted; the count is written into the
 * tick row of the next batch that gets through.
 */
#ifndef SS_SINK_WRITER_H
#define SS_SINK_WRITER_H

#include "sink/sink.h"

struct ss_writer;

struct ss_writer_stats {
	int64_t batches, rows;			/* written */
	int64_t lost_batches, lost_rows;	/* dropped at the queue */
};

/**
 * Take ownership of an open sink and start its thread (SCHED_OTHER, all signals blocked). @depth:
 * batches the queue can hold. @notify_fd: an eventfd (borrowed) that is written to when the sink
 * fails. On error the sink stays the caller's. Returns 0 or negative errno.
 */
int ss_writer_new(struct ss_writer **writer, const struct ss_sink_ops *ops, struct ss_sink *sink,
		  size_t depth, int notify_fd);

/** Queue a reference to @batch. Returns 0, or -ENOBUFS when it was dropped. Any thread. */
int ss_writer_offer(struct ss_writer *writer, struct ss_batch *batch);

/** 0, or the error that ended the sink (write or flush). */
int ss_writer_error(struct ss_writer *writer);

/**
 * Write what is queued, close the sink, join the thread, free. @stats may be NULL. Returns 0 or
 * the first error, which can come from close itself. NULL is allowed.
 */
int ss_writer_close(struct ss_writer *writer, struct ss_writer_stats *stats);

#endif
