/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * What a blocked thread waits for: how a system call waits (its class), for what kind of object, and
 * the kind of wait that follows from both. Compiled for the kernel (cause.bpf.h, which reads the
 * thread's registers) and for user space (which reads /proc/PID/task/TID/syscall).
 */
#ifndef SS_BPF_CAUSE_H
#define SS_BPF_CAUSE_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Kinds of waits; each blocked nanosecond has exactly one. */
enum ss_wait_kind {
	SS_WAIT_UNKNOWN,	/* the moment in which it blocked was not seen */
	SS_WAIT_FUTEX,
	SS_WAIT_PIPE,
	SS_WAIT_FIFO,
	SS_WAIT_SOCKET,		/* all families but unix */
	SS_WAIT_UNIX,
	SS_WAIT_READ,		/* of a file */
	SS_WAIT_WRITE,
	SS_WAIT_SYNC,
	SS_WAIT_DEVICE,		/* a character device: a terminal, for one */
	SS_WAIT_EVENTFD,
	SS_WAIT_EPOLL,
	SS_WAIT_POLL,
	SS_WAIT_SELECT,
	SS_WAIT_TIMER,
	SS_WAIT_CHILD,
	SS_WAIT_SIGNAL,
	SS_WAIT_IO_URING,
	SS_WAIT_AIO,
	SS_WAIT_IPC,		/* System V and POSIX queues and semaphores */
	SS_WAIT_LOCK,		/* of a file */
	SS_WAIT_MEMORY,		/* a call that changes the address space */
	SS_WAIT_PATH,		/* a call that takes the name of a file */
	SS_WAIT_FAULT,		/* a page fault */
	SS_WAIT_BLOCK,		/* block I/O of any other call */
	SS_WAIT_FREEZER,
	SS_WAIT_STOP,		/* by a signal or a tracer */
	SS_WAIT_EXIT,		/* while it ends */
	SS_WAIT_KERNEL,		/* a kernel thread, for whatever it does */
	SS_WAIT_SYSCALL,	/* any other system call */
};
#define SS_WAIT_KINDS 30

/* What key[] of a cause names. */
enum ss_object {
	SS_OBJECT_NONE,
	SS_OBJECT_FUTEX,	/* address, 1 if it is shared; of the process */
	SS_OBJECT_PIPE,		/* inode, device: those of stat(2), as for all that follow */
	SS_OBJECT_FIFO,
	SS_OBJECT_SOCKET,
	SS_OBJECT_UNIX,
	SS_OBJECT_FILE,
	SS_OBJECT_DEVICE,
	SS_OBJECT_BLOCK,	/* the device itself, 0: major << 20 | minor */
	SS_OBJECT_EPOLL,	/* descriptor, 1 + the one that was ready; of the process, as all below */
	SS_OBJECT_EVENTFD,	/* descriptor, 0 */
	SS_OBJECT_TIMERFD,
	SS_OBJECT_SIGNALFD,
	SS_OBJECT_IO_URING,
	SS_OBJECT_INOTIFY,
	SS_OBJECT_ANON,		/* any other without a name */
	SS_OBJECT_AIO,		/* address of the context, 0 */
};
#define SS_OBJECTS 17

/* How a system call waits. */
enum ss_call {
	SS_CALL_OTHER,
	SS_CALL_READ,		/* its first argument is a descriptor, as of those up to SS_CALL_EPOLL */
	SS_CALL_WRITE,
	SS_CALL_SYNC,
	SS_CALL_LOCK,
	SS_CALL_FCNTL,
	SS_CALL_IO_URING,
	SS_CALL_EPOLL,
	SS_CALL_POLL,
	SS_CALL_SELECT,
	SS_CALL_FUTEX,
	SS_CALL_FUTEX2,		/* its flags say what FUTEX_PRIVATE_FLAG does */
	SS_CALL_FUTEXV,
	SS_CALL_TIMER,
	SS_CALL_CHILD,
	SS_CALL_SIGNAL,
	SS_CALL_AIO,
	SS_CALL_IPC,
	SS_CALL_MEMORY,
	SS_CALL_PATH,
	SS_CALL_EXIT,
	SS_CALL_RESTART,	/* goes on with the wait that a signal interrupted */
};

/* Numbers of system calls that have a class: a power of two, so that the verifier sees that one fits. */
#define SS_CALLS 512

#define SS_FUTEX_PRIVATE 128	/* FUTEX_PRIVATE_FLAG, FUTEX2_PRIVATE */

struct ss_cause {
	__u8 kind;	/* enum ss_wait_kind */
	__u8 object;	/* enum ss_object */
	__s16 syscall;	/* its number; -1: none */
	__s32 fd;	/* the descriptor through which the object was found; -1: none */
	__u64 key[2];
};

/** Its first argument is a descriptor. */
static inline __attribute__((always_inline)) int ss_call_has_fd(__u8 call)
{
	return call >= SS_CALL_READ && call <= SS_CALL_EPOLL;
}

/** Two processes that have the same key mean the same object. */
static inline __attribute__((always_inline)) int ss_object_is_global(__u8 object)
{
	return object >= SS_OBJECT_PIPE && object <= SS_OBJECT_BLOCK;
}

/** The kind of a wait in a call of class @call for @object. */
static inline __attribute__((always_inline)) __u8 ss_kind_of(__u8 call, __u8 object)
{
	switch (call) {
	case SS_CALL_READ:
	case SS_CALL_WRITE:
		break;
	case SS_CALL_SYNC:
		return SS_WAIT_SYNC;
	case SS_CALL_LOCK:
	case SS_CALL_FCNTL:
		return SS_WAIT_LOCK;
	case SS_CALL_IO_URING:
		return SS_WAIT_IO_URING;
	case SS_CALL_EPOLL:
		return SS_WAIT_EPOLL;
	case SS_CALL_POLL:
		return SS_WAIT_POLL;
	case SS_CALL_SELECT:
		return SS_WAIT_SELECT;
	case SS_CALL_FUTEX:
	case SS_CALL_FUTEX2:
	case SS_CALL_FUTEXV:
		return SS_WAIT_FUTEX;
	case SS_CALL_TIMER:
		return SS_WAIT_TIMER;
	case SS_CALL_CHILD:
		return SS_WAIT_CHILD;
	case SS_CALL_SIGNAL:
		return SS_WAIT_SIGNAL;
	case SS_CALL_AIO:
		return SS_WAIT_AIO;
	case SS_CALL_IPC:
		return SS_WAIT_IPC;
	case SS_CALL_MEMORY:
		return SS_WAIT_MEMORY;
	case SS_CALL_PATH:
		return SS_WAIT_PATH;
	case SS_CALL_EXIT:
		return SS_WAIT_EXIT;
	default:
		return SS_WAIT_SYSCALL;
	}
	switch (object) {
	case SS_OBJECT_PIPE:
		return SS_WAIT_PIPE;
	case SS_OBJECT_FIFO:
		return SS_WAIT_FIFO;
	case SS_OBJECT_SOCKET:
		return SS_WAIT_SOCKET;
	case SS_OBJECT_UNIX:
		return SS_WAIT_UNIX;
	case SS_OBJECT_DEVICE:
		return SS_WAIT_DEVICE;
	case SS_OBJECT_EVENTFD:
		return SS_WAIT_EVENTFD;
	case SS_OBJECT_TIMERFD:
		return SS_WAIT_TIMER;
	case SS_OBJECT_SIGNALFD:
		return SS_WAIT_SIGNAL;
	case SS_OBJECT_FILE:
	case SS_OBJECT_BLOCK:
	case SS_OBJECT_INOTIFY:
		return call == SS_CALL_WRITE ? SS_WAIT_WRITE : SS_WAIT_READ;
	default:
		return SS_WAIT_SYSCALL;
	}
}

#endif
