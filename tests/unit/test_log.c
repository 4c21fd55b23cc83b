/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "base/log.h"
#include "capture.h"

static struct capture captured;

static void log__levels__shown_up_to_the_chosen_one(void **state)
{
	static const struct {
		enum ss_log_level level;
		const char *text;
	} cases[] = {
		{ SS_LOG_ERROR, "schedsampler: e\n" },
		{ SS_LOG_WARN, "schedsampler: e\nschedsampler: w\n" },
		{ SS_LOG_INFO, "schedsampler: e\nschedsampler: w\nschedsampler: i\n" },
		{ SS_LOG_DEBUG,
		  "schedsampler: e\nschedsampler: w\nschedsampler: i\nschedsampler: d\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ss_log_set_level(cases[i].level);
		capture_begin(&captured, stderr);
		ss_err("e");
		ss_warn("w");
		ss_info("i");
		ss_debug("d");
		capture_end(&captured);
		assert_string_equal(captured.text, cases[i].text);
	}
}

static void log__hostile_name__one_line_without_control_characters(void **state)
{
	(void)state;
	capture_begin(&captured, stderr);
	ss_err("'%s' is no target: %d", "a\033[2J\nb\177\xff", 7);
	capture_end(&captured);
	assert_string_equal(captured.text,
			    "schedsampler: 'a\\x1b[2J\\x0ab\\x7f\\xff' is no target: 7\n");
}

static void log__long_message__cut_but_still_a_line(void **state)
{
	char text[5000];
	size_t n;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	capture_begin(&captured, stderr);
	ss_err("%s", text);
	n = capture_end(&captured);
	assert_int_equal(n, strlen("schedsampler: ") + 1023 + 1);
	assert_ptr_equal(strchr(captured.text, '\n'), captured.text + n - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log__levels__shown_up_to_the_chosen_one),
		cmocka_unit_test(log__hostile_name__one_line_without_control_characters),
		cmocka_unit_test(log__long_message__cut_but_still_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
