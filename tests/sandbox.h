/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sandbox for a test program: a network namespace, a BPF file system and state folders. They
 * disappear when the process ends, in whatever way; only an empty folder in $TMPDIR (/tmp) is
 * left after a kill.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static char sandbox_path[200];

static inline void sandbox_leave(void)
{
	umount2(sandbox_path, MNT_DETACH);
	rmdir(sandbox_path);
}

/* Sets an environment variable to a path in the sandbox; makes a folder unless it has a dot. */
static inline void sandbox_set(const char *name, const char *below)
{
	char path[sizeof(sandbox_path) + 32];

	snprintf(path, sizeof(path), "%s/%s", sandbox_path, below);
	if (!strchr(below, '.'))
		mkdir(path, 0700);
	setenv(name, path, 1);
}

/* Enters a new sandbox with a veth pair, pc0 and pc1, both up; exits on failure. */
static inline void sandbox_enter(void)
{
	char bpffs[sizeof(sandbox_path) + 4];

	snprintf(sandbox_path, sizeof(sandbox_path), "%s/portctl-sandbox.XXXXXX",
		 getenv("TMPDIR") ?: "/tmp");
	if (!mkdtemp(sandbox_path) || unshare(CLONE_NEWNS | CLONE_NEWNET) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", sandbox_path, "tmpfs", 0, NULL)) {
		fprintf(stderr, "cannot make a sandbox: %s (is this root?)\n", strerror(errno));
		exit(1);
	}
	atexit(sandbox_leave);
	snprintf(bpffs, sizeof(bpffs), "%s/bpf", sandbox_path);
	mkdir(bpffs, 0700);
	if (mount("bpf", bpffs, "bpf", 0, NULL)) {
		fprintf(stderr, "cannot mount a BPF file system: %s\n", strerror(errno));
		exit(1);
	}
	sandbox_set("PORTCTL_BPFFS", "bpf/portctl");
	sandbox_set("PORTCTL_RUN", "run");
	sandbox_set("PORTCTL_RULES", "saved.rules");
	if (system("ip link set lo up && ip link add pc0 type veth peer name pc1 && "
		   "ip link set pc0 up && ip link set pc1 up")) {
		fprintf(stderr, "cannot make the interfaces\n");
		exit(1);
	}
}

#endif
