/* SPDX-License-Identifier: GPL-2.0-only */
/* From what the data path answered to what a person wants to know. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <jansson.h>

#include "kernel/datapath.h"
#include "host/frame.h"

/*
 * What was decided about a packet, by which rule, what was asked before, and what would
 * change it, as an object; NULL where memory ends.
 */
json_t *explain_json(const struct judgement *judgement, const struct packet *packet,
		     const struct ruleset *ruleset, const char *iface);

/* The same in sentences. */
void explain_print(const json_t *explanation, FILE *out);

#endif
