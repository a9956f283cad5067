# Included by the Makefile.
.PHONY: lint
lint: deps
	@python3 tests/check/layers.py
