/* SPDX-License-Identifier: GPL-2.0-only */
/* Captures (pcap, pcapng), frame by frame, as Ethernet whatever they are of. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

/* The largest frame that is handed on; larger ones are cut off. */
#define CAPTURED_MAX 65536

struct captured {
	const __u8 *frame; /* until the next call */
	size_t size; /* as it was on the wire */
	__u64 time; /* nanoseconds since 1970 */
	bool cut; /* not all of it was captured: the rest is zeros */
	bool leaving; /* the capture says that this host sent it */
};

struct capture;

/*
 * Opens a file, "-" being standard input. Returns 0 or a negative errno after saying
 * what is wrong; close with capture_close().
 */
int capture_open(const char *path, struct capture **capture);

/* The next frame: 1, or 0 at the end; else a negative errno, having said why. */
int capture_next(struct capture *capture, struct captured *captured);
void capture_close(struct capture *capture);

#endif
