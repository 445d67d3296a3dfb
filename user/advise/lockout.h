/* SPDX-License-Identifier: GPL-2.0-only */
/* Refuses changes that would lock the administrator out. */
#ifndef LOCKOUT_H
#define LOCKOUT_H

#include "kernel/datapath.h"
#include "rules/ruleset.h"

/*
 * Refuses a change from `running` to `next` that would harm an open connection: an established
 * inbound TCP connection, or that of SSH_CONNECTION. Harm means that the connection would be
 * cut, that it could not be opened again, or that it would get a limit or a lower one. Each
 * attached interface that the connection may come in on is tested, now and after all temporary
 * rules have expired.
 *
 * The rules of `next` must have their lines, and its knocks their numbers. `advice` ends the
 * message and says what to do. Returns 0, -EACCES if refused, or another negative errno;
 * prints the reason.
 */
int lockout_check(const struct datapath *dp, const struct ruleset *running,
		  const struct ruleset *next, const char *advice);

/* The same for attaching to an interface, which so far let everything in, with `running`. */
int lockout_check_attach(const struct datapath *dp, const char *name,
			 const struct ruleset *running);

#endif
