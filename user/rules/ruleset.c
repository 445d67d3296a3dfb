// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset.h"

#include <errno.h>
#include <string.h>

#include "rules/prefix.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "base/number.h"

const struct option_words option_words[OPTIONS] = {
	[OPTION_FRAGMENTS] = { "fragments", "pass", "drop" },
	[OPTION_ERRORS] = { "icmp-errors", "on", "off" },
	[OPTION_NEIGHBOURS] = { "neighbours", "on", "off" },
	[OPTION_ECHO] = { "echo", "on", "off" },
	[OPTION_DHCP] = { "dhcp", "on", "off" },
};

void ruleset_init(struct ruleset *ruleset)
{
	*ruleset = (struct ruleset){ .fallback = VERDICT_PASS };
	for (enum rule_option option = 0; option < OPTIONS; option++)
		ruleset->options[option] = VERDICT_PASS;
}

static void free_parts(const struct rule *rule)
{
	free(rule->terms);
	free(rule->sources);
	free(rule->comment);
	if (rule->knock) {
		free(rule->knock->keys);
		free(rule->knock->secret);
	}
	free(rule->knock);
}

void rule_clear(struct rule *rule)
{
	free_parts(rule);
	*rule = (struct rule){ 0 };
}

void ruleset_clear(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++)
		free_parts(&ruleset->rules[i]);
	free(ruleset->rules);
	ruleset_init(ruleset);
}

int ruleset_add(struct ruleset *ruleset, struct rule *rule)
{
	int err;

	if (ruleset->count == MAX_RULES)
		return -ENOSPC;
	err = array_reserve(&ruleset->rules, &ruleset->room, ruleset->count, sizeof(*rule));
	if (err)
		return err;
	ruleset->rules[ruleset->count++] = *rule;
	*rule = (struct rule){ 0 };
	return 0;
}

void ruleset_remove(struct ruleset *ruleset, size_t index)
{
	rule_clear(&ruleset->rules[index]);
	ruleset->count--;
	memmove(&ruleset->rules[index], &ruleset->rules[index + 1],
		(ruleset->count - index) * sizeof(*ruleset->rules));
}

__u64 limit_unit(const struct limit *limit)
{
	__u64 seconds = limit->unit == 's' ? 1 : limit->unit == 'm' ? 60 : 3600;

	return seconds * 1000000000;
}

__u64 limit_interval(const struct limit *limit)
{
	return limit_unit(limit) / limit->count ?: 1;
}

static bool has_ended(const struct rule *rule, __u64 now)
{
	return rule->ends && rule->ends <= now;
}

void ruleset_drop_ended(struct ruleset *ruleset, __u64 now)
{
	for (size_t i = ruleset->count; i-- > 0;) {
		if (has_ended(&ruleset->rules[i], now))
			ruleset_remove(ruleset, i);
	}
}

void ruleset_number(struct ruleset *ruleset, __u64 now)
{
	unsigned int number = 0;

	for (size_t i = 0; i < ruleset->count; i++)
		ruleset->rules[i].row = has_ended(&ruleset->rules[i], now) ? 0 : ++number;
}

static bool term_same(const struct term *a, const struct term *b)
{
	return a->transports == b->transports && a->protocol == b->protocol &&
	       a->first == b->first && a->last == b->last;
}

static bool same_sources(const struct rule *a, const struct rule *b)
{
	if (a->source_count != b->source_count)
		return false;
	for (size_t i = 0; i < a->source_count; i++) {
		if (prefix_compare(&a->sources[i], &b->sources[i]))
			return false;
	}
	return true;
}

bool rule_same_match(const struct rule *a, const struct rule *b)
{
	return a->term_count == b->term_count && rule_covers(a, b);
}

bool rule_covers(const struct rule *outer, const struct rule *inner)
{
	if (outer->knock || inner->knock)
		return outer->knock && inner->knock &&
		       !strcmp(outer->knock->name, inner->knock->name);
	if (strcmp(outer->iface, inner->iface) || !same_sources(outer, inner) ||
	    !outer->term_count != !inner->term_count)
		return false;
	for (size_t i = 0; i < inner->term_count; i++) {
		bool found = false;

		for (size_t o = 0; o < outer->term_count && !found; o++)
			found = term_same(&outer->terms[o], &inner->terms[i]);
		if (!found)
			return false;
	}
	return true;
}

/* By hand: there may be 65,536 rules to print, and fprintf() took most of it. */
static void print_port(__u16 port, FILE *out)
{
	char digits[5], *end = digits + sizeof(digits);

	for (char *digit = digits_before(end, port); digit < end; digit++)
		putc_unlocked(*digit, out);
}

void term_print(const struct term *term, FILE *out)
{
	if (!term->transports) {
		fprintf(out, "%u/ip", term->protocol);
		return;
	}
	print_port(term->first, out);
	if (term->last != term->first) {
		putc_unlocked('-', out);
		print_port(term->last, out);
	}
	if (term->transports != TRANSPORT_BOTH)
		fputs(term->transports == TRANSPORT_TCP ? "/tcp" : "/udp", out);
}

static void print_sources(const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->source_count; i++) {
		fputs(i ? ", " : " from ", out);
		prefix_print(&rule->sources[i], out);
	}
}

static void print_limit(const struct limit *limit, FILE *out)
{
	fprintf(out, " limit %u/%c", limit->count, limit->unit);
	if (limit->burst)
		fprintf(out, " burst %u", limit->burst);
	if (limit->per_source)
		fputs(" per source", out);
}

/* In the largest unit that needs no fraction. */
void time_print(__u32 seconds, FILE *out)
{
	if (seconds % 86400 == 0)
		fprintf(out, "%ud", seconds / 86400);
	else if (seconds % 3600 == 0)
		fprintf(out, "%uh", seconds / 3600);
	else if (seconds % 60 == 0)
		fprintf(out, "%um", seconds / 60);
	else
		fprintf(out, "%us", seconds);
}

static void print_quoted(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

/* In quotes where it would not be read as one word without them. */
static void print_iface(const char *iface, FILE *out)
{
	fputs(" on ", out);
	if (strpbrk(iface, ",\"#"))
		print_quoted(iface, out);
	else
		fputs(iface, out);
}

void terms_print(const struct rule *rule, FILE *out)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		putc_unlocked(' ', out);
		term_print(&rule->terms[i], out);
	}
}

static void print_plain_rule(const struct rule *rule, FILE *out)
{
	fputs(action_name(rule->action), out);
	terms_print(rule, out);
	print_sources(rule, out);
	if (*rule->iface)
		print_iface(rule->iface, out);
	if (rule->limit.count)
		print_limit(&rule->limit, out);
	if (rule->seconds) {
		fputs(" for ", out);
		time_print(rule->seconds, out);
	}
}

void rule_print(const struct rule *rule, FILE *out, bool comment)
{
	if (rule->knock)
		knock_print(rule, out);
	else
		print_plain_rule(rule, out);
	if (comment && rule->comment) {
		fputs(" comment ", out);
		print_quoted(rule->comment, out);
	}
}

char *rule_text(const struct rule *rule, bool comment)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	rule_print(rule, out, comment);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	cleanup_free char *left = NULL, *right = NULL;

	if (a->action != b->action || !rule_same_match(a, b))
		return false;
	left = rule_text(a, true);
	right = rule_text(b, true);
	return left && right && !strcmp(left, right);
}

long ruleset_find(const struct ruleset *ruleset, const struct rule *rule)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (rule_same(&ruleset->rules[i], rule))
			return i;
	}
	return -1;
}

int rule_texts_print(struct rule_texts *texts, const struct ruleset *ruleset)
{
	size_t size;
	FILE *out = open_memstream(&texts->buffer, &size);
	char *pos;

	texts->list = calloc(ruleset->count + 1, sizeof(*texts->list));
	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < ruleset->count; i++) {
		rule_print(&ruleset->rules[i], out, false);
		putc_unlocked(0, out);
	}
	if (fclose(out) || !texts->list)
		return -ENOMEM;
	pos = texts->buffer;
	for (size_t i = 0; i < ruleset->count; i++) {
		texts->list[i] = pos;
		pos += strlen(pos) + 1;
	}
	return 0;
}

void rule_texts_clear(struct rule_texts *texts)
{
	free(texts->buffer);
	free(texts->list);
}

void settings_print(const struct ruleset *ruleset, FILE *out)
{
	fprintf(out, "default %s\n", action_name(ruleset->fallback));
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (ruleset->options[option] == VERDICT_DROP)
			fprintf(out, "option %s %s\n", option_words[option].name,
				option_words[option].drop);
	}
}

void ruleset_print(const struct ruleset *ruleset, FILE *out)
{
	settings_print(ruleset, out);
	for (size_t i = 0; i < ruleset->count; i++) {
		rule_print(&ruleset->rules[i], out, true);
		fputc('\n', out);
	}
}

const struct rule *ruleset_line(const struct ruleset *ruleset, __u32 line)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].line == line)
			return &ruleset->rules[i];
	}
	return NULL;
}

__u64 ruleset_next_end(const struct ruleset *ruleset, __u64 now)
{
	__u64 next = 0;

	for (size_t i = 0; i < ruleset->count; i++) {
		__u64 ends = ruleset->rules[i].ends;

		if (ends > now && (!next || ends < next))
			next = ends;
	}
	return next;
}

const struct rule *ruleset_door(const struct ruleset *ruleset, __u32 door)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].knock && ruleset->rules[i].door == door)
			return &ruleset->rules[i];
	}
	return NULL;
}
