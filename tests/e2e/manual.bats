#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The manual and the completions: made from the table of commands, and true.

load helpers

BUILT="$BATS_TEST_DIRNAME/../../build"

@test "the manual is good mdoc, and names every command" {
	run mandoc -Tlint -W warning "$BUILT/man/portctl.8" "$BUILT/man/portctl.rules.5"
	equal "$(grep -v "mandoc.db" <<<"$output")" ""
	local name
	for name in $(portctl help | awk '/^  [a-z]/ && !/^  portctl/ { print $1 }'); do
		grep -q "^.Ss portctl $name$" "$BUILT/man/portctl.8"
	done
	# What it says of a command is what the command says.
	contains "$(sed 's/\\-/-/g' "$BUILT/man/portctl.8")" "$(portctl help watch | tail -3)"
}

@test "every example of portctl.rules(5) is a ruleset" {
	awk -v folder="$TMP" '/^\.\\" RULES/ { n++; on = 1; next } /^\.Ed/ { on = 0 }
		on { print >(folder "/example" n) }' "$BUILT/man/portctl.rules.5"
	local example
	for example in "$TMP"/example*; do portctl check "$example"; done
	[ -s "$TMP/example3" ]
}

# complete WORD...: what bash would offer for the last word.
complete_bash() {
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _portctl; printf "%s\n" "${COMPREPLY[@]}"' \
		- "$BUILT/completions/portctl.bash" "$@"
}

@test "bash completes commands, options, interfaces and files" {
	equal "$(complete_bash portctl aud)" audit
	equal "$(complete_bash portctl attach --m)" --mode
	equal "$(complete_bash portctl attach nat)" native
	contains "$(server bash -c 'true'; complete_bash portctl attach l)" lo
	touch "$TMP/some.rules"
	equal "$(complete_bash portctl apply some)" some.rules
	contains "$(complete_bash portctl allow 22 li)" limit
	equal "$(complete_bash portctl help wat)" watch
}

@test "zsh reads its own" {
	command -v zsh >/dev/null || skip "there is no zsh"
	zsh -n "$BUILT/completions/portctl.zsh"
	contains "$(cat "$BUILT/completions/portctl.zsh")" "'audit:"
}
