/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of resources, with what /proc tells of them. What was read there serves all that are named
 * in one go, and reading takes a tenth of the time at most: beyond that, names say less. Internal
 * to src/source/resources.c.
 */
#ifndef SS_SOURCE_RESOURCE_LOOK_H
#define SS_SOURCE_RESOURCE_LOOK_H

#include "base/procfs.h"
#include "source/resource_name.h"

#define SS_LOOK_PROCESSES 2000	/* with more the ends of pipes are not looked for */

/* A process that has a pipe open. */
struct ss_pipe_end {
	uint64_t inode;
	int32_t pid;
};

/* Begin with a zeroed one. Instants are of CLOCK_MONOTONIC. */
struct ss_look {
	const struct ss_procfs *procfs;	/* borrowed */
	uint32_t generation;		/* of it */
	int64_t left_ns, since_ns;	/* CPU time that reading may still take, as it was then */
	char *maps;			/* of one process */
	size_t maps_len;
	int32_t maps_pid;
	int64_t maps_until_ns;		/* they count as fresh */
	struct ss_pipe_end *ends;	/* by inode and pid */
	size_t nends;
	int64_t ends_until_ns;
	int64_t next_scan_ns;
};

/**
 * Name what process @pid waits for through its descriptor @fd (-1: none). @info has at least object
 * and key. False when there is no name.
 */
bool ss_look_name(struct ss_look *look, int32_t pid, int32_t fd, const struct ss_object_info *info,
		  char *name);

/** What was read may be old now. */
void ss_look_forget(struct ss_look *look);
void ss_look_free(struct ss_look *look);

#endif
