// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "rules/ruleset_clauses.h"
#include "rules/ruleset_knock.h"
#include "rules/ruleset_terms.h"

void ruleset_init(struct ruleset *ruleset)
{
	*ruleset = (struct ruleset){ .fallback = VERDICT_PASS };
	for (enum rule_option option = 0; option < OPTIONS; option++)
		ruleset->options[option] = option_table[option].initial;
}

static void free_parts(const struct rule *rule)
{
	free(rule->terms);
	clauses_clear(rule);
	knock_free(rule->knock);
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

static bool has_term(const struct rule *rule, const struct term *term)
{
	for (size_t i = 0; i < rule->term_count; i++) {
		if (!term_compare(&rule->terms[i], term))
			return true;
	}
	return false;
}

static bool has_terms(const struct rule *outer, const struct rule *inner)
{
	for (size_t i = 0; i < inner->term_count; i++) {
		if (!has_term(outer, &inner->terms[i]))
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
	return clauses_same(outer, inner, CLAUSE_MATCH) &&
	       !outer->term_count == !inner->term_count && has_terms(outer, inner);
}

/* Whether two rules are equal except for clauses that do not select packets. */
static bool rule_same_core(const struct rule *a, const struct rule *b)
{
	return a->action == b->action && rule_same_match(a, b) &&
	       (!a->knock || (has_terms(a, b) && knock_same(a->knock, b->knock)));
}

bool rule_same(const struct rule *a, const struct rule *b)
{
	return rule_same_core(a, b) && clauses_same(a, b, CLAUSE_ALL);
}

bool rule_is_meant(const struct rule *rule, const struct rule *words)
{
	return rule_same_core(rule, words) &&
	       clauses_include(rule, words, CLAUSE_ALL & ~CLAUSE_MATCH);
}

long ruleset_find(const struct ruleset *ruleset, const struct rule *rule)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (rule_same(&ruleset->rules[i], rule))
			return i;
	}
	return -1;
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

void rule_print(const struct rule *rule, FILE *out, bool comment)
{
	if (rule->knock) {
		knock_print(rule, out);
	} else {
		fputs(action_name(rule->action), out);
		terms_print(rule, out);
	}
	clauses_print(rule, comment ? CLAUSE_ALL : CLAUSE_ALL & ~CLAUSE_LABEL, out);
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
		if (ruleset->options[option] != option_table[option].initial)
			fprintf(out, "option %s %s\n", option_table[option].name,
				option_value(option, ruleset->options[option]));
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
