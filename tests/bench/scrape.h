/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs "portctl export" and scrapes it. */
#ifndef SCRAPE_H
#define SCRAPE_H

#include <stddef.h>
#include <sys/types.h>

/* Starts "portctl export" in this network namespace and waits until it listens. */
pid_t start_exporter(void);
void stop_exporter(pid_t pid);

/*
 * Reads the metrics once. Returns the seconds it took; *ports is the number of series
 * portctl_port_packets_total.
 */
double scrape(size_t *ports);

#endif
