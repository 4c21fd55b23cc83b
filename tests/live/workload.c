/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that know their own truth. Every thread does one kind of thing and says afterwards how
 * much CPU time the kernel charged it, when it began and ended, and what it counted.
 *
 * `run` goes through four phases, so that a sampler can be started before and stopped after all
 * that matters, with every thread asleep at both ends:
 *
 *	parked	all threads exist and sleep; "ready pid=... pids=...,... threads=N" was printed
 *	running	after a line "go" on stdin, for --seconds or until a line "stop"
 *	parked	all threads sleep again; one line "thread key=value..." each, then "done"
 *	ended	after a line "end"
 *
 * Where stdin ends instead, the next phase begins at once (or after --seconds). A thread of a kind
 * that this machine does not allow is reported with "skip=" and the reason. The workload ends by
 * itself: with its parent, and at the latest a minute after its time.
 *
 * A new kind is one function and one line in wl_kinds[] (kinds.c).
 */
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_USAGE 2

struct shared *wl_shared;
const char *wl_dio_dir;
static volatile sig_atomic_t killed;

int64_t wl_clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

bool wl_futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t wait_ns)
{
	struct timespec ts = { wait_ns / NS_PER_S, wait_ns % NS_PER_S };

	return syscall(SYS_futex, word, FUTEX_WAIT, value, wait_ns < 0 ? NULL : &ts, NULL, 0) < 0 &&
	       errno == ETIMEDOUT;
}

void wl_futex_wake(_Atomic uint32_t *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
}

static void count_up(_Atomic uint32_t *word)
{
	atomic_fetch_add(word, 1);
	wl_futex_wake(word);
}

static void phase_set(enum phase phase)
{
	atomic_store(&wl_shared->phase, phase);
	wl_futex_wake(&wl_shared->phase);
}

static int64_t own_nvcsw(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_nvcsw;
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof(name), "wl-%s", w->kind->name);
	prctl(PR_SET_NAME, name);
	if (w->kind->enter)
		w->kind->enter(w);
	w->pid = getpid();
	w->tid = (pid_t)syscall(SYS_gettid);
	/* The first time takes page faults, which would be charged behind the reading of cpu0_ns. */
	w->cpu0_ns = wl_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	wl_futex_wait(&wl_shared->phase, PARKED, NS_PER_MS);
	w->nvcsw = own_nvcsw();
	count_up(&wl_shared->arrived);
	w->cpu0_ns = wl_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	while (atomic_load(&wl_shared->phase) == PARKED)
		wl_futex_wait(&wl_shared->phase, PARKED, -1);

	w->begin_ns = wl_clock_ns(CLOCK_MONOTONIC);
	w->kind->run(w);
	w->end_ns = wl_clock_ns(CLOCK_MONOTONIC);
	w->cpu_ns = wl_clock_ns(CLOCK_THREAD_CPUTIME_ID);
	w->nvcsw = own_nvcsw();
	count_up(&wl_shared->parked);
	if (w->kind->exits && !w->role)
		return NULL;
	/* RUNNING is seen here when a kind gave up early. */
	for (uint32_t phase; (phase = atomic_load(&wl_shared->phase)) != ENDING;)
		wl_futex_wait(&wl_shared->phase, phase, -1);
	/*
	 * Its leader has ended, so it is the last one: by exit(3), a leak check would wait for ever for
	 * the leader to stop.
	 */
	if (w->kind->child && w->kind->exits)
		_exit(EXIT_SUCCESS);
	return NULL;
}

static int worker_start(struct worker *w)
{
	pthread_attr_t attr;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	err = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	return err;
}

/* A unit as a process of its own: its first thread is the leader. */
static void child_main(struct worker *w, int threads)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (int i = 1; i < threads; i++) {
		if (worker_start(w + i))
			_exit(EXIT_FAILURE);
	}
	worker_main(w);
	if (w->kind->exits)
		pthread_exit(NULL);
	for (int i = 1; i < threads; i++)
		pthread_join(w[i].thread, NULL);
	_exit(EXIT_SUCCESS);
}

static bool leads_child(const struct worker *w)
{
	return w->kind->child && !w->role && w->pid;
}

static void children_signal(int sig)
{
	for (size_t i = 0; i < wl_shared->n; i++) {
		if (leads_child(&wl_shared->worker[i]))
			kill(wl_shared->worker[i].pid, sig);
	}
}

static void on_signal(int sig)
{
	(void)sig;
	killed = 1;
}

/* Start all, children first: fork(2) while there is one thread. Returns how many threads. */
static uint32_t start_all(void)
{
	uint32_t started = 0;

	for (int child = 1; child >= 0; child--) {
		for (size_t i = 0; i < wl_shared->n; i++) {
			struct worker *w = &wl_shared->worker[i];
			int threads = w->kind->threads ? w->kind->threads : 1;
			pid_t pid = 0;

			if (w->kind->child != child || w[-w->role].skip[0])
				continue;
			started++;
			if (child && w->role)
				continue;
			if (child) {
				pid = fork();
				if (pid == 0)
					child_main(w, threads);
				w->pid = pid;
			}
			if (pid < 0 || (!child && worker_start(w))) {
				perror("workload: cannot start a thread");
				exit(EXIT_FAILURE);
			}
		}
	}
	return started;
}

/* Until @word is @n; a process that stops itself late is woken again. */
static void await(_Atomic uint32_t *word, uint32_t n, const sigset_t *mask)
{
	for (uint32_t seen; !killed && (seen = atomic_load(word)) < n;) {
		wl_futex_wait(word, seen, 100 * NS_PER_MS);
		ppoll(NULL, 0, &(struct timespec){ 0 }, mask);	/* let signals in */
		if (atomic_load(&wl_shared->phase) == STOPPING)
			children_signal(SIGCONT);
	}
}

/*
 * Wait for @command on stdin, or until @end_ns (0: no limit). Returns false when stdin ended or
 * is not @listened to; then only the time counts.
 */
static bool await_command(const char *command, int64_t end_ns, bool listen, const sigset_t *mask)
{
	struct pollfd in = { listen ? STDIN_FILENO : -1, POLLIN, 0 };
	char line[16] = "";
	size_t len = 0;

	while (!killed) {
		int64_t left = end_ns ? end_ns - wl_clock_ns(CLOCK_MONOTONIC) : 0;
		struct timespec ts = { left / NS_PER_S, left % NS_PER_S };
		char byte;

		if (end_ns ? left <= 0 : in.fd < 0)
			break;
		if (ppoll(&in, 1, end_ns ? &ts : NULL, mask) <= 0 || in.fd < 0)
			continue;
		if (read(in.fd, &byte, 1) != 1) {
			in.fd = -1;
		} else if (byte != '\n') {
			line[len] = byte;
			len = len < sizeof(line) - 1 ? len + 1 : len;
		} else {
			line[len] = '\0';
			len = 0;
			if (strcmp(line, command) == 0)
				break;
		}
	}
	return in.fd >= 0;
}

/* About to sleep, it shows as asleep, but can be preempted there, and throttled: it has to have left. */
static bool is_parked(const struct worker *w, const char *status)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	const char *state = strstr(status, "\nState:\t"), *nvcsw = strstr(status, key);

	/* One that has ended is not waited for. */
	if (!state || state[8] == 'Z')
		return true;
	return state[8] == 'S' && nvcsw && strtoll(nvcsw + sizeof(key) - 1, NULL, 10) > w->nvcsw;
}

/* Until it sleeps: what it runs on the way is milliseconds when a virtual machine stops there. */
static void await_asleep(const struct worker *w)
{
	char path[64], text[4096];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)w->pid, (int)w->tid);
	for (;;) {
		const struct timespec ms = { .tv_nsec = NS_PER_MS };
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

		if (fd >= 0)
			close(fd);
		text[n > 0 ? n : 0] = '\0';
		if (is_parked(w, text))
			return;
		nanosleep(&ms, NULL);
	}
}

/*
 * The CPU time that the kernel charged to a thread, by its clock (clock_getcpuclockid(3), for one
 * thread), or that of its process, if it is a child; beside a dead leader, by its schedstat.
 */
static int64_t charged_ns(const struct worker *w)
{
	char path[64];
	long long ns = 0;
	FILE *file;

	if (!w->kind->child || !w->kind->exits)
		return wl_clock_ns((clockid_t)(~(uint32_t)w->tid << 3 | (w->kind->child ? 2 : 6)));
	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)w->pid, (int)w->tid);
	file = fopen(path, "re");
	if (!file || fscanf(file, "%lld", &ns) != 1)
		perror(path);
	if (file)
		fclose(file);
	return ns;
}

/*
 * What the threads were charged now that they sleep: also for what they ran between their own look
 * at the clock and their sleep. Those that end keep what they saw themselves.
 */
static void look_again(bool at_end)
{
	for (size_t i = 0; i < wl_shared->n; i++) {
		const struct timespec ms = { .tv_nsec = NS_PER_MS };
		struct worker *w = &wl_shared->worker[i];
		int64_t before_ns, now_ns;

		if (w[-w->role].skip[0] || (w->kind->exits && !w->role))
			continue;
		await_asleep(w);
		/* It shows as asleep before it has left its CPU; until then its clock goes on. */
		now_ns = charged_ns(w);
		do {
			before_ns = now_ns;
			nanosleep(&ms, NULL);
			now_ns = charged_ns(w);
		} while (now_ns != before_ns);
		*(at_end ? &w->cpu_ns : &w->cpu0_ns) = now_ns;
	}
}

static void report(void)
{
	for (size_t i = 0; i < wl_shared->n; i++) {
		struct worker *w = &wl_shared->worker[i];

		if (w[-w->role].skip[0])
			printf("thread kind=%s skip=%s\n", w->kind->name, w[-w->role].skip);
		else
			printf("thread kind=%s unit=%ld role=%d pid=%d tid=%d cpu0_ns=%lld "
			       "cpu_ns=%lld begin_ns=%lld end_ns=%lld loops=%lld slept_ns=%lld "
			       "slept_max_ns=%lld made=%lld made_cpu_ns=%lld exits=%d\n",
			       w->kind->name, w->unit, w->role, (int)w->pid, (int)w->tid,
			       (long long)w->cpu0_ns, (long long)w->cpu_ns,
			       (long long)w->begin_ns, (long long)w->end_ns,
			       (long long)w->loops, (long long)w->slept_ns,
			       (long long)w->slept_max_ns, (long long)w->made,
			       (long long)w->made_cpu_ns, w->kind->exits && !w->role);
	}
	printf("done\n");
	fflush(stdout);
}

static void announce(uint32_t threads)
{
	printf("ready pid=%d pids=%d", (int)getpid(), (int)getpid());
	for (size_t i = 0; i < wl_shared->n; i++) {
		if (leads_child(&wl_shared->worker[i]))
			printf(",%d", (int)wl_shared->worker[i].pid);
	}
	printf(" threads=%u\n", threads);
	fflush(stdout);
}

/* Join the threads and reap the children. */
static void end_all(bool abrupt)
{
	phase_set(ENDING);
	children_signal(abrupt ? SIGKILL : SIGCONT);
	for (size_t i = 0; i < wl_shared->n; i++) {
		struct worker *w = &wl_shared->worker[i];

		if (leads_child(w))
			waitpid(w->pid, NULL, 0);
		else if (!w->kind->child && !w[-w->role].skip[0])
			pthread_join(w->thread, NULL);
	}
	for (const struct kind *kind = wl_kinds; kind->name; kind++) {
		if (kind->finish)
			kind->finish();
	}
}

static int run_all(bool interactive, bool quiet)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t blocked, mask;
	uint32_t threads;
	bool listen = interactive;

	/* They arrive in ppoll() of the main thread only, so none is missed. */
	sigemptyset(&blocked);
	for (const int *sig = (const int[]){ SIGTERM, SIGINT, SIGHUP, SIGALRM, 0 }; *sig; sig++) {
		sigaddset(&blocked, *sig);
		sigaction(*sig, &action, NULL);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, &mask);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	alarm((unsigned int)(wl_shared->time_ns / NS_PER_S) + 60);

	threads = start_all();
	await(&wl_shared->arrived, threads, &mask);
	if (interactive)
		look_again(false);
	else
		phase_set(RUNNING);
	if (!quiet)
		announce(threads);
	if (interactive) {
		listen = await_command("go", 0, listen, &mask);
		phase_set(RUNNING);
	}
	listen = await_command("stop", wl_clock_ns(CLOCK_MONOTONIC) + wl_shared->time_ns, listen, &mask);
	if (!killed) {
		phase_set(STOPPING);
		children_signal(SIGCONT);
		await(&wl_shared->parked, threads, &mask);
		if (interactive) {
			look_again(true);
			report();
			await_command("end", 0, listen, &mask);
		}
	}
	end_all(killed);
	return killed ? 128 + SIGTERM : EXIT_SUCCESS;
}

/* At a word on stdin it becomes this program again, with the number of its process. */
static void *take_over(void *arg)
{
	char left[24], word;

	snprintf(left, sizeof(left), "%ld", (long)(intptr_t)arg - 1);
	while (read(STDIN_FILENO, &word, 1) == 1 && word != '\n')
		;
	if ((intptr_t)arg == 0)
		exit(EXIT_SUCCESS);
	printf("before %lld\n", (long long)wl_clock_ns(CLOCK_MONOTONIC));
	fflush(stdout);
	execl("/proc/self/exe", "workload", "takeover", left, NULL);
	perror("workload: /proc/self/exe");
	exit(EXIT_FAILURE);
}

/* A thread that is not the leader executes a program, @n times; told are the instants around that. */
static int run_takeovers(long n)
{
	int64_t now_ns = wl_clock_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	printf("after %lld pid %d\n", (long long)now_ns, (int)getpid());
	fflush(stdout);
	if (pthread_create(&thread, NULL, take_over, (void *)(intptr_t)n)) {
		perror("workload: cannot start a thread");
		return EXIT_FAILURE;
	}
	pthread_join(thread, NULL);
	return EXIT_SUCCESS;
}

static int usage(void)
{
	fputs("Usage: workload run KIND[=N][,KIND[=N]]... [--seconds S] [--dir DIR]\n"
	      "       workload {sleepers | mixed} N [--seconds S]\n"
	      "       workload demo SECONDS\n"
	      "       workload takeover N\n"
	      "           N times, at each line of stdin, a thread executes this program again\n"
	      "       workload exec SECONDS COMMAND [ARG]...\n"
	      "           for at most that time, with SIGINT and SIGQUIT not ignored\n"
	      "Kinds:\n", stderr);
	for (const struct kind *kind = wl_kinds; kind->name; kind++)
		fprintf(stderr, "  %-12s%s\n", kind->name, kind->help);
	return EXIT_USAGE;
}

static long number(const char *text, long max)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (end == text || *end || value < 1 || value > max) {
		fprintf(stderr, "workload: %s is not a number from 1 to %ld\n", text, max);
		exit(EXIT_USAGE);
	}
	return value;
}

static void add(const char *name, long n)
{
	const struct kind *kind = wl_kinds;
	long units;

	while (kind->name && strcmp(kind->name, name) != 0)
		kind++;
	if (!kind->name) {
		fprintf(stderr, "workload: %s is not a kind\n", name);
		exit(EXIT_USAGE);
	}
	units = kind->rate ? 1 : n;
	for (long unit = 0; unit < units; unit++) {
		struct worker *first = &wl_shared->worker[wl_shared->n];

		for (int role = 0; role < (kind->threads ? kind->threads : 1); role++) {
			struct worker *w = &wl_shared->worker[wl_shared->n++];

			if (wl_shared->n >= WORKERS_MAX) {
				fprintf(stderr, "workload: too many threads\n");
				exit(EXIT_USAGE);
			}
			w->kind = kind;
			w->unit = unit;
			w->role = role;
			w->arg = n;
		}
		if (kind->prepare)
			kind->prepare(first);
	}
}

static void add_list(char *list)
{
	char *rest_of_list;

	for (char *item = strtok_r(list, ",", &rest_of_list); item;
	     item = strtok_r(NULL, ",", &rest_of_list)) {
		char *n = strchr(item, '=');

		if (n)
			*n++ = '\0';
		add(item, n ? number(n, WORKERS_MAX) : 1);
	}
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	long n;

	if (strcmp(verb, "exec") == 0 && argc > 3) {
		signal(SIGINT, SIG_DFL);
		signal(SIGQUIT, SIG_DFL);
		alarm((unsigned int)number(argv[2], 3600));
		execvp(argv[3], &argv[3]);
		perror(argv[3]);
		return errno == ENOENT ? 127 : 126;
	}
	if (strcmp(verb, "takeover") == 0 && argc == 3)
		return run_takeovers(strtol(argv[2], NULL, 10));
	wl_shared = mmap(NULL, sizeof(*wl_shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	if (wl_shared == MAP_FAILED) {
		perror("workload: mmap");
		return EXIT_FAILURE;
	}
	wl_shared->time_ns = 60 * NS_PER_S;
	wl_dio_dir = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	if (strcmp(verb, "demo") == 0 && argc == 3) {
		char list[] = "spin,halfload,pingpong,sleep,dio";

		wl_shared->time_ns = number(argv[2], 3600) * NS_PER_S;
		add_list(list);
		return run_all(false, true);
	}
	for (int i = 3; i < argc; i += 2) {
		if (i + 1 < argc && strcmp(argv[i], "--seconds") == 0)
			wl_shared->time_ns = number(argv[i + 1], 3600) * NS_PER_S;
		else if (i + 1 < argc && strcmp(argv[i], "--dir") == 0)
			wl_dio_dir = argv[i + 1];
		else
			return usage();
	}
	if (strcmp(verb, "sleepers") == 0 || strcmp(verb, "mixed") == 0) {
		n = number(argv[2], WORKERS_MAX / 2);
		if (verb[0] == 'm' && n >= 10)
			add("burst", n / 10);
		add("idle", verb[0] == 'm' ? n - n / 10 : n);
		return run_all(false, false);
	}
	if (strcmp(verb, "run") != 0)
		return usage();
	add_list(argv[2]);
	return run_all(true, false);
}
