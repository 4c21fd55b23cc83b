/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roster/connector.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/util.h"

#define MESSAGE_SIZE (sizeof(struct nlmsghdr) + sizeof(struct cn_msg) + sizeof(struct proc_event))
#define SLOT_SIZE 128		/* more than a message, so that a longer one is noticed */
#define BATCH 64
#define RECEIVE_BYTES (32 << 20)	/* about 40,000 events of 768 bytes (skb->truesize) */
#define ACK_TIMEOUT_MS 100

/*
 * struct proc_input of include/uapi/linux/cn_proc.h since 6.6 (commit 743acf351bae), under our
 * own name because the installed header may be older than the kernel: it names the events that a
 * listener wants. A kernel that does not know the length of a request drops it without an answer
 * (cn_proc_mcast_ctl()).
 */
struct filter_request {
	uint32_t mcast_op;
	uint32_t event_type;
};

struct ss_connector {
	struct mnl_socket *socket;
	bool listening;
	int n, next;			/* datagrams received, and handed out */
	struct mmsghdr header[BATCH];
	struct iovec iov[BATCH];
	struct sockaddr_nl from[BATCH];
	char slot[BATCH][SLOT_SIZE];
};

static void take_event(const struct proc_event *pe, struct ss_connector_event *ev)
{
	/* Compared as a number: an enum cannot hold PROC_EVENT_EXIT portably. */
	switch ((uint32_t)pe->what) {
	case PROC_EVENT_NONE:
		ev->kind = SS_CONNECTOR_ACK;
		ev->err = pe->event_data.ack.err;
		break;
	case PROC_EVENT_FORK:
		ev->kind = SS_CONNECTOR_FORK;
		ev->pid = pe->event_data.fork.child_tgid;
		ev->tid = pe->event_data.fork.child_pid;
		ev->parent_pid = pe->event_data.fork.parent_tgid;
		break;
	case PROC_EVENT_EXEC:
		ev->kind = SS_CONNECTOR_EXEC;
		ev->pid = pe->event_data.exec.process_tgid;
		ev->tid = pe->event_data.exec.process_pid;
		break;
	case PROC_EVENT_COMM:
		ev->kind = SS_CONNECTOR_COMM;
		ev->pid = pe->event_data.comm.process_tgid;
		ev->tid = pe->event_data.comm.process_pid;
		memcpy(ev->comm, pe->event_data.comm.comm, sizeof(pe->event_data.comm.comm));
		break;
	case (uint32_t)PROC_EVENT_EXIT:
		ev->kind = SS_CONNECTOR_EXIT;
		ev->pid = pe->event_data.exit.process_tgid;
		ev->tid = pe->event_data.exit.process_pid;
		break;
	default:
		ev->kind = SS_CONNECTOR_OTHER;
	}
}

int ss_connector_parse(const void *data, size_t len, struct ss_connector_event *ev)
{
	const char *bytes = data;
	struct nlmsghdr nlh;
	struct cn_msg msg;
	struct proc_event pe;

	if (len != MESSAGE_SIZE)
		return -EBADMSG;
	/* The event lies at an offset that is no multiple of 8: copy. */
	memcpy(&nlh, bytes, sizeof(nlh));
	memcpy(&msg, bytes + sizeof(nlh), sizeof(msg));
	memcpy(&pe, bytes + sizeof(nlh) + sizeof(msg), sizeof(pe));
	if (nlh.nlmsg_len != len || nlh.nlmsg_type != NLMSG_DONE || nlh.nlmsg_pid != 0 ||
	    msg.id.idx != CN_IDX_PROC || msg.id.val != CN_VAL_PROC || msg.len != sizeof(pe) ||
	    pe.timestamp_ns == 0 || pe.timestamp_ns > INT64_MAX)
		return -EBADMSG;
	memset(ev, 0, sizeof(*ev));
	ev->mono_ns = pe.timestamp_ns;
	ev->ack = msg.ack;
	take_event(&pe, ev);
	/* The idle task of a CPU that comes online is forked with the number 0. */
	return ev->pid < 0 || ev->tid < 0 || ev->parent_pid < 0 ? -EBADMSG : 0;
}

static int send_request(struct ss_connector *c, const void *data, size_t len, uint32_t ack)
{
	char buf[MNL_ALIGN(sizeof(struct nlmsghdr)) + sizeof(struct cn_msg) +
		 sizeof(struct filter_request)] __attribute__((aligned(8)));
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct cn_msg *msg = mnl_nlmsg_put_extra_header(nlh, sizeof(*msg) + len);

	nlh->nlmsg_type = NLMSG_DONE;
	msg->id.idx = CN_IDX_PROC;
	msg->id.val = CN_VAL_PROC;
	msg->ack = ack;
	msg->len = len;
	memcpy(msg->data, data, len);
	return mnl_socket_sendto(c->socket, nlh, nlh->nlmsg_len) < 0 ? -errno : 0;
}

static int wait_for_ack(struct ss_connector *c, uint32_t ack)
{
	int64_t end_ns = ss_now_ns(CLOCK_MONOTONIC) + ACK_TIMEOUT_MS * SS_NSEC_PER_MSEC;
	struct pollfd pfd = { .fd = mnl_socket_get_fd(c->socket), .events = POLLIN };
	struct ss_connector_event ev;
	int64_t left_ns;
	int n;

	while ((left_ns = end_ns - ss_now_ns(CLOCK_MONOTONIC)) > 0) {
		/* Consents to other listeners are sent to all: ours bears our number. */
		n = ss_connector_next(c, &ev);
		if (n == 1 && ev.kind == SS_CONNECTOR_ACK && ev.ack == ack)
			return -(int)ev.err;
		if (n == 0)
			poll(&pfd, 1, left_ns / SS_NSEC_PER_MSEC + 1);
	}
	return -ETIMEDOUT;
}

/*
 * Subscribe with the short form, which every kernel understands and answers; only then narrow it
 * with the long one, which an older kernel ignores. The filter keeps the kernel's answers out as
 * well (cn_filter()), so none is waited for; and the events that an unfiltered subscription
 * brings in addition are skipped by whoever reads.
 */
static int subscribe(struct ss_connector *c)
{
	const uint32_t listen_op = PROC_CN_MCAST_LISTEN;
	const struct filter_request filter = {
		.mcast_op = PROC_CN_MCAST_LISTEN,
		.event_type = PROC_EVENT_FORK | PROC_EVENT_EXEC | PROC_EVENT_COMM |
			      (uint32_t)PROC_EVENT_EXIT,
	};
	uint32_t number = (uint32_t)ss_now_ns(CLOCK_MONOTONIC);
	int err;

	err = send_request(c, &listen_op, sizeof(listen_op), number);
	if (err)
		return err;
	err = wait_for_ack(c, number + 1);
	if (err)
		return err;
	c->listening = true;
	return send_request(c, &filter, sizeof(filter), number);
}

int ss_connector_open(struct ss_connector **connector)
{
	int bytes = RECEIVE_BYTES, fd, err;
	struct ss_connector *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	for (int i = 0; i < BATCH; i++) {
		c->iov[i] = (struct iovec){ .iov_base = c->slot[i], .iov_len = SLOT_SIZE };
		c->header[i].msg_hdr.msg_iov = &c->iov[i];
		c->header[i].msg_hdr.msg_iovlen = 1;
		c->header[i].msg_hdr.msg_name = &c->from[i];
	}
	c->socket = mnl_socket_open2(NETLINK_CONNECTOR, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!c->socket) {
		err = -errno;
		goto out;
	}
	fd = mnl_socket_get_fd(c->socket);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	err = mnl_socket_bind(c->socket, 1 << (CN_IDX_PROC - 1), MNL_SOCKET_AUTOPID) < 0 ? -errno
											 : 0;
	if (!err)
		err = subscribe(c);
out:
	if (err) {
		ss_connector_close(c);
		return err;
	}
	*connector = c;
	return 0;
}

int ss_connector_next(struct ss_connector *c, struct ss_connector_event *ev)
{
	int i;

	if (c->next == c->n) {
		c->next = c->n = 0;
		for (i = 0; i < BATCH; i++)
			c->header[i].msg_hdr.msg_namelen = sizeof(c->from[i]);
		i = recvmmsg(mnl_socket_get_fd(c->socket), c->header, BATCH, 0, NULL);
		if (i < 0)
			return errno == ENOBUFS ? -ENOBUFS : 0;
		c->n = i;
		if (!c->n)
			return 0;
	}
	i = c->next++;
	if (c->header[i].msg_hdr.msg_namelen != sizeof(c->from[i]) || c->from[i].nl_pid != 0 ||
	    c->header[i].msg_hdr.msg_flags & MSG_TRUNC)
		return -EBADMSG;
	return ss_connector_parse(c->slot[i], c->header[i].msg_len, ev) ? -EBADMSG : 1;
}

void ss_connector_close(struct ss_connector *c)
{
	const uint32_t ignore_op = PROC_CN_MCAST_IGNORE;

	if (!c)
		return;
	/* The kernel counts listeners by these requests, not by sockets. */
	if (c->listening)
		send_request(c, &ignore_op, sizeof(ignore_op), 0);
	if (c->socket)
		mnl_socket_close(c->socket);
	free(c);
}
