# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016 # set elsewhere: output, TMP, ...; jq has $ too
# Striking portctl at one of its system calls, and looking at what it left.
#
# The program knows nothing of it: strace(1) stops it after the call, so that it can
# be looked at and killed there, or lets the call fail. Where it can be struck is
# learned from a run that is not. `make test` takes one point in so many, another one
# every time; `make test-faults` (FAULTS=all) takes them all.

FAULTS_PY="$BATS_TEST_DIRNAME/faults.py"

# Rulesets with all kinds of maps behind them: ports, details, sources, limits.
# The port 7001 is closed in all, by the same rule.
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
	# Which of the ports 7000 to 7004 answer under them, and without any.
	stream='' seen='' struck=0 missed=0
	declare -gA verdicts=([old]="1 0 0 1 1" [new]="0 0 1 0 0" [none]="1 1 1 1 1"
		[older]="1 0 1 0 0")
}

# --- striking ---------------------------------------------------------------------

# points kill|error EVERY COMMAND...: fills $points from a run that is not struck. Of
# those that matter it is one in EVERY, in `make test`.
points() {
	local all
	server strace -f -qq -o "$TMP/trace" "$PORTCTL" "${@:3}" >/dev/null
	all=$("$PYTHON" "$FAULTS_PY" points "$TMP/trace" "$1")
	[ "${FAULTS:-}" = all ] || all=$(grep '^+' <<<"$all" |
		awk -v k="$2" -v first=$((RANDOM % $2)) 'NR % k == first')
	# shellcheck disable=SC2034 # for the tests
	mapfile -t points <<<"$all"
	[ -n "$all" ]
}

# A change, and until no packet holds what was before: strace(1) ends with the child that
# waits for that. Whoever comes before does it itself, and makes more calls.
settled() {
	server strace -f -qq -o /dev/null "$PORTCTL" "$@"
}

# strace of portctl, in the background: traced CALL INJECTION COMMAND...
traced() {
	background struck server strace -f -o "$TMP/trace" -e trace="$1" -e inject="$1:$2" \
		"$PORTCTL" "${@:3}"
}

# stopped CALL N COMMAND...: runs until after that call. Sets $pid, strace's, and
# $victim; fails if it came to its end before.
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

# What was begun last has ended: its number may be somebody else's soon.
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

# failed_at CALL N ERROR COMMAND...: that call fails. Sets $status; a failure is said.
failed_at() {
	traced "$1" "error=$3:when=$2" "${@:4}"
	ended
	[ "$status" = 0 ] || { [ "$status" = 1 ] && [ -s struck.err ]; } || {
		echo "exit code $status: $(cat struck.err)"
		return 1
	}
}

# strike kill|error "POINT" COMMAND...: POINT is one of $points.
strike() {
	local sign call number error what
	read -r sign call number error what <<<"$2"
	echo "$1: $call $number $error $what $sign"
	case $1 in
	kill) killed_at "$call" "$number" "${@:3}" ;;
	error) failed_at "$call" "$number" "$error" "${@:3}" ;;
	esac
}

# --- looking ----------------------------------------------------------------------

# Which of the rulesets runs: old, new, older or none.
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

# Passed packets of the ports 7000 to 7004, then dropped ones; and whether lines,
# ports and totals are the same sums.
counters() {
	stats '.interfaces[0] | . as $i
		| ([("pass", "drop") as $v | range(7000; 7005) as $p
			| [.ports[] | select(.proto == "udp" and .port == $p)[$v].packets] | add // 0]
		+ [[("pass", "drop") as $v | [.lines[] | select(.verdict == $v).packets] | add // 0]
			== [("pass", "drop") as $v | .total[$v].packets]]) | join(" ")'
}

# judged RULESET: packets are judged so, and counted on top of what was there when this
# was looked at last ($seen; empty: eth0 was attached anew).
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
	# Somebody who sends all the while makes more of one, and differences of the sums.
	[ -z "$stream" ] || before[6]=${after[6]} before[10]=${after[10]}
	equal "${after[*]}" "${before[*]}"
}

# In the background: somebody who sends to a port that is closed all the while, a
# receiver there, and a reader of the statistics. onlookers_end says what they saw.
onlookers() { # keep|restart SECONDS
	background sink server "$PYTHON" "$NET" count 7001
	sink=$pid
	eventually listening u 7001
	background stream client "$PYTHON" "$NET" steady "$S4" 7001 "$2"
	stream=$pid
	background reader server "$PYTHON" "$FAULTS_PY" reader "$PORTCTL" "$1"
	reader=$pid
}

# It was there to the end, and all was right.
reader_end() {
	stop "$reader"
	equal "$(cat reader.err)" ""
	[ "$(cat reader.out)" -gt 3 ]
}

onlookers_end() {
	kill -0 "$stream" # was there to the end
	stop "$stream"
	reader_end
	stop "$sink"
	equal "$(cat sink.out)" 0
	stream=
	equal "$(counters | cut -d' ' -f11)" true
}

egress_filters() { server tc filter show dev eth0 egress 2>/dev/null; }

# Notes the ids of all that portctl keeps in the kernel now.
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

# Nothing is left: no pin, no program, no map, no link, no file but the lock.
nothing_left() {
	equal "$(find "$TMP/bpf/portctl" -mindepth 1 2>/dev/null)" ""
	equal "$(ls -A "$TMP/run")" lock
	no attached
	equal "$(egress_filters)" ""
}

# The same, after everything is detached; the kernel has forgotten all ids noted.
all_gone() {
	echo "$missed of $struck were not there to be killed"
	[ $((missed * 5)) -le "$struck" ]
	note_ids
	wants 0 detach --all
	nothing_left
	"$PYTHON" "$FAULTS_PY" gone "$TMP/ids"
}
