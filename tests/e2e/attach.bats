#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# attach, detach and status: modes, messages, --replace, and attaching again.
load helpers

# kernel_mode IFACE: the kernel's mode: 1 native, 2 generic, empty without a program.
kernel_mode() { server ip -j -d link show "$1" | jq -r '.[0].xdp.mode // empty'; }
program_id() { server ip -j -d link show "$1" | jq -r '.[0].xdp.prog.id // empty'; }

# Builds another XDP program, which passes everything.
foreign_program() {
	cat >"$TMP/pass.c" <<-'END'
		__attribute__((section("xdp"), used)) int pass(void *ctx) { return 2; }
	END
	clang -O2 -g -target bpf -c "$TMP/pass.c" -o "$TMP/pass.o"
}

# foreign_filter WORD...: adds another tc filter to the egress of eth0, which passes everything.
foreign_filter() {
	cat >"$TMP/leaves.c" <<-'END'
		__attribute__((section("tc"), used)) int leaves(void *ctx) { return -1; }
	END
	clang -O2 -g -target bpf -c "$TMP/leaves.c" -o "$TMP/leaves.o"
	server tc filter add dev eth0 egress "$@" bpf direct-action obj "$TMP/leaves.o" sec tc
}

# nothing_there [IFACE]: no pins and no program must be left.
nothing_there() {
	equal "$(pins)" ""
	equal "$(program_id "${1:-eth0}")" ""
}

@test "attach to a veth device uses native mode and says so" {
	wants 0 attach eth0
	equal "$output" "eth0: attached, native mode"
	equal "$stderr" ""
	equal "$(kernel_mode eth0)" 1
}

@test "PORTCTL_DEBUG=verifier prints the log of the verifier and attaches" {
	PORTCTL_DEBUG=verifier wants 0 attach eth0
	equal "$output" "eth0: attached, native mode"
	equal "$(grep -c '^processed [0-9]* insns' <<<"$stderr")" 2
	contains "$stderr" "libbpf: "
	echo "allow 22" >"$TMP/rules"
	PORTCTL_DEBUG=verifier wants 0 apply "$TMP/rules" --confirm 60s
	contains "$stderr" "insns (limit"
	wants 0 confirm
	# An empty value is off; an unknown one gives a note.
	PORTCTL_DEBUG='' wants 0 attach eth0
	equal "$stderr" ""
	PORTCTL_DEBUG=verifer wants 0 attach eth0
	equal "$stderr" 'portctl: note: PORTCTL_DEBUG=verifer has no effect: its only value is "verifier"'
	PORTCTL_DEBUG=verifier wants 0 status
	equal "$stderr" ""
}

@test "status shows interface, mode and time of attaching" {
	wants 0 status
	equal "$output" $'attached to no interface\ndefault allow, 0 rules, not saved (portctl save)'
	portctl attach eth0
	wants 0 status
	contains "${lines[0]}" "INTERFACE        MODE     IFINDEX  ATTACHED"
	[[ ${lines[1]} =~ ^eth0\ +native\ +[0-9]+\ \ 20[0-9-]{8}\ [0-9:]{8}$ ]]
	equal "${lines[2]}" "default allow, 0 rules, not saved (portctl save)"
}

@test "status -j has the keys and types of the design" {
	wants 0 status -j
	equal "$(jq -c . <<<"$output")" '{"interfaces":[],"default":"allow","rules":0,"saved":false,"pending":0,"flows_refused":0,"knock_serve":null}'
	wants 0 attach eth0 -j
	local attached=$output
	wants 0 status -j
	equal "$output" "$attached"
	equal "$(jq -c '.interfaces[0] | keys' <<<"$output")" '["attached_at","ifindex","mode","name"]'
	equal "$(jq -r '.interfaces[0].ifindex' <<<"$output")" \
		"$(server ip -j link show eth0 | jq -r '.[0].ifindex')"
	# The time is UTC, and a moment ago.
	local age
	age=$(jq -r 'now - (.interfaces[0].attached_at | fromdate) | floor' <<<"$output")
	[ "$age" -ge -1 ]
	[ "$age" -lt 30 ]
	portctl default drop
	portctl allow 22
	portctl save
	equal "$(portctl status -j | jq -c 'del(.interfaces)')" '{"default":"drop","rules":1,"saved":true,"pending":0,"flows_refused":0,"knock_serve":null}'
}

@test "detaching the last interface warns if its rules are not saved" {
	wants 0 attach eth0
	wants 0 detach eth0
	equal "$stderr" ""
	portctl attach eth0
	portctl attach lo
	portctl drop 9
	wants 0 detach lo
	equal "$stderr" ""
	wants 0 detach eth0
	one_line "$stderr"
	contains "$stderr" "the running rules were removed with the last interface, and were not saved"
	portctl attach eth0
	portctl drop 9
	export PORTCTL_RULES=$TMP/saved
	portctl save
	wants 0 detach eth0
	equal "$stderr" ""
}

@test "--mode generic attaches in generic mode and filters" {
	start_echo 7000 7001
	wants 0 attach eth0 --mode generic
	equal "$output" "eth0: attached, generic mode"
	equal "$(kernel_mode eth0)" 2
	portctl drop 7000
	no udp_ask "$S4" 7000
	no udp_ask "$S6" 7000
	udp_ask "$S4" 7001
	equal "$(port udp 7000 drop)" 2
	equal "$(stats '.interfaces[0].mode')" generic
}

@test "a driver without native XDP gets generic mode, with a note" {
	wants 0 attach lo
	equal "$output" "lo: attached, generic mode"
	one_line "$stderr"
	contains "$stderr" "note: the driver of lo has no native XDP: generic mode, which is slower"
	start_echo 7000
	portctl drop 7001
	CLIENT=$SERVER udp_ask 127.0.0.1 7000
	CLIENT=$SERVER no udp_ask ::1 7001
	equal "$(port udp 7000)" 1
	equal "$(port udp 7001 drop)" 1
}

@test "--mode native is refused for a driver without native XDP" {
	refused "the driver of lo has no native XDP: attach with --mode generic" \
		attach lo --mode native
	nothing_there lo
}

@test "attach in another mode than the current one is refused" {
	portctl attach eth0
	refused "eth0 is attached in native mode: detach it first to change that" \
		attach eth0 --mode generic
	equal "$(kernel_mode eth0)" 1
	portctl detach eth0
	portctl attach eth0 --mode generic
	refused "eth0 is attached in generic mode: detach it first" attach eth0 --mode native
	# auto keeps the current mode.
	wants 0 attach eth0
	equal "$output" "eth0: program replaced, generic mode"
}

@test "an interface without Ethernet headers is refused" {
	ip -n "$SERVER" tuntap add dev tun0 mode tun || skip "no tun devices here"
	refused "tun0 is not an Ethernet interface (its packets have no Ethernet header)" attach tun0
	nothing_there tun0
}

@test "attach is refused if an ingress qdisc takes the place of clsact" {
	server tc qdisc add dev eth0 ingress
	refused "eth0 has an ingress qdisc where clsact has to be, so outgoing packets cannot be watched: tc qdisc del dev eth0 ingress" \
		attach eth0
	nothing_there
	equal "$(server tc filter show dev eth0 ingress)" ""
	server tc qdisc del dev eth0 ingress
	wants 0 attach eth0
	# An ingress qdisc added later: portctl stays attached, and attach says what to do.
	server tc qdisc del dev eth0 clsact
	server tc qdisc add dev eth0 ingress
	refused "eth0 has an ingress qdisc where clsact has to be" attach eth0
	equal "$(server tc filter show dev eth0 ingress)" ""
	equal "$(kernel_mode eth0)" 1
	wants 0 detach eth0
	nothing_there
}

@test "an existing clsact qdisc is used, and is kept on detach with its filters" {
	server tc qdisc add dev eth0 clsact
	foreign_filter prio 7
	wants 0 attach eth0
	wants 0 detach eth0
	nothing_there
	contains "$(server tc filter show dev eth0 egress)" "pref 7 bpf"
}

@test "attach is refused if an egress filter of another kind has its priority" {
	server tc qdisc add dev eth0 clsact
	foreign_filter prio 1 protocol ip
	refused 'eth0: another filter has priority 1 there ("tc filter show dev eth0 egress"), which portctl needs' \
		attach eth0
	contains "$stderr" "give the other filter another priority"
	nothing_there
	contains "$(server tc filter show dev eth0 egress)" "protocol ip pref 1 bpf"
	server tc filter del dev eth0 egress
	foreign_filter prio 2 protocol ip
	wants 0 attach eth0
	# A filter of the same protocol and kind may share the priority.
	wants 0 detach eth0
	server tc filter del dev eth0 egress
	foreign_filter prio 1
	wants 0 attach eth0
	equal "$(server tc filter show dev eth0 egress | grep -c handle)" 2
}

@test "unknown interfaces are refused by attach and detach" {
	refused 'there is no interface nosuch here: "ip link" lists the interfaces' attach nosuch
	refused "there is no interface averyverylongname1 here" attach averyverylongname1
	refused "there is no interface ../../x here" attach ../../x
	refused "there is no interface  here" attach ""
	nothing_there
	local name
	portctl allow 22
	for name in nosuch "" / .. ../.. eth0 control; do
		refused "portctl is not attached to $name: " detach "$name"
	done
	equal "$(rules)" $'default allow\nallow 22'
	# An interface named before the unknown one is attached.
	wants 1 attach eth0 nosuch
	equal "$(stats '.interfaces[].name')" eth0
}

@test "wrong usage has exit code 2" {
	usage_of attach
	usage_of attach eth0 --mode bogus
	usage_of attach eth0 --bogus
	usage_of detach
	usage_of detach --all eth0
	usage_of status extra
	nothing_there
	wants 2
	contains "$stderr" "usage: portctl COMMAND"
	wants 2 nosuch
	contains "$stderr" 'there is no command "nosuch"'
}

@test "help comes without privileges and with exit code 0" {
	wants 0 --help
	contains "$output" "usage: portctl COMMAND"
	wants 0 help attach
	contains "$output" "usage: portctl attach IFACE...|--all [--mode auto|native|generic]"
	wants 0 detach --help
	contains "$output" "usage: portctl detach"
	wants 2 help nosuch
	wants 0 --version
	[[ $output =~ ^portctl\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

# foreign_by_netlink IP_MODE MODE: the mode as ip(8) and as portctl call it.
foreign_by_netlink() {
	local theirs
	foreign_program
	server ip link set dev eth0 "$1" obj "$TMP/pass.o" sec xdp
	theirs=$(program_id eth0)
	[ -n "$theirs" ]
	refused 'eth0 has another XDP program already ("bpftool net" shows it)' \
		attach eth0 --mode "$2"
	contains "$stderr" "attach with --replace to take its place"
	equal "$(program_id eth0)" "$theirs"
	equal "$(pins)" ""
	wants 0 attach eth0 --mode "$2" --replace
	differ "$(program_id eth0)" "$theirs"
	portctl detach eth0
	nothing_there
}

@test "another program (netlink, native) is kept without --replace" {
	foreign_by_netlink xdpdrv native
}

@test "another program (netlink, generic) is kept without --replace" {
	foreign_by_netlink xdpgeneric generic
}

@test "a portctl with another PORTCTL_BPFFS is kept, with its egress filter" {
	portctl attach eth0
	local watches
	watches=$(server tc filter show dev eth0 egress)
	contains "$watches" "handle 0x706f"
	PORTCTL_BPFFS=$TMP/bpf/other refused \
		'eth0 has another XDP program already ("bpftool net" shows it)' attach eth0
	equal "$(server tc filter show dev eth0 egress)" "$watches"
	[ ! -e "$TMP/bpf/other" ]
}

@test "a refused attach leaves no qdisc" {
	foreign_program
	server ip link set dev eth0 xdpdrv obj "$TMP/pass.o" sec xdp
	wants 1 attach eth0
	equal "$(server tc qdisc show dev eth0 | grep clsact)" ""
}

@test "--replace that fails keeps the other program" {
	ip -n "$SERVER" link add ifb7 index $((RANDOM + 20000)) type ifb || skip "no ifb devices here"
	foreign_program
	server ip link set dev ifb7 xdpgeneric obj "$TMP/pass.o" sec xdp
	local theirs
	theirs=$(program_id ifb7)
	[ -n "$theirs" ]
	wants 1 attach ifb7 --mode native --replace
	one_line "$stderr"
	equal "$(program_id ifb7)" "$theirs"
}

@test "--replace never touches a program in another network namespace" {
	foreign_program
	# The device there has the same name and ifindex, and a program held by a link.
	swapped portctl attach eth0
	server ip link set dev eth0 xdpdrv obj "$TMP/pass.o" sec xdp
	wants 0 attach eth0 --replace
	equal "$(swapped portctl status -j | jq -r '.interfaces[0].mode')" native
	[ -n "$(swapped program_id eth0)" ]
}

@test "another program (bpf_link) is kept without --replace" {
	foreign_program
	bpftool prog load "$TMP/pass.o" "$TMP/bpf/theirs"
	server "$PYTHON" "$NET" link "$TMP/bpf/theirs" eth0
	local theirs
	theirs=$(program_id eth0)
	[ -n "$theirs" ]
	refused 'eth0 has another XDP program already ("bpftool net" shows it)' attach eth0
	equal "$(program_id eth0)" "$theirs"
	wants 0 attach eth0 --replace
	differ "$(program_id eth0)" "$theirs"
	portctl drop 7000
	client "$PYTHON" "$NET" send "$S4" 7000 3
	equal "$(port udp 7000 drop)" 3
	# On portctl's own program, --replace is the same as attaching again.
	wants 0 attach eth0 --replace
	equal "$output" "eth0: program replaced, native mode"
}

@test "--replace of a program held by a link needs more than three capabilities" {
	foreign_program
	bpftool prog load "$TMP/pass.o" "$TMP/bpf/theirs"
	server "$PYTHON" "$NET" link "$TMP/bpf/theirs" eth0
	local theirs three=+bpf,+net_admin,+perfmon
	theirs=$(program_id eth0)
	run -1 --separate-stderr server setpriv --bounding-set="-all,$three" --inh-caps="-all,$three" \
		--ambient-caps="-all,$three" "$PORTCTL" attach eth0 --replace
	one_line "$stderr"
	contains "$stderr" "cannot remove the XDP program on eth0: a link of another program keeps it; end that program, or run this as root"
	equal "$(program_id eth0)" "$theirs"
	equal "$(pins | grep -v theirs)" ""
	equal "$(server tc filter show dev eth0 egress)" ""
}

@test "attach again replaces the program and keeps link, counters and rules" {
	portctl attach eth0
	portctl drop 7000
	client "$PYTHON" "$NET" send "$S4" 7000 5
	client "$PYTHON" "$NET" send "$S6" 7001 7
	local link program
	link=$(bpftool -j link show pinned "$TMP"/bpf/portctl/*/eth0/link | jq .id)
	program=$(program_id eth0)
	wants 0 attach eth0
	equal "$output" "eth0: program replaced, native mode"
	equal "$(bpftool -j link show pinned "$TMP"/bpf/portctl/*/eth0/link | jq .id)" "$link"
	differ "$(program_id eth0)" "$program"
	client "$PYTHON" "$NET" send "$S4" 7000 5
	equal "$(port udp 7000 drop)" 10
	equal "$(port udp 7001)" 7
	equal "$(portctl list -j | jq -c '.rules[0] | [.rule, .packets]')" '["drop 7000",10]'
	adds_up
}

@test "attach --all replaces the program where portctl is attached, and only there" {
	wants 0 attach --all
	equal "$output" ""
	add_link eth1 10.78.0.1 fd78::1 10.78.0.2 fd78::2
	add_link eth2 10.79.0.1 fd79::1 10.79.0.2 fd79::2
	portctl attach eth0 eth1
	local first second
	first=$(program_id eth0)
	second=$(program_id eth1)
	wants 0 attach --all
	equal "$output" $'eth0: program replaced, native mode\neth1: program replaced, native mode'
	differ "$(program_id eth0)" "$first"
	differ "$(program_id eth1)" "$second"
	equal "$(program_id eth2)" ""
	# A deleted device does not prevent it for the others.
	ip -n "$SERVER" link del eth0
	wants 0 attach --all
	equal "$output" "eth1: program replaced, native mode"
	usage_of attach --all eth0
	usage_of attach
}

@test "every packet is judged while attach replaces the program 20 times" {
	background sink server "$PYTHON" "$NET" count 7000
	local sink=$pid
	portctl attach eth0
	portctl default drop
	portctl allow 9000
	eventually listening u 7000
	background flood client "$PYTHON" "$NET" flood "$S4" 7000 60
	local flood=$pid before after
	before=$(port udp 7000 drop)
	for _ in {1..20}; do
		portctl attach eth0 >/dev/null
	done
	after=$(port udp 7000 drop)
	stop "$flood"
	stop "$sink"
	# The flood lasted all the time, and nothing came through.
	[ "$after" -gt "$((before + 10000))" ]
	equal "$(cat sink.out)" 0
	equal "$(port udp 7000 pass)" 0
	adds_up
}
