/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Differences between what listens and what the rules, or a policy, allow: ports that the
 * administrator may not know about.
 */
#ifndef AUDIT_H
#define AUDIT_H

#include "state/inventory.h"
#include "advise/known_services.h"

/* In the order they are printed. */
enum finding {
	FINDING_UNNAMED, /* a reachable listener that no rule (or policy) allows */
	FINDING_WIDER, /* more sources reach the port than the policy allows */
	FINDING_EXPOSED, /* everybody reaches a service that should be private */
	FINDING_FILTERED, /* a listener that nobody reaches */
	FINDING_UNUSED, /* a rule allows a port on which nothing listens */
	FINDING_IDLE, /* a rule that no packet has matched */
	FINDING_FOREIGN_PORT, /* a program on a port that it does not usually use */
	FINDING_FOREIGN_PROGRAM, /* a well-known port used by an unexpected program */
	FINDINGS,
};

/* "unnamed", "wider", ... */
const char *finding_name(enum finding finding);

/* The finding with this name, or FINDINGS. */
enum finding finding_parse(const char *name);

struct audit {
	const struct inventory *inventory;
	const struct outlook *policy; /* NULL: the running rules are the policy */
	const struct known_services *known;
	unsigned int days; /* a rule without a packet for this long is idle */
	__u64 now; /* nanoseconds since 1970 */
};

/*
 * Appends all findings of one kind to a JSON list, in the order of ports or rules. Each is an
 * object: "finding", "proto", "port", "service", "program", "rule", "text".
 */
void audit_find(const struct audit *audit, enum finding finding, json_t *list);

#endif
