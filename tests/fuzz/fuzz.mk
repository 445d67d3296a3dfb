# SPDX-License-Identifier: GPL-2.0-only
# Fuzzing (libFuzzer, and the differential test) and sanitizers. A short run of the same
# length each time belongs to `make test`; `make fuzz`, as root, goes on for FUZZ_SECONDS.

FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 600
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# What is under test is built anew, with eyes.
FUZZ_MAKE = $(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=$(CLANG) \
	CFLAGS="-O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)" LDFLAGS="$(SANITIZE)"

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/native.c tests/fuzz/fuzz.mk \
		$(wildcard tests/fuzz/*.h) $(wildcard bpf/*.h) $(LIBRARY)
	$(CC) $(PORTCTL_CFLAGS) -Itests/fuzz $(CFLAGS) -c tests/fuzz/fuzz_$*.c -o $(BUILD)/fuzz_$*.o
	$(CC) -std=gnu11 -O1 -g -Iinclude -Ivmlinux $(CFLAGS) -fno-sanitize=alignment -c tests/fuzz/native.c -o $(BUILD)/native_$*.o
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(BUILD)/fuzz_$*.o $(BUILD)/native_$*.o $(LIBRARY) $(LIBS) -o $@

fuzz-programs:
	$(FUZZ_MAKE) $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/fuzz_%)

$(BUILD)/tests/differential: tests/fuzz/differential.c $(wildcard tests/fuzz/*.h tests/bpf/*.h tests/unit/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) -Itests/unit -Itests/bpf -Itests/fuzz $(CFLAGS) $< $(LIBRARY) $(LIBS) -o $@

fuzz: deps
	$(MAKE) fuzz-programs $(BUILD)/tests/differential
	tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# All unit tests, with eyes, and the command under valgrind as far as it needs no kernel. One
# test asks for more memory than there can be. This takes minutes.
test-sanitize: deps
	scripts/deps sanitize
	$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize CC=$(CLANG) CFLAGS="-O1 -g $(SANITIZE)" \
		LDFLAGS="$(SANITIZE)" sanitized-programs
	for test in $(UNIT_TESTS:$(BUILD)/%=$(BUILD)/sanitize/%); do \
		ASAN_OPTIONS=allocator_may_return_null=1 "$$test" || exit 1; done
	$(MAKE) $(BUILD)/portctl
	tests/fuzz/valgrind $(BUILD)/portctl

sanitized-programs: $(UNIT_TESTS)

.PHONY: fuzz fuzz-programs test-sanitize sanitized-programs
