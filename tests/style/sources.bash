# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the checks of this folder share.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1

# sources PATTERN...: the files of this tree with such names (as git means patterns; without git
# as find does), but for what was generated.
sources() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files --cached --others --exclude-standard "$@"
	else
		find . -type f -printf '%P\n' | while read -r file; do
			for pattern in "$@"; do
				# shellcheck disable=SC2053 # it is a pattern
				[[ $file != $pattern ]] || echo "$file"
			done
		done
	fi | grep -vE '^(build|vmlinux|tests/fuzz/corpus)/' | sort -u | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done
}

# check WHAT COMMAND...: prints a result; what the command says is shown if it fails.
check() {
	local said
	echo 1..1
	if said=$("${@:2}" 2>&1); then
		echo "ok 1 - $1"
	else
		echo "not ok 1 - $1"
		echo "# ${said//$'\n'/$'\n'# }"
		exit 1
	fi
}

skip() { # WHAT WHY
	printf '1..1\nok 1 - %s # SKIP %s\n' "$1" "$2"
	exit 0
}
