// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/bpf_common.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"

#define CLOCK_TRIES 3

/* The first message of the library, for a report of what did not work. */
static char library_says[160];

static int keep_message(enum libbpf_print_level level, const char *format, va_list args)
{
	/* The first one says what, those after it that it did. */
	if (level == LIBBPF_WARN && !*library_says) {
		vsnprintf(library_says, sizeof(library_says), format, args);
		library_says[strcspn(library_says, "\n")] = '\0';
	}
	return 0;
}

void ss_bpf_hush(void)
{
	*library_says = '\0';
	libbpf_set_print(keep_message);
}

static bool has_capability(int number)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return !syscall(SYS_capget, &header, data) &&
	       data[CAP_TO_INDEX(number)].effective & CAP_TO_MASK(number);
}

/* Until 5.11 maps were charged to RLIMIT_MEMLOCK, and the kernel says the same of both refusals. */
static bool is_memory_locked(void)
{
	struct rlimit limit;

	return (has_capability(CAP_SYS_ADMIN) ||
		(has_capability(CAP_BPF) && has_capability(CAP_PERFMON))) &&
	       !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur != RLIM_INFINITY;
}

void ss_bpf_report(struct ss_caps *caps, const char *name, int err, const char *found,
		   const char *lost)
{
	const char *remedy = "run as root, or with CAP_BPF and CAP_PERFMON";
	char detail[160];

	if (!err) {
		ss_caps_set(caps, name, SS_CAP_YES, found, NULL, NULL);
		return;
	}
	if (err == -ENOTSUP) {
		snprintf(detail, sizeof(detail),
			 "not used: /proc is a capture or of another PID namespace");
		remedy = "run it where /proc is that of its own PID namespace";
	} else if (err == -ENOENT) {
		snprintf(detail, sizeof(detail), "no type information in /sys/kernel/btf/vmlinux");
		remedy = "use a kernel with CONFIG_DEBUG_INFO_BTF, and mount /sys";
	} else if (err == -EPERM && is_memory_locked()) {
		snprintf(detail, sizeof(detail), "not permitted: too little memory may be locked");
		remedy = "raise RLIMIT_MEMLOCK: ulimit -l unlimited";
	} else if (err == -EPERM || err == -EACCES) {
		snprintf(detail, sizeof(detail), "not permitted");
	} else {
		snprintf(detail, sizeof(detail), "the kernel refused: %s; %.100s", strerror(-err),
			 library_says);
		remedy = "use a kernel with CONFIG_BPF_SYSCALL, 5.10 or later";
	}
	ss_caps_set(caps, name, SS_CAP_NO, detail, lost, remedy);
}

int ss_bpf_run_iter(const struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link)), err;
	char unused[64];
	ssize_t n;

	if (fd < 0)
		return fd;
	/* Each read goes over as many as the kernel allows. */
	do
		n = read(fd, unused, sizeof(unused));
	while (n > 0 || (n < 0 && errno == EAGAIN));
	err = n < 0 ? -errno : 0;
	close(fd);
	return err;
}

/*
 * Reading CLOCK_THREAD_CPUTIME_ID makes the kernel update the scheduler's clock
 * (task_sched_runtime()); a scheduler tick right after that makes it newer.
 */
int ss_bpf_read_clock(const struct bpf_program *read_clock, const volatile __u64 *clock_ns,
		      const volatile __u64 *mono_ns, int64_t *mono_to_rq_ns)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int64_t narrowest = INT64_MAX;

	for (int i = 0; i < CLOCK_TRIES; i++) {
		int64_t before = ss_now_ns(CLOCK_MONOTONIC), after, width;

		ss_now_ns(CLOCK_THREAD_CPUTIME_ID);
		after = ss_now_ns(CLOCK_MONOTONIC);
		if (bpf_prog_test_run_opts(bpf_program__fd(read_clock), &opts))
			return -errno;
		width = (int64_t)*mono_ns - before;
		if (width >= narrowest)
			continue;
		narrowest = width;
		*mono_to_rq_ns = (int64_t)*clock_ns - (before + after) / 2;
	}
	return 0;
}
