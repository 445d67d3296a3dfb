// SPDX-License-Identifier: GPL-2.0-only
/* The peers' rules for a workload, by their own tools. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <stdlib.h>
#include <unistd.h>

#include "live.h"

static bool has_no_peer(const struct workload *workload)
{
	return workload->rules || workload->is_signed;
}

/* --- xdp-filter --------------------------------------------------------------- */

#define XDP_FILTER_MAPS "/sys/fs/bpf/xdp-filter/"

/*
 * Gives more keys the value that the tool gave one. It takes one port or address at a
 * time, a process each, which for 65,536 of them takes minutes; the maps come out the same.
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

bool start_xdp_filter(const struct workload *workload)
{
	if (has_no_peer(workload) || run("xdp-filter load -m native -p %s eth0 2>/dev/null",
					 workload->closed ? "deny" : "allow"))
		return false;
	if (workload->closed)
		return !run("xdp-filter port 22 -p tcp");
	if (workload->sources)
		return !run("xdp-filter ip 10.0.0.1 -m src") &&
		       copy_value(XDP_FILTER_MAPS "filter_ipv4", source_key(0),
				  workload->sources, source_key);
	return !run("xdp-filter port %u -p udp", PORT) &&
	       copy_value(XDP_FILTER_MAPS "filter_ports", htons(PORT), workload->ports,
			  port_key);
}

void stop_xdp_filter(void)
{
	run("xdp-filter unload eth0 2>/dev/null");
}

double judged_xdp_filter(void)
{
	return read_figure("xdp-filter status | awk '$1 == \"XDP_DROP\" { print $2 }'");
}

/* --- nftables ----------------------------------------------------------------- */

static void write_set(const struct workload *workload, FILE *out)
{
	fputs("  set dropped { type ", out);
	fputs(workload->sources ? "ipv4_addr" : "inet_service", out);
	fputs("; counter; elements = { ", out);
	for (unsigned int i = 0; i < (workload->sources ?: workload->ports); i++) {
		struct in_addr address = { source_key(i) };

		if (workload->sources)
			fprintf(out, "%s%s", i ? ", " : "", inet_ntoa(address));
		else
			fprintf(out, "%s%u", i ? ", " : "", (i + 1) & 0xffff);
	}
	fputs(" } }\n", out);
}

static void write_nft(const struct workload *workload, const char *family, const char *hook,
		      FILE *out)
{
	fprintf(out, "table %s t {\n  counter judged {}\n", family);
	if (workload->sources || workload->ports)
		write_set(workload, out);
	fprintf(out, "  chain c { type filter hook %s priority 0; policy accept;\n", hook);
	if (workload->closed)
		fputs("    tcp dport 22 accept\n    counter name judged drop\n", out);
	else if (workload->sources)
		fputs("    ip saddr @dropped counter name judged drop\n", out);
	else if (workload->ports)
		fputs("    udp dport @dropped counter name judged drop\n", out);
	else
		fprintf(out, "    udp dport %u counter name judged drop\n", PORT);
	fputs("  }\n}\n", out);
}

static bool start_nft(const struct workload *workload, const char *family, const char *hook)
{
	FILE *out;

	if (has_no_peer(workload))
		return false;
	out = fopen("nft.rules", "w");
	if (!out)
		return false;
	write_nft(workload, family, hook, out);
	fclose(out);
	return !run("nft -f nft.rules");
}

bool start_nft_netdev(const struct workload *workload)
{
	return start_nft(workload, "netdev", "ingress device eth0");
}

/* There are no VLAN devices here, so no tagged packet gets that far. */
bool start_nft_input(const struct workload *workload)
{
	return !workload->vlan && start_nft(workload, "inet", "input");
}

void stop_nft(void)
{
	run("nft flush ruleset");
}

double judged_nft(void)
{
	return read_figure("nft list counters | awk '/packets/ { print $2 }'");
}

/* --- iptables ----------------------------------------------------------------- */

static const char *tool = "iptables";

/* A rule for each, one after the other: that is what it has. */
bool start_iptables(const struct workload *workload)
{
	FILE *out;

	if (has_no_peer(workload) || workload->vlan || workload->sources > 1000)
		return false;
	tool = workload->ipv6 ? "ip6tables" : "iptables";
	out = fopen("iptables.rules", "w");
	if (!out)
		return false;
	fputs("*raw\n:PREROUTING ACCEPT [0:0]\n", out);
	if (workload->closed)
		fputs("-A PREROUTING -p tcp --dport 22 -j ACCEPT\n-A PREROUTING -j DROP\n",
		      out);
	for (unsigned int i = 0; i < workload->sources; i++) {
		struct in_addr address = { source_key(i) };

		fprintf(out, "-A PREROUTING -s %s -j DROP\n", inet_ntoa(address));
	}
	for (unsigned int i = 0; i < workload->ports; i++)
		fprintf(out, "-A PREROUTING -p udp --dport %u -j DROP\n", (i + 1) & 0xffff);
	if (!workload->closed && !workload->sources && !workload->ports)
		fprintf(out, "-A PREROUTING -p udp --dport %u -j DROP\n", PORT);
	fputs("COMMIT\n", out);
	fclose(out);
	return !run("%s-restore iptables.rules", tool);
}

void stop_iptables(void)
{
	run("%s -t raw -F", tool);
}

double judged_iptables(void)
{
	return read_figure("%s -t raw -vnxL PREROUTING | "
			   "awk '$3 == \"DROP\" { n += $1 } END { print n + 0 }'",
			   tool);
}
