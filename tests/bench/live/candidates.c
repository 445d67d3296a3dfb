// SPDX-License-Identifier: GPL-2.0-only
/*
 * The candidates, their network namespaces, and the rules of portctl and the empty program. The
 * rules of the peers are in peers.c.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "empty.skel.h"
#include "live.h"

static int home = -1;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

void enter(const struct candidate *candidate)
{
	if (setns(candidate ? candidate->netns : home, CLONE_NEWNET))
		die("setns");
}

int run(const char *format, ...)
{
	char line[512];
	va_list arguments;
	int status;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

double read_figure(const char *format, ...)
{
	char line[512];
	va_list arguments;
	double figure = -1;
	FILE *pipe;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	pipe = popen(line, "r");
	if (!pipe || fscanf(pipe, "%lf", &figure) != 1)
		figure = -1;
	if (pipe)
		pclose(pipe);
	return figure;
}

/* --- the empty program -------------------------------------------------------- */

static struct empty_bpf *empty;
static int empty_link = -1;

static bool prepare_empty(const struct workload *workload)
{
	return workload; /* it has no rules */
}

static bool start_empty(const struct workload *workload)
{
	struct bpf_program *program =
		workload->fate == DROPPED ? empty->progs.empty : empty->progs.empty_pass;

	if (bpf_link_update(empty_link, bpf_program__fd(program), NULL))
		die("cannot attach the empty program");
	return true;
}

static void stop_empty(void)
{
}

static double judged_empty(void)
{
	return read_figure(
		"ethtool -S eth0 | awk '/xdp_drops/ { n += $2 } END { print n + 0 }'");
}

static void attach_empty(void)
{
	empty = empty_bpf__open_and_load();
	if (!empty)
		die("cannot load the empty program");
	empty_link = bpf_link_create(bpf_program__fd(empty->progs.empty),
				     if_nametoindex("eth0"), BPF_XDP, NULL);
	if (empty_link < 0)
		die("cannot attach the empty program");
}

/* --- portctl ------------------------------------------------------------------ */

static void write_sources(unsigned int count, FILE *out)
{
	for (unsigned int i = 0; i < count; i++) {
		struct in_addr address = { htonl((10u << 24) + 1 + i) };

		fprintf(out, "%s%s", i ? ", " : "drop from ", inet_ntoa(address));
	}
	fputc('\n', out);
}

static void write_rules(const struct workload *workload, FILE *out)
{
	if (workload->signature)
		fprintf(out,
			"default drop\nknock b spa 62201/udp keys %s/keys opens 80/tcp for 30s\n",
			get_current_dir_name());
	else if (workload->fate == ALLOWED)
		fprintf(out, "default drop\nallow %u/udp\n", PORT);
	else if (workload->closed || workload->fate != DROPPED)
		fputs("default drop\nallow 22/tcp\n", out);
	else if (workload->sources)
		write_sources(workload->sources, out);
	else if (!workload->rules)
		fprintf(out, "drop %u/udp\n", PORT);
	for (unsigned int port = 1; port <= workload->rules; port++)
		fprintf(out, "drop %u/udp\n", port & 0xffff);
	if (workload->knocks)
		fputs("knock a opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp "
		      "within 1h\n",
		      out);
}

static FILE *open_rules(const char *name)
{
	FILE *out = fopen(name, "w");

	if (!out)
		die(name);
	return out;
}

static bool prepare_portctl(const struct workload *workload)
{
	FILE *out = open_rules("portctl.rules");

	write_rules(workload, out);
	return !fclose(out);
}

static bool start_portctl(const struct workload *workload)
{
	(void)workload;
	if (run("%s apply portctl.rules >/dev/null", portctl))
		exit(1);
	return true;
}

/* Applies an empty file, so that the next start changes the rules. */
static void stop_portctl(void)
{
	fclose(open_rules("no.rules"));
	if (run("%s apply no.rules >/dev/null", portctl))
		exit(1);
}

static double judged_portctl(void)
{
	return read_figure("%s stats -j | jq '[.interfaces[].total.drop.packets] | add'",
			   portctl);
}

static bool list_portctl(void)
{
	return !run("%s stats -j >/dev/null", portctl);
}

static const char *pins_portctl(void)
{
	return getenv("PORTCTL_BPFFS");
}

/* --- all of them -------------------------------------------------------------- */

struct candidate candidates[] = {
	{ .name = "empty",
	  .prepare = prepare_empty,
	  .start = start_empty,
	  .stop = stop_empty,
	  .judged = judged_empty,
	  .program = true },
	{ .name = "portctl",
	  .prepare = prepare_portctl,
	  .start = start_portctl,
	  .stop = stop_portctl,
	  .judged = judged_portctl,
	  .list = list_portctl,
	  .program = true,
	  .pins = pins_portctl },
	{ .name = "xdp-filter",
	  .prepare = prepare_xdp_filter,
	  .start = start_xdp_filter,
	  .stop = stop_xdp_filter,
	  .judged = judged_xdp_filter,
	  .list = list_xdp_filter,
	  .program = true,
	  .pins = pins_xdp_filter },
	{ .name = "nft netdev",
	  .prepare = prepare_nft_netdev,
	  .start = start_nft,
	  .stop = stop_nft,
	  .judged = judged_nft,
	  .list = list_nft },
	{ .name = "nft input",
	  .prepare = prepare_nft_input,
	  .start = start_nft,
	  .stop = stop_nft,
	  .judged = judged_nft,
	  .list = list_nft },
	{ .name = "iptables",
	  .prepare = prepare_iptables,
	  .start = start_iptables,
	  .stop = stop_iptables,
	  .judged = judged_iptables,
	  .list = list_iptables },
};

const size_t candidate_count = sizeof(candidates) / sizeof(*candidates);

/*
 * Makes a namespace with the far end of a veth pair, which sends nothing by itself. The MAC
 * addresses are those of make_frame().
 */
static void make_place(struct candidate *candidate, size_t number)
{
	char name[16];

	if (unshare(CLONE_NEWNET))
		die("unshare");
	candidate->netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	enter(NULL);
	if (run("ip link add near%zu type veth peer name eth0 netns /proc/%d/fd/%d && "
		"ip link set near%zu address 02:00:00:00:00:02 up",
		number, getpid(), candidate->netns, number))
		exit(1);
	snprintf(name, sizeof(name), "near%zu", number);
	candidate->ifindex = if_nametoindex(name);
	candidate->number = number;
	enter(candidate);
	/* With GRO on, a veth device without a program receives frames that XDP sends. */
	if (run("sysctl -qw net.ipv6.conf.all.accept_dad=0 && "
		"ip link set lo up && ip link set eth0 address 02:00:00:00:00:01 up && "
		"ethtool -K eth0 gro on && ip addr add 192.0.2.1/24 dev eth0 && "
		"ip addr add 2001:db8::1/64 dev eth0 nodad"))
		exit(1);
}

int open_program(const struct candidate *candidate)
{
	__u32 id = 0;
	int fd = -1;

	enter(candidate);
	if (!bpf_xdp_query_id(if_nametoindex("eth0"), 0, &id))
		fd = bpf_prog_get_fd_by_id(id);
	enter(NULL);
	if (fd < 0)
		die("cannot find the attached program");
	return fd;
}

void candidates_prepare(void)
{
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; i < candidate_count; i++)
		make_place(&candidates[i], i);
	enter(&candidates[0]);
	attach_empty();
	enter(&candidates[1]);
	if (run("%s attach eth0 --mode native >/dev/null", portctl))
		exit(1);
	enter(NULL);
}
