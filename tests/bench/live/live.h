/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rooms of the side-by-side benchmark share. */
#ifndef LIVE_H
#define LIVE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "bench.h"
#include "samples.h"

#define SENDER_CPU 0
#define RECEIVER_CPU 1
#define PORT 1234 /* where a workload with one port sends */
#define ROUNDS_LIVE 5
#define ROUNDS_ASKED 11 /* in rows whose rates are to be so many times a peer's */
#define STARTS 3 /* how often the rules are taken up */

/* What becomes of the packets; all but the first need the sink (flows.c). */
enum fate {
	DROPPED,
	ALLOWED, /* default drop, and a rule for PORT */
	ESTABLISHED, /* default drop; of a TCP connection that was begun behind it */
	REPLY, /* default drop; to a datagram that was sent from behind it */
};

enum signature {
	UNSIGNED,
	FLOOD, /* bogus ones, more than are verified */
	BOGUS, /* so few that each is verified */
	GOOD,
};

/* Many packets of one kind, and the rules they meet. */
struct workload {
	const char *name;
	unsigned int ports; /* sent to how many, from 1 on, by chance; 0: always the same */
	unsigned int rules; /* how many of them have a rule each; 0: PORT has one */
	unsigned int sources; /* how many, all of them dropped; 0: not by source */
	enum fate fate;
	bool ipv6;
	bool vlan;
	bool closed; /* dropped since only another port is allowed */
	bool knocks; /* a sequence of knocks is configured, which no peer has */
	enum signature signature; /* portctl's alone as well */
	bool weighed; /* memory is measured too */
	bool listed; /* and how long it takes to show the counters of all ports */
	bool receiver; /* and what the receiving side does by itself */
	/* What `bench-check` asks of portctl's rate: at least so many times another's. */
	struct bound {
		const char *candidate; /* NULL: nothing */
		double times;
		/* Where no program can reach that (check.c): its cost, in parts of the other's. */
		double part;
	} bounds[2];
};

/* What is measured. */
enum quantity {
	RATE, /* Mpps */
	CPU, /* seconds for a million packets */
	RECEIVER, /* Mpps, the receiving side on a CPU of its own */
	RUN, /* ns a packet by test run */
	APPLY, /* ms to take up the rules */
	MEMORY, /* MiB */
	STATS, /* ms */
	SCRAPE, /* ms */
	QUANTITIES
};

/* All of one candidate in one row. */
struct cell {
	struct samples of[QUANTITIES];
	bool lost; /* packets went uncounted, so that there is no figure */
};

/* Somebody who filters, on the far end of a veth pair, in a network namespace alone. */
struct candidate {
	const char *name;
	/* Writes down what the workload asks for; false where it cannot have it. */
	bool (*prepare)(const struct workload *workload);
	/* Takes it up; this is timed. */
	bool (*start)(const struct workload *workload);
	void (*stop)(void);
	/* The packets it says it dropped; only differences mean anything. */
	double (*judged)(void);
	/* How its user sees all counters, or NULL. */
	bool (*list)(void);
	bool program; /* it is an XDP program, which can be run alone */
	/* The folder of the bpffs that all its maps are in, or NULL. */
	const char *(*pins)(void);
	int netns; /* descriptor */
	unsigned int ifindex; /* of the near end */
	unsigned int number; /* the near end is called near and this */
};

#define EMPTY 0
#define PORTCTL 1
#define FIRST_PEER 2
#define MOST_CANDIDATES 8
#define MOST_WORKLOADS 40

extern struct candidate candidates[];
extern const size_t candidate_count;
extern const struct workload workloads[];
extern const size_t workload_count;

/* candidates.c: makes the namespaces and the pairs. */
void candidates_prepare(void);

/* Into its network namespace; NULL: back to where the near ends are. */
void enter(const struct candidate *candidate);

/* Runs a shell command in the namespace where this process is; its exit code. */
int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The number that it prints, or -1. */
double read_figure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The attached program, a descriptor. */
int open_program(const struct candidate *candidate);

/* peers.c: the peers' rules. */
bool prepare_xdp_filter(const struct workload *workload);
bool start_xdp_filter(const struct workload *workload);
void stop_xdp_filter(void);
double judged_xdp_filter(void);
bool list_xdp_filter(void);
const char *pins_xdp_filter(void);
bool prepare_nft_netdev(const struct workload *workload);
bool prepare_nft_input(const struct workload *workload);
bool start_nft(const struct workload *workload);
void stop_nft(void);
double judged_nft(void);
bool list_nft(void);
bool prepare_iptables(const struct workload *workload);
bool start_iptables(const struct workload *workload);
void stop_iptables(void);
double judged_iptables(void);
bool list_iptables(void);

/* traffic.c: loads the generator. */
void traffic_prepare(void);

/* A frame of the workload, and what the generator is to vary of it. */
struct frame make_frame(const struct workload *workload);

/*
 * Sends so many out of the candidate's near end; returns the seconds it took by the kernel's
 * own clock, which does not count its waits for RCU before and after, 20 ms and more.
 */
double send_frames(const struct candidate *candidate, const struct frame *frame,
		   unsigned int count);

/* Writes the checksum of an IPv4 header. */
struct iphdr;
void set_header_sum(struct iphdr *ip);

/*
 * flows.c: begins what the packets of the workload belong to, from behind the candidate,
 * makes the frame one of it, and puts up the sink.
 */
void begin_flow(const struct candidate *candidate, const struct workload *workload,
		struct frame *frame);
void end_flow(const struct candidate *candidate);
double sunk(void); /* the packets that came to the sink */

/* memory.c: MiB, of the maps in a folder of the bpffs, and of the kernel as a whole. */
double maps_memory(const char *folder);
double kernel_memory(void);

/* cpu.c: the CPU seconds that this process and what it sets off have taken; -1: unknown. */
double cpu_seconds(void);

/*
 * Lets a candidate receive in threads of its own, on a CPU of their own, or no longer;
 * false: there is no such CPU, or the kernel cannot.
 */
bool receive_in_threads(const struct candidate *candidate, bool threads);
/* The CPU seconds of all of these. */
double receiver_seconds(void);

/* measure.c: a row; `brief`: rates alone. */
void measure(const struct workload *workload, struct cell *row, bool brief);

/* signed.c: a row of signed knocks, each run once. */
void measure_signed(const struct workload *workload, struct cell *row);

/* report.c */
void report_text(FILE *out, struct cell (*rows)[MOST_CANDIDATES]);
/* Closes the file; 0, or -1 where it cannot be written. */
int report_json(FILE *out, struct cell (*rows)[MOST_CANDIDATES]);

/* check.c: the rows that have bounds or peers; false where portctl falls short. */
bool check_all(struct cell (*rows)[MOST_CANDIDATES]);

#endif
