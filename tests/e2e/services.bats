#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# services: the names of ports, and the ports of a name.

load helpers

@test "services of a port, of a name and all; wrong arguments" {
	equal "$(portctl services 22 -j)" \
		'{"services":[{"port":22,"proto":"tcp","class":"well-known","service":"ssh"},{"port":22,"proto":"udp","class":"well-known","service":null}]}'
	equal "$(portctl services domain -j | jq -c '[.services[] | [.port, .proto]]')" '[[53,"tcp"],[53,"udp"]]'
	equal "$(portctl services 50000 -j | jq -c '[.services[] | [.class, .service]]')" \
		'[["dynamic",null],["dynamic",null]]'
	equal "$(portctl services 8080 -j | jq -r '.services[0].class')" registered
	# Each TCP and UDP port of the database once.
	equal "$(portctl services -j | jq '.services | length')" \
		"$(awk '$2 ~ /^[0-9]+\/(tcp|udp)$/ { print $2 }' /etc/services | sort -u | wc -l)"
	contains "$(portctl services ssh)" "22  tcp    well-known  ssh"
	refused 'found "nothing", expected a port, or a name' services nothing
	refused 'found "65536", expected a port of at most 65535' services 65536
	usage_of services 22 23
}
