/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/row.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/syscall.h"

struct ss_layout ss_layout_of(enum ss_table_id table, const struct ss_sink_config *config)
{
	struct ss_layout layout = { .table = ss_tables[table], .n = ss_tables[table]->ncolumns };

	if (table == SS_TABLE_SAMPLES && config->columns) {
		layout.picked = config->columns;
		layout.n = config->ncolumns;
	}
	return layout;
}

static const void *value(const struct ss_column *column, const void *row)
{
	return (const char *)row + column->offset;
}

int64_t ss_row_number(const struct ss_column *column, const void *row)
{
	if (column->type == SS_TYPE_S32)
		return *(const int32_t *)value(column, row);
	return *(const int64_t *)value(column, row);
}

/* "LOWEST:COUNT ...", without what is empty. */
static const char *hist_text(const uint32_t *hist, char room[SS_ROW_ROOM])
{
	size_t len = 0;

	room[0] = '\0';
	for (unsigned int i = 0; i < SS_WAIT_BUCKETS; i++)
		if (hist[i])
			len += snprintf(room + len, SS_ROW_ROOM - len, "%s%" PRId64 ":%" PRIu32,
					len ? " " : "", ss_wait_bucket_low(i), hist[i]);
	return room;
}

static const char *syscall_text(int32_t nr, char room[SS_ROW_ROOM])
{
	const char *name = ss_syscall_name(nr);

	if (name)
		return name;
	snprintf(room, SS_ROW_ROOM, "%" PRId32, nr);
	return room;
}

const char *ss_row_text(const struct ss_column *column, const void *row, char room[SS_ROW_ROOM])
{
	const void *v = value(column, row);

	switch (column->type) {
	case SS_TYPE_EVENT:
		return ss_event_name(*(const uint8_t *)v);
	case SS_TYPE_QUALITY:
		return ss_quality_name(*(const uint8_t *)v);
	case SS_TYPE_KIND:
		return ss_wait_kind_name(*(const uint8_t *)v);
	case SS_TYPE_OBJECT:
		return ss_object_name(*(const uint8_t *)v);
	case SS_TYPE_SYSCALL:
		return syscall_text(*(const int32_t *)v, room);
	case SS_TYPE_HIST:
		return hist_text(v, room);
	default:
		return v;
	}
}

static bool is_number(const struct ss_column *column)
{
	return column->type == SS_TYPE_S64 || column->type == SS_TYPE_S32;
}

const void *ss_row_at(const struct ss_batch *batch, enum ss_table_id table, size_t i,
		      const struct ss_sink_loss *loss, struct ss_tick_row *tick)
{
	const void *row = ss_rows_at(batch, table, i);

	if (table != SS_TABLE_TICKS)
		return row;
	*tick = *(const struct ss_tick_row *)row;
	tick->lost_batches += loss->batches;
	tick->lost_rows += loss->rows;
	return tick;
}

void ss_row_csv_header(struct ss_buf *b, const struct ss_layout *layout)
{
	for (size_t i = 0; i < layout->n; i++) {
		if (i)
			ss_buf_char(b, ',');
		ss_buf_str(b, ss_layout_column(layout, i)->name);
	}
	ss_buf_char(b, '\n');
}

/* Fields of a file are raw; a terminal must not obey what a program named itself. */
static void csv_text(struct ss_buf *b, const char *text, bool terminal)
{
	struct ss_buf safe = { 0 };

	if (!terminal) {
		ss_buf_csv(b, text);
		return;
	}
	ss_buf_term(&safe, text);
	ss_buf_char(&safe, '\0');
	if (!safe.error)
		ss_buf_csv(b, safe.data);
	else
		b->error = safe.error;
	ss_buf_free(&safe);
}

void ss_row_csv(struct ss_buf *b, const struct ss_layout *layout, const void *row, bool terminal)
{
	char room[SS_ROW_ROOM];

	for (size_t i = 0; i < layout->n; i++) {
		const struct ss_column *column = ss_layout_column(layout, i);

		if (i)
			ss_buf_char(b, ',');
		if (!ss_column_present(layout->table, column, row))
			continue;
		if (is_number(column))
			ss_buf_s64(b, ss_row_number(column, row));
		else
			csv_text(b, ss_row_text(column, row, room), terminal);
	}
	ss_buf_char(b, '\n');
}

/* ,"key": with no comma behind an opening brace */
static void json_key(struct ss_buf *b, const char *key)
{
	if (b->len && b->data[b->len - 1] != '{')
		ss_buf_char(b, ',');
	ss_buf_json(b, key);
	ss_buf_char(b, ':');
}

static void json_string(struct ss_buf *b, const char *key, const char *text)
{
	json_key(b, key);
	ss_buf_json(b, text);
}

static void json_number(struct ss_buf *b, const char *key, int64_t number)
{
	json_key(b, key);
	ss_buf_s64(b, number);
}

/* [[LOWEST,COUNT],...], without what is empty. */
static void json_hist(struct ss_buf *b, const char *key, const uint32_t *hist)
{
	const char *before = "";

	json_key(b, key);
	ss_buf_char(b, '[');
	for (unsigned int i = 0; i < SS_WAIT_BUCKETS; i++) {
		if (!hist[i])
			continue;
		ss_buf_printf(b, "%s[%" PRId64 ",%" PRIu32 "]", before, ss_wait_bucket_low(i),
			      hist[i]);
		before = ",";
	}
	ss_buf_char(b, ']');
}

void ss_row_json(struct ss_buf *b, const struct ss_layout *layout, const void *row)
{
	char room[SS_ROW_ROOM];

	ss_buf_char(b, '{');
	json_string(b, "type", layout->table->record);
	for (size_t i = 0; i < layout->n; i++) {
		const struct ss_column *column = ss_layout_column(layout, i);

		if (!ss_column_present(layout->table, column, row))
			continue;
		if (is_number(column))
			json_number(b, column->name, ss_row_number(column, row));
		else if (column->type == SS_TYPE_HIST)
			json_hist(b, column->name, value(column, row));
		else
			json_string(b, column->name, ss_row_text(column, row, room));
	}
	ss_buf_str(b, "}\n");
}

void ss_row_meta(struct ss_buf *b, const struct ss_run_info *run)
{
	ss_buf_char(b, '{');
	json_string(b, "type", "meta");
	json_number(b, "schema", run->schema);
	json_string(b, "version", run->version);
	json_string(b, "kernel", run->kernel);
	json_string(b, "host", run->host);
	json_string(b, "source", run->source);
	json_key(b, "command");
	for (int i = 0; i < run->argc; i++) {
		ss_buf_char(b, i ? ',' : '[');
		ss_buf_json(b, run->argv[i]);
	}
	ss_buf_str(b, run->argc ? "]" : "[]");
	json_number(b, "start_real_ns", run->start_real_ns);
	json_number(b, "start_mono_ns", run->start_mono_ns);
	json_number(b, "interval_ns", run->interval_ns);
	json_key(b, "capabilities");
	ss_buf_char(b, '[');
	for (size_t i = 0; i < run->caps->n; i++) {
		const struct ss_cap *cap = &run->caps->cap[i];

		ss_buf_str(b, i ? ",{" : "{");
		json_string(b, "name", cap->name);
		json_string(b, "state", ss_cap_state_name(cap->state));
		json_string(b, "detail", cap->detail);
		json_string(b, "lost", cap->lost);
		json_string(b, "remedy", cap->remedy);
		ss_buf_char(b, '}');
	}
	ss_buf_str(b, "]}\n");
}
