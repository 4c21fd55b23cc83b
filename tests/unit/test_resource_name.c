/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/util.h"
#include "source/resource_name.h"

static void key__any_object__its_name(void **state)
{
	static const struct { uint8_t object; uint64_t key; const char *name; } cases[] = {
		{ SS_OBJECT_NONE, 7, "" }, { SS_OBJECTS, 7, "" }, { 255, 7, "" },
		{ SS_OBJECT_SOCKET, 7, "socket:[7]" }, { SS_OBJECT_UNIX, 7, "unix:[7]" },
		{ SS_OBJECT_FILE, 7, "" }, { SS_OBJECT_FIFO, 7, "" }, { SS_OBJECT_DEVICE, 7, "" },
		{ SS_OBJECT_EPOLL, 7, "epoll fd 7" }, { SS_OBJECT_EVENTFD, 7, "eventfd fd 7" },
		{ SS_OBJECT_TIMERFD, 7, "timerfd fd 7" },
		{ SS_OBJECT_SIGNALFD, 7, "signalfd fd 7" },
		{ SS_OBJECT_IO_URING, 7, "io_uring fd 7" },
		{ SS_OBJECT_INOTIFY, 7, "inotify fd 7" },
		{ SS_OBJECT_ANON, 7, "anon fd 7" }, { SS_OBJECT_AIO, 31, "aio 0x1f" },
		{ SS_OBJECT_PIPE, UINT64_MAX, "pipe:[18446744073709551615]" },
		{ SS_OBJECT_FUTEX, UINT64_MAX, "0xffffffffffffffff" },
		{ SS_OBJECT_BLOCK, 259 << 20 | 0xfffff, "block 259:1048575" },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(cases); i++) {
		const struct ss_object_info info = { .object = cases[i].object,
						     .key = { cases[i].key, 8 } };
		char name[SS_NAME_SIZE];

		assert_int_equal(ss_name_key(name, &info), *cases[i].name != '\0');
		assert_string_equal(name, cases[i].name);
	}
	assert_int_equal(SS_ARRAY_SIZE(cases), SS_OBJECTS + 2);
}

static void socket__told__its_ends_are_its_name(void **state)
{
	static const struct {
		int family, type, protocol;
		const char *local;
		int local_port;
		const char *remote;
		int remote_port;
		const char *name;
	} cases[] = {
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP, "10.0.0.1", 5432, "10.0.0.2", 40122,
		  "tcp 10.0.0.1:5432 - 10.0.0.2:40122" },
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP, "0.0.0.0", 80, "0.0.0.0", 0,
		  "tcp 0.0.0.0:80" },
		{ AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::1", 80, "::1", 4000,
		  "tcp [::1]:80 - [::1]:4000" },
		{ AF_INET6, SOCK_STREAM, 262, "::", 80, "::", 0, "mptcp [::]:80" },
		{ AF_INET6, SOCK_STREAM, IPPROTO_SCTP, "::ffff:1.2.3.4", 1, "fe80::1", 65535,
		  "sctp [::ffff:1.2.3.4]:1 - [fe80::1]:65535" },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDP, "127.0.0.1", 53, "0.0.0.0", 0,
		  "udp 127.0.0.1:53" },
		{ AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "0.0.0.0", 9, "0.0.0.0", 0, "icmp 0.0.0.0:9" },
		{ AF_INET, SOCK_RAW, IPPROTO_ICMP, "0.0.0.0", 1, "8.8.8.8", 0,
		  "raw 0.0.0.0:1 - 8.8.8.8:0" },
		{ AF_INET, SOCK_DGRAM, IPPROTO_UDP, "127.0.0.1", 53, "0.0.0.0", 9,
		  "udp 127.0.0.1:53 - 0.0.0.0:9" },
		{ AF_INET, SOCK_STREAM, 33, "0.0.0.0", 1, "0.0.0.0", 0, "proto 33 0.0.0.0:1" },
		{ .family = AF_NETLINK, .name = "netlink" },
		{ .family = AF_PACKET, .name = "packet" },
		{ .family = AF_VSOCK, .name = "vsock" },
		{ .family = AF_TIPC, .name = "socket family 30" }, { .name = "socket:[7]" },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(cases); i++) {
		struct ss_object_info info = {
			.object = SS_OBJECT_SOCKET, .key = { 7, 8 },
			.family = cases[i].family, .type = cases[i].type,
			.protocol = cases[i].protocol, .local_port = cases[i].local_port,
			.remote_port = cases[i].remote_port,
		};

		char name[SS_NAME_SIZE];

		if (cases[i].local) {
			assert_int_equal(inet_pton(info.family, cases[i].local, info.local), 1);
			assert_int_equal(inet_pton(info.family, cases[i].remote, info.remote), 1);
		}
		ss_name_socket(name, &info);
		assert_string_equal(name, cases[i].name);
	}
}

static void last_part__told_or_not__as_long_as_it_is(void **state)
{
	struct ss_object_info info = { .object = SS_OBJECT_FILE };
	char name[SS_NAME_SIZE];

	(void)state;
	assert_false(ss_name_last_part(name, &info));
	assert_string_equal(name, "");
	/* No terminator. */
	memset(info.name, 'x', sizeof(info.name));
	assert_true(ss_name_last_part(name, &info));
	assert_int_equal(strlen(name), strlen("…/") + sizeof(info.name));
	ss_name_unix(name, &info);
	assert_int_equal(strlen(name), sizeof(info.name));
}

static void pipe_link__strict(void **state)
{
	static const char *const bad[] = {
		"", "pipe:[", "pipe:[]", "pipe:[1", "pipe:[1]x", "pipe:[-1]", "pipe:[ 1]", "pipe:1",
		"pipe:[18446744073709551616]", "socket:[1]", "Pipe:[1]",
	};
	uint64_t inode;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		assert_int_equal(ss_parse_pipe_link(bad[i], &inode), -EBADMSG);
	assert_int_equal(ss_parse_pipe_link("pipe:[4026531840]", &inode), 0);
	assert_int_equal(inode, 4026531840);
}

static const char maps[] =
	"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/a program (deleted)\n"
	"00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
	"7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
	"7f0000001000-7f0000002000 rw-s 00000000 00:01 9   /dev/zero (deleted)\n"
	"7f0000002000-7f0000003000 ---p 00000000 00:00 0   [anon:stacks]\n"
	"7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0   [stack]\n";

static void maps_find__address__its_line(void **state)
{
	static const struct { uint64_t address; const char *name; } cases[] = {
		{ 0x400000, "/usr/bin/a program (deleted)+0x1000" },
		{ 0x451fff, "/usr/bin/a program (deleted)+0x52fff" }, { 0x452000, NULL },
		{ 0xe03010, "[heap]+0x10" }, { 0x7f0000000ff8, "0x7f0000000ff8" },
		{ 0x7f0000001008, "/dev/zero (deleted)+0x8" },
		{ 0x7f0000002ff8, "[anon:stacks]+0xff8" }, { 0x7ffc00000020, "[stack]+0x20" },
		{ 0x7f0000003000, NULL }, { 0, NULL }, { UINT64_MAX, NULL },
	};

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(cases); i++) {
		char name[SS_NAME_SIZE];
		struct ss_mapping m;
		int err = ss_maps_find(maps, strlen(maps), cases[i].address, &m);

		assert_int_equal(err, cases[i].name ? 0 : -ENOENT);
		if (err)
			continue;
		ss_name_mapped(name, &m, cases[i].address);
		assert_string_equal(name, cases[i].name);
	}
}

static void maps_find__cut_off__without_the_last_line(void **state)
{
	struct ss_mapping m;

	(void)state;
	assert_int_equal(ss_maps_find(maps, strlen(maps) - 1, 0x7ffc00000000, &m), -ENOENT);
	assert_int_equal(ss_maps_find(maps, strlen(maps) - 1, 0x7f0000002000, &m), 0);
	assert_int_equal(ss_maps_find(maps, 40, 0x400000, &m), -ENOENT);
	assert_int_equal(ss_maps_find(maps, 0, 0x400000, &m), -ENOENT);
}

static void maps_find__other_text__is_rejected(void **state)
{
	static const char *const bad[] = {
		"\n", "x\n", "1000-2000\n", "1000-2000 rw-p 0 00:00 0\n",
		"1000-1000 rw-p 0 00:00 0 \n",
		"2000-1000 rw-p 0 00:00 0 \n", "1000-2000 rwzp 0 00:00 0 \n",
		"1000-2000 rw-p 0 00:00 \n", "1000-2000 rw-p 0 00 0 \n", "-2000 rw-p 0 00:00 0 \n",
		"1000-10000000000002000 rw-p 0 00:00 0 \n", "1000-2000 rw-p 0 00:00 a \n",
		"1000-2000 RW-p 0 00:00 0 \n", "0x1000-2000 rw-p 0 00:00 0 \n",
		" 1000-2000 rw-p 0 00:00 0 \n",
	};
	static const char with_nul[] = "1000-2000 rw-p 0 00:00 0 \0x\n";
	struct ss_mapping m;

	(void)state;
	for (size_t i = 0; i < SS_ARRAY_SIZE(bad); i++)
		assert_int_equal(ss_maps_find(bad[i], strlen(bad[i]), 0x1000, &m), -EBADMSG);
	assert_int_equal(ss_maps_find(with_nul, sizeof(with_nul) - 1, 0x1000, &m), -EBADMSG);
	assert_int_equal(ss_maps_find("1000-2000 rw-p 0 00:00 0 \n", 26, 0x1000, &m), 0);
	assert_int_equal(m.name_len, 0);
}

static void name__too_long__keeps_its_end(void **state)
{
	char name[SS_NAME_SIZE], path[300];
	struct ss_mapping m = { .start = 0x1000, .end = 0x2000, .name = path };

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 4, "/end", 4);
	ss_name_path(name, path, 255);
	assert_int_equal(strlen(name), 255);
	assert_memory_equal(name, path, 255);
	ss_name_path(name, path, sizeof(path));
	assert_int_equal(strlen(name), 255);
	assert_memory_equal(name, "…x", 4);
	assert_string_equal(name + 251, "/end");
	m.name_len = sizeof(path);
	ss_name_mapped(name, &m, 0x1010);
	assert_int_equal(strlen(name), 255);
	assert_string_equal(name + 246, "/end+0x10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key__any_object__its_name),
		cmocka_unit_test(socket__told__its_ends_are_its_name),
		cmocka_unit_test(last_part__told_or_not__as_long_as_it_is),
		cmocka_unit_test(pipe_link__strict),
		cmocka_unit_test(maps_find__address__its_line),
		cmocka_unit_test(maps_find__cut_off__without_the_last_line),
		cmocka_unit_test(maps_find__other_text__is_rejected),
		cmocka_unit_test(name__too_long__keeps_its_end),
	};

	return cmocka_run_group_tests_name("resource_name", tests, NULL, NULL);
}
