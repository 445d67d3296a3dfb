#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# watch: programs that begin or cease to listen, and changes of the state seen from outside.

load helpers
load helpers_replies

# begin_watch [OPTIONS...]: starts a watch. Sets $watch. Its events are in watch.out.
begin_watch() {
	background watch server "$PORTCTL" watch -j "$@"
	watch=$pid
	eventually looks
}
# watch opens an eventpoll before its first look, which is done a moment later.
looks() { find "/proc/$watch/fd" -lname '*eventpoll*' | grep -q . && sleep 0.4; }
# told FILTER: prints the events that jq selects. was_told FILTER: whether there is one.
told() { jq -c "select($1)" "$TMP/watch.out" 2>/dev/null; }
was_told() { [ -n "$(told "$1")" ]; }

# open_and_close PROTO PORT SECONDS: listens for this time.
OPEN="
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if sys.argv[1] == 'tcp' else socket.SOCK_DGRAM)
s.bind(('0.0.0.0', int(sys.argv[2])))
if sys.argv[1] == 'tcp':
	s.listen()
time.sleep(float(sys.argv[3]))"
open_and_close() { server "$PYTHON" -c "$OPEN" "$@"; }
# hold_open PROTO PORT: listens in the background until the test ends.
hold_open() { background "held$2" server "$PYTHON" -c "$OPEN" "$@" 100; }

@test "listeners that come and go are reported within a second, with program and state" {
	attach_with $'default drop\nallow 8080'
	begin_watch
	hold_open tcp 8080
	eventually was_told '.event == "listen" and .port == 8080'
	equal "$(told '.event == "listen"' | jq -c '[.proto, .port, .service, .user, .address]')" \
		'["tcp",8080,"http-alt","root","0.0.0.0"]'
	contains "$(told '.event == "listen"')" '"program":"python'
	eventually was_told '.event == "state" and .port == 8080'
	equal "$(told '.event == "state"' | jq -c '[.state, .was]')" '["open","closed"]'
	# At most one second between the call and the event.
	local now
	now=$(date +%s.%N)
	open_and_close udp 5353 1.5 &
	eventually was_told '.event == "listen" and .port == 5353'
	equal "$(told '.event == "listen" and .port == 5353' | jq ".time - $now < 1")" true
	wait $!
	now=$(date +%s.%N)
	eventually was_told '.event == "gone" and .port == 5353'
	equal "$(told '.event == "gone" and .port == 5353' | jq ".time - $now < 1")" true
	equal "$(told '.port == 5353' | jq -r .event | tr '\n' ' ')" "listen gone "
	stop "$pid"
	eventually was_told '.event == "state" and .port == 8080 and .was == "open"'
}

# take_over PORT NAME: one more program, called NAME, that listens at the port. Sets $pid.
TAKE_OVER="
import ctypes, socket, sys, time
ctypes.CDLL(None).prctl(15, sys.argv[2].encode(), 0, 0, 0)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(('0.0.0.0', int(sys.argv[1])))
s.listen()
time.sleep(100)"
take_over() { background "$2" server "$PYTHON" -c "$TAKE_OVER" "$@"; }
is_of() { portctl ports "$1" -j | jq -e ".ports[0].listeners[] | select(.program == \"$2\")" >/dev/null; }

@test "of two listeners at one port, \"gone\" names the last to end" {
	take_over 5000 older
	local older=$pid
	eventually is_of 5000 older
	begin_watch
	take_over 5000 newer
	local newer=$pid
	eventually is_of 5000 newer
	sleep 0.5
	stop "$older"
	sleep 0.5
	stop "$newer"
	eventually was_told '.event == "gone" and .port == 5000'
	equal "$(told '.event == "gone"' | jq -c '[.program, .pid]')" "[\"newer\",$newer]"
}

@test "a listener that ends at once is reported" {
	begin_watch
	for i in 1 2 3; do
		open_and_close tcp 2222 0
		open_and_close udp 2223 0
	done
	ends() { [ "$(told '.event == "gone"' | wc -l)" -ge 6 ]; }
	eventually ends
	equal "$(told '.event == "listen" and .port == 2222' | wc -l)" 3
	equal "$(told '.event == "listen" and .port == 2223' | wc -l)" 3
}

@test "a change of the rules, or a rule's expiry, is reported as a new state" {
	attach_with $'default drop'
	hold_open tcp 22
	eventually server_listens
	begin_watch
	portctl allow 22 for 2s
	eventually was_told '.port == 22 and .state == "open" and .was == "filtered"'
	eventually was_told '.port == 22 and .state == "filtered" and .was == "open"'
	portctl reject 22/tcp
	eventually was_told '.port == 22 and .state == "closed"'
	portctl detach --all
	eventually was_told '.port == 22 and .state == "open" and .was == "closed"'
}
server_listens() { portctl ports -j | jq -e '.ports[] | select(.port == 22 and .listeners != [])' >/dev/null; }

@test "listeners of other namespaces are not reported, except those of --netns" {
	begin_watch
	client "$PYTHON" -c "import socket; s = socket.socket(); s.bind(('0.0.0.0', 4444)); s.listen()"
	open_and_close tcp 4445 0
	eventually was_told '.event == "gone" and .port == 4445'
	equal "$(told '.port == 4444')" ""
	stop "$watch"
	begin_watch --netns "$CLIENT"
	client "$PYTHON" -c "import socket; s = socket.socket(); s.bind(('0.0.0.0', 4444)); s.listen()"
	eventually was_told '.event == "gone" and .port == 4444'
	refused 'there is no network namespace "nowhere"' watch --netns nowhere
	refused 'there is no network namespace "nowhere"' ports --netns nowhere
	usage_of watch 22
}

@test "without BPF watch polls, with a note; --exec runs a program for each event" {
	printf '#!/bin/sh\ncat >>"%s/ran"\n' "$TMP" >"$TMP/hook"
	chmod 755 "$TMP/hook"
	refused "cannot run ./none" watch --exec ./none
	background watch server setpriv --bounding-set -perfmon,-sys_admin "$PORTCTL" watch -j \
		--exec "$TMP/hook"
	eventually grep -q "the kernel cannot report sockets" "$TMP/watch.err"
	sleep 0.4
	hold_open tcp 7777
	eventually grep -q '"event":"listen".*7777' "$TMP/ran"
	contains "$(cat "$TMP/watch.out")" '"program":"python'
	# More events at a time than programs are run for: the others are reported as lost.
	background crowd server "$PYTHON" -c "
import socket, time
held = [socket.socket() for i in range(30)]
for i, s in enumerate(held): s.bind(('0.0.0.0', 8000 + i)); s.listen()
time.sleep(100)"
	eventually was_told '.event == "lost" and .hooks > 0'
}

@test "a program that cannot be read is shown as unknown, without a PID" {
	background watch server setpriv --bounding-set -perfmon,-sys_admin,-sys_ptrace \
		"$PORTCTL" watch
	eventually grep -q "the kernel cannot report sockets" "$TMP/watch.err"
	sleep 0.4
	hold_open tcp 7777
	eventually grep -q "listen " "$TMP/watch.out"
	contains "$(cat "$TMP/watch.out")" " listen   7777/tcp: unknown program of user root on 0.0.0.0"
}
