// SPDX-License-Identifier: GPL-2.0-only
#include "print/shown_ports.h"

#include <errno.h>

#include "base/cleanup.h"

static void tally_add(struct tally *sum, const struct tally *part)
{
	sum->packets += part->packets;
	sum->bytes += part->bytes;
}

static void port_counter_add(struct port_counter *sum, const struct port_counter *part)
{
	tally_add(&sum->pass, &part->pass);
	tally_add(&sum->drop, &part->drop);
}

static struct port_counter difference(const struct port_counter *from,
				      const struct port_counter *part)
{
	return (struct port_counter){
		.pass = { from->pass.packets - part->pass.packets,
			  from->pass.bytes - part->pass.bytes },
		.drop = { from->drop.packets - part->drop.packets,
			  from->drop.bytes - part->drop.bytes },
	};
}

static bool went_back(const struct port_counter *before, const struct port_counter *now)
{
	return now->pass.packets < before->pass.packets ||
	       now->pass.bytes < before->pass.bytes ||
	       now->drop.packets < before->drop.packets || now->drop.bytes < before->drop.bytes;
}

void shown_ports_clear(struct shown_ports *shown)
{
	free(shown->list);
	*shown = (struct shown_ports){ 0 };
}

static bool any_went_back(const struct shown_ports *shown, const struct port_counter *ports)
{
	for (size_t i = 0; i < shown->count; i++) {
		struct port_counter before = shown->list[i].base;

		port_counter_add(&before, &shown->list[i].value);
		if (went_back(&before, &ports[shown->list[i].key]))
			return true;
	}
	return false;
}

/* Makes places[key]: the index of a key in the list plus 1; 0: it is not shown. */
static __u32 *find_places(const struct shown_ports *shown)
{
	__u32 *places = calloc(PORT_KEYS, sizeof(*places));

	for (size_t i = 0; i < shown->count && places; i++)
		places[shown->list[i].key] = i + 1;
	return places;
}

/*
 * keys[] is sorted, busiest first: candidates for a series are taken from its beginning, and
 * the shown ports that they replace from its end.
 */
static void choose(struct shown_ports *shown, const struct port_counter *ports, size_t max,
		   const __u32 *keys, size_t count, __u32 *places)
{
	size_t last = count;

	for (size_t i = 0; i < last; i++) {
		__u32 key = keys[i];

		if (places[key])
			continue;
		if (shown->count < max) {
			shown->list[shown->count++] = (struct shown_port){ .key = key };
			places[key] = shown->count;
			continue;
		}
		do
			last = last ? last - 1 : 0;
		while (last > i && !places[keys[last]]);
		if (last <= i ||
		    port_packets(&ports[key]) <= 2 * port_packets(&ports[keys[last]]))
			break;
		shown->list[places[keys[last]] - 1] =
			(struct shown_port){ .key = key, .base = ports[key] };
		places[key] = places[keys[last]];
		places[keys[last]] = 0;
	}
}

static void set_values(struct shown_ports *shown, const struct port_counter *ports,
		       const __u32 *places)
{
	shown->others[0] = shown->others[1] = (struct port_counter){ 0 };
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		struct shown_port *port = places[key] ? &shown->list[places[key] - 1] : NULL;

		if (port)
			port->value = difference(&ports[key], &port->base);
		port_counter_add(&shown->others[key >= PORT_KEY_UDP],
				 port ? &port->base : &ports[key]);
	}
}

static int update(struct shown_ports *shown, const struct port_counter *ports, size_t max)
{
	cleanup_free __u32 *places = NULL, *keys = NULL;
	size_t count;

	if (!shown->list)
		shown->list = calloc(max + 1, sizeof(*shown->list));
	places = find_places(shown);
	count = stats_busiest(ports, NULL, 0, false, &keys);
	if (!shown->list || !places || !keys)
		return -ENOMEM;
	choose(shown, ports, max, keys, count, places);
	set_values(shown, ports, places);
	return 0;
}

int shown_ports_update(struct shown_ports *shown, const struct port_counter *ports, size_t max)
{
	struct port_counter before[2] = { shown->others[0], shown->others[1] };
	int err;

	if (any_went_back(shown, ports)) {
		shown_ports_clear(shown);
		return update(shown, ports, max);
	}
	err = update(shown, ports, max);
	if (!err && (went_back(&before[0], &shown->others[0]) ||
		     went_back(&before[1], &shown->others[1]))) {
		shown_ports_clear(shown);
		err = update(shown, ports, max);
	}
	return err;
}
