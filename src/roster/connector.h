/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's process events connector (drivers/connector/cn_proc.c): every fork, exec, rename
 * and exit of the machine as it happens, with its instant. It speaks of the initial PID and user
 * namespaces only, and only to listeners in them.
 */
#ifndef SS_ROSTER_CONNECTOR_H
#define SS_ROSTER_CONNECTOR_H

#include <stddef.h>
#include <stdint.h>

enum ss_connector_kind {
	SS_CONNECTOR_ACK, SS_CONNECTOR_FORK, SS_CONNECTOR_EXEC, SS_CONNECTOR_COMM,
	SS_CONNECTOR_EXIT, SS_CONNECTOR_OTHER,
};

struct ss_connector_event {
	enum ss_connector_kind kind;
	int32_t pid, tid;	/* whom it is about; of a fork: the child */
	int32_t parent_pid;	/* fork only: the child's parent process */
	int64_t mono_ns;	/* ktime_get_ns() */
	char comm[17];		/* comm only */
	uint32_t ack, err;	/* ack only: our number + 1, positive errno */
};

/**
 * Decode one datagram. Pure; @data needs no alignment. Returns 0, or -EBADMSG when it is not
 * exactly what the kernel sends: one netlink message with one struct proc_event.
 */
int ss_connector_parse(const void *data, size_t len, struct ss_connector_event *ev);

struct ss_connector;

/**
 * Subscribe, and wait up to 100 ms for the kernel's consent. Returns 0; -ETIMEDOUT when the kernel
 * does not answer, which is how it treats other namespaces; or negative errno, such as -EPERM.
 */
int ss_connector_open(struct ss_connector **connector);

/**
 * The next event, without waiting. Returns 1, 0 when there is none, -ENOBUFS when the queue
 * overflowed and events were lost, -EBADMSG when a message was not the kernel's or did not parse;
 * after both the next call goes on.
 */
int ss_connector_next(struct ss_connector *connector, struct ss_connector_event *ev);

/** Unsubscribe and free. NULL is allowed. */
void ss_connector_close(struct ss_connector *connector);

#endif
