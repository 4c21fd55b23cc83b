// SPDX-License-Identifier: GPL-2.0-or-later
/* A command line, one argument a line. */
#include <fcntl.h>
#include <unistd.h>

#include "base/util.h"
#include "fuzz.h"
#include "options.h"

#define ARGS_MAX 64

/* Help goes to stdout and complaints to stderr: both to nowhere meanwhile. */
static int parse_silently(struct ss_options *o, int argc, char **argv)
{
	static int null_fd = -1, saved[3];
	int status, fd;

	if (null_fd < 0) {
		null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
		saved[1] = fcntl(1, F_DUPFD_CLOEXEC, 3);
		saved[2] = fcntl(2, F_DUPFD_CLOEXEC, 3);
		CHECK(null_fd >= 0 && saved[1] >= 0 && saved[2] >= 0);
	}
	fflush(stdout);
	for (fd = 1; fd <= 2; fd++)
		dup2(null_fd, fd);
	status = ss_options_parse(o, argc, argv);
	for (fd = 1; fd <= 2; fd++)
		dup2(saved[fd], fd);
	return status;
}

static void check_options(const struct ss_options *o)
{
	size_t i, k;

	CHECK(o->interval_ns >= SS_NSEC_PER_MSEC);
	CHECK(o->duration_ns >= 0 && o->count >= 0 && o->tolerance_ns >= 0);
	CHECK(o->noutputs >= 1 && o->noutputs <= SS_OUTPUTS_MAX);
	for (i = 0; i < o->noutputs; i++)
		CHECK(o->output[i].ops && *o->output[i].path);
	for (i = 0; i < o->npids; i++)
		CHECK(o->pids[i] > 0);
	for (i = 0; i < o->ntids; i++)
		CHECK(o->tids[i] > 0);
	for (i = 0; i < o->ncolumns; i++)
		for (k = 0; k < i; k++)
			CHECK(o->columns[i] != o->columns[k]);
	CHECK(!o->match || *o->match);
	CHECK(!o->command || *o->command);
	CHECK(o->probe || o->list_columns || o->npids || o->ntids || o->match || o->all ||
	      o->command);
}

/* glibc's regcomp() copies what is repeated, for each repetition again: the user's own memory. */
static bool is_costly(const char *text)
{
	int n = 0;

	for (; *text && *text != '{'; text++)
		n += *text == '+';
	return *text || n > 4;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text, *line, *rest, *argv[ARGS_MAX + 2] = { (char *)"schedsampler" };
	struct ss_options options;
	int argc = 1, status;

	rest = text = fuzz_string(data, size);
	if (is_costly(text)) {
		free(text);
		return 0;
	}
	while (argc <= ARGS_MAX && (line = strsep(&rest, "\n")))
		argv[argc++] = line;
	status = parse_silently(&options, argc, argv);
	CHECK(status == -1 || status == SS_EXIT_OK || status == SS_EXIT_USAGE);
	if (status == -1) {
		check_options(&options);
		ss_options_free(&options);
	}
	ss_options_free(&options);
	free(text);
	return 0;
}
