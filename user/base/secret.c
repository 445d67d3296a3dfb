// SPDX-License-Identifier: GPL-2.0-only
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/log.h"

#define SECRET_FILE_MAX 1048576

static int secret_file_check(const char *path, int fd, size_t *size)
{
	struct stat status;

	if (fstat(fd, &status))
		return fail(-errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_size > SECRET_FILE_MAX)
		return fail(-EINVAL, "cannot read %s: not a regular file, or over 1 MiB", path);
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return fail(-EPERM, "%s belongs to another user, who could change it", path);
	if (status.st_mode & 077)
		return fail(-EPERM, "others may read or write %s: chmod 600 %s", path, path);
	*size = status.st_size;
	return 0;
}

void secrets_begin(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int secret_file_read(const char *path, char **text)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t size = 0;
	ssize_t got;
	int err;

	secrets_begin();
	if (fd < 0)
		return fail(-errno, "cannot read %s: %s", path, strerror(errno));
	err = secret_file_check(path, fd, &size);
	if (err)
		return err;
	*text = calloc(1, size + 1);
	got = *text ? read(fd, *text, size) : 0;
	if (*text && got >= 0 && strlen(*text) == (size_t)got)
		return 0;
	secret_file_free(*text);
	return fail(-EINVAL, "cannot read %s: not a text file", path);
}

void secret_file_free(char *text)
{
	if (text)
		explicit_bzero(text, malloc_usable_size(text));
	free(text);
}

/* Not sscanf(), which may leave the secret in a stdio buffer. */
static int hex_digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	character |= 0x20; /* to lower case */
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool hex_parse(const char *text, __u8 *bytes, size_t size)
{
	if (strlen(text) != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		bytes[i] = high << 4 | low;
	}
	return true;
}
