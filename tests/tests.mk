# SPDX-License-Identifier: GPL-2.0-only
# The suites. Each prints TAP; tests/run adds them up.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test_*.c))

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) $< $(LIBRARY) $(LIBS) -lcmocka -o $@

$(BUILD)/tests/bpf/%: tests/bpf/%.c $(wildcard tests/bpf/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) -Itests/bpf -Itests/unit $(CFLAGS) $< $(LIBRARY) $(LIBS) -lpthread -o $@

test-programs: $(BUILD)/portctl man $(UNIT_TESTS) $(BPF_TESTS)

# Needs no root.
test-unit: $(UNIT_TESTS)
	tests/run unit

# Everything that belongs to every change; as root.
test: deps
	$(MAKE) -j$(shell nproc) test-programs fuzz-programs $(BUILD)/tests/differential
	tests/run unit bpf fuzz e2e

.PHONY: test test-unit test-programs

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

# What a packet costs beside an empty program and the peers, and what the command costs:
# tests/bench/results.txt. bench-check: whether the ratios are as they should be.
bench: deps-bench
	$(MAKE) $(BUILD)/portctl $(BUILD)/tests/bench $(BUILD)/tests/live
	tests/bench/run "$(CURDIR)/$(BUILD)/portctl" $(BUILD)/tests

bench-check: deps-bench
	$(MAKE) $(BUILD)/portctl $(BUILD)/tests/live
	$(BUILD)/tests/live "$(CURDIR)/$(BUILD)/portctl" --check

deps-bench:
	scripts/deps bench

.PHONY: bench bench-check deps-bench

# Kills and failing system calls, at every point of each command; takes half an hour.
test-faults: deps
	$(MAKE) $(BUILD)/portctl
	FAULTS=all bats --tap tests/e2e/faults.bats tests/e2e/faults_around.bats

.PHONY: test-faults

include tests/fuzz/fuzz.mk

# Debian's kernels under qemu, and the host's; KERNELS="6.1 6.12 host". Takes minutes.
test-kernels: deps
	scripts/deps kernels
	$(MAKE) test-programs
	tests/kernels/run $(BUILD)

.PHONY: test-kernels

# The package, installed, updated under traffic, removed and purged, away from this machine.
test-package:
	scripts/deps
	scripts/deps package
	tests/package/run

.PHONY: test-package
