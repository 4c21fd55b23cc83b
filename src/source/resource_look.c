/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/resource_look.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/util.h"

#define MAPS_SIZE (1 << 20)	/* as much is read of the maps of a process */
#define ENDS_MAX 65536
#define LINKS_MAX 100000	/* of descriptors, in one scan */
#define FRESH_NS (20 * SS_NSEC_PER_MSEC)
#define BUDGET_NS (200 * SS_NSEC_PER_MSEC)
#define BUDGET_SHARE 10
#define SCAN_GAP_NS (200 * SS_NSEC_PER_MSEC)
#define SHOWN_ENDS 3

/* It is CPU time, so that other programs on a busy machine do not use it up. */
static bool may_read(struct ss_look *l, int64_t now_ns)
{
	int64_t left_ns = l->left_ns + (now_ns - l->since_ns) / BUDGET_SHARE;

	l->left_ns = left_ns < BUDGET_NS ? left_ns : BUDGET_NS;
	l->since_ns = now_ns;
	return l->left_ns > 0;
}

static void spend(struct ss_look *l, int64_t begin_ns)
{
	/* What a captured tree yields does not depend on the time that it takes. */
	if (!ss_procfs_is_capture(l->procfs))
		l->left_ns -= ss_now_ns(CLOCK_THREAD_CPUTIME_ID) - begin_ns;
}

static void read_maps(struct ss_look *l, int32_t pid, int64_t now_ns)
{
	int64_t begin_ns = ss_now_ns(CLOCK_THREAD_CPUTIME_ID);
	ssize_t n;

	if (!l->maps)
		l->maps = malloc(MAPS_SIZE + 1);
	n = l->maps ? ss_procfs_read(l->procfs, l->maps, MAPS_SIZE + 1, "%d/maps", (int)pid) : -1;
	l->maps_len = n > 0 ? (size_t)n : 0;
	l->maps_pid = pid;
	l->maps_until_ns = now_ns + FRESH_NS;
	spend(l, begin_ns);
}

static void name_futex(struct ss_look *l, int32_t pid, const struct ss_object_info *info,
		       char *name)
{
	int64_t now_ns = ss_now_ns(CLOCK_MONOTONIC);
	struct ss_mapping mapping;

	ss_name_key(name, info);
	if (l->maps_pid != pid || now_ns >= l->maps_until_ns) {
		if (!may_read(l, now_ns))
			return;
		read_maps(l, pid, now_ns);
	}
	if (l->maps_len && !ss_maps_find(l->maps, l->maps_len, info->key[0], &mapping))
		ss_name_mapped(name, &mapping, info->key[0]);
}

static int by_inode(const void *a, const void *b)
{
	const struct ss_pipe_end *x = a, *y = b;

	if (x->inode != y->inode)
		return x->inode < y->inode ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Numbers of processes. Returns how many, at most @max + 1. */
static size_t list_processes(const struct ss_procfs *procfs, int32_t *pids, size_t max)
{
	int fd = ss_procfs_open_at(procfs, O_RDONLY | O_DIRECTORY, ".");
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	size_t n = 0;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (n <= max && (entry = readdir(dir)))
		if (!ss_parse_pid(entry->d_name, &pids[n]))
			n++;
	closedir(dir);
	return n;
}

/* The pipes of one process. Returns how many links were read. */
static size_t list_pipes(struct ss_look *l, int32_t pid)
{
	int fd = ss_procfs_open_at(l->procfs, O_RDONLY | O_DIRECTORY, "%d/fd", (int)pid);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t inode;
	char link[64];
	size_t nlinks;
	ssize_t n;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	for (nlinks = 0; nlinks < LINKS_MAX && (entry = readdir(dir)); nlinks++) {
		n = readlinkat(fd, entry->d_name, link, sizeof(link) - 1);
		if (n < 0)
			continue;
		link[n] = '\0';
		if (!ss_parse_pipe_link(link, &inode) && l->nends < ENDS_MAX)
			l->ends[l->nends++] = (struct ss_pipe_end){ .inode = inode, .pid = pid };
	}
	closedir(dir);
	return nlinks;
}

/* Who has which pipe open. Nothing is known when there is too much to look at. */
static void scan_pipes(struct ss_look *l, int64_t now_ns)
{
	int32_t pids[SS_LOOK_PROCESSES + 1];
	int64_t begin_ns = ss_now_ns(CLOCK_THREAD_CPUTIME_ID);
	size_t n = list_processes(l->procfs, pids, SS_LOOK_PROCESSES), nlinks = 0;

	l->nends = 0;
	l->ends_until_ns = now_ns + FRESH_NS;
	if (!ss_procfs_is_capture(l->procfs))
		l->next_scan_ns = now_ns + SCAN_GAP_NS;
	if (!l->ends)
		l->ends = calloc(ENDS_MAX, sizeof(*l->ends));
	if (n <= SS_LOOK_PROCESSES && l->ends) {
		for (size_t i = 0; i < n && nlinks < LINKS_MAX; i++)
			nlinks += list_pipes(l, pids[i]);
		if (nlinks >= LINKS_MAX || l->nends == ENDS_MAX)
			l->nends = 0;
		qsort(l->ends, l->nends, sizeof(*l->ends), by_inode);
	}
	spend(l, begin_ns);
}

/* The first one of that pipe, or behind it. */
static size_t find_end(const struct ss_look *l, uint64_t inode)
{
	size_t low = 0, high = l->nends;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->ends[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void add_process(const struct ss_look *l, char *name, const char *before, int32_t pid)
{
	char comm[SS_COMM_LEN + 1];
	ssize_t n = ss_procfs_read(l->procfs, comm, sizeof(comm), "%d/comm", (int)pid);

	ss_name_add(name, "%s%d", before, (int)pid);
	if (n > 1 && comm[n - 1] == '\n') {
		comm[n - 1] = '\0';
		ss_name_add(name, " %s", comm);
	}
}

static void name_pipe(struct ss_look *l, int32_t pid, const struct ss_object_info *info, char *name)
{
	int64_t now_ns = ss_now_ns(CLOCK_MONOTONIC);
	int32_t last = pid;
	size_t n = 0;

	ss_name_key(name, info);
	if (now_ns >= l->ends_until_ns) {
		if (now_ns < l->next_scan_ns || !may_read(l, now_ns))
			return;
		scan_pipes(l, now_ns);
	}
	for (size_t i = find_end(l, info->key[0]);
	     i < l->nends && l->ends[i].inode == info->key[0]; i++) {
		if (l->ends[i].pid == pid || l->ends[i].pid == last)
			continue;
		last = l->ends[i].pid;
		if (n++ == SHOWN_ENDS) {
			ss_name_add(name, ", …");
			break;
		}
		add_process(l, name, n == 1 ? " with " : ", ", last);
	}
}

/*
 * Whether the descriptor, which has that path, is the file with that inode and device. Nothing is
 * asked of a server, which the thread may be waiting for.
 */
static bool is_file(const struct ss_look *l, int32_t pid, int32_t fd,
		    const struct ss_object_info *info, const char *path)
{
	const char *last = strrchr(path, '/');
	struct statx st;
	char link[32];

	snprintf(link, sizeof(link), "%d/fd/%d", (int)pid, (int)fd);
	if (statx(l->procfs->root, link, AT_STATX_DONT_SYNC, STATX_INO, &st) ||
	    st.stx_ino != info->key[0])
		return false;
	if (makedev(st.stx_dev_major, st.stx_dev_minor) == info->key[1])
		return true;
	/* btrfs tells another device in stat(2) than the kernel has for the file system. */
	return last && info->name[0] &&
	       !strncmp(last + 1, info->name, strnlen(info->name, sizeof(info->name)));
}

static bool name_file(const struct ss_look *l, int32_t pid, int32_t fd,
		      const struct ss_object_info *info, char *name)
{
	char path[PATH_MAX];
	ssize_t n = -1;

	if (fd < 0) {
		pid = info->pid;
		fd = info->fd;
	}
	if (fd >= 0)
		n = ss_procfs_readlink(l->procfs, path, sizeof(path), "%d/fd/%d", (int)pid,
				       (int)fd);
	/* Looked at behind the link: the process may have opened another meanwhile. */
	if (n <= 0 || !is_file(l, pid, fd, info, path))
		return ss_name_last_part(name, info);
	ss_name_path(name, path, (size_t)n);
	return true;
}

static void name_unix(const struct ss_look *l, const struct ss_object_info *info, char *name)
{
	ss_name_unix(name, info);
	if (info->peer_pid > 0)
		add_process(l, name, " - ", info->peer_pid);
}

static void name_block(const struct ss_look *l, const struct ss_object_info *info, char *name)
{
	char path[64], target[PATH_MAX];
	const char *last;
	ssize_t n;

	ss_name_key(name, info);
	if (ss_procfs_is_capture(l->procfs))
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%" PRIu64 ":%" PRIu64,
		 (uint64_t)info->key[0] >> 20, (uint64_t)info->key[0] & 0xfffff);
	n = readlink(path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	last = strrchr(target, '/');
	if (last && last[1])
		ss_name_path(name, last + 1, strlen(last + 1));
}

/* The instance, and what in it was ready. */
static void name_epoll(struct ss_look *l, int32_t pid, const struct ss_object_info *info, char *name)
{
	struct ss_object_info ready = *info;
	char what[SS_NAME_SIZE];
	int32_t fd;

	ss_name_key(name, info);
	if (info->key[1] < 1 || info->key[1] > (uint64_t)INT32_MAX + 1)
		return;
	fd = (int32_t)(info->key[1] - 1);
	ss_name_add(name, ": fd %d", (int)fd);
	ready.object = info->ready;
	ready.key[0] = info->ready_key[0];
	ready.key[1] = info->ready_key[1];
	if (info->ready != SS_OBJECT_EPOLL && ss_look_name(l, pid, fd, &ready, what))
		ss_name_add(name, " %s", what);
}

bool ss_look_name(struct ss_look *l, int32_t pid, int32_t fd, const struct ss_object_info *info,
		  char *name)
{
	if (l->generation != l->procfs->generation)
		ss_look_forget(l);
	l->generation = l->procfs->generation;
	switch (info->object) {
	case SS_OBJECT_FUTEX:
		name_futex(l, pid, info, name);
		return true;
	case SS_OBJECT_PIPE:
		name_pipe(l, pid, info, name);
		return true;
	case SS_OBJECT_FIFO:
	case SS_OBJECT_FILE:
	case SS_OBJECT_DEVICE:
		return name_file(l, pid, fd, info, name);
	case SS_OBJECT_SOCKET:
		ss_name_socket(name, info);
		return true;
	case SS_OBJECT_UNIX:
		name_unix(l, info, name);
		return true;
	case SS_OBJECT_BLOCK:
		name_block(l, info, name);
		return true;
	case SS_OBJECT_EPOLL:
		name_epoll(l, pid, info, name);
		return true;
	default:
		return ss_name_key(name, info);
	}
}

void ss_look_forget(struct ss_look *l)
{
	l->maps_until_ns = l->ends_until_ns = 0;
}

void ss_look_free(struct ss_look *l)
{
	free(l->maps);
	free(l->ends);
}
