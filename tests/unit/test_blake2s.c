// SPDX-License-Identifier: GPL-2.0-only
/*
 * blake2s() against RFC 7693 and Python's hashlib; the bytes of a signed knock; key files.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/hash.h"
#include "rules/signing.h"

static void hex(const __u8 *bytes, size_t size, char *text)
{
	for (size_t i = 0; i < size; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* RFC 7693, appendix B. */
static void test_rfc7693_abc(void **state)
{
	char text[65];
	__u8 tag[32];

	(void)state;
	blake2s(tag, 32, NULL, 0, "abc", 3);
	hex(tag, 32, text);
	assert_string_equal(text,
			    "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

/* RFC 7693, appendix E: one hash over the hashes of many lengths, keyed and not keyed. */
static void fill_sequence(__u8 *out, size_t size, __u32 seed)
{
	__u32 a = 0xDEAD4BAD * seed, b = 1;

	for (size_t i = 0; i < size; i++) {
		__u32 t = a + b;

		a = b;
		b = t;
		out[i] = t >> 24;
	}
}

static void test_rfc7693_self_test(void **state)
{
	static const size_t tags[] = { 16, 20, 28, 32 },
			    lengths[] = { 0, 3, 64, 65, 255, 1024 };
	static __u8 all[4 * 6 * 2 * 32];
	__u8 message[1024], key[32], tag[32];
	size_t size = 0;
	char text[65];

	(void)state;
	for (int t = 0; t < 4; t++) {
		for (int l = 0; l < 6; l++) {
			fill_sequence(message, lengths[l], lengths[l]);
			blake2s(all + size, tags[t], NULL, 0, message, lengths[l]);
			size += tags[t];
			fill_sequence(key, tags[t], tags[t]);
			blake2s(all + size, tags[t], key, tags[t], message, lengths[l]);
			size += tags[t];
		}
	}
	blake2s(tag, 32, NULL, 0, all, size);
	hex(tag, 32, text);
	assert_string_equal(text,
			    "6a411f08ce25adcdfb02aba641451cec53c598b24f4fc787fbdc88797f4c1dfe");
}

/* Prints "SIZE KEY MESSAGE TAG" in hexadecimal, "-" for nothing. */
static const char script[] =
	"python3 -c '\n"
	"import hashlib, random\n"
	"random.seed(7693)\n"
	"for n in range(2000):\n"
	"    size = random.randint(1, 32)\n"
	"    key = random.randbytes(random.choice((0, 32, random.randint(1, 32))))\n"
	"    text = random.randbytes(random.choice((0, 48, 64, 128, random.randint(0, 300))))\n"
	"    tag = hashlib.blake2s(text, key=key, digest_size=size).hexdigest()\n"
	"    print(size, key.hex() or \"-\", text.hex() or \"-\", tag)\n"
	"'";

static size_t unhex(const char *text, __u8 *bytes)
{
	size_t size = *text == '-' ? 0 : strlen(text) / 2;

	for (size_t i = 0; i < size; i++)
		sscanf(text + 2 * i, "%2hhx", &bytes[i]);
	return size;
}

static void test_same_as_python_hashlib(void **state)
{
	char key_text[128], message_text[1024], expected[128], got[128];
	__u8 key[32], message[512], tag[32];
	FILE *python = popen(script, "r");
	int rows = 0;
	size_t size;

	(void)state;
	assert_non_null(python);
	while (fscanf(python, "%zu %127s %1023s %127s", &size, key_text, message_text,
		      expected) == 4) {
		size_t key_size = unhex(key_text, key);

		blake2s(tag, size, key, key_size, message, unhex(message_text, message));
		hex(tag, size, got);
		assert_string_equal(got, expected);
		rows++;
	}
	assert_int_equal(pclose(python), 0);
	assert_int_equal(rows, 2000);
}

/* The signed knock of README, byte by byte. Python's hashlib computed the tag. */
#define VECTOR                                                                                 \
	"0101000068b96e0718fae27693b40000"                                                     \
	"00000000b9591bf80000000000000000"                                                     \
	"0000000000000000a0a1a2a3a4a5a6a7"                                                     \
	"2bbca6c36ef902f75075d8b57735eeab"

static void test_signed_knock_bytes(void **state)
{
	struct signed_knock knock = { .action = SIGNED_OPEN };
	struct signing_key key = { .name = "alice" };
	char text[129];

	(void)state;
	for (int i = 0; i < 32; i++)
		key.key[i] = i;
	for (int i = 0; i < 8; i++)
		key.server[i] = 0xA0 + i;
	knock.door = door_number("ssh");
	sign(&knock, &key, 1800000000000000000);
	hex((const __u8 *)&knock, sizeof(knock), text);
	assert_string_equal(text, VECTOR);
}

static int read_text(const char *text, mode_t mode, struct signing_key **keys, size_t *count)
{
	char path[] = "/tmp/portctl-keys.XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	err = keys_read(path, keys, count);
	unlink(path);
	return err;
}

#define KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SERVER "a0a1a2a3a4a5a6a7"

static void test_key_file(void **state)
{
	struct signing_key *keys;
	size_t count;

	(void)state;
	assert_int_equal(read_text("# who\n\nalice " KEY " " SERVER "\n"
				   "bob\t" KEY " " SERVER
				   " expires 2030-12-31 doors ssh,web # b\n"
				   "carol " KEY " " SERVER " expires 2600-01-01\n",
				   0600, &keys, &count),
			 0);
	assert_int_equal(count, 3);
	assert_string_equal(keys[0].name, "alice");
	assert_int_equal(keys[0].key[31], 31);
	assert_int_equal(keys[0].server[7], 0xA7);
	assert_int_equal(keys[0].expires, 0);
	assert_true(key_opens(&keys[0], "anything"));
	assert_int_equal(keys[1].expires, 1924905600000000000);
	assert_true(keys[2].expires >
		    keys[1].expires); /* year 2600: over 64 bits of nanoseconds */
	assert_true(key_opens(&keys[1], "ssh"));
	assert_true(key_opens(&keys[1], "web"));
	assert_false(key_opens(&keys[1], "we"));
	assert_false(key_opens(&keys[1], "webs"));
	keys_free(keys, count);
}

static void test_bad_key_files_are_refused(void **state)
{
	static const char *const texts[] = {
		"",
		"# nobody\n",
		"alice\n",
		"alice " KEY "\n",
		"alice " KEY "0 " SERVER "\n",
		"alice x" KEY " " SERVER "\n",
		"alice " KEY " a0\n",
		"alice " KEY " " SERVER " expires never\n",
		"alice " KEY " " SERVER " expires 2030-02-31\n",
		"alice " KEY " " SERVER " expires 2031-02-29\n",
		"alice " KEY " " SERVER " expires\n",
		"alice " KEY " " SERVER " doors\n",
		"alice " KEY " " SERVER " also this\n",
		"averyveryveryverylongnameofsomebody " KEY " " SERVER "\n",
	};
	struct signing_key *keys;
	size_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(read_text(texts[i], 0600, &keys, &count), -EINVAL);
		keys_free(keys, count);
	}
	for (mode_t mode = 1; mode < 0100; mode <<= 1)
		assert_int_equal(
			read_text("alice " KEY " " SERVER "\n", 0600 | mode, &keys, &count),
			-EPERM);
	assert_int_equal(keys_read("/nonexistent", &keys, &count), -ENOENT);
	assert_int_equal(keys_read("/tmp", &keys, &count), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc7693_abc),
		cmocka_unit_test(test_rfc7693_self_test),
		cmocka_unit_test(test_same_as_python_hashlib),
		cmocka_unit_test(test_signed_knock_bytes),
		cmocka_unit_test(test_key_file),
		cmocka_unit_test(test_bad_key_files_are_refused),
	};

	return run_suite("blake2s", tests);
}
