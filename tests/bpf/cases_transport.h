/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet cases for TCP and UDP: unusual, truncated and wrong headers. */
#ifndef CASES_TRANSPORT_H
#define CASES_TRANSPORT_H

#include "packet_case.h"

/* clang-format off */
static const struct packet_case cases_transport[] = {
	BOTH("TCP options", CLOSED, TCP(22, .size = 20), PASS, "allow 22/tcp", T(22)),
	BOTH("40 bytes of TCP options", CLOSED,
	     TCP(22, .size = 40), PASS, "allow 22/tcp", T(22)),
	BOTH("doff 0", OPEN, TCP(80, .words = SET(0)), MALFORMED),
	BOTH("doff 4", OPEN, L(TCP(80, .words = SET(4)), DATA(20)), MALFORMED),
	BOTH("doff 6 in a segment of 20 bytes", OPEN, TCP(80, .words = SET(6)), MALFORMED),
	BOTH("doff one word beyond the segment", OPEN,
	     L(TCP(80, .words = SET(15)), DATA(36)), MALFORMED),
	BOTH("doff at the end of the segment", OPEN,
	     L(TCP(80, .words = SET(15)), DATA(40)), PASS, "allow 80", T(80)),
	BOTH("doff one byte beyond the segment", OPEN,
	     L(TCP(80, .words = SET(15)), DATA(39)), MALFORMED),
	BOTH("doff beyond the segment, in the padding", OPEN,
	     L(TCP(80, .words = SET(8)), PAD(12)), MALFORMED),
	BOTH("TCP without a header", OPEN, NEXT(6), MALFORMED),
	BOTH("TCP with ports only", OPEN, L(TCP(80), SHORT(16)), MALFORMED),
	BOTH("a TCP header short of one byte", OPEN, L(TCP(80), SHORT(1)), MALFORMED),
	BOTH("a TCP header half of which is padding", OPEN,
	     L(TCP(80), SHORT(10), PAD(10)), MALFORMED),
	BOTH("a TCP header that is all padding", OPEN,
	     L(TCP(80), SHORT(20), PAD(26)), MALFORMED),
	BOTH("TCP cut off by the frame", OPEN, L(TCP(80), CUT(1)), MALFORMED),
	BOTH("TCP data cut off by the frame", OPEN, L(TCP(80), DATA(100), CUT(1)), MALFORMED),

	BOTH("UDP without data", CLOSED, UDP(53), PASS, "allow 53/udp", U(53)),
	BOTH("UDP length 0", OPEN, L(UDP(53, .length = SET(0)), DATA(20)), MALFORMED),
	BOTH("UDP length 7", OPEN, L(UDP(53, .length = SET(7)), DATA(20)), MALFORMED),
	BOTH("UDP length 8, data behind it", OPEN,
	     L(UDP(53, .length = SET(8)), DATA(20)), PASS, "allow 53/udp", U(53)),
	BOTH("UDP length one too many", OPEN,
	     L(UDP(53, .length = SET(29)), DATA(20)), MALFORMED),
	BOTH("UDP length one too many, padded", OPEN,
	     L(UDP(53, .length = SET(29)), DATA(20), PAD(10)), MALFORMED),
	BOTH("UDP length 65535", OPEN, L(UDP(53, .length = SET(65535)), DATA(20)), MALFORMED),
	BOTH("UDP without a header", OPEN, NEXT(17), MALFORMED),
	BOTH("UDP with ports only", OPEN, L(UDP(53, .length = SET(8)), SHORT(4)), MALFORMED),
	BOTH("a UDP header short of one byte", OPEN,
	     L(UDP(53, .length = SET(8)), SHORT(1)), MALFORMED),
	BOTH("a UDP header half of which is padding", OPEN,
	     L(UDP(53, .length = SET(8)), SHORT(4), PAD(22)), MALFORMED),
	BOTH("UDP cut off by the frame", OPEN, L(UDP(53), CUT(2)), MALFORMED),
	BOTH("UDP data cut off by the frame", OPEN, L(UDP(53), DATA(100), CUT(100)), MALFORMED),
};
/* clang-format on */

#endif
