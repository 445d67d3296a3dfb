#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# replay: rules applied to a capture give the same counters as to real packets.

load helpers
load helpers_replies

make_capture() { "$PYTHON" "$BATS_TEST_DIRNAME/capture.py" "$TMP/dump" "$@"; }
# replayed FILTER [ARGUMENTS...]: replays "dump" with "rules", and filters the JSON with jq.
replayed() { portctl replay "$TMP/dump" --rules "$TMP/rules" -j "${@:2}" | jq -rc "$1"; }
A=198.51.100.7 B=10.77.0.2

@test "replay counts the same as when the packets arrived: ports, lines and totals" {
	attach_with "default drop
allow 22/tcp from $C4
allow 1000-1010
reject 113/tcp
drop 23
allow 53/udp limit 2/h burst 2"
	background dump client tcpdump --immediate-mode -Uni eth0 -Q out -w "$TMP/dump"
	local dump=$pid port
	eventually grep -q "listening on" "$TMP/dump.err"
	for port in 22 23 113 1000 1005:udp 1011 53:udp 53:udp 53:udp 60000:udp; do
		client knock "$S4" "$port"
		client knock "$S6" "$port"
	done
	client ping -c 2 "$S4"
	sleep 0.3
	stop "$dump"
	local live
	live=$(portctl stats -j | jq -c '.interfaces[0] | del(.name, .mode)')
	equal "$(replayed '.interfaces[0] | del(.name, .mode)')" "$live"
	portctl save "$TMP/all"
	equal "$(portctl replay "$TMP/dump" --on eth0 -j | jq -c '.interfaces[0] | del(.name, .mode)')" "$live"
	equal "$(replayed '.rules | map([.number, .packets])')" \
		"$(portctl list -j | jq -c '.rules | map([.number, .packets])')"
	# The running counters did not change.
	equal "$(portctl stats -j | jq -c '.interfaces[0] | del(.name, .mode)')" "$live"
}

@test "pcapng, standard input, and output as text" {
	echo "drop 23" >"$TMP/rules"
	make_capture --ng "1700000000.1:tcp:$A:4000:$B:23" "1700000000.2:udp:$A:4000:$B:53"
	equal "$(replayed '[.frames, .interfaces[0].total.drop.packets, .interfaces[0].total.pass.packets]')" '[2,1,1]'
	run -0 --separate-stderr server bash -c "'$PORTCTL' replay - --rules '$TMP/rules' <'$TMP/dump'"
	contains "$output" "2 frames came in"
	contains "$output" "replay (replay): 1 packets passed, 1 dropped"
	contains "$output" "drop 23"
}

@test "replay uses the attached interface, or that of --on" {
	make_capture "1700000000:tcp:$A:4000:$B:80"
	echo "drop 80 on eth0" >"$TMP/rules"
	equal "$(replayed '.interfaces[0] | [.name, .total.drop.packets]')" '["replay",0]'
	portctl attach eth0
	equal "$(replayed '.interfaces[0] | [.name, .total.drop.packets]')" '["eth0",1]'
	equal "$(replayed '.interfaces[0] | [.name, .total.drop.packets]' --on eth1)" '["eth1",0]'
	# A deleted device is not used.
	add_link eth1 10.79.0.1 fd79::1 10.79.0.2 fd79::2
	portctl attach eth1
	ip -n "$SERVER" link del eth0
	equal "$(replayed '.interfaces[0] | [.name, .total.drop.packets]')" '["eth1",0]'
}

@test "limits and expiry follow the capture's time" {
	printf '%s\n' "default drop" "allow 53/udp limit 1/s burst 1" "allow 80/tcp for 10s" >"$TMP/rules"
	make_capture "1700000000:udp:$A:4000:$B:53" "1700000000.5:udp:$A:4000:$B:53" \
		"1700000001.6:udp:$A:4000:$B:53" "1700000003:udp:$A:4000:$B:53" \
		"1700000009:tcp:$A:4000:$B:80" "1700000011:tcp:$A:4000:$B:80"
	equal "$(replayed '.interfaces[0].ports[] | [.port, .pass.packets, .drop.packets]' | tr '\n' ' ')" \
		"[53,3,1] [80,1,1] "
}

@test "times that go back in the capture do not turn back limits" {
	printf '%s\n' "default drop" "allow 53/udp limit 10/s burst 5" >"$TMP/rules"
	make_capture "1700000100:udp:$A:4000:$B:53" "1700000050:udp:$A:4000:$B:53" \
		"1700000100:udp:$A:4000:$B:53" "1700000010:udp:$A:4000:$B:53"
	equal "$(replayed '.interfaces[0].ports[] | [.port, .pass.packets, .drop.packets]')" "[53,4,0]"
}

@test "knocks and grants follow the capture's time" {
	printf '%s\n' "default drop" \
		"knock web opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s" >"$TMP/rules"
	make_capture "1700000000:tcp:$A:4000:$B:80" "1700000001:tcp:$A:4000:$B:7000" \
		"1700000002:udp:$A:4000:$B:9000" "1700000003:tcp:$A:4000:$B:8000" \
		"1700000030:tcp:$A:4000:$B:80" "1700000034:tcp:$A:4000:$B:80"
	equal "$(replayed '.interfaces[0].ports[] | select(.port == 80) | [.pass.packets, .drop.packets]')" "[1,2]"
}

@test "--local: packets from this address went out, and their replies pass" {
	echo "default drop" >"$TMP/rules"
	make_capture "1700000000:udp:$B:5353:$A:53" "1700000000.1:udp:$A:53:$B:5353" \
		"1700000001:tcp:$B:5000:$A:443" "1700000001.1:tcp:$A:443:$B:5000:18" \
		"1700000002:udp:$A:54:$B:5353"
	equal "$(replayed '[.frames, .left, .interfaces[0].total.pass.packets]' --local "$B")" '[3,2,2]'
	equal "$(replayed '[.frames, .left, .interfaces[0].total.pass.packets]')" '[5,0,0]'
	make_capture --link 113 "1700000000:udp:$B:5353:$A:53" "1700000000.1:udp:$A:53:$B:5353"
	equal "$(replayed '[.frames, .left, .interfaces[0].total.pass.packets]')" '[1,1,1]'
}

@test "many frames keep their length, time and order" {
	printf '%s\n' "default drop" "allow 53/udp limit 1/s burst 1" >"$TMP/rules"
	local frames=() passed=0 size
	for ((i = 0; i < 900; i++)); do
		size=$((i % 100 == 50 ? 3000 : i * 37 % 1900))
		passed=$((passed + (i % 2 ? 0 : 42 + size)))
		frames+=("$((1700000000 + i / 2)).$((i % 2 * 5)):udp:$A:4000:$B:53::$size")
		if ((i % 150 == 149)); then
			# The first of the three comes before the request.
			frames+=("$((1700000000 + i / 2)).6:udp:$A:99:$B:$((6000 + i))"
				"$((1700000000 + i / 2)).7:udp:$B:$((6000 + i)):$A:99"
				"$((1700000000 + i / 2)).8:udp:$A:99:$B:$((6000 + i))")
		fi
	done
	make_capture "${frames[@]}"
	equal "$(replayed '[.frames, .left, .cut, .unread]' --local "$B")" '[912,6,0,0]'
	equal "$(replayed '.interfaces[0].ports[] | select(.port == 53) | [.pass.packets, .pass.bytes, .drop.packets]' --local "$B")" \
		"[450,$passed,450]"
	equal "$(replayed '.interfaces[0].lines[] | select(.line == "reply") | .packets' --local "$B")" 6
	equal "$(replayed '[.interfaces[0].ports[] | select(.port > 6000) | [.pass.packets, .drop.packets]] | unique' --local "$B")" '[[1,1]]'
}

@test "truncated frames are judged by their headers, and counted as cut" {
	printf '%s\n' "default drop" "allow 53/udp" >"$TMP/rules"
	make_capture --snap 60 "1700000000:udp:$A:4000:$B:53::1000" "1700000000:udp:$A:4000:$B:54::10"
	equal "$(replayed '[.frames, .cut, .interfaces[0].total.pass.packets, .interfaces[0].total.pass.bytes]')" \
		'[2,1,1,1042]'
	make_capture --snap 10 "1700000000:udp:$A:4000:$B:53"
	equal "$(replayed '[.frames, .cut, .interfaces[0].total.pass.packets]')" '[1,1,1]'
	equal "$(replayed '.interfaces[0].lines[] | select(.line == "not-ip") | .packets')" 1
}

@test "raw IP, and jumbo frames" {
	printf '%s\n' "default drop" "allow 53/udp" >"$TMP/rules"
	make_capture --link 101 "1700000000:udp:$A:4000:$B:53" "1700000000:tcp:$A:4000:$B:53"
	equal "$(replayed '.interfaces[0].ports[] | [.proto, .pass.packets, .drop.packets]' | tr '\n' ' ')" \
		'["tcp",0,1] ["udp",1,0] '
	make_capture "1700000000:udp:$A:4000:$B:53::8900"
	equal "$(replayed '[.frames, .interfaces[0].total.pass.bytes]')" '[1,8942]'
}

@test "files that are no capture, or truncated, are refused" {
	echo "default drop" >"$TMP/rules"
	refused "cannot read $TMP/rules as a capture" replay "$TMP/rules" --rules "$TMP/rules"
	refused "cannot read $TMP/nothing as a capture" replay "$TMP/nothing" --rules "$TMP/rules"
	make_capture --link 105 "1700000000:udp:$A:4000:$B:53"
	refused "is a capture of IEEE802_11, not of Ethernet" replay "$TMP/dump" --rules "$TMP/rules"
	make_capture "1700000000:udp:$A:4000:$B:53" "1700000000:udp:$A:4000:$B:53"
	truncate -s -5 "$TMP/dump"
	refused "truncated dump file" replay "$TMP/dump" --rules "$TMP/rules"
	make_capture
	equal "$(replayed .frames)" 0
	refused "no rules are running" replay "$TMP/dump"
	echo "allow 80abc" >"$TMP/rules"
	refused '1:7: found "80abc"' replay "$TMP/dump" --rules "$TMP/rules"
	usage_of replay
	refused 'argv: --local: found "x"' replay "$TMP/dump" --local x
}
