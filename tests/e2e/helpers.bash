# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Helpers of all end-to-end tests: each test has its own two network namespaces, joined by a
# veth pair, and its own BPF file system; real clients send the packets.
#
#   client  10.77.0.1  fd77::1  eth0 <---veth---> eth0  10.77.0.2  fd77::2  server
#
# portctl runs in the server's namespace. The tests touch nothing outside these namespaces and
# one folder below /tmp, so several runs can be active at the same time.

bats_require_minimum_version 1.5.0
. "$BATS_TEST_DIRNAME/remove.bash"

PATH=$PATH:/usr/sbin:/sbin # su(1) leaves them out
: "${PORTCTL:=$BATS_TEST_DIRNAME/../../build/portctl}"
PORTCTL=$(realpath "$PORTCTL")
export PORTCTL
# Debian's own Python: another one earlier in PATH may be a slow wrapper.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
NET="$BATS_TEST_DIRNAME/net.py"

C4=10.77.0.1 C6=fd77::1 S4=10.77.0.2 S6=fd77::2
export C4 C6 S4 S6 NET PYTHON

# --- set-up and teardown ------------------------------------------------------------

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
	# Readable by all, because tests run portctl as another user.
	chmod 755 "$E2E_TMP"
	# Part of every name in /run/netns, so that no two runs collide.
	E2E_ID=pc-${E2E_TMP##*.}
	export E2E_TMP E2E_ID
}

teardown_file() {
	[ -n "${E2E_TMP:-}" ] || return 0
	# Every test removes what it made. Whatever is left is a bug of the tests.
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
	# Only the tests shall send packets: no router solicitations, and no link-local
	# addresses, which would cause duplicate address detection.
	nsenter --net="/run/netns/$1" sysctl -qw net.ipv6.conf.default.addr_gen_mode=1 \
		net.ipv6.conf.default.router_solicitations=0 \
		net.ipv6.conf.default.mldv2_unsolicited_report_interval=0
	ip -n "$1" link set lo up
}

# add_link NAME CLIENT4 CLIENT6 SERVER4 SERVER6: adds a veth pair, both ends called NAME.
add_link() {
	# The same ifindex in both namespaces, as is usual, but one that hardly any other
	# namespace has, because --replace finds links by ifindex.
	local index=$((RANDOM + 20000))
	ip -n "$SERVER" link add "$1" index "$index" type veth \
		peer name "$1" index "$index" netns "$CLIENT"
	ip -n "$CLIENT" addr add "$2/24" dev "$1"
	ip -n "$CLIENT" addr add "$3/64" dev "$1" nodad
	ip -n "$SERVER" addr add "$4/24" dev "$1"
	ip -n "$SERVER" addr add "$5/64" dev "$1" nodad
	ip -n "$CLIENT" link set "$1" up
	ip -n "$SERVER" link set "$1" up
	# Permanent neighbours, so that rules may drop ICMPv6 and counts are exact.
	neighbours "$CLIENT" "$1" "$SERVER" "$4" "$5"
	neighbours "$SERVER" "$1" "$CLIENT" "$2" "$3"
}

# neighbours HERE DEV THERE ADDRESS...: makes THERE's addresses permanent neighbours of HERE.
neighbours() {
	local mac address
	mac=$(ip -n "$3" -j link show "$2" | jq -r '.[0].address')
	for address in "${@:4}"; do
		ip -n "$1" neigh replace "$address" lladdr "$mac" dev "$2" nud permanent
	done
}

# --- running commands -----------------------------------------------------------------

# `ip netns exec` would hide the BPF file system behind a new /sys.
server() { nsenter --net="/run/netns/$SERVER" "$@"; }
client() { nsenter --net="/run/netns/$CLIENT" "$@"; }
portctl() { server timeout -k 1 60 "$PORTCTL" "$@"; }

# swapped COMMAND...: runs it with the roles of the two namespaces exchanged.
swapped() {
	local was=$SERVER
	local SERVER=$CLIENT CLIENT=$was
	"$@"
}

# wants CODE ARGUMENTS...: runs portctl, which must exit with CODE. Sets $output and $stderr.
wants() { run "-$1" --separate-stderr portctl "${@:2}"; }

# background NAME WHERE COMMAND...: runs it in the background; WHERE is server or client. Sets
# $pid. Its output goes to the files NAME.out and NAME.err. Descriptor 3 is closed, because
# bats waits for every process that has it open.
background() {
	local where=$CLIENT
	[ "$2" = client ] || where=$SERVER
	# Without the functions above, so that $! is the process itself and no subshell.
	nsenter --net="/run/netns/$where" "${@:3}" >"$TMP/$1.out" 2>"$TMP/$1.err" 3>&- &
	pid=$!
	begun+=("$pid")
}

# stop PID: ends a background process and waits for it.
stop() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

# eventually COMMAND...: repeats it until it succeeds, for at most five seconds. Arguments are
# expanded only once, so what changes must be read inside a function.
eventually() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.05
	done
	echo "never came true: $*"
	return 1
}

# listening t|u PORT: whether a TCP or UDP socket of the server has the port.
listening() { server ss -Hln"$1" "sport = :$2" | grep -q .; }

# start_http PORT: a real web server for both address families, which answers "hello".
start_http() {
	echo hello >"$TMP/www/index.html"
	background "http$1" server "$PYTHON" -m http.server --bind :: \
		--directory "$TMP/www" "$1"
	eventually listening t "$1"
}

# start_echo PORT...: a UDP server for both address families that sends each datagram back.
start_echo() {
	local port
	background "echo$1" server "$PYTHON" "$NET" echo "$@"
	for port in "$@"; do
		eventually listening u "$port"
	done
}

# http_get HOST [PORT]: whether the web server answers within a second, or $WAIT.
http_get() {
	[ "$(client curl -gsS -m "${WAIT:-1}" "http://$1:${2:-80}/" 2>&1)" = hello ]
}

# udp_ask HOST PORT [TEXT]: whether the echo server answers within a second.
udp_ask() {
	local text=${3:-marco}
	[ "$(client "$PYTHON" "$NET" ask "$1" "$2" "$text")" = "$text" ]
}

# --- assertions -----------------------------------------------------------------------

# contains TEXT PART
contains() {
	[[ $1 == *"$2"* ]] && return 0
	printf 'not found: %s\nin: %s\n' "$2" "$1"
	return 1
}

# lacks TEXT PART. An empty TEXT lacks everything: make sure that there is one.
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

# no COMMAND...: it must fail. (bats does not notice when "! command" fails.)
no() {
	if "$@"; then
		echo "succeeded, but must not: $*"
		return 1
	fi
}

# one_line TEXT: TEXT must be exactly one line, as every error message is.
one_line() {
	[ "$(wc -l <<<"$1")" = 1 ] && [ -n "$1" ] && return 0
	printf 'not one line: %s\n' "$1"
	return 1
}

# refused TEXT ARGUMENTS...: portctl must exit with 1, print one line with TEXT on standard
# error, and nothing on standard output.
refused() {
	wants 1 "${@:2}"
	equal "$output" ""
	one_line "$stderr"
	contains "$stderr" "$1"
}

# usage_of COMMAND ARGUMENTS...: portctl must exit with 2 and print the usage of COMMAND.
usage_of() {
	wants 2 "$@"
	equal "$output" ""
	contains "$stderr" "usage: portctl $1 "
}

# stats FILTER [ARGUMENTS...]: filters the JSON of "portctl stats" with jq.
stats() { portctl stats -j "${@:2}" | jq -r "$1"; }

# port PROTO PORT [pass|drop]: the packets counted, summed over all interfaces.
port() {
	stats "[.interfaces[].ports[] | select(.proto == \"$1\" and .port == $2)
		| .${3:-pass}.packets] | add // 0"
}

# line NAME [VERDICT]: the packets counted on a line, summed over all interfaces.
line() {
	stats "[.interfaces[].lines[] | select(.line == \"$1\"
		and (\"${2:-}\" == \"\" or .verdict == \"${2:-}\")) | .packets] | add // 0"
}

# Lists everything that portctl pinned: not the kernel's own files, and not those of ip(8).
pins() {
	find "$TMP/bpf" -mindepth 1 ! -name '*.debug' ! -path "$TMP/bpf/portctl" \
		! -path "$TMP/bpf/ip" ! -path "$TMP/bpf/xdp" ! -path "$TMP/bpf/tc*"
}

# For each verdict, the packets and bytes of the lines must add up to the totals.
adds_up() {
	equal "$(stats '[.interfaces[] | . as $i | ("pass", "drop") as $v
		| ([$i.lines[] | select(.verdict == $v)]
		   | [(map(.packets) | add // 0), (map(.bytes) | add // 0)])
		  == [$i.total[$v].packets, $i.total[$v].bytes]] | all')" true
}

# The same, and the ports must add up to the totals too: for traffic that is only UDP.
sums_agree() {
	adds_up
	equal "$(stats '.interfaces[0] | . as $i | [("pass", "drop") as $v
		| ([.ports[][$v].packets] | add // 0) == $i.total[$v].packets] | all')" true
}

# Prints the running rules.
rules() { portctl save -; }
