// SPDX-License-Identifier: GPL-2.0-only
/* audit: ports that are open or closed, but should perhaps not be. */
#include <errno.h>
#include <string.h>

#include "advise/audit.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/command.h"
#include "cli/help.h"
#include "cli/rules_file.h"
#include "compile/lines.h"
#include "host/netns.h"
#include "print/output.h"

#define IDLE_DAYS 30
#define IDLE_DAYS_MAX 36500

/* Not EXIT_REFUSED, so that a script can tell a finding from an audit that did not run. */
enum { EXIT_FOUND = 1, EXIT_NOT_RUN = 2 };

struct audit_options {
	const char *policy;
	const char *iface;
	const char *netns;
	unsigned long days;
	bool ignored[FINDINGS];
	bool json;
};

static int audit_parse_ignored(void *values, const char *argument)
{
	struct audit_options *options = values;
	char *words = (char *)argument; /* in argv, which may be changed */
	const char *word;

	while ((word = strsep(&words, ","))) {
		enum finding finding = finding_parse(word);

		if (finding == FINDINGS)
			return fail(EXIT_USAGE,
				    "argv: --ignore: found \"%s\", expected a kind of finding: "
				    "\"portctl help audit\" lists the kinds",
				    word);
		options->ignored[finding] = true;
	}
	return EXIT_DONE;
}

static const struct cli_option audit_options[] = {
	{ "policy", 0, "FILE",
	  "take the rules in FILE, not the running rules, for what should be reachable; ports "
	  "that they name may be exposed",
	  CLI_TEXT(struct audit_options, policy) },
	{ "days", 0, "N", "report rules as idle after N days without a packet (30)",
	  CLI_NUMBER(struct audit_options, days, 0, IDLE_DAYS_MAX) },
	{ "ignore", 0, "KIND,...", "do not look for findings of these kinds",
	  CLI_CALL(audit_parse_ignored) },
	{ "on", 0, "IFACE",
	  "look at packets that arrive on IFACE; default: on all attached interfaces",
	  CLI_TEXT(struct audit_options, iface) },
	{ CLI_NETNS(struct audit_options, netns) },
	{ CLI_JSON(struct audit_options, json) },
	{ 0 },
};

/* Reads the policy, and finds out what it lets through on the audited interfaces. */
static int read_policy(const char *path, const struct inventory *inventory,
		       struct ruleset *ruleset, struct outlook *outlook)
{
	static const struct interface nowhere;
	size_t count = inventory->interface_count;
	cleanup_ruleset struct ruleset none;
	int err;

	ruleset_init(&none);
	err = rules_file_read(path, ruleset);
	if (err)
		return err;
	*outlook = (struct outlook){ .ruleset = ruleset, .now = inventory->outlook.now };
	err = assign_lines(ruleset, &none)
		      ?: outlook_prepare(outlook, count ? inventory->interfaces : &nowhere,
					 count ?: 1);
	return err ? fail(err, "cannot use %s as a policy: %s", path, strerror(-err)) : 0;
}

static void audit_print_finding(const json_t *finding)
{
	const char *rule = json_string_value(json_object_get(finding, "rule"));

	printf("%-15s ", json_string_value(json_object_get(finding, "finding")));
	if (rule)
		printf("\"%s\": ", rule);
	else
		printf("%lld/%s: ",
		       (long long)json_integer_value(json_object_get(finding, "port")),
		       json_string_value(json_object_get(finding, "proto")));
	puts(json_string_value(json_object_get(finding, "text")) ?: "?");
}

static void audit_print(const json_t *list, bool json)
{
	json_t *finding;
	size_t i;

	if (json) {
		print_rows("findings", list, true);
		return;
	}
	json_array_foreach(list, i, finding) audit_print_finding(finding);
}

static int find_all(const struct audit *audit, const struct audit_options *options)
{
	json_t *list = json_array();
	size_t count;

	for (enum finding finding = 0; finding < FINDINGS; finding++) {
		if (!options->ignored[finding])
			audit_find(audit, finding, list);
	}
	count = json_array_size(list);
	audit_print(list, options->json);
	json_decref(list);
	inventory_note_hidden(audit->inventory);
	/* program_end() prints the error, but would return the exit code of a finding. */
	if (fflush(stdout) || ferror(stdout))
		return EXIT_NOT_RUN;
	return count ? EXIT_FOUND : EXIT_DONE;
}

static int audit_inventory(const struct audit_options *options, struct inventory *inventory)
{
	struct known_services known = { 0 };
	struct outlook policy = { 0 };
	cleanup_ruleset struct ruleset ruleset;
	struct audit audit = { inventory, options->policy ? &policy : NULL, &known,
			       options->days, utc_now() };
	unsigned int row;
	int status = EXIT_NOT_RUN, err;

	ruleset_init(&ruleset);
	err = inventory_take(inventory);
	if (!err && known_services_read(&known, NULL, &row))
		err = out_of_memory();
	if (!err && options->policy)
		err = read_policy(options->policy, inventory, &ruleset, &policy);
	if (!err)
		status = find_all(&audit, options);
	outlook_clear(&policy);
	known_services_clear(&known);
	return status;
}

static int audit_run(const struct command *command, int argc, char **argv)
{
	struct audit_options options = { .days = IDLE_DAYS };
	struct inventory inventory;
	int status = command_parse(command, &argc, argv, &options);

	if (status)
		return status;
	if (netns_enter(options.netns))
		return EXIT_NOT_RUN;
	inventory = (struct inventory){ .iface = options.iface };
	status = audit_inventory(&options, &inventory);
	inventory_clear(&inventory);
	return status;
}

static void audit_print_kinds(const struct command *command, FILE *out)
{
	static const char *const texts[FINDINGS] = {
		[FINDING_UNNAMED] =
			"a program listens and is reachable, but no rule allows its "
			"port by number; if everybody can reach it, a rule that "
			"allows it to some sources does not count",
		[FINDING_WIDER] = "more sources can reach the port than the policy allows",
		[FINDING_EXPOSED] = "everybody can reach a service that is not meant for "
				    "everybody (telnet, databases, ...)",
		[FINDING_FILTERED] = "a program listens, but the rules let nobody through",
		[FINDING_UNUSED] = "a rule allows the port, but no program listens",
		[FINDING_IDLE] = "a rule that has not met a packet for some days (--days)",
		[FINDING_FOREIGN_PORT] = "a program does not listen on its usual port",
		[FINDING_FOREIGN_PROGRAM] = "a program listens on the well-known port of "
					    "another program",
	};
	struct help_row rows[FINDINGS + 1] = { 0 };

	(void)command;
	for (enum finding finding = 0; finding < FINDINGS; finding++)
		rows[finding] = (struct help_row){ finding_name(finding), texts[finding] };
	fputs("The kinds of findings, in the order of the output:\n", out);
	help_rows(out, rows);
}

const struct command cmd_audit_entry = {
	.name = "audit",
	.arguments = "",
	.summary = "Report ports that are open or closed but should perhaps not be",
	.help = "The exit code is 0 if nothing was found, 1 if there are findings, and 2 if the "
		"audit could not run. UDP ports in the kernel's range of ephemeral ports "
		"(ip_local_port_range) are audited only if a rule names them.",
	.more_help = audit_print_kinds,
	.options = audit_options,
	.run = audit_run,
	.privileges = PRIVILEGES_READ | PRIVILEGES_PROCESSES | PRIVILEGES_NAMESPACES,
};
