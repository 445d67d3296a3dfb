/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of user/kernel share beside pins.h, fill.h and datapath_load.h. Other folders
 * must not include this header. Functions return 0 or a negative errno. They print nothing,
 * unless their comment says so.
 */
#ifndef DATAPATH_INTERNAL_H
#define DATAPATH_INTERNAL_H

#include <bpf/libbpf.h>

#include "kernel/datapath.h"
#include "kernel/datapath_rules.h"
#include "portctl/event.h"
#include "portctl/generation.h"

/* datapath.c */

/* The global data of the program, as the pin "table" has it. */
struct tables {
	struct generation slots[2];
	struct sampling sampling;
};

/* Makes the namespace's folder and its control map, if they do not exist. Says what failed. */
int datapath_create(struct datapath *dp);

/* Reads and maps the pins of one interface. */
int interface_open(const struct datapath *dp, const char *name, struct interface *iface);
void interface_close(struct interface *iface);

/* counters.c */

/* As datapath_map_counters(), for one interface. */
int interface_map_counters(const struct datapath *dp, struct interface *iface, __u32 lines);
void interface_unmap_counters(struct interface *iface);

/* datapath_debug.c */

/*
 * For libbpf_set_print(): prints libbpf's messages of all levels, if PORTCTL_DEBUG is "verifier".
 * In a process whose environment is not trusted, the variable is ignored (env_or()).
 */
int debug_print(enum libbpf_print_level level, const char *format, va_list args);

/*
 * Makes libbpf print the verifier's log when it loads the programs of this object, if
 * PORTCTL_DEBUG is "verifier". Prints a note if the variable has another value.
 */
void debug_programs(struct bpf_object *object);

/* datapath_hook.c */

/*
 * Attaches an XDP program to a device. With `replace`, removes another program that is there.
 * Returns the descriptor of the link, or a negative errno after saying why.
 */
int hook_xdp(const char *name, unsigned int ifindex, int program, enum attach_mode mode,
	     bool replace);

/*
 * Returns 0 if a device has no XDP program, else a negative errno after saying why. To be called
 * before anything is changed: the program may belong to a portctl with pins elsewhere.
 */
int hook_check_free(const char *name, unsigned int ifindex);

/*
 * Attaches a TC program to the egress of a device, in place of ours if there is one. It stays
 * when the process ends. Says what failed.
 */
int hook_egress(const char *name, unsigned int ifindex, int program);

/* Removes our egress program. It is no error if there is none. Says what failed. */
int hook_remove_egress(const char *name, unsigned int ifindex);

/* stored.c: the ruleset of each slot, as it is pinned. */

/* Reads the ruleset of a slot into an initialised *ruleset. A slot without one is empty. */
int stored_load(const struct datapath *dp, unsigned int slot, struct ruleset *ruleset);

/*
 * Stores the ruleset that a slot is being filled with, under a name of its own
 * ("ruleset0_next"). The slot keeps its stored ruleset until stored_take_next().
 */
int stored_write_next(const struct datapath *dp, unsigned int slot,
		      const struct ruleset *ruleset);

/*
 * Makes the next stored ruleset the slot's own, if there is one. To be called after the flip;
 * after a kill in between, the next change calls it.
 */
int stored_take_next(const struct datapath *dp, unsigned int slot);

/* Whether a change of this slot did not finish: its next stored ruleset is still there. */
bool stored_has_next(const struct datapath *dp, unsigned int slot);

int stored_remove_next(const struct datapath *dp, unsigned int slot);

/* retire.c: the counters of rules that are gone. */

/*
 * Moves what the rules of the slot that is not active have counted to the "removed" lines, for
 * each line that `active` does not use, before another rule gets the line. Also finishes a move
 * that was interrupted.
 */
int retire_rules(struct datapath *dp, const struct ruleset *active);

/* Finishes a move that was interrupted by a kill, before another slot becomes active. */
int retire_finish(struct datapath *dp);

/* datapath_settle.c */

/*
 * Waits until no packet holds the slot that is not active: all packets that were being judged
 * when the active generation became active must be done. Returns at once if an earlier call
 * found that out for this generation.
 */
int datapath_settle(const struct datapath *dp);

/*
 * Does the same in a child process after a flip, so that the next change need not wait. The
 * caller may wait for the child or ignore SIGCHLD.
 */
void datapath_settle_in_child(const struct datapath *dp);

/* datapath_confirm.c: the way back from a change that is not confirmed. */

/*
 * Starts a timer in the kernel that goes back from `generation`, which is not active yet, to the
 * one before it after `seconds`, unless the change is confirmed.
 */
int way_back_prepare(struct datapath *dp, __u32 generation, __u32 seconds);

/*
 * Goes back from the active generation if its time ended before it became active. The kernel's
 * timer runs once, and has then found nothing to go back from. Returns -ETIME, after saying so,
 * if it went back.
 */
int way_back_if_late(struct datapath *dp);

/* Forgets the way back from a change that never became active. */
void way_back_forget(struct datapath *dp);

/* datapath_signers.c */

/*
 * Reads the key files of a ruleset's signed knocks, and makes their keys the only signers of a
 * slot that no packet holds. If a file is wrong it says so, and the door keeps the signers that
 * the same knock has in the other slot, if any. The other rules must still take effect, so this
 * is not an error.
 */
void signers_fill(const struct datapath *dp, unsigned int slot, const struct ruleset *ruleset);

/* datapath_knock.c */

/* Forgets the counts, attempts, sequences and grants of a door before another knock gets it. */
int door_clear(const struct datapath *dp, __u32 door);

#endif
