/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sinks.h"

#define META \
	"{\"type\":\"meta\",\"schema\":1,\"version\":\"1.0\",\"kernel\":\"6.1.0\"," \
	"\"host\":\"host\",\"source\":\"procfs\"," \
	"\"command\":[\"schedsampler\",\"-p\",\"1 \\\"x\\\"\"]," \
	"\"start_real_ns\":1795380392123000000,\"start_mono_ns\":1000,\"interval_ns\":50000000," \
	"\"capabilities\":[{\"name\":\"taskstats\",\"state\":\"no\",\"detail\":\"EPERM\"," \
	"\"lost\":\"delays\",\"remedy\":\"run as \\\"root\\\"\"}]}\n"
#define TICK(n, time, lost) \
	"{\"type\":\"tick\",\"tick\":" n ",\"time_ns\":" time ",\"scheduled_ns\":0," \
	"\"actual_ns\":0,\"lateness_ns\":0,\"read_ns\":0,\"threads\":2,\"still\":0," \
	"\"rows\":0,\"starts\":0,\"exits\":0,\"lost_ticks\":0,\"lost_events\":0,\"lost_replies\":0,\"lost_parse\":0," \
	"\"lost_reads\":0,\"lost_threads\":0,\"lost_restarts\":0," lost "}\n"
#define NO_LOSS "\"lost_batches\":0,\"lost_rows\":0"

static void jsonl__first_line__describes_the_run_once(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;

	f->config.path = in_dir(f, "x.jsonl");
	assert_int_equal(ss_sink_jsonl.open(&sink, &f->config), 0);
	begin_tick(f, 0);
	assert_int_equal(ss_sink_jsonl.write(sink, f->batch, &no_loss), 0);
	begin_tick(f, 1);
	assert_int_equal(ss_sink_jsonl.write(sink, f->batch, &no_loss), 0);
	check_file(in_dir(f, "x.jsonl"), META TICK("0", "1795380392123000000", NO_LOSS)
		   TICK("1", "1795380392173000000", NO_LOSS));
	assert_int_equal(ss_sink_jsonl.close(sink), 0);
}

static void jsonl__no_arguments_no_capabilities__are_empty_arrays(void **state)
{
	struct sinks *f = *state;
	char *text;

	f->run.argc = 0;
	f->caps.n = 0;
	begin_tick(f, 0);
	write_once(f, &ss_sink_jsonl, in_dir(f, "x.jsonl"), &no_loss);
	text = slurp(in_dir(f, "x.jsonl"));
	assert_non_null(strstr(text, "\"command\":[],\"start_real_ns\""));
	assert_non_null(strstr(text, ",\"capabilities\":[]}\n"));
	free(text);
}

static void jsonl__rows__follow_in_the_order_of_the_tables(void **state)
{
	struct sinks *f = *state;
	struct ss_thread_row *t;
	struct ss_delay *d;

	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	d = ss_batch_add(f->batch, SS_TABLE_DELAYS);
	d->have = 1u << SS_DELAY_IRQ;
	d->pid = 10;
	d->tid = 11;
	d->count[SS_DELAY_IRQ] = 1;
	d->ns[SS_DELAY_IRQ] = 900;
	t = ss_batch_add(f->batch, SS_TABLE_THREADS);
	t->have = SS_THREAD_PPID;
	t->pid = 10;
	t->tid = 11;
	t->ppid = 1;
	t->event = SS_EVENT_START;
	strcpy(t->comm, "worker");
	strcpy(t->found, "all");
	write_once(f, &ss_sink_jsonl, in_dir(f, "x.jsonl"), &no_loss);
	check_file(in_dir(f, "x.jsonl"), META
		   "{\"type\":\"thread\",\"tick\":0,\"time_ns\":0,\"pid\":10,\"tid\":11,\"ppid\":1,"
		   "\"comm\":\"worker\",\"event\":\"start\",\"found\":\"all\"}\n"
		   "{\"type\":\"sample\",\"tick\":1,\"time_ns\":1795380392173000000,"
		   "\"mono_ns\":50001000,\"pid\":10,\"tid\":11,\"comm\":\"worker\","
		   "\"wall_ns\":50000000,\"run_ns\":1000000,\"rq_ns\":0,\"sleep_ns\":49000000,"
		   "\"block_ns\":0,\"iowait_ns\":0,\"stop_ns\":0,\"residual_ns\":0,\"nvcsw\":5,"
		   "\"nivcsw\":6,\"cpu\":3,\"event\":\"\",\"quality\":\"snapshot\"}\n"
		   "{\"type\":\"delay\",\"tick\":0,\"time_ns\":0,\"pid\":10,\"tid\":11,"
		   "\"irq_count\":1,\"irq_ns\":900}\n"
		   TICK("1", "1795380392173000000", NO_LOSS));
}

static void jsonl__waits__come_after_their_resources(void **state)
{
	struct sinks *f = *state;
	struct ss_wait_row *w;

	begin_tick(f, 0);
	w = add_wait(f, 10, 11, 1);
	w->hist[0] = 7;
	set_waker(w, 20, 21);
	w = add_wait(f, 10, 11, 1);
	w->syscall = 99999;
	w->hist[14] = 0;
	add_wait(f, 10, 12, 1)->have = 0;
	add_wake(f, 10, 11);
	add_resource(f, 1, HOSTILE_COMM);
	write_once(f, &ss_sink_jsonl, in_dir(f, "x.jsonl"), &no_loss);
	check_file(in_dir(f, "x.jsonl"), META
		   "{\"type\":\"resource\",\"tick\":0,\"time_ns\":1795380392123000000,\"id\":1,"
		   "\"kind\":\"pipe\",\"key0\":4711,\"key1\":12,"
		   "\"name\":\"a\\\"b,c\\u000a\\u001b[2J\\ufffd\\u202ed\"}\n"
		   "{\"type\":\"wait\",\"tick\":0,\"time_ns\":1795380392123000000,\"pid\":10,"
		   "\"tid\":11,\"kind\":\"pipe\",\"syscall\":\"read\",\"resource\":1,"
		   "\"wait_ns\":20000000,\"count\":2,\"ended_ns\":21000000,\"max_ns\":12000000,"
		   "\"hist\":[[0,7],[8388608,2]],\"waker\":\"thread\",\"waker_pid\":20,"
		   "\"waker_tid\":21,\"quality\":\"exact\"}\n"
		   "{\"type\":\"wait\",\"tick\":0,\"time_ns\":1795380392123000000,\"pid\":10,"
		   "\"tid\":11,\"kind\":\"pipe\",\"syscall\":\"99999\",\"resource\":1,"
		   "\"wait_ns\":20000000,\"count\":2,\"ended_ns\":21000000,\"max_ns\":12000000,"
		   "\"hist\":[],\"waker\":\"interrupt\",\"quality\":\"exact\"}\n"
		   "{\"type\":\"wait\",\"tick\":0,\"time_ns\":1795380392123000000,\"pid\":10,"
		   "\"tid\":12,\"kind\":\"pipe\",\"wait_ns\":20000000,\"quality\":\"exact\"}\n"
		   "{\"type\":\"wake\",\"tick\":0,\"time_ns\":1795380392123000000,"
		   "\"waker_pid\":20,\"waker_tid\":21,\"pid\":10,\"tid\":11,\"kind\":\"pipe\","
		   "\"count\":2,\"ended_wait_ns\":21000000}\n"
		   TICK("0", "1795380392123000000", NO_LOSS));
}

static void jsonl__missing_value__has_no_key(void **state)
{
	struct sinks *f = *state;
	char *text;

	begin_tick(f, 0);
	add_sample(f, 1, 2, "c")->have = SS_PART_RQ;
	write_once(f, &ss_sink_jsonl, in_dir(f, "x.jsonl"), &no_loss);
	text = slurp(in_dir(f, "x.jsonl"));
	assert_non_null(strstr(text,
			       "\"comm\":\"c\",\"wall_ns\":50000000,\"rq_ns\":0,\"residual_ns\":0,"
			       "\"event\":\"\",\"quality\":\"snapshot\"}\n"));
	free(text);
}

static void jsonl__hostile_name__stays_one_valid_line(void **state)
{
	const struct ss_column *columns[] = {
		ss_column_find(&ss_table_samples, "comm"),
		ss_column_find(&ss_table_samples, "tid"),
	};
	struct sinks *f = *state;

	begin_tick(f, 0);
	add_sample(f, 1, 2, HOSTILE_COMM);
	f->config.columns = columns;
	f->config.ncolumns = 2;
	write_once(f, &ss_sink_jsonl, in_dir(f, "x.jsonl"), &no_loss);
	check_file(in_dir(f, "x.jsonl"), META
		   "{\"type\":\"sample\",\"comm\":\"a\\\"b,c\\u000a\\u001b[2J\\ufffd\\u202ed\","
		   "\"tid\":2}\n"
		   TICK("0", "1795380392123000000", NO_LOSS));
}

static void jsonl__loss__is_in_the_tick_row(void **state)
{
	const struct ss_sink_loss loss = { .batches = 3, .rows = 40 };
	struct sinks *f = *state;

	begin_tick(f, 0);
	write_once(f, &ss_sink_jsonl, in_dir(f, "x.jsonl"), &loss);
	check_file(in_dir(f, "x.jsonl"), META
		   TICK("0", "1795380392123000000", "\"lost_batches\":3,\"lost_rows\":40"));
}

static void jsonl__disk_full__keeps_whole_lines(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;
	struct rlimit saved;

	f->config.path = in_dir(f, "x.jsonl");
	assert_int_equal(ss_sink_jsonl.open(&sink, &f->config), 0);
	begin_tick(f, 0);
	limit_files(strlen(META) + 20, &saved);
	assert_int_equal(ss_sink_jsonl.write(sink, f->batch, &no_loss), -EFBIG);
	unlimit_files(&saved);
	assert_int_equal(ss_sink_jsonl.close(sink), 0);
	check_file(in_dir(f, "x.jsonl"), META);
}

static void jsonl__reader_gone__is_epipe(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;
	int reader;

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(mkfifo(in_dir(f, "x.jsonl"), 0600), 0);
	reader = open(in_dir(f, "x.jsonl"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	f->config.path = in_dir(f, "x.jsonl");
	assert_int_equal(ss_sink_jsonl.open(&sink, &f->config), 0);
	close(reader);
	begin_tick(f, 0);
	assert_int_equal(ss_sink_jsonl.write(sink, f->batch, &no_loss), -EPIPE);
	assert_int_equal(ss_sink_jsonl.close(sink), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sinks_setup, sinks_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(jsonl__first_line__describes_the_run_once),
		TEST(jsonl__no_arguments_no_capabilities__are_empty_arrays),
		TEST(jsonl__rows__follow_in_the_order_of_the_tables),
		TEST(jsonl__waits__come_after_their_resources),
		TEST(jsonl__missing_value__has_no_key),
		TEST(jsonl__hostile_name__stays_one_valid_line),
		TEST(jsonl__loss__is_in_the_tick_row),
		TEST(jsonl__disk_full__keeps_whole_lines),
		TEST(jsonl__reader_gone__is_epipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
