/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A directory of CSV files, one a table, minute and thread, so that a long recording of many
 * threads can be read in parts:
 *
 *	DIR/<start>/meta.json
 *	DIR/<start>/global/<table>/<minute>.csv
 *	DIR/<start>/thread/<pid>/<tid>/<table>/<minute>.csv
 *
 * <start> is RFC 3339 in UTC with milliseconds; <minute> is UTC as in 2026-11-22T20-46Z, which
 * sorts and is legal on all file systems.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "sink/file.h"
#include "sink/row.h"

#define BUCKETS 8192
#define PATH_SIZE 128		/* below DIR/<start>: numbers and names of ours */

struct file {
	struct ss_fdent ent;
	int64_t minute;		/* of the open file */
};

/* The files of a thread; of the global tables in the one with pid 0. */
struct node {
	struct node *next;	/* in its bucket */
	int32_t pid, tid;
	bool ended;		/* its last rows are in this batch */
	int64_t used;		/* minute of the last batch with a row */
	struct file file[SS_TABLE_COUNT];
};

struct ss_sink {
	struct ss_layout layout[SS_TABLE_COUNT];
	struct ss_fdcache files;
	int root;		/* DIR/<start> */
	bool sweep;		/* there may be nodes that are no longer needed */
	int64_t minute;		/* of the batch */
	struct node *bucket[BUCKETS];
	struct ss_buf buf;
};

/* The rows of one file that are being gathered in sink->buf. */
struct group {
	struct node *node;	/* NULL: none yet */
	enum ss_table_id table;
	int64_t minute;
	int fd;
	bool cached;		/* fd belongs to the cache */
};

static int64_t number(enum ss_table_id table, const char *column, const void *row)
{
	return ss_row_number(ss_column_find(ss_tables[table], column), row);
}

static int64_t minute_of(int64_t time_ns)
{
	const int64_t length = 60 * SS_NSEC_PER_SEC;

	return time_ns / length - (time_ns % length < 0);
}

/* Names an instant given in minutes since 1970. */
static void minute_name(int64_t minute, char *name, size_t size)
{
	time_t t = minute * 60;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(name, size, "%Y-%m-%dT%H-%MZ", &tm);
}

static struct node *node_get(struct ss_sink *sink, int32_t pid, int32_t tid)
{
	struct node **bucket = &sink->bucket[(uint32_t)tid % BUCKETS], *node;

	for (node = *bucket; node; node = node->next)
		if (node->tid == tid && node->pid == pid)
			return node;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	node->pid = pid;
	node->tid = tid;
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		ss_fdent_init(&node->file[t].ent);
	node->next = *bucket;
	*bucket = node;
	return node;
}

static int node_close(struct ss_sink *sink, struct node *node)
{
	int err = 0, e;

	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		e = ss_fdcache_drop(&sink->files, &node->file[t].ent);
		if (!err)
			err = e;
	}
	free(node);
	return err;
}

/* Forget threads that ended or had no row for a minute: threads come and go without end. */
static int sweep(struct ss_sink *sink)
{
	struct node **link, *node;
	int err = 0, e;

	for (size_t i = 0; i < BUCKETS; i++) {
		for (link = &sink->bucket[i]; (node = *link);) {
			if (!node->ended && node->used >= sink->minute) {
				link = &node->next;
				continue;
			}
			*link = node->next;
			e = node_close(sink, node);
			if (!err)
				err = e;
		}
	}
	sink->sweep = false;
	return err;
}

/* openat(2) for appending; the folders on the way are made when the first try misses them. */
static int open_below(int root, char *path)
{
	const int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC;
	int fd = openat(root, path, flags, 0666);

	if (fd < 0 && errno == ENOENT) {
		for (char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
			*p = '\0';
			if (mkdirat(root, path, 0777) && errno != EEXIST)
				return -errno;
			*p = '/';
		}
		fd = openat(root, path, flags, 0666);
	}
	return fd < 0 ? -errno : fd;
}

static void group_path(const struct group *g, char *path, size_t size)
{
	const char *table = ss_tables[g->table]->name;
	char minute[64];

	minute_name(g->minute, minute, sizeof(minute));
	if (g->node->pid)
		snprintf(path, size, "thread/%d/%d/%s/%s.csv", g->node->pid, g->node->tid, table,
			 minute);
	else
		snprintf(path, size, "global/%s/%s.csv", table, minute);
}

/* Open the group's file; without a place in the cache it is closed at the end of the group. */
static int group_begin(struct ss_sink *sink, struct group *g)
{
	struct file *file = &g->node->file[g->table];
	char path[PATH_SIZE];
	struct stat st;
	int err = 0;

	g->node->used = sink->minute;
	g->cached = true;
	if (file->minute != g->minute)
		err = ss_fdcache_drop(&sink->files, &file->ent);
	if (err)
		return err;
	file->minute = g->minute;
	g->fd = ss_fdcache_get(&sink->files, &file->ent);
	if (g->fd >= 0)
		return 0;

	g->cached = !ss_fdcache_reserve(&sink->files);
	group_path(g, path, sizeof(path));
	g->fd = open_below(sink->root, path);
	if (g->cached && g->fd >= 0)
		ss_fdcache_put(&sink->files, &file->ent, g->fd);
	else if (g->cached)
		ss_fdcache_unreserve(&sink->files);
	if (g->fd < 0)
		return g->fd;
	if (!fstat(g->fd, &st) && !st.st_size)
		ss_row_csv_header(&sink->buf, &sink->layout[g->table]);
	return 0;
}

static int group_end(struct ss_sink *sink, struct group *g)
{
	int err, e;

	if (!g->node)
		return 0;
	err = ss_file_write(g->fd, &sink->buf, true);
	if (!g->cached) {
		e = ss_file_close(g->fd);
		if (!err)
			err = e;
	}
	g->node = NULL;
	return err;
}

/* Go to the file of @row; rows of one file are neighbours, so each is written once a batch. */
static int group_switch(struct ss_sink *sink, struct group *g, enum ss_table_id table,
			const void *row)
{
	bool per_thread = !strcmp(ss_tables[table]->scope, "thread");
	int32_t pid = per_thread ? (int32_t)number(table, "pid", row) : 0;
	int32_t tid = per_thread ? (int32_t)number(table, "tid", row) : 0;
	int64_t minute = minute_of(number(table, "time_ns", row));
	int err;

	if (g->node && g->node->pid == pid && g->node->tid == tid && g->table == table &&
	    g->minute == minute)
		return 0;
	err = group_end(sink, g);
	if (err)
		return err;
	*g = (struct group){ .node = node_get(sink, pid, tid), .table = table, .minute = minute };
	if (!g->node)
		return -ENOMEM;
	err = group_begin(sink, g);
	if (err)
		g->node = NULL;
	return err;
}

static int write_table(struct ss_sink *sink, struct group *g, const struct ss_batch *batch,
		       enum ss_table_id table, const struct ss_sink_loss *loss)
{
	struct ss_tick_row tick;
	const void *row;
	int err;

	for (size_t i = 0; i < batch->rows[table].n; i++) {
		row = ss_row_at(batch, table, i, loss, &tick);
		err = group_switch(sink, g, table, row);
		if (err)
			return err;
		ss_row_csv(&sink->buf, &sink->layout[table], row, false);
		if (table == SS_TABLE_SAMPLES &&
		    ((const struct ss_sample *)row)->event & SS_EVENT_EXIT)
			g->node->ended = sink->sweep = true;
	}
	return 0;
}

static int tree_write(struct ss_sink *sink, const struct ss_batch *batch,
		      const struct ss_sink_loss *loss)
{
	struct group g = { 0 };
	int err = 0, e;

	ss_fdcache_next_round(&sink->files);
	if (minute_of(batch->time_ns) != sink->minute)
		sink->sweep = true;
	sink->minute = minute_of(batch->time_ns);
	for (int t = 0; t < SS_TABLE_COUNT && !err; t++)
		err = write_table(sink, &g, batch, t, loss);
	e = group_end(sink, &g);
	if (!err)
		err = e;
	if (!err && sink->sweep)
		err = sweep(sink);
	return err ? err : sink->files.error;
}

static int tree_close(struct ss_sink *sink)
{
	int err;

	ss_fdcache_clear(&sink->files);
	err = sink->files.error;
	for (size_t i = 0; i < BUCKETS; i++) {
		while (sink->bucket[i]) {
			struct node *node = sink->bucket[i];

			sink->bucket[i] = node->next;
			free(node);
		}
	}
	close(sink->root);	/* a directory: nothing to lose */
	ss_buf_free(&sink->buf);
	free(sink);
	return err;
}

static int write_meta(struct ss_sink *sink, const struct ss_run_info *run)
{
	int fd = openat(sink->root, "meta.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	int err, e;

	if (fd < 0)
		return -errno;
	ss_row_meta(&sink->buf, run);
	err = ss_file_write(fd, &sink->buf, false);
	e = ss_file_close(fd);
	if (!err)
		err = e;
	if (err)
		unlinkat(sink->root, "meta.json", 0);
	return err;
}

/*
 * Make DIR/<start>, which must be new, so that two recordings never mix, and enter it. @dir is
 * the descriptor of DIR.
 */
static int make_root(struct ss_sink *sink, int dir, const struct ss_run_info *run)
{
	time_t t = run->start_real_ns / SS_NSEC_PER_SEC;
	int ms = run->start_real_ns % SS_NSEC_PER_SEC / SS_NSEC_PER_MSEC;
	char second[64], start[96];
	struct tm tm;
	int err;

	gmtime_r(&t, &tm);
	strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(start, sizeof(start), "%s.%03dZ", second, ms);
	if (mkdirat(dir, start, 0777))
		return -errno;
	sink->root = openat(dir, start, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = sink->root < 0 ? -errno : write_meta(sink, run);
	if (err) {
		ss_file_close(sink->root);
		unlinkat(dir, start, AT_REMOVEDIR);
	}
	return err;
}

static int tree_open(struct ss_sink **out, const struct ss_sink_config *config)
{
	struct ss_sink *sink = calloc(1, sizeof(*sink));
	bool made;
	int dir, err;

	if (!sink)
		return -ENOMEM;
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		sink->layout[t] = ss_layout_of(t, config);
	ss_fdcache_init(&sink->files, config->budget);
	made = !mkdir(config->path, 0777);
	if (!made && errno != EEXIST) {
		err = -errno;
		goto out;
	}
	dir = open(config->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	err = dir < 0 ? -errno : make_root(sink, dir, config->run);
	ss_file_close(dir);
	if (err && made)
		rmdir(config->path);
out:
	if (err) {
		ss_buf_free(&sink->buf);
		free(sink);
	} else {
		*out = sink;
	}
	return err;
}

const struct ss_sink_ops ss_sink_tree = {
	.name = "tree",
	.help = "a directory of CSV files, one a table, minute and thread",
	.open = tree_open,
	.write = tree_write,
	.close = tree_close,
};
