#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# monitor: events as they happen, the count of events that were not reported, and hooks.

load helpers
load helpers_replies

DOOR='knock web opens 80/tcp for 2s after 7000/tcp 9000/udp 8000/tcp within 10s close 8000/tcp 7000/tcp misses 0'

# watch [ARGUMENTS...]: starts a monitor. Sets $monitor. Its events are in monitor.out.
watch() {
	background monitor server "$PORTCTL" monitor -j "$@"
	monitor=$pid
	eventually watched
}
watched() { find "/proc/$monitor/fd" -lname '*eventpoll*' | grep -q . && sleep 0.2; }
client_sends() { client knock "$S4" "$2:$1"; }
# seen FILTER: prints the events that jq selects, one a line. happened FILTER: whether there is
# one. count FILTER: how many.
seen() { jq -c "select($1)" "$TMP/monitor.out"; }
happened() { [ -n "$(seen "$1")" ]; }
count() { seen "$1" | wc -l; }

@test "drops and rejects are reported with port, source and line" {
	attach_with $'default drop\nreject 113/tcp\ndrop 23 comment "old"'
	watch
	client_sends tcp 23
	client_sends tcp 113
	client_sends udp 5353
	eventually happened '.event == "drop" and .port == 23'
	eventually happened '.event == "reject" and .port == 113'
	eventually happened '.event == "drop" and .port == 5353'
	equal "$(seen '.port == 23' | head -1 | jq -c 'del(.time, .source_port)')" \
		"{\"event\":\"drop\",\"interface\":\"eth0\",\"proto\":\"tcp\",\"port\":23,\"service\":\"telnet\",\"source\":\"$C4\",\"line\":\"drop 23\"}"
	equal "$(seen '.port == 5353' | head -1 | jq -c '[.proto, .line]')" '["udp","default"]'
	local now
	now=$(date +%s)
	at_most "$(seen '.port == 23' | head -1 | jq "($now - .time) | fabs | floor")" 5
}

@test "events name a renamed interface as it was attached" {
	attach_with $'default drop'
	server ip link set eth0 down
	server ip link set eth0 name other
	server ip link set other up
	watch
	client_sends udp 5353
	eventually happened '.port == 5353'
	equal "$(seen '.port == 5353' | head -1 | jq -r .interface)" \
		"$(portctl stats -j | jq -r '.interfaces[0].name')"
}

@test "events of a knock: attempt, step, grant, expiry, close" {
	attach_with $'default drop\n'"$DOOR"
	watch attempt step grant close expiry refusal lockout failure miss
	client knock -d 50 "$S4" 7000:tcp 9000:udp 8000:tcp
	eventually happened '.event == "grant"'
	sleep 0.2
	equal "$(seen '.knock == "web"' | jq -c '[.event, .port, .source]' | tr '\n' ' ')" \
		"[\"attempt\",7000,\"$C4\"] [\"step\",9000,\"$C4\"] [\"grant\",8000,\"$C4\"] [\"attempt\",8000,\"$C4\"] "
	eventually happened '.event == "expiry"'
	equal "$(seen '.event == "expiry"' | jq -c '[.knock, .source]')" "[\"web\",\"$C4\"]"
	client knock -d 50 "$S6" 7000:tcp 9000:udp 8000:tcp 8000:tcp 7000:tcp
	eventually happened '.event == "close"'
	equal "$(seen '.event == "close"' | jq -r .source)" "$C6"
	equal "$(count '.event == "drop"')" 0
}

@test "events of misses, failures, lockouts and refusals" {
	attach_with $'default drop\n'"$DOOR"
	watch
	for i in 1 2 3 4 5; do
		client knock -d 20 "$S4" 7000:tcp 1:tcp
	done
	eventually happened '.event == "lockout"'
	equal "$(count '.event == "failure"')" 4
	client knock "$S4" 7000:tcp
	eventually happened '.event == "refusal"'
}

@test "events of signed knocks name the key: grant, replay, refusal" {
	(umask 077 && portctl knock key alice >"$TMP/keys")
	attach_with "default drop
knock web spa 62201/udp keys $TMP/keys opens 80/tcp for 30s skew 1s"
	sleep 1.1
	watch grant replay refusal
	background dump client tcpdump -Uni eth0 -w "$TMP/dump" -c 1 udp port 62201
	local dump=$pid
	eventually grep -q "listening on" "$TMP/dump.err"
	client "$PORTCTL" knock send "$S4" web --key "$TMP/keys"
	eventually happened '.event == "grant"'
	equal "$(seen '.event == "grant"' | jq -c '[.knock, .key, .source]')" \
		"[\"web\",\"alice\",\"$C4\"]"
	eventually no kill -0 "$dump"
	"$PYTHON" -c "open('$TMP/payload', 'wb').write(open('$TMP/dump', 'rb').read()[-64:])"
	client "$PYTHON" -c "
import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(open('$TMP/payload', 'rb').read(), ('$S4', 62201))"
	eventually happened '.event == "replay" or .event == "refusal"'
	equal "$(seen '.event != "grant" and .event != "lost"' | jq -c '[.knock, .key]')" '["web","alice"]'
}

# The number of drops that were not reported, from the events "lost".
lost_drops() { seen '.event == "lost"' | jq -s 'map(.drops) | add'; }

@test "a flood is sampled, ten drops a second and port, and the others are counted" {
	attach_with "default drop"
	watch
	client "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(3000): s.sendto(b'x', ('$S4', 1000))"
	eventually happened '.event == "lost" and .drops > 0'
	sleep 1.2
	local told
	told=$(count '.event == "drop"')
	at_least "$told" 10
	at_most "$told" 60
	equal "$((told + $(lost_drops)))" "$(portctl stats -j | jq '.interfaces[0].total.drop.packets')"
}

@test "counts of removed rules are not reported as new drops" {
	attach_with "drop 9999/udp"
	client "$PYTHON" "$NET" send "$S4" 9999 300
	watch
	portctl delete 1
	sleep 1.2
	portctl allow 5/udp # now its counts are on the line "removed"
	sleep 1.2
	portctl drop 5/tcp
	portctl rollback
	sleep 1.2
	equal "$(seen '.event == "lost"')" ""
	client "$PYTHON" "$NET" send "$S4" 5 1
	portctl drop 9999/udp
	client "$PYTHON" "$NET" send "$S4" 9999 300
	eventually happened '.event == "lost" and .drops > 200 and .drops < 300'
	sleep 1.2
	equal "$(($(count '.event == "drop"') + $(lost_drops)))" 300
	stop "$monitor"
}

@test "--samples holds though another monitor uses the default" {
	attach_with "default drop"
	watch --samples 200
	local first=$monitor
	background second server "$PORTCTL" monitor -j
	monitor=$pid
	eventually watched
	flood() { client "$PYTHON" "$NET" send "$S4" "$1" 100 10; }
	flood 1000
	many() { at_least "$(count '.port == 1000')" 90; }
	eventually many
	# The setting ends with the last monitor.
	stop "$first"
	stop "$monitor"
	watch
	flood 1001
	sleep 1.2
	at_least "$(count '.port == 1001')" 10
	at_most "$(count '.port == 1001')" 40
}

@test "no events are kept without a monitor; at most four monitors at a time" {
	attach_with "default drop"
	client_sends udp 1
	watch
	local first=$monitor i
	client_sends udp 2
	eventually happened '.port == 2'
	equal "$(count '.port == 1')" 0
	for i in 1 2 3; do
		background "monitor$i" server "$PORTCTL" monitor -j
		monitor=$pid
		eventually watched
	done
	refused "4 processes watch already" monitor -j
	kill -9 "$first"
	wait "$first" 2>/dev/null || true
	watch drop
	client_sends udp 3
	eventually happened '.port == 3'
	eventually grep -q '"port":3' "$TMP/monitor3.out"
}

@test "monitor goes on through apply, detach and attach" {
	attach_with "default drop"
	watch
	portctl drop 7/udp
	client_sends udp 7
	eventually happened '.line == "drop 7/udp"'
	portctl detach --all
	sleep 1.2
	portctl attach eth0
	portctl default drop --force
	sleep 1.5
	client_sends udp 8
	eventually happened '.port == 8'
	stop "$monitor"
}

@test "--exec runs a program without a shell, with the event on its standard input" {
	attach_with "default drop"
	printf '#!/bin/sh\ncat >>%s/events\necho $# >>%s/words\n' "$TMP" "$TMP" >"$TMP/hook"
	chmod +x "$TMP/hook"
	watch --exec "$TMP/hook"
	client_sends udp 9
	eventually test -s "$TMP/events"
	equal "$(jq -c '[.event, .port]' "$TMP/events" | head -1)" '["drop",9]'
	equal "$(head -1 "$TMP/words")" 0
	refused "cannot run $TMP/nothing" monitor --exec "$TMP/nothing"
	refused "cannot run $TMP: Is a directory" monitor --exec "$TMP"
}

@test "hooks that hang do not block the monitor, and end with it" {
	attach_with "default drop"
	printf '#!/bin/sh\necho $$ >>%s/pids\nexec sleep 60\n' "$TMP" >"$TMP/hook"
	chmod +x "$TMP/hook"
	watch --exec "$TMP/hook"
	local port
	for port in $(seq 1 20); do client_sends udp "$port"; done
	eventually happened '.event == "lost" and .hooks > 0'
	eventually happened '.port == 20'
	at_most "$(wc -l <"$TMP/pids")" 8
	stop "$monitor"
	local one
	while read -r one; do no kill -0 "$one"; done <"$TMP/pids"
}

@test "listeners that come and go, and changes of state, are events too" {
	attach_with $'default drop\nallow 8080'
	watch
	sleep 0.3
	listen_as web tcp:0.0.0.0:8080 udp:0.0.0.0:5353
	local listener=$pid
	eventually happened '.event == "listen" and .port == 8080'
	eventually happened '.event == "listen" and .port == 5353'
	eventually happened '.event == "state" and .port == 8080'
	client_sends tcp 23
	eventually happened '.event == "drop" and .port == 23'
	equal "$(seen '.port == 8080 and .event == "listen"' | jq -c '[.proto, .program, .pid, .address]')" \
		"[\"tcp\",\"web\",$listener,\"0.0.0.0\"]"
	equal "$(seen '.port == 8080 and .event == "state"' | jq -c '[.state, .was]')" '["open","closed"]'
	stop "$listener"
	eventually happened '.event == "gone" and .port == 8080'
	stop "$monitor"
	# Only the events asked for.
	watch state
	sleep 0.3
	listen_as web tcp:0.0.0.0:8080
	eventually happened '.event == "state" and .port == 8080'
	equal "$(count '.event != "state"')" 0
}

@test "events as text, and wrong arguments" {
	attach_with $'default drop\nallow 22'
	background plain server "$PORTCTL" monitor drop
	monitor=$pid
	eventually watched
	client_sends udp 5000
	eventually grep -q "drop     eth0 5000/udp from $C4 port [0-9]*: default" "$TMP/plain.out"
	refused 'found "drops", expected a kind of event' monitor drops
	usage_of monitor --samples 256
	usage_of monitor --nothing
	portctl detach --all
	refused "portctl is attached to no interface" monitor
}
