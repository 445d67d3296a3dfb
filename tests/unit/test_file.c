// SPDX-License-Identifier: GPL-2.0-only
/* file_read() and file_write(), in a new folder. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"

#define NOBODY 65534

/* Makes a file without using file_write(). */
static void make_file(const char *path, const char *text, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Expects a file's content, read with file_read(), which has tests of its own. */
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

static void test_read_file(void **state)
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

/* Sizes around those at which the buffer grows. */
static void test_read_files_of_many_sizes(void **state)
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

/* Files of NUL bytes: EILSEQ up to the largest size, EFBIG beyond it. */
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

static void test_read_dash_is_standard_input(void **state)
{
	int kept = dup(STDIN_FILENO), fd;

	(void)state;
	make_file("file", "from stdin\n", 11, 0600);
	fd = open("file", O_RDONLY);
	dup2(fd, STDIN_FILENO);
	assert_file("-", "from stdin\n");
	/* Standard input is at its end now. */
	assert_file("-", "");
	if (kept >= 0)
		dup2(kept, STDIN_FILENO);
	close(kept);
	close(fd);
	unlink("file");
}

static void test_write_replaces_file_and_mode(void **state)
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
	/* The file is replaced, so open readers keep the old one: the inode differs. */
	stat("file", &after);
	assert_int_not_equal(before.st_ino, after.st_ino);
	/* The new file does not inherit the old file's mode. */
	make_file("file", "open to all", 11, 0666);
	assert_int_equal(file_write("file", "two", 3), 0);
	stat("file", &after);
	assert_int_equal(after.st_mode, S_IFREG | 0600);
	assert_int_equal(count_files(), 1);
	unlink("file");
	umask(mask);
}

/* Other files in the folder stay as they are, whatever their names. */
static void test_write_leaves_other_files(void **state)
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

/* file_write() follows links, also through several, to a file that exists or not. */
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

/* A link that another user owns is replaced: it must not choose which file is overwritten. */
static void test_write_replaces_link_of_other_user(void **state)
{
	struct stat status;

	(void)state;
	make_file("file", "old", 3, 0600);
	assert_int_equal(symlink("file", "link"), 0);
	if (geteuid() || lchown("link", NOBODY, NOBODY)) {
		print_message("# only root can change a link's owner: not tried\n");
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

/* A FIFO is refused, whether it is named or linked. */
static void test_write_refuses_fifo(void **state)
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

/* A file name may have NAME_MAX bytes, and no more. */
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

/* A reader finds either the old or the new text, never a part. */
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

/* After a failure the old file is unchanged, and no other file is left. */
static void test_failed_write_leaves_old_file(void **state)
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

/* The text does not fit, as on a full disk. */
static void test_write_without_room_leaves_old_file(void **state)
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

/* Root may read and write everything, so this test gives up its user for a moment. */
static void test_read_and_write_not_permitted(void **state)
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
		print_message("# root cannot change its user here: not tried\n");
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
		cmocka_unit_test(test_read_file),
		cmocka_unit_test(test_read_files_of_many_sizes),
		cmocka_unit_test(test_read_fails),
		cmocka_unit_test(test_read_too_large),
		cmocka_unit_test(test_read_dash_is_standard_input),
		cmocka_unit_test(test_write_replaces_file_and_mode),
		cmocka_unit_test(test_write_leaves_other_files),
		cmocka_unit_test(test_write_follows_links),
		cmocka_unit_test(test_write_replaces_link_of_other_user),
		cmocka_unit_test(test_write_refuses_fifo),
		cmocka_unit_test(test_write_long_name),
		cmocka_unit_test(test_write_is_atomic),
		cmocka_unit_test(test_failed_write_leaves_old_file),
		cmocka_unit_test(test_write_without_room_leaves_old_file),
		cmocka_unit_test(test_read_and_write_not_permitted),
	};
	char folder[] = "/tmp/portctl-unit.XXXXXX";
	int failed;

	if (!mkdtemp(folder) || chdir(folder)) {
		perror(folder);
		return 1;
	}
	failed = run_suite("file", tests);
	if (chdir("/") || rmdir(folder))
		fprintf(stderr, "# left behind: %s\n", folder);
	return failed;
}
