/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rooms of the side-by-side benchmark share. */
#ifndef LIVE_H
#define LIVE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define PORT 1234 /* where a workload with one port sends */
#define ROUNDS_LIVE 5

/* A flood, all of which is to be dropped, and what drops it. */
struct workload {
	const char *name;
	unsigned int ports; /* how many, a rule for each; 0: PORT alone */
	unsigned int sources; /* how many, all of them dropped; 0: not by source */
	bool ipv6;
	bool vlan;
	bool closed; /* dropped since only another port is allowed */
	const char *rules; /* portctl's own, which no peer has; NULL: as said above */
	bool is_signed; /* the frames are signed knocks with a wrong key */
	/* What `bench-check` asks of portctl's rate: at least so many times another's. */
	struct bound {
		const char *candidate; /* NULL: nothing */
		double times;
	} bounds[2];
};

/* Somebody who filters, on the far end of a veth pair, in a network namespace alone. */
struct candidate {
	const char *name;
	/* Takes up what the workload asks for; false where it cannot. */
	bool (*start)(const struct workload *workload);
	void (*stop)(void);
	/* The packets it says it dropped since it was started. */
	double (*judged)(void);
	bool program; /* it is an XDP program, which can be run alone */
	int netns; /* descriptor */
	unsigned int ifindex; /* of the near end */
};

extern struct candidate candidates[];
extern const size_t candidate_count;
extern const struct workload workloads[];
extern const size_t workload_count;

/* The figures of one candidate in one row. */
struct figures {
	bool measured;
	double rates[ROUNDS_LIVE]; /* Mpps; sorted at the end */
	double start_seconds; /* how long it took to take up the rules */
	bool run; /* the program alone was measured as well: */
	double costs[ROUNDS_LIVE]; /* ns a packet by test run; sorted at the end */
};

#define MOST_CANDIDATES 8
#define MOST_WORKLOADS 32

/* candidates.c: makes the namespaces and the pairs. */
void candidates_prepare(void);

/* Runs a shell command in the namespace of the candidate that is at work. */
int run(const char *format, ...) __attribute__((format(printf, 1, 2)));
double read_figure(const char *format, ...) __attribute__((format(printf, 1, 2)));
void enter(const struct candidate *candidate);

/* peers.c: the peers' rules. */
bool start_xdp_filter(const struct workload *workload);
void stop_xdp_filter(void);
double judged_xdp_filter(void);
bool start_nft_netdev(const struct workload *workload);
bool start_nft_input(const struct workload *workload);
void stop_nft(void);
double judged_nft(void);
bool start_iptables(const struct workload *workload);
void stop_iptables(void);
double judged_iptables(void);

/* report.c */
void report_text(FILE *out, struct figures (*figures)[MOST_CANDIDATES]);
void report_json(FILE *out, struct figures (*figures)[MOST_CANDIDATES]);

/* Says how portctl does against its bounds; false where it falls short of one. */
bool report_check(const struct workload *workload, const struct figures *figures);

#endif
