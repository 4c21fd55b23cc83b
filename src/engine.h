/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The session: the only file that knows every station. It ties ticker, roster, source, account
 * and sinks together and takes them down in order.
 */
#ifndef SS_ENGINE_H
#define SS_ENGINE_H

#include "options.h"

/** Sample as told. Messages go to stderr. Returns the program's exit status. */
int ss_engine_run(const struct ss_options *options, int argc, char **argv);

/** Print what this machine allows on stdout. Returns the program's exit status. */
int ss_engine_probe(const struct ss_options *options);

#endif
