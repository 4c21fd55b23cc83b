// SPDX-License-Identifier: GPL-2.0-or-later
/* Rows of any table with any values, in each format of text. */
#include <locale.h>

#include "check.h"
#include "sink/row.h"

/* Each has an unused bit, and a name without an end is none that the program makes. */
static void make_row(void *row, const struct ss_table *table, const uint8_t **data, size_t *size)
{
	fuzz_take(data, size, row, table->row_size);
	for (size_t i = 0; i < table->ncolumns; i++) {
		const struct ss_column *column = &table->columns[i];
		size_t next = table->row_size;

		if (column->type != SS_TYPE_TEXT)
			continue;
		/* Up to the next column, wherever it is in the struct. */
		for (size_t k = 0; k < table->ncolumns; k++)
			if (table->columns[k].offset > column->offset &&
			    table->columns[k].offset < next)
				next = table->columns[k].offset;
		((char *)row)[next - 1] = '\0';
	}
}

/* [[integer,integer],...], up to behind its end. */
static const char *check_pairs(const char *s)
{
	static const char digits[] = "0123456789";

	CHECK(*s++ == '[');
	while (*s == '[') {
		CHECK(strspn(++s, digits));
		s += strspn(s, digits);
		CHECK(*s++ == ',' && strspn(s, digits));
		s += strspn(s, digits);
		CHECK(*s++ == ']');
		if (*s == ',')
			CHECK(*++s == '[');
	}
	CHECK(*s == ']');
	return s + 1;
}

/* {"name":value,...}: values are integers, strings and arrays of pairs. */
static void check_json(const char *s)
{
	char open = '{';

	do {
		CHECK(*s == open);
		open = ',';
		s = json_string_end(s + 1);
		CHECK(s && *s++ == ':');
		if (*s == '"') {
			s = json_string_end(s);
			CHECK(s);
			continue;
		}
		if (*s == '[') {
			s = check_pairs(s);
			continue;
		}
		s += *s == '-';
		CHECK(*s >= '0' && *s <= '9');
		CHECK(*s != '0' || s[1] < '0' || s[1] > '9');
		s += strspn(s, "0123456789");
	} while (*s == ',');
	CHECK(!strcmp(s, "}\n"));
}

/* As many fields as columns, each well formed. */
static void check_csv(const char *s, size_t len, size_t ncolumns)
{
	const char *end = s + len - 1;
	size_t n = 0;

	CHECK(len && *end == '\n');
	for (;; s++) {
		const char *p = s;
		bool quoted = false;
		char *value;

		for (; p < end && (quoted || *p != ','); p++)
			quoted ^= *p == '"';
		value = csv_field(s, (size_t)(p - s));
		CHECK(value);
		free(value);
		n++;
		s = p;
		if (s == end)
			break;
	}
	CHECK(n == ncolumns);
}

union row {
	struct ss_sample sample;
	struct ss_delay delay;
	struct ss_thread_row thread;
	struct ss_tick_row tick;
	struct ss_wait_row wait;
	struct ss_wake_row wake;
	struct ss_resource_row resource;
};

/* With the wait below the sample, of the resource. */
static void check_text(struct ss_sink *text, struct ss_batch_pool *pool, union row *row)
{
	static const struct ss_sink_loss no_loss;
	const struct ss_sample *sample = &row[SS_TABLE_SAMPLES].sample;
	struct ss_wait_row *wait = &row[SS_TABLE_WAITS].wait;
	struct ss_batch *batch = ss_batch_get(pool);

	wait->pid = sample->pid;
	wait->tid = sample->tid;
	wait->time_ns = sample->time_ns;
	wait->resource = row[SS_TABLE_RESOURCES].resource.id;
	CHECK(batch);
	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		CHECK(!ss_batch_reserve(batch, (enum ss_table_id)t, 1));
		memcpy(ss_batch_add(batch, (enum ss_table_id)t), &row[t], ss_tables[t]->row_size);
	}
	CHECK(!ss_sink_text.write(text, batch, &no_loss));
	ss_batch_put(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ss_batch_pool *pool;
	static struct ss_sink *text;
	union row row[SS_TABLE_COUNT];

	if (!pool) {
		static const struct ss_caps caps;
		static const struct ss_run_info run = { .version = "", .source = "", .kernel = "",
							.host = "", .caps = &caps };
		const struct ss_sink_config config = { .path = "/dev/null", .idle = true,
						       .waits = true, .color = true, .height = 25, .run = &run };

		setlocale(LC_CTYPE, "C.UTF-8");
		CHECK(!ss_batch_pool_new(&pool, 1));
		CHECK(!ss_sink_text.open(&text, &config));
	}
	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		const struct ss_sink_config config = { 0 };
		struct ss_layout layout = ss_layout_of((enum ss_table_id)t, &config);
		struct ss_buf b = { 0 };

		make_row(&row[t], ss_tables[t], &data, &size);
		ss_row_json(&b, &layout, &row[t]);
		ss_buf_char(&b, '\0');
		CHECK(!b.error);
		check_json(b.data);
		ss_buf_reset(&b);
		ss_row_csv(&b, &layout, &row[t], size % 2);
		CHECK(!b.error);
		check_csv(b.data, b.len, layout.n);
		ss_buf_free(&b);
	}
	check_text(text, pool, row);
	return 0;
}
