# The names people try. Every target sets up what it needs and says so.
BUILD ?= build
PREFIX ?= /usr/local
DESTDIR ?=

.PHONY: all help setup demo test test-quick test-qemu bench fuzz install install-packer format clean

all: setup-build ## build ingot into build/ingot
	@tools/build $(BUILD) -Dtests=false

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

.PHONY: setup-build setup-test setup-demo
setup-build:
	@tools/setup build
setup-demo:
	@tools/setup build cloud
setup-test:
	@tools/setup build cloud test

demo: setup-demo ## build an image from a Packer template on the local cloud, start to finish
	@tools/build $(BUILD) -Dtests=false
	@tools/demo $(BUILD)/ingot

test: setup-test ## all tests but those of the qemu backend
	@tests/run

test-quick: setup-test ## unit tests only
	@tests/run --unit

test-qemu: ## one whole build on the qemu backend as an ordinary user (slow)
	@tools/setup build cloud qemu test
	@tests/run --qemu

bench: setup-test ## measure against Packer and OpenSSH in the same run
	@tools/build build-release -Dbuildtype=release -Dtests=false
	@tests/bench/run build-release/ingot

fuzz: setup-test ## fuzz every parser, SECONDS_EACH (default 60) each
	@tests/fuzz/run $(or $(SECONDS_EACH),60)

install: ## ingot, man page and completion below PREFIX (/usr/local); with PACKER=1 a packer link too
	@tools/setup build
	@tools/build build-release -Dbuildtype=release -Dtests=false
	@tools/install build-release/ingot "$(DESTDIR)$(PREFIX)" "$(PACKER)"

format: ## lay out the lines that differ from the last commit by .clang-format
	git clang-format --force --extensions c,h

clean: ## forget everything that was built
	rm -rf build build-*
