/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text for people: one aligned line a thread and tick, each with its time, so that grep and awk
 * work. Shares are percentages of the wall time. An exact zero prints as 0 and a missing value as
 * -, so that 0.00 always means: there was a little.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "sink/file.h"
#include "sink/row.h"
#include "sink/text.h"

#define DIM "\033[2m"
#define BOLD "\033[1m"
#define YELLOW "\033[33m"
#define RED "\033[1;31m"
#define RESET "\033[0m"

struct ss_sink {
	struct ss_layout layout;	/* of --columns */
	const struct ss_run_info *run;
	bool idle, color, started;
	int height;			/* of the screen; 0: not a terminal */
	int64_t lines;			/* printed since the last header, with it */
	int fd;
	struct ss_buf buf;
	const struct ss_sample **order;	/* owned; room for @cap samples of a batch */
	size_t cap;
	struct ss_text_waits *waits;	/* NULL: not shown */
};

/* The parts of the wall time, in the order of their columns. */
static const struct share {
	const char *label;
	size_t offset;
	uint32_t have;
	int notable;			/* hundredths of a percent; highlighted from there on */
	const char *highlight;
} shares[] = {
#define SHARE(label, field, have, notable, highlight) \
	{ label, offsetof(struct ss_sample, field), have, notable, highlight }
	SHARE("%run", run_ns, SS_PART_RUN, 5000, BOLD),
	SHARE("%rq", rq_ns, SS_PART_RQ, 1000, RED),
	SHARE("%sleep", sleep_ns, SS_PART_SLEEP, INT32_MAX, ""),
	SHARE("%block", block_ns, SS_PART_BLOCK, 1000, RED),
	SHARE("%io", iowait_ns, SS_PART_IOWAIT, 1000, RED),
	SHARE("%stop", stop_ns, SS_PART_STOP, 1000, YELLOW),
	SHARE("%resid", residual_ns, 0, 100, YELLOW),
};

static const char *const quality_words[SS_QUALITY_COUNT] = {
	[SS_QUALITY_EXACT] = "exact",
	[SS_QUALITY_REPAIRED] = "repair",
	[SS_QUALITY_SNAPSHOT] = "snap",
	[SS_QUALITY_ESTIMATE] = "est",
	[SS_QUALITY_COUNTER] = "count",
	[SS_QUALITY_SAMPLED] = "sample",
};

static void put_spaces(struct ss_buf *b, int n)
{
	while (n-- > 0)
		ss_buf_char(b, ' ');
}

static int64_t share_ns(const struct share *share, const struct ss_sample *s)
{
	return *(const int64_t *)((const char *)s + share->offset);
}

void ss_text_hundredths(char *text, size_t size, int64_t hundredths, bool negative)
{
	int64_t rest = hundredths < 0 ? -hundredths : hundredths;

	snprintf(text, size, "%s%" PRId64 ".%02d", negative ? "-" : "", rest / 100,
		 (int)(rest % 100));
}

int64_t ss_text_share(int64_t ns, int64_t wall_ns)
{
	double share = 1e4 * ns / wall_ns;

	if (share > 1e9 || share < -1e9)
		return share > 0 ? 1000000000 : -1000000000;
	return (int64_t)(share + (share < 0 ? -0.5 : 0.5));
}

static void put_share(struct ss_sink *sink, const struct share *share, const struct ss_sample *s)
{
	bool present = !share->have || (s->have & share->have);
	int64_t ns = share_ns(share, s), hundredths;
	const char *color = "";
	char text[32];

	if (!present || s->wall_ns <= 0) {
		strcpy(text, "-");
	} else if (!ns) {
		strcpy(text, "0");
		color = DIM;
	} else {
		hundredths = ss_text_share(ns, s->wall_ns);
		if (ns == s->wall_ns)
			strcpy(text, "100");
		else
			ss_text_hundredths(text, sizeof(text), hundredths, ns < 0);
		if (llabs(hundredths) >= share->notable)
			color = share->highlight;
	}
	if (!sink->color)
		color = "";
	ss_buf_printf(&sink->buf, " %s%6s%s", color, text, *color ? RESET : "");
}

static void put_count(struct ss_buf *b, bool present, int width, int64_t count)
{
	if (present)
		ss_buf_printf(b, " %*" PRId64, width, count);
	else
		ss_buf_printf(b, " %*s", width, "-");
}

/* HH:MM:SS.mmm, local time */
static void put_time(struct ss_buf *b, int64_t time_ns)
{
	time_t t = time_ns / SS_NSEC_PER_SEC;
	int ms = time_ns % SS_NSEC_PER_SEC / SS_NSEC_PER_MSEC;
	struct tm tm = { 0 };

	localtime_r(&t, &tm);
	ss_buf_printf(b, "%02d:%02d:%02d.%03d", tm.tm_hour, tm.tm_min, tm.tm_sec, ms);
}

static const char *event_mark(unsigned int event)
{
	static const char *const marks[] = { ".", "+", "-", "+-" };

	return marks[event & (SS_EVENT_START | SS_EVENT_EXIT)];
}

static void put_sample(struct ss_sink *sink, const struct ss_sample *s)
{
	struct ss_buf *b = &sink->buf;
	char wall[32];

	put_time(b, s->time_ns);
	ss_text_hundredths(wall, sizeof(wall), s->wall_ns / (SS_NSEC_PER_MSEC / 100),
			   s->wall_ns < 0);
	ss_buf_printf(b, " %7d %7d %8s", s->pid, s->tid, wall);
	for (size_t i = 0; i < SS_ARRAY_SIZE(shares); i++)
		put_share(sink, &shares[i], s);
	put_count(b, s->have & SS_PART_SWITCHES, 5, s->nvcsw);
	put_count(b, s->have & SS_PART_SWITCHES, 5, s->nivcsw);
	put_count(b, s->have & SS_PART_CPU, 3, s->cpu);
	ss_buf_printf(b, " %-2s %-6s ", event_mark(s->event),
		      s->quality < SS_QUALITY_COUNT ? quality_words[s->quality] : "?");
	ss_buf_term(b, s->comm);
	ss_buf_char(b, '\n');
}

static void put_sample_header(struct ss_buf *b)
{
	ss_buf_printf(b, "%-12s %7s %7s %8s", "TIME", "PID", "TID", "WALLms");
	for (size_t i = 0; i < SS_ARRAY_SIZE(shares); i++)
		ss_buf_printf(b, " %6s", shares[i].label);
	ss_buf_printf(b, " %5s %5s %3s %-2s %-6s %s\n", "VCSW", "ICSW", "CPU", "EV", "QUAL",
		      "COMMAND");
}

/* Room for what the column usually holds; a longer value moves its line, never loses a digit. */
static int column_width(const struct ss_column *column)
{
	static const int of_type[] = {
		[SS_TYPE_S64] = 8, [SS_TYPE_S32] = 7, [SS_TYPE_TEXT] = 15,
		[SS_TYPE_EVENT] = 10, [SS_TYPE_QUALITY] = 8,
	};
	int width = of_type[column->type], name = (int)strlen(column->name);

	if (!strcmp(column->name, "time_ns") || !strcmp(column->name, "mono_ns"))
		width = 19;
	else if (!strcmp(column->unit, "ns"))
		width = 11;
	return name > width ? name : width;
}

static bool is_left(const struct ss_column *column)
{
	return column->type != SS_TYPE_S64 && column->type != SS_TYPE_S32;
}

/* One cell of --columns. The last of a line has no blanks behind it. */
static void put_cell(struct ss_sink *sink, size_t i, const char *text)
{
	const struct ss_column *column = ss_layout_column(&sink->layout, i);
	struct ss_buf *b = &sink->buf;
	int width = column_width(column);

	if (is_left(column)) {
		width -= ss_buf_term(b, text);
		if (i + 1 < sink->layout.n)
			put_spaces(b, width);
	} else {
		ss_buf_printf(b, "%*s", width, text);
	}
	ss_buf_char(b, i + 1 < sink->layout.n ? ' ' : '\n');
}

static void put_columns(struct ss_sink *sink, const struct ss_sample *s)
{
	char room[SS_ROW_ROOM];

	for (size_t i = 0; i < sink->layout.n; i++) {
		const struct ss_column *column = ss_layout_column(&sink->layout, i);
		const char *text = room;

		if (!ss_column_present(&ss_table_samples, column, s))
			text = "-";
		else if (column->type == SS_TYPE_EVENT && !s->event)
			text = ".";
		else if (is_left(column))
			text = ss_row_text(column, s, room);
		else
			snprintf(room, sizeof(room), "%" PRId64, ss_row_number(column, s));
		put_cell(sink, i, text);
	}
}

static void put_header(struct ss_sink *sink)
{
	if (!sink->layout.picked)
		put_sample_header(&sink->buf);
	for (size_t i = 0; sink->layout.picked && i < sink->layout.n; i++)
		put_cell(sink, i, ss_layout_column(&sink->layout, i)->name);
	sink->lines = 1;
}

/* The date, the zone and the machine, which the lines do not repeat. */
static void put_banner(struct ss_sink *sink)
{
	const struct ss_run_info *run = sink->run;
	time_t t = run->start_real_ns / SS_NSEC_PER_SEC;
	struct ss_buf *b = &sink->buf;
	struct tm tm = { 0 };
	char day[64], ms[32];

	localtime_r(&t, &tm);
	strftime(day, sizeof(day), "%Y-%m-%d %z", &tm);
	ss_text_hundredths(ms, sizeof(ms), run->interval_ns / (SS_NSEC_PER_MSEC / 100), false);
	ss_buf_printf(b, "# schedsampler %s  %s  Linux ", run->version, day);
	ss_buf_term(b, run->kernel);
	ss_buf_str(b, "  ");
	ss_buf_term(b, run->host);
	ss_buf_printf(b, "  source %s  every %s ms\n", run->source, ms);
}

/* Only asleep or stopped, all the time and beyond doubt. */
static bool is_idle(const struct ss_sample *s)
{
	const uint32_t measured = SS_PART_RUN | SS_PART_RQ;

	return (s->have & measured) == measured && !s->run_ns && !s->rq_ns && !s->block_ns &&
	       !s->iowait_ns && !s->residual_ns && !s->event;
}

static void put_losses(struct ss_sink *sink, const struct ss_tick_row *tick)
{
	struct ss_buf *b = &sink->buf;
	bool any = false;

	for (size_t i = 0; i < ss_table_ticks.ncolumns; i++) {
		const struct ss_column *column = &ss_table_ticks.columns[i];
		int64_t lost = ss_row_number(column, tick);

		if (strncmp(column->name, "lost_", 5) || lost <= 0)
			continue;
		if (!any) {
			ss_buf_str(b, "# ");
			put_time(b, tick->time_ns);
			ss_buf_str(b, " lost:");
		}
		ss_buf_printf(b, " %s=%" PRId64, column->name + 5, lost);
		any = true;
	}
	if (any) {
		ss_buf_char(b, '\n');
		sink->lines++;
	}
}

static bool text_wants_waits(const struct ss_sink_config *config)
{
	return config->waits;
}

static int text_open(struct ss_sink **out, const struct ss_sink_config *config)
{
	struct ss_sink *sink = calloc(1, sizeof(*sink));
	int fd = -ENOMEM;

	if (!sink)
		return -ENOMEM;
	sink->layout = ss_layout_of(SS_TABLE_SAMPLES, config);
	sink->run = config->run;
	sink->idle = config->idle;
	sink->color = config->color;
	sink->height = config->height;
	if (config->waits)
		sink->waits = ss_text_waits_new();
	if (!config->waits || sink->waits)
		fd = ss_file_open(config->path);
	if (fd < 0) {
		ss_text_waits_free(sink->waits);
		free(sink);
		return fd;
	}
	sink->fd = fd;
	*out = sink;
	return 0;
}

static void begin_line(struct ss_sink *sink)
{
	if (sink->height > 2 && sink->lines >= sink->height - 1)
		put_header(sink);
	sink->lines++;
}

static int by_thread(const void *a, const void *b)
{
	const struct ss_sample *x = *(const struct ss_sample *const *)a;
	const struct ss_sample *y = *(const struct ss_sample *const *)b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	if (x->tid != y->tid)
		return x->tid < y->tid ? -1 : 1;
	return x->mono_ns < y->mono_ns ? -1 : x->mono_ns > y->mono_ns;
}

/* The samples to show, in the order in which people look for threads. Returns how many. */
static ssize_t put_in_order(struct ss_sink *sink, const struct ss_batch *batch)
{
	size_t all = batch->rows[SS_TABLE_SAMPLES].n, n = 0;

	if (all > sink->cap) {
		const struct ss_sample **grown = realloc(sink->order, all * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		sink->order = grown;
		sink->cap = all;
	}
	for (size_t i = 0; i < all; i++) {
		const struct ss_sample *s = ss_rows_at(batch, SS_TABLE_SAMPLES, i);

		if (sink->idle || !is_idle(s))
			sink->order[n++] = s;
	}
	if (n)
		qsort(sink->order, n, sizeof(*sink->order), by_thread);
	return (ssize_t)n;
}

static int text_write(struct ss_sink *sink, const struct ss_batch *batch,
		      const struct ss_sink_loss *loss)
{
	ssize_t n = put_in_order(sink, batch);
	struct ss_tick_row tick;

	if (n >= 0 && sink->waits && ss_text_waits_begin(sink->waits, batch))
		n = -ENOMEM;
	if (n < 0)
		return (int)n;
	if (!sink->started) {
		if (!sink->layout.picked)
			put_banner(sink);
		put_header(sink);
		sink->started = true;
	}
	for (ssize_t i = 0; i < n; i++) {
		begin_line(sink);
		if (sink->layout.picked)
			put_columns(sink, sink->order[i]);
		else
			put_sample(sink, sink->order[i]);
		if (sink->waits)
			sink->lines += ss_text_waits_put(sink->waits, &sink->buf, sink->order[i]);
	}
	for (size_t i = 0; i < batch->rows[SS_TABLE_TICKS].n; i++)
		put_losses(sink, ss_row_at(batch, SS_TABLE_TICKS, i, loss, &tick));
	return ss_file_write(sink->fd, &sink->buf, false);
}

static int text_close(struct ss_sink *sink)
{
	int err = ss_file_close(sink->fd);

	ss_buf_free(&sink->buf);
	ss_text_waits_free(sink->waits);
	free(sink->order);
	free(sink);
	return err;
}

const struct ss_sink_ops ss_sink_text = {
	.name = "text",
	.suffix = ".txt",
	.help = "aligned columns for people, shares in percent of wall time",
	.wants_waits = text_wants_waits,
	.open = text_open,
	.write = text_write,
	.close = text_close,
};
