#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# services: names of ports, and ports of names.

load helpers

@test "a port, a name, all of them; wrong words" {
	equal "$(portctl services 22 -j)" \
		'{"services":[{"port":22,"proto":"tcp","class":"well-known","service":"ssh"},{"port":22,"proto":"udp","class":"well-known","service":null}]}'
	equal "$(portctl services domain -j | jq -c '[.services[] | [.port, .proto]]')" '[[53,"tcp"],[53,"udp"]]'
	equal "$(portctl services 50000 -j | jq -c '[.services[] | [.class, .service]]')" \
		'[["dynamic",null],["dynamic",null]]'
	equal "$(portctl services 8080 -j | jq -r '.services[0].class')" registered
	# As many as the database has, each once, whatever else is in it.
	equal "$(portctl services -j | jq '.services | length')" \
		"$(awk '$2 ~ /^[0-9]+\/(tcp|udp)$/ { print $2 }' /etc/services | sort -u | wc -l)"
	contains "$(portctl services ssh)" "22  tcp    well-known  ssh"
	refused 'found "nothing", expected a port, or a name' services nothing
	refused 'found "65536", expected a port of at most 65535' services 65536
	usage_of services 22 23
}
