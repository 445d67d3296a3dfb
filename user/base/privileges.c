// SPDX-License-Identifier: GPL-2.0-only
#include "base/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/log.h"

#define NOBODY 65534 /* if the system has no user of this name */

/* Libraries read the environment too, and not all of them use secure_getenv(). */
static int clear_environment(void)
{
	char terminal[64] = "";
	const char *term = getenv("TERM");

	if (term && strlen(term) < sizeof(terminal) && !strchr(term, '/'))
		strcpy(terminal, term);
	if (clearenv() || setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1) ||
	    (*terminal && setenv("TERM", terminal, 1)))
		return out_of_memory();
	return 0;
}

int privileges_check_origin(void)
{
	if (!getauxval(AT_SECURE))
		return 0;
	if (getuid() != geteuid() || getgid() != getegid())
		return fail(-EPERM,
			    "refused: the program is set-user-ID or set-group-ID, which gives "
			    "every user the rights of root: run chmod ug-s on it, then use "
			    "sudo or file capabilities (portctl(8))");
	return clear_environment();
}

/*
 * Removes all other capabilities from the bounding set. EPERM is not an error: a process
 * without CAP_SETPCAP is not root, and its programs gain nothing that its user lacks.
 */
static int drop_bounding(__u64 keep)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
		if (!(keep >> capability & 1) && prctl(PR_CAPBSET_DROP, capability) &&
		    errno != EPERM)
			return -errno;
	}
	return 0;
}

/* The kernel also removes from the ambient set whatever is no longer inheritable. */
static int keep_only(__u64 keep, __u64 inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets))
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		sets[i].permitted &= keep >> 32 * i;
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable &= sets[i].permitted & inheritable >> 32 * i;
	}
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

bool privileges_has_any(__u64 capabilities)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	__u64 effective = 0;

	if (syscall(SYS_capget, &header, sets))
		return false;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		effective |= (__u64)sets[i].effective << 32 * i;
	return effective & capabilities;
}

int privileges_keep(__u64 capabilities)
{
	__u64 programs = capabilities & CAPABILITIES_DATAPATH;
	int err = drop_bounding(programs);

	if (err)
		return err;
	if (!(capabilities & RUNS_PROGRAMS) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return keep_only(capabilities & ~RUNS_PROGRAMS,
			 capabilities & RUNS_PROGRAMS ? programs : 0);
}

static int become_nobody(void)
{
	const struct passwd *nobody = getpwnam("nobody");
	uid_t uid = nobody ? nobody->pw_uid : NOBODY;
	gid_t gid = nobody ? nobody->pw_gid : NOBODY;

	if (geteuid()) /* only root can change its user, and only root must */
		return 0;
	return setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)
		       ? -errno
		       : 0;
}

static int limit_resource(int resource, rlim_t most)
{
	return setrlimit(resource, &(struct rlimit){ most, most }) ? -errno : 0;
}

int privileges_none(unsigned int descriptors)
{
	int err = drop_bounding(0) ?: become_nobody() ?: privileges_keep(0);

	if (!err)
		err = limit_resource(RLIMIT_NOFILE, descriptors) ?:
			      limit_resource(RLIMIT_NPROC, 0) ?:
			      limit_resource(RLIMIT_FSIZE, 0) ?:
			      limit_resource(RLIMIT_CORE, 0);
	return err;
}
