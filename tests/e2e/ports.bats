#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ports: what listens, and which state an outsider sees; nmap confirms it.

load helpers
load helpers_replies

listen() {
	listen_as "python-$RANDOM" "$@"
	listener=$pid
}

# said PORT/PROTO FIELD [ARGUMENTS...]: prints a field of "portctl ports", as in
# "said 22/tcp state". With --all, also for ports that are otherwise left out.
said() {
	portctl ports -j "${@:3}" 2>/dev/null |
		jq -rc ".ports[] | select(.port == ${1%/*} and .proto == \"${1#*/}\") | .$2"
}

RULES="default drop
allow 1000-1099
reject 1100-1199
allow 1200-1299 from 10.77.0.1, fd77::1
allow 1300-1399 from 192.0.2.1
drop 1050"

# scan NMAP_ARGUMENTS...: prints the states that nmap finds, as PORT/PROTO STATE.
scan() { client nmap -n -Pn --max-retries 1 --host-timeout 60s -oG - "$@" | grep -oE '[0-9]+/[a-z|]+/(tcp|udp)' | awk -F/ '{ print $1 "/" $3, $2 }' | sort -u; }

# states: prints the state of every port for the source $from, as PORT/PROTO STATE. Cached,
# because it takes long.
states() {
	[ -s "$TMP/said-$from" ] || portctl ports --all --from "$from" -j 2>/dev/null |
		jq -r '.ports[] | "\(.port)/\(.proto) \(.state)"' | sort -u >"$TMP/said-$from"
	cat "$TMP/said-$from"
}

# agree NMAP_ARGUMENTS...: every state that nmap finds must be portctl's.
agree() {
	scan "$@" >"$TMP/seen"
	[ -s "$TMP/seen" ]
	run comm -23 "$TMP/seen" <(states)
	equal "$output" ""
}

# agree_ack PORTS NMAP_ARGUMENTS...: nmap's ACK scan must find the same ports filtered.
agree_ack() {
	scan -sA -p "$1" "${@:2}" >"$TMP/seen"
	equal "$(wc -l <"$TMP/seen")" 15
	run comm -23 "$TMP/seen" <(states | sed -E 's/ (open|closed)$/ unfiltered/')
	equal "$output" ""
}

@test "nmap finds the same states for every kind of rule and listener, IPv4 and IPv6" {
	attach_with "$RULES"
	local port words=()
	for port in 900 1010 1050 1110 1210 1310; do
		words+=("tcp:[::]:$port" "udp:[::]:$port")
	done
	# And listeners on loopback, or of one address family.
	listen "${words[@]}" tcp:127.0.0.1:1020 "tcp:[::1]:1021" tcp:0.0.0.0:1030 \
		udp:0.0.0.0:1030 "tcp:[$S6]:1031" "udp:[$S6]:1031"
	receive_answers
	local from=$C4
	local tcp=900,901,1010,1011,1020,1021,1030,1031,1050,1110,1111,1210,1211,1310,1311
	local udp=900,901,1010,1011,1030,1031,1050,1110,1111,1211,1310
	agree -sS -p "$tcp" "$S4"
	agree -sT -p "$tcp" "$S4"
	from=$C6
	agree -6 -sS -p "$tcp" "$S6"
	agree -6 -sT -p "$tcp" "$S6"
	equal "$(wc -l <"$TMP/seen")" 15
	# An ACK scan shows whether a port is filtered, but not whether it is open.
	from=$C4
	agree_ack "$tcp" "$S4"
	from=$C6
	agree_ack "$tcp" -6 "$S6"
	agree -6 -sU -p "$udp" "$S6"
	equal "$(wc -l <"$TMP/seen")" 11
	from=$C4
	agree -sU -p "$udp" "$S4"
	equal "$(wc -l <"$TMP/seen")" 11
}

@test "who reaches a port, its listeners, and which ports are shown" {
	attach_with "$RULES
knock web opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s"
	listen "tcp:[::]:1010" tcp:127.0.0.1:1020 tcp:0.0.0.0:1210 udp:0.0.0.0:900 tcp:0.0.0.0:80
	equal "$(said 1010/tcp reachable)" everyone
	equal "$(said 1010/tcp listeners | jq -c '.[0] | [.pid, .user, .address]')" "[$listener,\"root\",\"::\"]"
	contains "$(said 1010/tcp listeners)" '"program":"python'
	equal "$(said 1020/tcp reachable)" no
	equal "$(said 1020/tcp state)" closed
	equal "$(said 1210/tcp reachable)" sources
	equal "$(said 1210/tcp state)" filtered
	equal "$(said 1210/tcp state --from "$C4")" open
	equal "$(said 1210/tcp reachable --from 192.0.2.99)" no
	equal "$(said 900/udp reachable)" no
	equal "$(said 80/tcp reachable)" "grant only"
	equal "$(said 22/tcp service --all)" ssh
	# Without --all, only ports with a listener, a rule or packets.
	client knock "$S4" 5555:tcp
	local shown
	shown=$(portctl ports -j 2>/dev/null | jq -r '.ports[] | "\(.port)/\(.proto)"')
	for port in 1010/tcp 1050/udp 5555/tcp 80/tcp; do contains "$shown" "$port"; done
	lacks "$shown" 1051/tcp
	contains "$(portctl ports 2>/dev/null)" "python"
}

@test "--from: sources with a grant, without, and after it was revoked" {
	attach_with $'default drop\nknock web opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s
knock net opens 81/tcp for 30s per /64 after 7000/tcp 8000/tcp 9000/udp within 10s'
	listen "tcp:[::]:80" "tcp:[::]:81"
	equal "$(said 80/tcp state --from "$C4")" filtered
	portctl knock grant web "$C4" for 1m
	portctl knock grant net "$C6" for 1m
	equal "$(said 80/tcp state --from "$C4")" open
	equal "$(said 80/tcp reachable --from "$C4")" everyone
	equal "$(said 81/tcp state --from "$C4")" filtered
	equal "$(said 81/tcp state --from fd77::99)" open
	equal "$(said 80/tcp state --from "$C6")" filtered
	local from=$C4
	agree -sS -p 80,81 "$S4"
	from=$C6
	agree -6 -sS -p 80,81 "$S6"
	portctl knock revoke web "$C4"
	equal "$(said 80/tcp state --from "$C4")" filtered
}

@test "states and counters cover all attached interfaces, or the one of --on" {
	add_link eth1 10.79.0.1 fd79::1 10.79.0.2 fd79::2
	portctl attach eth1
	attach_with $'default drop\nallow 8080/tcp on eth1'
	listen tcp:0.0.0.0:8080
	client knock 10.79.0.2 8080:tcp 99:tcp
	equal "$(said 8080/tcp state)" open
	equal "$(said 8080/tcp reachable)" everyone
	equal "$(said 8080/tcp state --on eth0)" filtered
	equal "$(said 99/tcp dropped)" 1
	equal "$(said 99/tcp dropped --on eth0 --all)" 0
	equal "$(portctl audit -j | jq -c '[.findings[] | .finding]')" '[]'
	contains "$(portctl audit --on eth0)" "filtered        8080/tcp"
}

@test "a deleted device does not count in states, unless --on names it" {
	add_link eth1 10.79.0.1 fd79::1 10.79.0.2 fd79::2
	portctl attach eth1
	attach_with $'default drop\nallow 8080/tcp on eth0\nallow 8081/tcp on eth1'
	listen tcp:0.0.0.0:8080 tcp:0.0.0.0:8081
	client knock 10.79.0.2 99:tcp
	asked() { portctl explain 192.0.2.1 "$@" -j | jq -rc '[.interface, .verdict]'; }
	equal "$(said 8080/tcp reachable)" everyone
	equal "$(asked 8080)" '["eth0","pass"]'
	ip -n "$SERVER" link del eth0
	equal "$(said 8080/tcp reachable)" no
	equal "$(said 8081/tcp reachable)" everyone
	equal "$(said 99/tcp dropped)" 1
	contains "$(portctl audit)" "filtered        8080/tcp"
	equal "$(said 8080/tcp reachable --on eth0)" everyone
	equal "$(asked 8080)" '["eth1","drop"]'
	equal "$(asked 8080 --on eth0)" '["eth0","pass"]'
	# If all devices are deleted, they count.
	ip -n "$SERVER" link del eth1
	equal "$(said 8080/tcp reachable)" everyone
	equal "$(said 8081/tcp reachable)" everyone
	equal "$(asked 8080)" '["eth0","pass"]'
}

@test "without an attached interface every listener is open; wrong arguments are refused" {
	listen tcp:0.0.0.0:1010
	equal "$(said 1010/tcp state)" open
	equal "$(said 1010/tcp reachable)" everyone
	stop "$listener"
	equal "$(said 1010/tcp state --all)" closed
	refused "portctl is not attached to eth9" ports --on eth9
	refused 'argv: --from: found "x"' ports --from x
	usage_of ports 22
}

@test "--netns by name, path and PID; a socket bound to lo cannot be reached" {
	attach_with $'default drop\nallow 80/tcp'
	background web server "$PYTHON" -c "
import socket, time
held = [socket.socket() for port in (80, 81)]
held[1].setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b'lo')
for s, port in zip(held, (80, 81)): s.bind(('0.0.0.0', port)); s.listen()
print('ready', flush=True); time.sleep(200)"
	eventually grep -q ready "$TMP/web.out"
	portctl allow 81/tcp
	local name
	for name in "$SERVER" "/run/netns/$SERVER" "$pid"; do
		equal "$(client "$PORTCTL" ports --netns "$name" -j |
			jq -c "[.ports[] | [.port, .state, .reachable, .listeners[0].pid == $pid]]")" \
			'[[80,"open","everyone",true],[81,"closed","no",true]]'
	done
	equal "$(client "$PORTCTL" ports -j)" '{"ports":[]}'
	# A name that is a number wins over a PID, as in ip(8).
	run -0 --separate-stderr client unshare --mount bash -c "mount -t tmpfs none /run/netns &&
		touch /run/netns/$$ && mount --bind /proc/$pid/ns/net /run/netns/$$ &&
		'$PORTCTL' ports --netns $$ -j"
	equal "$(jq -c '[.ports[].port]' <<<"$output")" '[80,81]'
	# A PID without a process, and a path that is no namespace.
	refused 'there is no network namespace "4194305"' ports --netns 4194305
	refused "cannot enter the network namespace $TMP/web.out" ports --netns "$TMP/web.out"
}

@test "processes that end while ports reads them do no harm" {
	background churn server "$PYTHON" -c "
import os, socket
while True:
	children = []
	for i in range(16):
		child = os.fork()
		if child == 0:
			held = [socket.socket() for j in range(50)]
			for s in held: s.bind(('0.0.0.0', 0)); s.listen()
			os._exit(0)
		children.append(child)
	for child in children: os.waitpid(child, 0)"
	local i
	for i in {1..40}; do portctl ports -j >>"$TMP/ports" 2>>"$TMP/notes"; done
	equal "$(jq -s 'length' "$TMP/ports")" 40
	# Each listener has a program, or a reason why it is unknown; privileges are not the reason.
	equal "$(jq -s '[.[].ports[].listeners[] | select(.program == "")] | length' "$TMP/ports")" 0
	lacks "$(cat "$TMP/notes")" "another user's"
}
