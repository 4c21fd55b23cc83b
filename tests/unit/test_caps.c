/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/caps.h"

static void set__new_name__added_in_order(void **state)
{
	struct ss_caps caps = { 0 };

	(void)state;
	assert_null(ss_caps_find(&caps, "taskstats"));
	ss_caps_set(&caps, "taskstats", SS_CAP_NO, "EPERM", "delays", "run as root");
	ss_caps_set(&caps, "schedstats", SS_CAP_YES, NULL, NULL, NULL);
	assert_int_equal(caps.n, 2);
	assert_ptr_equal(ss_caps_find(&caps, "taskstats"), &caps.cap[0]);
	assert_ptr_equal(ss_caps_find(&caps, "schedstats"), &caps.cap[1]);
	assert_int_equal(caps.cap[0].state, SS_CAP_NO);
	assert_string_equal(caps.cap[0].detail, "EPERM");
	assert_string_equal(caps.cap[0].lost, "delays");
	assert_string_equal(caps.cap[0].remedy, "run as root");
	assert_string_equal(caps.cap[1].detail, "");
	assert_string_equal(caps.cap[1].lost, "");
	assert_string_equal(caps.cap[1].remedy, "");
}

static void set__known_name__replaced(void **state)
{
	struct ss_caps caps = { 0 };

	(void)state;
	ss_caps_set(&caps, "fifo", SS_CAP_NO, "EPERM", "punctuality", "CAP_SYS_NICE");
	ss_caps_set(&caps, "fifo", SS_CAP_PARTLY, "nice -20", NULL, NULL);
	assert_int_equal(caps.n, 1);
	assert_int_equal(caps.cap[0].state, SS_CAP_PARTLY);
	assert_string_equal(caps.cap[0].detail, "nice -20");
	assert_string_equal(caps.cap[0].lost, "");
	assert_string_equal(caps.cap[0].remedy, "");
}

static void set__long_text__cut_and_terminated(void **state)
{
	struct ss_caps caps = { 0 };
	char text[500];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ss_caps_set(&caps, "a", SS_CAP_YES, text, text, text);
	assert_int_equal(strlen(caps.cap[0].detail), sizeof(caps.cap[0].detail) - 1);
	assert_int_equal(strlen(caps.cap[0].lost), sizeof(caps.cap[0].lost) - 1);
	assert_int_equal(strlen(caps.cap[0].remedy), sizeof(caps.cap[0].remedy) - 1);
}

static void state_name__each__its_word(void **state)
{
	(void)state;
	assert_string_equal(ss_cap_state_name(SS_CAP_NO), "no");
	assert_string_equal(ss_cap_state_name(SS_CAP_YES), "yes");
	assert_string_equal(ss_cap_state_name(SS_CAP_PARTLY), "partly");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set__new_name__added_in_order),
		cmocka_unit_test(set__known_name__replaced),
		cmocka_unit_test(set__long_text__cut_and_terminated),
		cmocka_unit_test(state_name__each__its_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
