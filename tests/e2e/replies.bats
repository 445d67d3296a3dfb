#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Under default drop, replies to the host's own connections and requests pass, and nothing else.
load helpers
load helpers_replies

RULES=$'default drop\nallow 22/tcp'

curl_out() {
	attach_with "$RULES" "$1"
	outside_http 80
	host_get "$C4"
	host_get "[$C6]"
	at_least "$(line reply)" 6
	equal "$(line default)" 0
	# New connections from outside still do not pass.
	start_http 8080
	WAIT=0.3 no http_get "$S4" 8080
	WAIT=0.3 no http_get "[$S6]" 8080
	at_least "$(line default)" 2
	adds_up
}
@test "replies to curl pass, IPv4 and IPv6" { curl_out native; }
@test "replies to curl pass, generic mode" { curl_out generic; }

@test "resets and ICMP errors for the host's own requests pass" {
	attach_with "$RULES"
	local host
	for host in "$C4" "[$C6]"; do
		run -7 in_time 1 server curl -gsS -m 2 "http://$host:81/"
	done
	equal "$(line reply)" 2
	for host in "$C4" "$C6"; do
		equal "$(server_wire refused "$host" 81)" refused
	done
	equal "$(line icmp-errors)" 2
	equal "$(line default)" 0
}

udp_out() {
	attach_with "$RULES" "$1"
	outside_echo 53
	local host
	for host in "$C4" "$C6"; do
		equal "$(server_wire unconnected "$host" 53 marco)" 5
		host_ask "$host" 53
	done
	equal "$(line reply)" 4
	equal "$(line default)" 0
	equal "$(flows)" 4
}
@test "replies to connected and unconnected UDP sockets pass" { udp_out native; }
@test "replies to UDP sockets pass, generic mode" { udp_out generic; }

@test "replies of a real name server to dig pass" {
	attach_with "$RULES"
	background dnsmasq client dnsmasq -k -u root -C /dev/null -x "$TMP/dnsmasq.pid" -R -h \
		--address=/portctl.test/192.0.2.80
	eventually swapped listening u 53
	local host transport
	for host in "$C4" "$C6"; do
		for transport in +notcp +tcp; do
			equal "$(server dig +short +tries=1 +time=1 "$transport" @"$host" portctl.test)" \
				192.0.2.80
		done
	done
	at_least "$(line reply)" 8
	equal "$(line default)" 0
}

# As a name server's large answer to a small query.
@test "a reply in fragments passes" {
	attach_with "$RULES"
	background big client "$PYTHON" "$WIRE" big 53 4000
	eventually swapped listening u 53
	local host
	for host in "$C4" "$C6"; do
		equal "$(server_wire unconnected "$host" 53 marco)" 4000
	done
	equal "$(line reply)" 2
	equal "$(line fragment)" 4
	equal "$(line default)" 0
}

# asked_in_fragments HOST: both the request and the reply are in fragments.
asked_in_fragments() {
	attach_with "$RULES"
	outside_echo 53
	equal "$(server_wire unconnected "$1" 53 big 4000)" 4003
	equal "$(line reply)" 1
	equal "$(line fragment)" 2
	equal "$(line default)" 0
}
@test "the reply to a request in fragments passes, IPv4" { asked_in_fragments "$C4"; }
@test "the reply to a request in fragments passes, IPv6" { asked_in_fragments "$C6"; }

@test "only packets between the same addresses and ports are replies" {
	attach_with "$RULES"
	outside_echo 53
	background ask server "$PYTHON" -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 30000))
s.sendto(b'x', ('$C4', 53))
print(s.recv(99), flush=True)
time.sleep(60)"
	eventually grep -q x "$TMP/ask.out"
	equal "$(line reply)" 1
	# Another remote port, another address, another local port.
	client "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('', 54))
s.sendto(b'other port', ('$S4', 30000))"
	echo 10.77.0.3 | from_sources "$S4" 30000
	echo "$C4" | from_sources "$S4" 30001
	equal "$(line reply)" 1
	equal "$(line default)" 3
	equal "$(port udp 30000 drop)" 2
}

ping_out() {
	attach_with "$RULES" "$1"
	server ping -q -c 2 -i 0.2 -W 1 "$C4"
	server ping -q -c 2 -i 0.2 -W 1 "$C6"
	equal "$(line reply)" 4
	equal "$(line default)" 0
	# Echo replies without a request.
	flood echoreply "$C4" "$S4" 0 10
	flood echoreply "$C6" "$S6" 0 10
	equal "$(line reply)" 4
	equal "$(line default)" 20
	adds_up
}
@test "echo replies pass, those without a request do not" { ping_out native; }
@test "echo replies pass, generic mode" { ping_out generic; }

@test "replies pass under default reject too" {
	attach_with $'default reject\nallow 22/tcp'
	outside_http 80
	outside_echo 53
	host_get "$C4"
	host_get "[$C6]"
	host_ask "$C4" 53
	server ping -q -c 1 -W 1 "$C6"
	equal "$(line default)" 0
}

@test "replies pass though a rule names their port with a source or a limit" {
	attach_with $'default drop\nallow 1024-65535 from 192.0.2.0/24\nallow 22 limit 1/s'
	outside_http 80
	outside_echo 53
	host_get "$C4"
	host_get "[$C6]"
	host_ask "$C4" 53
	host_ask "$C6" 53
	at_least "$(line reply)" 8
	equal "$(line default)" 0
}

@test "a reply passes on another interface than its request went out by" {
	add_link eth1 10.80.0.1 fd80::1 10.80.0.2 fd80::2
	ip -n "$CLIENT" addr add 10.99.0.1/32 dev lo
	ip -n "$SERVER" route add 10.99.0.1/32 via "$C4"
	ip -n "$CLIENT" route add "$S4/32" dev eth1 src 10.99.0.1
	portctl attach eth0 eth1
	portctl default drop
	outside_echo 53
	outside_http 80
	host_ask 10.99.0.1 53
	equal "$(stats '.interfaces[] | select(.name == "eth1") | .lines[]
		| select(.line == "reply") | .packets')" 1
	host_get 10.99.0.1
	equal "$(stats '[.interfaces[] | select(.name == "eth0") | .lines[]
		| select(.line == "reply") | .packets] | add // 0')" 0
	equal "$(line default)" 0
}

# --- connections from before attach ----------------------------------------------

open_before() {
	background echo_out client "$PYTHON" "$WIRE" echo "$C4" 9000
	background echo_out6 client "$PYTHON" "$WIRE" echo "$C6" 9000
	# A socket for both families, so IPv4 addresses are mapped into IPv6.
	background echo_in server "$PYTHON" "$WIRE" echo :: 9000
	eventually listening t 9000
	eventually swapped listening t 9000
	sleep 0.2
	hold out server "$C4" 9000
	hold out6 server "$C6" 9000
	hold in client "$S4" 9000
	hold in6 client "$S6" 9000
	attach_with "$RULES" "$1"
	sleep 0.5
	local name
	for name in out out6 in in6; do say "$name" "$name-goes-on"; done
	at_least "$(line reply)" 8
	equal "$(line default)" 0
	# New connections do not pass.
	run -1 client timeout 5 "$PYTHON" -c \
		"import socket; socket.create_connection(('$S4', 9000), 0.3)"
	at_least "$(line default)" 1
}
@test "connections that were open before attach go on, from either side" { open_before native; }
@test "connections that were open before attach go on, generic mode" { open_before generic; }

@test "an incoming connection goes on after default drop, and after detach" {
	portctl attach eth0
	background echo_in server "$PYTHON" "$WIRE" echo "$S4" 9000
	eventually listening t 9000
	mkfifo "$TMP/in.fifo"
	background in client "$PYTHON" "$WIRE" hold "$S4" 9000 "$TMP/in.fifo"
	eventually grep -q connected "$TMP/in.out"
	exec 8>"$TMP/in.fifo"
	echo one >&8
	eventually grep -qx one "$TMP/in.out"
	portctl default drop --force
	echo two >&8
	eventually grep -qx two "$TMP/in.out"
	at_least "$(line reply)" 1
	portctl detach eth0
	echo three >&8
	eventually grep -qx three "$TMP/in.out"
	exec 8>&-
}

# --- packets that only look like replies ------------------------------------------

@test "an ACK scan sees every port filtered, listeners too" {
	attach_with "$RULES"
	start_http 80
	run client nmap -n -Pn --send-ip -sA --max-retries 0 --max-rtt-timeout 150ms \
		-p 80,443,1000-1002 -oG - "$S4"
	lacks "$output" unfiltered
	equal "$(line reply)" 0
	equal "$(line default)" 5
}

floods() {
	attach_with "$RULES" "$1"
	start_http 80
	# One real flow is in the table.
	outside_echo 53
	host_ask "$C4" 53
	equal "$(flows)" 1
	local kind
	for kind in syn ack synack rst fin udp; do
		flood "$kind" random "$S4" 80 300
		flood "$kind" random "$S6" 80 300
	done
	flood echoreply random "$S4" 0 300
	flood error random "$S4" 0 300
	flood echo random "$S4" 0 300
	# RST and FIN too: a listener on that port makes no difference.
	equal "$(line default)" $((12 * 300 + 300))
	equal "$(line reply)" 1
	equal "$(line icmp-errors)" 300
	equal "$(line echo)" 300
	equal "$(flows)" 1
	adds_up
}
@test "floods of packets that look like replies are dropped, and add no flows" { floods native; }
@test "floods of packets that look like replies are dropped, generic mode" { floods generic; }

@test "a full flow table refuses new flows, status says so, and old flows live" {
	attach_with "$RULES"
	outside_echo 53 54
	local again=(server_wire unconnected "$C4" 53 marco 0 30000)
	equal "$("${again[@]}")" 5
	flows fill
	no host_ask "$C4" 54
	equal "$("${again[@]}")" 5
	equal "$(portctl status -j | jq .flows_refused)" 1
	wants 0 status
	contains "$output" "1 flow refused: the flow table was full, so replies were not let in"
}

@test "a flood of SYNs to a port with a limit or a source adds no flows" {
	attach_with $'default drop\nallow 80/tcp limit 100000/s\nallow 81/tcp from 198.18.0.0/15'
	ip -n "$SERVER" route add default via "$C4"
	start_http 80
	start_http 81
	# With SYN cookies (1: when its queue is full, 2: always) the kernel answers without a socket.
	local cookies
	for cookies in 1 2; do
		server sysctl -qw net.ipv4.tcp_syncookies=$cookies
		flood syn random "$S4" 80 500
		flood syn random "$S4" 81 500
		echo "tcp_syncookies=$cookies: $(flows) entries"
		equal "$(flows)" 0
	done
}

@test "a flood of requests to a UDP service with a limit or a source adds no flows" {
	attach_with $'default drop\nallow 53/udp limit 100000/s\nallow 54/udp from 198.18.0.0/15'
	ip -n "$SERVER" route add default via "$C4"
	start_echo 53
	start_echo 54
	flood udp random "$S4" 53 300
	flood udp random "$S4" 54 300
	equal "$(port udp 53 pass)" 300
	equal "$(port udp 54 pass)" 300
	equal "$(flows)" 0
}

# --- sockets on other devices ---------------------------------------------------------

# Moves the server's addresses to a bridge over eth0.
add_bridge() {
	ip -n "$SERVER" link add br0 address "$(mac_of "$SERVER")" type bridge
	ip -n "$SERVER" link set br0 up
	ip -n "$SERVER" addr flush dev eth0
	ip -n "$SERVER" link set eth0 master br0
	ip -n "$SERVER" addr add "$S4/24" dev br0
	ip -n "$SERVER" addr add "$S6/64" dev br0 nodad
	local host
	for host in "$C4" "$C6"; do
		ip -n "$SERVER" neigh replace "$host" lladdr "$(mac_of "$CLIENT")" dev br0
	done
}

@test "replies to a socket bound to the bridge over the port pass" {
	add_bridge
	attach_with "$RULES"
	outside_http 80
	host_get "$C4"
	local host
	for host in "$C4" "[$C6]"; do
		equal "$(server curl -gsS -m 1 --interface if!br0 "http://$host/")" hello
	done
	equal "$(line default)" 0
	at_least "$(flows)" 2 # at least: the bridge may send multicast reports
}

@test "connections that the host closes first leave no flows" {
	attach_with "$RULES"
	outside_http 80
	local host
	for host in "$C4" "$C6"; do
		server_wire close_first "$host" 80 10
	done
	at_least "$(line reply)" 40
	equal "$(line default)" 0
	equal "$(flows)" 0
}

@test "SYN cookies at an open door add no flows" {
	server sysctl -qw net.ipv4.tcp_syncookies=2
	attach_with $'default drop\nknock web opens 80/tcp for 1m after 7000/tcp 8000/tcp 7500/tcp within 10s'
	portctl knock grant web "$C4" for 1m
	start_http 80
	flood syn "$C4" "$S4" 80 200
	http_get "$S4"
	equal "$(flows)" 0
	adds_up
}
