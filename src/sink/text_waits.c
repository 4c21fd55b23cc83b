/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a thread waited for, below its line: one line a cause. The name of the resource comes last,
 * since it can hold anything.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/syscall.h"
#include "base/util.h"
#include "sink/text.h"

#define NAMES_MAX 65536
#define LINES_MAX 8
#define INDENT 37		/* the milliseconds end below those of the thread */
#define MS_WIDTH 8

struct name {
	int64_t id;		/* of the resource */
	char *text;		/* owned; NULL: no such name */
};

/* The rows of one cause, whoever ended its waits. */
struct line {
	const struct ss_wait_row *row;		/* the longest */
	const struct ss_wait_row *waker;	/* the longest that has one */
	bool others;				/* other wakers, too */
	uint32_t have;				/* SS_WAIT_ENDED: of all, SS_WAIT_MAX: of any */
	int64_t wait_ns, count, max_ns;
};

struct ss_text_waits {
	struct name *name;	/* by the lowest bits of the id */
	size_t names;		/* a power of two */
	const struct ss_wait_row **order;	/* of the batch */
	struct line *line;	/* room for all of them */
	size_t n, cap, next;
};

struct ss_text_waits *ss_text_waits_new(void)
{
	return calloc(1, sizeof(struct ss_text_waits));
}

void ss_text_waits_free(struct ss_text_waits *waits)
{
	if (!waits)
		return;
	for (size_t i = 0; i < waits->names; i++)
		free(waits->name[i].text);
	free(waits->name);
	free(waits->order);
	free(waits->line);
	free(waits);
}

static struct name *place_of(const struct ss_text_waits *waits, int64_t id)
{
	return &waits->name[(uint64_t)id & (waits->names - 1)];
}

static bool is_taken(const struct ss_text_waits *waits, int64_t id)
{
	const struct name *place = place_of(waits, id);

	return place->text && place->id != id;
}

static int grow_names(struct ss_text_waits *waits)
{
	struct ss_text_waits grown = { .names = waits->names ? waits->names * 2 : 64 };

	grown.name = calloc(grown.names, sizeof(*grown.name));
	if (!grown.name)
		return -ENOMEM;
	/* Places that differ in some bits still do with one bit more. */
	for (size_t i = 0; i < waits->names; i++)
		if (waits->name[i].text)
			*place_of(&grown, waits->name[i].id) = waits->name[i];
	free(waits->name);
	waits->name = grown.name;
	waits->names = grown.names;
	return 0;
}

/* Numbers are given in order: in a full table a new one takes the place of the oldest. */
static int learn(struct ss_text_waits *waits, const struct ss_resource_row *row)
{
	struct name *place;
	char *text;

	while (!waits->names || (waits->names < NAMES_MAX && is_taken(waits, row->id)))
		if (grow_names(waits))
			return -ENOMEM;
	text = strdup(row->have & SS_RESOURCE_NAME ? row->name : ss_object_name(row->object));
	if (!text)
		return -ENOMEM;
	place = place_of(waits, row->id);
	free(place->text);
	*place = (struct name){ .id = row->id, .text = text };
	return 0;
}

static int compare(int64_t x, int64_t y)
{
	return x < y ? -1 : x > y;
}

static int by_window(const struct ss_wait_row *x, int32_t pid, int32_t tid, int64_t time_ns)
{
	int order = compare(x->pid, pid);

	order = order ? order : compare(x->tid, tid);
	return order ? order : compare(x->time_ns, time_ns);
}

/* What a line tells apart: the call only where there is nothing else to name. */
static int by_cause(const struct ss_wait_row *x, const struct ss_wait_row *y)
{
	bool named = x->have & SS_WAIT_RESOURCE;
	int order = compare(x->kind, y->kind);

	order = order ? order : compare(named, !!(y->have & SS_WAIT_RESOURCE));
	if (order)
		return order;
	if (named)
		return compare(x->resource, y->resource);
	order = compare(x->have & SS_WAIT_CALL, y->have & SS_WAIT_CALL);
	return order ? order : compare(x->syscall, y->syscall);
}

static int row_order(const void *a, const void *b)
{
	const struct ss_wait_row *x = *(const struct ss_wait_row *const *)a;
	const struct ss_wait_row *y = *(const struct ss_wait_row *const *)b;
	int order = by_window(x, y->pid, y->tid, y->time_ns);

	order = order ? order : by_cause(x, y);
	order = order ? order : compare(y->wait_ns, x->wait_ns);
	return order ? order : compare(x->waker_tid, y->waker_tid);
}

static int line_order(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int order = compare(y->wait_ns, x->wait_ns);

	/* Rows of the same batch: which comes first does not depend on the sort. */
	return order ? order : by_cause(x->row, y->row);
}

int ss_text_waits_begin(struct ss_text_waits *waits, const struct ss_batch *batch)
{
	size_t n = batch->rows[SS_TABLE_WAITS].n;

	for (size_t i = 0; i < batch->rows[SS_TABLE_RESOURCES].n; i++)
		if (learn(waits, ss_rows_at(batch, SS_TABLE_RESOURCES, i)))
			return -ENOMEM;
	if (n > waits->cap) {
		void *order = realloc(waits->order, n * sizeof(*waits->order)), *line;

		if (!order)
			return -ENOMEM;
		waits->order = order;
		line = realloc(waits->line, n * sizeof(*waits->line));
		if (!line)
			return -ENOMEM;
		waits->line = line;
		waits->cap = n;
	}
	for (size_t i = 0; i < n; i++)
		waits->order[i] = ss_rows_at(batch, SS_TABLE_WAITS, i);
	if (n)
		qsort(waits->order, n, sizeof(*waits->order), row_order);
	waits->n = n;
	waits->next = 0;
	return 0;
}

static bool same_waker(const struct ss_wait_row *x, const struct ss_wait_row *y)
{
	return !strcmp(x->waker, y->waker) && x->waker_tid == y->waker_tid;
}

static void add_row(struct line *line, const struct ss_wait_row *row)
{
	line->wait_ns += row->wait_ns;
	line->count += row->count;
	if (!(row->have & SS_WAIT_ENDED))
		line->have &= ~(uint32_t)SS_WAIT_ENDED;
	if (row->have & SS_WAIT_MAX) {
		line->have |= SS_WAIT_MAX;
		line->max_ns = row->max_ns > line->max_ns ? row->max_ns : line->max_ns;
	}
	if (!(row->have & SS_WAIT_WAKER))
		return;
	if (!line->waker)
		line->waker = row;
	else if (!same_waker(line->waker, row))
		line->others = true;
}

/* Gather the rows of a sample. Returns the number of lines. */
static size_t gather(struct ss_text_waits *waits, const struct ss_sample *s)
{
	size_t n = 0;
	int order;

	for (; waits->next < waits->n; waits->next++) {
		const struct ss_wait_row *row = waits->order[waits->next];

		order = by_window(row, s->pid, s->tid, s->time_ns);
		if (order > 0)
			break;
		if (order < 0)	/* of a thread that is not shown */
			continue;
		if (!n || by_cause(waits->line[n - 1].row, row))
			waits->line[n++] = (struct line){ .row = row, .have = SS_WAIT_ENDED };
		add_row(&waits->line[n - 1], row);
	}
	if (n)
		qsort(waits->line, n, sizeof(*waits->line), line_order);
	return n;
}

static void put_ms(struct ss_buf *b, int width, int64_t ns)
{
	char ms[32];

	ss_text_hundredths(ms, sizeof(ms), ns / (SS_NSEC_PER_MSEC / 100), ns < 0);
	ss_buf_printf(b, "%*s", width, ms);
}

static void put_what(const struct ss_text_waits *waits, struct ss_buf *b,
		     const struct ss_wait_row *row)
{
	const struct name *place = waits->names ? place_of(waits, row->resource) : NULL;
	const char *call = ss_syscall_name(row->syscall);

	if (row->have & SS_WAIT_RESOURCE) {
		/* Without its row, which a full queue can lose, it still has its number. */
		if (place && place->text && place->id == row->resource)
			ss_buf_term(b, place->text);
		else
			ss_buf_printf(b, "#%" PRId64, row->resource);
	} else if (!(row->have & SS_WAIT_CALL)) {
		ss_buf_char(b, '-');
	} else if (call) {
		ss_buf_printf(b, "%s()", call);
	} else {
		ss_buf_printf(b, "call %" PRId32, row->syscall);
	}
}

static void put_line(const struct ss_text_waits *waits, struct ss_buf *b, const struct line *line,
		     int64_t wall_ns)
{
	char share[32] = "-", count[24] = "-", by[48] = "-";

	if (wall_ns > 0)
		ss_text_hundredths(share, sizeof(share), ss_text_share(line->wait_ns, wall_ns),
				   line->wait_ns < 0);
	if (line->have & SS_WAIT_ENDED)
		snprintf(count, sizeof(count), "%" PRId64, line->count);
	if (line->waker && line->waker->have & SS_WAIT_WAKER_THREAD)
		snprintf(by, sizeof(by), "%" PRId32, line->waker->waker_tid);
	else if (line->waker)
		snprintf(by, sizeof(by), "%s", line->waker->waker);
	if (line->others)
		strcat(by, ",...");
	put_ms(b, INDENT, line->wait_ns);
	ss_buf_printf(b, " ms %6s %% %-8s %5s x, max ", share, ss_wait_kind_name(line->row->kind),
		      count);
	if (line->have & SS_WAIT_MAX)
		put_ms(b, MS_WIDTH, line->max_ns);
	else
		ss_buf_printf(b, "%*s", MS_WIDTH, "-");
	ss_buf_printf(b, " ms, by %-9s  ", by);
	put_what(waits, b, line->row);
	ss_buf_char(b, '\n');
}

int ss_text_waits_put(struct ss_text_waits *waits, struct ss_buf *b, const struct ss_sample *s)
{
	int64_t least_ns = s->wall_ns / 100 + (s->wall_ns % 100 > 0), more_ns = 0;
	size_t n = gather(waits, s), shown = 0;

	while (shown < n && shown < LINES_MAX && waits->line[shown].wait_ns >= least_ns)
		put_line(waits, b, &waits->line[shown++], s->wall_ns);
	if (shown == n)
		return (int)shown;
	for (size_t i = shown; i < n; i++)
		more_ns += waits->line[i].wait_ns;
	ss_buf_printf(b, "%*s... %zu more, ", INDENT - MS_WIDTH, "", n - shown);
	put_ms(b, 0, more_ns);
	ss_buf_str(b, " ms\n");
	return (int)shown + 1;
}
