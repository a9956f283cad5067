# Nexus: one makefile for everything. `make help` lists what it can do; all output goes to build/.
#
# Sources are found by where they lie, so that adding a file needs no change here:
#
#   lib/*.c                          helpers, compiled once each for nucleus, cells and the host
#   nucleus/core, nucleus/arch/<isa> the nucleus
#   native/lib                       the library every cell links
#   native/<x>, drivers/<x>          one cell each (drivers/lib is shared by the drivers)
#   membrane/**, posix/**            the POSIX personality, one cell
#   .../manifest.kdl                 of each cell, in its folder (the personality's in membrane/)
#   userland/<x>                     our own Linux programs, one each, with a file `install` that says where in
#                                    the root they go, or `install-tests`: only with our tests
#   userland/<x>/port                the recipe of a program of others (distro/ports.mk)
#   tests/unit/**/*.c                one host program each; see "Unit tests" below
#   tests/posix/**/*.c               one Linux program each, run under Nexus by tests/system
#   native/idl/*.idl                 interfaces of services (docs/idl.md)
#   native/examples/<x>              cells that show the SDK, built with it (native/sdk/sdk.mk)
#   tests/cell/<x>                   cells only tests use
#   tests/tools/*.py                 tests of the programs in distro/tools
#
# Standard output belongs to the program `make run CMD=...` runs: messages go to standard error.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables --no-print-directory
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := help

B := build
ISA := riscv64
CROSS := riscv64-linux-gnu-
CC := $(CROSS)gcc
AR := $(CROSS)gcc-ar
NM := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
HOSTCC := gcc

# Two builds of one commit give the same bytes: no clock, no paths, no random names.
export SOURCE_DATE_EPOCH := 1735689600
export LC_ALL := C.UTF-8
export TZ := UTC
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=. -fno-ident

say = @printf '  %-7s %s\n' '$(1)' '$(2)' >&2
find_sources = $(sort $(shell test -d $(1) && find $(1) -name '.?*' -prune -o \
	-path '*/arch/*' ! -path '*/arch/$(ISA)*' -prune -o $(2) -print))

#### Flags ########################################################################################

WARN := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wwrite-strings \
	-Wno-unused-parameter -Wno-format-truncation
LANG := -std=gnu11 -fno-common -fno-strict-aliasing

# The compiler's own headers (stdint.h, stddef.h ...) and no C library's. Asked when first used:
# on a new machine there is no compiler yet when this file is read.
gcc_headers = $(eval gcc_headers := $(shell $(CC) -print-file-name=include))$(gcc_headers)

TARGET := -march=rv64imac_zicsr_zifencei -mabi=lp64
FREESTANDING = -ffreestanding -nostdinc -isystem $(gcc_headers) -fno-stack-protector \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections
COMMON = $(TARGET) -O2 -g $(LANG) $(FREESTANDING) $(REPRODUCIBLE)

FDT := $(B)/src/libfdt
ZLIB := $(B)/src/zlib

NUCLEUS_CODE := -mcmodel=medany -fno-pic -fno-omit-frame-pointer
NUCLEUS_INC := -Ilib/include -Ilib/include/libc -Inucleus/abi -Inucleus/include -Inucleus/core -Inucleus/arch/$(ISA) \
	-I$(B)/gen -isystem $(FDT)
NUCLEUS_FLAGS = $(COMMON) $(NUCLEUS_CODE) $(NUCLEUS_INC) -DNX_NUCLEUS

# Declarations are hidden, too: no way through a table of addresses to what another file of the cell defines.
CELL_CODE := -mcmodel=medany -fPIE -fvisibility=hidden -include native/lib/hidden.h
CELL_INC := -Ilib/include -Ilib/include/libc -Inucleus/abi -I$(B)/gen -Inative/include
CELL_FLAGS = $(COMMON) $(CELL_CODE) $(CELL_INC) -DNX_CELL
CELL_LD := native/lib/cell.ld
CELL_LINK = $(TARGET) -static-pie -nostdlib -Wl,-static -Wl,--no-dynamic-linker -Wl,-z,text \
	-Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-z,separate-code

# What a folder's sources see beyond the flags above.
EXTRA_INC_supervisor := -isystem $(FDT)
EXTRA_INC_posix := -I$(B)/gen/vdso -Imembrane/include -Imembrane/arch/$(ISA) -Iposix/include -Iposix -isystem $(B)/uapi -isystem $(ZLIB) -DZ_SOLO
EXTRA_INC_drivers := -Idrivers/lib -Idrivers/lib/arch/$(ISA)

# On the host a name in <> is the system's first (it has a sched.h too), a name in "" ours.
host_inc = $(addprefix -iquote ,$(1)) $(addprefix -idirafter ,$(1)) -isystem $(FDT) -isystem $(ZLIB) -DZ_SOLO
HOST_INC_nucleus := $(call host_inc,nucleus/abi nucleus/include nucleus/core nucleus/arch/host drivers/lib $(B)/gen \
	native/include lib/include tests/unit)
HOST_INC_posix := $(call host_inc,posix/include membrane/include membrane/arch/host posix native/include nucleus/abi $(B)/gen \
	lib/include $(B)/uapi tests/unit)
HOST_FLAGS := -O1 -g $(LANG) -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -DNX_HOST -D_GNU_SOURCE

#### Preparation ##################################################################################

# Asked once in every build; costs a few milliseconds when the machine has all it needs.
.PHONY: deps
deps:
	@distro/deps.sh

$(B)/src/%/.fetched: distro/sources.lock | deps
	@distro/fetch.sh $*

$(B)/uapi/.made: distro/tools/uapi.sh | deps
	@distro/tools/uapi.sh $(B)/uapi && touch $@

# The call table makes headers, stubs and manual pages. Its generator is run before all compiling.
GEN := $(B)/gen/.calls
$(GEN): $(wildcard nucleus/abi/calls.tbl nucleus/abi/mkcalls.py) | deps
	@mkdir -p $(B)/gen
	$(if $(wildcard nucleus/abi/mkcalls.py),$(call say,GEN,nucleus/abi/calls.tbl))
	@$(if $(wildcard nucleus/abi/mkcalls.py),python3 nucleus/abi/mkcalls.py nucleus/abi/calls.tbl $(B)/gen)
	@touch $@
$(B)/gen/nx/%.h: $(GEN) ;

# A cell's manifest makes an assembler file, which is linked with the cell, and a header for its C sources,
# <manifest/CELL.h>.
MANIFESTS := $(wildcard native/*/manifest.kdl native/examples/*/manifest.kdl drivers/*/manifest.kdl \
	tests/cell/*/manifest.kdl membrane/manifest.kdl)
manifest_cell = $(patsubst membrane,posix,$(notdir $(patsubst %/,%,$(dir $(1)))))
# The name in the manifest is the folder's, but for a cell that is another image of one.
CELL_NAME_swapped := swapper
MANIFEST_TOOL := $(addprefix distro/tools/,kdl2bkdl.py manifest.py bkdl.py kdl.py)
define manifest
MANIFEST_OF_$(call manifest_cell,$(1)) := $(B)/cell/manifest/$(call manifest_cell,$(1)).o
$(B)/gen/manifest/$(call manifest_cell,$(1)).S $(B)/gen/manifest/$(call manifest_cell,$(1)).h &: $(1) $(MANIFEST_TOOL) | deps
	$$(call say,KDL,$(1))
	@distro/tools/kdl2bkdl.py $(1) --cell $(or $(CELL_NAME_$(call manifest_cell,$(1))),$(call manifest_cell,$(1))) \
		--asm $(B)/gen/manifest/$(call manifest_cell,$(1)).S --header $(B)/gen/manifest/$(call manifest_cell,$(1)).h
endef
$(foreach m,$(MANIFESTS),$(eval $(call manifest,$(m))))
MANIFEST_H := $(foreach m,$(MANIFESTS),$(B)/gen/manifest/$(call manifest_cell,$(m)).h)

# An interface makes a header, <idl/NAME.h>.
INTERFACES := $(wildcard native/idl/*.idl)
IDL_TOOL := $(addprefix distro/tools/,idl.py idl_read.py idl_c.py kdl.py)
IDL_H := $(patsubst native/idl/%.idl,$(B)/gen/idl/%.h,$(INTERFACES))
$(B)/gen/idl/%.h: native/idl/%.idl $(IDL_TOOL) | deps
	$(call say,IDL,$<)
	@distro/tools/idl.py $< --header $@

READY := $(GEN) $(MANIFEST_H) $(IDL_H) $(B)/uapi/.made $(FDT)/.fetched $(ZLIB)/.fetched

#### Object rules #################################################################################

# $(call compile,OBJ_DIR,SOURCE_DIR_PREFIX,FLAGS,LABEL): rules for every .c and .S below the prefix
define compile
$(B)/$(1)/$(2)%.o: $(2)%.c Makefile | $(READY)
	$$(call say,$(4),$$<)
	@mkdir -p $$(@D)
	@$$(CC) $(3) $$(WARN) -MMD -MP -c $$< -o $$@
$(B)/$(1)/$(2)%.o: $(2)%.S Makefile | $(READY)
	$$(call say,$(4),$$<)
	@mkdir -p $$(@D)
	@$$(CC) $(3) -D__ASSEMBLER__ -MMD -MP -c $$< -o $$@
endef
objects = $(addprefix $(B)/$(1)/,$(addsuffix .o,$(basename $(2))))

archive = $(call say,AR,$@)
define make_archive
	@mkdir -p $(@D) && rm -f $@
	@$(AR) rcsD $@ $^
endef

LIB_SRC := $(sort $(wildcard lib/*.c lib/*.S))
# A loop that copies bytes must not be turned into a call of the copy function it implements.
LIB_CODE := -fno-tree-loop-distribute-patterns

# What the nucleus does once, or seldom, is to be small; what is on every message's way, fast.
NUCLEUS_SELDOM := $(addprefix nucleus/core/,boot machine audit log lineage ckpt crucible watchdog budget energy image \
	shelf lend call_meta cell timeline call period place call_ipc mem ring quota cap timeq visit) \
	$(addprefix lib/,fmt manifest keep num)
$(patsubst %,$(B)/nucleus/%.o,$(NUCLEUS_SELDOM)): private NUCLEUS_FLAGS += -Os
# Every message goes through it.
$(B)/nucleus/nucleus/core/handover.o: private NUCLEUS_FLAGS += -fomit-frame-pointer
$(eval $(call compile,nucleus,lib/,$$(NUCLEUS_FLAGS) $$(LIB_CODE),CC))
$(eval $(call compile,nucleus,nucleus/,$$(NUCLEUS_FLAGS),CC))
$(eval $(call compile,cell,lib/,$$(CELL_FLAGS) $$(LIB_CODE),CC))
$(eval $(call compile,cell,native/supervisor/,$$(CELL_FLAGS) $$(EXTRA_INC_supervisor),CC))
$(eval $(call compile,cell,native/,$$(CELL_FLAGS),CC))
$(eval $(call compile,cell,drivers/,$$(CELL_FLAGS) $$(EXTRA_INC_drivers),CC))
$(eval $(call compile,cell,membrane/,$$(CELL_FLAGS) $$(EXTRA_INC_posix),CC))
$(eval $(call compile,cell,posix/,$$(CELL_FLAGS) $$(EXTRA_INC_posix),CC))
$(eval $(call compile,cell,tests/cell/,$$(CELL_FLAGS),CC))

# Third-party sources: unmodified, so their warnings are not ours to act on.
FDT_SRC := $(addprefix $(FDT)/,fdt.c fdt_ro.c fdt_wip.c fdt_sw.c fdt_rw.c fdt_strerror.c \
	fdt_empty_tree.c fdt_addresses.c)
ZLIB_SRC := $(addprefix $(ZLIB)/,inflate.c inftrees.c inffast.c zutil.c adler32.c crc32.c)
$(FDT_SRC): $(FDT)/.fetched ;
$(ZLIB_SRC): $(ZLIB)/.fetched ;
ZLIB_CODE := -DZ_SOLO -DHAVE_MEMCPY

define third_party
$(B)/$(1)/$(B)/src/%.o: $(B)/src/%.c Makefile | $(READY)
	$$(call say,CC,$$<)
	@mkdir -p $$(@D)
	@$(2) $(3) -I$(FDT) -I$(ZLIB) $(ZLIB_CODE) -w -c $$< -o $$@
endef
# The tree is read once.
$(eval $(call third_party,nucleus,$$(CC),$$(NUCLEUS_FLAGS) -Os))
$(eval $(call third_party,cell,$$(CC),$$(CELL_FLAGS)))
$(eval $(call third_party,host,$$(HOSTCC),-O1 -g))

#### Nucleus ######################################################################################

NUCLEUS_SRC := $(sort $(wildcard nucleus/core/*.c nucleus/core/*.S \
	nucleus/arch/$(ISA)/*.c nucleus/arch/$(ISA)/*.S))
NUCLEUS_LD := nucleus/arch/$(ISA)/nucleus.ld
NUCLEUS_OBJ := $(call objects,nucleus,$(NUCLEUS_SRC) $(LIB_SRC) $(FDT_SRC))

$(B)/nucleus.elf: $(NUCLEUS_OBJ) $(NUCLEUS_LD) distro/tools/link-nucleus.sh distro/tools/mksyms.py
	$(call say,LINK,$@)
	@distro/tools/link-nucleus.sh $(CC) $(NM) $@ $(B)/gen $(TARGET) -static -nostdlib -no-pie \
		-Wl,-T,$(NUCLEUS_LD) -Wl,--gc-sections -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
		-Wl,--no-warn-rwx-segments -Wl,-Map,$(B)/nucleus.map $(NUCLEUS_OBJ)

$(B)/nucleus.bin: $(B)/nucleus.elf
	@$(OBJCOPY) -O binary $< $@

#### Cells ########################################################################################

$(B)/cell/libcell.a: $(call objects,cell,$(sort $(wildcard native/lib/*.c native/lib/*.S)) $(LIB_SRC))
	$(archive)
	$(make_archive)
$(B)/cell/libfdt.a: $(call objects,cell,$(FDT_SRC))
	$(archive)
	$(make_archive)
$(B)/cell/libinflate.a: $(call objects,cell,$(ZLIB_SRC))
	$(archive)
	$(make_archive)
$(B)/cell/libdriver.a: $(call objects,cell,$(sort $(wildcard drivers/lib/*.c drivers/lib/*.S)))
	$(archive)
	$(make_archive)

$(B)/cell/manifest/%.o: $(B)/gen/manifest/%.S Makefile
	@mkdir -p $(@D)
	@$(CC) $(TARGET) $(REPRODUCIBLE) -c $< -o $@

sources_in = $(sort $(wildcard $(1)/*.c $(1)/*.S))
cell_dirs = $(patsubst %/,%,$(filter-out $(1)/lib/ $(1)/include/,$(filter %/,$(wildcard $(1)/*/))))
with_sources = $(foreach d,$(1),$(if $(call sources_in,$(d)),$(d)))

DRIVERS := $(call with_sources,$(call cell_dirs,drivers))
NATIVES := $(call with_sources,$(call cell_dirs,native))
TESTCELLS := $(call with_sources,$(call cell_dirs,tests/cell))
POSIX_SRC := $(call find_sources,membrane,-name '*.[cS]') $(call find_sources,posix,-name '*.[cS]')

# What the personality gives programs: their vDSO, a shared object of one page. User code of Linux programs, so with its headers.
VDSO := $(B)/gen/vdso/vdso.so
$(VDSO): $(wildcard userland/vdso/*) posix/include/vvar.h Makefile | $(READY)
	$(call say,LINK,$@)
	@mkdir -p $(@D)
	@$(CC) $(TARGET) -Os $(LANG) $(FREESTANDING) $(REPRODUCIBLE) -isystem $(B)/uapi -Iposix/include -fPIC -shared -nostdlib \
		-Wl,-T,userland/vdso/vdso.ld -Wl,-soname=linux-vdso.so.1 -Wl,--hash-style=both -Wl,-Bsymbolic -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,-z,norelro -Wl,-s -o $@ $(filter %.c %.S,$^)
$(call objects,cell,posix/mem/vdso_image.S): $(VDSO)

# What system calls touch lies together, in the order of membrane/hot.txt.
CELL_LD_posix := $(B)/cell/posix.ld
$(CELL_LD_posix): $(CELL_LD) membrane/hot.txt membrane/hot.awk
	@mkdir -p $(@D)
	@awk -f membrane/hot.awk membrane/hot.txt $(CELL_LD) >$@

# $(call cell,NAME,OUT,SOURCES,ARCHIVES): the archives come before libcell.a, which they may need.
# The .elf keeps what a debugger wants, the .cell is what boots.
define cell
$(B)/cell/$(1).elf: $(call objects,cell,$(3)) $(MANIFEST_OF_$(1)) $(4) $(B)/cell/libcell.a $(or $(CELL_LD_$(1)),$(CELL_LD))
	$$(call say,LINK,$$@)
	@$$(CC) $$(CELL_LINK) -Wl,-T,$(or $(CELL_LD_$(1)),$(CELL_LD)) -Wl,-Map,$$(@:.elf=.map) -o $$@ $(call objects,cell,$(3)) $(MANIFEST_OF_$(1)) \
		-Wl,--start-group $(4) $(B)/cell/libcell.a -Wl,--end-group
$(2)/$(1).cell: $(B)/cell/$(1).elf
	@mkdir -p $$(@D)
	@$$(OBJCOPY) --strip-all $$< $$@
endef

CELLS :=
ifneq ($(wildcard $(CELL_LD)),)
$(foreach d,$(NATIVES),$(eval $(call cell,$(notdir $(d)),$(B)/cells,$(call sources_in,$(d)),\
	$(if $(filter native/supervisor,$(d)),$(B)/cell/libfdt.a))))
$(foreach d,$(DRIVERS),$(eval $(call cell,$(notdir $(d)),$(B)/cells,$(call sources_in,$(d)),\
	$(B)/cell/libdriver.a)))
$(foreach d,$(TESTCELLS),$(eval $(call cell,$(notdir $(d)),$(B)/tests/cells,$(call sources_in,$(d)),)))
CELLS += $(notdir $(NATIVES) $(DRIVERS))
ifneq ($(strip $(POSIX_SRC)),)
$(eval $(call cell,posix,$(B)/cells,$(POSIX_SRC),$(B)/cell/libinflate.a))
CELLS += posix
endif
TESTCELL_FILES := $(addprefix $(B)/tests/cells/,$(addsuffix .cell,$(notdir $(TESTCELLS))))
endif
CELL_FILES := $(addprefix $(B)/cells/,$(addsuffix .cell,$(CELLS)))

include native/sdk/sdk.mk

#### Userland #####################################################################################

MUSLCC := $(B)/sysroot/bin/riscv64-nexus-musl-gcc

$(B)/sysroot/.built: userland/musl/build.sh $(B)/src/musl/.fetched
	$(call say,BUILD,musl)
	@userland/musl/build.sh $(B)/src/musl $(B)/sysroot && touch $@

$(B)/userland/busybox: userland/busybox/build.sh userland/busybox/config.fragment \
		$(B)/src/busybox/.fetched $(B)/sysroot/.built
	$(call say,BUILD,busybox)
	@userland/busybox/build.sh $(B)/src/busybox $(B)/sysroot $(B)/userland

USER_FLAGS := -static -O2 -std=gnu11 -Wall -Wextra -Werror -Wno-unused-parameter \
	-Wno-format-truncation $(REPRODUCIBLE) \
	-Wl,--build-id=none -Wl,-s
program_sources = $(call find_sources,userland/$(1),-name '*.[cS]')
programs_with = $(foreach p,$(patsubst userland/%/$(1),%,$(wildcard userland/*/$(1))),\
	$(if $(call program_sources,$(p)),$(p)))
PROGRAMS := $(call programs_with,install)
TEST_PROGRAMS := $(call programs_with,install-tests)

define program
$(B)/userland/$(1): $(call program_sources,$(1)) $(call find_sources,userland/$(1),'(' -name '*.h' -o -name '*.def' ')') Makefile \
		$(B)/sysroot/.built | $(READY)
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	@$(MUSLCC) $(USER_FLAGS) -Inucleus/abi -Inative/include -I$(B)/gen \
		-Iuserland/$(1) -o $$@ $(call program_sources,$(1))
endef
$(foreach p,$(PROGRAMS) $(TEST_PROGRAMS),$(eval $(call program,$(p))))

# What console.py lays over the root of every machine of tests/system.
TEST_ROOT := $(B)/tests/root
$(TEST_ROOT)/.keep: $(addprefix $(B)/userland/,$(TEST_PROGRAMS)) $(wildcard userland/*/install-tests)
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(foreach p,$(TEST_PROGRAMS),install -D -m 755 $(B)/userland/$(p) \
		"$(@D)$$(<userland/$(p)/install-tests)";) touch $@

# POSIX tests are Linux programs, static and for riscv64: they run under Nexus and, to prove the
# test itself right, on Linux.
POSIX_TESTS := $(patsubst %.c,%,$(call find_sources,tests/posix,-name '*.c'))
$(B)/tests/posix/%: tests/posix/%.c $(wildcard tests/posix/*.h) Makefile $(B)/sysroot/.built | $(READY)
	$(call say,CC,$@)
	@mkdir -p $(@D)
	@$(MUSLCC) $(USER_FLAGS) -Itests/posix -Inucleus/abi -Inative/include -I$(B)/gen -o $@ $<

include distro/ports.mk

#### Images #######################################################################################

ROOT_PARTS := $(B)/userland/busybox $(addprefix $(B)/userland/,$(PROGRAMS))
$(B)/rootfs.cpio: $(ROOT_PARTS) distro/tools/mkcpio.py $(shell find distro/rootfs) \
		$(wildcard userland/*/install)
	$(call say,CPIO,$@)
	@python3 distro/tools/mkcpio.py -o $@ --tree distro/rootfs \
		--file /lib/ld-musl-$(ISA).so.1=$(B)/sysroot/lib/libc.so \
		--file /bin/busybox=$(B)/userland/busybox --links $(B)/userland/busybox.links \
		$(foreach p,$(PROGRAMS),--file "$$(<userland/$(p)/install)=$(B)/userland/$(p)")

$(B)/boot.bundle: $(CELL_FILES) $(B)/rootfs.cpio distro/tools/mkbundle.py
	$(call say,BUNDLE,$@)
	@python3 distro/tools/mkbundle.py -o $@ $(CELL_FILES) rootfs=$(B)/rootfs.cpio

# Compile everything for the target, link nothing: quick to ask while something is still missing.
.PHONY: objects
objects: $(NUCLEUS_OBJ) $(call objects,cell,$(POSIX_SRC) $(foreach d,native/lib drivers/lib \
	$(NATIVES) $(DRIVERS) $(TESTCELLS),$(call sources_in,$(d))) $(LIB_SRC))

.PHONY: image
image: $(B)/nucleus.bin $(B)/boot.bundle $(TEST_ROOT)/.keep

#### Running ######################################################################################

SMP ?= 1
MEM ?= 256

# CMD goes to the machine as typed: make must not see variables of its own in it.
NX_CMD := $(value CMD)
unexport CMD
$(if $(NX_CMD),$(eval export NX_CMD))

RUN = python3 distro/run.py --smp $(SMP) --mem $(MEM) \
	$(foreach p,$(RUN_PORTS),--extra $(B)/ports/$(p)/root) $(if $(EXTRA),--extra '$(EXTRA)') \
	$(if $(filter 1,$(ICOUNT)),--icount) $(if $(filter 1,$(GDB)),--gdb) \
	$(foreach c,$(CELL),--cell '$(c)') $(foreach d,$(DISK),--disk '$(d)') $(if $(GPU),--gpu '$(GPU)') \
	$(if $(PLACEMENT),--placement '$(PLACEMENT)') \
	$(if $(TIMEOUT),--timeout $(TIMEOUT)) $(if $(NX_CMD),--cmd-env NX_CMD)

# make itself knows only the exit status 2. For a CMD it loads an object that lets it exit with the
# status the recipe leaves in a file.
ifneq ($(and $(NX_CMD),$(filter run,$(MAKECMDGOALS))),)
-load $(B)/host/makestatus.so
$(B)/host/makestatus.so: distro/tools/makestatus.c | deps
	@mkdir -p $(@D)
	@$(HOSTCC) -O2 -shared -fPIC -o $@ $< 2>/dev/null || rm -f $@
endif

.PHONY: run
run: image $(RUN_PORTS_BUILT)
	@$(RUN)$(if $(filter %/makestatus.so,$(.LOADED)), || echo $$? >$(B)/run/status.$$PPID)

#### Tests ########################################################################################

# Unit tests. Each tests/unit/**/*.c is one cmocka program. A line in its first comment
#     test-sources: path path ...
# names the sources it is linked with (globs allowed); libfdt and inflate are there to be used.
# A folder with the name of such a program has parts of it.
UNIT_ALL := $(call find_sources,tests/unit,-name '*.c')
UNIT_SRC := $(filter-out $(UNIT_ALL:.c=/%),$(UNIT_ALL))
UNIT_BIN := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))

$(B)/host/libthird.a: $(call objects,host,$(FDT_SRC) $(ZLIB_SRC))
	$(archive)
	$(make_archive)

# $(call host,SOURCE_DIR_PREFIX,INCLUDES)
define host
$(B)/host/$(1)%.o: $(1)%.c Makefile | $(READY)
	$$(call say,HOSTCC,$$<)
	@mkdir -p $$(@D)
	@$(HOSTCC) $(HOST_FLAGS) $(2) $(WARN) -MD -MP -c $$< -o $$@
$(B)/host/$(1)%.o: $(1)%.S Makefile | $(READY)
	$$(call say,HOSTCC,$$<)
	@mkdir -p $$(@D)
	@$(HOSTCC) $(HOST_FLAGS) $(2) -MD -MP -c $$< -o $$@
endef
HOST_POSIX_DIRS := posix/ membrane/ tests/unit/posix/ tests/unit/membrane/
$(foreach d,$(HOST_POSIX_DIRS),$(eval $(call host,$(d),$(HOST_INC_posix))))
$(eval $(call host,,$(HOST_INC_nucleus)))

$(B)/gen/unit.mk: $(UNIT_SRC)
	@mkdir -p $(@D)
	@for t in $(UNIT_SRC); do \
		sed -n '1,40s,^[ */]*test-sources:,'"$$t"' ,p' $$t; \
	done | awk '{ t = $$1; $$1 = ""; sub(/[*]\/$$/, ""); print "UNIT_" t " += $$(wildcard" $$0 ")" }' >$@
ifeq ($(filter clean distclean help deps,$(or $(MAKECMDGOALS),help)),)
include $(B)/gen/unit.mk
endif

define unit_program
$(B)/unit/$(1): $(call objects,host,tests/unit/$(1).c $(sort $(UNIT_tests/unit/$(1).c))) $(B)/host/libthird.a
	@mkdir -p $$(@D)
	@$$(HOSTCC) -fsanitize=address,undefined -o $$@ $$^ -lcmocka -lpthread
endef
$(foreach t,$(patsubst tests/unit/%.c,%,$(UNIT_SRC)),$(eval $(call unit_program,$(t))))

.PHONY: unit
unit: $(UNIT_BIN)
	@python3 tests/run.py --unit --tools

# Where things are in the nucleus, for tests that look at a running machine from outside.
FAULTS := $(B)/tests/faults/offsets.o
$(FAULTS): tests/faults/offsets.c Makefile | $(READY)
	@mkdir -p $(@D)
	@$(CC) $(NUCLEUS_FLAGS) $(WARN) -MMD -MP -c $< -o $@
-include $(FAULTS:.o=.d)

.PHONY: test-parts
test-parts: image $(UNIT_BIN) $(addprefix $(B)/,$(POSIX_TESTS)) $(TESTCELL_FILES) $(EXAMPLES_BUILT) $(FAULTS)

.PHONY: test
test: deps
	@python3 tests/run.py --make '$(MAKE)'

.PHONY: spin
spin: deps
	@python3 tests/run.py --spin

.PHONY: bench
bench: image $(TESTCELL_FILES) $(B)/tests/posix/diskload
	@python3 tests/bench/run.py
	@python3 tests/bench/wall.py
	@python3 tests/bench/programs.py
	@python3 tests/bench/recovery.py

# The fault campaign and the call fuzzer: 10,000 injections take a quarter of an hour, as many lives two hours. `make soak N=500 SEED=7 SMP=4`.
N ?= 10000
SEED ?= 1
.PHONY: soak
soak: test-parts
	@python3 tests/faults/campaign.py -n $(N) --seed $(SEED) --smp $(SMP) --out $(B)/soak \
		$(foreach t,$(TARGET_CELL),--target $(t)) || failed=1; \
	$(if $(TARGET_CELL),,tests/system/callfuzz.py $(SMP) --place '$(PLACEMENT)' --lives $(N) --seed $(SEED) --out $(B)/soak || failed=1;) \
	exit $${failed:-0}

# The Linux kernel to compare with, from Debian's sources; takes half an hour, once.
.PHONY: linux
linux: $(B)/linux/Image
$(B)/linux/Image: tests/bench/linux/build.sh tests/bench/linux/config | deps
	@tests/bench/linux/build.sh

# Are our tests right? The same programs and sessions on that Linux: of tests/system those that say `linux: yes`.
.PHONY: test-linux
test-linux: test-parts linux
	@SMP='$(if $(filter file,$(origin SMP)),1 4,$(SMP))' python3 tests/run.py --linux $(B)/linux/Image

# BusyBox's own test suite on both: what passes there must pass here.
.PHONY: test-busybox
test-busybox: image linux
	@tests/suite/busybox.py --linux $(B)/linux/Image --smp $(SMP)

.PHONY: bench-disk
bench-disk: image linux
	@python3 tests/bench/disk.py

#### Lint #########################################################################################

OUR_C := $(call find_sources,lib,-name '*.[ch]') \
	$(sort $(shell find nucleus membrane posix drivers native userland tests distro -name '*.[ch]' 2>/dev/null))

include tests/check/lint.mk

.PHONY: format
format: deps
	@clang-format -i $(OUR_C)

#### The rest #####################################################################################

.PHONY: clean distclean help
clean:
	@if [ -d $(B) ]; then find $(B) -mindepth 1 -maxdepth 1 ! -name dl ! -name apt -exec rm -rf {} +; fi
distclean:
	@rm -rf $(B)

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make run                     boot to an interactive shell on this terminal (Ctrl-A X leaves)
#: make run CMD='uname -a; ls'  boot, run it, print its output only, exit with its status
#: make run EXTRA=dir           the tree under dir appears in the root (build/tests/root: our tests' programs)
#:       PORTS='lua bash'       with these ports in the root (docs/ports.md), built first; PORTS=1: with all
#:       CELL='a.cell b.cell'  with these cells in the boot bundle (docs/native.md); one of the same name is replaced
#:       DISK=file.img          a raw image as /dev/vda (several: vdb ...); make one with truncate -s 64M
#:       GPU=1                  a screen (/dev/fb0), keyboard and tablet; or a -display of QEMU: GPU=sdl
#:       SMP=4 MEM=256          harts, MiB of memory
#:       ICOUNT=1               deterministic time: one instruction is one nanosecond
#:       GDB=1                  wait for a debugger
#:       PLACEMENT=fused        the personality fused with the nucleus; all, or CELL=isolated|fused ...
#:       TIMEOUT=600            seconds a CMD may take
#: make test                    everything there is to check; ends with `N passed, N failed`
#: make unit, make spin, make lint    parts of it
#: make soak                    the long fault campaign, then the call fuzzer: N=10000 SEED=1 SMP=1; build/soak/*.txt
#:       TARGET_CELL=virtio_blk0  damage only this cell (several: in quotes)
#: make bench                   measure, with Linux's figures beside ours
#: make ports                   build the ports, other people's programs; PORT='lua bash': only these
#: make test-ports              a session with each that is built
#: make linux                   build the Linux kernel to compare with (half an hour, once)
#: make test-linux              our own tests on that Linux: are they right?
#: make test-busybox            BusyBox's own test suite on both
#: make bench-disk              disk speed beside that Linux's, in one run
#: make image                   build/nucleus.bin and build/boot.bundle
#: make sdk                     what writing a native cell takes, in build/sdk; SDK=dir: copied there (docs/native.md)
#: make objects                 compile only
#: make format                  put all C sources into the one style
#: make deps                    install what this machine lacks (run and test do that themselves)
#: make clean                   remove what was built, keep what was downloaded (distclean: all)

# What the compiler noted about headers in earlier builds.
-include $(shell find $(B)/nucleus $(B)/cell $(B)/host -name '*.d' 2>/dev/null)
