// SPDX-License-Identifier: GPL-2.0-only
/* Which saved interfaces have come since the last look, and which were there all along. */
#include "unit.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/arrivals.h"

/* One look: "name=3" is a device, "name:3" one that is saved, 0 where it is not there. */
static void look(struct arrivals *seen, const char *text)
{
	struct arrivals now = { 0 };
	cleanup_free char *copy = strdup(text);
	char *rest = copy, *word;

	while ((word = strsep(&rest, " "))) {
		struct sighting sighting = { 0 };
		char sign;

		assert_int_equal(sscanf(word, "%15[a-z0-9]%c%u", sighting.name, &sign,
					&sighting.ifindex),
				 3);
		sighting.saved = sign == ':';
		assert_int_equal(arrivals_add(&now, &sighting), 0);
	}
	arrivals_compare(&now, seen);
	arrivals_clear(seen);
	*seen = now;
}

/* Names of those that are due, each with a blank behind it. */
static void assert_due(const struct arrivals *seen, const char *expected)
{
	char due[200] = "";

	for (size_t i = 0; i < seen->count; i++) {
		if (seen->list[i].due)
			strcat(strcat(due, seen->list[i].name), " ");
	}
	assert_string_equal(due, expected);
	assert_int_equal(arrivals_due(seen), *expected != 0);
}

/* As after attaching to those of `names`: all the others have failed. */
static void attached(struct arrivals *seen, const char *names)
{
	for (size_t i = 0; i < seen->count; i++) {
		if (strstr(names, seen->list[i].name))
			seen->list[i].due = false;
	}
}

static void hear(struct arrivals *seen, unsigned short type, unsigned char family, int index)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg link;
	} messages[] = {
		{ { .nlmsg_type = RTM_NEWLINK, .nlmsg_len = sizeof(messages[0]) }, { 0 } },
		{ { .nlmsg_type = type, .nlmsg_len = sizeof(messages[0]) },
		  { .ifi_family = family, .ifi_index = index } },
	};

	arrivals_hear(seen, messages, sizeof(messages));
}

static void test_first_look(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 b:0 c:3 lo=1 a=2 c=3 d=4");
	assert_int_equal(seen.count, 5);
	assert_due(&seen, "a c ");
	arrivals_clear(&seen);
	assert_due(&seen, "");
}

/* What others detach stays detached, whatever happens to other devices. */
static void test_there_all_along(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 lo=1");
	attached(&seen, "a");
	look(&seen, "a:2 lo=1");
	assert_due(&seen, "");
	look(&seen, "a:2 lo=1 x=3");
	assert_due(&seen, "");
	look(&seen, "a:2 lo=1");
	assert_due(&seen, "");
	arrivals_clear(&seen);
}

static void test_comes_and_is_made_again(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 b:0 lo=1");
	attached(&seen, "a");
	look(&seen, "a:2 b:3 lo=1");
	assert_due(&seen, "b ");
	attached(&seen, "b");
	/* Both steps of one burst, and one after the other. */
	look(&seen, "a:4 b:3 lo=1");
	assert_due(&seen, "a ");
	attached(&seen, "a");
	look(&seen, "a:4 b:0 lo=1");
	assert_due(&seen, "");
	look(&seen, "a:4 b:3 lo=1");
	assert_due(&seen, "b ");
	arrivals_clear(&seen);
}

/* It was there before it was saved: as long as it is the same device, it did not come. */
static void test_saved_meanwhile(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "lo=1 a=2 b=3");
	look(&seen, "a:2 b:4 lo=1");
	assert_due(&seen, "b ");
	attached(&seen, "b");
	/* A second name of a device that was there. */
	look(&seen, "a:2 b:4 alt:2 lo=1");
	assert_due(&seen, "");
	/* Devices that get the names that are waited for. */
	look(&seen, "a:2 b:4 alt:2 late:0 name:0 lo=1 eth0=5 eth1=6");
	look(&seen, "a:2 b:4 alt:2 late:5 name:6 lo=1 eth0=5");
	assert_due(&seen, "late name ");
	arrivals_clear(&seen);
}

/* It is due at each look, until all was taken away. */
static void test_failed(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 b:3");
	attached(&seen, "a");
	look(&seen, "a:2 b:3");
	assert_due(&seen, "b ");
	look(&seen, "a:2 b:3 c:4");
	assert_due(&seen, "b c ");
	arrivals_give_up(&seen);
	assert_due(&seen, "c ");
	look(&seen, "a:2 b:3 c:4");
	assert_due(&seen, "c ");
	look(&seen, "a:2 b:5 c:4");
	assert_due(&seen, "b c ");
	arrivals_clear(&seen);
}

/* Away and back again in one burst, with the same number. */
static void test_heard(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 b:3");
	attached(&seen, "a b");
	hear(&seen, RTM_DELLINK, AF_BRIDGE, 2);
	hear(&seen, RTM_NEWLINK, AF_UNSPEC, 2);
	hear(&seen, RTM_DELLINK, AF_UNSPEC, 4);
	look(&seen, "a:2 b:3");
	assert_due(&seen, "");
	hear(&seen, RTM_DELLINK, AF_UNSPEC, 2);
	look(&seen, "a:2 b:3");
	assert_due(&seen, "a ");
	arrivals_clear(&seen);
}

/* Messages that end too early are not read beyond their end. */
static void test_heard_half(void **state)
{
	struct nlmsghdr header = { .nlmsg_type = RTM_DELLINK, .nlmsg_len = sizeof(header) };
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2");
	attached(&seen, "a");
	for (size_t size = 0; size <= sizeof(header); size++)
		arrivals_hear(&seen, &header, size);
	header.nlmsg_len = 4096;
	arrivals_hear(&seen, &header, sizeof(header));
	look(&seen, "a:2");
	assert_due(&seen, "");
	arrivals_clear(&seen);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_look),
		cmocka_unit_test(test_there_all_along),
		cmocka_unit_test(test_comes_and_is_made_again),
		cmocka_unit_test(test_saved_meanwhile),
		cmocka_unit_test(test_failed),
		cmocka_unit_test(test_heard),
		cmocka_unit_test(test_heard_half),
	};

	return run_suite("arrivals", tests);
}
