/* SPDX-License-Identifier: GPL-2.0-only */
/* Small things every room needs. */
#ifndef UTIL_H
#define UTIL_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* Attributes that free or close a variable when it goes out of scope. */
#define cleanup_free __attribute__((cleanup(free_cleanup)))
#define cleanup_close __attribute__((cleanup(close_cleanup)))
#define cleanup_file __attribute__((cleanup(file_cleanup)))

/*
 * Hands over what a cleanup variable owns: the value of `pointer`, which becomes NULL, so
 * that the cleanup frees nothing.
 */
#define TAKE_PTR(pointer)                                                                      \
	({                                                                                     \
		typeof(pointer) taken = pointer;                                               \
		pointer = NULL;                                                                \
		taken;                                                                         \
	})

static inline void free_cleanup(void *pointer)
{
	free(*(void **)pointer);
}

static inline void close_cleanup(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void file_cleanup(FILE **file)
{
	if (*file)
		fclose(*file);
}

/*
 * qsort(), and only a look where they stand in order already, as the rules of a long file
 * mostly do.
 */
void sort(void *array, size_t count, size_t size,
	  int (*compare)(const void *left, const void *right));

/*
 * As calloc(), for what has megabytes: in large pages, if there are some. A page fault for
 * each 4 KiB takes longer than most of what is done with them.
 */
void *large_calloc(size_t count, size_t size);

/*
 * Grows *array (elements of `size` bytes) so that it holds `count` + 1 of them.
 * `room` is what it holds now. Returns 0 or -ENOMEM, the array then untouched.
 */
int array_reserve(void *array, size_t *room, size_t count, size_t size);

/* Puts the decimal digits of a number, 20 at the most, before `end`; returns the first. */
char *digits_before(char *end, __u64 number);

/*
 * Reads a whole number from the first `length` characters of text: digits only,
 * at most `max`. Returns 0, -EINVAL (no number) or -ERANGE (over max).
 */
int number_parse(const char *text, size_t length, unsigned long max, unsigned long *value);

/*
 * Reads a time from the first `length` characters of text: a number with s, m, h
 * or d. *seconds is from 1 to max. Returns 0, -EINVAL or -ERANGE.
 */
int time_parse(const char *text, size_t length, unsigned long max, unsigned int *seconds);

/*
 * Texts of others are shown on terminals and as JSON, and must bear it: whether one is
 * UTF-8 without control characters.
 */
bool text_is_showable(const char *text);
bool text_has_controls(const char *text);

/* Control characters, which steer a terminal or begin a line, become "?". */
void text_hide_controls(char *text);

/* The same in a copy, to be freed; NULL where there is no memory for it. */
char *text_shown(const char *text);

/* Makes a text bear it: what is no printable ASCII becomes "?". */
void text_clean(char *text);

/*
 * Reads a whole file, "-" being standard input, into *text (NUL-terminated, to
 * be freed; *size without the NUL). Returns 0 or a negative errno: -EFBIG over
 * 64 MiB, -EILSEQ where the file has a NUL byte.
 */
int file_read(const char *path, char **text, size_t *size);

/* Writes all of a text to a descriptor. Returns 0 or a negative errno. */
int write_all(int fd, const char *text, size_t size);

/*
 * Writes a file whole or not at all: to one with a name that none has, .portctl. and six
 * more characters, in the same folder, then renamed. No other file is touched. The new file
 * has mode 0600. Symbolic links of root's and the user's own are followed. Returns 0 or a
 * negative errno: -EMEDIUMTYPE where something is that is no regular file.
 */
int file_write(const char *path, const char *text, size_t size);

/* How many of the kernel's ticks (jiffies, at CONFIG_HZ) a second has. */
unsigned int ticks_per_second(void);

/*
 * The value of an environment variable, or `otherwise` if unset or empty, or if whoever
 * set it has fewer privileges than this process.
 */
const char *env_or(const char *name, const char *otherwise);

#endif
