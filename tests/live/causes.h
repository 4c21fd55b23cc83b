/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SS_TESTS_LIVE_CAUSES_H
#define SS_TESTS_LIVE_CAUSES_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

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

/* Those of one file. */
struct causes {
	struct cause *cause;
	size_t n;
};
#define CAUSES(array) { (array), sizeof(array) / sizeof((array)[0]) }

extern struct causes thread_causes, file_causes, fd_causes;

extern const char *dir;		/* for files */

int64_t now_ns(void);
void rest(long ns);
void skip(struct cause *c, const char *what);
void pattern(struct cause *c, const char *format, ...);
void key_is_inode(struct cause *c, int fd);
void key_is(struct cause *c, uint64_t key);
void read_token(struct cause *c);
void write_token(struct cause *c);
sigset_t usr1(void);
void signal_wake(struct cause *c);

#endif
