# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154,SC2016 # bats sets output and stderr; jq has $ too
# What the end-to-end tests share: two network namespaces of their own for every
# test, joined by a veth pair, a BPF file system of their own, and real clients.
#
#   client  10.77.0.1  fd77::1  eth0 <---veth---> eth0  10.77.0.2  fd77::2  server
#
# portctl runs in the server's namespace. Nothing outside of the namespaces and
# of one folder below /tmp is touched, so several runs can go on at a time.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/remove.bash"

PATH=$PATH:/usr/sbin:/sbin # su(1) leaves them out
: "${PORTCTL:=$BATS_TEST_DIRNAME/../../build/portctl}"
PORTCTL=$(realpath "$PORTCTL")
export PORTCTL
# Debian's own: another one earlier in the PATH may be a slow wrapper.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
NET="$BATS_TEST_DIRNAME/net.py"

C4=10.77.0.1 C6=fd77::1 S4=10.77.0.2 S6=fd77::2
export C4 C6 S4 S6 NET PYTHON

# --- making and removing what a test runs in ------------------------------------

setup_file() {
	[ "$(id -u)" = 0 ] || {
		echo "these tests make network namespaces: run them as root" >&2
		return 1
	}
	[ -x "$PORTCTL" ] || {
		echo "there is no $PORTCTL: run make" >&2
		return 1
	}
	E2E_TMP=$(mktemp -d /tmp/portctl-e2e.XXXXXX)
	# tests/run removes this folder and its namespaces if it has to kill this file's tests.
	[ -z "${SUITE_FOLDERS:-}" ] || echo "$E2E_TMP" >>"$SUITE_FOLDERS"
	# Open, since a test runs portctl as another user.
	chmod 755 "$E2E_TMP"
	# Part of every name in /run/netns, so that no two runs collide.
	E2E_ID=pc-${E2E_TMP##*.}
	export E2E_TMP E2E_ID
}

teardown_file() {
	[ -n "${E2E_TMP:-}" ] || return 0
	# Every test has removed its own; what is left is a bug of the tests.
	local left
	left=$(
		ip netns list | grep -F "$E2E_ID"
		grep -F "$E2E_TMP" /proc/self/mounts
		find "$E2E_TMP" -mindepth 1
	) || true
	remove_all "$E2E_ID" "$E2E_TMP"
	[ -z "$left" ] || {
		printf 'left behind:\n%s\n' "$left" >&2
		return 1
	}
}

setup() {
	TMP=$E2E_TMP/$BATS_TEST_NUMBER
	CLIENT=$E2E_ID-$BATS_TEST_NUMBER-c SERVER=$E2E_ID-$BATS_TEST_NUMBER-s
	mkdir -p "$TMP/bpf" "$TMP/www"
	mount -t bpf bpf "$TMP/bpf"
	export PORTCTL_BPFFS=$TMP/bpf/portctl PORTCTL_RUN=$TMP/run PORTCTL_RULES=$TMP/saved
	unset NO_COLOR
	begun=() pid=
	add_namespace "$CLIENT"
	add_namespace "$SERVER"
	add_link eth0 "$C4" "$C6" "$S4" "$S6"
	cd "$TMP" || return 1
}

teardown() {
	local process
	cd / || return 1
	for process in "${begun[@]}"; do
		kill -9 "$process" 2>/dev/null || true
		wait "$process" 2>/dev/null || true
	done
	remove_all "$E2E_ID-$BATS_TEST_NUMBER-" "$TMP"
	[ ! -e "$TMP" ]
}

add_namespace() {
	ip netns add "$1"
	# Only what the tests send shall be seen: no router solicitations, no
	# link-local addresses with their duplicate detection.
	nsenter --net="/run/netns/$1" sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 \
		net.ipv6.conf.default.router_solicitations=0 \
		net.ipv6.conf.default.mldv2_unsolicited_report_interval=0
	ip -n "$1" link set lo up
}

# add_link NAME CLIENT4 CLIENT6 SERVER4 SERVER6: one more pair of that name.
add_link() {
	# Equal numbers in both namespaces, as is usual, but numbers that hardly any
	# other namespace has: --replace looks for links by them.
	local index=$((RANDOM + 20000))
	ip -n "$SERVER" link add "$1" index "$index" type veth \
		peer name "$1" index "$index" netns "$CLIENT"
	ip -n "$CLIENT" addr add "$2/24" dev "$1"
	ip -n "$CLIENT" addr add "$3/64" dev "$1" nodad
	ip -n "$SERVER" addr add "$4/24" dev "$1"
	ip -n "$SERVER" addr add "$5/64" dev "$1" nodad
	ip -n "$CLIENT" link set "$1" up
	ip -n "$SERVER" link set "$1" up
	# Neighbours are known, so that rules may drop ICMPv6 and counts are exact.
	neighbours "$CLIENT" "$1" "$SERVER" "$4" "$5"
	neighbours "$SERVER" "$1" "$CLIENT" "$2" "$3"
}

# neighbours HERE DEV THERE ADDRESS...: HERE needs not ask for THERE's addresses.
neighbours() {
	local mac address
	mac=$(ip -n "$3" -j link show "$2" | jq -r '.[0].address')
	for address in "${@:4}"; do
		ip -n "$1" neigh replace "$address" lladdr "$mac" dev "$2" nud permanent
	done
}

# --- running things ---------------------------------------------------------------

# `ip netns exec` would hide the BPF file system behind a new /sys.
server() { nsenter --net="/run/netns/$SERVER" "$@"; }
client() { nsenter --net="/run/netns/$CLIENT" "$@"; }
portctl() { server timeout -k 1 60 "$PORTCTL" "$@"; }

# swapped COMMAND...: with the roles of the two namespaces changed.
swapped() {
	local was=$SERVER
	local SERVER=$CLIENT CLIENT=$was
	"$@"
}

# wants CODE ARGUMENTS...: runs portctl, which has to exit with CODE. What it said
# is in $output and $stderr.
wants() { run "-$1" --separate-stderr portctl "${@:2}"; }

# background NAME WHERE COMMAND...: WHERE is server or client; sets $pid. What it
# prints goes to the files NAME.out and NAME.err. Descriptor 3 belongs to bats,
# which would wait for whoever has it.
background() {
	local where=$CLIENT
	[ "$2" = client ] || where=$SERVER
	# Not by the functions above: $! shall be the process itself, not a shell's.
	nsenter --net="/run/netns/$where" "${@:3}" >"$TMP/$1.out" 2>"$TMP/$1.err" 3>&- &
	pid=$!
	begun+=("$pid")
}

# Ends one process that a test began, and waits for it.
stop() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# eventually COMMAND...: it has to succeed within five seconds.
eventually() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "never came true: $*"
	return 1
}

listening() { server ss -Hln"$1" "sport = :$2" | grep -q .; }

# A real web server, on both families. It says "hello".
start_http() {
	echo hello >"$TMP/www/index.html"
	background "http$1" server "$PYTHON" -m http.server --bind :: \
		--directory "$TMP/www" "$1"
	eventually listening t "$1"
}

# start_echo PORT...: sends every datagram back, on both families.
start_echo() {
	local port
	background "echo$1" server "$PYTHON" "$NET" echo "$@"
	for port in "$@"; do
		eventually listening u "$port"
	done
}

# http_get HOST [PORT]: whether the web server answers, within a second.
http_get() {
	[ "$(client curl -gsS -m "${WAIT:-1}" "http://$1:${2:-80}/" 2>&1)" = hello ]
}

# udp_ask HOST PORT [TEXT]: whether the echo comes back.
udp_ask() {
	local text=${3:-marco}
	[ "$(client "$PYTHON" "$NET" ask "$1" "$2" "$text")" = "$text" ]
}

# --- asking -----------------------------------------------------------------------

# contains TEXT PART: or says what there was instead.
contains() {
	[[ $1 == *"$2"* ]] && return 0
	printf 'not found: %s\nin: %s\n' "$2" "$1"
	return 1
}

lacks() {
	[[ $1 != *"$2"* ]] && return 0
	printf 'found: %s\nin: %s\n' "$2" "$1"
	return 1
}

# equal GOT WANTED
equal() {
	[ "$1" = "$2" ] && return 0
	printf 'got:    %s\nwanted: %s\n' "$1" "$2"
	return 1
}

# differ GOT UNWANTED
differ() {
	[ "$1" != "$2" ] && return 0
	printf 'still: %s\n' "$1"
	return 1
}

# no COMMAND...: it has to fail. (bats does not see a failing "! command".)
no() {
	if "$@"; then
		echo "succeeded, but must not: $*"
		return 1
	fi
}

# One line, as every refusal is to be.
one_line() {
	[ "$(wc -l <<<"$1")" = 1 ] && [ -n "$1" ] && return 0
	printf 'not one line: %s\n' "$1"
	return 1
}

# refused TEXT ARGUMENTS...: exit code 1, one line on standard error that has TEXT,
# and nothing on standard output.
refused() {
	wants 1 "${@:2}"
	equal "$output" ""
	one_line "$stderr"
	contains "$stderr" "$1"
}

# usage_of COMMAND ARGUMENTS...: exit code 2, and how it is used.
usage_of() {
	wants 2 "$@"
	equal "$output" ""
	contains "$stderr" "usage: portctl $1 "
}

# stats FILTER [ARGUMENTS...]: what jq makes of the statistics.
stats() { portctl stats -j "${@:2}" | jq -r "$1"; }

# port PROTO PORT [pass|drop]: packets, on all interfaces together.
port() {
	stats "[.interfaces[].ports[] | select(.proto == \"$1\" and .port == $2)
		| .${3:-pass}.packets] | add // 0"
}

# line NAME [VERDICT]: packets of a line, on all interfaces together.
line() {
	stats "[.interfaces[].lines[] | select(.line == \"$1\"
		and (\"${2:-}\" == \"\" or .verdict == \"${2:-}\")) | .packets] | add // 0"
}

# Everything portctl has pinned, without what the kernel puts there itself, and
# what ip(8) does where it loads a program.
pins() {
	find "$TMP/bpf" -mindepth 1 ! -name '*.debug' ! -path "$TMP/bpf/portctl" \
		! -path "$TMP/bpf/ip" ! -path "$TMP/bpf/xdp" ! -path "$TMP/bpf/tc*"
}

# The packets and bytes of the lines are those of the totals, by verdict.
adds_up() {
	equal "$(stats '[.interfaces[] | . as $i | ("pass", "drop") as $v
		| ([$i.lines[] | select(.verdict == $v)]
		   | [(map(.packets) | add // 0), (map(.bytes) | add // 0)])
		  == [$i.total[$v].packets, $i.total[$v].bytes]] | all')" true
}

# Where only UDP came, the ports, the lines and the totals are the same sums.
sums_agree() {
	adds_up
	equal "$(stats '.interfaces[0] | . as $i | [("pass", "drop") as $v
		| ([.ports[][$v].packets] | add // 0) == $i.total[$v].packets] | all')" true
}

# The running rules, as text.
rules() { portctl save -; }
