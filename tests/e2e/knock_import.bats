#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# knock import: a configuration of knockd becomes knocks.

load helpers

@test "the configuration of Debian's knockd" {
	cat >"$TMP/knockd.conf" <<-'END'
		[options]
			UseSyslog

		[openSSH]
			sequence    = 7000,8000,9000
			seq_timeout = 5
			command     = /sbin/iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
			tcpflags    = syn

		[closeSSH]
			sequence    = 9000,8000,7000
			seq_timeout = 5
			command     = /sbin/iptables -D INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
			tcpflags    = syn

		[openHTTPS]
			sequence    = 12345,54321,24680,13579
			seq_timeout = 5
			command     = /usr/local/sbin/knock_add -i -c INPUT -p tcp -d 443 -f %IP%
			tcpflags    = syn
	END
	run -1 --separate-stderr portctl knock import "$TMP/knockd.conf"
	equal "$output" "knock openSSH opens 22/tcp for 1h after 7000/tcp 8000/tcp 9000/tcp within 5s close 9000/tcp 8000/tcp 7000/tcp"
	contains "$stderr" "$TMP/knockd.conf:4: [openSSH]: note: knockd leaves the ports open"
	contains "$stderr" "$TMP/knockd.conf:19: [openHTTPS]: not imported: its command is not known to open or close a port"
	printf "default drop\n%s\n" "$output" >"$TMP/rules"
	run -0 --separate-stderr portctl check "$TMP/rules"
}

@test "an event with a timeout; events that cannot be imported are named with their line" {
	cat >"$TMP/knockd.conf" <<-'END'
		[both]
		sequence = 2222:udp,3333:tcp,4444:udp
		start_command = ufw allow from %IP% to any port 80,443 proto tcp
		cmd_timeout = 120
		stop_command = ufw delete allow from %IP% to any port 80,443 proto tcp
		[once]
		one_time_sequences = /etc/knockd/sequences
		start_command = iptables -A INPUT -s %IP% -p tcp --dport 25 -j ACCEPT
		[fin]
		sequence = 1,2,3
		tcpflags = fin,!ack
		command = iptables -A INPUT -s %IP% -p tcp --dport 25 -j ACCEPT
		[all]
		sequence = 1,2,3
		command = iptables -A INPUT -p tcp --dport 25 -j ACCEPT
		[shut]
		sequence = 1,2,3
		command = iptables -D INPUT -s %IP% -p tcp --dport 25 -j ACCEPT
		[list]
		sequence = 5,2,3
		command = iptables -A INPUT -s %IP% -p tcp --dport 26 -j ACCEPT
	END
	run -1 --separate-stderr portctl knock import "$TMP/knockd.conf"
	equal "$output" "knock both opens 80/tcp 443/tcp for 2m after 2222/udp 3333/tcp 4444/udp within 25s"
	contains "$stderr" "knockd.conf:7: [once]: not imported: it has sequences from a file"
	contains "$stderr" "knockd.conf:11: [fin]: not imported: a TCP step of a knock is a SYN"
	contains "$stderr" "knockd.conf:15: [all]: not imported: its command is not for %IP% only"
	contains "$stderr" "knockd.conf:16: [shut]: not imported: it closes ports that no other event opens"
	contains "$stderr" "knockd.conf:19: [list]: not imported: found \"list\", expected a name for the door"
}

@test "tcpflags in capitals, and timeout for seq_timeout" {
	cat >"$TMP/knockd.conf" <<-'END'
		[ssh]
		sequence = 1,3,2
		timeout = 5
		tcpflags = SYN
		command = ufw allow from %IP% to any port 22 proto tcp
		[ack]
		sequence = 1,3,4
		tcpflags = SYN,ACK
		command = ufw allow from %IP% to any port 23 proto tcp
	END
	run -1 --separate-stderr portctl knock import "$TMP/knockd.conf"
	equal "$output" "knock ssh opens 22/tcp for 1h after 1/tcp 3/tcp 2/tcp within 5s"
	contains "$stderr" "knockd.conf:8: [ack]: not imported: a TCP step of a knock is a SYN"
}

@test "a command with a word that portctl cannot express is not imported" {
	cat >"$TMP/knockd.conf" <<-'END'
		[inside]
		sequence = 1,2,3
		command = iptables -A INPUT -i eth1 -s %IP% -p tcp --dport 22 -j ACCEPT
		[out]
		sequence = 1,2,4
		command = ufw allow out from %IP% to any port 27
		[sender]
		sequence = 1,2,5
		command = ufw allow from %IP% port 1000 to any port 22 proto tcp
		[forward]
		sequence = 1,2,6
		command = nft add rule inet filter forward ip saddr %IP% tcp dport 28 accept
		[stop]
		sequence = 1,2,7
		start_command = iptables -A INPUT -s %IP% -p tcp --dport 22 -j ACCEPT
		stop_command = iptables -D INPUT -o eth1 -s %IP% -p tcp --dport 22 -j ACCEPT
	END
	refused_lines() { sed 's/.*knockd.conf:\([0-9]*\): \[.*\]: not imported: "\(.*\)" in its command.*/\1 \2/'; }
	run -1 --separate-stderr portctl knock import "$TMP/knockd.conf"
	equal "$output" ""
	equal "$(refused_lines <<<"$stderr" | xargs)" "3 -i 6 out 9 port 12 forward 16 -o"
}

@test "names that would become equal are made unique, long ones too" {
	local name command port=80 long=a234567890123456789012345678901234567890
	for name in open.ssh open:ssh open_ssh2 open_ssh ${long}1 ${long}2; do
		command="iptables -A INPUT -s %IP% -p tcp --dport $((++port)) -j ACCEPT"
		printf '[%s]\nsequence=7,9,8\ncommand=%s\n' "$name" "$command"
	done >"$TMP/knockd.conf"
	run -0 --separate-stderr portctl knock import "$TMP/knockd.conf"
	equal "$(cut -d' ' -f2 <<<"$output" | xargs)" \
		"open_ssh open_ssh1 open_ssh2 open_ssh3 ${long:0:27} ${long:0:27}5"
	printf 'default drop\n%s\n' "$output" >"$TMP/rules"
	run -0 --separate-stderr portctl check "$TMP/rules"
}

# events NAME A|D COUNT: prints COUNT events that add or delete a rule, for the ports from 1 on.
events() {
	seq "$3" | sed "s/.*/[$1]\nsequence=7,9,8\ncommand=iptables -$2 INPUT -s %IP% -p tcp --dport & -j ACCEPT/"
}

@test "at most 64 events that open a door, any number of events that close" {
	{ events shut D 20000 && events open A 64; } >"$TMP/knockd.conf"
	run -1 --separate-stderr timeout 20 "$PORTCTL" knock import "$TMP/knockd.conf"
	equal "${#lines[@]}" 64
	equal "$(cut -d' ' -f2 <<<"$output" | sort -u | wc -l)" 64
	equal "$(grep -c " close 7/tcp 9/tcp 8/tcp$" <<<"$output")" 64
	equal "$(grep -c "it closes ports that no other event opens" <<<"$stderr")" $((20000 - 64))
	events a A 65 >"$TMP/knockd.conf"
	refused "$TMP/knockd.conf:193: [a] is one knock more than the 64 that a ruleset can have: remove" \
		knock import "$TMP/knockd.conf"
	events a A 20000 >"$TMP/knockd.conf"
	run -1 --separate-stderr timeout 20 "$PORTCTL" knock import "$TMP/knockd.conf"
	contains "$stderr" "more than the 64 that a ruleset can have"
}

@test "exit code 0 if all events are imported, 1 for a wrong file, 2 for wrong usage" {
	printf '[a]\nsequence=7,9,8\ncommand=nft add rule inet f input ip saddr %%IP%% udp dport 53 accept\n' \
		>"$TMP/knockd.conf"
	run -0 --separate-stderr portctl knock import "$TMP/knockd.conf"
	equal "$output" "knock a opens 53/udp for 1h after 7/tcp 9/tcp 8/tcp within 25s"
	refused "cannot read $TMP/nothing" knock import "$TMP/nothing"
	head -c 3000 /dev/zero >"$TMP/zeros"
	refused "$TMP/zeros is not text" knock import "$TMP/zeros"
	echo text >"$TMP/text"
	refused "$TMP/text has no events" knock import "$TMP/text"
	usage_of knock import
}
