/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"

static enum ss_log_level max_level = SS_LOG_INFO;

void ss_log_set_level(enum ss_log_level level)
{
	max_level = level;
}

void ss_log(enum ss_log_level level, const char *format, ...)
{
	static const char no_memory[] = "schedsampler: no memory left to write a message\n";
	struct ss_buf line = { 0 };
	char text[1024];
	va_list args;
	ssize_t n;

	if (level > max_level)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ss_buf_str(&line, "schedsampler: ");
	ss_buf_term(&line, text);
	ss_buf_char(&line, '\n');
	/* There is nowhere to tell that stderr cannot be written. */
	if (line.error)
		n = write(STDERR_FILENO, no_memory, sizeof(no_memory) - 1);
	else
		n = write(STDERR_FILENO, line.data, line.len);
	(void)n;
	ss_buf_free(&line);
}

int ss_flush_stdout(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	ss_err("cannot write to stdout: %s", strerror(errno));
	return -EIO;
}
