#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# shellcheck disable=SC2154
# Not locking oneself out: confirm, rollback, the guard of open connections; and
# what is saved being there again.

load helpers

# hold_open ADDRESS PORT: a connection from the client that stays open.
hold_open() {
	background hold client "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$1', $2)); time.sleep(30)"
	eventually has_open "$2"
}

has_open() { server ss -Htn state established "sport = :$1" | grep -q .; }
has_default() { portctl status -j | jq -e --arg d "$1" '.default == $d'; }
is_attached() { portctl status -j | jq -e '.interfaces[0].mode == "native"'; }

@test "a change that is not confirmed is undone, with no portctl there" {
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

@test "a change that is made after its time to be confirmed is undone at once" {
	portctl attach eth0
	portctl allow 80
	server strace -qq -o "$TMP/trace" -e trace=bpf "$PORTCTL" default drop --confirm 60s
	portctl rollback
	# The time begins to run, and is over before the change is made: of the last calls each
	# is late, for how many there are is not the same every time.
	local call
	call=$(grep -n BPF_PROG_TEST_RUN "$TMP/trace" | tail -1 | cut -d: -f1)
	run ! --separate-stderr server strace -qq -o /dev/null -e trace=bpf \
		-e inject=bpf:delay_exit=300000:when="$((call - 8))+" "$PORTCTL" default drop --confirm 1s
	contains "$stderr" "the time to confirm ended before the change was made"
	equal "$(portctl status -j | jq -c '[.default, .pending]')" '["allow",0]'
	portctl default drop
}

@test "a change that is confirmed stays" {
	portctl attach eth0
	portctl default drop --confirm 1s
	equal "$(portctl confirm)" confirmed
	sleep 1.5
	equal "$(portctl status -j | jq -r .default)" drop
}

@test "while a change waits, others are refused; rollback is at once" {
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

@test "the way back to having no rules is there as often as one likes" {
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

@test "the counts of a rule survive its being rolled back to" {
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

@test "an interface that is attached while a change waits is judged right after it" {
	portctl allow 80
	portctl default drop --confirm 2s
	portctl attach eth0
	start_http 80
	start_http 81
	http_get "$S4" 80
	no http_get "$S4" 81
	sleep 2.5
	http_get "$S4" 81
}

@test "a change that would shut out an open connection is refused, and names it" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	for change in "default drop" "drop 2222" "reject 2222/tcp" "drop from $C4" \
		"drop 2000-3000/tcp from 10.77.0.0/24 on eth0"; do
		# shellcheck disable=SC2086 # words
		wants 1 $change
		contains "$stderr" "the open connection from $C4"
		contains "$stderr" "port 2222"
		one_line "$stderr"
	done
	equal "$(rules)" "default allow"
	# What lets it in goes.
	portctl allow 2222 from "$C4"
	portctl default drop
	wants 1 delete 1
	# With --force and with --confirm it is done.
	portctl delete 1 --confirm 60s
	portctl rollback
	portctl delete 1 --force
}

@test "a rule that ends is guarded from taking the place of one that does not" {
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
	# One beside it takes nothing away, nor does what ends again.
	portctl allow 2222/tcp from "$C4" for 2h
	refused "could not be made again once" delete 1
	portctl delete 2
	portctl allow 2222/tcp for 2h --force
	portctl allow 80 for 2h
	refused "could not be made again; allow it" delete 1
	portctl allow 2222/tcp for 1h
	portctl allow 2222/tcp
}

@test "the guard knows that IPv6 needs its neighbours" {
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
	# IPv4 asks by ARP.
	stop "$pid"
	no_connection() { ! has_open 2222; }
	eventually no_connection
	hold_open "$S4" 2222
	portctl drop from fe80::/10
}

@test "the guard sees IPv6, and SSH_CONNECTION" {
	portctl attach eth0
	start_http 2222
	hold_open "$S6" 2222
	wants 1 drop 2222
	contains "$stderr" "the open connection from $C6"
	SSH_CONNECTION="$C4 50000 $S4 2200" wants 1 drop 2200
	contains "$stderr" "port 2200"
	SSH_CONNECTION="hostile words" wants 0 drop 2200
}

@test "a connection that goes on as a reply is guarded from being cut off" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	refused "the open connection from $C4" default drop
	contains "$stderr" "port 2222 on eth0 would go on, but could not be made again"
	portctl default drop --force
	refused "refused: this would shut out the open connection from $C4" drop 2222/tcp
	portctl drop 2223/tcp
}

@test "a limit that would hold up an open connection is refused, and says at what rate" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	refused "would be limited to 5/m for all its packets; allow it, or try" allow 2222/tcp limit 5/m
	contains "$stderr" "refused: the open connection from $C4"
	refused "would be limited to 99/s" allow 2000-3000/tcp limit 99/s burst 500 per source
	refused "would be limited to 90/m" allow from 10.77.0.0/24 limit 90/m for 1h
	equal "$(rules)" "default allow"
	# Not whom it does not concern, nor where it holds up nobody.
	portctl allow 2222/tcp from 192.0.2.0/24 limit 5/m
	portctl allow 2222/tcp limit 100/s per source
	portctl allow 22/tcp limit 5/m per source
	portctl delete allow 2222/tcp limit 100/s per source
	# With --confirm and --force it is done.
	portctl allow 2222/tcp limit 5/m --confirm 60s
	portctl rollback
	portctl default drop --force
	refused "would be limited to 5/m" allow 2222/tcp limit 5/m
}

@test "an open connection that is limited is guarded from a lower limit, and from none being let in" {
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

@test "a rollback that would shut out an open connection is refused, too" {
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
	# There it lets the connection in again: nothing to refuse.
	equal "$(portctl rollback)" "rolled back"
	usage_of rollback --forced
	usage_of rollback now
}

@test "the guard knows of the rules before which have ended, their limits and their doors" {
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

@test "from a change that waits to be confirmed the way back is never refused" {
	portctl attach eth0
	start_http 2222
	portctl drop 2222/tcp
	portctl allow 2222/tcp --confirm 60s
	hold_open "$S4" 2222
	equal "$(portctl rollback)" "rolled back"
	equal "$(rules)" $'default allow\ndrop 2222/tcp'
}

@test "the guard knows a door from an open port, and who may come in by it" {
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
	# Attaching where who has a grant comes in shuts nobody out.
	portctl attach lo
	portctl detach eth0
	portctl attach eth0
	portctl detach eth0
	portctl knock revoke ssh "$C4"
	refused "could not be made again; allow it, or insist with --force" attach eth0
}

@test "SSH_CONNECTION of another host, or network namespace, is no matter of the guard" {
	portctl attach lo
	portctl default drop
	SSH_CONNECTION="$C4 50000 198.51.100.1 22" wants 0 attach eth0
	portctl detach eth0
	SSH_CONNECTION="$C4 50000 $S4 22" refused "the open connection from $C4" attach eth0
}

@test "attaching where an open connection comes in is a change, too" {
	portctl attach lo
	portctl default drop
	start_http 2222
	hold_open "$S4" 2222
	refused "refused: the open connection from $C4" attach eth0
	contains "$stderr" "port 2222 on eth0 would go on, but could not be made again; allow it, or insist with --force"
	equal "$(portctl status -j | jq -c '[.interfaces[].name]')" '["lo"]'
	portctl allow 2222 from "$C4" on eth0
	portctl attach eth0
	# What is attached already is not asked again: its rules do not change.
	portctl delete 1 --force
	portctl attach eth0
	portctl detach eth0
	refused "port 2222 on eth0" attach eth0
	portctl attach eth0 --force
}

@test "attaching under the name of a device that was moved away is guarded, too" {
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

# onto BRIDGE PORT ADDRESS: the server has the address on a bridge from now on.
onto() {
	ip -n "$SERVER" link add "$1" type bridge
	ip -n "$SERVER" link set "$2" master "$1"
	ip -n "$SERVER" addr del "$3/24" dev "$2"
	ip -n "$SERVER" addr add "$3/24" dev "$1"
	ip -n "$SERVER" link set "$1" up
}

@test "the guard sees a connection to the bridge of an attached port" {
	portctl attach eth0
	start_http 2222
	onto br0 eth0 "$S4"
	hold_open "$S4" 2222
	refused "the open connection from $C4" drop 2222/tcp
	equal "$(rules)" "default allow"
}

@test "the guard sees a connection to an address of another device, and of a label" {
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
	# It has the address of eth1, but comes in on eth0.
	ip -n "$CLIENT" route add 10.78.0.2/32 via "$S4" src "$C4"
	hold_open 10.78.0.2 2222
	refused "the open connection from $C4" drop 2222/tcp on eth0
}

@test "the guard sees a connection to a device that was renamed" {
	portctl attach eth0
	start_http 2222
	ip -n "$SERVER" link set eth0 down
	ip -n "$SERVER" link set eth0 name eth9
	ip -n "$SERVER" link set eth9 up
	hold_open "$S4" 2222
	refused "the open connection from $C4" drop 2222/tcp
	# It is filtered already, which is what attaching says.
	portctl default drop --force
	refused "eth9 is attached under its former name eth0" attach eth9
}

@test "connections that do not come in on what is attached are no matter of the guard" {
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
	# Nor where they come in on another port of another bridge.
	onto br1 eth1 10.78.0.2
	hold_open 10.78.0.2 2222
	portctl drop 2222/tcp
	portctl delete 1
	portctl attach eth1
	portctl drop 2222/tcp on eth0
	refused "the open connection from 10.78.0.1" drop 2222/tcp on eth1
}

@test "a connection of this host to itself is guarded where lo is attached" {
	portctl attach lo eth0
	start_http 2222
	background hold server "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$S4', 2222)); time.sleep(30)"
	eventually has_open 2222
	portctl drop 2222/tcp on eth0
	refused "on lo; allow it" drop 2222/tcp on lo
}

@test "a change that lets the open connection be is not refused" {
	portctl attach eth0
	start_http 2222
	hold_open "$S4" 2222
	portctl drop 23
	portctl drop 2222 from 192.0.2.0/24
	portctl allow 2222
	portctl default drop
}

@test "--confirm with what is no time is wrong usage" {
	wants 2 default drop --confirm soon
	contains "$stderr" "expected a time"
	wants 2 default drop --confirm
}

@test "save and restore: rules and interfaces, without those that end" {
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
	# What runs already is left as it is.
	portctl allow 81
	portctl restore
	http_get "$S4" 81
}

@test "restore attaches to what is below first: the port, then its bridge" {
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

@test "restore --follow attaches what comes, and what is made again; its end detaches nothing" {
	portctl attach eth0
	portctl default drop
	portctl save
	portctl detach --all
	ip -n "$SERVER" link del eth0
	background follow server "$PORTCTL" restore --follow
	eventually has_default drop
	no_child() { ! pgrep -P "$pid"; } # who waited behind the change
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

# An event that has nothing to do with eth0, and the time that it takes to look.
unrelated_event() {
	ip -n "$SERVER" link add x0 type veth peer name x1
	ip -n "$SERVER" link set x0 up
	ip -n "$SERVER" link del x0
	sleep 0.5
}

is_detached() { equal "$(portctl status -j | jq -c '[.interfaces, .rules]')" "[[],0]"; }

@test "restore --follow leaves detached what was there all along" {
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
	# Nor what was saved only now.
	add_link eth1 10.78.0.1 fd78::1 10.78.0.2 fd78::2
	sleep 0.5
	portctl attach eth1
	portctl save
	portctl detach eth1
	unrelated_event
	is_detached
	# It comes again: away and back.
	ip -n "$SERVER" link set eth1 netns "$CLIENT" name y1
	ip -n "$CLIENT" link set y1 netns "$SERVER" name eth1
	eventually is_attached
	equal "$(portctl status -j | jq -r '[.interfaces[].name, .rules] | join(" ")')" "eth1 0"
	equal "$(cat "$TMP/follow.err")" ""
}

@test "restore --follow tries again what could not be attached, unless all was taken away" {
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

@test "restore watches again what leaves, where that is gone" {
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
	# Away and back: the program that judges comes along.
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

@test "restore takes a name alone as auto, and tells of lines that say nothing" {
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
	# Once, and not at each event.
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

@test "restore with nothing saved says so" {
	wants 1 restore
	one_line "$stderr"
	contains "$stderr" "cannot read"
}
