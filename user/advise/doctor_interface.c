// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "advise/doctor.h"
#include "base/array.h"

#define MIB (1 << 20)
#define ORDINARY_MTU 1500

/* What is asked about one interface. */
struct examined {
	struct doctor *doctor;
	const char *name;
	const struct interface *iface; /* NULL: not attached to */
	struct ifreq request;
	int fd;
};

static int ask_ethtool(struct examined *examined, void *question)
{
	examined->request.ifr_data = question;
	return ioctl(examined->fd, SIOCETHTOOL, &examined->request) ? -errno : 0;
}

static void check_driver(struct examined *examined)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };

	if (!ask_ethtool(examined, &driver))
		find(examined->doctor, LEVEL_OK, "driver", NULL, "%.31s", driver.driver);
	else
		find(examined->doctor, LEVEL_NOTE, "driver", NULL, "it does not say its name");
}

static void check_mode(struct examined *examined)
{
	const struct interface *iface = examined->iface;

	if (!iface)
		find(examined->doctor, LEVEL_NOTE, "mode", "portctl attach",
		     "portctl is not attached here");
	else if (!strcmp(iface->mode, "generic"))
		find(examined->doctor, LEVEL_WARN, "mode",
		     "detach and attach --mode native, which says why it cannot",
		     "generic: slower, as the driver could not, or as it was told to");
	else if (interface_gone(iface))
		find(examined->doctor, LEVEL_FAIL, "mode", "attach it again",
		     "the interface is gone, or another one now");
	else
		find(examined->doctor, LEVEL_OK, "mode", NULL, "%s", iface->mode);
	if (iface && interface_renamed(iface))
		find(examined->doctor, LEVEL_WARN, "name",
		     "save, detach it by that name and restore make it the new one",
		     "it was attached as %s: rules for %s judge it", iface->name, iface->name);
}

/* By the name that it has for portctl: by another one it is not attached to again. */
static void check_egress(struct examined *examined)
{
	const struct interface *iface = examined->iface;
	char advice[64];

	if (!iface || interface_gone(iface) || interface_watched(iface))
		return;
	snprintf(advice, sizeof(advice), "portctl attach %s", iface->name);
	find(examined->doctor, LEVEL_FAIL, "egress", advice,
	     "what watches what leaves is gone: under default drop no replies come "
	     "in but those of TCP");
}

static void check_up(struct examined *examined)
{
	if (!ioctl(examined->fd, SIOCGIFFLAGS, &examined->request) &&
	    !(examined->request.ifr_flags & IFF_UP))
		find(examined->doctor, LEVEL_NOTE, "link", "ip link set up", "it is down");
}

static void check_mtu(struct examined *examined)
{
	int mtu;

	if (ioctl(examined->fd, SIOCGIFMTU, &examined->request))
		return;
	mtu = examined->request.ifr_mtu;
	if (mtu > ORDINARY_MTU)
		find(examined->doctor, LEVEL_NOTE, "mtu", NULL,
		     "%d: frames in several buffers are judged whole, too", mtu);
	else
		find(examined->doctor, LEVEL_OK, "mtu", NULL, "%d", mtu);
}

/* Segments that were put together are no frames any more. */
static void check_offloads(struct examined *examined)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	if (ask_ethtool(examined, &flags))
		return;
	if (flags.data & ETH_FLAG_LRO)
		find(examined->doctor, LEVEL_WARN, "lro", "ethtool -K IFACE lro off",
		     "segments are put together before they are judged and counted");
	if (flags.data & ETH_FLAG_RXVLAN)
		find(examined->doctor, LEVEL_OK, "vlan", NULL,
		     "the device takes tags off; what is in the frames is judged all the same");
}

/* By ioctl, not from /sys, which shows the devices of whatever namespace it was mounted in. */
static void check_queues(struct examined *examined)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), queues;

	if (ask_ethtool(examined, &channels)) /* it has no queues that could be told */
		return;
	queues = channels.rx_count + channels.combined_count;
	if (queues < cpus)
		find(examined->doctor, LEVEL_NOTE, "queues",
		     "ethtool -L IFACE combined N, where the device has more",
		     "%ld for %ld CPUs: so many at most judge packets at a time", queues, cpus);
	else
		find(examined->doctor, LEVEL_OK, "queues", NULL, "%ld for %ld CPUs", queues,
		     cpus);
}

static void check_counters(struct examined *examined)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (examined->iface && examined->iface->cpus && (long)examined->iface->cpus < cpus)
		find(examined->doctor, LEVEL_WARN, "counters",
		     "detach and attach, which sets the counters to zero",
		     "%zu of %ld CPUs have their own: the others share some and are slower",
		     examined->iface->cpus, cpus);
}

static void check_memory(struct examined *examined)
{
	const struct datapath *dp = examined->doctor->dp;
	__u64 bytes = examined->iface ? datapath_memory(dp, examined->iface->name) : 0;

	if (bytes)
		find(examined->doctor, LEVEL_OK, "memory", NULL, "%llu MiB",
		     (unsigned long long)bytes / MIB);
}

/* One that is gone has the name still, but not where a renamed one had it. */
static const struct interface *find_attached(const struct datapath *dp, const char *name)
{
	const struct interface *iface = datapath_device(dp, name);

	if (!iface)
		iface = datapath_interface(dp, name);
	return iface && !strcmp(iface->device, name) ? iface : NULL;
}

void examine_interface(struct doctor *doctor, const char *name)
{
	static void (*const checks[])(struct examined * examined) = {
		check_driver,	check_mode,   check_egress,   check_up,	    check_mtu,
		check_offloads, check_queues, check_counters, check_memory,
	};
	struct examined examined = {
		.doctor = doctor,
		.name = name,
		.iface = doctor->dp ? find_attached(doctor->dp, name) : NULL,
	};

	doctor->iface = name;
	strncpy(examined.request.ifr_name, name, IFNAMSIZ - 1);
	examined.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](&examined);
	if (examined.fd >= 0)
		close(examined.fd);
	doctor->iface = NULL;
}
