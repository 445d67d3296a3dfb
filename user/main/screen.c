// SPDX-License-Identifier: GPL-2.0-only
#include "main/screen.h"

#include <curses.h>
#include <errno.h>
#include <stdlib.h>
#include <term.h>
#include <unistd.h>

#include "base/env.h"
#include "base/log.h"

static SCREEN *screen;

int screen_open(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return fail(-ENOTTY, "top needs a terminal: use \"portctl stats -i 1\"");
	screen = newterm(NULL, stdout, stdin);
	if (!screen || !tigetstr("cup")) {
		screen_close();
		return fail(-ENOTTY,
			    "the terminal \"%s\" has no screen: use \"portctl stats -i 1\"",
			    env_or("TERM", ""));
	}
	cbreak();
	noecho();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(50);
	curs_set(0);
	if (!*env_or("NO_COLOR", "") && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(COLOUR_PASSED, COLOR_GREEN, -1);
		init_pair(COLOUR_DROPPED, COLOR_RED, -1);
	}
	return 0;
}

void screen_close(void)
{
	if (!screen)
		return;
	endwin();
	delscreen(screen);
	screen = NULL;
}
