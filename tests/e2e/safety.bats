#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Protection from locking oneself out: confirm, rollback, and the guard of open connections.
# save and restore.

load helpers

# hold_open ADDRESS PORT: opens a connection from the client that stays open.
hold_open() {
	background hold client "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$1', $2)); time.sleep(30)"
	eventually has_open "$2"
}

has_open() { server ss -Htn state established "sport = :$1" | grep -q .; }
has_default() { portctl status -j | jq -e --arg d "$1" '.default == $d'; }
is_attached() { portctl status -j | jq -e '.interfaces[0].mode == "native"'; }

@test "a change that is not confirmed is undone without a portctl process" {
	portctl attach eth0
	start_http 80
	http_get "$S4"
	portctl default drop --confirm 2s
	contains "$(portctl status)" "rolls back in"
	equal "$(portctl status -j | jq '.default == "drop" and .pending > 0')" true
	no http_get "$S4"
	sleep 2.5
	equal "$(portctl status -j | jq -c '[.default, .pending]')" '["allow",0]'
	http_get "$S4"
	wants 1 confirm
	contains "$stderr" "rolled back"
}

@test "a change that takes longer than its time to confirm is undone at once" {
	portctl attach eth0
	portctl allow 80
	server strace -qq -o "$TMP/trace" -e trace=bpf "$PORTCTL" default drop --confirm 60s
	portctl rollback
	# The time is over before the change is made. The last calls are all delayed, because
	# their number differs from run to run.
	local call
	call=$(grep -n BPF_PROG_TEST_RUN "$TMP/trace" | tail -1 | cut -d: -f1)
	run ! --separate-stderr server strace -qq -o /dev/null -e trace=bpf \
		-e inject=bpf:delay_exit=300000:when="$((call - 8))+" "$PORTCTL" default drop --confirm 1s
	contains "$stderr" "the time to confirm ended before the change was made"
	equal "$(portctl status -j | jq -c '[.default, .pending]')" '["allow",0]'
	portctl default drop
}

@test "a confirmed change stays" {
	portctl attach eth0
	portctl default drop --confirm 1s
	equal "$(portctl confirm)" confirmed
	sleep 1.5
	equal "$(portctl status -j | jq -r .default)" drop
}

@test "while a change waits to be confirmed others are refused; rollback undoes it at once" {
	portctl attach eth0
	portctl allow 80
	echo "default drop" >"$TMP/closed"
	portctl apply "$TMP/closed" --confirm 60s
	wants 1 allow 81
	contains "$stderr" "waits to be confirmed"
	equal "$(portctl rollback)" "rolled back"
	equal "$(rules)" $'default allow\nallow 80'
	portctl allow 81
}

@test "rollback to no rules works any number of times" {
	portctl attach eth0
	start_http 80
	portctl default drop --confirm 60s
	portctl rollback
	portctl default drop --confirm 60s
	equal "$(portctl rollback)" "rolled back"
	http_get "$S4"
	portctl allow 81
	equal "$(portctl rollback)" "rolled back"
	equal "$(rules)" "default allow"
	portctl default drop --confirm 1s
	sleep 1.5
	portctl default drop
	equal "$(portctl rollback)" "rolled back"
	http_get "$S4"
}

@test "a rule restored by rollback has its counters" {
	portctl attach eth0
	portctl allow 7777/udp
	client "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(10): s.sendto(b'x', ('$S4', 7777))"
	equal "$(line 'allow 7777/udp')" 10
	portctl drop 7777/udp
	portctl rollback
	equal "$(line 'allow 7777/udp')" 10
}

@test "an interface attached while a change waits gets the old rules after its rollback" {
	start_http 80
	start_http 81
	portctl allow 80
	portctl default drop --confirm 2s
	portctl attach eth0
	http_get "$S4" 80
	no http_get "$S4" 81
	sleep 2.5
	http_get "$S4" 81
}

@test "a change that would shut out an open connection is refused" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	for change in "default drop" "drop 2222" "reject 2222/tcp" "drop from $C4" \
		"drop 2000-3000/tcp from 10.77.0.0/24 on eth0"; do
		wants 1 $change
		contains "$stderr" "the open connection from $C4"
		contains "$stderr" "port 2222"
		one_line "$stderr"
	done
	equal "$(rules)" "default allow"
	# Deleting the rule that lets it in.
	portctl allow 2222 from "$C4"
	portctl default drop
	wants 1 delete 1
	# --force and --confirm do it all the same.
	portctl delete 1 --confirm 60s
	portctl rollback
	portctl delete 1 --force
}

@test "replacing a rule of an open connection by one that expires is refused" {
	portctl attach eth0
	start_http 2222
	portctl allow 2222/tcp
	portctl default drop
	hold_open "$S4" 2222
	refused "could not be made again once the rules with \"for\" have expired" \
		allow 2222/tcp for 2h
	printf 'default drop\nallow 2222 for 2h\n' >"$TMP/ending"
	refused "could not be made again once" apply "$TMP/ending"
	equal "$(rules)" $'default drop\nallow 2222/tcp'
	# A rule beside it, or in place of one that expires too, is accepted.
	portctl allow 2222/tcp from "$C4" for 2h
	refused "could not be made again once" delete 1
	portctl delete 2
	portctl allow 2222/tcp for 2h --force
	portctl allow 80 for 2h
	refused "could not be made again; allow it" delete 1
	portctl allow 2222/tcp for 1h
	portctl allow 2222/tcp
}

@test "dropping IPv6 neighbour discovery counts as shutting out an IPv6 connection" {
	portctl attach eth0
	start_http 2222
	portctl allow 2222
	portctl default drop
	hold_open "$S6" 2222
	refused "this would shut out the open connection from $C6" option neighbours off
	refused "this would shut out the open connection from $C6" drop from fe80::/10
	portctl allow ipv6-icmp
	portctl option neighbours off
	refused "this would shut out the open connection from $C6" delete allow ipv6-icmp
	portctl option neighbours on
	# IPv4 uses ARP.
	stop "$pid"
	no_connection() { ! has_open 2222; }
	eventually no_connection
	hold_open "$S4" 2222
	portctl drop from fe80::/10
}

@test "the guard protects IPv6 connections and the one of SSH_CONNECTION" {
	portctl attach eth0
	start_http 2222
	hold_open "$S6" 2222
	wants 1 drop 2222
	contains "$stderr" "the open connection from $C6"
	SSH_CONNECTION="$C4 50000 $S4 2200" wants 1 drop 2200
	contains "$stderr" "port 2200"
	SSH_CONNECTION="hostile words" wants 0 drop 2200
}

@test "a change after which a connection could not be made again is refused" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	refused "the open connection from $C4" default drop
	contains "$stderr" "port 2222 on eth0 would go on, but could not be made again"
	portctl default drop --force
	refused "refused: this would shut out the open connection from $C4" drop 2222/tcp
	portctl drop 2223/tcp
}

@test "a low limit on an open connection is refused, with the rate" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	refused "would be limited to 5/m for all its packets; allow it, or try" allow 2222/tcp limit 5/m
	contains "$stderr" "refused: the open connection from $C4"
	refused "would be limited to 99/s" allow 2000-3000/tcp limit 99/s burst 500 per source
	refused "would be limited to 90/m" allow from 10.77.0.0/24 limit 90/m for 1h
	equal "$(rules)" "default allow"
	# Limits that do not concern the connection, or are high enough, are accepted.
	portctl allow 2222/tcp from 192.0.2.0/24 limit 5/m
	portctl allow 2222/tcp limit 100/s per source
	portctl allow 22/tcp limit 5/m per source
	portctl delete allow 2222/tcp limit 100/s per source
	# --confirm and --force do it all the same.
	portctl allow 2222/tcp limit 5/m --confirm 60s
	portctl rollback
	portctl default drop --force
	refused "would be limited to 5/m" allow 2222/tcp limit 5/m
}

@test "a lower limit on a limited connection, or no rule for it, is refused" {
	portctl attach eth0
	start_http 2222
	portctl default drop
	portctl allow 2222/tcp limit 50/s
	hold_open "$S4" 2222
	portctl allow 80
	printf 'default drop\nallow 2222/tcp limit %s\n' 3000/m >same
	printf 'default drop\nallow 2222/tcp limit %s\n' 49/s >lower
	refused "would be limited to 49/s" apply lower
	refused "would go on, but could not be made again" delete 1
	refused "would shut out" drop 2222/tcp from "$C4"
	portctl apply same
	portctl allow 2222/tcp from "$C4"
	refused "would be limited to 3000/m" delete 2
}

@test "a rollback that would shut out an open connection is refused" {
	portctl attach eth0
	start_http 2222
	portctl drop 2222/tcp
	portctl allow 2222/tcp
	hold_open "$S4" 2222
	refused "refused: this would shut out the open connection from $C4" rollback
	contains "$stderr" "port 2222 on eth0; insist with --force"
	refused "port 2222 on eth0" rollback -j
	equal "$(rules)" $'default allow\nallow 2222/tcp'
	equal "$(portctl rollback --force)" "rolled back"
	equal "$(rules)" $'default allow\ndrop 2222/tcp'
	# This rollback lets the connection in again.
	equal "$(portctl rollback)" "rolled back"
	usage_of rollback --forced
	usage_of rollback now
}

@test "the guard of rollback considers expired rules, limits and knocks" {
	portctl attach eth0
	start_http 2222
	printf 'default drop\nallow 2222/tcp\n' >open
	printf 'default drop\nallow 2222/tcp for 1s\n' >ending
	printf 'default drop\nallow 2222/tcp limit 5/m\n' >limited
	printf 'default drop\nknock ssh opens 2222/tcp for 5m after 7000/udp 9000/udp 8000/udp within 10s\n' >door
	portctl apply ending
	portctl apply open
	hold_open "$S4" 2222
	sleep 1.1
	refused "could not be made again; insist with --force" rollback
	portctl apply limited --force
	portctl apply open
	refused "would be limited to 5/m" rollback
	portctl apply door --force
	portctl apply open
	refused "could not be made again" rollback
	portctl apply door --force
	portctl knock grant ssh "$C4" for 5m
	portctl apply open
	portctl rollback
	http_get "$S4" 2222
}

@test "rollback of a change that waits to be confirmed is never refused" {
	portctl attach eth0
	start_http 2222
	portctl drop 2222/tcp
	portctl allow 2222/tcp --confirm 60s
	hold_open "$S4" 2222
	equal "$(portctl rollback)" "rolled back"
	equal "$(rules)" $'default allow\ndrop 2222/tcp'
}

@test "a knock does not keep an open connection, unless its source has a grant" {
	local knock="knock ssh opens 2222/tcp for 5m after 7000/udp 9000/udp 8000/udp within 10s"
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	printf 'default drop\n%s\n' "$knock" >"$TMP/rules"
	refused "could not be made again" apply "$TMP/rules"
	portctl apply "$TMP/rules" --force
	portctl knock grant ssh "$C4" for 5m
	refused "could not be made again" delete 1
	portctl allow 80
	# Attaching shuts out no source that has a grant.
	portctl attach lo
	portctl detach eth0
	portctl attach eth0
	portctl detach eth0
	portctl knock revoke ssh "$C4"
	refused "could not be made again; allow it, or insist with --force" attach eth0
}

@test "the guard ignores an SSH_CONNECTION of another host or network namespace" {
	portctl attach lo
	portctl default drop
	SSH_CONNECTION="$C4 50000 198.51.100.1 22" wants 0 attach eth0
	portctl detach eth0
	SSH_CONNECTION="$C4 50000 $S4 22" refused "the open connection from $C4" attach eth0
}

@test "attach to the interface of an open connection is refused if it would be shut out" {
	portctl attach lo
	portctl default drop
	start_http 2222
	hold_open "$S4" 2222
	refused "refused: the open connection from $C4" attach eth0
	contains "$stderr" "port 2222 on eth0 would go on, but could not be made again; allow it, or insist with --force"
	equal "$(portctl status -j | jq -c '[.interfaces[].name]')" '["lo"]'
	portctl allow 2222 from "$C4" on eth0
	portctl attach eth0
	# Attaching again is accepted: the rules do not change.
	portctl delete 1 --force
	portctl attach eth0
	portctl detach eth0
	refused "port 2222 on eth0" attach eth0
	portctl attach eth0 --force
}

@test "attach under the name of a moved device is guarded too" {
	ip -n "$SERVER" link add x0 type veth peer name x1
	portctl attach x0
	portctl drop 2222/tcp
	start_http 2222
	hold_open "$S4" 2222
	ip -n "$SERVER" link set x0 netns "$CLIENT"
	ip -n "$SERVER" link set eth0 name x0
	refused "refused: this would shut out the open connection from $C4" attach x0
	portctl attach x0 --force
}

# onto BRIDGE PORT ADDRESS: moves the server's address to a bridge over the port.
onto() {
	ip -n "$SERVER" link add "$1" type bridge
	ip -n "$SERVER" link set "$2" master "$1"
	ip -n "$SERVER" addr del "$3/24" dev "$2"
	ip -n "$SERVER" addr add "$3/24" dev "$1"
	ip -n "$SERVER" link set "$1" up
}

@test "the guard protects a connection to the bridge of an attached port" {
	portctl attach eth0
	start_http 2222
	onto br0 eth0 "$S4"
	hold_open "$S4" 2222
	refused "the open connection from $C4" drop 2222/tcp
	equal "$(rules)" "default allow"
}

@test "the guard protects connections to addresses of another device and of a label" {
	add_link eth1 10.78.0.1 fd78::1 10.78.0.2 fd78::2
	portctl attach eth0
	start_http 2222
	ip -n "$SERVER" addr add 10.79.0.1/32 dev lo
	ip -n "$CLIENT" route add 10.79.0.1 via "$S4"
	ip -n "$SERVER" addr add 10.77.0.9/32 dev eth0 label eth0:9
	ip -n "$CLIENT" neigh replace 10.77.0.9 dev eth0 lladdr \
		"$(ip -n "$SERVER" -j link show eth0 | jq -r '.[0].address')"
	for address in 10.79.0.1 10.77.0.9; do
		hold_open "$address" 2222
		refused "the open connection from $C4" drop 2222/tcp
		stop "$pid"
		eventually no has_open 2222
	done
	# A connection to the address of eth1 that comes in on eth0.
	ip -n "$CLIENT" route add 10.78.0.2/32 via "$S4" src "$C4"
	hold_open 10.78.0.2 2222
	refused "the open connection from $C4" drop 2222/tcp on eth0
}

@test "the guard protects a connection to a renamed device" {
	portctl attach eth0
	start_http 2222
	ip -n "$SERVER" link set eth0 down
	ip -n "$SERVER" link set eth0 name eth9
	ip -n "$SERVER" link set eth9 up
	hold_open "$S4" 2222
	refused "the open connection from $C4" drop 2222/tcp
	# The device is attached already, which attach says.
	portctl default drop --force
	refused "eth9 is attached under its former name eth0" attach eth9
}

@test "the guard ignores connections on interfaces that are not attached" {
	add_link eth1 10.78.0.1 fd78::1 10.78.0.2 fd78::2
	portctl attach eth0
	start_http 2222
	for peer in "server $S4" "server $S6" "client 10.78.0.2"; do
		background hold "${peer% *}" "$PYTHON" -c "
import socket, time
s = socket.create_connection(('${peer#* }', 2222)); time.sleep(30)"
		eventually has_open 2222
		portctl drop 2222/tcp
		portctl delete 1
		stop "$pid"
		eventually no has_open 2222
	done
	# Also one through a bridge over another port.
	onto br1 eth1 10.78.0.2
	hold_open 10.78.0.2 2222
	portctl drop 2222/tcp
	portctl delete 1
	portctl attach eth1
	portctl drop 2222/tcp on eth0
	refused "the open connection from 10.78.0.1" drop 2222/tcp on eth1
}

@test "the guard protects a connection of the host to itself if lo is attached" {
	portctl attach lo eth0
	start_http 2222
	background hold server "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$S4', 2222)); time.sleep(30)"
	eventually has_open 2222
	portctl drop 2222/tcp on eth0
	refused "on lo; allow it" drop 2222/tcp on lo
}

@test "a change that does not affect the open connection is accepted" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	portctl drop 23
	portctl drop 2222 from 192.0.2.0/24
	portctl allow 2222
	portctl default drop
}

@test "--confirm without a valid time is wrong usage" {
	wants 2 default drop --confirm soon
	contains "$stderr" "expected a time"
	wants 2 default drop --confirm
}

@test "restore restores the saved interfaces and rules, without rules that expire" {
	portctl attach eth0
	portctl default drop
	portctl allow 80
	portctl allow 81 for 1h
	portctl save
	equal "$(portctl status -j | jq .saved)" true
	portctl allow 82
	equal "$(portctl status -j | jq .saved)" false
	portctl detach --all
	portctl restore
	equal "$(rules)" $'default drop\nallow 80'
	start_http 80
	start_http 81
	http_get "$S4" 80
	no http_get "$S4" 81
	# restore does not change rules that run.
	portctl allow 81
	portctl restore
	http_get "$S4" 81
}

@test "restore attaches to a port before its bridge" {
	ip -n "$SERVER" link add br0 type bridge
	ip -n "$SERVER" link set eth0 master br0
	portctl attach eth0 br0
	portctl save
	portctl detach --all
	wants 0 restore
	equal "$(portctl status -j | jq -c '[.interfaces[].name]')" '["br0","eth0"]'
}

@test "a change that waits to be confirmed is not saved" {
	portctl attach eth0
	portctl save
	portctl default drop --confirm 60s
	refused "a change waits to be confirmed" save
	refused "a change waits to be confirmed" save "$TMP/file"
	equal "$(cat "$TMP/saved")" "default allow"
	[ ! -e "$TMP/file" ]
	equal "$(portctl save -)" "default drop"
	portctl confirm
	portctl save
	equal "$(cat "$TMP/saved")" "default drop"
}

@test "restore --follow attaches to new and recreated devices, and detaches nothing at its end" {
	portctl attach eth0
	portctl default drop
	portctl save
	portctl detach --all
	ip -n "$SERVER" link del eth0
	background follow server "$PORTCTL" restore --follow
	eventually has_default drop
	no_child() { ! pgrep -P "$pid"; } # the child that waits for packets after a change
	eventually no_child
	for _ in 1 2; do
		ip -n "$SERVER" link add eth0 type veth peer name eth0 netns "$CLIENT"
		eventually is_attached
		ip -n "$SERVER" link del eth0
	done
	ip -n "$SERVER" link add eth0 type veth peer name eth0 netns "$CLIENT"
	eventually is_attached
	stop "$pid"
	equal "$(portctl status -j | jq -r '.interfaces[0].mode')" native
}

# An event of another device, and time for restore --follow to handle it.
unrelated_event() {
	ip -n "$SERVER" link add x0 type veth peer name x1
	ip -n "$SERVER" link set x0 up
	ip -n "$SERVER" link del x0
	sleep 0.5
}

is_detached() { equal "$(portctl status -j | jq -c '[.interfaces, .rules]')" "[[],0]"; }

@test "restore --follow does not attach to devices that existed before" {
	portctl attach eth0
	portctl drop 23
	portctl save
	background follow server "$PORTCTL" restore --follow
	unrelated_event
	portctl detach --all
	unrelated_event
	is_detached
	ip -n "$SERVER" link set eth0 down
	ip -n "$SERVER" link set eth0 up
	sleep 0.5
	is_detached
	# Also not to a device that was saved later.
	add_link eth1 10.78.0.1 fd78::1 10.78.0.2 fd78::2
	sleep 0.5
	portctl attach eth1
	portctl save
	portctl detach eth1
	unrelated_event
	is_detached
	# The device leaves and comes back.
	ip -n "$SERVER" link set eth1 netns "$CLIENT" name y1
	ip -n "$CLIENT" link set y1 netns "$SERVER" name eth1
	eventually is_attached
	equal "$(portctl status -j | jq -r '[.interfaces[].name, .rules] | join(" ")')" "eth1 0"
	equal "$(cat "$TMP/follow.err")" ""
}

@test "restore --follow retries a failed attach until everything is detached" {
	portctl attach eth0
	portctl drop 23
	portctl save
	echo "t0 native" >>"$PORTCTL_RULES.interfaces"
	# t0 has no Ethernet header.
	ip -n "$SERVER" tuntap add t0 mode tun
	background follow server "$PORTCTL" restore --follow
	failed() { [ "$(grep -c "t0 is not an Ethernet" "$TMP/follow.err")" -ge "$1" ]; }
	eventually failed 1
	unrelated_event
	failed 2
	portctl detach --all
	unrelated_event
	is_detached
	ip -n "$SERVER" link del t0
	ip -n "$SERVER" link add t0 type veth peer name t1
	eventually is_attached
	equal "$(portctl status -j | jq -r '[.interfaces[].name, .rules] | join(" ")')" "t0 1"
}

is_watched() { server tc filter show dev eth0 egress | grep -q bpf; }

@test "restore restores a missing egress filter" {
	portctl attach eth0
	portctl drop 7000
	client "$PYTHON" "$NET" send "$S4" 7000 3
	portctl save
	server tc qdisc del dev eth0 clsact
	no is_watched
	wants 0 restore
	equal "$output" "eth0: program replaced, native mode"
	is_watched
	equal "$(port udp 7000 drop)" 3
	wants 0 restore
	equal "$output" ""
	# The device leaves and comes back, with its XDP program.
	background follow server "$PORTCTL" restore --follow
	unrelated_event
	ip -n "$SERVER" link set eth0 netns "$CLIENT" name y0
	equal "$(client tc filter show dev y0 egress)" ""
	ip -n "$CLIENT" link set y0 netns "$SERVER" name eth0
	eventually is_watched
	equal "$(cat "$TMP/follow.out")" "eth0: program replaced, native mode"
	equal "$(portctl status -j | jq -r '.interfaces[0].mode')" native
	equal "$(cat "$TMP/follow.err")" ""
}

@test "restore takes a name alone as auto, and reports wrong lines" {
	ip -n "$SERVER" link add y0 type veth peer name y1
	portctl allow 80
	portctl save
	portctl detach --all
	printf '%s\n' eth0 "" "y0 foo" "y1 native more" averylongname123 $'y1 \e[31m' "none native" \
		>"$PORTCTL_RULES.interfaces"
	wants 1 restore
	local expected="expected the name of an interface, and auto, native or generic"
	equal "$stderr" "portctl: $PORTCTL_RULES.interfaces:3: found \"y0 foo\", $expected
portctl: $PORTCTL_RULES.interfaces:4: found \"y1 native more\", $expected
portctl: $PORTCTL_RULES.interfaces:5: found \"averylongname123\", $expected
portctl: $PORTCTL_RULES.interfaces:6: found \"y1 ?[31m\", $expected"
	equal "$(portctl status -j | jq -c '[.interfaces[] | .name, .mode]')" '["eth0","native"]'
	# Reported once, and not at each event.
	background follow server "$PORTCTL" restore --follow
	unrelated_event
	equal "$(wc -l <"$TMP/follow.err")" 4
	printf '  %s\r\n' "eth0 generic" y0 >"$PORTCTL_RULES.interfaces"
	stop "$pid"
	portctl detach --all
	wants 0 restore
	equal "$stderr" ""
	equal "$(portctl status -j | jq -c '[.interfaces[] | .name, .mode]')" '["eth0","generic","y0","native"]'
}

@test "restore without saved rules is refused" {
	wants 1 restore
	one_line "$stderr"
	contains "$stderr" "cannot read"
}
