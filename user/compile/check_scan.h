/* SPDX-License-Identifier: GPL-2.0-only */
/* Which sequences a scan of all ports goes through. */
#ifndef CHECK_SCAN_H
#define CHECK_SCAN_H

#include "portctl/knock.h"
#include "rules/ruleset.h"

/* Whether its steps go up or down, as scans do, whatever is between them. */
bool goes_one_way(const struct sequence *sequence);

/*
 * Whether a scan up or down opens a knock: between the steps it touches no more shut ports
 * than an attempt may have misses. `shut` has for each port key the bit `mask` if it is.
 */
bool opens_by_scan(const struct knock *knock, const unsigned char *shut, unsigned char mask);

#endif
