#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# reject: clients get an error at once, the answers are correct, and packets that must not be
# answered are not.
load helpers
load helpers_replies

hears_refused() {
	attach_with "default allow
reject 81 443" "$1"
	receive_answers
	# A listener on the port makes no difference.
	start_http 81
	start_echo 443
	local host
	for host in "$S4" "[$S6]"; do
		run -7 in_time 1 client curl -gsS -m 3 "http://$host:81/"
		contains "$output" "onnect"
	done
	for host in "$S4" "$S6"; do
		run -1 in_time 1 client ncat -w 3 "$host" 81
		contains "$output" "refused"
		equal "$(in_time 1 wire refused "$host" 443)" refused
	done
	equal "$(line 'reject 81 443' reject)" 6
	equal "$(port tcp 81 drop)" 4
	equal "$(port udp 443 drop)" 2
	equal "$(line default)" 0
	all_add_up
}
@test "curl, ncat and a UDP socket are refused at once, IPv4 and IPv6" { hears_refused native; }
@test "curl, ncat and a UDP socket are refused at once, generic mode" { hears_refused generic; }

@test "default reject, and a rule that rejects one source" {
	attach_with "default reject
allow 80
reject 80 from 10.77.0.11"
	receive_answers
	client_address 10.77.0.11/24
	start_http 80
	get_from "$C4" "$S4"
	run -7 in_time 1 client curl -sS -m 3 --interface 10.77.0.11 "http://$S4/"
	run -7 in_time 1 client curl -gsS -m 3 "http://[$S6]:81/"
	equal "$(wire refused "$S6" 81)" refused
	equal "$(line 'reject 80 from 10.77.0.11')" 1
	equal "$(line default reject)" 2
	# A single datagram is answered too; an echo request passes.
	contains "$(answer udp "$S4" 81)" "icmp type=3 code=3"
	client ping -q -c 1 -W 1 "$S4"
	all_add_up
}

# nmap_states HOST PORTS ARGUMENTS...: prints the states that nmap finds, in one line.
nmap_states() {
	client nmap "${@:3}" -n -Pn --send-ip --max-retries 1 --initial-rtt-timeout 150ms \
		--max-rtt-timeout 200ms -p "$2" -oG - "$1" |
		grep -oE '[0-9]+/[a-z|]+/(tcp|udp)' | paste -sd' '
}
@test "nmap sees rejected ports closed and dropped ones filtered" {
	attach_with "default drop
reject 100-110
allow 120"
	receive_answers
	equal "$(nmap_states "$S4" 105,115,120 -sS)" \
		"105/closed/tcp 115/filtered/tcp 120/closed/tcp"
	equal "$(nmap_states "$S4" 105 -sU)" "105/closed/udp"
	equal "$(nmap_states "$S6" 105,115 -sS -6)" "105/closed/tcp 115/filtered/tcp"
	equal "$(nmap_states "$S6" 106 -sU -6)" "106/closed/udp"
	at_least "$(line 'reject 100-110')" 4
	at_least "$(line default)" 2
}

answers() {
	attach_with "reject 81" "$1"
	receive_answers
	local from
	for from in "$C4>$S4" "$C6>$S6"; do
		local c=${from%>*} s=${from#*>}
		# RFC 9293, 3.10.7.1: no ACK in it: seq 0, ack = seq + 1; else seq = its ack.
		equal "$(answer syn "$s" 81)" \
			"$s>$c tcp 81>40000 flags=20 seq=0 ack=1001 vlan=0 sums=right"
		equal "$(answer fin "$s" 81)" \
			"$s>$c tcp 81>40000 flags=20 seq=0 ack=1001 vlan=0 sums=right"
		equal "$(answer ack "$s" 81)" \
			"$s>$c tcp 81>40000 flags=4 seq=5000 ack=0 vlan=0 sums=right"
		equal "$(answer synack "$s" 81)" \
			"$s>$c tcp 81>40000 flags=4 seq=5000 ack=0 vlan=0 sums=right"
	done
	equal "$(answer udp "$S4" 81)" "$S4>$C4 icmp type=3 code=3 of=40000>81 vlan=0 sums=right"
	equal "$(answer udp "$S6" 81)" "$S6>$C6 icmp6 type=1 code=4 of=40000>81 vlan=0 sums=right"
	equal "$(line 'reject 81')" 10
	all_add_up
}
@test "answers have the right addresses, sequence numbers and checksums" { answers native; }
@test "answers have the right addresses and numbers, generic mode" { answers generic; }

silent() {
	attach_with "default reject
option fragments drop
option icmp-errors off" "$1"
	receive_answers
	local many=ff:ff:ff:ff:ff:ff
	# All at once, to wait only once. Multicast and broadcast by the IP address, the Ethernet
	# address, or both.
	cat >"$TMP/frames" <<-EOF
		$MAC rst $C4 $S4 81
		$MAC rst $C6 $S6 81
		$MAC first $C4 $S4 81
		$MAC first $C6 $S6 81
		$MAC later $C4 $S4 81
		$MAC later $C6 $S6 81
		$MAC error $C4 $S4 0
		$MAC error $C6 $S6 0
		$MAC udp $C4 239.1.2.3 81
		$MAC udp $C4 255.255.255.255 81
		$MAC syn $C6 ff02::1 81
		$MAC udp 239.1.2.3 $S4 81
		$MAC udp 255.255.255.255 $S4 81
		$MAC udp 0.0.0.0 $S4 81
		$MAC udp :: $S6 81
		$MAC syn ff02::1 $S6 81
		$many udp $C4 $S4 81
		$many udp $C4 10.77.0.255 81
		01:00:5e:01:02:03 syn $C4 $S4 81
		33:33:00:00:00:01 udp $C6 $S6 81
	EOF
	equal "$(wire answers eth0 <"$TMP/frames")" nothing
	# They count as rejected all the same, except later fragments.
	equal "$(line default reject)" 18
	equal "$(line fragment drop)" 2
	all_add_up
}
@test "resets, ICMP errors, fragments, multicast and broadcast are not answered" { silent native; }
@test "resets, ICMP errors, fragments and multicast are not answered, generic mode" {
	silent generic
}

@test "the answer to a packet with IP options reaches its socket" {
	attach_with "reject 81"
	receive_answers
	local words
	for words in 1 2 10; do
		echo "$words words of options"
		equal "$(wire refused "$S4" 81 "$words")" refused
	done
	equal "$(line 'reject 81')" 3
}

tagged() {
	attach_with "reject 81" "$1"
	receive_answers
	contains "$(answer udp "$S4" 81 8100:5)" "icmp type=3 code=3 of=40000>81 vlan=5 sums=right"
	contains "$(answer syn "$S6" 81 8100:7)" "flags=20 seq=0 ack=1001 vlan=7 sums=right"
	contains "$(answer udp "$S6" 81 8100:9)" "icmp6 type=1 code=4 of=40000>81 vlan=9 sums=right"
	contains "$(answer syn "$S4" 81 88a8:10 8100:11)" "ack=1001 vlan=10+11 sums=right"
	equal "$(line 'reject 81')" 4
}

@test "an answer has the VLAN tags of the packet" { tagged native; }
@test "an answer has the VLAN tags of the packet, generic mode" { tagged generic; }

checksums() {
	attach_with "reject 81" "$1"
	receive_answers
	background dump client tcpdump -l -nvv -i eth0 -Q in 'tcp or icmp or icmp6 and not ip6[40] > 127'
	eventually grep -q listening "$TMP/dump.err"
	# Or the answers would quote checksums that the client leaves to its hardware.
	client ethtool -K eth0 tx off
	local size host
	for host in "$S4" "$S6"; do
		run -1 client ncat -w 1 "$host" 81
		# Odd and even sizes, from none to ones that the answer has to cut.
		for size in 0 1 7 18 19 40 41 100 1000 1452; do
			client "$PYTHON" "$NET" send "$host" 81 1 "$size"
		done
	done
	eventually eval '[ "$(grep -c unreachable "$TMP/dump.out")" = 20 ]'
	stop "$pid"
	no grep -iE '\b(incorrect|bad|wrong|truncated)\b|\[\|' "$TMP/dump.out"
	# Two resets and ten ICMPv6 errors. tcpdump mentions ICMP checksums only if wrong.
	equal "$(grep -c '(correct)\|\[icmp6 sum ok\]' "$TMP/dump.out")" 12
	equal "$(line 'reject 81')" 22
}
@test "tcpdump finds all checksums right, for packets of many sizes" { checksums native; }
@test "tcpdump finds all checksums right, generic mode" { checksums generic; }

flooded() {
	attach_with "reject 81" "$1"
	receive_answers
	local before after
	before=$(swapped stats '.interfaces[0].total.pass.packets')
	flood syn "$C4" "$S4" 81 5000
	after=$(swapped stats '.interfaces[0].total.pass.packets')
	at_least $((after - before)) 900
	at_most $((after - before)) 2600
	equal "$(line 'reject 81')" 5000
	# A second later the limit is available again.
	sleep 1
	run -7 in_time 1 client curl -sS -m 3 "http://$S4:81/"
	all_add_up
}
@test "at most a thousand packets a second are answered" { flooded native; }
@test "at most a thousand packets a second are answered, generic mode" { flooded generic; }

@test "an open connection that a new rule rejects is reset" {
	portctl attach eth0
	receive_answers
	background echo_in server "$PYTHON" "$WIRE" echo "$S4" 9000
	eventually listening t 9000
	mkfifo "$TMP/in.fifo"
	background in client "$PYTHON" "$WIRE" hold "$S4" 9000 "$TMP/in.fifo"
	eventually grep -q connected "$TMP/in.out"
	portctl reject 9000 --force
	echo hello >"$TMP/in.fifo"
	eventually grep -q ConnectionResetError "$TMP/in.err"
	equal "$(line 'reject 9000')" 1
}
