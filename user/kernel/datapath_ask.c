// SPDX-License-Identifier: GPL-2.0-only
/* The data path that filters nothing: asked about a packet. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "kernel/datapath_load.h"
#include "base/log.h"

struct asker {
	struct portctl_bpf *program;
};

int datapath_ask(const struct datapath *dp, const char *iface, struct asker **asker)
{
	struct asker *made = calloc(1, sizeof(*made));
	int err = made ? program_load(dp, iface, PURPOSE_EXPLAIN, &made->program)
		       : fail(-ENOMEM, "out of memory");

	if (err)
		asker_free(made);
	else
		*asker = made;
	return err;
}

int asker_judge(struct asker *asker, const void *frame, size_t size,
		struct judgement *judgement)
{
	struct inquiry *inquiry = (struct inquiry *)&asker->program->data_inquiry->inquiry;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = size,
		    .repeat = 1);

	inquiry->count = 0;
	if (bpf_prog_test_run_opts(bpf_program__fd(asker->program->progs.explain), &opts))
		return fail(-errno, "the kernel does not run the program: %s", reason(-errno));
	*judgement = (struct judgement){ .entry = opts.retval, .count = inquiry->count };
	memcpy(judgement->asked, inquiry->asked, sizeof(judgement->asked));
	return 0;
}

void asker_free(struct asker *asker)
{
	if (asker)
		portctl_bpf__destroy(asker->program);
	free(asker);
}
