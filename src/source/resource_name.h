/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of resources from values; no I/O. A name is SS_NAME_SIZE bytes, NUL-terminated, and holds
 * what the kernel and other programs chose: whoever shows it escapes it. What does not fit is left
 * out at its end; of a path at its beginning.
 */
#ifndef SS_SOURCE_RESOURCE_NAME_H
#define SS_SOURCE_RESOURCE_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "account/fields.h"
#include "bpf/wire.h"

#define SS_NAME_SIZE sizeof(((struct ss_resource_row *)0)->name)

/* A line of /proc/PID/maps. */
struct ss_mapping {
	uint64_t start, end;
	uint64_t offset;	/* of @start in the file; 0 without a file */
	const char *name;	/* within the text: path, "[heap]", ... */
	size_t name_len;	/* 0: anonymous */
};

/**
 * The mapping of @address in the text of /proc/PID/maps, whose last line may be cut off. Looks at
 * a few lines only, because the kernel tells them in order. Returns 0, -ENOENT when there is none,
 * or -EBADMSG when a line is not what the kernel prints.
 */
int ss_maps_find(const char *text, size_t len, uint64_t address, struct ss_mapping *mapping);

/** The inode of the link of a descriptor, "pipe:[INODE]". Returns 0 or -EBADMSG. */
int ss_parse_pipe_link(const char *text, uint64_t *inode);

/** Append to @name. */
void ss_name_add(char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** From object and key alone. False for objects without a name by number; @name is empty then. */
bool ss_name_key(char *name, const struct ss_object_info *info);

/** A path, or any longer part of one that ends it. */
void ss_name_path(char *name, const char *path, size_t len);

/** "PATH+0xOFFSET"; "0xADDRESS" in an anonymous mapping. */
void ss_name_mapped(char *name, const struct ss_mapping *mapping, uint64_t address);

/** Sockets that are not of AF_UNIX: "tcp 10.0.0.1:5432 - 10.0.0.2:40122", the local end first. */
void ss_name_socket(char *name, const struct ss_object_info *info);

/** Sockets of AF_UNIX, but for the process at the other end. */
void ss_name_unix(char *name, const struct ss_object_info *info);

/** "…/NAME" of a file of which no more is known. False: not even that; @name is empty then. */
bool ss_name_last_part(char *name, const struct ss_object_info *info);

#endif
