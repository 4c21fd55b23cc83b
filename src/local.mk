# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += schedsampler
schedsampler_SOURCES = src/main.c
schedsampler_LDADD = src/libss.a $(SS_LIBS)

# Everything but main.c: the unit tests link it.
noinst_LIBRARIES += src/libss.a
src_libss_a_SOURCES = \
	src/account/account.c \
	src/account/account.h \
	src/account/fields.c \
	src/account/fields.h \
	src/account/offcpu.c \
	src/account/offcpu.h \
	src/account/reading.h \
	src/base/buf.c \
	src/base/buf.h \
	src/base/caps.c \
	src/base/caps.h \
	src/base/fdcache.c \
	src/base/fdcache.h \
	src/base/log.c \
	src/base/log.h \
	src/base/mutex.h \
	src/base/pool.c \
	src/base/pool.h \
	src/base/procfs.c \
	src/base/procfs.h \
	src/base/syscall.c \
	src/base/syscall.h \
	src/base/util.c \
	src/base/util.h \
	src/batch.c \
	src/batch.h \
	src/engine.c \
	src/engine.h \
	src/launch.c \
	src/launch.h \
	src/options.c \
	src/options.h \
	src/probe.c \
	src/roster/connector.c \
	src/roster/connector.h \
	src/roster/quota.c \
	src/roster/quota.h \
	src/roster/roster.c \
	src/roster/roster.h \
	src/roster/scan.c \
	src/roster/scan.h \
	src/roster/select.c \
	src/roster/select.h \
	src/roster/still.c \
	src/roster/table.c \
	src/roster/table.h \
	src/roster/thread.h \
	src/rows.c \
	src/rows.h \
	src/sampler.c \
	src/sampler.h \
	src/sink/csv.c \
	src/sink/file.c \
	src/sink/file.h \
	src/sink/jsonl.c \
	src/sink/row.c \
	src/sink/row.h \
	src/sink/sink.c \
	src/sink/sink.h \
	src/sink/text.c \
	src/sink/text.h \
	src/sink/text_waits.c \
	src/sink/tree.c \
	src/sink/writer.c \
	src/sink/writer.h \
	src/source/calls.c \
	src/source/calls.h \
	src/source/ledger.c \
	src/source/ledger.h \
	src/source/ledger_windows.c \
	src/source/parse.h \
	src/source/parse_proc.c \
	src/source/parse_syscall.c \
	src/source/parse_taskstats.c \
	src/source/procfs.c \
	src/source/procfs.h \
	src/source/resource_look.c \
	src/source/resource_look.h \
	src/source/resource_name.c \
	src/source/resource_name.h \
	src/source/resources.c \
	src/source/resources.h \
	src/source/sampled.c \
	src/source/sampled.h \
	src/source/snapshot.c \
	src/source/snapshot.h \
	src/source/source.c \
	src/source/source.h \
	src/source/taskstats.c \
	src/source/taskstats.h \
	src/source/waits.c \
	src/source/waits.h \
	src/source/watch.h \
	src/tick/clockmap.c \
	src/tick/clockmap.h \
	src/tick/quiet.c \
	src/tick/quiet.h \
	src/tick/tick.c \
	src/tick/tick.h

# Names of the system calls of the machine that the program is built for.
BUILT_SOURCES += src/base/syscall_names.h
CLEANFILES += src/base/syscall_names.h
src/base/syscall_names.h:
	$(AM_V_GEN)$(MKDIR_P) src/base && \
	echo '#include <sys/syscall.h>' | $(CC) $(CPPFLAGS) $(CFLAGS) -E -dM -x c - | \
	$(AWK) '$$1 == "#define" && $$2 ~ /^__NR_[a-z0-9_]+$$/ && \
		$$2 !~ /^__NR_(syscalls|arch_specific_syscall)$$/ { \
			print "{ " $$2 ", \"" substr($$2, 6) "\" }," }' >$@.tmp && \
	test -s $@.tmp && mv $@.tmp $@

src/base/syscall.$(OBJEXT): src/base/syscall_names.h

if HAVE_BPF
src_libss_a_SOURCES += \
	src/source/bpf.c \
	src/source/bpf_common.c \
	src/source/bpf_common.h \
	src/source/bpf_snapshot.c
else
src_libss_a_SOURCES += src/source/nobpf.c
endif
