# The SDK: what a user needs to write a cell outside of this tree (docs/native.md).
#
#   make sdk             into build/sdk
#   make sdk SDK=/opt/nexus
#
# A sysroot: bin/nexus-cc, include, lib (libnexus.a, crt0.o, cell.ld, pkgconfig), share/man: section 2 the calls of the
# nucleus, 3 the library, 7 interfaces.

, := ,
SDK ?= $(B)/sdk
SDK_VERSION := 1.0
SDK_TOOLS := $(addprefix distro/tools/,kdl2bkdl.py manifest.py bkdl.py kdl.py idl.py idl_read.py idl_c.py)
SDK_HEADERS := $(wildcard native/include/nexus/*.h lib/include/*.h lib/include/libc/*.h nucleus/abi/nx/*.h)
# Headers whose functions have a manual page, with native/sdk/man/<header>.c as its example.
SDK_DOCUMENTED := $(wildcard native/include/nexus/*.h) nucleus/abi/nx/ring.h lib/include/libc/stdlib.h
MAN_EXAMPLES := $(patsubst native/sdk/man/%.c,%,$(wildcard native/sdk/man/*.c))
# Without what our own tree includes before everything.
SDK_FLAGS := $(TARGET) $(LANG) $(filter-out -include native/lib/hidden.h,$(CELL_CODE)) -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -fno-ident
SDK_LDFLAGS = $(filter-out $(TARGET) -Wl$(,)-T$(,)%,$(CELL_LINK))
sdk_fill = sed -e 's|@FLAGS@|$(SDK_FLAGS)|; s|@LDFLAGS@|$(SDK_LDFLAGS)|; s|@VERSION@|$(SDK_VERSION)|; s|@GCC_HEADERS@|$(gcc_headers)|'
CRT := $(B)/cell/native/lib/start.o
SDK_AT := $(B)/sdk
IN := $(SDK_AT)/include
SHARE := $(SDK_AT)/share/man

# crt0.o is the one member of libcell.a that nothing asks for by name.
$(SDK_AT)/.made: $(B)/cell/libcell.a $(CRT) $(SDK_TOOLS) $(SDK_HEADERS) $(CELL_LD) $(GEN) $(IDL_H) distro/tools/mkman.py \
		$(wildcard native/sdk/nexus* native/sdk/man/*.c native/sdk/libc/*.h native/sdk/libc/*/*.h native/sdk/sdk.mk) Makefile
	$(call say,SDK,$(@D))
	@rm -rf $(@D) && mkdir -p $(@D)/bin $(IN)/{nexus,nx,libc,idl} $(@D)/lib/{nexus,pkgconfig} $(SHARE)/man{2,3,7}
	@cp native/include/nexus/*.h $(IN)/nexus/ && cp nucleus/abi/nx/*.h $(B)/gen/nx/*.h $(IN)/nx/
	@cp lib/include/*.h $(IN)/ && cp -r lib/include/libc/* native/sdk/libc/* $(IN)/libc/ && cp $(IDL_H) $(IN)/idl/
	@cp $(B)/cell/libcell.a $(@D)/lib/libnexus.a && $(AR) dD $(@D)/lib/libnexus.a start.o
	@cp $(CRT) $(@D)/lib/crt0.o && cp $(CELL_LD) $(@D)/lib/cell.ld
	@cp $(SDK_TOOLS) $(@D)/lib/nexus/
	@$(sdk_fill) native/sdk/nexus.pc.in >$(@D)/lib/pkgconfig/nexus.pc
	@$(sdk_fill) native/sdk/nexus-cc >$(@D)/bin/nexus-cc && chmod 755 $(@D)/bin/nexus-cc
	@cp $(B)/gen/man/*.2 $(SHARE)/man2/
	@python3 distro/tools/mkman.py $(SHARE)/man3 native/sdk/man $(SDK_DOCUMENTED)
	@for i in $(INTERFACES); do distro/tools/idl.py $$i --man $(SHARE)/man7/nexus-$$(basename $$i .idl).7; done
	@touch $@

.PHONY: sdk
sdk: $(SDK_AT)/.made
	@$(if $(filter-out $(SDK_AT),$(SDK)),mkdir -p '$(SDK)' && cp -RT $(SDK_AT) '$(SDK)' && rm '$(SDK)/.made')

#### What shows it: built with it, as a user would #################################################

# The examples of the manual pages are cells man_<header>; their manifest is <header>.kdl or default.kdl.
$(B)/sdk-man/man_%.cell: native/sdk/man/%.c $(SDK_AT)/.made
	$(call say,CELL,$@)
	@mkdir -p $(@D)
	@m=native/sdk/man/$*.kdl; [ -e $$m ] || m=native/sdk/man/default.kdl; sed 's/NAME/man_$*/' $$m >$(@D)/$*.kdl
	@$(SDK_AT)/bin/nexus-cc -Wall -Wextra -Werror -Wno-unused-parameter -o $@ $< $(@D)/$*.kdl

# Each folder of native/examples with a manifest is a cell; what several share is in native/examples/common.
EXAMPLE_DIRS := $(patsubst %/manifest.kdl,%,$(wildcard native/examples/*/manifest.kdl))
EXAMPLES := $(notdir $(EXAMPLE_DIRS))
define example
$(B)/examples/$(1).cell: $(wildcard native/examples/$(1)/* native/examples/common/*) $(SDK_AT)/.made
	$$(call say,CELL,$$@)
	@mkdir -p $$(@D)
	@$(SDK_AT)/bin/nexus-cc -Wall -Wextra -Werror -Wno-unused-parameter -Inative/examples/common -o $$@ \
		$(wildcard native/examples/$(1)/*.c native/examples/common/*.idl) native/examples/$(1)/manifest.kdl
endef
$(foreach e,$(EXAMPLES),$(eval $(call example,$(e))))

EXAMPLE_IDL_H := $(patsubst native/examples/common/%.idl,$(B)/examples/idl/%.h,$(wildcard native/examples/common/*.idl))
$(B)/examples/idl/%.h: native/examples/common/%.idl $(IDL_TOOL)
	@distro/tools/idl.py $< --header $@

# The Linux programs of the examples, static: musl, and of the SDK only its headers.
WEBLOG := $(addprefix $(B)/examples/root/usr/bin/weblog_,plain rings)
$(B)/examples/root/usr/bin/weblog_%: native/examples/weblog_posix/%.c $(wildcard native/examples/common/*) \
		$(EXAMPLE_IDL_H) $(SDK_AT)/.made $(B)/sysroot/.built
	$(call say,CC,$@)
	@mkdir -p $(@D)
	@$(MUSLCC) $(USER_FLAGS) -Inative/examples/common -I$(B)/examples -I$(IN) -o $@ $<

EXAMPLES_BUILT := $(addprefix $(B)/examples/,$(addsuffix .cell,$(EXAMPLES))) \
	$(foreach x,$(MAN_EXAMPLES),$(B)/sdk-man/man_$(x).cell) $(WEBLOG)
# Libraries of others, unmodified: a recipe native/libs/<x>/lib each, and a cell lib_<x> that uses it. As ports are, they
# are built when asked for, for their sources have to be fetched: `make sdk-libs`, LIBS=zstd.
LIBS := $(patsubst native/libs/%/lib,%,$(wildcard native/libs/*/lib))
$(B)/libs/%/.built: native/libs/%/lib native/libs/build.sh $(SDK_AT)/.made $(B)/src/%/.fetched
	$(call say,LIB,$*)
	@native/libs/build.sh $* $(SDK_AT) && touch $@
$(B)/libs/lib_%.cell: native/libs/%/test.c $(B)/libs/%/.built
	$(call say,CELL,$@)
	@sed 's/NAME/lib_$*/' native/libs/test.kdl >$(B)/libs/$*/test.kdl
	@$(SDK_AT)/bin/nexus-cc -Wall -Wextra -Werror -Wno-unused-parameter $$(cat $(B)/libs/$*/flags) -o $@ $< \
		$(B)/libs/$*/lib$*.a $(B)/libs/$*/test.kdl
.PHONY: sdk-libs
sdk-libs: $(foreach l,$(LIBS),$(B)/libs/lib_$(l).cell)

.PHONY: examples
examples: $(EXAMPLES_BUILT)
