# Makes README's table: jq -rf tests/bench/readme.jq tests/bench/results.json
["empty", "portctl", "xdp-filter", "nft netdev", "nft input", "iptables"] as $names |
def digits($n): . as $value | pow(10; $n) as $unit | ($value * $unit | round) / $unit |
	tostring | if $n == 0 then . else (split(".") + ["0"]) |
	.[0] + "." + (.[1] + "0000")[:$n] end;
def rate: if . == null then "-"
	else "\(.median | digits(if . < 0.05 then 4 else 2 end)) (\(.of_empty * 100 | round) %)" end;
def figure($n): if . == null then "-" else (.median | digits($n)) end;
def line($first; $cells): "| " + ([$first] + $cells | join(" | ")) + " |";
def cells(f): .candidates as $all | [$names[] | $all[.] | f];
def show($title; f): if . == null then empty else cells(f) as $cells |
	if ($cells | all(. == "-")) then empty else line($title; $cells) end end;
.side_by_side as $rows |
def row($name): [$rows[] | select(.row == $name)][0];
line("Mpps (of the empty program)"; $names),
line("---"; [$names[] | "---:"]),
(["one port", "one port, IPv6", "one port, VLAN", "random ports, default drop", "1 rule",
  "1,000 rules", "65,536 rules", "10 sources", "10,000 sources", "100,000 sources", "default drop",
  "knocks, default drop", "passes: allowed port", "passes: established TCP", "passes: UDP reply"][] as $name |
	row($name) | show($name; .mpps | rate)),
(row("one port") | show("one port: CPU s for 1 M packets"; .cpu_seconds_per_million | figure(3)),
	show("one port: Mpps, receiving side on another CPU"; .receiver_mpps | rate)),
(row("1 rule") | show("1 rule: apply, ms"; .apply_ms | figure(0))),
(row("65,536 rules") |
	show("65,536 rules: CPU s for 1 M packets"; .cpu_seconds_per_million | figure(3)),
	show("65,536 rules: Mpps, receiving side on another CPU"; .receiver_mpps | rate),
	show("65,536 rules: apply, ms"; .apply_ms | figure(0)),
	show("65,536 rules: memory, MiB"; .memory_mib | figure(1)),
	show("65,536 rules: show all counters, ms"; .stats_ms | figure(0))),
(row("100,000 sources") |
	show("100,000 sources: apply, ms"; .apply_ms | figure(0)),
	show("100,000 sources: memory, MiB"; .memory_mib | figure(1)))
