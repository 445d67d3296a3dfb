// SPDX-License-Identifier: GPL-2.0-only
#include "compile/check_scan.h"

#include "portctl/key.h"
#include "portctl/knock.h"

/* In which order scans go through all ports: protocol by protocol, or port by port in both. */
enum scan_order {
	SCAN_PROTOCOLS, /* all of TCP, then all of UDP */
	SCAN_UDP_BEFORE, /* all of UDP, then all of TCP */
	SCAN_TCP_FIRST, /* of each port TCP, then UDP */
	SCAN_UDP_FIRST,
	SCAN_ORDERS
};

/* The place of a key in that order, from 0 on. */
static __u32 scan_place(__u32 key, enum scan_order order)
{
	if (order == SCAN_PROTOCOLS)
		return key;
	if (order == SCAN_UDP_BEFORE)
		return key ^ PORT_KEY_UDP;
	return 2 * key_port(key) + ((key >= PORT_KEY_UDP) ^ (order == SCAN_UDP_FIRST));
}

/* The key at that place. */
static __u32 scan_key(__u32 place, enum scan_order order)
{
	if (order == SCAN_PROTOCOLS)
		return place;
	if (order == SCAN_UDP_BEFORE)
		return place ^ PORT_KEY_UDP;
	return place / 2 +
	       (place % 2 ^ (order == SCAN_UDP_FIRST) ? PORT_KEY_UDP : PORT_KEY_TCP);
}

/* 1 where each step comes after the one before, -1 where each comes before it, else 0. */
static int direction(const struct sequence *sequence, enum scan_order order)
{
	int up = 0, down = 0;

	for (__u32 i = 1; i < sequence->count; i++) {
		__u32 before = scan_place(sequence->steps[i - 1], order);
		__u32 place = scan_place(sequence->steps[i], order);

		up += place > before;
		down += place < before;
	}
	return up && up + 1 == (int)sequence->count	  ? 1
	       : down && down + 1 == (int)sequence->count ? -1
							  : 0;
}

bool goes_one_way(const struct sequence *sequence)
{
	for (int order = 0; order < SCAN_ORDERS; order++) {
		if (direction(sequence, order))
			return true;
	}
	return false;
}

static bool opens_in_order(const struct knock *knock, const unsigned char *shut,
			   unsigned char mask, enum scan_order order)
{
	const struct sequence *open = &knock->sequences[SEQUENCE_OPEN];
	int way = direction(open, order);
	__u32 missed = 0;

	for (__u32 i = 1; i < open->count && way; i++) {
		__u32 end = scan_place(open->steps[i], order);

		for (__u32 place = scan_place(open->steps[i - 1], order) + way;
		     place != end && missed <= knock->misses; place += way)
			missed += (shut[scan_key(place, order)] & mask) != 0;
	}
	return way && missed <= knock->misses;
}

bool opens_by_scan(const struct knock *knock, const unsigned char *shut, unsigned char mask)
{
	for (int order = 0; order < SCAN_ORDERS; order++) {
		if (opens_in_order(knock, shut, mask, order))
			return true;
	}
	return false;
}
