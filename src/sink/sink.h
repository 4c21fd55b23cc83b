/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who reads it. A sink turns batches into an output. Each has one writer thread behind a bounded
 * queue (writer.h), so a slow output never delays a tick. A new format is one file and one line
 * in ss_sinks[]. Sinks never print: they return an error and the engine tells it.
 */
#ifndef SS_SINK_SINK_H
#define SS_SINK_SINK_H

#include <stdbool.h>

#include "base/caps.h"
#include "base/fdcache.h"
#include "batch.h"

/* What a sink needs to know of the run. Borrowed; lives longer than every sink. */
struct ss_run_info {
	int schema;			/* SS_SCHEMA_VERSION */
	const char *version;		/* of the program */
	const char *source;		/* the source in use: "procfs", "taskstats" */
	const char *kernel;		/* uname release */
	const char *host;		/* uname nodename */
	int argc;
	char *const *argv;		/* the command line */
	int64_t start_real_ns, start_mono_ns, interval_ns;
	const struct ss_caps *caps;
};
#define SS_SCHEMA_VERSION 1

struct ss_sink_config {
	const char *path;		/* file, directory, or "-"; borrowed as long as the sink */
	/* Of samples; NULL: all, in table order. Borrowed as long as the sink. */
	const struct ss_column *const *columns;
	size_t ncolumns;
	bool idle;			/* text: show threads that slept throughout */
	bool waits;			/* text: show what threads waited for */
	bool color;			/* text: may use colour */
	int height;			/* text: lines of the screen; 0: not a terminal */
	struct ss_fdbudget *budget;	/* borrowed */
	const struct ss_run_info *run;	/* borrowed */
};

/* Losses of this sink's own queue since the batch before; they go into its tick row. */
struct ss_sink_loss {
	int64_t batches, rows;
};

struct ss_sink;			/* each format's own */

struct ss_sink_ops {
	const char *name;	/* of -F, e.g. "csv" */
	const char *suffix;	/* of a file's name that selects it, e.g. ".csv"; NULL: none */
	const char *help;
	/** Whether it would write what threads waited for. NULL: yes. */
	bool (*wants_waits)(const struct ss_sink_config *config);
	/** Returns 0 or negative errno; nothing is left behind on failure. */
	int (*open)(struct ss_sink **sink, const struct ss_sink_config *config);
	/** By one thread at a time. Returns 0 or negative errno: then only close follows. */
	int (*write)(struct ss_sink *sink, const struct ss_batch *batch,
		     const struct ss_sink_loss *loss);
	/** Hand all that was written to the kernel. NULL: each write() already does. */
	int (*flush)(struct ss_sink *sink);
	/** Flush and free; can fail, because the last write can. */
	int (*close)(struct ss_sink *sink);
};

extern const struct ss_sink_ops ss_sink_text, ss_sink_csv, ss_sink_jsonl, ss_sink_tree;

/* All formats, NULL at the end. */
extern const struct ss_sink_ops *const ss_sinks[];

/**
 * The format for an output: @format (of -F) if given, else the directory sink for a path that ends
 * in '/' or is a directory, else by the suffix of the file's name, else text. NULL: unknown
 * format, or one that does not fit a directory.
 */
const struct ss_sink_ops *ss_sink_select(const char *format, const char *path);

#endif
