// SPDX-License-Identifier: GPL-2.0-only
#include "host/arrivals.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/array.h"

void arrivals_clear(struct arrivals *arrivals)
{
	free(arrivals->list);
	*arrivals = (struct arrivals){ 0 };
}

static const struct sighting *find_name(const struct arrivals *arrivals, const char *name)
{
	for (size_t i = 0; i < arrivals->count; i++) {
		if (!strcmp(arrivals->list[i].name, name))
			return &arrivals->list[i];
	}
	return NULL;
}

static bool has_device(const struct arrivals *arrivals, unsigned int ifindex)
{
	for (size_t i = 0; i < arrivals->count; i++) {
		if (arrivals->list[i].ifindex == ifindex)
			return true;
	}
	return false;
}

int arrivals_add(struct arrivals *arrivals, const struct sighting *sighting)
{
	if (find_name(arrivals, sighting->name))
		return 0;
	if (array_reserve(&arrivals->list, &arrivals->room, arrivals->count,
			  sizeof(*arrivals->list)))
		return -ENOMEM;
	arrivals->list[arrivals->count++] = *sighting;
	return 0;
}

/* A name that is new may be another name of a device that was there. */
static bool was_there(const struct arrivals *before, const struct sighting *old,
		      const struct sighting *sighting)
{
	return old ? old->ifindex == sighting->ifindex : has_device(before, sighting->ifindex);
}

void arrivals_compare(struct arrivals *now, const struct arrivals *before)
{
	for (size_t i = 0; i < now->count; i++) {
		struct sighting *sighting = &now->list[i];
		const struct sighting *old;

		if (!sighting->saved || !sighting->ifindex)
			continue;
		old = find_name(before, sighting->name);
		sighting->again = was_there(before, old, sighting);
		sighting->due = !sighting->again || (old && old->due);
	}
}

bool arrivals_due(const struct arrivals *arrivals)
{
	for (size_t i = 0; i < arrivals->count; i++) {
		if (arrivals->list[i].due)
			return true;
	}
	return false;
}

void arrivals_give_up(struct arrivals *arrivals)
{
	for (size_t i = 0; i < arrivals->count; i++) {
		if (arrivals->list[i].again)
			arrivals->list[i].due = false;
	}
}

static void forget_device(struct arrivals *arrivals, int ifindex)
{
	for (size_t i = 0; i < arrivals->count; i++) {
		if (arrivals->list[i].ifindex == (unsigned int)ifindex)
			arrivals->list[i].ifindex = 0;
	}
}

void arrivals_hear(struct arrivals *arrivals, const void *messages, size_t size)
{
	const struct nlmsghdr *message = messages;

	for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
		const struct ifinfomsg *link = NLMSG_DATA(message);

		/* With the family AF_BRIDGE, a port left its bridge, but still exists. */
		if (message->nlmsg_type == RTM_DELLINK &&
		    message->nlmsg_len >= NLMSG_LENGTH(sizeof(*link)) &&
		    link->ifi_family == AF_UNSPEC)
			forget_device(arrivals, link->ifi_index);
	}
}
