/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/resource_name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/util.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static bool skip_char(const char **p, const char *end, char c)
{
	if (*p == end || **p != c)
		return false;
	++*p;
	return true;
}

/* As seq_put_hex_ll() prints it. */
static bool parse_hex(const char **p, const char *end, uint64_t *value)
{
	static const char digits[] = "0123456789abcdef";
	const char *first = *p, *digit;

	for (*value = 0; *p < end && **p && (digit = strchr(digits, **p)); ++*p) {
		if (*value >> 60)
			return false;
		*value = *value << 4 | (uint64_t)(digit - digits);
	}
	return *p > first;
}

/* "START-END rwxp OFFSET MAJOR:MINOR INODE   NAME": show_vma_header_prefix(). */
static int parse_mapping(const char *p, const char *end, struct ss_mapping *m)
{
	uint64_t major, minor, inode;

	if (!parse_hex(&p, end, &m->start) || !skip_char(&p, end, '-') ||
	    !parse_hex(&p, end, &m->end) || m->end <= m->start || !skip_char(&p, end, ' '))
		return -EBADMSG;
	for (int i = 0; i < 4; i++, p++)
		if (p == end || (*p != "rwxp"[i] && *p != "---s"[i]))
			return -EBADMSG;
	if (!skip_char(&p, end, ' ') || !parse_hex(&p, end, &m->offset) ||
	    !skip_char(&p, end, ' ') || !parse_hex(&p, end, &major) || !skip_char(&p, end, ':') ||
	    !parse_hex(&p, end, &minor) || !skip_char(&p, end, ' ') ||
	    ss_parse_u64(&p, end, &inode) || !skip_char(&p, end, ' '))
		return -EBADMSG;
	while (skip_char(&p, end, ' '))
		;
	m->name = p;
	m->name_len = (size_t)(end - p);
	return memchr(p, '\0', m->name_len) ? -EBADMSG : 0;
}

int ss_maps_find(const char *text, size_t len, uint64_t address, struct ss_mapping *mapping)
{
	const char *low = text, *high = memrchr(text, '\n', len);

	/* Both are at the beginning of a line, or @high at the end of the text. */
	high = high ? high + 1 : text;
	while (low < high) {
		const char *line = low + (high - low) / 2, *end;

		/* That line ends at or behind the middle, within the range. */
		end = memchr(line, '\n', (size_t)(high - line));
		line = memrchr(low, '\n', (size_t)(line - low));
		line = line ? line + 1 : low;
		if (parse_mapping(line, end, mapping))
			return -EBADMSG;
		if (address < mapping->start)
			high = line;
		else if (address >= mapping->end)
			low = end + 1;
		else
			return 0;
	}
	return -ENOENT;
}

int ss_parse_pipe_link(const char *text, uint64_t *inode)
{
	static const char prefix[] = "pipe:[";
	const char *p = text + strlen(prefix), *end = text + strlen(text);

	if (strncmp(text, prefix, strlen(prefix)) || ss_parse_u64(&p, end, inode) ||
	    strcmp(p, "]"))
		return -EBADMSG;
	return 0;
}

void ss_name_add(char *name, const char *format, ...)
{
	size_t len = strlen(name);
	va_list args;

	va_start(args, format);
	vsnprintf(name + len, SS_NAME_SIZE - len, format, args);
	va_end(args);
}

bool ss_name_key(char *name, const struct ss_object_info *info)
{
	static const struct { const char *before, *behind; } texts[SS_OBJECTS] = {
		[SS_OBJECT_PIPE] = { "pipe:[", "]" },
		[SS_OBJECT_SOCKET] = { "socket:[", "]" },
		[SS_OBJECT_UNIX] = { "unix:[", "]" },
		[SS_OBJECT_EPOLL] = { "epoll fd ", "" },
		[SS_OBJECT_EVENTFD] = { "eventfd fd ", "" },
		[SS_OBJECT_TIMERFD] = { "timerfd fd ", "" },
		[SS_OBJECT_SIGNALFD] = { "signalfd fd ", "" },
		[SS_OBJECT_IO_URING] = { "io_uring fd ", "" },
		[SS_OBJECT_INOTIFY] = { "inotify fd ", "" },
		[SS_OBJECT_ANON] = { "anon fd ", "" },
	};
	uint64_t key = info->key[0];

	*name = '\0';
	if (info->object == SS_OBJECT_FUTEX)
		ss_name_add(name, "0x%" PRIx64, key);
	else if (info->object == SS_OBJECT_AIO)
		ss_name_add(name, "aio 0x%" PRIx64, key);
	else if (info->object == SS_OBJECT_BLOCK)
		ss_name_add(name, "block %" PRIu64 ":%" PRIu64, key >> 20, key & 0xfffff);
	else if (info->object < SS_OBJECTS && texts[info->object].before)
		ss_name_add(name, "%s%" PRIu64 "%s", texts[info->object].before, key,
			    texts[info->object].behind);
	return *name;
}

/* The end of a path tells more than its beginning. */
static void put_path(char *name, const char *path, size_t len, const char *behind)
{
	static const char cut[] = "…";
	size_t room = SS_NAME_SIZE - 1 - strlen(behind);
	bool fits = len <= room;

	if (!fits) {
		room -= strlen(cut);
		path += len - room;
		len = room;
	}
	*name = '\0';
	ss_name_add(name, "%s%.*s%s", fits ? "" : cut, (int)len, path, behind);
}

void ss_name_path(char *name, const char *path, size_t len)
{
	put_path(name, path, len, "");
}

void ss_name_mapped(char *name, const struct ss_mapping *mapping, uint64_t address)
{
	char behind[24];

	if (!mapping->name_len) {
		*name = '\0';
		ss_name_add(name, "0x%" PRIx64, address);
		return;
	}
	snprintf(behind, sizeof(behind), "+0x%" PRIx64,
		 mapping->offset + (address - mapping->start));
	put_path(name, mapping->name, mapping->name_len, behind);
}

static void add_protocol(char *name, const struct ss_object_info *info)
{
	static const struct { uint16_t number; const char *name; } protocols[] = {
		{ IPPROTO_TCP, "tcp" }, { IPPROTO_UDP, "udp" }, { IPPROTO_SCTP, "sctp" },
		{ IPPROTO_ICMP, "icmp" }, { IPPROTO_ICMPV6, "icmpv6" }, { IPPROTO_MPTCP, "mptcp" },
	};

	if (info->type == SOCK_RAW) {
		ss_name_add(name, "raw");
		return;
	}
	for (size_t i = 0; i < SS_ARRAY_SIZE(protocols); i++) {
		if (protocols[i].number == info->protocol) {
			ss_name_add(name, "%s", protocols[i].name);
			return;
		}
	}
	ss_name_add(name, "proto %u", (unsigned)info->protocol);
}

static void add_address(char *name, uint16_t family, const uint8_t *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(family, address, text, sizeof(text));
	ss_name_add(name, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, (unsigned)port);
}

void ss_name_socket(char *name, const struct ss_object_info *info)
{
	static const uint8_t none[sizeof(info->remote)];
	size_t len = info->family == AF_INET ? 4 : 16;

	*name = '\0';
	switch (info->family) {
	case AF_INET:
	case AF_INET6:
		add_protocol(name, info);
		ss_name_add(name, " ");
		add_address(name, info->family, info->local, info->local_port);
		if (info->remote_port || memcmp(info->remote, none, len)) {
			ss_name_add(name, " - ");
			add_address(name, info->family, info->remote, info->remote_port);
		}
		break;
	case AF_NETLINK:
		ss_name_add(name, "netlink");
		break;
	case AF_PACKET:
		ss_name_add(name, "packet");
		break;
	case AF_VSOCK:
		ss_name_add(name, "vsock");
		break;
	case AF_UNSPEC:		/* not told */
		ss_name_key(name, info);
		break;
	default:
		ss_name_add(name, "socket family %u", (unsigned)info->family);
	}
}

void ss_name_unix(char *name, const struct ss_object_info *info)
{
	ss_name_key(name, info);
	if (info->name[0])
		snprintf(name, SS_NAME_SIZE, "%.*s", (int)sizeof(info->name), info->name);
}

bool ss_name_last_part(char *name, const struct ss_object_info *info)
{
	*name = '\0';
	if (info->name[0])
		ss_name_add(name, "…/%.*s", (int)sizeof(info->name), info->name);
	return *name;
}
