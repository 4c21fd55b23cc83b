/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>

#include "sinks.h"
#include "sink/file.h"

static void select__suffix__chooses_the_format(void **state)
{
	struct sinks *f = *state;

	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "x.csv")), &ss_sink_csv);
	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "x.jsonl")), &ss_sink_jsonl);
	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "x.ndjson")), &ss_sink_jsonl);
	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "x.txt")), &ss_sink_text);
	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "x")), &ss_sink_text);
	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "x.csv.gz")), &ss_sink_text);
	assert_ptr_equal(ss_sink_select(NULL, "-"), &ss_sink_text);
}

static void select__format__beats_the_suffix(void **state)
{
	struct sinks *f = *state;

	assert_ptr_equal(ss_sink_select("jsonl", in_dir(f, "x.csv")), &ss_sink_jsonl);
	assert_ptr_equal(ss_sink_select("csv", "-"), &ss_sink_csv);
	assert_ptr_equal(ss_sink_select("tree", in_dir(f, "new")), &ss_sink_tree);
	assert_null(ss_sink_select("tree", "-"));
	assert_null(ss_sink_select("xml", "-"));
	assert_null(ss_sink_select("", "-"));
	assert_null(ss_sink_select("xml", in_dir(f, "x.csv")));
}

static void select__directory__is_a_tree(void **state)
{
	struct sinks *f = *state;

	assert_ptr_equal(ss_sink_select(NULL, f->dir), &ss_sink_tree);
	assert_ptr_equal(ss_sink_select(NULL, in_dir(f, "new/")), &ss_sink_tree);
	assert_ptr_equal(ss_sink_select("csv", in_dir(f, "new.csv/")), &ss_sink_tree);
	assert_ptr_equal(ss_sink_select("tree", f->dir), &ss_sink_tree);
	assert_null(ss_sink_select("jsonl", f->dir));
	assert_null(ss_sink_select("text", in_dir(f, "new/")));
}

static void select__table__has_unique_names_and_ends(void **state)
{
	size_t n = 0;

	(void)state;
	for (; ss_sinks[n]; n++) {
		assert_ptr_equal(ss_sink_select(ss_sinks[n]->name, "x"), ss_sinks[n]);
		assert_true(strlen(ss_sinks[n]->help) > 10);
	}
	assert_int_equal(n, 4);
}

struct reader {
	int fd;
	size_t total;
	uint64_t sum;
};

static void *read_all(void *arg)
{
	struct reader *r = arg;
	unsigned char data[1000];
	ssize_t n;

	while ((n = read(r->fd, data, sizeof(data))) > 0) {
		r->total += n;
		for (ssize_t i = 0; i < n; i++)
			r->sum += data[i];
	}
	return NULL;
}

static void file__pipe_that_would_block__gets_every_byte(void **state)
{
	struct ss_buf b = { 0 };
	struct reader r = { 0 };
	pthread_t thread;
	uint64_t sum = 0;
	int fd[2];

	(void)state;
	assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
	assert_int_equal(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
	for (int i = 0; i < 300000; i++) {
		ss_buf_char(&b, (char)(i % 251));
		sum += i % 251;
	}
	r.fd = fd[0];
	assert_int_equal(pthread_create(&thread, NULL, read_all, &r), 0);
	assert_int_equal(ss_file_write(fd[1], &b, false), 0);
	assert_int_equal(b.len, 0);
	close(fd[1]);
	pthread_join(thread, NULL);
	close(fd[0]);
	assert_int_equal(r.total, 300000);
	assert_true(r.sum == sum);
	ss_buf_free(&b);
}

static void file__no_memory_in_the_buffer__is_told(void **state)
{
	struct ss_buf b = { .error = -ENOMEM };
	struct sinks *f = *state;
	int fd = ss_file_open(in_dir(f, "x"));

	assert_int_equal(ss_file_write(fd, &b, false), -ENOMEM);
	assert_int_equal(ss_file_close(fd), 0);
	assert_int_equal(ss_file_close(fd), -EBADF);
	assert_int_equal(ss_file_close(-1), 0);
}

static void file__another_writer_behind__is_not_cut(void **state)
{
	struct ss_buf b = { 0 };
	struct sinks *f = *state;
	struct rlimit saved;
	int fd, other, err;

	/* Our own offset is in the middle: what follows belongs to somebody else. */
	other = ss_file_open(in_dir(f, "x"));
	assert_int_equal(write(other, "0123456789", 10), 10);
	fd = open(in_dir(f, "x"), O_WRONLY | O_CLOEXEC);
	ss_buf_str(&b, "ab\ncdefghijkl\n");
	limit_files(5, &saved);
	err = ss_file_write(fd, &b, false);
	unlimit_files(&saved);
	assert_int_equal(err, -EFBIG);
	close(fd);
	close(other);
	check_file(in_dir(f, "x"), "ab\ncd56789");
	ss_buf_free(&b);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sinks_setup, sinks_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(select__suffix__chooses_the_format),
		TEST(select__format__beats_the_suffix),
		TEST(select__directory__is_a_tree),
		TEST(select__table__has_unique_names_and_ends),
		TEST(file__pipe_that_would_block__gets_every_byte),
		TEST(file__no_memory_in_the_buffer__is_told),
		TEST(file__another_writer_behind__is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
