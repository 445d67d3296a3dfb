/* SPDX-License-Identifier: GPL-2.0-only */
/* "portctl export", and asking it. */
#ifndef SCRAPE_H
#define SCRAPE_H

#include <stddef.h>
#include <sys/types.h>

/* Runs "portctl export" in this network namespace and waits until it listens. */
pid_t start_exporter(void);
void stop_exporter(pid_t pid);

/*
 * Asks for the metrics and reads all of them; returns the seconds it took. *ports: how
 * many series of a port's packets there were.
 */
double scrape(size_t *ports);

#endif
