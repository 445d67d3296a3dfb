// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes the kernel seem to lack a feature, for a program with this library in LD_PRELOAD. The
 * environment variable WITHOUT is "helper N", "map N" or "program N", by the kernel's numbers:
 * bpf(2) refuses what needs it, as an older kernel would.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int calls_helper(const union bpf_attr *attr, int helper)
{
	const struct bpf_insn *insns = (const struct bpf_insn *)(unsigned long)attr->insns;

	for (unsigned int i = 0; i < attr->insn_cnt; i++) {
		if (insns[i].code == (BPF_JMP | BPF_CALL) && !insns[i].src_reg &&
		    insns[i].imm == helper)
			return 1;
	}
	return 0;
}

static int is_refused(int command, const union bpf_attr *attr)
{
	const char *without = getenv("WITHOUT");
	char kind[16];
	int number;

	if (!without || sscanf(without, "%15s %d", kind, &number) != 2)
		return 0;
	if (command == BPF_MAP_CREATE)
		return !strcmp(kind, "map") && (int)attr->map_type == number;
	if (command != BPF_PROG_LOAD)
		return 0;
	if (!strcmp(kind, "helper") && calls_helper(attr, number)) {
		if (attr->log_level && attr->log_size)
			snprintf((char *)(unsigned long)attr->log_buf, attr->log_size,
				 "invalid func unknown#%d\n", number);
		return 1;
	}
	return !strcmp(kind, "program") && (int)attr->prog_type == number;
}

long syscall(long number, ...)
{
	long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && is_refused(a[0], (const union bpf_attr *)a[1])) {
		errno = EINVAL;
		return -1;
	}
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
