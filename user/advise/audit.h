/* SPDX-License-Identifier: GPL-2.0-only */
/* What is not as the rules, or a policy, say that it should be: ports nobody is aware of. */
#ifndef AUDIT_H
#define AUDIT_H

#include "state/inventory.h"
#include "advise/known_services.h"

/* In the order they are told. */
enum finding {
	FINDING_UNNAMED, /* listens, is reachable, and no rule (of the policy) allows it */
	FINDING_WIDER, /* more than the policy allows get through */
	FINDING_EXPOSED, /* everybody reaches what not everybody should */
	FINDING_FILTERED, /* listens, and nobody gets through */
	FINDING_UNUSED, /* a rule allows it, and nobody listens */
	FINDING_IDLE, /* a rule that no packet has met */
	FINDING_FOREIGN_PORT, /* a program that is at home on another port */
	FINDING_FOREIGN_PROGRAM, /* a port where another program is at home */
	FINDINGS,
};

const char *finding_name(enum finding finding);

/* The finding of that name, or FINDINGS. */
enum finding finding_of(const char *name);

struct audit {
	const struct inventory *inventory;
	const struct outlook *policy; /* NULL: the running rules themselves */
	const struct known_services *known;
	unsigned int days; /* a rule that met nobody for so long is idle */
	__u64 now; /* nanoseconds since 1970 */
};

/*
 * What it finds of one kind, in the order of ports or rules, added to a list of objects:
 * "finding", "proto", "port", "service", "program", "rule", "text".
 */
void audit_find(const struct audit *audit, enum finding finding, json_t *list);

#endif
