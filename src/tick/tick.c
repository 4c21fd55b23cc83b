// SPDX-License-Identifier: GPL-2.0-or-later
#include "tick/tick.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/util.h"

struct ss_ticker {
	int fd;
	int64_t interval_ns;
	int64_t settle_ns;
	int64_t start_ns;	/* deadline n is start_ns + n * interval_ns */
	int64_t deadlines;	/* that have passed */
};

int ss_ticker_new(struct ss_ticker **out, int64_t interval_ns)
{
	struct ss_ticker *ticker = calloc(1, sizeof(*ticker));
	int err;

	if (!ticker)
		return -ENOMEM;
	ticker->interval_ns = interval_ns;
	ticker->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (ticker->fd < 0) {
		err = -errno;
		free(ticker);
		return err;
	}
	*out = ticker;
	return 0;
}

void ss_ticker_set_settle(struct ss_ticker *ticker, int64_t settle_ns)
{
	ticker->settle_ns = settle_ns;
}

static struct timespec to_timespec(int64_t ns)
{
	return (struct timespec){ ns / SS_NSEC_PER_SEC, ns % SS_NSEC_PER_SEC };
}

void ss_tick_read_clocks(struct ss_tick *tick)
{
	tick->actual_ns = ss_now_ns(CLOCK_MONOTONIC);
	tick->mono_to_real_ns = ss_now_ns(CLOCK_REALTIME) - tick->actual_ns;
	tick->mono_to_boot_ns = ss_now_ns(CLOCK_BOOTTIME) - tick->actual_ns;
}

static void fill(const struct ss_ticker *ticker, struct ss_tick *tick, int64_t missed)
{
	tick->index = ticker->deadlines;
	tick->scheduled_ns = ticker->start_ns + ticker->deadlines * ticker->interval_ns;
	tick->end_ns = tick->scheduled_ns - ticker->settle_ns;
	tick->interval_ns = ticker->interval_ns;
	tick->off_grid = false;
	tick->missed = missed;
	ss_tick_read_clocks(tick);
}

int ss_ticker_start(struct ss_ticker *ticker, struct ss_tick *tick)
{
	struct itimerspec its;

	ticker->start_ns = ss_now_ns(CLOCK_MONOTONIC);
	ticker->deadlines = 0;
	/* The kernel forwards a periodic timer by whole periods: deadlines stay on the grid. */
	its.it_value = to_timespec(ticker->start_ns + ticker->interval_ns);
	its.it_interval = to_timespec(ticker->interval_ns);
	if (timerfd_settime(ticker->fd, TFD_TIMER_ABSTIME, &its, NULL))
		return -errno;
	fill(ticker, tick, 0);
	return 0;
}

int ss_ticker_fd(const struct ss_ticker *ticker)
{
	return ticker->fd;
}

int ss_ticker_read(struct ss_ticker *ticker, struct ss_tick *tick)
{
	uint64_t expired;
	ssize_t n = read(ticker->fd, &expired, sizeof(expired));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	ticker->deadlines += (int64_t)expired;
	fill(ticker, tick, (int64_t)expired - 1);
	return 1;
}

void ss_ticker_now(struct ss_ticker *ticker, struct ss_tick *tick)
{
	int64_t passed;

	fill(ticker, tick, 0);
	/* Some may have passed that nobody has read. */
	passed = (tick->actual_ns - ticker->start_ns) / ticker->interval_ns;
	tick->index = passed + 1;
	tick->missed = passed - ticker->deadlines;
	tick->scheduled_ns = tick->actual_ns;
	tick->end_ns = tick->actual_ns - ticker->settle_ns;
	tick->off_grid = true;
}

void ss_ticker_free(struct ss_ticker *ticker)
{
	if (!ticker)
		return;
	close(ticker->fd);
	free(ticker);
}

void ss_tick_make_punctual(struct ss_caps *caps)
{
	static const char lost[] = "ticks come late while the CPUs are busy (measured: p99 0.5 ms "
				   "instead of 0.09 ms)";
	static const char remedy[] = "run as root or with CAP_SYS_NICE";
	struct sched_param param = { .sched_priority = 1 };
	char detail[64];

	prctl(PR_SET_TIMERSLACK, 1);
	if (!sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param)) {
		ss_caps_set(caps, "realtime-ticks", SS_CAP_YES, "SCHED_FIFO 1", NULL, NULL);
		return;
	}
	snprintf(detail, sizeof(detail), "SCHED_FIFO: %s", strerror(errno));
	if (!setpriority(PRIO_PROCESS, 0, -20)) {
		strncat(detail, "; nice -20", sizeof(detail) - strlen(detail) - 1);
		ss_caps_set(caps, "realtime-ticks", SS_CAP_PARTLY, detail, lost, remedy);
		return;
	}
	ss_caps_set(caps, "realtime-ticks", SS_CAP_NO, detail, lost, remedy);
}
