// SPDX-License-Identifier: GPL-2.0-only
#include "suggest.h"

#include <errno.h>

#include "log.h"
#include "names.h"
#include "prefix.h"
#include "util.h"

/* A rule that says more than that a port is open is somebody's own decision. */
static bool is_kept(const struct rule *rule)
{
	return rule->action != VERDICT_PASS || rule->knock || rule->source_count ||
	       *rule->iface || rule->limit.count || !rule->term_count ||
	       !rule->terms[0].transports;
}

/* The ports of which a rule that stays says already what becomes of them. */
static unsigned char *find_kept(const struct ruleset *ruleset)
{
	unsigned char *kept = calloc(PORT_KEYS, 1);

	for (size_t i = 0; i < ruleset->count && kept; i++) {
		const struct rule *rule = &ruleset->rules[i];

		for (size_t t = 0; t < rule->term_count && is_kept(rule); t++) {
			const struct term *term = &rule->terms[t];

			for (__u32 port = term->first; port <= term->last; port++) {
				kept[PORT_KEY_TCP + port] |= term->transports & TRANSPORT_TCP;
				kept[PORT_KEY_UDP + port] |= term->transports & TRANSPORT_UDP;
			}
		}
	}
	return kept;
}

static size_t count_connections(const struct suggestion *suggestion, __u32 key)
{
	size_t count = 0;

	for (size_t i = 0; i < suggestion->connections->count; i++)
		count += PORT_KEY_TCP + suggestion->connections->list[i].local_port == key;
	return count;
}

/* Who listens there and who came, as in "sshd listens on 0.0.0.0; 12 packets passed". */
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
	*used = !suggestion->inventory->attached || open || counter.pass.packets;
	address_text(listener->address.address, listener->address.family, address);
	fprintf(out, "%s%s%s listens on %s; ", service_name(listener->key) ?: "",
		service_name(listener->key) ? ": " : "", listener_program(listener), address);
	if (suggestion->inventory->attached)
		fprintf(out, "%llu packets passed", counter.pass.packets);
	else
		fputs("nothing was counted", out);
	if (open)
		fprintf(out, ", %zu connections are open", open);
	fclose(out);
	return text;
}

static void print_allow(__u32 key, char *comment, FILE *out)
{
	struct term term = {
		.transports = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP,
		.first = key_port(key),
		.last = key_port(key),
	};
	struct rule rule = {
		.action = VERDICT_PASS, .terms = &term, .term_count = 1, .comment = comment
	};

	rule_print(&rule, out, true);
	fputc('\n', out);
}

/* The first who listens for others there, or NULL; *at goes behind all of the port. */
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

/* Either to `allowed` or to `left_out`. */
static void suggest_port(const struct suggestion *suggestion, const unsigned char *kept,
			 const struct listener *listener, FILE *allowed, FILE *left_out)
{
	bool used;
	cleanup_free char *why = say_why(suggestion, listener, &used);

	if (!why)
		return;
	if (kept[listener->key])
		print_left_out(listener, why, "a rule that is kept names it", left_out);
	else if (is_passing_port(listener->key))
		print_left_out(listener, why, "waits for replies, which are let in", left_out);
	else if (!used)
		print_left_out(listener, why, "nobody used it", left_out);
	else
		print_allow(listener->key, why, allowed);
}

static void print_kept(const struct ruleset *ruleset, FILE *out)
{
	bool first = true;

	for (size_t i = 0; i < ruleset->count; i++) {
		if (!is_kept(&ruleset->rules[i]) || ruleset->rules[i].seconds)
			continue;
		if (first)
			fputs("\n# Kept from the running rules: they say more than a port.\n",
			      out);
		first = false;
		rule_print(&ruleset->rules[i], out, true);
		fputc('\n', out);
	}
}

static bool is_listened_to(const struct inventory *inventory, const struct rule *rule)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		if (term_is_listened_to(inventory, &rule->terms[i]))
			return true;
	}
	return false;
}

static void print_unused(const struct inventory *inventory, FILE *out)
{
	const struct ruleset *ruleset = inventory->outlook.ruleset;

	for (size_t i = 0; i < ruleset->count; i++) {
		if (is_kept(&ruleset->rules[i]) ||
		    is_listened_to(inventory, &ruleset->rules[i]))
			continue;
		fputs("# ", out);
		rule_print(&ruleset->rules[i], out, false);
		fputs(": nobody here listens\n", out);
	}
}

static void print_settings(const struct ruleset *running, FILE *out)
{
	struct ruleset settings = *running;

	if (settings.fallback == VERDICT_PASS)
		settings.fallback = VERDICT_DROP;
	settings_print(&settings, out);
}

int suggest(const struct suggestion *suggestion, FILE *out)
{
	const struct inventory *inventory = suggestion->inventory;
	cleanup_free unsigned char *kept = find_kept(inventory->outlook.ruleset);
	cleanup_free char *left_out = NULL;
	size_t size;
	FILE *later = kept ? open_memstream(&left_out, &size) : NULL;

	if (!later)
		return fail(-ENOMEM, "out of memory");
	fprintf(out,
		"# Suggested from what listens here, and %s%s.\n"
		"# Read it, then: portctl check FILE && portctl apply FILE --confirm 60s\n",
		inventory->attached ? "what was counted on "
				    : "without counters: portctl "
				      "is attached nowhere",
		inventory->attached ? inventory->attached->name : "");
	print_settings(inventory->outlook.ruleset, out);
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
