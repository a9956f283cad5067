# Ports: unmodified Linux programs of others, one folder userland/<x> with a recipe `port` each (docs/ports.md).
#
#   make ports              all of them; one that fails names itself, and the rest goes on
#   make ports PORT='a b'   these
#   make run PORTS='a b'    with these in the root; PORTS=1: with all

PORT_NAMES := $(patsubst userland/%/port,%,$(wildcard userland/*/port))
$(foreach line,$(shell awk -F"'" '/^needs=/ { split(FILENAME, path, "/"); n = split($$2, need, " "); \
	for (i = 1; i <= n; i++) print path[2] "|" need[i] }' $(addprefix userland/,$(addsuffix /port,$(PORT_NAMES))) /dev/null),\
	$(eval PORT_NEEDS_$(firstword $(subst |, ,$(line))) += $(lastword $(subst |, ,$(line)))))

port_built = $(foreach p,$(1),$(if $(filter $(p),$(PORT_NAMES)),$(B)/ports/$(p)/.built,\
	$(error there is no port `$(p)`; there are: $(PORT_NAMES))))

# A part that is in distro/sources.lock already (zlib) is fetched by the rule for those.
define port
ifeq ($(shell grep -c '^$(1) ' distro/sources.lock),0)
$(B)/src/$(1)/.fetched: userland/$(1)/port | deps
	@distro/fetch.sh $(1)
endif
$(B)/ports/$(1)/.built: userland/$(1)/port distro/port.sh $(B)/src/$(1)/.fetched $(B)/sysroot/.built \
		$(foreach n,$(PORT_NEEDS_$(1)),$(B)/ports/$(n)/.built)
	+@distro/port.sh $(1) && touch $$@
endef
$(foreach p,$(PORT_NAMES),$(eval $(call port,$(p))))

# What `make run` lays over the root.
RUN_PORTS := $(if $(filter 1,$(PORTS)),$(PORT_NAMES),$(PORTS))
RUN_PORTS_BUILT := $(call port_built,$(RUN_PORTS))

CHOSEN_PORTS = $(or $(PORT),$(PORT_NAMES))
# Sessions with those that are built; the others are skipped.
test-ports: image $(B)/tests/posix/gdbclient
	@python3 tests/run.py --system --only system/ports.py

.PHONY: ports ports-chosen test-ports
ports-chosen: $(call port_built,$(CHOSEN_PORTS))
ports:
	+@$(MAKE) -k ports-chosen && echo "ports: $(words $(CHOSEN_PORTS)) built" >&2 || { \
		for p in $(CHOSEN_PORTS); do \
			[ -e $(B)/ports/$$p/.built ] || bad+=" $$p"; done; \
		echo "ports: not built:$${bad:- see above}" >&2; exit 1; }
