// SPDX-License-Identifier: GPL-2.0-only
#include "cli/words.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"

/*
 * Writes one word of the command line. The shell has removed its quotes, so a word that must
 * be a string gets quotes again, and its quotes and backslashes are escaped. A newline would
 * end the statement, so it becomes a carriage return: a blank, or an error in a string.
 */
static void put_word(FILE *out, const char *word, bool string)
{
	fputs(string ? " \"" : " ", out);
	for (; *word; word++) {
		if (string && (*word == '"' || *word == '\\'))
			fputc('\\', out);
		fputc(*word == '\n' ? '\r' : *word, out);
	}
	fputs(string ? "\"" : "", out);
}

/* Whether the parser would read the word differently without quotes: as several words, say. */
static bool needs_quotes(const char *word)
{
	return !*word || word[strcspn(word, " \t\n\v\f\r,\"#")];
}

/*
 * Joins the words to a line of text. A word behind "knock", "on" or "comment" is a name or a
 * text, so "on" or "comment" there does not begin a clause.
 */
static int join_words(const char *first, int count, char **words, char **text)
{
	bool name = !strcmp(first, "knock"), iface = false, comment = false;
	size_t size;
	FILE *out = open_memstream(text, &size);

	if (!out)
		return -ENOMEM;
	fputs(first, out);
	for (int i = 0; i < count; i++) {
		bool begins = !name && !iface && !comment;

		put_word(out, words[i], comment || (iface && needs_quotes(words[i])));
		name = false;
		iface = begins && !strcmp(words[i], "on");
		comment = begins && !strcmp(words[i], "comment");
	}
	return fclose(out) ? -ENOMEM : 0;
}

int words_parse(const char *first, int count, char **words, struct ruleset *ruleset)
{
	struct report report = { .out = stderr, .file = "argv", .no_comments = true };
	cleanup_free char *text = NULL;

	int err = join_words(first, count, words, &text);

	if (!err)
		err = ruleset_parse(ruleset, text, &report);
	return err == -ENOMEM ? out_of_memory() : err;
}
