/* SPDX-License-Identifier: GPL-2.0-only */
/* The terminal as a screen, by ncurses. */
#ifndef SCREEN_H
#define SCREEN_H

/* Pairs of colours, for curses. */
enum { COLOUR_PASSED = 1, COLOUR_DROPPED };

/*
 * Opens the screen. Returns 0; or a negative errno, with the error printed, if there is no
 * terminal, or its cursor cannot be moved. screen_close() restores the terminal.
 */
int screen_open(void);
void screen_close(void);

#endif
