// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "advise/doctor.h"
#include "kernel/needs.h"
#include "kernel/datapath_knock.h"
#include "kernel/datapath_rules.h"
#include "state/saved.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/env.h"

#define MIB (1 << 20)

/* The first number in a file, or -1 if it cannot be read. */
static long read_number(const char *path)
{
	cleanup_file FILE *file = fopen(path, "re");
	long number;

	return file && fscanf(file, "%ld", &number) == 1 ? number : -1;
}

static void check_kernel_version(struct doctor *doctor)
{
	unsigned int major = 0, minor = 0;
	struct utsname kernel;

	if (uname(&kernel) || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		doctor_report(doctor, LEVEL_WARN, "kernel", NULL, "cannot read its version");
	else if (major < 6 || (major == 6 && minor < 1))
		doctor_report(doctor, LEVEL_FAIL, "kernel", "boot Linux 6.1 or newer",
			      "Linux %s is too old", kernel.release);
	else
		doctor_report(doctor, LEVEL_OK, "kernel", NULL, "Linux %s", kernel.release);
}

static void check_user(struct doctor *doctor)
{
	if (geteuid())
		doctor_report(doctor, LEVEL_NOTE, "user", "run portctl doctor as root",
			      "without root some checks are not possible");
}

/* Only a user who may load programs can test what the kernel supports. */
static void check_features(struct doctor *doctor)
{
	const char *missing = geteuid() ? NULL : needs_missing();

	if (missing)
		doctor_report(doctor, LEVEL_FAIL, "features", "boot a kernel that has it",
			      "the kernel lacks %s", missing);
	else if (!geteuid())
		doctor_report(doctor, LEVEL_OK, "features", NULL,
			      "the kernel has all that portctl needs");
}

/* Only "portctl watch" uses BTF; filtering does not. */
static void check_types(struct doctor *doctor)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		doctor_report(
			doctor, LEVEL_WARN, "types", "use a kernel with CONFIG_DEBUG_INFO_BTF",
			"the kernel has no type information (BTF): \"portctl watch\" has to "
			"poll for sockets");
	else
		doctor_report(doctor, LEVEL_OK, "types", NULL,
			      "the kernel has type information (BTF)");
}

static void check_pins(struct doctor *doctor)
{
	struct statfs fs;

	if (*env_or("PORTCTL_BPFFS", ""))
		doctor_report(doctor, LEVEL_NOTE, "pins", NULL,
			      "PORTCTL_BPFFS is set: the pins are below %s",
			      env_or("PORTCTL_BPFFS", ""));
	else if (statfs("/sys/fs/bpf", &fs) || fs.f_type != BPF_FS_MAGIC)
		doctor_report(doctor, LEVEL_FAIL, "pins",
			      "run mount -t bpf -o mode=700 bpf /sys/fs/bpf",
			      "/sys/fs/bpf is not a BPF file system");
	else
		doctor_report(doctor, LEVEL_OK, "pins", NULL,
			      "/sys/fs/bpf is a BPF file system");
}

/* Without this file the kernel always compiles (CONFIG_BPF_JIT_ALWAYS_ON). */
static void check_jit(struct doctor *doctor)
{
	if (!read_number("/proc/sys/net/core/bpf_jit_enable"))
		doctor_report(doctor, LEVEL_WARN, "jit", "run sysctl net.core.bpf_jit_enable=1",
			      "the BPF JIT compiler is off: filtering is many times slower");
	else
		doctor_report(doctor, LEVEL_OK, "jit", NULL, "the BPF JIT compiler is on");
}

static void check_users(struct doctor *doctor)
{
	if (!read_number("/proc/sys/kernel/unprivileged_bpf_disabled"))
		doctor_report(doctor, LEVEL_WARN, "bpf",
			      "run sysctl kernel.unprivileged_bpf_disabled=1",
			      "every user may load BPF programs");
}

/*
 * A knock signed before the first attach is refused, since it could be a replay. If the clock
 * was ahead at the first attach and was set back later, that refuses all signed knocks.
 */
static void check_clock_set_back(struct doctor *doctor)
{
	const struct control *control = doctor->dp->control;
	__u64 now = utc_now();

	if (control && control->created > now)
		doctor_report(
			doctor, LEVEL_FAIL, "clock",
			"run portctl save, portctl detach --all, portctl restore",
			"the clock was set back after the first attach: signed knocks are "
			"refused for %llu s more",
			(unsigned long long)(control->created - now) / 1000000000 + 1);
}

/* Only signed and TOTP knocks need the right time. */
static void check_clock(struct doctor *doctor)
{
	struct timex clock = { 0 };
	bool is_signed = false, needed = false;

	for (size_t i = 0; i < doctor->ruleset->count; i++) {
		const struct knock *knock = doctor->ruleset->rules[i].knock;

		is_signed |= knock && knock->keys;
		needed |= knock && (knock->keys || knock->secret);
	}
	if (is_signed)
		check_clock_set_back(doctor);
	if (!needed)
		return;
	if (adjtimex(&clock) == TIME_ERROR || clock.status & STA_UNSYNC)
		doctor_report(doctor, LEVEL_WARN, "clock", "run chrony or systemd-timesyncd",
			      "clock not synchronised: signed and TOTP knocks need it");
	else
		doctor_report(doctor, LEVEL_OK, "clock", NULL,
			      "the clock is synchronised, as signed and TOTP knocks need");
}

static void check_serve(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->ruleset->count; i++) {
		const struct rule *rule = &doctor->ruleset->rules[i];

		if (!rule->knock || !rule->knock->secret ||
		    datapath_is_timed(doctor->dp, rule->door))
			continue;
		doctor_report(doctor, LEVEL_FAIL, "knocks", "run systemctl start portctl-knock",
			      "portctl knock serve is not running: knock \"%s\" opens nothing",
			      rule->knock->name);
	}
}

static void check_rules(struct doctor *doctor)
{
	__u32 pending = datapath_pending(doctor->dp);

	if (pending)
		doctor_report(doctor, LEVEL_NOTE, "rules",
			      "run portctl confirm, or portctl rollback",
			      "a change is not confirmed: it is rolled back in %u s", pending);
	if (!doctor->dp->count)
		return;
	if (saved_is_current(doctor->ruleset))
		doctor_report(doctor, LEVEL_OK, "rules", NULL, "the running rules are saved");
	else
		doctor_report(doctor, LEVEL_NOTE, "rules", "run portctl save to keep them",
			      "the running rules differ from %s", saved_path());
}

static void check_flows(struct doctor *doctor)
{
	__u64 refused;

	if (!datapath_refused_flows(doctor->dp, &refused) && refused)
		doctor_report(
			doctor, LEVEL_WARN, "flows",
			"allow the ports of the replies with a rule",
			"the flow table was full for %llu flows: their replies may be dropped",
			(unsigned long long)refused);
}

static void check_all_memory(struct doctor *doctor)
{
	__u64 bytes = datapath_memory(doctor->dp, NULL);

	if (bytes)
		doctor_report(doctor, LEVEL_OK, "memory", NULL, "%llu MiB for all interfaces",
			      (unsigned long long)bytes / MIB);
	if (!doctor->dp->count)
		doctor_report(doctor, LEVEL_NOTE, "attached", "run portctl attach IFACE",
			      "portctl is attached to no interface");
}

void doctor_check_host(struct doctor *doctor)
{
	static void (*const checks[])(struct doctor * doctor) = {
		check_kernel_version, check_user, check_features, check_types,
		check_pins,	      check_jit,  check_users,
	};
	static void (*const running[])(struct doctor * doctor) = {
		check_clock, check_serve, check_rules, check_flows, check_all_memory,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](doctor);
	for (size_t i = 0; i < ARRAY_SIZE(running) && doctor->dp; i++)
		running[i](doctor);
}
