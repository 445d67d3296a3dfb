#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# The manual, the completions and `make install`: generated from the table of commands, and
# correct.

load helpers

BUILT="$BATS_TEST_DIRNAME/../../build"

@test "the manual is valid mdoc and names every command" {
	run mandoc -Tlint -W style "$BUILT/man/portctl.8" "$BUILT/man/portctl.rules.5"
	equal "$(grep -v "mandoc.db\|referenced manual not found" <<<"$output")" ""
	local name names
	names=$(portctl help | awk '/^  [a-z]/ && !/^  portctl/ { print $1 }')
	contains "$names" watch
	for name in $names; do
		grep -q "^.Ss portctl $name$" "$BUILT/man/portctl.8"
	done
}

@test "the manual has the whole help of every command" {
	local manual name help
	manual=$(mandoc -T ascii -O width=1000 "$BUILT/man/portctl.8" | col -bx | tr -s ' \n' ' ')
	for name in $(portctl help | awk '/^  [a-z]/ && !/^  portctl/ { print $1 }'); do
		# Without the title, the usage, the list of verbs, and a heading that only help has.
		help=$(portctl help "$name" | awk '/^Verbs/ { exit } !NF { part++ }
			part > 1 && !/^Options:$/' | tr -s ' \n' ' ')
		contains "$manual" "$help"
	done
	for name in list send import; do
		grep -q "^.Ss portctl knock $name$" "$BUILT/man/portctl.8"
	done
}

@test "every example of a rule in help is a valid ruleset" {
	local name
	for name in allow drop reject default option knock; do
		portctl help $name | sed -n "s/ --confirm 60s//; s/^  portctl \\($name .*\\)/\\1/p" >"$TMP/example"
		[ -s "$TMP/example" ]
		portctl check "$TMP/example"
	done
}

@test "every example of portctl.rules(5) is a valid ruleset" {
	awk -v folder="$TMP" '/^\.\\" RULES/ { n++; on = 1; next } /^\.Ed/ { on = 0 }
		on { print >(folder "/example" n) }' "$BUILT/man/portctl.rules.5"
	local example
	for example in "$TMP"/example*; do portctl check "$example"; done
	[ -s "$TMP/example3" ]
}

# with_sys COMMAND...: runs it in the server's namespace, whose devices are in its /sys.
with_sys() { ip netns exec "$SERVER" "$@"; }

# complete_bash WORD...: what bash offers for the last word.
complete_bash() {
	with_sys bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _portctl; printf "%s\n" "${COMPREPLY[@]}"' \
		- "$BUILT/completions/portctl.bash" "$@"
}

@test "bash completes commands, options, interfaces and files" {
	equal "$(complete_bash portctl aud)" audit
	equal "$(complete_bash portctl attach --m)" --mode
	equal "$(complete_bash portctl attach --mode nat)" native
	contains "$(complete_bash portctl attach l)" lo
	touch "$TMP/some.rules"
	equal "$(complete_bash portctl apply some)" some.rules
	contains "$(complete_bash portctl allow 22 li)" limit
	equal "$(complete_bash portctl help wat)" watch
}

@test "bash completes arguments of options, and the words of each form of a command" {
	equal "$(complete_bash portctl knock sen)" send
	equal "$(complete_bash portctl knock send HOST web --k)" --key
	touch "$TMP/some.key"
	equal "$(complete_bash portctl knock send HOST web --key some)" some.key
	equal "$(complete_bash portctl knock web spa 62201/udp k)" keys
	equal "$(complete_bash portctl knock web spa 62201/udp keys some)" some.key
	equal "$(complete_bash portctl knock list --k)" ""
	equal "$(complete_bash portctl allow 22 on l)" lo
	equal "$(complete_bash portctl ports --on l)" lo
	contains "$(complete_bash portctl ports --netns "$SERVER")" "$SERVER"
	equal "$(complete_bash portctl ports --from l)" ""
	equal "$(complete_bash portctl attach --mode g)" generic
	equal "$(complete_bash portctl audit --policy some)" some.key
	equal "$(complete_bash portctl monitor ref)" refusal
	equal "$(complete_bash portctl delete al)" allow
	equal "$(complete_bash portctl services l)" ""
}

# complete_zsh FOLDER LINE...: the lines after Tab is pressed at their ends in an interactive zsh.
complete_zsh() {
	with_sys timeout 60 zsh -f "$BATS_TEST_DIRNAME/complete.zsh" "$@"
}

# press_bash LINE: the line after Tab is pressed at its end in an interactive bash.
press_bash() {
	printf '%s\n' ". $BUILT/completions/portctl.bash" \
		"show() { echo \"\$READLINE_LINE\" >$TMP/line; exit; }" "bind -x '\"\\C-x\": show'" >"$TMP/bashrc"
	printf '%s\t\x18' "$1" |
		TERM=dumb timeout 60 script -qec "bash --noprofile --rcfile $TMP/bashrc -i" /dev/null >"$TMP/terminal"
	cat "$TMP/line"
}

@test "Tab in bash adds a space to a word and a slash to a folder" {
	mkdir default aud some.rules
	equal "$(press_bash "portctl def")" "portctl default "
	equal "$(press_bash "portctl allow 22 o")" "portctl allow 22 on "
	equal "$(press_bash "portctl apply som")" "portctl apply some.rules/"
}

@test "completions run no command that a name contains" {
	local namespace=$SERVER-'$(id>a)' interface='h3$(id>a)' word
	server ip link add "$interface" type veth
	ip netns add "$namespace"
	equal "$(complete_bash portctl ports --netns "$SERVER-")" "$(printf %q "$namespace")"
	for word in h3 'h3\$\('; do
		equal "$(complete_bash portctl attach "$word")" "$(printf %q "$interface")"
	done
	mkdir functions
	cp "$BUILT/completions/portctl.zsh" functions/_portctl
	equal "$(complete_zsh functions "portctl attach h3")" \
		'portctl attach h3\$\(id\>a\) '
	[ ! -e a ]
}

@test "Tab in zsh completes the same" {
	local folder=$TMP/functions
	mkdir "$folder"
	cp "$BUILT/completions/portctl.zsh" "$folder/_portctl"
	touch some.rules
	equal "$(complete_zsh "$folder" "portctl aud" \
		"portctl attach l" "portctl attach --mode nat" "portctl apply som" "portctl knock sen" \
		"portctl knock send HOST web --k" "portctl knock send HOST web --key som" \
		"portctl allow 22 on l" "portctl ports --on l" "portctl ports --netns $SERVER" "portctl help wat")" \
		"portctl audit 
portctl attach lo 
portctl attach --mode native 
portctl apply some.rules 
portctl knock send 
portctl knock send HOST web --key 
portctl knock send HOST web --key some.rules 
portctl allow 22 on lo 
portctl ports --on lo 
portctl ports --netns $SERVER 
portctl help watch "
	contains "$(cat "$BUILT/completions/portctl.zsh")" "'audit:"
}

@test "make install sets modes whatever the umask, and zsh finds its completion" {
	local mask
	for mask in 0 077; do
		(umask $mask && make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$TMP/$mask" 3>&-)
		equal "$(find "$TMP/$mask/usr" ! -perm 755 ! \( -type f -perm 644 \))" ""
	done
	[ "$(find 0 -name '*.service' | wc -l)" = 4 ]
	equal "$(grep -r @PREFIX@ 0)" ""
	contains "$(zsh -f -c 'print -l $fpath')" "$(cd 0 && find . -name _portctl -printf '%h' | cut -c2-)"
}

@test "make install and the systemd units work with spaces in folders" {
	local folder="$TMP/a folder" unit
	make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$folder" PREFIX="/opt/port ctl" 3>&-
	[ -x "$folder/opt/port ctl/libexec/portctl/portctl-top" ]
	"$folder/opt/port ctl/sbin/portctl" --version
	for unit in "$folder/opt/port ctl"/lib/systemd/system/*.service; do
		grep -q '^ExecStart=/opt/port\\x20ctl/sbin/portctl ' "$unit"
	done
}

@test "the manual names the files, environment variables and privileges of the program" {
	local name text
	text=$(sed 's/\\-/-/g' "$BUILT/man/portctl.8")
	# Every environment variable that the code reads, and no other.
	equal "$(cd "$BATS_TEST_DIRNAME/../../user" && grep -rohE '(env_or|getenv)\("[A-Z_]+"' --include=*.c . | cut -d'"' -f2 | sort -u)" \
		"$(awk '/^\.It Ev/ { print $3 }' <<<"$text" | sort -u)"
	for name in /etc/portctl/rules /etc/portctl/rules.interfaces /etc/portctl/keys /run/portctl /sys/fs/bpf/portctl; do
		grep -q "^.It Pa $name" <<<"$text"
	done
	equal "$(grep -A3 '^.Ss portctl services$' <<<"$text" | wc -l)" 4
	contains "$text" $'Show names and classes of ports.\nPrivileges: none.'
}
