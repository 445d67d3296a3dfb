// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the completions of a shell, made from the entries of the commands: "completions
 * bash" or "completions zsh". The shell offers what the entry names: options; words in lower
 * case from the usage and the rows of help; and names, where the word before takes a FILE,
 * an IFACE or another kind of name that the shell can list.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main/commands.h"
#include "base/array.h"
#include "base/cleanup.h"
#include "rules/ruleset_parse.h"

/* Distinct words, with blanks between them. */
struct words {
	char *text;
	size_t size;
};

/* What may follow a word, as a value follows an option. */
struct value {
	char *word;
	const char *kind; /* of the names that may follow; "": any text, so offer nothing */
	struct words words;
};

/* What a command, or a verb of it, may have on its line. */
struct form {
	struct words words;
	struct words kinds; /* of names that may stand anywhere */
	struct value *values;
	size_t count;
	size_t room;
};

static void *must(void *memory)
{
	if (!memory)
		exit(1);
	return memory;
}

static bool has_word(const char *list, const char *word, size_t length)
{
	while (list && *list) {
		size_t next = strcspn(list, " ");

		if (next == length && !memcmp(list, word, length))
			return true;
		list += next + (list[next] == ' ');
	}
	return false;
}

static void add_word(struct words *words, const char *word, size_t length)
{
	if (!length || has_word(words->text, word, length))
		return;
	words->text = must(realloc(words->text, words->size + length + 2));
	if (words->size)
		words->text[words->size++] = ' ';
	memcpy(words->text + words->size, word, length);
	words->size += length;
	words->text[words->size] = 0;
}

/* Whether a word of usage is to be typed as it is: an option, or a word in lower case. */
static bool is_literal(const char *word, size_t length)
{
	bool option = *word == '-';

	if (length < 2)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!islower((unsigned char)word[i]) && word[i] != '-' &&
		    !(isdigit((unsigned char)word[i]) && option))
			return false;
	}
	return true;
}

/* The kind of names that a word in capitals stands for; NULL if it is not in capitals. */
static const char *kind_of(const char *word, size_t length, const char *before)
{
	if (!isupper((unsigned char)*word))
		return NULL;
	if (length >= 4 && !memcmp(word + length - 4, "FILE", 4))
		return "files";
	if (length == 7 && !memcmp(word, "PROGRAM", 7))
		return "files";
	if (length == 5 && !memcmp(word, "IFACE", 5))
		return "interfaces";
	return !strcmp(before, "--netns") ? "namespaces" : "";
}

static struct value *value_of(struct form *form, const char *word)
{
	for (size_t i = 0; i < form->count; i++) {
		if (!strcmp(form->values[i].word, word))
			return &form->values[i];
	}
	if (array_reserve(&form->values, &form->room, form->count, sizeof(*form->values)))
		exit(1);
	form->values[form->count] = (struct value){ .word = must(strdup(word)), .kind = "" };
	return &form->values[form->count++];
}

/* The words that begin a rule. */
static void add_rule_words(struct words *words)
{
	const char *word;

	for (size_t i = 0; (word = statement_word(i)); i++) {
		if (statement_is_rule(i))
			add_word(words, word, strlen(word));
	}
}

/* Takes one word of usage. `before` is the word that it follows as a value, or "". */
static void take_word(struct form *form, const char *word, size_t length, const char *before)
{
	const char *kind = kind_of(word, length, before);

	if (kind && *before)
		value_of(form, before)->kind = kind;
	else if (kind && *kind)
		add_word(&form->kinds, kind, strlen(kind));
	else if (length == 4 && !memcmp(word, "RULE", 4))
		add_rule_words(&form->words);
	else if (is_literal(word, length) && *before == '-' && *word != '-')
		add_word(&value_of(form, before)->words, word, length);
	else if (is_literal(word, length))
		add_word(&form->words, word, length);
}

/*
 * Takes alternatives without a blank between them, as in "IFACE...|--all". The next chunk
 * can be a value of the last one.
 */
static void take_chunk(struct form *form, const char *chunk, size_t length, char before[32])
{
	const char *end = chunk + length, *word = chunk;
	char last[32] = "";

	while (word < end) {
		size_t part = strcspn(word, "|,.: []\n");

		if (word + part > end)
			part = end - word;
		take_word(form, word, part, before);
		snprintf(last, sizeof(last), "%.*s", is_literal(word, part) ? (int)part : 0,
			 word);
		word += part + strspn(word + part, "|,.:");
	}
	strcpy(before, last);
}

static void take_text(struct form *form, const char *text, const char *end)
{
	char before[32] = "";

	while (text < end) {
		size_t between = strspn(text, " []\n"), length;

		/* A word behind a bracket is no value of the word before the bracket. */
		if (memchr(text, ']', between) || memchr(text, '[', between))
			*before = 0;
		text += between;
		length = strcspn(text, " []\n");
		if (text < end && length)
			take_chunk(form, text,
				   text + length > end ? (size_t)(end - text) : length, before);
		text += length;
	}
}

/* Takes the terms of help_rows(): indented by two blanks, and ended by two blanks. */
static void take_rows(struct form *form, const char *line)
{
	while (line && *line) {
		const char *next = strchr(line, '\n'), *end = strstr(line + 2, "  ");

		if (!strncmp(line, "  ", 2) && line[2] != ' ')
			take_text(form, line + 2, end && end < next ? end : next);
		line = next ? next + 1 : NULL;
	}
}

static void take_more_help(struct form *form, const struct command *command)
{
	cleanup_free char *text = NULL;
	size_t size;
	FILE *out = must(open_memstream(&text, &size));

	command->more_help(command, out);
	fclose(out);
	take_rows(form, text);
}

/* One form of an option, "--mode" or "-m", and its argument. */
static void take_option(struct form *form, const char *option, const char *argument)
{
	char before[32];

	snprintf(before, sizeof(before), "%s", option);
	add_word(&form->words, option, strlen(option));
	if (argument) {
		value_of(form, option);
		take_chunk(form, argument, strlen(argument), before);
	}
}

static void take_options(struct form *form, const struct cli_option *options)
{
	for (const struct cli_option *option = options; option && option->name; option++) {
		char word[32], letter[] = { '-', option->letter, 0 };

		if (!option->help)
			continue;
		snprintf(word, sizeof(word), "--%s", option->name);
		take_option(form, word, option->argument);
		if (option->letter)
			take_option(form, letter, option->argument);
	}
}

static void take_command(struct form *form, const struct command *command)
{
	take_text(form, command->arguments, strchr(command->arguments, 0));
	take_options(form, command->options);
	if (command->more_help)
		take_more_help(form, command);
}

/* Words that any text may follow: the shell offers nothing behind them. */
static void print_unknown(const struct form *form)
{
	bool any = false;

	for (size_t i = 0; i < form->count; i++) {
		const struct value *value = &form->values[i];

		if (value->words.size || *value->kind)
			continue;
		printf("%s%s", any ? "|" : "\t\t", value->word);
		any = true;
	}
	if (any)
		puts(") return ;;");
}

static void print_form(const struct form *form)
{
	if (form->count)
		puts("\t\tcase $3 in");
	for (size_t i = 0; i < form->count; i++) {
		const struct value *value = &form->values[i];

		if (value->words.size || *value->kind)
			printf("\t\t%s) offers='%s' kinds='%s'; return ;;\n", value->word,
			       value->words.text ?: "", value->kind);
	}
	print_unknown(form);
	if (form->count)
		puts("\t\tesac");
	printf("\t\toffers='%s' kinds='%s' ;;\n", form->words.text ?: "",
	       form->kinds.text ?: "");
}

static void clear_form(struct form *form)
{
	for (size_t i = 0; i < form->count; i++) {
		free(form->values[i].word);
		free(form->values[i].words.text);
	}
	free(form->values);
	free(form->words.text);
	free(form->kinds.text);
	*form = (struct form){ 0 };
}

static const char *verb_name(const struct command *verb)
{
	return strrchr(verb->name, ' ') + 1;
}

static void print_verb_names(const struct command *const *verbs)
{
	for (size_t i = 0; verbs[i]; i++)
		printf("%s%s", i ? " " : "", verb_name(verbs[i]));
}

/* The first word behind the command chooses a verb; at that place all verbs are offered. */
static void print_verbs(const struct command *const *verbs)
{
	const struct command *const *verb;

	puts("\tcase $2 in");
	for (verb = verbs; *verb; verb++) {
		struct form form = { 0 };

		printf("\t%s)\n", verb_name(*verb));
		take_command(&form, *verb);
		print_form(&form);
		clear_form(&form);
	}
	fputs("\t*)\n\t\t[ \"$4\" != 1 ] || { offers='", stdout);
	print_verb_names(verbs);
	puts("'; return; }");
}

static void print_command(const struct command *command)
{
	struct form form = { 0 };

	printf("\t%s)\n", command->name);
	if (command->verbs)
		print_verbs(command->verbs);
	take_command(&form, command);
	print_form(&form);
	clear_form(&form);
	if (command->verbs)
		puts("\tesac ;;");
}

/* "help" takes a command, and behind it one of the command's verbs. */
static void print_help_choice(void)
{
	fputs("\thelp)\n\t\tcase $4/$2 in\n\t\t1/*) offers='", stdout);
	for (size_t i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
	puts("' ;;");
	for (size_t i = 0; commands[i]; i++) {
		if (!commands[i]->verbs)
			continue;
		printf("\t\t2/%s) offers='", commands[i]->name);
		print_verb_names(commands[i]->verbs);
		puts("' ;;");
	}
	puts("\t\tesac ;;");
}

static void print_choice(void)
{
	puts("# _portctl_choose COMMAND FIRST BEFORE PLACE: sets offers (words) and kinds (of names) to\n"
	     "# what may stand at PLACE behind COMMAND (1: directly behind it). FIRST is the word at\n"
	     "# place 1, BEFORE the word before PLACE.\n"
	     "_portctl_choose()\n{\n\toffers= kinds=\n\tcase $1 in");
	for (size_t i = 0; commands[i]; i++)
		print_command(commands[i]);
	print_help_choice();
	puts("\tesac\n}\n");
}

static void print_bash(void)
{
	puts("# bash completion for portctl, made from the entries of its commands\n");
	print_choice();
	puts("# _portctl_names FOLDER WORD: offers the names in FOLDER that begin with WORD. Anybody may\n"
	     "# have made these names, so they are quoted: the shell runs nothing in them.\n"
	     "_portctl_names()\n{\n"
	     "\tlocal name\n"
	     "\twhile IFS= read -r name; do\n"
	     "\t\tprintf -v name %q \"$name\"\n"
	     "\t\t[[ $name != \"$2\"* ]] || COMPREPLY+=(\"$name\")\n"
	     "\tdone < <(command ls \"$1\" 2>/dev/null)\n"
	     "}\n");
	fputs("_portctl()\n{\n"
	      "\tlocal word=${COMP_WORDS[COMP_CWORD]} offers kinds kind\n"
	      "\tif [ \"$COMP_CWORD\" = 1 ]; then\n"
	      "\t\toffers='help --version",
	      stdout);
	for (size_t i = 0; commands[i]; i++)
		printf(" %s", commands[i]->name);
	puts("'\n\telse\n"
	     "\t\t_portctl_choose \"${COMP_WORDS[1]}\" \"${COMP_WORDS[2]}\" \\\n"
	     "\t\t\t\"${COMP_WORDS[COMP_CWORD - 1]}\" $((COMP_CWORD - 1))\n"
	     "\tfi\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$offers\" -- \"$word\")\n"
	     "\tfor kind in $kinds; do\n"
	     "\t\tcase $kind in\n"
	     "\t\tinterfaces) _portctl_names /sys/class/net \"$word\" ;;\n"
	     "\t\tnamespaces) _portctl_names /run/netns \"$word\" ;;\n"
	     "\t\tfiles)\n"
	     "\t\t\tcompopt -o filenames 2>/dev/null\n"
	     "\t\t\tmapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- \"$word\")\n"
	     "\t\t\t;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "}\n"
	     "complete -F _portctl portctl");
}

/* 'NAME:TEXT', quoted for zsh's _describe. */
static void print_described(const char *name, const char *text)
{
	printf("\t\t\t'%s:", name);
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (*text == ':')
			fputs("\\:", stdout);
		else
			putchar(*text);
	}
	puts("'");
}

static void print_zsh(void)
{
	puts("#compdef portctl\n# zsh completion for portctl, made from the entries of its commands\n");
	print_choice();
	puts("_portctl()\n{\n"
	     "\tlocal -a names\n\tlocal offers kinds kind\n"
	     "\tif (( CURRENT == 2 )); then\n\t\tnames=(");
	for (size_t i = 0; commands[i]; i++)
		print_described(commands[i]->name, commands[i]->summary);
	print_described("help", "Show the help of a command");
	puts("\t\t)\n"
	     "\t\t_describe command names\n\t\treturn\n\tfi\n"
	     "\t_portctl_choose \"$words[2]\" \"$words[3]\" \"$words[CURRENT-1]\" $((CURRENT - 2))\n"
	     "\tcompadd -- ${=offers}\n"
	     "\tfor kind in ${=kinds}; do\n"
	     "\t\tcase $kind in\n"
	     "\t\tinterfaces) compadd -- /sys/class/net/*(N:t) ;;\n"
	     "\t\tnamespaces) compadd -- /run/netns/*(N:t) ;;\n"
	     "\t\tfiles) _files ;;\n"
	     "\t\tesac\n"
	     "\tdone\n"
	     "}\n\n"
	     "_portctl \"$@\"");
}

int main(int argc, char **argv)
{
	const char *shell = argc == 2 ? argv[1] : "";

	if (!strcmp(shell, "bash"))
		print_bash();
	else if (!strcmp(shell, "zsh"))
		print_zsh();
	else
		return 2;
	return fflush(stdout) || ferror(stdout);
}
