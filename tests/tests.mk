# SPDX-License-Identifier: GPL-2.0-only
# Tests and benches. Each suite prints TAP; tests/run runs suites and adds up their results.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test_*.c))

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) $< $(LIBRARY) $(LIBS) -lcmocka -o $@

$(BUILD)/tests/bpf/%: tests/bpf/%.c $(wildcard tests/bpf/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) -Itests/bpf -Itests/unit $(CFLAGS) $< $(LIBRARY) $(LIBS) -lpthread -o $@

test-programs: $(BUILD)/portctl man $(UNIT_TESTS) $(BPF_TESTS) $(BUILD)/tests/differential ## build what tests/run runs, but for the fuzzers

test-unit: $(UNIT_TESTS) ## run the unit tests
	tests/run unit

test: deps ## run all tests that belong to every change; root, 8 minutes
	$(MAKE) -j$(shell nproc) test-programs fuzz-programs bench-programs
	tests/run style unit bpf fuzz e2e

check-structure: $(OBJECTS) $(MAIN_OBJECTS) ## check includes and symbols: layers, cycles, names
	tests/run style structure

check-style: $(OBJECTS) $(MAIN_OBJECTS) ## check format, spelling, shell scripts and structure
	tests/run style format spelling shell structure

.PHONY: test test-unit test-programs check-structure check-style

$(BUILD)/empty.bpf.o: tests/bench/empty.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

BENCH_SOURCES := $(filter-out %.bpf.c,$(wildcard tests/bench/*.c))

$(BUILD)/tests/bench: $(BENCH_SOURCES) $(wildcard tests/bench/*.h) tests/sandbox.h $(BUILD)/empty.skel.h $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(PORTCTL_CFLAGS)) -Itests $(CFLAGS) $(BENCH_SOURCES) $(LIBRARY) $(LIBS) -o $@

$(BUILD)/generator.bpf.o: tests/bench/live/generator.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

LIVE_SOURCES := $(addprefix tests/bench/,frames.c samples.c scrape.c) $(filter-out %.bpf.c,$(wildcard tests/bench/live/*.c))

$(BUILD)/tests/live: $(LIVE_SOURCES) $(wildcard tests/bench/*.h tests/bench/live/*.h) tests/sandbox.h \
		$(BUILD)/generator.skel.h $(BUILD)/empty.skel.h $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(PORTCTL_CFLAGS)) -Itests -Itests/bench $(CFLAGS) $(LIVE_SOURCES) \
		$(LIBRARY) $(LIBS) -o $@

# "make test" builds the benches but does not run them, so that no change breaks them unnoticed.
bench-programs: $(BUILD)/portctl $(BUILD)/tests/bench $(BUILD)/tests/live

# Writes tests/bench/results.txt.
bench: deps-bench ## measure packets and commands, beside the peers; root, 10 minutes
	$(MAKE) bench-programs
	tests/bench/run "$(CURDIR)/$(BUILD)/portctl" $(BUILD)/tests

bench-check: deps-bench ## check the ratios to the empty program and the peers; root
	$(MAKE) $(BUILD)/portctl $(BUILD)/tests/live
	$(BUILD)/tests/live "$(CURDIR)/$(BUILD)/portctl" --check

deps-bench:
	scripts/deps bench

.PHONY: bench bench-programs bench-check deps-bench

# "make test" takes a sample of the points at which a command is killed or a system call fails.
test-faults: deps ## kill each command at every point, fail each system call; root, 30 minutes
	$(MAKE) $(BUILD)/portctl
	FAULTS=all bats --tap tests/e2e/faults.bats tests/e2e/faults_around.bats

.PHONY: test-faults

include tests/fuzz/fuzz.mk

test-kernels: deps ## test on KERNELS, "6.1 6.12 host": Debian's in qemu; root, 11 minutes
	scripts/deps kernels
	$(MAKE) test-programs
	tests/kernels/run $(BUILD)

.PHONY: test-kernels

# On an overlay of the root file system, in namespaces: the machine itself is not changed.
test-package: ## install, update, remove and purge the Debian package; root
	scripts/deps
	scripts/deps package
	tests/package/run

.PHONY: test-package
