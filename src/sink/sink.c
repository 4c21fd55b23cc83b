/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/sink.h"

#include <string.h>
#include <sys/stat.h>

const struct ss_sink_ops *const ss_sinks[] = {
	&ss_sink_text, &ss_sink_csv, &ss_sink_jsonl, &ss_sink_tree, NULL,
};

static bool ends_in(const char *path, const char *suffix)
{
	size_t len = strlen(path), n = strlen(suffix);

	return len >= n && !strcmp(path + len - n, suffix);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return ends_in(path, "/") || (!stat(path, &st) && S_ISDIR(st.st_mode));
}

static const struct ss_sink_ops *find(const char *format)
{
	for (size_t i = 0; ss_sinks[i]; i++)
		if (!strcmp(ss_sinks[i]->name, format))
			return ss_sinks[i];
	return NULL;
}

const struct ss_sink_ops *ss_sink_select(const char *format, const char *path)
{
	const struct ss_sink_ops *ops = format ? find(format) : NULL;
	bool is_stdout = !strcmp(path, "-");

	if (format && !ops)
		return NULL;
	if (!is_stdout && is_directory(path)) {
		/* The files of a tree are CSV, so that format fits too. */
		return !ops || ops == &ss_sink_csv || ops == &ss_sink_tree ? &ss_sink_tree : NULL;
	}
	if (ops)
		return ops == &ss_sink_tree && is_stdout ? NULL : ops;
	for (size_t i = 0; ss_sinks[i]; i++)
		if (ss_sinks[i]->suffix && ends_in(path, ss_sinks[i]->suffix))
			return ss_sinks[i];
	return ends_in(path, ".ndjson") ? &ss_sink_jsonl : &ss_sink_text;
}
