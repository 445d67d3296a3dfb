// SPDX-License-Identifier: GPL-2.0-only
/* The rules of the peers for each workload, applied with their own tools. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "live.h"

/* Whether a workload uses a feature that no peer has. */
static bool has_no_peer(const struct workload *workload)
{
	return workload->knocks || workload->signature;
}

/* --- xdp-filter --------------------------------------------------------------- */

#define XDP_FILTER_MAPS "/sys/fs/bpf/xdp-filter/"

/*
 * Copies the value of one key, which the tool wrote, to more keys. The tool adds one port or
 * address a process, which would take minutes for 65,536; the maps are the same in the end.
 */
static bool copy_value(const char *map, __u32 from, unsigned int count,
		       __u32 (*key)(unsigned int))
{
	__u64 values[256];
	int fd = bpf_obj_get(map);
	bool done = fd >= 0 && !bpf_map_lookup_elem(fd, &from, values);

	for (unsigned int i = 0; i < count && done; i++) {
		__u32 to = key(i);

		done = !bpf_map_update_elem(fd, &to, values, BPF_ANY);
	}
	if (fd >= 0)
		close(fd);
	return done;
}

static __u32 port_key(unsigned int i)
{
	return htons(i + 1);
}

static __u32 source_key(unsigned int i)
{
	return htonl((10u << 24) + 1 + i);
}

/* xdp-filter has no flows. */
bool prepare_xdp_filter(const struct workload *workload)
{
	bool closed = workload->closed || workload->fate == ALLOWED;

	return !has_no_peer(workload) && workload->fate <= ALLOWED &&
	       !run("xdp-filter load -m native -p %s eth0 2>/dev/null",
		    closed ? "deny" : "allow");
}

bool start_xdp_filter(const struct workload *workload)
{
	if (workload->closed)
		return !run("xdp-filter port 22 -p tcp");
	if (workload->sources)
		return !run("xdp-filter ip 10.0.0.1 -m src") &&
		       copy_value(XDP_FILTER_MAPS "filter_ipv4", source_key(0),
				  workload->sources, source_key);
	if (workload->rules)
		return !run("xdp-filter port 1 -p udp") &&
		       copy_value(XDP_FILTER_MAPS "filter_ports", port_key(0), workload->rules,
				  port_key);
	return !run("xdp-filter port %u -p udp", PORT);
}

void stop_xdp_filter(void)
{
	run("xdp-filter unload eth0 2>/dev/null");
}

double judged_xdp_filter(void)
{
	return read_figure("xdp-filter status | awk '$1 == \"XDP_DROP\" { print $2 }'");
}

bool list_xdp_filter(void)
{
	return !run("xdp-filter status >/dev/null");
}

const char *pins_xdp_filter(void)
{
	return XDP_FILTER_MAPS;
}

/* --- nftables ----------------------------------------------------------------- */

static void write_set(const struct workload *workload, FILE *out)
{
	fputs("  set dropped { type ", out);
	fputs(workload->sources ? "ipv4_addr" : "inet_service", out);
	fputs("; counter; elements = { ", out);
	for (unsigned int i = 0; i < (workload->sources ?: workload->rules); i++) {
		struct in_addr address = { source_key(i) };

		if (workload->sources)
			fprintf(out, "%s%s", i ? ", " : "", inet_ntoa(address));
		else
			fprintf(out, "%s%u", i ? ", " : "", (i + 1) & 0xffff);
	}
	fputs(" } }\n", out);
}

static void write_nft_rules(const struct workload *workload, FILE *out)
{
	if (workload->fate == ALLOWED)
		fprintf(out, "    udp dport %u counter accept\n    counter drop\n", PORT);
	else if (workload->fate != DROPPED)
		fputs("    ct state established,related counter accept\n"
		      "    tcp dport 22 accept\n    counter drop\n",
		      out);
	else if (workload->closed)
		fputs("    tcp dport 22 accept\n    counter name judged drop\n", out);
	else if (workload->sources)
		fputs("    ip saddr @dropped counter name judged drop\n", out);
	else if (workload->rules)
		fputs("    udp dport @dropped counter name judged drop\n", out);
	else
		fprintf(out, "    udp dport %u counter name judged drop\n", PORT);
}

static bool write_nft(const struct workload *workload, const char *family, const char *hook)
{
	FILE *out;

	if (has_no_peer(workload))
		return false;
	out = fopen("nft.rules", "w");
	if (!out)
		return false;
	fprintf(out, "table %s t {\n  counter judged {}\n", family);
	if (workload->sources || workload->rules)
		write_set(workload, out);
	fprintf(out, "  chain c { type filter hook %s priority 0; policy accept;\n", hook);
	write_nft_rules(workload, out);
	fputs("  }\n}\n", out);
	return !fclose(out);
}

/* At the ingress hook there are no connections yet. */
bool prepare_nft_netdev(const struct workload *workload)
{
	return workload->fate <= ALLOWED &&
	       write_nft(workload, "netdev", "ingress device eth0");
}

/* Without VLAN devices no tagged packet reaches the input hook. */
bool prepare_nft_input(const struct workload *workload)
{
	return !workload->vlan && write_nft(workload, "inet", "input");
}

bool start_nft(const struct workload *workload)
{
	(void)workload;
	return !run("nft -f nft.rules");
}

void stop_nft(void)
{
	run("nft flush ruleset");
}

double judged_nft(void)
{
	return read_figure("nft list counters | awk '/packets/ { print $2 }'");
}

bool list_nft(void)
{
	return !run("nft -j list ruleset >/dev/null");
}

/* --- iptables ----------------------------------------------------------------- */

static const char *tool = "iptables";

/* The raw table, which packets reach first; connections are only known later. */
static void write_raw(const struct workload *workload, FILE *out)
{
	fputs("*raw\n:PREROUTING ACCEPT [0:0]\n", out);
	if (workload->closed)
		fputs("-A PREROUTING -p tcp --dport 22 -j ACCEPT\n-A PREROUTING -j DROP\n",
		      out);
	else if (workload->fate == ALLOWED)
		fprintf(out,
			"-A PREROUTING -p udp --dport %u -j ACCEPT\n-A PREROUTING -j DROP\n",
			PORT);
	else if (!workload->sources && !workload->rules)
		fprintf(out, "-A PREROUTING -p udp --dport %u -j DROP\n", PORT);
	/* One rule each, in a list: iptables has no sets. */
	for (unsigned int i = 0; i < workload->sources; i++) {
		struct in_addr address = { source_key(i) };

		fprintf(out, "-A PREROUTING -s %s -j DROP\n", inet_ntoa(address));
	}
	for (unsigned int i = 0; i < workload->rules; i++)
		fprintf(out, "-A PREROUTING -p udp --dport %u -j DROP\n", (i + 1) & 0xffff);
	fputs("COMMIT\n", out);
}

static void write_filter(FILE *out)
{
	fputs("*filter\n:INPUT DROP [0:0]\n"
	      "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n"
	      "-A INPUT -p tcp --dport 22 -j ACCEPT\nCOMMIT\n",
	      out);
}

bool prepare_iptables(const struct workload *workload)
{
	FILE *out;

	if (has_no_peer(workload) || workload->vlan || workload->sources > 1000)
		return false;
	tool = workload->ipv6 ? "ip6tables" : "iptables";
	out = fopen("iptables.rules", "w");
	if (!out)
		return false;
	if (workload->fate > ALLOWED)
		write_filter(out);
	else
		write_raw(workload, out);
	return !fclose(out);
}

bool start_iptables(const struct workload *workload)
{
	(void)workload;
	return !run("%s-restore iptables.rules", tool);
}

void stop_iptables(void)
{
	/* Debian's iptables is a table of nftables, which stays otherwise. */
	run("%s -t raw -F; %s -P INPUT ACCEPT; %s -F; nft flush ruleset", tool, tool, tool);
}

double judged_iptables(void)
{
	return read_figure("%s -t raw -vnxL PREROUTING | "
			   "awk '$3 == \"DROP\" { n += $1 } END { print n + 0 }'",
			   tool);
}

bool list_iptables(void)
{
	return !run("%s -t raw -vnxL >/dev/null", tool);
}
