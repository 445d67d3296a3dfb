// SPDX-License-Identifier: GPL-2.0-only
/* knock key: a new key for signed knocks. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "cli/command.h"
#include "rules/signing.h"

static char *put_hex(char *to, const __u8 *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*to++ = digits[bytes[i] >> 4];
		*to++ = digits[bytes[i] & 15];
	}
	return to;
}

/* Writes a line of a key file. Does not use stdio, whose buffer would keep the key. */
static int print_key(const char *name, const struct signing_key *key)
{
	char line[KEY_NAME_MAX + 2 * (sizeof(key->key) + sizeof(key->server)) + 4];
	char *end = stpcpy(stpcpy(line, name), " ");
	int err;

	end = stpcpy(put_hex(end, key->key, sizeof(key->key)), " ");
	end = stpcpy(put_hex(end, key->server, sizeof(key->server)), "\n");
	err = write_all(STDOUT_FILENO, line, end - line);
	explicit_bzero(line, sizeof(line));
	return err ? fail(err, "cannot write the output") : 0;
}

static bool is_key_name(const char *name)
{
	return *name && strlen(name) <= KEY_NAME_MAX && !name[strcspn(name, " #")] &&
	       text_is_showable(name);
}

static int knock_key_run(const struct command *command, int argc, char **argv)
{
	struct signing_key key;
	int err, status = command_parse(command, &argc, argv, NULL);

	if (status)
		return status;
	if (!is_key_name(argv[1])) {
		text_clean(argv[1]);
		return fail(EXIT_REFUSED,
			    "argv: found \"%s\", expected a name of at most %d bytes without "
			    "blanks and #",
			    argv[1], KEY_NAME_MAX);
	}
	secrets_begin();
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return fail(EXIT_REFUSED, "cannot get random numbers: %s", strerror(errno));
	err = print_key(argv[1], &key);
	explicit_bzero(&key, sizeof(key));
	return err ? EXIT_REFUSED : EXIT_DONE;
}

const struct command knock_key_entry = {
	.name = "knock key",
	.arguments = "NAME",
	.summary = "Create a key for signed knocks",
	.help = "Prints the new key as one line. Add the line to the file that the knock names, "
		"and give a copy of it to the owner of the key. Needs no privileges.",
	.examples = "  umask 077\n"
		    "  portctl knock key alice | tee alice.key >>/etc/portctl/keys\n",
	.words = { 1, 1 },
	.run = knock_key_run,
	.privileges = PRIVILEGES_NONE,
};
