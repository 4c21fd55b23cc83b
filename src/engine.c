// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/log.h"
#include "base/util.h"
#include "config.h"
#include "launch.h"
#include "sampler.h"
#include "sink/writer.h"

#define QUEUE_DEPTH 64
#define DRAIN_NS (100 * SS_NSEC_PER_MSEC)

struct totals {
	int64_t ticks, rows, lost_ticks, lateness_max_ns, residual_max_ns;
	int64_t lost;		/* everything counted in lost_* columns, except restarts */
};

struct engine {
	const struct ss_options *opt;
	struct ss_caps caps;
	struct ss_procfs procfs;
	struct ss_ticker *ticker;	/* NULL when replaying */
	struct ss_tick tick;
	struct ss_sampler sampler;
	regex_t match;
	struct ss_selection selection;
	struct ss_launch launch;
	struct ss_run_info info;
	struct utsname uts;
	struct ss_batch_pool *batches;
	struct ss_writer *writer[SS_OUTPUTS_MAX];
	size_t nwriters;
	int wake_fd;			/* eventfd: a signal or a writer's failure */
	struct totals total;
	bool quiet;			/* a reader has gone: end without a word */
};

/* Signals. The handler only counts and wakes; a second one ends the program at once. */
static volatile sig_atomic_t signals_seen, signal_number;
static int signal_fd = -1;

static void on_signal(int number)
{
	int saved = errno;

	if (number != SIGCHLD) {
		if (++signals_seen > 1)
			_exit(SS_EXIT_INTERRUPTED);
		signal_number = number;
	}
	eventfd_write(signal_fd, 1);
	errno = saved;
}

static void catch_signals(int wake_fd)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	size_t i;

	signal_fd = wake_fd;
	for (i = 0; i < SS_ARRAY_SIZE(numbers); i++)
		sigaction(numbers[i], &sa, NULL);
	/* Writers learn of a closed pipe from EPIPE. */
	signal(SIGPIPE, SIG_IGN);
}

/* Sums for the last message and for --strict. */
static void add_totals(struct engine *e, const struct ss_batch *batch)
{
	const struct ss_tick_row *row = ss_rows_at(batch, SS_TABLE_TICKS, 0);
	struct totals *t = &e->total;
	size_t i;

	t->ticks += row->tick > 0;
	t->rows += row->rows;
	t->lost_ticks += row->lost_ticks;
	if (row->lateness_ns > t->lateness_max_ns)
		t->lateness_max_ns = row->lateness_ns;
	t->lost += row->lost_parse + row->lost_reads + row->lost_replies + row->lost_threads +
		   row->lost_events;
	for (i = 0; i < batch->rows[SS_TABLE_SAMPLES].n; i++) {
		const struct ss_sample *s = ss_rows_at(batch, SS_TABLE_SAMPLES, i);
		int64_t residual = s->residual_ns < 0 ? -s->residual_ns : s->residual_ns;

		if (residual > t->residual_max_ns)
			t->residual_max_ns = residual;
	}
}

static int run_tick(struct engine *e)
{
	struct ss_batch *batch = ss_batch_get(e->batches);
	size_t i;
	int err;

	if (!batch)
		return -ENOMEM;
	err = ss_sampler_tick(&e->sampler, &e->tick, batch);
	if (!err) {
		add_totals(e, batch);
		for (i = 0; i < e->nwriters; i++)
			ss_writer_offer(e->writer[i], batch);
	}
	ss_batch_put(batch);
	return err;
}

static struct ss_tick now_tick(void)
{
	struct ss_tick tick = { 0 };

	ss_tick_read_clocks(&tick);
	return tick;
}

/* Take the next captured tick. Returns 1, 0 at the end, or negative errno. */
static int replay_tick(struct engine *e)
{
	struct ss_procfs_clock clock;
	int64_t index = e->tick.actual_ns ? e->tick.index + 1 : 0;
	int n = ss_procfs_next(&e->procfs, &clock);

	if (n <= 0)
		return n;
	e->tick = (struct ss_tick){
		.index = index,
		.scheduled_ns = clock.mono_ns,
		.actual_ns = clock.mono_ns,
		.mono_to_real_ns = clock.real_ns - clock.mono_ns,
		.mono_to_boot_ns = clock.boot_ns - clock.mono_ns,
	};
	ss_sampler_set_replay_clock(&e->sampler, &clock);
	return 1;
}

static int open_source(struct engine *e)
{
	const struct ss_source_ops *const *ops;
	bool any = !strcmp(e->opt->source, "auto");
	int err = -ENOENT;

	for (ops = ss_sources; *ops; ops++) {
		if (!any && strcmp(e->opt->source, (*ops)->name))
			continue;
		err = ss_sampler_open_source(&e->sampler, *ops);
		if (!err)
			return 0;
		if (!any) {
			const struct ss_cap *cap = ss_caps_find(&e->caps, (*ops)->name);

			ss_err("--source %s: %s; %s", (*ops)->name,
			       cap ? cap->detail : strerror(-err),
			       cap && *cap->remedy ? cap->remedy : "use --source auto");
		}
	}
	if (any)
		ss_err("nothing can be measured here: schedsampler --probe says why");
	return err;
}

/* What was refused, in one line. */
static void warn_limits(const struct engine *e)
{
	static const char *const layers[] = { "bpf", "taskstats", "proc-connector", "realtime-ticks",
					      "sched-clock" };
	char text[160] = "";
	size_t i;

	for (i = 0; i < SS_ARRAY_SIZE(layers); i++) {
		const struct ss_cap *cap = ss_caps_find(&e->caps, layers[i]);

		if (!cap || cap->state != SS_CAP_NO)
			continue;
		if (*text)
			strncat(text, ", ", sizeof(text) - strlen(text) - 1);
		strncat(text, layers[i], sizeof(text) - strlen(text) - 1);
	}
	if (*text)
		ss_warn("without %s: 'schedsampler --probe' says what is lost and how to get it",
			text);
}

static int open_outputs(struct engine *e)
{
	const struct ss_options *opt = e->opt;
	struct ss_sink_config config = {
		.columns = opt->columns,
		.ncolumns = opt->ncolumns,
		.idle = opt->idle,
		.waits = opt->waits,
		.budget = &e->sampler.budget,
		.run = &e->info,
	};
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	struct winsize size;
	size_t i;
	int err;

	for (i = 0; i < opt->noutputs; i++) {
		const struct ss_output *out = &opt->output[i];
		bool terminal = !strcmp(out->path, "-") && isatty(STDOUT_FILENO);
		struct ss_sink *sink;

		config.path = out->path;
		config.height = 0;
		if (terminal && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
			config.height = size.ws_row;
		config.color = terminal && !(no_color && *no_color) && term && strcmp(term, "dumb");
		err = out->ops->open(&sink, &config);
		if (err) {
			ss_err("cannot write to '%s': %s; choose another place with -o", out->path,
			       strerror(-err));
			return err;
		}
		err = ss_writer_new(&e->writer[i], out->ops, sink, QUEUE_DEPTH, e->wake_fd);
		if (err) {
			out->ops->close(sink);
			ss_err("cannot start a writer for '%s': %s", out->path, strerror(-err));
			return err;
		}
		e->nwriters++;
	}
	return 0;
}

/* Write what is queued and close. Returns 0 or the first error worth telling. */
static int close_outputs(struct engine *e)
{
	int first = 0, err;
	size_t i;

	for (i = 0; i < e->nwriters; i++) {
		struct ss_writer_stats stats;

		err = ss_writer_close(e->writer[i], &stats);
		/* A reader that has seen enough is no failure, and what it did not read no loss. */
		if (err == -EPIPE) {
			e->quiet = true;
			continue;
		}
		e->total.lost += stats.lost_rows;
		if (!err && stats.lost_batches)
			ss_warn("'%s' was too slow: %" PRId64 " ticks with %" PRId64
				" rows are not in it", e->opt->output[i].path, stats.lost_batches,
				stats.lost_rows);
		if (err) {
			ss_err("cannot write to '%s': %s; what was written before is intact",
			       e->opt->output[i].path, strerror(-err));
			first = first ? first : err;
		}
	}
	e->nwriters = 0;
	return first;
}

static int begin_roster(struct engine *e)
{
	const struct ss_options *opt = e->opt;
	struct ss_tick tick = opt->replay ? e->tick : now_tick();
	int32_t missing = 0;
	int err;

	e->selection = (struct ss_selection){
		.pids = opt->pids, .npids = opt->npids, .tids = opt->tids, .ntids = opt->ntids,
		.match = opt->match ? &e->match : NULL, .all = opt->all, .follow = opt->follow,
		.launched = opt->command ? e->launch.pid : 0,
	};
	err = ss_sampler_begin(&e->sampler, &e->selection, &tick, &missing);
	if (err == -ESRCH && missing)
		ss_err("%d: no such process or thread; 'ps -eL' lists them", missing);
	else if (err == -EACCES && missing)
		ss_err("%d: it may not be read (hidepid); run as its user or as root", missing);
	else if (err)
		ss_err("cannot find threads in /proc: %s", strerror(-err));
	return err;
}

static int open_procfs(struct engine *e)
{
	const char *replay = e->opt->replay;
	int err = replay ? ss_procfs_open_replay(&e->procfs, replay) : ss_procfs_open(&e->procfs);

	if (err && replay)
		ss_err("--replay '%s': %s; it needs a captured tree, see schedsampler(5)", replay,
		       err == -ENOENT ? "no captured tick there" : strerror(-err));
	else if (err)
		ss_err("/proc: %s; mount it with: mount -t proc proc /proc", strerror(-err));
	return err;
}

static bool wants_waits(const struct ss_options *opt)
{
	struct ss_sink_config config = { .waits = opt->waits };

	for (size_t i = 0; i < opt->noutputs; i++) {
		const struct ss_output *out = &opt->output[i];

		config.path = out->path;
		if (!out->ops->wants_waits || out->ops->wants_waits(&config))
			return true;
	}
	return false;
}

static int open_stations(struct engine *e)
{
	int err;

	err = open_procfs(e);
	if (err)
		return err;
	err = ss_sampler_open(&e->sampler, &e->procfs, &e->caps);
	if (!err)
		err = ss_batch_pool_new(&e->batches, e->opt->noutputs * (QUEUE_DEPTH + 1) + 1);
	if (!err && !e->opt->replay)
		err = ss_ticker_new(&e->ticker, e->opt->interval_ns);
	if (err) {
		ss_err("cannot start: %s", strerror(-err));
		return err;
	}
	if (e->opt->replay && replay_tick(e) < 1) {
		ss_err("--replay '%s': its first tick cannot be read", e->opt->replay);
		return -EBADMSG;
	}
	e->sampler.env.waits = wants_waits(e->opt);
	err = open_source(e);
	if (!err && e->ticker)
		ss_ticker_set_settle(e->ticker, e->sampler.source_ops->settle_ns);
	return err;
}

static void describe_run(struct engine *e, int argc, char **argv)
{
	uname(&e->uts);
	e->info = (struct ss_run_info){
		.schema = SS_SCHEMA_VERSION,
		.version = PACKAGE_VERSION,
		.source = e->sampler.source_ops->name,
		.kernel = e->uts.release,
		.host = e->uts.nodename,
		.argc = argc,
		.argv = argv,
		.start_real_ns = e->opt->replay ? e->tick.actual_ns + e->tick.mono_to_real_ns :
				 ss_now_ns(CLOCK_REALTIME),
		.start_mono_ns = e->opt->replay ? e->tick.actual_ns : ss_now_ns(CLOCK_MONOTONIC),
		.interval_ns = e->opt->interval_ns,
		.caps = &e->caps,
	};
}

static bool writer_failed(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->nwriters; i++)
		if (ss_writer_error(e->writer[i]))
			return true;
	return false;
}

static bool reached_end(const struct engine *e)
{
	return (e->opt->count && e->total.ticks >= e->opt->count) ||
	       ss_roster_finished(e->sampler.roster) || writer_failed((struct engine *)e);
}

static int replay_all(struct engine *e)
{
	int err;

	while (!reached_end(e)) {
		err = replay_tick(e);
		if (err <= 0)
			return err;
		err = run_tick(e);
		if (err)
			return err;
	}
	return 0;
}

static int poll_timeout_ms(const struct engine *e, int64_t end_ns)
{
	int64_t timeout = e->opt->interval_ns > DRAIN_NS ? DRAIN_NS : INT64_MAX;

	if (end_ns) {
		int64_t left = end_ns - ss_now_ns(CLOCK_MONOTONIC);

		timeout = left < 0 ? 0 : left < timeout ? left : timeout;
	}
	return timeout == INT64_MAX ? -1 :
	       (int)((timeout + SS_NSEC_PER_MSEC - 1) / SS_NSEC_PER_MSEC);
}

/* Tick until something ends the session; the last tick, off the grid, closes what is open. */
static int sample(struct engine *e)
{
	struct pollfd fds[] = {
		{ .fd = ss_ticker_fd(e->ticker), .events = POLLIN },
		{ .fd = e->wake_fd, .events = POLLIN },
	};
	int64_t end_ns = e->opt->duration_ns ? e->tick.scheduled_ns + e->opt->duration_ns : 0;
	uint64_t wakes;
	int err;

	while (!reached_end(e)) {
		if (poll(fds, 2, poll_timeout_ms(e, end_ns)) < 0 && errno != EINTR)
			return -errno;
		err = ss_ticker_read(e->ticker, &e->tick);
		if (err < 0)
			return err;
		if (err) {
			err = run_tick(e);
			if (err)
				return err;
			if (end_ns && e->tick.scheduled_ns >= end_ns)
				return 0;
		} else {
			ss_sampler_drain(&e->sampler);
		}
		if (read(e->wake_fd, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN)
			return -errno;
		if (signals_seen || (end_ns && ss_now_ns(CLOCK_MONOTONIC) >= end_ns) ||
		    (e->opt->command && ss_launch_ended(&e->launch))) {
			ss_ticker_now(e->ticker, &e->tick);
			return run_tick(e);
		}
	}
	return 0;
}

static void tell_totals(const struct engine *e)
{
	const struct totals *t = &e->total;

	ss_info("%" PRId64 " ticks, %" PRId64 " missed, at most %.3f ms late; %" PRId64
		" rows, %" PRId64 " losses, residual at most %.6f ms; source %s",
		t->ticks, t->lost_ticks, (double)t->lateness_max_ns / 1e6, t->rows, t->lost,
		(double)t->residual_max_ns / 1e6, e->sampler.source_ops->name);
}

/*
 * From the sinks back to the sources: batches come home before their pool goes. Safe at every
 * stage of the start.
 */
static void take_down(struct engine *e)
{
	close_outputs(e);
	ss_batch_pool_free(e->batches);
	ss_sampler_close(&e->sampler);
	ss_ticker_free(e->ticker);
	ss_procfs_close(&e->procfs);
	if (e->opt->match)
		regfree(&e->match);
	if (e->wake_fd >= 0)
		close(e->wake_fd);
}

static int launch(struct engine *e)
{
	const char *name = e->opt->command[0];
	int err = ss_launch_start(&e->launch, e->opt->command);

	if (!err)
		return 0;
	ss_err("cannot run '%s': %s", name, err == -ENOENT ? "command not found; check its name "
	       "and PATH" : strerror(-err));
	return err == -ENOENT ? SS_EXIT_NOT_FOUND :
	       err == -EACCES ? SS_EXIT_NOT_EXECUTABLE : SS_EXIT_FAILURE;
}

static int session(struct engine *e, int argc, char **argv)
{
	int err;

	err = open_stations(e);
	if (err)
		return err;
	err = begin_roster(e);
	if (err)
		return err;
	describe_run(e, argc, argv);
	err = open_outputs(e);
	if (err)
		return err;
	warn_limits(e);
	catch_signals(e->wake_fd);
	if (e->ticker)
		err = ss_ticker_start(e->ticker, &e->tick);
	if (!err)
		err = run_tick(e);
	if (!err && e->opt->command) {
		int refused = ss_launch_release(&e->launch);

		/* The child has ended with the status that a shell would give. */
		if (refused) {
			ss_err("cannot run '%s': %s", e->opt->command[0], strerror(-refused));
			return 0;
		}
	}
	if (!err)
		err = e->opt->replay ? replay_all(e) : sample(e);
	if (err)
		ss_err("sampling failed: %s", strerror(-err));
	return err;
}

int ss_engine_run(const struct ss_options *options, int argc, char **argv)
{
	struct engine *e = calloc(1, sizeof(*e));
	int err, status = SS_EXIT_OK, command_status = 0;

	if (!e) {
		ss_err("out of memory");
		return SS_EXIT_FAILURE;
	}
	e->opt = options;
	e->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	e->procfs.root = e->procfs.base = -1;
	if (options->match)
		regcomp(&e->match, options->match, REG_EXTENDED | REG_NOSUB);
	if (options->command)
		status = launch(e);
	if (status) {
		take_down(e);
		free(e);
		return status;
	}
	err = session(e, argc, argv);
	if (close_outputs(e) && !err)
		err = -EIO;
	if (e->total.ticks && !err && !e->quiet)
		tell_totals(e);
	if (options->command) {
		if (signals_seen)
			kill(e->launch.pid, signal_number);
		command_status = ss_launch_reap(&e->launch);
	}
	status = err ? SS_EXIT_FAILURE : command_status;
	if (!status && options->strict &&
	    (e->total.lost || e->total.residual_max_ns > options->tolerance_ns))
		status = SS_EXIT_STRICT;
	take_down(e);
	free(e);
	return status;
}
