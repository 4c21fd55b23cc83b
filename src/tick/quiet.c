// SPDX-License-Identifier: GPL-2.0-or-later
#include "tick/quiet.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"
#include "source/parse.h"

void ss_quiet_open(struct ss_quiet *quiet, const struct ss_procfs *procfs)
{
	struct statfs fs;

	quiet->fd = procfs->is_real ? ss_procfs_open_at(procfs, O_RDONLY, "loadavg") : -1;
	if (quiet->fd >= 0 && (fstatfs(quiet->fd, &fs) || fs.f_type != PROC_SUPER_MAGIC))
		ss_quiet_close(quiet);
}

int64_t ss_quiet_check(const struct ss_quiet *quiet)
{
	int64_t before = ss_now_ns(CLOCK_MONOTONIC);
	uint64_t runnable, last_pid;
	char text[128];
	ssize_t n;

	if (quiet->fd < 0)
		return 0;
	n = pread(quiet->fd, text, sizeof(text), 0);
	if (n <= 0 || ss_parse_loadavg(text, (size_t)n, &runnable, &last_pid))
		return 0;
	return runnable == 1 ? before : 0;
}

void ss_quiet_close(struct ss_quiet *quiet)
{
	if (quiet->fd >= 0)
		close(quiet->fd);
	quiet->fd = -1;
}
