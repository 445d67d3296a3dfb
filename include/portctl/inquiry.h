/* SPDX-License-Identifier: GPL-2.0-only */
/* Inquiries: the data path run by the command, for `portctl explain` and `portctl replay`. */
#ifndef PORTCTL_INQUIRY_H
#define PORTCTL_INQUIRY_H

#include "portctl/detail.h"

/* What a program is loaded for. The verifier knows it and removes the code of the others. */
enum purpose {
	PURPOSE_FILTER, /* judge packets of an interface */
	PURPOSE_EXPLAIN, /* say how a packet would be judged, without any effect */
	PURPOSE_REPLAY, /* judge the frames of a capture, in maps and at times of their own */
};

/* One detail that was asked about a packet. */
struct asked {
	__u32 detail; /* its index */
	__u32 flags; /* of the entry that led to it */
	entry_t answer; /* 0: it did not apply */
	__u32 zero;
};

/* What the command gives to a program that was not loaded to filter, and gets back. */
struct inquiry {
	__u64 now; /* PURPOSE_REPLAY: the current time, nanoseconds since 1970 */
	__u32 count; /* elements of `asked`; PURPOSE_REPLAY: frames in the batch */
	__u32 zero;
	struct asked asked[DETAIL_STEPS]; /* PURPOSE_EXPLAIN: in the order of the walk */
};

/* A frame of a capture, in a batch. */
struct captured_frame {
	__u64 now; /* when it was captured, nanoseconds since 1970 */
	__u32 size; /* bytes; 0: judge the frame that the program is run with */
	__u8 data[2036];
};

/* Frames that one run of the program judges at most. */
#define BATCH_FRAMES 256

_Static_assert(sizeof(struct captured_frame) == 2048, "struct captured_frame");

#endif
