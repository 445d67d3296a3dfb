// SPDX-License-Identifier: GPL-2.0-only
#include "rules/signing.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"

/* The shortest line: a name, a key and a server, with blanks between them. */
#define KEY_LINE_MIN (1 + 1 + 64 + 1 + 16)

/* The beginning of a day, UTC, in nanoseconds since 1970; 0: the text is not a day. */
static __u64 read_day(const char *text)
{
	struct tm given = { 0 }, day;
	const char *end = strptime(text, "%Y-%m-%d", &given);
	time_t seconds;

	if (!end || *end)
		return 0;
	day = given;
	seconds = timegm(&day); /* turns February 31 into a day in March */
	if (seconds <= 0 || day.tm_mday != given.tm_mday)
		return 0;
	return (__u64)seconds > ~0ull / 1000000000 ? ~0ull : (__u64)seconds * 1000000000;
}

/* Reads what follows the three words. Returns NULL, or what was expected. */
static const char *read_key_clauses(char **rest, struct signing_key *key)
{
	char *word;

	while ((word = strtok_r(NULL, " \t", rest))) {
		char *value = strtok_r(NULL, " \t", rest);

		if (!strcmp(word, "expires")) {
			key->expires = value ? read_day(value) : 0;
			if (!key->expires)
				return "a day after \"expires\", as in 2030-12-31";
		} else if (!strcmp(word, "doors")) {
			if (!value || strlen(value) > KEY_DOORS_MAX)
				return "names of doors after \"doors\", with commas between them";
			strcpy(key->doors, value);
		} else {
			return "\"expires\", \"doors\" or the end of the line";
		}
	}
	return NULL;
}

/*
 * Reads one line. Returns NULL, or what was expected. Errors do not quote the line, since its
 * words may be a key.
 */
static const char *read_key(char *line, struct signing_key *key)
{
	char *rest, *name = strtok_r(line, " \t", &rest);
	char *secret = name ? strtok_r(NULL, " \t", &rest) : NULL;
	char *server = secret ? strtok_r(NULL, " \t", &rest) : NULL;

	if (!name || strlen(name) > KEY_NAME_MAX || !text_is_showable(name))
		return "a name of at most 31 characters, none of them a control character";
	strcpy(key->name, name);
	if (!secret || !hex_parse(secret, key->key, sizeof(key->key)))
		return "a key of 64 hexadecimal digits after the name";
	if (!server || !hex_parse(server, key->server, sizeof(key->server)))
		return "a server of 16 hexadecimal digits after the key";
	return read_key_clauses(&rest, key);
}

/*
 * Reads all lines, up to the first error. There is room for as many keys as the text can have:
 * an array that grew would leave copies of keys in freed memory.
 */
static int read_key_lines(const char *path, char *text, struct signing_key **keys,
			  size_t *count)
{
	unsigned int row = 0;
	char *line;

	*keys = calloc(strlen(text) / KEY_LINE_MIN + 1, sizeof(**keys));
	if (!*keys)
		return out_of_memory();
	while ((line = strsep(&text, "\n"))) {
		const char *expected;

		row++;
		line[strcspn(line, "#\r")] = 0;
		if (!line[strspn(line, " \t")])
			continue;
		expected = read_key(line, &(*keys)[(*count)++]);
		if (expected)
			return fail(-EINVAL, "%s:%u: expected %s", path, row, expected);
	}
	return *count ? 0
		      : fail(-EINVAL, "%s has no key: make one with \"portctl knock key\"",
			     path);
}

int keys_read(const char *path, struct signing_key **keys, size_t *count)
{
	char *text;
	int err = secret_file_read(path, &text);

	*keys = NULL;
	*count = 0;
	if (err)
		return err;
	err = read_key_lines(path, text, keys, count);
	secret_file_free(text);
	return err;
}

void keys_free(struct signing_key *keys, size_t count)
{
	if (keys)
		explicit_bzero(keys, count * sizeof(*keys));
	free(keys);
}

bool key_opens(const struct signing_key *key, const char *door)
{
	size_t length = strlen(door);
	const char *name = key->doors;

	while (*name) {
		size_t part = strcspn(name, ",");

		if (part == length && !memcmp(name, door, length))
			return true;
		name += part + (name[part] == ',');
	}
	return !*key->doors;
}

static __be32 short_hash(const void *data, size_t size)
{
	__u8 tag[16];
	__be32 number;

	blake2s(tag, sizeof(tag), NULL, 0, data, size);
	memcpy(&number, tag, sizeof(number));
	return number;
}

__be32 key_number(const struct signing_key *key)
{
	return short_hash(key->key, sizeof(key->key));
}

__be32 door_number(const char *name)
{
	return short_hash(name, strlen(name));
}

void sign(struct signed_knock *knock, const struct signing_key *key, __u64 time)
{
	knock->version = SIGNED_VERSION;
	knock->signer = key_number(key);
	knock->time = htobe64(time);
	memcpy(knock->server, key->server, sizeof(knock->server));
	blake2s(knock->tag, sizeof(knock->tag), key->key, sizeof(key->key), knock,
		offsetof(struct signed_knock, tag));
}
