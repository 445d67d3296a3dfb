#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Under default drop: replies to a namespace behind the host, ICMP errors of routers, and the
# lifelines, each of which can be switched off.
load helpers
load helpers_replies

RULES=$'default drop\nallow 22/tcp'

inner_get() {
	[ "$(inner curl -gsS -m "${WAIT:-1}" "http://$1:${2:-80}/" 2>&1)" = hello ]
}
inner_ask() { [ "$(inner "$PYTHON" "$WIRE" unconnected "$1" 53 marco)" = 5 ]; }

# behind nat|routed MODE: replies to requests of the namespace behind the host must pass.
behind() {
	add_inner "$1"
	attach_with "$RULES" "$2"
	outside_http 80
	outside_echo 53
	local host
	for host in "$C4" "$C6"; do
		inner_ask "$host"
		inner ping -q -c 1 -W 1 "$host"
	done
	inner_get "$C4"
	inner_get "[$C6]"
	run -7 in_time 1 inner curl -gsS -m 2 "http://$C4:81/"
	at_least "$(line reply)" 11
	equal "$(line default)" 0
	adds_up
}
@test "replies to a NATed namespace behind the host pass" { behind nat native; }
@test "replies to a NATed namespace pass, generic mode" { behind nat generic; }
@test "replies to a routed namespace behind the host pass" { behind routed native; }
@test "replies to a routed namespace pass, generic mode" { behind routed generic; }

@test "packets routed to a namespace behind the host are judged too" {
	add_inner routed
	attach_with "$RULES"
	background inner_http inner "$PYTHON" -m http.server --bind :: 8080
	WAIT=0.4 no http_get "$I4" 8080
	WAIT=0.4 no http_get "[$I6]" 8080
	flood ack "$C4" "$I4" 8080 20
	flood synack "$C6" "$I6" 8080 20
	flood udp "$C4" "$I4" 53 20
	at_least "$(line default)" 62
	equal "$(line reply)" 0
	equal "$(flows)" 0
}

@test "a NATed connection that was open before attach goes on" {
	add_inner nat
	background echo_out client "$PYTHON" "$WIRE" echo "$C4" 9000
	eventually swapped listening t 9000
	mkfifo "$TMP/held.fifo"
	SERVER=$INNER background held server "$PYTHON" "$WIRE" hold "$C4" 9000 "$TMP/held.fifo"
	eventually grep -q connected "$TMP/held.out"
	attach_with "$RULES"
	echo still-here >"$TMP/held.fifo"
	eventually grep -qx still-here "$TMP/held.out"
	at_least "$(line reply)" 2
	equal "$(line default)" 0
}

# --- ICMP errors of routers ---------------------------------------------------------

@test "path MTU discovery works, IPv4 and IPv6" {
	add_far
	attach_with "$RULES"
	local host
	for host in $F4 $F6; do
		equal "$(path_mtu $host)" 1500
		server_wire probe $host 53 1440 3
		equal "$(path_mtu $host)" 1400
	done
	at_least "$(line icmp-errors)" 2
	equal "$(line default)" 0
}

@test "path MTU discovery works, generic mode" {
	add_far
	attach_with "$RULES" generic
	local host
	for host in $F4 $F6; do
		server_wire probe $host 53 1440 3
		equal "$(path_mtu $host)" 1400
	done
	equal "$(line default)" 0
}

@test "option icmp-errors off: neither path MTUs nor closed ports are learned" {
	add_far
	attach_with "$RULES"$'\noption icmp-errors off'
	local host
	for host in $F4 $F6; do
		server_wire probe $host 53 1440 3
		equal "$(path_mtu $host)" 1500
	done
	equal "$(server_wire refused $F4 81)" timeout
	equal "$(line icmp-errors)" 0
	at_least "$(line default)" 3
	portctl option icmp-errors on
	server_wire probe $F4 53 1440 3
	equal "$(path_mtu $F4)" 1400
}

@test "a large upload succeeds over a path with a small MTU" {
	add_far
	attach_with "$RULES"
	local host
	for host in $F4 $F6; do
		SERVER=$FAR background "sink$host" server ncat -l --recv-only "$host" 9000
		SERVER=$FAR eventually listening t 9000
		head -c 300000 /dev/urandom >"$TMP/big"
		server timeout 3 ncat --send-only "$host" 9000 <"$TMP/big"
		eventually cmp "$TMP/big" "$TMP/sink$host.out"
		stop "$pid"
	done
	at_least "$(line icmp-errors)" 1
	equal "$(line default)" 0
}

@test "traceroute sees the router and the target" {
	add_far
	attach_with "$RULES"
	local host option router
	for host in $F4 $F6; do
		router=10.79.0.1
		[ "$host" = $F4 ] && router=$C4 || router=$C6
		for option in -U -I; do
			run -0 server traceroute $option -n -q 1 -w 1 -m 4 "$host"
			contains "${lines[1]}" "$router "
			contains "${lines[2]}" "$host "
		done
	done
	equal "$(line default)" 0
}

# It sends TCP through a raw socket, so the kernel has no TCP socket for it.
@test "traceroute -T sees the router and the target" {
	add_far
	attach_with "$RULES"
	local host
	for host in $F4 $F6; do
		run -0 server traceroute -T -n -q 1 -w 1 -m 2 "$host"
		contains "${lines[2]}" "$host "
	done
	equal "$(line default)" 0
}

# --- neighbours -------------------------------------------------------------------

forget_neighbours() {
	local name
	for name in "$SERVER" "$CLIENT"; do
		ip -n "$name" neigh flush dev eth0 nud permanent
		ip -n "$name" neigh flush dev eth0
	done
}
@test "an IPv6 transfer survives neighbours being forgotten all the time" {
	attach_with "$RULES"
	outside_http 80
	head -c 30000000 /dev/urandom >"$TMP/www/big"
	forget_neighbours
	background get server curl -gsS -m 8 --limit-rate 10M -o "$TMP/got" "http://[$C6]/big"
	local get=$pid
	for _ in 1 2 3 4 5 6 7 8; do
		sleep 0.25
		forget_neighbours
	done
	wait "$get"
	cmp "$TMP/got" "$TMP/www/big"
	at_least "$(line neighbours)" 2
	at_least "$(line reply)" 100
	equal "$(line default)" 0
}

@test "option neighbours off: IPv6 neighbours are not found, IPv4's are, by ARP" {
	attach_with "$RULES"$'\noption neighbours off'
	outside_http 80
	forget_neighbours
	WAIT=0.7 no host_get "[$C6]"
	host_get "$C4"
	equal "$(line neighbours)" 0
	at_least "$(line default)" 1
	at_least "$(line not-ip)" 1
	portctl option neighbours on
	ip -n "$SERVER" neigh flush dev eth0
	host_get "[$C6]"
	at_least "$(line neighbours)" 1
}

# --- DHCP ---------------------------------------------------------------------------

start_udhcpd() {
	mkdir -p "$TMP/dhcp"
	: >"$TMP/dhcp/leases"
	cat >"$TMP/dhcp/conf" <<-EOF
		start 10.77.0.100
		end 10.77.0.110
		interface eth0
		lease_file $TMP/dhcp/leases
		pidfile $TMP/dhcp/pid
		opt subnet 255.255.255.0
		static_lease $(mac_of "$SERVER") 10.77.0.105
	EOF
	background udhcpd client busybox udhcpd -f -S "$TMP/dhcp/conf"
	eventually swapped listening u 67
	printf '#!/bin/sh\n[ "$1" != bound ] || echo "$ip" >%s\n' "$TMP/dhcp/got" >"$TMP/dhcp/script"
	chmod +x "$TMP/dhcp/script"
}
lease() {
	rm -f "$TMP/dhcp/got"
	server timeout 5 busybox udhcpc -i eth0 -f -q -n -t 1 -T 1 -s "$TMP/dhcp/script" "$@" 2>&1
	contains "$(cat "$TMP/dhcp/got")" 10.77.0.105
}

dhcp() {
	ip -n "$SERVER" addr flush dev eth0
	attach_with "$RULES" "$1"
	start_udhcpd
	lease
	lease -B
	equal "$(line dhcp)" 4
	equal "$(line default)" 0
	portctl option dhcp off
	no lease
	equal "$(line dhcp)" 4
	at_least "$(line default)" 1
}
@test "a DHCP client gets its lease, with option dhcp off not" { dhcp native; }
@test "a DHCP client gets its lease, generic mode" { dhcp generic; }

# --- echo -----------------------------------------------------------------------------

@test "echo requests pass up to a limit" {
	attach_with "$RULES"
	client ping -q -c 3 -i 0.1 -W 1 "$S4"
	client ping -q -c 3 -i 0.1 -W 1 "$S6"
	equal "$(line echo)" 6
	equal "$(line 'echo limited')" 0
	flood echo "$C4" "$S4" 0 4000
	flood echo "$C6" "$S6" 0 2000
	at_least "$(line echo)" 1000
	at_most "$(line echo)" 3500
	equal $(($(line echo) + $(line 'echo limited'))) 6006
	equal "$(line default)" 0
	adds_up
}

@test "echo requests are not limited under default allow" {
	attach_with "default allow"
	flood echo "$C4" "$S4" 0 4000
	equal "$(line echo)" 4000
	equal "$(line 'echo limited')" 0
}

@test "option echo off: the host cannot be pinged, but can ping" {
	attach_with "$RULES"$'\noption echo off'
	run -1 client ping -q -c 1 -W 0.3 "$S4"
	run -1 client ping -q -c 1 -W 0.3 "$S6"
	equal "$(line default)" 2
	equal "$(line echo)" 0
	server ping -q -c 1 -W 1 "$C4"
	server ping -q -c 1 -W 1 "$C6"
	# A rule can allow it for some.
	portctl allow icmp from "$C4"
	client ping -q -c 1 -W 1 "$S4"
	run -1 client ping -q -c 1 -W 0.3 "$S6"
	equal "$(line "allow 1/ip from $C4")" 1
}

@test "with every lifeline off, default drop drops their packets and counts them" {
	attach_with "$RULES"$'\noption icmp-errors off\noption neighbours off\noption echo off\noption dhcp off'
	flood echo "$C4" "$S4" 0 10
	flood echo "$C6" "$S6" 0 10
	flood error "$C4" "$S4" 0 10
	flood error "$C6" "$S6" 0 10
	equal "$(line default)" 40
	local name
	for name in icmp-errors neighbours echo dhcp; do
		equal "$(line $name)" 0
		portctl option $name on
	done
	flood echo "$C4" "$S4" 0 10
	flood error "$C6" "$S6" 0 10
	equal "$(line echo)" 10
	equal "$(line icmp-errors)" 10
	equal "$(line default)" 40
	lacks "$(rules)" option
}
