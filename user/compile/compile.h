/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From ruleset to map image. Pure functions: they read no file and call no kernel.
 *
 * The most specific rule wins, whatever the order of the text: rules without ports first;
 * then the narrowest port range; in it one protocol before both; in it the longest source
 * prefix; then doors; then a named interface before all. A rule that does not apply (another
 * source, no grant, its time is over) leaves the packet to the next.
 */
#ifndef COMPILE_H
#define COMPILE_H

#include "compile/image.h"
#include "portctl/detail.h"
#include "portctl/entry.h"
#include "portctl/generation.h"
#include "rules/report.h"
#include "rules/ruleset.h"

/*
 * Compiles the ruleset for packets on `iface` into *image, which must be zeroed. The rules
 * need their lines (assign_lines()). If `used` is not NULL, sets used[i] to 1 for each rule i
 * that can decide about a packet. Returns 0, -ENOMEM, or -E2BIG with image->excess if a key
 * has more than CHAIN_MAX levels or more than DETAIL_ENDING rules that end or are doors. Free
 * with image_clear() in each case.
 */
int compile(const struct ruleset *ruleset, const char *iface, struct image *image,
	    unsigned char *used);

/* Looks at one compiled image; `iface` is "" for interfaces that no rule names. */
typedef void image_fn(const struct image *image, const char *iface, void *data);

/*
 * Compiles the ruleset for interfaces that no rule names, then for each that a rule names,
 * and calls `look` on each image, also on one that failed with -E2BIG. `used` as above.
 * Returns 0 or the error of the first compile() that failed.
 */
int compile_each(const struct ruleset *ruleset, unsigned char *used, image_fn *look,
		 void *data);

#endif
