// SPDX-License-Identifier: GPL-2.0-only
#include "compile/check_scan.h"

#include "portctl/key.h"
#include "portctl/knock.h"

/* The orders in which scans go through the ports of both protocols. */
enum scan_order {
	SCAN_PROTOCOLS, /* all TCP ports, then all UDP ports */
	SCAN_UDP_BEFORE, /* all UDP ports, then all TCP ports */
	SCAN_TCP_FIRST, /* port by port, TCP then UDP */
	SCAN_UDP_FIRST, /* port by port, UDP then TCP */
	SCAN_ORDERS
};

/* The position of a key in a scan, from 0. */
static __u32 scan_position(__u32 key, enum scan_order order)
{
	if (order == SCAN_PROTOCOLS)
		return key;
	if (order == SCAN_UDP_BEFORE)
		return key ^ PORT_KEY_UDP;
	return 2 * key_port(key) + ((key >= PORT_KEY_UDP) ^ (order == SCAN_UDP_FIRST));
}

/* The key at a position. */
static __u32 scan_key(__u32 position, enum scan_order order)
{
	if (order == SCAN_PROTOCOLS)
		return position;
	if (order == SCAN_UDP_BEFORE)
		return position ^ PORT_KEY_UDP;
	return position / 2 +
	       (((position % 2) ^ (order == SCAN_UDP_FIRST)) ? PORT_KEY_UDP : PORT_KEY_TCP);
}

/* 1 if the scan meets the steps in their order, -1 if in reverse order, else 0. */
static int direction(const struct sequence *sequence, enum scan_order order)
{
	int up = 0, down = 0;

	for (__u32 i = 1; i < sequence->count; i++) {
		__u32 before = scan_position(sequence->steps[i - 1], order);
		__u32 position = scan_position(sequence->steps[i], order);

		up += position > before;
		down += position < before;
	}
	if (up && up + 1 == (int)sequence->count)
		return 1;
	return down && down + 1 == (int)sequence->count ? -1 : 0;
}

bool check_scan_one_way(const struct sequence *sequence)
{
	for (int order = 0; order < SCAN_ORDERS; order++) {
		if (direction(sequence, order))
			return true;
	}
	return false;
}

static bool opens_in_order(const struct knock *knock, const unsigned char *closed,
			   unsigned char mask, enum scan_order order)
{
	const struct sequence *open = &knock->sequences[SEQUENCE_OPEN];
	int way = direction(open, order);
	__u32 missed = 0;

	for (__u32 i = 1; i < open->count && way; i++) {
		__u32 end = scan_position(open->steps[i], order);

		for (__u32 position = scan_position(open->steps[i - 1], order) + way;
		     position != end && missed <= knock->misses; position += way)
			missed += (closed[scan_key(position, order)] & mask) != 0;
	}
	return way && missed <= knock->misses;
}

bool check_scan_opens(const struct knock *knock, const unsigned char *closed,
		      unsigned char mask)
{
	for (int order = 0; order < SCAN_ORDERS; order++) {
		if (opens_in_order(knock, closed, mask, order))
			return true;
	}
	return false;
}
