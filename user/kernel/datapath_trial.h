/* SPDX-License-Identifier: GPL-2.0-only */
/* Copies of the data path's program that filter nothing: to explain, and to replay a capture. */
#ifndef DATAPATH_TRIAL_H
#define DATAPATH_TRIAL_H

#include "kernel/datapath.h"
#include "portctl/detail.h"
#include "portctl/entry.h"
#include "portctl/inquiry.h"
#include "rules/ruleset.h"

/* How the data path would judge a packet, and the details that it looked up on the way. */
struct judgement {
	entry_t entry;
	struct asked asked[DETAIL_STEPS];
	size_t count; /* of asked[] */
};

struct explainer;

/*
 * Loads a second copy of the data path of an interface. It uses the same maps, and so the same
 * rules, flows and grants, but changes nothing: it counts no packet, uses up no limit and sends
 * no event. Returns 0 or a negative errno after saying why. Free with explainer_free().
 */
int explainer_open(const struct datapath *dp, const char *iface, struct explainer **explainer);

/* Judges an Ethernet frame of `size` bytes. Returns 0 or a negative errno after saying why. */
int explainer_judge(struct explainer *explainer, const void *frame, size_t size,
		    struct judgement *judgement);
void explainer_free(struct explainer *explainer);

struct replayer;

/*
 * Loads a copy of the data path with maps of its own, and fills it with a ruleset whose rules
 * have their lines, as for the interface `iface`. Attaches nothing. Returns 0 or a negative
 * errno after saying why. Free with replayer_free().
 */
int replayer_open(const char *iface, const struct ruleset *ruleset, struct replayer **replayer);

/*
 * Judges a frame that came in at `now` (nanoseconds since 1970). A time before that of an
 * earlier frame is taken for the time of the earlier frame. Frames are judged in batches, at
 * the latest before the next outgoing frame and in replayer_finish(). Returns 0 or a negative
 * errno, and prints nothing: -EINVAL if the frame is too short for an Ethernet header, -EIO if
 * the kernel did not judge a whole batch.
 */
int replayer_judge(struct replayer *replayer, const void *frame, size_t size, __u64 now);

/* Takes note of a frame that went out at `now`, for its replies. Returns as replayer_judge(). */
int replayer_outgoing(struct replayer *replayer, const void *frame, size_t size, __u64 now);

/*
 * Judges what is left of the last batch. *iface becomes an interface with the counters of all
 * frames; it belongs to the replayer. Returns as replayer_judge().
 */
int replayer_finish(struct replayer *replayer, const struct interface **iface);
void replayer_free(struct replayer *replayer);

#endif
