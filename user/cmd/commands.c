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

const struct command commands[] = {
	{ "attach", "IFACE...|--all [--mode auto|native|generic] [--replace] [--force] [-j]",
	  "count and filter what arrives on an interface",
	  "With no rules everything passes and is counted. Attached already, the program is\n"
	  "replaced in place, counters kept. What leaves is watched by a filter of tc(8): clsact,\n"
	  "priority 1. Another name (altname) of an interface is refused.\n"
	  "  --all      where portctl is attached already: after an update of portctl\n"
	  "  --mode     native: in the driver; generic: slower, for every device; auto\n"
	  "             (default): native, or generic where the driver cannot\n"
	  "  --replace  take the place of another's XDP program; where a link holds that, as root only\n"
	  "  --force    even if the running rules shut out connections that are open now\n",
	  cmd_attach, CHANGES | CAPABILITY(SYS_ADMIN) },
	{ "detach", "IFACE...|--all [-j]", "stop counting and filtering",
	  "With the last interface the running rules go too; save them first.\n", cmd_detach,
	  CHANGES },
	{ "status", "[-j]", "where portctl is attached, and how", NULL, cmd_status,
	  READS | FILES },
	{ "allow", RULE_ARGUMENTS, "let packets pass", RULE_HELP, cmd_rule, CHANGES },
	{ "drop", RULE_ARGUMENTS, "drop packets silently", RULE_HELP, cmd_rule, CHANGES },
	{ "reject", RULE_ARGUMENTS, "drop packets and say so to the sender", RULE_HELP,
	  cmd_rule, CHANGES },
	{ "default", "allow|drop|reject [--confirm TIME] [--force] [-j]",
	  "what happens to packets that no rule names",
	  "Unless it is allow, replies to what this host began are let in all the same.\n" CHANGE_HELP,
	  cmd_setting, CHANGES },
	{ "option", "NAME VALUE [--confirm TIME] [--force] [-j]", "change a setting",
	  "  fragments pass|drop  those that are not the first of their packet: pass\n"
	  "                       (default), as without the first they come to nothing\n"
	  "The lifelines, which go before every rule that names a port; all are on:\n"
	  "  icmp-errors on|off   unreachable, too big, time exceeded, parameter problem\n"
	  "  neighbours on|off    ICMPv6 neighbour discovery and multicast listeners\n"
	  "  echo on|off          echo requests; 1,000 a second unless the default is allow\n"
	  "  dhcp on|off          what comes from a DHCP server's port to a client's\n" CHANGE_HELP,
	  cmd_setting, CHANGES },
	{ "delete", "NUMBER|RULE [--confirm TIME] [--force] [-j]", "remove a rule",
	  "By its number in \"portctl list\", or by its own words: delete allow 22. Limit, for\n"
	  "and comment may be left out, unless several rules would then be meant.\n"
	  "A rule whose time is over is not listed, and has none.\n" CHANGE_HELP,
	  cmd_delete, CHANGES },
	{ "knock",
	  "NAME opens PORTS for TIME [once] after STEP... within TIME [CLAUSE...]\n"
	  "                     [--confirm TIME] [--force] [-j]\n"
	  "       portctl knock NAME spa PORT/udp keys FILE opens PORTS for TIME [CLAUSE...]\n"
	  "                     [--confirm TIME] [--force] [-j]\n"
	  "       portctl knock NAME totp SECRETFILE steps N ports RANGE opens PORTS for TIME\n"
	  "                     within TIME [CLAUSE...] [--confirm TIME] [--force] [-j]\n"
	  "       portctl knock sequence NAME [--rules FILE]\n"
	  "       portctl knock now HOST NAME [--rules FILE] [-4|-6]\n"
	  "       portctl knock serve\n"
	  "       portctl knock import FILE\n"
	  "       portctl knock key NAME\n"
	  "       portctl knock send HOST NAME --key FILE [--port PORT] [--for TIME]\n"
	  "                     [--address ADDRESS] [--close|--extend] [-4|-6]\n"
	  "       portctl knock list|status|grants|attempts|lockouts [-j]\n"
	  "       portctl knock grant NAME SOURCE for TIME\n"
	  "       portctl knock revoke NAME SOURCE",
	  "open ports to those who touch others in the right order",
	  "Whoever sends a packet to each STEP (a port, as 7000/tcp) in this order may come in\n"
	  "at PORTS for TIME; to all others PORTS and steps are shut.\n"
	  "Connections that are open outlive the grant.\n"
	  "  once             for one connection\n"
	  "  close STEP...    ends the grant at once\n"
	  "  misses N         how many wrong ports may be touched on the way (2)\n"
	  "  per /64          an IPv6 source opens for its whole /64\n"
	  "  comment TEXT\n" CHANGE_HELP
	  "With spa it is one signed datagram to PORT that opens, from whom has a key in FILE:\n"
	  "  skew TIME        by how much their clock may be off (30s)\n"
	  "key: a line with a new key for FILE, and for its owner. send: sends such a datagram,\n"
	  "for the address it comes from or another one.\n"
	  "With totp the N steps are made from a secret and the time, anew every 30 seconds\n"
	  "(RFC 6238); SECRETFILE has what \"openssl rand -hex 32\" prints. serve: makes them for\n"
	  "the kernel, as long as it runs; without it these doors are shut. sequence: prints the\n"
	  "present one. now: knocks it. Both look into FILE, or into the running rules.\n"
	  "import: prints the knocks that a configuration of knockd (/etc/knockd.conf) makes, as\n"
	  "far as its commands open and close ports, and says what it could not turn: a command\n"
	  "is turned only where each of its words is understood.\n"
	  "list: the knocks. status: what happened at each. grants: who is let in. attempts:\n"
	  "sequences under way. lockouts: who failed five times and is not heard for a minute.\n"
	  "grant, revoke: let in and shut out by hand.\n",
	  cmd_knock, CHANGES | FILES },
	{ "list", "[-j]", "the running rules, and what each has counted", NULL, cmd_list,
	  READS },
	{ "check", "FILE [-j]", "say what is wrong with a ruleset file",
	  "Needs no privileges; FILE may be - for standard input.\n", cmd_check, FILES },
	{ "apply", "FILE [--confirm TIME] [--force] [-j]",
	  "make a file the running ruleset, at once and wholly",
	  "Rules that stay keep their counters. Nothing changes unless all of it is right.\n" CHANGE_HELP,
	  cmd_apply, CHANGES | FILES },
	{ "confirm", "[-j]", "keep the change that waits to be confirmed", NULL, cmd_confirm,
	  READS },
	{ "rollback", "[--force] [-j]", "go back to the rules before the running ones",
	  "Twice is there and back again. From a change that waits to be confirmed, open\n"
	  "connections keep it from nothing.\n"
	  "  --force  even if it shuts out connections that are open now\n",
	  cmd_rollback, READS },
	{ "restore", "[--follow]", "the saved rules and interfaces are there again",
	  "For the boot: open connections keep it from nothing. Rules that run already are left\n"
	  "as they are, and interfaces that are not there are passed over. Where a device\n"
	  "has lost what watches what leaves, its program is replaced, which brings it back.\n"
	  "  --follow  goes on, and attaches interfaces when they come or are made again, not\n"
	  "            those that are detached meanwhile; ending it detaches nothing\n",
	  cmd_restore, CHANGES | FILES },
	{ "diff", "[FILE] [-j]", "what FILE would change of the running rules",
	  "Without FILE, the saved ruleset, and rules with \"for\" are left out as there. Exit code\n"
	  "1 where they differ. A rule that is both removed (-) and added (+) stands in another\n"
	  "order to one that is as specific: the first is charged, and its limit counts.\n",
	  cmd_diff, READS | FILES },
	{ "save", "[FILE]", "write the running rules to a file",
	  "Without FILE, to /etc/portctl/rules, and beside it which interfaces are attached to\n"
	  "(for restore); FILE may be - for standard output. Rules with \"for\" are left out.\n"
	  "Symbolic links are followed, if they are root's or the user's own. Only - while a\n"
	  "change waits to be confirmed.\n",
	  cmd_save, READS | CAPABILITY(DAC_OVERRIDE) },
	{ "stats", "[PORT...] [-i SECONDS [-n TIMES]] [--all] [-j]",
	  "what was counted, for each port and line",
	  "The busiest ports first; ports that saw nothing only with --all.\n"
	  "  -i SECONDS  again and again, with packets a second\n"
	  "  -n TIMES    then stop\n",
	  cmd_stats, READS },
	{ "ports", "[--all] [--from ADDRESS] [--on IFACE] [--netns NAME] [-j]",
	  "what listens, what is let through, and what the outside sees",
	  "A row for each port that listens, that a rule names, or that saw packets. The state is\n"
	  "what nmap would call it: open, closed, filtered; of UDP open|filtered where nobody\n"
	  "outside can tell.\n"
	  "  --all           every port\n"
	  "  --from ADDRESS  as that source sees it, with its grants; else somebody whom no rule\n"
	  "                  names\n"
	  "  --on IFACE      where it comes in; else wherever portctl is attached and the device\n"
	  "                  is not gone: what is open on one interface is open\n"
	  "  --netns NAME    in another network namespace: a name or path, else a process\n",
	  cmd_ports, READS | PROCESSES | NAMESPACES },
	{ "audit",
	  "[--policy FILE] [--days N] [--ignore KIND,...] [--on IFACE] [--netns NAME] [-j]",
	  "what is open, or shut, and nobody may be aware of it",
	  "Exit code 0 where nothing is found, 1 with a list where something is, 2 where it could\n"
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
	  cmd_audit, READS | PROCESSES | NAMESPACES },
	{ "suggest", "[--on IFACE] [--netns NAME] [-j]",
	  "a ruleset for this host, to begin with",
	  "Drops by default, and allows what listens for others and was used, as far as it was\n"
	  "counted; the comment of each line says why. Rules that say more than a port stay.\n"
	  "To be read before it is applied:\n"
	  "  portctl suggest >rules && portctl check rules && portctl apply rules --confirm 60s\n",
	  cmd_suggest, READS | PROCESSES | NAMESPACES },
	{ "watch", "[--exec PROGRAM] [--on IFACE] [--netns NAME] [-j]",
	  "tell when a port begins or ceases to listen, or its state changes",
	  "Events: listen and gone (of a socket, with its program), state (of a port, as \"ports\"\n"
	  "calls it); \"monitor\" has them as well, where portctl is attached. The kernel tells;\n"
	  "where it refuses to, sockets are looked for again and again, and that is said.\n"
	  "  --exec PROGRAM  run it for each event, as \"monitor\" does\n"
	  "  --on IFACE      where packets come in (all that are attached)\n"
	  "  --netns NAME    in another network namespace: a name or path, else a process\n",
	  cmd_watch, CHANGES | PROCESSES | NAMESPACES | RUNS_PROGRAMS },
	{ "services", "[PORT|NAME] [-j]", "names of ports, their class, of both protocols",
	  "As /etc/services has them, and rules read them. Needs no privileges.\n",
	  cmd_services, NOTHING },
	{ "doctor", "[IFACE] [-j]", "what is not as it should be here, and what to do",
	  "Looks at the kernel, the rules, and each interface that is attached, or the one named.\n"
	  "Exit code 1 if something fails.\n",
	  cmd_doctor, CHANGES | FILES },
	{ "explain",
	  "SOURCE[:PORT] PORT [--on IFACE] [--to ADDRESS] [--flags syn,ack,...] [-j]",
	  "how a packet would be judged, and what would change that",
	  "The data path itself is asked, without any effect. PORT may be a protocol as well.\n"
	  "  --on IFACE    where it comes in (the first that is attached)\n"
	  "  --to ADDRESS  where it goes to (an address of the interface)\n"
	  "  --flags       of TCP (syn)\n",
	  cmd_explain, CHANGES },
	{ "replay", "FILE [--rules FILE] [--on IFACE] [--local PREFIX]... [-j]",
	  "what rules would have done to a capture",
	  "Every frame of FILE (pcap or pcapng; - for standard input) goes through the data path,\n"
	  "with counters of its own and at the time it was captured; nothing is attached.\n"
	  "  --rules FILE    not the running rules but these\n"
	  "  --on IFACE      as if it came in there (the first that is attached, if any is)\n"
	  "  --local PREFIX  what is from there went out: its replies are let in\n",
	  NULL, CHANGES | FILES },
	{ "top", "[-i SECONDS]", "the busiest ports, on the whole screen",
	  "Every second, or every so many. The keys are in the last line; up and down choose the\n"
	  "port whose dropped sources are shown. A filter is a port, a range, a service, tcp or udp.\n",
	  NULL, READS },
	{ "monitor", "[EVENT...] [--samples N] [--exec PROGRAM] [-j]",
	  "what happens, as it happens",
	  "Every second it says what was not told. An EVENT is one of these; without any, all:\n"
	  "  drop reject     samples of them\n"
	  "  attempt step miss failure lockout grant close refusal replay expiry\n"
	  "                  of knocks\n"
	  "  listen gone state\n"
	  "                  of ports, as \"watch\" tells\n"
	  "  --samples N     of drops and rejects, a second and port (10; at most 255); all who\n"
	  "                  watch, \"top\" too, share them, and who wants most has all get as many\n"
	  "  --exec PROGRAM  run it for each event, with the event as JSON on its standard\n"
	  "                  input; at most 10 a second, 8 at once, each for 10 seconds\n",
	  cmd_monitor, CHANGES | PROCESSES | RUNS_PROGRAMS },
	{ "export", "[--listen ADDRESS:PORT] [--max-ports N]",
	  "give the counters to Prometheus, by HTTP",
	  "Serves /metrics and /healthz until it is ended. Scrapes see what is attached then.\n"
	  "  --listen     127.0.0.1:9847 unless it is said; of IPv6 as in [::1]:9847\n"
	  "  --max-ports  how many ports of an interface have series of their own (1000):\n"
	  "               the busiest; the rest is summed up as port=\"other\"\n",
	  NULL,
	  READS | CAPABILITY(NET_BIND_SERVICE) | CAPABILITY(SETPCAP) | CAPABILITY(SETUID) |
		  CAPABILITY(SETGID) },
};

const size_t command_count = ARRAY_SIZE(commands);
