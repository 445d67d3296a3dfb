#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Kernels that lack a feature: attach says which one and leaves nothing behind.

load helpers

# attach_without "KIND NUMBER" TEXT: attach must fail without this helper, map or program type,
# with TEXT in the message.
attach_without() {
	run -1 --separate-stderr env LD_PRELOAD="$TMP/without.so" WITHOUT="$1" \
		nsenter --net="/run/netns/$SERVER" "$PORTCTL" attach eth0
	contains "$stderr" "portctl: the kernel refused the program for eth0: it lacks $2"
	run -0 ls -A "$PORTCTL_BPFFS"
	equal "$output" ""
}

build_without() {
	cc -shared -fPIC -o "$TMP/without.so" "$BATS_TEST_DIRNAME/without.c" -ldl
}

@test "attach names the helper, map or program type that the kernel lacks" {
	build_without
	attach_without "program 6" "XDP programs"
	attach_without "program 3" "TC programs"
	attach_without "helper 99" "socket lookup"
	attach_without "helper 118" "timer ticks"
	attach_without "helper 125" "the time since boot"
	attach_without "helper 164" "loops over maps"
	attach_without "helper 181" "the loop helper"
	attach_without "helper 189" "XDP with frames in several buffers"
	attach_without "helper 208" "the time of day"
	attach_without "map 12" "maps in maps"
	attach_without "map 9" "LRU maps"
	attach_without "map 27" "ring buffers"
}

@test "PORTCTL_DEBUG=verifier prints the verifier's whole log of a refused program" {
	build_without
	run -1 --separate-stderr env LD_PRELOAD="$TMP/without.so" WITHOUT="helper 99" \
		PORTCTL_DEBUG=verifier nsenter --net="/run/netns/$SERVER" "$PORTCTL" attach eth0
	contains "$stderr" "invalid func unknown#99"
	contains "$stderr" "BEGIN PROG LOAD LOG"
	contains "$stderr" "portctl: the kernel refused the program for eth0: it lacks socket lookup"
}

@test "doctor names a missing feature, or says that none is missing" {
	build_without
	run -0 --separate-stderr portctl doctor
	contains "$output" "ok    features: the kernel has all that portctl needs"
	run -1 --separate-stderr env LD_PRELOAD="$TMP/without.so" WITHOUT="helper 169" \
		nsenter --net="/run/netns/$SERVER" "$PORTCTL" doctor
	contains "$output" "fail  features: the kernel lacks timers in programs"
}

# without_types ARGUMENTS...: runs portctl on a kernel without BTF.
without_types() {
	nsenter --net="/run/netns/$SERVER" unshare --mount sh -c \
		'mount -t tmpfs none /sys/kernel/btf && exec "$@"' sh "$PORTCTL" "$@"
}

@test "a kernel without BTF filters, but cannot report who listens" {
	run -0 --separate-stderr without_types attach eth0
	run -0 --separate-stderr without_types doctor
	contains "$output" "warn  types: the kernel has no type information (BTF)"
	export SERVER
	run --separate-stderr timeout 2 bash -c "$(declare -f without_types); without_types watch"
	contains "$stderr" "the kernel cannot report sockets"
}

@test "a kernel before 6.1 is refused" {
	run -1 --separate-stderr nsenter --net="/run/netns/$SERVER" setarch --uname-2.6 \
		"$PORTCTL" attach eth0
	contains "$stderr" "is too old: 6.1 or newer is needed"
}
