/* SPDX-License-Identifier: GPL-2.0-only */
/* Turns the data path's verdict on a test packet into an explanation for a person. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <jansson.h>

#include "kernel/datapath_trial.h"
#include "host/frame.h"

/*
 * Explains a verdict as a JSON object: the verdict, the rule or line that decided, the rules
 * that were tried before and why they did not apply, and a command that would change the
 * verdict. Returns NULL if out of memory.
 */
json_t *explain_json(const struct judgement *judgement, const struct packet *packet,
		     const struct ruleset *ruleset, const char *iface);

/* Prints an explanation as sentences. */
void explain_print(const json_t *explanation, FILE *out);

#endif
