// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that pass. What the kernel does with a passed packet costs far more than judging it,
 * so it must be the same for all candidates: behind them a chain of nftables at the input hook,
 * the sink, drops and counts the packets. A sink at the TC hook would be cheaper, but would
 * come before nftables' ingress chain. Before the sink the kernel looks up the route and the
 * socket.
 *
 * The packets belong to a connection or request that really went out through the candidate, so
 * that each candidate finds it in the socket table, its own table, or conntrack.
 */
#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "live.h"

#define FAR_PORT 5353

static void die(const struct candidate *candidate, const char *what)
{
	fprintf(stderr, "%s: ", candidate->name);
	perror(what);
	exit(1);
}

static struct sockaddr_in place(const char *address, __u16 port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = inet_addr(address) };
}

static int open_bound(const struct candidate *candidate, int type, const char *address,
		      __u16 port)
{
	struct sockaddr_in own = place(address, port);
	const struct timeval patience = { .tv_sec = 3 };
	int fd = socket(AF_INET, type, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(fd, (void *)&own, sizeof(own)))
		die(candidate, "cannot open a socket");
	return fd;
}

/* Returns the next sequence number of a connection in one direction. */
static __u32 next_number(const struct candidate *candidate, int fd, int queue)
{
	socklen_t size = sizeof(__u32);
	__u32 number;

	if (setsockopt(fd, SOL_TCP, TCP_REPAIR, &(int){ TCP_REPAIR_ON }, sizeof(int)) ||
	    setsockopt(fd, SOL_TCP, TCP_REPAIR_QUEUE, &queue, sizeof(queue)) ||
	    getsockopt(fd, SOL_TCP, TCP_QUEUE_SEQ, &number, &size))
		die(candidate, "cannot read sequence numbers");
	return number;
}

/* The checksum of a segment without data, with its pseudo header. */
static __u16 tcp_sum(const struct iphdr *ip, const struct tcphdr *tcp)
{
	const __u16 *words = (const __u16 *)tcp;
	__u64 sum = (__u64)ip->saddr + ip->daddr + htons(IPPROTO_TCP) + htons(sizeof(*tcp));

	for (size_t i = 0; i < sizeof(*tcp) / 2; i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static int near_ends[MOST_CANDIDATES], far_ends[MOST_CANDIDATES]; /* 0: none */

/* Opens a TCP connection, and makes the frame an ACK that its far end could send again. */
static void begin_connection(const struct candidate *candidate, __u16 port, struct frame *frame)
{
	struct sockaddr_in other = place("192.0.2.2", FAR_PORT);
	struct iphdr *ip = (void *)(frame->data + sizeof(struct ether_header));
	struct tcphdr *tcp = (void *)(ip + 1);
	int listener = open_bound(candidate, SOCK_STREAM, "192.0.2.2", FAR_PORT);
	int near_end, far_end;

	if (listen(listener, 1))
		die(candidate, "listen");
	enter(candidate);
	near_end = open_bound(candidate, SOCK_STREAM, "192.0.2.1", port);
	near_ends[candidate->number] = near_end;
	if (connect(near_end, (void *)&other, sizeof(other)))
		die(candidate, "cannot connect through it");
	enter(NULL);
	far_end = accept(listener, NULL, NULL);
	if (far_end < 0)
		die(candidate, "accept");
	far_ends[candidate->number] = far_end;
	close(listener);
	*tcp = (struct tcphdr){ .source = htons(FAR_PORT),
				.dest = htons(port),
				.doff = 5,
				.ack = 1,
				.window = htons(500) };
	tcp->seq = htonl(next_number(candidate, far_end, TCP_SEND_QUEUE));
	tcp->ack_seq = htonl(next_number(candidate, far_end, TCP_RECV_QUEUE));
	ip->protocol = IPPROTO_TCP;
	ip->tot_len = htons(sizeof(*ip) + sizeof(*tcp));
	set_header_sum(ip);
	tcp->check = tcp_sum(ip, tcp);
}

/* Sends a UDP request, and makes the frame its reply. */
static void begin_request(const struct candidate *candidate, __u16 port, struct frame *frame)
{
	struct sockaddr_in other = place("192.0.2.2", FAR_PORT);
	struct udphdr *udp =
		(void *)(frame->data + sizeof(struct ether_header) + sizeof(struct iphdr));
	int near_end, far_end;
	char request;

	far_end = open_bound(candidate, SOCK_DGRAM, "192.0.2.2", FAR_PORT);
	far_ends[candidate->number] = far_end;
	enter(candidate);
	near_end = open_bound(candidate, SOCK_DGRAM, "192.0.2.1", port);
	near_ends[candidate->number] = near_end;
	if (sendto(near_end, "?", 1, 0, (void *)&other, sizeof(other)) != 1)
		die(candidate, "cannot send a datagram through it");
	enter(NULL);
	if (recv(far_end, &request, 1, 0) != 1)
		die(candidate, "cannot send a datagram through it");
	udp->source = htons(FAR_PORT);
	udp->dest = htons(port);
}

static void put_up_sink(const struct candidate *candidate)
{
	enter(candidate);
	if (run("nft 'table inet sink { counter sunk {}; chain sink { type filter hook input "
		"priority 100; counter name sunk drop; }; }'"))
		exit(1);
	enter(NULL);
}

void begin_flow(const struct candidate *candidate, const struct workload *workload,
		struct frame *frame)
{
	static __u16 port =
		40000; /* a new one each time, because conntrack remembers the last */
	unsigned int number = candidate->number;

	if (workload->fate != ALLOWED &&
	    run("ip addr add 192.0.2.2/32 dev near%u && ip route add 192.0.2.1/32 dev near%u",
		number, number))
		exit(1);
	if (workload->fate == ESTABLISHED)
		begin_connection(candidate, port++, frame);
	else if (workload->fate == REPLY)
		begin_request(candidate, port++, frame);
	if (workload->fate != ALLOWED)
		run("ip route del 192.0.2.1/32 dev near%u; ip addr del 192.0.2.2/32 dev near%u",
		    number, number);
	put_up_sink(candidate);
}

/* Closes a socket without sending anything, because the other end's address is gone. */
static void close_end(int *end)
{
	if (!*end)
		return;
	setsockopt(*end, SOL_TCP, TCP_REPAIR, &(int){ TCP_REPAIR_ON }, sizeof(int));
	close(*end);
	*end = 0;
}

void end_flow(const struct candidate *candidate)
{
	close_end(&near_ends[candidate->number]);
	close_end(&far_ends[candidate->number]);
	enter(candidate);
	run("nft delete table inet sink 2>/dev/null");
	enter(NULL);
}

double sunk(void)
{
	return read_figure("nft list counter inet sink sunk | awk '/packets/ { print $2 }'");
}
