/* SPDX-License-Identifier: GPL-2.0-only */
/* Which knocks a port scan opens by accident. */
#ifndef CHECK_SCAN_H
#define CHECK_SCAN_H

#include "portctl/knock.h"
#include "rules/rule.h"

/* Whether the steps only go up or only down in an order that scans have. */
bool check_scan_one_way(const struct sequence *sequence);

/*
 * Whether a scan of all ports, up or down, opens a knock: between its steps the scan touches
 * no more closed ports than an attempt may have misses. closed[key] has the bit `mask` if the
 * port is closed.
 */
bool check_scan_opens(const struct knock *knock, const unsigned char *closed,
		      unsigned char mask);

#endif
