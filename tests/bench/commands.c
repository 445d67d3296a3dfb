// SPDX-License-Identifier: GPL-2.0-only
/*
 * What commands cost: apply, stats and attach with 65,536 rules and all ports counted, scrapes
 * of export, and replay. Uses the rules that bench.c wrote into the current folder.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "record.h"
#include "scrape.h"

/* One packet to each of the 65,536 ports of a protocol. */
static void touch_ports(int program, int protocol)
{
	for (int port = 0; port < 65536; port++) {
		struct frame frame = build(false, protocol, port);

		run_program(program, &frame, 1, NULL);
	}
}

#define CAPTURED 1000000

/* Writes a capture with frames to all ports in turn, ten microseconds apart. */
static void write_capture(const char *name, unsigned int count)
{
	/* A pcap file's header: microseconds, version 2.4, Ethernet. */
	const __u32 header[] = { 0xA1B2C3D4, 4 << 16 | 2, 0, 0, 65535, 1 };
	FILE *file = fopen(name, "w");

	if (!file)
		exit(1);
	fwrite(header, sizeof(header), 1, file);
	for (unsigned int i = 0; i < count; i++) {
		struct frame frame = build(i & 1, i & 2 ? IPPROTO_TCP : IPPROTO_UDP, i);
		__u32 record[4] = { 1700000000 + i / 100000, i % 100000 * 10, frame.size,
				    frame.size };

		fwrite(record, sizeof(record), 1, file);
		fwrite(frame.data, frame.size, 1, file);
	}
	if (fclose(file))
		exit(1);
}

/* The rate of replay, without the time that an empty capture takes. */
void measure_replay(void)
{
	struct samples rates = { 0 };
	const char *full = "replay full.pcap --rules closed.rules";
	const char *none = "replay none.pcap --rules closed.rules";

	write_capture("full.pcap", CAPTURED);
	write_capture("none.pcap", 0);
	for (int round = 0; round < ROUNDS; round++) {
		double nothing = command(none);

		add_sample(&rates, CAPTURED / (command(full) - nothing) / 1e6);
	}
	unlink("full.pcap");
	record_figure("replay, one CPU", &rates, "M frames/s", "over 1");
}

/* Times of a scrape when 65,536 ports have counted, of which 1,000 have their own series. */
static struct samples measure_scrape(void)
{
	struct samples times = { 0 }; /* milliseconds */
	pid_t pid = start_exporter();
	size_t ports;

	for (int round = 0; round < ROUNDS; round++) {
		usleep(100000); /* or export's pause between two scrapes would count */
		add_sample(&times, scrape(&ports) * 1e3);
		if (ports != 2 * (1000 + 2)) {
			fprintf(stderr, "a scrape with %zu series of ports\n", ports);
			exit(1);
		}
	}
	stop_exporter(pid);
	return times;
}

/* Adds the milliseconds of a command. */
static void time_command(struct samples *samples, const char *arguments)
{
	add_sample(samples, command(arguments) * 1e3);
}

void measure_commands(void)
{
	struct samples apply = { 0 }, stats = { 0 }, table = { 0 }, attach = { 0 }, scrapes;
	int program;

	command("detach pc0");
	command("attach pc0");
	program = attached_program();
	touch_ports(program, IPPROTO_TCP);
	command("apply one.rules");
	scrapes = measure_scrape();
	touch_ports(program, IPPROTO_UDP);
	for (int round = 0; round < ROUNDS; round++) {
		time_command(&apply, round % 2 ? "apply all.rules" : "apply other.rules");
		time_command(&stats, "stats -j");
		time_command(&table, "stats");
	}
	for (int round = 0; round < ROUNDS; round++) {
		command("detach pc0");
		time_command(&attach, "attach pc0");
	}
	printf("\n");
	record_figure("apply, 65,536 rules that all change", &apply, "ms", "under 200");
	record_figure("stats -j, all 131,072 port keys nonzero", &stats, "ms", "under 100");
	record_figure("stats, all 131,072 port keys nonzero", &table, "ms", "under 50");
	record_figure("scrape, 1,000 of 65,536 nonzero ports", &scrapes, "ms", "under 20");
	record_figure("attach", &attach, "ms", "under 500");
}
