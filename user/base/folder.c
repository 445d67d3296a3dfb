// SPDX-License-Identifier: GPL-2.0-only
#include "base/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"

/* In a sticky folder users can remove and rename only their own files. */
static int check_one(const char *path, bool last)
{
	struct stat status;

	if (lstat(path, &status)) {
		if (errno == ENOENT || errno == EACCES) /* using the path fails and says why */
			return -ENOENT;
		return fail(-errno, "%s: %s", path, strerror(errno));
	}
	if (S_ISLNK(status.st_mode))
		return fail(-ELOOP,
			    "%s is a symbolic link, which could change its target: "
			    "name the folder itself",
			    path);
	if (status.st_uid && status.st_uid != geteuid())
		return fail(-EPERM,
			    "%s belongs to another user (%u), who could change its files: "
			    "use a folder of your own",
			    path, status.st_uid);
	if (status.st_mode & 022 && (last || !(status.st_mode & S_ISVTX)))
		return fail(-EPERM, "others may write to %s: chmod go-w %s", path, path);
	return 0;
}

int folder_check(const char *path)
{
	size_t length = strlen(path);
	char above[PATH_MAX] = "/";
	int err;

	if (*path != '/')
		return fail(-EINVAL, "\"%s\" is not an absolute path (/...)", path);
	if (length >= sizeof(above))
		return fail(-ENAMETOOLONG, "%.32s...: %s", path, strerror(ENAMETOOLONG));
	err = check_one(above, length == 1);
	for (size_t i = 1; i <= length && !err; i++) {
		if (path[i] == '/' || !path[i]) {
			memcpy(above, path, i);
			above[i] = 0;
			err = check_one(above, !path[i + strspn(path + i, "/")]);
		}
	}
	return err == -ENOENT ? 0 : err;
}

const char *run_folder(void)
{
	return env_or("PORTCTL_RUN", "/run/portctl");
}

int run_path(const char *file, char path[PATH_MAX])
{
	if (snprintf(path, PATH_MAX, "%s/%s", run_folder(), file) >= PATH_MAX)
		return fail(-ENAMETOOLONG, "PORTCTL_RUN is too long");
	return folder_check(run_folder());
}
