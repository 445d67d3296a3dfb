// SPDX-License-Identifier: GPL-2.0-only
/* arrivals_compare(): which saved interfaces are new since the last look, and so are due. */
#include "unit.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "host/arrivals.h"

/*
 * Takes one look at the devices. In `text`, "name=3" is a device with ifindex 3, "name:3" is a
 * saved interface, and "name:0" is a saved interface that does not exist now.
 */
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

/* `expected` holds the names of the interfaces that are due, each followed by a space. */
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

/* Marks the interfaces in `names` as attached. Attaching failed for the others. */
static void attached(struct arrivals *seen, const char *names)
{
	for (size_t i = 0; i < seen->count; i++) {
		if (strstr(names, seen->list[i].name))
			seen->list[i].due = false;
	}
}

/* Receives one netlink message about a device, behind an unrelated message. */
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

static void test_first_look_makes_saved_devices_due(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 b:0 c:3 lo=1 a=2 c=3 d=4");
	assert_int_equal(seen.count, 5);
	assert_due(&seen, "a c ");
	arrivals_clear(&seen);
	assert_due(&seen, "");
}

/* What somebody detached by hand stays detached, whatever happens to other devices. */
static void test_attached_device_stays_not_due(void **state)
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

static void test_new_or_recreated_device_is_due(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "a:2 b:0 lo=1");
	attached(&seen, "a");
	look(&seen, "a:2 b:3 lo=1");
	assert_due(&seen, "b ");
	attached(&seen, "b");
	/* Deleted and made again, seen at once and seen as two steps. */
	look(&seen, "a:4 b:3 lo=1");
	assert_due(&seen, "a ");
	attached(&seen, "a");
	look(&seen, "a:4 b:0 lo=1");
	assert_due(&seen, "");
	look(&seen, "a:4 b:3 lo=1");
	assert_due(&seen, "b ");
	arrivals_clear(&seen);
}

/* A device that existed before it was saved is not due while it stays the same device. */
static void test_device_saved_later_is_due_only_when_new(void **state)
{
	struct arrivals seen = { 0 };

	(void)state;
	look(&seen, "lo=1 a=2 b=3");
	look(&seen, "a:2 b:4 lo=1");
	assert_due(&seen, "b ");
	attached(&seen, "b");
	/* A second name of a device that already existed. */
	look(&seen, "a:2 b:4 alt:2 lo=1");
	assert_due(&seen, "");
	/* Existing devices get the names of saved interfaces. */
	look(&seen, "a:2 b:4 alt:2 late:0 name:0 lo=1 eth0=5 eth1=6");
	look(&seen, "a:2 b:4 alt:2 late:5 name:6 lo=1 eth0=5");
	assert_due(&seen, "late name ");
	arrivals_clear(&seen);
}

/* An interface whose attach failed stays due at each look, until arrivals_give_up(). */
static void test_failed_attach_stays_due_until_given_up(void **state)
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

/* A device deleted and made again between two looks, with the same ifindex. */
static void test_deletion_between_looks_makes_due(void **state)
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

/* A truncated netlink message is not read beyond its end. */
static void test_truncated_message_is_ignored(void **state)
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
		cmocka_unit_test(test_first_look_makes_saved_devices_due),
		cmocka_unit_test(test_attached_device_stays_not_due),
		cmocka_unit_test(test_new_or_recreated_device_is_due),
		cmocka_unit_test(test_device_saved_later_is_due_only_when_new),
		cmocka_unit_test(test_failed_attach_stays_due_until_given_up),
		cmocka_unit_test(test_deletion_between_looks_makes_due),
		cmocka_unit_test(test_truncated_message_is_ignored),
	};

	return run_suite("arrivals", tests);
}
