// SPDX-License-Identifier: GPL-2.0-only
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"
#include "base/cleanup.h"

#define FILE_MAX (64ul << 20)

#define LINKS_MAX 40 /* symbolic links in a row, as in the kernel */

int file_read(const char *path, char **text, size_t *size)
{
	cleanup_file FILE *opened = NULL;
	FILE *file = stdin;
	cleanup_free char *buffer = NULL;
	size_t room = 0, length = 0, got;

	if (strcmp(path, "-")) {
		file = opened = fopen(path, "re");
		if (!file)
			return -errno;
	}
	do {
		if (array_reserve(&buffer, &room, length + 1, 1))
			return -ENOMEM;
		got = fread(buffer + length, 1, room - length - 1, file);
		length += got;
		if (length > FILE_MAX)
			return -EFBIG;
	} while (got);
	if (ferror(file))
		return errno ? -errno : -EIO;
	if (memchr(buffer, 0, length))
		return -EILSEQ;
	buffer[length] = 0;
	*text = TAKE_PTR(buffer);
	*size = length;
	return 0;
}

int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t written = write(fd, text, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		text += written;
		size -= written;
	}
	return 0;
}

/* The length of the folder in a path, with its slash; 0 if the path has none. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 - path : 0;
}

/* Replaces the path of a symbolic link by the path that the link points to. */
static int follow_link(char path[PATH_MAX])
{
	char link[PATH_MAX], next[2 * PATH_MAX];
	ssize_t length = readlink(path, link, sizeof(link) - 1);
	int folder = folder_length(path);

	if (length < 0)
		return -errno;
	link[length] = 0;
	if (snprintf(next, sizeof(next), "%.*s%s", *link == '/' ? 0 : folder, path, link) >=
	    PATH_MAX)
		return -ENAMETOOLONG;
	strcpy(path, next);
	return 0;
}

/*
 * Finds the file to replace: follows symbolic links of root and of the user. A link of
 * another user is replaced itself, since its owner could choose which file is overwritten.
 */
static int find_target(const char *path, char target[PATH_MAX])
{
	struct stat there;
	int err;

	if (!stat(path, &there) && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
		return -EMEDIUMTYPE; /* rename() would replace a device or a socket by a file */
	if (snprintf(target, PATH_MAX, "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	for (int links = 0; links < LINKS_MAX; links++) {
		if (lstat(target, &there))
			return errno == ENOENT ? 0 : -errno;
		if (!S_ISLNK(there.st_mode) || (there.st_uid && there.st_uid != geteuid()))
			return 0;
		err = follow_link(target);
		if (err)
			return err;
	}
	return -ELOOP;
}

/* mkostemp() picks a name that no file has, so no other file is overwritten. */
int file_write(const char *path, const char *text, size_t size)
{
	char target[PATH_MAX], temporary[PATH_MAX];
	cleanup_close int fd = -1;
	int err = find_target(path, target);

	if (err)
		return err;
	if (snprintf(temporary, sizeof(temporary), "%.*s.portctl.XXXXXX", folder_length(target),
		     target) >= (int)sizeof(temporary))
		return -ENAMETOOLONG;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = write_all(fd, text, size);
	if (!err && fsync(fd))
		err = -errno;
	if (!err && rename(temporary, target))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}
