#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Events during a command: the interface is deleted, memory runs out, other commands attach,
# detach, apply and read. Afterwards the old or the new ruleset is in force, and nothing leaks.
load helpers
load helpers_faults

# gone_at PATTERN COMMAND...: runs it, and deletes eth0 after the last point that matches.
gone_at() {
	local point call number
	point=$(printf '%s\n' "${points[@]}" | grep -E "$1" | tail -1)
	echo "gone at $point"
	read -r _ call number _ <<<"$point"
	stopped "$call" "$number" "${@:2}"
	ip -n "$SERVER" link del eth0
	kill -CONT "$victim"
	ended
	[ "$status" = 0 ] || { equal "$status" 1 && one_line "$(cat struck.err)"; }
	wants 0 status
}

# comes_back RULESET: makes eth0 again and attaches to it; RULESET must judge its packets.
comes_back() {
	add_link eth0 "$C4" "$C6" "$S4" "$S6"
	wants 0 attach eth0
	seen=$(counters)
	judged "$1"
}

@test "an interface deleted during attach leaves the rules, and can be attached again" {
	local call
	old_and_new
	portctl apply old
	FAULTS=all points kill 1 attach eth0
	for call in SIOCGIFHWADDR 'OBJ_PIN table' NEWTFILTER LINK_CREATE 'OBJ_PIN link'; do
		portctl detach --all
		portctl apply old
		gone_at "$call" attach eth0
		equal "$(ruleset)" old
		comes_back old
	done
	all_gone
}

@test "an interface deleted during status, stats, apply, attach or detach is handled" {
	old_and_new
	portctl attach eth0
	portctl apply new
	portctl apply old
	FAULTS=all points kill 1 status
	gone_at 'OBJ_GET link' status
	equal "$status" 0
	comes_back old
	gone_at 'OBJ_GET link' stats -j
	equal "$status" 0
	comes_back old
	FAULTS=all points kill 1 apply old
	gone_at 'OBJ_GET details' apply new
	equal "$status" 0
	comes_back new
	FAULTS=all points kill 1 attach eth0
	gone_at 'NEWTFILTER' attach eth0
	comes_back new
	FAULTS=all points kill 1 detach eth0
	portctl attach eth0
	portctl apply new # detach reads it, as in the run that found the points
	gone_at 'OBJ_GET link' detach eth0
	equal "$status" 0
	nothing_left
	"$PYTHON" "$FAULTS_PY" gone "$TMP/ids"
}

# Finds a cgroup hierarchy, v1 or v2, that limits memory. Sets $memory and $limit.
find_memory_cgroup() {
	memory=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
	[ ! -w "$memory/$limit" ] || return 0
	memory=/sys/fs/cgroup limit=memory.max
	grep -qsw memory "$memory/cgroup.subtree_control"
}

# limited MEBIBYTES COMMAND...: runs portctl with this much memory, that of the kernel included.
limited() {
	local group=$memory/$E2E_ID
	mkdir "$group"
	echo $(($1 << 20)) >"$group/$limit"
	server bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$PORTCTL" "${@:2}" \
		>limited.out 2>limited.err && status=0 || status=$?
	eventually rmdir "$group"
	echo "$1 MiB: exit code $status: $(cat limited.err)"
	case $status in
	0 | 137) ;; # 137: the kernel killed it
	*) equal "$status" 1 && contains "$(cat limited.err)" "out of memory" ;;
	esac
}

@test "a command without enough memory is refused or killed, and leaves nothing" {
	local memory limit mebibytes results=''
	find_memory_cgroup || skip "no cgroup here that limits memory"
	old_and_new
	portctl apply old
	seq -f 'drop %.0f/udp from 198.51.100.0/24' 10000 20000 >many
	for mebibytes in 4 8 24 40 48 52 200; do
		limited "$mebibytes" attach eth0
		results+=" $status"
		equal "$(ruleset)" old
		! attached || judged old
		[ "$status" = 137 ] || [ "$status" = 0 ] || equal "$(pins | wc -l)" 3
	done
	# The least memory was not enough, the most was.
	[[ $results == " 1"*" 0" ]]
	results=
	for mebibytes in 4 6 8 10 12 16 100; do
		limited "$mebibytes" apply many
		results+=" $status"
		# Killed, apply may have made its change before.
		[ "$status" = 137 ] && [ "$(rules | wc -l)" = 10002 ] && portctl apply old
		[ "$status" = 0 ] || equal "$(ruleset)" old
	done
	[[ $results == *1*0 ]] || [[ $results == *137*0 ]]
	wants 0 apply new
	judged new
	all_gone
}

@test "attach, detach and apply at the same time take turns" {
	local i command now pids one
	old_and_new
	background reader server "$PYTHON" "$FAULTS_PY" reader "$PORTCTL" restart
	local reader=$pid
	for i in {1..4}; do
		pids=()
		for command in "attach eth0" "apply new" "detach --all" "apply old" "attach eth0"; do
			background "at$i" server "$PORTCTL" $command
			pids+=("$pid")
		done
		for one in "${pids[@]}"; do
			wait "$one"
		done
		now=$(ruleset)
		seen=
		attached && seen=$(counters) && judged "$now"
		note_ids
	done
	reader_end
	all_gone
}

# Writes two rulesets, a and b, with two common rules and 2,000 of their own each.
two_long_rulesets() {
	{
		printf 'default drop\nallow 7000/udp\ndrop 7001/udp\n'
		seq -f 'allow %.0f/tcp' 1 2000
	} >a
	{
		printf 'default drop\ndrop 7001/udp\nallow 7000/udp\nallow 7002/udp\n'
		seq -f 'drop %.0f/udp comment "b"' 20001 22000
	} >b
}

# The running rules must be those of a or of b, and list must agree.
is_a_or_b() {
	local now
	now=$(rules)
	[ "$now" = "$(cat a)" ] || [ "$now" = "$(cat b)" ] || {
		printf 'neither a nor b:\n%s\n' "$(head -5 <<<"$now")"
		return 1
	}
	equal "$(portctl list -j | jq '.rules | length')" "$(grep -cE '^(allow|drop)' <<<"$now")"
}

# Prints the time of an apply in microseconds: the longest of four.
apply_takes() {
	local next started took longest=0
	for next in b a b a; do
		started=${EPOCHREALTIME/[.,]/}
		portctl apply "$next" >/dev/null
		took=$((${EPOCHREALTIME/[.,]/} - started))
		[ "$took" -le "$longest" ] || longest=$took
	done
	echo "$longest"
}

@test "apply killed at random moments leaves the old or the new ruleset, and right counters" {
	two_long_rulesets
	portctl attach eth0
	portctl apply a
	background sender client bash -c "
		while :; do
			'$PYTHON' '$NET' send $S4 7000 500
			'$PYTHON' '$NET' send $S4 7001 500
			'$PYTHON' '$NET' send $S4 7002 500
			'$PYTHON' '$NET' send $S6 20500 500
		done"
	local i next=b killed=0 before=0 now takes
	takes=$(apply_takes)
	for i in {1..60}; do
		server timeout --foreground -s KILL \
			"$((takes * RANDOM / 32768 + 1))e-6" \
			"$PORTCTL" apply "$next" >/dev/null 2>&1 || killed=$((killed + 1))
		[ "$next" = a ] && next=b || next=a
		[ $((i % 6)) = 0 ] || continue
		is_a_or_b
		adds_up
		now=$(stats '.interfaces[0].total | .pass.packets + .drop.packets')
		[ "$now" -ge "$before" ]
		before=$now
	done
	echo "killed $killed of 60, in the first $takes us"
	[ "$killed" -ge 5 ]
	stop "$pid"
	sleep 0.1
	sums_agree
	# Rules that both rulesets have kept their counters, however often their lines changed.
	equal "$(line 'allow 7000/udp')" "$(port udp 7000)"
	equal "$(line 'drop 7001/udp')" "$(port udp 7001 drop)"
	[ "$(port udp 7000)" -gt 0 ]
}

@test "two applies at the same time both succeed, and one of them is the result" {
	two_long_rulesets
	portctl attach eth0
	local i first second
	for i in {1..15}; do
		background first server "$PORTCTL" apply a
		first=$pid
		background second server "$PORTCTL" apply b
		second=$pid
		wait "$first"
		wait "$second"
		is_a_or_b
	done
	# Ten processes add one rule each: none is lost.
	portctl apply /dev/null
	local pids=()
	for i in {1..10}; do
		background "rule$i" server "$PORTCTL" allow "$((100 + i))"
		pids+=("$pid")
	done
	for i in "${pids[@]}"; do
		wait "$i"
	done
	equal "$(rules | sort -V)" "$(seq -f 'allow %.0f' 101 110; echo default allow)"
}

@test "a command that writes waits for the lock, and commands that read share it" {
	portctl allow 22
	background holder server flock -x "$TMP/run/lock" sleep 30
	local holder=$pid
	eventually no flock -n "$TMP/run/lock" true
	background waiting server "$PORTCTL" drop 23
	local waiting=$pid
	sleep 0.3
	kill -0 "$waiting"
	# The child of flock(1) holds the lock.
	stop "$(ps --ppid "$holder" -o pid= | tr -d ' ')"
	wait "$waiting"
	equal "$(rules)" $'default allow\nallow 22\ndrop 23'
	background reader server flock -s "$TMP/run/lock" sleep 30
	wants 0 list
	stop "$(ps --ppid "$pid" -o pid= | tr -d ' ')"
}

@test "a delayed child that waits for packets after a change does not block commands" {
	background held server strace -f -qq -o /dev/null -e inject=close_range:delay_enter=8s \
		"$PORTCTL" allow 22
	eventually grep -q "rule 1 added" held.out
	SECONDS=0
	wants 0 drop 23
	[ "$SECONDS" -lt 4 ]
	kill -0 "$pid"
	equal "$(rules)" $'default allow\nallow 22\ndrop 23'
	stop "$pid"
}
