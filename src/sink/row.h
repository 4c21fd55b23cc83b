/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sinks share of formatting: rows of any table as CSV or JSON, and the record of the run.
 */
#ifndef SS_SINK_ROW_H
#define SS_SINK_ROW_H

#include "base/buf.h"
#include "sink/sink.h"

/* Which columns of a table an output has. */
struct ss_layout {
	const struct ss_table *table;
	const struct ss_column *const *picked;	/* borrowed; NULL: all of the table */
	size_t n;
};

/** The layout of a table: the columns that @config picked when it is samples, else all. */
struct ss_layout ss_layout_of(enum ss_table_id table, const struct ss_sink_config *config);

static inline const struct ss_column *ss_layout_column(const struct ss_layout *layout, size_t i)
{
	return layout->picked ? layout->picked[i] : &layout->table->columns[i];
}

/** Value of an SS_TYPE_S64 or SS_TYPE_S32 column. */
int64_t ss_row_number(const struct ss_column *column, const void *row);

#define SS_ROW_ROOM (SS_WAIT_BUCKETS * 25)	/* for a histogram: 13 digits, 10, and a separator each */

/** Value of a column of another type, as text; borrowed from the row, constant, or in @room. */
const char *ss_row_text(const struct ss_column *column, const void *row, char room[SS_ROW_ROOM]);

/**
 * A row of @batch as this sink has to show it: the row itself, or *@tick filled with the tick row
 * plus the losses of the sink's own queue.
 */
const void *ss_row_at(const struct ss_batch *batch, enum ss_table_id table, size_t i,
		      const struct ss_sink_loss *loss, struct ss_tick_row *tick);

void ss_row_csv_header(struct ss_buf *b, const struct ss_layout *layout);

/** An RFC 4180 row. A missing value is an empty field. @terminal: escape control characters. */
void ss_row_csv(struct ss_buf *b, const struct ss_layout *layout, const void *row, bool terminal);

/** A line with one JSON object. The key of a missing value is left out. */
void ss_row_json(struct ss_buf *b, const struct ss_layout *layout, const void *row);

/** A line with the JSON object that describes the run. */
void ss_row_meta(struct ss_buf *b, const struct ss_run_info *run);

#endif
