# SPDX-License-Identifier: GPL-2.0-only
# Fuzzing (libFuzzer and the differential test) and sanitizers. "make test" has a short run with
# a fixed number of inputs; "make fuzz" runs for FUZZ_SECONDS.

FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_TARGETS := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 600
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
# portctl is built again below build/fuzz, with sanitizers and coverage for the fuzzer.
FUZZ_MAKE = $(MAKE) --no-print-directory BUILD=$(FUZZ_BUILD) CC=$(CLANG) \
	CFLAGS="-O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)" LDFLAGS="$(SANITIZE)"

$(BUILD)/fuzz_%: tests/fuzz/fuzz_%.c tests/fuzz/native.c tests/fuzz/fuzz.mk \
		$(wildcard tests/fuzz/*.h) $(wildcard bpf/*/*.h include/portctl/*.h) $(LIBRARY)
	$(CC) $(PORTCTL_CFLAGS) -Itests/fuzz $(CFLAGS) -c tests/fuzz/fuzz_$*.c -o $(BUILD)/fuzz_$*.o
	$(CC) -std=gnu11 -O1 -g -Ibpf -Iinclude -Ivmlinux $(CFLAGS) -fno-sanitize=alignment -c tests/fuzz/native.c -o $(BUILD)/native_$*.o
	$(CC) $(CFLAGS) -fsanitize=fuzzer $(BUILD)/fuzz_$*.o $(BUILD)/native_$*.o $(LIBRARY) $(LIBS) -o $@

fuzz-programs: ## build the fuzzers
	$(FUZZ_MAKE) $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/fuzz_%)

$(BUILD)/tests/differential: tests/fuzz/differential.c $(wildcard tests/fuzz/*.h tests/bpf/*.h tests/unit/*.h) $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(PORTCTL_CFLAGS) -Itests/unit -Itests/bpf -Itests/fuzz $(CFLAGS) $< $(LIBRARY) $(LIBS) -o $@

fuzz: deps ## fuzz for FUZZ_SECONDS (600); root, for the differential test
	$(MAKE) fuzz-programs $(BUILD)/tests/differential
	tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_TARGETS)

# One unit test asks for more memory than there is, so the allocator has to return NULL.
test-sanitize: deps ## run unit tests with sanitizers, the command under valgrind; 8 minutes
	scripts/deps sanitize
	$(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize CC=$(CLANG) CFLAGS="-O1 -g $(SANITIZE)" \
		LDFLAGS="$(SANITIZE)" sanitized-programs
	for test in $(UNIT_TESTS:$(BUILD)/%=$(BUILD)/sanitize/%); do \
		ASAN_OPTIONS=allocator_may_return_null=1 "$$test" || exit 1; done
	$(MAKE) $(BUILD)/portctl
	tests/fuzz/valgrind $(BUILD)/portctl

sanitized-programs: $(UNIT_TESTS)

.PHONY: fuzz fuzz-programs test-sanitize sanitized-programs
