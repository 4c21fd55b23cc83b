/* SPDX-License-Identifier: GPL-2.0-or-later OR BSD-2-Clause */
/*
 * Why a thread blocks, read at its switch-out: the registers with which it entered the kernel still
 * hold the system call and its arguments, and its descriptor table the object. No tracepoint of any
 * system call is needed, so that calls which do not block cost nothing.
 */
#ifndef SS_BPF_CAUSE_BPF_H
#define SS_BPF_CAUSE_BPF_H

#include "cause.h"

const volatile __u8 calls[SS_CALLS];	/* enum ss_call by number; by user space, before loading */

/* The registers lie at the top of the stack; since 5.15 there is a helper (dd6e10fbd9fb). */
#define KERNEL_STACK_BYTES	16384

#define PF_EXITING		0x00000004
#define PF_IO_WORKER		0x00000010	/* since 5.12 (0100e6bbdbb7) */
#define PF_FROZEN		0x00010000	/* until 6.1 (f5d39b020809) */
#define PF_KTHREAD		0x00200000
#define TASK_FROZEN		0x00008000	/* since then */
#define TS_COMPAT		0x0002

#define ANON_INODE_FS_MAGIC	0x09041934
#define PIPEFS_MAGIC		0x50495045
#define S_IFMT			0170000
#define S_IFSOCK		0140000
#define S_IFBLK			0060000
#define S_IFCHR			0020000
#define S_IFIFO			0010000
#define AF_UNIX			1
#define AF_INET			2
#define AF_INET6		10

struct told_key {
	__u64 key[2];
	__s32 pid, epoll;	/* that waits for it with others; 0, -1 */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct told_key);	/* of an object of which user space has been told */
	__type(value, __u8);
} told SEC(".maps");

struct call_regs {
	__u64 di, si, r10, orig_ax;
};

static __always_inline void read_regs(struct task_struct *t, struct call_regs *regs)
{
	const struct pt_regs *at;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
		at = (const struct pt_regs *)bpf_task_pt_regs(t);
		regs->di = at->di;
		regs->si = at->si;
		regs->r10 = at->r10;
		regs->orig_ax = at->orig_ax;
		return;
	}
	at = (const void *)((const char *)BPF_CORE_READ(t, stack) + KERNEL_STACK_BYTES -
			    bpf_core_type_size(struct pt_regs));
	regs->di = BPF_CORE_READ(at, di);
	regs->si = BPF_CORE_READ(at, si);
	regs->r10 = BPF_CORE_READ(at, r10);
	regs->orig_ax = BPF_CORE_READ(at, orig_ax);
}

/* A wait that a packet can end. */
static __always_inline bool is_for_packets(const struct ss_cause *cause)
{
	return cause->object == SS_OBJECT_SOCKET || cause->kind == SS_WAIT_EPOLL ||
	       cause->kind == SS_WAIT_POLL || cause->kind == SS_WAIT_SELECT;
}

/* What interrupts left over, and, where they are threads, their timers and they themselves. */
static __always_inline bool serves_interrupts(const struct task_struct *t)
{
	char name[8];
	__u64 begin;

	BPF_CORE_READ_INTO(&name, t, comm);
	begin = *(const __u64 *)name;
	return begin == 0x71726974666f736b ||	/* "ksoftirq" */
	       begin == 0x2f7372656d69746b ||	/* "ktimers/" */
	       (__u32)begin == 0x2f717269;	/* "irq/" */
}

/*
 * Whether what wakes a thread out of @cause is an interrupt, and not the doing of @t, which runs.
 * An interrupt has a stack of its own, on which @at, the address of the tracepoint's arguments, lies;
 * so has the soft interrupt in which a packet for this machine arrives that @t just sends. One that
 * comes while user space runs uses the stack of @t, as an exception does, and like that it is no
 * system call; exceptions end waits for memory only.
 */
static __always_inline bool is_interrupt(struct task_struct *t, unsigned int flags, __u32 stack,
					 const struct ss_cause *cause, const void *at)
{
	bool on_stack = (__u32)(unsigned long)at - stack < KERNEL_STACK_BYTES;
	struct call_regs regs;

	if (flags & PF_KTHREAD)
		return !on_stack || serves_interrupts(t);
	read_regs(t, &regs);
	if (!on_stack)
		return !is_for_packets(cause) || regs.orig_ax >= SS_CALLS ||
		       calls[regs.orig_ax & (SS_CALLS - 1)] != SS_CALL_WRITE;
	return (__s32)regs.orig_ax < 0 && cause->kind != SS_WAIT_FAULT &&
	       cause->kind != SS_WAIT_MEMORY;
}

/* Who wakes the thread of @slot, as in struct ss_wait. */
static __always_inline __u64 read_waker(const struct ss_slot *slot, const void *at)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), pid, tid;
	struct task_struct *t;
	unsigned int flags;
	__u32 stack;

	/* An idle CPU does nothing of its own accord. */
	if (!(__u32)pid_tgid)
		return SS_WAKER_INTERRUPT;
	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf)) {
		t = bpf_get_current_task_btf();
		flags = t->flags;
		stack = (__u32)(unsigned long)t->stack;
	} else {
		t = (void *)bpf_get_current_task();
		flags = BPF_CORE_READ(t, flags);
		stack = (__u32)(unsigned long)BPF_CORE_READ(t, stack);
	}
	if (is_interrupt(t, flags, stack, &slot->ledger.open.cause, at))
		return SS_WAKER_INTERRUPT;
	if (!shared.pidns_level)
		return pid_tgid;
	tid = (__u32)number_of_pid(BPF_CORE_READ(t, thread_pid));
	pid = (__u32)number_of_pid(BPF_CORE_READ(t, group_leader, thread_pid));
	return tid ? pid << 32 | tid : SS_WAKER_OUTSIDE;
}

static __always_inline struct file *file_of(struct task_struct *t, __s32 fd)
{
	struct fdtable *fdt = t->files->fdt;
	struct file **table = fdt->fd, *file = NULL;

	if (fd < 0 || (__u32)fd >= fdt->max_fds)
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), table + fd);
	return file;
}

static __always_inline const struct sock *sock_of(const struct file *file)
{
	const struct socket *socket = BPF_CORE_READ(file, private_data);

	return BPF_CORE_READ(socket, sk);
}

/* As stat(2) gives it: new_encode_dev(). */
static __always_inline __u64 stat_dev(__u32 dev)
{
	__u32 major = dev >> 20, minor = dev & 0xfffff;

	return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static __always_inline __u8 anon_object(const struct file *file)
{
	const unsigned char *name = BPF_CORE_READ(file, f_path.dentry, d_name.name);
	char first[8] = {};

	bpf_probe_read_kernel(first, sizeof(first), name);
	/* "[eventpoll]", "[eventfd]", "[timerfd]", "[signalfd]", "[io_uring]", "inotify" */
	switch (first[0] == '[' ? first[1] : first[0]) {
	case 'e':
		return first[6] == 'p' ? SS_OBJECT_EPOLL :
		       first[6] == 'f' ? SS_OBJECT_EVENTFD : SS_OBJECT_ANON;
	case 't':
		return SS_OBJECT_TIMERFD;
	case 's':
		return SS_OBJECT_SIGNALFD;
	case 'i':
		return first[0] == '[' ? SS_OBJECT_IO_URING : SS_OBJECT_INOTIFY;
	default:
		return SS_OBJECT_ANON;
	}
}

struct file_place {
	__u64 ino, magic;
	__u32 dev;
	__u16 mode;
};

/* Loads take less than calls that read, and this is done at each wait for a descriptor. */
static __always_inline void read_place(const struct file *file, struct file_place *place)
{
	struct super_block *sb;
	struct inode *inode;

	if (bpf_rdonly_cast) {
		file = bpf_rdonly_cast(file, bpf_core_type_id_kernel(struct file));
		inode = file->f_inode;
		sb = inode->i_sb;
		*place = (struct file_place){ inode->i_ino, sb->s_magic, sb->s_dev, inode->i_mode };
		return;
	}
	inode = BPF_CORE_READ(file, f_inode);
	sb = BPF_CORE_READ(inode, i_sb);
	place->ino = BPF_CORE_READ(inode, i_ino);
	place->magic = BPF_CORE_READ(sb, s_magic);
	place->dev = BPF_CORE_READ(sb, s_dev);
	place->mode = BPF_CORE_READ(inode, i_mode);
}

/* What descriptor @fd, which is @file, is. */
static __always_inline void read_object(const struct file *file, __s32 fd, struct ss_cause *cause)
{
	struct file_place place;
	__u16 mode;

	cause->fd = fd;
	read_place(file, &place);
	mode = place.mode & S_IFMT;
	if (mode == S_IFSOCK) {
		const struct sock *sk = sock_of(file);

		cause->object = BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX ?
				SS_OBJECT_UNIX : SS_OBJECT_SOCKET;
	} else if (mode == S_IFIFO) {
		cause->object = place.magic == PIPEFS_MAGIC ? SS_OBJECT_PIPE : SS_OBJECT_FIFO;
	} else if (mode == S_IFBLK) {
		cause->object = SS_OBJECT_BLOCK;
		cause->key[0] = BPF_CORE_READ(file, f_inode, i_rdev);
		return;
	} else if (mode == S_IFCHR) {
		cause->object = SS_OBJECT_DEVICE;
	} else if (place.magic == ANON_INODE_FS_MAGIC) {
		/* They share one inode. */
		cause->object = anon_object(file);
		cause->key[0] = (__u64)fd;
		return;
	} else {
		cause->object = SS_OBJECT_FILE;
	}
	cause->key[0] = place.ino;
	cause->key[1] = stat_dev(place.dev);
}

static __always_inline void tell_inet(struct ss_object_info *info, const struct sock *sk)
{
	info->type = BPF_CORE_READ(sk, sk_type);
	info->protocol = BPF_CORE_READ(sk, sk_protocol);
	info->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	info->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (info->family == AF_INET6 && bpf_core_field_exists(sk->__sk_common.skc_v6_daddr)) {
		bpf_core_read(info->local, 16, &sk->__sk_common.skc_v6_rcv_saddr);
		bpf_core_read(info->remote, 16, &sk->__sk_common.skc_v6_daddr);
	} else if (info->family == AF_INET) {
		bpf_core_read(info->local, 4, &sk->__sk_common.skc_rcv_saddr);
		bpf_core_read(info->remote, 4, &sk->__sk_common.skc_daddr);
	}
}

/* Its address, else that of its peer: the end of a connection that was accepted has the listener's. */
static __always_inline void tell_unix(struct ss_object_info *info, const struct sock *sk)
{
	const struct unix_sock *u = (const void *)sk, *peer;
	const struct pid *pid = BPF_CORE_READ(sk, sk_peer_pid);
	const struct unix_address *address;
	const char *path;
	int len;

	info->type = BPF_CORE_READ(sk, sk_type);
	info->peer_pid = number_of_pid(pid);
	if (!bpf_core_field_exists(u->addr))
		return;
	peer = (const void *)BPF_CORE_READ(u, peer);
	address = BPF_CORE_READ(u, addr);
	if (!address)
		address = BPF_CORE_READ(peer, addr);
	len = BPF_CORE_READ(address, len) - (int)sizeof(__u16);
	path = (const char *)address + bpf_core_field_offset(struct unix_address, name) + sizeof(__u16);
	if (!address || len <= 0)
		return;
	bpf_probe_read_kernel_str(info->name, sizeof(info->name), path);
	if (info->name[0])
		return;
	/* An abstract name begins with a zero and has no end. */
	info->name[0] = '@';
	len--;
	if (len > (int)sizeof(info->name) - 2)
		len = sizeof(info->name) - 2;
	if (len > 0)
		bpf_probe_read_kernel(info->name + 1, len & 63, path + 1);
}

static __always_inline void describe(struct ss_object_info *info, const struct file *file)
{
	const struct sock *sk;

	if (info->object != SS_OBJECT_SOCKET && info->object != SS_OBJECT_UNIX) {
		bpf_probe_read_kernel_str(info->name, sizeof(info->name),
					  BPF_CORE_READ(file, f_path.dentry, d_name.name));
		return;
	}
	sk = sock_of(file);
	info->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (info->object == SS_OBJECT_UNIX)
		tell_unix(info, sk);
	else
		tell_inet(info, sk);
}

/*
 * Once for each object of the machine: its key alone does not tell who is at the other end. @epoll:
 * the descriptor of the instance in which @cause was ready; -1: @cause itself is waited for.
 */
static __always_inline void tell_object(const struct ss_slot *slot, const struct ss_cause *cause,
					const struct file *file, __s32 epoll)
{
	struct told_key key = { .key = { cause->key[0], cause->key[1] }, .epoll = epoll };
	struct ss_object_info *info;
	struct ss_record *record;
	__u8 yes = 1;

	if (!ss_object_is_global(cause->object) || (cause->object == SS_OBJECT_PIPE && epoll < 0))
		return;
	if (epoll >= 0)
		key.pid = slot->pid;
	if (bpf_map_lookup_elem(&told, &key))
		return;
	record = new_record(slot, SS_RECORD_OBJECT);
	if (!record)
		return;
	info = &record->object;
	__builtin_memset(info, 0, sizeof(*info));
	info->object = cause->object;
	info->key[0] = cause->key[0];
	info->key[1] = cause->key[1];
	info->pid = slot->pid;
	info->fd = cause->fd;
	describe(info, file);
	if (epoll >= 0) {
		info->ready = cause->object;
		info->ready_key[0] = cause->key[0];
		info->ready_key[1] = cause->key[1];
		info->object = SS_OBJECT_EPOLL;
		info->key[0] = (__u64)epoll;
		info->key[1] = (__u64)cause->fd + 1;
	}
	bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	bpf_map_update_elem(&told, &key, &yes, BPF_ANY);
}

static __always_inline struct file *read_descriptor(struct task_struct *t, __s32 fd,
						    struct ss_cause *cause)
{
	struct file *file = file_of(t, fd);

	if (file)
		read_object(file, fd, cause);
	return file;
}

struct futex_waitv {
	__u64 val, uaddr;
	__u32 flags, reserved;
};

struct pollfd {
	__s32 fd;
	__s16 events, revents;
};

/* Arguments in memory can be read by the thread itself, as it leaves its CPU. */
static __always_inline struct file *read_arguments(struct task_struct *t, const struct call_regs *regs,
						   __u8 call, bool itself, struct ss_cause *cause)
{
	struct futex_waitv futex = {};
	struct pollfd poll = {};

	if (ss_call_has_fd(call))
		return read_descriptor(t, (__s32)regs->di, cause);
	switch (call) {
	case SS_CALL_FUTEX:
	case SS_CALL_FUTEX2:
		cause->object = SS_OBJECT_FUTEX;
		cause->key[0] = regs->di;
		cause->key[1] = !((call == SS_CALL_FUTEX ? regs->si : regs->r10) & SS_FUTEX_PRIVATE);
		break;
	case SS_CALL_FUTEXV:
		if (!itself || bpf_probe_read_user(&futex, sizeof(futex), (void *)regs->di))
			break;
		cause->object = SS_OBJECT_FUTEX;
		cause->key[0] = futex.uaddr;
		cause->key[1] = !(futex.flags & SS_FUTEX_PRIVATE);
		break;
	case SS_CALL_POLL:
		if (regs->si == 1 && itself &&
		    !bpf_probe_read_user(&poll, sizeof(poll), (void *)regs->di))
			return read_descriptor(t, poll.fd, cause);
		break;
	case SS_CALL_AIO:
		cause->object = SS_OBJECT_AIO;
		cause->key[0] = regs->di;
		break;
	}
	return NULL;
}

/*
 * Which descriptor wakes a thread from its epoll instance: the first that is ready. It may be the
 * second by the time that the thread asks.
 */
static __always_inline void read_ready(struct ss_slot *slot)
{
	const struct eventpoll *ep = (const void *)(unsigned long)slot->epoll;
	const char *head = (const char *)ep + bpf_core_field_offset(struct eventpoll, rdllist), *first;
	const struct epitem *item;
	const struct file *file;
	__s32 fd;

	first = (const char *)BPF_CORE_READ(ep, rdllist.next);
	if (!first || first == head)
		return;
	item = (const void *)(first - bpf_core_field_offset(struct epitem, rdllink));
	file = BPF_CORE_READ(item, ffd.file);
	fd = BPF_CORE_READ(item, ffd.fd);
	slot->ready = (__u32)fd + 1;
	slot->ready_cause.object = SS_OBJECT_NONE;
	read_object(file, fd, &slot->ready_cause);
	tell_object(slot, &slot->ready_cause, file, slot->epoll_fd);
}

/* The device of the last block I/O that it asked for, where nothing better is known. */
static __always_inline void read_block(const struct ss_slot *slot, struct ss_cause *cause)
{
	if (cause->object != SS_OBJECT_NONE || !slot->block_dev)
		return;
	cause->object = SS_OBJECT_BLOCK;
	cause->key[0] = slot->block_dev;
}

/**
 * Why @t, that is in @phase and @state, is asleep. @itself: it is just leaving its CPU. A wait that
 * a signal interrupted and that goes on has the cause of before, which the slot still has. @cause
 * lies in the slot, too: of what is in a map the verifier does not follow each possibility.
 */
static __always_inline void read_cause(struct task_struct *t, struct ss_slot *slot, __u8 phase,
				       __u32 state, bool itself, struct ss_cause *cause)
{
	struct call_regs regs;
	struct file *file;
	__u8 call;

	*cause = (struct ss_cause){ .kind = SS_WAIT_UNKNOWN, .syscall = -1, .fd = -1 };
	slot->epoll = slot->ready = 0;
	if (!tell_waits)
		return;
	if (phase == SS_LEDGER_STOP)
		cause->kind = SS_WAIT_STOP;
	else if (t->flags & PF_KTHREAD)
		cause->kind = SS_WAIT_KERNEL;
	else if (t->flags & PF_IO_WORKER)
		cause->kind = SS_WAIT_IO_URING;
	else if (state & TASK_FROZEN || t->flags & PF_FROZEN)
		cause->kind = SS_WAIT_FREEZER;
	else if (t->flags & PF_EXITING)
		cause->kind = SS_WAIT_EXIT;
	if (cause->kind != SS_WAIT_UNKNOWN)
		return;
	read_regs(t, &regs);
	/* An exception, and those that sleep are of the memory. */
	if ((__s32)regs.orig_ax < 0) {
		cause->kind = SS_WAIT_FAULT;
		if (phase == SS_LEDGER_IOWAIT)
			read_block(slot, cause);
		return;
	}
	/* Another table of numbers. */
	if (t->thread_info.status & TS_COMPAT) {
		cause->kind = SS_WAIT_SYSCALL;
		return;
	}
	call = calls[regs.orig_ax & (SS_CALLS - 1)];
	if (regs.orig_ax >= SS_CALLS)
		call = SS_CALL_OTHER;
	if (call == SS_CALL_RESTART) {
		*cause = slot->ledger.open.cause;
		return;
	}
	cause->syscall = (__s16)regs.orig_ax;
	file = read_arguments(t, &regs, call, itself, cause);
	cause->kind = ss_kind_of(call, cause->object);
	if (file)
		tell_object(slot, cause, file, -1);
	if (cause->object == SS_OBJECT_EPOLL)
		slot->epoll = (__u64)(unsigned long)BPF_CORE_READ(file, private_data);
	slot->epoll_fd = cause->fd;
	if (phase == SS_LEDGER_IOWAIT && !file &&
	    (cause->kind == SS_WAIT_SYSCALL || cause->kind == SS_WAIT_MEMORY ||
	     cause->kind == SS_WAIT_PATH)) {
		cause->kind = SS_WAIT_BLOCK;
		read_block(slot, cause);
	}
}

#endif
