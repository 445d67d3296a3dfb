// SPDX-License-Identifier: GPL-2.0-only
/* Metrics of listening ports and their states. */
#include <errno.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "print/metrics.h"
#include "state/inventory.h"

/* Compiles the rules again only if they have changed or one of them has expired. */
static int update_outlook(struct shown_history *shown, const struct snapshot *snapshot,
			  const struct interface *iface)
{
	struct outlook *outlook = &shown->outlook;
	int err;

	outlook->ruleset = &snapshot->ruleset;
	outlook->now = since_boot();
	if (shown->created == snapshot->dp.control->created &&
	    shown->generation == snapshot->generation &&
	    (!shown->next_end || outlook->now < shown->next_end))
		return 0;
	outlook_clear(outlook);
	shown->created = 0;
	err = outlook_prepare(outlook, iface, 1);
	if (err)
		return err;
	shown->created = snapshot->dp.control->created;
	shown->generation = snapshot->generation;
	shown->next_end = ruleset_next_end(outlook->ruleset, outlook->now);
	return 0;
}

static int add_listening(struct interface_metrics *iface, const struct outlook *outlook,
			 const struct listener *listeners, size_t count, size_t max_ports)
{
	size_t next;

	for (size_t i = 0; i < count && iface->listening_count < max_ports; i = next) {
		__u32 key = listeners[i].key;
		unsigned char families;

		for (next = i + 1; next < count && listeners[next].key == key;)
			next++;
		families = listeners_families(&listeners[i], next - i);
		if (!families || port_is_unnamed(outlook, key))
			continue;
		if (array_reserve(&iface->listening, &iface->listening_room,
				  iface->listening_count, sizeof(*iface->listening)))
			return -ENOMEM;
		iface->listening[iface->listening_count++] =
			(struct listening_metrics){ key, port_state(outlook, key, families) };
	}
	return 0;
}

int metrics_collect_listening(struct metrics *metrics, struct metrics_history *history,
			      size_t max_ports)
{
	cleanup_free struct listener *listeners = NULL;
	size_t count;
	int err = listeners_sockets(&listeners, &count);

	for (size_t i = 0; i < metrics->interface_count && !err; i++) {
		struct shown_history *shown = &history->interfaces[i];

		err = update_outlook(shown, &metrics->snapshot,
				     &metrics->snapshot.dp.interfaces[i])
			      ?: add_listening(&metrics->interfaces[i], &shown->outlook,
					       listeners, count, max_ports);
	}
	return err;
}
