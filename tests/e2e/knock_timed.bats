#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Knocks with time-based sequences: portctl's client or knockd's opens the door, and without
# "knock serve" it stays shut.

load helpers
load helpers_replies

web() { http_get "$S4"; }
web6() { http_get "[$S6]"; }
no_web() { WAIT=0.3 no http_get "$S4"; }
no_web6() { WAIT=0.3 no http_get "[$S6]"; }
counted() { portctl knock status -j | jq ".knocks[] | select(.name == \"$1\").$2"; }
served() { [ "$(portctl status -j | jq .knock_serve)" = "$1" ]; }

# timed_door [RANGE [TIME]]: a door at port 80, and "knock serve". Sets $serve.
timed_door() {
	(umask 077 && echo 000102030405060708090a0b0c0d0e0f1011121314 >"$TMP/secret")
	attach_with "default drop
knock web totp $TMP/secret steps 4 ports ${1:-20000-29999} opens 80/tcp for ${2:-30s} within 10s"
	start_http 80
	background serve server "$PORTCTL" knock serve
	serve=$pid
	eventually served true
}

# knock_now HOST: knocks from the client, with the rules file and the secret.
knock_now() { client "$PORTCTL" knock now "$1" web --rules "$TMP/rules"; }

# Waits until the window has some seconds left, so that the next commands use the same window.
early() {
	while [ $(($(date +%s) % 30)) -gt 26 ]; do sleep 0.2; done
}

@test "the current sequence opens the door, IPv4 and IPv6" {
	timed_door
	no_web
	knock_now "$S4"
	web
	no_web6
	knock_now "$S6"
	web6
	equal "$(counted web grants)" 2
	equal "$(counted web misses)" 0
	all_add_up
}

@test "knockd's client opens the door with the printed sequence; a range of UDP only" {
	timed_door 40000-41999/udp
	local sequence
	sequence=$(portctl knock sequence web)
	equal "$(wc -w <<<"$sequence")" 4
	lacks "$sequence" tcp
	client knock "$S4" $sequence
	web
}

@test "the sequence equals Python's, from RFC 6238 with HMAC-SHA-512" {
	timed_door
	early
	equal "$(portctl knock sequence web)" "$("$PYTHON" -c "
import hmac, struct, time
secret = bytes.fromhex('000102030405060708090a0b0c0d0e0f1011121314')
digest = hmac.digest(secret, struct.pack('>Q', int(time.time()) // 30), 'sha512')
steps = []
for word in struct.unpack('>4I', digest[:16]):
	place = word % 20000
	while True:
		step = '%d:%s' % (20000 + place % 10000, 'udp' if place >= 10000 else 'tcp')
		if step not in steps[-1:]:
			break
		place = (place + 1) % 20000
	steps.append(step)
print(*steps)")"
}

@test "an overheard sequence does not open the door again" {
	timed_door 20000-29999 2s
	early
	local sequence
	sequence=$(portctl knock sequence web)
	client knock "$S4" $sequence
	web
	sleep 2.1
	no_web
	client knock "$S4" $sequence
	no_web
	equal "$(counted web grants)" 1
	equal "$(counted web replays)" 1
	# Also not after the grant was revoked.
	portctl knock grant web "$C4" for 1m
	web
	portctl knock revoke web "$C4"
	no_web
	client knock "$S4" $sequence
	no_web
	equal "$(counted web replays)" 2
}

@test "if \"knock serve\" is killed the door is shut, and status says so" {
	timed_door
	kill -9 "$serve"
	equal "$(portctl status -j | jq .knock_serve)" true
	eventually served false
	contains "$(portctl status)" '"portctl knock serve" is not running'
	knock_now "$S4"
	no_web
	equal "$(counted web attempts)" 0
	background serve server "$PORTCTL" knock serve
	eventually served true
	knock_now "$S4"
	web
}

@test "\"knock serve\" goes on through changes of rules, detach and attach" {
	timed_door
	portctl allow 81/tcp
	knock_now "$S4"
	web
	portctl detach --all
	portctl attach eth0
	portctl apply --force "$TMP/rules"
	equal "$(portctl knock grants -j)" '{"grants":[]}'
	eventually served true
	knock_now "$S4"
	web
	stop "$serve"
}

@test "without timed knocks status does not mention \"knock serve\"" {
	portctl attach eth0
	equal "$(portctl status -j | jq .knock_serve)" null
	lacks "$(portctl status)" serve
	refused 'there is no knock "web"' knock sequence web
	portctl knock web opens 80/tcp for 30s after 3/tcp 1/udp 2/tcp within 10s
	refused 'does not change with the time' knock sequence web
	usage_of knock sequence
	usage_of knock now "$S4"
	usage_of knock serve now
}

@test "secrets that others may read or that are wrong are refused, and never printed" {
	timed_door
	local secret rule="knock ssh totp $TMP/s steps 3 ports 30000-39999 opens 22/tcp for 30s within 10s"
	secret=$(cat "$TMP/secret")
	refused "cannot read $TMP/s:" $rule
	cp "$TMP/secret" "$TMP/s"
	chmod 604 "$TMP/s"
	refused "others may read or write $TMP/s: chmod 600" $rule
	chmod 600 "$TMP/s"
	echo "${secret%?}" >"$TMP/s"
	refused "$TMP/s:1: expected a line of 32 to 256 hexadecimal digits" $rule
	lacks "$stderr" "${secret%?}"
	cp "$TMP/secret" "$TMP/s"
	refused 'found "17", expected a number of steps from 1 to 16' ${rule/steps 3/steps 17}
	refused 'found "30000-30004", but that is too narrow: expected at least 12 ports' \
		${rule/steps 3 ports 30000-39999/steps 6 ports 30000-30004}
	refused 'expected a range of ports' ${rule/30000-39999/70000}
	refused 'but it opens ports of the range that its steps are in' ${rule/opens 22/opens 30022}
	refused 'but "after" is not for timed knocks' $rule after 1/tcp
	portctl $rule
	local shown
	shown=$(portctl list; portctl list -j; portctl knock list; portctl knock status; rules
		cat "$TMP"/serve.*; tr '\0' ' ' <"/proc/$serve/cmdline")
	contains "$shown" "totp $TMP/s "
	contains "$shown" "knock serve"
	lacks "$shown" "$secret"
}

@test "check warns of weak timed knocks" {
	printf '%s\n' "default drop" "allow 30500/tcp" \
		"knock web totp /s steps 2 ports 30000-30999/tcp opens 80/tcp for 30s within 10s" \
		"knock ssh totp /s steps 3 ports 40000-40499/udp opens 22/tcp for 30s within 10s" \
		>"$TMP/weak"
	run --separate-stderr portctl check "$TMP/weak"
	equal "$status" 0
	contains "$stderr" "$TMP/weak:3:1: warning: the knock \"web\" has 2 steps: fewer than 3"
	contains "$stderr" "$TMP/weak:3:1: warning: the knock \"web\" has the step 30500/tcp, which a rule allows"
	contains "$stderr" "$TMP/weak:4:1: warning: the knock \"ssh\" has 500 ports to choose from"
}
