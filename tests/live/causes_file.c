/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for files, what is locked in them, and what is mapped of them. */
#include "causes.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <unistd.h>

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
	{ .name = "uring", .kind = "io_uring", .call = "io_uring_enter", .waker = INTERRUPT,
	  .prepare = uring_prepare, .wait = uring_wait },
};

struct causes file_causes = CAUSES(causes);
