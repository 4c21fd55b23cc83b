/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CSV: samples go to the file itself; the other tables go to siblings of a regular file,
 * "x.ticks.csv" beside "x.csv", each made when its first row comes. Anything else (a pipe, a
 * terminal) gets samples only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sink/file.h"
#include "sink/row.h"

struct ss_sink {
	const char *path;
	struct ss_layout layout[SS_TABLE_COUNT];
	int fd[SS_TABLE_COUNT];		/* -1: not open */
	bool headed;			/* the samples have their header */
	bool regular, terminal;
	struct ss_buf buf;
};

/* The path of a sibling, owned by the caller; NULL: no memory. */
static char *sibling_path(const char *path, const char *table)
{
	size_t len = strlen(path), suffix = strlen(".csv");
	char *sibling;

	if (len >= suffix && !strcmp(path + len - suffix, ".csv"))
		len -= suffix;
	if (asprintf(&sibling, "%.*s.%s.csv", (int)len, path, table) < 0)
		return NULL;
	return sibling;
}

/* Siblings of an earlier recording would pass for parts of this one. */
static int remove_siblings(const struct ss_sink *sink)
{
	char *path;

	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		if (t == SS_TABLE_SAMPLES)
			continue;
		path = sibling_path(sink->path, ss_tables[t]->name);
		if (!path)
			return -ENOMEM;
		unlink(path);
		free(path);
	}
	return 0;
}

static int csv_open(struct ss_sink **out, const struct ss_sink_config *config)
{
	struct ss_sink *sink = calloc(1, sizeof(*sink));
	int err = 0;

	if (!sink)
		return -ENOMEM;
	sink->path = config->path;
	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		sink->layout[t] = ss_layout_of(t, config);
		sink->fd[t] = -1;
	}
	err = ss_file_open(config->path);
	if (err < 0)
		goto out;
	sink->fd[SS_TABLE_SAMPLES] = err;
	sink->terminal = isatty(err);
	sink->regular = strcmp(config->path, "-") && ss_file_is_regular(err);
	err = sink->regular ? remove_siblings(sink) : 0;
out:
	if (err) {
		ss_file_close(sink->fd[SS_TABLE_SAMPLES]);
		free(sink);
	} else {
		*out = sink;
	}
	return err;
}

/* Tables beside the samples have files of their own, beside that of the samples. */
static bool csv_wants_waits(const struct ss_sink_config *config)
{
	return strcmp(config->path, "-");
}

static int open_sibling(struct ss_sink *sink, enum ss_table_id table)
{
	char *path = sibling_path(sink->path, ss_tables[table]->name);

	if (!path)
		return -ENOMEM;
	sink->fd[table] = ss_file_open(path);
	free(path);
	return sink->fd[table] < 0 ? sink->fd[table] : 0;
}

static int write_table(struct ss_sink *sink, const struct ss_batch *batch, enum ss_table_id table,
		       const struct ss_sink_loss *loss)
{
	const struct ss_layout *layout = &sink->layout[table];
	struct ss_tick_row tick;
	int err;

	if (sink->fd[table] < 0) {
		if (!sink->regular || !batch->rows[table].n)
			return 0;
		err = open_sibling(sink, table);
		if (err)
			return err;
		ss_row_csv_header(&sink->buf, layout);
	} else if (table == SS_TABLE_SAMPLES && !sink->headed) {
		/* Not before there is data: a run that fails to start leaves stdout empty. */
		ss_row_csv_header(&sink->buf, layout);
		sink->headed = true;
	}
	for (size_t i = 0; i < batch->rows[table].n; i++)
		ss_row_csv(&sink->buf, layout, ss_row_at(batch, table, i, loss, &tick),
			   sink->terminal);
	return ss_file_write(sink->fd[table], &sink->buf, true);
}

static int csv_write(struct ss_sink *sink, const struct ss_batch *batch,
		     const struct ss_sink_loss *loss)
{
	int err = 0;

	for (int t = 0; t < SS_TABLE_COUNT && !err; t++)
		err = write_table(sink, batch, t, loss);
	return err;
}

static int csv_close(struct ss_sink *sink)
{
	int err = 0, e;

	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		e = ss_file_close(sink->fd[t]);
		if (!err)
			err = e;
	}
	ss_buf_free(&sink->buf);
	free(sink);
	return err;
}

const struct ss_sink_ops ss_sink_csv = {
	.name = "csv",
	.suffix = ".csv",
	.help = "comma-separated values (RFC 4180) with a header line",
	.wants_waits = csv_wants_waits,
	.open = csv_open,
	.write = csv_write,
	.close = csv_close,
};
