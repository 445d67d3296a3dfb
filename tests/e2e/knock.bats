#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Knocks with a fixed sequence: the client of knockd opens doors, scanners do not.

load helpers
load helpers_replies

DOOR='knock web opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s close 8000/tcp 7000/tcp'

# closed RULES...: attaches with default drop and these rules, and starts a web server.
closed() {
	attach_with "$(printf '%s\n' "default drop" "$@")"
	start_http 80
}

# knock_at HOST STEP...: knocks with the client of knockd and its default options.
knock_at() { client knock "$@"; }

web() { http_get "$S4"; }
web6() { http_get "[$S6]"; }
no_web() { WAIT=0.3 no http_get "$S4"; }
no_web6() { WAIT=0.3 no http_get "[$S6]"; }

# counted NAME COUNTER: prints a counter of "knock status".
counted() { portctl knock status -j | jq ".knocks[] | select(.name == \"$1\").$2"; }


@test "check and knock warn of a step on which a program listens" {
	portctl attach eth0
	start_http 8000
	start_echo 9000
	printf '%s\n' "default drop" "$DOOR" >"$TMP/rules"
	run -0 --separate-stderr portctl check "$TMP/rules"
	contains "$stderr" 'has the step 9000/udp, on which a program listens'
	lacks "$stderr" 7000
	run -0 --separate-stderr portctl knock tcp opens 80/tcp for 30s after 1/tcp 8000/tcp 2/tcp within 10s
	contains "$stderr" 'has the step 8000/tcp, on which a program listens'
}

@test "the client of knockd opens the door for its own address" {
	closed "$DOOR"
	no_web
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	web
	no_web6
	equal "$(counted web grants)" 1
	equal "$(portctl knock grants -j | jq -c '.grants[] | [.name, .source]')" \
		"[\"web\",\"$C4\"]"
	knock_at "$S6" 7000:tcp 9000:udp 8000:tcp
	web6
	equal "$(counted web grants)" 2
	all_add_up
}

@test "generic mode: the sequence with delays between its steps opens the door" {
	attach_with $'default drop\n'"$DOOR" generic
	start_http 80
	no_web
	client knock -d 200 "$S4" 7000:tcp 9000:udp 8000:tcp
	web
}

# open_go_on RULES...: with these rules beside the knocks, a connection outlives its grant.
open_go_on() {
	closed "$DOOR" "$@"
	background echo_in server "$PYTHON" "$WIRE" echo :: 9000
	portctl knock tcp9000 opens 9000/tcp for 1m after 3/tcp 1/udp 2/tcp within 10s \
		close 2/tcp 3/tcp
	eventually listening t 9000
	knock_at "$S4" 3:tcp 1:udp 2:tcp
	hold in client "$S4" 9000
	knock_at "$S4" 2:tcp 3:tcp
	equal "$(portctl knock grants -j)" '{"grants":[]}'
	equal "$(counted tcp9000 closed)" 1
	run -1 client timeout 5 "$PYTHON" -c \
		"import socket; socket.create_connection(('$S4', 9000), 0.3)"
	say in still-here
}
@test "the closing sequence shuts the door at once, and open connections go on" { open_go_on; }
@test "open connections go on though a rule drops the ports behind the door" {
	open_go_on "drop 1-65535" "reject 9000"
}

@test "a grant expires by itself" {
	closed "${DOOR/for 30s/for 1s}"
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	web
	sleep 1.1
	no_web
	equal "$(portctl knock grants -j)" '{"grants":[]}'
}

@test "\"once\" lets in one connection, then the door is shut" {
	closed "${DOOR/for 30s/for 30s once}"
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	equal "$(portctl knock grants -j | jq .grants[].used)" false
	web
	equal "$(portctl knock grants -j | jq .grants[].used)" true
	no_web
	no_web
}

@test "nmap -r over all ports opens no door, and sees only filtered ports" {
	closed 'knock web opens 80/tcp for 30s after 7000/tcp 8000/tcp 9000/tcp within 1h'
	run -0 client nmap -n -Pn -r -sS -p- -T5 --max-retries 0 --min-rate 20000 "$S4"
	contains "$output" "All 65535 scanned ports"
	lacks "$output" open
	lacks "$output" closed
	at_least "$(counted web attempts)" 1
	equal "$(counted web grants)" 0
	no_web
}

@test "under default allow and reject, steps and doors are silent too" {
	attach_with $'default allow\n'"$DOOR"
	start_http 80
	receive_answers
	no_web
	run -0 client nmap -n -Pn -sS -p 80,7000,8000,8001 "$S4"
	contains "$output" "80/tcp   filtered"
	contains "$output" "7000/tcp filtered"
	contains "$output" "8001/tcp closed"
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	web
	portctl default reject
	web
	run -0 client nmap -n -Pn -sS -p 7000,8001 "$S4"
	contains "$output" "7000/tcp filtered"
	contains "$output" "8001/tcp closed"
}

@test "five failures lock a source out, which \"knock lockouts\" lists" {
	closed "$DOOR"
	local i
	for i in 1 2 3 4 5; do knock_at "$S4" 7000:tcp 1:tcp 2:tcp 3:tcp; done
	equal "$(portctl knock lockouts -j | jq -c '.lockouts[] | [.source, .failures]')" \
		"[\"$C4\",5]"
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	no_web
	at_least "$(counted web refusals)" 1
	# Another source is not.
	knock_at "$S6" 7000:tcp 9000:udp 8000:tcp
	web6
	wants 0 knock lockouts
	contains "$output" "$C4"
}

@test "\"knock attempts\" lists attempts without their sources" {
	closed "$DOOR"
	knock_at "$S4" 7000:tcp 1:tcp 9000:udp
	equal "$(portctl knock attempts -j | jq -c '.attempts[] | [.name, .kind, .steps, .of, .misses]')" \
		'["web","open",2,3,1]'
	wants 0 knock attempts
	contains "$output" web
	lacks "$output" "$C4"
	lacks "$(portctl knock attempts -j)" "$C4"
}

@test "\"knock grant\" and \"knock revoke\" give and take grants" {
	closed "$DOOR"
	wants 0 knock grant web "$C4" for 1h
	equal "$output" "granted: web for $C4, 1h"
	web
	equal "$(portctl knock grants -j | jq '.grants[].seconds')" 3600
	wants 0 knock revoke web "$C4"
	no_web
	refused "$C4 has no grant for \"web\"" knock revoke web "$C4"
	portctl knock grant web "$C4" for 1s
	sleep 1.1
	refused "$C4 has no grant for \"web\"" knock revoke web "$C4"
	# An IPv4-mapped address, as a socket for both families shows it.
	wants 0 knock grant web "::ffff:$C4" for 1h
	web
	wants 0 knock revoke web "::ffff:$C4"
	refused 'there is no knock "x"' knock grant x "$C4" for 1h
	refused 'found "10.0.0.0/8", expected an address' knock grant web 10.0.0.0/8 for 1h
	refused 'found "1x", expected a time' knock grant web "$C4" for 1x
	usage_of knock grant web "$C4"
	usage_of knock revoke web
}

@test "a knock that a change keeps keeps its grants and counters; a new knock has none" {
	closed "$DOOR"
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	portctl allow 443
	portctl attach eth0
	web
	equal "$(counted web grants)" 1
	# Another knock gets the number of a deleted one, but not its grants or counters.
	portctl delete "$(portctl list -j | jq '.rules[] | select(.rule | startswith("knock")).number')"
	portctl allow 444
	portctl knock other opens 80/tcp for 30s after 1/tcp 3/tcp 2/tcp within 10s
	no_web
	equal "$(counted other grants)" 0
	equal "$(portctl knock grants -j)" '{"grants":[]}'
}

@test "a knock appears unchanged in list, save and stats, and its name is unique" {
	closed "$DOOR"
	equal "$(portctl list -j | jq -r '.rules[0].rule')" "$DOOR"
	portctl save
	equal "$(portctl status -j | jq .saved)" true
	knock_at "$S4" 7000:tcp 9000:udp 8000:tcp
	web
	at_least "$(line "$DOOR" pass)" 5
	equal "$(line knock)" 3
	wants 0 knock list
	contains "$output" "$DOOR"
	# The same name again replaces it.
	wants 0 knock web opens 80/tcp for 1m after 1/tcp 3/udp 2/tcp within 5s
	contains "$output" "replaces: $DOOR"
}

@test "a change that would open a running knock to scans is refused" {
	portctl attach eth0
	portctl default drop
	wants 0 knock web opens 80/tcp for 30s after 7000/tcp 7100/tcp 7200/tcp within 10s
	contains "$stderr" 'the knock "web" goes in one direction'
	refused 'argv:1:1: found the knock "web", which a scan of all ports would open' default allow
	wants 0 allow 7001-7098/tcp
	equal "$stderr" ""
	refused 'argv:1:1: found the knock "web", which a scan' allow 7001-7099/tcp 7101-7199/tcp
	wants 0 drop 7101-7199/tcp
	portctl default drop
	wants 0 allow 7100/tcp
	contains "$stderr" 'the step 7100/tcp, which a rule allows: touching it does not count'
	wants 0 allow 5
	equal "$stderr" ""
	portctl delete drop 7101-7199/tcp
	portctl save
	portctl detach --all
	portctl restore
	equal "$(portctl list -j | jq '.rules | length')" 4
}

@test "wrong knocks are refused with what was expected" {
	check_knock() {
		printf 'default drop\n%s\n' "$2" >"$TMP/f"
		refused "$1" check f
	}
	cd "$TMP"
	check_knock 'found "list", expected a name for the door' \
		'knock list opens 22/tcp for 1s after 1/tcp within 1s'
	check_knock 'the line ends, expected "opens"' 'knock a'
	check_knock 'found "70000/tcp", expected a port and its protocol' \
		'knock a opens 22/tcp for 1s after 70000/tcp within 1s'
	check_knock 'found "7000", expected a port and its protocol, as in 7000/tcp' \
		'knock a opens 22/tcp for 1s after 7000 within 1s'
	check_knock 'the line ends, expected "after" and the steps' \
		'knock a opens 22/tcp for 1s within 1s'
	check_knock 'the line ends, expected "within"' 'knock a opens 22/tcp for 1s after 1/tcp'
	check_knock 'the line ends, expected "for"' 'knock a opens 22/tcp after 1/tcp within 1s'
	check_knock 'but a door has ports only' 'knock a opens gre for 1s after 1/tcp within 1s'
	check_knock 'expected at most 16 steps' \
		"knock a opens 22/tcp for 1s after $(printf '%s/tcp ' {1..17}) within 1s"
	check_knock 'found "16", expected a number of misses from 0 to 15' \
		'knock a opens 22/tcp for 1s after 1/tcp within 1s misses 16'
	check_knock 'found "misses", expected only one "misses" in a knock' \
		'knock a opens 22/tcp for 1s after 1/tcp within 1s misses 1 misses 9'
	check_knock 'found "after", expected only one "after" in a knock' \
		'knock a opens 22/tcp for 1s after 1/tcp within 1s after 2/tcp'
	check_knock 'expected a time of at most an hour' \
		'knock a opens 22/tcp for 1s after 1/tcp within 2h'
	check_knock 'but its door is open: line 3 ("allow 1-100") lets every source in' \
		$'knock a opens 22/tcp for 1s after 9/tcp 5/tcp 7/udp within 1s\nallow 1-100'
	check_knock 'but line 2 has that name' \
		$'knock a opens 22/tcp for 1s after 9/tcp 5/tcp 7/udp within 1s\nknock a opens 23/tcp for 1s after 9/tcp 5/tcp 7/udp within 1s'
	check_knock 'which a scan of all ports would open' \
		'knock a opens 22/tcp for 1s after 7000/tcp 7001/tcp 7003/tcp within 1s'
}

@test "check warns of weak knocks" {

	warned() {
		printf 'default drop\n%s\n' "$2" >"$TMP/f"
		wants 0 check f
		contains "$stderr" "warning: the knock \"a\" $1"
	}
	cd "$TMP"
	warned "goes in one direction" \
		'knock a opens 22/tcp for 1s after 7000/tcp 8000/tcp 9000/tcp within 1s'
	warned "has 2 steps" 'knock a opens 22/tcp for 1s after 7000/tcp 6000/udp within 1s'
	warned "has the same step twice" \
		'knock a opens 22/tcp for 1s after 7000/tcp 7000/tcp 9000/tcp within 1s'
	warned "has the step 7000/tcp, which a rule allows" \
		$'knock a opens 22/tcp for 1s after 7000/tcp 9000/tcp 1/udp within 1s\nallow 7000'
	printf 'default drop\n%s\n' "${DOOR/close 8000/close 8001}" >"$TMP/f"
	wants 0 check f
	equal "$stderr" ""
}

@test "64 knocks all open, and can be replaced in two steps" {
	local n
	cd "$TMP"
	portctl attach eth0
	many() { # SECONDS FIRST
		echo "default drop"
		for ((n = $2; n < 64; n++)); do
			echo "knock k$n opens $((2000 + n))/tcp for $1s after $((7100 + n))/tcp $((7000 + n))/udp $((7200 + n))/tcp within 5s"
		done
	}
	many 30 0 >all
	many 31 0 >other
	wants 0 apply all
	for n in 0 31 63; do
		client knock "$S4" "$((7100 + n)):tcp" "$((7000 + n)):udp" "$((7200 + n)):tcp"
	done
	equal "$(portctl knock grants -j | jq -r '[.grants[].name] | sort | join(" ")')" "k0 k31 k63"
	refused "the running and the new rules together have too many knocks (64 fit) or limits" apply other
	{ many 30 0 | head -33; many 31 32 | tail -n +2; } >half
	refused "too many knocks (64 fit)" apply half
	many 30 0 | head -33 >half
	wants 0 apply half
	{ cat half; many 31 32 | tail -n +2; } >most
	wants 0 apply most
	equal "$(rules | wc -l)" 65
}
