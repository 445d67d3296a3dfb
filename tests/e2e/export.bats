#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-only
# export: the counters for Prometheus, and an HTTP server that clients cannot block or crash.
load helpers
load helpers_replies

HOSTILE="$BATS_TEST_DIRNAME/http_hostile.py"
SCRIPTS="$BATS_TEST_DIRNAME/../../scripts"
AT=127.0.0.1:9847

send() { client "$PYTHON" "$NET" send "$@"; }

# start_export [ARGUMENTS...]: sets $exporter, the PID of its main process, and $web, that of
# its HTTP process.
start_export() {
	background export server "$PORTCTL" export "$@"
	exporter=$pid
	eventually grep -q '^listening on ' "$TMP/export.out"
	web=$(pgrep -P "$exporter")
}

# get PATH [CURL_ARGUMENTS...]: prints the response's body. status prints its code.
get() { server curl -gsS -m 10 "${@:2}" "http://$AT$1"; }
status() { get "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }
openmetrics() { get /metrics -H 'Accept: application/openmetrics-text;version=1.0.0'; }

# metric NAME LABEL...: prints the sum of the samples that have all these labels.
metric() {
	get /metrics | "$PYTHON" -c '
import sys
name, labels = sys.argv[1], sys.argv[2:]
total = 0
for row in sys.stdin:
    sample, _, value = row.rstrip("\n").rpartition(" ")
    if sample.partition("{")[0] == name and all(label in sample for label in labels):
        total += float(value)
print(int(total))' "$@"
}

# promtool must accept the metrics, and no series may appear twice.
is_valid() {
	local text
	text=$(get /metrics)
	contains "$text" portctl_
	run promtool check metrics <<<"$text"
	equal "$status $output" "0 "
	equal "$(grep -v '^#' <<<"$text" | sed 's/ [^ ]*$//' | sort | uniq -d)" ""
}

# The exported ports and lines must have the counters of "portctl stats".
as_stats() {
	equal "$(metric portctl_port_packets_total)" \
		"$(stats '[.interfaces[].ports[] | .pass.packets, .drop.packets] | add // 0')"
	equal "$(metric portctl_port_bytes_total 'verdict="drop"')" \
		"$(stats '[.interfaces[].ports[].drop.bytes] | add // 0')"
	equal "$(metric portctl_line_packets_total 'verdict="pass"')" \
		"$(stats '[.interfaces[].total.pass.packets] | add // 0')"
	equal "$(metric portctl_line_bytes_total)" \
		"$(stats '[.interfaces[].total[].bytes] | add // 0')"
}

@test "the metrics equal stats through attach, apply and detach" {
	start_export
	is_valid
	equal "$(metric portctl_rules)" 0
	lacks "$(get /metrics)" 'interface='
	portctl attach eth0
	printf 'default drop\nallow 7000/udp\nallow 7000/udp\ndrop 7001 comment "x"\n' >rules
	portctl apply rules
	send "$S4" 7000 3 100
	send "$S6" 7001 5 100
	send "$S4" 53 2 100
	is_valid
	as_stats
	equal "$(metric portctl_rules)" 3
	equal "$(metric portctl_port_packets_total 'proto="udp",port="7000"' 'verdict="pass"')" 3
	equal "$(metric portctl_port_bytes_total 'port="7000"')" 426
	equal "$(metric portctl_port_packets_total 'port="53",service="domain",verdict="drop"')" 2
	equal "$(metric portctl_line_packets_total 'line="drop 7001",verdict="drop"')" 5
	# Two equal rules are one series.
	equal "$(metric portctl_line_packets_total 'line="allow 7000/udp"')" 3
	equal "$(metric portctl_interface_info 'interface="eth0",mode="native"')" 1
	portctl default allow --confirm 5m
	equal "$(($(metric portctl_pending_confirmation_seconds) > 290))" 1
	portctl confirm
	equal "$(metric portctl_pending_confirmation_seconds)" 0
	portctl detach eth0
	is_valid
	lacks "$(get /metrics)" 'interface='
	# The counters were reset.
	portctl attach eth0
	send "$S4" 7000 1 100
	equal "$(metric portctl_port_packets_total 'port="7000"')" 1
	as_stats
	equal "$(cat "$TMP/export.err")" ""
	equal "$(cat "$TMP/export.out")" "listening on http://$AT/metrics"
}

@test "an expired rule does not count in portctl_rules, as in status" {
	attach_with $'default drop\nallow 80\nallow 81 for 3s'
	start_export
	rules_are() { equal "$(metric portctl_rules) $(portctl status -j | jq .rules)" "$1 $1"; }
	rules_are 2
	eventually rules_are 1
}

@test "content types, pages and HTTP methods" {
	portctl attach eth0
	start_export
	local type='get /metrics -o /dev/null -w %{content_type}'
	equal "$($type)" "text/plain; version=0.0.4; charset=utf-8"
	equal "$($type -H 'Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5')" \
		"application/openmetrics-text; version=1.0.0; charset=utf-8"
	equal "$($type -H 'Accept: application/openmetrics-text;q=0.1,text/plain')" \
		"text/plain; version=0.0.4; charset=utf-8"
	equal "$(openmetrics | tail -1)" "# EOF"
	contains "$(openmetrics)" "# TYPE portctl_port_packets counter"
	lacks "$(get /metrics)" "# EOF"
	equal "$(get /healthz)" ok
	contains "$(get /)" 'href="/metrics"'
	local path
	for path in /x /metrics/ /metrics/x //metrics /Metrics /healthz/..%2f /%00; do
		equal "$path $(status "$path" --path-as-is)" "$path 404"
	done
	equal "$(status '/metrics?x=y')" 200
	equal "$(get /metrics --head -w '%{http_code}' | grep -c '^# ')" 0
	contains "$(get /metrics --head)" "Content-Length: "
	local method
	for method in POST PUT DELETE OPTIONS PATCH TRACE BREW; do
		equal "$method $(status /metrics -X "$method")" "$method 405"
		equal "$method $(status / -X "$method" -d x)" "$method 405"
	done
}

@test "listeners that come and go, and changes of state, are counted between scrapes" {
	attach_with $'default drop\nallow 8080/tcp'
	start_export
	equal "$(metric portctl_events_total 'event="listen"')" 0
	listen_as web tcp:0.0.0.0:8080
	local listener=$pid
	equal "$(metric portctl_events_total 'event="listen"')" 1
	equal "$(metric portctl_events_total 'event="state"')" 1
	equal "$(metric portctl_port_listening 'port="8080"' 'state="open"')" 1
	stop "$listener"
	equal "$(metric portctl_events_total 'event="gone"')" 1
	equal "$(metric portctl_events_total 'event="state"')" 2
	# A change of the rules changes the state of a port that still listens.
	listen_as web tcp:0.0.0.0:8080
	equal "$(metric portctl_events_total 'event="listen"')" 2
	portctl delete allow 8080/tcp --force
	equal "$(metric portctl_port_listening 'port="8080"' 'state="filtered"')" 1
	equal "$(metric portctl_events_total 'event="state"')" 4
	is_valid
}

@test "--listen: addresses that work and that are refused; the default is loopback" {
	start_export --listen "[::1]:9848"
	equal "$(cat "$TMP/export.out")" "listening on http://[::1]:9848/metrics"
	contains "$(AT='[::1]:9848' get /metrics)" portctl_build_info
	refused "cannot listen on [::1]:9848: Address already in use" export --listen "[::1]:9848"
	refused "cannot listen on 192.0.2.1:1: Cannot assign requested address" \
		export --listen 192.0.2.1:1
	local address
	for address in "" x 127.0.0.1 127.0.0.1: 127.0.0.1:x 127.0.0.1:65536 ::1:80 "[::1]" "[]:80" \
		:80 localhost:80 "127.0.0.1:-1" "$(printf 'x%.0s' {1..300}):80"; do
		refused 'expected an address and a port' export --listen "$address"
	done
	usage_of export x
	usage_of export --bogus
	wants 2 export --max-ports 131073
	contains "$stderr" 'found "131073", expected a number from 0 to 131072'
	# The default address is only reachable from this host.
	background other server "$PORTCTL" export
	eventually listening t 9847
	no client curl -sS -m 1 "http://$S4:9847/healthz"
	equal "$(get /healthz)" ok
}

# has PID NAME VALUE: a line of /proc/PID/status.
has() { equal "$(awk -v name="$2:" '$1 == name { $1 = ""; print substr($0, 2) }' "/proc/$1/status")" "$3"; }

@test "export gives up privileges that it does not need" {
	portctl attach eth0
	start_export
	equal "$(get /healthz)" ok
	local set
	for set in CapInh CapAmb; do
		has "$exporter" "$set" 0000000000000000
	done
	# CAP_BPF only.
	for set in CapPrm CapEff CapBnd; do
		has "$exporter" "$set" 0000008000000000
	done
	for set in CapInh CapAmb CapPrm CapEff CapBnd; do
		has "$web" "$set" 0000000000000000
	done
	has "$web" Uid "65534 65534 65534 65534"
	has "$web" Gid "65534 65534 65534 65534"
	has "$web" Groups ""
	has "$web" NoNewPrivs 1
	has "$exporter" NoNewPrivs 1
	# The HTTP process can start no process and write no file. The main process, which has the
	# maps, does not listen.
	grep -qE '^Max processes +0 +0 ' "/proc/$web/limits"
	grep -qE '^Max file size +0 +0 ' "/proc/$web/limits"
	lacks "$(server ss -Hltnp "sport = :9847")" "pid=$exporter,"
	contains "$(server ss -Hltnp "sport = :9847")" "pid=$web,"
}

# Whether a process has ended; it may still be a zombie.
has_ended() { ! grep -q '^State:[[:space:]][^ZX]' "/proc/$1/status" 2>/dev/null; }

@test "if one of its two processes ends, the other ends too" {
	start_export
	kill -9 "$exporter"
	eventually has_ended "$web"
	wait "$exporter" || true
	eventually no listening t 9847
	start_export
	kill -9 "$web"
	local code=0
	wait "$exporter" || code=$?
	equal "$code" 1
	equal "$(cat "$TMP/export.err")" \
		"portctl: the process that speaks HTTP was ended by signal 9"
}

@test "a held lock is status 503 after two seconds, and scrapes do not starve commands" {
	portctl attach eth0
	start_export
	local holder
	background holder server flock -F -x "$TMP/run/lock" sleep 60
	holder=$pid
	eventually no flock -n "$TMP/run/lock" true
	equal "$(status /metrics)" 503
	contains "$(get /metrics)" "another portctl command has held $TMP/run/lock for more than 2 s"
	equal "$(status /healthz)" 503
	stop "$holder"
	eventually flock -n "$TMP/run/lock" true
	equal "$(status /metrics)" 200
	# The messages are printed once, not for every scrape.
	equal "$(wc -l <"$TMP/export.err")" 2
	contains "$(cat "$TMP/export.err")" "note: the counters can be read again"
	# Eight clients scrape all the time.
	local scraper scrapers=() i
	for scraper in {1..8}; do
		background "scraper$scraper" server bash -c \
			"while :; do curl -s -m 10 http://$AT/metrics >/dev/null; done"
		scrapers+=("$pid")
	done
	for i in {1..10}; do
		server timeout 20 "$PORTCTL" allow "$((7000 + i))"
	done
	kill "${scrapers[@]}"
	equal "$(metric portctl_rules)" 10
}

@test "maps that cannot be read are status 503 with the reason, and export goes on" {
	portctl attach eth0
	start_export
	local control folder value
	control=$(echo "$TMP"/bpf/portctl/*/control)
	folder=${control%/control}
	value=$(bpftool -j map dump pinned "$control" | jq -r '.[0].value | join(" ")')
	bpftool map update pinned "$control" key 0 0 0 0 value 0x63 0 0 0 ${value#* * * * }
	equal "$(status /metrics) $(status /healthz)" "503 503"
	contains "$(get /metrics)" "portctl: $folder was made by another version of portctl (schema 99, "
	bpftool map update pinned "$control" key 0 0 0 0 value $value
	equal "$(status /metrics) $(status /healthz)" "200 200"
	# Another map in place of one of portctl's.
	mv "$folder/flows" "$TMP/bpf/flows"
	bpftool map create "$folder/flows" type hash key 4 value 4 entries 4 name other
	equal "$(status /metrics)" 503
	contains "$(get /metrics)" "portctl: cannot read $folder/flows: "
	rm "$folder/flows"
	equal "$(status /metrics)" 200
	# Pins that are removed and made all the time.
	background changer server bash -c "
		while :; do '$PORTCTL' detach eth0; '$PORTCTL' attach eth0; rm -r '$folder'; done"
	local i code
	for i in {1..40}; do
		code=$(status /metrics)
		[ "$code" = 200 ] || [ "$code" = 503 ]
	done
	stop "$pid"
	rm -rf "$folder"
	portctl attach eth0
	is_valid
	# No BPF file system.
	umount -l "$TMP/bpf"
	equal "$(status /metrics)" 503
	contains "$(get /healthz)" "is not on a BPF file system"
	mount -t bpf bpf "$TMP/bpf"
	equal "$(status /healthz)" 200
}

@test "--max-ports: the busiest ports have series, and sums stay right when ports change" {
	portctl attach eth0
	start_export --max-ports 3
	local port before now round
	for port in 7001 7002 7003 7004 7005; do
		send "$S4" "$port" $((port - 7000)) 10
	done
	equal "$(get /metrics | grep -c '^portctl_port_packets_total.*verdict="pass"')" 5
	equal "$(metric portctl_port_packets_total 'port="7005"')" 5
	equal "$(metric portctl_port_packets_total 'proto="udp",port="other"')" 3
	as_stats
	before=$(get /metrics | grep '^portctl_port')
	for round in 1 2 3; do
		send "$S4" 7001 20 10
		send "$S6" 7002 $((30 * round)) 10
		send "$S4" 9 1 10
		now=$(get /metrics | grep '^portctl_port')
		equal "$(grep -c 'packets.*verdict="pass"' <<<"$now")" 5
		as_stats
		"$PYTHON" -c '
import sys
before, now = (dict(row.rsplit(" ", 1) for row in text.splitlines()) for text in sys.argv[1:])
for series, value in now.items():
    assert int(value) >= int(before.get(series, 0)), series' "$before" "$now"
		before=$now
	done
	# The ports that became busier have series now.
	contains "$now" 'port="7001"'
	contains "$now" 'port="7002"'
}

@test "an interface name with quotes, backslash and invalid UTF-8" {
	local name
	name=$(printf 'a"\\\xff')
	# Its peer is in the client's namespace.
	ip -n "$SERVER" link add "$name" type veth peer name x0 netns "$CLIENT"
	ip -n "$SERVER" link set "$name" up
	portctl attach "$name"
	start_export
	is_valid
	contains "$(get /metrics)" 'portctl_interface_info{interface="a\"\\\\xff",mode='
}

@test "knocks: counters, grants and lockouts, but not the sequence" {
	portctl attach eth0
	portctl default drop
	portctl knock web opens 80/tcp for 30s after 7111/tcp 9111/udp 8111/tcp within 10s
	start_export
	client knock "$S4" 7111:tcp 9111:udp 8111:tcp
	equal "$(metric portctl_knock_attempts_total 'door="web"')" 1
	equal "$(metric portctl_knock_steps_total 'door="web"')" \
		"$(portctl knock status -j | jq '.knocks[0].steps')"
	equal "$(metric portctl_knock_grants_total 'door="web"')" 1
	equal "$(metric portctl_knock_active_grants 'door="web"')" 1
	equal "$(metric portctl_knock_lockouts)" 0
	local i
	for i in {1..5}; do
		client knock "$S6" 7111:tcp 1:tcp 2:tcp 3:tcp 4:tcp
	done
	equal "$(metric portctl_knock_lockouts)" 1
	equal "$(metric portctl_knock_failures_total)" 5
	equal "$(metric portctl_knock_failures_total)" \
		"$(portctl knock status -j | jq '.knocks[0].failures')"
	is_valid
	equal "$(get /metrics | grep -c 'line="knock web"')" 2
	lacks "$(get /metrics)" "7111/tcp"
}

# hostile WAY: starts a client of http_hostile.py, and returns once it holds its connections.
hostile() {
	background "$1" server "$PYTHON" "$HOSTILE" 127.0.0.1 9847 "$1"
	eventually grep -q . "$TMP/$1.out"
}

@test "clients that hold connections do not block others" {
	portctl attach eth0
	start_export
	local way memory
	for way in idle half slow_reader; do
		hostile "$way"
		# Several requests, in case one connection was still free.
		local i
		for i in {1..5}; do
			equal "$way $(status /metrics)" "$way 200"
		done
	done
	equal "$(status /healthz)" 200
	# All of them at once, and the memory has not grown.
	memory=$(awk '/^VmRSS/ { print $2 }' "/proc/$web/status")
	[ "$memory" -lt 50000 ]
	hostile trickle
	eventually_closed() { grep -q '^closed' "$TMP/trickle.out"; }
	eventually eventually_closed || eventually eventually_closed || eventually eventually_closed
	equal "$(pgrep -P "$exporter")" "$web"
	is_valid
}

@test "malformed requests are refused, and export goes on" {
	start_export
	local way
	for way in huge_header many_headers huge_url garbage zeros tls big_body; do
		run timeout 20 nsenter --net="/run/netns/$SERVER" "$PYTHON" "$HOSTILE" 127.0.0.1 9847 "$way"
		echo "$way: $output"
		[[ $output =~ ^(closed|HTTP/1\.[01]\ [45]) ]]
		equal "$(status /metrics)" 200
		equal "$(pgrep -P "$exporter")" "$web"
	done
	# A body of a GET request is not read.
	run server "$PYTHON" "$HOSTILE" 127.0.0.1 9847 chunked
	equal "$output" "HTTP/1.1 200 OK"
	equal "$(cat "$TMP/export.err")" ""
}

@test "Prometheus scrapes export and returns the right values" {
	portctl attach eth0
	portctl drop 7001
	start_export
	cat >prometheus.yml <<-EOF
		global: { scrape_interval: 1s }
		rule_files: [ "$(realpath "$SCRIPTS")/alerts.yml" ]
		scrape_configs:
		  - job_name: portctl
		    static_configs: [ { targets: [ "$AT" ] } ]
	EOF
	promtool check config prometheus.yml
	send "$S4" 7000 12 100
	send "$S6" 7001 30 100
	background prometheus server prometheus --config.file=prometheus.yml \
		--storage.tsdb.path="$TMP/tsdb" --web.listen-address=127.0.0.1:9090
	# query PROMQL: prints the value of the only result.
	query() {
		server curl -sS -m 5 --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query |
			jq -r '.data.result | if length == 1 then .[0].value[1] else "no: \(.)" end'
	}
	is_up() { equal "$(query 'up{job="portctl"}')" 1; }
	eventually is_up || eventually is_up
	equal "$(query 'portctl_port_packets_total{port="7000",proto="udp",verdict="pass"}')" 12
	equal "$(query 'sum(portctl_port_packets_total{verdict="drop"})')" \
		"$(stats '[.interfaces[].ports[].drop.packets] | add')"
	equal "$(query 'sum(portctl_line_bytes_total{verdict="drop",line="drop 7001"})')" \
		"$(stats '.interfaces[0].lines[] | select(.line == "drop 7001").bytes')"
	equal "$(query portctl_build_info)" 1
	# Prometheus asks for OpenMetrics, which the name of a counter's family shows.
	equal "$(server curl -sS "http://127.0.0.1:9090/api/v1/targets/metadata?metric=portctl_port_packets" |
		jq -r '.data[0].type')" counter
	send "$S4" 7000 8 100
	is_twenty() { equal "$(query 'portctl_port_packets_total{port="7000",proto="udp",verdict="pass"}')" 20; }
	eventually is_twenty
	equal "$(server curl -sS http://127.0.0.1:9090/api/v1/rules | jq '[.data.groups[].rules[] | select(.health == "err")] | length')" 0
}

listens() { get /metrics | grep -q '^portctl_port_listening'; }

@test "the dashboard and the alerts use only metrics that exist" {
	promtool check rules "$SCRIPTS/alerts.yml"
	jq -e '.panels | length > 0' "$SCRIPTS/grafana.json"
	portctl attach eth0
	portctl default drop
	portctl knock web opens 80/tcp for 30s after 7111/tcp 9111/udp 8111/tcp within 10s
	background web server "$PYTHON" -m http.server 8080
	start_export
	eventually listens
	local names name text
	text=$(get /metrics)
	names=$(jq -r '.. | .expr?, .query? | strings' "$SCRIPTS/grafana.json" |
		cat - "$SCRIPTS/alerts.yml" | grep -oE '\bportctl_[a-z_]+' | sort -u)
	[ "$(wc -l <<<"$names")" -gt 10 ]
	for name in $names; do
		echo "$name"
		grep -qE "^${name}[{ ]" <<<"$text"
	done
}

# Runs promtool's unit test of the alerts, with one sample a minute. The series and the checks
# are on standard input.
test_alerts() {
	{
		printf '%s\n' "rule_files: [ '$(realpath "$SCRIPTS")/alerts.yml' ]" "evaluation_interval: 1m" \
			"tests:" "  - interval: 1m" "    input_series:"
		cat
	} >alerts.test
	promtool test rules alerts.test
	# promtool takes an unknown name for an alert that does not fire.
	local name
	while read -r name; do
		grep -q "alert: $name$" "$SCRIPTS/alerts.yml"
	done < <(grep -o 'alertname: [A-Za-z]*' alerts.test | cut -d' ' -f2)
}

# In minute 10 a rule is removed that had dropped a million packets, and in minute 13 another
# one: for Prometheus the line "removed" rises, and the series of the rules end.
@test "removed rules do not count as drops in the dashboard or an alert" {
	local dropped
	dropped=$(jq -r '.panels[] | select(.title == "Dropped and rejected").targets[0].expr' \
		"$SCRIPTS/grafana.json" | sed 's/\$__rate_interval/5m/; s/\$[a-z]*/.*/g')
	test_alerts <<-EOF
		      - series: 'portctl_line_packets_total{instance="a",interface="eth0",line="drop 1",verdict="drop"}'
		        values: '1000000+0x10 stale'
		      - series: 'portctl_line_packets_total{instance="a",interface="eth0",line="drop 2",verdict="drop"}'
		        values: '1000000+0x13 stale'
		      - series: 'portctl_line_packets_total{instance="a",interface="eth0",line="drop 3",verdict="drop"}'
		        values: '0+60x60'
		      - series: 'portctl_line_packets_total{instance="a",interface="eth0",line="removed",verdict="drop"}'
		        values: '0+0x10 1000000+0x2 2000000+0x40'
		    promql_expr_test:
		      - { expr: '$dropped', eval_time: 14m, exp_samples: [ { labels: '{}', value: 1 } ] }
		    alert_rule_test:
		      - { eval_time: 17m, alertname: PortctlDropsRise }
	EOF
}

@test "PortctlPortOpened fires for a new port, not for all ports of a new host" {
	test_alerts <<-EOF
		      - series: 'portctl_interface_info{instance="a",interface="eth0"}'
		        values: '1x100'
		      - series: 'portctl_port_listening{instance="a",interface="eth0",port="22",proto="tcp",state="open"}'
		        values: '1x100'
		      - series: 'portctl_port_listening{instance="a",interface="eth0",port="80",proto="tcp",state="open"}'
		        values: '_x70 1x30'
		    alert_rule_test:
		      - { eval_time: 30m, alertname: PortctlPortOpened }
		      - eval_time: 90m
		        alertname: PortctlPortOpened
		        exp_alerts:
		          - exp_labels: { severity: info, instance: a, interface: eth0, port: 80, proto: tcp, state: open }
		            exp_annotations: { summary: "a: port 80/tcp is open and was not an hour ago" }
	EOF
}

@test "the installed systemd unit starts the installed program" {
	make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$TMP/root" PREFIX=/opt/x
	local unit=$TMP/root/opt/x/lib/systemd/system/portctl-export.service
	grep -qx 'ExecStart=/opt/x/sbin/portctl export' "$unit"
	"$TMP/root/opt/x/sbin/portctl" help export
}

@test "an ephemeral UDP port is not exported once its rule has expired" {
	portctl attach eth0
	start_export
	start_echo 40001
	printf 'default drop\nallow 40001/udp for 3s\n' >rules
	portctl apply --force rules
	equal "$(metric portctl_port_listening 'port="40001"')" 1
	is_gone() { equal "$(metric portctl_port_listening)" 0; }
	eventually is_gone
}

@test "portctl_port_listening shows listeners and their state from outside" {
	portctl attach eth0
	printf 'default drop\nallow 8080\n' >rules
	portctl apply --force rules
	start_export
	background web server "$PYTHON" -m http.server 8080
	one_listens() { equal "$(metric portctl_port_listening 'port="8080"' 'state="open"')" 1; }
	eventually one_listens
	equal "$(metric portctl_port_listening)" 1 # export itself listens on 127.0.0.1
	portctl drop 8080
	equal "$(metric portctl_port_listening 'port="8080"' 'state="filtered"')" 1
	is_valid
	stop "$pid"
	equal "$(metric portctl_port_listening)" 0
}
