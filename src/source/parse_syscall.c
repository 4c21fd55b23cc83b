// SPDX-License-Identifier: GPL-2.0-or-later
/* Parsers of what /proc tells of a blocked thread. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/util.h"
#include "source/calls.h"
#include "source/parse.h"

#define ENTER_REGISTERED_RING (1u << 4)	/* IORING_ENTER_REGISTERED_RING: no descriptor */

/* " 0x7f", as printf(3) prints it: no capitals, no zeros in front. */
static int parse_hex(const char **p, const char *end, uint64_t *value)
{
	static const char prefix[] = " 0x";
	const char *s = *p, *digits;
	uint64_t v = 0;

	if (end - s < 4 || memcmp(s, prefix, 3))
		return -EBADMSG;
	for (s += 3, digits = s; s < end; s++) {
		if (*s >= '0' && *s <= '9')
			v = v << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			v = v << 4 | (uint64_t)(*s - 'a' + 10);
		else
			break;
	}
	if (s == digits || s - digits > 16 || (*digits == '0' && s - digits > 1))
		return -EBADMSG;
	*p = s;
	*value = v;
	return 0;
}

int ss_parse_syscall(const char *text, size_t len, struct ss_syscall *call)
{
	static const char running[] = "running\n";
	const char *p = text, *end = text + len;
	int64_t nr;
	int i;

	memset(call, 0, sizeof(*call));
	call->nr = -1;
	if (len == strlen(running) && !memcmp(text, running, len))
		return 0;
	if (ss_parse_s64(&p, end, &nr) || nr < -1 || nr > INT32_MAX)
		return -EBADMSG;
	if (nr < 0) {
		call->where = SS_SYSCALL_OUTSIDE;
	} else {
		call->where = SS_SYSCALL_INSIDE;
		call->nr = (int32_t)nr;
		for (i = 0; i < 6; i++)
			if (parse_hex(&p, end, &call->arg[i]))
				return -EBADMSG;
	}
	if (parse_hex(&p, end, &call->sp) || parse_hex(&p, end, &call->pc))
		return -EBADMSG;
	return end - p == 1 && *p == '\n' ? 0 : -EBADMSG;
}

/*
 * All below 4 GiB: a program of 32 bits, whose system calls have other numbers. Workers that the
 * kernel creates for a process have neither stack nor program.
 */
static bool is_32bit(const struct ss_syscall *call)
{
	return call->pc && !(call->sp >> 32) && !(call->pc >> 32);
}

void ss_cause_of_syscall(const struct ss_syscall *call, struct ss_cause *cause)
{
	uint8_t class = ss_call_of(call->nr);

	*cause = (struct ss_cause){ .kind = SS_WAIT_FAULT, .syscall = -1, .fd = -1 };
	if (call->where != SS_SYSCALL_INSIDE)
		return;
	if (is_32bit(call)) {
		cause->kind = SS_WAIT_SYSCALL;
		return;
	}
	if (call->nr <= INT16_MAX)
		cause->syscall = (int16_t)call->nr;
	if (ss_call_has_fd(class) && (int32_t)call->arg[0] >= 0)
		cause->fd = (int32_t)call->arg[0];
	switch (class) {
	case SS_CALL_FUTEX:
	case SS_CALL_FUTEX2:
		cause->object = SS_OBJECT_FUTEX;
		cause->key[0] = call->arg[0];
		cause->key[1] = !(call->arg[class == SS_CALL_FUTEX ? 1 : 3] & SS_FUTEX_PRIVATE);
		break;
	case SS_CALL_AIO:
		cause->object = SS_OBJECT_AIO;
		cause->key[0] = call->arg[0];
		break;
	case SS_CALL_IO_URING:
		if (call->arg[3] & ENTER_REGISTERED_RING)
			cause->fd = -1;
		break;
	}
	/* Others would not block in these calls. */
	if (cause->fd >= 0 && (class == SS_CALL_EPOLL || class == SS_CALL_IO_URING)) {
		cause->object = class == SS_CALL_EPOLL ? SS_OBJECT_EPOLL : SS_OBJECT_IO_URING;
		cause->key[0] = (uint64_t)cause->fd;
	}
	cause->kind = ss_kind_of(class, cause->object);
}

/* Names of kernels old and new; a '_' at the end stands for any rest. */
static const struct {
	const char *function;
	uint8_t kind;
} functions[] = {
	{ "futex_", SS_WAIT_FUTEX }, { "__futex_", SS_WAIT_FUTEX },
	{ "pipe_read", SS_WAIT_PIPE }, { "pipe_write", SS_WAIT_PIPE }, { "pipe_wait", SS_WAIT_PIPE },
	{ "anon_pipe_", SS_WAIT_PIPE }, { "fifo_pipe_", SS_WAIT_FIFO },
	{ "unix_", SS_WAIT_UNIX }, { "inet_csk_", SS_WAIT_SOCKET }, { "tcp_", SS_WAIT_SOCKET },
	{ "sk_wait_data", SS_WAIT_SOCKET }, { "sk_stream_", SS_WAIT_SOCKET },
	{ "eventfd_read", SS_WAIT_EVENTFD }, { "inotify_read", SS_WAIT_READ },
	{ "ep_poll", SS_WAIT_EPOLL }, { "do_epoll_", SS_WAIT_EPOLL },
	/* select(2), too. */
	{ "poll_schedule_timeout", SS_WAIT_POLL },
	{ "do_sys_poll", SS_WAIT_POLL }, { "do_select", SS_WAIT_SELECT },
	{ "do_nanosleep", SS_WAIT_TIMER }, { "hrtimer_nanosleep", SS_WAIT_TIMER },
	{ "timerfd_read", SS_WAIT_TIMER },
	{ "do_wait", SS_WAIT_CHILD }, { "kernel_wait4", SS_WAIT_CHILD },
	{ "sigsuspend", SS_WAIT_SIGNAL }, { "do_sigtimedwait", SS_WAIT_SIGNAL },
	{ "__x64_sys_pause", SS_WAIT_SIGNAL }, { "__do_sys_pause", SS_WAIT_SIGNAL },
	{ "signalfd_dequeue", SS_WAIT_SIGNAL },
	{ "io_cqring_", SS_WAIT_IO_URING }, { "read_events", SS_WAIT_AIO },
	{ "do_semtimedop", SS_WAIT_IPC }, { "__do_semtimedop", SS_WAIT_IPC },
	{ "do_msgrcv", SS_WAIT_IPC }, { "do_msgsnd", SS_WAIT_IPC }, { "wq_sleep", SS_WAIT_IPC },
	{ "fcntl_setlk", SS_WAIT_LOCK }, { "locks_lock_inode_wait", SS_WAIT_LOCK },
	{ "jbd2_log_wait_commit", SS_WAIT_SYNC },
	{ "folio_wait_bit_common", SS_WAIT_BLOCK }, { "wait_on_page_bit_common", SS_WAIT_BLOCK },
	{ "submit_bio_wait", SS_WAIT_BLOCK }, { "__iomap_dio_rw", SS_WAIT_BLOCK },
	{ "__refrigerator", SS_WAIT_FREEZER },
};

uint8_t ss_kind_of_wchan(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < SS_ARRAY_SIZE(functions); i++) {
		size_t n = strlen(functions[i].function);

		/* A compiler can have made a part of it: "sigsuspend.isra.0". */
		if (len >= n && !memcmp(text, functions[i].function, n) &&
		    (len == n || text[n] == '.' || functions[i].function[n - 1] == '_'))
			return functions[i].kind;
	}
	return SS_WAIT_UNKNOWN;
}

uint8_t ss_object_of_link(const char *link)
{
	static const struct {
		const char *begin;
		uint8_t object;
	} links[] = {
		{ "/", SS_OBJECT_NONE }, { "(unreachable)", SS_OBJECT_NONE },
		{ "pipe:[", SS_OBJECT_PIPE }, { "socket:[", SS_OBJECT_SOCKET },
		{ "anon_inode:[eventpoll]", SS_OBJECT_EPOLL },
		{ "anon_inode:[eventfd]", SS_OBJECT_EVENTFD },
		{ "anon_inode:[timerfd]", SS_OBJECT_TIMERFD },
		{ "anon_inode:[signalfd]", SS_OBJECT_SIGNALFD },
		{ "anon_inode:[io_uring]", SS_OBJECT_IO_URING },
		{ "anon_inode:inotify", SS_OBJECT_INOTIFY },
	};
	size_t i;

	for (i = 0; i < SS_ARRAY_SIZE(links); i++)
		if (!strncmp(link, links[i].begin, strlen(links[i].begin)))
			return links[i].object;
	return SS_OBJECT_ANON;
}
