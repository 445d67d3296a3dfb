/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of services (user/known_services.txt). */
#ifndef KNOWN_SERVICES_H
#define KNOWN_SERVICES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct known_program {
	const char *name;
	__u32 keys[8]; /* the port keys it is at home on */
	size_t key_count; /* 0: on any */
};

struct known_services {
	const char **reasons; /* of each port key why not everybody should reach it, or NULL */
	struct known_program *programs;
	size_t program_count;
	size_t program_room;
	char *text; /* what the others point into */
};

/*
 * Reads them from `text` (the format is said there), or those that are built in (NULL).
 * Returns 0, -ENOMEM, or -EINVAL with the number of the wrong line in *row. Clear it
 * either way.
 */
int known_services_read(struct known_services *known, const char *text, unsigned int *row);
void known_services_clear(struct known_services *known);

/* The program of that name, or NULL. */
const struct known_program *known_program(const struct known_services *known, const char *name);

/* Whether it is at home on that port key. */
bool is_at_home(const struct known_program *program, __u32 key);

/* A program that is at home on that port key, or NULL. */
const struct known_program *known_resident(const struct known_services *known, __u32 key);

#endif
