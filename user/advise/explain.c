// SPDX-License-Identifier: GPL-2.0-only
#include "advise/explain.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/clock.h"
#include "compile/compile.h"
#include "compile/evaluate.h"
#include "rules/prefix.h"
#include "compile/image.h"
#include "rules/ruleset_parse.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/utf8.h"

/* Limits of the sentences; JSON has everything. */
#define TEXT_SHOWN 100 /* bytes of a rule */
#define RULES_SHOWN 10

/* The input of an explanation. */
struct facts {
	const struct judgement *judgement;
	const struct packet *packet;
	const struct ruleset *ruleset;
	const char *iface;
	struct image image; /* the rules, compiled for the interface */
	__u32 places[MAX_LINES]; /* for each line: the index of its rule plus 1; 0: none */
	char port[64]; /* in the syntax of rules */
	char source[ADDRESS_TEXT];
};

/* The key of the packet that frame_build() makes; for ICMP that is an echo request. */
static __u32 key_of(const struct packet *packet, __u32 line)
{
	bool ipv6 = packet->source.family == 6;

	if (line == LINE_MALFORMED)
		return KEY_MALFORMED;
	if (packet->protocol == IPPROTO_TCP)
		return PORT_KEY_TCP + packet->port;
	if (packet->protocol == IPPROTO_UDP)
		return PORT_KEY_UDP + packet->port;
	if (packet->protocol == IPPROTO_ICMP && !ipv6)
		return KEY_ECHO;
	if (packet->protocol == IPPROTO_ICMPV6 && ipv6)
		return KEY_ECHO6;
	return KEY_PROTOCOL + packet->protocol;
}

static struct term packet_term(const struct packet *packet)
{
	struct term term = { .first = packet->port, .last = packet->port };

	if (packet->protocol == IPPROTO_TCP)
		term.transports = TRANSPORT_TCP;
	else if (packet->protocol == IPPROTO_UDP)
		term.transports = TRANSPORT_UDP;
	else
		term = (struct term){ .protocol = packet->protocol };
	return term;
}

static void name_packet(struct facts *facts)
{
	const struct prefix *source = &facts->packet->source;
	struct term term = packet_term(facts->packet);
	FILE *out = fmemopen(facts->port, sizeof(facts->port), "w");

	if (out) {
		term_print(&term, out);
		fclose(out);
	}
	address_text(source->address, source->family, facts->source);
}

static void place_rules(struct facts *facts)
{
	for (size_t i = 0; i < facts->ruleset->count; i++) {
		facts->places[facts->ruleset->rules[i].line] = i + 1;
		facts->places[facts->ruleset->rules[i].limited_line] = i + 1;
	}
}

/* The index of the rule that a line belongs to, or -1. */
static long rule_of_line(const struct facts *facts, __u32 line)
{
	return line < LINE_FIRST_RULE || line >= MAX_LINES ? -1 : (long)facts->places[line] - 1;
}

static json_t *rule_json(const struct ruleset *ruleset, long index)
{
	cleanup_free char *text = index < 0 ? NULL : rule_text(&ruleset->rules[index], false);

	return text_json(text);
}

/* The rule's number in `portctl list`; an expired rule has none. */
static json_t *number_json(const struct ruleset *ruleset, long index)
{
	unsigned int number = index < 0 ? 0 : ruleset->rules[index].row;

	return number ? json_integer(number) : json_null();
}

/* The rules that did not apply, each once. */
struct tried {
	json_t *list;
	bool *told; /* for each rule: it is in the list */
};

static void add_asked(struct tried *tried, const struct facts *facts, __u32 line,
		      const char *why)
{
	long index = rule_of_line(facts, line);

	if (index < 0 || tried->told[index])
		return;
	tried->told[index] = true;
	json_array_append_new(tried->list,
			      json_pack("{s:o, s:o, s:s}", "rule",
					rule_json(facts->ruleset, index), "number",
					number_json(facts->ruleset, index), "why", why));
}

/* Adds the rules with a source in this group; none of the sources matched. */
static void add_sources(struct tried *tried, const struct facts *facts, __u32 group)
{
	for (size_t i = 0; i < facts->image.source_count; i++) {
		const struct source_entry *source = &facts->image.sources[i];
		__u32 line = entry_line(source->entry);

		if (source->group != group)
			continue;
		if (entry_has_detail(source->entry))
			line = entry_line(facts->image.details[line].entry);
		add_asked(tried, facts, line, "it is for other sources");
	}
}

static const char *why_not(const struct facts *facts, const struct detail *detail)
{
	long index = rule_of_line(facts, entry_line(detail->entry));
	const struct rule *rule = index < 0 ? NULL : &facts->ruleset->rules[index];

	if (!detail->door)
		return "it has expired";
	return rule && rule->knock && rule->knock->once
		       ? "this source has no grant, or has used its grant"
		       : "this source has no grant";
}

/* The image was compiled like that of the data path, so the details have the same indices. */
static json_t *tried_json(const struct facts *facts)
{
	cleanup_free bool *told = calloc(facts->ruleset->count + 1, sizeof(*told));
	struct tried tried = { .list = json_array(), .told = told };

	for (size_t i = 0; i < facts->judgement->count && told; i++) {
		const struct asked *asked = &facts->judgement->asked[i];
		const struct detail *detail;

		if (asked->answer || asked->detail >= facts->image.detail_count)
			continue;
		detail = &facts->image.details[asked->detail];
		if (asked->flags == ENTRY_SOURCES)
			add_sources(&tried, facts, detail->group);
		else if (asked->flags == ENTRY_RULE)
			add_asked(&tried, facts, entry_line(detail->entry),
				  why_not(facts, detail));
	}
	return tried.list;
}

/* Copies the running rules, with the deadlines and knock numbers that their text lacks. */
static int copy_running(const struct ruleset *running, struct report *report,
			struct ruleset *copy)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int err;

	if (!out)
		return -ENOMEM;
	ruleset_print(running, out);
	if (fclose(out))
		return -ENOMEM;
	err = ruleset_parse(copy, text, report);
	for (size_t i = 0; i < running->count && !err; i++) {
		copy->rules[i].ends = running->rules[i].ends;
		copy->rules[i].door = running->rules[i].door;
	}
	return err;
}

/* The line of the added statement; the other rules have no lines. */
#define LINE_TRIED LINE_FIRST_RULE

/* Copies the ruleset and adds one statement, which replaces the rules that it covers. */
static int add_statement(const struct ruleset *running, const char *statement,
			 struct ruleset *changed)
{
	cleanup_free char *complaint = NULL;
	size_t size;
	cleanup_file FILE *ignored = open_memstream(&complaint, &size);
	struct report report = { .out = ignored, .file = "" };
	struct ruleset one;
	int err;

	if (!ignored)
		return -ENOMEM;
	ruleset_init(&one);
	err = ruleset_parse(&one, statement, &report)
		      ?: copy_running(running, &report, changed);
	for (size_t i = changed->count; !err && i-- > 0;) {
		if (rule_covers(&one.rules[0], &changed->rules[i]))
			ruleset_remove(changed, i);
	}
	if (!err) {
		one.rules[0].line = LINE_TRIED;
		err = ruleset_add(changed, &one.rules[0]);
	}
	ruleset_clear(&one);
	return err;
}

/* Whether an added statement would decide about the packet. */
static bool would_decide(const struct facts *facts, const char *statement)
{
	cleanup_free struct image *image = large_calloc(1, sizeof(*image));
	__u32 key = key_of(facts->packet, entry_line(facts->judgement->entry));
	struct ruleset changed;
	entry_t entry = 0;

	ruleset_init(&changed);
	if (image && !add_statement(facts->ruleset, statement, &changed) &&
	    !compile(&changed, facts->iface, image, NULL))
		entry = evaluate_entry(image, key, &facts->packet->source, since_boot(), 0);
	if (image)
		image_clear(image);
	ruleset_clear(&changed);
	return entry_line(entry) == LINE_TRIED;
}

/* The narrowest statement that would reverse the verdict, checked; null if there is none. */
static json_t *advice_json(const struct facts *facts, bool passed)
{
	const char *action = passed ? "drop" : "allow";
	char statement[256];

	/* The DHCP lifeline wins over every rule with a port; evaluate_entry() ignores it. */
	snprintf(statement, sizeof(statement), "%s %s from %s", action, facts->port,
		 facts->source);
	if (entry_line(facts->judgement->entry) != LINE_DHCP && would_decide(facts, statement))
		return text_json(statement);
	snprintf(statement, sizeof(statement), "%s from %s", action, facts->source);
	return would_decide(facts, statement) ? text_json(statement) : json_null();
}

static const char *done_to(enum verdict verdict)
{
	return verdict == VERDICT_PASS	   ? "is let in"
	       : verdict == VERDICT_REJECT ? "is rejected"
					   : "is dropped";
}

static const char *reason_of(__u32 line)
{
	enum rule_option option = option_of_line(line);

	switch (line) {
	case LINE_DEFAULT_PASS:
	case LINE_DEFAULT_DROP:
	case LINE_DEFAULT_REJECT:
		return "no rule matches, so the default applies";
	case LINE_REPLY:
		return "it belongs to an open connection, or replies to this host";
	case LINE_KNOCK:
		return "it is a step of a knock, or only a knock opens it";
	case LINE_ECHO_LIMITED:
		return "echo requests are over their limit";
	}
	return option < OPTIONS && option_table[option].lifeline ? option_table[option].reason
								 : line_name(line);
}

/* How much of a rule's text to print: rules may be long. *dots is "..." if the text is cut. */
static int short_length(const char *text, const char **dots)
{
	size_t length = strlen(text);

	*dots = "";
	if (length <= TEXT_SHOWN)
		return length;
	*dots = "...";
	for (length = TEXT_SHOWN; length > TEXT_SHOWN / 2; length--) {
		if (text[length] == ' ')
			break;
	}
	while ((text[length] & 0xC0) == 0x80) /* do not cut a UTF-8 character */
		length--;
	return length;
}

static json_t *sentence(const struct facts *facts, enum verdict verdict, __u32 line)
{
	const char *dots;
	int length;
	long index = rule_of_line(facts, line);
	const struct rule *rule = index < 0 ? NULL : &facts->ruleset->rules[index];
	cleanup_free char *text = rule ? rule_text(rule, false) : NULL;

	if (!rule)
		return format_json("%s from %s on %s %s: %s", facts->port, facts->source,
				   facts->iface, done_to(verdict), reason_of(line));
	length = short_length(text ?: "?", &dots);
	return format_json("%s from %s on %s %s%s rule %u, \"%.*s%s\"", facts->port,
			   facts->source, facts->iface, done_to(verdict),
			   rule->line == line ? " by" : ": it is over the limit of", rule->row,
			   length, text ?: "?", dots);
}

static const char *line_text(const struct facts *facts, __u32 line)
{
	long index = rule_of_line(facts, line);

	if (index < 0)
		return line_name(line);
	return facts->ruleset->rules[index].line == line ? "rule" : "limited";
}

json_t *explain_json(const struct judgement *judgement, const struct packet *packet,
		     const struct ruleset *ruleset, const char *iface)
{
	cleanup_free struct facts *facts = calloc(1, sizeof(*facts));
	enum verdict verdict = entry_verdict(judgement->entry);
	__u32 line = entry_line(judgement->entry);
	json_t *object = NULL;
	long index;

	if (!facts)
		return NULL;
	facts->judgement = judgement;
	facts->packet = packet;
	facts->ruleset = ruleset;
	facts->iface = iface;
	name_packet(facts);
	place_rules(facts);
	index = rule_of_line(facts, line);
	if (!compile(ruleset, iface, &facts->image, NULL))
		object = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "verdict",
				   verdict_name(verdict), "line", line_text(facts, line),
				   "rule", rule_json(ruleset, index), "number",
				   number_json(ruleset, index), "interface", text_json(iface),
				   "text", sentence(facts, verdict, line), "tried",
				   tried_json(facts), "advice",
				   advice_json(facts, verdict == VERDICT_PASS));
	image_clear(&facts->image);
	return object;
}

static void print_tried(const json_t *one, FILE *out)
{
	const char *text = json_string_value(json_object_get(one, "rule")) ?: "?", *dots;
	int length = short_length(text, &dots);
	json_int_t number = json_integer_value(json_object_get(one, "number"));

	fputs("  skipped: ", out);
	if (number)
		fprintf(out, "rule %lld, ", (long long)number);
	fprintf(out, "\"%.*s%s\": %s\n", length, text, dots,
		json_string_value(json_object_get(one, "why")));
}

static void print_all_tried(const json_t *tried, FILE *out)
{
	size_t count = json_array_size(tried);

	for (size_t i = 0; i < count && i < RULES_SHOWN; i++)
		print_tried(json_array_get(tried, i), out);
	if (count > RULES_SHOWN)
		fprintf(out, "  skipped: %zu more rules; -j lists them\n", count - RULES_SHOWN);
}

void explain_print(const json_t *explanation, FILE *out)
{
	const char *advice = json_string_value(json_object_get(explanation, "advice"));
	bool passed =
		!strcmp(json_string_value(json_object_get(explanation, "verdict")), "pass");

	fprintf(out, "%s\n", json_string_value(json_object_get(explanation, "text")));
	print_all_tried(json_object_get(explanation, "tried"), out);
	if (advice)
		fprintf(out, "\"portctl %s\" would %s\n", advice,
			passed ? "keep it out" : "let it in");
}
