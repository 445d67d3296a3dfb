# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Removes what end-to-end tests made. The tests use it, and tests/run for a suite it had to end.

# remove_all PREFIX FOLDER: removes all namespaces whose names begin with PREFIX, with their
# processes, and FOLDER with everything mounted below it.
remove_all() {
	local name pids
	for name in $(ip netns list | awk -v id="$1" 'index($1, id) == 1 { print $1 }'); do
		# Every process in these namespaces is the tests'.
		pids=$(ip netns pids "$name")
		[ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
		ip netns del "$name"
	done
	# The deepest first, because mounts may be nested.
	awk -v top="$2/" 'index($2, top) == 1 { print $2 }' /proc/self/mounts | sort -r |
		while read -r name; do umount "$name"; done
	rm -rf --one-file-system "$2"
}
