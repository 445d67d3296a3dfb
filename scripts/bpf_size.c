// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints the size of each BPF program on the running kernel: `make bpf-size`. It loads the
 * programs as portctl does, but attaches and pins nothing. Needs root.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "portctl/control.h"
#include "portctl/event.h"
#include "portctl/generation.h"
#include "portctl/inquiry.h"

#include "confirm.skel.h"
#include "listen.skel.h"
#include "portctl.skel.h"

static int fail(const char *what, int err)
{
	fprintf(stderr, "bpf-size: %s: %s\n", what, strerror(-err));
	return err;
}

static int print_program(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
		return fail(bpf_program__name(program), -errno);
	printf("%-12s %12u %12u %12u\n", bpf_program__name(program), info.xlated_prog_len / 8,
	       info.jited_prog_len, info.verified_insns);
	return 0;
}

/* Prints the programs of an object that were loaded. */
static int print_programs(const struct bpf_object *object)
{
	struct bpf_program *program = NULL;
	int err = 0;

	while ((program = bpf_object__next_program(object, program))) {
		if (!err && bpf_program__autoload(program))
			err = print_program(program);
	}
	return err;
}

/* The verifier removes code for other purposes, so each purpose is loaded by itself. */
static int print_data_path(enum purpose purpose)
{
	struct portctl_bpf *object = portctl_bpf__open();
	int err = object ? 0 : -errno;

	if (err)
		return fail("portctl.bpf.o", err);
	*(__u32 *)&object->rodata->purpose = purpose;
	bpf_program__set_autoload(object->progs.portctl, purpose == PURPOSE_FILTER);
	bpf_program__set_autoload(object->progs.egress, purpose == PURPOSE_FILTER);
	bpf_program__set_autoload(object->progs.explain, purpose == PURPOSE_EXPLAIN);
	bpf_program__set_autoload(object->progs.replay, purpose == PURPOSE_REPLAY);
	err = portctl_bpf__load(object);
	err = err ? fail("portctl.bpf.o", err) : print_programs(object->obj);
	portctl_bpf__destroy(object);
	return err;
}

static int print_confirm(void)
{
	struct confirm_bpf *object = confirm_bpf__open_and_load();
	int err = object ? print_programs(object->obj) : fail("confirm.bpf.o", -errno);

	confirm_bpf__destroy(object);
	return err;
}

static int print_listen(void)
{
	struct listen_bpf *object = listen_bpf__open_and_load();
	int err = object ? print_programs(object->obj) : fail("listen.bpf.o", -errno);

	listen_bpf__destroy(object);
	return err;
}

int main(void)
{
	/*
	 * Instructions after verifying, bytes of machine code, instructions the verifier
	 * checked.
	 */
	printf("%-12s %12s %12s %12s\n", "program", "instructions", "machine code", "verified");
	return print_data_path(PURPOSE_FILTER) || print_data_path(PURPOSE_EXPLAIN) ||
	       print_data_path(PURPOSE_REPLAY) || print_confirm() || print_listen();
}
