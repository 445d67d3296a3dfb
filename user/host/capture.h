/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading captures (pcap, pcapng) frame by frame. Every link type becomes Ethernet. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The largest frame, in bytes. Larger frames are truncated. */
#define CAPTURED_MAX 65536

struct captured {
	const __u8 *frame; /* valid until the next call */
	size_t size; /* bytes on the wire, at most CAPTURED_MAX */
	__u64 time; /* nanoseconds since 1970 */
	bool cut; /* the frame was not captured or kept whole: the rest is zeros */
	bool outgoing; /* the capture says that this host sent it */
};

struct capture;

/*
 * Opens a capture file; "-" is standard input. Returns 0 or a negative errno after saying why.
 * Close with capture_close().
 */
int capture_open(const char *path, struct capture **capture);

/* Reads the next frame. Returns 1, 0 at the end, or a negative errno after saying why. */
int capture_next(struct capture *capture, struct captured *captured);
void capture_close(struct capture *capture);

#endif
