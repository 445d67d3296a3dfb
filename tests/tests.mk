# SPDX-License-Identifier: GPL-2.0-only
# The suites. Each prints TAP; tests/run adds them up.

UNIT_TESTS := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(wildcard tests/unit/test_*.c))
BPF_TESTS := $(patsubst tests/bpf/%.c,$(BUILD)/tests/bpf/%,$(wildcard tests/bpf/test_*.c))

$(BUILD)/tests/unit/%: tests/unit/%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) $(CFLAGS) $< $(LIBRARY) $(LIBS) -lcmocka -o $@

$(BUILD)/tests/bpf/%: tests/bpf/%.c $(wildcard tests/bpf/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) -Itests/bpf $(CFLAGS) $< $(LIBRARY) $(LIBS) -lpthread -o $@

test-programs: $(BUILD)/portctl $(UNIT_TESTS) $(BPF_TESTS)

# Needs no root.
test-unit: $(UNIT_TESTS)
	tests/run unit

# Everything that belongs to every change; as root.
test: deps
	$(MAKE) test-programs
	tests/run unit bpf e2e

.PHONY: test test-unit test-programs

$(BUILD)/empty.bpf.o: tests/bench/empty.bpf.c Makefile
	@mkdir -p $(@D)
	$(CLANG) $(BPF_CFLAGS) -c $< -o $@

BENCH_SOURCES := $(filter-out %.bpf.c,$(wildcard tests/bench/*.c))

$(BUILD)/tests/bench: $(BENCH_SOURCES) tests/bench/bench.h tests/sandbox.h $(BUILD)/empty.skel.h $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(filter-out -MMD -MP,$(PORTCTL_CFLAGS)) -Itests $(CFLAGS) $(BENCH_SOURCES) $(LIBRARY) $(LIBS) -o $@

# What a packet costs beside an empty program, and what the command costs.
bench: deps
	$(MAKE) $(BUILD)/portctl $(BUILD)/tests/bench
	$(BUILD)/tests/bench "$(CURDIR)/$(BUILD)/portctl"

.PHONY: bench
