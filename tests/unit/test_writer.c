/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "sink/writer.h"

#define SEEN_MAX 64

/* A sink that stops in write() until it is let go, and remembers what it was given. */
struct ss_sink {
	sem_t entered, go;
	bool gated;
	int fail_write_at;	/* the n-th write fails, from 1; 0: none */
	int write_error, flush_error, close_error;
	int policy;
	sigset_t blocked;
	/* Written by the writer thread, read after close. */
	int n, flushes, closed;
	int64_t tick[SEEN_MAX], lost_batches, lost_rows;
	struct ss_sink_loss loss[SEEN_MAX];
};

static int fake_write(struct ss_sink *s, const struct ss_batch *batch,
		      const struct ss_sink_loss *loss)
{
	struct sched_param param;

	if (s->gated) {
		sem_post(&s->entered);
		while (sem_wait(&s->go))
			;
	} else {
		sched_yield();
	}
	pthread_getschedparam(pthread_self(), &s->policy, &param);
	pthread_sigmask(SIG_SETMASK, NULL, &s->blocked);
	if (s->n < SEEN_MAX) {
		s->tick[s->n] = batch->tick;
		s->loss[s->n] = *loss;
	}
	s->lost_batches += loss->batches;
	s->lost_rows += loss->rows;
	return ++s->n == s->fail_write_at ? s->write_error : 0;
}

static int fake_flush(struct ss_sink *s)
{
	s->flushes++;
	return s->flush_error;
}

static int fake_close(struct ss_sink *s)
{
	s->closed++;
	return s->close_error;
}

static const struct ss_sink_ops fake = {
	.name = "fake", .write = fake_write, .flush = fake_flush, .close = fake_close,
};

struct fixture {
	struct ss_sink sink;
	struct ss_batch_pool *pool;
	struct ss_writer *writer;
	int notify_fd;
};

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	sem_init(&f->sink.entered, 0, 0);
	sem_init(&f->sink.go, 0, 0);
	f->notify_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_int_equal(ss_batch_pool_new(&f->pool, 16), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	struct ss_batch *b[16];

	/* Every batch came back. */
	for (int i = 0; i < 16; i++) {
		b[i] = ss_batch_get(f->pool);
		assert_non_null(b[i]);
	}
	for (int i = 0; i < 16; i++)
		ss_batch_put(b[i]);
	ss_batch_pool_free(f->pool);
	close(f->notify_fd);
	sem_destroy(&f->sink.entered);
	sem_destroy(&f->sink.go);
	test_free(f);
	return 0;
}

static void start(struct fixture *f, size_t depth)
{
	assert_int_equal(ss_writer_new(&f->writer, &fake, &f->sink, depth, f->notify_fd), 0);
}

/* Offer a batch with @rows samples. */
static int offer(struct fixture *f, int64_t tick, int rows)
{
	struct ss_batch *b = ss_batch_get(f->pool);
	int err;

	assert_non_null(b);
	b->tick = tick;
	assert_int_equal(ss_batch_reserve(b, SS_TABLE_SAMPLES, rows), 0);
	for (int i = 0; i < rows; i++)
		ss_batch_add(b, SS_TABLE_SAMPLES);
	err = ss_writer_offer(f->writer, b);
	ss_batch_put(b);
	return err;
}

static void await_entry(struct fixture *f)
{
	while (sem_wait(&f->sink.entered))
		;
}

static void writer__close__writes_what_is_queued_in_order(void **state)
{
	struct fixture *f = *state;
	struct ss_writer_stats stats;

	start(f, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(offer(f, i, i), 0);
	assert_int_equal(ss_writer_close(f->writer, &stats), 0);
	assert_int_equal(f->sink.n, 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(f->sink.tick[i], i);
	assert_int_equal(stats.batches, 8);
	assert_int_equal(stats.rows, 28);
	assert_int_equal(stats.lost_batches, 0);
	assert_int_equal(stats.lost_rows, 0);
	assert_int_equal(f->sink.closed, 1);
	assert_true(f->sink.flushes >= 1);
}

static void writer__nothing_offered__closes_the_sink(void **state)
{
	struct fixture *f = *state;
	struct ss_writer_stats stats;

	start(f, 1);
	assert_int_equal(ss_writer_error(f->writer), 0);
	assert_int_equal(ss_writer_close(f->writer, &stats), 0);
	assert_int_equal(f->sink.n, 0);
	assert_int_equal(f->sink.closed, 1);
	assert_int_equal(stats.batches, 0);
	assert_int_equal(ss_writer_close(NULL, NULL), 0);
}

static void writer__full_queue__drops_and_tells_the_next_batch(void **state)
{
	struct fixture *f = *state;
	struct ss_writer_stats stats;

	f->sink.gated = true;
	start(f, 2);
	assert_int_equal(offer(f, 0, 1), 0);
	await_entry(f);
	assert_int_equal(offer(f, 1, 1), 0);
	assert_int_equal(offer(f, 2, 1), 0);
	assert_int_equal(offer(f, 3, 10), -ENOBUFS);
	assert_int_equal(offer(f, 4, 20), -ENOBUFS);
	sem_post(&f->sink.go);
	await_entry(f);		/* batch 1 is taken: there is room for one */
	assert_int_equal(offer(f, 5, 1), 0);
	assert_int_equal(offer(f, 6, 7), -ENOBUFS);
	for (int i = 0; i < 3; i++)
		sem_post(&f->sink.go);
	assert_int_equal(ss_writer_close(f->writer, &stats), 0);

	assert_int_equal(f->sink.n, 4);
	assert_int_equal(f->sink.tick[2], 2);
	assert_int_equal(f->sink.loss[2].batches, 0);
	assert_int_equal(f->sink.tick[3], 5);
	assert_int_equal(f->sink.loss[3].batches, 2);
	assert_int_equal(f->sink.loss[3].rows, 30);
	assert_int_equal(stats.batches, 4);
	assert_int_equal(stats.rows, 4);
	assert_int_equal(stats.lost_batches, 3);
	assert_int_equal(stats.lost_rows, 37);
}

static void writer__write_fails__notifies_and_drops_the_rest(void **state)
{
	struct fixture *f = *state;
	struct ss_writer_stats stats;
	uint64_t value;

	f->sink.gated = true;
	f->sink.fail_write_at = 2;
	f->sink.write_error = -ENOSPC;
	start(f, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(offer(f, i, 1), 0);
	assert_int_equal(ss_writer_error(f->writer), 0);
	assert_int_equal(read(f->notify_fd, &value, sizeof(value)), -1);
	sem_post(&f->sink.go);
	sem_post(&f->sink.go);
	await_entry(f);
	await_entry(f);
	/* The notification comes from inside the lock: wait for it without a time limit. */
	while (read(f->notify_fd, &value, sizeof(value)) < 0)
		sched_yield();
	assert_int_equal(ss_writer_error(f->writer), -ENOSPC);
	assert_int_equal(offer(f, 4, 5), -ENOBUFS);
	assert_int_equal(ss_writer_close(f->writer, &stats), -ENOSPC);
	assert_int_equal(f->sink.n, 2);
	assert_int_equal(f->sink.closed, 1);
	assert_int_equal(stats.batches, 1);
	assert_int_equal(stats.lost_batches, 4);
	assert_int_equal(stats.rows, 1);
	assert_int_equal(stats.lost_rows, 3 + 5);
}

static void writer__flush_fails__is_an_error(void **state)
{
	struct fixture *f = *state;

	f->sink.flush_error = -EIO;
	start(f, 1);
	assert_int_equal(offer(f, 0, 1), 0);
	assert_int_equal(ss_writer_close(f->writer, NULL), -EIO);
}

static void writer__sink_without_flush__is_written(void **state)
{
	static const struct ss_sink_ops plain = { .write = fake_write, .close = fake_close };
	struct fixture *f = *state;

	assert_int_equal(ss_writer_new(&f->writer, &plain, &f->sink, 1, f->notify_fd), 0);
	assert_int_equal(offer(f, 0, 1), 0);
	assert_int_equal(ss_writer_close(f->writer, NULL), 0);
	assert_int_equal(f->sink.n, 1);
	assert_int_equal(f->sink.flushes, 0);
}

static void writer__close_fails__is_told_unless_an_error_came_first(void **state)
{
	struct fixture *f = *state;

	f->sink.close_error = -EDQUOT;
	start(f, 1);
	assert_int_equal(offer(f, 0, 1), 0);
	assert_int_equal(ss_writer_close(f->writer, NULL), -EDQUOT);
	assert_int_equal(f->sink.n, 1);

	f->sink.n = 0;
	f->sink.fail_write_at = 1;
	f->sink.write_error = -EIO;
	start(f, 1);
	assert_int_equal(offer(f, 0, 1), 0);
	assert_int_equal(ss_writer_close(f->writer, NULL), -EIO);
	assert_int_equal(f->sink.closed, 2);
}

static void writer__thread__is_ordinary_and_takes_no_signals(void **state)
{
	struct fixture *f = *state;
	sigset_t before, after;

	pthread_sigmask(SIG_SETMASK, NULL, &before);
	start(f, 1);
	assert_int_equal(offer(f, 0, 1), 0);
	assert_int_equal(ss_writer_close(f->writer, NULL), 0);
	assert_int_equal(f->sink.policy, SCHED_OTHER);
	assert_int_equal(sigismember(&f->sink.blocked, SIGINT), 1);
	assert_int_equal(sigismember(&f->sink.blocked, SIGPIPE), 1);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_int_equal(sigismember(&after, SIGINT), sigismember(&before, SIGINT));
}

#define PRODUCERS 3
#define ROUNDS 3000

struct producer {
	struct fixture *f;
	pthread_t thread;
	int64_t offered, refused, rows;
};

static void *produce(void *arg)
{
	struct producer *p = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct ss_batch *b = ss_batch_get(p->f->pool);
		int rows = i % 4;

		if (!b)
			continue;
		b->tick = i;
		if (!ss_batch_reserve(b, SS_TABLE_SAMPLES, 4))
			for (int r = 0; r < rows; r++)
				ss_batch_add(b, SS_TABLE_SAMPLES);
		p->offered++;
		p->rows += rows;
		if (ss_writer_offer(p->f->writer, b))
			p->refused++;
		ss_batch_put(b);
	}
	return NULL;
}

/* Written and lost add up to what was offered, and the sink was told of each loss. */
static void writer__many_producers__lose_nothing_uncounted(void **state)
{
	struct producer p[PRODUCERS] = { 0 };
	struct fixture *f = *state;
	int64_t offered = 0, refused = 0, rows = 0;
	struct ss_writer_stats stats;

	start(f, 2);
	for (int i = 0; i < PRODUCERS; i++) {
		p[i].f = f;
		assert_int_equal(pthread_create(&p[i].thread, NULL, produce, &p[i]), 0);
	}
	for (int i = 0; i < ROUNDS; i++)
		assert_int_equal(ss_writer_error(f->writer), 0);
	for (int i = 0; i < PRODUCERS; i++) {
		pthread_join(p[i].thread, NULL);
		offered += p[i].offered;
		refused += p[i].refused;
		rows += p[i].rows;
	}
	/* One more gets through once there is room, and tells what is left to tell. */
	for (;;) {
		offered++;
		if (!offer(f, -1, 0))
			break;
		refused++;
		sched_yield();
	}
	assert_int_equal(ss_writer_close(f->writer, &stats), 0);
	assert_int_equal(stats.batches + stats.lost_batches, offered);
	assert_int_equal(stats.rows + stats.lost_rows, rows);
	assert_int_equal(stats.lost_batches, refused);
	assert_int_equal(f->sink.n, stats.batches);
	assert_int_equal(f->sink.lost_batches, stats.lost_batches);
	assert_int_equal(f->sink.lost_rows, stats.lost_rows);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writer__close__writes_what_is_queued_in_order),
		TEST(writer__nothing_offered__closes_the_sink),
		TEST(writer__full_queue__drops_and_tells_the_next_batch),
		TEST(writer__write_fails__notifies_and_drops_the_rest),
		TEST(writer__flush_fails__is_an_error),
		TEST(writer__sink_without_flush__is_written),
		TEST(writer__close_fails__is_told_unless_an_error_came_first),
		TEST(writer__thread__is_ordinary_and_takes_no_signals),
		TEST(writer__many_producers__lose_nothing_uncounted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
