#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Signed knocks: one datagram of portctl's client or of the Python client opens the door; a
# captured datagram does not.

load helpers
load helpers_replies

PYTHON_CLIENT="$BATS_TEST_DIRNAME/../../scripts/portctl-knock.py"

web() { http_get "$S4"; }
web6() { http_get "[$S6]"; }
no_web() { WAIT=0.3 no http_get "$S4"; }
no_web6() { WAIT=0.3 no http_get "[$S6]"; }
counted() { portctl knock status -j | jq ".knocks[] | select(.name == \"$1\").$2"; }
listed() { portctl knock grants -j | jq -c "[.grants[].source] | sort"; }

new_key() {
	(umask 077 && portctl knock key "$1" >"$TMP/$1.key")
	cat "$TMP/$1.key" >>"$TMP/keys"
	chmod 600 "$TMP/keys"
}

# signed_door [TIME]: a door at port 80 for alice's key. Waits for one second, the skew, in which
# a knock could be a replay from before the table of last knocks.
signed_door() {
	new_key alice
	attach_with "default drop
knock web spa 62201/udp keys $TMP/keys opens 80/tcp for ${1:-30s} skew 1s"
	start_http 80
	sleep 1.1
}

knock_send() { client "$PORTCTL" knock send "$@"; }

@test "the client opens, extends and closes a door" {
	signed_door
	no_web
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	no_web6
	equal "$(listed)" "[\"$C4\"]"
	knock_send "$S4" web --key "$TMP/alice.key" --close
	no_web
	knock_send "$S4" web --key "$TMP/alice.key" --extend
	no_web
	knock_send "$S6" web --key "$TMP/alice.key" --for 5s
	web6
	at_most "$(portctl knock grants -j | jq '.grants[0].seconds')" 5
	knock_send "$S6" web --key "$TMP/alice.key" --extend
	at_least "$(portctl knock grants -j | jq '.grants[0].seconds')" 29
	equal "$(counted web closed)" 1
	# Nothing was answered, not even that the port is shut.
	equal "$(port udp 62201)" 0
	equal "$(port udp 62201 drop)" 5
	all_add_up
}

@test "a new knock does not inherit the used-up limit of a rule that had its line" {
	new_key alice
	attach_with "default drop
allow 53/udp limit 1/h burst 3"
	flood udp "$C4" "$S4" 53 10
	portctl delete 1
	portctl knock web spa 62201/udp keys "$TMP/keys" opens 80/tcp for 30s skew 1s
	start_http 80
	sleep 1.1
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	equal "$(counted web refusals)" 0
}

@test "--address opens the door for another address than the sender's" {
	signed_door
	client_address 10.77.0.9/24
	knock_send "$S6" web --key "$TMP/alice.key" --address 10.77.0.9
	equal "$(listed)" '["10.77.0.9"]'
	get_from 10.77.0.9 "$S4"
	no_web
	no_web6
}

@test "the Python client of 30 lines opens the door" {
	signed_door
	at_most "$(wc -l <"$PYTHON_CLIENT")" 30
	client "$PYTHON" "$PYTHON_CLIENT" "$S4" web "$TMP/alice.key"
	web
	no_web6
	client "$PYTHON" "$PYTHON_CLIENT" "$S4" web "$TMP/alice.key" 62201 "$C6"
	web6
}

@test "a captured datagram opens nothing, from any source" {
	signed_door 2s
	background dump client tcpdump -Uni eth0 -w "$TMP/dump" -c 1 udp port 62201
	eventually grep -q "listening on" "$TMP/dump.err"
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	eventually test -s "$TMP/dump"
	sleep 2.1
	no_web
	"$PYTHON" -c "
data = open('$TMP/dump', 'rb').read()
open('$TMP/payload', 'wb').write(data[-64:])"
	local source
	client_address 10.77.0.9/24
	for source in "$C4" 10.77.0.9; do
		client "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$source', 0))
s.sendto(open('$TMP/payload', 'rb').read(), ('$S4', 62201))"
	done
	no_web
	no_get_from 10.77.0.9 "$S4"
	equal "$(listed)" '[]'
	equal "$(($(counted web replays) + $(counted web refusals)))" 2
}

@test "a change of the key file takes effect with the next apply" {
	signed_door
	(umask 077 && portctl knock key bob >"$TMP/bob.key")
	knock_send "$S4" web --key "$TMP/bob.key"
	no_web
	cat "$TMP/bob.key" >>"$TMP/keys"
	portctl apply --force "$TMP/rules"
	knock_send "$S4" web --key "$TMP/bob.key"
	web
	knock_send "$S4" web --key "$TMP/bob.key" --close
	cp "$TMP/alice.key" "$TMP/keys"
	portctl apply --force "$TMP/rules"
	knock_send "$S4" web --key "$TMP/bob.key"
	no_web
	knock_send "$S4" web --key "$TMP/alice.key"
	web
}

@test "key files that others may read or that are wrong are refused" {
	portctl attach eth0
	new_key alice
	local rule="knock web spa 62201/udp keys $TMP/keys opens 80/tcp for 30s"
	chmod 640 "$TMP/keys"
	refused "others may read or write $TMP/keys: chmod 600" $rule
	chmod 600 "$TMP/keys"
	echo "bob 1234 5678" >>"$TMP/keys"
	refused "$TMP/keys:2: expected a key of 64 hexadecimal digits" $rule
	lacks "$stderr" 1234
	# A name with control characters, which monitor would print.
	sed -i "s/^alice/a$(printf '\033')[2J/" "$TMP/keys"
	refused "$TMP/keys:1: expected a name" $rule
	refused 'found "a?[2J", expected a name' knock key "$(printf 'a\033[2J')"
	refused 'found "", expected a name' knock key ""
	rm "$TMP/keys"
	refused "cannot read $TMP/keys" $rule
	refused 'found "keys", expected the path of a file' ${rule/$TMP\/keys/keys}
	refused 'expected UDP' ${rule/62201\/udp/62201/tcp}
	refused 'but "after" is not for signed knocks' $rule after 1/tcp within 3s
	equal "$(rules)" "default allow"
	# The client checks its key file as well.
	chmod 644 "$TMP/alice.key"
	refused "others may read or write" knock send "$S4" web --key "$TMP/alice.key"
	usage_of knock send "$S4" web
	refused 'found "127737", expected a port' \
		knock send "$S4" web --key "$TMP/alice.key" --port 127737
}

@test "restore without the key file: the door stays shut, and rules are in force" {
	signed_door
	portctl save
	portctl detach --all
	rm "$TMP/keys"
	run -0 --separate-stderr portctl restore
	portctl attach eth0 2>"$TMP/err" || true
	knock_send "$S4" web --key "$TMP/alice.key"
	no_web
}

# more_keys COUNT: adds keys to the file.
more_keys() {
	"$PYTHON" -c 'import os, sys
for i in range(int(sys.argv[1])): print(f"k{i}", os.urandom(32).hex(), os.urandom(8).hex())' \
		"$1" >>"$TMP/keys"
}

@test "a rollback, by command or for want of a confirmation, restores the keys too" {
	signed_door
	(umask 077 && portctl knock key mallory >"$TMP/mallory.key")
	cp "$TMP/mallory.key" "$TMP/keys"
	{ cat "$TMP/rules" && echo "allow 443"; } >"$TMP/slip"
	portctl apply --force --confirm 1s "$TMP/slip"
	knock_send "$S4" web --key "$TMP/alice.key"
	no_web
	gone_back() { [ "$(portctl list -j | jq '.rules | length')" = 1 ]; }
	eventually gone_back
	knock_send "$S4" web --key "$TMP/mallory.key"
	no_web
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	knock_send "$S4" web --key "$TMP/alice.key" --close
	portctl apply --force "$TMP/slip"
	knock_send "$S4" web --key "$TMP/mallory.key"
	web
	knock_send "$S4" web --key "$TMP/mallory.key" --close
	portctl rollback
	knock_send "$S4" web --key "$TMP/mallory.key"
	no_web
	knock_send "$S4" web --key "$TMP/alice.key"
	web
}

@test "a missing key file does not stop other changes, and its door keeps its keys" {
	signed_door
	mv "$TMP/keys" "$TMP/away"
	run -0 --separate-stderr portctl drop from 203.0.113.0/24
	contains "$stderr" "cannot read $TMP/keys"
	contains "$stderr" 'the door "web" keeps the keys that it had'
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	# But a new knock with this file is refused, and so is applying the rules again.
	refused "cannot read $TMP/keys" apply --force "$TMP/rules"
	refused "cannot read $TMP/keys" \
		knock other spa 62202/udp keys "$TMP/keys" opens 81/tcp for 30s
	portctl drop from 198.51.100.0/24
	knock_send "$S4" web --key "$TMP/alice.key" --close
	no_web
	knock_send "$S4" web --key "$TMP/alice.key"
	web
}

@test "keys can be changed any number of times; more than 1,024 are refused" {
	signed_door
	local i
	for i in {1..6}; do
		cp "$TMP/alice.key" "$TMP/keys"
		more_keys 1000
		run -0 --separate-stderr portctl apply --force "$TMP/rules"
		equal "$stderr" ""
	done
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	more_keys 100
	refused "has 1101 keys, but the limit is 1024" apply --force "$TMP/rules"
}

@test "\"once\": extending a grant does not allow a second connection" {
	new_key alice
	attach_with "default drop
knock web spa 62201/udp keys $TMP/keys opens 80/tcp for 30s once skew 1s"
	start_http 80
	sleep 1.1
	knock_send "$S4" web --key "$TMP/alice.key"
	web
	no_web
	knock_send "$S4" web --key "$TMP/alice.key" --extend
	no_web
	knock_send "$S4" web --key "$TMP/alice.key"
	web
}

@test "a key is never printed" {
	signed_door
	local secret
	secret=$(cut -d' ' -f2 "$TMP/alice.key")
	local shown
	shown=$(portctl list; portctl list -j; portctl knock list; portctl knock status; rules)
	contains "$shown" "keys $TMP/keys"
	lacks "$shown" "$secret"
}

@test "a key on several lines has the earliest of their expiry dates" {
	new_key alice
	local key
	key=$(cat "$TMP/keys")
	printf '%s\n' "$key expires 2020-01-01 doors web" "$key doors other" >"$TMP/keys"
	attach_with "default drop
knock web spa 62201/udp keys $TMP/keys opens 80/tcp for 30s skew 1s"
	start_http 80
	# Also in another file, of another door.
	echo "$key expires 2020-01-01" >"$TMP/keys"
	(umask 077 && echo "$key" >"$TMP/others")
	portctl knock other spa 62202/udp keys "$TMP/others" opens 81/tcp for 30s
	sleep 1.1
	knock_send "$S4" web --key "$TMP/alice.key"
	no_web
	# Both lines in the same file.
	printf '%s\n' "$key expires 2020-01-01 doors web" "$key doors web,other" >"$TMP/keys"
	portctl delete 2
	knock_send "$S4" web --key "$TMP/alice.key"
	no_web
	echo "$key expires 2099-01-01" >>"$TMP/others"
	cp "$TMP/others" "$TMP/keys"
	portctl allow 82
	knock_send "$S4" web --key "$TMP/alice.key"
	web
}
