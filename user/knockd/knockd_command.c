// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parses the commands of a knockd configuration. It must understand every word: an ignored
 * one could narrow the rule, or make it do something else.
 */
#include <string.h>

#include "knockd/knockd.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"

#define WORDS_MAX 64
#define OTHER "its command is not known to open or close a port"
#define SCRIPT "its command needs a shell, or has quotes"
#define EVERYBODY "its command is not for %IP% only"
#define NO_PORT "its command names no port"

/* A command while it is parsed. */
struct reading {
	char **next; /* the words that are left; NULL ends them */
	const char *unknown; /* the first word that was not understood */
	const char *source;
	const char *ports;
	const char *protocol;
	const char *comment;
	bool opens;
	bool closes;
	bool accepts;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Whether a text is one of the words of a list; blanks separate the words. */
static bool is_listed(const char *text, size_t length, const char *list)
{
	while (*list) {
		size_t part = strcspn(list, " ");

		if (part == length && !memcmp(list, text, length))
			return true;
		list += part + (list[part] == ' ');
	}
	return false;
}

static bool is_one_of(const char *word, const char *list)
{
	return is_listed(word, strlen(word), list);
}

/* Notes the next word as unknown; or the last one, if there is no next. */
static void not_understood(struct reading *at)
{
	const char *word = *at->next ? *at->next++ : at->next[-1];

	if (!at->unknown)
		at->unknown = word;
}

/* Takes the next word if it is in the list. */
static bool take_any(struct reading *at, const char *list)
{
	bool is = *at->next && is_one_of(*at->next, list);

	at->next += is;
	return is;
}

/* As take_any(); another word is unknown. */
static bool need(struct reading *at, const char *list)
{
	bool is = take_any(at, list);

	if (!is)
		not_understood(at);
	return is;
}

/* Refuses a second value: for some programs the last one counts, for others it is an error. */
static void take_value(struct reading *at, const char **value)
{
	if (*value || !*at->next)
		not_understood(at);
	else
		*value = *at->next++;
}

static void take_number(struct reading *at)
{
	const char *word = *at->next;

	if (word && !word[strspn(word, "0123456789")])
		at->next++;
}

/* Connection states. A knock lets new connections in, so NEW must be among the states. */
static void need_new(struct reading *at)
{
	const char *states = *at->next ?: "";
	bool understood = true, new = false;

	while (*states && understood) {
		size_t length = strcspn(states, ",");

		new |= is_listed(states, length, "NEW new");
		understood = is_listed(states, length,
				       "NEW new ESTABLISHED established RELATED related");
		states += length + (states[length] == ',');
	}
	if (understood && new)
		at->next++;
	else
		not_understood(at);
}

#define IPTABLES_PORTS "--dport --dports --destination-port --destination-ports"

static void read_iptables(struct reading *at)
{
	while (*at->next) {
		if (take_any(at, "-A --append")) {
			at->opens = true;
			need(at, "INPUT");
		} else if (take_any(at, "-I --insert")) {
			at->opens = true;
			need(at, "INPUT");
			take_number(at);
		} else if (take_any(at, "-D --delete")) {
			at->closes = true;
			need(at, "INPUT");
		} else if (take_any(at, "-s --source --src")) {
			take_value(at, &at->source);
		} else if (take_any(at, "-p --protocol --proto")) {
			take_value(at, &at->protocol);
		} else if (take_any(at, IPTABLES_PORTS)) {
			take_value(at, &at->ports);
		} else if (take_any(at, "-m --match")) {
			need(at, "tcp udp multiport comment state conntrack");
		} else if (take_any(at, "--state --ctstate")) {
			need_new(at);
		} else if (take_any(at, "--comment")) {
			take_value(at, &at->comment);
		} else if (take_any(at, "-j --jump")) {
			at->accepts = need(at, "ACCEPT");
		} else if (take_any(at, "-t --table")) {
			need(at, "filter");
		} else if (take_any(at, "-w --wait")) {
			take_number(at);
		} else {
			need(at, "--syn");
		}
	}
}

/* A port behind "from" is a source port, which a knock cannot check. */
static void read_ufw(struct reading *at)
{
	at->opens = true;
	while (*at->next) {
		if (take_any(at, "delete")) {
			at->opens = false;
			at->closes = true;
		} else if (take_any(at, "allow")) {
			at->accepts = true;
		} else if (take_any(at, "insert")) {
			take_number(at);
		} else if (take_any(at, "from")) {
			take_value(at, &at->source);
		} else if (take_any(at, "to")) {
			if (need(at, "any") && take_any(at, "port"))
				take_value(at, &at->ports);
		} else if (take_any(at, "proto")) {
			take_value(at, &at->protocol);
		} else if (take_any(at, "comment")) {
			take_value(at, &at->comment);
		} else {
			need(at, "in prepend rule --force");
		}
	}
}

/* A chain can have any name. It counts as one for arriving packets if "input" is in its name. */
static void read_nft_chain(struct reading *at)
{
	take_any(at, "ip ip6 inet");
	if (!*at->next || is_one_of(*at->next, "arp bridge netdev nat mangle raw"))
		not_understood(at);
	else
		at->next++;
	if (*at->next && strcasestr(*at->next, "input"))
		at->next++;
	else
		not_understood(at);
	if (take_any(at, "position handle index"))
		take_number(at);
}

/* Only rules: "delete rule" has a handle, and "add element" a set, but no port. */
static void read_nft(struct reading *at)
{
	at->opens = take_any(at, "add insert") && take_any(at, "rule");
	if (!at->opens)
		return;
	read_nft_chain(at);
	while (*at->next) {
		const char *word = *at->next;

		if (take_any(at, "ip ip6")) {
			if (need(at, "saddr"))
				take_value(at, &at->source);
		} else if (take_any(at, "tcp udp")) {
			at->protocol = word;
			if (need(at, "dport"))
				take_value(at, &at->ports);
		} else if (take_any(at, "ct")) {
			if (need(at, "state"))
				need_new(at);
		} else if (take_any(at, "comment")) {
			take_value(at, &at->comment);
		} else if (take_any(at, "accept")) {
			at->accepts = true;
		} else {
			need(at, "counter");
		}
	}
}

/* `text` can be a service; then its port depends on the protocol. */
static const char *add_knockd_port(struct knockd_command *command, const char *text,
				   const char *protocol)
{
	char spelled[72];
	struct term terms[2];
	const char *expected;
	int length, count;

	length = snprintf(spelled, sizeof(spelled), "%s%s%s", text, protocol ? "/" : "",
			  protocol ?: "");
	if (strchr(text, '/') || length >= (int)sizeof(spelled))
		return NO_PORT;
	count = term_parse(spelled, length, terms, &expected);
	if (count < 1 || !terms[0].transports)
		return NO_PORT;
	if (command->count + count > ARRAY_SIZE(command->terms))
		return "its command names too many ports";
	memcpy(command->terms + command->count, terms, count * sizeof(*terms));
	command->count += count;
	return NULL;
}

/* "22", "22,80" or, with a colon or a dash, "6000:6100". */
static const char *add_knockd_ports(struct knockd_command *command, const char *text,
				    const char *protocol)
{
	cleanup_free char *copy = text ? strdup(text) : NULL;
	char *rest = copy, *part;
	const char *wrong = NULL;

	if (!copy)
		return NO_PORT;
	if (protocol && !is_one_of(protocol, "tcp udp all"))
		return "its command is for a protocol without ports";
	if (protocol && !strcmp(protocol, "all"))
		protocol = NULL;
	while (!wrong && (part = strsep(&rest, ","))) {
		char *colon = strchr(part, ':');

		if (colon)
			*colon = '-';
		wrong = *part ? add_knockd_port(command, part, protocol) : NO_PORT;
	}
	return wrong;
}

static const char *read_result(const struct reading *at, struct knockd_command *command)
{
	if (!at->accepts || at->opens == at->closes)
		return OTHER;
	command->action = at->opens ? KNOCKD_OPENS : KNOCKD_CLOSES;
	if (!at->source || strcmp(at->source, "%IP%"))
		return EVERYBODY;
	if (!at->unknown)
		return add_knockd_ports(command, at->ports, at->protocol);
	snprintf(command->why, sizeof(command->why),
		 "\"%.40s\" in its command is not understood", at->unknown);
	text_clean(command->why);
	return command->why;
}

static const char *read_words(char **words, struct knockd_command *command)
{
	struct reading at = { .next = words + 1 };
	const char *program = base_name(*words);

	if (is_one_of(program, "iptables ip6tables"))
		read_iptables(&at);
	else if (!strcmp(program, "ufw"))
		read_ufw(&at);
	else if (!strcmp(program, "nft"))
		read_nft(&at);
	return read_result(&at, command);
}

const char *knockd_command(const char *line, struct knockd_command *command)
{
	cleanup_free char *copy = strdup(line);
	char *words[WORDS_MAX + 1] = { NULL };
	char *rest = copy, *word;
	size_t count = 0;

	*command = (struct knockd_command){ 0 };
	if (!copy)
		return "out of memory";
	if (line[strcspn(line, ";|&$`<>(){}\"'\\*?")])
		return SCRIPT;
	while ((word = strsep(&rest, " \t"))) {
		if (!*word)
			continue;
		if (count == WORDS_MAX)
			return OTHER;
		words[count++] = word;
	}
	return count ? read_words(words, command) : OTHER;
}
