// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "base/util.h"
#include "source/parse.h"

static const char futex[] = "202 0x7f57567be688 0x89 0xffffffff 0x7ffce52a03c0 0x0 0x7ffcffffffff "
			    "0x7ffce52a0350 0x7f575689084f\n";
static const char fault[] = "-1 0x7ffd2bd1b6a8 0x7f39225eeaec\n";

/* From a buffer of exactly that size, so that a sanitizer sees any read beyond it. */
static int parse_exact(const char *text, size_t len, struct ss_syscall *call)
{
	char *copy = malloc(len + !len);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, len);
	err = ss_parse_syscall(copy, len, call);
	free(copy);
	return err;
}

static void syscall__of_the_kernel__gives_number_and_registers(void **state)
{
	static const uint64_t arg[] = { 0x7f57567be688, 0x89, 0xffffffff, 0x7ffce52a03c0, 0,
					0x7ffcffffffff };
	struct ss_syscall call;

	(void)state;
	assert_int_equal(parse_exact(futex, strlen(futex), &call), 0);
	assert_int_equal(call.where, SS_SYSCALL_INSIDE);
	assert_int_equal(call.nr, 202);
	assert_memory_equal(call.arg, arg, sizeof(arg));
	assert_int_equal(call.sp, 0x7ffce52a0350);
	assert_int_equal(call.pc, 0x7f575689084f);
	assert_int_equal(parse_exact(fault, strlen(fault), &call), 0);
	assert_int_equal(call.where, SS_SYSCALL_OUTSIDE);
	assert_int_equal(call.nr, -1);
	assert_int_equal(call.sp, 0x7ffd2bd1b6a8);
	assert_int_equal(call.pc, 0x7f39225eeaec);
	assert_int_equal(parse_exact("running\n", 8, &call), 0);
	assert_int_equal(call.where, SS_SYSCALL_RUNNING);
	assert_int_equal(parse_exact("-1 0xffffffffffffffff 0x0\n", 26, &call), 0);
	assert_int_equal(call.sp, UINT64_MAX);
}

static void syscall__malformed__is_rejected(void **state)
{
	static const char *const bad[] = {
		"", "\n", "running", "running \n", "Running\n", "runnin\n", "running\n\n",
		"-1 0x1 0x2", "-1 0x1\n", "-1 0x1 0x2 0x3\n", "-1  0x1 0x2\n", "-1 1 2\n",
		"-1 0x1 0x\n", "-1 0x1 0xg\n", "-1 0x1 0xA\n", "-1 0x01 0x2\n", "-1 0X1 0x2\n",
		"-1 0x1 0x10000000000000000\n", "-1 0x1 -0x1\n", "- 0x1 0x2\n", "x 0x1 0x2\n",
		"-2 0x1 0x2\n", "-2147483649 0x1 0x2\n", "-1 0x1 0x2\n ", " -1 0x1 0x2\n",
		"0 0x1 0x2\n",
		"0 0x1 0x2 0x3 0x4 0x5 0x6 0x7\n", "0 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8 0x9\n",
		"2147483648 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n", "0x0 0x1 0x2 0x3 0x4 0x5 0x6 0x7 0x8\n",
	};
	struct ss_syscall call;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		assert_int_equal(parse_exact(bad[i], strlen(bad[i]), &call), -EBADMSG);
	for (size_t len = 0; len < strlen(futex); len++)
		assert_int_equal(parse_exact(futex, len, &call), -EBADMSG);
	for (size_t len = 0; len < strlen(fault); len++)
		assert_int_equal(parse_exact(fault, len, &call), -EBADMSG);
}

static struct ss_syscall call_of(int32_t nr)
{
	return (struct ss_syscall){
		.where = SS_SYSCALL_INSIDE, .nr = nr, .arg = { 0x7, 0x2, 0x3, 0x4 },
		.sp = 0x7ffce52a0350, .pc = 0x7f575689084f,
	};
}

static struct ss_cause cause_of(const struct ss_syscall *call)
{
	struct ss_cause cause;

	memset(&cause, 0xa5, sizeof(cause));
	ss_cause_of_syscall(call, &cause);
	return cause;
}

static void cause__of_a_futex__has_address_and_scope(void **state)
{
	struct ss_syscall call = call_of(SYS_futex);
	struct ss_cause c;

	(void)state;
	call.arg[0] = 0x7f57567be688;
	call.arg[1] = 0x89;	/* FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG */
	c = cause_of(&call);
	assert_int_equal(c.kind, SS_WAIT_FUTEX);
	assert_int_equal(c.object, SS_OBJECT_FUTEX);
	assert_int_equal(c.syscall, SYS_futex);
	assert_int_equal(c.fd, -1);
	assert_int_equal(c.key[0], 0x7f57567be688);
	assert_int_equal(c.key[1], 0);
	call.arg[1] = 0;
	assert_int_equal(cause_of(&call).key[1], 1);
	call.nr = 455;		/* futex_wait: flags are its fourth */
	assert_int_equal(cause_of(&call).key[1], 1);
	call.arg[3] = 0x82;
	c = cause_of(&call);
	assert_int_equal(c.key[1], 0);
	assert_int_equal(c.key[0], 0x7f57567be688);
	call.nr = 449;		/* futex_waitv: addresses are in its memory */
	c = cause_of(&call);
	assert_int_equal(c.kind, SS_WAIT_FUTEX);
	assert_int_equal(c.object, SS_OBJECT_NONE);
}

static void cause__of_calls_with_descriptors__names_them(void **state)
{
	static const struct {
		int32_t nr;
		uint8_t kind, object;
		int32_t fd;
	} known[] = {
		{ SYS_read, SS_WAIT_SYSCALL, SS_OBJECT_NONE, 7 },
		{ SYS_fsync, SS_WAIT_SYNC, SS_OBJECT_NONE, 7 },
		{ SYS_flock, SS_WAIT_LOCK, SS_OBJECT_NONE, 7 },
		{ SYS_epoll_wait, SS_WAIT_EPOLL, SS_OBJECT_EPOLL, 7 },
		{ SYS_io_uring_enter, SS_WAIT_IO_URING, SS_OBJECT_IO_URING, 7 },
		{ SYS_io_getevents, SS_WAIT_AIO, SS_OBJECT_AIO, -1 },
		{ SYS_poll, SS_WAIT_POLL, SS_OBJECT_NONE, -1 },
		{ SYS_clock_nanosleep, SS_WAIT_TIMER, SS_OBJECT_NONE, -1 },
		{ SYS_wait4, SS_WAIT_CHILD, SS_OBJECT_NONE, -1 },
		{ SYS_restart_syscall, SS_WAIT_SYSCALL, SS_OBJECT_NONE, -1 },
		{ SYS_getpid, SS_WAIT_SYSCALL, SS_OBJECT_NONE, -1 },
		{ 511, SS_WAIT_SYSCALL, SS_OBJECT_NONE, -1 },
		{ INT16_MAX, SS_WAIT_SYSCALL, SS_OBJECT_NONE, -1 },
	};
	struct ss_syscall call;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(known); i++) {
		struct ss_cause c;

		call = call_of(known[i].nr);
		c = cause_of(&call);
		assert_int_equal(c.kind, known[i].kind);
		assert_int_equal(c.object, known[i].object);
		assert_int_equal(c.syscall, known[i].nr);
		assert_int_equal(c.fd, known[i].fd);
		assert_int_equal(c.key[0], known[i].object != SS_OBJECT_NONE ? 7 : 0);
		assert_int_equal(c.key[1], 0);
	}
	call = call_of(SYS_io_uring_enter);
	call.arg[3] = 0x11;	/* IORING_ENTER_REGISTERED_RING */
	assert_int_equal(cause_of(&call).fd, -1);
	assert_int_equal(cause_of(&call).object, SS_OBJECT_NONE);
	call = call_of(SYS_read);
	call.arg[0] = 0xffffff9c;
	assert_int_equal(cause_of(&call).fd, -1);
}

static void cause__without_a_usable_number__has_none(void **state)
{
	struct ss_syscall call = call_of(SYS_read);
	struct ss_cause c;

	(void)state;
	call.sp = 0xffffd0a0;	/* a program of 32 bits */
	call.pc = 0xf7fc4579;
	c = cause_of(&call);
	assert_int_equal(c.kind, SS_WAIT_SYSCALL);
	assert_int_equal(c.syscall, -1);
	assert_int_equal(c.fd, -1);
	call = call_of(0x40000000 | SYS_read);	/* the x32 ABI */
	c = cause_of(&call);
	assert_int_equal(c.kind, SS_WAIT_SYSCALL);
	assert_int_equal(c.syscall, -1);
	call = call_of(-1);
	call.where = SS_SYSCALL_OUTSIDE;
	c = cause_of(&call);
	assert_int_equal(c.kind, SS_WAIT_FAULT);
	assert_int_equal(c.syscall, -1);
	call = call_of(SYS_io_uring_enter);	/* a worker of the kernel's */
	call.sp = call.pc = 0;
	assert_int_equal(cause_of(&call).kind, SS_WAIT_IO_URING);
}

static void wchan__functions_of_several_kernels__tell_the_kind(void **state)
{
	static const struct {
		const char *text;
		uint8_t kind;
	} known[] = {
		{ "futex_wait_queue_me", SS_WAIT_FUTEX }, { "futex_do_wait", SS_WAIT_FUTEX },
		{ "pipe_read", SS_WAIT_PIPE }, { "anon_pipe_read", SS_WAIT_PIPE },
		{ "poll_schedule_timeout.constprop.0", SS_WAIT_POLL },
		{ "sigsuspend.isra.0", SS_WAIT_SIGNAL }, { "do_wait", SS_WAIT_CHILD },
		{ "do_wait_intr", SS_WAIT_UNKNOWN }, { "pipe_readv", SS_WAIT_UNKNOWN },
		{ "0", SS_WAIT_UNKNOWN }, { "", SS_WAIT_UNKNOWN }, { "futex", SS_WAIT_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(known); i++)
		assert_int_equal(ss_kind_of_wchan(known[i].text, strlen(known[i].text)),
				 known[i].kind);
}

static void link__of_a_descriptor__tells_what_has_no_path(void **state)
{
	static const struct {
		const char *link;
		uint8_t object;
	} known[] = {
		{ "pipe:[4711]", SS_OBJECT_PIPE }, { "socket:[4711]", SS_OBJECT_SOCKET },
		{ "anon_inode:[eventpoll]", SS_OBJECT_EPOLL },
		{ "anon_inode:[eventfd]", SS_OBJECT_EVENTFD },
		{ "anon_inode:[timerfd]", SS_OBJECT_TIMERFD },
		{ "anon_inode:[signalfd]", SS_OBJECT_SIGNALFD },
		{ "anon_inode:[io_uring]", SS_OBJECT_IO_URING },
		{ "anon_inode:inotify", SS_OBJECT_INOTIFY },
		{ "anon_inode:[perf_event]", SS_OBJECT_ANON }, { "pidfd:[1]", SS_OBJECT_ANON },
		{ "/tmp/pipe:[4711]", SS_OBJECT_NONE }, { "/memfd:x (deleted)", SS_OBJECT_NONE },
		{ "(unreachable)/pipe:[1]", SS_OBJECT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(known); i++)
		assert_int_equal(ss_object_of_link(known[i].link), known[i].object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syscall__of_the_kernel__gives_number_and_registers),
		cmocka_unit_test(syscall__malformed__is_rejected),
		cmocka_unit_test(cause__of_a_futex__has_address_and_scope),
		cmocka_unit_test(cause__of_calls_with_descriptors__names_them),
		cmocka_unit_test(cause__without_a_usable_number__has_none),
		cmocka_unit_test(wchan__functions_of_several_kernels__tell_the_kind),
		cmocka_unit_test(link__of_a_descriptor__tells_what_has_no_path),
	};

	return cmocka_run_group_tests_name("parse_syscall", tests, NULL, NULL);
}
