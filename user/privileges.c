// SPDX-License-Identifier: GPL-2.0-only
#include "privileges.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NOBODY 65534 /* where there is no such user */

/* A process that may not has not got them either, or cannot use them: no new ones. */
static int drop_bounding(int keep)
{
	for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++) {
		if (capability != keep && prctl(PR_CAPBSET_DROP, capability) && errno != EPERM)
			return -errno;
	}
	return 0;
}

static int keep_only(int keep)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &header, sets))
		return -errno;
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		__u32 kept = keep >= 0 && keep / 32 == i ? 1u << keep % 32 : 0;

		sets[i].permitted &= kept;
		sets[i].effective = sets[i].permitted;
		sets[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, sets) ? -errno : 0;
}

int privileges_keep(int capability)
{
	int err = drop_bounding(capability);

	if (err)
		return err;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return keep_only(capability);
}

static int become_nobody(void)
{
	const struct passwd *nobody = getpwnam("nobody");
	uid_t uid = nobody ? nobody->pw_uid : NOBODY;
	gid_t gid = nobody ? nobody->pw_gid : NOBODY;

	if (geteuid()) /* has no right to, and is not root already */
		return 0;
	return setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid)
		       ? -errno
		       : 0;
}

static int limit(int resource, rlim_t most)
{
	return setrlimit(resource, &(struct rlimit){ most, most }) ? -errno : 0;
}

int privileges_none(unsigned int descriptors)
{
	int err = drop_bounding(-1) ?: become_nobody() ?: privileges_keep(-1);

	if (!err)
		err = limit(RLIMIT_NOFILE, descriptors) ?:
			      limit(RLIMIT_NPROC, 0) ?:
			      limit(RLIMIT_FSIZE, 0) ?:
			      limit(RLIMIT_CORE, 0);
	return err;
}
