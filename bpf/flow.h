/* SPDX-License-Identifier: GPL-2.0-only */
/* What the way in and the way out have to agree on about flows. */
#ifndef FLOW_H
#define FLOW_H

#define ICMP_ECHOREPLY 0
#define ICMPV6_ECHO_REPLY 129

/* ICMP and ICMPv6 have the type and the echo's identifier at the same place. */
static __always_inline bool is_echo_reply(const struct flow_key *flow,
					  const struct icmphdr *icmp)
{
	if (flow->protocol == IPPROTO_ICMP)
		return icmp->type == ICMP_ECHOREPLY;
	return flow->protocol == IPPROTO_ICMPV6 && icmp->type == ICMPV6_ECHO_REPLY;
}

static __always_inline __u64 flow_life(const struct flow_key *flow)
{
	return flow->protocol == IPPROTO_TCP ? FLOW_LIFE_TCP : FLOW_LIFE_UDP;
}

#endif
