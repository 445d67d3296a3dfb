/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rooms of the benchmark share. */
#ifndef BENCH_H
#define BENCH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define ROUNDS 7

extern const char *portctl; /* the command */

struct frame {
	unsigned char data[128];
	size_t size;
};

/* A minimal packet to a port: 60 bytes or so, as a flood has them; of TCP a SYN. */
struct frame build(bool ipv6, int protocol, __u16 port);

/*
 * A signed knock to port 62201 of somebody in the file "keys", signed at that time
 * (nanoseconds since 1970).
 */
struct frame build_signed(__u64 time);

/* Makes a signed knock one of somebody who knows the signer and the server, not the key. */
void spoil_signature(struct frame *frame);
struct frame build_bogus(void); /* one of those, to be sent again and again */

/*
 * Nanoseconds a run, of CPU time: before and after it the kernel waits for RCU, some 4 ms or
 * 8. The last verdict goes to *verdict where that is not NULL.
 */
double run_program(int program, struct frame *frame, unsigned int repeat, __u32 *verdict);

/* Runs the command, its output thrown away; returns the seconds it took. */
double command(const char *arguments);

/* The program that is attached, a descriptor. */
int attached_program(void);

/* commands.c: what the command costs, with many rules and all ports counted. */
void measure_commands(void);
void measure_replay(void);

#endif
