// SPDX-License-Identifier: GPL-2.0-only
#include "advise/audit.h"

#include <string.h>

#include "rules/names.h"
#include "rules/prefix.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/utf8.h"

#define SECOND 1000000000ull /* nanoseconds */
#define DAY (86400 * SECOND)

static const char *const finding_names[] = {
	[FINDING_UNNAMED] = "unnamed",
	[FINDING_WIDER] = "wider",
	[FINDING_EXPOSED] = "exposed",
	[FINDING_FILTERED] = "filtered",
	[FINDING_UNUSED] = "unused",
	[FINDING_IDLE] = "idle",
	[FINDING_FOREIGN_PORT] = "foreign-port",
	[FINDING_FOREIGN_PROGRAM] = "foreign-program",
};

_Static_assert(ARRAY_SIZE(finding_names) == FINDINGS, "every finding has a name");

const char *finding_name(enum finding finding)
{
	return finding_names[finding];
}

enum finding finding_of(const char *name)
{
	enum finding finding = 0;

	while (finding < FINDINGS && strcmp(finding_names[finding], name))
		finding++;
	return finding;
}

/* --- findings of ports -------------------------------------------------------- */

/* A port and the first of those who listen there for others than this host. */
struct place {
	__u32 key;
	const struct listener *listener;
	unsigned char families; /* that reach it there (enum families) */
	enum reach reach;
};

static void add(json_t *list, enum finding finding, const struct place *place, json_t *text)
{
	const char *service = service_name(place->key);

	json_array_append_new(
		list,
		json_pack("{s:s, s:s, s:i, s:o, s:s?, s:s?, s:o}", "finding",
			  finding_names[finding], "proto", key_protocol(place->key), "port",
			  (int)key_port(place->key), "service", text_json(service), "program",
			  place->listener && place->listener->pid ? place->listener->program
								  : NULL,
			  "rule", NULL, "text", text ?: json_null()));
}

static json_t *say_listens(const struct place *place, const char *rest)
{
	char address[ADDRESS_TEXT];

	address_text(place->listener->address.address, place->listener->address.family,
		     address);
	return json_sprintf("%s listens on %s, %s", listener_program(place->listener), address,
			    rest);
}

static const char *say_reach(enum reach reach)
{
	static const char *const texts[] = {
		[REACH_NONE] = "nobody",       [REACH_GRANT] = "who knocks",
		[REACH_DHCP] = "DHCP servers", [REACH_SOURCES] = "some sources",
		[REACH_ALL] = "everybody",
	};

	return texts[reach];
}

/*
 * A rule that allows it to some does not say that everybody may come, as the default lets
 * them; of a policy, that is what `wider` tells. The lifeline of DHCP needs no rule.
 */
static void find_unnamed(const struct audit *audit, const struct place *place, json_t *list)
{
	const struct outlook *named = audit->policy ?: &audit->inventory->outlook;
	bool all = !audit->policy && place->reach == REACH_ALL;
	unsigned char marks = named->marks[place->key];
	cleanup_free char *rest = NULL;

	if (place->reach == REACH_NONE || marks & (all ? MARK_ALLOWED_ALL : MARK_ALLOWED) ||
	    (place->reach == REACH_DHCP && is_for_dhcp(named->ruleset, place->key)))
		return;
	if (asprintf(&rest, "%s may reach it, and %s%s allows it by its port%s",
		     say_reach(place->reach), marks & MARK_ALLOWED ? "a rule" : "no rule",
		     audit->policy ? " of the policy" : "",
		     marks & MARK_ALLOWED ? " to some only" : "") > 0)
		add(list, FINDING_UNNAMED, place, say_listens(place, rest));
}

/* Whether the running rules let it in, and the policy does not. */
static bool is_extra(const struct audit *audit, const struct place *place,
		     const struct prefix *source)
{
	struct outlook by_running = audit->inventory->outlook, by_policy = *audit->policy;

	by_running.source = by_policy.source = source;
	return port_reach(&by_running, place->key, place->families) == REACH_ALL &&
	       port_reach(&by_policy, place->key, place->families) != REACH_ALL;
}

/*
 * What becomes of a source changes only where a prefix begins, and behind its end: one of
 * each stretch that these make is tried.
 */
static bool find_extra_at(const struct audit *audit, const struct ruleset *ruleset,
			  const struct place *place, struct prefix *source)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count && rule_has_key(rule, place->key);
		     s++) {
			*source = rule->sources[s];
			source->length = source->family == 4 ? 32 : 128;
			if (is_extra(audit, place, source) ||
			    (prefix_behind(&rule->sources[s], source) &&
			     is_extra(audit, place, source)))
				return true;
		}
	}
	return false;
}

/* Makes of it the narrowest source of a rule for the port that has the address. */
static void widen(const struct ruleset *ruleset, __u32 key, const struct prefix *address,
		  struct prefix *source)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count && rule_has_key(rule, key); s++) {
			if (prefix_contains(&rule->sources[s], address) &&
			    rule->sources[s].length > source->length)
				*source = rule->sources[s];
		}
	}
}

/* A source that the running rules let in and the policy does not. */
static bool find_extra_source(const struct audit *audit, const struct place *place,
			      struct prefix *source)
{
	const struct outlook *running = &audit->inventory->outlook;
	struct prefix address;
	bool found = find_extra_at(audit, running->ruleset, place, &address) ||
		     find_extra_at(audit, audit->policy->ruleset, place, &address);

	for (size_t i = 0; i < STRANGERS && !found; i++) {
		address = running->strangers[i];
		found = is_extra(audit, place, &address);
	}
	if (!found)
		return false;
	*source = (struct prefix){ .family = address.family };
	widen(running->ruleset, place->key, &address, source);
	widen(audit->policy->ruleset, place->key, &address, source);
	return true;
}

static void find_wider(const struct audit *audit, const struct place *place, json_t *list)
{
	enum reach allowed;
	struct prefix source;
	bool extra;
	cleanup_free char *rest = NULL;
	char address[ADDRESS_TEXT];

	if (!audit->policy || !(audit->policy->marks[place->key] & MARK_ALLOWED))
		return; /* where it is not named at all, that is said */
	allowed = port_reach(audit->policy, place->key, place->families);
	extra = find_extra_source(audit, place, &source);
	if (place->reach <= allowed && !extra)
		return;
	if (place->reach > allowed) {
		if (asprintf(&rest, "%s may reach it, and by the policy %s should",
			     say_reach(place->reach), say_reach(allowed)) < 0)
			return;
	} else {
		address_text(source.address, source.family, address);
		if (asprintf(&rest, "%s/%u may reach it, and by the policy should not", address,
			     source.length) < 0)
			return;
	}
	add(list, FINDING_WIDER, place, say_listens(place, rest));
}

static void find_exposed(const struct audit *audit, const struct place *place, json_t *list)
{
	const char *reason = audit->known->reasons[place->key];
	cleanup_free char *rest = NULL;
	const unsigned char deliberate = MARK_NAMED | MARK_ALLOWED;

	if (place->reach != REACH_ALL || !reason ||
	    (audit->policy && (audit->policy->marks[place->key] & deliberate) == deliberate))
		return;
	if (asprintf(&rest, "and everybody may reach it: %s", reason) > 0)
		add(list, FINDING_EXPOSED, place, say_listens(place, rest));
}

static void find_filtered(const struct audit *audit, const struct place *place, json_t *list)
{
	(void)audit;
	if (place->reach == REACH_NONE)
		add(list, FINDING_FILTERED, place,
		    say_listens(place, "and the rules let nobody through"));
}

static void find_foreign_port(const struct audit *audit, const struct place *place,
			      json_t *list)
{
	const struct known_program *program =
		known_program(audit->known, place->listener->program);
	cleanup_free char *rest = NULL;

	if (!program || is_at_home(program, place->key))
		return;
	if (asprintf(&rest, "and is at home on port %u", key_port(program->keys[0])) > 0)
		add(list, FINDING_FOREIGN_PORT, place, say_listens(place, rest));
}

static void find_foreign_program(const struct audit *audit, const struct place *place,
				 json_t *list)
{
	const struct known_program *program =
		known_program(audit->known, place->listener->program);
	const struct known_program *resident = known_resident(audit->known, place->key);
	cleanup_free char *rest = NULL;

	if (key_port(place->key) > 1023 || !place->listener->pid || !resident ||
	    (program && is_at_home(program, place->key)))
		return;
	if (asprintf(&rest, "which is where others are at home, as %s", resident->name) > 0)
		add(list, FINDING_FOREIGN_PROGRAM, place, say_listens(place, rest));
}

typedef void (*place_finder)(const struct audit *audit, const struct place *place,
			     json_t *list);

static bool is_passing_by(const struct audit *audit, __u32 key)
{
	return is_passing(&audit->inventory->outlook, key) &&
	       (!audit->policy || is_passing(audit->policy, key));
}

static void look_at_places(const struct audit *audit, place_finder find, json_t *list)
{
	const struct inventory *inventory = audit->inventory;
	struct place place = { .key = PORT_KEYS };

	for (size_t i = 0; i < inventory->listener_count; i++) {
		place.listener = &inventory->listeners[i];
		/* Each port once, by the first who listens for others than this host. */
		if (place.listener->key == place.key || listener_is_local(place.listener) ||
		    is_passing_by(audit, place.listener->key))
			continue;
		place.key = place.listener->key;
		place.families = inventory->outside[place.key];
		place.reach = inventory_reach(inventory, place.key);
		find(audit, &place, list);
	}
}

/* --- findings of rules -------------------------------------------------------- */

static void add_rule(json_t *list, enum finding finding, const struct rule *rule, json_t *text)
{
	cleanup_free char *statement = rule_text(rule, false);

	json_array_append_new(
		list, json_pack("{s:s, s:n, s:n, s:n, s:n, s:o, s:o}", "finding",
				finding_names[finding], "proto", "port", "service", "program",
				"rule", text_json(statement), "text", text ?: json_null()));
}

static char *print_term(const struct term *term)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	term_print(term, out);
	fclose(out);
	return text;
}

static void find_unused(const struct audit *audit, json_t *list)
{
	const struct outlook *outlook = &audit->inventory->outlook;

	for (size_t i = 0; i < outlook->ruleset->count; i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];

		for (size_t t = 0; t < rule->term_count && outlook->in_force[i]; t++) {
			cleanup_free char *term = NULL;

			if ((rule->action != VERDICT_PASS && !rule->knock) ||
			    !rule->terms[t].transports ||
			    term_is_listened_to(audit->inventory, &rule->terms[t]))
				continue;
			term = print_term(&rule->terms[t]);
			add_rule(list, FINDING_UNUSED, rule,
				 json_sprintf("allows %s, where nobody listens", term ?: "?"));
		}
	}
}

static bool has_met_nobody(const struct inventory *inventory, size_t rule)
{
	const struct snapshot *snapshot = &inventory->snapshot;

	for (size_t i = 0; i < snapshot->dp.count; i++) {
		if (snapshot->stats[i].rules[rule].packets ||
		    snapshot->stats[i].limited[rule].packets)
			return false;
	}
	return true;
}

/* Since when it is counted, wherever it is for: counters begin anew with an attach. */
static __u64 counted_since(const struct inventory *inventory, const struct rule *rule)
{
	const struct datapath *dp = &inventory->snapshot.dp;
	__u64 since = rule->since;

	for (size_t i = 0; i < dp->count; i++) {
		const struct interface *iface = &dp->interfaces[i];
		__u64 attached = iface->attached_at * SECOND;

		if ((!*rule->iface || !strcmp(rule->iface, iface->name)) && attached > since)
			since = attached;
	}
	return since;
}

static void find_idle(const struct audit *audit, json_t *list)
{
	const struct outlook *outlook = &audit->inventory->outlook;

	for (size_t i = 0; i < outlook->ruleset->count && audit->inventory->interface_count;
	     i++) {
		const struct rule *rule = &outlook->ruleset->rules[i];
		__u64 since = counted_since(audit->inventory, rule);
		__u64 age = audit->now > since ? audit->now - since : 0;

		if (outlook->in_force[i] && rule->since && age >= audit->days * DAY &&
		    has_met_nobody(audit->inventory, i))
			add_rule(list, FINDING_IDLE, rule,
				 json_sprintf("has met no packet for %llu days", age / DAY));
	}
}

void audit_find(const struct audit *audit, enum finding finding, json_t *list)
{
	static const place_finder finders[FINDINGS] = {
		[FINDING_UNNAMED] = find_unnamed,
		[FINDING_WIDER] = find_wider,
		[FINDING_EXPOSED] = find_exposed,
		[FINDING_FILTERED] = find_filtered,
		[FINDING_FOREIGN_PORT] = find_foreign_port,
		[FINDING_FOREIGN_PROGRAM] = find_foreign_program,
	};

	if (finding == FINDING_UNUSED)
		find_unused(audit, list);
	else if (finding == FINDING_IDLE)
		find_idle(audit, list);
	else
		look_at_places(audit, finders[finding], list);
}
