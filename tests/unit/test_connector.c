/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "roster/connector.h"

#define MESSAGE_SIZE 76

struct message {
	struct nlmsghdr nlh;
	struct {
		struct cb_id id;
		uint32_t seq, ack;
		uint16_t len, flags;
	} msg;			/* struct cn_msg without the flexible array at its end */
	struct proc_event event;
};

/* One misplaced byte ahead: the parser must not rely on alignment. */
static char bytes[1 + 2 * MESSAGE_SIZE];

static struct message good(uint32_t what)
{
	struct message m;

	memset(&m, 0, sizeof(m));
	m.nlh.nlmsg_len = MESSAGE_SIZE;
	m.nlh.nlmsg_type = NLMSG_DONE;
	m.msg.id.idx = CN_IDX_PROC;
	m.msg.id.val = CN_VAL_PROC;
	m.msg.len = sizeof(struct proc_event);
	m.event.what = what;
	m.event.timestamp_ns = 123456789012345;
	return m;
}

static int parse(const struct message *m, size_t len, struct ss_connector_event *ev)
{
	char *p = bytes + 1;

	memcpy(p, &m->nlh, sizeof(m->nlh));
	memcpy(p + sizeof(m->nlh), &m->msg, sizeof(m->msg));
	memcpy(p + sizeof(m->nlh) + sizeof(m->msg), &m->event, sizeof(m->event));
	return ss_connector_parse(p, len, ev);
}

static void parse__fork__child_and_parent(void **state)
{
	struct message m = good(PROC_EVENT_FORK);
	struct ss_connector_event ev;

	(void)state;
	m.event.event_data.fork.parent_pid = 11;
	m.event.event_data.fork.parent_tgid = 10;
	m.event.event_data.fork.child_pid = 21;
	m.event.event_data.fork.child_tgid = 20;
	assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), 0);
	assert_int_equal(ev.kind, SS_CONNECTOR_FORK);
	assert_int_equal(ev.pid, 20);
	assert_int_equal(ev.tid, 21);
	assert_int_equal(ev.parent_pid, 10);
	assert_int_equal(ev.mono_ns, 123456789012345);
}

static void parse__exec_exit__process_and_thread(void **state)
{
	struct message m = good(PROC_EVENT_EXEC);
	struct ss_connector_event ev;

	(void)state;
	m.event.event_data.exec.process_pid = 31;
	m.event.event_data.exec.process_tgid = 30;
	assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), 0);
	assert_int_equal(ev.kind, SS_CONNECTOR_EXEC);
	assert_int_equal(ev.pid, 30);
	assert_int_equal(ev.tid, 31);

	m = good(PROC_EVENT_EXIT);
	m.event.event_data.exit.process_pid = 41;
	m.event.event_data.exit.process_tgid = 40;
	assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), 0);
	assert_int_equal(ev.kind, SS_CONNECTOR_EXIT);
	assert_int_equal(ev.pid, 40);
	assert_int_equal(ev.tid, 41);
}

static void parse__comm_without_end__is_ended(void **state)
{
	struct message m = good(PROC_EVENT_COMM);
	struct ss_connector_event ev;

	(void)state;
	m.event.event_data.comm.process_pid = m.event.event_data.comm.process_tgid = 5;
	memset(m.event.event_data.comm.comm, 'x', sizeof(m.event.event_data.comm.comm));
	assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), 0);
	assert_int_equal(ev.kind, SS_CONNECTOR_COMM);
	assert_string_equal(ev.comm, "xxxxxxxxxxxxxxxx");
}

static void parse__ack__number_and_error(void **state)
{
	struct message m = good(PROC_EVENT_NONE);
	struct ss_connector_event ev;

	(void)state;
	m.msg.ack = 77;
	m.event.event_data.ack.err = EPERM;
	assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), 0);
	assert_int_equal(ev.kind, SS_CONNECTOR_ACK);
	assert_int_equal(ev.ack, 77);
	assert_int_equal(ev.err, EPERM);
}

static void parse__event_of_no_interest__is_other(void **state)
{
	struct message m = good(PROC_EVENT_UID);
	struct ss_connector_event ev;

	(void)state;
	assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), 0);
	assert_int_equal(ev.kind, SS_CONNECTOR_OTHER);
}

static void parse__other_length__is_rejected(void **state)
{
	struct message m = good(PROC_EVENT_EXIT);
	struct ss_connector_event ev;

	(void)state;
	for (size_t len = 0; len <= 2 * MESSAGE_SIZE; len++)
		assert_int_equal(parse(&m, len, &ev), len == MESSAGE_SIZE ? 0 : -EBADMSG);
}

static void parse__hostile_header__is_rejected(void **state)
{
	struct ss_connector_event ev;
	struct message m;

	(void)state;
#define REJECTED(change) do { \
		m = good(PROC_EVENT_FORK); \
		change; \
		assert_int_equal(parse(&m, MESSAGE_SIZE, &ev), -EBADMSG); \
	} while (0)
	REJECTED(m.nlh.nlmsg_len = MESSAGE_SIZE - 4);
	REJECTED(m.nlh.nlmsg_len = UINT32_MAX);
	REJECTED(m.nlh.nlmsg_type = NLMSG_ERROR);
	REJECTED(m.nlh.nlmsg_pid = 1234);
	REJECTED(m.msg.id.idx = CN_IDX_PROC + 1);
	REJECTED(m.msg.id.val = CN_VAL_PROC + 1);
	REJECTED(m.msg.len = sizeof(struct proc_event) - 8);
	REJECTED(m.msg.len = UINT16_MAX);
	REJECTED(m.event.timestamp_ns = 0);
	REJECTED(m.event.timestamp_ns = (uint64_t)INT64_MAX + 1);
	REJECTED(m.event.event_data.fork.child_pid = -1);
	REJECTED(m.event.event_data.fork.child_tgid = INT32_MIN);
	REJECTED(m.event.event_data.fork.parent_tgid = -5);
#undef REJECTED
}

static void parse__random_bytes__never_more_than_values(void **state)
{
	struct ss_connector_event ev;
	struct message m;
	uint32_t seed = 1;
	int taken = 0;

	(void)state;
	for (int round = 0; round < 100000; round++) {
		unsigned char *event = (unsigned char *)&m.event;

		m = good(0);
		for (size_t i = 0; i < sizeof(m.event); i++) {
			seed = seed * 1664525 + 1013904223;
			event[i] = seed >> 24;
		}
		if (round % 2)
			m.event.what = 1u << (seed >> 27);
		if (parse(&m, MESSAGE_SIZE, &ev))
			continue;
		taken++;
		assert_true(ev.pid >= 0 && ev.tid >= 0 && ev.parent_pid >= 0 && ev.mono_ns > 0);
		assert_int_equal(ev.comm[sizeof(ev.comm) - 1], 0);
	}
	assert_true(taken > 1000);
}

/* The kernel's own messages: one child is forked, renamed and ends. */
static void live__child__is_told_from_birth_to_end(void **state)
{
	int64_t before_ns = ss_now_ns(CLOCK_MONOTONIC), fork_ns = 0, comm_ns = 0, exit_ns = 0;
	struct ss_connector *connector;
	struct ss_connector_event ev;
	pid_t child;
	int n;

	(void)state;
	n = ss_connector_open(&connector);
	if (n < 0) {
		print_message("needs CAP_NET_ADMIN (or Linux 6.6) in the initial namespaces: %s\n",
			      strerror(-n));
		skip();
	}
	child = fork();
	if (!child) {
		prctl(PR_SET_NAME, "renamed");
		_exit(0);
	}
	assert_int_equal(waitpid(child, NULL, 0), child);
	/* A child can be waited for before its exit event is sent (do_exit()). */
	while (!exit_ns) {
		assert_true(ss_now_ns(CLOCK_MONOTONIC) - before_ns < 10 * SS_NSEC_PER_SEC);
		n = ss_connector_next(connector, &ev);
		assert_true(n >= 0);
		if (!n || ev.pid != child)
			continue;
		assert_int_equal(ev.tid, child);
		if (ev.kind == SS_CONNECTOR_FORK) {
			assert_int_equal(ev.parent_pid, getpid());
			fork_ns = ev.mono_ns;
		} else if (ev.kind == SS_CONNECTOR_COMM) {
			assert_string_equal(ev.comm, "renamed");
			comm_ns = ev.mono_ns;
		} else if (ev.kind == SS_CONNECTOR_EXIT) {
			exit_ns = ev.mono_ns;
		}
	}
	ss_connector_close(connector);
	assert_true(before_ns <= fork_ns);
	assert_true(fork_ns < comm_ns);
	assert_true(comm_ns < exit_ns);
	assert_true(exit_ns <= ss_now_ns(CLOCK_MONOTONIC));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parse__fork__child_and_parent),
		cmocka_unit_test(parse__exec_exit__process_and_thread),
		cmocka_unit_test(parse__comm_without_end__is_ended),
		cmocka_unit_test(parse__ack__number_and_error),
		cmocka_unit_test(parse__event_of_no_interest__is_other),
		cmocka_unit_test(parse__other_length__is_rejected),
		cmocka_unit_test(parse__hostile_header__is_rejected),
		cmocka_unit_test(parse__random_bytes__never_more_than_values),
		cmocka_unit_test(live__child__is_told_from_birth_to_end),
	};

	return cmocka_run_group_tests_name("connector", tests, NULL, NULL);
}
