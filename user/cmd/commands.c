// SPDX-License-Identifier: GPL-2.0-only
/* The table of commands: it dispatches, and it is the help, the manual and the completions. */
#include "cmd/command.h"
#include "base/array.h"
#include "base/privileges.h"

/*
 * What a command needs of what root may; main() gives up the rest before it runs.
 * Pins and locks are its user's own files, and for them nothing is needed.
 */
#define NOTHING 0
#define READS CAPABILITY(BPF)
#define CHANGES CAPABILITIES_DATAPATH
/* Files that are named, or those saved: root reads those of others, too. */
#define FILES CAPABILITY(DAC_READ_SEARCH)
/* Whose a socket is. */
#define PROCESSES (CAPABILITY(SYS_PTRACE) | CAPABILITY(DAC_READ_SEARCH))
/* Other network namespaces: --netns, then given up. */
#define NAMESPACES CAPABILITY(SYS_ADMIN)

#define RULE_ARGUMENTS "PORTS|from SOURCE [CLAUSE...] [--confirm TIME] [--force] [-j]"

#define RULE_HELP                                                                               \
	"  PORTS         one or more of: a port (22), a range (6000-6100), one protocol only\n" \
	"                (53/udp), a service (ssh), an IP protocol (gre)\n"                     \
	"A CLAUSE is one of:\n"                                                                 \
	"  from SOURCE   only packets from there: addresses or prefixes, with commas\n"         \
	"  on IFACE      only packets that arrive there\n"                                      \
	"  limit RATE [burst N] [per source]\n"                                                 \
	"                allow only: so many at most, as 100/s, 5/m or 10/h\n"                  \
	"  for TIME      the rule ends by itself, as in 30s, 5m, 2h or 1d\n"                    \
	"  comment TEXT\n"                                                                      \
	"The most specific rule wins, whatever the order: rules without ports, then the\n"      \
	"narrowest range, one protocol before both, the longest prefix, a named interface.\n" CHANGE_HELP

#define CHANGE_HELP                                                                            \
	"  --confirm TIME  go back after that time unless \"portctl confirm\" comes\n"         \
	"  --force         even if it shuts out connections that are open now\n"

const struct command cmd_stats_entry = {
	.name = "stats",
	.arguments = "[PORT...] [-i SECONDS [-n TIMES]] [--all] [-j]",
	.summary = "what was counted, for each port and line",
	.help = "The busiest ports first; ports that saw nothing only with --all.\n"
		"  -i SECONDS  again and again, with packets a second\n"
		"  -n TIMES    then stop\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_stats,
	.privileges = READS,
};

const struct command cmd_ports_entry = {
	.name = "ports",
	.arguments = "[--all] [--from ADDRESS] [--on IFACE] [--netns NAME] [-j]",
	.summary = "what listens, what is let through, and what the outside sees",
	.help = "A row for each port that listens, that a rule names, or that saw packets. The state is\n"
		"what nmap would call it: open, closed, filtered; of UDP open|filtered where nobody\n"
		"outside can tell.\n"
		"  --all           every port\n"
		"  --from ADDRESS  as that source sees it, with its grants; else somebody whom no rule\n"
		"                  names\n"
		"  --on IFACE      where it comes in; else wherever portctl is attached and the device\n"
		"                  is not gone: what is open on one interface is open\n"
		"  --netns NAME    in another network namespace: a name or path, else a process\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_ports,
	.privileges = READS | PROCESSES | NAMESPACES,
};

const struct command cmd_audit_entry = {
	.name = "audit",
	.arguments =
		"[--policy FILE] [--days N] [--ignore KIND,...] [--on IFACE] [--netns NAME] [-j]",
	.summary = "what is open, or shut, and nobody may be aware of it",
	.help = "Exit code 0 where nothing is found, 1 with a list where something is, 2 where it could\n"
		"not be looked or told. The kinds, in the order they are told:\n"
		"  unnamed          listens, is reachable, and no rule allows it by its port; where\n"
		"                   everybody may reach it, one that allows it to some is none\n"
		"  wider            more may reach it than the policy allows\n"
		"  exposed          everybody reaches what not everybody should (telnet, databases, ...)\n"
		"  filtered         listens, and the rules let nobody through\n"
		"  unused           a rule allows it, and nobody here listens\n"
		"  idle             a rule that has met no packet for so many days\n"
		"  foreign-port     a program that is at home on another port\n"
		"  foreign-program  a well-known port where another program is at home\n"
		"UDP ports of the kernel's choice (ip_local_port_range) are looked at where a rule\n"
		"names them.\n"
		"  --policy FILE    a ruleset: what it allows, and not the running rules, is meant to be\n"
		"                   reachable; what it names may be exposed\n"
		"  --days N         for idle (30)\n"
		"  --ignore KIND    kinds that are not looked for\n"
		"  --on IFACE       where packets come in (all that are attached)\n"
		"  --netns NAME     in another network namespace: a name or path, else a process\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_audit,
	.privileges = READS | PROCESSES | NAMESPACES,
};

const struct command cmd_suggest_entry = {
	.name = "suggest",
	.arguments = "[--on IFACE] [--netns NAME] [-j]",
	.summary = "a ruleset for this host, to begin with",
	.help = "Drops by default, and allows what listens for others and was used, as far as it was\n"
		"counted; the comment of each line says why. Rules that say more than a port stay.\n"
		"To be read before it is applied:\n"
		"  portctl suggest >rules && portctl check rules && portctl apply rules --confirm 60s\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_suggest,
	.privileges = READS | PROCESSES | NAMESPACES,
};

const struct command cmd_watch_entry = {
	.name = "watch",
	.arguments = "[--exec PROGRAM] [--on IFACE] [--netns NAME] [-j]",
	.summary = "tell when a port begins or ceases to listen, or its state changes",
	.help = "Events: listen and gone (of a socket, with its program), state (of a port, as \"ports\"\n"
		"calls it); \"monitor\" has them as well, where portctl is attached. The kernel tells;\n"
		"where it refuses to, sockets are looked for again and again, and that is said.\n"
		"  --exec PROGRAM  run it for each event, as \"monitor\" does\n"
		"  --on IFACE      where packets come in (all that are attached)\n"
		"  --netns NAME    in another network namespace: a name or path, else a process\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_watch,
	.privileges = CHANGES | PROCESSES | NAMESPACES | RUNS_PROGRAMS,
};

const struct command cmd_services_entry = {
	.name = "services",
	.arguments = "[PORT|NAME] [-j]",
	.summary = "names of ports, their class, of both protocols",
	.help = "As /etc/services has them, and rules read them. Needs no privileges.\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_services,
	.privileges = NOTHING,
};

const struct command cmd_doctor_entry = {
	.name = "doctor",
	.arguments = "[IFACE] [-j]",
	.summary = "what is not as it should be here, and what to do",
	.help = "Looks at the kernel, the rules, and each interface that is attached, or the one named.\n"
		"Exit code 1 if something fails.\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_doctor,
	.privileges = CHANGES | FILES,
};

const struct command cmd_explain_entry = {
	.name = "explain",
	.arguments =
		"SOURCE[:PORT] PORT [--on IFACE] [--to ADDRESS] [--flags syn,ack,...] [-j]",
	.summary = "how a packet would be judged, and what would change that",
	.help = "The data path itself is asked, without any effect. PORT may be a protocol as well.\n"
		"  --on IFACE    where it comes in (the first that is attached)\n"
		"  --to ADDRESS  where it goes to (an address of the interface)\n"
		"  --flags       of TCP (syn)\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_explain,
	.privileges = CHANGES,
};

const struct command cmd_replay_entry = {
	.name = "replay",
	.arguments = "FILE [--rules FILE] [--on IFACE] [--local PREFIX]... [-j]",
	.summary = "what rules would have done to a capture",
	.help = "Every frame of FILE (pcap or pcapng; - for standard input) goes through the data path,\n"
		"with counters of its own and at the time it was captured; nothing is attached.\n"
		"  --rules FILE    not the running rules but these\n"
		"  --on IFACE      as if it came in there (the first that is attached, if any is)\n"
		"  --local PREFIX  what is from there went out: its replies are let in\n",
	.words = { 0, ANY_WORDS },
	.run = NULL,
	.privileges = CHANGES | FILES,
};

const struct command cmd_top_entry = {
	.name = "top",
	.arguments = "[-i SECONDS]",
	.summary = "the busiest ports, on the whole screen",
	.help = "Every second, or every so many. The keys are in the last line; up and down choose the\n"
		"port whose dropped sources are shown. A filter is a port, a range, a service, tcp or udp.\n",
	.words = { 0, ANY_WORDS },
	.run = NULL,
	.privileges = READS,
};

const struct command cmd_monitor_entry = {
	.name = "monitor",
	.arguments = "[EVENT...] [--samples N] [--exec PROGRAM] [-j]",
	.summary = "what happens, as it happens",
	.help = "Every second it says what was not told. An EVENT is one of these; without any, all:\n"
		"  drop reject     samples of them\n"
		"  attempt step miss failure lockout grant close refusal replay expiry\n"
		"                  of knocks\n"
		"  listen gone state\n"
		"                  of ports, as \"watch\" tells\n"
		"  --samples N     of drops and rejects, a second and port (10; at most 255); all who\n"
		"                  watch, \"top\" too, share them, and who wants most has all get as many\n"
		"  --exec PROGRAM  run it for each event, with the event as JSON on its standard\n"
		"                  input; at most 10 a second, 8 at once, each for 10 seconds\n",
	.words = { 0, ANY_WORDS },
	.run = cmd_monitor,
	.privileges = CHANGES | PROCESSES | RUNS_PROGRAMS,
};

const struct command cmd_export_entry = {
	.name = "export",
	.arguments = "[--listen ADDRESS:PORT] [--max-ports N]",
	.summary = "give the counters to Prometheus, by HTTP",
	.help = "Serves /metrics and /healthz until it is ended. Scrapes see what is attached then.\n"
		"  --listen     127.0.0.1:9847 unless it is said; of IPv6 as in [::1]:9847\n"
		"  --max-ports  how many ports of an interface have series of their own (1000):\n"
		"               the busiest; the rest is summed up as port=\"other\"\n",
	.words = { 0, ANY_WORDS },
	.run = NULL,
	.privileges = READS | CAPABILITY(NET_BIND_SERVICE) | CAPABILITY(SETPCAP) |
		      CAPABILITY(SETUID) | CAPABILITY(SETGID),
};
