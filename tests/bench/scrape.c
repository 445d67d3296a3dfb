// SPDX-License-Identifier: GPL-2.0-only
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
#include "samples.h"
#include "scrape.h"

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

pid_t start_exporter(void)
{
	pid_t pid;

	fflush(stdout); /* or the child would print it again */
	pid = fork();

	if (!pid) {
		/* The child must also end if this program exits early. */
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

double scrape(size_t *ports)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	static char answer[1 << 26];
	double start = now();
	int fd = connect_exporter();
	size_t size = 0;
	ssize_t got;

	if (fd < 0 || write(fd, request, strlen(request)) < 0)
		size = 0;
	else
		while ((got = read(fd, answer + size, sizeof(answer) - 1 - size)) > 0)
			size += got;
	start = now() - start;
	close(fd);
	answer[size] = 0;
	*ports = 0;
	for (char *row = answer; (row = strstr(row, "\nportctl_port_packets_total{")); row++)
		(*ports)++;
	return start;
}

void stop_exporter(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}
