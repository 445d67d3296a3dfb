#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# top, on the screens of a separate tmux server.

load helpers
load helpers_replies

# teardown ends the tmux server, also after a failure.
screen() { server tmux -L "portctl-$$" -f /dev/null "$@"; }
eval "helpers_$(declare -f teardown)"
teardown() {
	screen kill-server 2>/dev/null || true
	helpers_teardown
}

# begin WIDTH HEIGHT [COMMAND]: starts top on a screen of this size; the shell stays when it ends.
begin() {
	screen new-session -d -x "$1" -y "$2" "${3:-'$PORTCTL' top; echo left \$?}; sleep 100"
}
shown() { screen capture-pane -p; }
shows() { shown | grep -q -- "$1"; }
keys() { screen send-keys "$@"; }
row_of() { shown | grep -n -- "$1" | head -1 | cut -d: -f1; }

@test "top shows the busiest ports first, sorts by other orders, and quits cleanly" {
	attach_with $'default drop\nallow 80'
	local i
	for i in 1 2 3 4 5 6; do client knock "$S4" 80:udp; done
	client knock "$S4" 23:tcp 23:tcp
	begin 100 24
	eventually shows "80/udp"
	eventually shows "23/tcp"
	shows "eth0 (native)"
	shows "PORT .*SERVICE .*PASSED/S .*DROPPED/S .*PACKETS .*BYTES"
	shows "by rate"
	keys p
	eventually shows "by packets"
	[ "$(row_of 80/udp)" -lt "$(row_of 23/tcp)" ]
	keys o
	eventually shows "by port"
	[ "$(row_of 23/tcp)" -lt "$(row_of 80/udp)" ]
	keys q
	eventually shows "left 0"
	# The screen is restored.
	no shows "80/udp"
}

@test "an error that ends top is printed after the screen is restored" {
	attach_with $'default drop'
	begin 100 24 "PORTCTL_BPFFS=$TMP '$PORTCTL' top; echo left \$?; sleep 100"
	eventually shows "left 1"
	shows "portctl: "
	screen kill-server
	# The same for a later error. That there are too many monitors is not the reason.
	local i
	for i in 1 2 3 4; do background "monitor$i" server "$PORTCTL" monitor; done
	watched() { [ "$(cat "$TMP"/monitor?.err)" = "" ] && sleep 0.3; }
	eventually watched
	begin 200 24
	eventually shows "by rate"
	keys p
	eventually shows "by packets"
	chmod 777 "$PORTCTL_RUN"
	eventually shows "left 1"
	shows "portctl: others may write to $PORTCTL_RUN"
	no shows "processes watch already"
	chmod 700 "$PORTCTL_RUN"
}

@test "top shows rates, bars, and the sources of dropped packets" {
	attach_with $'default drop\nallow 80'
	begin 120 24
	eventually shows "eth0"
	send() {
		client "$PYTHON" -c "
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
end = time.time() + 3
while time.time() < end:
	s.sendto(b'x', ('$S4', 80)); s.sendto(b'x', ('$S4', 9)); time.sleep(0.01)"
	}
	send &
	local sender=$!
	eventually shows "80/udp .*+++++"
	eventually shows "9/udp .*-----"
	keys d
	eventually shows "by dropped"
	keys Up Up Up
	eventually shows "dropped at 9/udp: $C4 ("
	wait "$sender"
}

@test "top filters by service or protocol, and refuses a wrong filter" {
	attach_with "default drop"
	client knock "$S4" 22:tcp 53:udp 2000:tcp
	begin 100 24
	eventually shows "2000/tcp"
	keys / ssh Enter
	eventually shows "only ssh"
	shows "22/tcp"
	no shows "2000/tcp"
	keys / udp Enter
	eventually shows "53/udp"
	no shows "22/tcp"
	keys / 80abc Enter
	eventually shows "is not a port, range, service, tcp or udp"
	keys / Escape
	eventually shows "2000/tcp"
	shows "22/tcp"
}

@test "top shows one interface or all, and pauses" {
	attach_with "default drop"
	client knock "$S4" 22:tcp
	begin 100 24
	eventually shows "22/tcp"
	keys i
	eventually shows "eth0 (native)"
	shows "22/tcp"
	keys Space
	eventually shows "paused"
	client knock "$S4" 23:tcp
	sleep 1.5
	no shows "23/tcp"
	keys Space
	eventually shows "23/tcp"
}

@test "top follows resizing, narrow and too small screens included" {
	attach_with "default drop"
	client knock "$S4" 22:tcp
	begin 100 24
	eventually shows "22/tcp"
	screen resize-window -x 40 -y 10
	eventually no shows SERVICE
	shows "22/tcp"
	screen resize-window -x 20 -y 6
	eventually shows "DROPPED/S"
	no shows "PASSED/S"
	shows "22/tcp"
	screen resize-window -x 19 -y 3
	eventually shows "too small"
	screen resize-window -x 100 -y 24
	eventually shows "SERVICE"
	keys q
	eventually shows "left 0"
}

@test "top goes on through detach, attach and changes of rules" {
	attach_with "default drop"
	client knock "$S4" 22:tcp
	begin 100 24
	eventually shows "22/tcp"
	portctl detach --all
	eventually shows "attached to no interface"
	no shows "22/tcp"
	portctl attach eth0
	portctl drop 24
	client knock "$S4" 24:tcp
	eventually shows "24/tcp"
}

@test "top ends on SIGTERM and without its terminal, and restores the screen" {
	attach_with "default drop"
	begin 100 24
	eventually shows "eth0"
	local pid
	pid=$(pgrep -P "$(screen display-message -p '#{pane_pid}')" portctl)
	kill -TERM "$pid"
	eventually shows "left 0"
	screen kill-server
	begin 100 24
	eventually shows "eth0"
	pid=$(pgrep -P "$(screen display-message -p '#{pane_pid}')" portctl)
	screen kill-server
	eventually no kill -0 "$pid"
}

@test "top works on a vt100, and is refused without a terminal or on a dumb one" {
	attach_with "default drop"
	client knock "$S4" 22:tcp
	begin 80 24 "TERM=vt100 NO_COLOR=1 '$PORTCTL' top; echo left \$?"
	eventually shows "22/tcp"
	keys q
	eventually shows "left 0"
	screen kill-server
	begin 80 24 "TERM=dumb '$PORTCTL' top; echo left \$?"
	eventually shows 'the terminal "dumb" has no screen'
	eventually shows "left 1"
	refused "top needs a terminal" top
	usage_of top -i 0
	usage_of top eth0
}
