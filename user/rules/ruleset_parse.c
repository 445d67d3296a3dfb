// SPDX-License-Identifier: GPL-2.0-only
#include "rules/ruleset_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "rules/ruleset_clauses.h"
#include "rules/ruleset_knock.h"
#include "rules/ruleset_terms.h"
#include "rules/scan.h"

static bool begins_clause(const struct token *token)
{
	return clause_find(token, IN_RULES);
}

static int parse_clauses(struct scanner *scan, struct rule *rule)
{
	while (scan->token.kind != TOKEN_END) {
		const struct clause *clause = clause_find(&scan->token, IN_RULES);
		struct word_list words = { 0 };
		int err;

		if (!clause) {
			word_list_add(&words, "a port");
			clauses_list(clause_statement(rule), &words);
			word_list_add(&words, "the end of the line");
			return scan_wrong_word(scan, "expected ", &words);
		}
		err = clause_parse(scan, rule, clause);
		if (err)
			return err;
	}
	return 0;
}

static int parse_plain_rule(struct scanner *scan, struct rule *rule)
{
	return terms_parse(scan, rule, begins_clause) ?: parse_clauses(scan, rule);
}

static int parse_rule(struct scanner *scan, struct ruleset *ruleset, enum verdict action,
		      int (*parse)(struct scanner *scan, struct rule *rule))
{
	struct rule rule = { .action = action, .row = scan->row };
	struct token start = scan->token;
	int err = scan_next(scan) ?: parse(scan, &rule);

	if (!err)
		err = ruleset_add(ruleset, &rule);
	if (err == -ENOSPC)
		scan_wrong(scan, &start, "expected at most %d rules", MAX_RULES);
	rule_clear(&rule);
	return err;
}

static int parse_action(struct scanner *scan, struct ruleset *ruleset, enum verdict action)
{
	return parse_rule(scan, ruleset, action, parse_plain_rule);
}

static int parse_knock(struct scanner *scan, struct ruleset *ruleset, enum verdict action)
{
	return parse_rule(scan, ruleset, action, knock_parse);
}

/* Sets a setting. Refuses a value that differs from the value on an earlier line. */
static int set_once(struct scanner *scan, enum verdict *setting, unsigned int *row,
		    enum verdict value)
{
	int err;

	if (*row && *setting != value)
		return scan_wrong(scan, &scan->token, "but line %u sets another value", *row);
	*setting = value;
	*row = scan->row;
	err = scan_next(scan);
	if (!err && scan->token.kind != TOKEN_END)
		return scan_wrong(scan, &scan->token, "expected the end of the line");
	return err;
}

static int parse_default(struct scanner *scan, struct ruleset *ruleset, enum verdict action)
{
	static const enum verdict verdicts[] = { VERDICT_PASS, VERDICT_DROP, VERDICT_REJECT };
	struct word_list words = { 0 };
	int err = scan_next(scan);

	(void)action;
	if (err)
		return err;
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		const char *word = action_name(verdicts[i]);

		if (token_is(&scan->token, word))
			return set_once(scan, &ruleset->fallback, &ruleset->fallback_row,
					verdicts[i]);
		word_list_add(&words, word);
	}
	return scan_wrong_word(scan, "expected ", &words);
}

static int parse_value(struct scanner *scan, struct ruleset *ruleset, enum rule_option option)
{
	const struct option_info *info = &option_table[option];
	enum verdict value;
	int err = scan_next(scan);

	if (err)
		return err;
	if (token_is(&scan->token, info->pass))
		value = VERDICT_PASS;
	else if (token_is(&scan->token, info->drop))
		value = VERDICT_DROP;
	else
		return scan_wrong(scan, &scan->token, "expected %s or %s", info->pass,
				  info->drop);
	return set_once(scan, &ruleset->options[option], &ruleset->option_rows[option], value);
}

static int parse_option(struct scanner *scan, struct ruleset *ruleset, enum verdict action)
{
	struct word_list words = { 0 };
	int err = scan_next(scan);

	(void)action;
	if (err)
		return err;
	for (enum rule_option option = 0; option < OPTIONS; option++) {
		if (token_is(&scan->token, option_table[option].name))
			return parse_value(scan, ruleset, option);
		word_list_add(&words, option_table[option].name);
	}
	return scan_wrong_word(scan, "expected an option: ", &words);
}

/* All statements. If `word` is NULL, the statement begins with the name of `action`. */
static const struct statement {
	const char *word;
	enum verdict action;
	int (*parse)(struct scanner *scan, struct ruleset *ruleset, enum verdict action);
} statements[] = {
	{ NULL, VERDICT_PASS, parse_action },	     { NULL, VERDICT_DROP, parse_action },
	{ NULL, VERDICT_REJECT, parse_action },	     { "knock", VERDICT_PASS, parse_knock },
	{ "default", VERDICT_UNSET, parse_default }, { "option", VERDICT_UNSET, parse_option },
};

const char *statement_word(size_t number)
{
	if (number >= ARRAY_SIZE(statements))
		return NULL;
	return statements[number].word ?: action_name(statements[number].action);
}

bool statement_is_rule(size_t number)
{
	return statements[number].action != VERDICT_UNSET;
}

static int parse_statement(struct scanner *scan, struct ruleset *ruleset)
{
	struct word_list words = { 0 };
	const char *word;

	for (size_t i = 0; (word = statement_word(i)); i++) {
		if (token_is(&scan->token, word))
			return statements[i].parse(scan, ruleset, statements[i].action);
		word_list_add(&words, word);
	}
	return scan_wrong_word(scan, "expected ", &words);
}

/*
 * Makes room for a rule in each line in one large allocation: growing the array step by step
 * would touch every page several times. If there is no memory for it, the array grows.
 */
static void reserve_rules(struct ruleset *ruleset, const char *text)
{
	size_t lines = 1;

	if (ruleset->rules)
		return;
	for (const char *c = strchr(text, '\n'); c && lines < MAX_RULES;
	     c = strchr(c + 1, '\n'))
		lines++;
	ruleset->rules = large_calloc(lines, sizeof(*ruleset->rules));
	ruleset->room = ruleset->rules ? lines : 0;
}

int ruleset_parse(struct ruleset *ruleset, const char *text, struct report *report)
{
	struct scanner scan = { .line = text, .report = report };
	int err;

	reserve_rules(ruleset, text);
	while (*scan.line) {
		scan.pos = scan.line;
		scan.row++;
		err = scan_next(&scan);
		if (!err && scan.token.kind != TOKEN_END)
			err = parse_statement(&scan, ruleset);
		if (err == -ENOMEM || err == -ENOSPC)
			return err;
		scan.line = strchrnul(scan.line, '\n');
		if (*scan.line)
			scan.line++;
	}
	return report->errors ? -EINVAL : 0;
}

/*
 * Prints a newline as CR, since a newline would begin another statement. Outside of quotes a CR
 * is a blank, within quotes a control character.
 */
static void put_word(FILE *out, const char *word, bool quoted)
{
	fputs(quoted ? " \"" : " ", out);
	for (; *word; word++) {
		if (quoted && (*word == '"' || *word == '\\'))
			fputc('\\', out);
		fputc(*word == '\n' ? '\r' : *word, out);
	}
	fputs(quoted ? "\"" : "", out);
}

static enum clause_argument argument_after(const char *word)
{
	const struct token token = { TOKEN_WORD, word, strlen(word), word };
	const struct clause *clause = clause_find(&token, IN_RULES | IN_KNOCK);

	return clause ? clause->argument : ARGUMENT_WORDS;
}

/*
 * Makes the words a line of text. An argument is quoted as its clause says. An argument or the
 * name of a knock never begins a clause.
 */
static int join_words(const char *first, int count, char *const *words, char **text)
{
	enum clause_argument argument = ARGUMENT_WORDS;
	bool free_word = !strcmp(first, "knock");
	size_t size;
	FILE *out = open_memstream(text, &size);

	if (!out)
		return -ENOMEM;
	fputs(first, out);
	for (int i = 0; i < count; i++) {
		put_word(out, words[i],
			 argument == ARGUMENT_TEXT ||
				 (argument == ARGUMENT_NAME && needs_quotes(words[i])));
		argument = free_word ? ARGUMENT_WORDS : argument_after(words[i]);
		free_word = argument != ARGUMENT_WORDS;
	}
	return fclose(out) ? -ENOMEM : 0;
}

int ruleset_parse_words(struct ruleset *ruleset, const char *first, int count,
			char *const *words, struct report *report)
{
	cleanup_free char *text = NULL;
	int err = join_words(first, count, words, &text);

	return err ?: ruleset_parse(ruleset, text, report);
}
