#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154,SC2016 # bats sets output; texts have a $ and backquotes of their own
# Tests of tests/style/structure: each plants a violation in a copy of the tree and sees it reported
# with its file and line. Needs no root, but the object files.

bats_require_minimum_version 1.5.0

setup_file() {
	ROOT=$(realpath "$BATS_TEST_DIRNAME/../..")
	CLEAN=$BATS_FILE_TMPDIR/clean
	mkdir -p "$CLEAN"
	# All but the history, and of what was built only what the object files need.
	(cd "$ROOT" && find . -mindepth 1 -maxdepth 1 ! -name build ! -name .git -exec cp -a -t "$CLEAN" {} + &&
		cp -a --parents build/user build/*.skel.h build/*.bpf.o build/*.inc "$CLEAN")
	export ROOT CLEAN
}

setup() {
	cp -a "$CLEAN" "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree" || return 1
}

# plant FILE LINE...: writes a source file, and compiles it if it is one of user/.
plant() {
	printf '%s\n' "${@:2}" >"$1"
	case $1 in
	user/*.c) make -s "build/${1%.c}.o" ;;
	esac
}

# finds TEXT...: the check fails and reports lines that begin so.
finds() {
	local line
	run -1 tests/style/structure
	for line in "$@"; do
		[[ $'\n'$output == *$'\n'"# $line"* ]] || {
			printf 'not found: # %s\nin: %s\n' "$line" "$output"
			return 1
		}
	done
}

@test "the tree itself has no violation" {
	run -0 tests/style/structure
}

@test "an include of a higher layer" {
	plant user/rules/planted.h "int planted(void);"
	plant user/base/planted.c "/* one */" '#include "rules/planted.h"'
	finds "user/base/planted.c:2: includes rules/planted.h, which is a higher layer"
}

@test "an include of a higher layer in angle brackets" {
	plant user/rules/planted.h "int planted(void);"
	plant user/base/planted.c '#include <rules/planted.h>'
	finds "user/base/planted.c:1: includes rules/planted.h, which is a higher layer"
}

@test "an object file that is older than its source is not read" {
	touch -d "+1 hour" user/base/text.c
	run -1 tests/style/structure
	[[ $output == *"Bail out! build/user/base/text.o is older than user/base/text.c: run make test-programs"* ]]
}

@test "an include cycle" {
	plant user/base/planted_a.h "" '#include "base/planted_b.h"'
	plant user/base/planted_b.h '#include "base/planted_c.h"'
	plant user/base/planted_c.h "" "" '#include "base/planted_a.h"'
	finds "include cycle: user/base/planted_a.h:2 includes user/base/planted_b.h, user/base/planted_b.h:1 includes user/base/planted_c.h, user/base/planted_c.h:3 includes user/base/planted_a.h"
}

@test "an include without its folder, and one that is nowhere" {
	plant user/rules/planted.h "int planted(void);"
	plant user/rules/planted.c '#include "planted.h"'  2>/dev/null
	plant user/base/planted.h '#include "nowhere.h"'
	finds 'user/rules/planted.c:1: include "planted.h" without its folder' \
		'user/base/planted.h:1: include "nowhere.h" is in none of the folders'
}

@test "a symbol of a higher layer, without an include" {
	plant user/rules/planted_high.c "int planted_high(void);" "int planted_high(void) { return 1; }"
	plant user/base/planted.c "int planted_high(void);" "int planted(void);" \
		"int planted(void) { return planted_high(); }"
	finds "user/base/planted.c:1: uses planted_high of user/rules/planted_high.c, a higher layer"
}

@test "a link cycle between object files of one folder" {
	plant user/base/planted_a.c "int planted_b(void);" "" "int planted_a(void) { return planted_b(); }"
	plant user/base/planted_b.c "" "int planted_a(void);" "int planted_b(void) { return planted_a(); }"
	finds "link cycle: user/base/planted_a.c:1 uses planted_b of user/base/planted_b.c, user/base/planted_b.c:2 uses planted_a of user/base/planted_a.c"
}

@test "a link cycle between folders, though none between object files" {
	plant user/base/planted_a.c "int planted_b(void);" "int planted_a(void) { return planted_b(); }"
	plant user/rules/planted_b.c "int planted_b(void) { return 1; }"
	finds "link cycle of folders user/base user/rules user/base: user/base/planted_a.c:1 uses planted_b, user/rules/"
}

@test "a crowded folder" {
	local i
	for ((i = $(find user/base -type f | wc -l); i < 33; i++)); do plant "user/base/planted_$i.h"; done
	finds "user/base: 33 files, more than 32"
	rm user/base/planted_32.h
	run -0 tests/style/structure
}

@test "a folder that is not listed, one without a README, one that is listed and not there" {
	mkdir user/planted bpf/planted
	plant user/planted/a.h
	plant bpf/planted/a.h
	rm user/rules/README.md
	sed -i 's|^```layers$|&\nuser/absent  nothing|' README.md
	finds "user/planted/a.h: in no layer of README.md or bpf/README.md" \
		"bpf/planted/a.h: in no layer of README.md or bpf/README.md" \
		"user/planted: no README.md that says what lives there and what may not" \
		"user/rules: no README.md that says what lives there and what may not" \
		"user/absent: listed as a layer, and not there"
}

@test "an upward include in bpf" {
	plant bpf/path/planted.h
	plant bpf/packet/planted.h "" '#include "path/planted.h"'
	finds "bpf/packet/planted.h:2: includes path/planted.h, which is a higher layer"
}

@test "libbpf outside of user/kernel" {
	plant user/base/planted.c "#include <bpf/libbpf.h>" "int planted(void);" "" \
		"int planted(void) { return libbpf_num_possible_cpus(); }"
	finds "user/base/planted.c:1: includes <bpf/libbpf.h> outside user/kernel" \
		"user/base/planted.c:4: uses libbpf_num_possible_cpus of libbpf outside user/kernel"
}

@test "functions that only tests, nobody, or only their own file uses" {
	plant user/base/planted.c "int planted_test(void) { return 1; }" "int planted_none(void) { return 1; }" \
		"int planted_own(void) { return 1; }" "int planted_main(void) { return planted_own(); }"
	plant user/main/planted.c "int planted_main(void);" "int planted_user(void) { return planted_main(); }"
	plant tests/unit/test_planted.c "planted_test();"
	finds "user/base/planted.c:1: planted_test() is used only by tests: move it there" \
		"user/base/planted.c:2: planted_none() is used by nobody" \
		"user/base/planted.c:3: planted_own() is used only in this file: make it static"
	run ! grep -F "planted_main() is" <<<"$output"
}

@test "static functions of one name in several files, but for short ones" {
	local file
	for file in user/base/planted.h user/rules/planted.h; do
		plant "$file" "static inline int planted_long(int i)" "{" " i++;" " i++;" " i++;" " return i;" "}" \
			"static inline int planted_short(int i)" "{" " i++;" " i++;" " return i;" "}"
	done
	finds "user/base/planted.h:1, user/rules/planted.h:1: static planted_long() in 2 files"
	run ! grep -F "planted_short" <<<"$output"
}

@test "a document that names a file that is not there" {
	echo "See \`user/base/planted.c\` and \`user/base/*.h\`." >>README.md
	finds "README.md:$(wc -l <README.md): there is no user/base/planted.c"
}

@test "object files that are not built, and a missing list of layers" {
	rm build/user/main/main.o
	run -1 --separate-stderr tests/style/structure
	[[ $output$stderr == "Bail out! build/user/main/main.o is not built: run make test-programs" ]]
	sed -i 's/^```layers$/```/' README.md
	rm -f bpf/README.md
	run -1 tests/style/structure
	[[ $output == "Bail out! no list of layers in README.md or bpf/README.md" ]]
}
