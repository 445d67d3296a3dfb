// SPDX-License-Identifier: GPL-2.0-only
#include "advise/known_services.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "portctl/key.h"
#include "rules/ruleset.h"
#include "base/array.h"

static const char built_in[] =
#include "known_services.inc"
	;

/* Parses one port with its protocol, such as "22/tcp". */
static int parse_key(const char *word, __u32 *key)
{
	struct term terms[2];
	const char *expected;

	if (!word || term_parse(word, strlen(word), terms, &expected) != 1 ||
	    terms[0].first != terms[0].last)
		return -EINVAL;
	if (terms[0].transports != TRANSPORT_TCP && terms[0].transports != TRANSPORT_UDP)
		return -EINVAL;
	*key = (terms[0].transports == TRANSPORT_TCP ? PORT_KEY_TCP : PORT_KEY_UDP) +
	       terms[0].first;
	return 0;
}

static int parse_private(struct known_services *known, char *rest)
{
	const char *port = strsep(&rest, " ");
	__u32 key;

	if (parse_key(port, &key) || !rest || !*rest || known->reasons[key])
		return -EINVAL;
	known->reasons[key] = rest;
	return 0;
}

static int parse_program(struct known_services *known, char *rest, bool anywhere)
{
	struct known_program *program;
	const char *word;

	if (array_reserve(&known->programs, &known->program_room, known->program_count,
			  sizeof(*known->programs)))
		return -ENOMEM;
	program = &known->programs[known->program_count++];
	*program = (struct known_program){ .name = strsep(&rest, " ") };
	while ((word = strsep(&rest, " "))) {
		if (program->key_count == ARRAY_SIZE(program->keys) ||
		    parse_key(word, &program->keys[program->key_count]))
			return -EINVAL;
		program->key_count++;
	}
	return *program->name && anywhere == !program->key_count ? 0 : -EINVAL;
}

static int parse_line(struct known_services *known, char *line)
{
	const char *word;

	if (!*line || *line == '#')
		return 0;
	word = strsep(&line, " ");
	if (!line)
		return -EINVAL;
	if (!strcmp(word, "private"))
		return parse_private(known, line);
	if (!strcmp(word, "program"))
		return parse_program(known, line, false);
	return strcmp(word, "anywhere") ? -EINVAL : parse_program(known, line, true);
}

int known_services_read(struct known_services *known, const char *text, unsigned int *row)
{
	char *line, *rest;
	int err = 0;

	*known = (struct known_services){ .text = strdup(text ?: built_in),
					  .reasons = calloc(PORT_KEYS, sizeof(char *)) };
	if (!known->text || !known->reasons)
		return -ENOMEM;
	rest = known->text;
	for (*row = 0; !err && (line = strsep(&rest, "\n")); ++*row)
		err = parse_line(known, line);
	return err;
}

void known_services_clear(struct known_services *known)
{
	free(known->reasons);
	free(known->programs);
	free(known->text);
	*known = (struct known_services){ 0 };
}

const struct known_program *known_program(const struct known_services *known, const char *name)
{
	for (size_t i = 0; i < known->program_count; i++) {
		if (!strcmp(known->programs[i].name, name))
			return &known->programs[i];
	}
	return NULL;
}

bool known_program_uses(const struct known_program *program, __u32 key)
{
	for (size_t i = 0; i < program->key_count; i++) {
		if (program->keys[i] == key)
			return true;
	}
	return !program->key_count;
}

const struct known_program *known_program_at(const struct known_services *known, __u32 key)
{
	for (size_t i = 0; i < known->program_count; i++) {
		if (known->programs[i].key_count &&
		    known_program_uses(&known->programs[i], key))
			return &known->programs[i];
	}
	return NULL;
}
