#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Rules with "limit" and rules with "for".
load helpers
load helpers_replies

# count_udp PORT: counts the datagrams that arrive, in the file countPORT.out.
count_udp() {
	background "count$1" server "$PYTHON" "$NET" count "$1"
	eventually listening u "$1"
}

limited() {
	attach_with "default drop
allow 53/udp limit 100/s burst 20" "$1"
	count_udp 53
	flood udp "$C4" "$S4" 53 1000 2
	local passed over
	passed=$(line 'allow 53/udp limit 100/s burst 20')
	over=$(line 'limited: allow 53/udp limit 100/s burst 20')
	# Two seconds at the rate, and the burst.
	at_least "$passed" 200
	at_most "$passed" 270
	equal $((passed + over)) 1000
	equal "$(line default)" 0
	stop "$pid"
	equal "$(cat "$TMP/count53.out")" "$passed"
	equal "$(port udp 53 pass)" "$passed"
	equal "$(port udp 53 drop)" "$over"
	adds_up
}
@test "a limit passes its rate and burst, and counts the rest on a line of its own" {
	limited native
}
@test "a limit passes its rate and burst, generic mode" { limited generic; }

@test "the default burst is one second of the rate, at least one packet" {
	attach_with "default drop
allow 53/udp limit 1/m burst 7
allow 54/udp limit 10/h
allow 55/udp limit 50/s"
	local port
	for port in 53 54 55; do flood udp "$C4" "$S4" $port 200; done
	equal "$(port udp 53 pass)" 7
	equal "$(port udp 54 pass)" 1
	at_least "$(port udp 55 pass)" 50
	at_most "$(port udp 55 pass)" 60
	equal "$(line 'limited: allow 53/udp limit 1/m burst 7')" 193
}

@test "below the limit no packet is dropped" {
	attach_with "default drop
allow 53/udp limit 1000/s burst 100"
	flood udp "$C4" "$S4" 53 600 1
	equal "$(line 'allow 53/udp limit 1000/s burst 100')" 600
	equal "$(line 'limited: allow 53/udp limit 1000/s burst 100')" 0
}

per_source() {
	attach_with "default drop
allow 80/tcp limit 30/m burst 20 per source" "$1"
	client_address 10.77.0.11/24
	client_address fd77::11/64
	client_address fd77:0:0:1::5/64
	ip -n "$SERVER" -6 route add fd77:0:0:1::/64 dev eth0
	start_http 80
	# A flood from one source does not use up another's limit.
	flood syn "$C4" "$S4" 80 100
	equal "$(line 'allow 80/tcp limit 30/m burst 20 per source')" 20
	no_get_from "$C4" "$S4"
	get_from 10.77.0.11 "$S4"
	# IPv6: a whole /64 shares one limit.
	flood syn "$C6" "$S6" 80 100
	no_get_from "$C6" "[$S6]"
	no_get_from fd77::11 "[$S6]"
	get_from fd77:0:0:1::5 "[$S6]"
	at_least "$(line 'limited: allow 80/tcp limit 30/m burst 20 per source')" 163
	equal "$(line default)" 0
	adds_up
}
@test "a limit per source counts each source apart, IPv6 sources by /64" { per_source native; }
@test "a limit per source counts each source apart, generic mode" { per_source generic; }

@test "rules for one source and for the rest have separate limits" {
	attach_with "default drop
allow 53/udp limit 1/m burst 3
allow 53/udp from 10.77.0.11 limit 1/m burst 9
allow 53/udp from 10.77.0.12"
	local address
	for address in "$C4" 10.77.0.11 10.77.0.12; do flood udp $address "$S4" 53 50; done
	equal "$(line 'allow 53/udp limit 1/m burst 3')" 3
	equal "$(line 'limited: allow 53/udp limit 1/m burst 3')" 47
	equal "$(line 'allow 53/udp from 10.77.0.11 limit 1/m burst 9')" 9
	equal "$(line 'limited: allow 53/udp from 10.77.0.11 limit 1/m burst 9')" 41
	equal "$(line 'allow 53/udp from 10.77.0.12')" 50
}

@test "a change of other rules does not refill a limit" {
	attach_with "default drop
allow 53/udp limit 1/m burst 5"
	flood udp "$C4" "$S4" 53 20
	equal "$(port udp 53 pass)" 5
	portctl allow 80
	portctl drop 22
	flood udp "$C4" "$S4" 53 20
	equal "$(port udp 53 pass)" 5
	equal "$(line 'limited: allow 53/udp limit 1/m burst 5')" 35
	# Deleted and added again, the limit is new. The counts of the old rule are not lost.
	portctl delete allow 53/udp limit 1/m burst 5
	equal "$(line removed)" 40
	portctl allow 53/udp limit 1/m burst 5
	flood udp "$C4" "$S4" 53 20
	equal "$(port udp 53 pass)" 10
	adds_up
}

a_new_rule() {
	attach_with "default drop
allow 53/udp limit 1/h burst 3 $1"
	flood udp "$C4" "$S4" 53 20
	equal "$(port udp 53 pass)" 3
	portctl delete allow 53/udp limit 1/h burst 3 $1
	portctl allow 54/udp limit 1/h burst 4 $1
	flood udp "$C4" "$S4" 54 20
	equal "$(port udp 54 pass)" 4
	# A later change does not refill it.
	portctl allow 80
	flood udp "$C4" "$S4" 54 20
	equal "$(port udp 54 pass)" 4
}
@test "a new rule does not inherit the used-up limit of a rule that had its line" { a_new_rule ""; }
@test "a new rule does not inherit used-up limits per source" { a_new_rule "per source"; }

# --- for TIME ---------------------------------------------------------------------------

@test "a rule expires without a portctl process, and other changes do not prolong it" {
	attach_with "default drop"
	start_http 80
	start_http 81
	portctl allow 80/tcp for 2s
	portctl allow 81/tcp for 1h
	http_get "$S4"
	http_get "$S4" 81
	# Another change does not restart its time.
	sleep 1
	portctl allow 22
	http_get "$S4"
	sleep 1.1
	equal "$(ip netns pids "$SERVER" | xargs ps -o comm= -p | grep -c portctl)" 0
	WAIT=0.3 no http_get "$S4"
	http_get "$S4" 81
	at_least "$(line default)" 1
	at_least "$(line 'allow 80/tcp for 2s')" 8
	adds_up
}

@test "after a rule expires the next decides: a shorter prefix, a wider range, the default" {
	attach_with "default allow
drop 53/udp from 10.77.0.1 for 1s
allow 53/udp from 10.77.0.0/24
drop 54/udp for 1s
allow 50-60/udp
drop 70/udp for 1s
drop from 10.77.0.12 for 1s"
	local port
	for port in 53 54 70; do flood udp "$C4" "$S4" $port 5; done
	flood udp 10.77.0.12 "$S4" 99 5
	equal "$(line 'drop 53/udp from 10.77.0.1 for 1s')" 5
	equal "$(line 'drop 54/udp for 1s')" 5
	equal "$(line 'drop 70/udp for 1s')" 5
	equal "$(line 'drop from 10.77.0.12 for 1s')" 5
	sleep 1.1
	for port in 53 54 70; do flood udp "$C4" "$S4" $port 5; done
	flood udp 10.77.0.12 "$S4" 99 5
	equal "$(line 'allow 53/udp from 10.77.0.0/24')" 5
	equal "$(line 'allow 50-60/udp')" 5
	equal "$(line default)" 10
	equal "$(port udp 53 drop)" 5
}

@test "an expired rule can be added again with a new time" {
	attach_with "default drop
allow 53/udp for 1s"
	sleep 1.1
	flood udp "$C4" "$S4" 53 5
	equal "$(line default)" 5
	portctl allow 53/udp for 2s
	flood udp "$C4" "$S4" 53 5
	equal "$(line 'allow 53/udp for 2s')" 5
	equal "$(portctl list -j | jq -r '.rules[].rule')" "allow 53/udp for 2s"
	sleep 2.1
	flood udp "$C4" "$S4" 53 5
	equal "$(line default)" 10
	# Exactly the same rule again.
	portctl allow 53/udp for 2s
	flood udp "$C4" "$S4" 53 5
	equal "$(port udp 53 pass)" 10
	adds_up
}

# The service's answers must not make its clients' packets replies.
@test "after a rule expires its earlier clients are shut out too" {
	attach_with "default drop
allow 53/udp for 1s"
	start_echo 53
	same_port_ask "$S4" 53
	sleep 1.1
	no same_port_ask "$S4" 53
	equal "$(line default)" 1
}

@test "an apply that keeps a rule keeps its deadline" {
	attach_with "default drop
allow 53/udp for 2s"
	sleep 1.2
	printf 'default drop\nallow 22\nallow 53/udp for 2s\n' >"$TMP/rules"
	portctl apply "$TMP/rules"
	flood udp "$C4" "$S4" 53 5
	equal "$(port udp 53 pass)" 5
	sleep 1
	flood udp "$C4" "$S4" 53 5
	equal "$(port udp 53 drop)" 5
	equal "$(line default)" 5
}

@test "a rule with a limit and a time" {
	attach_with "default drop
allow 53/udp limit 1/m burst 4 for 1s"
	flood udp "$C4" "$S4" 53 10
	equal "$(port udp 53 pass)" 4
	equal "$(line 'limited: allow 53/udp limit 1/m burst 4 for 1s')" 6
	sleep 1.1
	flood udp "$C4" "$S4" 53 10
	equal "$(line 'limited: allow 53/udp limit 1/m burst 4 for 1s')" 6
	equal "$(line default)" 10
}

@test "wrong limits and times are refused" {
	attach_with "default drop"
	local word
	for word in 0/s 5 5/x /s 5/sec 1.5/s 9999999999/s; do
		refused "rate of at least 1" allow 80 limit "$word"
	done
	refused "number of packets from 1" allow 80 limit 5/s burst 0
	refused "number of packets from 1" allow 80 limit 5/s burst many
	refused 'expected "source"' allow 80 limit 5/s per port
	refused "only for allow" drop 80 limit 5/s
	refused 'only one "limit"' allow 80 limit 5/s limit 6/s
	for word in 0s 5 5x s 366d; do refused "expected a time" allow 80 for "$word"; done
	refused 'only one "for"' allow 80 for 5s for 6s
	equal "$(rules)" "default drop"
}
