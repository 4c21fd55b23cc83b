// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/util.h"
#include "source/parse.h"
#include "source/sampled.h"

/* The sched file of a kernel with all options is about 4 KiB. */
#define TEXT_MAX 8192
#define TRIES 3		/* at a reading that a switch did not tear */
#define PF_KTHREAD 0x00200000	/* include/linux/sched.h */

static const char *const file_name[SS_THREAD_FILES] = {
	[SS_FILE_SCHEDSTAT] = "schedstat",
	[SS_FILE_SCHED] = "sched",
	[SS_FILE_STAT] = "stat",
	[SS_FILE_SYSCALL] = "syscall",
	[SS_FILE_WCHAN] = "wchan",
};

void ss_procfs_drop_files(struct ss_shard *shard, struct ss_thread *thread)
{
	int i;

	for (i = 0; i < SS_THREAD_FILES; i++)
		ss_fdcache_drop(&shard->files, &thread->file[i]);
}

ssize_t ss_procfs_read_file(const struct ss_source_env *env, struct ss_shard *shard,
			    struct ss_thread *thread, enum ss_thread_file file, char *text,
			    size_t size)
{
	struct ss_fdent *entry = &thread->file[file];
	bool cached;
	ssize_t n;
	int fd;

	if (thread->file_generation != env->procfs->generation) {
		ss_procfs_drop_files(shard, thread);
		thread->file_generation = env->procfs->generation;
	}
	fd = ss_fdcache_get(&shard->files, entry);
	cached = fd >= 0;
	if (!cached) {
		bool reserved = !ss_fdcache_reserve(&shard->files);

		fd = ss_procfs_open_at(env->procfs, O_RDONLY, "%d/task/%d/%s", thread->pid,
				       thread->tid, file_name[file]);
		if (reserved && fd >= 0) {
			ss_fdcache_put(&shard->files, entry, fd);
			cached = true;
		} else if (reserved) {
			ss_fdcache_unreserve(&shard->files);
		}
		if (fd < 0)
			return fd;
	}
#if __SIZEOF_LONG__ == 8
	/* Not pread(3): a cancellation point costs a tenth of this call in a threaded program. */
	n = syscall(SYS_pread64, fd, text, size, (off_t)0);
#else
	n = pread(fd, text, size, 0);
#endif
	if (n < 0)
		n = -errno;
	if (!cached)
		close(fd);
	return n;
}

/* What the error of a read or a parser means; counts it. */
static int judge(struct ss_shard *shard, ssize_t err)
{
	if (err == -ENOENT || err == -ESRCH || err == 0)
		return -ESRCH;
	if (err == -EBADMSG)
		shard->lost_parse++;
	else
		shard->lost_reads++;
	return (int)err;
}

void ss_source_put_quiet(const struct ss_thread *thread, struct ss_reading *r)
{
	if (thread->still && thread->still->quiet_ns) {
		r->quiet_ns = thread->still->quiet_ns;
		r->have |= SS_HAVE_QUIET;
	}
}

void ss_source_set_start(struct ss_thread *thread, int64_t start_mono_ns)
{
	thread->start_mono_ns = start_mono_ns;
	/* A scan knows it to a clock tick only; this is better. */
	if (!thread->announced && thread->birth_bound_ns) {
		thread->birth_mono_ns = start_mono_ns;
		thread->birth_bound_ns = SS_NSEC_PER_USEC;
		ss_account_open_at_birth(&thread->account, start_mono_ns, SS_NSEC_PER_USEC);
	}
}

/* Real time has its own clock; a captured tree was taken at one instant. */
static int64_t now_of(const struct ss_source_env *env)
{
	return env->replay_mono_ns ? env->replay_mono_ns : ss_now_ns(CLOCK_MONOTONIC);
}

int ss_procfs_read_counters(const struct ss_source_env *env, struct ss_shard *shard,
			    struct ss_thread *thread, struct ss_reading *r)
{
	char text[TEXT_MAX];
	ssize_t n;
	int err;

	memset(r, 0, sizeof(*r));
	ss_source_put_quiet(thread, r);
	r->mono_ns = now_of(env);
	n = ss_procfs_read_file(env, shard, thread, SS_FILE_SCHEDSTAT, text, sizeof(text));
	if (n <= 0)
		return judge(shard, n);
	err = ss_parse_schedstat(text, (size_t)n, r);
	return err ? judge(shard, err) : 0;
}

static int read_sched(const struct ss_source_env *env, struct ss_shard *shard,
		      struct ss_thread *thread, struct ss_reading *r)
{
	char text[TEXT_MAX];
	ssize_t n = ss_procfs_read_file(env, shard, thread, SS_FILE_SCHED, text, sizeof(text));
	int err;

	/* A kernel without CONFIG_SCHED_DEBUG has no such file: counters only. */
	if (n == -ENOENT && !thread->file_read[SS_FILE_SCHED])
		return 0;
	if (n <= 0)
		return judge(shard, n);
	err = ss_parse_sched(text, (size_t)n, r);
	if (err)
		return judge(shard, err);
	thread->file_read[SS_FILE_SCHED] = true;
	return 0;
}

static int read_stat(const struct ss_source_env *env, struct ss_shard *shard,
		     struct ss_thread *thread, struct ss_reading *r)
{
	char text[TEXT_MAX];
	struct ss_stat st;
	ssize_t n = ss_procfs_read_file(env, shard, thread, SS_FILE_STAT, text, sizeof(text));

	if (n <= 0)
		return judge(shard, n);
	if (ss_parse_stat(text, (size_t)n, &st))
		return judge(shard, -EBADMSG);
	if (thread->start_ticks && st.start_ticks != thread->start_ticks)
		return -ESRCH;
	thread->start_ticks = st.start_ticks;
	thread->kernel = st.flags & PF_KTHREAD;
	memcpy(thread->comm, st.comm, sizeof(thread->comm));
	r->state = (uint8_t)ss_state_of_letter(st.state);
	r->cpu = st.cpu;
	r->have |= SS_HAVE_STATE | SS_HAVE_CPU;
	return 0;
}

/*
 * A thread that was created and never ran has zeros, which schedstat prints alike when nothing is
 * counted; the other file tells the two apart.
 */
static void accept_zeros(struct ss_reading *r)
{
	if (!(r->have & SS_HAVE_PCOUNT) && (r->have & SS_HAVE_SWITCHES) && !r->run_ns &&
	    !r->nvcsw && !r->nivcsw)
		r->have |= SS_HAVE_RQ | SS_HAVE_PCOUNT;
}

int ss_procfs_read_detail(const struct ss_source_env *env, struct ss_shard *shard,
			  struct ss_thread *thread, struct ss_reading *r)
{
	struct ss_reading counters = *r;
	int err, tries = 0;

again:
	err = read_stat(env, shard, thread, r);
	if (!err && ss_account_needs_no_more(&thread->account, r)) {
		/* Counters and state are of different instants. */
		r->torn_ns = now_of(env) - counters.mono_ns;
		return 0;
	}
	/*
	 * While on a CPU, sum_exec_runtime + (now - exec_start) holds for any now, so the instant may
	 * be one just before the two are read.
	 */
	r->mono_ns = now_of(env);
	if (!err)
		err = read_sched(env, shard, thread, r);
	/* Or woken and moved since its state was read. */
	if (!err && ss_account_moved_asleep(r))
		err = read_stat(env, shard, thread, r);
	if (err)
		return err;
	accept_zeros(r);
	if (ss_account_must_confirm(&thread->account, r)) {
		struct ss_reading later;

		/* As many switch-ins as before all was read: it is of one instant. */
		err = ss_procfs_read_counters(env, shard, thread, &later);
		if (err)
			return err;
		if (later.pcount != r->pcount) {
			r->torn_ns = later.mono_ns - counters.mono_ns;
			if (++tries == TRIES)
				return 0;
			*r = counters = later;
			goto again;
		}
	}
	if (!ss_account_agrees(&thread->account, &counters, r))
		r->torn_ns = now_of(env) - counters.mono_ns;
	return 0;
}

struct ss_window *ss_source_close_window(const struct ss_source_env *env, struct ss_shard *shard,
					 struct ss_thread *thread, const struct ss_reading *r)
{
	bool dead = (r->have & SS_HAVE_STATE) && r->state == SS_STATE_DEAD;
	struct ss_window *w;

	if (!thread->account.open) {
		ss_account_open(&thread->account, r, &env->account);
		thread->announced = true;
		if (dead)
			thread->exit_mono_ns = r->mono_ns;
		return NULL;
	}
	w = ss_shard_add_window(shard);
	if (!w)
		return NULL;
	w->thread = thread;
	if (!thread->announced)
		w->event |= SS_EVENT_START;
	thread->announced = true;
	if (dead) {
		int64_t begin_ns = thread->account.prev.mono_ns;

		ss_account_close_exit(&thread->account, r, r->mono_ns, true, &env->account,
				      &w->parts);
		w->event |= SS_EVENT_EXIT;
		w->end_mono_ns = begin_ns + w->parts.wall_ns;
		thread->exit_mono_ns = w->end_mono_ns;
	} else {
		ss_account_close(&thread->account, r, &env->account, &w->parts);
		w->end_mono_ns = r->mono_ns;
	}
	shard->restarts += w->parts.restarted;
	ss_sampled_wait(env, shard, w);
	return w;
}

struct ss_window *ss_source_close_asleep(const struct ss_source_env *env, struct ss_shard *shard,
					 struct ss_thread *thread, int64_t mono_ns,
					 int64_t quiet_ns)
{
	struct ss_window *w = ss_shard_add_window(shard);

	if (!w)
		return NULL;
	w->thread = thread;
	w->end_mono_ns = mono_ns;
	ss_account_close_asleep(&thread->account, mono_ns, quiet_ns, &w->parts);
	shard->nstill++;
	ss_sampled_wait(env, shard, w);
	return w;
}

struct ss_window *ss_source_close_still(const struct ss_source_env *env, struct ss_shard *shard,
					struct ss_thread *thread)
{
	const struct ss_stillness *still = thread->still;

	if (!still || !still->still_ns ||
	    !ss_account_stays_asleep(&thread->account, still->since_ns, still->still_ns))
		return NULL;
	return ss_source_close_asleep(env, shard, thread, still->still_ns, still->quiet_ns);
}

void ss_source_gone(struct ss_shard *shard, struct ss_thread *thread)
{
	if (!thread->exit_mono_ns)
		thread->exit_mono_ns = INT64_MAX;
	shard->gone[shard->ngone++] = thread;
}

struct ss_source {
	const struct ss_source_env *env;
};

static int procfs_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	char text[TEXT_MAX];
	struct ss_reading r = { 0 };
	ssize_t n = ss_procfs_read(procfs, text, sizeof(text), "self/schedstat");

	if (n < 0 && procfs->is_real) {
		ss_caps_set(caps, "procfs", SS_CAP_NO, strerror((int)-n),
			    "nothing can be measured",
			    "mount /proc; use a kernel with CONFIG_SCHED_INFO");
		return (int)n;
	}
	ss_caps_set(caps, "procfs", SS_CAP_YES, "/proc/PID/task/TID/{schedstat,sched,stat}", NULL,
		    NULL);
	if (!procfs->is_real)
		return 0;
	n = ss_procfs_read(procfs, text, sizeof(text), "self/sched");
	if (n > 0)
		ss_parse_sched(text, (size_t)n, &r);
	if (r.have & SS_HAVE_BLKIO)
		ss_caps_set(caps, "schedstats", SS_CAP_PARTLY,
			    "kernel.sched_schedstats = 1, without a sum of blocked time",
			    "block is told apart from sleep by state samples only",
			    "use Linux 5.16 or later");
	else if (r.have & SS_HAVE_SCHEDSTATS)
		ss_caps_set(caps, "schedstats", SS_CAP_YES, "kernel.sched_schedstats = 1", NULL,
			    NULL);
	else if (ss_procfs_read(procfs, text, sizeof(text), "sys/kernel/sched_schedstats") > 0)
		ss_caps_set(caps, "schedstats", SS_CAP_NO, "kernel.sched_schedstats = 0",
			    "sleep, block and iowait are told apart by state samples only",
			    "sysctl kernel.sched_schedstats=1 (costs a little in every switch)");
	else
		ss_caps_set(caps, "schedstats", SS_CAP_NO, "not in this kernel",
			    "sleep, block and iowait are told apart by state samples only",
			    "use a kernel with CONFIG_SCHEDSTATS");
	return 0;
}

static int procfs_open(struct ss_source **out, const struct ss_source_env *env)
{
	int err = procfs_probe(env->procfs, env->caps);
	struct ss_source *source;

	if (err)
		return err;
	source = calloc(1, sizeof(*source));
	if (!source)
		return -ENOMEM;
	source->env = env;
	*out = source;
	return 0;
}

static int procfs_attach(struct ss_source *source, struct ss_thread *thread)
{
	(void)source;
	(void)thread;
	return 0;
}

void ss_procfs_collect_thread(const struct ss_source_env *env, struct ss_shard *shard,
			      struct ss_thread *thread)
{
	struct ss_reading r;
	int err = ss_procfs_read_counters(env, shard, thread, &r);

	if (!err && !ss_account_is_idle(&thread->account, &r))
		err = ss_procfs_read_detail(env, shard, thread, &r);
	if (!err)
		ss_source_close_window(env, shard, thread, &r);
	else if (err == -ESRCH)
		ss_source_gone(shard, thread);
}

bool ss_procfs_wants_clocks(const struct ss_source *source)
{
	(void)source;
	return true;
}

static void procfs_collect(struct ss_source *source, unsigned worker, struct ss_shard *shard,
			   const struct ss_tick *tick)
{
	size_t i;

	(void)worker;
	(void)tick;
	for (i = 0; i < shard->n; i++)
		if (!ss_source_close_still(source->env, shard, shard->threads[i]))
			ss_procfs_collect_thread(source->env, shard, shard->threads[i]);
}

static void procfs_detach(struct ss_source *source, struct ss_shard *shard,
			  struct ss_thread *thread)
{
	(void)source;
	ss_procfs_drop_files(shard, thread);
}

static void procfs_close(struct ss_source *source)
{
	free(source);
}

const struct ss_source_ops ss_source_procfs = {
	.name = "procfs",
	.help = "schedstat, sched and stat of each thread; no privilege",
	.takes_stillness = true,
	.wants_clocks = ss_procfs_wants_clocks,
	.probe = procfs_probe,
	.open = procfs_open,
	.attach = procfs_attach,
	.collect = procfs_collect,
	.detach = procfs_detach,
	.close = procfs_close,
};
