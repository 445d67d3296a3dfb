/* SPDX-License-Identifier: GPL-2.0-only */
/* The whole screen, by ncurses. */
#ifndef SCREEN_H
#define SCREEN_H

/* Pairs of colours. */
enum { COLOUR_PASSED = 1, COLOUR_DROPPED };

/*
 * Takes the screen. Returns 0 or a negative errno, having said why: no terminal, or one
 * whose cursor cannot be moved. screen_close() gives it back as it was.
 */
int screen_open(void);
void screen_close(void);

#endif
