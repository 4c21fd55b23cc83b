// SPDX-License-Identifier: GPL-2.0-or-later
#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return -ENOENT;
	if (!S_ISREG(st.st_mode) || access(path, X_OK))
		return -EACCES;
	return 0;
}

/* As execvp(3) searches: the first that can be run; -EACCES when one was found that cannot. */
static int find_command(const char *name, char path[PATH_MAX])
{
	const char *dirs = getenv("PATH"), *dir, *end;
	int err, worst = -ENOENT;

	if (strchr(name, '/') || !*name) {
		if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
			return -ENAMETOOLONG;
		return check_executable(path);
	}
	for (dir = dirs ? dirs : "/usr/local/bin:/usr/bin:/bin"; dir; dir = *end ? end + 1 : NULL) {
		end = strchrnul(dir, ':');
		if (snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - dir), dir,
			     end > dir ? "/" : "", name) >= PATH_MAX)
			continue;
		err = check_executable(path);
		if (!err)
			return 0;
		if (err == -EACCES)
			worst = err;
	}
	return worst;
}

static void child_main(const char *path, char *const command[], int release_fd, int error_fd)
{
	char go;
	int err;

	/* The parent may be killed before it releases us. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (read(release_fd, &go, 1) != 1)
		_exit(127);
	prctl(PR_SET_PDEATHSIG, 0);
	execv(path, command);
	err = errno;
	if (write(error_fd, &err, sizeof(err)) < 0)
		_exit(127);
	_exit(err == ENOENT ? 127 : 126);
}

int ss_launch_start(struct ss_launch *launch, char *const command[])
{
	int release[2], error[2], err;
	char path[PATH_MAX];

	err = find_command(command[0], path);
	if (err)
		return err;
	if (pipe2(release, O_CLOEXEC))
		return -errno;
	if (pipe2(error, O_CLOEXEC)) {
		err = -errno;
		goto out_release;
	}
	launch->pid = fork();
	if (launch->pid < 0) {
		err = -errno;
		close(error[0]);
		close(error[1]);
		goto out_release;
	}
	if (!launch->pid) {
		close(release[1]);
		close(error[0]);
		child_main(path, command, release[0], error[1]);
	}
	close(release[0]);
	close(error[1]);
	launch->release_fd = release[1];
	launch->error_fd = error[0];
	return 0;
out_release:
	close(release[0]);
	close(release[1]);
	return err;
}

int ss_launch_release(struct ss_launch *launch)
{
	int err = 0;

	if (write(launch->release_fd, "", 1) != 1)
		err = errno;
	close(launch->release_fd);
	launch->release_fd = -1;
	/* End of file: exec closed the other end. */
	if (!err && read(launch->error_fd, &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(launch->error_fd);
	launch->error_fd = -1;
	return -err;
}

bool ss_launch_ended(const struct ss_launch *launch)
{
	siginfo_t info = { 0 };

	return !waitid(P_PID, (id_t)launch->pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
	       info.si_pid == launch->pid;
}

int ss_launch_reap(struct ss_launch *launch)
{
	int status;

	if (launch->release_fd >= 0)
		close(launch->release_fd);
	if (launch->error_fd >= 0)
		close(launch->error_fd);
	launch->release_fd = launch->error_fd = -1;
	while (waitpid(launch->pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
