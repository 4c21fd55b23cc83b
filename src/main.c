// SPDX-License-Identifier: GPL-2.0-or-later
#include <locale.h>
#include <stdio.h>

#include "base/log.h"
#include "engine.h"
#include "options.h"

static int list_columns(void)
{
	size_t t, c;

	for (t = 0; t < SS_TABLE_COUNT; t++) {
		const struct ss_table *table = ss_tables[t];

		printf("%s%s: %s\n", t ? "\n" : "", table->name, table->help);
		for (c = 0; c < table->ncolumns; c++)
			printf("  %-16s %-6s %s\n", table->columns[c].name, table->columns[c].unit,
			       table->columns[c].help);
	}
	return ss_flush_stdout() ? SS_EXIT_FAILURE : SS_EXIT_OK;
}

int main(int argc, char **argv)
{
	struct ss_options options;
	int status;

	/* Widths of names in text; numbers are formatted without the locale. */
	setlocale(LC_CTYPE, "");
	status = ss_options_parse(&options, argc, argv);
	if (status >= 0)
		return status;
	ss_log_set_level(options.quiet ? SS_LOG_ERROR :
			 options.verbose ? SS_LOG_DEBUG : SS_LOG_INFO);
	if (options.list_columns)
		status = list_columns();
	else if (options.probe)
		status = ss_engine_probe(&options);
	else
		status = ss_engine_run(&options, argc, argv);
	ss_options_free(&options);
	return status;
}
