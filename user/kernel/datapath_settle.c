// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting until no packet holds the slot that is not active. This takes the kernel 10 to 40 ms,
 * so a child process begins to wait right after a change. Usually that is over when the next
 * change comes.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/datapath_internal.h"

/*
 * The update of a map in maps returns only when all packets that are being judged are done
 * (kernel commit 1ae80cf31938, "bpf: wait for running BPF programs when updating map-in-map").
 * These two maps have no other use.
 */
static int wait_for_packets(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	cleanup_close int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", sizeof(__u32),
						 sizeof(__u32), 1, NULL);
	cleanup_close int outer = -1;
	__u32 zero = 0;

	if (inner < 0)
		return -errno;
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", sizeof(__u32),
			       sizeof(__u32), 1, &opts);
	if (outer < 0 || bpf_map_update_elem(outer, &zero, &inner, BPF_ANY))
		return -errno;
	return 0;
}

/* Settles only this generation: another one may be active when the wait ends. */
static int settle_generation(const struct datapath *dp, __u32 generation)
{
	int err = wait_for_packets();

	if (!err)
		__atomic_store_n(&dp->control->settled, generation, __ATOMIC_RELEASE);
	return err;
}

int datapath_settle(const struct datapath *dp)
{
	__u32 generation = __atomic_load_n(&dp->control->generation, __ATOMIC_ACQUIRE);

	if (__atomic_load_n(&dp->control->settled, __ATOMIC_ACQUIRE) == generation)
		return 0;
	return settle_generation(dp, generation);
}

void datapath_settle_in_child(const struct datapath *dp)
{
	__u32 generation = __atomic_load_n(&dp->control->generation, __ATOMIC_ACQUIRE);

	if (fork())
		return;
	close_range(0, ~0u, 0); /* the lock above all: the child must not hold it */
	settle_generation(dp, generation);
	_exit(0);
}
