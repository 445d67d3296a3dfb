/* SPDX-License-Identifier: GPL-2.0-only */
/* Checks of the host and its interfaces, each with what to do about a problem. */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <jansson.h>

#include "kernel/datapath.h"

enum level { LEVEL_OK, LEVEL_NOTE, LEVEL_WARN, LEVEL_FAIL };

struct doctor {
	const struct datapath *dp; /* NULL: it could not be opened */
	const struct ruleset *ruleset; /* the running rules */
	const char *iface; /* the interface being checked; NULL: the host */
	json_t *findings; /* the results, an array of objects */
	bool failed; /* one of them is LEVEL_FAIL */
};

/* Adds the result of a check. `advice` says what to do; it may be NULL. */
__attribute__((format(printf, 5, 6))) void doctor_report(struct doctor *doctor,
							 enum level level, const char *topic,
							 const char *advice, const char *format,
							 ...);

/* Checks the kernel, the clock, the running rules and knocks. */
void doctor_check_host(struct doctor *doctor);

/* Checks an interface of this host, whether portctl is attached to it or not. */
void doctor_check_interface(struct doctor *doctor, const char *name);

#endif
