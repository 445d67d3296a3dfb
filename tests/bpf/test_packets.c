// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single packets: the verdict, the one line and the one port counter charged, and that no other
 * counter changed. The cases are in cases_*.h.
 */
#include <string.h>

#include "cases_ipv4.h"
#include "cases_ipv6.h"
#include "cases_link.h"
#include "cases_rules.h"
#include "cases_transport.h"
#include "charged.h"
#include "filter.h"
#include "packet_case.h"
#include "random.h"
#include "tap.h"

static const struct {
	const char *name;
	const struct packet_case *cases;
	size_t count;
} tables[] = {
	{ "rules", cases_rules, ARRAY_SIZE(cases_rules) },
	{ "link", cases_link, ARRAY_SIZE(cases_link) },
	{ "transport", cases_transport, ARRAY_SIZE(cases_transport) },
	{ "IPv4", cases_ipv4, ARRAY_SIZE(cases_ipv4) },
	{ "IPv6", cases_ipv6, ARRAY_SIZE(cases_ipv6) },
};

/* Returns the line that a case names. Rules have lines in the order of the text. */
static __u32 expected_line(const struct packet_case *packet)
{
	size_t length = strlen(packet->line);
	__u32 line = LINE_FIRST_RULE;

	if (builtin_line(packet->line, packet->verdict) != LINES_BUILTIN)
		return builtin_line(packet->line, packet->verdict);
	for (const char *row = packet->rules; *row; row = strchr(row, '\n') + 1) {
		if (!strncmp(row, packet->line, length) && row[length] == '\n')
			return line;
		line += !strncmp(row, "allow ", 6) || !strncmp(row, "drop ", 5);
	}
	tap_bail("no rule \"%s\" in the rules of \"%s\"", packet->line, packet->name);
}

static void run_case(struct filter *filter, const char *table, const struct packet_case *packet,
		     const char *tagged, const struct frame *frame)
{
	bool run =
		check_frame(filter, frame, packet->verdict, expected_line(packet), packet->key);

	tap_end("%s: %s%s: %s%s", table, packet->name, tagged, verdict_name(packet->verdict),
		run ? "" : " # SKIP Linux 6.18 or newer is needed");
}

/*
 * A VLAN tag sends a packet to the slow path. The result must be the same, so every case of an
 * untagged IP packet is run with one and with two tags as well.
 */
static void run_tagged(struct filter *filter, const char *table,
		       const struct packet_case *packet, struct frame *frame)
{
	if (frame_type(frame) != 0x0800 && frame_type(frame) != 0x86DD)
		return;
	add_tag_to_frame(frame, 0x8100);
	run_case(filter, table, packet, ", tagged", frame);
	add_tag_to_frame(frame, 0x88A8);
	run_case(filter, table, packet, ", tagged twice", frame);
}

static void run_tables(struct filter *filter, unsigned int slot, const char *suite, bool tagged)
{
	const char *rules = NULL; /* the current ones: changing them takes time */
	struct frame frame;
	char name[64];

	filter_generation(filter, slot);
	for (size_t t = 0; t < ARRAY_SIZE(tables); t++) {
		snprintf(name, sizeof(name), "%s%s", suite, tables[t].name);
		for (size_t i = 0; i < tables[t].count; i++) {
			const struct packet_case *packet = &tables[t].cases[i];

			if (rules != packet->rules)
				filter_rules(filter, slot, packet->rules);
			rules = packet->rules;
			build(&frame, packet->layers);
			run_case(filter, name, packet, "", &frame);
			if (tagged)
				run_tagged(filter, name, packet, &frame);
		}
	}
}

/* Only slot `generation & 1` judges; the generation may wrap around. */
static void test_slots(struct filter *filter)
{
	static const __u32 generations[] = { 0, 1, 2, 3, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF };
	struct generation *table = filter->program->bss->table;
	struct frame frame;

	build_tcp(&frame, 22);
	filter_rules(filter, 1, OPEN);
	memcpy(&table[0], &table[1], sizeof(table[0]));
	table[0].entries[T(22)] = entry_make(VERDICT_PASS, 0, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(generations); i++) {
		bool odd = generations[i] & 1;

		filter_generation(filter, generations[i]);
		check_frame(filter, &frame, odd ? VERDICT_DROP : VERDICT_PASS,
			    odd ? LINE_FIRST_RULE : 1000, T(22));
		tap_end("generation %u uses slot %u", generations[i], odd);
	}
}

/* Entries that compile() never writes let nothing through. */
static void test_entries(struct filter *filter)
{
	struct generation *table = &filter->program->bss->table[0];
	struct changes changes;
	struct frame frame, arp;
	__u32 verdict;

	filter_generation(filter, 0);
	memset(table, 0, sizeof(*table));
	build_tcp(&frame, 22);
	build(&arp, (const struct layer[LAYERS_MAX]){ NEXT(0x0806), DATA(28) });
	check_frame(filter, &frame, VERDICT_DROP, LINE_UNSET, T(22));
	tap_end("an entry of zero drops a packet to a port");
	check_frame(filter, &arp, VERDICT_DROP, LINE_UNSET, NO_PORT);
	tap_end("an entry of zero drops a packet without a port");
	table->entries[T(22)] = entry_make(VERDICT_DROP, 0, MAX_LINES - 1);
	check_frame(filter, &frame, VERDICT_DROP, MAX_LINES - 1, T(22));
	tap_end("the last line can be charged");
	table->entries[T(22)] = entry_make(VERDICT_PASS, 0, MAX_LINES);
	if (filter_run(filter, &frame, 1, &verdict) || verdict != VERDICT_DROP)
		tap_wrong("the verdict was %u, not drop", verdict);
	filter_changes(filter, &changes);
	if (changes.line_count || changes.port_count || changes.stray)
		tap_wrong("something was charged");
	tap_end("a line out of range drops, and charges nothing");
}

/* Gives every key its own line. Keys with a port pass, the others drop, to tell them apart. */
static void fill_by_key(struct filter *filter)
{
	entry_t *entries = filter->program->bss->table[0].entries;

	filter_generation(filter, 0);
	for (__u32 key = 0; key < KEYS_USED; key++)
		entries[key] = key < PORT_KEYS ? entry_make(VERDICT_PASS, 0, key)
					       : entry_make(VERDICT_DROP, 0, key - PORT_KEYS);
}

/* Runs a frame after fill_by_key(). Returns its key, or KEYS if it was charged wrongly. */
static __u32 key_of(struct filter *filter, const struct frame *frame)
{
	struct changes changes;
	__u32 verdict = 0, key;
	bool has_port;

	if (filter_run(filter, frame, 1, &verdict))
		return KEYS;
	filter_changes(filter, &changes);
	has_port = verdict == VERDICT_PASS;
	key = changes.line.index + (has_port ? 0 : PORT_KEYS);
	if (changes.line_count != 1 || changes.port_count != has_port ||
	    (has_port && changes.pass.index != key) || changes.line.grew.bytes != frame->length)
		return KEYS;
	return key;
}

/* Builds a random case's packet with a few bytes of its headers, or its length, changed. */
static void build_mutant(struct random *random, struct frame *frame)
{
	do {
		__u32 t = random_below(random, ARRAY_SIZE(tables));

		build(frame, tables[t].cases[random_below(random, tables[t].count)].layers);
		frame->first_buffer = 0;
	} while (frame_type(frame) != 0x0800 && frame_type(frame) != 0x86DD);
	for (__u32 i = random_below(random, 4); i > 0; i--) {
		__u32 room = frame->length - ETHERNET_HEADER;
		__u8 *byte = frame->bytes + ETHERNET_HEADER;

		byte += random_below(random, room && room < 80 ? room : 80);
		*byte = random_once_in(random, 2) ? random_below(random, 256)
						  : *byte + random_below(random, 3) - 1;
	}
	if (random_once_in(random, 4) && frame->length > 40 && frame->length < FRAME_MAX - 100)
		frame->length += random_below(random, 80) - 20;
}

/* The fast path and the slow path must find the same key in random packets too. */
static void test_mutants(struct filter *filter)
{
	enum { MUTANTS = 4000 };
	struct random random = { 1 };
	struct frame frame;

	fill_by_key(filter);
	for (unsigned int i = 0; i < MUTANTS; i++) {
		__u32 fast, tagged;

		build_mutant(&random, &frame);
		fast = key_of(filter, &frame);
		add_tag_to_frame(&frame, 0x8100);
		tagged = key_of(filter, &frame);
		if (fast == tagged && fast != KEYS)
			continue;
		tap_wrong("packet %u has key %u, %u when tagged (%u: wrongly charged):", i,
			  fast, tagged, KEYS);
		for (__u32 n = 0; n < frame.length && n < 128; n += 16)
			tap_wrong_bytes(frame.bytes + n, 16);
		break;
	}
	tap_end("%u randomly changed packets have the same key with and without a tag",
		MUTANTS);
}

int main(void)
{
	struct filter own, shared;
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		tap_bail("cannot read the CPU affinity: %s", strerror(errno));
	pin_to_first_cpu();
	filter_load(&own, cpu + 1);
	run_tables(&own, 0, "", true);
	test_slots(&own);
	test_entries(&own);
	filter_close(&own);
	/* The last CPU, which uses the shared counters unless it is CPU 0. */
	for (cpu = CPU_SETSIZE - 1; !CPU_ISSET(cpu, &cpus);)
		cpu--;
	pin_to_cpu(cpu);
	filter_load(&shared, 1);
	run_tables(&shared, 1, cpu ? "shared counters, slot 1, " : "slot 1, ", false);
	test_mutants(&shared);
	filter_close(&shared);
	return tap_done();
}
