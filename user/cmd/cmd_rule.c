// SPDX-License-Identifier: GPL-2.0-only
/* allow, drop, reject: add one rule. */
#include "cmd/cmd_rule.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/change.h"
#include "cli/help.h"
#include "cli/words.h"
#include "kernel/datapath.h"
#include "kernel/datapath_rules.h"
#include "rules/ruleset_clauses.h"

/*
 * Adds a rule and removes the rules that it replaces: rules that it covers (rule_covers()).
 * *replaced gets the lines to print once the change is made, to be freed.
 */
static int replace_rules(struct ruleset *running, struct rule *rule, char **replaced)
{
	size_t size;
	FILE *out = open_memstream(replaced, &size);

	for (size_t i = running->count; out && i-- > 0;) {
		if (!rule_covers(rule, &running->rules[i]))
			continue;
		fputs("replaces: ", out);
		rule_print(&running->rules[i], out, true);
		fputc('\n', out);
		ruleset_remove(running, i);
	}
	if (!out || fclose(out))
		return -ENOMEM;
	return ruleset_add(running, rule);
}

static void note_interface(const struct datapath *dp, const struct rule *rule)
{
	if (!dp->count)
		note("portctl is attached to no interface: portctl attach IFACE");
	else if (*rule->iface && !datapath_interface(dp, rule->iface))
		note("portctl is not attached to %s: portctl attach %s", rule->iface,
		     rule->iface);
}

/* Adds the rule `data` to the running ruleset. */
static int rule_add(struct datapath *dp, struct ruleset *running, const struct change *change,
		    void *data)
{
	struct rule *rule = data;
	cleanup_free char *replaced = NULL;
	long same;
	int err;

	/* A rule with "for" starts again, even if the same rule is running. */
	if (rule->seconds)
		rule->ends = since_boot() + rule->seconds * 1000000000ull;
	same = rule->seconds ? -1 : ruleset_find(running, rule);
	if (same >= 0) {
		if (!change->json)
			printf("rule %ld is the same: nothing to change\n", same + 1);
		return 0;
	}
	rule->row = running->count + 1;
	err = replace_rules(running, rule, &replaced);
	if (err == -ENOSPC)
		return fail(err, "the ruleset is full: at most %d rules", MAX_RULES);
	if (err)
		return out_of_memory();
	err = change_commit_edit(dp, running, change);
	if (err)
		return err;
	note_interface(dp, &running->rules[running->count - 1]);
	if (!change->json) {
		datapath_unlock(dp);
		printf("%srule %zu added\n", replaced, running->count);
	}
	return 0;
}

int cmd_rule_run(const struct command *command, int argc, char **argv)
{
	struct change change = { 0 };
	cleanup_ruleset struct ruleset parsed;
	int status = command_parse(command, &argc, argv, &change);

	ruleset_init(&parsed);
	if (status)
		return status;
	if (words_parse(command->name, argc - 1, argv + 1, &parsed))
		return EXIT_REFUSED;
	return change_run(&change, rule_add, &parsed.rules[0]);
}

static void rule_print_help(const struct command *command, FILE *out)
{
	const struct rule rule = { .action = action_verdict(command->name) };

	help_described("PORTS",
		       "one or more of: a port (22), a range (6000-6100), a port of one "
		       "protocol (53/udp), a service (ssh), an IP protocol (gre)",
		       out);
	fputs("A CLAUSE is one of:\n", out);
	clauses_describe(clause_statement(&rule), help_described, out);
}

#define RULE_HELP                                                                              \
	"The most specific rule decides about a packet, whatever the order of the rules: "     \
	"first a rule without ports, then the narrowest range of ports, one protocol before "  \
	"both, the longest source prefix, and a named interface before all interfaces. A new " \
	"rule replaces older rules with the same sources and interface, if it names all "      \
	"their ports."

#define RULE_ENTRY(verb, text, lines)                                                          \
	const struct command cmd_##verb##_entry = {                                            \
		.name = #verb,                                                                 \
		.arguments = "PORTS|from SOURCE [CLAUSE...]",                                  \
		.summary = text,                                                               \
		.help = RULE_HELP,                                                             \
		.more_help = rule_print_help,                                                  \
		.examples = lines,                                                             \
		.options = change_options,                                                     \
		.words = { 1, ANY_WORDS },                                                     \
		.run = cmd_rule_run,                                                           \
		.privileges = PRIVILEGES_CHANGE,                                               \
	}

RULE_ENTRY(allow, "Let packets pass",
	   "  portctl allow ssh from 192.0.2.0/24, 2001:db8::/32 comment \"office\"\n"
	   "  portctl allow 443/tcp limit 100/s per source\n");
RULE_ENTRY(drop, "Drop packets without an answer",
	   "  portctl drop 23\n"
	   "  portctl drop from 203.0.113.0/24 for 2h\n");
RULE_ENTRY(reject, "Drop packets and answer that the port is closed",
	   "  portctl reject 113/tcp\n");
