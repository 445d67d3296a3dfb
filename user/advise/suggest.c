// SPDX-License-Identifier: GPL-2.0-only
#include "advise/suggest.h"

#include <errno.h>

#include "base/log.h"
#include "rules/names.h"
#include "rules/prefix.h"
#include "rules/ruleset_clauses.h"
#include "compile/lifelines.h"
#include "base/cleanup.h"

/* An allow rule that only opens ports: no clause restricts it. */
static bool is_plain(const struct rule *rule)
{
	return rule->action == VERDICT_PASS && !rule->knock && rule->term_count &&
	       rule->terms[rule->term_count - 1].transports && /* protocols are sorted last */
	       !clauses_given(rule, CLAUSE_MATCH | CLAUSE_LIMIT);
}

/* Any other rule is a deliberate decision and is kept, unless it is temporary. */
static bool is_kept(const struct rule *rule)
{
	return !is_plain(rule) && !clauses_given(rule, CLAUSE_TIME);
}

/* Bits: what the kept rules do to a port that they name. */
enum kept { KEPT_SHUTS = 1, KEPT_OPENS = 2 };

static unsigned char *find_kept(const struct outlook *outlook)
{
	const struct ruleset *ruleset = outlook->ruleset;
	unsigned char *kept = calloc(PORT_KEYS, 1);

	for (size_t i = 0; i < ruleset->count && kept; i++) {
		const struct rule *rule = &ruleset->rules[i];
		enum kept does =
			rule->knock || rule->action == VERDICT_PASS ? KEPT_OPENS : KEPT_SHUTS;

		if (!is_kept(rule) || !outlook->in_force[i])
			continue;
		for (size_t t = 0; t < rule->term_count; t++) {
			const struct term *term = &rule->terms[t];

			for (__u32 port = term->first; port <= term->last; port++) {
				if (term->transports & TRANSPORT_TCP)
					kept[PORT_KEY_TCP + port] |= does;
				if (term->transports & TRANSPORT_UDP)
					kept[PORT_KEY_UDP + port] |= does;
			}
		}
	}
	return kept;
}

/*
 * Why a port with a listener needs no rule of its own; NULL if it needs one. If everybody gets
 * in now, a kept rule that blocks some sources does not settle the port for the others. A port
 * that a rule opens is not taken for an ephemeral port.
 */
static const char *why_left_out(const struct outlook *outlook, const unsigned char *kept,
				__u32 key)
{
	const struct rule *opener = port_opener(outlook, key);
	bool passes = port_reach(outlook, key, FAMILIES) == REACH_ALL;
	unsigned char decisive = passes ? KEPT_OPENS : KEPT_OPENS | KEPT_SHUTS;

	if (opener && clauses_given(opener, CLAUSE_TIME))
		return "a temporary rule opens it";
	if (opener ? !is_plain(opener) : kept[key] & decisive)
		return "a kept rule covers it";
	if (!opener && lifeline_is_dhcp(outlook->ruleset, key))
		return "a DHCP client, which option dhcp lets in";
	return !opener && port_is_ephemeral(key) ? "replies are let in without a rule" : NULL;
}

static size_t count_connections(const struct suggestion *suggestion, __u32 key)
{
	size_t count = 0;

	for (size_t i = 0; i < suggestion->connections->count; i++)
		count += PORT_KEY_TCP + suggestion->connections->list[i].local_port == key;
	return count;
}

/*
 * Describes a listener and its traffic, as in "sshd listens on 0.0.0.0; 12 packets passed".
 * To be freed; NULL if out of memory. *used is false if the counters show no traffic.
 */
static char *say_why(const struct suggestion *suggestion, const struct listener *listener,
		     bool *used)
{
	struct port_counter counter = inventory_counter(suggestion->inventory, listener->key);
	size_t open = count_connections(suggestion, listener->key);
	char address[ADDRESS_TEXT];
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	*used = !suggestion->inventory->interface_count || open || counter.pass.packets;
	address_text(listener->address.address, listener->address.family, address);
	fprintf(out, "%s%s%s listens on %s; ", service_name(listener->key) ?: "",
		service_name(listener->key) ? ": " : "", listener_program(listener), address);
	if (suggestion->inventory->interface_count)
		fprintf(out, "%llu packets passed", counter.pass.packets);
	else
		fputs("traffic was not counted", out);
	if (open)
		fprintf(out, ", open connections: %zu", open);
	fclose(out);
	return text;
}

static struct term key_term(__u32 key)
{
	return (struct term){
		.transports = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP,
		.first = key_port(key),
		.last = key_port(key),
	};
}

static void print_allow(__u32 key, char *comment, FILE *out)
{
	struct term term = key_term(key);
	struct rule rule = {
		.action = VERDICT_PASS, .terms = &term, .term_count = 1, .comment = comment
	};

	rule_print(&rule, out, true);
	fputc('\n', out);
}

/* Whether a rule names the port together with others: a rule for this port alone would win. */
static bool is_wider(const struct rule *rule, __u32 key)
{
	const struct term exact = key_term(key);
	bool named = false;

	for (size_t i = 0; i < rule->term_count; i++) {
		const struct term *term = &rule->terms[i];

		if (term->transports == exact.transports && term->first == exact.first &&
		    term->last == exact.last)
			return false;
		named |= term_has_key(term, key);
	}
	return named;
}

/*
 * Prints a kept wider rule again for this port alone, if it decides about the port now. The
 * new allow rule is narrower and would override the wider rule.
 */
static void print_narrowed(const struct outlook *outlook, const struct rule *rule, __u32 key,
			   FILE *out)
{
	struct term term = key_term(key);
	struct rule narrowed = *rule;
	cleanup_free struct prefix *sources =
		calloc(rule->source_count + 1, sizeof(*rule->sources));

	narrowed.terms = &term;
	narrowed.term_count = 1;
	narrowed.sources = sources;
	narrowed.source_count = 0;
	for (size_t i = 0; i < rule->source_count && sources; i++) {
		if (port_is_decided_by(outlook, rule, key, &rule->sources[i]))
			sources[narrowed.source_count++] = rule->sources[i];
	}
	if (rule->source_count ? !narrowed.source_count
			       : !port_is_decided_by(outlook, rule, key, NULL))
		return;
	rule_print(&narrowed, out, true);
	fputc('\n', out);
}

/* Prints the allow rule for a port, and the wider rules that must still apply to it. */
static void print_allowed_port(const struct outlook *outlook, __u32 key, char *comment,
			       FILE *out)
{
	const struct ruleset *ruleset = outlook->ruleset;

	print_allow(key, comment, out);
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct rule *rule = &ruleset->rules[i];

		if (is_kept(rule) && !rule->knock && is_wider(rule, key))
			print_narrowed(outlook, rule, key, out);
	}
}

/* The first listener on the next port that other hosts can reach, or NULL; skips the port. */
static const struct listener *next_port(const struct inventory *inventory, size_t *at)
{
	const struct listener *found = NULL;
	__u32 key = inventory->listeners[*at].key;

	for (; *at < inventory->listener_count && inventory->listeners[*at].key == key; ++*at) {
		if (!found && !listener_is_local(&inventory->listeners[*at]))
			found = &inventory->listeners[*at];
	}
	return found;
}

static void print_left_out(const struct listener *listener, const char *why, const char *reason,
			   FILE *out)
{
	fprintf(out, "# %u/%s %s: %s\n", key_port(listener->key), key_protocol(listener->key),
		why, reason);
}

/* Prints a port either to `allowed`, as a rule, or to `left_out`, as a comment. */
static void suggest_port(const struct suggestion *suggestion, const unsigned char *kept,
			 const struct listener *listener, FILE *allowed, FILE *left_out)
{
	const struct outlook *outlook = &suggestion->inventory->outlook;
	const char *reason = why_left_out(outlook, kept, listener->key);
	bool used;
	cleanup_free char *why = say_why(suggestion, listener, &used);

	if (!why)
		return;
	if (!reason && !used)
		reason = "not used so far";
	if (reason)
		print_left_out(listener, why, reason, left_out);
	else
		print_allowed_port(outlook, listener->key, why, allowed);
}

static void print_kept(const struct ruleset *ruleset, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < ruleset->count; i++) {
		if (!is_kept(&ruleset->rules[i]))
			continue;
		if (first)
			fputs("\n# Kept from the running rules: rules that do more than open ports.\n",
			      out);
		first = false;
		rule_print(&ruleset->rules[i], out, true);
		fputc('\n', out);
	}
}

static bool is_listened_to(const struct inventory *inventory, const struct rule *rule)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		if (inventory_has_listener(inventory, &rule->terms[i]))
			return true;
	}
	return false;
}

static void print_unused(const struct inventory *inventory, FILE *out)
{
	const struct ruleset *ruleset = inventory->outlook.ruleset;

	for (size_t i = 0; i < ruleset->count; i++) {
		if (!is_plain(&ruleset->rules[i]) ||
		    is_listened_to(inventory, &ruleset->rules[i]))
			continue;
		fputs("# ", out);
		rule_print(&ruleset->rules[i], out, false);
		fputs(": nothing listens there\n", out);
	}
}

static void print_suggested_settings(const struct ruleset *running, FILE *out)
{
	struct ruleset settings = *running;

	if (settings.fallback == VERDICT_PASS)
		settings.fallback = VERDICT_DROP;
	settings_print(&settings, out);
}

static void print_suggestion_header(const struct inventory *inventory, FILE *out)
{
	fprintf(out, "# Suggested from the listening sockets %s",
		inventory->interface_count ? "and the counters of"
					   : "only: portctl is attached to no interface");
	for (size_t i = 0; i < inventory->interface_count; i++)
		fprintf(out, "%s %s", i ? "," : "", inventory->interfaces[i].name);
	fputs(".\n# Review it, then: portctl check FILE && portctl apply FILE --confirm 60s\n",
	      out);
}

int suggest(const struct suggestion *suggestion, FILE *out)
{
	const struct inventory *inventory = suggestion->inventory;
	cleanup_free unsigned char *kept = find_kept(&inventory->outlook);
	cleanup_free char *left_out = NULL;
	size_t size;
	FILE *later = kept ? open_memstream(&left_out, &size) : NULL;

	if (!later)
		return out_of_memory();
	print_suggestion_header(inventory, out);
	print_suggested_settings(inventory->outlook.ruleset, out);
	for (size_t at = 0; at < inventory->listener_count;) {
		const struct listener *listener = next_port(inventory, &at);

		if (listener)
			suggest_port(suggestion, kept, listener, out, later);
	}
	print_kept(inventory->outlook.ruleset, out);
	print_unused(inventory, later);
	fclose(later);
	if (size)
		fprintf(out, "\n# Left out:\n%s", left_out);
	return 0;
}
