/* SPDX-License-Identifier: GPL-2.0-only */
/* Entries: what a table says about a key. Verdicts and lines, which an entry names. */
#ifndef PORTCTL_ENTRY_H
#define PORTCTL_ENTRY_H

#include "portctl/types.h"

/* The values are those of enum xdp_action, so a program returns them unchanged. */
enum verdict {
	VERDICT_UNSET = 0, /* no verdict; no entry has it */
	VERDICT_DROP = 1, /* XDP_DROP */
	VERDICT_PASS = 2, /* XDP_PASS */
	VERDICT_REJECT = 3, /* XDP_TX: the answer is sent in place of the packet */
};

/*
 * Lines that are built in. A packet is charged to one line: a rule, or one of these reasons.
 * A line always has the same verdict, so that totals by verdict can be added up from lines.
 * A reason that can both pass and drop therefore has two lines.
 */
enum line {
	LINE_UNSET,
	LINE_NOT_IP,
	LINE_MALFORMED,
	LINE_FRAGMENT_PASS,
	LINE_FRAGMENT_DROP,
	LINE_DEFAULT_PASS,
	LINE_DEFAULT_DROP,
	LINE_DEFAULT_REJECT,
	LINE_REPLY, /* part of a conversation that this host began */
	LINE_ERROR, /* this one and the next four: the lifelines */
	LINE_NEIGHBOUR,
	LINE_ECHO,
	LINE_ECHO_LIMITED,
	LINE_DHCP,
	LINE_REMOVED_PASS, /* the counts of deleted rules */
	LINE_REMOVED_DROP,
	LINE_KNOCK, /* dropped at a knock port, or at a door that is shut for the source */
	LINES_BUILTIN,
	LINE_FIRST_RULE = 64,
};

#define MAX_RULES 65536
/* Enough for two completely different rulesets: the active one and the next one. */
#define MAX_LINES (LINE_FIRST_RULE + 2 * MAX_RULES)

/*
 * An entry in 32 bits:
 *
 *   31        26  25  24                                       3   2    1    0
 *  +------------+---+--------------------------------------------+---+----+------+
 *  |   flags    | R |        line, or index of a detail          | 0 | M  |  P   |
 *  +------------+---+--------------------------------------------+---+----+------+
 *
 *  P  ENTRY_PASS    1: pass, 0: drop. Has no meaning if R is set.
 *  M  ENTRY_MADE    1 in every entry. An entry that was never written is 0: it drops the
 *                   packet and charges LINE_UNSET.
 *  R  ENTRY_REJECT  1: reject.
 *
 * An entry without flags is final: it names the verdict and the line. Flags and R stand above
 * the line for speed: one comparison with ENTRY_FINAL_MAX finds any flag, a reject, and a
 * line that does not exist. The line stands at bit 3 for speed as well: `entry & ENTRY_LINE`
 * is the byte offset of the line's counter, which has 8 bytes (counters.h).
 */
typedef __u32 entry_t;

#define ENTRY_PASS 1u
#define ENTRY_MADE 2u
#define ENTRY_LINE_SHIFT 3
#define ENTRY_LINE_BITS 22
#define ENTRY_LINE (((1u << ENTRY_LINE_BITS) - 1) << ENTRY_LINE_SHIFT)
#define ENTRY_REJECT_SHIFT 25
#define ENTRY_REJECT (1u << ENTRY_REJECT_SHIFT)
#define ENTRY_FLAGS_SHIFT 26

#define ENTRY_LINE_MAX ((MAX_LINES - 1) << ENTRY_LINE_SHIFT)
#define ENTRY_FINAL_MAX (ENTRY_LINE_MAX | ENTRY_MADE | ENTRY_PASS)

/*
 * What has to be looked at before the verdict is known. With a flag of ENTRY_DETAIL the line
 * field is the index of a struct detail (detail.h). The other flags leave the line as it is.
 */
enum entry_flag {
	ENTRY_SOURCES = 1, /* a detail: look up the source address */
	ENTRY_RULE = 2, /* a detail: a rule with an end, with a limit, or behind a door */
	ENTRY_REPLY = 4, /* pass if the packet is a reply; else this verdict and line */
	ENTRY_DHCP = 8, /* a detail: pass from a DHCP server's port to a client's */
	ENTRY_TOUCH = 16, /* this verdict and line, but a SYN or datagram is a knock */
	ENTRY_DETAIL = ENTRY_SOURCES | ENTRY_RULE | ENTRY_DHCP,
};

static inline entry_t entry_make(enum verdict verdict, __u32 flags, __u32 line)
{
	return flags << ENTRY_FLAGS_SHIFT | line << ENTRY_LINE_SHIFT | ENTRY_MADE |
	       (verdict == VERDICT_PASS ? ENTRY_PASS : 0) |
	       (verdict == VERDICT_REJECT ? ENTRY_REJECT : 0);
}

/* VERDICT_DROP is 1, VERDICT_PASS is 2 and VERDICT_REJECT is 3: no branch is needed. */
static inline __u32 entry_verdict(entry_t entry)
{
	return ((entry & ENTRY_REJECT) >> (ENTRY_REJECT_SHIFT - 1) | (entry & ENTRY_PASS)) +
	       VERDICT_DROP;
}

static inline __u32 entry_flags(entry_t entry)
{
	return entry >> ENTRY_FLAGS_SHIFT;
}

/* Whether the line field is the index of a detail. */
static inline __u32 entry_has_detail(entry_t entry)
{
	return entry_flags(entry) & ENTRY_DETAIL;
}

/* The line; with a flag of ENTRY_DETAIL the index of the detail. */
static inline __u32 entry_line(entry_t entry)
{
	return (entry & ENTRY_LINE) >> ENTRY_LINE_SHIFT;
}

/* The same verdict and line without flags. */
static inline entry_t entry_final(entry_t entry)
{
	return entry & ((1u << ENTRY_FLAGS_SHIFT) - 1);
}

_Static_assert(LINES_BUILTIN <= LINE_FIRST_RULE, "rules have lines of their own");
_Static_assert(MAX_LINES <= 1u << ENTRY_LINE_BITS, "the line field holds every line");
_Static_assert((ENTRY_LINE & (ENTRY_REJECT | ENTRY_MADE | ENTRY_PASS)) == 0, "fields overlap");

#endif
