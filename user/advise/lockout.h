/* SPDX-License-Identifier: GPL-2.0-only */
/* Keeping the administrator from sawing off the branch they sit on. */
#ifndef LOCKOUT_H
#define LOCKOUT_H

#include "kernel/datapath.h"

/*
 * Refuses, naming the connection, a change from `running` to `next` which would cut off a
 * connection that is open now (any established inbound TCP connection, or that of
 * SSH_CONNECTION), or after which a new one like it would not be let in, though it is
 * now, or would be held to a limit that it is not held to now, on an interface that it may
 * come in on. The rules of `next` have their lines, its knocks their doors; `advice` is
 * what to do about it.
 * Returns 0, -EACCES, or another negative errno; has said why.
 */
int lockout_check(const struct datapath *dp, const struct ruleset *running,
		  const struct ruleset *next, const char *advice);

/* The same for an interface that nothing was attached to, and where `running` is from now on. */
int lockout_check_attach(const struct datapath *dp, const char *name,
			 const struct ruleset *running);

#endif
