/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line. ONE option table renders --help, drives getopt_long(3), and is what the tests
 * check the man page and the shell completion against.
 */
#ifndef SS_OPTIONS_H
#define SS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/fields.h"
#include "sink/sink.h"

/* Exit statuses of the program. */
enum ss_exit {
	SS_EXIT_OK = 0,
	SS_EXIT_FAILURE = 1,
	SS_EXIT_USAGE = 2,
	SS_EXIT_STRICT = 3,
	SS_EXIT_NOT_EXECUTABLE = 126,
	SS_EXIT_NOT_FOUND = 127,
	SS_EXIT_INTERRUPTED = 130,
};

#define SS_OUTPUTS_MAX 8

struct ss_output {
	const char *path;			/* borrowed from argv */
	const struct ss_sink_ops *ops;
};

struct ss_options {
	int32_t *pids;		/* owned */
	size_t npids;
	int32_t *tids;		/* owned */
	size_t ntids;
	const char *match;	/* POSIX extended regex, compiled once to check it; borrowed */
	bool all, follow;
	int64_t interval_ns;
	int64_t duration_ns;	/* 0: no end */
	int64_t count;		/* 0: no end */
	struct ss_output output[SS_OUTPUTS_MAX];
	size_t noutputs;
	const char *source;	/* "auto" or the name of a source */
	bool idle, waits;	/* what text shows */
	const struct ss_column **columns;	/* owned; NULL: all */
	size_t ncolumns;
	bool strict;
	int64_t tolerance_ns;	/* of |residual| with --strict */
	bool quiet;
	int verbose;
	const char *replay;	/* a captured tree instead of this machine; NULL */
	char **command;		/* argv tail behind "--", NULL-terminated; NULL: none */
	/* What to do instead of sampling. */
	bool probe, list_columns;
};

/**
 * Parse the command line. Returns -1 to go on, or an exit status at which to end now: --help and
 * --version were printed, or one line on stderr said what is wrong and what to do.
 */
int ss_options_parse(struct ss_options *options, int argc, char **argv);
void ss_options_free(struct ss_options *options);

#endif
