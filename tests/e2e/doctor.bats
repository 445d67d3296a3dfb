#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# doctor: what is as it should be, what is not, and what to do.

load helpers
load helpers_replies

# found TOPIC [INTERFACE]: the levels that are said of it.
found() {
	run --separate-stderr portctl doctor -j
	jq -c "[.checks[] | select(.topic == \"$1\" and .interface == ${2:-null}) | .level]" <<<"$output"
}

@test "an interface that filters in native mode: nothing fails" {
	portctl attach eth0
	run -0 --separate-stderr portctl doctor
	contains "$output" "ok    eth0 driver: veth"
	contains "$output" "ok    eth0 mode: native"
	contains "$output" "ok    kernel: Linux"
	lacks "$output" fail
	equal "$(found memory '"eth0"')" '["ok"]'
	equal "$(found memory)" '["ok"]'
}

@test "queues are those of the device here, whatever /sys shows" {
	server ip link add "two" numrxqueues 2 numtxqueues 2 type veth peer name other
	run --separate-stderr portctl doctor two
	contains "$output" "two queues: 2 for "
}

@test "generic mode, a jumbo MTU, and a link that is down are said" {
	portctl attach eth0 --mode generic
	ip -n "$SERVER" link set eth0 mtu 9000
	ip -n "$SERVER" link set eth0 down
	equal "$(found mode '"eth0"')" '["warn"]'
	equal "$(found mtu '"eth0"')" '["note"]'
	equal "$(found link '"eth0"')" '["note"]'
	run -0 --separate-stderr portctl doctor
	contains "$output" "eth0 mtu: 9000"
}

@test "nothing attached, an interface that is not, and one that does not exist" {
	equal "$(found attached)" '["note"]'
	run -0 --separate-stderr portctl doctor lo
	contains "$output" "note  lo mode: portctl is not attached here; run portctl attach lo"
	refused "there is no interface eth9 here" doctor eth9
	usage_of doctor eth0 eth1
}

@test "a device that is gone fails; rules that are not saved are noted" {
	portctl attach eth0
	portctl drop 23
	equal "$(found rules)" '["note"]'
	portctl save
	equal "$(found rules)" '["ok"]'
	portctl default drop --confirm 60s
	equal "$(found rules)" '["note","note"]'
	ip -n "$SERVER" link del eth0
	equal "$(found mode '"eth0"')" '["fail"]'
	run -1 --separate-stderr portctl doctor
}

# What leaves is watched if an answer to what was asked from here comes in.
is_answered() { host_ask "$C4" "$1"; }

@test "what leaves is watched no more: that fails, and attaching again mends it" {
	outside_echo 53 54 55
	attach_with "default drop"
	is_answered 53
	equal "$(found egress '"eth0"')" '[]'
	server tc qdisc del dev eth0 clsact
	no is_answered 54
	run -1 --separate-stderr portctl doctor
	contains "$output" "fail  eth0 egress: the egress program is gone"
	contains "$output" "; run portctl attach eth0"
	portctl attach eth0
	equal "$(found egress '"eth0"')" '[]'
	run -0 --separate-stderr portctl doctor
	is_answered 55
	# Only the filter, or another qdisc in that place.
	server tc filter del dev eth0 egress
	equal "$(found egress '"eth0"')" '["fail"]'
	server tc qdisc del dev eth0 clsact
	server tc qdisc add dev eth0 ingress
	equal "$(found egress '"eth0"')" '["fail"]'
}

@test "what leaves is watched no more on a device that was renamed: by which name to attach" {
	portctl attach eth0
	server tc qdisc del dev eth0 clsact
	ip -n "$SERVER" link set eth0 down
	ip -n "$SERVER" link set eth0 name eth9
	run -1 --separate-stderr portctl doctor
	contains "$output" "fail  eth9 egress: the egress program is gone"
	contains "$output" "; run portctl attach eth0"
	wants 0 attach eth0
	equal "$(found egress '"eth9"')" '[]'
}

@test "doors that nobody serves fail; knocks that go by the clock ask for it" {
	portctl attach eth0
	equal "$(found clock)" '[]'
	(umask 077 && echo 000102030405060708090a0b0c0d0e0f >"$TMP/secret")
	portctl knock web totp "$TMP/secret" steps 3 ports 20000-29999 opens 80/tcp for 30s within 10s
	equal "$(found knocks)" '["fail"]'
	equal "$(found clock | jq length)" 1
	background serve server "$PORTCTL" knock serve
	served() { [ "$(found knocks)" = '[]' ]; }
	eventually served
}

@test "a clock that was set back since the attach fails where knocks are signed" {
	portctl attach eth0
	(umask 077 && portctl knock key alice >"$TMP/keys")
	portctl knock web spa 62201/udp keys "$TMP/keys" opens 80/tcp for 30s
	equal "$(found clock | jq 'contains(["fail"])')" false
	# When it began, as it was two hours ahead then.
	local control later value
	control=$(echo "$TMP"/bpf/portctl/*/control)
	printf -v later '%016x' $((($(date +%s) + 7200) * 1000000000))
	value=$(bpftool map lookup pinned "$control" key 0 0 0 0 -j | jq -r '.value | join(" ")')
	# shellcheck disable=SC2046,SC2086 # words
	bpftool map update pinned "$control" key 0 0 0 0 value $(cut -d' ' -f-88 <<<"$value") \
		$(fold -w2 <<<"$later" | tac | sed '/./s/^/0x/' | xargs) $(cut -d' ' -f97- <<<"$value")
	equal "$(found clock | jq 'contains(["fail"])')" true
	run portctl doctor
	contains "$output" "signed knocks are refused for 7"
	portctl save
	portctl detach --all
	portctl restore
	equal "$(found clock | jq 'contains(["fail"])')" false
}

@test "pins of another version are said, the rest is looked at all the same" {
	portctl attach eth0
	local control rest
	control=$(echo "$TMP"/bpf/portctl/*/control)
	rest=$(bpftool -j map dump pinned "$control" | jq -r '.[0].value[4:] | join(" ")')
	# shellcheck disable=SC2086
	bpftool map update pinned "$control" key 0 0 0 0 value 0x63 0 0 0 $rest
	run -1 --separate-stderr portctl doctor
	contains "$output" "fail  tables:"
	contains "$output" "ok    kernel:"
	contains "$stderr" "made by another version of portctl"
}

@test "without root it says what it could not look at" {
	run -1 --separate-stderr server setpriv --reuid=65534 --regid=65534 --clear-groups "$PORTCTL" doctor
	contains "$output" "note  user: without root some checks are not possible; run portctl doctor as root"
	contains "$output" "fail  tables: the running rules cannot be read"
}
