// SPDX-License-Identifier: GPL-2.0-only
#include "host/listeners.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "rules/prefix.h"
#include "host/sockets.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"
#include "base/text.h"

struct collection {
	struct listener *list;
	size_t count;
	size_t room;
	bool refused; /* a process may not be looked into */
};

/* Of an IPv6 socket; not said: it is there for IPv4 as well. */
static bool is_ipv6_only(const struct inet_diag_msg *message, size_t size)
{
	int left = size - NLMSG_ALIGN(sizeof(*message));
	const struct rtattr *attribute = (const void *)(message + 1);

	for (; left > 0 && RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == INET_DIAG_SKV6ONLY)
			return *(const __u8 *)RTA_DATA(attribute);
	}
	return false;
}

static bool is_any(const struct prefix *address)
{
	static const __u8 zeros[16];

	return !memcmp(address->address, zeros, sizeof(zeros));
}

static int add_listener(const struct inet_diag_msg *message, size_t size, void *data)
{
	struct collection *collection = data;
	bool tcp = message->idiag_state == TCP_LISTEN, ipv6 = message->idiag_family == AF_INET6;
	struct listener *listener;
	int err = array_reserve(&collection->list, &collection->room, collection->count,
				sizeof(*listener));

	if (err || !message->id.idiag_sport)
		return err;
	listener = &collection->list[collection->count++];
	*listener = (struct listener){
		.key = (tcp ? PORT_KEY_TCP : PORT_KEY_UDP) + ntohs(message->id.idiag_sport),
		.address = { .family = ipv6 ? 6 : 4, .length = ipv6 ? 128 : 32 },
		.uid = message->idiag_uid,
		.inode = message->idiag_inode,
		.ifindex = message->id.idiag_if,
	};
	memcpy(listener->address.address, message->id.idiag_src, ipv6 ? 16 : 4);
	listener->both = ipv6 && is_any(&listener->address) && !is_ipv6_only(message, size);
	return 0;
}

static int compare_inodes(const void *left, const void *right)
{
	const struct listener *a = left, *b = right;

	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

int listener_compare(const void *left, const void *right)
{
	const struct listener *a = left, *b = right;

	if (a->key != b->key)
		return a->key < b->key ? -1 : 1;
	return prefix_compare(&a->address, &b->address) ?: a->pid - b->pid;
}

/* -ESRCH where the process has ended meanwhile. */
static int read_program(pid_t pid, char program[16])
{
	char path[64];
	cleanup_file FILE *file = NULL;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(program, 16, file))
		return -ESRCH;
	program[strcspn(program, "\n")] = 0;
	text_clean(program);
	return 0;
}

/*
 * The listener that this open file is, if it is one; they are sorted by inode. *refused is
 * set where it is not said: who may list the files of another need not be let see them.
 */
static struct listener *find_inode(const struct collection *collection, int folder,
				   const char *name, bool *refused)
{
	struct listener wanted;
	char link[64];
	ssize_t length = readlinkat(folder, name, link, sizeof(link) - 1);

	*refused |= length < 0 && errno == EACCES;
	if (length < 0)
		return NULL;
	link[length] = 0;
	if (sscanf(link, "socket:[%u]", &wanted.inode) != 1)
		return NULL;
	return bsearch(&wanted, collection->list, collection->count, sizeof(wanted),
		       compare_inodes);
}

/* A process that ends meanwhile, or is somebody else's, has no files to be seen. */
static void look_at_process(struct collection *collection, pid_t pid)
{
	char path[64], program[16] = "";
	struct dirent *entry;
	bool refused;
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	refused = !folder && errno == EACCES;
	while (folder && (entry = readdir(folder))) {
		struct listener *found =
			find_inode(collection, dirfd(folder), entry->d_name, &refused);

		if (!found || found->pid)
			continue;
		if (!*program && read_program(pid, program))
			break;
		found->pid = pid;
		strcpy(found->program, program);
	}
	if (folder)
		closedir(folder);
	/* That is also what the kernel says of one that has ended: then it is not there. */
	collection->refused |= refused && !access(path, F_OK);
}

static void look_at_processes(struct collection *collection)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		unsigned long pid;

		if (!number_parse(entry->d_name, strlen(entry->d_name), 1 << 30, &pid))
			look_at_process(collection, pid);
	}
	if (folder)
		closedir(folder);
}

int listeners_sockets(struct listener **list, size_t *count)
{
	struct collection collection = { 0 };
	int err = each_listening(add_listener, &collection);

	if (!err && collection.count)
		qsort(collection.list, collection.count, sizeof(*collection.list),
		      listener_compare);
	*list = collection.list;
	*count = collection.count;
	return err;
}

int listeners_list(struct listener **list, size_t *count, size_t *hidden)
{
	int err = listeners_sockets(list, count);
	struct collection collection = { .list = *list, .count = *count };

	*hidden = 0;
	if (err || !collection.count)
		return err;
	qsort(collection.list, collection.count, sizeof(*collection.list), compare_inodes);
	look_at_processes(&collection);
	for (size_t i = 0; i < collection.count; i++) {
		collection.list[i].refused = !collection.list[i].pid && collection.refused;
		*hidden += !collection.list[i].pid;
	}
	qsort(collection.list, collection.count, sizeof(*collection.list), listener_compare);
	return 0;
}

unsigned char listener_families(const struct listener *listener)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	const __u8 *address = listener->address.address;
	struct in6_addr ip6; /* in a prefix it is not aligned */

	if (listener->ifindex == LOOPBACK_INDEX)
		return 0;
	if (listener->address.family == 4)
		return address[0] == 127 ? 0 : FAMILY_IPV4;
	memcpy(&ip6, address, sizeof(ip6));
	if (IN6_IS_ADDR_V4MAPPED(&ip6))
		return address[12] == 127 ? 0 : FAMILY_IPV4;
	if (!memcmp(&ip6, &loopback, sizeof(loopback)))
		return 0;
	return listener->both ? FAMILIES : FAMILY_IPV6;
}

bool listener_is_local(const struct listener *listener)
{
	return !listener_families(listener);
}
