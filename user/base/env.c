// SPDX-License-Identifier: GPL-2.0-only
#include "base/env.h"

#include <stdlib.h>

const char *env_or(const char *name, const char *otherwise)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : otherwise;
}
