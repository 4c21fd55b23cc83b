/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roster/quota.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The two versions of control groups, as far as quotas go. */
struct hierarchy {
	const char *file;	/* in each group with the cpu controller */
	const char *unlimited;	/* how its text begins without a quota */
	long magic;		/* of its file system */
};

static const struct hierarchy v1 = { "cpu.cfs_quota_us", "-1", CGROUP_SUPER_MAGIC };
static const struct hierarchy v2 = { "cpu.max", "max", CGROUP2_SUPER_MAGIC };

/* Whether the group at @path limits its threads; a group without the file does not. */
static bool group_limits(const struct hierarchy *h, const char *path)
{
	char file[PATH_MAX], text[32] = "";
	ssize_t n;
	int fd;

	if (snprintf(file, sizeof(file), "%s/%s", path, h->file) >= (int)sizeof(file))
		return true;
	fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return access(path, X_OK) != 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n <= 0 || strncmp(text, h->unlimited, strlen(h->unlimited)) != 0;
}

/* The top of the hierarchy has what only it has; the top of a namespace has not. */
static bool is_top(const struct hierarchy *h, const char *root)
{
	char file[PATH_MAX];
	struct statfs fs;

	if (statfs(root, &fs) || fs.f_type != h->magic)
		return false;
	if (snprintf(file, sizeof(file), "%s/%s", root,
		     h == &v1 ? "release_agent" : h->file) >= (int)sizeof(file))
		return false;
	return (access(file, F_OK) == 0) == (h == &v1);
}

/* Look at the group and all above it, up to the root, which has no quota. */
static bool any_limits(const struct hierarchy *h, const char *root, const char *group)
{
	char path[PATH_MAX];
	size_t top = strlen(root);

	if (!is_top(h, root) || strstr(group, "/..") ||
	    snprintf(path, sizeof(path), "%s%s", root, group) >= (int)sizeof(path))
		return true;
	for (char *end = path + strlen(path); end > path + top; end = strrchr(path, '/')) {
		*end = '\0';
		if (strlen(path) > top && group_limits(h, path))
			return true;
	}
	return false;
}

static bool lists_cpu(const char *controllers)
{
	const char *p = controllers;

	for (;;) {
		size_t n = strcspn(p, ",");

		if (n == 3 && !strncmp(p, "cpu", 3))
			return true;
		if (!p[n])
			return false;
		p += n + 1;
	}
}

bool ss_quota_possible(const char *mount, const char *cgroup)
{
	char line[PATH_MAX], root[PATH_MAX], *controllers, *group;
	bool unified = false, known = false;
	char unified_group[PATH_MAX];

	for (size_t n; *cgroup; cgroup += n + (cgroup[n] == '\n')) {
		n = strcspn(cgroup, "\n");
		if (n >= sizeof(line))
			return true;
		memcpy(line, cgroup, n);
		line[n] = '\0';
		controllers = strchr(line, ':');
		group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group || group[1] != '/')
			return true;
		*group++ = '\0';
		controllers++;
		if (!*controllers) {
			unified = true;
			memcpy(unified_group, group, strlen(group) + 1);
		} else if (lists_cpu(controllers)) {
			known = true;
			if (snprintf(root, sizeof(root), "%s/%s", mount, controllers) >=
			    (int)sizeof(root) || any_limits(&v1, root, group))
				return true;
		}
	}
	/* The controller is in one hierarchy: where an old one has it, the unified one has not. */
	if (known)
		return false;
	return !unified || any_limits(&v2, mount, unified_group);
}
