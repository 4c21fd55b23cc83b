/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <sys/syscall.h>

#include "base/syscall.h"

static void syscall__known_number__has_its_name(void **state)
{
	(void)state;
	assert_string_equal(ss_syscall_name(SYS_read), "read");
	assert_string_equal(ss_syscall_name(SYS_futex), "futex");
	assert_string_equal(ss_syscall_name(SYS_epoll_pwait), "epoll_pwait");
	assert_string_equal(ss_syscall_name(SYS_restart_syscall), "restart_syscall");
	assert_string_equal(ss_syscall_name(SYS_exit_group), "exit_group");
}

static void syscall__unknown_number__has_none(void **state)
{
	(void)state;
	assert_null(ss_syscall_name(-1));
	assert_null(ss_syscall_name(LONG_MAX));
	assert_null(ss_syscall_name(SYS_read + 100000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syscall__known_number__has_its_name),
		cmocka_unit_test(syscall__unknown_number__has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
