/* SPDX-License-Identifier: GPL-2.0-only */
/* What both benchmarks share: the frames, test runs of a program, and running the command. */
#ifndef BENCH_H
#define BENCH_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define ROUNDS 7

extern const char *portctl; /* path of the command */

struct frame {
	unsigned char data[128];
	size_t size;
};

/* Builds a minimal frame of about 60 bytes to a port, as floods have; of TCP, a SYN. */
struct frame build(bool ipv6, int protocol, __u16 port);

/*
 * Builds a signed knock to port 62201 with the first key of the file "keys", signed at this
 * time (nanoseconds since 1970).
 */
struct frame build_signed(__u64 time);

/* Makes the tag of a signed knock wrong, as of a sender who does not know the key. */
void spoil_signature(struct frame *frame);
/* Builds a signed knock with a wrong tag whose time stays valid as long as the bench runs. */
struct frame build_bogus(void);

/*
 * Runs the program `repeat` times. Returns nanoseconds of CPU time a run: wall-clock time would
 * include the kernel's waits for RCU before and after, 4 or 8 ms. Sets *verdict, unless NULL.
 */
double run_program(int program, struct frame *frame, unsigned int repeat, __u32 *verdict);

/* Runs portctl without output. Returns the seconds it took; exits if it fails. */
double command(const char *arguments);

/* Returns a descriptor of the program attached to pc0, found by its pinned link. */
int attached_program(void);

/* commands.c: apply, stats, attach and scrapes, with many rules and all ports counted. */
void measure_commands(void);
/* commands.c: frames a second of replay. */
void measure_replay(void);

#endif
