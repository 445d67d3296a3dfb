#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Commands killed at each system call, or with each system call failing, under traffic:
# afterwards the old or the new ruleset is in force, no count is lost, and nothing leaks. See
# helpers_faults.bash.
load helpers
load helpers_faults


# Applies the ruleset "old" to eth0 and starts onlookers().
old_runs() {
	old_and_new
	portctl attach eth0
	portctl apply new
	portctl apply old
	onlookers keep 600
}

# `apply new` with a fault at each point, each time repeated without a fault.
struck_applies() { # kill|error EVERY OPTION...
	local point now
	old_runs
	points "$1" "$2" apply new "${@:3}"
	[ $# = 2 ] || portctl confirm
	for point in "${points[@]}"; do
		portctl apply old >/dev/null
		strike "$1" "$point" apply new "${@:3}"
		now=$(ruleset)
		[ "$now" = old ] || equal "$now" new
		[ "$1" = kill ] || after_error "$now" "$point"
		judged "$now"
		[ $# = 2 ] || unconfirmed "$now"
		wants 0 apply new "${@:3}"
		[ $# = 2 ] || wants 0 confirm
		judged new
	done
	onlookers_end
	equal "$(line 'drop 7001/udp')" "$(port udp 7001 drop)"
	all_gone
}

# An apply that failed must not have changed the rules, unless only its output failed.
after_error() { # RULESET POINT
	if [ "$status" = 0 ]; then
		equal "$1" new
	elif [[ $2 != *" write "* ]]; then
		equal "$1" old
	fi
}

# A change that was not made must not wait to be confirmed, and must not undo the next one.
unconfirmed() { # RULESET
	local waits
	waits=$(portctl status -j | jq .pending)
	if [ "$1" = old ]; then
		equal "$waits" 0
		wants 0 apply new
		equal "$(portctl status -j | jq .pending)" 0
	elif [ "$waits" != 0 ]; then
		wants 0 confirm
	fi
}

@test "apply killed at each system call leaves the old or the new ruleset" {
	struck_applies kill 4
}

@test "apply with each system call failing changes nothing or succeeds" {
	struck_applies error 6
}

@test "apply --confirm killed at each system call leaves the old or the new ruleset" {
	struck_applies kill 9 --confirm 10m
}

@test "apply --confirm with each system call failing changes nothing or succeeds" {
	struck_applies error 14 --confirm 10m
}

@test "a killed apply --confirm does not undo the next apply" {
	old_and_new
	portctl attach eth0
	portctl apply new
	settled apply old
	FAULTS=all points kill 1 apply new --confirm 10m
	portctl confirm
	settled apply old
	local started
	started=$(printf '%s\n' "${points[@]}" | grep -nE 'BPF_PROG_(TEST_)?RUN' | cut -d: -f1)
	strike kill "${points[started - 1]}" apply new --confirm 3s
	equal "$(ruleset)" old
	wants 0 apply new
	sleep 3
	equal "$(ruleset)" new
	judged new
}

@test "rollback after a killed apply restores the whole ruleset before" {
	local point now
	old_runs
	points kill 7 apply new
	for point in "${points[@]}"; do
		portctl apply older >/dev/null
		portctl apply old >/dev/null
		strike kill "$point" apply new
		now=$(ruleset)
		[ "$now" = old ] && now=older || now=old
		wants 0 rollback
		equal "$(ruleset)" "$now"
		judged "$now"
		# A second rollback undoes the first.
		wants 0 rollback
		judged "$(ruleset)"
	done
	# The change is made, but the map with its text was not renamed.
	portctl apply old
	FAULTS=all points error 1 apply new
	portctl apply old
	strike error "$(printf '%s\n' "${points[@]}" | grep rename | tail -1)" apply new
	equal "$(ruleset)" new
	wants 0 rollback
	equal "$(ruleset)" old
	judged old
	onlookers_end
	all_gone
}

@test "rollback killed or failing at each system call leaves the old or the new ruleset" {
	local point kind now
	old_runs
	for kind in kill error; do
		portctl apply new
		points "$kind" 2 rollback
		for point in "${points[@]}"; do
			portctl apply old >/dev/null
			portctl apply new >/dev/null
			strike "$kind" "$point" rollback
			now=$(ruleset)
			[ "$now" = old ] || equal "$now" new
			judged "$now"
			[ "$now" = old ] || wants 0 rollback
			judged old
		done
	done
	onlookers_end
	all_gone
}

@test "confirm killed or failing at each system call can be repeated" {
	local point kind
	old_runs
	for kind in kill error; do
		portctl apply old
		portctl apply new --confirm 10m
		points "$kind" 3 confirm
		for point in "${points[@]}"; do
			portctl apply old >/dev/null
			portctl apply new --confirm 10m >/dev/null
			strike "$kind" "$point" confirm
			equal "$(ruleset)" new
			[ "$(portctl status -j | jq .pending)" = 0 ] || wants 0 confirm
			equal "$(portctl status -j | jq .pending)" 0
			judged new
		done
	done
	onlookers_end
	all_gone
}

# The first `attach eth0` with a fault at each point, with rules applied before.
struck_attaches() { # kill|error EVERY
	local point i=0 before
	old_and_new
	portctl apply old
	points "$1" "$2" attach eth0
	for point in "${points[@]}"; do
		wants 0 detach --all
		nothing_left
		portctl apply old >/dev/null
		before=$(pins)
		strike "$1" "$point" attach eth0
		equal "$(ruleset)" old
		seen=
		if attached; then
			judged old
		elif [ "$1" = error ]; then
			equal "$(pins)" "$before"
			equal "$(egress_filters)" ""
		fi
		# Not every time, because it takes a second.
		if [ $((i++ % 3)) = 0 ] || [ "${FAULTS:-}" = all ]; then
			wants 0 attach eth0
			judged old
		fi
		note_ids
	done
	all_gone
}

@test "attach killed at each system call can be undone or repeated" {
	struck_attaches kill 10
}

@test "attach with each system call failing leaves nothing" {
	struck_attaches error 18
}

# `attach eth0` with a fault at each point, to an attached interface: it replaces the program.
struck_upgrades() { # kill|error EVERY
	local point link
	old_runs
	link=$(bpftool -j link show pinned "$TMP"/bpf/portctl/*/eth0/link | jq .id)
	points "$1" "$2" attach eth0
	for point in "${points[@]}"; do
		strike "$1" "$point" attach eth0
		equal "$(ruleset)" old
		judged old
		equal "$(bpftool -j link show pinned "$TMP"/bpf/portctl/*/eth0/link | jq .id)" "$link"
		note_ids
	done
	wants 0 attach eth0
	judged old
	onlookers_end
	all_gone
}

@test "attach again killed at each system call keeps filtering" {
	struck_upgrades kill 4
}

@test "attach again with each system call failing keeps filtering" {
	struck_upgrades error 7
}

# `detach eth0` with a fault at each point: eth0 stays attached, or repeating detaches it.
struck_detaches() { # kill|error EVERY
	local point
	old_and_new
	portctl attach eth0
	portctl apply old
	points "$1" "$2" detach eth0
	for point in "${points[@]}"; do
		if ! attached; then
			portctl attach eth0
			portctl apply old >/dev/null
			seen=
		fi
		note_ids
		strike "$1" "$point" detach eth0
		wants 0 status
		if attached; then
			judged old
			differ "$(egress_filters)" ""
		fi
		if [ -e "$(echo "$TMP"/bpf/portctl/*/eth0)" ]; then
			wants 0 detach eth0
		fi
		equal "$(ruleset)" none
	done
	all_gone
}

@test "detach killed at each system call can be repeated" {
	struck_detaches kill 8
}

@test "detach with each system call failing can be repeated" {
	struck_detaches error 10
}

@test "attach after a killed detach resets the counters" {
	old_and_new
	portctl attach eth0 lo
	portctl apply old
	FAULTS=all points kill 1 detach eth0
	portctl attach eth0
	judged old
	[ "$(port udp 7001 drop)" = 1 ]
	strike kill "$(printf '%s\n' "${points[@]}" | grep 'unlink.* link$')" detach eth0
	no attached
	# By now other rules have the lines.
	portctl apply new
	portctl apply older
	wants 0 attach eth0
	equal "$(port udp 7001 drop)" 0
	seen=''
	judged older
	sums_agree
}

@test "save killed or failing at each system call leaves the old or the new file" {
	local point kind file
	old_and_new
	portctl attach eth0
	portctl apply old
	portctl save
	file=$(cat "$TMP/saved")
	for kind in kill error; do
		points "$kind" 2 save
		for point in "${points[@]}"; do
			echo before >"$TMP/saved"
			strike "$kind" "$point" save
			[ "$(cat "$TMP/saved")" = before ] || equal "$(cat "$TMP/saved")" "$file"
			wants 0 save
			equal "$(cat "$TMP/saved")" "$file"
			equal "$(echo saved*)" "saved saved.interfaces"
		done
	done
}

@test "restore killed or failing at each system call can be repeated" {
	local point kind
	old_and_new
	portctl apply old
	portctl save
	for kind in kill error; do
		portctl detach --all
		points "$kind" 4 restore
		for point in "${points[@]}"; do
			portctl detach --all
			strike "$kind" "$point" restore
			wants 0 restore
			equal "$(ruleset)" old
		done
	done
	echo eth0 native >saved.interfaces
	wants 0 restore
	judged old
	all_gone
}
