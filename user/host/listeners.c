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

struct listener_list {
	struct listener *list;
	size_t count;
	size_t room;
	bool refused; /* the kernel refused to show the files of a process */
};

/* Whether an IPv6 socket has IPV6_V6ONLY. Without the attribute it receives IPv4 as well. */
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

static bool is_unspecified(const struct prefix *address)
{
	static const __u8 zeros[16];

	return !memcmp(address->address, zeros, sizeof(zeros));
}

static int add_listener(const struct inet_diag_msg *message, size_t size, void *data)
{
	struct listener_list *all = data;
	bool tcp = message->idiag_state == TCP_LISTEN, ipv6 = message->idiag_family == AF_INET6;
	struct listener *listener;
	int err = array_reserve(&all->list, &all->room, all->count, sizeof(*listener));

	if (err || !message->id.idiag_sport)
		return err;
	listener = &all->list[all->count++];
	*listener = (struct listener){
		.key = (tcp ? PORT_KEY_TCP : PORT_KEY_UDP) + ntohs(message->id.idiag_sport),
		.address = { .family = ipv6 ? 6 : 4, .length = ipv6 ? 128 : 32 },
		.uid = message->idiag_uid,
		.inode = message->idiag_inode,
		.ifindex = message->id.idiag_if,
	};
	memcpy(listener->address.address, message->id.idiag_src, ipv6 ? 16 : 4);
	listener->both =
		ipv6 && is_unspecified(&listener->address) && !is_ipv6_only(message, size);
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

/* Reads the name of a process. Returns -ESRCH if it has ended meanwhile. */
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
 * Finds the listener that an open file of a process is; NULL if it is none. The list is sorted
 * by inode. Sets *refused if the kernel does not say what the file is: the right to list the
 * files of a process does not include the right to read them.
 */
static struct listener *find_by_file(const struct listener_list *all, int folder,
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
	return bsearch(&wanted, all->list, all->count, sizeof(wanted), compare_inodes);
}

/* A process that has ended, or that belongs to another user, shows no files. */
static void inspect_process(struct listener_list *all, pid_t pid)
{
	char path[64], program[16] = "";
	struct dirent *entry;
	bool refused;
	cleanup_dir DIR *folder = NULL;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	folder = opendir(path);
	refused = !folder && errno == EACCES;
	while (folder && (entry = readdir(folder))) {
		struct listener *found =
			find_by_file(all, dirfd(folder), entry->d_name, &refused);

		if (!found || found->pid)
			continue;
		if (!*program && read_program(pid, program))
			break;
		found->pid = pid;
		strcpy(found->program, program);
	}
	/* The kernel refuses in the same way for a process that has ended meanwhile. */
	all->refused |= refused && !access(path, F_OK);
}

static void inspect_processes(struct listener_list *all)
{
	cleanup_dir DIR *folder = opendir("/proc");
	struct dirent *entry;

	while (folder && (entry = readdir(folder))) {
		unsigned long pid;

		if (!number_parse(entry->d_name, strlen(entry->d_name), 1 << 30, &pid))
			inspect_process(all, pid);
	}
}

int listeners_sockets(struct listener **list, size_t *count)
{
	struct listener_list all = { 0 };
	int err = sockets_each_listening(add_listener, &all);

	if (!err && all.count)
		qsort(all.list, all.count, sizeof(*all.list), listener_compare);
	*list = all.list;
	*count = all.count;
	return err;
}

int listeners_list(struct listener **list, size_t *count, size_t *hidden)
{
	int err = listeners_sockets(list, count);
	struct listener_list all = { .list = *list, .count = *count };

	*hidden = 0;
	if (err || !all.count)
		return err;
	qsort(all.list, all.count, sizeof(*all.list), compare_inodes);
	inspect_processes(&all);
	for (size_t i = 0; i < all.count; i++) {
		all.list[i].refused = !all.list[i].pid && all.refused;
		*hidden += !all.list[i].pid;
	}
	qsort(all.list, all.count, sizeof(*all.list), listener_compare);
	return 0;
}

unsigned char listener_families(const struct listener *listener)
{
	static const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	const __u8 *address = listener->address.address;
	struct in6_addr ip6; /* a copy, since the address in a prefix is not aligned */

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

unsigned char listeners_families(const struct listener *listeners, size_t count)
{
	unsigned char families = 0;

	for (size_t i = 0; i < count; i++)
		families |= listener_families(&listeners[i]);
	return families;
}

bool listener_is_local(const struct listener *listener)
{
	return !listener_families(listener);
}
