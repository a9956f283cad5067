# Lint, included by the Makefile: each part speaks TAP for tests/run.py and remembers in build/lint
# what it has found good, so that only changed files are looked at again.

L := $(B)/lint

.PHONY: lint lint-format lint-layers lint-cppcheck lint-tidy
lint: lint-format lint-layers lint-cppcheck lint-tidy

lint-format: deps
	@bad=$$(clang-format --dry-run -Werror $(OUR_C) 2>&1 | sed -n 's/^\([^ :]*\):[0-9]*:.*error:.*/\1/p' | sort | uniq -c || true); \
	if [ -z "$$bad" ]; then echo 'ok - clang-format'; \
	else sed 's/^/# lines to format:/' <<<"$$bad"; echo 'not ok - clang-format (make format repairs it)'; exit 1; fi

lint-layers: deps
	@python3 tests/check/layers.py

#### cppcheck: all files at once, for it looks across files ########################################

CPPCHECK_FLAGS = --quiet --enable=warning,performance,portability --inline-suppr --std=c11 \
	--platform=unix64 --error-exitcode=1 --cppcheck-build-dir=$(L)/cppcheck \
	--suppressions-list=tests/check/cppcheck.txt --max-configs=4 -j 2 \
	-Ilib/include -Inucleus/abi -I$(B)/gen -Inucleus/include -Inucleus/core -Inative/include \
	-Imembrane/include -Iposix/include -Iposix -D__riscv=1 -D__riscv_xlen=64 -D__linux__=1

lint-cppcheck: $(READY)
	@mkdir -p $(L)/cppcheck
	@if cppcheck $(CPPCHECK_FLAGS) $(filter %.c,$(OUR_C)); then echo 'ok - cppcheck'; \
	else echo 'not ok - cppcheck'; exit 1; fi

#### clang-tidy: file by file ######################################################################

CLANG_TARGET := --target=riscv64-linux-gnu -march=rv64imac -mabi=lp64 -mcmodel=medany -ffreestanding \
	-nostdlibinc $(LANG)
CLANG_USER := --target=riscv64-linux-gnu -march=rv64gc -mabi=lp64d -nostdlibinc \
	-isystem $(B)/sysroot/include -std=gnu11 -Inucleus/abi -Inative/include -I$(B)/gen -Itests/posix
TIDY_C :=

# $(call tidy,FILES,CLANG_FLAGS,COMPILER AND FLAGS THAT TELL DEPENDENCIES)
define tidy
TIDY_C += $(1)
$(addprefix $(L)/,$(addsuffix .tidy,$(1))): $(L)/%.tidy: % .clang-tidy | $(READY)
	$$(call say,TIDY,$$<)
	@mkdir -p $$(@D)
	@clang-tidy --quiet $$< -- $(2) -w 2>$$@.err || { cat $$@.err; rm -f $$@.err; \
		echo 'not ok - clang-tidy $$<'; exit 1; }
	@$(3) -MM -MP -MT $$@ -MF $$@.d $$<
	@rm -f $$@.err; touch $$@
endef
under = $(filter $(addsuffix /%,$(1)),$(filter %.c,$(OUR_C)))
HOST_ONLY := $(filter distro/tools/% nucleus/arch/host/% membrane/arch/host/% tests/unit/%,$(filter %.c,$(OUR_C)))

$(eval $(call tidy,$(filter-out $(HOST_ONLY),$(call under,nucleus)),\
	$(CLANG_TARGET) $(NUCLEUS_INC) -DNX_NUCLEUS,$$(CC) $$(NUCLEUS_FLAGS)))
# Linux programs among the examples, and users of libraries of others, are for their own compilers to warn about.
$(eval $(call tidy,$(filter-out native/libs/% native/examples/weblog_posix/%,$(call under,lib native/lib native tests/cell)),\
	$(CLANG_TARGET) $(CELL_INC) $(EXTRA_INC_supervisor) -Inative/examples/common -I$(B)/examples -DNX_CELL,\
	$$(CC) $$(CELL_FLAGS) $(EXTRA_INC_supervisor) -Inative/examples/common -I$(B)/examples))
$(eval $(call tidy,$(call under,drivers),\
	$(CLANG_TARGET) $(CELL_INC) $(EXTRA_INC_drivers) -DNX_CELL,$$(CC) $$(CELL_FLAGS) $(EXTRA_INC_drivers)))
$(eval $(call tidy,$(filter-out $(HOST_ONLY),$(call under,membrane posix)),\
	$(CLANG_TARGET) $(CELL_INC) $(EXTRA_INC_posix) -DNX_CELL,$$(CC) $$(CELL_FLAGS) $(EXTRA_INC_posix)))
HOST_POSIX := $(filter $(addsuffix %,$(HOST_POSIX_DIRS)),$(HOST_ONLY))
$(eval $(call tidy,$(HOST_POSIX),$(LANG) -D_GNU_SOURCE -DNX_HOST $(HOST_INC_posix),\
	$(HOSTCC) $(HOST_FLAGS) $(HOST_INC_posix)))
$(eval $(call tidy,$(filter-out $(HOST_POSIX),$(HOST_ONLY)),$(LANG) -D_GNU_SOURCE -DNX_HOST $(HOST_INC_nucleus),\
	$(HOSTCC) $(HOST_FLAGS) $(HOST_INC_nucleus)))
$(eval $(call tidy,$(call under,userland/vdso),$(CLANG_TARGET) -isystem $(B)/uapi -Iposix/include,\
	$$(CC) $(TARGET) $(LANG) -ffreestanding -isystem $(B)/uapi -Iposix/include))
$(eval $(call tidy,$(filter-out userland/vdso/%,$(call under,userland tests/posix)),$(CLANG_USER),$(MUSLCC) -Inucleus/abi -Inative/include -I$(B)/gen))

lint-tidy: $(EXAMPLE_IDL_H) $(addprefix $(L)/,$(addsuffix .tidy,$(TIDY_C)))
	@echo 'ok - clang-tidy'

-include $(shell find $(L) -name '*.tidy.d' 2>/dev/null)
