/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/writer.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "base/mutex.h"

/* A queued batch, and what was dropped between the one before and it. */
struct slot {
	struct ss_batch *batch;
	struct ss_sink_loss loss;
};

struct ss_writer {
	const struct ss_sink_ops *ops;
	struct ss_sink *sink;		/* the writer thread's until it is joined */
	int notify_fd;
	pthread_t thread;
	pthread_mutex_t lock;		/* of all below; never held across a call of the sink */
	pthread_cond_t wake;		/* a batch came, or closing */
	bool closing;
	int error;			/* what ended the sink; then the thread is gone */
	struct ss_writer_stats stats;
	struct ss_sink_loss pending;	/* dropped since the last batch that was queued */
	size_t first, n, depth;
	struct slot ring[];
};

static int64_t rows_of(const struct ss_batch *batch)
{
	return (int64_t)batch->rows[SS_TABLE_SAMPLES].n;
}

static void count_lost(struct ss_writer *w, int64_t rows)
{
	w->stats.lost_batches++;
	w->stats.lost_rows += rows;
	w->pending.batches++;
	w->pending.rows += rows;
}

static struct slot take_first(struct ss_writer *w)
{
	struct slot slot = w->ring[w->first];

	w->first = (w->first + 1) % w->depth;
	w->n--;
	return slot;
}

/* The sink failed: what is queued can no longer be written. */
static void fail(struct ss_writer *w, int err, int64_t rows)
{
	struct slot slot;

	w->error = err;
	count_lost(w, rows);
	while (w->n) {
		slot = take_first(w);
		count_lost(w, rows_of(slot.batch));
		ss_batch_put(slot.batch);
	}
	eventfd_write(w->notify_fd, 1);
}

static void *write_queue(void *arg)
{
	struct ss_writer *w = arg;
	struct slot slot;
	int64_t rows;
	bool last;
	int err;

	/* Where real time was refused, the sampling thread may have a nice value to inherit. */
	if (getpriority(PRIO_PROCESS, 0) < 0)
		setpriority(PRIO_PROCESS, 0, 0);
	pthread_mutex_lock(&w->lock);
	while (!w->error) {
		while (!w->n && !w->closing)
			pthread_cond_wait(&w->wake, &w->lock);
		if (!w->n)
			break;
		slot = take_first(w);
		last = !w->n;
		pthread_mutex_unlock(&w->lock);

		err = w->ops->write(w->sink, slot.batch, &slot.loss);
		if (!err && last && w->ops->flush)
			err = w->ops->flush(w->sink);
		rows = rows_of(slot.batch);
		ss_batch_put(slot.batch);

		pthread_mutex_lock(&w->lock);
		if (err) {
			fail(w, err, rows);
		} else {
			w->stats.batches++;
			w->stats.rows += rows;
		}
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

/* The caller may be a real-time thread; its writers must not be. Signals are the caller's. */
static int start_thread(struct ss_writer *w)
{
	struct sched_param param = { 0 };
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setinheritsched(&attr, PTHREAD_EXPLICIT_SCHED);
	pthread_attr_setschedpolicy(&attr, SCHED_OTHER);
	pthread_attr_setschedparam(&attr, &param);
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	err = pthread_create(&w->thread, &attr, write_queue, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return -err;
}

static void destroy(struct ss_writer *w)
{
	pthread_cond_destroy(&w->wake);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

int ss_writer_new(struct ss_writer **writer, const struct ss_sink_ops *ops, struct ss_sink *sink,
		  size_t depth, int notify_fd)
{
	struct ss_writer *w = calloc(1, sizeof(*w) + depth * sizeof(w->ring[0]));
	int err;

	if (!w)
		return -ENOMEM;
	w->ops = ops;
	w->sink = sink;
	w->depth = depth;
	w->notify_fd = notify_fd;
	ss_mutex_init(&w->lock);
	pthread_cond_init(&w->wake, NULL);
	err = start_thread(w);
	if (err)
		destroy(w);
	else
		*writer = w;
	return err;
}

int ss_writer_offer(struct ss_writer *writer, struct ss_batch *batch)
{
	struct ss_writer *w = writer;
	int err = 0;

	pthread_mutex_lock(&w->lock);
	if (w->error || w->n == w->depth) {
		count_lost(w, rows_of(batch));
		err = -ENOBUFS;
	} else {
		ss_batch_ref(batch);
		w->ring[(w->first + w->n++) % w->depth] = (struct slot){ batch, w->pending };
		w->pending = (struct ss_sink_loss){ 0 };
	}
	pthread_mutex_unlock(&w->lock);
	/* Not before: on another CPU it would be there at once, and both would wait for the lock. */
	if (!err)
		pthread_cond_signal(&w->wake);
	return err;
}

int ss_writer_error(struct ss_writer *writer)
{
	int err;

	pthread_mutex_lock(&writer->lock);
	err = writer->error;
	pthread_mutex_unlock(&writer->lock);
	return err;
}

int ss_writer_close(struct ss_writer *writer, struct ss_writer_stats *stats)
{
	struct ss_writer *w = writer;
	int err;

	if (!w)
		return 0;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_signal(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);

	err = w->ops->close(w->sink);
	if (w->error)
		err = w->error;
	if (stats)
		*stats = w->stats;
	destroy(w);
	return err;
}
