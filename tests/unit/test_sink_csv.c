/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sinks.h"

#define HEADER \
	"tick,time_ns,mono_ns,pid,tid,comm,wall_ns,run_ns,rq_ns,sleep_ns,block_ns,iowait_ns," \
	"stop_ns,residual_ns,nvcsw,nivcsw,cpu,event,quality,bound_ns,stolen_ns\n"
#define TICKS_HEADER \
	"tick,time_ns,scheduled_ns,actual_ns,lateness_ns,read_ns,threads,still,rows,starts,exits," \
	"suspended_ns,lost_ticks,lost_events,lost_replies,lost_parse,lost_reads,lost_threads," \
	"lost_restarts,lost_batches,lost_rows,unseen_max\n"

static void csv__samples__header_and_rows(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 1);
	add_sample(f, 10, 10, "main");
	s = add_sample(f, 10, 11, "worker");
	s->event = SS_EVENT_START | SS_EVENT_EXIT;
	s->quality = SS_QUALITY_ESTIMATE;
	s->have |= SS_PART_BOUND;
	s->bound_ns = 77;
	s->residual_ns = -5;
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.csv"), HEADER
		   "1,1795380392173000000,50001000,10,10,main,50000000,1000000,0,49000000,0,0,0,0,"
		   "5,6,3,,snapshot,,\n"
		   "1,1795380392173000000,50001000,10,11,worker,50000000,1000000,0,49000000,0,0,0,"
		   "-5,5,6,3,start+exit,estimate,77,\n");
}

static void csv__missing_value__is_an_empty_field(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 0);
	s = add_sample(f, 1, 2, "c");
	s->have = SS_PART_RUN;
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.csv"), HEADER
		   "0,1795380392123000000,1000,1,2,c,50000000,1000000,,,,,,0,,,,,snapshot,,\n");
}

static void csv__other_tables__go_to_siblings_when_they_have_rows(void **state)
{
	struct sinks *f = *state;
	struct ss_thread_row *t;
	struct ss_delay *d;

	begin_tick(f, 0);
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.csv"), HEADER);
	check_file(in_dir(f, "x.ticks.csv"),
		   TICKS_HEADER "0,1795380392123000000,0,0,0,0,2,0,0,0,0,,0,0,0,0,0,0,0,0,0,\n");
	assert_int_equal(access(in_dir(f, "x.delays.csv"), F_OK), -1);
	assert_int_equal(access(in_dir(f, "x.threads.csv"), F_OK), -1);

	begin_tick(f, 0);
	d = ss_batch_add(f->batch, SS_TABLE_DELAYS);
	d->have = 1u << SS_DELAY_BLKIO;
	d->pid = d->tid = 7;
	d->count[SS_DELAY_BLKIO] = 2;
	d->ns[SS_DELAY_BLKIO] = 300;
	t = ss_batch_add(f->batch, SS_TABLE_THREADS);
	t->have = SS_THREAD_EXE;
	t->pid = t->tid = 7;
	strcpy(t->comm, "a,b");
	strcpy(t->found, "pid");
	strcpy(t->exe, "/bin/x");
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.delays.csv"),
		   "tick,time_ns,pid,tid,cpu_count,cpu_ns,blkio_count,blkio_ns,swapin_count,"
		   "swapin_ns,freepages_count,freepages_ns,thrashing_count,thrashing_ns,"
		   "compact_count,compact_ns,wpcopy_count,wpcopy_ns,irq_count,irq_ns\n"
		   "0,0,7,7,,,2,300,,,,,,,,,,,,\n");
	check_file(in_dir(f, "x.threads.csv"),
		   "tick,time_ns,pid,tid,ppid,comm,start_ns,exit_ns,event,found,exe,cgroup\n"
		   "0,0,7,7,,\"a,b\",,,,pid,/bin/x,\n");
}

static void csv__waits__go_to_siblings(void **state)
{
	struct sinks *f = *state;
	struct ss_wait_row *w;

	begin_tick(f, 0);
	add_resource(f, 1, "pipe:[4711]");
	add_resource(f, 2, HOSTILE_COMM)->have = SS_RESOURCE_NAME | SS_RESOURCE_PID;
	add_resource(f, 3, "")->have = 0;
	w = add_wait(f, 10, 11, 1);
	w->hist[0] = 7;
	w->hist[SS_WAIT_BUCKETS - 1] = UINT32_MAX;
	set_waker(w, 20, 21);
	add_wait(f, 10, 11, 1)->syscall = 99999;
	w = add_wait(f, 10, 12, 1);
	w->have = 0;
	w->kind = SS_WAIT_TIMER;
	add_wake(f, 10, 11);
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.waits.csv"),
		   "tick,time_ns,pid,tid,kind,syscall,resource,wait_ns,count,ended_ns,max_ns,hist,"
		   "waker,waker_pid,waker_tid,quality\n"
		   "0,1795380392123000000,10,11,pipe,read,1,20000000,2,21000000,12000000,"
		   "0:7 8388608:2 1099511627776:4294967295,thread,20,21,exact\n"
		   "0,1795380392123000000,10,11,pipe,99999,1,20000000,2,21000000,12000000,"
		   "8388608:2,interrupt,,,exact\n"
		   "0,1795380392123000000,10,12,timer,,,20000000,,,,,,,,exact\n");
	check_file(in_dir(f, "x.wakes.csv"),
		   "tick,time_ns,waker_pid,waker_tid,pid,tid,kind,count,ended_wait_ns\n"
		   "0,1795380392123000000,20,21,10,11,pipe,2,21000000\n");
	check_file(in_dir(f, "x.resources.csv"),
		   "tick,time_ns,id,kind,pid,key0,key1,name\n"
		   "0,1795380392123000000,1,pipe,,4711,12,pipe:[4711]\n"
		   "0,1795380392123000000,2,pipe,0,4711,12,"
		   "\"a\"\"b,c\n\x1b[2J\xff\xe2\x80\xae" "d\"\n"
		   "0,1795380392123000000,3,pipe,,4711,12,\n");
}

static void csv__new_recording__removes_siblings_of_the_old(void **state)
{
	struct sinks *f = *state;

	begin_tick(f, 0);
	((struct ss_delay *)ss_batch_add(f->batch, SS_TABLE_DELAYS))->tid = 1;
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	assert_int_equal(access(in_dir(f, "x.delays.csv"), F_OK), 0);
	begin_tick(f, 0);
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	assert_int_equal(access(in_dir(f, "x.delays.csv"), F_OK), -1);
	assert_int_equal(access(in_dir(f, "x.ticks.csv"), F_OK), 0);
}

static void csv__other_suffix__is_kept_before_the_table(void **state)
{
	struct sinks *f = *state;

	begin_tick(f, 0);
	write_once(f, &ss_sink_csv, in_dir(f, "x.dat"), &no_loss);
	assert_int_equal(access(in_dir(f, "x.dat"), F_OK), 0);
	assert_int_equal(access(in_dir(f, "x.dat.ticks.csv"), F_OK), 0);
}

static void csv__fifo__gets_samples_only(void **state)
{
	struct sinks *f = *state;
	char text[1024];
	ssize_t n;
	int fd;

	assert_int_equal(mkfifo(in_dir(f, "x.csv"), 0600), 0);
	fd = open(in_dir(f, "x.csv"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	begin_tick(f, 0);
	ss_batch_add(f->batch, SS_TABLE_DELAYS);
	add_sample(f, 1, 2, "c");
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text, HEADER
			    "0,1795380392123000000,1000,1,2,c,50000000,1000000,0,49000000,0,0,0,0,"
			    "5,6,3,,snapshot,,\n");
	assert_int_equal(access(in_dir(f, "x.ticks.csv"), F_OK), -1);
}

static void csv__stdout__gets_samples_only_and_stays_open(void **state)
{
	struct sinks *f = *state;
	int saved = dup(STDOUT_FILENO);
	int fd = open(in_dir(f, "out"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	fflush(stdout);
	dup2(fd, STDOUT_FILENO);
	begin_tick(f, 0);
	write_once(f, &ss_sink_csv, "-", &no_loss);
	assert_int_equal(fcntl(STDOUT_FILENO, F_GETFD), 0);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(fd);
	check_file(in_dir(f, "out"), HEADER);
	assert_int_equal(access("-.ticks.csv", F_OK), -1);
}

static void csv__no_batch__leaves_stdout_empty(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;

	f->config.path = in_dir(f, "x.csv");
	assert_int_equal(ss_sink_csv.open(&sink, &f->config), 0);
	assert_int_equal(ss_sink_csv.close(sink), 0);
	check_file(in_dir(f, "x.csv"), "");
}

static void csv__columns__pick_and_order_samples_only(void **state)
{
	const struct ss_column *columns[] = {
		ss_column_find(&ss_table_samples, "comm"),
		ss_column_find(&ss_table_samples, "tid"),
		ss_column_find(&ss_table_samples, "event"),
		ss_column_find(&ss_table_samples, "tid"),
	};
	struct sinks *f = *state;
	char *ticks;

	begin_tick(f, 0);
	add_sample(f, 1, 2, "c")->event = SS_EVENT_EXIT;
	f->config.columns = columns;
	f->config.ncolumns = 4;
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.csv"), "comm,tid,event,tid\nc,2,exit,2\n");
	ticks = slurp(in_dir(f, "x.ticks.csv"));
	assert_memory_equal(ticks, TICKS_HEADER, strlen(TICKS_HEADER));
	free(ticks);
}

static void csv__hostile_name__is_one_quoted_field(void **state)
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
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &no_loss);
	check_file(in_dir(f, "x.csv"),
		   "comm,tid\n\"a\"\"b,c\n\x1b[2J\xff\xe2\x80\xae" "d\",2\n");
}

static void csv__terminal__gets_names_escaped(void **state)
{
	const struct ss_column *columns[] = { ss_column_find(&ss_table_samples, "comm") };
	struct sinks *f = *state;
	char text[256];
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	ssize_t n;

	if (terminal < 0 || grantpt(terminal) || unlockpt(terminal))
		skip();
	begin_tick(f, 0);
	add_sample(f, 1, 2, HOSTILE_COMM);
	f->config.columns = columns;
	f->config.ncolumns = 1;
	write_once(f, &ss_sink_csv, ptsname(terminal), &no_loss);
	n = read(terminal, text, sizeof(text) - 1);
	close(terminal);
	assert_true(n > 0);
	text[n] = '\0';
	assert_string_equal(text,
			    "comm\r\n\"a\"\"b,c\\x0a\\x1b[2J\\xff\\u{202E}d\"\r\n");
}

static void csv__loss__is_added_to_the_tick_row(void **state)
{
	const struct ss_sink_loss loss = { .batches = 2, .rows = 30 };
	struct sinks *f = *state;
	struct ss_tick_row *tick = begin_tick(f, 0);

	tick->lost_rows = 1;
	write_once(f, &ss_sink_csv, in_dir(f, "x.csv"), &loss);
	check_file(in_dir(f, "x.ticks.csv"),
		   TICKS_HEADER "0,1795380392123000000,0,0,0,0,2,0,0,0,0,,0,0,0,0,0,0,0,2,31,\n");
	assert_int_equal(tick->lost_rows, 1);
	assert_int_equal(tick->lost_batches, 0);
}

static void csv__disk_full__keeps_whole_rows(void **state)
{
	const struct ss_column *columns[] = {
		ss_column_find(&ss_table_samples, "tid"),
		ss_column_find(&ss_table_samples, "comm"),
	};
	struct sinks *f = *state;
	struct rlimit saved;
	struct ss_sink *sink;

	f->config.columns = columns;
	f->config.ncolumns = 2;
	f->config.path = in_dir(f, "x.csv");
	assert_int_equal(ss_sink_csv.open(&sink, &f->config), 0);
	begin_tick(f, 0);
	add_sample(f, 1, 10, "first");
	assert_int_equal(ss_sink_csv.write(sink, f->batch, &no_loss), 0);
	/* "tid,comm\n10,first\n" are 18 bytes; the next row 7; the cut falls behind a line end
	 * that is inside quotes. */
	begin_tick(f, 1);
	add_sample(f, 1, 11, "abc");
	add_sample(f, 1, 12, "x\ny");
	limit_files(18 + 7 + 7, &saved);
	assert_int_equal(ss_sink_csv.write(sink, f->batch, &no_loss), -EFBIG);
	unlimit_files(&saved);
	assert_int_equal(ss_sink_csv.close(sink), 0);
	check_file(in_dir(f, "x.csv"), "tid,comm\n10,first\n11,abc\n");
}

static void csv__device_full__is_enospc(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;

	f->config.path = "/dev/full";
	assert_int_equal(ss_sink_csv.open(&sink, &f->config), 0);
	begin_tick(f, 0);
	assert_int_equal(ss_sink_csv.write(sink, f->batch, &no_loss), -ENOSPC);
	assert_int_equal(ss_sink_csv.close(sink), 0);
}

static void csv__unwritable_path__fails_to_open(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;

	f->config.path = in_dir(f, "none/x.csv");
	assert_int_equal(ss_sink_csv.open(&sink, &f->config), -ENOENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sinks_setup, sinks_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(csv__samples__header_and_rows),
		TEST(csv__missing_value__is_an_empty_field),
		TEST(csv__other_tables__go_to_siblings_when_they_have_rows),
		TEST(csv__waits__go_to_siblings),
		TEST(csv__new_recording__removes_siblings_of_the_old),
		TEST(csv__other_suffix__is_kept_before_the_table),
		TEST(csv__fifo__gets_samples_only),
		TEST(csv__stdout__gets_samples_only_and_stays_open),
		TEST(csv__no_batch__leaves_stdout_empty),
		TEST(csv__columns__pick_and_order_samples_only),
		TEST(csv__hostile_name__is_one_quoted_field),
		TEST(csv__terminal__gets_names_escaped),
		TEST(csv__loss__is_added_to_the_tick_row),
		TEST(csv__disk_full__keeps_whole_rows),
		TEST(csv__device_full__is_enospc),
		TEST(csv__unwritable_path__fails_to_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
