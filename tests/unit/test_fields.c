/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "account/fields.h"

static void check_names(const struct ss_table *table, const char *expected)
{
	char names[1024] = "";
	size_t len = 0;

	for (size_t i = 0; i < table->ncolumns; i++)
		len += snprintf(names + len, sizeof(names) - len, "%s%s", i ? "," : "",
				table->columns[i].name);
	assert_string_equal(names, expected);
}

static void fields__samples__have_the_promised_order(void **state)
{
	(void)state;
	check_names(&ss_table_samples,
		    "tick,time_ns,mono_ns,pid,tid,comm,wall_ns,run_ns,rq_ns,sleep_ns,block_ns,"
		    "iowait_ns,stop_ns,residual_ns,nvcsw,nivcsw,cpu,event,quality,bound_ns,stolen_ns");
}

static void fields__other_tables__have_their_order(void **state)
{
	(void)state;
	check_names(&ss_table_delays,
		    "tick,time_ns,pid,tid,cpu_count,cpu_ns,blkio_count,blkio_ns,swapin_count,"
		    "swapin_ns,freepages_count,freepages_ns,thrashing_count,thrashing_ns,"
		    "compact_count,compact_ns,wpcopy_count,wpcopy_ns,irq_count,irq_ns");
	check_names(&ss_table_threads,
		    "tick,time_ns,pid,tid,ppid,comm,start_ns,exit_ns,event,found,exe,cgroup");
	check_names(&ss_table_ticks,
		    "tick,time_ns,scheduled_ns,actual_ns,lateness_ns,read_ns,threads,still,rows,starts,"
		    "exits,suspended_ns,lost_ticks,lost_events,lost_replies,lost_parse,lost_reads,"
		    "lost_threads,lost_restarts,lost_batches,lost_rows,unseen_max");
	check_names(&ss_table_waits,
		    "tick,time_ns,pid,tid,kind,syscall,resource,wait_ns,count,ended_ns,max_ns,hist,"
		    "waker,waker_pid,waker_tid,quality");
	check_names(&ss_table_wakes,
		    "tick,time_ns,waker_pid,waker_tid,pid,tid,kind,count,ended_wait_ns");
	check_names(&ss_table_resources, "tick,time_ns,id,kind,pid,key0,key1,name");
}

static size_t size_of(enum ss_type type)
{
	static const size_t size[] = {
		[SS_TYPE_S64] = 8, [SS_TYPE_S32] = 4, [SS_TYPE_TEXT] = 12,
		[SS_TYPE_EVENT] = 1, [SS_TYPE_QUALITY] = 1, [SS_TYPE_KIND] = 1,
		[SS_TYPE_OBJECT] = 1, [SS_TYPE_SYSCALL] = 4,
		[SS_TYPE_HIST] = 4 * SS_WAIT_BUCKETS,
	};

	return size[type];
}

static void fields__every_column__is_sound(void **state)
{
	(void)state;
	for (int t = 0; t < SS_TABLE_COUNT; t++) {
		const struct ss_table *table = ss_tables[t];

		assert_int_equal(table->have_offset, 0);
		for (size_t i = 0; i < table->ncolumns; i++) {
			const struct ss_column *c = &table->columns[i];
			size_t len = strlen(c->name), help = strlen(c->help);

			assert_ptr_equal(ss_column_find(table, c->name), c);
			assert_true(c->offset >= sizeof(uint32_t));
			assert_true(c->offset + size_of(c->type) <= table->row_size);
			assert_int_equal(c->offset % (size_of(c->type) == 8 ? 8 : 1), 0);
			/* The unit is in the name. */
			if (!strcmp(c->unit, "ns"))
				assert_string_equal(c->name + len - 3, "_ns");
			else
				assert_true(len < 3 || strcmp(c->name + len - 3, "_ns"));
			assert_true(help > 10);
			assert_int_equal(c->help[help - 1], '.');
			assert_null(strstr(c->help, ". "));
			for (size_t j = 0; j < i; j++)
				assert_true(table->columns[j].offset != c->offset);
		}
	}
}

static void fields__delay_kinds__point_at_their_values(void **state)
{
	static const char *const kinds[SS_DELAY_COUNT] = {
		[SS_DELAY_CPU] = "cpu", [SS_DELAY_BLKIO] = "blkio", [SS_DELAY_SWAPIN] = "swapin",
		[SS_DELAY_FREEPAGES] = "freepages", [SS_DELAY_THRASHING] = "thrashing",
		[SS_DELAY_COMPACT] = "compact", [SS_DELAY_WPCOPY] = "wpcopy",
		[SS_DELAY_IRQ] = "irq",
	};
	struct ss_delay row = { 0 };
	char name[32];

	(void)state;
	for (int k = 0; k < SS_DELAY_COUNT; k++) {
		const struct ss_column *count, *ns;

		snprintf(name, sizeof(name), "%s_count", kinds[k]);
		count = ss_column_find(&ss_table_delays, name);
		snprintf(name, sizeof(name), "%s_ns", kinds[k]);
		ns = ss_column_find(&ss_table_delays, name);
		assert_non_null(count);
		assert_non_null(ns);
		assert_ptr_equal((char *)&row + count->offset, &row.count[k]);
		assert_ptr_equal((char *)&row + ns->offset, &row.ns[k]);
		assert_int_equal(count->have, 1u << k);
		assert_int_equal(ns->have, 1u << k);
	}
}

static void fields__missing_value__is_not_present(void **state)
{
	struct ss_sample s = { .have = SS_PART_RUN };

	(void)state;
	assert_true(ss_column_present(&ss_table_samples,
				      ss_column_find(&ss_table_samples, "run_ns"), &s));
	assert_false(ss_column_present(&ss_table_samples,
				       ss_column_find(&ss_table_samples, "rq_ns"), &s));
	assert_true(ss_column_present(&ss_table_samples,
				      ss_column_find(&ss_table_samples, "residual_ns"), &s));
}

static void fields__unknown_name__is_null(void **state)
{
	(void)state;
	assert_null(ss_column_find(&ss_table_samples, "run"));
	assert_null(ss_column_find(&ss_table_samples, ""));
}

static void fields__tables__are_in_the_order_of_their_ids(void **state)
{
	(void)state;
	assert_ptr_equal(ss_tables[SS_TABLE_THREADS], &ss_table_threads);
	assert_ptr_equal(ss_tables[SS_TABLE_SAMPLES], &ss_table_samples);
	assert_ptr_equal(ss_tables[SS_TABLE_DELAYS], &ss_table_delays);
	assert_ptr_equal(ss_tables[SS_TABLE_TICKS], &ss_table_ticks);
	assert_ptr_equal(ss_tables[SS_TABLE_WAITS], &ss_table_waits);
	assert_ptr_equal(ss_tables[SS_TABLE_WAKES], &ss_table_wakes);
	assert_ptr_equal(ss_tables[SS_TABLE_RESOURCES], &ss_table_resources);
	/* Who reads row by row knows a resource before its waits, and a tick that ended. */
	assert_true(SS_TABLE_RESOURCES < SS_TABLE_WAITS);
	assert_int_equal(SS_TABLE_TICKS, SS_TABLE_COUNT - 1);
	assert_int_equal(ss_table_samples.row_size, sizeof(struct ss_sample));
	assert_int_equal(ss_table_delays.row_size, sizeof(struct ss_delay));
	assert_int_equal(ss_table_threads.row_size, sizeof(struct ss_thread_row));
	assert_int_equal(ss_table_ticks.row_size, sizeof(struct ss_tick_row));
	assert_int_equal(ss_table_waits.row_size, sizeof(struct ss_wait_row));
	assert_int_equal(ss_table_wakes.row_size, sizeof(struct ss_wake_row));
	assert_int_equal(ss_table_resources.row_size, sizeof(struct ss_resource_row));
}

static void fields__event_names__are_the_stored_ones(void **state)
{
	(void)state;
	assert_string_equal(ss_event_name(0), "");
	assert_string_equal(ss_event_name(SS_EVENT_START), "start");
	assert_string_equal(ss_event_name(SS_EVENT_EXIT), "exit");
	assert_string_equal(ss_event_name(SS_EVENT_START | SS_EVENT_EXIT), "start+exit");
	assert_string_equal(ss_event_name(0xff), "start+exit");
}

/* Every number has a name that is told from all others, and what is behind the last has none. */
static void check_each(const char *(*name_of)(unsigned int), unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		const char *name = name_of(i);

		assert_non_null(name);
		assert_true(*name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz_")]);
		for (unsigned int k = 0; k < i; k++)
			assert_string_not_equal(name, name_of(k));
	}
	assert_string_equal(name_of(n), "?");
	assert_string_equal(name_of(255), "?");
}

static void fields__wait_kinds_and_objects__all_have_a_name(void **state)
{
	(void)state;
	check_each(ss_wait_kind_name, SS_WAIT_KINDS);
	check_each(ss_object_name, SS_OBJECTS);
	assert_string_equal(ss_wait_kind_name(SS_WAIT_UNKNOWN), "unknown");
	assert_string_equal(ss_wait_kind_name(SS_WAIT_SYSCALL), "syscall");
	assert_string_equal(ss_object_name(SS_OBJECT_NONE), "none");
	assert_string_equal(ss_object_name(SS_OBJECT_AIO), "aio");
}

static void fields__wait_buckets__double_from_1024_ns(void **state)
{
	(void)state;
	assert_int_equal(ss_wait_bucket_low(0), 0);
	assert_int_equal(ss_wait_bucket_low(1), 1024);
	assert_int_equal(ss_wait_bucket_low(2), 2048);
	assert_true(ss_wait_bucket_low(SS_WAIT_BUCKETS - 1) == INT64_C(1099511627776));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields__samples__have_the_promised_order),
		cmocka_unit_test(fields__other_tables__have_their_order),
		cmocka_unit_test(fields__every_column__is_sound),
		cmocka_unit_test(fields__delay_kinds__point_at_their_values),
		cmocka_unit_test(fields__missing_value__is_not_present),
		cmocka_unit_test(fields__unknown_name__is_null),
		cmocka_unit_test(fields__tables__are_in_the_order_of_their_ids),
		cmocka_unit_test(fields__event_names__are_the_stored_ones),
		cmocka_unit_test(fields__wait_kinds_and_objects__all_have_a_name),
		cmocka_unit_test(fields__wait_buckets__double_from_1024_ns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
