// SPDX-License-Identifier: GPL-2.0-only
/*
 * What shells complete, from the table of commands: "completions bash" or "zsh". Usage
 * says what may come next: words that are written as they are; behind an option or a
 * word, what is in capitals there (a FILE, an IFACE), or one of several words; and each
 * line of usage that begins with a word of its own is a form of its own.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "main/commands.h"
#include "base/array.h"

/* A list of words, each once, with blanks. */
struct words {
	char *text;
	size_t size;
};

/* What may come behind a word. */
struct value {
	char *word;
	const char *kind; /* of names that the shell finds; "": none that can be known */
	struct words words;
};

struct form {
	struct words firsts; /* what it begins with; none: it is the form for all else */
	struct words words;
	struct words kinds; /* that may stand anywhere */
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

/* Options, and words in lower case: those that are written as they are. */
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

/* What a word in capitals stands for; NULL where it is no such word. */
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

/* One of the words of a chunk; `before` is the word that this one is about, or "". */
static void take_word(struct form *form, const char *word, size_t length, const char *before)
{
	const char *kind = kind_of(word, length, before);

	if (kind && *before)
		value_of(form, before)->kind = kind;
	else if (kind && *kind)
		add_word(&form->kinds, kind, strlen(kind));
	else if (length == 4 && !memcmp(word, "RULE", 4))
		add_word(&form->words, "allow drop reject knock", 23);
	else if (is_literal(word, length) && *before == '-' && *word != '-')
		add_word(&value_of(form, before)->words, word, length);
	else if (is_literal(word, length))
		add_word(&form->words, word, length);
}

/* Alternatives without a blank: "IFACE...|--all". The last is what comes next is about. */
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

		/* Behind a bracket something else begins. */
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

/* What help explains: indented lines, up to the next two blanks. */
static void take_help(struct form *form, const char *line)
{
	while (line && *line) {
		const char *next = strchr(line, '\n'), *end = strstr(line + 2, "  ");

		/* An example is no list of words. */
		if (!strncmp(line, "  ", 2) && line[2] != ' ' &&
		    strncmp(line + 2, "portctl", 7))
			take_text(form, line + 2, end && end < next ? end : next);
		line = next ? next + 1 : NULL;
	}
}

/* A line of usage; the words it begins with, as in "list|status", make it a form. */
static void take_line(struct form *form, const char *line, const char *end)
{
	while (line < end && islower((unsigned char)*line)) {
		size_t length = strcspn(line, "| \n");

		add_word(&form->firsts, line, length);
		line += length;
		if (*line != '|')
			break;
		line++;
	}
	take_text(form, line, end);
}

/* Words that something comes behind which no shell can know. */
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
	free(form->firsts.text);
	free(form->words.text);
	free(form->kinds.text);
	*form = (struct form){ 0 };
}

static void print_pattern(const char *firsts)
{
	fputs("\t'", stdout);
	for (; *firsts; firsts++) {
		if (*firsts == ' ')
			fputs("'|'", stdout);
		else
			putchar(*firsts);
	}
	puts("')");
}

/* The forms that begin with a word; the others are one, with what help explains. */
static void print_command(const struct command *command)
{
	const char *line = command->arguments;
	struct form rest = { 0 };
	struct words firsts = { 0 };
	bool forms = strchr(line, '\n');

	printf("\t%s)\n", command->name);
	if (forms)
		puts("\tcase $2 in");
	while (line) {
		const char *next = strchr(line, '\n'), *end = next ?: strchr(line, 0);
		struct form form = { 0 };

		if (forms && islower((unsigned char)*line)) {
			take_line(&form, line, end);
			print_pattern(form.firsts.text);
			print_form(&form);
			add_word(&firsts, form.firsts.text, form.firsts.size);
			clear_form(&form);
		} else {
			take_text(&rest, line, end);
		}
		line = next ? next + 1 : NULL;
	}
	take_help(&rest, command->help);
	if (forms)
		printf("\t*)\n\t\t[ \"$4\" != 1 ] || { offers='%s'; return; }\n",
		       firsts.text ?: "");
	print_form(&rest);
	if (forms)
		puts("\tesac ;;");
	clear_form(&rest);
	free(firsts.text);
}

static void print_choice(void)
{
	puts("# _portctl_choose COMMAND FIRST BEFORE PLACE: sets offers (words), and the kinds of names, that\n"
	     "# can come behind COMMAND at that place (1: the first), with BEFORE before it.\n"
	     "_portctl_choose()\n{\n\toffers= kinds=\n\tcase $1 in");
	for (size_t i = 0; commands[i]; i++)
		print_command(commands[i]);
	fputs("\thelp) [ \"$4\" != 1 ] || offers='", stdout);
	for (size_t i = 0; commands[i]; i++)
		printf("%s%s", i ? " " : "", commands[i]->name);
	puts("' ;;\n\tesac\n}\n");
}

static void print_bash(void)
{
	puts("# bash completion for portctl, made from its table of commands\n");
	print_choice();
	puts("# _portctl_names FOLDER WORD: offers the names in it that begin with WORD. Whoever made\n"
	     "# them is not believed: they are quoted, and nothing in them is run.\n"
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

static void print_zsh(void)
{
	puts("#compdef portctl\n# zsh completion for portctl, made from its table of commands\n");
	print_choice();
	puts("_portctl()\n{\n"
	     "\tlocal -a names\n\tlocal offers kinds kind\n"
	     "\tif (( CURRENT == 2 )); then\n\t\tnames=(");
	for (size_t i = 0; commands[i]; i++)
		printf("\t\t\t'%s:%s'\n", commands[i]->name, commands[i]->summary);
	puts("\t\t\t'help:says more of one'\n\t\t)\n"
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
