/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The verbs of "portctl knock", as in "portctl knock list". A knock cannot have one of them as
 * its name. X(VERB) is called for each, in the order of help; knock_VERB_entry in
 * user/cmd_knock is its entry.
 */
#ifndef KNOCK_VERBS_H
#define KNOCK_VERBS_H

#define KNOCK_VERBS(X)                                                                         \
	X(list)                                                                                \
	X(status)                                                                              \
	X(grants)                                                                              \
	X(attempts)                                                                            \
	X(lockouts)                                                                            \
	X(grant)                                                                               \
	X(revoke)                                                                              \
	X(key)                                                                                 \
	X(send)                                                                                \
	X(sequence)                                                                            \
	X(now)                                                                                 \
	X(serve)                                                                               \
	X(import)

#endif
