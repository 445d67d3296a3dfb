// SPDX-License-Identifier: GPL-2.0-only
#include "base/util.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#define FILE_MAX (64ul << 20)

#define LINKS_MAX 40 /* one behind the other, as in the kernel */

#define LARGE_PAGE (2u << 20)

/*
 * Asks for large pages under what was just allocated, if it is large. Of whole mappings, or
 * the kernel could not grow them. It may refuse: no harm.
 */
static void *large_pages(void *memory, size_t size)
{
	size_t page = sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)memory & -page;
	uintptr_t end = ((uintptr_t)memory + size + page - 1) & -page;

	if (memory && size >= LARGE_PAGE)
		madvise((void *)start, end - start, MADV_HUGEPAGE);
	return memory;
}

void *large_calloc(size_t count, size_t size)
{
	return large_pages(calloc(count, size), count * size);
}

void sort(void *array, size_t count, size_t size,
	  int (*compare)(const void *left, const void *right))
{
	const char *element = array;

	for (size_t i = 1; i < count; i++, element += size) {
		if (compare(element, element + size) > 0) {
			qsort(array, count, size, compare);
			return;
		}
	}
}

int array_reserve(void *array, size_t *room, size_t count, size_t size)
{
	void **pointer = array, *grown;
	size_t more = *room ? *room * 2 : 4;

	if (count < *room)
		return 0;
	grown = reallocarray(*pointer, more, size);
	if (!grown)
		return -ENOMEM;
	*pointer = large_pages(grown, more * size);
	*room = more;
	return 0;
}

char *digits_before(char *end, __u64 number)
{
	do
		*--end = '0' + number % 10;
	while (number /= 10);
	return end;
}

int number_parse(const char *text, size_t length, unsigned long max, unsigned long *value)
{
	unsigned long number = 0;

	if (!length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
	}
	for (size_t i = 0; i < length; i++) {
		unsigned long digit = text[i] - '0';

		if (digit > max || number > (max - digit) / 10)
			return -ERANGE;
		number = number * 10 + digit;
	}
	*value = number;
	return 0;
}

bool text_has_controls(const char *text)
{
	for (; *text; text++) {
		unsigned char c = text[0], next = text[1];

		/* U+0080 to U+009F are control characters as well: C2 80 to C2 9F. */
		if (iscntrl(c) || (c == 0xC2 && next < 0xA0))
			return true;
	}
	return false;
}

void text_hide_controls(char *text)
{
	for (unsigned char *at = (unsigned char *)text; *at; at++) {
		if (at[0] == 0xC2 && at[1] >= 0x80 && at[1] < 0xA0)
			at[0] = at[1] = '?';
		else if (iscntrl(*at))
			*at = '?';
	}
}

char *text_shown(const char *text)
{
	char *copy = strdup(text);

	if (copy)
		text_hide_controls(copy);
	return copy;
}

bool text_is_showable(const char *text)
{
	json_t *string = json_string(text); /* NULL unless it is UTF-8 */

	json_decref(string);
	return string && !text_has_controls(text);
}

void text_clean(char *text)
{
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

int time_parse(const char *text, size_t length, unsigned long max, unsigned int *seconds)
{
	static const struct {
		char letter;
		unsigned int seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	unsigned long number;
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(units) && length; i++) {
		if (text[length - 1] != units[i].letter)
			continue;
		err = number_parse(text, length - 1, max / units[i].seconds, &number);
		if (err || !number)
			return err ?: -ERANGE;
		*seconds = number * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}

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
	*text = buffer;
	*size = length;
	buffer = NULL;
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

/* So much of a path is its folder's, with the slash. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 - path : 0;
}

/* Where a link leads to, into its own place. */
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
 * The file that is meant: where links lead to. Not those of others, who would choose what
 * is overwritten; they are replaced.
 */
static int find_target(const char *path, char target[PATH_MAX])
{
	struct stat there;
	int err;

	if (!stat(path, &there) && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode))
		return -EMEDIUMTYPE; /* it would be gone, and not written to */
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

/* A name of its own, never one that somebody else may have given a file. */
int file_write(const char *path, const char *text, size_t size)
{
	char target[PATH_MAX], temporary[PATH_MAX];
	int fd, err = find_target(path, target);

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
	close(fd);
	if (!err && rename(temporary, target))
		err = -errno;
	if (err)
		unlink(temporary);
	return err;
}

const char *env_or(const char *name, const char *otherwise)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : otherwise;
}

unsigned int ticks_per_second(void)
{
	struct timespec tick;

	/* The coarse clocks go on by a tick at a time. */
	clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
	return (1000000000 + tick.tv_nsec / 2) / tick.tv_nsec;
}
