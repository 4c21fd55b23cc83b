/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for descriptors, and for one of many. */
#include "causes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

static void pipe_prepare(struct cause *c)
{
	if (pipe2(c->fd, O_CLOEXEC))
		skip(c, "pipe");
	key_is_inode(c, c->fd[0]);
	pattern(c, "^pipe:.%s.", c->key);
}

#define PIPE_ROOM (64 * 1024)

static void full_prepare(struct cause *c)
{
	pipe_prepare(c);
	c->memory = calloc(1, PIPE_ROOM);
	if (write(c->fd[1], c->memory, PIPE_ROOM) != PIPE_ROOM)
		skip(c, "a full pipe");
}

static void full_wait(struct cause *c)
{
	static const char block[PIPE_ROOM];

	if (write(c->fd[1], block, sizeof(block)) < 0)
		abort();
}

static void full_wake(struct cause *c)
{
	for (ssize_t n, all = 0; all < PIPE_ROOM; all += n) {
		n = read(c->fd[0], c->memory, (size_t)(PIPE_ROOM - all));
		if (n <= 0)
			abort();
	}
}

static void fifo_prepare(struct cause *c)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/fifo", dir);
	mkfifo(path, 0600);
	c->fd[0] = c->fd[1] = open(path, O_RDWR | O_CLOEXEC);
	if (c->fd[0] < 0)
		skip(c, path);
	key_is_inode(c, c->fd[0]);
	pattern(c, "^%s$", path);
}

static socklen_t loopback(int family, struct sockaddr_storage *address)
{
	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET6) {
		((struct sockaddr_in6 *)address)->sin6_addr = in6addr_loopback;
		return sizeof(struct sockaddr_in6);
	}
	((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(struct sockaddr_in);
}

static unsigned port_of(int fd)
{
	struct sockaddr_in6 address;
	socklen_t len = sizeof(address);

	getsockname(fd, (struct sockaddr *)&address, &len);
	return ntohs(address.sin6_port);	/* where that of IPv4 is */
}

static int bound(struct cause *c, int family, int type, struct sockaddr_storage *address,
		 socklen_t *len)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);

	*len = loopback(family, address);
	if (fd < 0 || bind(fd, (struct sockaddr *)address, *len)) {
		skip(c, "socket");
		return -1;
	}
	getsockname(fd, (struct sockaddr *)address, len);
	return fd;
}

static void tcp_prepare(struct cause *c, int family)
{
	const char *host = family == AF_INET6 ? ".::1." : "127.0.0.1";
	struct sockaddr_storage address;
	socklen_t len;

	c->fd[2] = bound(c, family, SOCK_STREAM, &address, &len);
	if (c->fd[2] < 0)
		return;
	listen(c->fd[2], 8);
	c->fd[1] = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(c->fd[1], (struct sockaddr *)&address, len)) {
		skip(c, "connect");
		return;
	}
	c->fd[0] = accept4(c->fd[2], NULL, NULL, SOCK_CLOEXEC);
	key_is_inode(c, c->fd[0]);
	pattern(c, "^tcp.%s:%u.-.%s:%u$", host, port_of(c->fd[0]), host, port_of(c->fd[1]));
}

static void tcp4_prepare(struct cause *c)
{
	tcp_prepare(c, AF_INET);
}

static void tcp6_prepare(struct cause *c)
{
	tcp_prepare(c, AF_INET6);
}

static void accept_prepare(struct cause *c)
{
	struct sockaddr_storage address;
	socklen_t len;

	c->fd[0] = bound(c, AF_INET, SOCK_STREAM, &address, &len);
	if (c->fd[0] < 0)
		return;
	listen(c->fd[0], 8);
	key_is_inode(c, c->fd[0]);
	pattern(c, "^tcp.127.0.0.1:%u", port_of(c->fd[0]));
}

static void accept_wait(struct cause *c)
{
	close(accept4(c->fd[0], NULL, NULL, SOCK_CLOEXEC));
}

static void accept_wake(struct cause *c)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	getsockname(c->fd[0], (struct sockaddr *)&address, &len);
	if (connect(fd, (struct sockaddr *)&address, len))
		abort();
	close(fd);
}

static void udp_prepare(struct cause *c)
{
	struct sockaddr_storage address;
	socklen_t len;

	c->fd[0] = bound(c, AF_INET, SOCK_DGRAM, &address, &len);
	if (c->fd[0] < 0)
		return;
	c->fd[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (connect(c->fd[1], (struct sockaddr *)&address, len))
		skip(c, "connect");
	key_is_inode(c, c->fd[0]);
	pattern(c, "^udp.127.0.0.1:%u", port_of(c->fd[0]));
}

static void unix_prepare(struct cause *c)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, c->fd))
		skip(c, "socketpair");
	key_is_inode(c, c->fd[0]);
	pattern(c, "^unix:.%s.", c->key);
}

static void named_prepare(struct cause *c)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", dir);
	c->fd[0] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	c->fd[1] = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(c->fd[0], (struct sockaddr *)&address, sizeof(address)) ||
	    connect(c->fd[1], (struct sockaddr *)&address, sizeof(address)))
		skip(c, address.sun_path);
	key_is_inode(c, c->fd[0]);
	pattern(c, "^%s", address.sun_path);
}

static void epoll_prepare(struct cause *c)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (pipe2(c->fd, O_CLOEXEC))
		skip(c, "pipe");
	c->fd[2] = epoll_create1(EPOLL_CLOEXEC);
	if (epoll_ctl(c->fd[2], EPOLL_CTL_ADD, c->fd[0], &event))
		skip(c, "epoll");
	key_is(c, (uint64_t)c->fd[2]);
	/* As long as it waits nothing is ready. */
	pattern(c, "^epoll.fd.%d(:.fd.%d.pipe:.*)?$", c->fd[2], c->fd[0]);
}

static void epoll_wait_once(struct cause *c)
{
	struct epoll_event event;

	if (epoll_wait(c->fd[2], &event, 1, -1) == 1)
		read_token(c);
}

static void poll_wait(struct cause *c)
{
	struct pollfd fd = { c->fd[0], POLLIN, 0 };

	if (poll(&fd, 1, -1) == 1)
		read_token(c);
}

static void pipe_nameless_prepare(struct cause *c)
{
	pipe_prepare(c);
	strcpy(c->key, "-");
	pattern(c, "none");
}

static void polls_wait(struct cause *c)
{
	struct pollfd fd[3] = {
		{ c->fd[0], POLLIN, 0 }, { c->fd[1], POLLERR, 0 }, { -1, 0, 0 },
	};

	if (poll(fd, 3, -1) == 1)
		read_token(c);
}

static void select_wait(struct cause *c)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(c->fd[0], &set);
	if (select(c->fd[0] + 1, &set, NULL, NULL, NULL) == 1)
		read_token(c);
}

static void timerfd_prepare(struct cause *c)
{
	struct itimerspec each = { { 0, 10 * MS }, { 0, 10 * MS } };

	c->fd[0] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	timerfd_settime(c->fd[0], 0, &each, NULL);
	key_is(c, (uint64_t)c->fd[0]);
	pattern(c, "^timerfd.fd.%d$", c->fd[0]);
}

static void eventfd_prepare(struct cause *c)
{
	c->fd[0] = eventfd(0, EFD_CLOEXEC);
	key_is(c, (uint64_t)c->fd[0]);
	pattern(c, "^eventfd.fd.%d$", c->fd[0]);
}

static void eventfd_wake(struct cause *c)
{
	uint64_t one = 1;

	if (write(c->fd[0], &one, sizeof(one)) != sizeof(one))
		abort();
}

static void signalfd_prepare(struct cause *c)
{
	sigset_t set = usr1();

	c->fd[0] = signalfd(-1, &set, SFD_CLOEXEC);
	key_is(c, (uint64_t)c->fd[0]);
	pattern(c, "^signalfd.fd.%d$", c->fd[0]);
}

static void signalfd_wait(struct cause *c)
{
	struct signalfd_siginfo info;

	if (read(c->fd[0], &info, sizeof(info)) != sizeof(info))
		abort();
}

static void tty_prepare(struct cause *c)
{
	char path[64];

	c->fd[1] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->fd[1] < 0 || grantpt(c->fd[1]) || unlockpt(c->fd[1]) ||
	    ptsname_r(c->fd[1], path, sizeof(path))) {
		skip(c, "a terminal");
		return;
	}
	c->fd[0] = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (c->fd[0] < 0)
		skip(c, path);
	key_is_inode(c, c->fd[0]);
	pattern(c, "^%s$", path);
}

static void tty_wake(struct cause *c)
{
	if (write(c->fd[1], "\n", 1) != 1)
		abort();
}

static struct cause causes[] = {
	{ .name = "pipe", .kind = "pipe", .call = "read", .waker = THREAD,
	  .prepare = pipe_prepare, .wait = read_token, .wake = write_token },
	{ .name = "full", .kind = "pipe", .call = "write", .waker = THREAD,
	  .prepare = full_prepare, .wait = full_wait, .wake = full_wake },
	{ .name = "fifo", .kind = "fifo", .call = "read", .waker = THREAD,
	  .prepare = fifo_prepare, .wait = read_token, .wake = write_token },
	{ .name = "tcp4", .kind = "socket", .call = "read", .waker = PACKET,
	  .prepare = tcp4_prepare, .wait = read_token, .wake = write_token },
	{ .name = "tcp6", .kind = "socket", .call = "read", .waker = PACKET,
	  .prepare = tcp6_prepare, .wait = read_token, .wake = write_token },
	{ .name = "accept", .kind = "socket", .call = "accept4", .waker = PACKET,
	  .prepare = accept_prepare, .wait = accept_wait, .wake = accept_wake },
	{ .name = "udp", .kind = "socket", .call = "read", .waker = PACKET,
	  .prepare = udp_prepare, .wait = read_token, .wake = write_token },
	{ .name = "unix", .kind = "unix", .call = "read", .waker = THREAD,
	  .prepare = unix_prepare, .wait = read_token, .wake = write_token },
	{ .name = "named", .kind = "unix", .call = "read", .waker = THREAD,
	  .prepare = named_prepare, .wait = read_token, .wake = write_token },
	{ .name = "epoll", .kind = "epoll", .call = "epoll_wait", .waker = THREAD,
	  .prepare = epoll_prepare, .wait = epoll_wait_once, .wake = write_token },
	{ .name = "poll", .kind = "poll", .call = "poll", .waker = THREAD,
	  .prepare = pipe_prepare, .wait = poll_wait, .wake = write_token },
	{ .name = "polls", .kind = "poll", .call = "poll", .waker = THREAD,
	  .prepare = pipe_nameless_prepare, .wait = polls_wait, .wake = write_token },
	{ .name = "select", .kind = "select", .call = "p?select6?", .waker = THREAD,
	  .prepare = pipe_nameless_prepare, .wait = select_wait, .wake = write_token },
	{ .name = "timerfd", .kind = "timer", .call = "read", .waker = INTERRUPT,
	  .prepare = timerfd_prepare, .wait = read_token },
	{ .name = "eventfd", .kind = "eventfd", .call = "read", .waker = THREAD,
	  .prepare = eventfd_prepare, .wait = read_token, .wake = eventfd_wake },
	{ .name = "signalfd", .kind = "signal", .call = "read", .waker = THREAD,
	  .prepare = signalfd_prepare, .wait = signalfd_wait, .wake = signal_wake },
	{ .name = "tty", .kind = "device", .call = "read", .waker = ANY,
	  .prepare = tty_prepare, .wait = read_token, .wake = tty_wake },
};

struct causes fd_causes = CAUSES(causes);
