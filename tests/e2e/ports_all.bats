#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# ports, with all ports: nmap scans all of them, and all of them have a listener. A file of its own
# because both take long: nmap waits for answers, and slows down on a busy machine.

load helpers
load helpers_replies

# agree_all COUNT NMAP_ARGUMENTS...: nmap must find the same state for every TCP port; COUNT
# ports must not be closed.
agree_all() {
	portctl ports --all --from "$from" -j 2>/dev/null |
		jq -r '.ports[] | select(.proto == "tcp" and .port > 0 and .state != "closed") | "\(.port)/tcp \(.state)"' |
		sort >"$TMP/said"
	client nmap -n -Pn -sS -T5 --max-retries 4 -p- -oX "$TMP/xml" "${@:2}" >/dev/null
	# nmap lists single ports only if their state differs from that of most.
	"$PYTHON" -c "
import xml.etree.ElementTree as tree
ports = tree.parse('$TMP/xml').find('.//ports')
for extra in ports.findall('extraports'):
	for reasons in extra.findall('extrareasons'):
		if extra.get('state') == 'closed':
			continue
		for part in reasons.get('ports').split(','):
			first, _, last = part.partition('-')
			for port in range(int(first), int(last or first) + 1):
				print('%d/tcp %s' % (port, extra.get('state')))
for port in ports.findall('port'):
	if port.find('state').get('state') != 'closed':
		print('%s/tcp %s' % (port.get('portid'), port.find('state').get('state')))" |
		sort >"$TMP/seen"
	equal "$(wc -l <"$TMP/said")" "$1"
	equal "$(diff "$TMP/said" "$TMP/seen" | head)" ""
}

@test "nmap finds the same states for all 65,535 TCP ports, IPv4 and IPv6" {
	attach_with $'default allow\ndrop 30000-30999\nreject 113'
	listen_as program tcp:0.0.0.0:22 tcp:0.0.0.0:30001 "tcp:[::]:50000"
	receive_answers
	local from=$C4
	agree_all 1002 "$S4"
	from=$C6
	agree_all 1001 -6 "$S6"
}

# spent NAME COMMAND...: notes the CPU time in seconds, because other processes run too. An exit
# code of 1 is an audit with findings.
spent() {
	local TIMEFORMAT='%U %S' seconds
	seconds=$({ time "${@:2}" >/dev/null 2>"$TMP/spent.err" || [ $? = 1 ]; } 2>&1)
	awk '{ print $1 + $2 }' <<<"$seconds" >>"$TMP/spent.$1"
}

# no_more_than PEER NAME: the median CPU time of NAME must not exceed PEER's.
no_more_than() {
	local peer own
	peer=$(sort -n "$TMP/spent.$1" | sed -n 2p)
	own=$(sort -n "$TMP/spent.$2" | sed -n 2p)
	echo "$1 $peer s, $2 $own s"
	awk -v a="$peer" -v b="$own" 'BEGIN { exit !(a > 0 && b > 0 && b <= a) }'
}

@test "with 65,535 listeners ports, audit and suggest are no slower than ss" {
	# Several processes, because one may have at most 20,000 files open.
	background many server "$PYTHON" -c "
import os, resource, socket, time
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
held = []
for first in range(1, 65536, 10000):
	if os.fork() == 0:
		for port in range(first, min(first + 10000, 65536)):
			s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
			s.bind(('0.0.0.0', port))
			held.append(s)
		print('ready', flush=True)
		time.sleep(200)
time.sleep(200)"
	# The processes need some seconds to begin to listen.
	local tries
	for tries in {1..600}; do
		[ "$(grep -c ready "$TMP/many.out")" = 7 ] && break
		sleep 0.1
	done
	equal "$(grep -c ready "$TMP/many.out")" 7
	equal "$(portctl ports -j | jq -c '[.ports[].listeners[0].pid] | [length, (unique | length)]')" \
		'[65535,7]'
	equal "$(portctl ports | wc -l)" 65536
	local round
	for round in 1 2 3; do
		spent peer server ss -lunp
		spent ports portctl ports
		spent ports-j portctl ports -j
		spent audit portctl audit --ignore unnamed
		spent suggest portctl suggest
	done
	local name
	for name in ports ports-j audit suggest; do no_more_than peer "$name"; done
}
