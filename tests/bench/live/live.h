/* SPDX-License-Identifier: GPL-2.0-only */
/* The benchmark beside the peers: its workloads, candidates and figures. */
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
#define PORT 1234 /* the destination of workloads with one port */
#define ROUNDS_LIVE 5
#define ROUNDS_ASKED 11 /* for rows with a bound on a peer's rate */
#define STARTS 3 /* how often the rules are applied */

/* What happens to the packets; those that pass end in the sink, see flows.c. */
enum fate {
	DROPPED,
	ALLOWED, /* default drop, and a rule for PORT */
	ESTABLISHED, /* default drop, and an open TCP connection that the far end began */
	REPLY, /* default drop, and a UDP request that the far end sent */
};

/* Whether the packets are signed knocks. */
enum signature {
	UNSIGNED,
	FLOOD, /* wrong tags, more than are verified */
	BOGUS, /* wrong tags, so few that all are verified */
	GOOD, /* right tags */
};

/* One row: packets of one kind, and the rules for them. */
struct workload {
	const char *name;
	unsigned int ports; /* number of random ports, from 1 on; 0: only PORT */
	unsigned int rules; /* number of ports with a rule each; 0: a rule for PORT */
	unsigned int sources; /* number of sources, all dropped; 0: no rules with sources */
	enum fate fate;
	bool ipv6;
	bool vlan;
	bool closed; /* default drop: a rule allows only another port */
	bool knocks; /* with a knock; no peer has this */
	enum signature signature; /* no peer has this */
	bool weighed; /* measure memory too */
	bool listed; /* measure how long it takes to show the counters of all ports too */
	bool receiver; /* measure with the receiving side on another CPU too */
	/* The bounds of `make bench-check` on portctl's rate. */
	struct bound {
		const char *candidate; /* NULL: no bound */
		double times; /* portctl's rate must be at least this many times its rate */
		/* If no program can reach that (see check.c): portctl's part of its cost. */
		double part;
	} bounds[2];
};

/* The figures. */
enum quantity {
	RATE, /* Mpps */
	CPU, /* seconds for a million packets */
	RECEIVER, /* Mpps, with the receiving side on another CPU */
	RUN, /* ns a packet by test run */
	APPLY, /* ms to apply the rules */
	MEMORY, /* MiB in the kernel */
	STATS, /* ms to show the counters of all ports */
	SCRAPE, /* ms of a scrape */
	QUANTITIES
};

/* All figures of one candidate in one row. */
struct cell {
	struct samples of[QUANTITIES];
	bool lost; /* packets were not counted, so that there is no figure */
};

/* A packet filter on the far end of a veth pair, in its own network namespace. */
struct candidate {
	const char *name;
	/* Writes the rules of a workload. Returns false if the candidate cannot do it. */
	bool (*prepare)(const struct workload *workload);
	/* Applies the rules; this is timed. */
	bool (*start)(const struct workload *workload);
	void (*stop)(void);
	/* Returns how many packets it has dropped since some time, by its own counters. */
	double (*judged)(void);
	/* Shows all its counters, as its users do; may be NULL. */
	bool (*list)(void);
	bool program; /* it is an XDP program, which can be measured by test run */
	/* Returns the folder in the BPF file system with its maps; may be NULL. */
	const char *(*pins)(void);
	int netns; /* descriptor of its network namespace */
	unsigned int ifindex; /* of the near end, from which packets are sent */
	unsigned int number; /* the near end is called "near" and this number */
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

/* candidates.c: makes the namespaces and the veth pairs. */
void candidates_prepare(void);

/* Enters the candidate's network namespace; NULL: that of the near ends. */
void enter(const struct candidate *candidate);

/* Runs a shell command in the current namespace. Returns its exit code. */
int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, but returns the number that the command prints, or -1. */
double read_figure(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Returns a descriptor of the candidate's attached XDP program. */
int open_program(const struct candidate *candidate);

/* peers.c: the functions of struct candidate for the peers. */
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

/* Returns a frame of the workload, and sets what the generator varies in it. */
struct frame make_frame(const struct workload *workload);

/*
 * Sends `count` frames out of the candidate's near end. Returns the seconds by the kernel's own
 * clock of the run, which does not include its waits for RCU before and after, 20 ms or more.
 */
double send_frames(const struct candidate *candidate, const struct frame *frame,
		   unsigned int count);

/* Writes the checksum of an IPv4 header. */
struct iphdr;
void set_header_sum(struct iphdr *ip);

/*
 * flows.c: opens the connection or sends the request that the workload's packets belong to,
 * through the candidate; makes the frame part of it; and adds the sink.
 */
void begin_flow(const struct candidate *candidate, const struct workload *workload,
		struct frame *frame);
void end_flow(const struct candidate *candidate);
double sunk(void); /* the packets that reached the sink */

/* memory.c: MiB of the maps pinned below a folder, and of the kernel as a whole. */
double maps_memory(const char *folder);
double kernel_memory(void);

/* cpu.c: seconds of CPU time of this process and of ksoftirqd; -1: unknown. */
double cpu_seconds(void);

/*
 * Switches threaded NAPI of the candidate's device on, with the threads on another CPU, or off.
 * Returns false if there is no other CPU or the kernel cannot do that.
 */
bool receive_in_threads(const struct candidate *candidate, bool threads);
/* Seconds of CPU time of all these threads. */
double receiver_seconds(void);

/* measure.c: measures a row; `brief`: only rates. */
void measure(const struct workload *workload, struct cell *row, bool brief);

/* signed.c: measures a row of signed knocks, each run once. */
void measure_signed(const struct workload *workload, struct cell *row);

/* report.c: prints the tables, and writes the JSON file. */
void report_text(FILE *out, struct cell (*rows)[MOST_CANDIDATES]);
/* Closes the file. Returns 0, or -1 if it cannot be written. */
int report_json(FILE *out, struct cell (*rows)[MOST_CANDIDATES]);

/* check.c: measures and checks the rows with bounds or peers. Returns false if one is missed. */
bool check_all(struct cell (*rows)[MOST_CANDIDATES]);

#endif
