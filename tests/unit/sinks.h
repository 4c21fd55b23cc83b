/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests of sinks share: a fresh directory, a batch with known rows, and files read back.
 */
#ifndef TESTS_UNIT_SINKS_H
#define TESTS_UNIT_SINKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sink/sink.h"

#define T0_NS 1795380392123000000LL	/* 2026-11-22T20:46:32.123Z */
#define ALL_PARTS \
	(SS_PART_RUN | SS_PART_RQ | SS_PART_SLEEP | SS_PART_BLOCK | SS_PART_IOWAIT | \
	 SS_PART_STOP | SS_PART_SWITCHES | SS_PART_CPU)

/* Names that try to break a format: quoting, lines, terminals, encodings, direction. */
#define HOSTILE_COMM "a\"b,c\n\x1b[2J\xff\xe2\x80\xae" "d"

static const struct ss_sink_loss no_loss;

struct sinks {
	char dir[256];
	struct ss_caps caps;
	struct ss_run_info run;
	struct ss_fdbudget budget;
	struct ss_sink_config config;
	struct ss_batch_pool *pool;
	struct ss_batch *batch;
	char path[512];		/* of the last call of in_dir() */
};

static inline const char *in_dir(struct sinks *f, const char *name)
{
	snprintf(f->path, sizeof(f->path), "%s/%s", f->dir, name);
	return f->path;
}

static inline int sinks_setup(void **state)
{
	static char *argv[] = { "schedsampler", "-p", "1 \"x\"", NULL };
	struct sinks *f = calloc(1, sizeof(*f));
	const char *tmp = getenv("TMPDIR");

	setenv("TZ", "UTC", 1);
	tzset();
	setlocale(LC_CTYPE, "C.UTF-8");
	snprintf(f->dir, sizeof(f->dir), "%s/ss-sink-XXXXXX", tmp ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	ss_caps_set(&f->caps, "taskstats", SS_CAP_NO, "EPERM", "delays", "run as \"root\"");
	f->run = (struct ss_run_info){
		.schema = SS_SCHEMA_VERSION, .version = "1.0", .source = "procfs",
		.kernel = "6.1.0", .host = "host", .argc = 3, .argv = argv,
		.start_real_ns = T0_NS, .start_mono_ns = 1000, .interval_ns = 50000000,
		.caps = &f->caps,
	};
	f->budget.size = 64;
	atomic_init(&f->budget.left, 64);
	f->config = (struct ss_sink_config){
		.idle = true, .budget = &f->budget, .run = &f->run,
	};
	assert_int_equal(ss_batch_pool_new(&f->pool, 1), 0);
	f->batch = ss_batch_get(f->pool);
	*state = f;
	return 0;
}

static inline void remove_below(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	char *child;

	while (dir && (e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		assert_true(asprintf(&child, "%s/%s", path, e->d_name) > 0);
		if (e->d_type == DT_DIR)
			remove_below(child);
		else
			unlink(child);
		free(child);
	}
	if (dir)
		closedir(dir);
	rmdir(path);
}

static inline int sinks_teardown(void **state)
{
	struct sinks *f = *state;

	ss_batch_put(f->batch);
	ss_batch_pool_free(f->pool);
	remove_below(f->dir);
	free(f);
	return 0;
}

/* Begin the batch of @tick, with its tick row. */
static inline struct ss_tick_row *begin_tick(struct sinks *f, int64_t tick)
{
	struct ss_batch *b = f->batch;
	struct ss_tick_row *row;

	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		b->rows[t].n = 0;
		assert_int_equal(ss_batch_reserve(b, t, 16), 0);
	}
	b->tick = tick;
	b->time_ns = T0_NS + tick * 50000000;
	b->mono_ns = 1000 + tick * 50000000;
	row = ss_batch_add(b, SS_TABLE_TICKS);
	row->tick = tick;
	row->time_ns = b->time_ns;
	row->threads = 2;
	return row;
}

/* A sample of 50 ms: 1 ms on a CPU, 49 ms asleep; everything measured. */
static inline struct ss_sample *add_sample(struct sinks *f, int32_t pid, int32_t tid,
					   const char *comm)
{
	struct ss_sample *s = ss_batch_add(f->batch, SS_TABLE_SAMPLES);

	s->have = ALL_PARTS;
	s->pid = pid;
	s->tid = tid;
	s->cpu = 3;
	s->quality = SS_QUALITY_SNAPSHOT;
	snprintf(s->comm, sizeof(s->comm), "%s", comm);
	s->tick = f->batch->tick;
	s->time_ns = f->batch->time_ns;
	s->mono_ns = f->batch->mono_ns;
	s->wall_ns = 50000000;
	s->run_ns = 1000000;
	s->sleep_ns = 49000000;
	s->nvcsw = 5;
	s->nivcsw = 6;
	return s;
}

/* Of that thread and 20 ms: two waits in read(2) that an interrupt ended, 12 and 9 ms long. */
static inline struct ss_wait_row *add_wait(struct sinks *f, int32_t pid, int32_t tid,
					   int64_t resource)
{
	struct ss_wait_row *w = ss_batch_add(f->batch, SS_TABLE_WAITS);

	w->have = SS_WAIT_RESOURCE | SS_WAIT_CALL | SS_WAIT_ENDED | SS_WAIT_MAX | SS_WAIT_WAKER;
	w->pid = pid;
	w->tid = tid;
	w->tick = f->batch->tick;
	w->time_ns = f->batch->time_ns;
	w->kind = SS_WAIT_PIPE;
	w->quality = SS_QUALITY_EXACT;
	w->syscall = SYS_read;
	w->resource = resource;
	w->wait_ns = 20000000;
	w->count = 2;
	w->ended_ns = 21000000;
	w->max_ns = 12000000;
	w->hist[14] = 2;
	strcpy(w->waker, "interrupt");
	return w;
}

/* That it was ended by a thread. */
static inline void set_waker(struct ss_wait_row *w, int32_t pid, int32_t tid)
{
	w->have |= SS_WAIT_WAKER_THREAD;
	strcpy(w->waker, "thread");
	w->waker_pid = pid;
	w->waker_tid = tid;
}

static inline struct ss_resource_row *add_resource(struct sinks *f, int64_t id, const char *name)
{
	struct ss_resource_row *r = ss_batch_add(f->batch, SS_TABLE_RESOURCES);

	r->have = SS_RESOURCE_NAME;
	r->tick = f->batch->tick;
	r->time_ns = f->batch->time_ns;
	r->id = id;
	r->object = SS_OBJECT_PIPE;
	r->key[0] = 4711;
	r->key[1] = 12;
	snprintf(r->name, sizeof(r->name), "%s", name);
	return r;
}

static inline struct ss_wake_row *add_wake(struct sinks *f, int32_t pid, int32_t tid)
{
	struct ss_wake_row *w = ss_batch_add(f->batch, SS_TABLE_WAKES);

	w->pid = pid;
	w->tid = tid;
	w->waker_pid = 20;
	w->waker_tid = 21;
	w->tick = f->batch->tick;
	w->time_ns = f->batch->time_ns;
	w->kind = SS_WAIT_PIPE;
	w->count = 2;
	w->ended_wait_ns = 21000000;
	return w;
}

/* The whole file, NUL-terminated; the caller frees it. NULL: there is none. */
static inline char *slurp(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	if (!file)
		return NULL;
	n = getdelim(&text, &size, '\0', file);
	fclose(file);
	if (n < 0) {
		free(text);
		return strdup("");
	}
	return text;
}

static inline void check_file(const char *path, const char *expected)
{
	char *text = slurp(path);

	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
}

static inline size_t count_lines(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

/* From here on no file of this process grows beyond @bytes: as on a disk that is full. */
static inline void limit_files(size_t bytes, struct rlimit *saved)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, saved), 0);
	limit = *saved;
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline void unlimit_files(const struct rlimit *saved)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, saved), 0);
}

/* Run @ops on one batch and close it. */
static inline void write_once(struct sinks *f, const struct ss_sink_ops *ops, const char *path,
			      const struct ss_sink_loss *loss)
{
	struct ss_sink *sink;

	f->config.path = path;
	assert_int_equal(ops->open(&sink, &f->config), 0);
	assert_int_equal(ops->write(sink, f->batch, loss), 0);
	assert_int_equal(ops->close(sink), 0);
}

#endif
