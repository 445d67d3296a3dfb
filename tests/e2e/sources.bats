#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Rules with "from": which sources reach a port, which rule wins, and what is refused.
load helpers
load helpers_replies

office() {
	attach_with $'default drop\nallow http from 10.77.0.1, fd77::1' "$1"
	client_address 10.77.0.11/24
	client_address fd77::11/64
	start_http 80
	get_from "$C4" "$S4"
	get_from "$C6" "[$S6]"
	equal "$(line default)" 0
	at_least "$(line 'allow 80/tcp from 10.77.0.1, fd77::1')" 8
	no_get_from 10.77.0.11 "$S4"
	no_get_from fd77::11 "[$S6]"
	at_least "$(line default drop)" 2
	equal "$(port tcp 80 drop)" "$(line default drop)"
	all_add_up
}
@test "sources that a rule names reach the port, others do not" { office native; }
@test "sources that a rule names reach the port, generic mode" { office generic; }

@test "nested prefixes: allow, within that drop, within that allow" {
	attach_with "default allow
allow http from 10.77.0.0/24, fd77::/64
drop http from 10.77.0.8/29, fd77::10/124
allow http from 10.77.0.9, fd77::19
drop http"
	local address
	for address in 10.77.0.9/24 10.77.0.10/24 10.77.0.16/24 10.88.0.1/24; do
		client_address "$address"
	done
	for address in fd77::19/64 fd77::1a/64 fd77::20/64 fd88::1/64; do client_address "$address"; done
	start_http 80
	get_from 10.77.0.9 "$S4"
	get_from 10.77.0.16 "$S4"
	get_from fd77::19 "[$S6]"
	get_from fd77::20 "[$S6]"
	equal "$(port tcp 80 drop)" 0
	no_get_from 10.77.0.10 "$S4"
	no_get_from fd77::1a "[$S6]"
	equal "$(port tcp 80 drop)" "$(line 'drop 80/tcp from 10.77.0.8/29, fd77::10/124')"
	equal "$(line 'drop 80/tcp')" 0
	ip -n "$SERVER" route add 10.88.0.0/24 dev eth0
	no_get_from 10.88.0.1 "$S4"
	at_least "$(line 'drop 80/tcp')" 1
	all_add_up
}

@test "of rules for the same port the longest prefix wins, in any order" {
	attach_with "default drop
allow 53/udp from 10.77.0.0/16 comment \"a\"
drop 53/udp from 10.77.0.0/24 comment \"b\"
allow 53/udp from 10.77.0.0/30 comment \"c\"
drop 53/udp from 0.0.0.0/0 comment \"d\"
allow 53/udp from 10.0.0.0/8 comment \"e\""
	printf '%s\n' 10.77.1.1 10.77.0.9 10.77.0.3 192.0.2.1 192.0.2.2 10.1.1.1 |
		from_sources "$S4" 53
	local want
	for want in '10.77.0.0/16:1' '10.77.0.0/24:1' '10.77.0.0/30:1' '0.0.0.0/0:2' '10.0.0.0/8:1'; do
		equal "$(stats "[.interfaces[].lines[] | select(.line | contains(\"from ${want%:*} \")
			or endswith(\"from ${want%:*}\")) | .packets] | add // 0")" "${want#*:}"
	done
	equal "$(port udp 53 pass)" 3
	equal "$(port udp 53 drop)" 3
}

@test "a narrower range wins over a longer prefix, and one protocol over both" {
	attach_with "default allow
drop 8000-8100 from 10.77.0.1
allow 8080
allow 8090/tcp
drop 8090 from 10.77.0.1"
	start_http 8080
	start_http 8050
	start_http 8090
	start_echo 8090
	http_get "$S4" 8080
	WAIT=0.3 no http_get "$S4" 8050
	http_get "$S4" 8090
	no udp_ask "$S4" 8090
	at_least "$(line 'allow 8080')" 4
	at_least "$(line 'drop 8000-8100 from 10.77.0.1')" 1
	equal "$(line 'drop 8090 from 10.77.0.1')" 1
	all_add_up
}

@test "if no source matches, a wider range decides, then the default" {
	attach_with "default drop
drop 80/tcp from 192.0.2.0/24
allow 1-1023/tcp from 10.77.0.0/24
allow 443/tcp from 192.0.2.0/24"
	start_http 80
	start_http 443
	start_http 2000
	http_get "$S4"
	http_get "$S4" 443
	at_least "$(line 'allow 1-1023/tcp from 10.77.0.0/24')" 8
	WAIT=0.3 no http_get "$S4" 2000
	WAIT=0.3 no http_get "[$S6]" 80
	at_least "$(line default)" 2
	equal "$(line 'drop 80/tcp from 192.0.2.0/24')" 0
}

@test "\"drop from\" drops every port, ICMP echo and errors, and fragments" {
	attach_with "default allow
drop from 10.77.0.1, fd77::1
allow 80"
	start_http 80
	start_http 8080
	WAIT=0.3 no http_get "$S4"
	WAIT=0.3 no http_get "$S4" 8080
	WAIT=0.3 no http_get "[$S6]"
	run -1 client ping -q -c 1 -W 0.3 "$S4"
	run -1 client ping -q -c 1 -W 0.3 "$S6"
	local before
	before=$(line 'drop from 10.77.0.1, fd77::1')
	at_least "$before" 5
	flood first "$C4" "$S4" 80 10
	flood later "$C4" "$S4" 80 10
	flood later "$C6" "$S6" 80 10
	flood error "$C4" "$S4" 0 10
	equal "$(line 'drop from 10.77.0.1, fd77::1')" $((before + 40))
	equal "$(line fragment)" 0
	equal "$(line icmp-errors)" 0
	equal "$(line echo)" 0
	client_address 10.77.0.11/24
	get_from 10.77.0.11 "$S4"
	get_from 10.77.0.11 "$S4" 8080
	at_least "$(line 'allow 80')" 4
	at_least "$(line default)" 4
	all_add_up
}

@test "\"allow from\" passes every port, ICMP and other protocols, also where rules drop" {
	attach_with "default drop
allow from 10.77.0.0/24, fd77::/64
drop from 10.77.0.11
drop 80
option echo off
option fragments drop"
	client_address 10.77.0.11/24
	start_http 80
	start_http 8080
	http_get "$S4"
	http_get "$S4" 8080
	http_get "[$S6]"
	client ping -q -c 1 -W 1 "$S4"
	client ping -q -c 1 -W 1 "$S6"
	client "$PYTHON" "$NET" protocol "$S4" 47 1
	client "$PYTHON" "$NET" protocol "$S6" 132 1
	flood later "$C4" "$S4" 80 1
	at_least "$(line 'allow from 10.77.0.0/24, fd77::/64')" 17
	equal "$(line default)" 0
	no_get_from 10.77.0.11 "$S4"
	no_get_from 10.77.0.11 "$S4" 8080
	run -1 client ping -q -c 1 -W 0.3 -I 10.77.0.11 "$S4"
	at_least "$(line 'drop from 10.77.0.11')" 3
	echo 10.88.0.1 | from_sources "$S4" 8080
	equal "$(line default)" 1
	equal "$(line 'drop 80')" 0
}

@test "a prefix of length 0 matches one address family, /32 and /128 one address" {
	attach_with "default allow
drop 80 from 0.0.0.0/0
allow 80 from 10.77.0.1/32
drop 81 from ::/0
allow 81 from fd77::1/128"
	client_address 10.77.0.11/24
	client_address fd77::11/64
	start_http 80
	start_http 81
	get_from "$C4" "$S4"
	no_get_from 10.77.0.11 "$S4"
	get_from fd77::11 "[$S6]"
	get_from "$C6" "[$S6]" 81
	no_get_from fd77::11 "[$S6]" 81
	get_from 10.77.0.11 "$S4" 81
	at_least "$(line 'drop 80 from 0.0.0.0/0')" 1
	at_least "$(line 'drop 81 from ::/0')" 1
	at_least "$(line 'allow 80 from 10.77.0.1')" 4
	at_least "$(line 'allow 81 from fd77::1')" 4
}

# 2001:db8:: begins with the same bits as 32.1.13.184; fd77:: as 253.119.
@test "an IPv4 prefix never matches an IPv6 source, and an IPv6 prefix no IPv4 source" {
	attach_with "default allow
drop 53/udp from 32.0.0.0/8, 32.1.13.184
drop from 32.0.0.0/7
drop 54/udp from 2000::/3, a4d:1::/32"
	printf '%s\n' 2001:db8::1 2000::1 2fff::1 | from_sources "$S6" 53
	equal "$(line default)" 3
	printf '%s\n' 32.1.13.184 33.0.0.1 10.77.0.1 | from_sources "$S4" 54
	equal "$(port udp 54 pass)" 1
	equal "$(line 'drop from 32.0.0.0/7')" 2
	printf '%s\n' 2001:db8::1 a4d:1::1 | from_sources "$S6" 54
	equal "$(port udp 54 drop)" 4
	equal "$(port udp 53 drop)" 0
}

@test "\"on\" and \"from\" in one rule must both match" {
	add_link eth1 10.80.0.1 fd80::1 10.80.0.2 fd80::2
	portctl attach eth0 eth1
	printf '%s\n' 'default drop' 'allow http from 10.77.0.0/24, fd77::/64 on eth0' \
		'allow http from 10.80.0.0/24' 'drop http from 10.80.0.1 on eth1' >"$TMP/rules"
	portctl apply "$TMP/rules"
	start_http 80
	get_from "$C4" "$S4"
	get_from "$C6" "[$S6]"
	no_get_from 10.80.0.1 10.80.0.2
	at_least "$(line 'drop 80/tcp from 10.80.0.1 on eth1')" 1
	client_address 10.80.0.5/32
	ip -n "$CLIENT" route replace "$S4/32" dev eth0
	get_from 10.80.0.5 "$S4"
	at_least "$(line 'allow 80/tcp from 10.80.0.0/24')" 4
	# The allowed address, but on the other interface.
	MAC=$(mac_of "$SERVER" eth1)
	echo "$C4" | wire from eth1 "$MAC" 10.80.0.2 80
	wire flood eth1 "$MAC" syn "$C4" 10.80.0.2 80 3
	equal "$(line default)" 4
	equal "$(line 'allow 80/tcp from 10.77.0.0/24, fd77::/64 on eth0')" \
		"$(stats '.interfaces[] | select(.name == "eth0") | .lines[]
			| select(.line | endswith("on eth0")) | .packets')"
}

@test "rules for sources are added, replaced and deleted by command" {
	attach_with "default drop"
	start_http 80
	WAIT=0.3 no http_get "$S4"
	portctl allow http from 10.77.0.0/24
	http_get "$S4"
	portctl drop http from "$C4"
	WAIT=0.3 no http_get "$S4"
	# Another action for the same source replaces only that rule.
	portctl allow http from "$C4"
	http_get "$S4"
	contains "$(rules)" "allow 80/tcp from 10.77.0.1"
	lacks "$(rules)" "drop 80"
	portctl delete allow http from "$C4"
	portctl delete allow http from 10.77.0.0/24
	WAIT=0.3 no http_get "$S4"
	equal "$(rules)" "default drop"
}

# The service's answers must not make its clients' packets replies.
@test "after its rule is deleted a source is shut out, from the same port too" {
	attach_with "default drop
allow 53/udp from 10.77.0.0/24"
	start_echo 53
	same_port_ask "$S4" 53
	portctl delete allow 53/udp from 10.77.0.0/24
	no same_port_ask "$S4" 53
	equal "$(line default)" 1
	equal "$(line reply)" 0
}

# many NUMBER: writes rules that allow 53/udp from NUMBER prefixes, half of them IPv4 addresses
# from 100.64.0.0 on and half IPv6 /64s from 2001:db8:: on, leaving out every third.
many() {
	"$PYTHON" -c "
import ipaddress
n = $1 // 2
v4 = int(ipaddress.ip_address('100.64.0.0'))
v6 = int(ipaddress.ip_address('2001:db8::'))
print('default drop')
for i in range(0, n, 100):
    print('allow 53/udp from', ', '.join(
        [str(ipaddress.ip_address(v4 + 3 * j // 2)) for j in range(i, i + 100)] +
        [str(ipaddress.ip_address(v6 + ((3 * j // 2) << 64))) + '/64' for j in range(i, i + 100)]))
print('drop 53/udp from 100.64.0.0/10, 2001:db8::/32')" >"$TMP/rules"
}
large() {
	portctl attach eth0
	MAC=$(mac_of "$SERVER")
	many "$1"
	local begin=$EPOCHREALTIME
	in_time "$2" portctl apply "$TMP/rules"
	awk -v a="$begin" -v b="$EPOCHREALTIME" \
		-v n="$1" 'BEGIN { printf "# %d prefixes applied in %.2f s\n", n, b - a }' >&3
	"$PYTHON" -c "
import ipaddress, random
random.seed(7)
for _ in range(400):
    j = random.randrange($1 // 4)
    print(ipaddress.ip_address(int(ipaddress.ip_address('100.64.0.0')) + 3 * j + random.choice((0, 1))))
for _ in range(100):
    j = random.randrange($1 // 4)
    print(ipaddress.ip_address(int(ipaddress.ip_address('100.64.0.0')) + 3 * j + 2))
for _ in range(50):
    print(ipaddress.ip_address(0xC0000200 + random.randrange(256)))" | from_sources "$S4" 53
	equal "$(port udp 53 pass)" 400
	equal "$(line 'drop 53/udp from 100.64.0.0/10, 2001:db8::/32')" 100
	equal "$(line default)" 50
	"$PYTHON" -c "
import ipaddress, random
random.seed(8)
base = int(ipaddress.ip_address('2001:db8::'))
for kind, times in ((0, 400), (2, 100)):
    for _ in range(times):
        j = 3 * random.randrange($1 // 4) + (kind or random.choice((0, 1)))
        print(ipaddress.ip_address(base + (j << 64) + random.getrandbits(64)))" | from_sources "$S6" 53
	equal "$(port udp 53 pass)" 800
	equal "$(line 'drop 53/udp from 100.64.0.0/10, 2001:db8::/32')" 200
	equal "$(line default)" 50
	# Remove them all.
	in_time "$2" portctl drop 54
	printf 'default allow\n' >"$TMP/rules"
	portctl apply "$TMP/rules"
	echo 100.64.0.2 | from_sources "$S4" 53
	equal "$(port udp 53 pass)" 801
}
@test "10,000 prefixes give the right verdicts" { large 10000 5; }
@test "100,000 prefixes give the right verdicts" { large 100000 20; }

@test "wrong sources are refused, and nothing changes" {
	attach_with "default drop"
	refused "host bits are set: expected 10.77.0.0/24" allow 80 from 10.77.0.1/24
	refused "host bits are set: expected fd77::/64" allow 80 from fd77::1/64
	refused "length from 0 to 32" allow 80 from 10.0.0.0/33
	refused "length from 0 to 128" allow 80 from fd77::/129
	refused "length from 0 to 32" allow 80 from 10.0.0.0/
	refused "length from 0 to 32" allow 80 from 10.0.0.0/8x
	refused "expected an address or prefix" allow 80 from 10.0.0
	refused "expected an address or prefix" allow 80 from 10.0.0.256
	refused "expected an address or prefix" allow 80 from example.org
	refused "expected an address or prefix" allow 80 from
	refused "expected an address or prefix" allow 80 from "10.0.0.1,"
	refused "only one \"from\"" allow 80 from 10.0.0.1 from 10.0.0.2
	refused "no packet of this IP protocol" allow icmp from fd77::/64
	refused "no packet of this IP protocol" allow ipv6-icmp from 10.0.0.0/8
	refused "no packet of this IP protocol" allow icmp from 10.0.0.0/8, fd77::/64
	refused "expected a port" drop on eth0 from 10.0.0.1
	equal "$(rules)" "default drop"
	# In a file: with line and column. A contradiction about a source names both lines.
	printf 'default drop\nallow 80 from 10.0.0.1/8\n' >"$TMP/bad"
	refused "$TMP/bad:2:15: " apply "$TMP/bad"
	printf 'allow 80 from 10.0.0.0/8\ndrop 80 from 10.0.0.0/8\n' >"$TMP/bad"
	wants 1 apply "$TMP/bad"
	contains "$stderr" "$TMP/bad:2"
	equal "$(rules)" "default drop"
}
