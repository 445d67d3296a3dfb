// SPDX-License-Identifier: GPL-2.0-only
/* audit: what is open, or closed, and nobody may be aware of it. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "advise/audit.h"
#include "base/clock.h"
#include "cmd/command.h"
#include "base/log.h"
#include "host/netns.h"
#include "print/output.h"
#include "base/number.h"

#define IDLE_DAYS 30

/* Of its own, so that CI can tell a finding from an audit that could not be made. */
enum { EXIT_FOUND = 1, EXIT_NOT_LOOKED = 2 };

struct options {
	const char *policy;
	const char *netns;
	unsigned long days;
	bool ignored[FINDINGS];
	bool json;
};

static int parse_ignored(char *words, struct options *options)
{
	char *word;

	while ((word = strsep(&words, ","))) {
		enum finding finding = finding_parse(word);

		if (finding == FINDINGS)
			return fail(-EINVAL,
				    "argv: --ignore: found \"%s\", expected a kind of finding: "
				    "\"portctl help audit\" lists them",
				    word);
		options->ignored[finding] = true;
	}
	return 0;
}

static int parse_options(int argc, char **argv, struct options *options,
			 struct inventory *inventory)
{
	static const struct option names[] = {
		{ "policy", required_argument, NULL, 'p' },
		{ "days", required_argument, NULL, 'd' },
		{ "ignore", required_argument, NULL, 'i' },
		{ "on", required_argument, NULL, 'o' },
		{ "netns", required_argument, NULL, 'n' },
		{ "json", no_argument, NULL, 'j' },
		{ 0 },
	};
	int option, err = 0;

	while ((option = getopt_long(argc, argv, "j", names, NULL)) != -1) {
		if (option == 'p')
			options->policy = optarg;
		else if (option == 'i')
			err = err ?: parse_ignored(optarg, options);
		else if (option == 'o')
			inventory->iface = optarg;
		else if (option == 'n')
			options->netns = optarg;
		else if (option == 'j')
			options->json = true;
		else if (option != 'd' ||
			 number_parse(optarg, strlen(optarg), 36500, &options->days))
			return -ENOEXEC;
	}
	return optind == argc ? err : -ENOEXEC;
}

/* The policy as it would judge on the interfaces that are looked at. */
static int judge_by(const char *path, const struct inventory *inventory,
		    struct ruleset *ruleset, struct outlook *outlook)
{
	static const struct interface nowhere;
	size_t count = inventory->interface_count;
	struct ruleset none;
	int err = rules_file_read(path, ruleset);

	if (err)
		return err;
	ruleset_init(&none);
	*outlook = (struct outlook){ .ruleset = ruleset, .now = inventory->outlook.now };
	err = assign_lines(ruleset, &none)
		      ?: outlook_prepare(outlook, count ? inventory->interfaces : &nowhere,
					 count ?: 1);
	ruleset_clear(&none);
	return err ? fail(err, "%s: cannot be made a policy: %s", path, strerror(-err)) : 0;
}

static void print_findings(const json_t *list, bool json)
{
	json_t *finding;
	size_t i;

	if (json) {
		print_rows("findings", list, true);
		return;
	}
	json_array_foreach(list, i, finding)
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
}

static int find_all(const struct audit *audit, const struct options *options)
{
	json_t *list = json_array();
	size_t count;

	for (enum finding finding = 0; finding < FINDINGS; finding++) {
		if (!options->ignored[finding])
			audit_find(audit, finding, list);
	}
	count = json_array_size(list);
	print_findings(list, options->json);
	json_decref(list);
	inventory_note_hidden(audit->inventory);
	/* program_end() says it, but its exit code would be that of findings. */
	if (fflush(stdout) || ferror(stdout))
		return EXIT_NOT_LOOKED;
	return count ? EXIT_FOUND : EXIT_DONE;
}

static int look(const struct options *options, struct inventory *inventory)
{
	struct known_services known = { 0 };
	struct outlook policy = { 0 };
	struct ruleset ruleset;
	struct audit audit = { inventory, options->policy ? &policy : NULL, &known,
			       options->days, utc_now() };
	unsigned int row;
	int status = EXIT_NOT_LOOKED, err;

	ruleset_init(&ruleset);
	err = inventory_take(inventory);
	if (!err && known_services_read(&known, NULL, &row))
		err = fail(-ENOMEM, "out of memory");
	if (!err && options->policy)
		err = judge_by(options->policy, inventory, &ruleset, &policy);
	if (!err)
		status = find_all(&audit, options);
	outlook_clear(&policy);
	ruleset_clear(&ruleset);
	known_services_clear(&known);
	return status;
}

int cmd_audit(const struct command *command, int argc, char **argv)
{
	struct options options = { .days = IDLE_DAYS };
	struct inventory inventory = { 0 };
	int err = parse_options(argc, argv, &options, &inventory), status;

	if (err == -ENOEXEC)
		return command_usage(command);
	if (err || netns_enter(options.netns))
		return EXIT_NOT_LOOKED;
	status = look(&options, &inventory);
	inventory_clear(&inventory);
	return status;
}
