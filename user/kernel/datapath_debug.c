// SPDX-License-Identifier: GPL-2.0-only
/* PORTCTL_DEBUG=verifier: what libbpf and the kernel's verifier say, on standard error. */
#include <bpf/libbpf.h>
#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "kernel/datapath_internal.h"

/*
 * The verifier's log level. Level 1 gives the whole path to the error if a program is refused,
 * and the statistics if it is accepted. Level 2 gives all paths of an accepted program as well:
 * 150 MB, in 12 seconds.
 */
#define LOG_LEVEL 1

static bool debug_is_on(void)
{
	return !strcmp(env_or("PORTCTL_DEBUG", ""), "verifier");
}

int debug_print(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	return debug_is_on() ? vfprintf(stderr, format, args) : 0;
}

void debug_programs(struct bpf_object *object)
{
	const char *value = env_or("PORTCTL_DEBUG", "");
	struct bpf_program *program;

	if (debug_is_on()) {
		bpf_object__for_each_program(program, object)
			bpf_program__set_log_level(program, LOG_LEVEL);
	} else if (*value) {
		note("PORTCTL_DEBUG=%s has no effect: its only value is \"verifier\"", value);
	}
}
