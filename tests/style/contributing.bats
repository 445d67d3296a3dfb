#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154 # bats sets output
# Follows the examples of CONTRIBUTING.md on a copy of the tree. An example is a section with a
# "diff" block, and an "sh" block of commands that succeed once the diff is applied.

bats_require_minimum_version 1.5.0

setup_file() {
	ROOT=$(realpath "$BATS_TEST_DIRNAME/../..")
	CLEAN=$BATS_FILE_TMPDIR/clean
	mkdir "$CLEAN"
	(cd "$ROOT" && find . -mindepth 1 -maxdepth 1 ! -name build ! -name .git -exec cp -a -t "$CLEAN" {} +)
	# Built without optimisation, since most of the time goes to compiling.
	MAKEFLAGS="-s -j$(nproc) -- CFLAGS=-O0 HARDENING="
	make -C "$CLEAN" all
	export ROOT CLEAN MAKEFLAGS
}

setup() {
	cp -a "$CLEAN" "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree" || return 1
}

# block SECTION LANGUAGE: the first block of that language in that section of CONTRIBUTING.md.
block() {
	awk -v section="## $1" -v fence="\`\`\`$2" '
		/^##/ { inside = index($0, section) > 0 }
		inside && !done && $0 == fence { printing = 1; next }
		printing && /^```/ { printing = 0; done = 1 }
		printing' "$ROOT/CONTRIBUTING.md"
}

# begin SECTION: writes the blocks of that example to files, and applies its diff.
begin() {
	block "$1" diff >example.diff
	block "$1" sh >example.sh
	[ -s example.diff ]
	[ -s example.sh ]
	patch -p1 -s -F0 <example.diff
}

changed_files() { sed -n 's,^+++ b/,,p' example.diff; }

# lines_of FILE: the part of the diff that changes FILE.
lines_of() {
	awk -v name="b/$1" '
		/^--- / { held = $0; inside = 0; next }
		/^\+\+\+ / { inside = $2 == name; if (inside) print held }
		inside' example.diff
}

@test "the example of a clause works, with at most 6 files of code, and fails without any of its files" {
	local file
	begin "Example: a clause"
	[ "$(changed_files | grep -cE '^(bpf|include|user)/')" -le 6 ]
	bash -e example.sh
	for file in $(changed_files); do
		# A copy with what was built, so that little has to be built again.
		cp -a . ../without
		lines_of "$file" | patch -d ../without -p1 -s -F0 -R
		run bash -e -c "cd ../without && . ./example.sh"
		printf 'without %s: exit code %s\n%s\n' "$file" "$status" "$output"
		[ "$status" != 0 ]
		rm -r ../without
	done
}

@test "the example of a command is one file and one line, and works" {
	begin "Example: a command"
	[ "$(changed_files | wc -l)" = 2 ]
	# Lines that are changed in files that exist.
	[ "$(awk '/^--- / { new = $2 == "/dev/null" } /^[+-][^+-]/ && !new' example.diff | wc -l)" = 1 ]
	bash -e example.sh
}
