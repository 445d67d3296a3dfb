/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of network protocols that both sides need and no header gives to both. */
#ifndef PORTCTL_PROTOCOL_H
#define PORTCTL_PROTOCOL_H

#include "portctl/types.h"

/* UDP ports of DHCP (RFC 2131, 4.1) and of DHCP for IPv6 (RFC 8415, 7.2). */
#define DHCP_SERVER 67
#define DHCP_CLIENT 68
#define DHCP6_CLIENT 546
#define DHCP6_SERVER 547

/*
 * Whether an IPv6 header with this protocol number is an extension header: another header
 * follows it, and the packet is judged by that one (RFC 8200, 4; mobility: RFC 6275, 6.1).
 */
static inline int is_extension(__u8 protocol)
{
	switch (protocol) {
	case 0: /* hop-by-hop options */
	case 43: /* routing */
	case 44: /* fragment */
	case 51: /* authentication */
	case 60: /* destination options */
	case 135: /* mobility */
		return 1;
	}
	return 0;
}

#endif
