// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the command costs, in the folder of the files that bench.c writes: with 65,536
 * rules, all ports counted, a capture, a scrape.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/* One packet to each of the 65,536 ports of a protocol. */
static void touch_ports(int program, int protocol)
{
	for (int port = 0; port < 65536; port++) {
		struct frame frame = build(false, protocol, port);

		run_program(program, &frame, 1, NULL);
	}
}

#define CAPTURED 1000000

/* A capture of frames to all ports, one after the other, ten microseconds apart. */
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

/* What the frames take beside an empty capture. */
void measure_replay(void)
{
	double rates[ROUNDS];
	const char *full = "replay full.pcap --rules closed.rules";
	const char *none = "replay none.pcap --rules closed.rules";

	write_capture("full.pcap", CAPTURED);
	write_capture("none.pcap", 0);
	for (int round = 0; round < ROUNDS; round++) {
		double nothing = command(none);

		rates[round] = CAPTURED / (command(full) - nothing) / 1e6;
	}
	unlink("full.pcap");
	printf("%-44s %8.2f million frames a second   (%.2f to %.2f; target: over 1)\n",
	       "replay, one CPU", median(rates), rates[0], rates[ROUNDS - 1]);
}

static void print_command(const char *name, double *seconds, int target)
{
	double middle = median(seconds);

	printf("%-44s %8.0f ms   (%.0f to %.0f; target: under %d)\n", name, middle * 1e3,
	       seconds[0] * 1e3, seconds[ROUNDS - 1] * 1e3, target);
}

#define SCRAPE_PORT 9847

static int connect_exporter(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(SCRAPE_PORT),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!connect(fd, (void *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* Runs "portctl export" and waits until it listens. */
static pid_t start_exporter(void)
{
	pid_t pid;

	fflush(stdout); /* or the child says it once more */
	pid = fork();

	if (!pid) {
		/* Also where a check ends this program early. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) || !freopen("/dev/null", "w", stdout))
			_exit(1);
		execl(portctl, portctl, "export", NULL);
		_exit(1);
	}
	for (int fd = -1; fd < 0; usleep(1000)) {
		fd = connect_exporter();
		if (fd >= 0)
			close(fd);
		else if (waitpid(pid, NULL, WNOHANG))
			exit(1);
	}
	return pid;
}

/* Asks for the metrics and reads all of them; returns the seconds it took. */
static double scrape(void)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	static char answer[1 << 22];
	double start = now();
	int fd = connect_exporter();
	size_t size = 0, ports = 0;
	ssize_t got;

	if (fd < 0 || write(fd, request, strlen(request)) < 0)
		size = 0;
	else
		while ((got = read(fd, answer + size, sizeof(answer) - 1 - size)) > 0)
			size += got;
	start = now() - start;
	close(fd);
	answer[size] = 0;
	for (char *row = answer; (row = strstr(row, "\nportctl_port_packets_total{")); row++)
		ports++;
	if (ports != 2 * (1000 + 2)) {
		fprintf(stderr, "a scrape with %zu series of ports\n", ports);
		exit(1);
	}
	return start;
}

/* 65,536 ports have counted, 1,000 are shown: the others are one series. */
static void measure_scrape(double *seconds)
{
	pid_t pid = start_exporter();

	for (int round = 0; round < ROUNDS; round++) {
		usleep(100000); /* or the pause between two scrapes is measured as well */
		seconds[round] = scrape();
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}

void measure_commands(int program)
{
	double apply[ROUNDS], stats[ROUNDS], table[ROUNDS], scrapes[ROUNDS], attach[ROUNDS];
	const char *all = "apply all.rules", *other = "apply other.rules";

	command("detach pc0");
	command("attach pc0");
	close(program);
	program = attached_program();
	touch_ports(program, IPPROTO_TCP);
	command("apply one.rules");
	measure_scrape(scrapes);
	touch_ports(program, IPPROTO_UDP);
	for (int round = 0; round < ROUNDS; round++) {
		apply[round] = command(round % 2 ? all : other);
		stats[round] = command("stats -j");
		table[round] = command("stats");
	}
	for (int round = 0; round < ROUNDS; round++) {
		command("detach pc0");
		attach[round] = command("attach pc0");
	}
	printf("\n");
	print_command("apply, 65,536 rules that all change", apply, 200);
	print_command("stats -j, all 131,072 port keys nonzero", stats, 100);
	print_command("stats, the same", table, 50);
	print_command("scrape, 1,000 of 65,536 nonzero ports", scrapes, 20);
	print_command("attach", attach, 500);
}
