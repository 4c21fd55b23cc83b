#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# An ordinary user and their own processes.
. "$(dirname "$0")/lib.sh"
become_user
live_truth procfs "$kinds_steady"
live_truth procfs "$kinds_busy"
