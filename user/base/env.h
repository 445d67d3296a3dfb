/* SPDX-License-Identifier: GPL-2.0-only */
/* Environment variables. */
#ifndef ENV_H
#define ENV_H

/*
 * Returns the value of an environment variable. Returns `otherwise` if the variable is unset
 * or empty, or if the process has more privileges than its caller (secure_getenv(3)).
 */
const char *env_or(const char *name, const char *otherwise);

#endif
