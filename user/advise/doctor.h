/* SPDX-License-Identifier: GPL-2.0-only */
/* What is as it should be on this host, what is not, and what to do about it. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <jansson.h>

#include "kernel/datapath.h"

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_WARN, LEVEL_FAIL };

struct doctor {
	const struct datapath *dp; /* NULL: it could not be opened */
	const struct ruleset *ruleset;
	const char *iface; /* of the findings under way; NULL: the host */
	json_t *findings;
	bool failed;
};

/* Notes a finding; `advice` is what to do, or NULL. */
__attribute__((format(printf, 5, 6))) void find(struct doctor *doctor, enum level level,
						const char *topic, const char *advice,
						const char *format, ...);

/* The first number in a file, or -1 where it cannot be read. */
long read_number(const char *path);

void examine_host(struct doctor *doctor);

/* An interface of this host, attached to or not. */
void examine_interface(struct doctor *doctor, const char *name);

#endif
