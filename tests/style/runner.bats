#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2016 # bats sets output and stderr; the scripts have a $ of their own
# Tests of tests/run itself, with small shell scripts in place of the suites. Needs no root.

bats_require_minimum_version 1.5.0

setup() {
	TREE=$BATS_TEST_TMPDIR/tree
	mkdir -p "$TREE"/tests/{unit,bpf,fuzz,e2e,style} "$TREE/build/tests/unit"
	cp "$BATS_TEST_DIRNAME"/../{run,supervise.py} "$TREE/tests/"
	cp "$BATS_TEST_DIRNAME/../e2e/remove.bash" "$TREE/tests/e2e/"
	# A command line that no other process has, to see whether it is gone.
	LONG="sleep 9$RANDOM$RANDOM.$BATS_TEST_NUMBER"
	export SUITE_GRACE=2 TMPDIR=$BATS_TEST_TMPDIR LONG
	unset SUITE_SECONDS
	cd "$TREE" || return 1
	suite pass 'echo "ok 1 - a"; echo "ok 2 - b # SKIP no such device"; echo 1..2'
}

# suite NAME SCRIPT: a unit test program of that name.
suite() {
	: >"tests/unit/test_$1.c"
	printf '#!/bin/bash\n%s\n' "$2" >"build/tests/unit/test_$1"
	chmod 755 "build/tests/unit/test_$1"
}

# runs CODE ARGUMENTS...: tests/run has to exit with CODE; sets $output, $stderr and $lines.
runs() { run "-$1" --separate-stderr tests/run "${@:2}"; }

last_line() {
	[ "${lines[-1]}" = "$1" ] && return
	printf 'wanted last: %s\ngot: %s\n' "$1" "$output"
	return 1
}

contains() {
	[[ $1 == *"$2"* ]] && return
	printf 'not found: %s\nin: %s\n' "$2" "$1"
	return 1
}

# begun COUNT: COUNT suites or more have written to the file "begun".
begun() { [ -e begun ] && [ "$(wc -l <begun)" -ge "$1" ]; }

# gone: no process runs $LONG, and the runner has left no folder.
gone() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		! pgrep -fx "$LONG" >/dev/null && [ -z "$(ls -d "$TMPDIR"/portctl-tests.* 2>/dev/null)" ] && return
		sleep 0.1
	done
	pgrep -fx "$LONG"
	ls -d "$TMPDIR"/portctl-tests.*
	return 1
}

@test "results of several suites are added up, and the last line has the sums" {
	suite more 'echo "ok 1 - c"; echo 1..1'
	runs 0 unit
	contains "$output" "# build/tests/unit/test_pass (0 s)"
	last_line "2 passed, 0 failed, 1 skipped"
	runs 0 unit more
	last_line "1 passed, 0 failed"
}

@test "a failed test fails the run" {
	suite fail 'echo "ok 1 - a"; echo "not ok 2 - b"; echo 1..2; exit 1'
	runs 1 unit
	last_line "2 passed, 1 failed, 1 skipped"
}

@test "a suite that dies has failed, though no test did" {
	suite die 'echo "ok 1 - a"; kill -SEGV $$'
	suite leave 'echo "ok 1 - a"; exit 3'
	runs 1 unit
	contains "$output" "not ok - build/tests/unit/test_die exited with -11 after 1 tests; its last line: ok 1 - a"
	contains "$output" "not ok - build/tests/unit/test_leave exited with 3"
	last_line "3 passed, 2 failed, 1 skipped"
}

@test "a suite that runs no test, or fewer than it planned, has failed" {
	suite none 'echo hello'
	suite few 'echo 1..3; echo "ok 1 - a"'
	suite unplanned 'echo "ok 1 - a"'
	runs 1 unit
	contains "$output" "not ok - build/tests/unit/test_none ran no test; its last line: hello"
	contains "$output" "not ok - build/tests/unit/test_few ran 1 of 3 tests"
	contains "$output" "not ok - build/tests/unit/test_unplanned printed no plan (1..N)"
	last_line "3 passed, 3 failed, 1 skipped"
}

@test "only skipped tests are no success" {
	suite pass 'echo "ok 1 - a # skip"; echo 1..1'
	runs 1 unit
	last_line "0 passed, 0 failed, 1 skipped"
}

@test "a suite that hangs is ended with its name and last line; the others run" {
	suite hang 'trap "echo cleaned >cleaned; exit 1" TERM; echo "ok 1 - a"; echo "# loops"; $LONG & wait'
	suite after 'echo "ok 1 - a"; echo 1..1'
	SUITE_SECONDS=1 runs 1 unit
	contains "$output" "not ok - build/tests/unit/test_hang was still running after 1 s and was ended; its last line: # loops"
	last_line "3 passed, 1 failed, 1 skipped"
	[ -e cleaned ]
	gone
}

@test "a suite that ignores TERM is killed, with what it started in sessions of its own" {
	suite hang 'trap "" TERM; setsid $LONG & setsid -f setsid $LONG; echo "ok 1 - a"; $LONG'
	SUITE_SECONDS=1 SUITE_GRACE=1 runs 1 unit hang
	contains "$output" "test_hang was still running after"
	contains "$output" "left processes behind, now killed: sleep, test_hang"
	gone
}

@test "what a suite leaves running is killed and named" {
	suite left 'setsid -f $LONG; echo "ok 1 - a"; echo 1..1'
	SUITE_GRACE=1 runs 0 unit left
	contains "$output" "# build/tests/unit/test_left left processes behind, now killed: sleep"
	gone
}

@test "a suite has a temporary folder of its own, which is removed" {
	suite folder 'echo "# $TMPDIR $(stat -c %a "$TMPDIR")"; mktemp -d >&2; echo "ok 1 - a"; echo 1..1'
	runs 0 unit folder
	contains "$output" "/tmp 1777"
	gone
}

@test "the folders that a killed suite has named are removed" {
	suite folder 'mktemp -d "$TMPDIR/../../../named.XXXXXX" >>"$SUITE_FOLDERS"; exec $LONG'
	SUITE_SECONDS=0.5 runs 1 unit folder
	gone
	[ -z "$(ls -d "$TMPDIR"/named.* 2>/dev/null)" ]
}

@test "TERM, INT and HUP end all suites, which clean up; there is no last line" {
	local signal number pid
	suite one 'trap "echo \$0 >>cleaned; exit 1" TERM; echo begun >>begun; $LONG & wait'
	suite two 'trap "echo \$0 >>cleaned; exit 1" TERM; echo begun >>begun; $LONG & wait'
	for signal in TERM:143 INT:130 HUP:129; do
		rm -f begun cleaned
		# With the default action for INT, which a shell's background processes ignore.
		/usr/bin/python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' tests/run unit one two >out 2>err &
		pid=$!
		until begun "$(($(nproc) > 1 ? 2 : 1))"; do sleep 0.1; done
		kill "-${signal%:*}" "$pid"
		number=0
		wait "$pid" || number=$?
		[ "$number" = "${signal#*:}" ]
		[ -s cleaned ]
		[ "$(grep -c '^not ok .* was stopped' out)" = "$(wc -l <begun)" ]
		run ! grep -E '^[0-9]+ passed' out
		contains "$(cat err)" "ended by SIG${signal%:*}"
		gone
	done
}

@test "a second TERM kills at once" {
	suite hang 'trap "" TERM; echo begun >begun; $LONG; $LONG'
	SUITE_GRACE=100 tests/run unit hang >out 2>&1 &
	local pid=$! number=0
	until [ -e begun ]; do sleep 0.1; done
	kill "$pid"
	sleep 0.5
	kill "$pid"
	wait "$pid" || number=$?
	[ "$number" = 143 ]
	gone
}

@test "the suites end when the runner itself is killed" {
	suite hang 'echo begun >begun; $LONG'
	tests/run unit hang >out 2>&1 &
	until [ -e begun ]; do sleep 0.1; done
	kill -KILL "$!"
	gone
}

@test "suites are selected by kind and name, several at once" {
	runs 0 unit test_pass
	runs 0 unit pass
	runs 0 unit tests/unit/test_pass.c
	mkdir build/tests/bpf
	: >tests/bpf/test_pass.c
	cp build/tests/unit/test_pass build/tests/bpf/
	runs 0 bpf pass unit
	contains "$output" "# build/tests/bpf/test_pass"
	contains "$output" "# build/tests/unit/test_pass"
	last_line "2 passed, 0 failed, 2 skipped"
	runs 0 -l
	[ "$output" = $'build/tests/unit/test_pass\nbuild/tests/bpf/test_pass\ndifferential' ]
}

@test "-f selects cases of a bats file" {
	printf '#!/bin/sh\n' >build/portctl
	chmod 755 build/portctl
	printf '@test "a dog barks" { true; }\n@test "a cat purrs" { true; }\n@test "a cow" { false; }\n' >tests/e2e/farm.bats
	runs 0 e2e farm -f 'c.t p' -f '^a dog'
	last_line "2 passed, 0 failed"
	runs 1 e2e farm.bats
	last_line "2 passed, 1 failed"
	runs 2 e2e farm -f 'cat barks'
	contains "$stderr" 'no case of tests/e2e/farm.bats matches "cat barks"; near:'
	contains "$stderr" "a dog barks"
	runs 2 unit pass -f a
	contains "$stderr" "is not a bats file"
	runs 2 e2e -f a
	runs 2 -f a
}

@test "wrong usage: exit code 2, near names, and nothing runs" {
	suite past 'echo "ok 1 - a"'
	runs 2 unit pasx
	[ "$output" = "" ]
	contains "$stderr" 'there is no unit suite "pasx"; near: test_pas'
	runs 2 units
	contains "$stderr" '"units" is not a kind of suites (unit, bpf, fuzz, e2e, style)'
	runs 2 pass
	contains "$stderr" 'do you mean "unit pass"'
	runs 2
	contains "$stderr" "usage: tests/run"
	local seconds
	for seconds in inf nan -1 0; do
		SUITE_SECONDS=$seconds runs 2 unit
	done
	SUITE_SECONDS=soon runs 2 unit
	runs 0 --help
	contains "$output" "usage: tests/run"
}

@test "a program that is not built is named, with what builds it" {
	: >tests/unit/test_new.c
	runs 2 unit
	contains "$stderr" "build/tests/unit/test_new not built: run make test-programs"
	runs 0 unit pass
	: >tests/fuzz/fuzz_frame.c
	runs 2 fuzz frame
	contains "$stderr" "build/fuzz/fuzz_frame not built: run make fuzz-programs"
}
