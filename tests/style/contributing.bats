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

# follow SECTION [FILE]: applies the example, all of it or all but the changes of FILE, and runs its
# commands.
follow() {
	block "$1" diff >example.diff
	block "$1" sh >example.sh
	[ -s example.diff ] && [ -s example.sh ] || return 99
	awk -v without="${2:-}" '
		/^--- / { held = $0; next }
		/^\+\+\+ / { skip = $2 == "b/" without; if (!skip) print held }
		!skip' example.diff >applied.diff
	patch -p1 -s -F0 <applied.diff || return 99
	bash -e example.sh
}

# code_files SECTION: the files of code that an example changes.
code_files() { block "$1" diff | sed -nE 's,^\+\+\+ b/((bpf|include|user)/.*\.[chm].*),\1,p'; }

@test "the example of a clause builds and works, and changes at most 6 files of code" {
	local files
	files=$(code_files "Example: a clause")
	echo "$files"
	[ "$(wc -l <<<"$files")" -le 6 ]
	follow "Example: a clause"
}

@test "the example of a clause fails if one of its files of code is left out" {
	local file status
	for file in $(code_files "Example: a clause"); do
		rm -r "$BATS_TEST_TMPDIR/tree"
		cp -a "$CLEAN" "$BATS_TEST_TMPDIR/tree"
		cd "$BATS_TEST_TMPDIR/tree"
		status=0
		follow "Example: a clause" "$file" >log 2>&1 || status=$?
		echo "without $file: exit code $status"
		tail -3 log
		[ "$status" != 0 ]
		[ "$status" != 99 ]
	done
}

@test "the example of a command is one file and one line, and works" {
	local files lines
	files=$(code_files "Example: a command")
	echo "$files"
	[ "$(wc -l <<<"$files")" = 2 ]
	lines=$(block "Example: a command" diff | awk '/^--- / { new = $2 == "/dev/null" } /^[+-][^+-]/ && !new')
	echo "$lines"
	[ "$(wc -l <<<"$lines")" = 1 ]
	follow "Example: a command"
}
