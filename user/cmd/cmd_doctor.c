// SPDX-License-Identifier: GPL-2.0-only
/* doctor: what is not as it should be, and what to do about it. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "cmd/command.h"
#include "advise/doctor.h"
#include "base/log.h"
#include "kernel/datapath_rules.h"

static void print_finding(const json_t *finding)
{
	const char *iface = json_string_value(json_object_get(finding, "interface"));
	const char *advice = json_string_value(json_object_get(finding, "advice"));

	printf("%-5s %s%s%s: %s%s%s\n", json_string_value(json_object_get(finding, "level")),
	       iface ?: "", iface ? " " : "",
	       json_string_value(json_object_get(finding, "topic")),
	       json_string_value(json_object_get(finding, "text")), advice ? "; " : "",
	       advice ?: "");
}

static void print_findings(const struct doctor *doctor, bool json)
{
	json_t *all, *finding;
	size_t i;

	if (!json) {
		json_array_foreach(doctor->findings, i, finding) print_finding(finding);
		return;
	}
	all = json_pack("{s:O}", "checks", doctor->findings);
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
}

/* What datapath_open() could not open it has said itself. */
static void examine(struct doctor *doctor, const struct datapath *dp, int err,
		    const char *iface)
{
	if (!err)
		doctor->dp = dp;
	else
		doctor_report(doctor, LEVEL_FAIL, "tables", "see above, on standard error",
			      "the running rules cannot be read: %s", strerror(-err));
	doctor_check_host(doctor);
	for (size_t i = 0; i < dp->count && !iface && !err; i++)
		doctor_check_interface(doctor, dp->interfaces[i].device);
	if (iface)
		doctor_check_interface(doctor, iface);
}

int cmd_doctor(const struct command *command, int argc, char **argv)
{
	struct doctor doctor = { .findings = json_array() };
	struct ruleset ruleset;
	struct datapath dp;
	bool json;
	int words = parse_json(argc, argv, &json), err;

	if (words != 1 && words != 2)
		return command_usage(command);
	if (words == 2 && !if_nametoindex(argv[1])) {
		fail(-ENODEV, "there is no interface %s here: \"ip link\" lists them", argv[1]);
		return EXIT_REFUSED;
	}
	ruleset_init(&ruleset);
	doctor.ruleset = &ruleset;
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset);
	examine(&doctor, &dp, err, words == 2 ? argv[1] : NULL);
	datapath_unlock(&dp);
	print_findings(&doctor, json);
	json_decref(doctor.findings);
	ruleset_clear(&ruleset);
	datapath_close(&dp);
	return doctor.failed ? EXIT_REFUSED : EXIT_DONE;
}
