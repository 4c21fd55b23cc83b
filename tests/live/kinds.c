/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What threads do, and how often they did it. */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHURN_LIVE_MAX 256
#define DIO_FILE_BYTES (8 << 20)
#define DIO_BLOCK 4096

/*
 * Sleep as nanosleep(2) would, but end with the phase. It sleeps at least for @ns, if that was not
 * what ended it, and at most for what passes until it runs again.
 */
static void rest(struct worker *w, int64_t ns)
{
	int64_t begin_ns = wl_clock_ns(CLOCK_MONOTONIC);

	if (ns <= 0)
		return;
	if (wl_futex_wait(&wl_shared->phase, RUNNING, ns))
		w->slept_ns += ns;
	w->slept_max_ns += wl_clock_ns(CLOCK_MONOTONIC) - begin_ns;
}

static void spin_for(clockid_t clock, int64_t ns)
{
	int64_t end = wl_clock_ns(clock) + ns;

	while (wl_running() && wl_clock_ns(clock) < end)
		;
}

static void spin_run(struct worker *w)
{
	while (wl_running())
		w->loops++;
}

static void sleep_run(struct worker *w)
{
	for (; wl_running(); w->loops++)
		rest(w, NS_PER_S);
}

static void idle_run(struct worker *w)
{
	while (wl_running())
		wl_futex_wait(&wl_shared->phase, RUNNING, -1);
	w->loops++;
}

static void halfload_run(struct worker *w)
{
	for (; wl_running(); w->loops++) {
		spin_for(CLOCK_MONOTONIC, 10 * NS_PER_MS);
		rest(w, 10 * NS_PER_MS);
	}
}

/* 100 us each 20 ms on a grid of its own; more rarely when all of them would load half a CPU. */
static void burst_run(struct worker *w)
{
	int64_t period = w->arg <= 100 ? 20 * NS_PER_MS : w->arg * 200 * NS_PER_US;
	int64_t next = w->begin_ns + w->unit * 197 * NS_PER_US % period;

	for (; wl_running(); w->loops++) {
		rest(w, next - wl_clock_ns(CLOCK_MONOTONIC));
		spin_for(CLOCK_THREAD_CPUTIME_ID, 100 * NS_PER_US);
		next += period;
	}
}

/* Long enough asleep to be seen so, and now and then moved to another CPU as it falls asleep. */
static void nap_run(struct worker *w)
{
	for (; wl_running(); w->loops++) {
		spin_for(CLOCK_MONOTONIC, (3 + (w->loops * 7 + w->unit * 13) % 40) * 100 * NS_PER_US);
		rest(w, (300 + (w->loops * 11 + w->unit * 17) % 200) * NS_PER_MS);
	}
}

static void yield_run(struct worker *w)
{
	for (; wl_running(); w->loops++)
		sched_yield();
}

static void stop_run(struct worker *w)
{
	for (; wl_running(); w->loops++)
		raise(SIGSTOP);
}

static void exiter_run(struct worker *w)
{
	while (wl_running() && wl_clock_ns(CLOCK_MONOTONIC) < w->begin_ns + wl_shared->time_ns / 2) {
		spin_for(CLOCK_MONOTONIC, NS_PER_MS);
		rest(w, NS_PER_MS);
		w->loops++;
	}
}

static void deadleader_run(struct worker *w)
{
	if (w->role)
		halfload_run(w);
}

static void hostile_enter(struct worker *w)
{
	(void)w;
	prctl(PR_SET_NAME, "a) R (\n\"x,\033[1m");
}

static void pingpong_prepare(struct worker *w)
{
	if (pipe2(w->fd[0], O_CLOEXEC) < 0 || pipe2(w->fd[1], O_CLOEXEC) < 0)
		snprintf(w->skip, sizeof(w->skip), "pipe: %s", strerror(errno));
}

static void pingpong_run(struct worker *w)
{
	struct worker *first = w - w->role;
	int in = first->fd[!w->role][0], out = first->fd[w->role][1];
	bool over = false;

	/* The first serves, and ends the game with its last ball. */
	while (!over) {
		if (!w->role)
			over = !wl_running();
		else if (read(in, &over, 1) != 1)
			break;
		if (write(out, &over, 1) != 1 || (!w->role && read(in, &over, 1) != 1))
			break;
		w->loops++;
	}
}

static void dio_prepare(struct worker *w)
{
	char path[4096];
	static char block[64 * 1024];
	int fd;

	snprintf(path, sizeof(path), "%s/workload-dio-XXXXXX", wl_dio_dir);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		snprintf(w->skip, sizeof(w->skip), "cannot write in %.60s: %s", wl_dio_dir,
			 strerror(errno));
		return;
	}
	w->fd[0][0] = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (w->fd[0][0] < 0)
		snprintf(w->skip, sizeof(w->skip), "O_DIRECT in %.60s: %s", wl_dio_dir,
			 strerror(errno));
	unlink(path);
	memset(block, 'x', sizeof(block));
	for (int i = 0; i < DIO_FILE_BYTES / (int)sizeof(block); i++) {
		if (write(fd, block, sizeof(block)) == (ssize_t)sizeof(block))
			continue;
		snprintf(w->skip, sizeof(w->skip), "cannot fill a file in %.60s", wl_dio_dir);
		break;
	}
	fsync(fd);
	close(fd);
}

static void dio_run(struct worker *w)
{
	uint64_t random = 1 + (uint64_t)w->unit;
	void *block;

	if (posix_memalign(&block, DIO_BLOCK, DIO_BLOCK))
		return;
	for (; wl_running(); w->loops++) {
		int64_t begin_ns = wl_clock_ns(CLOCK_MONOTONIC);

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		if (pread(w->fd[0][0], block, DIO_BLOCK,
			  (off_t)((random >> 33) % (DIO_FILE_BYTES / DIO_BLOCK)) * DIO_BLOCK) < 0)
			break;
		w->slept_max_ns += wl_clock_ns(CLOCK_MONOTONIC) - begin_ns;
	}
	free(block);
}

static void fsync_prepare(struct worker *w)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/workload-fsync-XXXXXX", wl_dio_dir);
	w->fd[0][0] = mkostemp(path, O_CLOEXEC);
	if (w->fd[0][0] < 0)
		snprintf(w->skip, sizeof(w->skip), "cannot write in %.60s: %s", wl_dio_dir,
			 strerror(errno));
	else
		unlink(path);
}

static void fsync_run(struct worker *w)
{
	static const char block[DIO_BLOCK];

	for (; wl_running(); w->loops++) {
		if (pwrite(w->fd[0][0], block, sizeof(block),
			   (off_t)(w->loops % 256) * DIO_BLOCK) < 0 || fsync(w->fd[0][0]))
			break;
	}
}

static _Atomic uint32_t churn_live;
static _Atomic int64_t churn_cpu_ns;

static void *churn_short(void *arg)
{
	(void)arg;
	spin_for(CLOCK_THREAD_CPUTIME_ID, 100 * NS_PER_US);
	atomic_fetch_add(&churn_cpu_ns, wl_clock_ns(CLOCK_THREAD_CPUTIME_ID));
	atomic_fetch_sub(&churn_live, 1);
	wl_futex_wake(&churn_live);
	return NULL;
}

static void churn_run(struct worker *w)
{
	pthread_attr_t attr;
	pthread_t thread;
	uint32_t live;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (; wl_running(); w->loops++) {
		int64_t due = (wl_clock_ns(CLOCK_MONOTONIC) - w->begin_ns) * w->arg / NS_PER_S;

		while (w->made < due && atomic_load(&churn_live) < CHURN_LIVE_MAX) {
			atomic_fetch_add(&churn_live, 1);
			if (pthread_create(&thread, &attr, churn_short, NULL)) {
				atomic_fetch_sub(&churn_live, 1);
				break;
			}
			w->made++;
		}
		rest(w, NS_PER_MS);
	}
	while ((live = atomic_load(&churn_live)) > 0)
		wl_futex_wait(&churn_live, live, -1);
	w->made_cpu_ns = atomic_load(&churn_cpu_ns);
	pthread_attr_destroy(&attr);
}

static int write_file(const char *dir, const char *name, const char *text)
{
	char path[4400];
	int fd, err = 0;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static char cgroup_path[4200];

/* A cpu cgroup with a quota of 20 %, in the first hierarchy that has one to give. */
static void throttled_prepare(struct worker *w)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *m = NULL;
	int err = -ENOENT;

	snprintf(w->skip, sizeof(w->skip), "no cpu cgroup controller");
	while (mounts && err && (m = getmntent(mounts))) {
		bool v2 = strcmp(m->mnt_type, "cgroup2") == 0;

		if (!v2 && (strcmp(m->mnt_type, "cgroup") != 0 || !hasmntopt(m, "cpu")))
			continue;
		if (v2)
			write_file(m->mnt_dir, "cgroup.subtree_control", "+cpu");
		snprintf(cgroup_path, sizeof(cgroup_path), "%s/schedsampler-test-%d", m->mnt_dir,
			 (int)getpid());
		if (mkdir(cgroup_path, 0755) < 0) {
			err = -errno;
		} else if (v2) {
			err = write_file(cgroup_path, "cpu.max", "20000 100000");
		} else {
			err = write_file(cgroup_path, "cpu.cfs_period_us", "100000");
			if (!err)
				err = write_file(cgroup_path, "cpu.cfs_quota_us", "20000");
		}
		if (err) {
			snprintf(w->skip, sizeof(w->skip), "cpu cgroup in %.60s: %s", m->mnt_dir,
				 strerror(-err));
			rmdir(cgroup_path);
			cgroup_path[0] = '\0';
		}
	}
	if (!err)
		w->skip[0] = '\0';
	if (mounts)
		endmntent(mounts);
}

static void throttled_enter(struct worker *w)
{
	int err = write_file(cgroup_path, "cgroup.procs", "0");

	if (err)
		snprintf(w->skip, sizeof(w->skip), "cannot enter the cgroup: %s", strerror(-err));
}

static void throttled_finish(void)
{
	if (cgroup_path[0])
		rmdir(cgroup_path);
}

const struct kind wl_kinds[] = {
	{ .name = "spin", .run = spin_run, .help = "never sleeps" },
	{ .name = "sleep", .run = sleep_run, .help = "sleeps a second at a time" },
	{ .name = "idle", .run = idle_run, .help = "sleeps throughout" },
	{ .name = "halfload", .run = halfload_run, .help = "spins 10 ms, sleeps 10 ms" },
	{ .name = "burst", .run = burst_run, .help = "runs 100 us each 20 ms, 100 of them or less" },
	{ .name = "nap", .run = nap_run, .help = "runs up to 4 ms, sleeps 300 to 500 ms" },
	{ .name = "yield", .run = yield_run, .help = "sched_yield() over and over" },
	{ .name = "hostile", .run = halfload_run, .enter = hostile_enter,
	  .help = "has a name with control characters, quotes, a comma and parentheses" },
	{ .name = "pingpong", .run = pingpong_run, .prepare = pingpong_prepare, .threads = 2,
	  .help = "two threads that pass a byte to and fro" },
	{ .name = "dio", .run = dio_run, .prepare = dio_prepare,
	  .help = "random O_DIRECT reads of 4 KiB" },
	{ .name = "fsync", .run = fsync_run, .prepare = fsync_prepare,
	  .help = "writes 4 KiB and fsync() over and over" },
	{ .name = "exiter", .run = exiter_run, .exits = true, .help = "ends after half the time" },
	{ .name = "deadleader", .run = deadleader_run, .threads = 2, .child = true, .exits = true,
	  .help = "a process whose leader ends while another thread goes on" },
	{ .name = "stop", .run = stop_run, .child = true, .help = "a process that stops itself" },
	{ .name = "throttled", .run = spin_run, .prepare = throttled_prepare,
	  .enter = throttled_enter, .finish = throttled_finish, .child = true,
	  .help = "a spinning process in a cgroup with a CPU quota of 20 %" },
	{ .name = "churn", .run = churn_run, .rate = true,
	  .help = "starts N threads a second; each runs 100 us and ends" },
	{ .name = NULL },
};
