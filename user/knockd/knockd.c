// SPDX-License-Identifier: GPL-2.0-only
#include "knockd/knockd.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "base/text.h"

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		length--;
	text[length] = 0;
	return text;
}

static int add_event(struct knockd *knockd, char *name, unsigned int row)
{
	int err = array_reserve(&knockd->events, &knockd->room, knockd->count,
				sizeof(*knockd->events));

	if (!err)
		knockd->events[knockd->count++] =
			(struct knockd_event){ .name = name, .row = row };
	return err;
}

/* Ignores directives that make no difference to a knock: interface, target, ... */
static void set_directive(struct knockd_event *event, const char *name, char *text,
			  unsigned int row)
{
	const struct {
		const char *name;
		struct knockd_value *value;
	} directives[] = {
		{ "sequence", &event->sequence },
		{ "seq_timeout", &event->seq_timeout },
		{ "timeout", &event->seq_timeout },
		{ "one_time_sequences", &event->one_time_sequences },
		{ "tcpflags", &event->tcpflags },
		{ "start_command", &event->start_command },
		{ "command", &event->start_command },
		{ "cmd_timeout", &event->cmd_timeout },
		{ "stop_command", &event->stop_command },
	};

	for (size_t i = 0; i < ARRAY_SIZE(directives); i++) {
		if (!strcasecmp(name, directives[i].name))
			*directives[i].value = (struct knockd_value){ text, row };
	}
}

int knockd_parse(char *text, struct knockd *knockd)
{
	struct knockd_event *event = NULL;
	unsigned int row = 0;
	char *line;
	int err = 0;

	*knockd = (struct knockd){ 0 };
	while (!err && (line = strsep(&text, "\n"))) {
		char *end;

		row++;
		line = trim(line);
		end = strchr(line, *line == '[' ? ']' : '=');
		if (*line == '#' || !end)
			continue;
		*end = 0;
		if (*line == '[') {
			bool options = !strcasecmp(line + 1, "options");

			text_clean(line);
			err = options ? 0 : add_event(knockd, line + 1, row);
			event = options || err ? NULL : &knockd->events[knockd->count - 1];
		} else if (event) {
			set_directive(event, trim(line), trim(end + 1), row);
		}
	}
	return err;
}

void knockd_clear(struct knockd *knockd)
{
	free(knockd->events);
	*knockd = (struct knockd){ 0 };
}

static const char *read_step(char *word, __u32 *key)
{
	char *protocol = strchr(word, ':');
	unsigned long port;
	bool udp;

	if (protocol)
		*protocol++ = 0;
	protocol = protocol ? trim(protocol) : "tcp";
	udp = !strcasecmp(protocol, "udp");
	word = trim(word);
	if (number_parse(word, strlen(word), 65535, &port) ||
	    (!udp && strcasecmp(protocol, "tcp")))
		return "a step of its sequence is not a port";
	*key = (udp ? PORT_KEY_UDP : PORT_KEY_TCP) + port;
	return NULL;
}

const char *knockd_sequence(const char *text, struct sequence *sequence)
{
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *word;
	const char *wrong = NULL;

	*sequence = (struct sequence){ 0 };
	if (!copy)
		return "out of memory";
	while (!wrong && (word = strsep(&rest, ","))) {
		if (sequence->count == MAX_STEPS)
			return "its sequence has more than 16 steps";
		wrong = read_step(word, &sequence->steps[sequence->count++]);
	}
	return wrong;
}
