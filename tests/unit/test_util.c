// SPDX-License-Identifier: GPL-2.0-only
/* Numbers, arrays, the environment and files. Works in a folder of its own. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/env.h"
#include "base/file.h"
#include "base/number.h"

#define NOBODY 65534

static const struct {
	const char *text;
	unsigned long max;
	int err;
	unsigned long value;
} numbers[] = {
	{ "0", 65535, 0, 0 },
	{ "1", 65535, 0, 1 },
	{ "65535", 65535, 0, 65535 },
	{ "65536", 65535, -ERANGE, 0 },
	{ "65540", 65535, -ERANGE, 0 },
	{ "70000", 65535, -ERANGE, 0 },
	{ "655350", 65535, -ERANGE, 0 },
	{ "00022", 65535, 0, 22 },
	{ "0000000000000000000000000000000000000022", 65535, 0, 22 },
	{ "1234567890123456789012345678901234567890", 65535, -ERANGE, 0 },
	{ "18446744073709551615", ULONG_MAX, 0, ULONG_MAX },
	{ "18446744073709551616", ULONG_MAX, -ERANGE, 0 },
	{ "18446744073709551620", ULONG_MAX, -ERANGE, 0 },
	{ "36893488147419103232", ULONG_MAX, -ERANGE, 0 },
	{ "", 65535, -EINVAL, 0 },
	{ "-1", 65535, -EINVAL, 0 },
	{ "+1", 65535, -EINVAL, 0 },
	{ " 1", 65535, -EINVAL, 0 },
	{ "1 ", 65535, -EINVAL, 0 },
	{ "1a", 65535, -EINVAL, 0 },
	{ "0x10", 65535, -EINVAL, 0 },
	{ "1e3", 65535, -EINVAL, 0 },
	{ "1.0", 65535, -EINVAL, 0 },
	{ "/", 65535, -EINVAL, 0 },
	{ ":", 65535, -EINVAL, 0 },
	{ "\xd9\xa1", 65535, -EINVAL, 0 }, /* an Arabic 1 */
	/* no number, whatever its digits say */
	{ "99999999999999999999999x", 65535, -EINVAL, 0 },
};

static void check_number(const char *text, unsigned long max, int err, unsigned long expected)
{
	unsigned long value = 4711;

	if (number_parse(text, strlen(text), max, &value) != err ||
	    value != (err ? 4711 : expected))
		fail_msg("\"%s\", at most %lu: %lu", text, max, value);
}

static void test_number(void **state)
{
	unsigned long value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		check_number(numbers[i].text, numbers[i].max, numbers[i].err, numbers[i].value);
	/* What stands behind the number is none of its business. */
	assert_int_equal(number_parse("123x", 2, 65535, &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(number_parse("123", 0, 65535, &value), -EINVAL);
}

/* Around every border there is, the low ones included. */
static void test_number_borders(void **state)
{
	(void)state;
	for (unsigned long max = 0; max < 300; max++) {
		for (unsigned long number = 0; number < 400; number++) {
			char text[8];

			snprintf(text, sizeof(text), "%lu", number);
			check_number(text, max, number > max ? -ERANGE : 0, number);
		}
	}
}

static void test_array(void **state)
{
	cleanup_free int *array = NULL;
	size_t room = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(array_reserve(&array, &room, i, sizeof(*array)), 0);
		assert_true(room > (size_t)i);
		array[i] = i;
	}
	for (int i = 0; i < 10000; i++)
		assert_int_equal(array[i], i);
}

#ifndef __SANITIZE_ADDRESS__ /* which would take it for an accident */
/* An array that cannot grow is as it was. */
static void test_array_too_large(void **state)
{
	size_t before = SIZE_MAX / 8, room = before;
	cleanup_free char *array = strdup("kept");
	char *pointer = array;

	(void)state;
	assert_int_equal(array_reserve(&pointer, &room, before, 64), -ENOMEM);
	assert_ptr_equal(pointer, array);
	assert_int_equal(room, before);
	assert_string_equal(array, "kept");
}
#endif

static void test_environment(void **state)
{
	(void)state;
	unsetenv("PORTCTL_UNIT");
	assert_string_equal(env_or("PORTCTL_UNIT", "otherwise"), "otherwise");
	setenv("PORTCTL_UNIT", "", 1);
	assert_string_equal(env_or("PORTCTL_UNIT", "otherwise"), "otherwise");
	setenv("PORTCTL_UNIT", "set", 1);
	assert_string_equal(env_or("PORTCTL_UNIT", "otherwise"), "set");
}

/* Makes a file without the help of what is tested. */
static void make_file(const char *path, const char *text, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Says what `path` holds, by file_read(), which the tests of reading try. */
static void assert_file(const char *path, const char *expected)
{
	cleanup_free char *text = NULL;
	size_t size;

	assert_int_equal(file_read(path, &text, &size), 0);
	assert_int_equal(size, strlen(expected));
	assert_string_equal(text, expected);
}

static size_t count_files(void)
{
	DIR *folder = opendir(".");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count - 2;
}

static void test_read(void **state)
{
	(void)state;
	make_file("file", "", 0, 0600);
	assert_file("file", "");
	make_file("file", "a", 1, 0600);
	assert_file("file", "a");
	make_file("file", "line\nno newline", 15, 0600);
	assert_file("file", "line\nno newline");
	unlink("file");
}

/* Around the sizes at which the buffer grows. */
static void test_read_sizes(void **state)
{
	cleanup_free char *text = malloc(5 << 20);

	(void)state;
	memset(text, 'x', 5 << 20);
	for (size_t around = 16; around <= 4 << 20; around *= 2) {
		for (size_t size = around - 2; size <= around + 2; size++) {
			cleanup_free char *got = NULL;
			size_t got_size;

			make_file("file", text, size, 0600);
			assert_int_equal(file_read("file", &got, &got_size), 0);
			assert_int_equal(got_size, size);
			assert_int_equal(strlen(got), size);
		}
	}
	unlink("file");
}

static void check_read_fails(const char *path, int err)
{
	char *text = (char *)"untouched";
	size_t size = 4711;

	assert_int_equal(file_read(path, &text, &size), err);
	assert_string_equal(text, "untouched");
	assert_int_equal(size, 4711);
}

static void test_read_fails(void **state)
{
	(void)state;
	check_read_fails("missing", -ENOENT);
	check_read_fails("", -ENOENT);
	check_read_fails(".", -EISDIR);
	make_file("file", "\0abc", 4, 0600);
	check_read_fails("file", -EILSEQ);
	make_file("file", "ab\0c", 4, 0600);
	check_read_fails("file", -EILSEQ);
	make_file("file", "abc\0", 4, 0600);
	check_read_fails("file", -EILSEQ);
	check_read_fails("file/file", -ENOTDIR);
	unlink("file");
}

/* The sizes of files full of NUL bytes tell which of the two limits came first. */
static void test_read_too_large(void **state)
{
	(void)state;
	make_file("file", "", 0, 0600);
	assert_int_equal(truncate("file", 64 << 20), 0);
	check_read_fails("file", -EILSEQ);
	assert_int_equal(truncate("file", (64 << 20) + 1), 0);
	check_read_fails("file", -EFBIG);
	check_read_fails("/dev/zero", -EFBIG);
	unlink("file");
}

static void test_read_standard_input(void **state)
{
	int kept = dup(STDIN_FILENO), fd;

	(void)state;
	make_file("file", "from stdin\n", 11, 0600);
	fd = open("file", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	assert_file("-", "from stdin\n");
	/* What was read is read. */
	assert_file("-", "");
	if (kept >= 0)
		dup2(kept, STDIN_FILENO);
	close(kept);
	close(fd);
	unlink("file");
}

static void test_write(void **state)
{
	mode_t mask = umask(0);
	struct stat before, after;

	(void)state;
	assert_int_equal(file_write("file", "one\n", 4), 0);
	assert_file("file", "one\n");
	stat("file", &before);
	assert_int_equal(before.st_mode, S_IFREG | 0600);
	assert_int_equal(file_write("file", "", 0), 0);
	assert_file("file", "");
	/* Those who read the old file go on reading it: the new one is another. */
	stat("file", &after);
	assert_int_not_equal(before.st_ino, after.st_ino);
	/* An old file's mode is not the new one's. */
	make_file("file", "open to all", 11, 0666);
	assert_int_equal(file_write("file", "two", 3), 0);
	stat("file", &after);
	assert_int_equal(after.st_mode, S_IFREG | 0600);
	assert_int_equal(count_files(), 1);
	unlink("file");
	umask(mask);
}

/* What lies beside it is somebody else's, whatever its name. */
static void test_write_touches_nothing_else(void **state)
{
	(void)state;
	make_file("file.new", "a draft", 7, 0644);
	assert_int_equal(file_write("file", "x", 1), 0);
	assert_file("file", "x");
	assert_file("file.new", "a draft");
	assert_int_equal(count_files(), 2);
	unlink("file.new");
	unlink("file");
}

/* A link stays, and what it leads to is written: there already or not, and by another link. */
static void test_write_follows_links(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(symlink("folder/second", "first"), 0);
	assert_int_equal(symlink("../file", "folder/second"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(file_write("first", i ? "again" : "new", i ? 5 : 3), 0);
		assert_file("file", i ? "again" : "new");
		assert_int_equal(lstat("first", &status), 0);
		assert_true(S_ISLNK(status.st_mode));
		assert_int_equal(lstat("folder/second", &status), 0);
		assert_true(S_ISLNK(status.st_mode));
	}
	assert_int_equal(count_files(), 3);
	unlink("folder/second");
	assert_int_equal(symlink("../first", "folder/second"), 0);
	assert_int_equal(file_write("first", "x", 1), -ELOOP);
	unlink("folder/second");
	rmdir("folder");
	assert_int_equal(file_write("first", "x", 1), -ENOENT);
	unlink("first");
	unlink("file");
}

/* Where others may write, a link of theirs must not choose what is overwritten. */
static void test_write_replaces_links_of_others(void **state)
{
	struct stat status;

	(void)state;
	make_file("file", "old", 3, 0600);
	assert_int_equal(symlink("file", "link"), 0);
	if (geteuid() || lchown("link", NOBODY, NOBODY)) {
		print_message("# only root can give a link away: not tried\n");
	} else {
		assert_int_equal(file_write("link", "new", 3), 0);
		assert_int_equal(lstat("link", &status), 0);
		assert_true(S_ISREG(status.st_mode));
		assert_file("link", "new");
	}
	assert_file("file", "old");
	unlink("link");
	unlink("file");
}

/* What is no file stays what it is, whether it is named or linked. */
static void test_write_no_file(void **state)
{
	struct stat status;

	(void)state;
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(symlink("fifo", "link"), 0);
	assert_int_equal(file_write("fifo", "x", 1), -EMEDIUMTYPE);
	assert_int_equal(file_write("link", "x", 1), -EMEDIUMTYPE);
	assert_int_equal(lstat("fifo", &status), 0);
	assert_true(S_ISFIFO(status.st_mode));
	assert_int_equal(count_files(), 2);
	unlink("link");
	unlink("fifo");
}

/* A name as long as a file system lets it be can be written as well. */
static void test_write_long_name(void **state)
{
	char name[NAME_MAX + 2] = "";

	(void)state;
	memset(name, 'n', NAME_MAX);
	assert_int_equal(file_write(name, "x", 1), 0);
	assert_file(name, "x");
	unlink(name);
	name[NAME_MAX] = 'n';
	assert_int_equal(file_write(name, "x", 1), -ENAMETOOLONG);
	assert_int_equal(count_files(), 0);
}

/* Whoever reads meanwhile finds the one text or the other, never a part. */
static void test_write_is_atomic(void **state)
{
	size_t size = 300000;
	cleanup_free char *text = malloc(size);
	int status;
	pid_t child;

	(void)state;
	memset(text, 'a', size);
	assert_int_equal(file_write("file", text, size), 0);
	child = fork();
	for (int i = 0; !child && i < 50; i++) {
		memset(text, i & 1 ? 'a' : 'b', size);
		if (file_write("file", text, size))
			_exit(1);
	}
	if (!child)
		_exit(0);
	while (!waitpid(child, &status, WNOHANG)) {
		cleanup_free char *got = NULL;
		size_t got_size;

		assert_int_equal(file_read("file", &got, &got_size), 0);
		assert_int_equal(got_size, size);
		assert_int_equal(strspn(got, got[0] == 'a' ? "a" : "b"), size);
	}
	assert_int_equal(status, 0);
	assert_int_equal(count_files(), 1);
	unlink("file");
}

/* After a failure the old file is as it was, and nothing lies beside it. */
static void test_write_fails(void **state)
{
	char path[PATH_MAX + 1];

	(void)state;
	assert_int_equal(file_write("missing/file", "x", 1), -ENOENT);
	make_file("file", "old", 3, 0600);
	assert_int_equal(file_write("file/file", "x", 1), -ENOTDIR);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_int_equal(file_write("folder", "x", 1), -EISDIR);
	memset(path, 'p', sizeof(path));
	path[PATH_MAX] = 0;
	assert_int_equal(file_write(path, "x", 1), -ENAMETOOLONG);
	path[PATH_MAX - 5] = 0;
	assert_int_equal(file_write(path, "x", 1), -ENAMETOOLONG);
	assert_file("file", "old");
	assert_int_equal(count_files(), 2);
	rmdir("folder");
	unlink("file");
}

/* As on a full disk: the text does not fit. */
static void test_write_no_room(void **state)
{
	struct rlimit before, limit;
	char text[5000];
	int err;

	(void)state;
	memset(text, 'x', sizeof(text));
	make_file("file", "old", 3, 0600);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	limit = before;
	limit.rlim_cur = 1000;
	setrlimit(RLIMIT_FSIZE, &limit);
	err = file_write("file", text, sizeof(text));
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(err, -EFBIG);
	assert_file("file", "old");
	assert_int_equal(count_files(), 1);
	unlink("file");
}

/* Root may write anywhere, so the test is somebody else meanwhile. */
static void test_not_permitted(void **state)
{
	bool root = !geteuid();
	int read_err, write_err;
	size_t size;
	char *text;

	(void)state;
	make_file("file", "old", 3, 0000);
	chmod(".", 0555);
	if (root && seteuid(NOBODY)) {
		chmod(".", 0700);
		unlink("file");
		/* Not skip(): cmocka's TAP calls what was skipped "not ok". */
		print_message("# root cannot be somebody else here: not tried\n");
		return;
	}
	read_err = file_read("file", &text, &size);
	write_err = file_write("file", "new", 3);
	if (root)
		assert_int_equal(seteuid(0), 0);
	chmod(".", 0700);
	chmod("file", 0600);
	assert_int_equal(read_err, -EACCES);
	assert_int_equal(write_err, -EACCES);
	assert_file("file", "old");
	assert_int_equal(count_files(), 1);
	unlink("file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number),
		cmocka_unit_test(test_number_borders),
		cmocka_unit_test(test_array),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(test_array_too_large),
#endif
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_sizes),
		cmocka_unit_test(test_read_fails),
		cmocka_unit_test(test_read_too_large),
		cmocka_unit_test(test_read_standard_input),
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_write_touches_nothing_else),
		cmocka_unit_test(test_write_follows_links),
		cmocka_unit_test(test_write_replaces_links_of_others),
		cmocka_unit_test(test_write_no_file),
		cmocka_unit_test(test_write_long_name),
		cmocka_unit_test(test_write_is_atomic),
		cmocka_unit_test(test_write_fails),
		cmocka_unit_test(test_write_no_room),
		cmocka_unit_test(test_not_permitted),
	};
	char folder[] = "/tmp/portctl-unit.XXXXXX";
	int failed;

	if (!mkdtemp(folder) || chdir(folder)) {
		perror(folder);
		return 1;
	}
	failed = run_suite("util", tests);
	if (chdir("/") || rmdir(folder))
		fprintf(stderr, "# left behind: %s\n", folder);
	return failed;
}
