// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The taskstats source: counters and delays through generic netlink, many requests a datagram;
 * the parts in flight of threads that did not stay asleep through /proc. Exit records give the
 * last counters of threads that ended between ticks.
 */
#include <errno.h>
#include <linux/taskstats.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mutex.h"
#include "base/util.h"
#include "source/parse.h"
#include "source/procfs.h"
#include "source/taskstats.h"

/*
 * Requests a datagram. The kernel answers within sendmsg(2), each in a datagram of its own that is
 * charged up to a page and its head to the receive buffer (seen: 4.1 KiB on 6.18, so that the
 * default buffer of 208 KiB holds 51).
 */
#define BATCH 64
#define REPLY_BUFFER (BATCH * 16384)
#define REPLY_MAX 2048
#define EXIT_BUFFER (8 << 20)
#define DRAIN_MAX 65536		/* exit records a call, so that a flood cannot hold the tick */
/* A start later than this is another thread's: answers come within a batch's time. */
#define START_SLACK_NS (10 * SS_NSEC_PER_MSEC)
#define CHECK_DELAYACCT_NS SS_NSEC_PER_SEC

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	struct nlattr attr;
	uint32_t pid;
};

/* One worker's socket and buffers. */
struct channel {
	struct nl_sock *sock;
	uint32_t seq;		/* of the first request of the batch */
	struct request request[BATCH];
	unsigned char reply[BATCH][REPLY_MAX];
	struct mmsghdr msg[BATCH];
	struct iovec iov[BATCH];
	struct ss_taskstats stats[BATCH];
	int result[BATCH];	/* 0, -ESRCH, or -ENOMSG: no answer */
};

struct ss_delay_state {
	bool measured;		/* its delays were counted from the start, or are seen to be */
	bool seen;		/* count and ns hold totals */
	uint32_t have;		/* of which: 1 << enum ss_delay_kind */
	uint64_t count[SS_DELAY_COUNT], ns[SS_DELAY_COUNT];
};

enum delayacct {
	DELAYACCT_ABSENT, DELAYACCT_BOOTED_OFF, DELAYACCT_OFF, DELAYACCT_ON, DELAYACCT_ALWAYS,
};

struct ss_source {
	const struct ss_source_env *env;
	int family;
	unsigned version;		/* of struct taskstats; 0: not told */
	bool delayacct_now;		/* threads that start now have delay accounting */
	bool delayacct_at_boot;		/* every thread has delay accounting */
	int64_t delayacct_since_ns;	/* seen switched on since; CLOCK_MONOTONIC */
	int64_t checked_ns;
	struct nl_sock *exits;		/* listens for exit records; NULL */
	int64_t lost_events, lost_parse;
	/*
	 * The kernel answers this family's requests one at a time, under a mutex that waiters spin
	 * on (genl_rcv_msg()): workers take turns here, asleep.
	 */
	pthread_mutex_t turn;
	unsigned channels;
	struct channel *channel[];
};

static const char need_admin[] = "run as root or with CAP_NET_ADMIN";
static const char lost_exits[] = "the last counters of threads that end between ticks";

static int from_nl(int nl_error)
{
	switch (-nl_error) {
	case NLE_PERM:
		return -EPERM;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
		return -ENOENT;
	}
	return -EIO;
}

/* A larger buffer needs CAP_NET_ADMIN, as taskstats does; a refusal shows as lost answers. */
static int connect_socket(struct nl_sock **out, int buffer)
{
	struct nl_sock *sock = nl_socket_alloc();
	int err;

	if (!sock)
		return -ENOMEM;
	err = genl_connect(sock);
	if (err) {
		nl_socket_free(sock);
		return from_nl(err);
	}
	setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer));
	*out = sock;
	return 0;
}

static int channel_new(struct channel **out, int family)
{
	struct channel *c = calloc(1, sizeof(*c));
	int i, err;

	if (!c)
		return -ENOMEM;
	err = connect_socket(&c->sock, REPLY_BUFFER);
	if (err) {
		free(c);
		return err;
	}
	for (i = 0; i < BATCH; i++) {
		struct request *r = &c->request[i];

		r->nl.nlmsg_len = sizeof(*r);
		r->nl.nlmsg_type = (uint16_t)family;
		r->nl.nlmsg_flags = NLM_F_REQUEST;
		r->genl.cmd = TASKSTATS_CMD_GET;
		r->genl.version = TASKSTATS_GENL_VERSION;
		r->attr.nla_type = TASKSTATS_CMD_ATTR_PID;
		r->attr.nla_len = NLA_HDRLEN + sizeof(r->pid);
		c->iov[i] = (struct iovec){ c->reply[i], REPLY_MAX };
		c->msg[i].msg_hdr.msg_iov = &c->iov[i];
		c->msg[i].msg_hdr.msg_iovlen = 1;
	}
	*out = c;
	return 0;
}

static void channel_free(struct channel *c)
{
	if (!c)
		return;
	nl_socket_free(c->sock);
	free(c);
}

int ss_taskstats_parse_message(const void *data, size_t len, struct ss_taskstats *ts)
{
	const struct nlmsghdr *nl = data;
	struct nlattr *aggr, *stats;

	/* libnl's own check leaves a length beyond the buffer to its caller. */
	if (len < sizeof(*nl) || nl->nlmsg_len > len || !genlmsg_valid_hdr((struct nlmsghdr *)nl, 0))
		return -EBADMSG;
	aggr = nlmsg_find_attr((struct nlmsghdr *)nl, GENL_HDRLEN, TASKSTATS_TYPE_AGGR_PID);
	if (!aggr)
		return -ENOMSG;
	stats = nla_find(nla_data(aggr), nla_len(aggr), TASKSTATS_TYPE_STATS);
	if (!stats)
		return -EBADMSG;
	return ss_parse_taskstats(nla_data(stats), (size_t)nla_len(stats), ts);
}

/* One answer: to which request, and what it says. */
static int take_reply(struct channel *c, int family, const void *data, size_t len, size_t n)
{
	const struct nlmsghdr *nl = data;
	uint32_t slot;

	if (len < sizeof(*nl) || nl->nlmsg_len < sizeof(*nl) || nl->nlmsg_len > len)
		return -EBADMSG;
	slot = nl->nlmsg_seq - c->seq;
	if (slot >= n)
		return 0;	/* a late answer to a batch that was given up */
	if (nl->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *e = nlmsg_data((struct nlmsghdr *)nl);

		if (nl->nlmsg_len < NLMSG_HDRLEN + sizeof(*e))
			return -EBADMSG;
		if (e->error == -ESRCH)
			c->result[slot] = -ESRCH;
		return 0;
	}
	if (nl->nlmsg_type != family)
		return -EBADMSG;
	if (ss_taskstats_parse_message(data, len, &c->stats[slot]))
		return -EBADMSG;
	if (c->stats[slot].tid && c->stats[slot].tid != (int32_t)c->request[slot].pid)
		return -EBADMSG;
	c->result[slot] = c->stats[slot].tid ? 0 : -ESRCH;
	return 0;
}

/* Ask for @n <= BATCH threads; answers are in c->stats where c->result is 0. */
static void exchange(struct channel *c, int family, struct ss_thread *const *threads, size_t n,
		     struct ss_shard *shard)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	int fd = nl_socket_get_fd(c->sock);
	size_t i, answers = 0;
	int got, k;

	c->seq += BATCH;
	for (i = 0; i < n; i++) {
		c->request[i].nl.nlmsg_seq = c->seq + (uint32_t)i;
		c->request[i].pid = (uint32_t)threads[i]->tid;
		c->result[i] = -ENOMSG;
	}
	if (sendto(fd, c->request, n * sizeof(c->request[0]), 0, (struct sockaddr *)&kernel,
		   sizeof(kernel)) < 0)
		return;
	while (answers < n) {
		got = recvmmsg(fd, c->msg, (unsigned)(n - answers), MSG_DONTWAIT, NULL);
		if (got < 0 && errno == ENOBUFS)
			continue;	/* told once; what was not lost follows */
		if (got <= 0)
			break;
		for (k = 0; k < got; k++)
			if (take_reply(c, family, c->reply[k], c->msg[k].msg_len, n))
				shard->lost_parse++;
		answers += (size_t)got;
	}
}

static bool booted_with(struct ss_procfs *procfs, const char *word)
{
	char text[4096], *p;

	if (ss_procfs_read(procfs, text, sizeof(text), "cmdline") <= 0)
		return false;
	for (p = strtok(text, " \n"); p; p = strtok(NULL, " \n"))
		if (!strcmp(p, word))
			return true;
	return false;
}

/*
 * kernel.task_delayacct came with 5.14 (0cd7c741f01d). Kernels before it, whose struct taskstats
 * has version 10 at most, account delays unless booted without; where there is no such setting
 * later, it was not built in.
 */
static enum delayacct delayacct_of(struct ss_procfs *procfs, unsigned version)
{
	char text[16];

	if (ss_procfs_read(procfs, text, sizeof(text), "sys/kernel/task_delayacct") > 0)
		return text[0] == '1' ? DELAYACCT_ON : DELAYACCT_OFF;
	if (version > 10)
		return DELAYACCT_ABSENT;
	return booted_with(procfs, "nodelayacct") ? DELAYACCT_BOOTED_OFF : DELAYACCT_ALWAYS;
}

static void check_delayacct(struct ss_source *s, int64_t now_ns)
{
	enum delayacct state = delayacct_of(s->env->procfs, s->version);
	bool on = state == DELAYACCT_ON || state == DELAYACCT_ALWAYS;

	s->checked_ns = now_ns;
	if (on && !s->delayacct_now)
		s->delayacct_since_ns = now_ns;
	s->delayacct_now = on;
}

static void tell_delayacct(struct ss_caps *caps, enum delayacct state)
{
	static const struct {
		enum ss_cap_state state;
		const char *detail, *remedy;
	} told[] = {
		[DELAYACCT_ABSENT] = { SS_CAP_NO, "not in this kernel",
				       "use a kernel with CONFIG_TASK_DELAY_ACCT" },
		[DELAYACCT_BOOTED_OFF] = { SS_CAP_NO, "booted with nodelayacct",
					   "boot without nodelayacct" },
		[DELAYACCT_OFF] = { SS_CAP_NO, "kernel.task_delayacct = 0",
				    "sysctl kernel.task_delayacct=1, then start the program to "
				    "watch" },
		[DELAYACCT_ON] = { SS_CAP_YES, "kernel.task_delayacct = 1", NULL },
		[DELAYACCT_ALWAYS] = { SS_CAP_YES, "always on in this kernel", NULL },
	};

	ss_caps_set(caps, "delayacct", told[state].state, told[state].detail,
		    told[state].remedy ? "delays by cause, iowait" : NULL, told[state].remedy);
}

static int taskstats_probe(struct ss_procfs *procfs, struct ss_caps *caps)
{
	static const char lost[] = "delays by cause, exact ends of threads, and half of the speed";
	struct nl_sock *sock = NULL;
	struct channel *c = NULL;
	struct ss_thread self = { .tid = gettid() }, *threads[] = { &self };
	struct ss_shard shard = { 0 };
	char detail[64];
	int err, family = 0;

	if (!procfs->is_real) {
		ss_caps_set(caps, "taskstats", SS_CAP_NO, "not used: /proc is a capture or of another PID namespace", lost,
			    "run it where /proc is that of its own PID namespace");
		return -ENOTSUP;
	}
	err = connect_socket(&sock, REPLY_BUFFER);
	if (!err) {
		family = genl_ctrl_resolve(sock, TASKSTATS_GENL_NAME);
		err = family < 0 ? from_nl(family) : channel_new(&c, family);
	}
	if (err == -ENOENT) {
		ss_caps_set(caps, "taskstats", SS_CAP_NO, "not in this kernel", lost,
			    "use a kernel with CONFIG_TASKSTATS");
		goto out;
	}
	if (!err) {
		exchange(c, family, threads, 1, &shard);
		err = c->result[0] ? -EPERM : 0;
	}
	if (err) {
		ss_caps_set(caps, "taskstats", SS_CAP_NO, "not permitted", lost, need_admin);
		goto out;
	}
	snprintf(detail, sizeof(detail), "version %u", c->stats[0].version);
	ss_caps_set(caps, "taskstats", SS_CAP_YES, detail, NULL, NULL);
	tell_delayacct(caps, delayacct_of(procfs, c->stats[0].version));
out:
	channel_free(c);
	nl_socket_free(sock);
	return err;
}

/* A missing listener costs exactness at thread ends only. */
static void open_exits(struct ss_source *s)
{
	char cpus[32];
	struct nl_msg *msg;

	snprintf(cpus, sizeof(cpus), "0-%ld", sysconf(_SC_NPROCESSORS_CONF) - 1);
	if (connect_socket(&s->exits, EXIT_BUFFER))
		goto missing;
	msg = nlmsg_alloc();
	if (!msg)
		goto missing;
	if (!genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, s->family, 0, 0, TASKSTATS_CMD_GET,
			 TASKSTATS_GENL_VERSION) ||
	    nla_put_string(msg, TASKSTATS_CMD_ATTR_REGISTER_CPUMASK, cpus)) {
		nlmsg_free(msg);
		goto missing;
	}
	if (nl_send_sync(s->exits, msg) < 0)	/* frees @msg */
		goto missing;
	nl_socket_set_nonblocking(s->exits);
	ss_caps_set(s->env->caps, "exit-records", SS_CAP_YES, cpus, NULL, NULL);
	return;
missing:
	nl_socket_free(s->exits);
	s->exits = NULL;
	ss_caps_set(s->env->caps, "exit-records", SS_CAP_NO, "listener refused", lost_exits,
		    need_admin);
}

static void taskstats_close(struct ss_source *s)
{
	unsigned i;

	for (i = 0; i < s->channels; i++)
		channel_free(s->channel[i]);
	nl_socket_free(s->exits);
	pthread_mutex_destroy(&s->turn);
	free(s);
}

static unsigned version_of(struct ss_source *s)
{
	struct ss_thread self = { .tid = gettid() }, *threads[] = { &self };
	struct ss_shard shard = { 0 };

	exchange(s->channel[0], s->family, threads, 1, &shard);
	return s->channel[0]->result[0] ? 0 : s->channel[0]->stats[0].version;
}

static int taskstats_open(struct ss_source **out, const struct ss_source_env *env)
{
	struct ss_source *s;
	struct nl_sock *sock = NULL;
	int err = taskstats_probe(env->procfs, env->caps);

	if (err)
		return err;
	s = calloc(1, sizeof(*s) + env->shards * sizeof(s->channel[0]));
	if (!s)
		return -ENOMEM;
	s->env = env;
	ss_mutex_init(&s->turn);
	err = connect_socket(&sock, REPLY_BUFFER);
	if (err)
		goto out;
	s->family = genl_ctrl_resolve(sock, TASKSTATS_GENL_NAME);
	if (s->family < 0) {
		err = from_nl(s->family);
		goto out;
	}
	for (; s->channels < env->shards; s->channels++) {
		err = channel_new(&s->channel[s->channels], s->family);
		if (err)
			goto out;
	}
	s->version = version_of(s);
	s->delayacct_at_boot = delayacct_of(env->procfs, s->version) == DELAYACCT_ALWAYS ||
			       booted_with(env->procfs, "delayacct");
	check_delayacct(s, ss_now_ns(CLOCK_MONOTONIC));
	open_exits(s);
	*out = s;
out:
	nl_socket_free(sock);
	if (err)
		taskstats_close(s);
	return err;
}

static int taskstats_attach(struct ss_source *s, struct ss_thread *thread)
{
	thread->delay = calloc(1, sizeof(*thread->delay));
	if (!thread->delay)
		return -ENOMEM;
	/* Delay accounting is decided when a thread is created (delayacct_tsk_init()). */
	thread->delay->measured = s->delayacct_now &&
		(s->delayacct_at_boot || thread->birth_mono_ns > s->delayacct_since_ns);
	return 0;
}

static void taskstats_detach(struct ss_source *s, struct ss_shard *shard,
			     struct ss_thread *thread)
{
	ss_source_procfs.detach(s, shard, thread);
	free(thread->delay);
	thread->delay = NULL;
}

static void taskstats_begin(struct ss_source *s, const struct ss_tick *tick)
{
	if (tick->actual_ns - s->checked_ns >= CHECK_DELAYACCT_NS)
		check_delayacct(s, tick->actual_ns);
}

/* Delays since the last window, once they are known to be counted for this thread. */
static void close_delays(struct ss_shard *shard, struct ss_thread *thread,
			 const struct ss_taskstats *ts, const struct ss_window *w)
{
	struct ss_delay_state *d = thread->delay;
	struct ss_delay row = { .pid = thread->pid, .tid = thread->tid };
	bool known = d->seen || (w && (w->event & SS_EVENT_START));
	int kind;

	for (kind = 0; kind < SS_DELAY_COUNT; kind++) {
		int64_t count = (int64_t)(ts->delay_count[kind] - d->count[kind]);
		int64_t ns = (int64_t)(ts->delay_ns[kind] - d->ns[kind]);

		if ((ts->delay_have & (1u << kind)) && count >= 0 && ns >= 0) {
			row.have |= 1u << kind;
			row.count[kind] = count;
			row.ns[kind] = ns;
		}
		d->count[kind] = ts->delay_count[kind];
		d->ns[kind] = ts->delay_ns[kind];
	}
	d->have = ts->delay_have;
	d->seen = true;
	if (w && d->measured && known) {
		row.time_ns = w->end_mono_ns;
		shard->delays[shard->ndelays++] = row;
	}
}

static bool any_delay(const struct ss_taskstats *ts)
{
	int kind;

	for (kind = SS_DELAY_CPU + 1; kind < SS_DELAY_COUNT; kind++)
		if (ts->delay_count[kind])
			return true;
	return false;
}

/*
 * The instant of the thread's creation, as this answer has it. False when it is another thread's
 * that got the tid.
 */
static bool check_start(struct ss_thread *thread, const struct ss_taskstats *ts, int64_t asked_ns)
{
	int64_t start_ns = asked_ns - ts->age_us * SS_NSEC_PER_USEC;

	if (!thread->start_mono_ns) {
		ss_source_set_start(thread, start_ns);
		return true;
	}
	return start_ns - thread->start_mono_ns < START_SLACK_NS;
}

/* The answer may be some hundred microseconds old by now: then the counters are read again. */
static int read_detail(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread,
		       struct ss_reading *r)
{
	int err = ss_procfs_read_detail(s->env, shard, thread, r);

	if (err || !r->torn_ns || !(r->have & SS_HAVE_EXEC_START))
		return err;
	err = ss_procfs_read_counters(s->env, shard, thread, r);
	if (!err)
		err = ss_procfs_read_detail(s->env, shard, thread, r);
	return err;
}

static void collect_one(struct ss_source *s, struct ss_shard *shard, struct ss_thread *thread,
			struct ss_taskstats *ts, int64_t asked_ns)
{
	struct ss_reading r = ts->reading;
	struct ss_delay_state *d = thread->delay;
	struct ss_window *w;
	int err = 0;

	if (!check_start(thread, ts, asked_ns)) {
		ss_source_gone(shard, thread);
		return;
	}
	/* Counters that have not grown had not at the moment of asking either. */
	r.mono_ns = asked_ns;
	ss_source_put_quiet(thread, &r);
	if (!ss_account_is_idle(&thread->account, &r))
		err = read_detail(s, shard, thread, &r);
	if (err == -ESRCH)
		ss_source_gone(shard, thread);
	if (err)
		return;
	if (s->delayacct_now && !d->measured && any_delay(ts))
		d->measured = true;
	if (s->delayacct_now && d->measured) {
		r.blkio_ns = ts->delay_ns[SS_DELAY_BLKIO];
		r.have |= SS_HAVE_BLKIO;
	}
	w = ss_source_close_window(s->env, shard, thread, &r);
	if (s->delayacct_now)
		close_delays(shard, thread, ts, w);
}

/* A thread that did not run was not delayed either. */
static bool collect_still(const struct ss_source *s, struct ss_shard *shard,
			  struct ss_thread *thread)
{
	const struct ss_delay_state *d = thread->delay;
	const struct ss_window *w = ss_source_close_still(s->env, shard, thread);

	if (w && s->delayacct_now && d->measured && d->seen)
		shard->delays[shard->ndelays++] = (struct ss_delay){
			.pid = thread->pid, .tid = thread->tid, .have = d->have,
			.time_ns = w->end_mono_ns,
		};
	return w != NULL;
}

static void taskstats_collect(struct ss_source *s, unsigned worker, struct ss_shard *shard,
			      const struct ss_tick *tick)
{
	struct channel *c = s->channel[worker];
	struct ss_thread *batch[BATCH];
	size_t at = 0, i, n;
	int64_t asked_ns;

	(void)tick;
	while (at < shard->n) {
		for (n = 0; n < BATCH && at < shard->n; at++)
			if (!collect_still(s, shard, shard->threads[at]))
				batch[n++] = shard->threads[at];
		if (!n)
			break;
		pthread_mutex_lock(&s->turn);
		asked_ns = ss_now_ns(CLOCK_MONOTONIC);
		exchange(c, s->family, batch, n, shard);
		pthread_mutex_unlock(&s->turn);
		for (i = 0; i < n; i++) {
			struct ss_thread *thread = batch[i];

			if (!c->result[i]) {
				collect_one(s, shard, thread, &c->stats[i], asked_ns);
			} else if (c->result[i] == -ESRCH) {
				ss_source_gone(shard, thread);
			} else {
				shard->lost_replies++;
				ss_procfs_collect_thread(s->env, shard, thread);
			}
		}
	}
}

static void hand_out(const struct ss_taskstats *ts, ss_source_exit_fn fn, void *arg)
{
	struct ss_exit_record record = {
		.tid = ts->tid, .age_us = ts->age_us, .final = ts->reading,
	};

	memcpy(record.comm, ts->comm, sizeof(ts->comm));
	fn(arg, &record);
}

static void taskstats_drain(struct ss_source *s, ss_source_exit_fn fn, void *arg,
			    struct ss_source_stats *stats)
{
	struct channel *c = s->channel[0];
	unsigned handed = 0;
	int got, k;

	while (s->exits && handed < DRAIN_MAX) {
		got = recvmmsg(nl_socket_get_fd(s->exits), c->msg, BATCH, MSG_DONTWAIT, NULL);
		if (got < 0 && errno == ENOBUFS) {
			s->lost_events++;
			continue;
		}
		if (got <= 0)
			break;
		handed += (unsigned)got;
		for (k = 0; k < got; k++) {
			struct ss_taskstats *ts = &c->stats[0];
			int err = ss_taskstats_parse_message(c->reply[k], c->msg[k].msg_len, ts);

			/* -ENOMSG: the summary of a process, which comes with its last thread. */
			if (err == -EBADMSG)
				s->lost_parse++;
			else if (!err)
				hand_out(ts, fn, arg);
		}
	}
	stats->lost_events = s->lost_events;
	stats->lost_parse = s->lost_parse;
}

const struct ss_source_ops ss_source_taskstats = {
	.name = "taskstats",
	.help = "counters and delays through netlink; needs CAP_NET_ADMIN",
	.takes_stillness = true,
	.wants_clocks = ss_procfs_wants_clocks,
	.probe = taskstats_probe,
	.open = taskstats_open,
	.attach = taskstats_attach,
	.drain = taskstats_drain,
	.begin = taskstats_begin,
	.collect = taskstats_collect,
	.detach = taskstats_detach,
	.close = taskstats_close,
};
