/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that know what they wait for: one for each cause, and one that ends its waits where a
 * thread does that.
 *
 *	TMPDIR=FOLDER causes [NAME]...
 *
 * Makes files in FOLDER and leaves them there. Prints "ready PID", waits for a line, works until the next one, and then prints for each cause
 *
 *	NAME tid=N kind=KIND syscall=CALL key=N name=PATTERN waker=TID[|interrupt]|interrupt|any \
 *		begin_ns=N end_ns=N blocked_ns=N waits=N
 *
 * or "NAME skip=REASON". A key of - can be any, as can a name of
 * -, and then there need not be a resource; "none": there is none. Instants are of
 * CLOCK_MONOTONIC.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000L
#define BLOCK 4096
#define FILE_BLOCKS 2048

enum waker { THREAD, PACKET, INTERRUPT, ANY };

struct cause {
	const char *name, *kind, *call;
	/* Who ends its waits: our thread; that, or an interrupt where a packet is left to it; ... */
	enum waker waker;
	/** Before any thread runs. Sets key, pattern, or skip. */
	void (*prepare)(struct cause *c);
	void (*wait)(struct cause *c);	/* once; returns when it was ended */
	void (*wake)(struct cause *c);	/* end one wait, this one or the next; NULL: nobody has to */
	void (*finish)(struct cause *c);
	bool holds;		/* a wake is as long as a wait */

	char key[32], pattern[256], skip[128];
	int fd[4];
	_Atomic uint32_t *word;
	char *memory;
	unsigned turn;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	bool token;
	pthread_t waiter, helper;
	pid_t waiter_tid, waker_tid;
	_Atomic pid_t tid;	/* of the waiter, as long as it waits */
	int64_t begin_ns, end_ns, blocked_ns, waits;
};

static _Atomic bool running;
static const char *dir;		/* for files */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 * MS + t.tv_nsec;
}

static void rest(long ns)
{
	struct timespec t = { 0, ns };

	nanosleep(&t, NULL);
}

static void skip(struct cause *c, const char *what)
{
	snprintf(c->skip, sizeof(c->skip), "%s: %s", what, strerror(errno));
}

static void pattern(struct cause *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->pattern, sizeof(c->pattern), format, args);
	va_end(args);
}

static void key_is_inode(struct cause *c, int fd)
{
	struct stat st;

	if (!fstat(fd, &st))
		snprintf(c->key, sizeof(c->key), "%llu", (unsigned long long)st.st_ino);
}

static void key_is(struct cause *c, uint64_t key)
{
	snprintf(c->key, sizeof(c->key), "%llu", (unsigned long long)key);
}

/* A token through a descriptor, for all that reads and writes. */
static void read_token(struct cause *c)
{
	char token[8];

	if (read(c->fd[0], token, sizeof(token)) <= 0)
		abort();
}

static void write_token(struct cause *c)
{
	if (write(c->fd[1], "x", 1) != 1)
		abort();
}

static void futex_prepare(struct cause *c)
{
	c->memory = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	c->word = (_Atomic uint32_t *)(c->memory + 64);
	key_is(c, (uint64_t)(uintptr_t)c->word);
	pattern(c, "^0x%lx$", (unsigned long)(uintptr_t)c->word);
}

static void shared_prepare(struct cause *c)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/shared", dir);
	c->fd[0] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (c->fd[0] < 0 || ftruncate(c->fd[0], 2 * BLOCK)) {
		skip(c, path);
		return;
	}
	c->memory = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd[0], BLOCK);
	c->word = (_Atomic uint32_t *)(c->memory + 64);
	key_is(c, (uint64_t)(uintptr_t)c->word);
	pattern(c, "^%s[+]0x1040$", path);
}

static void futex_wait(struct cause *c)
{
	int op = c->fd[0] ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE;

	while (!atomic_exchange(c->word, 0))
		syscall(SYS_futex, c->word, op, 0, NULL, NULL, 0);
}

static void futex_wake(struct cause *c)
{
	atomic_store(c->word, 1);
	syscall(SYS_futex, c->word, c->fd[0] ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void cond_prepare(struct cause *c)
{
	pthread_mutex_init(&c->mutex, NULL);
	pthread_cond_init(&c->cond, NULL);
}

static void cond_wait(struct cause *c)
{
	pthread_mutex_lock(&c->mutex);
	while (!c->token)
		pthread_cond_wait(&c->cond, &c->mutex);
	c->token = false;
	pthread_mutex_unlock(&c->mutex);
}

static void cond_wake(struct cause *c)
{
	pthread_mutex_lock(&c->mutex);
	c->token = true;
	pthread_mutex_unlock(&c->mutex);
	pthread_cond_signal(&c->cond);
}

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

static void nothing_prepare(struct cause *c)
{
	pattern(c, "none");
}

static void sleep_wait(struct cause *c)
{
	(void)c;
	rest(10 * MS);
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

static sigset_t usr1(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	return set;
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

static void sigwait_wait(struct cause *c)
{
	sigset_t set = usr1();
	int number;

	(void)c;
	sigwait(&set, &number);
}

static void signal_wake(struct cause *c)
{
	syscall(SYS_tgkill, getpid(), c->tid, SIGUSR1);
}

/* What comes before the wait is not of its kind, and short beside it. */
static void child_wait(struct cause *c)
{
	pid_t child = fork();

	(void)c;
	if (!child) {
		rest(50 * MS);
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static void lock_prepare(struct cause *c)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, c->name);
	c->fd[0] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	c->fd[1] = open(path, O_RDWR | O_CLOEXEC);
	if (c->fd[0] < 0 || c->fd[1] < 0)
		skip(c, path);
	key_is_inode(c, c->fd[0]);
	pattern(c, "^%s$", path);
}

static void flock_wait(struct cause *c)
{
	flock(c->fd[0], LOCK_EX);
	flock(c->fd[0], LOCK_UN);
}

static void flock_wake(struct cause *c)
{
	flock(c->fd[1], LOCK_EX);
	rest(10 * MS);
	flock(c->fd[1], LOCK_UN);
}

static void ofd_lock(int fd, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	if (fcntl(fd, F_OFD_SETLKW, &lock))
		abort();
}

static void fcntl_wait(struct cause *c)
{
	ofd_lock(c->fd[0], F_WRLCK);
	ofd_lock(c->fd[0], F_UNLCK);
}

static void fcntl_wake(struct cause *c)
{
	ofd_lock(c->fd[1], F_WRLCK);
	rest(10 * MS);
	ofd_lock(c->fd[1], F_UNLCK);
}

static void sync_wait(struct cause *c)
{
	static const char block[BLOCK];

	if (pwrite(c->fd[0], block, sizeof(block), c->turn++ % 64 * BLOCK) < 0 || fsync(c->fd[0]))
		abort();
}

static void read_prepare(struct cause *c)
{
	lock_prepare(c);
	c->memory = aligned_alloc(BLOCK, BLOCK);
	memset(c->memory, 'x', BLOCK);
	for (int i = 0; i < FILE_BLOCKS; i++)
		if (write(c->fd[0], c->memory, BLOCK) != BLOCK)
			skip(c, "a file");
	fsync(c->fd[0]);
}

static void direct_prepare(struct cause *c)
{
	read_prepare(c);
	if (fcntl(c->fd[1], F_SETFL, O_DIRECT) || pread(c->fd[1], c->memory, BLOCK, 0) != BLOCK)
		skip(c, "O_DIRECT");
}

static off_t some_block(struct cause *c)
{
	c->turn = c->turn * 1664525 + 1013904223;
	return (off_t)(c->turn >> 8) % FILE_BLOCKS * BLOCK;
}

static void direct_wait(struct cause *c)
{
	if (pread(c->fd[1], c->memory, BLOCK, some_block(c)) != BLOCK)
		abort();
}

/* Each page once: to have one forgotten again can block, too. */
static void fault_prepare(struct cause *c)
{
	read_prepare(c);
	free(c->memory);
	posix_fadvise(c->fd[1], 0, 0, POSIX_FADV_DONTNEED);
	c->memory = mmap(NULL, FILE_BLOCKS * BLOCK, PROT_READ, MAP_PRIVATE, c->fd[1], 0);
	madvise(c->memory, FILE_BLOCKS * BLOCK, MADV_RANDOM);
	strcpy(c->key, "-");
	c->pattern[0] = '\0';
}

static void fault_wait(struct cause *c)
{
	*(volatile char *)(c->memory + (off_t)(c->turn++ % FILE_BLOCKS) * BLOCK);
}

static void ipc_prepare(struct cause *c)
{
	nothing_prepare(c);
	c->fd[0] = semget(IPC_PRIVATE, 1, 0600);
	if (c->fd[0] < 0)
		skip(c, "semget");
}

static void ipc_wait(struct cause *c)
{
	struct sembuf take = { 0, -1, 0 };

	semop(c->fd[0], &take, 1);
}

static void ipc_wake(struct cause *c)
{
	struct sembuf give = { 0, 1, 0 };

	semop(c->fd[0], &give, 1);
}

static void ipc_finish(struct cause *c)
{
	semctl(c->fd[0], 0, IPC_RMID);
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

static struct {
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail;
	struct io_uring_sqe *sqe;
} ring;

static void uring_prepare(struct cause *c)
{
	struct io_uring_params p = { 0 };
	char *sq, *cq;

	c->fd[0] = (int)syscall(SYS_io_uring_setup, 4, &p);
	if (c->fd[0] < 0) {
		skip(c, "io_uring");
		return;
	}
	sq = mmap(NULL, p.sq_off.array + p.sq_entries * 4, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_POPULATE, c->fd[0], IORING_OFF_SQ_RING);
	cq = mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(struct io_uring_cqe),
		  PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, c->fd[0], IORING_OFF_CQ_RING);
	ring.sqe = mmap(NULL, p.sq_entries * sizeof(*ring.sqe), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, c->fd[0], IORING_OFF_SQES);
	ring.sq_tail = (unsigned *)(sq + p.sq_off.tail);
	ring.sq_mask = (unsigned *)(sq + p.sq_off.ring_mask);
	ring.sq_array = (unsigned *)(sq + p.sq_off.array);
	ring.cq_head = (unsigned *)(cq + p.cq_off.head);
	ring.cq_tail = (unsigned *)(cq + p.cq_off.tail);
	key_is(c, (uint64_t)c->fd[0]);
	pattern(c, "^io_uring.fd.%d$", c->fd[0]);
}

static void uring_wait(struct cause *c)
{
	static struct { int64_t s, ns; } time = { 0, 10 * MS };
	unsigned tail = *ring.sq_tail, index = tail & *ring.sq_mask;

	ring.sqe[index] = (struct io_uring_sqe){
		.opcode = IORING_OP_TIMEOUT, .fd = -1, .addr = (uintptr_t)&time, .len = 1,
	};
	ring.sq_array[index] = index;
	__atomic_store_n(ring.sq_tail, tail + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, c->fd[0], 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	__atomic_store_n(ring.cq_head, __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE),
			 __ATOMIC_RELEASE);
}

static struct cause causes[] = {
	{ .name = "futex", .kind = "futex", .call = "futex", .waker = THREAD,
	  .prepare = futex_prepare, .wait = futex_wait, .wake = futex_wake },
	{ .name = "shared", .kind = "futex", .call = "futex", .waker = THREAD,
	  .prepare = shared_prepare, .wait = futex_wait, .wake = futex_wake },
	{ .name = "cond", .kind = "futex", .call = "futex", .waker = THREAD,
	  .prepare = cond_prepare, .wait = cond_wait, .wake = cond_wake },
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
	{ .name = "sleep", .kind = "timer", .call = "clock_nanosleep", .waker = INTERRUPT,
	  .prepare = nothing_prepare, .wait = sleep_wait },
	{ .name = "timerfd", .kind = "timer", .call = "read", .waker = INTERRUPT,
	  .prepare = timerfd_prepare, .wait = read_token },
	{ .name = "eventfd", .kind = "eventfd", .call = "read", .waker = THREAD,
	  .prepare = eventfd_prepare, .wait = read_token, .wake = eventfd_wake },
	{ .name = "signalfd", .kind = "signal", .call = "read", .waker = THREAD,
	  .prepare = signalfd_prepare, .wait = signalfd_wait, .wake = signal_wake },
	{ .name = "sigwait", .kind = "signal", .call = "rt_sigtimedwait", .waker = THREAD,
	  .prepare = nothing_prepare, .wait = sigwait_wait, .wake = signal_wake },
	{ .name = "child", .kind = "child", .call = "wait4|clone", .waker = ANY,
	  .prepare = nothing_prepare, .wait = child_wait },
	{ .name = "flock", .kind = "lock", .call = "flock", .waker = THREAD,
	  .prepare = lock_prepare, .wait = flock_wait, .wake = flock_wake,
	  .holds = true },
	{ .name = "fcntl", .kind = "lock", .call = "fcntl", .waker = THREAD,
	  .prepare = lock_prepare, .wait = fcntl_wait, .wake = fcntl_wake,
	  .holds = true },
	{ .name = "sync", .kind = "sync", .call = "fsync", .waker = ANY,
	  .prepare = lock_prepare, .wait = sync_wait },
	{ .name = "direct", .kind = "read", .call = "pread64", .waker = ANY,
	  .prepare = direct_prepare, .wait = direct_wait },
	{ .name = "fault", .kind = "fault", .call = "", .waker = ANY,
	  .prepare = fault_prepare, .wait = fault_wait },
	{ .name = "ipc", .kind = "ipc", .call = "semop|semtimedop", .waker = THREAD,
	  .prepare = ipc_prepare, .wait = ipc_wait, .wake = ipc_wake, .finish = ipc_finish },
	{ .name = "tty", .kind = "device", .call = "read", .waker = ANY,
	  .prepare = tty_prepare, .wait = read_token, .wake = tty_wake },
	{ .name = "uring", .kind = "io_uring", .call = "io_uring_enter", .waker = INTERRUPT,
	  .prepare = uring_prepare, .wait = uring_wait },
};
#define CAUSES (sizeof(causes) / sizeof(causes[0]))

static pthread_barrier_t barrier;

static void *wait_thread(void *arg)
{
	struct cause *c = arg;

	prctl(PR_SET_NAME, c->name);
	c->tid = c->waiter_tid = gettid();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	c->begin_ns = now_ns();
	while (atomic_load_explicit(&running, memory_order_relaxed)) {
		int64_t before_ns = now_ns();

		c->wait(c);
		c->blocked_ns += now_ns() - before_ns;
		c->waits++;
	}
	c->end_ns = now_ns();
	c->tid = 0;
	return NULL;
}

static void *wake_thread(void *arg)
{
	struct cause *c = arg;
	unsigned turn = 0;

	c->waker_tid = gettid();
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	/* To the end of the other, which can be in a last wait. */
	while (atomic_load(&running) || c->tid) {
		/* One that holds a lock lets it go for a moment. */
		rest(c->holds ? MS / 5 : (5 + turn++ % 10) * MS);
		if (c->tid)
			c->wake(c);
	}
	return NULL;
}

static bool is_wanted(const struct cause *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], c->name))
			return true;
	return argc < 2;
}

static void report(const struct cause *c)
{
	static const char *const wakers[] = { "", "|interrupt", "interrupt", "any" };

	if (c->skip[0]) {
		printf("%s skip=%s\n", c->name, c->skip);
		return;
	}
	printf("%s tid=%d kind=%s syscall=%s key=%s name=%s waker=", c->name, (int)c->waiter_tid,
	       c->kind, c->call, c->key[0] ? c->key : "-", c->pattern[0] ? c->pattern : "-");
	if (c->waker <= PACKET)
		printf("%d", (int)c->waker_tid);
	printf("%s", wakers[c->waker]);
	printf(" begin_ns=%lld end_ns=%lld blocked_ns=%lld waits=%lld\n", (long long)c->begin_ns,
	       (long long)c->end_ns, (long long)c->blocked_ns, (long long)c->waits);
}

int main(int argc, char **argv)
{
	sigset_t set = usr1();
	unsigned threads = 1;
	char line[16];

	/* For those who read it, and as nothing else. */
	sigprocmask(SIG_BLOCK, &set, NULL);
	dir = getenv("TMPDIR");
	if (!dir)
		return 1;
	for (size_t i = 0; i < CAUSES; i++) {
		struct cause *c = &causes[i];

		if (is_wanted(c, argc, argv))
			c->prepare(c);
		else
			snprintf(c->skip, sizeof(c->skip), "not asked for");
		if (!c->skip[0])
			threads += 1 + (c->wake != NULL);
	}
	pthread_barrier_init(&barrier, NULL, threads);
	for (size_t i = 0; i < CAUSES; i++) {
		struct cause *c = &causes[i];

		if (!c->skip[0] && (pthread_create(&c->waiter, NULL, wait_thread, c) ||
				    (c->wake && pthread_create(&c->helper, NULL, wake_thread, c))))
			return 1;
	}
	pthread_barrier_wait(&barrier);
	printf("ready %d\n", (int)getpid());
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return 1;
	running = true;
	pthread_barrier_wait(&barrier);
	if (!fgets(line, sizeof(line), stdin))
		line[0] = '\0';
	running = false;
	for (size_t i = 0; i < CAUSES; i++) {
		struct cause *c = &causes[i];

		if (!c->skip[0])
			pthread_join(c->waiter, NULL);
		if (!c->skip[0] && c->wake)
			pthread_join(c->helper, NULL);
		if (!c->skip[0] && c->finish)
			c->finish(c);
	}
	for (size_t i = 0; i < CAUSES; i++)
		report(&causes[i]);
	puts("end");
	return 0;
}
