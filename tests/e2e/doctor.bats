#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# doctor: checks of the host, the interfaces and portctl's state, and what to do about them.

load helpers
load helpers_replies

# found TOPIC [INTERFACE]: prints the levels of the checks with this topic.
found() {
	run --separate-stderr portctl doctor -j
	jq -c "[.checks[] | select(.topic == \"$1\" and .interface == ${2:-null}) | .level]" <<<"$output"
}

@test "an interface in native mode passes all checks" {
	portctl attach eth0
	run -0 --separate-stderr portctl doctor
	contains "$output" "ok    eth0 driver: veth"
	contains "$output" "ok    eth0 mode: native"
	contains "$output" "ok    kernel: Linux"
	lacks "$output" fail
	equal "$(found memory '"eth0"')" '["ok"]'
	equal "$(found memory)" '["ok"]'
}

@test "the number of queues is read from the device's own namespace, not from /sys" {
	server ip link add "two" numrxqueues 2 numtxqueues 2 type veth peer name other
	run --separate-stderr portctl doctor two
	contains "$output" "two queues: 2 for "
}

@test "generic mode, a jumbo MTU and a link that is down are reported" {
	portctl attach eth0 --mode generic
	ip -n "$SERVER" link set eth0 mtu 9000
	ip -n "$SERVER" link set eth0 down
	equal "$(found mode '"eth0"')" '["warn"]'
	equal "$(found mtu '"eth0"')" '["note"]'
	equal "$(found link '"eth0"')" '["note"]'
	run -0 --separate-stderr portctl doctor
	contains "$output" "eth0 mtu: 9000"
}

@test "interfaces that are not attached or do not exist are reported" {
	equal "$(found attached)" '["note"]'
	run -0 --separate-stderr portctl doctor lo
	contains "$output" "note  lo mode: portctl is not attached here; run portctl attach lo"
	refused "there is no interface eth9 here" doctor eth9
	usage_of doctor eth0 eth1
}

@test "a deleted device is a failure, unsaved rules are a note" {
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

# is_answered PORT: whether a reply to a request of the server comes in, for which the egress
# filter must have remembered the request.
is_answered() { host_ask "$C4" "$1"; }

@test "a missing egress filter is a failure, and attach restores the filter" {
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
	# Only the filter is missing, or another qdisc is in its place.
	server tc filter del dev eth0 egress
	equal "$(found egress '"eth0"')" '["fail"]'
	server tc qdisc del dev eth0 clsact
	server tc qdisc add dev eth0 ingress
	equal "$(found egress '"eth0"')" '["fail"]'
}

@test "a missing egress filter on a renamed device: doctor says which name to attach" {
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

@test "a timed knock without \"knock serve\" is a failure, and its clock is checked" {
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

@test "a clock set back since attach is a failure if knocks are signed" {
	portctl attach eth0
	(umask 077 && portctl knock key alice >"$TMP/keys")
	portctl knock web spa 62201/udp keys "$TMP/keys" opens 80/tcp for 30s
	equal "$(found clock | jq 'contains(["fail"])')" false
	# The time of attaching, as if the clock had been two hours ahead then.
	local control later value
	control=$(echo "$TMP"/bpf/portctl/*/control)
	printf -v later '%016x' $((($(date +%s) + 7200) * 1000000000))
	value=$(bpftool map lookup pinned "$control" key 0 0 0 0 -j | jq -r '.value | join(" ")')
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

@test "pins of another version are reported, and the other checks are made" {
	portctl attach eth0
	local control rest
	control=$(echo "$TMP"/bpf/portctl/*/control)
	rest=$(bpftool -j map dump pinned "$control" | jq -r '.[0].value[4:] | join(" ")')
	bpftool map update pinned "$control" key 0 0 0 0 value 0x63 0 0 0 $rest
	run -1 --separate-stderr portctl doctor
	contains "$output" "fail  tables:"
	contains "$output" "ok    kernel:"
	contains "$stderr" "made by another version of portctl"
}

@test "without root doctor reports what it could not check" {
	run -1 --separate-stderr server setpriv --reuid=65534 --regid=65534 --clear-groups "$PORTCTL" doctor
	contains "$output" "note  user: without root some checks are not possible; run portctl doctor as root"
	contains "$output" "fail  tables: the running rules cannot be read"
}
