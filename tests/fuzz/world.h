/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The expected outcome of a frame, by the rules and the state beside them: grants of a knock,
 * conversations this host began, and packets that limits have let through.
 */
#ifndef WORLD_H
#define WORLD_H

#include "charged.h"
#include "frames.h"
#include "oracle.h"
#include "random_sources.h"
#include "slow_sources.h"

#define IFACE "eth0"
#define CONVERSATIONS 12
#define ADDRESSES ARRAY_SIZE(random_networks)
#define COUNTED_MAX 4096

/* Frames to its last port are not sent, so that no source opens it by chance. */
#define KNOCK "knock k opens 66-67 for 1h after 70/tcp 72/udp 9999/tcp within 10s"
#define LAST_STEP (PORT_KEY_TCP + 9999)

/* Packets that a limit has let through, of one source or of all. */
struct counted {
	const struct rule *rule;
	struct prefix source; /* family 0: all */
	unsigned int packets;
};

struct world {
	struct ruleset ruleset;
	struct rule *knock; /* the rule of KNOCK, or NULL */
	bool granted[ADDRESSES]; /* whether the address has opened the knock */
	bool echo_limited; /* the limit of echo requests is reached */
	struct conversation conversations[CONVERSATIONS];
	struct counted counted[COUNTED_MAX];
	size_t counted_count;
};

/* The expected outcome of a frame. */
struct outcome {
	enum verdict verdict;
	__u32 line;
	const struct rule *per_source; /* the rule whose limit per source let the frame pass */
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

static inline bool is_granted(const struct world *world, const struct prefix *source)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		struct prefix address = known_address(i);

		if (world->granted[i] && same_prefix(&address, source))
			return true;
	}
	return false;
}

/*
 * Counts a packet at a rule's limit and returns whether it passes. A limit per source counts
 * IPv4 addresses and IPv6 /64 networks.
 */
static inline bool count_packet(struct world *world, const struct rule *rule,
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

static inline bool belongs_to(const struct conversation *conversation,
			      const struct reading *reading)
{
	if (conversation->protocol != reading->protocol ||
	    !same_prefix(&conversation->remote, &reading->source) ||
	    memcmp(reading->destination.address,
		   conversation->remote.family == 4 ? LOCAL4 : LOCAL6,
		   conversation->remote.family == 4 ? 4 : 16))
		return false;
	switch (conversation->protocol) {
	case 6:
		if (!(reading->tcp_flags & (0x10 | 0x04 | 0x01))) /* ACK, RST, FIN */
			return false;
		/* fallthrough */
	case 17:
		return reading->source_port == conversation->remote_port &&
		       (reading->key & 0xFFFF) == conversation->local_port;
	case 1:
	case 58:
		return reading->icmp_type == (conversation->protocol == 1 ? 0 : 129) &&
		       reading->icmp_id == conversation->remote_port;
	}
	return true;
}

static inline bool is_reply(const struct world *world, const struct reading *reading)
{
	for (size_t i = 0; i < CONVERSATIONS; i++) {
		if (!world->conversations[i].unseen &&
		    belongs_to(&world->conversations[i], reading))
			return true;
	}
	return false;
}

/* Whether the key is a step of the knock or a port that it opens. */
static inline bool is_of_knock(const struct world *world, __u32 key)
{
	if (!world->knock || key >= PORT_KEYS)
		return false;
	for (int i = 0; i < 3; i++) {
		if (world->knock->knock->sequences[SEQUENCE_OPEN].steps[i] == key)
			return true;
	}
	return names_key(world->knock->terms, key);
}

/* The outcome of a packet that no rule and no lifeline matches. */
static inline struct outcome outcome_of_default(const struct world *world,
						const struct reading *reading)
{
	enum verdict fallback = world->ruleset.fallback;
	bool of_knock = is_of_knock(world, reading->key);

	if ((of_knock || fallback != VERDICT_PASS) && is_reply(world, reading))
		return (struct outcome){ VERDICT_PASS, LINE_REPLY, NULL };
	if (of_knock)
		return (struct outcome){ VERDICT_DROP, LINE_KNOCK, NULL };
	return (struct outcome){ fallback, default_line(fallback), NULL };
}

/* Whether the packet is from a DHCP server to a client (RFC 2131, 8415). */
static inline bool is_dhcp(const struct reading *reading)
{
	__u32 client = reading->source.family == 4 ? 68 : 546;

	return reading->key == PORT_KEY_UDP + client &&
	       reading->source_port == (client == 68 ? 67 : 547);
}

/*
 * The outcome of a packet that no rule matches. `verdict` is for packets of special kinds
 * (malformed, fragments, lifelines), unless the kind is a lifeline that is off.
 */
static inline struct outcome outcome_of_kind(const struct world *world,
					     const struct reading *reading,
					     enum verdict verdict)
{
	static const struct {
		__u32 key;
		int option; /* -1: the kind always has this line */
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
	return outcome_of_default(world, reading);
}

/* Echo requests are limited unless the default is to allow. */
static inline bool is_limited_echo(const struct world *world, __u32 key)
{
	return world->echo_limited && (key == KEY_ECHO || key == KEY_ECHO6) &&
	       world->ruleset.fallback != VERDICT_PASS &&
	       world->ruleset.options[OPTION_ECHO] == VERDICT_PASS;
}

static inline struct outcome outcome_of_rule(struct world *world, const struct reading *reading,
					     const struct rule *rule)
{
	struct outcome outcome = { rule->action, rule->line, NULL };

	if (!rule->limit.count)
		return outcome;
	if (!count_packet(world, rule, &reading->source))
		return (struct outcome){ VERDICT_DROP, rule->limited_line, NULL };
	if (rule->limit.per_source)
		outcome.per_source = rule;
	return outcome;
}

/*
 * The rule that decides. The knock's rule holds for sources that have opened the knock, and has
 * expired for all others.
 */
static inline const struct rule *rule_for(struct world *world, const struct probe *probe,
					  bool granted, enum verdict *verdict)
{
	const struct rule *rule;

	if (world->knock)
		world->knock->ends = granted ? ~0ull : 1;
	*verdict = slow_evaluate(&world->ruleset, *probe, &rule);
	return rule;
}

/* The expected outcome of a frame, which limits then have counted. */
static inline struct outcome expect_outcome(struct world *world, const struct reading *reading)
{
	const struct probe probe = { IFACE, reading->key, reading->source, NOW };
	const struct rule *first, *rule;
	enum verdict verdict;

	first = rule_for(world, &probe, true, &verdict);
	rule = rule_for(world, &probe, is_granted(world, &reading->source), &verdict);
	if ((!rule || rule->term_count) && is_dhcp(reading) &&
	    world->ruleset.options[OPTION_DHCP] == VERDICT_PASS)
		return (struct outcome){ VERDICT_PASS, LINE_DHCP, NULL };
	if (!rule && is_limited_echo(world, reading->key))
		return (struct outcome){ VERDICT_DROP, LINE_ECHO_LIMITED, NULL };
	/* A connection made during a grant goes on after it, whatever rule is next. */
	if (rule && rule != first && verdict != VERDICT_PASS && is_reply(world, reading))
		return (struct outcome){ VERDICT_PASS, LINE_REPLY, NULL };
	return rule ? outcome_of_rule(world, reading, rule)
		    : outcome_of_kind(world, reading, verdict);
}

/*
 * Whether `reject` may answer (RFC 1122, 3.2.2; RFC 4443, 2.4; RFC 9293, 3.10.7.1): source and
 * destination are single hosts, the packet is no error or reset itself, and it is long enough
 * to be quoted. Packets with extension headers are not answered.
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
