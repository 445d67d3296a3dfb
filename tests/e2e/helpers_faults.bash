# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Helpers for fault injection: kill portctl after one of its system calls, or make that call
# fail, and check the state it left.
#
# strace(1) injects the faults, so portctl needs no code for them. A run without faults shows
# the system calls ("points"). `make test` takes a random sample of the points;
# `make test-faults` (FAULTS=all) takes all.

FAULTS_PY="$BATS_TEST_DIRNAME/faults.py"

# Rulesets that need all kinds of maps: ports, details, sources, limits. All of them drop port
# 7001 with the same rule.
old_and_new() {
	cat >old <<-END
		default drop
		allow 7000/udp
		drop 7001/udp
		allow 7003/udp from $C4
		allow 7004/udp from $C6 limit 100000/s
	END
	cat >new <<-END
		default drop
		allow 7002/udp limit 100000/s
		drop 7001/udp
		allow 7003/udp from 192.0.2.1
		allow 7004/udp from 2001:db8::/32
	END
	printf 'default drop\ndrop 7001/udp\nallow 7000/udp\nallow 7002/udp\n' >older
	# Which of the ports 7000 to 7004 pass (1) under each ruleset, and without rules.
	stream='' seen='' struck=0 missed=0
	declare -gA verdicts=([old]="1 0 0 1 1" [new]="0 0 1 0 0" [none]="1 1 1 1 1"
		[older]="1 0 1 0 0")
}

# --- injecting faults --------------------------------------------------------------------

# points kill|error EVERY COMMAND...: sets $points to the points of a run without faults. In
# `make test`, to one in EVERY of those that can change something.
points() {
	local all
	server strace -f -qq -o "$TMP/trace" "$PORTCTL" "${@:3}" >/dev/null
	all=$("$PYTHON" "$FAULTS_PY" points "$TMP/trace" "$1")
	[ "${FAULTS:-}" = all ] || all=$(grep '^+' <<<"$all" |
		awk -v k="$2" -v first=$((RANDOM % $2)) 'NR % k == first')
	mapfile -t points <<<"$all"
	[ -n "$all" ]
}

# settled COMMAND...: a change, until no packet uses the slot before it any more. A child of
# portctl waits for that, and strace(1) waits for the child. A command that came earlier would
# wait itself, with more system calls.
settled() {
	server strace -f -qq -o /dev/null "$PORTCTL" "$@"
}

# traced CALL INJECTION COMMAND...: portctl under strace, in the background.
traced() {
	background struck server strace -f -o "$TMP/trace" -e trace="$1" -e inject="$1:$2" \
		"$PORTCTL" "${@:3}"
}

# stopped CALL N COMMAND...: runs it until after the N-th such call. Sets $pid to strace's and
# $victim to portctl's process. Fails if portctl ended earlier.
stopped() {
	local tries
	rm -f "$TMP/trace"
	traced "$1" "signal=SIGSTOP:when=$2" "${@:3}"
	for ((tries = 0; tries < 3000; tries++)); do
		grep -qs 'stopped by SIGSTOP' "$TMP/trace" && break
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.01
	done
	victim=$(head -1 "$TMP/trace" | cut -d' ' -f1)
	grep -hE '^(map|prog|link)_id:' "/proc/$victim/fdinfo/"* >>"$TMP/ids" || true
}

# Waits for the process started last. Its PID may be reused, so teardown must not kill it.
ended() {
	wait "$pid" 2>/dev/null && status=0 || status=$?
	unset 'begun[-1]'
}

killed_at() {
	struck=$((struck + 1))
	if stopped "$@"; then
		kill -KILL "$victim"
	else
		missed=$((missed + 1))
	fi
	ended
}

# failed_at CALL N ERROR COMMAND...: makes that call fail. Sets $status. An exit code of 1 must
# come with an error message.
failed_at() {
	traced "$1" "error=$3:when=$2" "${@:4}"
	ended
	[ "$status" = 0 ] || { [ "$status" = 1 ] && [ -s struck.err ]; } || {
		echo "exit code $status: $(cat struck.err)"
		return 1
	}
}

# strike kill|error "POINT" COMMAND...: runs it with a fault at POINT, one of $points.
strike() {
	local sign call number error what
	read -r sign call number error what <<<"$2"
	echo "$1: $call $number $error $what $sign"
	case $1 in
	kill) killed_at "$call" "$number" "${@:3}" ;;
	error) failed_at "$call" "$number" "$error" "${@:3}" ;;
	esac
}

# --- checking the state -------------------------------------------------------------------

# Prints which ruleset runs: old, new, older or none.
ruleset() {
	local now name
	now=$(rules)
	for name in old new older; do
		[ "$now" != "$(cat "$TMP/$name")" ] || { echo "$name" && return; }
	done
	[ "$now" = "default allow" ] && echo none && return
	printf 'none of them:\n%s\n' "$now"
	return 1
}

attached() { [ -n "$(server ip -j -d link show eth0 | jq -r '.[0].xdp.prog.id // empty')" ]; }

# Prints the passed packets of the ports 7000 to 7004, then the dropped ones, then whether the
# lines add up to the totals.
counters() {
	stats '.interfaces[0] | . as $i
		| ([("pass", "drop") as $v | range(7000; 7005) as $p
			| [.ports[] | select(.proto == "udp" and .port == $p)[$v].packets] | add // 0]
		+ [[("pass", "drop") as $v | [.lines[] | select(.verdict == $v).packets] | add // 0]
			== [("pass", "drop") as $v | .total[$v].packets]]) | join(" ")'
}

# judged RULESET: sends a packet to each port, which RULESET must judge. The counters must grow
# by exactly these packets since the last call ($seen; empty: eth0 was attached anew).
judged() {
	local before after i verdict
	read -ra before <<<"${seen:-0 0 0 0 0 0 0 0 0 0 true}"
	client bash -c 'for port in 7000 7001 7002 7003; do echo >"/dev/udp/$S4/$port"; done
		echo >"/dev/udp/$S6/7004"'
	seen=$(counters)
	read -ra after <<<"$seen"
	read -ra verdict <<<"${verdicts[$1]}"
	for i in {0..4}; do
		before[i]=$((before[i] + verdict[i]))
		before[i + 5]=$((before[i + 5] + 1 - verdict[i]))
	done
	# The stream of onlookers() adds to the drops of port 7001, while the sums are read.
	[ -z "$stream" ] || before[6]=${after[6]} before[10]=${after[10]}
	equal "${after[*]}" "${before[*]}"
}

# onlookers keep|restart SECONDS: starts a stream to port 7001, which is dropped all the time, a
# receiver there, and a reader of the statistics. onlookers_end checks what they saw.
onlookers() {
	background sink server "$PYTHON" "$NET" count 7001
	sink=$pid
	eventually listening u 7001
	background stream client "$PYTHON" "$NET" steady "$S4" 7001 "$2"
	stream=$pid
	background reader server "$PYTHON" "$FAULTS_PY" reader "$PORTCTL" "$1"
	reader=$pid
}

# The reader must have run to the end and seen nothing wrong.
reader_end() {
	stop "$reader"
	equal "$(cat reader.err)" ""
	[ "$(cat reader.out)" -gt 3 ]
}

onlookers_end() {
	kill -0 "$stream" # it ran to the end
	stop "$stream"
	reader_end
	stop "$sink"
	equal "$(cat sink.out)" 0
	stream=
	equal "$(counters | cut -d' ' -f11)" true
}

egress_filters() { server tc filter show dev eth0 egress 2>/dev/null; }

# Notes the ids of all programs, maps and links that portctl has in the kernel now.
note_ids() {
	local program
	"$PYTHON" "$FAULTS_PY" pinned "$TMP/bpf" >>"$TMP/ids"
	for program in $(server ip -j -d link show eth0 | jq -r '.[0].xdp.prog.id // empty') \
		$(egress_filters | grep -o ' id [0-9]*' | cut -d' ' -f3); do
		echo "prog_id: $program" >>"$TMP/ids"
		bpftool -j prog show id "$program" |
			jq -r '.map_ids[]? | "map_id: \(.)"' >>"$TMP/ids"
	done
}

# Nothing must be left: no pin, no program, no link, and no file except the lock.
nothing_left() {
	equal "$(find "$TMP/bpf/portctl" -mindepth 1 2>/dev/null)" ""
	equal "$(ls -A "$TMP/run")" lock
	no attached
	equal "$(egress_filters)" ""
}

# Detaches everything. Nothing must be left, and all ids noted must be gone from the kernel.
all_gone() {
	echo "$missed of $struck runs ended before they could be killed"
	[ $((missed * 5)) -le "$struck" ]
	note_ids
	wants 0 detach --all
	nothing_left
	"$PYTHON" "$FAULTS_PY" gone "$TMP/ids"
}
