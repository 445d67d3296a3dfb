#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# What rules do to the packets of real clients: curl, ncat, nmap and ping, IPv4 and IPv6.
load helpers

send() { client "$PYTHON" "$NET" send "$@"; }

setup_attached() { portctl attach eth0; }

# states HOST PORTS ARGUMENTS...: prints the states that nmap finds, as in
# "22/closed/tcp 80/open/tcp".
states() {
	local family=()
	[[ $1 != *:* ]] || family=(-6)
	client nmap "${family[@]}" -n -Pn --send-ip --max-retries 1 --initial-rtt-timeout 150ms \
		--max-rtt-timeout 200ms "${@:3}" -p "$2" -oG - "$1" |
		grep -oE '[0-9]+/[a-z|]+/(tcp|udp)' | paste -sd' '
}

# A real server that sends "pong" and closes, and a client that receives it.
start_ncat() {
	background "ncat$1" server ncat -l -k -p "$1" --sh-exec "echo pong"
	eventually listening t "$1"
}
ncat_tcp() { [ "$(client ncat --recv-only -w 1 "$1" "$2" 2>/dev/null)" = pong ]; }
# ncat ends when its input ends, so the input stays open for a while.
ncat_udp() {
	[ "$({ echo marco && sleep 0.5; } | client ncat -u "$1" "$2" 2>/dev/null)" = marco ]
}

@test "default allow, drop http: curl succeeds before the rule and after its deletion" {
	setup_attached
	start_http 80
	http_get "$S4"
	http_get "[$S6]"
	portctl drop http
	WAIT=0.5 no http_get "$S4"
	WAIT=0.5 no http_get "[$S6]"
	[ "$(line 'drop 80/tcp')" -ge 2 ]
	portctl delete drop http
	http_get "$S4"
	http_get "[$S6]"
	adds_up
}

@test "default drop, allow http: only the web server can be reached" {
	setup_attached
	start_http 80
	start_http 8080
	portctl default drop
	WAIT=0.5 no http_get "$S4"
	portctl allow http
	http_get "$S4"
	http_get "[$S6]"
	WAIT=0.5 no http_get "$S4" 8080
	WAIT=0.5 no http_get "[$S6]" 8080
	[ "$(port tcp 8080 drop)" -ge 2 ]
	equal "$(port tcp 8080 pass)" 0
	adds_up
}

@test "rules for one protocol drop ncat over TCP or UDP only, IPv4 and IPv6" {
	setup_attached
	start_ncat 7000
	start_echo 7000
	local host
	for host in "$S4" "$S6"; do
		ncat_tcp "$host" 7000
		ncat_udp "$host" 7000
	done
	portctl drop 7000/udp
	for host in "$S4" "$S6"; do
		ncat_tcp "$host" 7000
		no ncat_udp "$host" 7000
	done
	portctl delete 1
	portctl drop 7000/tcp
	for host in "$S4" "$S6"; do
		no ncat_tcp "$host" 7000
		ncat_udp "$host" 7000
	done
	portctl drop 7000
	for host in "$S4" "$S6"; do
		no ncat_tcp "$host" 7000
		no ncat_udp "$host" 7000
	done
	adds_up
}

@test "nmap sees open, closed and filtered ports, IPv4 and IPv6" {
	setup_attached
	start_http 80
	start_http 81
	start_echo 53
	# By default the kernel reports an unreachable port only once a second.
	server sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
	local host
	for host in "$S4" "$S6"; do
		equal "$(states "$host" 22,80,81 -sS)" "22/closed/tcp 80/open/tcp 81/open/tcp"
		equal "$(states "$host" 53,54 -sU)" "53/open/udp 54/closed/udp"
	done
	portctl drop 81 53
	for host in "$S4" "$S6"; do
		equal "$(states "$host" 22,80,81 -sS)" "22/closed/tcp 80/open/tcp 81/filtered/tcp"
		equal "$(states "$host" 53,54 -sU)" "53/open|filtered/udp 54/closed/udp"
	done
	portctl default drop
	portctl allow 80 ipv6-icmp
	for host in "$S4" "$S6"; do
		equal "$(states "$host" 22,80,81 -sT)" "22/filtered/tcp 80/open/tcp 81/filtered/tcp"
	done
	adds_up
}

@test "the most specific rule wins, whatever the order" {
	setup_attached
	portctl default drop
	portctl allow 7005/udp
	portctl drop 7000-7010
	portctl allow 7000-7009/udp
	portctl allow 7009 on eth0
	portctl drop 7009
	portctl allow 6000-8000
	local port
	for port in 5999 6000 6999 7000 7005 7009 7010 7011 8000 8001; do
		send "$S4" "$port" 1
		send "$S6" "$port" 1
	done
	equal "$(stats '[.interfaces[0].ports[] | "\(.port):\(.pass.packets)/\(.drop.packets)"] | sort | join(" ")')" \
		"5999:0/2 6000:2/0 6999:2/0 7000:2/0 7005:2/0 7009:2/0 7010:0/2 7011:2/0 8000:2/0 8001:0/2"
	equal "$(portctl list -j | jq -c '[.rules[].packets]')" "[2,2,2,2,0,8]"
	equal "$(line default drop)" 4
	adds_up
}

@test "ranges include both ends, also ports 0 and 65535" {
	setup_attached
	portctl drop 0-1 65534-65535
	local mac port
	mac=$(server ip -j link show eth0 | jq -r '.[0].address')
	for port in 0 1 2 65533 65534 65535; do
		client "$PYTHON" "$NET" tagged eth0 "$mac" 1 "$port"
	done
	equal "$(stats '[.interfaces[0].ports[] | "\(.port):\(.pass.packets)/\(.drop.packets)"] | sort | join(" ")')" \
		"0:0/1 1:0/1 2:1/0 65533:1/0 65534:0/1 65535:0/1"
}

@test "protocol rules: icmp and ipv6-icmp under default drop" {
	setup_attached
	portctl default drop
	portctl option echo off
	no client ping -qc1 -W0.3 "$S4"
	no client ping -qc1 -W0.3 "$S6"
	portctl allow icmp
	client ping -qc2 -i0.1 -W1 "$S4"
	no client ping -qc1 -W0.3 "$S6"
	portctl allow ipv6-icmp
	client ping -qc3 -i0.1 -W1 "$S6"
	equal "$(line 'allow 1/ip') $(line 'allow 58/ip')" "2 3"
	portctl drop icmp
	no client ping -qc1 -W0.3 "$S4"
	adds_up
}

@test "protocol rules: gre is allowed, other protocols get the default" {
	setup_attached
	portctl default drop
	portctl allow gre
	client "$PYTHON" "$NET" protocol "$S4" 47 3
	client "$PYTHON" "$NET" protocol "$S6" 47 4
	client "$PYTHON" "$NET" protocol "$S4" 132 2
	equal "$(line 'allow 47/ip') $(line default drop)" "7 2"
	equal "$(stats '.interfaces[0].ports | length')" 0
	adds_up
}

@test "ARP passes under default drop" {
	setup_attached
	ip -n "$CLIENT" neigh flush all nud permanent
	ip -n "$CLIENT" neigh flush all
	portctl default drop
	portctl allow icmp
	client ping -qc1 -W1 "$S4"
	[ "$(line not-ip)" -ge 1 ]
}

@test "IPv6 neighbours are found under default drop" {
	setup_attached
	ip -n "$CLIENT" neigh flush all nud permanent
	ip -n "$CLIENT" neigh flush all
	portctl default drop
	client ping -qc1 -W1 "$S6"
	[ "$(line neighbours)" -ge 1 ]
	equal "$(line echo)" 1
}

@test "later fragments pass, or drop with option fragments drop" {
	setup_attached
	start_echo 7000 7001
	portctl default drop
	portctl allow 7000 icmp ipv6-icmp
	local host text
	text=$(printf '%04000d' 7)
	for host in "$S4" "$S6"; do
		udp_ask "$host" 7000 "$text"
		client ping -qc1 -W1 -s 3000 "$host"
		no udp_ask "$host" 7001 "$text"
	done
	# Three fragments a packet, two of them later ones.
	equal "$(line fragment pass)" 12
	equal "$(port udp 7000) $(port udp 7001 drop)" "2 2"
	portctl option fragments drop
	for host in "$S4" "$S6"; do
		no udp_ask "$host" 7000 "$text"
		no client ping -qc1 -W0.3 -s 3000 "$host"
		# A packet without fragments still passes.
		udp_ask "$host" 7000
	done
	equal "$(line fragment pass) $(line fragment drop)" "12 8"
	portctl option fragments pass
	udp_ask "$S4" 7000 "$text"
	adds_up
}

@test "frames with one and two VLAN tags are judged, three are malformed" {
	setup_attached
	portctl drop 7000
	local mac
	mac=$(server ip -j link show eth0 | jq -r '.[0].address')
	# No VLAN device is needed, because XDP sees the tags.
	client "$PYTHON" "$NET" tagged eth0 "$mac" 2 7000 8100
	client "$PYTHON" "$NET" tagged eth0 "$mac" 3 7001 8100
	client "$PYTHON" "$NET" tagged eth0 "$mac" 4 7000 88a8 8100
	client "$PYTHON" "$NET" tagged eth0 "$mac" 5 7001 88a8 8100
	client "$PYTHON" "$NET" tagged eth0 "$mac" 6 7001 8100 8100 8100
	equal "$(port udp 7000 drop) $(port udp 7001 pass)" "6 8"
	equal "$(line malformed)" 6
	adds_up
}

@test "malformed packets are dropped, whatever the rules" {
	setup_attached
	portctl allow 0-65535
	local mac addresses=0a4d00010a4d0002
	mac=$(server ip -j link show eth0 | jq -r '.[0].address')
	raw() { client "$PYTHON" "$NET" ip eth0 "$mac" 1 "$1"; }
	# A header of 16 bytes; a TCP header cut off; a UDP length beyond the packet;
	# a TCP fragment that begins at byte 8.
	raw "4400001c0000000040110000${addresses}9c401b580008000000000000"
	raw "4500001e0000000040060000${addresses}9c401b5800000000000000"
	raw "4500001c0000000040110000${addresses}9c401b58ffff0000"
	raw "450000280000000140060000${addresses}$(printf '00%.0s' {1..20})"
	equal "$(line malformed)" 4
	equal "$(stats '.interfaces[0].ports | length')" 0
	# The same packet with a correct length.
	raw "4500001c0000000040110000${addresses}9c401b5800080000"
	equal "$(port udp 7000)" 1
	adds_up
}
