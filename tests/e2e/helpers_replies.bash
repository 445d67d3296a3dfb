# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# More helpers: handmade frames (wire.py), other servers and namespaces, and programs that
# listen. Used beside helpers.bash.
#
# Some tests have a third namespace, "inner", behind the server, as a container would be:
#
#   client eth0 <---> eth0 server inner0 <---> eth0 inner
#                                 10.78.0.1/fd78::1   10.78.0.2/fd78::2

WIRE="$BATS_TEST_DIRNAME/wire.py"
I4=10.78.0.2 I6=fd78::2

wire() { client "$PYTHON" "$WIRE" "$@"; }
server_wire() { server "$PYTHON" "$WIRE" "$@"; }
inner() { nsenter --net="/run/netns/$INNER" "$@"; }

mac_of() { ip -n "$1" -j link show "${2:-eth0}" | jq -r '.[0].address'; }

# attach_with RULES [MODE]: attaches to eth0 with exactly these rules. Uses --force, because what
# happens to open connections is what the tests are about. Sets $MAC, the server's.
attach_with() {
	portctl attach eth0 --mode "${2:-native}"
	printf '%s\n' "$1" >"$TMP/rules"
	portctl apply --force "$TMP/rules"
	MAC=$(mac_of "$SERVER")
}

# Lets the client receive XDP_TX frames: a veth device does so only with an XDP program.
receive_answers() { swapped portctl attach eth0; }

# flood KIND SOURCE TARGET PORT COUNT [SECONDS]: sends frames from the client, see wire.py.
flood() { wire flood eth0 "$MAC" "$@"; }

# answer KIND TARGET PORT [TAG...]: sends one frame and prints what comes back.
answer() {
	local from=$C4
	[[ $2 != *:* ]] || from=$C6
	wire answer eth0 "${TO:-$MAC}" "$1" "$from" "${@:2}"
}

# from_sources TARGET PORT: sends a datagram from each address on standard input.
from_sources() { wire from eth0 "$MAC" "$@"; }

# same_port_ask HOST PORT: whether the echo server answers the client's port 30000.
same_port_ask() {
	[ "$(wire unconnected "$1" "$2" marco 0 30000 2>/dev/null)" = 5 ]
}

# hold NAME WHERE HOST PORT: opens a connection to an echo server, for one `say NAME TEXT`.
hold() {
	mkfifo "$TMP/$1.fifo"
	background "$1" "$2" "$PYTHON" "$WIRE" hold "$3" "$4" "$TMP/$1.fifo"
	eventually grep -q connected "$TMP/$1.out"
}
say() {
	echo "$2" >"$TMP/$1.fifo"
	eventually grep -qx "$2" "$TMP/$1.out"
}

# flows [COMMAND]: prints how many flows the table of the server's namespace has; or runs
# another command of net.py on the table.
flows() {
	local cookie
	cookie=$(server "$PYTHON" -c 'import socket
print("%x" % int.from_bytes(socket.socket().getsockopt(socket.SOL_SOCKET, 71, 8), "little"))')
	"$PYTHON" "$NET" "${1:-flows}" "$PORTCTL_BPFFS/$cookie/flows"
}

# As adds_up, with rejected packets counted among the dropped.
all_add_up() {
	equal "$(stats '[.interfaces[] | . as $i
		| (([$i.lines[] | select(.verdict == "pass") | .packets] | add // 0)
			== $i.total.pass.packets)
		  and (([$i.lines[] | select(.verdict != "pass") | .packets] | add // 0)
			== $i.total.drop.packets)] | all')" true
}

at_least() {
	[ "$1" -ge "$2" ] && return 0
	printf 'got %s, wanted at least %s\n' "$1" "$2"
	return 1
}
at_most() {
	[ "$1" -le "$2" ] && return 0
	printf 'got %s, wanted at most %s\n' "$1" "$2"
	return 1
}

# in_time SECONDS COMMAND...: returns its exit code, or 99 if it took longer.
in_time() {
	local begin=$EPOCHREALTIME code=0
	"${@:2}" || code=$?
	awk -v a="$begin" -v b="$EPOCHREALTIME" -v max="$1" 'BEGIN {
		if (b - a > max) print "took " b - a " s"
		exit b - a > max
	}' || return 99
	return $code
}

# Servers outside, in the client's namespace.
outside_http() { swapped start_http "$@"; }
outside_echo() { swapped start_echo "$@"; }
# host_get HOST [PORT] and host_ask HOST PORT: requests from the server to the outside.
host_get() { swapped http_get "$@"; }
host_ask() { swapped udp_ask "$@"; }

# client_address ADDRESS/LENGTH: adds an address to the client.
client_address() {
	ip -n "$CLIENT" addr add "$1" dev eth0 nodad
	neighbours "$SERVER" eth0 "$CLIENT" "${1%/*}"
}
# get_from ADDRESS HOST [PORT]: whether the web server answers a client with this address.
get_from() {
	[ "$(client curl -gsS --interface "$1" -m "${WAIT:-1}" "http://$2:${3:-80}/" 2>&1)" = hello ]
}
no_get_from() { WAIT=0.3 no get_from "$@"; }

# add_inner nat|routed: adds the namespace behind the server.
add_inner() {
	local mac
	INNER=$E2E_ID-$BATS_TEST_NUMBER-i
	add_namespace "$INNER"
	ip -n "$SERVER" link add inner0 type veth peer name eth0 netns "$INNER"
	ip -n "$SERVER" addr add 10.78.0.1/24 dev inner0
	ip -n "$SERVER" addr add fd78::1/64 dev inner0 nodad
	ip -n "$INNER" addr add $I4/24 dev eth0
	ip -n "$INNER" addr add $I6/64 dev eth0 nodad
	ip -n "$SERVER" link set inner0 up
	ip -n "$INNER" link set eth0 up
	ip -n "$INNER" route add default via 10.78.0.1
	ip -n "$INNER" -6 route add default via fd78::1
	# A router without link-local addresses cannot resolve its neighbours.
	mac=$(mac_of "$INNER")
	ip -n "$SERVER" neigh replace $I4 lladdr "$mac" dev inner0
	ip -n "$SERVER" neigh replace $I6 lladdr "$mac" dev inner0
	server sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	if [ "$1" = nat ]; then
		masquerade
	else
		ip -n "$CLIENT" route add 10.78.0.0/24 via "$S4"
		ip -n "$CLIENT" -6 route add fd78::/64 via "$S6"
	fi
}

# NAT needs nft, which filters nothing here.
masquerade() {
	server nft -f - <<-EOF
		table inet nat {
			chain post {
				type nat hook postrouting priority 100;
				oifname "eth0" masquerade
			}
		}
	EOF
}

# Adds a namespace "far" beyond the client, which becomes a router. The last hop has a smaller
# MTU.
add_far() {
	local mac
	FAR=$E2E_ID-$BATS_TEST_NUMBER-f
	add_namespace "$FAR"
	ip -n "$CLIENT" link add far0 mtu 1400 type veth peer name eth0 netns "$FAR"
	ip -n "$CLIENT" addr add 10.79.0.1/24 dev far0
	ip -n "$CLIENT" addr add fd79::1/64 dev far0 nodad
	ip -n "$FAR" addr add 10.79.0.2/24 dev eth0
	ip -n "$FAR" addr add fd79::2/64 dev eth0 nodad
	ip -n "$CLIENT" link set far0 up
	ip -n "$FAR" link set eth0 up
	ip -n "$FAR" route add default via 10.79.0.1
	ip -n "$FAR" -6 route add default via fd79::1
	# A router without link-local addresses cannot resolve its neighbours.
	mac=$(mac_of "$FAR")
	ip -n "$CLIENT" neigh replace $F4 lladdr "$mac" dev far0
	ip -n "$CLIENT" neigh replace $F6 lladdr "$mac" dev far0
	client sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
	ip -n "$SERVER" route add 10.79.0.0/24 via "$C4"
	ip -n "$SERVER" -6 route add fd79::/64 via "$C6"
}
F4=10.79.0.2 F6=fd79::2
# path_mtu HOST: the path MTU that the server has learned.
path_mtu() { ip -n "$SERVER" -j route get "$1" | jq '.[0].metrics[0].mtu // 1500'; }

# listen_as NAME ADDRESS...: a program called NAME that listens until the test ends. An ADDRESS
# is PROTO:HOST:PORT, with IPv6 in brackets. Sets $pid.
listen_as() {
	background "listen-$1" server "$PYTHON" -c "
import re, socket, sys, time
open('/proc/self/comm', 'w').write(sys.argv[1])
held = []
for word in sys.argv[2:]:
	proto, host, port = re.fullmatch(r'(tcp|udp):\[?([0-9a-f.:]+)\]?:([0-9]+)', word).groups()
	s = socket.socket(socket.AF_INET6 if ':' in host else socket.AF_INET,
		socket.SOCK_STREAM if proto == 'tcp' else socket.SOCK_DGRAM)
	s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	if host == '::' and proto == 'tcp':
		s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
	s.bind((host, int(port)))
	if proto == 'tcp':
		s.listen()
	held.append(s)
print('ready', flush=True)
time.sleep(100)" "$@"
	# The file's own name and no pattern, which would be expanded before the file exists.
	eventually grep -q ready "$TMP/listen-$1.out"
}
