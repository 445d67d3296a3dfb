// SPDX-License-Identifier: GPL-2.0-only
#include "advise/audit.h"

#include <stdarg.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "base/utf8.h"
#include "rules/names.h"
#include "rules/prefix.h"
#include "compile/lifelines.h"

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

enum finding finding_parse(const char *name)
{
	return text_index(finding_names, FINDINGS, name);
}

/* --- findings of ports -------------------------------------------------------- */

/* A port, and the first listener on it that other hosts can reach. */
struct audit_port {
	__u32 key;
	const struct listener *listener;
	unsigned char families; /* of the packets that its listeners accept (enum families) */
	enum reach reach;
};

/* Adds a finding whose text begins with the listener and goes on with `format`. */
__attribute__((format(printf, 4, 5))) static void audit_add_port(json_t *list,
								 enum finding finding,
								 const struct audit_port *port,
								 const char *format, ...)
{
	const struct listener *listener = port->listener;
	cleanup_free char *rest = NULL;
	char address[ADDRESS_TEXT];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vasprintf(&rest, format, arguments);
	va_end(arguments);
	if (length < 0) {
		rest = NULL;
		return;
	}
	address_text(listener->address.address, listener->address.family, address);
	json_array_append_new(
		list, json_pack("{s:s, s:s, s:i, s:o, s:s?, s:s?, s:o}", "finding",
				finding_names[finding], "proto", key_protocol(port->key),
				"port", (int)key_port(port->key), "service",
				text_json(service_name(port->key)), "program",
				listener->pid ? listener->program : NULL, "rule", NULL, "text",
				format_json("%s listens on %s, %s", listener_program(listener),
					    address, rest)));
}

static const char *reach_text(enum reach reach)
{
	static const char *const texts[] = {
		[REACH_NONE] = "nobody",       [REACH_GRANT] = "sources that knock",
		[REACH_DHCP] = "DHCP servers", [REACH_SOURCES] = "some sources",
		[REACH_ALL] = "everybody",
	};

	return texts[reach];
}

/*
 * Without a policy, a rule that allows only some sources does not count if the default lets
 * everybody in. With a policy, find_wider() reports that. The DHCP lifeline needs no rule.
 */
static void find_unnamed(const struct audit *audit, const struct audit_port *port, json_t *list)
{
	const struct outlook *named = audit->policy ?: &audit->inventory->outlook;
	bool all = !audit->policy && port->reach == REACH_ALL;
	unsigned char marks = named->marks[port->key];

	if (port->reach == REACH_NONE || marks & (all ? MARK_ALLOWED_ALL : MARK_ALLOWED) ||
	    (port->reach == REACH_DHCP && lifeline_is_dhcp(named->ruleset, port->key)))
		return;
	if (marks & MARK_ALLOWED)
		audit_add_port(list, FINDING_UNNAMED, port,
			       "%s can reach it, but the rules for this port allow only some",
			       reach_text(port->reach));
	else
		audit_add_port(list, FINDING_UNNAMED, port,
			       "%s can reach it, but no rule%s allows this port",
			       reach_text(port->reach), audit->policy ? " of the policy" : "");
}

/* Whether the running rules allow a source that the policy does not allow. */
static bool is_extra(const struct audit *audit, const struct audit_port *port,
		     const struct prefix *source)
{
	struct outlook by_running = audit->inventory->outlook, by_policy = *audit->policy;

	by_running.source = by_policy.source = source;
	return port_reach(&by_running, port->key, port->families) == REACH_ALL &&
	       port_reach(&by_policy, port->key, port->families) != REACH_ALL;
}

/*
 * The verdict for a source changes only where a prefix of a rule begins, and just after its
 * end. So it is enough to test the first address of each prefix and the first one after it.
 */
static bool find_extra_at(const struct audit *audit, const struct ruleset *ruleset,
			  const struct audit_port *port, struct prefix *source)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t s = 0; s < rule->source_count && rule_has_key(rule, port->key);
		     s++) {
			*source = rule->sources[s];
			source->length = source->family == 4 ? 32 : 128;
			if (is_extra(audit, port, source) ||
			    (prefix_next_address(&rule->sources[s], source) &&
			     is_extra(audit, port, source)))
				return true;
		}
	}
	return false;
}

/* Replaces *source by the narrowest prefix of a rule for the port that contains the address. */
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

/* Finds a source that the running rules allow and the policy does not. */
static bool find_extra_source(const struct audit *audit, const struct audit_port *port,
			      struct prefix *source)
{
	const struct outlook *running = &audit->inventory->outlook;
	struct prefix address;
	bool found = find_extra_at(audit, running->ruleset, port, &address) ||
		     find_extra_at(audit, audit->policy->ruleset, port, &address);

	for (size_t i = 0; i < STRANGERS && !found; i++) {
		address = running->strangers[i];
		found = is_extra(audit, port, &address);
	}
	if (!found)
		return false;
	*source = (struct prefix){ .family = address.family };
	widen(running->ruleset, port->key, &address, source);
	widen(audit->policy->ruleset, port->key, &address, source);
	return true;
}

static void find_wider(const struct audit *audit, const struct audit_port *port, json_t *list)
{
	enum reach allowed;
	struct prefix source;
	bool extra;
	char address[ADDRESS_TEXT];

	if (!audit->policy || !(audit->policy->marks[port->key] & MARK_ALLOWED))
		return; /* find_unnamed() reports it */
	allowed = port_reach(audit->policy, port->key, port->families);
	extra = find_extra_source(audit, port, &source);
	if (port->reach <= allowed && !extra)
		return;
	if (port->reach > allowed) {
		audit_add_port(list, FINDING_WIDER, port,
			       "%s can reach it, but the policy allows it to %s",
			       reach_text(port->reach), reach_text(allowed));
		return;
	}
	address_text(source.address, source.family, address);
	audit_add_port(list, FINDING_WIDER, port,
		       "%s/%u can reach it, but the policy does not allow that", address,
		       source.length);
}

static void find_exposed(const struct audit *audit, const struct audit_port *port, json_t *list)
{
	const char *reason = audit->known->reasons[port->key];
	const unsigned char deliberate = MARK_NAMED | MARK_ALLOWED;

	if (port->reach != REACH_ALL || !reason ||
	    (audit->policy && (audit->policy->marks[port->key] & deliberate) == deliberate))
		return;
	audit_add_port(list, FINDING_EXPOSED, port, "and everybody can reach it (%s)", reason);
}

static void find_filtered(const struct audit *audit, const struct audit_port *port,
			  json_t *list)
{
	(void)audit;
	if (port->reach == REACH_NONE)
		audit_add_port(list, FINDING_FILTERED, port, "but the rules let nobody in");
}

static void find_foreign_port(const struct audit *audit, const struct audit_port *port,
			      json_t *list)
{
	const struct known_program *program =
		known_program(audit->known, port->listener->program);

	if (!program || known_program_uses(program, port->key))
		return;
	audit_add_port(list, FINDING_FOREIGN_PORT, port, "but its usual port is %u",
		       key_port(program->keys[0]));
}

static void find_foreign_program(const struct audit *audit, const struct audit_port *port,
				 json_t *list)
{
	const struct known_program *program =
		known_program(audit->known, port->listener->program);
	const struct known_program *resident = known_program_at(audit->known, port->key);

	if (key_port(port->key) > 1023 || !port->listener->pid || !resident ||
	    (program && known_program_uses(program, port->key)))
		return;
	audit_add_port(list, FINDING_FOREIGN_PROGRAM, port,
		       "but this port usually belongs to others, such as %s", resident->name);
}

typedef void (*port_finder)(const struct audit *audit, const struct audit_port *port,
			    json_t *list);

static bool is_ignored(const struct audit *audit, __u32 key)
{
	return port_is_unnamed(&audit->inventory->outlook, key) &&
	       (!audit->policy || port_is_unnamed(audit->policy, key));
}

static void audit_ports(const struct audit *audit, port_finder finder, json_t *list)
{
	const struct inventory *inventory = audit->inventory;
	struct audit_port port = { .key = PORT_KEYS };

	for (size_t i = 0; i < inventory->listener_count; i++) {
		port.listener = &inventory->listeners[i];
		/* Each port once, with its first listener that other hosts can reach. */
		if (port.listener->key == port.key || listener_is_local(port.listener) ||
		    is_ignored(audit, port.listener->key))
			continue;
		port.key = port.listener->key;
		port.families = inventory->outside[port.key];
		port.reach = inventory_reach(inventory, port.key);
		finder(audit, &port, list);
	}
}

/* --- findings of rules -------------------------------------------------------- */

static void audit_add_rule(json_t *list, enum finding finding, const struct rule *rule,
			   json_t *text)
{
	cleanup_free char *statement = rule_text(rule, false);

	json_array_append_new(
		list, json_pack("{s:s, s:n, s:n, s:n, s:n, s:o, s:o}", "finding",
				finding_names[finding], "proto", "port", "service", "program",
				"rule", text_json(statement), "text", text ?: json_null()));
}

static char *term_text(const struct term *term)
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
			    inventory_has_listener(audit->inventory, &rule->terms[t]))
				continue;
			term = term_text(&rule->terms[t]);
			audit_add_rule(list, FINDING_UNUSED, rule,
				       json_sprintf("allows %s, but nothing listens there",
						    term ?: "?"));
		}
	}
}

static bool matched_nothing(const struct inventory *inventory, size_t rule)
{
	const struct snapshot *snapshot = &inventory->snapshot;

	for (size_t i = 0; i < snapshot->dp.count; i++) {
		if (snapshot->stats[i].rules[rule].packets ||
		    snapshot->stats[i].limited[rule].packets)
			return false;
	}
	return true;
}

/*
 * When the counters of a rule began, in nanoseconds since 1970: with the rule, or with the
 * latest attach of an interface that it applies to, which resets them.
 */
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
		    matched_nothing(audit->inventory, i))
			audit_add_rule(
				list, FINDING_IDLE, rule,
				json_sprintf("no packet has matched for %llu days", age / DAY));
	}
}

void audit_find(const struct audit *audit, enum finding finding, json_t *list)
{
	static const port_finder finders[FINDINGS] = {
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
		audit_ports(audit, finders[finding], list);
}
