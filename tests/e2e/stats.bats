#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# stats: what is counted, and its output as text and JSON.
load helpers

send() { client "$PYTHON" "$NET" send "$@"; }

# Sends datagrams of 100 bytes, 142 with their headers: 3 to port 7000, which pass; 5 to port 53,
# which drop; 4 to port 60000, which pass.
some_traffic() {
	portctl attach eth0
	portctl drop domain
	send "$S4" 7000 3 100
	send "$S4" 53 5 100
	send "$S4" 60000 4 100
}

@test "stats shows the busiest ports first, with service and class, then the lines" {
	some_traffic
	wants 0 stats
	equal "$output" "eth0 (native): 7 packets passed, 5 dropped

PROTO  PORT SERVICE          CLASS            PASSED      DROPPED          BYTES
udp      53 domain           well-known            0            5            710
udp   60000 -                dynamic               4            0            568
udp    7000 $(printf '%-16s' "$(awk '$2 == "7000/udp" { print $1; f = 1; exit } END { if (!f) print "-" }' /etc/services)") registered            3            0            426

LINE                                       VERDICT       PACKETS          BYTES
drop 53                                    drop                5            710
default                                    pass                7            994"
	equal "$stderr" ""
}

@test "stats -j has the documented keys, types and values" {
	some_traffic
	wants 0 stats -j 53
	equal "$output" '{"interfaces":[{"name":"eth0","mode":"native","ports":[{"proto":"udp","port":53,"service":"domain","class":"well-known","pass":{"packets":0,"bytes":0},"drop":{"packets":5,"bytes":710}}],"lines":[{"line":"drop 53","verdict":"drop","packets":5,"bytes":710},{"line":"default","verdict":"pass","packets":7,"bytes":994}],"total":{"pass":{"packets":7,"bytes":994},"drop":{"packets":5,"bytes":710}}}]}'
	equal "$(stats '.interfaces[0].ports[] | select(.port == 60000) | .service')" null
	# All numbers are integers: no fraction, no exponent.
	equal "$(portctl stats -j | jq -c '[.. | numbers | . == floor] | all')" true
	no grep -qE '[0-9][.eE][0-9+]' <<<"$(portctl stats -j)"
}

@test "stats without an attached interface" {
	wants 0 stats
	equal "$output" "portctl is attached to no interface: portctl attach IFACE"
	wants 0 stats -j
	equal "$output" '{"interfaces":[]}'
}

@test "stats shows ports with packets, with --all every port and line" {
	some_traffic
	equal "$(stats '.interfaces[0].ports | length')" 3
	equal "$(stats '.interfaces[0].ports | length' --all)" 131072
	equal "$(stats '[.interfaces[0].ports[] | "\(.proto)/\(.port)"] | unique | length' --all)" 131072
	equal "$(stats '[.interfaces[0].ports[:3][].port] | @csv' --all)" 53,60000,7000
	equal "$(stats '.interfaces[0].ports | map(select(.class == "well-known")) | length' --all)" 2048
	equal "$(stats '.interfaces[0].ports | map(select(.class == "dynamic")) | length' --all)" 32768
	# With --all every line is shown too.
	wants 0 stats --all
	local line
	for line in not-ip malformed fragment removed; do
		contains "$output" $'\n'"$line "
	done
	[ "${#lines[@]}" -gt 131072 ]
}

@test "stats PORT selects by number, range, protocol and service" {
	some_traffic
	client ncat -z -w 1 "$S4" 7000 || true
	ports_of() { stats '[.interfaces[0].ports[] | "\(.port)/\(.proto)"] | join(" ")' "$@"; }
	equal "$(ports_of 7000)" "7000/udp 7000/tcp"
	equal "$(ports_of 7000/tcp)" "7000/tcp"
	equal "$(ports_of domain)" "53/udp"
	equal "$(ports_of 53/tcp)" ""
	equal "$(ports_of 50-7000)" "53/udp 7000/udp 7000/tcp"
	equal "$(ports_of 60000 53)" "53/udp 60000/udp"
	equal "$(ports_of 60000-60001 --all)" "60000/udp 60000/tcp 60001/tcp 60001/udp"
	# Lines and totals still count everything.
	equal "$(stats '.interfaces[0].total.drop.packets' 7000)" 5
	local word
	for word in 65536 80abc nosuchservice gre 9-3 1/sctp; do
		usage_of stats $word
		contains "$stderr" "argv: found \"$word\", expected"
	done
	usage_of stats -i 0
	usage_of stats -i x
	usage_of stats -i 1 -n 0
	usage_of stats -i
	usage_of stats --bogus
}

@test "stats -i and -n show rates, n times" {
	portctl attach eth0
	background sender client "$PYTHON" "$NET" flood "$S4" 7000 30
	wants 0 stats -j -i 1 -n 2
	stop "$pid"
	equal "${#lines[@]}" 2
	equal "$(jq -s 'length' <<<"$output")" 2
	local first second
	first=$(jq -s '.[0].interfaces[0].ports[0].pass.packets' <<<"$output")
	second=$(jq -s '.[1].interfaces[0].ports[0].pass.packets' <<<"$output")
	# The second rate is the counter's growth in the second between the two, or a little
	# less, because a busy machine sleeps longer.
	jq -se --argjson grown "$((second - first))" '.[1].interfaces[0].ports[0].rate
		| .drop == 0 and .pass > 0 and .pass > 0.4 * $grown and .pass < 1.1 * $grown' <<<"$output"
	wants 0 stats -i 1 -n 1
	contains "$output" "PASSED/S   DROPPED/S"
	# Without -i there are no rates.
	equal "$(stats '[.. | objects | has("rate")] | any')" false
	lacks "$(portctl stats)" "PASSED/S"
}

@test "nmap -sS to 100 ports counts one packet on each, with or without a rule" {
	portctl attach eth0
	portctl drop 1010-1029
	client nmap -n -Pn --send-ip --max-retries 0 --max-rtt-timeout 200ms -sS -p 1000-1099 \
		-oG "$TMP/scan" "$S4"
	equal "$(stats '[.interfaces[0].ports[] | select(.port >= 1000 and .port < 1100)] | length')" 100
	equal "$(stats '[.interfaces[0].ports[] | .pass.packets + .drop.packets] | add')" 100
	equal "$(stats '[.interfaces[0].ports[] | .pass.packets + .drop.packets] | max')" 1
	equal "$(stats '.interfaces[0].total | [.pass.packets, .drop.packets] | @csv')" 80,20
	equal "$(line 'drop 1010-1029') $(line default)" "20 80"
	adds_up
}

@test "the port counters equal the packets that real clients sent" {
	start_http 80
	start_echo 53
	portctl attach eth0
	# The client's device counts the packets it sent.
	local before sent
	before=$(ip -n "$CLIENT" -j -s link show eth0 | jq '.[0].stats64.tx.packets')
	for _ in 1 2 3; do
		http_get "$S4"
		http_get "[$S6]"
		udp_ask "$S4" 53
		udp_ask "$S6" 53
	done
	client ping -qc2 -i0.1 -W1 "$S4"
	# Wait for the last segments of closed connections.
	all_counted() {
		sent=$(($(ip -n "$CLIENT" -j -s link show eth0 | jq '.[0].stats64.tx.packets') - before))
		equal "$(stats '.interfaces[0].total.pass.packets')" "$sent"
	}
	eventually all_counted
	all_counted
	equal "$(port udp 53)" 6
	equal "$(($(port tcp 80) + 6))" "$(line default)"
	equal "$(line echo)" 2
	adds_up
}

# Two CPUs send at the same time, each 5,000 packets to an allowed port and 3,000 to another one.
# All of them must be counted.
count_on_two_cpus() {
	local cpu senders=() dropped
	portctl default drop
	portctl allow 7000
	for cpu in 0 1; do
		background "sender$cpu" client taskset -c "$cpu" \
			"$PYTHON" "$NET" send "$S4" 7000 5000 10
		senders+=("$pid")
		background "other$cpu" client taskset -c "$cpu" \
			"$PYTHON" "$NET" send "$S6" $((7001 + cpu)) 3000 10
		senders+=("$pid")
	done
	wait "${senders[@]}"
	sleep 0.1
	# Except packets that the device dropped because its queue was full.
	dropped=$(ip -n "$CLIENT" -j -s link show eth0 | jq '.[0].stats64.tx.dropped')
	equal "$(($(port udp 7000) + $(port udp 7001 drop) + $(port udp 7002 drop) + dropped))" 16000
	equal "$(line 'allow 7000')" "$(port udp 7000)"
	equal "$(stats '.interfaces[0].total.pass | [.packets, .bytes] | @csv')" \
		"$(stats '.interfaces[0].ports[] | select(.port == 7000).pass | [.packets, .bytes] | @csv')"
	adds_up
}

@test "every packet is counted once, on any CPU" {
	taskset -c 1 true || skip "one CPU only"
	portctl attach eth0
	count_on_two_cpus
}

@test "CPUs that come online after attach share counters and lose no packet" {
	taskset -c 1 true || skip "one CPU only"
	# Makes portctl see only one CPU online.
	echo 0 >online
	server unshare --mount bash -c "
		mount --bind online /sys/devices/system/cpu/online && exec '$PORTCTL' attach eth0"
	equal "$(bpftool -j map show pinned "$TMP"/bpf/portctl/*/eth0/cpu_counters | jq .max_entries)" 1
	count_on_two_cpus
}

@test "colours only on a terminal, and not with NO_COLOR" {
	some_traffic
	local esc=$'\e'
	on_terminal() { script -qec "nsenter --net=/run/netns/$SERVER '$PORTCTL' $*" /dev/null; }
	lacks "$(portctl stats)" "$esc"
	contains "$(on_terminal stats)" "${esc}[31m           5${esc}[0m"
	contains "$(on_terminal stats)" "${esc}[32m           3${esc}[0m"
	contains "$(on_terminal list)" "$esc"
	lacks "$(on_terminal stats -j)" "$esc"
	lacks "$(NO_COLOR=1 on_terminal stats)" "$esc"
	lacks "$(NO_COLOR=1 on_terminal list)" "$esc"
	# An empty NO_COLOR is the same as none (no-color.org).
	contains "$(NO_COLOR='' on_terminal stats)" "$esc"
}

@test "output that cannot be written is an error with exit code 1" {
	some_traffic
	local command
	for command in "stats" "stats -j" "list" "list -j" "status" "save -" \
		"help" "help allow" "drop --help" "--version"; do
		echo "$command"
		run -1 bash -c "nsenter --net=/run/netns/$SERVER '$PORTCTL' $command >/dev/full"
		contains "$output" "portctl: cannot "
		one_line "$output"
	done
}
