/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What file sinks share of I/O: whole rows reach the file or none of a row does.
 */
#ifndef SS_SINK_FILE_H
#define SS_SINK_FILE_H

#include <stdbool.h>

#include "base/buf.h"

/**
 * Open @path for writing, emptied; "-" is a duplicate of standard output, so that closing it
 * reports late errors of that file too. Returns a descriptor or negative errno.
 */
int ss_file_open(const char *path);

/** True for a regular file: only these have siblings, and can be cut after a failed write. */
bool ss_file_is_regular(int fd);

/**
 * Write all of @b, which ends at the end of a row, and empty it. When that fails part way through
 * a regular file, the file is cut after the last row that is whole. @csv: a line end inside quotes
 * does not end a row. Returns 0 or negative errno, that of @b included.
 */
int ss_file_write(int fd, struct ss_buf *b, bool csv);

/** close(2). Returns 0 or negative errno; a negative @fd is none. */
int ss_file_close(int fd);

#endif
