/* SPDX-License-Identifier: GPL-2.0-only */
/* TOTP knocks: their sequences, one for each window of WINDOW_SECONDS. */
#ifndef KNOCK_TIMED_H
#define KNOCK_TIMED_H

#include "rules/ruleset.h"

/* The number of the present window. */
__u64 knock_timed_window(void);

/*
 * Makes the steps of a TOTP knock in a window, from the secret's file. Returns 0 or a
 * negative errno, with the error printed.
 */
int knock_timed_sequence(const struct knock *knock, __u64 window, struct sequence *sequence);

#endif
