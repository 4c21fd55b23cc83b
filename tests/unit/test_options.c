/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/util.h"
#include "capture.h"
#include "options.h"

#define MS SS_NSEC_PER_MSEC
#define SEC SS_NSEC_PER_SEC

static struct capture out, err;
static struct ss_options o;

/* Parse a command line; what was printed is in @out and @err. The last NULL ends it. */
static int parse(char *const *args)
{
	char *argv[32] = { (char *)"schedsampler" };
	int argc = 1, status;

	while (args[argc - 1]) {
		argv[argc] = args[argc - 1];
		argc++;
	}
	capture_begin(&out, stdout);
	capture_begin(&err, stderr);
	status = ss_options_parse(&o, argc, argv);
	capture_end(&err);
	capture_end(&out);
	return status;
}
#define PARSE(...) parse((char *[]){ __VA_ARGS__, NULL })

static void parse__targets__all_are_kept(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-p", "1,22", "--pid=2147483647", "-t5", "-m", "^a|b$", "-f"), -1);
	assert_string_equal(err.text, "");
	assert_int_equal(o.npids, 3);
	assert_int_equal(o.pids[0], 1);
	assert_int_equal(o.pids[1], 22);
	assert_int_equal(o.pids[2], INT32_MAX);
	assert_int_equal(o.ntids, 1);
	assert_int_equal(o.tids[0], 5);
	assert_string_equal(o.match, "^a|b$");
	assert_true(o.follow);
	assert_false(o.all);
	ss_options_free(&o);
	assert_null(o.pids);
}

static void parse__nothing_said__defaults(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-a"), -1);
	assert_true(o.all);
	assert_true(o.interval_ns == SEC);
	assert_true(o.duration_ns == 0);
	assert_true(o.count == 0);
	assert_true(o.tolerance_ns == MS);
	assert_string_equal(o.source, "auto");
	assert_int_equal(o.noutputs, 1);
	assert_string_equal(o.output[0].path, "-");
	assert_ptr_equal(o.output[0].ops, &ss_sink_text);
	assert_null(o.columns);
	assert_null(o.command);
	assert_null(o.replay);
	assert_true(o.idle);
	assert_false(o.strict);
	assert_false(o.waits);
	assert_false(o.quiet);
	assert_int_equal(o.verbose, 0);
	ss_options_free(&o);
}

static void parse__times__in_their_own_units(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-a", "-i", "50", "-d", "10", "-n", "3", "--tolerance", "2"), -1);
	assert_true(o.interval_ns == 50 * MS);
	assert_true(o.duration_ns == 10 * SEC);
	assert_true(o.count == 3);
	assert_true(o.tolerance_ns == 2 * MS);
	ss_options_free(&o);
	assert_int_equal(PARSE("-a", "-i", "20hz", "-d", "500us", "--tolerance", "0"), -1);
	assert_true(o.interval_ns == 50 * MS);
	assert_true(o.duration_ns == 500000);
	assert_true(o.tolerance_ns == 0);
	ss_options_free(&o);
	assert_int_equal(PARSE("-a", "-i", "1ms"), -1);
	assert_true(o.interval_ns == MS);
	ss_options_free(&o);
}

static void parse__outputs__format_by_name_or_option(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-a", "-o", "a.csv", "-o", "b.jsonl", "-o", "c/", "-o", "-"), -1);
	assert_int_equal(o.noutputs, 4);
	assert_ptr_equal(o.output[0].ops, &ss_sink_csv);
	assert_ptr_equal(o.output[1].ops, &ss_sink_jsonl);
	assert_ptr_equal(o.output[2].ops, &ss_sink_tree);
	assert_ptr_equal(o.output[3].ops, &ss_sink_text);
	ss_options_free(&o);
	/* -F is for all of them, wherever it stands. */
	assert_int_equal(PARSE("-a", "-o", "a.csv", "-F", "jsonl", "-o", "b"), -1);
	assert_ptr_equal(o.output[0].ops, &ss_sink_jsonl);
	assert_ptr_equal(o.output[1].ops, &ss_sink_jsonl);
	ss_options_free(&o);
}

static void parse__columns__found_in_the_order_given(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-a", "--columns", "tid,run_ns", "--columns=pid"), -1);
	assert_int_equal(o.ncolumns, 3);
	assert_string_equal(o.columns[0]->name, "tid");
	assert_string_equal(o.columns[1]->name, "run_ns");
	assert_string_equal(o.columns[2]->name, "pid");
	ss_options_free(&o);
}

static void parse__switches__set(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-aqvvw", "--no-idle", "--strict", "--source", "procfs"), -1);
	assert_true(o.quiet);
	assert_true(o.waits);
	assert_int_equal(o.verbose, 2);
	assert_false(o.idle);
	assert_true(o.strict);
	assert_string_equal(o.source, "procfs");
	ss_options_free(&o);
	assert_int_equal(PARSE("-a", "--no-idle", "--idle", "--waits"), -1);
	assert_true(o.idle);
	assert_true(o.waits);
	ss_options_free(&o);
}

static void parse__command__begins_behind_two_dashes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-i", "50", "--", "sleep", "-p", "1"), -1);
	assert_string_equal(o.command[0], "sleep");
	assert_string_equal(o.command[1], "-p");
	assert_string_equal(o.command[2], "1");
	assert_null(o.command[3]);
	assert_int_equal(o.npids, 0);
	ss_options_free(&o);
}

static void parse__replay_or_information__needs_no_target(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--replay", "tree"), -1);
	assert_string_equal(o.replay, "tree");
	assert_true(o.all);
	ss_options_free(&o);
	assert_int_equal(PARSE("--replay", "tree", "-p", "7"), -1);
	assert_false(o.all);
	ss_options_free(&o);
	assert_int_equal(PARSE("--probe"), -1);
	assert_true(o.probe);
	ss_options_free(&o);
	assert_int_equal(PARSE("--list-columns"), -1);
	assert_true(o.list_columns);
	ss_options_free(&o);
}

static void parse__wrong__one_line_that_names_it_and_status_2(void **state)
{
	static const struct {
		const char *args[4];
		const char *named;	/* must be in the message */
	} bad[] = {
		{ { NULL }, "no target" },
		{ { "-f" }, "no target" },
		{ { "-p", "0" }, "'0'" },
		{ { "-p", "-1" }, "'-1'" },
		{ { "-p", "2147483648" }, "'2147483648'" },
		{ { "-p", "1x" }, "'1x'" },
		{ { "-p", "1,,2" }, "''" },
		{ { "-p", "1," }, "''" },
		{ { "-p", "" }, "''" },
		{ { "-t", "99999999999999999999" }, "'99999999999999999999'" },
		{ { "-m", "" }, "''" },
		{ { "-m", "a(b" }, "Unmatched ( or \\(" },
		{ { "-ma", "-mb" }, "'b'" },
		{ { "-a", "-i", "0" }, "'0'" },
		{ { "-a", "-i", "999us" }, "'999us'" },
		{ { "-a", "-i", "1001hz" }, "'1001hz'" },
		{ { "-a", "-i", "fast" }, "'fast'" },
		{ { "-a", "-d", "0" }, "'0'" },
		{ { "-a", "-d", "10 s" }, "'10 s'" },
		{ { "-a", "-n", "0" }, "'0'" },
		{ { "-a", "-n", "3x" }, "'3x'" },
		{ { "-a", "-n", "9223372036854775808" }, "'9223372036854775808'" },
		{ { "-a", "--tolerance", "-1" }, "'-1'" },
		{ { "-a", "-F", "xml" }, "'xml'" },
		{ { "-a", "-F", "jsonl", "-oa/" }, "'a/'" },
		{ { "-a", "-o", "" }, "''" },
		{ { "-a", "-oa", "-oa" }, "'a'" },
		{ { "-a", "--source", "perf" }, "'perf'" },
		{ { "-a", "--columns", "pid,nope" }, "'nope'" },
		{ { "-a", "--columns", "pid,pid" }, "'pid'" },
		{ { "-a", "--columns", "" }, "''" },
		{ { "-a", "--bogus" }, "'--bogus'" },
		{ { "-a", "--i" }, "'--i'" },
		{ { "-aZ" }, "'-Z'" },
		{ { "-?" }, "'-?'" },
		{ { "-a", "-o" }, "--output needs an argument" },
		{ { "-a", "--columns" }, "--columns needs an argument" },
		{ { "--all=1" }, "--all takes no argument" },
		{ { "-a", "sleep", "1" }, "'sleep'" },
		{ { "-a", "--" }, "'--'" },
		{ { "-a", "-o", "--", "x" }, "'x'" },	/* "--" is the path here */
		{ { "--replay", "t", "--", "x" }, "'x'" },
		{ { "--replay", "t", "--source=taskstats" }, "taskstats" },
		{ { "--replay", "t", "--source=bpf-snapshot" }, "bpf-snapshot" },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++) {
		char *args[5] = { NULL };

		for (size_t j = 0; j < 4; j++)
			args[j] = (char *)bad[i].args[j];
		assert_int_equal(parse(args), SS_EXIT_USAGE);
		assert_string_equal(out.text, "");
		assert_ptr_equal(strstr(err.text, "schedsampler: "), err.text);
		assert_ptr_equal(strchr(err.text, '\n'), err.text + strlen(err.text) - 1);
		if (!strstr(err.text, bad[i].named))
			fail_msg("'%s' not in: %s", bad[i].named, err.text);
	}
}

static void parse__ninth_output__refused(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-a", "-o1", "-o2", "-o3", "-o4", "-o5", "-o6", "-o7", "-o8"), -1);
	assert_int_equal(o.noutputs, 8);
	ss_options_free(&o);
	assert_int_equal(PARSE("-a", "-o1", "-o2", "-o3", "-o4", "-o5", "-o6", "-o7", "-o8", "-o9"),
			 SS_EXIT_USAGE);
	assert_non_null(strstr(err.text, "'9'"));
}

static void parse__help_or_version__on_stdout_at_once(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--help", "--bogus"), SS_EXIT_OK);
	assert_string_equal(err.text, "");
	assert_ptr_equal(strstr(out.text, "Usage: schedsampler "), out.text);
	assert_non_null(strstr(out.text, "\n  -i, --interval TIME "));
	assert_non_null(strstr(out.text, "\n      --list-columns "));
	for (const char *line = out.text; *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 90);
	assert_int_equal(PARSE("-V"), SS_EXIT_OK);
	assert_string_equal(err.text, "");
	assert_ptr_equal(strstr(out.text, "schedsampler "), out.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__targets__all_are_kept),
		cmocka_unit_test(parse__nothing_said__defaults),
		cmocka_unit_test(parse__times__in_their_own_units),
		cmocka_unit_test(parse__outputs__format_by_name_or_option),
		cmocka_unit_test(parse__columns__found_in_the_order_given),
		cmocka_unit_test(parse__switches__set),
		cmocka_unit_test(parse__command__begins_behind_two_dashes),
		cmocka_unit_test(parse__replay_or_information__needs_no_target),
		cmocka_unit_test(parse__wrong__one_line_that_names_it_and_status_2),
		cmocka_unit_test(parse__ninth_output__refused),
		cmocka_unit_test(parse__help_or_version__on_stdout_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
