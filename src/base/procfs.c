/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/procfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"

/* The longest path below the root is far shorter: "PID/task/TID/schedstat". */
#define PATH_SIZE 128

static int open_at(int dir, const char *path, int flags)
{
	int fd = openat(dir, path, flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1) {
		n = read(fd, data + len, size - 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += n;
	}
	data[len] = '\0';
	return len;
}

static int format_path(char path[PATH_SIZE], const char *format, va_list args)
{
	int n = vsnprintf(path, PATH_SIZE, format, args);

	return n < 0 || n >= PATH_SIZE ? -ENAMETOOLONG : 0;
}

int ss_procfs_open(struct ss_procfs *procfs)
{
	struct statfs fs;
	char self[16], own[16];
	int err;

	memset(procfs, 0, sizeof(*procfs));
	procfs->base = -1;
	procfs->root = open_at(AT_FDCWD, "/proc", O_RDONLY | O_DIRECTORY);
	if (procfs->root < 0)
		return procfs->root;
	if (fstatfs(procfs->root, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC) {
		err = -ENOENT;
		goto out;
	}
	/* A procfs that was mounted in another PID namespace has other numbers than getpid(). */
	snprintf(own, sizeof(own), "%d", (int)getpid());
	procfs->is_real = ss_procfs_readlink(procfs, self, sizeof(self), "self") > 0 &&
			  !strcmp(self, own);
	return 0;
out:
	ss_procfs_close(procfs);
	return err;
}

static int is_tick(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int ss_procfs_open_replay(struct ss_procfs *procfs, const char *path)
{
	struct dirent **entries = NULL;
	struct stat st;
	int n = 0, err = 0;

	memset(procfs, 0, sizeof(*procfs));
	procfs->root = -1;
	procfs->base = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	if (procfs->base < 0)
		return procfs->base;
	n = scandirat(procfs->base, ".", &entries, is_tick, by_name);
	if (n < 0) {
		err = -errno;
		goto out;
	}
	procfs->ticks = calloc(n + 1, sizeof(*procfs->ticks));
	if (!procfs->ticks) {
		err = -ENOMEM;
		goto out;
	}
	for (int i = 0; i < n; i++) {
		if (fstatat(procfs->base, entries[i]->d_name, &st, 0) < 0 || !S_ISDIR(st.st_mode))
			continue;
		procfs->ticks[procfs->nticks] = strdup(entries[i]->d_name);
		if (!procfs->ticks[procfs->nticks]) {
			err = -ENOMEM;
			goto out;
		}
		procfs->nticks++;
	}
	if (!procfs->nticks)
		err = -ENOENT;
out:
	while (n > 0)
		free(entries[--n]);
	free(entries);
	if (err)
		ss_procfs_close(procfs);
	return err;
}

static int parse_clock(const char *text, size_t len, struct ss_procfs_clock *clock)
{
	int64_t *values[] = { &clock->mono_ns, &clock->real_ns, &clock->boot_ns, &clock->task_ns };
	const char *p = text, *end = text + len;

	for (size_t i = 0; i < SS_ARRAY_SIZE(values); i++) {
		if (i && (p == end || *p++ != ' '))
			return -EBADMSG;
		if (ss_parse_s64(&p, end, values[i]))
			return -EBADMSG;
	}
	return p == end || *p == '\n' ? 0 : -EBADMSG;
}

int ss_procfs_next(struct ss_procfs *procfs, struct ss_procfs_clock *clock)
{
	char text[128];
	ssize_t n;
	int fd;

	if (procfs->next >= procfs->nticks)
		return 0;
	fd = open_at(procfs->base, procfs->ticks[procfs->next], O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	if (procfs->root >= 0)
		close(procfs->root);
	procfs->root = fd;
	procfs->next++;
	procfs->generation++;
	n = ss_procfs_read(procfs, text, sizeof(text), "clock");
	if (n < 0)
		return n;
	if (parse_clock(text, n, clock) || clock->mono_ns <= procfs->last_mono_ns)
		return -EBADMSG;
	procfs->last_mono_ns = clock->mono_ns;
	return 1;
}

int ss_procfs_open_at(const struct ss_procfs *procfs, int flags, const char *format, ...)
{
	char path[PATH_SIZE];
	va_list args;
	int err;

	va_start(args, format);
	err = format_path(path, format, args);
	va_end(args);
	return err ? err : open_at(procfs->root, path, flags);
}

ssize_t ss_procfs_read(const struct ss_procfs *procfs, char *data, size_t size,
		       const char *format, ...)
{
	char path[PATH_SIZE];
	va_list args;
	ssize_t n;
	int fd;

	va_start(args, format);
	fd = format_path(path, format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	fd = open_at(procfs->root, path, O_RDONLY);
	if (fd < 0)
		return fd;
	n = read_all(fd, data, size);
	close(fd);
	return n;
}

ssize_t ss_procfs_readlink(const struct ss_procfs *procfs, char *data, size_t size,
			   const char *format, ...)
{
	char path[PATH_SIZE];
	va_list args;
	ssize_t n;
	int err;

	va_start(args, format);
	err = format_path(path, format, args);
	va_end(args);
	if (err)
		return err;
	n = readlinkat(procfs->root, path, data, size - 1);
	if (n < 0)
		return -errno;
	data[n] = '\0';
	return n;
}

void ss_procfs_close(struct ss_procfs *procfs)
{
	for (size_t i = 0; i < procfs->nticks; i++)
		free(procfs->ticks[i]);
	free(procfs->ticks);
	if (procfs->root >= 0)
		close(procfs->root);
	if (procfs->base >= 0)
		close(procfs->base);
	memset(procfs, 0, sizeof(*procfs));
	procfs->root = procfs->base = -1;
}
