# SPDX-License-Identifier: GPL-2.0-or-later
dist_check_SCRIPTS = tests/check-docs
TESTS += tests/check-docs
