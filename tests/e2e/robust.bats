#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# Maximum sizes, hostile files, blocked readers and broken environments. Kills and failing
# system calls are in faults.bats.
load helpers

@test "65,536 rules are applied, listed, counted and changed; one more is refused" {
	portctl attach eth0
	portctl allow 22
	seq -f 'allow %.0f/udp' 0 65535 >full
	wants 0 apply full
	equal "$output" "65536 rules applied, default allow"
	equal "$(portctl list -j | jq '.rules | length')" 65536
	equal "$(portctl list | tail -n +4 | wc -l)" 65536
	equal "$(rules | tail -n +2 | cmp - full && echo same)" same
	client "$PYTHON" "$NET" send "$S4" 65535 3
	equal "$(portctl list -j | jq -c '.rules[65535] | [.number, .rule, .packets]')" '[65536,"allow 65535/udp",3]'
	refused "the ruleset is full: at most 65536 rules" allow 22
	{
		cat full
		echo "allow 22/tcp"
	} >over
	local command
	for command in check apply; do
		refused 'over:65537:1: found "allow", expected at most 65536 rules' $command over
	done
	# 65,536 other rules: there are lines for both rulesets at the same time.
	sed -e s/allow/drop/ full >other
	wants 0 apply other
	client "$PYTHON" "$NET" send "$S6" 65535 4
	equal "$(portctl list -j | jq -c '.rules[65535].packets')" 4
	equal "$(line removed pass)" 3
	adds_up
	wants 0 delete 1
	wants 0 apply full
	wants 0 diff full
	sums_agree
}

@test "names that are not UTF-8 have \\x in JSON" {
	local name=$'odd\xff'
	ip -n "$SERVER" link add "$name" type veth peer name x0 netns "$CLIENT"
	wants 0 attach "$name"
	equal "$(portctl status -j | jq -r '.interfaces[].name')" 'odd\xff'
	equal "$(portctl doctor -j | jq -r '[.checks[].interface] | unique | .[1]')" 'odd\xff'
	echo 'allow 80x' >"$name"
	equal "$(portctl check -j "$name" | jq -r '.messages[0]' | cut -d' ' -f1)" 'odd\xff:1:7:'
	portctl detach "$name"
}

@test "hostile files are refused with exit code 1 and one line" {
	portctl allow 22
	printf 'allow 23\n\0allow 24\n' >nul
	head -c 100000 /dev/urandom | tr -d '\n' >binary
	head -c 1048576 /dev/zero | tr '\0' a >long
	{
		printf 'allow 22 comment "'
		cat long
		printf '"\n'
	} >comment
	mkdir folder
	printf 'allow 22\n' >unreadable
	ln -s loop loop
	local command file
	for command in check "check -j" apply diff; do
		for file in nul folder nosuch /dev/zero loop nul/x; do
			echo "$command $file"
			refused "$file" $command "$file"
		done
		contains "$stderr" "Not a directory"
		refused "nul is not text: it has NUL bytes" $command nul
	done
	for command in check apply diff; do
		refused "binary" $command binary
		refused 'long:1:1: found "aaaaaaaa' $command long
		refused "comment:1:18: " $command comment
		# The message does not quote the whole word.
		[ "${#stderr}" -lt 300 ]
	done
	equal "$(rules)" $'default allow\nallow 22'
}

@test "a file with 50,000 errors, 65,536 useless rules or 64 wide knocks is checked quickly" {
	seq -f 'allow %.0fx' 1 50000 >errors
	wants 1 apply errors
	equal "$(wc -l <<<"$stderr")" 50000
	# The same port again and again, for two interfaces in turn.
	awk 'BEGIN { for (i = 0; i < 65536; i++) print "allow 22 on eth" i % 2 }' >turns
	run -0 server timeout 10 "$PORTCTL" check turns
	# 64 knocks that open wide ranges, and a rule for each of these ports.
	{
		echo "default drop"
		local n ports
		for n in {1..64}; do
			ports=$((n * 700))-$((n * 700 + 650))
			[ "$n" -gt 6 ] || ports=1-$((60000 - n))
			echo "knock k$n opens $ports for 9s after $((60000 + n))/tcp $((59000 + n))/udp $((61000 + n))/tcp within 9s"
		done
		awk 'BEGIN { for (i = 1; i < 65000; i++) print "allow " i "/tcp from 10." int(i / 256) "." i % 256 ".0/24" }'
	} >doors
	run -0 server timeout 10 "$PORTCTL" check doors
}

@test "a reader that does not read a command's output does not block changes" {
	portctl attach eth0
	seq -f 'drop %.0f from 10.0.0.0/8 comment "so that it is more than a pipe holds"' 1 3000 >many
	: >none
	local fd command
	for command in list "list -j" "save -" "diff none" "diff none -j" "apply many -j" \
		"allow 10000 -j" "delete 1 -j"; do
		echo "$command"
		portctl apply many
		mkfifo pipe
		exec {fd}<>pipe
		background unread server sh -c '"$PORTCTL" "$@" >pipe' sh $command
		case $command in
		*-j) read -rN 9 -u "$fd" _ ;;
		*) read -r -u "$fd" _ ;;
		esac
		run -0 server timeout 2 "$PORTCTL" drop 10001 --confirm 60s
		run -0 server timeout 2 "$PORTCTL" confirm
		# Read the rest.
		cat <&"$fd" >/dev/null 3>&- &
		begun+=($!)
		wait "$pid" || [ "$command" != "${command#diff}" ]
		stop "${begun[-1]}"
		exec {fd}>&-
		rm pipe
	done
}

@test "a reader that does not read monitor's output does not block changes" {
	portctl attach eth0
	portctl knock web opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s
	mkfifo pipe
	local fd
	exec {fd}<>pipe
	# Fill the pipe.
	dd if=/dev/zero of=pipe bs=1 oflag=nonblock 2>/dev/null || true
	background unread server sh -c '"$PORTCTL" monitor >pipe'
	sleep 1
	portctl knock grant web "$C4" for 1s
	sleep 2.5
	run -0 server timeout 2 "$PORTCTL" allow 81
	exec {fd}>&-
}

@test "stats under a flood are consistent and never decrease" {
	portctl attach eth0
	portctl drop 7000
	background flood client "$PYTHON" "$NET" flood "$S4" 7000 30
	local i before=0 now
	for i in {1..20}; do
		now=$(port udp 7000 drop)
		[ "$now" -ge "$before" ]
		before=$now
		adds_up
	done
	[ "$now" -gt 1000 ]
	stop "$pid"
	sleep 0.1
	sums_agree
}

@test "a read-only BPF file system is reported, and nothing changes" {
	portctl attach eth0
	portctl drop 7000
	mount -o remount,ro "$TMP/bpf"
	local command
	for command in "attach eth0" "attach lo" "detach eth0" "detach --all" "allow 22" "apply /dev/null"; do
		refused "Read-only file system" $command
	done
	client "$PYTHON" "$NET" send "$S4" 7000 3
	mount -o remount,rw "$TMP/bpf"
	equal "$(rules)" $'default allow\ndrop 7000'
	equal "$(port udp 7000 drop)" 3
	portctl detach --all
	# The same for the first attach.
	mount -o remount,ro "$TMP/bpf"
	refused "Read-only file system" attach eth0
	mount -o remount,rw "$TMP/bpf"
}

@test "a folder that cannot hold the lock is refused" {
	export PORTCTL_RUN=$TMP/file
	: >"$TMP/file"
	refused "cannot open $TMP/file/lock: Not a directory" status
	export PORTCTL_RUN=$TMP/no/such
	refused "cannot make $TMP/no/such: No such file or directory" status
	# A symbolic link in place of the lock is not followed.
	export PORTCTL_RUN=$TMP/links
	mkdir "$TMP/links"
	ln -s "$TMP/victim" "$TMP/links/lock"
	refused "cannot open $TMP/links/lock: " status
	[ ! -e "$TMP/victim" ]
}

@test "wrong maps in place of portctl's pins are refused" {
	portctl attach eth0
	local folder map command ones
	folder=$(echo "$TMP"/bpf/portctl/*)
	portctl detach eth0
	mkdir -p "$folder"
	# A control map that is too small, and one that cannot be mapped.
	map() { bpftool map create "$folder/$1" type "$2" key 4 value "$3" entries 1 name x "${@:4}"; }
	map control array 4 flags 0x400
	refused "was made by another version of portctl" status
	rm "$folder/control"
	map control hash 8
	refused "cannot open $folder/control: " status
	rm -r "$folder"
	wants 0 attach eth0
	# A stored ruleset that is garbage.
	portctl drop 7000
	rm "$folder"/ruleset?
	mapfile -t ones < <(yes ff | head -4092)
	for map in ruleset0 ruleset1; do
		map "$map" array 4096 flags 0x400
		bpftool map update pinned "$folder/$map" key 0 0 0 0 value hex ff ff ff ff \
			"${ones[@]}"
	done
	for command in list stats status "save -" "allow 22"; do
		refused "$folder" $command
	done
	# The data path does not need them.
	client "$PYTHON" "$NET" send "$S4" 7000 1
	wants 0 detach eth0
	wants 0 attach eth0
}

@test "apply reuses the maps of details and sources if they fit and belong to the slot" {
	portctl attach eth0
	local folder kind slot small big
	folder=$(echo "$TMP"/bpf/portctl/*/eth0)
	inner() { bpftool -j map show pinned "$folder/$1" | jq ".$2"; }
	ids() { for kind in details0 details1 sources0 sources1; do inner "$kind" id; done; }
	{
		echo "allow 7000 from $C4"
		seq -f 'drop 7000 from 10.1.%.0f.0/24' 0 255
		seq -f 'drop 7000 from 10.2.%.0f.0/24' 0 255
		seq -f 'drop 7000 from 10.3.%.0f.0/24' 0 255
	} >many
	printf '%s\n' "default drop" "allow 7000 from $C4" >f
	# Each slot twice.
	small=$(ids)
	for slot in 1 0 1 0; do
		portctl apply f
		client "$PYTHON" "$NET" send "$S4" 7000 1
	done
	equal "$(ids)" "$small"
	equal "$(line "allow 7000 from $C4")" 4
	big=$(inner sources0 max_entries)
	portctl apply many
	portctl apply many
	client "$PYTHON" "$NET" send "$S4" 7000 1
	equal "$(line "allow 7000 from $C4")" 5
	[ "$(inner sources0 max_entries)" -gt "$big" ]
	[ "$(inner sources1 max_entries)" -gt "$big" ]
	# A map that is much too large is replaced.
	portctl apply f
	portctl apply f
	[ "$(inner sources0 max_entries)" -lt 100 ]
	[ "$(inner sources1 max_entries)" -lt 100 ]
	# Other maps under the same names, as after a kill: not those that judge packets.
	for kind in details0 details1 sources0 sources1; do
		rm "$folder/$kind"
		bpftool map create "$folder/$kind" type array key 4 \
			value "$([ "${kind%?}" = details ] && echo 48 || echo 64)" entries "$big" name x flags 0x1400
	done
	portctl apply f
	portctl apply f
	client "$PYTHON" "$NET" send "$S4" 7000 1
	equal "$(line "allow 7000 from $C4")" 6
	small=$(ids)
	portctl apply f
	portctl apply f
	equal "$(ids)" "$small"
}
