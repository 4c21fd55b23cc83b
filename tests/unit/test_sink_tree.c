/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sinks.h"

#define START "2026-11-22T20:46:32.123Z"
#define MINUTE "2026-11-22T20-46Z"
#define NEXT_MINUTE "2026-11-22T20-47Z"

/* Keep the rows short. */
static const struct ss_column *two_columns[2];

static int setup(void **state)
{
	struct sinks *f;

	sinks_setup(state);
	f = *state;
	two_columns[0] = ss_column_find(&ss_table_samples, "tick");
	two_columns[1] = ss_column_find(&ss_table_samples, "comm");
	f->config.columns = two_columns;
	f->config.ncolumns = 2;
	return 0;
}

static struct ss_sink *open_tree(struct sinks *f)
{
	struct ss_sink *sink;

	f->config.path = f->dir;
	assert_int_equal(ss_sink_tree.open(&sink, &f->config), 0);
	return sink;
}

static void write_tick(struct sinks *f, struct ss_sink *sink)
{
	assert_int_equal(ss_sink_tree.write(sink, f->batch, &no_loss), 0);
}

static void tree__rows__go_to_a_file_a_table_minute_and_thread(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);
	struct ss_thread_row *t;
	struct ss_delay *d;
	char *text;

	begin_tick(f, 0);
	add_sample(f, 10, 10, "main");
	add_sample(f, 10, 11, HOSTILE_COMM);
	d = ss_batch_add(f->batch, SS_TABLE_DELAYS);
	d->pid = 10;
	d->tid = 11;
	d->time_ns = f->batch->time_ns;
	t = ss_batch_add(f->batch, SS_TABLE_THREADS);
	t->pid = 10;
	t->tid = 11;
	t->time_ns = f->batch->time_ns;
	strcpy(t->comm, "../../x");
	write_tick(f, sink);
	begin_tick(f, 1);
	add_sample(f, 10, 10, "main");
	write_tick(f, sink);
	assert_int_equal(ss_sink_tree.close(sink), 0);

	check_file(in_dir(f, START "/thread/10/10/samples/" MINUTE ".csv"),
		   "tick,comm\n0,main\n1,main\n");
	check_file(in_dir(f, START "/thread/10/11/samples/" MINUTE ".csv"),
		   "tick,comm\n0,\"a\"\"b,c\n\x1b[2J\xff\xe2\x80\xae" "d\"\n");
	text = slurp(in_dir(f, START "/thread/10/11/delays/" MINUTE ".csv"));
	assert_int_equal(count_lines(text), 2);
	free(text);
	check_file(in_dir(f, START "/global/threads/" MINUTE ".csv"),
		   "tick,time_ns,pid,tid,ppid,comm,start_ns,exit_ns,event,found,exe,cgroup\n"
		   "0,1795380392123000000,10,11,,../../x,,,,,,\n");
	text = slurp(in_dir(f, START "/global/ticks/" MINUTE ".csv"));
	assert_int_equal(count_lines(text), 3);
	free(text);
	assert_int_equal(access(in_dir(f, START "/thread/10/10/delays"), F_OK), -1);
	assert_int_equal(access(in_dir(f, START "/global/samples"), F_OK), -1);
	assert_int_equal(atomic_load(&f->budget.left), 64);
}

static void tree__waits__are_of_threads_and_resources_global(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);
	char *text;

	begin_tick(f, 0);
	add_resource(f, 1, "../../x");
	add_sample(f, 10, 11, "ends")->event = SS_EVENT_EXIT;
	for (int i = 0; i < 3; i++)
		add_wait(f, 10, 11, 1);
	add_wait(f, 10, 12, 1);
	add_wake(f, 10, 12);
	write_tick(f, sink);
	/* Those of the thread that ended were given back: ticks, resources, waits and wakes stay. */
	assert_int_equal(atomic_load(&f->budget.left), 64 - 4);
	assert_int_equal(ss_sink_tree.close(sink), 0);

	text = slurp(in_dir(f, START "/thread/10/11/waits/" MINUTE ".csv"));
	assert_int_equal(count_lines(text), 1 + 3);
	free(text);
	text = slurp(in_dir(f, START "/thread/10/12/waits/" MINUTE ".csv"));
	assert_int_equal(count_lines(text), 1 + 1);
	free(text);
	text = slurp(in_dir(f, START "/thread/10/12/wakes/" MINUTE ".csv"));
	assert_int_equal(count_lines(text), 1 + 1);
	free(text);
	check_file(in_dir(f, START "/global/resources/" MINUTE ".csv"),
		   "tick,time_ns,id,kind,pid,key0,key1,name\n"
		   "0,1795380392123000000,1,pipe,,4711,12,../../x\n");
	assert_int_equal(access(in_dir(f, START "/thread/10/11/wakes"), F_OK), -1);
}

static void tree__meta__describes_the_run(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);
	char *text = slurp(in_dir(f, START "/meta.json"));

	assert_non_null(text);
	assert_memory_equal(text, "{\"type\":\"meta\",\"schema\":1,", 26);
	assert_string_equal(text + strlen(text) - 3, "]}\n");
	free(text);
	assert_int_equal(ss_sink_tree.close(sink), 0);
	assert_int_equal(access(in_dir(f, START "/thread"), F_OK), -1);
	assert_int_equal(access(in_dir(f, START "/global"), F_OK), -1);
}

static void tree__next_minute__is_another_file(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);

	/* 50 ms a tick: 557 ticks are at 20:46:59.973, 558 at 20:47:00.023. */
	for (int tick = 557; tick <= 558; tick++) {
		begin_tick(f, tick);
		add_sample(f, 10, 10, "main");
		write_tick(f, sink);
	}
	assert_int_equal(ss_sink_tree.close(sink), 0);
	check_file(in_dir(f, START "/thread/10/10/samples/" MINUTE ".csv"),
		   "tick,comm\n557,main\n");
	check_file(in_dir(f, START "/thread/10/10/samples/" NEXT_MINUTE ".csv"),
		   "tick,comm\n558,main\n");
}

static void tree__several_rows_of_a_thread__span_the_minute(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);

	begin_tick(f, 558);
	add_sample(f, 10, 10, "old")->time_ns = T0_NS;
	add_sample(f, 10, 10, "new");
	write_tick(f, sink);
	assert_int_equal(ss_sink_tree.close(sink), 0);
	check_file(in_dir(f, START "/thread/10/10/samples/" MINUTE ".csv"), "tick,comm\n558,old\n");
	check_file(in_dir(f, START "/thread/10/10/samples/" NEXT_MINUTE ".csv"),
		   "tick,comm\n558,new\n");
}

static void tree__few_descriptors__reopens_without_a_second_header(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;

	atomic_store(&f->budget.left, 2);
	sink = open_tree(f);
	for (int tick = 0; tick < 3; tick++) {
		begin_tick(f, tick);
		for (int tid = 10; tid < 15; tid++)
			add_sample(f, 10, tid, "t");
		write_tick(f, sink);
		assert_int_equal(atomic_load(&f->budget.left), 0);
	}
	assert_int_equal(ss_sink_tree.close(sink), 0);
	assert_int_equal(atomic_load(&f->budget.left), 2);
	check_file(in_dir(f, START "/thread/10/12/samples/" MINUTE ".csv"),
		   "tick,comm\n0,t\n1,t\n2,t\n");
}

static void tree__no_descriptors__works_without_the_cache(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;

	atomic_store(&f->budget.left, 0);
	sink = open_tree(f);
	for (int tick = 0; tick < 2; tick++) {
		begin_tick(f, tick);
		add_sample(f, 10, 11, "t");
		write_tick(f, sink);
	}
	assert_int_equal(ss_sink_tree.close(sink), 0);
	assert_int_equal(atomic_load(&f->budget.left), 0);
	check_file(in_dir(f, START "/thread/10/11/samples/" MINUTE ".csv"),
		   "tick,comm\n0,t\n1,t\n");
}

static void tree__ended_thread__gives_its_descriptors_back(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);

	begin_tick(f, 0);
	add_sample(f, 10, 10, "stays");
	add_sample(f, 10, 11, "ends");
	write_tick(f, sink);
	assert_int_equal(atomic_load(&f->budget.left), 64 - 3);
	begin_tick(f, 1);
	add_sample(f, 10, 10, "stays");
	add_sample(f, 10, 11, "ends")->event = SS_EVENT_EXIT;
	write_tick(f, sink);
	assert_int_equal(atomic_load(&f->budget.left), 64 - 2);
	/* A new thread of that number continues the file. */
	begin_tick(f, 2);
	add_sample(f, 10, 11, "again");
	write_tick(f, sink);
	assert_int_equal(ss_sink_tree.close(sink), 0);
	check_file(in_dir(f, START "/thread/10/11/samples/" MINUTE ".csv"),
		   "tick,comm\n0,ends\n1,ends\n2,again\n");
}

static void tree__silent_thread__is_forgotten_after_its_minute(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);

	begin_tick(f, 0);
	add_sample(f, 10, 11, "t");
	write_tick(f, sink);
	begin_tick(f, 1);
	write_tick(f, sink);
	assert_int_equal(atomic_load(&f->budget.left), 64 - 2);
	begin_tick(f, 558);
	write_tick(f, sink);
	assert_int_equal(atomic_load(&f->budget.left), 64 - 1);
	assert_int_equal(ss_sink_tree.close(sink), 0);
}

static void tree__disk_full__keeps_whole_rows(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);
	struct rlimit saved;
	int err;

	begin_tick(f, 0);
	add_sample(f, 10, 10, "main");
	write_tick(f, sink);
	begin_tick(f, 1);
	add_sample(f, 10, 10, "main");
	/* "tick,comm\n0,main\n" are 17 bytes */
	limit_files(17 + 3, &saved);
	err = ss_sink_tree.write(sink, f->batch, &no_loss);
	unlimit_files(&saved);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(ss_sink_tree.close(sink), 0);
	check_file(in_dir(f, START "/thread/10/10/samples/" MINUTE ".csv"), "tick,comm\n0,main\n");
}

static void tree__same_start_again__is_refused(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f), *second;

	assert_int_equal(ss_sink_tree.open(&second, &f->config), -EEXIST);
	assert_int_equal(ss_sink_tree.close(sink), 0);
	assert_int_equal(access(in_dir(f, START "/meta.json"), F_OK), 0);
}

static void tree__open_that_fails__leaves_nothing_behind(void **state)
{
	struct sinks *f = *state;
	struct rlimit saved;
	struct ss_sink *sink;
	char path[512];
	int err;

	snprintf(path, sizeof(path), "%s", in_dir(f, "none/deeper/"));
	f->config.path = path;
	assert_int_equal(ss_sink_tree.open(&sink, &f->config), -ENOENT);

	snprintf(path, sizeof(path), "%s", in_dir(f, "file"));
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(ss_sink_tree.open(&sink, &f->config), -ENOTDIR);

	snprintf(path, sizeof(path), "%s", in_dir(f, "new/"));
	limit_files(10, &saved);
	err = ss_sink_tree.open(&sink, &f->config);
	unlimit_files(&saved);
	assert_int_equal(err, -EFBIG);
	assert_int_equal(access(path, F_OK), -1);
}

static void tree__loss__is_in_the_tick_row(void **state)
{
	const struct ss_sink_loss loss = { .batches = 1, .rows = 9 };
	struct sinks *f = *state;
	struct ss_sink *sink = open_tree(f);
	char *text;

	begin_tick(f, 0);
	assert_int_equal(ss_sink_tree.write(sink, f->batch, &loss), 0);
	assert_int_equal(ss_sink_tree.close(sink), 0);
	text = slurp(in_dir(f, START "/global/ticks/" MINUTE ".csv"));
	assert_non_null(strstr(text, ",0,1,9,\n"));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, sinks_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(tree__rows__go_to_a_file_a_table_minute_and_thread),
		TEST(tree__waits__are_of_threads_and_resources_global),
		TEST(tree__meta__describes_the_run),
		TEST(tree__next_minute__is_another_file),
		TEST(tree__several_rows_of_a_thread__span_the_minute),
		TEST(tree__few_descriptors__reopens_without_a_second_header),
		TEST(tree__no_descriptors__works_without_the_cache),
		TEST(tree__ended_thread__gives_its_descriptors_back),
		TEST(tree__silent_thread__is_forgotten_after_its_minute),
		TEST(tree__disk_full__keeps_whole_rows),
		TEST(tree__same_start_again__is_refused),
		TEST(tree__open_that_fails__leaves_nothing_behind),
		TEST(tree__loss__is_in_the_tick_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
