/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/util.h"
#include "config.h"
#include "source/source.h"

/* Options without a letter. */
enum { OPT_SOURCE = 256, OPT_IDLE, OPT_NO_IDLE, OPT_COLUMNS, OPT_LIST_COLUMNS, OPT_PROBE,
       OPT_STRICT, OPT_TOLERANCE, OPT_REPLAY };

/* THE option table. A new line in @help is a new line of --help. */
static const struct option_def {
	int id;			/* the letter, or OPT_* */
	const char *name;
	const char *arg;	/* name of its argument; NULL: takes none */
	const char *section;
	const char *help;
} defs[] = {
	{ 'p', "pid", "PID,...", "Targets (added together)",
	  "all threads of these processes" },
	{ 't', "tid", "TID,...", "Targets (added together)", "these threads" },
	{ 'm', "match", "REGEX", "Targets (added together)",
	  "processes whose name or command line matches this\n"
	  "POSIX extended regular expression, also later ones" },
	{ 'a', "all", NULL, "Targets (added together)", "all processes and kernel threads" },
	{ 'f', "follow", NULL, "Targets (added together)",
	  "also the processes that watched ones start" },
	{ OPT_REPLAY, "replay", "DIR", "Targets (added together)",
	  "read a captured tree of /proc, not this machine\n"
	  "(without another target: all of it)" },

	{ 'i', "interval", "TIME", "Sampling",
	  "50 or 50ms, 500ms, 1s, 20hz, at least 1ms; default 1s" },
	{ 'd', "duration", "TIME", "Sampling",
	  "end after this time: 10 or 10s, 500ms, 2m, 1h" },
	{ 'n', "count", "N", "Sampling", "end after N intervals" },
	{ OPT_SOURCE, "source", "NAME", "Sampling",
	  "auto, bpf, bpf-snapshot, taskstats or procfs; default\n"
	  "auto: the best that this machine allows" },
	{ OPT_STRICT, "strict", NULL, "Sampling",
	  "exit with 3 if anything was lost or an account did\n"
	  "not close within the tolerance" },
	{ OPT_TOLERANCE, "tolerance", "TIME", "Sampling",
	  "largest |residual| that --strict accepts; default 1ms" },

	{ 'o', "output", "PATH", "Output",
	  "file, DIR/ or - (stdout, the default); up to 8 times" },
	{ 'F', "format", "NAME", "Output",
	  "text, csv or jsonl; default: by the file's name" },
	{ OPT_COLUMNS, "columns", "NAME,...", "Output", "only these columns of samples" },
	{ OPT_IDLE, "idle", NULL, "Output",
	  "text: show threads that slept all the time (default)" },
	{ OPT_NO_IDLE, "no-idle", NULL, "Output", "text: hide them" },
	{ 'w', "waits", NULL, "Output",
	  "text: show below each thread what it waited for" },
	{ 'q', "quiet", NULL, "Output", "no warnings and no summary" },
	{ 'v', "verbose", NULL, "Output", "tell more on stderr" },

	{ OPT_PROBE, "probe", NULL, "Information",
	  "what this machine allows, what is lost, how to get it" },
	{ OPT_LIST_COLUMNS, "list-columns", NULL, "Information",
	  "all tables and columns with their units" },
	{ 'V', "version", NULL, "Information", "print the version" },
	{ 'h', "help", NULL, "Information", "print this" },
};
#define NDEFS SS_ARRAY_SIZE(defs)

static const struct option_def *def_of(int id)
{
	for (size_t i = 0; i < NDEFS; i++)
		if (defs[i].id == id)
			return &defs[i];
	return NULL;
}

static int print_help(void)
{
	const char *section = "";

	puts("Usage: schedsampler [OPTION]... {-p PID | -t TID | -m REGEX | -a}...\n"
	     "       schedsampler [OPTION]... -- COMMAND [ARG]...\n"
	     "       schedsampler {--probe | --list-columns | --version | --help}\n"
	     "\n"
	     "At each interval, close the time account of every watched thread: how long it\n"
	     "ran, waited for a CPU, slept, was blocked, waited for I/O and was stopped.");
	for (size_t i = 0; i < NDEFS; i++) {
		const struct option_def *def = &defs[i];
		int width;

		if (strcmp(section, def->section))
			printf("\n%s:\n", def->section);
		section = def->section;
		width = def->id < 256 ? printf("  -%c, ", def->id) : printf("      ");
		width += printf("--%s%s%s", def->name, def->arg ? " " : "",
				def->arg ? def->arg : "");
		printf("%*s", width < 26 ? 26 - width : 1, "");
		for (const char *c = def->help; *c; c++)
			if (*c == '\n')
				printf("\n%*s", 26, "");
			else
				putchar(*c);
		putchar('\n');
	}
	puts("\nExamples:\n"
	     "  schedsampler -p 4711 -i 50              one process, every 50 ms, until Ctrl-C\n"
	     "  schedsampler -m '^postgres' -f -d 10    by name, with children, for 10 s\n"
	     "  schedsampler -p 4711 -i 20hz -o a.csv   record every thread, idle ones too\n"
	     "  schedsampler -a --no-idle -n 5          the whole machine, 5 times\n"
	     "  schedsampler -o run.jsonl -- make -j8   start a command and watch it\n"
	     "\n"
	     "Exit status: 0 fine, 1 failure, 2 usage, 3 --strict; with COMMAND its own status.\n"
	     "Manual: schedsampler(8); the format of recordings: schedsampler(5).");
	return ss_flush_stdout() ? SS_EXIT_FAILURE : SS_EXIT_OK;
}

static int no_memory(void)
{
	ss_err("out of memory");
	return SS_EXIT_FAILURE;
}

/* The next item of a comma list: -1 with *item (to be freed) and *list advanced, or a status. */
static int next_item(const char **list, char **item)
{
	size_t len = strcspn(*list, ",");

	*item = strndup(*list, len);
	if (!*item)
		return no_memory();
	*list = (*list)[len] ? *list + len + 1 : NULL;
	return -1;
}

static int add_ids(int32_t **ids, size_t *n, const char *option, const char *list)
{
	while (list) {
		char *item;
		int32_t *grown, id;
		int status = next_item(&list, &item);

		if (status >= 0)
			return status;
		if (ss_parse_pid(item, &id)) {
			ss_err("--%s: '%s' is not an id: give numbers from 1 to %d, "
			       "with commas between", option, item, INT32_MAX);
			free(item);
			return SS_EXIT_USAGE;
		}
		free(item);
		grown = realloc(*ids, (*n + 1) * sizeof(**ids));
		if (!grown)
			return no_memory();
		*ids = grown;
		grown[(*n)++] = id;
	}
	return -1;
}

static int add_column(struct ss_options *o, const char *name)
{
	const struct ss_column *column = ss_column_find(&ss_table_samples, name);

	if (!column) {
		ss_err("--columns: no column '%s': --list-columns shows those of samples", name);
		return SS_EXIT_USAGE;
	}
	for (size_t i = 0; i < o->ncolumns; i++)
		if (o->columns[i] == column) {
			ss_err("--columns: '%s' is named twice: name it once", name);
			return SS_EXIT_USAGE;
		}
	/* Each at most once, so this is always enough. */
	if (!o->columns)
		o->columns = calloc(ss_table_samples.ncolumns, sizeof(*o->columns));
	if (!o->columns)
		return no_memory();
	o->columns[o->ncolumns++] = column;
	return -1;
}

static int add_columns(struct ss_options *o, const char *list)
{
	int status = -1;

	while (list && status < 0) {
		char *item;

		status = next_item(&list, &item);
		if (status >= 0)
			return status;
		status = add_column(o, item);
		free(item);
	}
	return status;
}

static int set_match(struct ss_options *o, const char *text)
{
	char why[128];
	regex_t regex;
	int err;

	if (o->match) {
		ss_err("--match: '%s' is a second expression: join them with '|'", text);
		return SS_EXIT_USAGE;
	}
	if (!*text) {
		ss_err("--match: '' would match everything: use --all for that");
		return SS_EXIT_USAGE;
	}
	err = regcomp(&regex, text, REG_EXTENDED | REG_NOSUB);
	if (err) {
		regerror(err, &regex, why, sizeof(why));
		ss_err("--match: '%s' is not a POSIX extended regular expression: %s", text, why);
		return SS_EXIT_USAGE;
	}
	regfree(&regex);
	o->match = text;
	return -1;
}

static int set_time(int64_t *ns, const char *option, const char *text, int64_t unit_ns,
		    int64_t least_ns, const char *hint)
{
	if (!ss_parse_interval(text, unit_ns, ns) && *ns >= least_ns)
		return -1;
	ss_err("--%s: '%s' is not such a time: %s", option, text, hint);
	return SS_EXIT_USAGE;
}

static int set_count(struct ss_options *o, const char *text)
{
	const char *p = text, *end = text + strlen(text);

	if (!ss_parse_s64(&p, end, &o->count) && p == end && o->count > 0)
		return -1;
	ss_err("--count: '%s' is not a number of intervals: give 1 or more", text);
	return SS_EXIT_USAGE;
}

static int set_source(struct ss_options *o, const char *name)
{
	bool known = !strcmp(name, "auto");

	for (size_t i = 0; ss_sources[i] && !known; i++)
		known = !strcmp(name, ss_sources[i]->name);
	if (!known) {
		ss_err("--source: unknown source '%s': use auto, bpf, bpf-snapshot, taskstats or "
		       "procfs", name);
		return SS_EXIT_USAGE;
	}
	o->source = name;
	return -1;
}

static int add_output(struct ss_options *o, const char *path)
{
	if (!*path) {
		ss_err("--output: '' is not a path: give a file, DIR/ or -");
		return SS_EXIT_USAGE;
	}
	if (o->noutputs == SS_OUTPUTS_MAX) {
		ss_err("--output: '%s' is one too many: at most %d outputs", path, SS_OUTPUTS_MAX);
		return SS_EXIT_USAGE;
	}
	for (size_t i = 0; i < o->noutputs; i++)
		if (!strcmp(o->output[i].path, path)) {
			ss_err("--output: '%s' is given twice: give each output once", path);
			return SS_EXIT_USAGE;
		}
	o->output[o->noutputs++].path = path;
	return -1;
}

/* One option. Returns -1 to go on, or an exit status. */
static int apply(struct ss_options *o, const char **format, int id, const char *arg)
{
	switch (id) {
	case 'p': return add_ids(&o->pids, &o->npids, "pid", arg);
	case 't': return add_ids(&o->tids, &o->ntids, "tid", arg);
	case 'm': return set_match(o, arg);
	case 'a': o->all = true; break;
	case 'f': o->follow = true; break;
	case OPT_REPLAY: o->replay = arg; break;
	case 'i':
		return set_time(&o->interval_ns, "interval", arg, SS_NSEC_PER_MSEC,
				SS_NSEC_PER_MSEC, "give 1ms or more, such as 50, 50ms, 1s, 20hz");
	case 'd':
		return set_time(&o->duration_ns, "duration", arg, SS_NSEC_PER_SEC, 1,
				"give more than 0, such as 10, 500ms, 2m, 1h");
	case 'n': return set_count(o, arg);
	case OPT_SOURCE: return set_source(o, arg);
	case OPT_STRICT: o->strict = true; break;
	case OPT_TOLERANCE:
		/* "Exactly": the one place where a time of 0 means something. */
		if (!strcmp(arg, "0")) {
			o->tolerance_ns = 0;
			break;
		}
		return set_time(&o->tolerance_ns, "tolerance", arg, SS_NSEC_PER_MSEC, 1,
				"give 0, or such as 100us, 1ms");
	case 'o': return add_output(o, arg);
	case 'F': *format = arg; break;
	case OPT_COLUMNS: return add_columns(o, arg);
	case OPT_IDLE: o->idle = true; break;
	case OPT_NO_IDLE: o->idle = false; break;
	case 'w': o->waits = true; break;
	case 'q': o->quiet = true; break;
	case 'v': o->verbose++; break;
	case OPT_PROBE: o->probe = true; break;
	case OPT_LIST_COLUMNS: o->list_columns = true; break;
	case 'V':
		puts("schedsampler " PACKAGE_VERSION);
		return ss_flush_stdout() ? SS_EXIT_FAILURE : SS_EXIT_OK;
	case 'h': return print_help();
	}
	return -1;
}

/* What getopt_long() returned '?' or ':' for. */
static int bad_option(int result, char **argv)
{
	const struct option_def *def = optopt ? def_of(optopt) : NULL;

	if (result == ':')
		ss_err("--%s needs an argument: %s", def->name, def->arg);
	else if (def)
		ss_err("--%s takes no argument: leave away what is behind '='", def->name);
	else if (optopt)
		ss_err("unknown option '-%c': see schedsampler --help", optopt);
	else
		ss_err("unknown or ambiguous option '%s': see schedsampler --help",
		       argv[optind - 1]);
	return SS_EXIT_USAGE;
}

/* The sinks, once format and outputs are known. */
static int select_outputs(struct ss_options *o, const char *format)
{
	if (!o->noutputs)
		o->output[o->noutputs++].path = "-";
	for (size_t i = 0; i < o->noutputs; i++) {
		struct ss_output *output = &o->output[i];

		output->ops = ss_sink_select(format, output->path);
		if (!output->ops) {
			ss_err("--format: '%s' is unknown or does not fit '%s': use text, csv or "
			       "jsonl; a directory takes csv", format, output->path);
			return SS_EXIT_USAGE;
		}
	}
	return -1;
}

/* What no option alone can tell. */
static int check(struct ss_options *o)
{
	bool target = o->npids || o->ntids || o->match || o->all || o->command;

	if (o->probe || o->list_columns)
		return -1;
	if (o->replay && o->command) {
		ss_err("--replay: '%s' is a recording: leave away the command '%s'", o->replay,
		       o->command[0]);
		return SS_EXIT_USAGE;
	}
	if (o->replay && strcmp(o->source, "auto") && strcmp(o->source, "procfs")) {
		ss_err("--replay: '%s' holds files only: leave away --source %s", o->replay,
		       o->source);
		return SS_EXIT_USAGE;
	}
	if (o->replay && !target)
		target = o->all = true;
	if (!target) {
		ss_err("no target: give -p PID, -t TID, -m REGEX, -a or -- COMMAND; see --help");
		return SS_EXIT_USAGE;
	}
	return -1;
}

static int parse(struct ss_options *o, const char **format, int argc, char **argv)
{
	struct option longopts[NDEFS + 1] = { 0 };
	/* '+': options end where something else begins. ':': we tell the errors. */
	char shortopts[2 * NDEFS + 3] = "+:";
	const char *last_arg = NULL;
	size_t len = strlen(shortopts);
	int id, status;

	for (size_t i = 0; i < NDEFS; i++) {
		longopts[i].name = defs[i].name;
		longopts[i].has_arg = defs[i].arg ? required_argument : no_argument;
		longopts[i].val = defs[i].id;
		if (defs[i].id < 256)
			shortopts[len++] = (char)defs[i].id;
		if (defs[i].id < 256 && defs[i].arg)
			shortopts[len++] = ':';
	}
	opterr = 0;
	optind = 0;	/* glibc: forget an earlier command line */
	while ((id = getopt_long(argc, argv, shortopts, longopts, NULL)) != -1) {
		if (id == '?' || id == ':')
			return bad_option(id, argv);
		status = apply(o, format, id, optarg);
		if (status >= 0)
			return status;
		last_arg = optarg;
	}
	/* "--" ends the options, unless it was the argument of the last one. */
	if (optind > 1 && !strcmp(argv[optind - 1], "--") && argv[optind - 1] != last_arg) {
		if (optind == argc) {
			ss_err("no command behind '--': give -- COMMAND [ARG...]");
			return SS_EXIT_USAGE;
		}
		o->command = argv + optind;
	} else if (optind < argc) {
		ss_err("unexpected argument '%s': a command to start goes behind '--'",
		       argv[optind]);
		return SS_EXIT_USAGE;
	}
	return -1;
}

int ss_options_parse(struct ss_options *options, int argc, char **argv)
{
	const char *format = NULL;
	int status;

	*options = (struct ss_options){
		.interval_ns = SS_NSEC_PER_SEC,
		.tolerance_ns = SS_NSEC_PER_MSEC,
		.source = "auto",
		.idle = true,
	};
	status = parse(options, &format, argc, argv);
	if (status < 0)
		status = select_outputs(options, format);
	if (status < 0)
		status = check(options);
	if (status >= 0)
		ss_options_free(options);
	return status;
}

void ss_options_free(struct ss_options *options)
{
	free(options->pids);
	free(options->tids);
	free(options->columns);
	*options = (struct ss_options){ 0 };
}
