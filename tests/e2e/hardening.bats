#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Privileges that portctl gives up, how it is compiled, who may call it, which folders it
# accepts, and secrets in its memory.

load helpers

USER=1234
BPF=8000000000 DATAPATH=c000001000
MEMORY="$BATS_TEST_DIRNAME/memory.py"

# has PID NAME VALUE: /proc/PID/status must have this value; capabilities without leading zeros.
has() {
	equal "$2 $(awk -v name="$2:" '$1 == name { sub("^0*", "", $2); print $2 }' "/proc/$1/status")" "$2 $3"
}

# bounded PID: its bounding set must have no other capabilities than the three, so that running
# a program cannot regain one.
bounded() {
	local set
	set=$(awk '/^CapBnd/ { print $2 }' "/proc/$1/status")
	equal "$((0x$set & ~0x$DATAPATH))" 0
}

# at_exit COMMAND...: runs portctl and stops it where it exits. Sets $pid. The test kills it.
at_exit() {
	local tracer
	background held server strace -qq -o /dev/null -e trace=exit_group \
		-e inject=exit_group:delay_enter=20s "${AS[@]}" "$PORTCTL" "$@"
	tracer=$pid
	# strace also has children of its own for a moment.
	eventually pgrep -P "$tracer" -x portctl
	pid=$(pgrep -P "$tracer" -x portctl)
}

# Copies portctl to where another user can run it.
open_copy() {
	cp "$PORTCTL" "$TMP/portctl"
	chmod 755 "$TMP/portctl"
	PORTCTL=$TMP/portctl
}

# with_three COMMAND...: runs portctl as another user with CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON
# only, without $LESS of these.
with_three() {
	local three=+bpf,+net_admin,+perfmon
	[ -z "${LESS:-}" ] || three=$(sed "s/+$LESS,*//; s/,$//" <<<"$three")
	AS=(setpriv --reuid=$USER --regid=$USER --clear-groups --bounding-set="-all,$three"
		--inh-caps="-all,$three" --ambient-caps="-all,$three")
	server "${AS[@]}" timeout -k 1 60 "$PORTCTL" "$@"
}

# Makes folders that this user owns.
own_folders() {
	open_copy
	mkdir -m 700 "$TMP/bpf/portctl" "$TMP/run" "$TMP/own"
	chown $USER "$TMP/bpf/portctl" "$TMP/run" "$TMP/own"
	export PORTCTL_RULES=$TMP/own/saved
}

# Lists the programs of the build, or the installed ones.
programs() { ls "$PORTCTL" "$(dirname "$PORTCTL")"/../libexec/portctl/portctl-*; }

# hardened PROGRAM: it must be compiled with Debian's hardening options.
hardened() {
	local headers dynamic symbols
	headers=$(readelf -hlW "$1")
	dynamic=$(readelf -dW "$1")
	symbols=$(readelf --dyn-syms -W "$1")
	grep -q 'Type: *DYN' <<<"$headers"
	grep -q 'FLAGS_1.* PIE' <<<"$dynamic"
	grep -q GNU_RELRO <<<"$headers"
	grep -q 'GNU_STACK.* RW ' <<<"$headers"
	grep -q 'BIND_NOW' <<<"$dynamic"
	contains "$symbols" __stack_chk_fail
	contains "$symbols" __snprintf_chk
	no grep -qE 'RPATH|RUNPATH' <<<"$dynamic"
	# Look for CET in the code: Debian's crt files lack the note, so the program lacks it too.
	[ "$(uname -m)" != x86_64 ] || objdump -d --disassemble=main "$1" | grep -q endbr64
	# Programs are run with execv() and a whole path, never by PATH or a shell.
	no grep -qE ' (execl.*|execv.+|fexecve|execveat|posix_spawnp|system|popen)@' <<<"$symbols"
}

@test "all programs are compiled with Debian's hardening options" {
	local program
	equal "$(programs | wc -l)" 4
	for program in $(programs); do
		hardened "$program"
	done
}

@test "libraries that only one command needs are not loaded by the others" {
	needs() { readelf -dW "$1" | sed -n 's/.*NEEDED.*\[lib\(.*\)\.so.*/\1/p' | sort | xargs; }
	equal "$(needs "$PORTCTL")" "bpf c jansson nettle"
	equal "$(ldd "$PORTCTL" | grep -cE 'pcap|microhttpd|gnutls|systemd|lzma')" 0
	contains "$(needs "$(programs | grep export)")" microhttpd
	contains "$(needs "$(programs | grep replay)")" pcap
	contains "$(needs "$(programs | grep top)")" ncursesw
}

@test "portctl without its helper programs says so, and these do not run alone" {
	mkdir -p "$TMP/own/sbin" "$TMP/own/libexec/portctl"
	cp "$PORTCTL" "$TMP/own/sbin/portctl"
	local whole=$PORTCTL
	PORTCTL=$TMP/own/sbin/portctl
	refused "there is no $TMP/own/libexec/portctl/portctl-export: install portctl as a whole" export
	wants 0 help export
	contains "$output" "portctl export: "
	echo '#!/bin/sh' >"$TMP/own/libexec/portctl/portctl-replay"
	refused "cannot run $TMP/own/libexec/portctl/portctl-replay: Permission denied" replay "$TMP/x"
	# Called through a link, portctl finds the helpers beside the program, not beside the link.
	ln -s "$whole" "$TMP/own/sbin/link"
	PORTCTL=$TMP/own/sbin/link
	refused "no rules are running: name a file of rules with --rules" replay "$TMP/x"
	PORTCTL=$(dirname "$whole")/../libexec/portctl/portctl-replay
	wants 2 "$TMP/x"
	contains "$stderr" 'this is a part of portctl: use "portctl replay"'
}

@test "a command gives up the capabilities that it does not need" {
	local words
	portctl attach eth0
	echo "allow 22" >"$TMP/rules"
	while read -r mask words; do
		at_exit $words
		eventually has "$pid" CapPrm "${mask#0}"
		has "$pid" CapEff "${mask#0}"
		has "$pid" CapInh ""
		has "$pid" CapAmb ""
		has "$pid" NoNewPrivs 1
		bounded "$pid"
		kill -9 "$pid"
	done <<-END
		0 services 22
		0 knock key alice
		4 check rules
		$BPF stats
		$BPF list
		8000000002 save -
		$DATAPATH allow 22
		$DATAPATH attach eth0
		c000201000 attach eth0 --replace
		c000001004 apply rules
		8000080004 ports
	END
}

@test "a long-running command keeps only the capabilities that it needs" {
	portctl attach eth0
	printf '#!/bin/sh\nexec sleep 60\n' >"$TMP/hook"
	chmod 755 "$TMP/hook"
	local command mask new
	while IFS=: read -r mask new command; do
		background running server "$PORTCTL" $command
		eventually has "$pid" CapPrm "$mask"
		has "$pid" CapEff "$mask"
		bounded "$pid"
		eventually has "$pid" NoNewPrivs "$new"
		stop "$pid"
	done <<-END
		$BPF:1:knock serve
		$BPF:1:stats -i 1
		c000081004:1:monitor
		$DATAPATH:1:monitor drop
		c000081004::monitor --exec $TMP/hook
		c000081004:1:watch
		c000001004:1:restore --follow
	END
}

@test "a hook program has the three capabilities at most" {
	portctl attach eth0
	portctl drop 7000
	cat >"$TMP/hook" <<-END
		#!/bin/sh
		grep -E '^Cap(Eff|Bnd)' /proc/self/status >"$TMP/caps.new"
		mv "$TMP/caps.new" "$TMP/caps"
	END
	chmod 755 "$TMP/hook"
	background monitor server "$PORTCTL" monitor drop --exec "$TMP/hook"
	drops() {
		client "$PYTHON" "$NET" send "$S4" 7000 1
		[ -s "$TMP/caps" ]
	}
	eventually drops
	equal "$(awk '{ print $2 }' "$TMP/caps" | sort -u)" "000000$DATAPATH"
}

@test "a user with the three capabilities can use every command" {
	own_folders
	start_echo 7000 7001
	with_three attach eth0
	with_three drop 7000
	no udp_ask "$S4" 7000
	udp_ask "$S4" 7001
	equal "$(with_three stats 7000 -j | jq '.interfaces[0].ports[] | select(.proto == "udp") | .drop.packets')" 1
	with_three default drop --confirm 1s
	no udp_ask "$S4" 7001
	eventually udp_ask "$S4" 7001
	(umask 077 && with_three knock key alice >"$TMP/own/keys")
	chown $USER "$TMP/own/keys"
	with_three knock touch opens 7000/udp for 30s after 7003/tcp 7001/udp 7002/tcp within 10s
	with_three knock signed spa 62201/udp keys "$TMP/own/keys" opens 7001/udp for 30s
	client knock "$S4" 7003:tcp 7001:udp 7002:tcp
	with_three delete drop 7000
	udp_ask "$S4" 7000
	with_three knock grant signed "$C4" for 1m
	udp_ask "$S4" 7001
	contains "$(with_three explain "$C4" 7000/udp)" " is let in by rule 1, "
	with_three save
	with_three detach --all
	with_three restore
	with_three status -j | jq -e '.interfaces[0].name == "eth0"'
	with_three detach --all
	equal "$(pins)" ""
}

@test "save names the folder that it may not make" {
	own_folders
	export PORTCTL_RULES=$TMP/etc/portctl/rules
	mkdir "$TMP/etc"
	run -1 --separate-stderr with_three save
	equal "$output" ""
	equal "$stderr" "portctl: cannot make $TMP/etc/portctl: Permission denied"
	# An existing folder need not be made.
	mkdir "$TMP/etc/portctl"
	chown $USER "$TMP/etc/portctl"
	run -0 with_three save
}

@test "attach needs each of the three capabilities" {
	own_folders
	local LESS
	for LESS in bpf net_admin perfmon; do
		run -1 --separate-stderr with_three attach eth0
		one_line "$stderr"
		contains "$stderr" "permission denied: run it as root, or with CAP_BPF"
		equal "$(pins)" ""
	done
}

@test "pins, folders and saved files are closed to others, whatever the umask" {
	local mask
	for mask in 000 022 077; do
		(umask $mask && portctl attach eth0 && portctl drop 7000 && portctl default drop --confirm 60s)
		equal "$(find "$TMP/bpf/portctl" -type d -printf '%m\n' | sort -u)" 700
		equal "$(find "$TMP/bpf/portctl" -type f -printf '%m\n' | sort -u)" 600
		equal "$(stat -c %a "$TMP/run" "$TMP/run/lock" | xargs)" "700 600"
		portctl rollback
		(umask $mask && portctl save)
		equal "$(stat -c %a "$TMP/saved" "$TMP/saved.interfaces" | xargs)" "600 600"
		portctl detach --all
		rm -r "$TMP/bpf/portctl" "$TMP/run" "$TMP/saved"*
	done
}

@test "folders that others own or may write to are refused, and links are not followed" {
	local name
	for name in PORTCTL_BPFFS PORTCTL_RUN; do
		local top=$TMP/bpf
		[ $name = PORTCTL_BPFFS ] || top=$TMP/other
		mkdir -p "$top/open" "$top/sticky/mine" "$top/sticky/theirs" "$top/real/below"
		chmod 777 "$top/open"
		chmod 1777 "$top/sticky"
		chown 65534 "$top/sticky/theirs"
		ln -s "$top/real" "$top/link"
		while read -r path message; do
			run -1 --separate-stderr env $name="$top/$path" nsenter --net="/run/netns/$SERVER" "$PORTCTL" attach eth0
			one_line "$stderr"
			contains "$stderr" "$message"
		done <<-END
			open others may write to $top/open: chmod go-w $top/open
			open/below others may write to $top/open: chmod go-w $top/open
			sticky/theirs $top/sticky/theirs belongs to another user (65534)
			sticky/theirs/below $top/sticky/theirs belongs to another user (65534)
			link $top/link is a symbolic link
			link/below $top/link is a symbolic link
		END
		# A sticky folder is accepted as the parent of the pins' folder, but not for the lock.
		run -$([ $name = PORTCTL_RUN ] && echo 1 || echo 0) --separate-stderr env $name="$top/sticky" \
			nsenter --net="/run/netns/$SERVER" "$PORTCTL" status
		run -1 --separate-stderr env $name=relative nsenter --net="/run/netns/$SERVER" "$PORTCTL" status
		one_line "$stderr"
		equal "$(find "$top" -mindepth 1 ! -name '*.debug' -type f)" ""
		env $name="$top/sticky/mine" nsenter --net="/run/netns/$SERVER" "$PORTCTL" status
		rm -r "$top/open" "$top/sticky" "$top/real" "$top/link"
	done
}

@test "portctl refuses to run set-user-ID or set-group-ID" {
	! findmnt -no OPTIONS -T "$TMP" | grep -q nosuid || skip "$TMP is mounted nosuid"
	open_copy
	local mode command
	echo "allow 22" >"$TMP/rules"
	for mode in 4755 2755 6755; do
		chmod $mode "$PORTCTL"
		for command in "attach eth0" status "check $TMP/rules" help --version; do
			run -1 --separate-stderr server setpriv --reuid=$USER --regid=$USER --clear-groups \
				env PORTCTL_BPFFS="$TMP/bpf/x" PORTCTL_RUN="$TMP/x" "$PORTCTL" $command
			equal "$output" ""
			one_line "$stderr"
			contains "$stderr" "refused: the program is set-user-ID or set-group-ID"
		done
	done
	[ ! -e "$TMP/x" ]
	equal "$(pins)" ""
	# Root gains nothing by that, and may run it.
	wants 0 check "$TMP/rules"
}

@test "with file capabilities portctl works, and ignores the environment" {
	! findmnt -no OPTIONS -T "$TMP" | grep -q nosuid || skip "$TMP is mounted nosuid"
	open_copy
	# The same as "setcap cap_bpf,cap_net_admin,cap_perfmon+ep".
	"$PYTHON" -c 'import os, struct, sys
low, high = 1 << 12, 1 << 38 - 32 | 1 << 39 - 32
os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, low, 0, high, 0))' "$PORTCTL"
	mkdir "$TMP/theirs"
	chown $USER "$TMP/theirs"
	export TMP
	# The default folders, in a separate mount namespace.
	server unshare -m --propagation private bash -euc '
		mount -t bpf bpf /sys/fs/bpf
		mount -t tmpfs tmpfs /run
		mkdir -m 700 /sys/fs/bpf/portctl /run/portctl
		chown "$0" /sys/fs/bpf/portctl /run/portctl
		as() { setpriv --reuid="$0" --regid="$0" --clear-groups --inh-caps=-all "$@"; }
		as env PORTCTL_BPFFS="$TMP/theirs/bpf" PORTCTL_RUN="$TMP/theirs/run" \
			PORTCTL_RULES="$TMP/theirs/rules" LIBBPF_LOG_LEVEL=debug PORTCTL_DEBUG=verifier \
			TERM=../../etc "$PORTCTL" attach eth0 2>"$TMP/err"
		[ ! -s "$TMP/err" ]
		[ -e /sys/fs/bpf/portctl/*/eth0/link ]
		[ -e /run/portctl/lock ]
		as env PORTCTL_RULES="$TMP/theirs/rules" "$PORTCTL" save 2>&1 | grep -E "cannot (make /etc/portctl|write /etc/portctl/rules)"
		as "$PORTCTL" drop 7000
		as "$PORTCTL" detach --all' $USER
	equal "$(find "$TMP/theirs" -mindepth 1)" ""
}

@test "with standard descriptors closed, output does not go to other files" {
	portctl attach eth0
	run -1 --separate-stderr server bash -c '"$PORTCTL" list >&-'
	contains "$stderr" "cannot write the output"
	server bash -c '"$PORTCTL" list 2>&- <&- >"$0"' "$TMP/out"
	contains "$(cat "$TMP/out")" default
	equal "$(stat -c %s "$TMP/run/lock")" 0
}

# wiped "ARGUMENTS" TEXT...: runs portctl with these arguments. When it exits, no part of the
# texts may be in its memory. "$TMP", which is among the arguments, proves that the search works.
wiped() {
	local words=$1
	shift
	at_exit $words
	equal "$("$PYTHON" "$MEMORY" "$pid" exit "$@" "$TMP")" "$TMP"
	kill -9 "$pid"
}

@test "secrets are wiped from memory: keys, key files, and secrets of timed knocks" {
	local key last text secret
	secret=$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')
	(umask 077
		for name in {1..40}; do portctl knock key "key$name"; done >"$TMP/keys"
		head -1 "$TMP/keys" >"$TMP/alice.key"
		printf '%s\n' "$secret" >"$TMP/secret"
		head -20 "$TMP/keys" >"$TMP/broken"
		echo "mallory 00" >>"$TMP/broken")
	key=$(awk 'NR == 1 { print $2 }' "$TMP/keys")
	last=$(awk 'END { print $2 }' "$TMP/keys")
	# The search itself finds a text that is there.
	background sleeper server "$PYTHON" -c "print(flush=True); import time; time.sleep(60)" "$key" "$TMP"
	eventually test -s "$TMP/sleeper.out"
	equal "$("$PYTHON" "$MEMORY" "$pid" "$key" "$TMP")" "$key"$'\n'"$TMP"
	stop "$pid"
	printf 'knock web spa 62201/udp keys %s opens 80/tcp for 30s\nknock vpn totp %s steps 4 ports 20000-29999 opens 81/tcp for 30s within 10s\n' \
		"$TMP/keys" "$TMP/secret" >"$TMP/rules"
	wiped "knock send $S4 web --key $TMP/alice.key" "$key" "hex:$key"
	wiped "knock send $S4 web --key $TMP/broken" "$key" "hex:$key"
	portctl attach eth0
	wiped "apply $TMP/rules" "$key" "hex:$key" "$last" "hex:$last" "$secret" "hex:$secret"
	wiped "knock sequence vpn --rules $TMP/rules" "$secret" "hex:$secret"
	# A long-running command, once it has read the secret.
	background serve server "$PORTCTL" knock serve
	serves() { portctl status -j | jq -e .knock_serve; }
	eventually serves
	equal "$("$PYTHON" "$MEMORY" "$pid" "$secret" "hex:$secret")" ""
	stop "$pid"
	# A new key.
	at_exit knock key bob
	eventually test -s "$TMP/held.out"
	text=$(awk '{ print $2 }' "$TMP/held.out")
	equal "$("$PYTHON" "$MEMORY" "$pid" exit "$text" "hex:$text")" ""
	kill -9 "$pid"
}

@test "a process with secrets cannot be read by its user, and dumps no core" {
	open_copy
	(umask 077 && portctl knock key alice >"$TMP/alice.key")
	chown $USER "$TMP/alice.key"
	AS=(setpriv --reuid=$USER --regid=$USER --clear-groups)
	at_exit knock send "$S4" web --key "$TMP/alice.key"
	eventually grep -q '^Uid:.*'$USER "/proc/$pid/status"
	eventually eval '[ "$(stat -c %u /proc/$pid/mem)" = 0 ]'
	no setpriv --reuid=$USER --regid=$USER --clear-groups head -c 1 "/proc/$pid/maps"
	kill -9 "$pid"
}
