/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for people, on stderr, one line each, prefixed with the program's name. Data never
 * goes here. Control characters are escaped, because messages quote names that other programs
 * chose. Thread-safe: one write(2) a line.
 */
#ifndef SS_BASE_LOG_H
#define SS_BASE_LOG_H

enum ss_log_level {
	SS_LOG_ERROR,		/* always shown */
	SS_LOG_WARN,		/* a degraded layer, a loss; hidden by -q */
	SS_LOG_INFO,		/* summaries; hidden by -q */
	SS_LOG_DEBUG,		/* shown by -v */
};

/** Show messages up to @level. Call before the first thread starts. */
void ss_log_set_level(enum ss_log_level level);

void ss_log(enum ss_log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** Hand to the kernel what was printed. Returns 0, or -EIO after a message. */
int ss_flush_stdout(void);

#define ss_err(...) ss_log(SS_LOG_ERROR, __VA_ARGS__)
#define ss_warn(...) ss_log(SS_LOG_WARN, __VA_ARGS__)
#define ss_info(...) ss_log(SS_LOG_INFO, __VA_ARGS__)
#define ss_debug(...) ss_log(SS_LOG_DEBUG, __VA_ARGS__)

#endif
