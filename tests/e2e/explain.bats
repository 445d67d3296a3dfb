#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# explain: its verdict on a packet, that real packets get the same verdict, and that explain
# changes nothing.

load helpers
load helpers_replies

RULES="default drop
allow 22 from 192.0.2.0/24, 2001:db8::/32
allow 80 443
reject 113/tcp
drop 1000-2000
drop from 203.0.113.0/24
allow 1500/udp
allow 53 limit 1/h burst 2 per source
knock web opens 8080/tcp for 30s once after 7000/tcp 9000/udp 8000/tcp within 10s"

# said FILTER ARGUMENTS...: filters the JSON of "portctl explain" with jq.
said() { portctl explain "${@:2}" -j | jq -rc "$1"; }

@test "each rule is listed once, and long rules are shortened in text" {
	portctl attach eth0
	{
		echo "drop from $(seq -s, -f 203.0.113.%g 1 2 255)"
		echo "reject from $(seq -s, -f 203.0.113.%g 2 2 254)"
		seq -f "drop from 192.0.2.%g" 1 40
	} >"$TMP/rules"
	portctl apply "$TMP/rules"
	equal "$(said '[.tried[].number] | sort' 198.51.100.7 22)" "[$(seq -s, 1 42)]"
	contains "$(said '.tried[] | select(.number == 2).rule' 198.51.100.7 22)" ", 203.0.113.254"
	wants 0 explain 198.51.100.7 22
	contains "$output" "  skipped: 32 more rules; -j lists them"
	equal "$(grep -c 'skipped: rule ' <<<"$output")" 10
	[ "$(wc -L <<<"$output")" -lt 220 ]
	wants 0 explain 203.0.113.9 22
	contains "$output" '203.0.113.11,..."'
	[ "$(wc -L <<<"$output")" -lt 220 ]
	# Text is not cut within a character.
	local name secret
	for name in a ab; do
		secret=$TMP/$name$(printf 'é%.0s' {1..60})
		(umask 077 && echo 0102030405060708090a0b0c0d0e0f10 >"$secret")
		portctl apply /dev/null
		portctl knock a totp "$secret" steps 4 ports 20000-29999 opens 23/tcp for 1m within 10s
		wants 0 explain 198.51.100.7 23
		contains "$output" 'éé...": this source has no grant'
		iconv -f utf-8 -t utf-8 <<<"$output" >"$TMP/text"
	done
}

@test "the verdict, the line, the rule with its number, and rules tried before" {
	attach_with "$RULES"
	equal "$(said '[.verdict, .line, .rule, .number]' 192.0.2.9 22)" \
		'["pass","rule","allow 22 from 192.0.2.0/24, 2001:db8::/32",1]'
	equal "$(said '[.verdict, .number]' 2001:db8::1 22)" '["pass",1]'
	equal "$(said '[.verdict, .line, .rule]' 198.51.100.7 22)" '["drop","default",null]'
	equal "$(said '[.tried[].number]' 198.51.100.7 22)" '[5,1]'
	equal "$(said '[.verdict, .number]' 203.0.113.4 80)" '["drop",5]'
	equal "$(said '[.verdict, .number]' 198.51.100.7 113)" '["reject",3]'
	equal "$(said '[.verdict, .number]' 198.51.100.7 1500/udp)" '["pass",6]'
	equal "$(said '[.verdict, .number]' 198.51.100.7 1500)" '["drop",4]'
	equal "$(said '[.verdict, .line]' 198.51.100.7 7000)" '["drop","knock"]'
	equal "$(said '.tried[-1].why' 198.51.100.7 8080)" "this source has no grant, or has used its grant"
	equal "$(said '[.verdict, .line]' 198.51.100.7 gre)" '["drop","default"]'
	equal "$(said '[.verdict, .line]' 198.51.100.7 icmp)" '["pass","echo"]'
	equal "$(said '[.verdict, .line]' 2001:db8::1 58/ip)" '["pass","echo"]'
	contains "$(portctl explain 198.51.100.7 8443)" \
		"8443/tcp from 198.51.100.7 on eth0 is dropped: no rule matches, so the default applies"
	contains "$(portctl explain 198.51.100.7 8443)" \
		'"portctl allow 8443/tcp from 198.51.100.7" would let it in'
}

@test "following the advice changes the verdict" {
	attach_with "$RULES"
	local question advice
	for question in "198.51.100.7 22" "203.0.113.4 80" "198.51.100.7 113" "192.0.2.9 22/udp" \
		"198.51.100.7 1500" "2001:db8::1 443" "198.51.100.7:67 68/udp" "198.51.100.7 icmp" "198.51.100.7 gre" "198.51.100.7 8080"; do
		local before
		before=$(said .verdict $question)
		advice=$(said .advice $question)
		differ "$advice" null
		portctl $advice --force
		differ "$(said '.verdict == "pass"' $question)" "$([ "$before" = pass ] && echo true || echo false)"
		portctl apply --force "$TMP/rules"
	done
}

@test "real packets get the verdict that explain says, for every kind of rule" {
	attach_with "$RULES"
	portctl allow 2222/tcp from "$C4"
	portctl drop from 10.77.0.200
	local port
	packets() { stats ".interfaces[0].total.$verdict.packets"; }
	more_packets() { [ "$(packets)" -gt "$earlier" ]; }
	for port in 22 80 113 1000 1500/udp 1500 2222 53/udp 8080 7000 65535/udp 65535; do
		local earlier verdict
		verdict=$(said .verdict "$C4" "$port")
		[ "$verdict" = pass ] || verdict=drop
		earlier=$(packets)
		client knock "$S4" "${port/\//:}"
		eventually more_packets
	done
}

@test "explain changes no counters, limits, attempts or grants" {
	attach_with "$RULES"
	portctl knock grant web 198.51.100.7 for 1m
	local i before
	before="$(portctl stats --all -j | md5sum) $(portctl knock status -j)"
	for i in 1 2 3 4 5; do
		equal "$(said .verdict 198.51.100.9 53/udp)" pass
		equal "$(said .verdict 198.51.100.7:100$i 8080)" pass
		portctl explain 198.51.100.8 7000 >/dev/null
	done
	equal "$(portctl stats --all -j | md5sum) $(portctl knock status -j)" "$before"
	equal "$(portctl knock attempts -j)" '{"attempts":[]}'
	equal "$(portctl knock grants -j | jq -c '[.grants[].used]')" '[false]'
}

@test "explain uses the current limits, grants and flows" {
	attach_with "$RULES"
	portctl allow 9999/udp limit 1/h
	client knock "$S4" 9999:udp
	is_limited() { [ "$(said .line "$C4" 9999/udp)" = limited ]; }
	eventually is_limited
	contains "$(portctl explain "$C4" 9999/udp)" "it is over the limit of rule"
	equal "$(said .verdict 198.51.100.7 8080)" drop
	portctl knock grant web 198.51.100.7 for 1m
	equal "$(said .verdict 198.51.100.7 8080)" pass
	# A grant for one connection, which is then used.
	portctl knock grant web "$C4" for 1m
	equal "$(said .verdict "$C4" 8080)" pass
	client knock "$S4" 8080:tcp
	equal "$(said .verdict "$C4" 8080)" drop
	equal "$(said '.tried[-1].why' "$C4" 8080)" "this source has no grant, or has used its grant"
	equal "$(said '[.verdict, .line]' "$C4:4444" 40000/udp)" '["drop","default"]'
	server "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$S4', 40000))
s.sendto(b'x', ('$C4', 4444))"
	equal "$(said '[.verdict, .line]' "$C4:4444" 40000/udp)" '["pass","reply"]'
	equal "$(said '[.verdict, .line]' "$C4:4445" 40000/udp)" '["drop","default"]'
	equal "$(said '[.verdict, .line]' "$C4:4444" 40000/udp --to 192.0.2.1)" '["drop","default"]'
}

@test "segments of an open connection pass, a new connection does not" {
	attach_with "$RULES"
	outside_http 8000
	background idle server "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$C4', 8000))
time.sleep(60)"
	local from
	# shellcheck disable=SC2317 # eventually calls it
	connected() { server ss -Htn state established dport = 8000 | grep -q .; }
	eventually connected
	from=$(server ss -Htn state established dport = 8000 | awk '{print $3}' | sed 's/.*://')
	equal "$(said '[.verdict, .line]' "$C4:8000" "$from" --flags ack)" '["pass","reply"]'
	equal "$(said '[.verdict, .line]' "$C4:8000" "$from" --flags syn)" '["drop","default"]'
	equal "$(said '[.verdict, .line]' "$C4:8001" "$from" --flags 'ack|psh')" '["drop","default"]'
}

@test "an open connection that a client began is explained correctly" {
	attach_with 'allow 80'
	start_http 80
	background idle client "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$S4', 80), source_address=('$C4', 41000))
time.sleep(60)"
	# shellcheck disable=SC2317 # eventually calls it
	connected() { server ss -Htn state established sport = 80 | grep -q .; }
	eventually connected
	printf 'default drop\n' >"$TMP/rules"
	portctl apply --force "$TMP/rules"
	equal "$(said '[.verdict, .line, .text]' "$C4:41000" 80 --flags ack)" \
		"[\"pass\",\"reply\",\"80/tcp from $C4 on eth0 is let in: it belongs to an open connection, or replies to this host\"]"
	equal "$(said '[.verdict, .line]' "$C4:41000" 80)" '["drop","default"]'
}

@test "open connections through a device with a link-local address, and a renamed device" {
	attach_with "$RULES"
	ip -n "$SERVER" addr add fe80::2/64 dev eth0 nodad
	ip -n "$SERVER" addr add 10.77.0.99/24 dev eth0
	outside_http 8000
	local host from
	# shellcheck disable=SC2317 # eventually calls it
	connected() { server ss -Htn state established dport = 8000 | grep -qF "$host"; }
	for host in "$C4" "$C6"; do
		background "idle$host" server "$PYTHON" -c "
import socket, time
s = socket.create_connection(('$host', 8000))
time.sleep(60)"
		eventually connected
		from=$(server ss -Htn state established dport = 8000 | grep -F "$host" |
			awk '{print $3}' | sed 's/.*://')
		[ "$host" = "$C4" ] || host="[$host]"
		equal "$(said '[.verdict, .line]' "$host:8000" "$from" --flags ack)" '["pass","reply"]'
	done
	server ip link set eth0 down
	server ip link set eth0 name other
	server ip link set other up
	from=$(server ss -Htn state established dport = 8000 | grep -F "$C4" | awk '{print $3}' |
		sed 's/.*://')
	equal "$(said '[.verdict, .line]' "$C4:8000" "$from" --flags ack)" '["pass","reply"]'
}

@test "wrong arguments are refused" {
	refused "portctl is attached to no interface" explain 192.0.2.1 22
	portctl attach eth0
	refused 'found "192.0.2.0/24", expected an address' explain 192.0.2.0/24 22
	refused 'found "x", expected a port behind the address' explain 192.0.2.1:x 22
	refused 'expected an address' explain '[2001:db8::1' 22
	refused 'found "20-30", expected one port' explain 192.0.2.1 20-30
	refused 'found "nothing"' explain 192.0.2.1 nothing
	refused 'expected some of fin, syn' explain 192.0.2.1 22 --flags sin
	refused "portctl is not attached to eth9" explain 192.0.2.1 22 --on eth9
	refused "expected an address of the source's family" explain 192.0.2.1 22 --to 2001:db8::1
	refused 'found "60/ip", which is an extension header of IPv6' explain 2001:db8::1 60/ip
	equal "$(said '[.verdict, .line]' 192.0.2.1 60/ip)" '["pass","default"]'
	usage_of explain 192.0.2.1
	usage_of explain 192.0.2.1 22 23
}
