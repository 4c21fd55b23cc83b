/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int ss_file_open(const char *path)
{
	int fd;

	if (!strcmp(path, "-"))
		fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	else
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return fd < 0 ? -errno : fd;
}

bool ss_file_is_regular(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && S_ISREG(st.st_mode);
}

/* Cut the row that a failed write left unfinished; @done bytes of @data were written. */
static void cut(int fd, const char *data, size_t done, bool csv)
{
	bool quoted = false;
	struct stat st;
	size_t end = 0;
	off_t at;

	for (size_t i = 0; i < done; i++) {
		if (csv && data[i] == '"')
			quoted = !quoted;
		else if (data[i] == '\n' && !quoted)
			end = i + 1;
	}
	at = lseek(fd, 0, SEEK_CUR);
	/* Not when another process appended behind our bytes, as to a shared standard output. */
	if (end == done || fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size != at)
		return;
	at -= (off_t)(done - end);
	if (!ftruncate(fd, at))
		lseek(fd, at, SEEK_SET);
}

int ss_file_write(int fd, struct ss_buf *b, bool csv)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	int err = b->error;
	size_t done = 0;
	ssize_t n;

	while (!err && done < b->len) {
		n = write(fd, b->data + done, b->len - done);
		if (n >= 0)
			done += n;
		else if (errno == EAGAIN)
			poll(&writable, 1, -1);	/* standard output can be non-blocking */
		else if (errno != EINTR)
			err = -errno;
	}
	if (err)
		cut(fd, b->data, done, csv);
	ss_buf_reset(b);
	return err;
}

int ss_file_close(int fd)
{
	return fd >= 0 && close(fd) ? -errno : 0;
}
