// SPDX-License-Identifier: GPL-2.0-only
/* What goes before every port: lifelines, and rules that name no port. */
#include <errno.h>
#include <netinet/in.h>

#include "compile/chain.h"
#include "portctl/protocol.h"

/* Echo requests a second that are let in, and how many at once. */
#define ECHO_RATE 1000
#define ECHO_BURST 1000

/* A lifeline that is switched off leaves its packets to their protocol's entry. */
static void fill_lifeline(struct chainer *chainer, enum rule_option option, enum key key,
			  __u8 protocol, enum line line)
{
	entry_t *entries = chainer->image->table.entries;

	if (chainer->ruleset->options[option] == VERDICT_PASS)
		entries[key] = entry_make(VERDICT_PASS, 0, line);
	else
		entries[key] = entries[KEY_PROTOCOL + protocol];
}

bool is_for_dhcp(const struct ruleset *ruleset, __u32 key)
{
	return ruleset->options[OPTION_DHCP] == VERDICT_PASS &&
	       (key == PORT_KEY_UDP + DHCP_CLIENT || key == PORT_KEY_UDP + DHCP6_CLIENT);
}

/*
 * Echo requests are let in at a limit, so that the answers are no way to load
 * this host; where everything passes by default they are not limited.
 */
static int limit_echo(struct chainer *chainer)
{
	entry_t *entries = chainer->image->table.entries;
	struct detail detail = {
		.interval = 1000000000 / ECHO_RATE,
		.tolerance = (ECHO_BURST - 1) * (1000000000ull / ECHO_RATE),
		.entry = entry_make(VERDICT_PASS, 0, LINE_ECHO),
		.limited = entry_make(VERDICT_DROP, 0, LINE_ECHO_LIMITED),
	};
	int err;

	if (chainer->ruleset->options[OPTION_ECHO] != VERDICT_PASS ||
	    chainer->ruleset->fallback == VERDICT_PASS)
		return 0;
	err = detail_add(chainer->image, ENTRY_RULE, &detail, &entries[KEY_ECHO]);
	entries[KEY_ECHO6] = entries[KEY_ECHO];
	return err;
}

static int add_dhcp(struct chainer *chainer, __u32 key)
{
	entry_t *entry = &chainer->image->table.entries[key];
	struct detail detail = { .next = *entry };

	if (chainer->ruleset->options[OPTION_DHCP] != VERDICT_PASS)
		return 0;
	return detail_add(chainer->image, ENTRY_DHCP, &detail, entry);
}

int fill_lifelines(struct chainer *chainer)
{
	fill_lifeline(chainer, OPTION_ERRORS, KEY_ERROR, IPPROTO_ICMP, LINE_ERROR);
	fill_lifeline(chainer, OPTION_ERRORS, KEY_ERROR6, IPPROTO_ICMPV6, LINE_ERROR);
	fill_lifeline(chainer, OPTION_ECHO, KEY_ECHO, IPPROTO_ICMP, LINE_ECHO);
	fill_lifeline(chainer, OPTION_ECHO, KEY_ECHO6, IPPROTO_ICMPV6, LINE_ECHO);
	fill_lifeline(chainer, OPTION_NEIGHBOURS, KEY_NEIGHBOUR, IPPROTO_ICMPV6,
		      LINE_NEIGHBOUR);
	return limit_echo(chainer) ?: add_dhcp(chainer, PORT_KEY_UDP + DHCP_CLIENT)
		       ?: add_dhcp(chainer, PORT_KEY_UDP + DHCP6_CLIENT);
}

/* One detail for each different entry that is to come after the look-up. */
static int wrap(struct chainer *chainer, struct detail *detail)
{
	entry_t *entries = chainer->image->table.entries;
	entry_t before = 0, wrapped = 0;

	for (__u32 key = 0; key < KEYS_USED; key++) {
		int err;

		if (key == KEY_NOT_IP || key == KEY_MALFORMED)
			continue;
		if (!wrapped || entries[key] != before) {
			before = detail->next = entries[key];
			err = detail_add(chainer->image, ENTRY_SOURCES, detail, &wrapped);
			if (err)
				return err;
		}
		entries[key] = wrapped;
	}
	return 0;
}

int wrap_portless(struct chainer *chainer)
{
	struct detail detail;
	int err = portless_detail(chainer, &detail);

	return err <= 0 ? err : wrap(chainer, &detail);
}
