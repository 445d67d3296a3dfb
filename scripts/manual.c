// SPDX-License-Identifier: GPL-2.0-only
/*
 * From the table of commands: their part of the manual (mdoc), and what shells complete.
 * What is completed are the words of a command's usage: options, and words that are
 * written as they are; and names of interfaces and of files where usage asks for them.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "privileges.h"
#include "util.h"

/* --- mdoc --------------------------------------------------------------------- */

/* As it is, whatever mdoc would make of it. */
static void print_literal(const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			fputs("\\&", stdout);
		begins = *text == '\n';
		if (*text == '\\')
			fputs("\\e", stdout);
		else if (*text == '-')
			fputs("\\-", stdout);
		else
			putchar(*text);
	}
}

/* Of what a command keeps, those that there are. */
static void print_privileges(__u64 privileges)
{
	static const struct {
		__u64 privilege;
		const char *name;
	} names[] = {
		{ CAPABILITY(BPF), "CAP_BPF" },
		{ CAPABILITY(NET_ADMIN), "CAP_NET_ADMIN" },
		{ CAPABILITY(PERFMON), "CAP_PERFMON" },
		{ CAPABILITY(DAC_OVERRIDE), "CAP_DAC_OVERRIDE" },
		{ CAPABILITY(DAC_READ_SEARCH), "CAP_DAC_READ_SEARCH" },
		{ CAPABILITY(SYS_PTRACE), "CAP_SYS_PTRACE" },
		{ CAPABILITY(SYS_ADMIN), "CAP_SYS_ADMIN" },
		{ CAPABILITY(NET_BIND_SERVICE), "CAP_NET_BIND_SERVICE" },
		{ CAPABILITY(SETUID), "CAP_SETUID" },
		{ CAPABILITY(SETGID), "CAP_SETGID" },
		{ CAPABILITY(SETPCAP), "CAP_SETPCAP" },
	};
	const char *before = "Of privileges it keeps at most ";

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(privileges & names[i].privilege))
			continue;
		printf("%s%s", before, names[i].name);
		before = ",\n";
		privileges &= ~names[i].privilege;
	}
	puts(*before == ',' ? "." : "It keeps no privileges.");
	if (privileges & ~RUNS_PROGRAMS)
		exit(1); /* one without a name */
}

static void print_mdoc(void)
{
	for (size_t i = 0; i < command_count; i++) {
		const struct command *command = &commands[i];

		printf(".Ss portctl %s\n", command->name);
		puts(".Bd -literal -compact");
		printf("portctl %s ", command->name);
		print_literal(command->arguments);
		puts("\n.Ed\n.Pp");
		printf("%c%s.\n", toupper(command->summary[0]), command->summary + 1);
		print_privileges(command->privileges);
		if (!command->help)
			continue;
		puts(".Bd -literal");
		print_literal(command->help);
		puts(".Ed");
	}
}

/* --- completions -------------------------------------------------------------- */

struct words {
	char **list;
	size_t count;
	size_t room;
};

static void add_word(struct words *words, const char *word, size_t length)
{
	for (size_t i = 0; i < words->count; i++) {
		if (strlen(words->list[i]) == length && !memcmp(words->list[i], word, length))
			return;
	}
	if (array_reserve(&words->list, &words->room, words->count, sizeof(char *)))
		exit(1);
	words->list[words->count] = strndup(word, length);
	if (!words->list[words->count++])
		exit(1);
}

/* Options, and words in lower case: those that are written as they are. */
static bool is_word(const char *word, size_t length)
{
	if (length < 2)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!islower((unsigned char)word[i]) && word[i] != '-' &&
		    !(isdigit((unsigned char)word[i]) && word[0] == '-'))
			return false;
	}
	return true;
}

static void add_words(struct words *words, const char *at, const char *end, const char *name)
{
	static const char between[] = " []|.,\n";

	while (at < end) {
		size_t length = strcspn(at, between);

		if (is_word(at, length) && strncmp(at, "portctl", length) &&
		    (length != strlen(name) || strncmp(at, name, length)))
			add_word(words, at, length);
		at += length;
		at += strspn(at, between);
	}
}

/* Those of the usage, and those that help explains: indented, up to the next two blanks. */
static struct words find_words(const struct command *command)
{
	const char *line = command->help, *end = strchr(command->arguments, 0);
	struct words words = { 0 };

	add_words(&words, command->arguments, end, command->name);
	while (line && *line) {
		const char *next = strchr(line, '\n');

		if (!strncmp(line, "  ", 2)) {
			end = strstr(line + 2, "  ");
			end = end && end < next ? end : next;
			/* An example is no list of words. */
			if (strncmp(line + 2, "portctl", 7))
				add_words(&words, line + 2, end ?: line, command->name);
		}
		line = next ? next + 1 : NULL;
	}
	return words;
}

static bool asks_for_file(const struct command *command)
{
	return strstr(command->arguments, "FILE") || strstr(command->arguments, "PROGRAM");
}

static bool asks_for_interface(const struct command *command)
{
	return strstr(command->arguments, "IFACE");
}

static void print_words(const struct command *command)
{
	struct words words = find_words(command);

	for (size_t i = 0; i < words.count; i++) {
		printf("%s%s", i ? " " : "", words.list[i]);
		free(words.list[i]);
	}
	free(words.list);
}

static void print_names(void)
{
	for (size_t i = 0; i < command_count; i++)
		printf("%s ", commands[i].name);
	fputs("help", stdout);
}

static void print_bash(void)
{
	puts("# bash completion for portctl, made from its table of commands\n"
	     "_portctl()\n{\n"
	     "\tlocal word=${COMP_WORDS[COMP_CWORD]} words= files= interfaces=\n"
	     "\tif [ \"$COMP_CWORD\" = 1 ] || [ \"${COMP_WORDS[1]}\" = help ]; then");
	fputs("\t\twords=\"", stdout);
	print_names();
	puts("\"\n\telse\n\t\tcase ${COMP_WORDS[1]} in");
	for (size_t i = 0; i < command_count; i++) {
		printf("\t\t%s) words=\"", commands[i].name);
		print_words(&commands[i]);
		printf("\"%s%s ;;\n", asks_for_file(&commands[i]) ? " files=1" : "",
		       asks_for_interface(&commands[i]) ? " interfaces=1" : "");
	}
	puts("\t\tesac\n\tfi\n"
	     "\t[ -z \"$interfaces\" ] || words=\"$words $(command ls /sys/class/net)\"\n"
	     "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n"
	     "\t[ -z \"$files\" ] || mapfile -t -O \"${#COMPREPLY[@]}\" COMPREPLY < <(compgen -f -- \"$word\")\n"
	     "}\n"
	     "complete -o filenames -F _portctl portctl");
}

static void print_zsh(void)
{
	puts("#compdef portctl\n# zsh completion for portctl, made from its table of commands\n"
	     "local -a names\n"
	     "if (( CURRENT == 2 )); then\n\tnames=(");
	for (size_t i = 0; i < command_count; i++)
		printf("\t\t'%s:%s'\n", commands[i].name, commands[i].summary);
	puts("\t\t'help:says more of one'\n\t)\n\t_describe command names\n\treturn\nfi\n"
	     "case $words[2] in");
	fputs("help) compadd -- ", stdout);
	print_names();
	puts(" ;;");
	for (size_t i = 0; i < command_count; i++) {
		printf("%s) compadd -- ", commands[i].name);
		print_words(&commands[i]);
		printf("%s%s ;;\n",
		       asks_for_interface(&commands[i]) ? " /sys/class/net/*(N:t)" : "",
		       asks_for_file(&commands[i]) ? "; _files" : "");
	}
	puts("esac");
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (!strcmp(what, "mdoc"))
		print_mdoc();
	else if (!strcmp(what, "bash"))
		print_bash();
	else if (!strcmp(what, "zsh"))
		print_zsh();
	else
		return 2;
	return fflush(stdout) || ferror(stdout);
}
