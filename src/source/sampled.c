// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/sampled.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "account/offcpu.h"
#include "source/calls.h"
#include "source/parse.h"
#include "source/procfs.h"

#define TEXT_MAX 256	/* the longest line of syscall has 178 bytes */

/* The link does not tell the family, its protocol does: UNIX, UNIX-STREAM (94531cfcbe79). */
static uint8_t object_of_socket(const char *path)
{
	char name[32];
	ssize_t n = getxattr(path, "system.sockprotoname", name, sizeof(name));

	return n >= 4 && !memcmp(name, "UNIX", 4) ? SS_OBJECT_UNIX : SS_OBJECT_SOCKET;
}

static uint8_t object_of_inode(const char *path, uint16_t mode)
{
	char link[64] = "";

	switch (mode & S_IFMT) {
	case S_IFSOCK:
		return object_of_socket(path);
	case S_IFCHR:
		return SS_OBJECT_DEVICE;
	case S_IFBLK:
		return SS_OBJECT_BLOCK;
	}
	/* Only its beginning matters. */
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return SS_OBJECT_NONE;
	if (ss_object_of_link(link) != SS_OBJECT_NONE)
		return ss_object_of_link(link);
	return S_ISFIFO(mode) ? SS_OBJECT_FIFO : SS_OBJECT_FILE;
}

/*
 * What is behind cause->fd. @last was found before: the same inode is the same object, unless many
 * share one. A captured tree has no descriptors: its links would lead to files of this machine.
 */
static void find_object(const struct ss_source_env *env, const struct ss_thread *thread,
			const struct ss_cause *last, struct ss_cause *cause)
{
	char path[64];
	struct statx st;
	uint64_t device;

	/* The task's own: a leader that has ended has none. */
	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", thread->pid, thread->tid, cause->fd);
	/* Without asking a server for it, which may be what the thread waits for. */
	if (ss_procfs_is_capture(env->procfs) ||
	    statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &st)) {
		cause->fd = -1;
		return;
	}
	device = makedev(st.stx_dev_major, st.stx_dev_minor);
	if (ss_object_is_global(last->object) && last->object != SS_OBJECT_BLOCK &&
	    last->key[0] == st.stx_ino && last->key[1] == device)
		cause->object = last->object;
	else
		cause->object = object_of_inode(path, st.stx_mode);
	if (cause->object == SS_OBJECT_NONE) {
		cause->fd = -1;
	} else if (cause->object == SS_OBJECT_BLOCK) {
		cause->key[0] = (uint64_t)st.stx_rdev_major << 20 | st.stx_rdev_minor;
	} else if (ss_object_is_global(cause->object)) {
		cause->key[0] = st.stx_ino;
		cause->key[1] = device;
	} else {
		cause->key[0] = (uint64_t)cause->fd;
	}
}

static void take_syscall(const struct ss_source_env *env, struct ss_shard *shard,
			 struct ss_thread *thread, const char *text, size_t len)
{
	struct ss_syscall call;
	struct ss_cause cause;

	if (ss_parse_syscall(text, len, &call)) {
		shard->lost_parse++;
		return;
	}
	if (call.where == SS_SYSCALL_RUNNING)
		return;
	thread->cause_known = true;
	/* It goes on with what a signal interrupted. */
	if (ss_call_of(call.nr) == SS_CALL_RESTART && thread->cause.kind != SS_WAIT_UNKNOWN)
		return;
	ss_cause_of_syscall(&call, &cause);
	if (cause.fd >= 0 && cause.object == SS_OBJECT_NONE) {
		find_object(env, thread, &thread->cause, &cause);
		cause.kind = ss_kind_of(ss_call_of(call.nr), cause.object);
	}
	thread->cause = cause;
}

/* The number of bytes that tell; 0: nothing is told now; negative errno: never. */
static ssize_t read_told(const struct ss_source_env *env, struct ss_shard *shard,
			 struct ss_thread *thread, enum ss_thread_file file, char text[TEXT_MAX])
{
	ssize_t n = ss_procfs_read_file(env, shard, thread, file, text, TEXT_MAX);

	if (n > 0)
		thread->file_read[file] = true;
	if (n >= 0 || n == -ESRCH || (n == -ENOENT && thread->file_read[file]))
		return n > 0 ? n : 0;
	if (n == -EACCES || n == -EPERM || n == -ENOENT)
		return n;
	shard->lost_reads++;
	return 0;
}

/* What a blocked thread waits for, into thread->cause. It may have been woken meanwhile. */
static void look(const struct ss_source_env *env, struct ss_shard *shard, struct ss_thread *thread)
{
	char text[TEXT_MAX];
	ssize_t n;

	thread->cause_known = false;
	thread->cause_pcount = thread->account.prev.pcount;
	if (thread->look == SS_LOOK_UNTRIED || thread->look == SS_LOOK_SYSCALL) {
		n = read_told(env, shard, thread, SS_FILE_SYSCALL, text);
		if (n >= 0) {
			thread->look = SS_LOOK_SYSCALL;
			if (n > 0)
				take_syscall(env, shard, thread, text, (size_t)n);
			return;
		}
		/* Not permitted, or not in this kernel. */
		ss_fdcache_drop(&shard->files, &thread->file[SS_FILE_SYSCALL]);
		thread->look = SS_LOOK_WCHAN;
	}
	if (thread->look != SS_LOOK_WCHAN)
		return;
	n = read_told(env, shard, thread, SS_FILE_WCHAN, text);
	/* Every kernel has that one, but not for a thread that has ended meanwhile. */
	if (n == -ENOENT && env->procfs->is_real)
		return;
	if (n < 0)
		thread->look = SS_LOOK_NONE;
	thread->cause = (struct ss_cause){ .syscall = -1, .fd = -1 };
	if (n > 0)
		thread->cause.kind = ss_kind_of_wchan(text, (size_t)n);
	thread->cause_known = n > 0;
}

/* It has not been switched in since its cause was seen. */
static bool is_same_wait(const struct ss_thread *thread)
{
	const struct ss_reading *last = &thread->account.prev;

	return thread->cause_known && (last->have & SS_HAVE_PCOUNT) &&
	       last->pcount == thread->cause_pcount;
}

static struct ss_cause cause_at_end(const struct ss_source_env *env, struct ss_shard *shard,
				    const struct ss_window *w)
{
	struct ss_thread *thread = w->thread;
	enum ss_phase phase = thread->account.phase;
	bool ended = w->event & SS_EVENT_EXIT, blocked = !ended && is_asleep(phase);
	struct ss_cause cause = { .syscall = -1, .fd = -1 };

	/* Once also where it is of no use: whether there is such a file. */
	if (!thread->kernel && !ended && !is_same_wait(thread) &&
	    ((blocked && phase != SS_PHASE_STOP) || thread->look == SS_LOOK_UNTRIED))
		look(env, shard, thread);
	if (!blocked)
		return cause;
	if (phase == SS_PHASE_STOP)
		cause.kind = SS_WAIT_STOP;
	else if (thread->kernel)
		cause.kind = SS_WAIT_KERNEL;
	else if (thread->cause_known)
		cause = thread->cause;
	return cause;
}

/* Nothing tells it, for any thread; a captured tree may have no such files. */
static bool has_no_causes(const struct ss_source_env *env, const struct ss_thread *thread)
{
	return !thread->kernel &&
	       (thread->look == SS_LOOK_NONE ||
		(thread->look == SS_LOOK_UNTRIED && ss_procfs_is_capture(env->procfs)));
}

void ss_sampled_wait(const struct ss_source_env *env, struct ss_shard *shard,
		     const struct ss_window *w)
{
	const struct ss_parts *p = &w->parts;
	int64_t blocked_ns = p->sleep_ns + p->block_ns + p->iowait_ns + p->stop_ns;
	struct ss_window_wait *wait;
	struct ss_cause cause;

	if (!env->waits || blocked_ns <= 0)	/* parts that are missing are 0 */
		return;
	cause = cause_at_end(env, shard, w);
	if (has_no_causes(env, w->thread))
		return;
	wait = ss_shard_add_wait(shard);
	if (!wait)
		return;
	wait->thread = w->thread;
	wait->tick = w->tick;
	wait->end_mono_ns = w->end_mono_ns;
	wait->quality = SS_QUALITY_SAMPLED;
	wait->wait.cause = cause;
	wait->wait.ns = (uint64_t)blocked_ns;
}
