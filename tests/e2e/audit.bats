#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# audit: open ports and rules that nobody may be aware of. suggest: a ruleset to begin with.

load helpers
load helpers_replies

# found [ARGUMENTS...]: prints audit's findings in one line, as KIND:PORT or KIND:RULE.
found() {
	portctl audit -j "$@" 2>/dev/null |
		jq -r '.findings[] | "\(.finding):\(.rule // "\(.port)/\(.proto)")"' | paste -sd ' '
}
audit_status() { run --separate-stderr portctl audit "$@"; }

@test "audit: each kind of finding, and none for a clean host" {
	attach_with $'default drop\nallow 22/tcp\nallow 8000-8010/tcp\nallow 6379/tcp\nallow 3306/tcp from 10.77.0.1\nallow 9999/udp'
	listen_as sshd tcp:0.0.0.0:22 tcp:127.0.0.1:631
	equal "$(found --ignore unused)" ""
	audit_status --ignore unused
	equal "$status $output" "0 "
	equal "$(found)" "unused:allow 8000-8010/tcp unused:allow 6379/tcp unused:allow 3306/tcp from 10.77.0.1 unused:allow 9999/udp"
	listen_as redis-server tcp:0.0.0.0:6379 tcp:0.0.0.0:8001
	listen_as mariadbd "tcp:[::]:3306" tcp:0.0.0.0:7000
	listen_as badge udp:0.0.0.0:9999 tcp:0.0.0.0:80
	equal "$(found)" "exposed:6379/tcp filtered:80/tcp filtered:7000/tcp foreign-port:7000/tcp foreign-port:8001/tcp foreign-program:80/tcp"
	audit_status
	equal "$status" 1
	contains "$output" "6379/tcp: redis-server listens on 0.0.0.0, and everybody can reach it (Redis: a database"
	# Repeated, the output is the same, byte for byte.
	equal "$(portctl audit -j)" "$(portctl audit -j)"
	portctl default allow --force
	# A rule allows 3306 to one source; now everybody reaches the port.
	contains "$(found)" "unnamed:80/tcp unnamed:3306/tcp unnamed:7000/tcp exposed"
}

@test "audit --policy: ports that are open wider than the policy allows" {
	attach_with $'default drop\nallow 22/tcp\nallow 6379/tcp\nallow 5432/tcp from 10.77.0.0/24'
	listen_as sshd tcp:0.0.0.0:22
	listen_as redis-server tcp:0.0.0.0:6379
	listen_as postgres tcp:0.0.0.0:5432
	echo 'default drop
allow 22/tcp from 10.77.0.1
allow 5432/tcp from 10.77.0.1' >policy
	equal "$(found --policy policy)" "unnamed:6379/tcp wider:22/tcp wider:5432/tcp exposed:6379/tcp"
	contains "$(portctl audit --policy policy)" "10.77.0.0/24 can reach it, but the policy does not allow that"
	echo 'allow 22/tcp
allow 6379/tcp comment "we know"
allow 5432/tcp from 10.77.0.0/16' >policy
	equal "$(found --policy policy)" ""
	audit_status --policy none
	equal "$status" 2
	echo 'allow 99999' >policy
	audit_status --policy policy
	equal "$status" 2
	contains "$stderr" "policy:1:7"
}

@test "a DHCP client's port needs no rule while option dhcp is on" {
	attach_with 'default drop'
	listen_as dhclient udp:0.0.0.0:68 "udp:[::]:546"
	client "$PYTHON" -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('$C4', 67))
s.sendto(b'x', ('$S4', 68))"
	equal "$(found)" ""
	equal "$(portctl ports -j | jq -c '[.ports[] | [.port, .reachable, .passed]]')" \
		'[[68,"dhcp",1],[546,"dhcp",0]]'
	portctl suggest >rules
	contains "$(cat rules)" "# 68/udp bootpc: dhclient listens on 0.0.0.0; 1 packets passed: a DHCP client, which option dhcp lets in"
	lacks "$(cat rules)" "allow"
	echo 'default drop' >policy
	equal "$(found --policy policy)" ""
	echo 'option dhcp off' >policy
	equal "$(found --policy policy)" "unnamed:68/udp unnamed:546/udp"
	portctl option dhcp off
	equal "$(found)" "filtered:68/udp filtered:546/udp"
	equal "$(portctl ports -j | jq -c '[.ports[].reachable]')" '["no","no"]'
	# suggest keeps an explicit rule for the port.
	portctl option dhcp on
	portctl allow 68/udp
	contains "$(portctl suggest)" "allow 68/udp comment"
}

@test "audit checks an ephemeral UDP port only if a rule or the policy names it" {
	attach_with 'default drop
allow 51820/udp
allow 50000-60000/udp'
	listen_as wireguard udp:0.0.0.0:51820 udp:0.0.0.0:51821
	echo 'default drop' >policy
	equal "$(found --policy policy --ignore unused)" "unnamed:51820/udp"
	echo $'default drop\nallow 51820/udp from 10.77.0.1' >policy
	equal "$(found --policy policy --ignore unused)" "wider:51820/udp"
	echo $'default drop\nallow 51821/udp from 10.77.0.1' >policy
	equal "$(found --policy policy --ignore unused)" "unnamed:51820/udp wider:51821/udp"
	equal "$(found)" ""
	portctl drop 51820/udp
	equal "$(found --ignore unused)" "filtered:51820/udp"
}

@test "audit --days: rules without packets since they were added" {
	attach_with $'default drop\nallow 80/tcp comment "x"\nallow 81/tcp'
	listen_as nginx tcp:0.0.0.0:80 tcp:0.0.0.0:81
	equal "$(found --ignore foreign-port)" ""
	equal "$(found --days 0 --ignore foreign-port)" "idle:allow 80/tcp idle:allow 81/tcp"
	client knock "$S4" 80:tcp
	equal "$(found --days 0 --ignore foreign-port)" "idle:allow 81/tcp"
	# A rule that an apply keeps also keeps its age.
	local since
	since=$(portctl list -j | jq '.rules[1].since')
	sleep 0.1
	printf 'default drop\nallow 81/tcp\nallow 82/tcp\n' >rules
	portctl apply --force rules
	equal "$(portctl list -j | jq ".rules[0].since == $since and .rules[1].since > $since")" true
}

@test "audit: output that cannot be written is exit code 2" {
	listen_as web tcp:0.0.0.0:7011
	full() { run "$1" --separate-stderr server bash -c '"$PORTCTL" audit "$@" >/dev/full' - "${@:2}"; }
	local words
	for words in "" -j "-j --ignore unnamed"; do
		full -2 $words
		one_line "$stderr"
		contains "$stderr" "cannot write the output"
	done
	# Without findings nothing is written.
	full -0 --ignore unnamed
}

@test "audit without an attached interface, wrong usage, a program name with control characters" {
	listen_as "$(printf 'a\033[31m"b')" tcp:0.0.0.0:7011 udp:0.0.0.0:40000
	equal "$(found)" "unnamed:7011/tcp"
	contains "$(portctl audit)" 'a?[31m"b listens on 0.0.0.0'
	contains "$(portctl ports -j | jq -c '.ports[0].listeners')" '"a?[31m\"b"'
	contains "$(portctl suggest)" 'allow 7011/tcp comment "a?[31m\"b listens on 0.0.0.0; traffic was not counted"'
	portctl suggest >rules
	portctl check rules
	audit_status --ignore nonsense
	equal "$status" 2
	usage_of audit 22
	usage_of audit --days x
}

@test "ports: a process that cannot be read is unknown, with a note why" {
	background other server setpriv --reuid 1234 --clear-groups "$PYTHON" -c "
import socket, time
s = socket.socket(); s.bind(('0.0.0.0', 7001)); s.listen(); print('ready', flush=True); time.sleep(100)"
	eventually grep -q ready "$TMP/other.out"
	equal "$(portctl ports -j | jq -r '.ports[0].listeners[0] | .pid != null and .user == "1234"')" true
	run --separate-stderr server setpriv --bounding-set -sys_ptrace,-dac_read_search,-dac_override "$PORTCTL" ports -j
	equal "$(jq -c '.ports[0].listeners[0] | [.program, .pid, .user, .unknown]' <<<"$output")" \
		'[null,null,"1234","another user'"'"'s process, which only root can inspect"]'
	contains "$stderr" "the process of 1 listeners is not known: another user's"
	# The same if the descriptors can be listed but not read.
	run --separate-stderr server setpriv --bounding-set -sys_ptrace "$PORTCTL" ports
	contains "$output" "unknown 1234 0.0.0.0"
	contains "$stderr" "the process of 1 listeners is not known: another user's"
}

@test "suggest: every source meets the same verdicts as before" {
	attach_with $'default reject
allow 22 80/tcp
allow 1000-1010/tcp
drop 22 from 203.0.113.0/24
drop 1-65535/tcp from 198.51.100.0/24 comment "bad"
drop 1005 from 192.0.2.1, 192.0.2.2
allow 1005/tcp from 192.0.2.2
reject 1-1023
allow 8080/tcp for 1h'
	listen_as web tcp:0.0.0.0:22 tcp:0.0.0.0:80 tcp:0.0.0.0:1005 tcp:0.0.0.0:8080
	client knock "$S4" 22:tcp 80:tcp 1005:tcp 8080:tcp
	portctl suggest >rules
	portctl check rules
	contains "$(cat rules)" "# 8080/tcp http-alt: web listens on 0.0.0.0; 3 packets passed: a temporary rule opens it"
	# Sources that rules name, and others.
	verdicts() {
		local source port
		for source in "$C4" "$C6" 203.0.113.9 198.51.100.9 192.0.2.1 192.0.2.2 192.0.2.3; do
			for port in 22 80 1005; do
				echo "$source $port $(said "$port" "$source")"
			done
		done
	}
	verdicts >before
	contains "$(cat before)" "203.0.113.9 22 filtered"
	contains "$(cat before)" "$C4 22 open"
	portctl apply --force rules
	verdicts >after
	diff before after
}
# said PORT SOURCE: the state of the port for that source, says "portctl ports".
said() {
	portctl ports -j --from "$2" | jq -r ".ports[] | select(.port == $1 and .proto == \"tcp\") | .state"
}

@test "suggest: a port used on any interface is allowed" {
	add_link eth1 10.79.0.1 fd79::1 10.79.0.2 fd79::2
	portctl attach eth1
	attach_with "default allow"
	listen_as web tcp:0.0.0.0:80 tcp:0.0.0.0:81
	client knock 10.79.0.2 80:tcp
	contains "$(portctl suggest)" "the counters of eth0, eth1."
	contains "$(portctl suggest)" 'allow 80/tcp comment "http: web listens on 0.0.0.0; '
	contains "$(portctl suggest)" "# 81/tcp web listens on 0.0.0.0; 0 packets passed: not used so far"
	lacks "$(portctl suggest --on eth0)" "allow 80/tcp"
}

@test "suggest: used ports are allowed, unused left out, and rules kept" {
	attach_with $'default allow\nallow 443\ndrop 25/tcp\nallow 5432/tcp from 10.77.0.1 comment "app"\nknock ssh opens 2222/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s'
	listen_as sshd tcp:0.0.0.0:22 tcp:0.0.0.0:2222 tcp:0.0.0.0:25 "tcp:[::]:5432" tcp:127.0.0.1:631 tcp:0.0.0.0:8080 udp:0.0.0.0:53 udp:0.0.0.0:40000
	client knock "$S4" 22:tcp 53:udp
	hold open client "$S4" 22
	run --separate-stderr portctl suggest
	equal "$status" 0
	echo "$output" >rules
	portctl check rules
	equal "$(portctl suggest -j | jq -r .ruleset)" "$output"
	equal "$(grep -v '^#' rules | sed '/^$/d; s/ comment "[a-z]*: sshd.*//')" "default drop
allow 22/tcp
allow 53/udp
drop 25/tcp
allow 5432/tcp from 10.77.0.1 comment \"app\"
knock ssh opens 2222/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s"
	contains "$output" 'allow 22/tcp comment "ssh: sshd listens on 0.0.0.0; '
	contains "$output" ', open connections: 1"'
	contains "$output" "# 8080/tcp http-alt: sshd listens on 0.0.0.0; 0 packets passed: not used so far"
	contains "$output" "# 40000/udp sshd listens on 0.0.0.0; 0 packets passed: replies are let in without a rule"
	contains "$output" "# 5432/tcp postgresql: sshd listens on ::; 0 packets passed: a kept rule covers it"
	contains "$output" "# allow 443: nothing listens there"
	lacks "$output" 631
	# The open connection stays allowed, so apply needs no --force.
	portctl apply rules --confirm 60s
	portctl confirm
	usage_of suggest 22
}
