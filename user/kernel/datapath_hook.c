// SPDX-License-Identifier: GPL-2.0-only
/* The two hooks of a device: XDP for packets that come in, TC (clsact) for egress. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "host/netlink.h"
#include "kernel/datapath_internal.h"
#include "kernel/needs.h"

/* These identify our filter in a device's clsact. The handle is "po" in ASCII. */
#define EGRESS_HANDLE 0x706F
#define EGRESS_PRIORITY 1

/*
 * Opens the link that attaches a program to the device with this index. Returns -1 if there is
 * no such link, or more than one: the kernel does not say which network namespace a link's
 * device is in.
 */
static int find_xdp_link(unsigned int ifindex, __u32 program)
{
	int found = -1;
	__u32 id = 0;

	while (!bpf_link_get_next_id(id, &id)) {
		struct bpf_link_info info = { 0 };
		__u32 length = sizeof(info);
		int fd = bpf_link_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &length) ||
		    info.type != BPF_LINK_TYPE_XDP || info.xdp.ifindex != ifindex ||
		    info.prog_id != program) {
			close(fd);
			continue;
		}
		if (found >= 0) {
			close(fd);
			close(found);
			return -1;
		}
		found = fd;
	}
	return found;
}

/* Another XDP program that was removed; it is put back if attaching fails. */
struct foreign {
	int program; /* descriptor; -1: there was none */
	__u32 flags;
};

static int fail_taken(const char *name)
{
	return fail(-EBUSY,
		    "%s has another XDP program already (\"bpftool net\" shows it): "
		    "attach with --replace to take its place",
		    name);
}

int hook_check_free(const char *name, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int err = bpf_xdp_query(ifindex, 0, &query);

	if (err)
		return fail(err, "%s: %s", name, datapath_reason(err));
	return query.attach_mode == XDP_ATTACHED_NONE ? 0 : fail_taken(name);
}

/* Removes another XDP program from the device, if `replace`. */
static int remove_foreign(const char *name, unsigned int ifindex, bool replace,
			  struct foreign *foreign)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	cleanup_close int link = -1;
	int err = bpf_xdp_query(ifindex, 0, &query);

	foreign->program = -1;
	if (err)
		return fail(err, "%s: %s", name, datapath_reason(err));
	if (query.attach_mode == XDP_ATTACHED_NONE)
		return 0;
	if (!replace)
		return fail_taken(name);
	foreign->program = bpf_prog_get_fd_by_id(query.prog_id);
	foreign->flags =
		query.attach_mode == XDP_ATTACHED_SKB ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
	err = bpf_xdp_detach(ifindex, foreign->flags, NULL);
	if (err == -EBUSY) { /* a link keeps it attached */
		link = find_xdp_link(ifindex, query.prog_id);
		if (link >= 0)
			err = bpf_link_detach(link);
	}
	if (err == -EBUSY) /* no link found: only root may look, or there are several */
		return fail(err,
			    "cannot remove the XDP program on %s: a link of another program "
			    "keeps it; end that program, or run this as root",
			    name);
	if (err)
		return fail(err, "cannot remove the XDP program on %s: %s", name,
			    datapath_reason(err));
	return 0;
}

static int create_link(unsigned int ifindex, int program, __u32 flags)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = flags);
	int fd = bpf_link_create(program, ifindex, BPF_XDP, &opts);

	return fd < 0 ? -errno : fd;
}

static int fail_link(int err, const char *name, enum attach_mode mode)
{
	switch (-err) {
	case EOPNOTSUPP:
		return fail(err,
			    "the driver of %s has no native XDP: attach with --mode generic",
			    name);
	case EEXIST:
		return fail(err,
			    "a device above %s (its bridge, a VLAN of it) has an XDP program, "
			    "and the kernel then allows none below it: detach from that "
			    "device, attach to %s, then to that device again",
			    name, name);
	case EINVAL:
	case ERANGE:
	case E2BIG:
		if (mode != ATTACH_GENERIC)
			return fail(
				err,
				"the driver of %s refused (%s): its MTU or its offloads may "
				"be more than native XDP can do there; lower the MTU, or "
				"attach with --mode generic",
				name, strerror(-err));
	}
	return fail(err, "cannot attach to %s: %s", name, datapath_reason(err));
}

/* Generic mode is slower, so a fallback to it is always reported. */
static int create_any_link(const char *name, unsigned int ifindex, int program,
			   enum attach_mode *mode)
{
	int fd = -EOPNOTSUPP;

	if (*mode != ATTACH_GENERIC)
		fd = create_link(ifindex, program, XDP_FLAGS_DRV_MODE);
	if (*mode == ATTACH_AUTO && fd == -EOPNOTSUPP) {
		note("the driver of %s has no native XDP: generic mode, which is slower", name);
		*mode = ATTACH_GENERIC;
	}
	if (*mode == ATTACH_GENERIC)
		fd = create_link(ifindex, program, XDP_FLAGS_SKB_MODE);
	return fd;
}

int hook_xdp(const char *name, unsigned int ifindex, int program, enum attach_mode mode,
	     bool replace)
{
	struct foreign foreign;
	int fd, err = remove_foreign(name, ifindex, replace, &foreign);

	if (err)
		return err;
	fd = create_any_link(name, ifindex, program, &mode);
	if (fd < 0 && foreign.program >= 0)
		bpf_xdp_attach(ifindex, foreign.program, foreign.flags, NULL);
	if (foreign.program >= 0)
		close(foreign.program);
	return fd < 0 ? fail_link(fd, name, mode) : fd;
}

/* The qdisc that a device has in the place of clsact. */
struct found_qdisc {
	int ifindex;
	char kind[IFNAMSIZ]; /* as long as in the kernel; "": none */
};

static int find_qdisc(const struct nlmsghdr *message, void *data)
{
	struct tcmsg *qdisc = NLMSG_DATA(message);
	struct rtattr *attribute = TCA_RTA(qdisc);
	struct found_qdisc *found = data;
	int left = TCA_PAYLOAD(message);

	if (message->nlmsg_type != RTM_NEWQDISC || qdisc->tcm_ifindex != found->ifindex ||
	    qdisc->tcm_parent != TC_H_CLSACT)
		return 0;
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
		if (attribute->rta_type == TCA_KIND)
			snprintf(found->kind, sizeof(found->kind), "%.*s",
				 (int)RTA_PAYLOAD(attribute), (char *)RTA_DATA(attribute));
	}
	return 0;
}

/*
 * The older qdisc "ingress" takes the place of clsact, and would use a filter for egress on
 * ingress. When clsact is added, the kernel says the same (EEXIST) for either qdisc.
 */
static int check_qdisc(const char *name, unsigned int ifindex)
{
	struct found_qdisc found = { .ifindex = ifindex };
	struct {
		struct nlmsghdr header;
		struct tcmsg request;
	} message = {
		.header = {
			.nlmsg_len = sizeof(message),
			.nlmsg_type = RTM_GETQDISC,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
	};
	int err = netlink_request(NETLINK_ROUTE, &message.header, find_qdisc, &found);

	if (err)
		return fail(err, "cannot list the qdiscs of %s: %s", name,
			    datapath_reason(err));
	if (!*found.kind || !strcmp(found.kind, "clsact"))
		return 0;
	return fail(-EEXIST,
		    "%s has an %s qdisc where clsact has to be, so outgoing packets cannot be "
		    "watched: tc qdisc del dev %s ingress",
		    name, found.kind, name);
}

static int fail_egress(int err, const char *name)
{
	switch (-err) {
	case ENOENT:
	case EOPNOTSUPP:
		return fail(err,
			    "cannot watch outgoing packets on %s: the kernel lacks clsact or "
			    "cls_bpf (modules sch_ingress and cls_bpf; CONFIG_NET_SCH_INGRESS, "
			    "CONFIG_NET_CLS_BPF)",
			    name);
	case EINVAL: /* filters of one priority have the same protocol and kind */
		return fail(err,
			    "cannot watch outgoing packets on %s: another filter has priority "
			    "%d there (\"tc filter show dev %s egress\"), which portctl needs: "
			    "give the other filter another priority",
			    name, EGRESS_PRIORITY, name);
	}
	return fail(err, "cannot watch outgoing packets on %s (tc clsact): %s", name,
		    datapath_reason(err));
}

int hook_egress(const char *name, unsigned int ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = EGRESS_HANDLE, .priority = EGRESS_PRIORITY,
		    .flags = BPF_TC_F_REPLACE, .prog_fd = program);
	int err = bpf_tc_hook_create(&hook);

	if (err == -EEXIST) {
		err = check_qdisc(name, ifindex);
		if (err)
			return err;
	}
	if (!err)
		err = bpf_tc_attach(&hook, &opts);
	return err ? fail_egress(err, name) : 0;
}

int hook_remove_egress(const char *name, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = EGRESS_HANDLE, .priority = EGRESS_PRIORITY);
	int err = ifindex ? bpf_tc_detach(&hook, &opts) : 0;

	if (!err || err == -ENOENT || err == -EINVAL || err == -ENODEV)
		return 0; /* no filter, no clsact, no device */
	return fail(err, "cannot remove the egress program of %s: %s", name,
		    datapath_reason(err));
}

bool interface_watched(const struct interface *iface)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = iface->ifindex,
		    .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = EGRESS_HANDLE, .priority = EGRESS_PRIORITY);
	int err = bpf_tc_query(&hook, &opts);

	return err != -ENOENT && err != -EINVAL; /* no filter, no clsact */
}
