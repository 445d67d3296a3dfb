// SPDX-License-Identifier: GPL-2.0-only
#include "ports.h"

#include "evaluate.h"
#include "names.h"
#include "util.h"

const char *reach_name(enum reach reach)
{
	static const char *const names[] = {
		[REACH_NONE] = "no",
		[REACH_GRANT] = "grant only",
		[REACH_SOURCES] = "sources",
		[REACH_ALL] = "everyone",
	};

	return names[reach];
}

const char *port_state_name(enum port_state state)
{
	static const char *const names[] = {
		[STATE_OPEN] = "open",
		[STATE_CLOSED] = "closed",
		[STATE_FILTERED] = "filtered",
		[STATE_OPEN_OR_FILTERED] = "open|filtered",
	};

	return names[state];
}

static bool names_key(const struct rule *rule, __u32 key, __u32 most)
{
	__u8 transport = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP;

	for (size_t i = 0; i < rule->term_count; i++) {
		const struct term *term = &rule->terms[i];

		if (term->transports & transport && term->first <= key_port(key) &&
		    key_port(key) <= term->last && term->last - term->first < (int)most)
			return true;
	}
	return false;
}

bool port_is_named(const struct ruleset *ruleset, __u32 key)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (names_key(&ruleset->rules[i], key, PORTS_NAMED))
			return true;
	}
	return false;
}

/* Somebody of each family whom no rule names: nobody has these addresses. */
static const struct prefix nobodies[] = {
	{ .family = 4, .length = 32 },
	{ .family = 6, .length = 128 },
};

static enum verdict judge(const struct outlook *outlook, __u32 key, const struct prefix *source)
{
	return outlook->image ? evaluate(outlook->image, key, source, outlook->now)
			      : VERDICT_PASS;
}

/* Of somebody: what passes for one family is reachable. */
static enum verdict judge_anybody(const struct outlook *outlook, __u32 key)
{
	enum verdict verdict;

	if (outlook->source)
		return judge(outlook, key, outlook->source);
	verdict = judge(outlook, key, &nobodies[0]);
	return verdict == VERDICT_PASS ? verdict : judge(outlook, key, &nobodies[1]);
}

/* Whether some source that a rule names is let through. */
static bool has_source(const struct outlook *outlook, __u32 key)
{
	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		if (rule->action != VERDICT_PASS || rule->knock ||
		    (rule->term_count && !names_key(rule, key, 65536)))
			continue;
		for (size_t s = 0; s < rule->source_count; s++) {
			if (judge(outlook, key, &rule->sources[s]) == VERDICT_PASS)
				return true;
		}
	}
	return false;
}

static bool has_door(const struct outlook *outlook, __u32 key)
{
	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		if (rule->knock && names_key(rule, key, 65536))
			return true;
	}
	return false;
}

enum reach port_reach(const struct outlook *outlook, __u32 key)
{
	if (judge_anybody(outlook, key) == VERDICT_PASS)
		return REACH_ALL;
	if (!outlook->source && has_source(outlook, key))
		return REACH_SOURCES;
	return has_door(outlook, key) ? REACH_GRANT : REACH_NONE;
}

/* What listens on UDP need not answer, so from outside it may look as if dropped. */
enum port_state port_state(const struct outlook *outlook, __u32 key, bool listens)
{
	bool udp = key >= PORT_KEY_UDP;

	switch (judge_anybody(outlook, key)) {
	case VERDICT_PASS:
		if (!listens)
			return STATE_CLOSED;
		return udp ? STATE_OPEN_OR_FILTERED : STATE_OPEN;
	case VERDICT_REJECT:
		return STATE_CLOSED;
	default:
		return udp ? STATE_OPEN_OR_FILTERED : STATE_FILTERED;
	}
}
