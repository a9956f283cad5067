# The SDK: what a user needs to write a cell outside of this tree (docs/native.md).
#
#   make sdk             into build/sdk
#   make sdk SDK=/opt/nexus
#   make examples        the cells of native/examples, built with it
#
# A sysroot: bin/nexus-cc, include, lib (libnexus.a, crt0.o, cell.ld, pkgconfig), share/man.

SDK ?= $(B)/sdk
SDK_VERSION := 1.0
SDK_TOOLS := $(addprefix distro/tools/,kdl2bkdl.py manifest.py bkdl.py kdl.py)
SDK_HEADERS := $(wildcard native/include/nexus/*.h lib/include/*.h lib/include/libc/*.h nucleus/abi/nx/*.h)
SDK_FLAGS := $(TARGET) $(LANG) $(CELL_CODE) -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -fno-ident
SDK_LDFLAGS = $(filter-out $(TARGET) -Wl$(,)-T$(,)%,$(CELL_LINK))
, := ,
sdk_fill = sed -e 's|@FLAGS@|$(SDK_FLAGS)|; s|@LDFLAGS@|$(SDK_LDFLAGS)|; s|@VERSION@|$(SDK_VERSION)|; s|@GCC_HEADERS@|$(gcc_headers)|'
CRT := $(B)/cell/native/lib/start.o

# crt0.o is the one member of libcell.a that nothing asks for by name.
$(B)/sdk/.made: $(B)/cell/libcell.a $(CRT) $(SDK_TOOLS) $(SDK_HEADERS) $(CELL_LD) $(GEN) \
		$(wildcard native/sdk/*) Makefile
	$(call say,SDK,$(@D))
	@rm -rf $(@D) && mkdir -p $(@D)/{bin,include/{nexus,nx,libc},lib/{nexus,pkgconfig},share/man/man2}
	@cp native/include/nexus/*.h $(@D)/include/nexus/
	@cp nucleus/abi/nx/*.h $(B)/gen/nx/*.h $(@D)/include/nx/
	@cp lib/include/*.h $(@D)/include/ && cp lib/include/libc/*.h $(@D)/include/libc/
	@cp $(B)/cell/libcell.a $(@D)/lib/libnexus.a && $(AR) dD $(@D)/lib/libnexus.a start.o
	@cp $(CRT) $(@D)/lib/crt0.o && cp $(CELL_LD) $(@D)/lib/cell.ld
	@cp $(SDK_TOOLS) $(@D)/lib/nexus/
	@$(sdk_fill) native/sdk/nexus.pc.in >$(@D)/lib/pkgconfig/nexus.pc
	@$(sdk_fill) native/sdk/nexus-cc >$(@D)/bin/nexus-cc && chmod 755 $(@D)/bin/nexus-cc
	@cp $(B)/gen/man/*.2 $(@D)/share/man/man2/
	@touch $@

.PHONY: sdk
sdk: $(B)/sdk/.made
	@$(if $(filter-out $(B)/sdk,$(SDK)),mkdir -p '$(SDK)' && cp -RT $(B)/sdk '$(SDK)' && rm '$(SDK)/.made')
