/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SS_BASE_SYSCALL_H
#define SS_BASE_SYSCALL_H

/** The name of system call @nr of this architecture; NULL: it was not known when this was built. */
const char *ss_syscall_name(long nr);

#endif
