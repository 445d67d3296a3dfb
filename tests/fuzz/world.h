/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What there is beside the rules: who was let in by a door, what was begun from here,
 * what limits have let through; and what comes of a frame for all of it.
 */
#ifndef WORLD_H
#define WORLD_H

#include "charged.h"
#include "frames.h"
#include "oracle.h"
#include "random_sources.h"
#include "slow_sources.h"

#define IFACE "eth0"
#define TALKS 12
#define ADDRESSES ARRAY_SIZE(random_networks)
#define COUNTED_MAX 4096

/* Nobody sends to its last port, so that nobody opens it by chance. */
#define DOOR "knock k opens 66-67 for 1h after 70/tcp 72/udp 9999/tcp within 10s"
#define LAST_STEP (PORT_KEY_TCP + 9999)

/* How many packets one limit has let through, or of one source. */
struct counted {
	const struct rule *rule;
	struct prefix source; /* family 0: of all */
	unsigned int packets;
};

struct world {
	struct ruleset ruleset;
	struct rule *door; /* NULL: there is none */
	bool guests[ADDRESSES];
	bool echo_over; /* the limit of echo requests is reached */
	struct conversation talks[TALKS];
	struct counted counted[COUNTED_MAX];
	size_t counted_count;
};

/* What comes of a frame. */
struct outcome {
	enum verdict verdict;
	__u32 line;
	const struct rule *per_source; /* its limit has let the frame through */
};

static inline struct prefix known_address(size_t which)
{
	struct prefix prefix;
	char expected[128];

	if (prefix_parse(random_networks[which].text, &prefix, expected))
		abort();
	return prefix;
}

static inline bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && !memcmp(a->address, b->address, sizeof(a->address));
}

static inline bool is_guest(const struct world *world, const struct prefix *source)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		struct prefix guest = known_address(i);

		if (world->guests[i] && same_prefix(&guest, source))
			return true;
	}
	return false;
}

/* Sources are whole with IPv4, and networks of 64 bits with IPv6. */
static inline bool take_one(struct world *world, const struct rule *rule,
			    const struct prefix *source)
{
	struct prefix whose = { 0 };
	struct counted *counted = world->counted;

	if (rule->limit.per_source) {
		whose.family = source->family;
		memcpy(whose.address, source->address, source->family == 4 ? 4 : 8);
	}
	while (counted < world->counted + world->counted_count &&
	       (counted->rule != rule || !same_prefix(&counted->source, &whose)))
		counted++;
	if (counted == world->counted + world->counted_count) {
		if (++world->counted_count == COUNTED_MAX)
			abort();
		*counted = (struct counted){ rule, whose, 0 };
	}
	return counted->packets++ < (rule->limit.burst ?: 1);
}

static inline bool is_part_of(const struct conversation *talk, const struct reading *reading)
{
	if (talk->protocol != reading->protocol ||
	    !same_prefix(&talk->remote, &reading->source) ||
	    memcmp(reading->destination.address, talk->remote.family == 4 ? LOCAL4 : LOCAL6,
		   talk->remote.family == 4 ? 4 : 16))
		return false;
	switch (talk->protocol) {
	case 6:
		if (!(reading->tcp_flags & (0x10 | 0x04 | 0x01))) /* ACK, RST, FIN */
			return false;
		/* fallthrough */
	case 17:
		return reading->source_port == talk->remote_port &&
		       (reading->key & 0xFFFF) == talk->local_port;
	case 1:
	case 58:
		return reading->icmp_type == (talk->protocol == 1 ? 0 : 129) &&
		       reading->icmp_id == talk->remote_port;
	}
	return true;
}

static inline bool is_wanted(const struct world *world, const struct reading *reading)
{
	for (size_t i = 0; i < TALKS; i++) {
		if (!world->talks[i].unseen && is_part_of(&world->talks[i], reading))
			return true;
	}
	return false;
}

/* Whether it is knocked at, or a door. */
static inline bool is_knocked(const struct world *world, __u32 key)
{
	if (!world->door || key >= PORT_KEYS)
		return false;
	for (int i = 0; i < 3; i++) {
		if (world->door->knock->sequences[SEQUENCE_OPEN].steps[i] == key)
			return true;
	}
	return names_key(world->door->terms, key);
}

/* No rule is for it, and no lifeline. */
static inline struct outcome come_to_default(const struct world *world,
					     const struct reading *reading)
{
	enum verdict fallback = world->ruleset.fallback;
	bool knocked = is_knocked(world, reading->key);

	if ((knocked || fallback != VERDICT_PASS) && is_wanted(world, reading))
		return (struct outcome){ VERDICT_PASS, LINE_REPLY, NULL };
	if (knocked)
		return (struct outcome){ VERDICT_DROP, LINE_KNOCK, NULL };
	return (struct outcome){ fallback, default_line(fallback), NULL };
}

/* From a DHCP server to a client (RFC 2131, 8415). */
static inline bool is_dhcp(const struct reading *reading)
{
	__u32 client = reading->source.family == 4 ? 68 : 546;

	return reading->key == PORT_KEY_UDP + client &&
	       reading->source_port == (client == 68 ? 67 : 547);
}

/* `verdict` is that of the packet's kind where it is no lifeline that is off. */
static inline struct outcome come_to_kind(const struct world *world,
					  const struct reading *reading, enum verdict verdict)
{
	static const struct {
		__u32 key;
		int option; /* -1: it is always the packet's line */
		const char *line;
	} kinds[] = {
		{ KEY_NOT_IP, -1, "not-ip" },
		{ KEY_MALFORMED, -1, "malformed" },
		{ KEY_FRAGMENT, -1, "fragment" },
		{ KEY_ERROR, OPTION_ERRORS, "icmp-errors" },
		{ KEY_ERROR6, OPTION_ERRORS, "icmp-errors" },
		{ KEY_ECHO, OPTION_ECHO, "echo" },
		{ KEY_ECHO6, OPTION_ECHO, "echo" },
		{ KEY_NEIGHBOUR, OPTION_NEIGHBOURS, "neighbours" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].key == reading->key &&
		    (kinds[i].option < 0 ||
		     world->ruleset.options[kinds[i].option] == VERDICT_PASS))
			return (struct outcome){ verdict, builtin_line(kinds[i].line, verdict),
						 NULL };
	}
	return come_to_default(world, reading);
}

/* Echo requests are limited where not everything is let in. */
static inline bool is_echo_over(const struct world *world, __u32 key)
{
	return world->echo_over && (key == KEY_ECHO || key == KEY_ECHO6) &&
	       world->ruleset.fallback != VERDICT_PASS &&
	       world->ruleset.options[OPTION_ECHO] == VERDICT_PASS;
}

static inline struct outcome come_to_rule(struct world *world, const struct reading *reading,
					  const struct rule *rule)
{
	struct outcome outcome = { rule->action, rule->line, NULL };

	if (!rule->limit.count)
		return outcome;
	if (!take_one(world, rule, &reading->source))
		return (struct outcome){ VERDICT_DROP, rule->limited_line, NULL };
	if (rule->limit.per_source)
		outcome.per_source = rule;
	return outcome;
}

/* A door is a rule for its guests, and has ended for all others. */
static inline const struct rule *rule_for(struct world *world, const struct probe *probe,
					  bool guest, enum verdict *verdict)
{
	const struct rule *rule;

	if (world->door)
		world->door->ends = guest ? ~0ull : 1;
	*verdict = slow_evaluate(&world->ruleset, *probe, &rule);
	return rule;
}

/* What a frame comes to. Limits count it. */
static inline struct outcome come_of(struct world *world, const struct reading *reading)
{
	const struct probe probe = { IFACE, reading->key, reading->source, NOW };
	const struct rule *first, *rule;
	enum verdict verdict;

	first = rule_for(world, &probe, true, &verdict);
	rule = rule_for(world, &probe, is_guest(world, &reading->source), &verdict);
	if ((!rule || rule->term_count) && is_dhcp(reading) &&
	    world->ruleset.options[OPTION_DHCP] == VERDICT_PASS)
		return (struct outcome){ VERDICT_PASS, LINE_DHCP, NULL };
	if (!rule && is_echo_over(world, reading->key))
		return (struct outcome){ VERDICT_DROP, LINE_ECHO_LIMITED, NULL };
	/* Who came in by the door stays in, whatever is behind it. */
	if (rule && rule != first && verdict != VERDICT_PASS && is_wanted(world, reading))
		return (struct outcome){ VERDICT_PASS, LINE_REPLY, NULL };
	return rule ? come_to_rule(world, reading, rule)
		    : come_to_kind(world, reading, verdict);
}

/*
 * Whether `reject` may answer (RFC 1122, 3.2.2; RFC 4443, 2.4; RFC 9293, 3.10.7.1): a
 * single host has asked it of this one, what it asked is no answer itself, and there is
 * enough of it to be quoted. What has extension headers is not answered.
 */
static inline bool may_be_answered(const struct random_frame *frame,
				   const struct reading *reading)
{
	__u8 source = reading->source.address[0], destination = reading->destination.address[0];
	bool ipv4 = reading->source.family == 4;

	if (frame->bytes[0] & 1 || reading->fragment || reading->extended || !source)
		return false;
	if (ipv4 ? source >= 224 || destination >= 224 : source == 0xFF || destination == 0xFF)
		return false;
	if (reading->protocol == 6)
		return !(reading->tcp_flags & 0x04);
	if (ipv4 && reading->protocol == 1) {
		switch (reading->icmp_type) {
		case 3:
		case 4:
		case 5:
		case 11:
		case 12:
			return false;
		}
	}
	if (!ipv4 && reading->protocol == 58 &&
	    (reading->icmp_type < 128 || reading->icmp_type == 137))
		return false;
	return reading->transport + 8 <= frame->size;
}

#endif
