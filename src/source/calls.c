// SPDX-License-Identifier: GPL-2.0-or-later
#include "source/calls.h"

#include <asm/unistd.h>

/* Later than the headers of some machines that build this; the same on all architectures. */
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif
#ifndef __NR_futex_wake
#define __NR_futex_wake 454
#endif
#ifndef __NR_futex_wait
#define __NR_futex_wait 455
#endif
#ifndef __NR_futex_requeue
#define __NR_futex_requeue 456
#endif

const uint8_t ss_calls[SS_CALLS] = {
	[__NR_read] = SS_CALL_READ, [__NR_pread64] = SS_CALL_READ, [__NR_readv] = SS_CALL_READ,
	[__NR_preadv] = SS_CALL_READ, [__NR_preadv2] = SS_CALL_READ,
	[__NR_recvfrom] = SS_CALL_READ, [__NR_recvmsg] = SS_CALL_READ,
	[__NR_recvmmsg] = SS_CALL_READ, [__NR_accept] = SS_CALL_READ,
	[__NR_accept4] = SS_CALL_READ, [__NR_getdents] = SS_CALL_READ,
	[__NR_getdents64] = SS_CALL_READ, [__NR_splice] = SS_CALL_READ, [__NR_tee] = SS_CALL_READ,
	[__NR_copy_file_range] = SS_CALL_READ, [__NR_readahead] = SS_CALL_READ,
	[__NR_fstat] = SS_CALL_READ, [__NR_ioctl] = SS_CALL_READ,
	[__NR_write] = SS_CALL_WRITE, [__NR_pwrite64] = SS_CALL_WRITE,
	[__NR_writev] = SS_CALL_WRITE, [__NR_pwritev] = SS_CALL_WRITE,
	[__NR_pwritev2] = SS_CALL_WRITE, [__NR_sendto] = SS_CALL_WRITE,
	[__NR_sendmsg] = SS_CALL_WRITE, [__NR_sendmmsg] = SS_CALL_WRITE,
	[__NR_connect] = SS_CALL_WRITE, [__NR_shutdown] = SS_CALL_WRITE,
	[__NR_sendfile] = SS_CALL_WRITE, [__NR_vmsplice] = SS_CALL_WRITE,
	[__NR_ftruncate] = SS_CALL_WRITE, [__NR_fallocate] = SS_CALL_WRITE,
	[__NR_close] = SS_CALL_WRITE,
	[__NR_fsync] = SS_CALL_SYNC, [__NR_fdatasync] = SS_CALL_SYNC,
	[__NR_sync_file_range] = SS_CALL_SYNC, [__NR_syncfs] = SS_CALL_SYNC,
	[__NR_flock] = SS_CALL_LOCK, [__NR_fcntl] = SS_CALL_FCNTL,
	[__NR_io_uring_enter] = SS_CALL_IO_URING,
	[__NR_epoll_wait] = SS_CALL_EPOLL, [__NR_epoll_pwait] = SS_CALL_EPOLL,
	[__NR_epoll_pwait2] = SS_CALL_EPOLL,
	[__NR_poll] = SS_CALL_POLL, [__NR_ppoll] = SS_CALL_POLL,
	[__NR_select] = SS_CALL_SELECT, [__NR_pselect6] = SS_CALL_SELECT,
	[__NR_futex] = SS_CALL_FUTEX, [__NR_futex_wait] = SS_CALL_FUTEX2,
	[__NR_futex_wake] = SS_CALL_FUTEX2, [__NR_futex_requeue] = SS_CALL_FUTEXV,
	[__NR_futex_waitv] = SS_CALL_FUTEXV,
	[__NR_nanosleep] = SS_CALL_TIMER, [__NR_clock_nanosleep] = SS_CALL_TIMER,
	[__NR_wait4] = SS_CALL_CHILD, [__NR_waitid] = SS_CALL_CHILD, [__NR_vfork] = SS_CALL_CHILD,
	[__NR_clone] = SS_CALL_CHILD, [__NR_clone3] = SS_CALL_CHILD, [__NR_fork] = SS_CALL_CHILD,
	[__NR_pause] = SS_CALL_SIGNAL, [__NR_rt_sigsuspend] = SS_CALL_SIGNAL,
	[__NR_rt_sigtimedwait] = SS_CALL_SIGNAL,
	[__NR_io_getevents] = SS_CALL_AIO, [__NR_io_pgetevents] = SS_CALL_AIO,
	[__NR_io_submit] = SS_CALL_AIO, [__NR_io_destroy] = SS_CALL_AIO,
	[__NR_msgrcv] = SS_CALL_IPC, [__NR_msgsnd] = SS_CALL_IPC, [__NR_semop] = SS_CALL_IPC,
	[__NR_semtimedop] = SS_CALL_IPC, [__NR_mq_timedreceive] = SS_CALL_IPC,
	[__NR_mq_timedsend] = SS_CALL_IPC,
	[__NR_mmap] = SS_CALL_MEMORY, [__NR_munmap] = SS_CALL_MEMORY,
	[__NR_mprotect] = SS_CALL_MEMORY, [__NR_mremap] = SS_CALL_MEMORY,
	[__NR_brk] = SS_CALL_MEMORY, [__NR_madvise] = SS_CALL_MEMORY,
	[__NR_msync] = SS_CALL_MEMORY, [__NR_mlock] = SS_CALL_MEMORY,
	[__NR_mlock2] = SS_CALL_MEMORY, [__NR_munlock] = SS_CALL_MEMORY,
	[__NR_mlockall] = SS_CALL_MEMORY, [__NR_munlockall] = SS_CALL_MEMORY,
	[__NR_membarrier] = SS_CALL_MEMORY,
	[__NR_open] = SS_CALL_PATH, [__NR_openat] = SS_CALL_PATH, [__NR_openat2] = SS_CALL_PATH,
	[__NR_creat] = SS_CALL_PATH, [__NR_stat] = SS_CALL_PATH, [__NR_lstat] = SS_CALL_PATH,
	[__NR_newfstatat] = SS_CALL_PATH, [__NR_statx] = SS_CALL_PATH,
	[__NR_access] = SS_CALL_PATH, [__NR_faccessat] = SS_CALL_PATH,
	[__NR_faccessat2] = SS_CALL_PATH, [__NR_rename] = SS_CALL_PATH,
	[__NR_renameat] = SS_CALL_PATH, [__NR_renameat2] = SS_CALL_PATH,
	[__NR_mkdir] = SS_CALL_PATH, [__NR_mkdirat] = SS_CALL_PATH, [__NR_rmdir] = SS_CALL_PATH,
	[__NR_link] = SS_CALL_PATH, [__NR_linkat] = SS_CALL_PATH, [__NR_unlink] = SS_CALL_PATH,
	[__NR_unlinkat] = SS_CALL_PATH, [__NR_symlink] = SS_CALL_PATH,
	[__NR_symlinkat] = SS_CALL_PATH, [__NR_readlink] = SS_CALL_PATH,
	[__NR_readlinkat] = SS_CALL_PATH, [__NR_truncate] = SS_CALL_PATH,
	[__NR_chmod] = SS_CALL_PATH, [__NR_chown] = SS_CALL_PATH, [__NR_statfs] = SS_CALL_PATH,
	[__NR_execve] = SS_CALL_PATH, [__NR_execveat] = SS_CALL_PATH, [__NR_mount] = SS_CALL_PATH,
	[__NR_umount2] = SS_CALL_PATH,
	[__NR_exit] = SS_CALL_EXIT, [__NR_exit_group] = SS_CALL_EXIT,
	[__NR_restart_syscall] = SS_CALL_RESTART,
};
