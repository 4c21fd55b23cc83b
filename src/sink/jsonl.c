/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JSON, one object a line: the run first, then the rows of each tick, its tick row last.
 */
#include <errno.h>
#include <stdlib.h>

#include "sink/file.h"
#include "sink/row.h"

struct ss_sink {
	const struct ss_run_info *run;
	struct ss_layout layout[SS_TABLE_COUNT];
	bool described;		/* the run's line was written */
	int fd;
	struct ss_buf buf;
};

static int jsonl_open(struct ss_sink **out, const struct ss_sink_config *config)
{
	struct ss_sink *sink = calloc(1, sizeof(*sink));
	int fd;

	if (!sink)
		return -ENOMEM;
	sink->run = config->run;
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		sink->layout[t] = ss_layout_of(t, config);
	fd = ss_file_open(config->path);
	if (fd < 0) {
		free(sink);
		return fd;
	}
	sink->fd = fd;
	*out = sink;
	return 0;
}

static int jsonl_write(struct ss_sink *sink, const struct ss_batch *batch,
		       const struct ss_sink_loss *loss)
{
	struct ss_tick_row tick;

	/* Not before there is data: a run that fails to start leaves stdout empty. */
	if (!sink->described)
		ss_row_meta(&sink->buf, sink->run);
	sink->described = true;
	for (int t = 0; t < SS_TABLE_COUNT; t++)
		for (size_t i = 0; i < batch->rows[t].n; i++)
			ss_row_json(&sink->buf, &sink->layout[t],
				    ss_row_at(batch, t, i, loss, &tick));
	return ss_file_write(sink->fd, &sink->buf, false);
}

static int jsonl_close(struct ss_sink *sink)
{
	int err = ss_file_close(sink->fd);

	ss_buf_free(&sink->buf);
	free(sink);
	return err;
}

const struct ss_sink_ops ss_sink_jsonl = {
	.name = "jsonl",
	.suffix = ".jsonl",
	.help = "one JSON object a line, with a description of the run first",
	.open = jsonl_open,
	.write = jsonl_write,
	.close = jsonl_close,
};
