// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "advise/doctor.h"
#include "base/array.h"

#define MIB (1 << 20)
#define ORDINARY_MTU 1500

/* One interface while it is checked. */
struct examined {
	struct doctor *doctor;
	const char *name;
	const struct interface *iface; /* NULL: portctl is not attached */
	struct ifreq request; /* ifr_name is set */
	int fd; /* a socket for the ioctls */
	char advice[160];
};

/* Formats an advice. The result is valid until the next call. */
__attribute__((format(printf, 2, 3))) static const char *format_advice(
	struct examined *examined, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(examined->advice, sizeof(examined->advice), format, arguments);
	va_end(arguments);
	return examined->advice;
}

static int query_ethtool(struct examined *examined, void *command)
{
	examined->request.ifr_data = command;
	return ioctl(examined->fd, SIOCETHTOOL, &examined->request) ? -errno : 0;
}

static void check_driver(struct examined *examined)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };

	if (!query_ethtool(examined, &driver))
		doctor_report(examined->doctor, LEVEL_OK, "driver", NULL, "%.31s",
			      driver.driver);
	else
		doctor_report(examined->doctor, LEVEL_NOTE, "driver", NULL,
			      "the driver does not report its name");
}

static void check_xdp_mode(struct examined *examined)
{
	const struct interface *iface = examined->iface;

	if (!iface)
		doctor_report(examined->doctor, LEVEL_NOTE, "mode",
			      format_advice(examined, "run portctl attach %s", examined->name),
			      "portctl is not attached here");
	else if (!strcmp(iface->mode, "generic"))
		doctor_report(examined->doctor, LEVEL_WARN, "mode",
			      format_advice(examined,
					    "run portctl detach %s, then portctl attach %s "
					    "--mode native, which says why it fails",
					    iface->name, iface->name),
			      "generic XDP, which is slower: the driver has no native XDP, or "
			      "--mode generic was given");
	else if (interface_gone(iface))
		doctor_report(examined->doctor, LEVEL_FAIL, "mode",
			      format_advice(examined, "run portctl attach %s", iface->name),
			      "the interface is gone, or replaced by another of this name");
	else
		doctor_report(examined->doctor, LEVEL_OK, "mode", NULL, "%s", iface->mode);
	if (iface && interface_renamed(iface))
		doctor_report(
			examined->doctor, LEVEL_WARN, "name",
			format_advice(examined,
				      "to use the new name, run portctl save, portctl detach "
				      "%s, portctl restore",
				      iface->name),
			"renamed since it was attached as %s: rules \"on %s\" still apply",
			iface->name, iface->name);
}

/* The advice names the interface as it was attached: attach takes only that name. */
static void check_egress(struct examined *examined)
{
	const struct interface *iface = examined->iface;

	if (!iface || interface_gone(iface) || interface_watched(iface))
		return;
	doctor_report(examined->doctor, LEVEL_FAIL, "egress",
		      format_advice(examined, "run portctl attach %s", iface->name),
		      "the egress program is gone: with default drop only TCP replies come in");
}

static void check_up(struct examined *examined)
{
	if (!ioctl(examined->fd, SIOCGIFFLAGS, &examined->request) &&
	    !(examined->request.ifr_flags & IFF_UP))
		doctor_report(examined->doctor, LEVEL_NOTE, "link",
			      format_advice(examined, "run ip link set %s up", examined->name),
			      "the interface is down");
}

static void check_mtu(struct examined *examined)
{
	int mtu;

	if (ioctl(examined->fd, SIOCGIFMTU, &examined->request))
		return;
	mtu = examined->request.ifr_mtu;
	if (mtu > ORDINARY_MTU)
		doctor_report(examined->doctor, LEVEL_NOTE, "mtu", NULL,
			      "%d: frames may span several buffers, which works", mtu);
	else
		doctor_report(examined->doctor, LEVEL_OK, "mtu", NULL, "%d", mtu);
}

/* LRO changes what XDP sees: merged segments are no longer the received frames. */
static void check_offloads(struct examined *examined)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	if (query_ethtool(examined, &flags))
		return;
	if (flags.data & ETH_FLAG_LRO)
		doctor_report(
			examined->doctor, LEVEL_WARN, "lro",
			format_advice(examined, "run ethtool -K %s lro off", examined->name),
			"the device merges TCP segments before portctl sees them");
	if (flags.data & ETH_FLAG_RXVLAN)
		doctor_report(examined->doctor, LEVEL_OK, "vlan", NULL,
			      "the device strips VLAN tags; the packets are filtered as usual");
}

/* Not from /sys: it shows the devices of the namespace in which it was mounted. */
static void check_queues(struct examined *examined)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), queues;

	if (query_ethtool(examined, &channels)) /* the device does not report its queues */
		return;
	queues = channels.rx_count + channels.combined_count;
	if (queues < cpus)
		doctor_report(
			examined->doctor, LEVEL_NOTE, "queues",
			format_advice(examined,
				      "run ethtool -L %s combined N, if the device has more",
				      examined->name),
			"%ld for %ld CPUs: only %ld can filter packets at once", queues, cpus,
			queues);
	else
		doctor_report(examined->doctor, LEVEL_OK, "queues", NULL, "%ld for %ld CPUs",
			      queues, cpus);
}

static void check_counters(struct examined *examined)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (examined->iface && examined->iface->cpus && (long)examined->iface->cpus < cpus)
		doctor_report(
			examined->doctor, LEVEL_WARN, "counters",
			format_advice(examined,
				      "run portctl detach %s, then portctl attach %s, which "
				      "resets the counters",
				      examined->iface->name, examined->iface->name),
			"only %zu of %ld CPUs have counters of their own: the others share "
			"counters, which is slower",
			examined->iface->cpus, cpus);
}

static void check_interface_memory(struct examined *examined)
{
	const struct datapath *dp = examined->doctor->dp;
	__u64 bytes = examined->iface ? datapath_memory(dp, examined->iface->name) : 0;

	if (bytes)
		doctor_report(examined->doctor, LEVEL_OK, "memory", NULL, "%llu MiB",
			      (unsigned long long)bytes / MIB);
}

/*
 * Finds the attached interface by its current name, or one that is gone by its last name. A
 * renamed interface is not found by its old name.
 */
static const struct interface *doctor_find_attached(const struct datapath *dp, const char *name)
{
	const struct interface *iface = datapath_device(dp, name);

	if (!iface)
		iface = datapath_interface(dp, name);
	return iface && !strcmp(iface->device, name) ? iface : NULL;
}

void doctor_check_interface(struct doctor *doctor, const char *name)
{
	static void (*const checks[])(struct examined * examined) = {
		check_driver, check_xdp_mode, check_egress,
		check_up,     check_mtu,      check_offloads,
		check_queues, check_counters, check_interface_memory,
	};
	struct examined examined = {
		.doctor = doctor,
		.name = name,
		.iface = doctor->dp ? doctor_find_attached(doctor->dp, name) : NULL,
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
