// SPDX-License-Identifier: GPL-2.0-only
/* doctor: check the host, the rules and the interfaces, and advise what to do. */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "advise/doctor.h"
#include "base/log.h"
#include "cli/command.h"
#include "kernel/datapath_rules.h"

static void doctor_print_finding(const json_t *finding)
{
	const char *iface = json_string_value(json_object_get(finding, "interface"));
	const char *advice = json_string_value(json_object_get(finding, "advice"));

	printf("%-5s %s%s%s: %s%s%s\n", json_string_value(json_object_get(finding, "level")),
	       iface ?: "", iface ? " " : "",
	       json_string_value(json_object_get(finding, "topic")),
	       json_string_value(json_object_get(finding, "text")), advice ? "; " : "",
	       advice ?: "");
}

static void doctor_print(const struct doctor *doctor, bool json)
{
	json_t *all, *finding;
	size_t i;

	if (!json) {
		json_array_foreach(doctor->findings, i, finding) doctor_print_finding(finding);
		return;
	}
	all = json_pack("{s:O}", "checks", doctor->findings);
	json_dumpf(all, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(all);
}

/* `err`: of datapath_open(), which has printed it. `iface`: the only one to check, or NULL. */
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

static int doctor_run(const struct command *command, int argc, char **argv)
{
	cleanup_datapath struct datapath dp = DATAPATH_CLOSED;
	cleanup_ruleset struct ruleset ruleset;
	struct doctor doctor = { .ruleset = &ruleset };
	bool json = false;
	int err, status = command_parse(command, &argc, argv, &json);
	const char *iface = argc == 2 ? argv[1] : NULL;

	ruleset_init(&ruleset);
	if (status)
		return status;
	if (iface && !if_nametoindex(iface))
		return fail(EXIT_REFUSED,
			    "there is no interface %s here: \"ip link\" lists the interfaces",
			    iface);
	doctor.findings = json_array();
	err = datapath_open(&dp, DATAPATH_READ) ?: datapath_ruleset(&dp, &ruleset);
	examine(&doctor, &dp, err, iface);
	datapath_unlock(&dp);
	doctor_print(&doctor, json);
	json_decref(doctor.findings);
	return doctor.failed ? EXIT_REFUSED : EXIT_DONE;
}

const struct command cmd_doctor_entry = {
	.name = "doctor",
	.arguments = "[IFACE]",
	.summary = "Check this host and advise what to do",
	.help = "Checks the kernel, the rules, and each attached interface, or only IFACE. The "
		"exit code is 1 if a check fails.",
	.options = options_json,
	.words = { 0, 1 },
	.run = doctor_run,
	.privileges = PRIVILEGES_CHANGE | PRIVILEGES_FILES,
};
