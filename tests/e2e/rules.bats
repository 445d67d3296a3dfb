#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Rules as arguments and as files: parsing, messages, exit codes, counters that are kept, save
# and diff. What rules do to packets is in rules_effect.bats.
load helpers

# file TEXT...: writes the file "f", one line for each argument.
file() { printf '%s\n' "$@" >f; }

send() { client "$PYTHON" "$NET" send "$S4" "$@"; }

# Prints the rules that list shows, without the counters.
listed() { portctl list -j | jq -r '.rules[].rule'; }

# argv_error COLUMN TEXT COMMAND...: it must be refused with TEXT, at this column of its
# arguments.
argv_error() {
	wants 1 "${@:3}"
	equal "$output" ""
	one_line "$stderr"
	contains "$stderr" "argv:1:$1: $2"
}

@test "a rule is added, listed and counted" {
	portctl attach eth0
	wants 0 list
	equal "$output" "default allow"
	wants 0 drop 7000
	equal "$output" "rule 1 added"
	wants 0 allow 22/tcp comment "the office's \"door\""
	equal "$output" "rule 2 added"
	send 7000 3 100
	wants 0 list
	equal "$output" "default allow

NUMBER      PACKETS          BYTES  RULE
     1            3            426  drop 7000
     2            0              0  allow 22/tcp comment \"the office's \\\"door\\\"\""
	equal "$stderr" ""
}

@test "list -j has the keys and types of the design" {
	portctl attach eth0
	portctl default drop
	portctl allow 7000
	portctl drop 7001 comment why
	send 7000 2 100
	wants 0 list -j
	equal "$(jq -c '[.default, .options] + (.rules[0] | [.number, .rule, .verdict, .packets, .bytes])' <<<"$output")" \
		'["drop",{"fragments":"pass","icmp-errors":"on","neighbours":"on","echo":"on","dhcp":"on"},1,"allow 7000","pass",2,284]'
	equal "$(jq -c '.rules[1] | del(.packets, .bytes, .since)' <<<"$output")" \
		'{"number":2,"rule":"drop 7001","verdict":"drop","comment":"why"}'
	equal "$(jq -c '[.rules[0][] | type]' <<<"$output")" \
		'["number","string","string","number","number","number"]'
}

@test "services, ranges, lists and protocols are printed in one form" {
	while IFS=: read -r words printed; do
		echo "$words"
		wants 0 $words
		equal "$(listed | tail -1)" "$printed"
		portctl delete 1 >/dev/null
	done <<-'END'
		allow ssh:allow 22/tcp
		allow domain:allow 53
		allow http https:allow 80/tcp 443
		allow 53/udp:allow 53/udp
		drop 6000-6100/udp,22 , 80:drop 22 80 6000-6100/udp
		drop 5-5:drop 5
		drop 0-65535:drop 0-65535
		drop 22 22 22:drop 22
		allow gre icmp ipv6-icmp:allow 1/ip 47/ip 58/ip
		allow 22 on eth0.5:allow 22 on eth0.5
	END
}

@test "wrong arguments are refused with their column and what was expected" {
	argv_error 7 'found "80abc", expected a port, a range, or the name of a service or IP protocol' allow 80abc
	argv_error 9 'found "70000", expected a port from 0 to 65535' drop 22 70000
	argv_error 6 'found "65536", expected a port from 0 to 65535' drop 65536
	argv_error 7 'found "99999999999999999999"' allow 99999999999999999999
	argv_error 7 'found "-1"' allow -- -1
	argv_error 7 'found "9-3", expected a range with the lower port first, as in 6000-6100' allow 9-3
	argv_error 7 'found "1-"' allow 1-
	argv_error 7 'found "0x16"' allow 0x16
	argv_error 7 'found "nosuchservice"' allow nosuchservice
	argv_error 7 'found "ssh/sctp", expected tcp or udp after the slash' allow ssh/sctp
	argv_error 7 'found "tcp", expected ports with it, as in 0-65535/tcp' allow tcp
	argv_error 10 'the line ends, expected a port after the comma' allow 22,
	argv_error 7 'found "on", expected a port' allow on eth0
	argv_error 12 'the line ends, expected the name of an interface' allow 22 on
	argv_error 13 'found "averyverylongname", expected the name of an interface, at most 15 characters' \
		allow 22 on averyverylongname
	argv_error 13 'found "a/b", expected the name of an interface' allow 22 on a/b
	argv_error 21 'found "eth1", expected only one "on" in a rule' allow 22 on eth0 on eth1
	argv_error 17 'the line ends, expected a comment in quotes' allow 22 comment
	argv_error 14 'found "x", expected the end of the line' default drop x
	argv_error 9 'found "maybe", expected allow, drop or reject' default maybe
	argv_error 8 'found "foo", expected an option' option foo
	argv_error 18 'found "maybe", expected pass or drop' option fragments maybe
	equal "$(rules)" "default allow"
}

@test "\"#\" on the command line is refused and begins no comment" {
	argv_error 9 'found "#x from 10.0.0.0/8 limit 5/m", expected "#" in a comment only' \
		allow '22#x' from 10.0.0.0/8 limit 5/m
	argv_error 10 'found "# from 10.0.0.0/8", expected "#" in a comment only' allow 22 '#' from 10.0.0.0/8
	argv_error 14 'found "#x' default 'drop #x'
	argv_error 22 'found "#"' option fragments 'drop#'
	argv_error 8 'found "#b opens' knock a#b opens 22/tcp for 30s after 1/tcp 2/tcp 3/tcp within 9s
	argv_error 22 'found "#x"' allow 22 comment a '#x'
	equal "$(rules)" "default allow"
	portctl allow 22
	argv_error 9 'found "#x"' delete allow '22#x'
	equal "$(rules)" $'default allow\nallow 22'
}

@test "interface names with special characters are quoted" {
	local name number=0
	for name in 'a#b' 'a,b' 'a"b' '#' 'a\#b'; do
		ip -n "$SERVER" link add "$name" type veth peer name "x$((++number))"
		wants 0 attach "$name"
		wants 0 allow 7000 on "$name"
		equal "$stderr" ""
	done
	equal "$(listed)" 'allow 7000 on "a#b"
allow 7000 on "a,b"
allow 7000 on "a\"b"
allow 7000 on "#"
allow 7000 on "a\\#b"'
	portctl save
	wants 0 apply "$PORTCTL_RULES"
	wants 0 diff
	wants 0 delete allow 7000 on 'a#b'
	equal "$output" 'deleted: allow 7000 on "a#b"'
	argv_error 13 'found "", expected the name of an interface' allow 22 on '' from 10.0.0.0/8
	argv_error 13 'found "eth0 from 10.0.0.0/8", expected the name of an interface' allow 22 on 'eth0 from 10.0.0.0/8'
	file 'allow 22 on "eth0"'
	wants 0 apply f
	equal "$(listed)" 'allow 22 on eth0'
}

@test "comments may be any UTF-8 text without control characters" {
	wants 0 allow 22 comment 'größer "als" \ # , drop 23'
	equal "$(rules | tail -1)" 'allow 22 comment "größer \"als\" \\ # , drop 23"'
	equal "$(portctl list -j | jq -r '.rules[0].comment')" 'größer "als" \ # , drop 23'
	argv_error 18 'found "?[31mred"' allow 23 comment $'\e[31mred'
	argv_error 18 'found "a?b"' allow 23 comment $'a\nb'
	argv_error 18 'found' allow 23 comment $'\xff\xfe'
	argv_error 18 'found' allow 23 comment "$(printf 'x%.0s' {1..256})"
	wants 0 allow 24 comment "$(printf 'x%.0s' {1..255})"
	equal "$(rules | wc -l)" 3
}

@test "a rule with another action replaces the old one, with a message" {
	portctl allow 22
	wants 0 allow 22
	equal "$output" "rule 1 is the same: nothing to change"
	wants 0 drop 22
	equal "$output" $'replaces: allow 22\nrule 1 added'
	wants 0 drop 22 comment new
	equal "$output" $'replaces: drop 22\nrule 1 added'
	# A rule for one protocol, or for one interface, is a different rule.
	wants 0 allow 22/tcp
	equal "$output" "rule 2 added"
	wants 0 allow 22 on eth0
	equal "$output" "rule 3 added"
	equal "$(listed)" $'drop 22\nallow 22/tcp\nallow 22 on eth0'
	# A rule replaces one whose ports it covers. One with more ports stays, and contradicts.
	portctl allow 80 81
	wants 0 drop 80 81 82
	equal "$output" $'replaces: allow 80 81\nrule 4 added'
	wants 1 allow 82
	equal "$output" ""
	contains "$stderr" 'argv:1:1: found "allow" for 82, but rule 4 ("drop 80 81 82") is as specific and says "drop"'
	equal "$(listed | tail -1)" "drop 80 81 82"
	# With -j no message is printed.
	wants 0 allow 22 -j
	equal "$(jq -c '[.rules[].rule]' <<<"$output")" \
		'["allow 22/tcp","allow 22 on eth0","drop 80 81 82","allow 22"]'
}

@test "a rule that can never match is a warning" {
	portctl allow 5/tcp
	portctl drop 5/udp
	wants 0 drop 5
	contains "$stderr" 'argv:1:1: warning: found "drop 5", which can never match: other rules decide about all its packets'
	equal "$(rules | wc -l)" 4
	file "allow 5/tcp" "allow 5/udp" "drop 5"
	wants 0 check f
	contains "$stderr" 'f:3:1: warning: found "drop 5", which can never match: other rules decide about all its packets'
	equal "$output" "f: no errors, 3 rules"
}

@test "delete takes a number, or the words of a rule" {
	portctl allow 22
	portctl drop 23/tcp comment "old"
	portctl allow 24 on eth0
	wants 0 delete drop telnet
	equal "$output" 'deleted: drop 23/tcp comment "old"'
	wants 0 delete 2
	equal "$output" "deleted: allow 24 on eth0"
	refused 'there is no rule 2: "portctl list" shows 1' delete 2
	refused 'there is no rule 0: "portctl list" shows 1' delete 0
	refused 'there is no such rule: "portctl list" shows the rules' delete drop 22
	refused 'there is no such rule' delete allow 22/tcp
	refused 'argv:1:1: found "99999999"' delete 99999999
	wants 0 delete allow 22-22
	equal "$output" "deleted: allow 22"
	equal "$(rules)" "default allow"
}

@test "delete by words removes the rule with these words, and no other" {
	portctl attach eth0
	printf '%s\n' 'allow 95 limit 9/s' 'allow 96 comment "a"' 'allow 96 limit 5/s comment "b"' \
		"allow 97 limit 1/s" "allow 97" "knock web opens 80/tcp for 30s after 7/tcp 9/udp 8/tcp within 9s" >f
	portctl apply f
	local words
	for words in "limit 5/m" "limit 9/s for 3h" "limit 9/s comment a"; do
		refused 'there is no such rule: rule 1 is "allow 95 limit 9/s"' delete allow 95 $words
	done
	refused '2 rules have these words: give the number' delete allow 96
	refused 'there is no such rule: rule 6 is "knock web' delete knock web opens 80/tcp for 30s \
		after 9/tcp 7/udp 8/tcp within 9s
	wants 0 delete allow 96 comment a
	equal "$output" 'deleted: allow 96 comment "a"'
	wants 0 delete allow 96 limit 5/s
	wants 0 delete allow 97
	equal "$output" "deleted: allow 97"
	wants 0 delete allow 95
	equal "$output" "deleted: allow 95 limit 9/s"
	wants 0 delete knock web opens 80/tcp for 30s after 7/tcp 9/udp 8/tcp within 9s
	equal "$(listed)" "allow 97 limit 1/s"
}

@test "an expired rule has no number and does not contradict new rules" {
	portctl attach eth0
	printf '%s\n' "drop 11 12 for 1s" "allow 13" "allow 14" "allow 22 for 1s" >f
	portctl apply f
	sleep 1.1
	equal "$(portctl list -j | jq -c '[.rules[] | [.number, .rule]]')" '[[1,"allow 13"],[2,"allow 14"]]'
	contains "$(portctl status)" "2 rules"
	wants 0 explain "$C4" 11
	contains "$output" 'skipped: "drop 11 12 for 1s": it has expired'
	wants 0 explain "$C4" 14
	contains "$output" 'by rule 2, "allow 14"'
	wants 0 delete 2
	equal "$output" "deleted: allow 14"
	portctl apply f
	sleep 1.1
	wants 0 allow 11
	wants 0 knock web opens 22/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s
	equal "$(portctl list -j | jq -r '.rules[0].rule')" "allow 13"
}

@test "default and option change one thing" {
	portctl allow 22
	wants 0 default drop
	equal "$output" "default drop"
	wants 0 option fragments drop
	equal "$output" "option fragments drop"
	equal "$(rules)" $'default drop\noption fragments drop\nallow 22'
	wants 0 list
	equal "${lines[0]} ${lines[1]}" "default drop option fragments drop"
	wants 0 default allow -j
	equal "$(jq -c 'del(.rules)' <<<"$output")" '{"default":"allow","options":{"fragments":"drop","icmp-errors":"on","neighbours":"on","echo":"on","dhcp":"on"}}'
	wants 0 option fragments pass
	equal "$output" "option fragments pass"
}

@test "wrong usage has exit code 2 and changes nothing" {
	local command
	for command in allow drop reject default option delete check apply; do
		usage_of $command
		usage_of $command --bogus 22
	done
	usage_of list extra
	usage_of list -x
	usage_of check a b
	usage_of apply a b
	usage_of diff a b
	usage_of save a b
	usage_of save -x
	equal "$(rules)" "default allow"
}

@test "the usage of a command is printed once" {
	local command
	for command in list status check apply allow delete attach stats; do
		wants 2 $command --bogus
		equal "$(grep -c usage: <<<"$stderr")" 1
	done
}

@test "a refused rule gives one message" {
	portctl allow 90
	portctl drop 91 --confirm 60s
	refused "a change waits to be confirmed" drop 90
	portctl confirm
	portctl delete 1
	portctl delete 1
	portctl drop 80 81
	refused 'argv:1:1: found "allow" for 80, but rule 1' allow 80
}

@test "check reports every error of a file with line and column" {
	file "default drop" "allow 22" "  foo" "allow 99999 # x" 'allow 1 comment "open' "default allow" \
		"allow 22,,23"
	wants 1 check f
	equal "$output" ""
	equal "$stderr" 'f:3:3: found "foo", expected allow, drop, reject, knock, default or option
f:4:7: found "99999", expected a port from 0 to 65535
f:5:17: found "open", expected a closing quote
f:6:9: found "allow", but line 1 sets another value
f:7:10: found ",", expected a port after the comma'
	wants 1 check -j f
	equal "$(jq -c '[.valid, (.messages | length), .messages[0]]' <<<"$output")" \
		'[false,5,"f:3:3: found \"foo\", expected allow, drop, reject, knock, default or option"]'
	file "# only" "" "default drop # and this" "allow ssh"
	wants 0 check f
	equal "$output" "f: no errors, 1 rule"
	wants 0 check f -j
	equal "$output" '{"valid":true,"rules":1,"messages":[]}'
	POSIXLY_CORRECT=1 wants 0 check f -j
	run -0 portctl check - <<<"allow 1"
	equal "$output" "-: no errors, 1 rule"
	# CRLF line ends, and no newline at the end.
	printf 'allow 22\r\ndrop 23' >f
	wants 0 check f
	equal "$output" "f: no errors, 2 rules"
}

@test "a contradiction in a file names both lines" {
	file "allow 22 80" "allow 100-200" "drop 80/tcp" "drop 150-250" "drop 22"
	local command
	for command in check apply; do
		wants 1 $command f
		equal "$(wc -l <<<"$stderr")" 2
		contains "$stderr" 'f:5:1: found "drop" for 22, but line 1 ("allow 22 80") is as specific and says "allow"'
		contains "$stderr" 'f:4:1: found "drop" for 150-250, but line 2 ("allow 100-200") is as specific and says "allow"'
	done
	equal "$(rules)" "default allow"
}

@test "apply makes a file the running ruleset" {
	portctl allow 1
	file "default drop" "allow 22" "drop 23"
	wants 0 apply f
	equal "$output" "2 rules applied, default drop"
	contains "$stderr" "note: portctl is attached to no interface"
	equal "$(rules)" "$(cat f)"
	portctl attach eth0
	run -0 --separate-stderr portctl apply -j - <<<"allow 24"
	equal "$(jq -c '[.default, .rules[].rule]' <<<"$output")" '["allow","allow 24"]'
	equal "$stderr" ""
	file "# nothing"
	wants 0 apply f
	equal "$output" "0 rules applied, default allow"
}

@test "a failed apply leaves the running rules and counters unchanged" {
	portctl attach eth0
	portctl drop 7000
	send 7000 5
	file "default drop" "allow 22" "allow 70000"
	local before
	before=$(portctl list -j)
	refused "f:3:7: " apply f
	refused "cannot read nosuch: No such file or directory" apply nosuch
	equal "$(portctl list -j)" "$before"
	equal "$(line 'drop 7000')" 5
	send 7000 5
	equal "$(line 'drop 7000')" 10
	adds_up
}

@test "kept rules keep their counters, removed rules count as \"removed\"" {
	portctl attach eth0
	file "allow 7000" "drop 7001" "drop 7002" "allow 7004"
	portctl apply f
	send 7000 1
	send 7001 2
	send 7002 3
	send 7003 4
	send 7004 5
	# Another order; one rule with a new comment, one with another action, one removed.
	file "drop 7001" 'allow 7000 comment "kept"' "allow 7002" "drop 7003"
	portctl apply f
	equal "$(portctl list -j | jq -c '[.rules[].packets]')" "[2,1,0,0]"
	equal "$(line removed drop) $(line removed pass) $(line default)" "3 5 4"
	adds_up
	send 7001 2
	send 7002 1
	send 7003 1
	equal "$(portctl list -j | jq -c '[.rules[].packets]')" "[4,1,1,1]"
	# More changes: lines are reused, and no count is lost.
	portctl delete drop 7001
	portctl allow 7010
	send 7010 6
	portctl drop 7011
	equal "$(portctl list -j | jq -c '[.rules[].packets]')" "[1,1,1,6,0]"
	equal "$(line removed drop) $(line removed pass)" "7 5"
	equal "$(stats '.interfaces[0].total | [.pass.packets, .drop.packets] | @csv')" \
		"$((1 + 4 + 5 + 1 + 6)),$((2 + 3 + 2 + 1))"
	adds_up
}

@test "apply of a saved file restores the same rules" {
	file "default drop" "option fragments drop" \
		'allow 53 80/tcp 6000-6100/udp 47/ip on eth0 comment "a \"b\" \\ ü"' "drop 0-65535"
	portctl apply f
	wants 0 save -
	equal "$output" "$(cat f)"
	portctl save - >g
	portctl default allow
	portctl delete 1
	portctl apply g
	equal "$(portctl save -)" "$(cat f)"
}

@test "saved and running rules do not depend on the host's names of services and protocols" {
	portctl attach eth0
	portctl allow gre ssh
	portctl save
	printf '%s\n' 'gre 1234/tcp' 'ssh 2222/tcp' >names
	for protocols in /dev/null /etc/protocols; do
		run -0 server unshare -m bash -c "mount --bind names /etc/services
			mount --bind $protocols /etc/protocols
			'$PORTCTL' save - && '$PORTCTL' allow 81 && '$PORTCTL' delete 2 && '$PORTCTL' diff"
		contains "$output" $'default allow\nallow 22/tcp 47/ip\n'
	done
}

@test "save writes the whole file or nothing, readable by its owner only" {
	portctl allow 22
	equal "$(portctl status -j | jq .saved)" false
	wants 0 save
	equal "$output" "rules saved to $PORTCTL_RULES"
	equal "$(cat "$PORTCTL_RULES")" $'default allow\nallow 22'
	equal "$(stat -c %a "$PORTCTL_RULES")" 600
	equal "$(portctl status -j | jq .saved)" true
	contains "$(portctl status)" "default allow, 1 rule, saved"
	portctl drop 23
	equal "$(portctl status -j | jq .saved)" false
	wants 0 save "$TMP/other"
	equal "$(cat "$TMP/other")" $'default allow\nallow 22\ndrop 23'
	refused "cannot make $TMP/no/such: No such file or directory" save "$TMP/no/such/file"
	refused "cannot write $TMP/www: Is a directory" save "$TMP/www"
	# No temporary file is left.
	equal "$(find "$TMP" -maxdepth 1 -name '*.??????' | wc -l)" 0
}

@test "save replaces no device or pipe, and follows a link" {
	portctl allow 22
	mknod null c 1 3
	mkfifo pipe
	ln -s null link
	local name
	for name in null pipe link; do
		refused "cannot write $name: it is not a regular file; \"portctl save -\" prints" save "$name"
	done
	[ -c null ]
	[ -p pipe ]
	[ -L link ]
	mkdir etc
	ln -s etc/rules "$PORTCTL_RULES"
	for _ in 1 2; do
		wants 0 save
		equal "$(cat etc/rules)" $'default allow\nallow 22'
		[ -L "$PORTCTL_RULES" ]
	done
	equal "$(find . -name '*.??????' | wc -l)" 0
}

@test "diff shows what a file would change, with exit code 1 if anything" {
	portctl allow 22
	portctl drop 23
	refused "cannot read $PORTCTL_RULES: No such file or directory" diff
	portctl save
	wants 0 diff
	equal "$output$stderr" ""
	# The order of the rules does not matter.
	file "drop 23" "allow 22-22" "default allow"
	wants 0 diff f
	file "default drop" "drop 23" "allow 24"
	wants 1 diff f
	equal "$output" $'- allow 22\n+ allow 24\n- default allow\n+ default drop'
	equal "$stderr" "portctl: the running rules differ from f"
	wants 1 diff -j f
	equal "$output" '{"same":false,"removed":["allow 22","default allow"],"added":["allow 24","default drop"]}'
	wants 0 diff -j
	equal "$output" '{"same":true,"removed":[],"added":[]}'
	# A rule with an expiry is no difference to the saved rules, but to any other file.
	portctl allow 99 for 1h
	wants 0 diff
	equal "$output$stderr" ""
	wants 1 diff "$PORTCTL_RULES"
	equal "$output" "- allow 99 for 1h"
	portctl delete 3
	file "allow 99999"
	refused "f:1:7: " diff f
	# diff changed nothing.
	equal "$(rules)" $'default allow\nallow 22\ndrop 23'
}
