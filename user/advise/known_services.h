/* SPDX-License-Identifier: GPL-2.0-only */
/* Facts about services: user/advise/known_services.txt, which is built in. */
#ifndef KNOWN_SERVICES_H
#define KNOWN_SERVICES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct known_program {
	const char *name;
	__u32 keys[8]; /* the port keys it usually uses */
	size_t key_count; /* 0: it uses any port */
};

struct known_services {
	const char **reasons; /* for each port key: why it should be private, or NULL */
	struct known_program *programs;
	size_t program_count;
	size_t program_room;
	char *text; /* reasons and names point into it */
};

/*
 * Reads the facts from `text` (known_services.txt describes the format); NULL means the
 * built-in text. Returns 0, -ENOMEM, or -EINVAL with the number of the wrong line in *row.
 * Call known_services_clear() in all cases.
 */
int known_services_read(struct known_services *known, const char *text, unsigned int *row);
void known_services_clear(struct known_services *known);

/* The program with this name, or NULL. */
const struct known_program *known_program(const struct known_services *known, const char *name);

/* Whether a program usually uses this port key. */
bool known_program_uses(const struct known_program *program, __u32 key);

/* A program that usually uses this port key, or NULL. */
const struct known_program *known_program_at(const struct known_services *known, __u32 key);

#endif
