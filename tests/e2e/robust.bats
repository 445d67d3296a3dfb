#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Kills, races, full sizes, hostile files and odd surroundings: the old ruleset or
# the new, never a mixture, and one line that says what is wrong.
# shellcheck disable=SC2154,SC2016 # set elsewhere: output, stderr, pid; jq has $ too
load helpers

# Two rulesets that share two rules, and have 2,000 of their own.
two_rulesets() {
	{
		printf 'default drop\nallow 7000/udp\ndrop 7001/udp\n'
		seq -f 'allow %.0f/tcp' 1 2000
	} >a
	{
		printf 'default drop\ndrop 7001/udp\nallow 7000/udp\nallow 7002/udp\n'
		seq -f 'drop %.0f/udp comment "b"' 20001 22000
	} >b
}

# The running rules are those of a or of b, and list agrees.
is_a_or_b() {
	local now
	now=$(rules)
	[ "$now" = "$(cat a)" ] || [ "$now" = "$(cat b)" ] || {
		printf 'neither a nor b:\n%s\n' "$(head -5 <<<"$now")"
		return 1
	}
	equal "$(portctl list -j | jq '.rules | length')" "$(grep -cE '^(allow|drop)' <<<"$now")"
}

# Where only UDP came, the ports, the lines and the totals are the same sums.
sums_agree() {
	adds_up
	equal "$(stats '.interfaces[0] | . as $i | [("pass", "drop") as $v
		| ([.ports[][$v].packets] | add // 0) == $i.total[$v].packets] | all')" true
}

# kill_at CALL N COMMAND...: portctl is killed as it makes its Nth system call of
# that name (bpf, mkdir, unlink, rmdir); exit code 0 if it makes fewer. Newer
# architectures have only mkdirat and unlinkat.
kill_at() {
	server strace -qq -o /dev/null -e trace="/^$1(at)?\$" \
		-e inject="/^$1(at)?\$:signal=KILL:when=$2" "$PORTCTL" "${@:3}" >/dev/null 2>&1
}

# What is below portctl's folder, now that nothing is attached.
nothing_left() { equal "$(find "$TMP/bpf/portctl" -mindepth 1 2>/dev/null)" ""; }

@test "apply killed at random moments: the old ruleset or the new, counters right" {
	two_rulesets
	portctl attach eth0
	portctl apply a
	background sender client bash -c "
		while :; do
			'$PYTHON' '$NET' send $S4 7000 500
			'$PYTHON' '$NET' send $S4 7001 500
			'$PYTHON' '$NET' send $S4 7002 500
			'$PYTHON' '$NET' send $S6 20500 500
		done"
	local i next=b killed=0 before=0 now
	for i in {1..60}; do
		server timeout --foreground -s KILL "0.0$((RANDOM % 60 + 10))" \
			"$PORTCTL" apply "$next" >/dev/null 2>&1 || killed=$((killed + 1))
		[ $((i % 6)) = 0 ] || continue
		is_a_or_b
		adds_up
		now=$(stats '.interfaces[0].total | .pass.packets + .drop.packets')
		[ "$now" -ge "$before" ]
		before=$now
		[ "$next" = a ] && next=b || next=a
	done
	echo "killed $killed of 60"
	[ "$killed" -ge 5 ]
	stop "$pid"
	sleep 0.1
	sums_agree
	# Rules that both have kept what they counted, however often they moved.
	equal "$(line 'allow 7000/udp')" "$(port udp 7000)"
	equal "$(line 'drop 7001/udp')" "$(port udp 7001 drop)"
	[ "$(port udp 7000)" -gt 0 ]
}

@test "apply killed at each of its system calls: the old ruleset or the new" {
	two_rulesets
	portctl attach eth0
	portctl apply a
	client "$PYTHON" "$NET" send "$S4" 7001 100
	local call n sent=100
	for call in bpf unlink; do
		for ((n = 1; n < 60; n++)); do
			kill_at "$call" "$n" apply b && break
			echo "killed at $call $n"
			equal "$(rules)" "$(cat a)"
			client "$PYTHON" "$NET" send "$S4" 7001 1
			sent=$((sent + 1))
		done
		[ "$n" -gt 1 ] && [ "$n" -lt 60 ]
		equal "$(rules)" "$(cat b)"
		portctl apply a
	done
	equal "$(line 'drop 7001/udp')" "$sent"
	sums_agree
}

@test "attach killed at each of its system calls: it can be undone, and done again" {
	local call n load
	# Loading takes nearly a second, and what is before it only looks.
	load=$(server strace -qq -e trace=bpf "$PORTCTL" attach eth0 2>&1 |
		grep -n PROG_TYPE_XDP | head -1 | cut -d: -f1)
	portctl detach --all
	for call in mkdir bpf; do
		for ((n = 1; n < 200; n++)); do
			[ "$call$n" != bpf4 ] || n=$((load + 1))
			kill_at "$call" "$n" attach eth0 && break
			echo "killed at $call $n"
			portctl status
			if [ $((n % 3)) = 0 ]; then
				wants 0 attach eth0
				client "$PYTHON" "$NET" send "$S4" 7001 1
				equal "$(port udp 7001)" 1
			fi
			wants 0 detach --all
			nothing_left
		done
		[ "$n" -gt 1 ] && [ "$n" -lt 200 ]
		portctl detach --all
	done
}

@test "detach killed at each of its system calls: it can be finished" {
	local call n
	for call in unlink rmdir; do
		for ((n = 1; n < 30; n++)); do
			portctl attach eth0
			portctl allow 22
			portctl allow 23
			kill_at "$call" "$n" detach eth0 && break
			echo "killed at $call $n"
			portctl status
			wants 0 detach --all
			nothing_left
			equal "$(server ip -j -d link show eth0 | jq -r '.[0].xdp')" null
		done
		[ "$n" -gt 1 ] && [ "$n" -lt 30 ]
	done
}

@test "two at a time take turns: both succeed, the result is one of both" {
	two_rulesets
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
	# Ten rules by ten processes: none is lost.
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

@test "a writer waits for whoever has the lock; readers go together" {
	portctl allow 22
	background holder server flock -x "$TMP/run/lock" sleep 30
	local holder=$pid
	eventually no flock -n "$TMP/run/lock" true
	background waiting server "$PORTCTL" drop 23
	local waiting=$pid
	sleep 0.3
	kill -0 "$waiting"
	# flock(1) leaves the lock to its child.
	stop "$(ps --ppid "$holder" -o pid= | tr -d ' ')"
	wait "$waiting"
	equal "$(rules)" $'default allow\nallow 22\ndrop 23'
	background reader server flock -s "$TMP/run/lock" sleep 30
	wants 0 list
	stop "$(ps --ppid "$pid" -o pid= | tr -d ' ')"
}

@test "65,536 rules are applied, listed, counted and changed; one more is refused" {
	portctl attach eth0
	portctl allow 22
	seq -f 'allow %.0f/udp' 0 65535 >full
	wants 0 apply full
	equal "$output" "65536 rules applied, default allow"
	equal "$(portctl list -j | jq '.rules | length')" 65536
	equal "$(portctl list | tail -n +4 | wc -l)" 65536
	equal "$(rules | tail -n +2 | cmp - full && echo same)" same
	client "$PYTHON" "$NET" send "$S4" 65535 3
	equal "$(portctl list -j | jq -c '.rules[65535] | [.number, .rule, .packets]')" '[65536,"allow 65535/udp",3]'
	refused "the ruleset is full: at most 65536 rules" allow 22
	{
		cat full
		echo "allow 22/tcp"
	} >over
	local command
	for command in check apply; do
		refused 'over:65537:1: found "allow", expected at most 65536 rules' $command over
	done
	# Wholly different ones: there is room for both at a time.
	sed -e s/allow/drop/ full >other
	wants 0 apply other
	client "$PYTHON" "$NET" send "$S6" 65535 4
	equal "$(portctl list -j | jq -c '.rules[65535].packets')" 4
	equal "$(line removed pass)" 3
	adds_up
	wants 0 delete 1
	wants 0 apply full
	wants 0 diff full
	sums_agree
}

@test "hostile files: exit code 1 and one line" {
	portctl allow 22
	printf 'allow 23\n\0allow 24\n' >nul
	head -c 100000 /dev/urandom | tr -d '\n' >binary
	head -c 1048576 /dev/zero | tr '\0' a >long
	{
		printf 'allow 22 comment "'
		cat long
		printf '"\n'
	} >comment
	mkdir folder
	printf 'allow 22\n' >unreadable
	ln -s loop loop
	local command file
	for command in check "check -j" apply diff; do
		for file in nul folder nosuch /dev/zero loop nul/x; do
			echo "$command $file"
			# shellcheck disable=SC2086
			refused "$file" $command "$file"
		done
		contains "$stderr" "Not a directory"
		# shellcheck disable=SC2086
		refused "nul is not text: it has NUL bytes" $command nul
	done
	for command in check apply diff; do
		refused "binary" $command binary
		refused 'long:1:1: found "aaaaaaaa' $command long
		refused "comment:1:18: " $command comment
		# Not the whole of it back to the terminal.
		[ "${#stderr}" -lt 300 ]
	done
	equal "$(rules)" $'default allow\nallow 22'
}

@test "a long file of errors, and one of rules that can never match, take no time" {
	seq -f 'allow %.0fx' 1 50000 >errors
	wants 1 apply errors
	equal "$(wc -l <<<"$stderr")" 50000
	# The same port again and again, for interfaces by turns.
	awk 'BEGIN { for (i = 0; i < 65536; i++) print "allow 22 on eth" i % 2 }' >turns
	run -0 server timeout 10 "$PORTCTL" check turns
}

@test "stats under a flood: whole, and never less than before" {
	portctl attach eth0
	portctl drop 7000
	background flood client "$PYTHON" "$NET" flood "$S4" 7000 30
	local i before=0 now
	for i in {1..20}; do
		now=$(port udp 7000 drop)
		[ "$now" -ge "$before" ]
		before=$now
		adds_up
	done
	[ "$now" -gt 1000 ]
	stop "$pid"
	sleep 0.1
	sums_agree
}

@test "a BPF file system that cannot be written says so, and nothing changes" {
	portctl attach eth0
	portctl drop 7000
	mount -o remount,ro "$TMP/bpf"
	local command
	for command in "attach eth0" "attach lo" "detach eth0" "detach --all" "allow 22" "apply /dev/null"; do
		# shellcheck disable=SC2086
		refused "Read-only file system" $command
	done
	client "$PYTHON" "$NET" send "$S4" 7000 3
	mount -o remount,rw "$TMP/bpf"
	equal "$(rules)" $'default allow\ndrop 7000'
	equal "$(port udp 7000 drop)" 3
	portctl detach --all
	# Neither where nothing is there yet.
	mount -o remount,ro "$TMP/bpf"
	refused "Read-only file system" attach eth0
	mount -o remount,rw "$TMP/bpf"
}

@test "a folder for the lock that cannot be used says so" {
	export PORTCTL_RUN=$TMP/file
	: >"$TMP/file"
	refused "cannot open $TMP/file/lock: Not a directory" status
	export PORTCTL_RUN=$TMP/no/such
	refused "cannot make $TMP/no/such: No such file or directory" status
	# Somebody else's link is not followed.
	export PORTCTL_RUN=$TMP/links
	mkdir "$TMP/links"
	ln -s "$TMP/victim" "$TMP/links/lock"
	refused "cannot open $TMP/links/lock: " status
	[ ! -e "$TMP/victim" ]
}

@test "pins that are not what they should be are refused" {
	portctl attach eth0
	local folder map command ones
	folder=$(echo "$TMP"/bpf/portctl/*)
	portctl detach eth0
	mkdir -p "$folder"
	# A control map that is too small, and one that cannot be mapped.
	map() { bpftool map create "$folder/$1" type "$2" key 4 value "$3" entries 1 name x "${@:4}"; }
	map control array 4 flags 0x400
	refused "was made by another version of portctl" status
	rm "$folder/control"
	map control hash 8
	refused "cannot open $folder/control: " status
	rm -r "$folder"
	wants 0 attach eth0
	# A stored ruleset of nonsense.
	portctl drop 7000
	rm "$folder"/ruleset?
	mapfile -t ones < <(yes ff | head -4092)
	for map in ruleset0 ruleset1; do
		map "$map" array 4096 flags 0x400
		bpftool map update pinned "$folder/$map" key 0 0 0 0 value hex ff ff ff ff \
			"${ones[@]}"
	done
	for command in list stats status "save -" "allow 22"; do
		# shellcheck disable=SC2086
		refused "$folder" $command
	done
	# The filter itself does not depend on them.
	client "$PYTHON" "$NET" send "$S4" 7000 1
	wants 0 detach eth0
	wants 0 attach eth0
}
