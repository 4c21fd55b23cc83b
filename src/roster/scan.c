/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "roster/scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/util.h"
#include "roster/select.h"

#define PID_MAX_LIMIT (4 << 20)	/* include/linux/threads.h */

/* The numbers among the names of a folder. */
struct numbers {
	int dir;
	ssize_t len, next;
	char names[16384] __attribute__((aligned(8)));
};

static void numbers_begin(struct numbers *numbers, int dir)
{
	numbers->dir = dir;
	numbers->len = numbers->next = 0;
	lseek(dir, 0, SEEK_SET);
}

/* Returns 0 at the end; the folder of a process that ended is at its end. */
static int32_t numbers_next(struct numbers *numbers)
{
	const struct dirent64 *entry;
	int32_t number;

	for (;;) {
		if (numbers->next == numbers->len) {
			numbers->next = 0;
			numbers->len = getdents64(numbers->dir, numbers->names,
						  sizeof(numbers->names));
			if (numbers->len <= 0) {
				numbers->len = 0;
				return 0;
			}
		}
		entry = (const struct dirent64 *)(numbers->names + numbers->next);
		numbers->next += entry->d_reclen;
		if (!ss_parse_pid(entry->d_name, &number))
			return number;
	}
}

static uint64_t read_pid_max(const struct ss_procfs *procfs)
{
	char text[32];
	const char *p = text;
	uint64_t value;
	ssize_t n = ss_procfs_read(procfs, text, sizeof(text), "sys/kernel/pid_max");

	return n > 0 && !ss_parse_u64(&p, text + n, &value) && value ? value : PID_MAX_LIMIT;
}

void ss_scan_open(struct ss_roster *r)
{
	struct ss_newest_pid *newest = &r->newest;
	struct statfs fs;

	newest->fd = -1;
	if (!r->procfs->is_real)
		return;
	newest->pid_max = read_pid_max(r->procfs);
	newest->fd = ss_procfs_open_at(r->procfs, O_RDONLY, "loadavg");
	/* lxcfs puts a file of its own over this one, whose last number means something else. */
	newest->trusted = newest->fd >= 0 && !fstatfs(newest->fd, &fs) &&
			  fs.f_type == PROC_SUPER_MAGIC;
	ss_scan_newest_pid(r);
}

void ss_scan_close(struct ss_roster *r)
{
	if (r->newest.fd >= 0)
		close(r->newest.fd);
	r->newest.fd = -1;
}

void ss_scan_newest_pid(struct ss_roster *r)
{
	struct ss_newest_pid *newest = &r->newest;
	uint64_t runnable, last_pid;
	char text[128];
	ssize_t n;

	if (!newest->trusted)
		return;
	newest->old = newest->now;
	newest->old_mono_ns = newest->now_mono_ns;
	newest->now_mono_ns = ss_now_ns(CLOCK_MONOTONIC);
	n = pread(newest->fd, text, sizeof(text), 0);
	if (n <= 0 || ss_parse_loadavg(text, n, &runnable, &last_pid)) {
		r->stats.lost_parse++;
		newest->trusted = false;
		return;
	}
	newest->now = last_pid;
}

bool ss_scan_may_have_births(const struct ss_roster *r)
{
	return !r->newest.trusted || r->newest.old != r->newest.now;
}

/*
 * Numbers are handed out in a row and start again at pid_max (alloc_pid(), idr_alloc_cyclic()):
 * only a number between the last two readings can belong to another task than before.
 */
static bool handed_out(const struct ss_roster *r, int32_t number)
{
	const struct ss_newest_pid *newest = &r->newest;
	uint64_t n = (uint64_t)number;

	if (!newest->trusted)
		return false;
	if (newest->old <= newest->now)
		return n > newest->old && n <= newest->now;
	return n > newest->old || n <= newest->now;
}

int ss_scan_stat(struct ss_roster *r, int32_t pid, int32_t tid, struct ss_stat *st)
{
	char text[1024];
	ssize_t n = ss_procfs_read(r->procfs, text, sizeof(text), "%d/task/%d/stat", (int)pid,
				   (int)tid);

	if (n < 0)
		return n;
	if (n == 0)
		return -ESRCH;
	if (ss_parse_stat(text, n, st)) {
		r->stats.lost_parse++;
		return -EBADMSG;
	}
	return 0;
}

static bool is_dead(const struct ss_stat *st)
{
	return ss_state_of_letter(st->state) == SS_STATE_DEAD;
}

/*
 * True when that task is gone, or its number belongs to another one by now. A zombie is not gone:
 * its last counters can be read, and whoever reads them ends it.
 */
static bool has_ended(struct ss_roster *r, int32_t pid, int32_t tid, uint64_t *start_ticks)
{
	struct ss_stat st;
	int err = ss_scan_stat(r, pid, tid, &st);

	if (err)
		return err == -ESRCH || err == -ENOENT;
	if (*start_ticks && *start_ticks != st.start_ticks)
		return true;
	*start_ticks = st.start_ticks;
	return false;
}

/* As has_ended(), but a zombie leader may have threads that live. */
static bool process_has_ended(struct ss_roster *r, const struct ss_process *p)
{
	struct ss_stat st;
	int err = ss_scan_stat(r, p->pid, p->pid, &st);

	if (err)
		return err == -ESRCH || err == -ENOENT;
	return (p->start_ticks && p->start_ticks != st.start_ticks) ||
	       (is_dead(&st) && st.num_threads <= 1);
}

static int32_t parse_tgid(const char *text)
{
	const char *line = strstr(text, "\nTgid:\t"), *p, *end = text + strlen(text);
	uint64_t value;

	if (!line)
		return -ESRCH;
	p = line + strlen("\nTgid:\t");
	return ss_parse_u64(&p, end, &value) || value > INT32_MAX ? -ESRCH : (int32_t)value;
}

static int as_missing(int err)
{
	if (err == -ENOENT)
		return -ESRCH;
	return err == -EPERM ? -EACCES : err;
}

int32_t ss_scan_pid_of(struct ss_roster *r, int32_t tid)
{
	struct numbers numbers;
	struct ss_stat st;
	char text[2048];
	int32_t pid;
	ssize_t n;

	if (r->procfs->is_real) {
		n = ss_procfs_read(r->procfs, text, sizeof(text), "%d/status", (int)tid);
		return n < 0 ? as_missing(n) : parse_tgid(text);
	}
	/* A capture holds threads below their process only. */
	numbers_begin(&numbers, r->procfs->root);
	while ((pid = numbers_next(&numbers)))
		if (!ss_scan_stat(r, pid, tid, &st))
			return pid;
	return -ESRCH;
}

/*
 * The instant of birth: the kernel tells it in units of USER_HZ, rounded down; and a thread that
 * an earlier look did not show is younger than that look.
 */
static int64_t birth_of(const struct ss_roster *r, const struct ss_process *p, int32_t tid,
			const struct ss_stat *st, int64_t *bound_ns)
{
	int64_t start_ns, earliest_ns, latest_ns, now_ns;

	*bound_ns = 0;
	if (!r->begun || (tid == p->pid && p->leader_ended) ||
	    __builtin_mul_overflow(st->start_ticks, r->user_tick_ns, &start_ns) ||
	    __builtin_sub_overflow(start_ns, r->mono_to_boot_ns, &start_ns) ||
	    __builtin_add_overflow(start_ns, r->user_tick_ns, &latest_ns) ||
	    latest_ns <= r->begin_mono_ns)
		return 0;
	earliest_ns = start_ns;
	if (earliest_ns < p->listed_mono_ns)
		earliest_ns = p->listed_mono_ns;
	if (handed_out(r, tid) && earliest_ns < r->newest.old_mono_ns)
		earliest_ns = r->newest.old_mono_ns;
	now_ns = r->procfs->is_real ? ss_now_ns(CLOCK_MONOTONIC) : r->now_mono_ns;
	if (earliest_ns > now_ns)
		earliest_ns = now_ns;
	if (latest_ns > now_ns)
		latest_ns = now_ns;
	if (latest_ns > earliest_ns)
		*bound_ns = latest_ns - earliest_ns;
	return earliest_ns;
}

static void add_found(struct ss_roster *r, struct ss_process *p, int32_t tid,
		      const struct ss_stat *st)
{
	int64_t bound_ns, birth_ns = birth_of(r, p, tid, st, &bound_ns);

	if (ss_table_add_thread(r, p, tid, st, birth_ns, bound_ns) && handed_out(r, tid))
		r->births_seen++;
}

/* True when the number of a known thread may belong to another one. */
static bool must_verify(const struct ss_roster *r, const struct ss_member *m, bool force)
{
	return !m->thread.start_ticks || !r->procfs->is_real ||
	       (r->newest.trusted ? handed_out(r, m->thread.tid) : force);
}

static void take_entry(struct ss_roster *r, struct ss_process *p, int32_t tid, bool force)
{
	struct ss_member *m = ss_table_thread(r, tid);
	struct ss_stat st;

	if (m && m->thread.process != p) {
		/* Its end was missed, and its number is another's. */
		m->thread.process->rescan = true;
		ss_table_end_thread(r, m, INT64_MAX);
		m = NULL;
	}
	if (m && (!must_verify(r, m, force) ||
		  !has_ended(r, p->pid, tid, &m->thread.start_ticks))) {
		m->seen = r->listing;
		return;
	}
	if (m)
		ss_table_end_thread(r, m, INT64_MAX);
	if (ss_scan_stat(r, p->pid, tid, &st))
		return;
	if (is_dead(&st))
		p->nzombies++;
	else
		add_found(r, p, tid, &st);
}

/*
 * The listing leaves threads out when the one it continues from ends meanwhile (first_tid() in
 * fs/proc/base.c): only the thread's own file tells that it ended.
 */
static void end_unseen(struct ss_roster *r, struct ss_process *p)
{
	struct ss_member *m, *next;

	for (m = LIST_FIRST(&p->threads); m; m = next) {
		next = LIST_NEXT(m, link);
		if (m->seen != r->listing &&
		    has_ended(r, p->pid, m->thread.tid, &m->thread.start_ticks))
			ss_table_end_thread(r, m, INT64_MAX);
	}
}

/* st_nlink of a task directory is 2 and one for each thread (proc_task_getattr()). */
static bool count_is_known(const struct ss_process *p, int dir)
{
	struct stat st;

	return !fstat(dir, &st) && st.st_nlink == (nlink_t)p->nalive + p->nzombies + 2;
}

int ss_scan_process(struct ss_roster *r, struct ss_process *p, bool force)
{
	struct numbers numbers;
	int dir = p->dir;
	int32_t tid;

	force |= p->rescan || !r->procfs->is_real;
	if (p->tids_only) {
		if (force) {
			r->listing++;
			end_unseen(r, p);
		}
		return 0;
	}
	if (dir < 0)
		dir = ss_procfs_open_at(r->procfs, O_RDONLY | O_DIRECTORY, "%d/task", (int)p->pid);
	if (dir >= 0 && !force && count_is_known(p, dir))
		goto out;
	r->listing++;
	p->rescan = false;
	p->nzombies = 0;
	/* A kept descriptor stays with its process; a fresh one may lead to a successor. */
	if (dir >= 0 && (p->dir >= 0 || !process_has_ended(r, p))) {
		numbers_begin(&numbers, dir);
		while ((tid = numbers_next(&numbers)))
			take_entry(r, p, tid, force);
		p->listed_mono_ns = r->now_mono_ns;
	}
	end_unseen(r, p);
out:
	if (dir < 0)
		return as_missing(dir);
	if (p->dir < 0 && r->procfs->is_real && r->kept_dirs < SS_KEPT_DIRS) {
		p->dir = dir;
		r->kept_dirs++;
	} else if (p->dir < 0) {
		close(dir);
	}
	return 0;
}

void ss_scan_settle(struct ss_roster *r, struct ss_process *p)
{
	if (p->nalive)
		return;
	if (p->tids_only || process_has_ended(r, p))
		ss_table_drop_process(r, p);
	else
		p->rescan = true;
}

/* The process of that number, added if it is not known; *err tells why not. */
static struct ss_process *find_or_add(struct ss_roster *r, int32_t pid, enum ss_found found,
				      int *err)
{
	struct ss_process *p = ss_table_process(r, pid);
	struct ss_stat st;

	if (p)
		return p;
	*err = as_missing(ss_scan_stat(r, pid, pid, &st));
	if (*err)
		return NULL;
	p = ss_table_add_process(r, pid, found);
	if (!p) {
		*err = -ENOMEM;
		return NULL;
	}
	p->ppid = st.ppid;
	p->start_ticks = st.start_ticks;
	memcpy(p->comm, st.comm, sizeof(p->comm));
	return p;
}

int ss_scan_watch(struct ss_roster *r, int32_t pid, enum ss_found found)
{
	int err = 0;
	struct ss_process *p = find_or_add(r, pid, found, &err);

	if (!p)
		return err;
	if (p->tids_only) {
		p->tids_only = false;
		p->found = found;
	}
	err = ss_scan_process(r, p, true);
	if (!p->nalive) {
		ss_table_drop_process(r, p);
		return err ? err : -ESRCH;
	}
	return 0;
}

int ss_scan_watch_thread(struct ss_roster *r, int32_t pid, int32_t tid)
{
	struct ss_process *p = ss_table_process(r, pid);
	struct ss_stat st;
	int err;

	if (ss_table_thread(r, tid))
		return 0;
	err = as_missing(ss_scan_stat(r, pid, tid, &st));
	if (!err && is_dead(&st))
		err = -ESRCH;
	if (err)
		return err;
	if (!p) {
		p = find_or_add(r, pid, SS_FOUND_TID, &err);
		if (!p)
			return err;
		p->tids_only = true;
	}
	add_found(r, p, tid, &st);
	return 0;
}

void ss_scan_judge(struct ss_roster *r, int32_t pid)
{
	enum ss_found found;
	struct ss_stat st;

	if (ss_scan_stat(r, pid, pid, &st))
		return;
	if ((is_dead(&st) && st.num_threads <= 1) ||
	    !ss_select_takes(r, pid, st.ppid, st.comm, &found))
		ss_select_reject(r, pid, st.ppid);
	else
		ss_scan_watch(r, pid, found);
}

/*
 * Children are found after their parents only when their number is higher: go on until no
 * rejected process has a watched parent.
 */
static void follow_rejected(struct ss_roster *r)
{
	bool again;

	do {
		again = false;
		for (size_t i = 0; i < r->nsorted; i++) {
			struct ss_rejected *rejected = &r->rejected[i];

			if (!rejected->ppid || !ss_table_process(r, rejected->ppid))
				continue;
			rejected->ppid = 0;
			again |= !ss_scan_watch(r, rejected->pid, SS_FOUND_FOLLOW);
		}
	} while (again);
}

void ss_scan_root(struct ss_roster *r)
{
	const struct ss_process *p;
	struct numbers numbers;
	int32_t pid;

	numbers_begin(&numbers, r->procfs->root);
	while ((pid = numbers_next(&numbers))) {
		p = ss_table_process(r, pid);
		if (p && !p->tids_only)
			continue;
		if (!ss_select_was_rejected(r, pid) || handed_out(r, pid))
			ss_scan_judge(r, pid);
	}
	ss_select_sort(r);
	if (r->selection->follow)
		follow_rejected(r);
}
