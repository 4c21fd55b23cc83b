/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/util.h"
#include "source/resource_look.h"
#include "source/resources.h"

static struct ss_procfs procfs;
static struct ss_resources *resources;
static int64_t last_id;
static char tree[64];

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	ss_resources_free(resources);
	ss_procfs_close(&procfs);
	last_id = 0;
	return *tree ? nftw(tree, remove_one, 8, FTW_DEPTH | FTW_PHYS) : 0;
}

static int setup(void **state)
{
	(void)state;
	*tree = '\0';
	return ss_procfs_open(&procfs) || ss_resources_new(&resources, &procfs);
}

static void make_dir(const char *dir)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tree, dir);
	assert_true(!mkdir(path, 0755) || errno == EEXIST);
}

static void make_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", tree, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void make_link(const char *name, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", tree, name);
	assert_int_equal(symlink(target, path), 0);
}

static void make_process(int pid, const char *comm)
{
	char name[32];

	snprintf(name, sizeof(name), "1/%d", pid);
	make_dir(name);
	snprintf(name, sizeof(name), "1/%d/fd", pid);
	make_dir(name);
	snprintf(name, sizeof(name), "1/%d/comm", pid);
	if (comm)
		make_file(name, comm);
}

static int setup_tree(void **state)
{
	struct ss_procfs_clock clock;

	(void)state;
	strcpy(tree, "/tmp/ss-resources-XXXXXX");
	if (!mkdtemp(tree))
		return -1;
	make_dir("1");
	make_dir("2");
	make_file("1/clock", "1 1 1 1\n");
	make_file("2/clock", "2 2 2 2\n");
	return ss_procfs_open_replay(&procfs, tree) || ss_procfs_next(&procfs, &clock) != 1 ||
	       ss_resources_new(&resources, &procfs);
}

static struct ss_cause cause_of(uint8_t object, uint64_t key0, uint64_t key1, int32_t fd)
{
	return (struct ss_cause){ .object = object, .syscall = -1, .fd = fd,
				  .key = { key0, key1 } };
}

/* The row of what process @pid waits for, which must be new. */
static struct ss_resource_row new_row(int32_t pid, struct ss_cause cause)
{
	struct ss_resource_row row;
	bool fresh;
	int64_t id = ss_resources_id(resources, pid, &cause, &fresh);

	assert_true(fresh);
	assert_true(id > last_id);
	last_id = id;
	memset(&row, 0xa5, sizeof(row));
	ss_resources_row(resources, id, &row);
	assert_int_equal(row.id, id);
	assert_int_equal(row.object, cause.object);
	assert_int_equal(row.key[0], cause.key[0]);
	assert_int_equal(row.key[1], cause.key[1]);
	return row;
}

static void assert_named(int32_t pid, struct ss_cause cause, const char *want)
{
	struct ss_resource_row row = new_row(pid, cause);

	if (want) {
		assert_true(row.have & SS_RESOURCE_NAME);
		assert_string_equal(row.name, want);
	} else {
		assert_false(row.have & SS_RESOURCE_NAME);
	}
}

static int64_t id_of(int32_t pid, struct ss_cause cause, bool want_fresh)
{
	bool fresh;
	int64_t id = ss_resources_id(resources, pid, &cause, &fresh);

	assert_int_equal(fresh, want_fresh);
	return id;
}

static void id__same_object__same_number(void **state)
{
	struct ss_cause epoll = cause_of(SS_OBJECT_EPOLL, 5, 0, 5);
	struct ss_cause socket_cause = cause_of(SS_OBJECT_SOCKET, 5, 0, 5);
	struct ss_resource_row row;

	(void)state;
	assert_int_equal(id_of(10, epoll, true), 1);
	assert_int_equal(id_of(10, epoll, false), 1);
	/* Descriptors are the process's, inodes the machine's. */
	assert_int_equal(id_of(11, epoll, true), 2);
	assert_int_equal(id_of(10, socket_cause, true), 3);
	assert_int_equal(id_of(11, socket_cause, false), 3);
	socket_cause.key[1] = 1;
	assert_int_equal(id_of(10, socket_cause, true), 4);

	ss_resources_row(resources, 2, &row);
	assert_int_equal(row.have, SS_RESOURCE_PID | SS_RESOURCE_NAME);
	assert_int_equal(row.pid, 11);
	assert_string_equal(row.name, "epoll fd 5");
	ss_resources_row(resources, 3, &row);
	assert_int_equal(row.have, SS_RESOURCE_NAME);
	assert_string_equal(row.name, "socket:[5]");
	ss_resources_row(resources, 5, &row);
	assert_int_equal(row.id, 5);
	assert_int_equal(row.have, 0);
}

static void id__no_object__is_0(void **state)
{
	struct ss_object_info info = { .object = SS_OBJECTS };

	(void)state;
	assert_int_equal(id_of(1, cause_of(SS_OBJECT_NONE, 1, 2, 3), false), 0);
	assert_int_equal(id_of(1, cause_of(SS_OBJECTS, 1, 2, 3), false), 0);
	ss_resources_tell(resources, &info);
	info.object = SS_OBJECT_NONE;
	ss_resources_tell(resources, &info);
}

static void id__too_many__longest_unused_is_forgotten(void **state)
{
	const int max = 65536;
	struct ss_resource_row row;

	(void)state;
	for (int i = 0; i < max; i++)
		assert_int_equal(id_of(1, cause_of(SS_OBJECT_AIO, i, 0, -1), true), i + 1);
	assert_int_equal(id_of(1, cause_of(SS_OBJECT_AIO, 0, 0, -1), false), 1);
	assert_int_equal(id_of(1, cause_of(SS_OBJECT_AIO, max, 0, -1), true), max + 1);
	/* The first was used since, the second was not; numbers do not come again. */
	assert_int_equal(id_of(1, cause_of(SS_OBJECT_AIO, 0, 0, -1), false), 1);
	ss_resources_row(resources, 2, &row);
	assert_int_equal(row.have, 0);
	ss_resources_row(resources, 3, &row);
	assert_string_equal(row.name, "aio 0x2");
	assert_int_equal(id_of(1, cause_of(SS_OBJECT_AIO, 1, 0, -1), true), max + 2);
	ss_resources_row(resources, max + 1, &row);
	assert_string_equal(row.name, "aio 0x10000");
}

static void address(struct ss_object_info *info, int family, const char *local, const char *remote)
{
	info->family = family;
	assert_int_equal(inet_pton(family, local, info->local), 1);
	assert_int_equal(inet_pton(family, remote, info->remote), 1);
}

static void tell__another_of_that_inode__new_number(void **state)
{
	const struct ss_cause cause = cause_of(SS_OBJECT_SOCKET, 100, 8, 3);
	struct ss_object_info info = {
		.object = SS_OBJECT_SOCKET, .type = SOCK_STREAM, .protocol = IPPROTO_TCP,
		.local_port = 80, .pid = 1, .fd = 3, .key = { 100, 8 },
	};
	struct ss_resource_row row;
	int64_t id;

	(void)state;
	address(&info, AF_INET, "10.0.0.1", "10.0.0.2");
	id = id_of(1, cause, true);
	/* It had no name but its number. */
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "tcp 10.0.0.1:80 - 10.0.0.2:0");
	ss_resources_row(resources, id, &row);
	assert_int_equal(row.have, 0);
	/* The same again, by another process. */
	id = id_of(1, cause, false);
	info.pid = 2;
	ss_resources_tell(resources, &info);
	assert_int_equal(id_of(2, cause, false), id);
	info.remote_port = 90;
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "tcp 10.0.0.1:80 - 10.0.0.2:90");
	address(&info, AF_INET, "10.0.0.1", "10.0.0.3");
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "tcp 10.0.0.1:80 - 10.0.0.3:90");
	info.family = AF_VSOCK;
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "vsock");
}

static void tell__unix__path_and_peer(void **state)
{
	const struct ss_cause cause = cause_of(SS_OBJECT_UNIX, 100, 8, 3);
	struct ss_object_info info = {
		.object = SS_OBJECT_UNIX, .family = AF_UNIX, .key = { 100, 8 },
	};

	(void)state;
	make_process(20, "nginx: worker\n");
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "unix:[100]");
	/* That its peer and its path are known now makes no other of it. */
	info.peer_pid = 20;
	ss_resources_tell(resources, &info);
	id_of(1, cause, false);
	strcpy(info.name, "/run/x");
	ss_resources_tell(resources, &info);
	id_of(1, cause, false);
	strcpy(info.name, "@abstract");
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "@abstract - 20 nginx: worker");
	info.peer_pid = 21;
	ss_resources_tell(resources, &info);
	assert_named(1, cause, "@abstract - 21");
}

static const char maps[] =
	"00400000-00452000 r-xp 00001000 08:02 173521      /usr/bin/program\n"
	"00e03000-00e24000 rw-p 00000000 00:00 0           [heap]\n"
	"7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n";

static void id__futex__named_by_its_mapping(void **state)
{
	struct ss_procfs_clock clock;

	(void)state;
	make_process(30, NULL);
	make_file("1/30/maps", maps);
	assert_named(30, cause_of(SS_OBJECT_FUTEX, 0xe03020, 0, -1), "[heap]+0x20");
	assert_named(30, cause_of(SS_OBJECT_FUTEX, 0x401008, 1, -1), "/usr/bin/program+0x2008");
	assert_named(30, cause_of(SS_OBJECT_FUTEX, 0x7f0000000008, 0, -1), "0x7f0000000008");
	/* Another process, and one that ended. */
	make_process(31, NULL);
	make_file("1/31/maps", "00e03000-00e24000 rw-p 00000000 00:00 0     [stack]\n");
	assert_named(31, cause_of(SS_OBJECT_FUTEX, 0xe03020, 0, -1), "[stack]+0x20");
	assert_named(32, cause_of(SS_OBJECT_FUTEX, 0xe03020, 0, -1), "0xe03020");
	/* What was read of an earlier tick is not of this one. */
	assert_named(30, cause_of(SS_OBJECT_FUTEX, 0xe03030, 0, -1), "[heap]+0x30");
	make_dir("2/30");
	make_file("2/30/maps", "00e03000-00e24000 rw-p 00000000 00:00 0     /x\n");
	assert_int_equal(ss_procfs_next(&procfs, &clock), 1);
	assert_named(30, cause_of(SS_OBJECT_FUTEX, 0xe03038, 0, -1), "/x+0x38");
}

static void look__maps__read_once_until_told(void **state)
{
	struct ss_object_info info = { .object = SS_OBJECT_FUTEX, .key = { 0x1010, 0 } };
	struct ss_look look = { .procfs = &procfs, .generation = procfs.generation };
	char name[SS_NAME_SIZE];

	(void)state;
	make_process(30, NULL);
	make_file("1/30/maps", "1000-2000 rw-p 0 00:00 0 /one\n");
	assert_true(ss_look_name(&look, 30, -1, &info, name));
	assert_string_equal(name, "/one+0x10");
	look.maps_until_ns = INT64_MAX;
	make_file("1/30/maps", "1000-2000 rw-p 0 00:00 0 /two\n");
	assert_true(ss_look_name(&look, 30, -1, &info, name));
	assert_string_equal(name, "/one+0x10");
	ss_look_forget(&look);
	assert_true(ss_look_name(&look, 30, -1, &info, name));
	assert_string_equal(name, "/two+0x10");
	ss_look_free(&look);
}

static void look__time_is_used_up__names_say_less(void **state)
{
	struct ss_object_info futex = { .object = SS_OBJECT_FUTEX, .key = { (uintptr_t)maps, 0 } };
	struct ss_object_info pipe_info = { .object = SS_OBJECT_PIPE, .key = { 77, 0 } };
	struct ss_look look = { .procfs = &procfs, .generation = procfs.generation };
	char name[SS_NAME_SIZE], want[32];

	(void)state;
	snprintf(want, sizeof(want), "0x%" PRIxPTR, (uintptr_t)maps);
	look.left_ns = INT64_MIN / 2;
	assert_true(ss_look_name(&look, getpid(), -1, &futex, name));
	assert_string_equal(name, want);
	assert_true(ss_look_name(&look, 0, -1, &pipe_info, name));
	assert_string_equal(name, "pipe:[77]");
	assert_null(look.maps);
	assert_null(look.ends);
	look.left_ns = look.since_ns = 0;
	assert_true(ss_look_name(&look, getpid(), -1, &futex, name));
	assert_non_null(strstr(name, "test_resources+0x"));
	ss_look_free(&look);
}

static void id__pipe__with_its_other_processes(void **state)
{
	(void)state;
	make_process(50, "sh\n");
	make_link("1/50/fd/1", "pipe:[77]");
	make_process(51, "cat\n");
	make_link("1/51/fd/0", "pipe:[77]");
	make_link("1/51/fd/1", "pipe:[78]");
	make_link("1/51/fd/2", "pipe:[77]");
	make_link("1/51/fd/9", "pipe:[770]");
	assert_named(51, cause_of(SS_OBJECT_PIPE, 77, 8, 0), "pipe:[77] with 50 sh");
	assert_named(51, cause_of(SS_OBJECT_PIPE, 78, 8, 1), "pipe:[78]");
	assert_named(51, cause_of(SS_OBJECT_PIPE, 76, 8, 1), "pipe:[76]");
	assert_named(50, cause_of(SS_OBJECT_PIPE, 770, 8, 1), "pipe:[770] with 51 cat");
}

static void id__pipe_of_many__three_are_named(void **state)
{
	(void)state;
	for (int pid = 60; pid < 65; pid++) {
		char name[32];

		make_process(pid, pid == 62 ? NULL : "w\n");
		snprintf(name, sizeof(name), "1/%d/fd/0", pid);
		make_link(name, "pipe:[77]");
		snprintf(name, sizeof(name), "1/%d/fd/1", pid);
		make_link(name, pid < 63 ? "pipe:[78]" : "pipe:[7x]");
	}
	assert_named(60, cause_of(SS_OBJECT_PIPE, 77, 8, 0), "pipe:[77] with 61 w, 62, 63 w, …");
	assert_named(1, cause_of(SS_OBJECT_PIPE, 78, 8, 0), "pipe:[78] with 60 w, 61 w, 62");
}

static void look__pipes__scanned_seldom(void **state)
{
	struct ss_object_info info = { .object = SS_OBJECT_PIPE, .key = { 77, 0 } };
	struct ss_look look = { .procfs = &procfs, .generation = procfs.generation };
	char name[SS_NAME_SIZE];

	(void)state;
	make_process(50, "sh\n");
	make_link("1/50/fd/1", "pipe:[77]");
	look.next_scan_ns = INT64_MAX;
	assert_true(ss_look_name(&look, 1, -1, &info, name));
	assert_string_equal(name, "pipe:[77]");
	look.next_scan_ns = 0;
	assert_true(ss_look_name(&look, 1, -1, &info, name));
	assert_string_equal(name, "pipe:[77] with 50 sh");
	/* What one scan found serves the others. */
	look.next_scan_ns = look.ends_until_ns = INT64_MAX;
	info.key[0] = 78;
	make_link("1/50/fd/2", "pipe:[78]");
	assert_true(ss_look_name(&look, 1, -1, &info, name));
	assert_string_equal(name, "pipe:[78]");
	look.next_scan_ns = look.ends_until_ns = 0;
	assert_true(ss_look_name(&look, 1, -1, &info, name));
	assert_string_equal(name, "pipe:[78] with 50 sh");
	ss_look_free(&look);
}

static void id__pipe_among_too_many_processes__bare(void **state)
{
	struct ss_object_info info = { .object = SS_OBJECT_NONE };
	char name[32];

	(void)state;
	make_process(1, "sh\n");
	make_link("1/1/fd/1", "pipe:[77]");
	for (int pid = 2; pid <= SS_LOOK_PROCESSES; pid++) {
		snprintf(name, sizeof(name), "1/%d", pid);
		make_dir(name);
	}
	assert_named(2, cause_of(SS_OBJECT_PIPE, 77, 8, 0), "pipe:[77] with 1 sh");
	make_process(SS_LOOK_PROCESSES + 1, "sh\n");
	ss_resources_tell(resources, &info);
	assert_named(2, cause_of(SS_OBJECT_PIPE, 77, 9, 0), "pipe:[77]");
}

/* What stat(2) tells of a descriptor of ours. */
static struct ss_cause cause_of_fd(uint8_t object, int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return cause_of(object, st.st_ino, st.st_dev, fd);
}

static void id__own_pipe__is_found(void **state)
{
	int ends[2];
	struct ss_resource_row row;
	struct ss_cause cause;
	char want[64];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	cause = cause_of_fd(SS_OBJECT_PIPE, ends[0]);
	snprintf(want, sizeof(want), "pipe:[%llu] with %d test_resources",
		 (unsigned long long)cause.key[0], (int)getpid());
	row = new_row(1, cause);
	/* A machine may have more processes than are looked at. */
	if (strchr(row.name, ' '))
		assert_string_equal(row.name, want);
	close(ends[0]);
	close(ends[1]);
}

static void id__own_file__has_its_path(void **state)
{
	struct ss_object_info info = { .object = SS_OBJECT_FILE, .pid = getpid() };
	char path[] = "/tmp/ss-resources-XXXXXX", name[64];
	int fd = mkstemp(path), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct ss_cause file, wrong;

	(void)state;
	assert_true(fd >= 0 && null >= 0);
	file = cause_of_fd(SS_OBJECT_FILE, fd);
	assert_named(getpid(), cause_of_fd(SS_OBJECT_DEVICE, null), "/dev/null");
	/* Another device, another inode, and the descriptor of another file. */
	wrong = file;
	wrong.key[1]++;
	assert_named(getpid(), wrong, NULL);
	wrong = file;
	wrong.key[0]++;
	assert_named(getpid(), wrong, NULL);
	assert_named(getpid(), file, path);

	info.fd = null;
	info.key[0] = file.key[0];
	info.key[1] = file.key[1] + 2;
	strcpy(info.name, "last part");
	ss_resources_tell(resources, &info);
	wrong = cause_of(SS_OBJECT_FILE, info.key[0], info.key[1], -1);
	assert_named(1, wrong, "…/last part");
	/* The descriptor that was told; and a device that stat(2) does not know. */
	info.fd = fd;
	strcpy(info.name, strrchr(path, '/') + 1);
	ss_resources_tell(resources, &info);
	assert_named(1, wrong, path);
	assert_int_equal(unlink(path), 0);
	strcpy(info.name, "x");
	ss_resources_tell(resources, &info);
	assert_named(1, wrong, "…/x");
	info.key[1] = file.key[1];
	ss_resources_tell(resources, &info);
	id_of(1, file, false);
	info.name[0] = '\0';
	ss_resources_tell(resources, &info);
	snprintf(name, sizeof(name), "%s (deleted)", path);
	assert_named(getpid(), file, name);
	close(fd);
	close(null);
}

static void id__own_futex__is_in_the_program(void **state)
{
	int *anonymous = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct ss_resource_row row;
	char want[32];

	(void)state;
	assert_true(anonymous != MAP_FAILED);
	row = new_row(getpid(), cause_of(SS_OBJECT_FUTEX, (uintptr_t)maps, 0, -1));
	assert_non_null(strstr(row.name, "/test_resources+0x"));
	assert_int_equal(row.have, SS_RESOURCE_PID | SS_RESOURCE_NAME);
	assert_int_equal(row.pid, getpid());
	snprintf(want, sizeof(want), "0x%" PRIxPTR, (uintptr_t)anonymous);
	assert_named(getpid(), cause_of(SS_OBJECT_FUTEX, (uintptr_t)anonymous, 0, -1), want);
	munmap(anonymous, 4096);
}

static void id__block_device__has_its_name(void **state)
{
	char path[64], name[64];
	unsigned major, minor;
	FILE *f = popen("cd /sys/class/block 2>/dev/null && for d in *; do [ -e \"$d/dev\" ] && "
			"echo \"$d\" $(tr : ' ' <\"$d/dev\") && break; done", "r");

	(void)state;
	assert_non_null(f);
	if (fscanf(f, "%63s %u %u", name, &major, &minor) != 3) {
		pclose(f);
		skip();
	}
	pclose(f);
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
	if (access(path, F_OK))
		skip();
	assert_named(1, cause_of(SS_OBJECT_BLOCK, (uint64_t)major << 20 | minor, 0, -1), name);
	assert_named(1, cause_of(SS_OBJECT_BLOCK, 0xfff00000ULL | 0xfffff, 0, -1),
		     "block 4095:1048575");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define TREE_TEST(f) cmocka_unit_test_setup_teardown(f, setup_tree, teardown)
	const struct CMUnitTest tests[] = {
		TEST(id__same_object__same_number),
		TEST(id__no_object__is_0),
		TEST(id__too_many__longest_unused_is_forgotten),
		TEST(tell__another_of_that_inode__new_number),
		TREE_TEST(tell__unix__path_and_peer),
		TREE_TEST(id__futex__named_by_its_mapping),
		TREE_TEST(look__maps__read_once_until_told),
		TEST(look__time_is_used_up__names_say_less),
		TREE_TEST(id__pipe__with_its_other_processes),
		TREE_TEST(id__pipe_of_many__three_are_named),
		TREE_TEST(look__pipes__scanned_seldom),
		TREE_TEST(id__pipe_among_too_many_processes__bare),
		TEST(id__own_pipe__is_found),
		TEST(id__own_file__has_its_path),
		TEST(id__own_futex__is_in_the_program),
		TEST(id__block_device__has_its_name),
	};

	return cmocka_run_group_tests_name("resources", tests, NULL, NULL);
}
