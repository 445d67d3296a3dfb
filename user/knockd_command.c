// SPDX-License-Identifier: GPL-2.0-only
/* What the commands of a knockd configuration do with the firewall. */
#include <string.h>

#include "knockd.h"
#include "util.h"

#define WORDS_MAX 64
#define OTHER "its command is none that is known to open or close a port"
#define SCRIPT "its command is for a shell, or has quotes"
#define EVERYBODY "its command is not for %IP% only"
#define NO_PORT "its command names no port"

/* The words of a command line; the last is NULL. */
struct words {
	char *list[WORDS_MAX + 1];
	size_t count;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether there is one of the words, which are separated by blanks. */
static bool is_one_of(const char *word, const char *list)
{
	size_t length = strlen(word);

	while (*list) {
		size_t part = strcspn(list, " ");

		if (part == length && !memcmp(list, word, length))
			return true;
		list += part + (list[part] == ' ');
	}
	return false;
}

/* The word behind one of these words, or NULL. */
static const char *word_after(const struct words *words, const char *list)
{
	for (size_t i = 0; i < words->count; i++) {
		if (is_one_of(words->list[i], list))
			return words->list[i + 1];
	}
	return NULL;
}

static bool has_word(const struct words *words, const char *word)
{
	for (size_t i = 0; i < words->count; i++) {
		if (!strcmp(words->list[i], word))
			return true;
	}
	return false;
}

static const char *add_port(struct knockd_command *command, const char *text, __u8 transports)
{
	struct term terms[2];
	const char *expected;

	if (command->count == ARRAY_SIZE(command->terms))
		return "its command has more ports than can be turned";
	if (term_parse(text, strlen(text), terms, &expected) < 1 || !terms[0].transports)
		return NO_PORT;
	terms[0].transports = transports;
	command->terms[command->count++] = terms[0];
	return NULL;
}

/* "22", "22,80" or, with a colon or a dash, "6000:6100". */
static const char *add_ports(struct knockd_command *command, const char *text,
			     const char *protocol)
{
	cleanup_free char *copy = text ? strdup(text) : NULL;
	char *rest = copy, *part;
	const char *wrong = NULL;
	__u8 transports = TRANSPORT_BOTH;

	if (!copy)
		return NO_PORT;
	if (protocol && !is_one_of(protocol, "tcp udp all"))
		return "its command is for a protocol without ports";
	if (protocol && strcmp(protocol, "all"))
		transports = !strcmp(protocol, "tcp") ? TRANSPORT_TCP : TRANSPORT_UDP;
	while (!wrong && (part = strsep(&rest, ","))) {
		char *colon = strchr(part, ':');

		if (colon)
			*colon = '-';
		wrong = *part ? add_port(command, part, transports) : NO_PORT;
	}
	return wrong;
}

static const char *read_iptables(const struct words *words, struct knockd_command *command)
{
	const char *source = word_after(words, "-s --source --src");
	const char *target = word_after(words, "-j --jump");

	if (has_word(words, "!") || !target || strcmp(target, "ACCEPT"))
		return OTHER;
	if (word_after(words, "-A --append -I --insert"))
		command->action = KNOCKD_OPENS;
	else if (word_after(words, "-D --delete"))
		command->action = KNOCKD_CLOSES;
	else
		return OTHER;
	if (!source || strcmp(source, "%IP%"))
		return EVERYBODY;
	return add_ports(command,
			 word_after(words, "--dport --dports --destination-port "
					   "--destination-ports"),
			 word_after(words, "-p --protocol --proto"));
}

static const char *read_ufw(const struct words *words, struct knockd_command *command)
{
	const char *source = word_after(words, "from");

	if (!has_word(words, "allow"))
		return OTHER;
	command->action = has_word(words, "delete") ? KNOCKD_CLOSES : KNOCKD_OPENS;
	if (!source || strcmp(source, "%IP%"))
		return EVERYBODY;
	return add_ports(command, word_after(words, "port"), word_after(words, "proto"));
}

/* Deleting by a handle, or elements of sets, say nothing about ports. */
static const char *read_nft(const struct words *words, struct knockd_command *command)
{
	const char *source = word_after(words, "saddr");
	const char *tcp = word_after(words, "tcp"), *udp = word_after(words, "udp");

	if (words->count < 3 || !is_one_of(words->list[1], "add insert") ||
	    strcmp(words->list[2], "rule") || !has_word(words, "accept") ||
	    has_word(words, "!=") || !!tcp == !!udp || strcmp(tcp ?: udp, "dport"))
		return OTHER;
	command->action = KNOCKD_OPENS;
	if (!source || strcmp(source, "%IP%"))
		return EVERYBODY;
	return add_ports(command, word_after(words, "dport"), tcp ? "tcp" : "udp");
}

const char *knockd_command(const char *line, struct knockd_command *command)
{
	cleanup_free char *copy = strdup(line);
	struct words words = { 0 };
	char *rest = copy, *word;
	const char *program;

	*command = (struct knockd_command){ 0 };
	if (!copy)
		return "out of memory";
	if (line[strcspn(line, ";|&$`<>(){}\"'\\*?")])
		return SCRIPT;
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (words.count == WORDS_MAX)
			return OTHER;
		words.list[words.count++] = word;
	}
	program = words.count ? base_name(words.list[0]) : "";
	if (is_one_of(program, "iptables ip6tables"))
		return read_iptables(&words, command);
	if (!strcmp(program, "ufw"))
		return read_ufw(&words, command);
	if (!strcmp(program, "nft"))
		return read_nft(&words, command);
	return OTHER;
}
