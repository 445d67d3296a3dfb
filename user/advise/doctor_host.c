// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/command.h"
#include "advise/doctor.h"
#include "kernel/needs.h"
#include "base/array.h"
#include "base/env.h"

#define MIB (1 << 20)

static void check_kernel(struct doctor *doctor)
{
	unsigned int major = 0, minor = 0;
	struct utsname kernel;

	if (uname(&kernel) || sscanf(kernel.release, "%u.%u", &major, &minor) != 2)
		find(doctor, LEVEL_WARN, "kernel", NULL, "its version cannot be read");
	else if (major < 6 || (major == 6 && minor < 1))
		find(doctor, LEVEL_FAIL, "kernel", "boot 6.1 or newer", "Linux %s is too old",
		     kernel.release);
	else
		find(doctor, LEVEL_OK, "kernel", NULL, "Linux %s", kernel.release);
}

static void check_user(struct doctor *doctor)
{
	if (geteuid())
		find(doctor, LEVEL_NOTE, "user", "run it as root",
		     "without root not everything can be looked at");
}

/* Only who may load programs can ask. */
static void check_features(struct doctor *doctor)
{
	const char *missing = geteuid() ? NULL : missing_feature();

	if (missing)
		find(doctor, LEVEL_FAIL, "features", "boot another kernel",
		     "the kernel lacks %s", missing);
	else if (!geteuid())
		find(doctor, LEVEL_OK, "features", NULL,
		     "the kernel has all that the programs need");
}

/* Filtering does without. */
static void check_types(struct doctor *doctor)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK))
		find(doctor, LEVEL_WARN, "types", "a kernel with CONFIG_DEBUG_INFO_BTF",
		     "the kernel does not describe its types (BTF): \"portctl watch\" has "
		     "to look for what listens every so often");
	else
		find(doctor, LEVEL_OK, "types", NULL, "the kernel describes its types (BTF)");
}

static void check_bpffs(struct doctor *doctor)
{
	struct statfs fs;

	if (*env_or("PORTCTL_BPFFS", ""))
		find(doctor, LEVEL_NOTE, "pins", NULL, "PORTCTL_BPFFS moves them to %s",
		     env_or("PORTCTL_BPFFS", ""));
	else if (statfs("/sys/fs/bpf", &fs) || fs.f_type != BPF_FS_MAGIC)
		find(doctor, LEVEL_FAIL, "pins", "mount -t bpf -o mode=700 bpf /sys/fs/bpf",
		     "/sys/fs/bpf is no BPF file system");
	else
		find(doctor, LEVEL_OK, "pins", NULL, "/sys/fs/bpf is a BPF file system");
}

/* Where there is no such switch, the kernel was built to compile always. */
static void check_jit(struct doctor *doctor)
{
	if (!read_number("/proc/sys/net/core/bpf_jit_enable"))
		find(doctor, LEVEL_WARN, "jit", "sysctl net.core.bpf_jit_enable=1",
		     "programs are interpreted, many times slower");
	else
		find(doctor, LEVEL_OK, "jit", NULL, "programs are compiled");
}

static void check_users(struct doctor *doctor)
{
	if (!read_number("/proc/sys/kernel/unprivileged_bpf_disabled"))
		find(doctor, LEVEL_WARN, "bpf", "sysctl kernel.unprivileged_bpf_disabled=1",
		     "every user may load programs");
}

/*
 * What was signed before the first attach is not believed, since it may have been heard
 * then. Where the clock was ahead at that time, and was set back, that is all that comes.
 */
static void check_beginning(struct doctor *doctor)
{
	const struct control *control = doctor->dp->control;
	__u64 now = utc_now();

	if (control && control->created > now)
		find(doctor, LEVEL_FAIL, "clock",
		     "portctl save, portctl detach --all, portctl restore",
		     "it was set back since the first attach: no signed knock is believed for "
		     "%llu s more",
		     (unsigned long long)(control->created - now) / 1000000000 + 1);
}

/* Only knocks that go by the time need it. */
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
		check_beginning(doctor);
	if (!needed)
		return;
	if (adjtimex(&clock) == TIME_ERROR || clock.status & STA_UNSYNC)
		find(doctor, LEVEL_WARN, "clock", "run chrony or systemd-timesyncd",
		     "nobody sets it right, and there are knocks that go by it");
	else
		find(doctor, LEVEL_OK, "clock", NULL, "it is set right, as knocks need it");
}

static void check_serve(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->ruleset->count; i++) {
		const struct rule *rule = &doctor->ruleset->rules[i];

		if (!rule->knock || !rule->knock->secret ||
		    datapath_is_timed(doctor->dp, rule->door))
			continue;
		find(doctor, LEVEL_FAIL, "knocks", "systemctl start portctl-knock",
		     "nobody makes the sequences of \"%s\": it is shut", rule->knock->name);
	}
}

static void check_rules(struct doctor *doctor)
{
	__u32 pending = datapath_pending(doctor->dp);

	if (pending)
		find(doctor, LEVEL_NOTE, "rules", "portctl confirm, or portctl rollback",
		     "a change waits to be confirmed, %u s more", pending);
	if (!doctor->dp->count)
		return;
	if (is_saved(doctor->ruleset))
		find(doctor, LEVEL_OK, "rules", NULL, "those that run are saved");
	else
		find(doctor, LEVEL_NOTE, "rules", "portctl save",
		     "those that run are not those in %s", saved_path());
}

static void check_flows(struct doctor *doctor)
{
	__u64 refused;

	if (!datapath_refused_flows(doctor->dp, &refused) && refused)
		find(doctor, LEVEL_WARN, "flows", "allow their ports by a rule",
		     "%llu found no place in their table", (unsigned long long)refused);
}

static void check_memory(struct doctor *doctor)
{
	__u64 bytes = datapath_memory(doctor->dp, NULL);

	if (bytes)
		find(doctor, LEVEL_OK, "memory", NULL, "%llu MiB for all interfaces together",
		     (unsigned long long)bytes / MIB);
	if (!doctor->dp->count)
		find(doctor, LEVEL_NOTE, "attached", "portctl attach IFACE", "to no interface");
}

void examine_host(struct doctor *doctor)
{
	static void (*const checks[])(struct doctor * doctor) = {
		check_kernel, check_user, check_features, check_types,
		check_bpffs,  check_jit,  check_users,
	};
	static void (*const running[])(struct doctor * doctor) = {
		check_clock, check_serve, check_rules, check_flows, check_memory,
	};

	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](doctor);
	for (size_t i = 0; i < ARRAY_SIZE(running) && doctor->dp; i++)
		running[i](doctor);
}
