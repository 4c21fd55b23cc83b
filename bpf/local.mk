# SPDX-License-Identifier: GPL-2.0-or-later
# Programs in the kernel: compiled once for all kernels, embedded into the program as a header.
EXTRA_DIST += \
	bpf/README.md \
	bpf/cause.bpf.h \
	bpf/cause.h \
	bpf/core_compat.bpf.h \
	bpf/here.bpf.h \
	bpf/ledger.bpf.c \
	bpf/ledger.h \
	bpf/snapshot.bpf.c \
	bpf/snapshot.h \
	bpf/vmlinux.h \
	bpf/wire.h

if HAVE_BPF
BPF_CFLAGS = -target bpf -mcpu=v3 -D__TARGET_ARCH_x86 -O2 -g -Wall -Wextra -Wno-unused-parameter \
	-Wno-missing-field-initializers
BUILT_SOURCES += bpf/ledger.skel.h bpf/snapshot.skel.h
CLEANFILES += bpf/ledger.skel.h bpf/ledger.bpf.o bpf/snapshot.skel.h bpf/snapshot.bpf.o
BPF_COMPILE = $(AM_V_GEN)$(MKDIR_P) bpf && \
	$(CLANG) $(BPF_CFLAGS) $(LIBBPF_CFLAGS) -I$(top_srcdir)/bpf
BPF_SKELETON = $(AM_V_GEN)$(BPFTOOL) gen skeleton

bpf/ledger.bpf.o: bpf/ledger.bpf.c bpf/cause.bpf.h bpf/cause.h bpf/core_compat.bpf.h bpf/here.bpf.h \
		bpf/ledger.h bpf/vmlinux.h bpf/wire.h
	$(BPF_COMPILE) -c $(top_srcdir)/bpf/ledger.bpf.c -o $@ && $(LLVM_STRIP) -g $@

bpf/snapshot.bpf.o: bpf/snapshot.bpf.c bpf/core_compat.bpf.h bpf/here.bpf.h bpf/snapshot.h \
		bpf/vmlinux.h
	$(BPF_COMPILE) -c $(top_srcdir)/bpf/snapshot.bpf.c -o $@ && $(LLVM_STRIP) -g $@

bpf/ledger.skel.h: bpf/ledger.bpf.o
	$(BPF_SKELETON) bpf/ledger.bpf.o name ledger_bpf >$@.tmp && mv $@.tmp $@

bpf/snapshot.skel.h: bpf/snapshot.bpf.o
	$(BPF_SKELETON) bpf/snapshot.bpf.o name snapshot_bpf >$@.tmp && mv $@.tmp $@

src/source/bpf.$(OBJEXT): bpf/ledger.skel.h
src/source/bpf_snapshot.$(OBJEXT): bpf/snapshot.skel.h
endif
