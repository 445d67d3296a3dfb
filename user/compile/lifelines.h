/* SPDX-License-Identifier: GPL-2.0-only */
/* The entries that the options decide about: lifelines and fragments. Part of compile(). */
#ifndef LIFELINES_H
#define LIFELINES_H

#include "compile/image.h"
#include "rules/ruleset.h"

/* Sets the entries of all options. The entries of ports and IP protocols must be set before. */
int lifelines_fill(const struct ruleset *ruleset, struct image *image);

/* Whether the DHCP lifeline lets packets from DHCP servers through to this key. */
bool lifeline_is_dhcp(const struct ruleset *ruleset, __u32 key);

#endif
