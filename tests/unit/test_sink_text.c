/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sinks.h"

#define BANNER \
	"# schedsampler 1.0  2026-11-22 +0000  Linux 6.1.0  host  source procfs  every 50.00 ms\n"
#define HEADER \
	"TIME             PID     TID   WALLms   %run    %rq %sleep %block    %io  %stop %resid" \
	"  VCSW  ICSW CPU EV QUAL   COMMAND\n"
#define ROW(shares, rest) "20:46:32.173      10      11    50.00 " shares rest "\n"
#define REST "     5     6   3 .  snap   worker"

static void check_rows(struct sinks *f, const char *expected)
{
	char *text, *rows;

	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	rows = strstr(text, "COMMAND\n");
	assert_non_null(rows);
	assert_string_equal(rows + strlen("COMMAND\n"), expected);
	free(text);
}

static void text__rows__are_aligned_and_in_order_of_threads(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 1);
	s = add_sample(f, 4194304, 4194303, "sp in");
	add_sample(f, 10, 11, "worker");
	s->run_ns = 12345678;
	s->rq_ns = 30000000;
	s->sleep_ns = 0;
	s->residual_ns = 7654322;
	s->event = SS_EVENT_START;
	s->quality = SS_QUALITY_EXACT;
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	check_file(in_dir(f, "x.txt"), BANNER HEADER
		   ROW("  2.00      0  98.00      0      0      0      0", REST)
		   "20:46:32.173 4194304 4194303    50.00  24.69  60.00      0      0      0      0"
		   "  15.31     5     6   3 +  exact  sp in\n");
}

static void text__local_time__is_of_the_zone(void **state)
{
	struct sinks *f = *state;

	setenv("TZ", "XST-5:30", 1);
	tzset();
	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	check_file(in_dir(f, "x.txt"),
		   "# schedsampler 1.0  2026-11-23 +0530  Linux 6.1.0  host  source procfs"
		   "  every 50.00 ms\n" HEADER
		   "02:16:32.173      10      11    50.00 "
		   "  2.00      0  98.00      0      0      0      0" REST "\n");
}

static void text__zero_tiny_and_missing__are_told_apart(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 1);
	s = add_sample(f, 10, 11, "worker");
	s->have &= ~(SS_PART_BLOCK | SS_PART_IOWAIT | SS_PART_SWITCHES | SS_PART_CPU);
	s->run_ns = 1;
	s->rq_ns = 0;
	s->sleep_ns = 50000000;
	s->residual_ns = -1;
	check_rows(f, ROW("  0.00      0    100      -      -      0  -0.00",
			  "     -     -   - .  snap   worker"));
}

static void text__hundred__is_told_from_nearly(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 1);
	s = add_sample(f, 10, 11, "worker");
	s->run_ns = 49999999;
	s->sleep_ns = 1;
	check_rows(f, ROW("100.00      0   0.00      0      0      0      0", REST));
}

static void text__damaged_account__is_bounded(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 1);
	s = add_sample(f, 10, 11, "worker");
	s->wall_ns = 1;
	s->run_ns = INT64_MAX;
	s->sleep_ns = 0;
	s->residual_ns = INT64_MIN;
	s = add_sample(f, 10, 11, "worker");
	s->wall_ns = 0;
	check_rows(f, "20:46:32.173      10      11     0.00 10000000.00      0      0      0"
		   "      0      0 -10000000.00" REST "\n"
		   "20:46:32.173      10      11     0.00      -      -      -      -      -      -"
		   "      -" REST "\n");
}

static void text__events_and_qualities__are_abbreviated(void **state)
{
	static const char *const ends[] = {
		" .  exact  a\n", " +  repair b\n", " -  snap   c\n", " +- est    d\n",
		" .  count  e\n", " .  sample f\n",
	};
	static const uint8_t events[] = {
		0, SS_EVENT_START, SS_EVENT_EXIT, SS_EVENT_START | SS_EVENT_EXIT, 0, 0,
	};
	struct sinks *f = *state;
	char name[2] = "a", *text;

	begin_tick(f, 1);
	for (int i = 0; i < SS_QUALITY_COUNT; i++, name[0]++) {
		struct ss_sample *s = add_sample(f, 10, 11, name);

		s->quality = i;
		s->event = events[i];
	}
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	for (int i = 0; i < SS_QUALITY_COUNT; i++)
		assert_non_null(strstr(text, ends[i]));
	free(text);
}

static void text__idle_rows__are_hidden_on_request(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	f->config.idle = false;
	begin_tick(f, 1);
	for (int i = 0; i < 6; i++) {
		s = add_sample(f, 10, 11, "worker");
		s->run_ns = 0;
		s->sleep_ns = 50000000;
		switch (i) {
		case 0:		/* asleep: hidden */
			break;
		case 1:		/* stopped: hidden */
			s->sleep_ns = 0;
			s->stop_ns = 50000000;
			break;
		case 2:		/* ended */
			s->event = SS_EVENT_EXIT;
			break;
		case 3:		/* not known to be idle */
			s->have &= ~SS_PART_RUN;
			break;
		case 4:		/* waited for I/O */
			s->sleep_ns = 0;
			s->iowait_ns = 50000000;
			break;
		case 5:		/* not explained */
			s->sleep_ns = 0;
			s->residual_ns = 50000000;
			break;
		}
	}
	check_rows(f, ROW("     0      0    100      0      0      0      0",
			  "     5     6   3 -  snap   worker")
		   ROW("     -      0    100      0      0      0      0", REST)
		   ROW("     0      0      0      0    100      0      0", REST)
		   ROW("     0      0      0      0      0      0    100", REST));
}

static void text__losses__are_one_comment_line(void **state)
{
	const struct ss_sink_loss loss = { .batches = 2, .rows = 8 };
	struct sinks *f = *state;
	struct ss_tick_row *tick = begin_tick(f, 1);

	tick->lost_ticks = 3;
	tick->lost_replies = 1;
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &loss);
	check_file(in_dir(f, "x.txt"), BANNER HEADER
		   "# 20:46:32.173 lost: ticks=3 replies=1 batches=2 rows=8\n");
}

static void text__screen__repeats_the_header(void **state)
{
	struct sinks *f = *state;
	char *text, *p;

	f->config.height = 5;
	begin_tick(f, 1);
	for (int i = 0; i < 8; i++)
		add_sample(f, 10, 11, "worker");
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	/* banner, then header + 3 rows, header + 3 rows, header + 2 rows */
	assert_int_equal(count_lines(text), 1 + 3 + 8);
	p = text + strlen(BANNER HEADER);
	for (int i = 0; i < 3; i++)
		p = strchr(p, '\n') + 1;
	assert_memory_equal(p, HEADER, strlen(HEADER));
	free(text);
}

static void text__file__has_one_header(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;
	char *text;

	f->config.path = in_dir(f, "x.txt");
	assert_int_equal(ss_sink_text.open(&sink, &f->config), 0);
	for (int tick = 1; tick <= 100; tick++) {
		begin_tick(f, tick);
		add_sample(f, 10, 11, "worker");
		assert_int_equal(ss_sink_text.write(sink, f->batch, &no_loss), 0);
	}
	assert_int_equal(ss_sink_text.close(sink), 0);
	text = slurp(in_dir(f, "x.txt"));
	assert_int_equal(count_lines(text), 2 + 100);
	assert_null(strstr(text + strlen(BANNER HEADER), "COMMAND"));
	free(text);
}

static void text__color__only_when_asked_for(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;
	char *text;

	begin_tick(f, 1);
	s = add_sample(f, 10, 11, "worker");
	s->run_ns = 25000000;
	s->rq_ns = 5000000;
	s->sleep_ns = 20000000;
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	assert_null(strchr(text, '\033'));
	free(text);

	f->config.color = true;
	check_rows(f, "20:46:32.173      10      11    50.00 \033[1m 50.00\033[0m"
		   " \033[1;31m 10.00\033[0m  40.00 \033[2m     0\033[0m \033[2m     0\033[0m"
		   " \033[2m     0\033[0m \033[2m     0\033[0m" REST "\n");
}

static void text__columns__print_raw_values(void **state)
{
	const struct ss_column *columns[] = {
		ss_column_find(&ss_table_samples, "tid"),
		ss_column_find(&ss_table_samples, "comm"),
		ss_column_find(&ss_table_samples, "run_ns"),
		ss_column_find(&ss_table_samples, "rq_ns"),
		ss_column_find(&ss_table_samples, "event"),
		ss_column_find(&ss_table_samples, "time_ns"),
		ss_column_find(&ss_table_samples, "quality"),
	};
	struct sinks *f = *state;
	struct ss_sample *s;

	f->config.columns = columns;
	f->config.ncolumns = 7;
	begin_tick(f, 1);
	s = add_sample(f, 10, 11, "\xe4\xb8\xad");
	s->have &= ~SS_PART_RQ;
	s = add_sample(f, 10, 12, "worker");
	s->event = SS_EVENT_START;
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	check_file(in_dir(f, "x.txt"),
		   "    tid comm                 run_ns       rq_ns event                  time_ns"
		   " quality\n"
		   "     11 \xe4\xb8\xad                  1000000           - ."
		   "          1795380392173000000 snapshot\n"
		   "     12 worker              1000000           0 start"
		   "      1795380392173000000 snapshot\n");
}

static void text__hostile_names__cannot_reach_the_terminal(void **state)
{
	struct sinks *f = *state;

	f->run.host = "\x1b]0;x\x07";
	begin_tick(f, 1);
	add_sample(f, 10, 11, HOSTILE_COMM);
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	check_file(in_dir(f, "x.txt"),
		   "# schedsampler 1.0  2026-11-22 +0000  Linux 6.1.0  \\x1b]0;x\\x07"
		   "  source procfs  every 50.00 ms\n" HEADER
		   ROW("  2.00      0  98.00      0      0      0      0",
		       "     5     6   3 .  snap   a\"b,c\\x0a\\x1b[2J\\xff\\u{202E}d"));
}

#define WORKER ROW("  2.00      0  98.00      0      0      0      0", REST)
#define WAIT(line) "                             " line "\n"

static void text__waits__are_below_their_thread_longest_first(void **state)
{
	struct sinks *f = *state;
	struct ss_wait_row *w;

	f->config.waits = true;
	begin_tick(f, 1);
	add_sample(f, 10, 12, "other");
	add_sample(f, 10, 11, "worker");
	add_resource(f, 3, "pipe:[4711]");
	/* In the order of a ledger, not in that of the lines. */
	w = add_wait(f, 10, 12, 3);
	w->have = 0;
	w->kind = SS_WAIT_UNKNOWN;
	w->wait_ns = 50000000;
	w = add_wait(f, 10, 11, 0);
	w->have &= ~SS_WAIT_RESOURCE;
	w->kind = SS_WAIT_TIMER;
	w->syscall = SYS_nanosleep;
	w->wait_ns = 2500000;
	w = add_wait(f, 10, 11, 0);
	w->have = SS_WAIT_CALL | SS_WAIT_ENDED;
	w->kind = SS_WAIT_SYSCALL;
	w->syscall = 99999;
	w->wait_ns = 3000000;
	w->count = 0;
	add_wait(f, 10, 11, 3);
	w = add_wait(f, 10, 11, 4);
	w->wait_ns = 20000001;
	set_waker(w, 20, 4194304);
	check_rows(f, WORKER
		   WAIT("   20.00 ms  40.00 % pipe         2 x, max    12.00 ms, by 4194304    #4")
		   WAIT("   20.00 ms  40.00 % pipe         2 x, max    12.00 ms, by interrupt"
			"  pipe:[4711]")
		   WAIT("    3.00 ms   6.00 % syscall      0 x, max        - ms, by -          call 99999")
		   WAIT("    2.50 ms   5.00 % timer        2 x, max    12.00 ms, by interrupt"
			"  nanosleep()")
		   "20:46:32.173      10      12    50.00   2.00      0  98.00      0      0      0"
		   "      0     5     6   3 .  snap   other\n"
		   WAIT("   50.00 ms 100.00 % unknown      - x, max        - ms, by -          -"));
}

static void text__waits_of_one_cause__are_one_line(void **state)
{
	struct sinks *f = *state;
	struct ss_wait_row *w;

	f->config.waits = true;
	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	add_resource(f, 3, "pipe:[4711]");
	w = add_wait(f, 10, 11, 3);		/* goes on */
	w->have &= ~(SS_WAIT_MAX | SS_WAIT_WAKER);
	w->wait_ns = 22000000;
	w->count = 0;
	w = add_wait(f, 10, 11, 3);
	w->wait_ns = 1000000;
	w->max_ns = 15000000;
	set_waker(w, 20, 22);
	w = add_wait(f, 10, 11, 3);
	w->wait_ns = 2000000;
	set_waker(w, 20, 21);
	w = add_wait(f, 10, 11, 3);
	w->kind = SS_WAIT_POLL;
	w->wait_ns = 10000000;
	set_waker(w, 20, 21);
	w = add_wait(f, 10, 11, 3);		/* the same waker, told twice */
	w->kind = SS_WAIT_POLL;
	w->wait_ns = 5000000;
	set_waker(w, 20, 21);
	check_rows(f, WORKER
		   WAIT("   25.00 ms  50.00 % pipe         4 x, max    15.00 ms, by 21,...     pipe:[4711]")
		   WAIT("   15.00 ms  30.00 % poll         4 x, max    12.00 ms, by 21         pipe:[4711]"));
}

static void text__waits_beyond_eight_or_below_one_percent__are_summed_up(void **state)
{
	struct sinks *f = *state;
	char *text;

	f->config.waits = true;
	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	for (int i = 0; i < 9; i++)
		add_wait(f, 10, 11, 100 + i)->wait_ns = 1000000;
	add_wait(f, 10, 11, 200)->wait_ns = 400000;
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	assert_int_equal(count_lines(text), 3 + 8 + 1);
	assert_non_null(strstr(text, "#107\n" WAIT("... 2 more, 1.40 ms")));
	assert_null(strstr(text, "#108"));
	free(text);

	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	add_wait(f, 10, 11, 100)->wait_ns = 500000;	/* one percent */
	add_wait(f, 10, 11, 101)->wait_ns = 499999;
	check_rows(f, WORKER
		   WAIT("    0.50 ms   1.00 % pipe         2 x, max    12.00 ms, by interrupt  #100")
		   WAIT("... 1 more, 0.49 ms"));
}

static void text__waits__are_shown_on_request_and_with_their_thread(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;

	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	s = add_sample(f, 10, 9, "idle");
	s->run_ns = 0;
	s->sleep_ns = s->wall_ns;
	add_wait(f, 10, 9, 1);
	add_wait(f, 10, 11, 2);
	f->config.idle = false;
	check_rows(f, WORKER);
	f->config.waits = true;
	check_rows(f, WORKER
		   WAIT("   20.00 ms  40.00 % pipe         2 x, max    12.00 ms, by interrupt  #2"));
}

static void text__waits_of_two_windows__are_told_apart(void **state)
{
	struct sinks *f = *state;
	struct ss_sample *s;
	struct ss_wait_row *w;
	char *text, *p;

	/* A tick that was missed has its own rows. */
	f->config.waits = true;
	begin_tick(f, 2);
	add_resource(f, 1, "first");
	add_resource(f, 2, "second");
	s = add_sample(f, 10, 11, "worker");
	s->mono_ns -= 50000000;
	s->time_ns -= 50000000;
	w = add_wait(f, 10, 11, 1);
	w->time_ns -= 50000000;
	add_sample(f, 10, 11, "worker");
	add_wait(f, 10, 11, 2);
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	assert_int_equal(count_lines(text), 2 + 4);
	p = strstr(text, "20:46:32.223");
	assert_non_null(p);
	assert_true(strstr(text, "first") < p);
	assert_non_null(strstr(p, "second"));
	free(text);
}

static void text__resource_names__are_kept_and_the_oldest_forgotten(void **state)
{
	struct sinks *f = *state;
	struct ss_sink *sink;
	char *text;

	f->config.waits = true;
	f->config.path = in_dir(f, "x.txt");
	assert_int_equal(ss_sink_text.open(&sink, &f->config), 0);
	for (int64_t id = 1; id <= 65537; id += 16) {
		begin_tick(f, 1);
		for (int i = 0; i < 16; i++) {
			char name[32];

			snprintf(name, sizeof(name), "name-%d", (int)id + i);
			add_resource(f, id + i, name);
		}
		assert_int_equal(ss_sink_text.write(sink, f->batch, &no_loss), 0);
	}
	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	add_wait(f, 10, 11, 1);
	add_wait(f, 10, 11, 17);
	add_wait(f, 10, 11, 64);
	add_wait(f, 10, 11, 65536);
	add_wait(f, 10, 11, 65537);
	add_wait(f, 10, 11, 70000);
	assert_int_equal(ss_sink_text.write(sink, f->batch, &no_loss), 0);
	assert_int_equal(ss_sink_text.close(sink), 0);
	text = slurp(in_dir(f, "x.txt"));
	assert_non_null(strstr(text, "  #1\n"));
	assert_non_null(strstr(text, "  name-17\n"));
	assert_non_null(strstr(text, "  name-64\n"));
	assert_non_null(strstr(text, "  name-65536\n"));
	assert_non_null(strstr(text, "  name-65537\n"));
	assert_non_null(strstr(text, "  #70000\n"));
	free(text);
}

static void text__hostile_resource__cannot_reach_the_terminal(void **state)
{
	struct sinks *f = *state;

	f->config.waits = true;
	begin_tick(f, 1);
	add_sample(f, 10, 11, "worker");
	add_resource(f, 1, HOSTILE_COMM);
	add_resource(f, 2, "")->have = 0;
	add_wait(f, 10, 11, 1);
	add_wait(f, 10, 11, 2)->wait_ns = 10000000;
	check_rows(f, WORKER
		   WAIT("   20.00 ms  40.00 % pipe         2 x, max    12.00 ms, by interrupt"
			"  a\"b,c\\x0a\\x1b[2J\\xff\\u{202E}d")
		   WAIT("   10.00 ms  20.00 % pipe         2 x, max    12.00 ms, by interrupt"
			"  pipe"));
}

static void text__waits__count_as_lines_of_the_screen(void **state)
{
	struct sinks *f = *state;
	char *text;

	f->config.height = 5;
	f->config.waits = true;
	begin_tick(f, 1);
	for (int i = 0; i < 4; i++) {
		add_sample(f, 10, 11 + i, "worker");
		add_wait(f, 10, 11 + i, 1);
	}
	write_once(f, &ss_sink_text, in_dir(f, "x.txt"), &no_loss);
	text = slurp(in_dir(f, "x.txt"));
	/* banner, then twice a header and two threads with a wait each */
	assert_int_equal(count_lines(text), 1 + 2 * (1 + 2 * 2));
	free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sinks_setup, sinks_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(text__rows__are_aligned_and_in_order_of_threads),
		TEST(text__local_time__is_of_the_zone),
		TEST(text__zero_tiny_and_missing__are_told_apart),
		TEST(text__hundred__is_told_from_nearly),
		TEST(text__damaged_account__is_bounded),
		TEST(text__events_and_qualities__are_abbreviated),
		TEST(text__idle_rows__are_hidden_on_request),
		TEST(text__losses__are_one_comment_line),
		TEST(text__screen__repeats_the_header),
		TEST(text__file__has_one_header),
		TEST(text__color__only_when_asked_for),
		TEST(text__columns__print_raw_values),
		TEST(text__hostile_names__cannot_reach_the_terminal),
		TEST(text__waits__are_below_their_thread_longest_first),
		TEST(text__waits_of_one_cause__are_one_line),
		TEST(text__waits_beyond_eight_or_below_one_percent__are_summed_up),
		TEST(text__waits__are_shown_on_request_and_with_their_thread),
		TEST(text__waits_of_two_windows__are_told_apart),
		TEST(text__resource_names__are_kept_and_the_oldest_forgotten),
		TEST(text__hostile_resource__cannot_reach_the_terminal),
		TEST(text__waits__count_as_lines_of_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
