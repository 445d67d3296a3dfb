#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Several interfaces and namespaces; devices that are deleted, renamed or moved; detach; and
# environments in which portctl cannot work.
load helpers

# second_link [NAME]: a second veth pair, eth1 by default.
second_link() { add_link "${1:-eth1}" 10.78.0.1 fd78::1 10.78.0.2 fd78::2; }

send() { client "$PYTHON" "$NET" send "$@"; }

# count_on IFACE PORT [pass|drop]: the packets of a UDP port on one interface.
count_on() {
	stats "[.interfaces[] | select(.name == \"$1\") | .ports[]
		| select(.proto == \"udp\" and .port == $2) | .${3:-pass}.packets] | add // 0"
}

@test "after a fresh attach everything passes" {
	start_http 80
	start_echo 53
	portctl attach eth0
	client ping -qc1 -W1 "$S4"
	client ping -qc1 -W1 "$S6"
	http_get "$S4"
	http_get "[$S6]"
	udp_ask "$S4" 53
	udp_ask "$S6" 53
	server ping -qc1 -W1 "$C4"
	equal "$(stats '.interfaces[0].total.drop.packets')" 0
	equal "$(stats '[.interfaces[0].lines[] | .packets] | add')" \
		"$(stats '.interfaces[0].total.pass.packets')"
}

@test "several interfaces share one ruleset, and \"on\" selects one" {
	second_link
	wants 0 attach eth0 eth1
	equal "$output" $'eth0: attached, native mode\neth1: attached, native mode'
	portctl drop 7000 on eth1
	portctl drop 7001
	send "$S4" 7000 3
	send 10.78.0.2 7000 4
	send "$S4" 7001 5
	send fd78::2 7001 6
	equal "$(count_on eth0 7000 pass) $(count_on eth0 7000 drop)" "3 0"
	equal "$(count_on eth1 7000 pass) $(count_on eth1 7000 drop)" "0 4"
	equal "$(count_on eth0 7001 drop) $(count_on eth1 7001 drop)" "5 6"
	# list sums over the interfaces.
	equal "$(portctl list -j | jq -c '[.rules[].packets]')" "[4,11]"
	adds_up
}

@test "an interface attached later uses the running rules from its first packet" {
	second_link
	background sink server "$PYTHON" "$NET" count 7000
	local sink=$pid
	eventually listening u 7000
	portctl attach eth0
	portctl default drop
	portctl attach eth1
	send 10.78.0.2 7000 3
	stop "$sink"
	equal "$(cat sink.out)" 0
	equal "$(count_on eth1 7000 drop)" 3
	# After detaching one, the other stays attached and keeps the rules.
	portctl detach eth0
	send 10.78.0.2 7000 3
	equal "$(count_on eth1 7000 drop)" 6
	equal "$(rules)" "default drop"
}

@test "a rule for an interface that is not attached gives a note" {
	wants 0 allow 22
	contains "$stderr" "note: portctl is attached to no interface: portctl attach IFACE"
	portctl attach eth0
	wants 0 allow 23 on eth7
	contains "$stderr" "note: portctl is not attached to eth7"
	wants 0 allow 24 on eth0
	equal "$stderr" ""
}

@test "interface names may have dots" {
	second_link eth0.5
	wants 0 attach eth0.5
	equal "$output" "eth0.5: attached, native mode"
	portctl drop 7000 on eth0.5
	send 10.78.0.2 7000 3
	equal "$(count_on eth0.5 7000 drop)" 3
	equal "$(portctl status -j | jq -r '.interfaces[].name')" eth0.5
	portctl attach eth0.5
	wants 0 detach eth0.5
	equal "$output" "eth0.5: detached"
	equal "$(pins)" ""
}

@test "an interface named like one of portctl's pins is refused" {
	local name folder
	portctl attach eth0
	portctl allow 22 --confirm 60s
	folder=$(dirname "$TMP"/bpf/portctl/*/control)
	for name in $(find "$folder" -mindepth 1 -maxdepth 1 -type f -printf '%f\n') ruleset0_next; do
		ip -n "$SERVER" link add "$name" type veth peer name far
		refused "cannot attach to an interface called $name: portctl keeps a file of that name" \
			attach "$name"
		ip -n "$SERVER" link del "$name"
	done
	equal "$(portctl status -j | jq -r '.interfaces[].name')" eth0
	wants 0 detach --all
	ip -n "$SERVER" link add control type veth peer name far
	refused "cannot attach to an interface called control" attach control
	equal "$(pins)" ""
}

@test "control characters in a file name are replaced in all messages" {
	local file=$'e\033[31m\nx.rules' shown='e?[31m?x.rules'
	echo 'allow 22' >"$file"
	wants 0 check "$file"
	equal "$output" "$shown: no errors, 1 rule"
	echo 'allow 99999' >"$file"
	wants 1 check "$file"
	equal "$stderr" "$shown:1:7: found \"99999\", expected a port from 0 to 65535"
	wants 1 check -j "$file"
	equal "$(jq -r '.messages | length' <<<"$output")" 1
	wants 1 apply "$file"
	contains "$stderr" "$shown:1:7: "
	refused '--on: found "e?[31m", expected an interface' replay /dev/null --on $'e\033[31m'
	rm "$file"
}

@test "an interface name with control characters is refused, and replaced in messages" {
	ip -n "$SERVER" link add $'a\e[31mb' type veth peer name $'x\xc2\x9by'
	refused "interface called a?[31mb: its name has control characters" \
		attach $'a\e[31mb'
	refused "interface called x??y: its name has control characters" attach $'x\xc2\x9by'
	refused 'cannot read /a??b as a capture' replay $'/a\n\eb' --rules /dev/null
}

@test "equal interface names in two namespaces do not collide" {
	portctl attach eth0
	portctl drop 7000
	swapped portctl attach eth0
	swapped portctl drop 7001
	equal "$(rules)" $'default allow\ndrop 7000'
	equal "$(swapped rules)" $'default allow\ndrop 7001'
	send "$S4" 7000 3
	swapped send "$C4" 7001 4
	equal "$(port udp 7000 drop) $(port udp 7001 drop)" "3 0"
	equal "$(swapped port udp 7001 drop)" 4
	swapped portctl detach --all
	send "$S4" 7000 3
	equal "$(port udp 7000 drop)" 6
	portctl detach eth0
	equal "$(pins)" ""
}

@test "filtering needs no process that holds the program or the link" {
	start_echo 7000 7001
	portctl attach eth0
	portctl drop 7000
	local program holder
	program=$(server ip -j -d link show eth0 | jq -r '.[0].xdp.prog.id')
	[ "$program" -gt 0 ]
	# No process has a descriptor of this program or its link.
	for holder in /proc/[0-9]*/fdinfo; do
		no grep -qsE "^prog_id:[[:space:]]*$program$" "$holder"/*
	done
	no udp_ask "$S4" 7000
	udp_ask "$S4" 7001
	equal "$(port udp 7000 drop)" 1
}

@test "a deleted device is \"gone\" in status, and can be detached" {
	second_link
	portctl attach eth0 eth1
	ip -n "$SERVER" link del eth1
	wants 0 status
	[[ ${lines[2]} =~ ^eth1\ +gone\ +0\  ]]
	equal "$(portctl status -j | jq -c '.interfaces[1] | [.name, .mode, .ifindex]')" '["eth1","gone",0]'
	wants 0 stats
	contains "$output" "eth1 (gone)"
	wants 0 detach eth1
	equal "$(portctl status -j | jq -r '.interfaces[].name')" eth0
	# The last device, deleted as well.
	ip -n "$SERVER" link del eth0
	wants 0 detach eth0
	equal "$(pins)" ""
}

@test "attach to a device made again keeps rules and counters" {
	portctl attach eth0
	portctl drop 7000
	send "$S4" 7000 3
	ip -n "$SERVER" link del eth0
	add_link eth0 "$C4" "$C6" "$S4" "$S6"
	wants 0 attach eth0
	send "$S4" 7000 4
	equal "$(port udp 7000 drop)" 7
	equal "$(portctl status -j | jq -r '.interfaces[].mode')" native
	adds_up
}

rename() {
	ip -n "$SERVER" link set "$1" down
	ip -n "$SERVER" link set "$1" name "$2"
	ip -n "$SERVER" link set "$2" up
}

@test "a renamed device stays filtered, and a new device with its old name changes nothing" {
	portctl attach eth0
	portctl drop 7000
	rename eth0 eth9
	swapped rename eth0 eth9
	second_link eth0
	refused 'eth9 is attached under its former name eth0: to use the new name, run "portctl save", "portctl detach eth0"' \
		attach eth0
	refused "eth9 is attached under its former name eth0" attach eth9
	send "$S4" 7000 3
	equal "$(count_on eth0 7000 drop)" 3
	# The way out that the message names works.
	wants 0 save
	contains "$stderr" 'eth0 was renamed to eth9, and is saved under that name: rules "on eth0"'
	equal "$(cat "$PORTCTL_RULES.interfaces")" "eth9 native"
	portctl detach eth0
	portctl restore
	equal "$(portctl status -j | jq -c '.interfaces | map(.name)')" '["eth9"]'
	portctl attach eth0
	send "$S4" 7000 4
	send 10.78.0.2 7000 5
	equal "$(count_on eth9 7000 drop) $(count_on eth0 7000 drop)" "4 5"
}

@test "an alternative name of an interface is refused by attach and restore" {
	ip -n "$SERVER" link property add dev eth0 altname mgmt
	refused "mgmt is another name of eth0: attach to eth0" attach mgmt
	equal "$(pins)" ""
	portctl attach eth0
	portctl drop 7000
	local program
	program=$(bpftool -j link show pinned "$TMP"/bpf/portctl/*/eth0/link | jq .prog_id)
	refused "mgmt is another name of eth0: attach to eth0" attach mgmt --replace
	refused "mgmt is another name of eth0: attach to eth0" attach mgmt
	equal "$(bpftool -j link show pinned "$TMP"/bpf/portctl/*/eth0/link | jq .prog_id)" "$program"
	send "$S4" 7000 3
	equal "$(count_on eth0 7000 drop)" 3
	portctl save
	echo "mgmt native" >"$PORTCTL_RULES.interfaces"
	refused "mgmt is another name of eth0: attach to eth0" restore
	equal "$(portctl status -j | jq -c '.interfaces | map(.name)')" '["eth0"]'
	portctl detach eth0
	wants 1 restore
	contains "$stderr" "mgmt is another name of eth0: attach to eth0"
	equal "$(portctl status -j | jq -c '.interfaces')" '[]'
}

@test "a renamed device with its old name as alternative name is not attached twice" {
	portctl attach eth0
	portctl drop 7000
	portctl save
	rename eth0 eth9
	ip -n "$SERVER" link property add dev eth9 altname eth0
	wants 0 attach --all
	equal "$output" "eth0: program replaced, native mode"
	refused "eth9 is attached under its former name eth0" attach eth9
	# The file was saved before the renaming.
	wants 0 restore
	equal "$output" ""
	equal "$(portctl status -j | jq -c '.interfaces | map([.name, .device])')" '[["eth0","eth9"]]'
	send "$S4" 7000 3
	equal "$(count_on eth0 7000 drop)" 3
}

@test "status, doctor, restore and attach --all handle a renamed device" {
	portctl attach eth0
	portctl drop 7000
	portctl save
	rename eth0 eth9
	[[ $(portctl status) =~ eth0\ +native\ .*\ now\ eth9 ]]
	equal "$(portctl status -j | jq -c '.interfaces[0] | [.name, .device]')" '["eth0","eth9"]'
	wants 0 doctor eth9
	equal "$output" "$(portctl doctor)"
	contains "$output" "ok    eth9 mode: native"
	contains "$output" "warn  eth9 name: renamed since it was attached as eth0: rules \"on eth0\" still apply"
	portctl save
	equal "$(portctl restore)" ""
	wants 0 attach --all
	equal "$output" "eth0: program replaced, native mode"
	send "$S4" 7000 3
	equal "$(count_on eth0 7000 drop)" 3
}

@test "attach --all and restore find a renamed device though another has its old name" {
	portctl attach eth0
	rename eth0 eth9
	swapped rename eth0 eth9
	second_link eth0
	wants 0 attach --all
	equal "$output" "eth0: program replaced, native mode"
	server tc qdisc del dev eth9 clsact
	portctl save
	wants 0 restore
	equal "$output" "eth0: program replaced, native mode"
	contains "$(server tc filter show dev eth9 egress)" "handle 0x706f"
	equal "$(server tc filter show dev eth0 egress)" ""
}

@test "a device moved to another namespace is not confused with one of its name and ifindex" {
	portctl attach eth0
	portctl drop 7000
	local index
	index=$(ip -n "$SERVER" -j link show eth0 | jq '.[0].ifindex')
	add_namespace "$SERVER-far"
	ip -n "$SERVER" link set eth0 netns "$SERVER-far"
	ip -n "$SERVER" link add eth0 index "$index" type veth peer name eth8 netns "$CLIENT"
	equal "$(portctl status -j | jq -r '.interfaces[0].mode')" gone
	portctl attach eth0
	equal "$(portctl status -j | jq -r '.interfaces[0].mode')" native
	contains "$(ip -n "$SERVER" link show eth0)" prog/xdp
}

@test "attach to the port of an attached bridge is refused with what to do" {
	ip -n "$SERVER" link add br0 type bridge
	ip -n "$SERVER" link set eth0 master br0
	portctl attach br0
	wants 1 attach eth0
	one_line "$stderr"
	contains "$stderr" "a device above eth0 (its bridge, a VLAN of it) has an XDP program"
	portctl detach br0
	wants 0 attach eth0 br0
}

@test "detaching a moved device leaves the device that has its ifindex here" {
	portctl attach eth0
	local index
	index=$(ip -n "$SERVER" -j link show eth0 | jq '.[0].ifindex')
	add_namespace "$SERVER-far"
	ip -n "$SERVER" link set eth0 netns "$SERVER-far"
	ip -n "$SERVER" link add eth5 index "$index" type veth peer name eth8 netns "$CLIENT"
	portctl attach eth5
	equal "$(portctl status -j | jq -c '.interfaces[0] | [.name, .mode, .ifindex]')" '["eth0","gone",0]'
	wants 0 detach eth0
	contains "$(server tc filter show dev eth5 egress)" "handle 0x706f"
}

@test "a veth device with MTU 9000 is attached in native mode and judges large frames" {
	ip -n "$CLIENT" link set eth0 mtu 9000
	ip -n "$SERVER" link set eth0 mtu 9000
	start_echo 7000 7001
	wants 0 attach eth0 --mode native
	portctl drop 7001
	local text
	text=$(printf '%08000d' 7)
	udp_ask "$S4" 7000 "$text"
	udp_ask "$S6" 7000 "$text"
	no udp_ask "$S4" 7001 "$text"
	# 14 Ethernet, 20 or 40 IP, 8 UDP.
	equal "$(stats '.interfaces[0].ports[] | select(.port == 7000) | .pass.bytes')" $((8042 + 8062))
	equal "$(stats '.interfaces[0].ports[] | select(.port == 7001) | .drop.bytes')" 8042
	start_http 80
	head -c 3000000 /dev/zero >"$TMP/www/large"
	client curl -fsS -m 10 "http://$S4/large" | cmp - "$TMP/www/large"
	adds_up
}

@test "detach leaves no pin, no program and no map" {
	portctl attach eth0 lo
	portctl allow 22
	portctl drop 23
	local programs maps link id
	programs=$(for link in "$TMP"/bpf/portctl/*/*/link; do
		bpftool -j link show pinned "$link" | jq .prog_id
	done)
	maps=$(for id in $programs; do bpftool -j prog show id "$id" | jq '.map_ids[]'; done
		for id in "$TMP"/bpf/portctl/*/ruleset?; do
			bpftool -j map show pinned "$id" | jq .id
		done)
	equal "$(wc -w <<<"$programs")" 2
	[ "$(wc -w <<<"$maps")" -ge 6 ]
	wants 0 detach --all
	equal "$output" $'eth0: detached\nlo: detached'
	equal "$(pins)" ""
	equal "$(server ip -j -d link show eth0 | jq -r '.[0].xdp')" null
	# By id, because others may load programs at the same time. The kernel frees programs
	# and maps a moment later.
	for id in $programs; do
		eventually no bpftool prog show id "$id"
	done
	for id in $maps; do
		eventually no bpftool map show id "$id"
	done
	# Repeating --all is no error, but naming an interface that is not attached is one.
	wants 0 detach --all
	refused 'portctl is not attached to eth0: "portctl status" lists where it is' detach eth0
	wants 0 attach eth0
	equal "$(rules)" "default allow"
}

@test "without a BPF file system all is refused with what to do" {
	export PORTCTL_BPFFS=$TMP/plain/portctl
	refused "$TMP/plain/portctl is not on a BPF file system, where the filter is kept: mount -t bpf -o mode=700 bpf /sys/fs/bpf" \
		attach eth0
	refused "is not on a BPF file system" status
	[ ! -e "$TMP/plain" ]
}

@test "without privileges all but check is refused with what to do" {
	local as_nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all
		--bounding-set=-all)
	# Where the user nobody can read it.
	cp "$PORTCTL" "$TMP/portctl"
	chmod 755 "$TMP/portctl"
	PORTCTL=$TMP/portctl
	nobody() { server "${as_nobody[@]}" "$PORTCTL" "$@"; }
	local command
	for command in "attach eth0" "status" "stats" "list" "allow 22"; do
		run -1 --separate-stderr nobody $command
		one_line "$stderr"
		contains "$stderr" "permission denied: run it as root, or with CAP_BPF"
	done
	# Also if the user owns the folders.
	mkdir -m 700 "$TMP/run" "$TMP/bpf/portctl"
	chown 65534 "$TMP/run" "$TMP/bpf/portctl"
	run -1 --separate-stderr nobody attach eth0
	one_line "$stderr"
	contains "$stderr" "permission denied: run it as root"
	rm -rf "$TMP/run"
	# check needs no privileges.
	echo "allow 22" >"$TMP/rules"
	run -0 nobody check "$TMP/rules"
	equal "$output" "$TMP/rules: no errors, 1 rule"
}

@test "pins of another schema are refused while filtering goes on, and the way out works" {
	start_echo 7000
	portctl attach eth0
	portctl drop 7000
	local control folder generation
	control=$(echo "$TMP"/bpf/portctl/*/control)
	folder=${control%/control}
	generation=$(bpftool -j map dump pinned "$control" | jq -r '.[0].value[4:] | join(" ")')
	bpftool map update pinned "$control" key 0 0 0 0 value 0x63 0 0 0 $generation
	local command
	for command in "attach eth0" "detach eth0" "detach --all" status stats list "allow 22" \
		"default drop" "delete 1" "save -"; do
		refused "$folder was made by another version of portctl (schema 99, not " $command
	done
	contains "$stderr" "rm -r $folder to stop filtering"
	no udp_ask "$S4" 7000
	rm -r "$folder"
	udp_ask "$S4" 7000
	wants 0 attach eth0
}
