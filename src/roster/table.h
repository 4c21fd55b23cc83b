/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the roster knows: the watched processes and their threads. Internal to src/roster.
 */
#ifndef SS_ROSTER_TABLE_H
#define SS_ROSTER_TABLE_H

#include <sys/queue.h>

#include "base/procfs.h"
#include "roster/connector.h"
#include "roster/roster.h"
#include "source/parse.h"

#define SS_TID_BUCKETS 8192	/* tids are handed out in a row: they spread evenly */
#define SS_PID_BUCKETS 1024
#define SS_KEPT_DIRS 256	/* descriptors of task directories that are kept open */
#define SS_STASH_SIZE 4096

/* A thread as the roster sees it. */
enum ss_member_state { SS_MEMBER_ALIVE, SS_MEMBER_ENDING, SS_MEMBER_ENDED };
struct ss_member {
	struct ss_thread thread;	/* first: the engine is given its address */
	LIST_ENTRY(ss_member) link;	/* in its process, then in ending, ended, unused */
	enum ss_member_state state;
	uint32_t seen;			/* number of the listing that saw it last */
	int64_t added_mono_ns;		/* it existed then */
};
LIST_HEAD(ss_members, ss_member);

struct ss_process {
	LIST_ENTRY(ss_process) link, hash_link;
	struct ss_members threads;	/* alive */
	int32_t pid, ppid;
	uint64_t start_ticks;		/* of the leader; 0: not read */
	uint8_t found;			/* enum ss_found */
	bool tids_only;			/* chosen threads of it, not the process */
	bool rescan;			/* list its threads at the next update in any case */
	bool leader_ended;		/* who has that number later is older: see changed() */
	int dir;			/* kept descriptor of its task directory; -1 */
	uint32_t nalive;
	uint32_t nzombies;		/* entries of the last listing that will not run again */
	int64_t listed_mono_ns;		/* every thread not listed then is younger; 0: never */
	struct ss_stillness still;
	struct timespec cpu_time;	/* of all its threads, at still.since_ns */
	uint8_t wait, wait_next;	/* ticks until its CPU clock is looked at again */
	bool quota_possible;
	int64_t quota_checked_ns;	/* 0: never */
	char comm[SS_COMM_LEN];
};
LIST_HEAD(ss_processes, ss_process);

/* A process that was judged and is not watched. */
struct ss_rejected {
	int32_t pid, ppid;
};

/* A taskstats exit record whose thread is not known yet. */
struct ss_stashed {
	struct ss_exit_record record;
	int64_t born_min_ns, born_max_ns;
};

/* What /proc/loadavg tells: the newest pid, hence which ones were handed out between updates. */
struct ss_newest_pid {
	int fd;			/* -1: there is no such file */
	bool trusted;		/* it is the kernel's own */
	uint64_t pid_max;
	uint64_t old, now;	/* handed out since the update before: those after old up to now */
	int64_t old_mono_ns, now_mono_ns;
};

struct ss_roster {
	struct ss_procfs *procfs;
	const struct ss_selection *selection;
	const struct ss_roster_ops *ops;
	void *arg;
	struct ss_connector *connector;	/* NULL: only scans */
	struct ss_roster_stats stats;

	struct ss_processes processes;
	struct ss_processes by_pid[SS_PID_BUCKETS];
	struct ss_thread *by_tid[SS_TID_BUCKETS];	/* of one number, the newest first */
	struct ss_members ending;	/* ended; the engine does not know yet */
	struct ss_members ended;	/* the engine knows */
	struct ss_members unused;
	uint32_t listing;		/* number of the current listing */
	int kept_dirs;

	bool begun;
	int64_t begin_mono_ns;
	int64_t before_mono_ns, now_mono_ns, mono_to_boot_ns;	/* the last two updates */
	int64_t full_mono_ns;		/* when everything was listed */
	int64_t user_tick_ns;		/* 1 / USER_HZ */
	bool scan_all;			/* events were lost */
	struct ss_newest_pid newest;
	int64_t births_seen;		/* among the pids handed out since the update before */

	struct ss_rejected *rejected;	/* sorted by pid up to nsorted */
	size_t nrejected, nsorted, rejected_cap;
	char *cmdline;			/* NULL: nothing to match */
	struct ss_stashed *stash;
	size_t nstash;
};

struct ss_process *ss_table_process(const struct ss_roster *r, int32_t pid);

/** NULL: no memory, which is counted. */
struct ss_process *ss_table_add_process(struct ss_roster *r, int32_t pid, enum ss_found found);

/** Its threads, if any is left, end at an unknown instant. */
void ss_table_drop_process(struct ss_roster *r, struct ss_process *p);

/** The newest thread of that number, also when it has ended and is not reaped, or NULL. */
struct ss_member *ss_table_newest(const struct ss_roster *r, int32_t tid);

/** The thread of that number that is alive, or NULL. */
struct ss_member *ss_table_thread(const struct ss_roster *r, int32_t tid);

/**
 * Add a thread to its process and tell the engine. @st is NULL when it could not be read: then the
 * name and parent of the process are taken.
 */
struct ss_member *ss_table_add_thread(struct ss_roster *r, struct ss_process *p, int32_t tid,
				      const struct ss_stat *st, int64_t birth_mono_ns,
				      int64_t birth_bound_ns);

/** Give the thread its last counters when the record can be its own: its number and age fit. */
bool ss_table_give_record(struct ss_thread *t, const struct ss_stashed *s);

/** The thread leaves its process; told to the engine at the end of the next update. */
void ss_table_end_thread(struct ss_roster *r, struct ss_member *m, int64_t exit_mono_ns);

/** Take the thread out of the hash and keep its memory for another. */
void ss_table_recycle(struct ss_roster *r, struct ss_member *m);

void ss_table_free(struct ss_roster *r);

#endif
