/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keys: the number by which a packet is judged and counted.
 *
 * The headers in this folder are what the BPF programs (bpf/) and the command (user/) share:
 * the layout of every map. All integers are in host byte order unless a comment says
 * otherwise.
 *
 * Worked example: a UDP datagram to port 53 has the key PORT_KEY_UDP + 53 = 65589. Under
 * "allow 53/udp" the active generation holds entry_make(VERDICT_PASS, 0, line) for that key
 * (entry.h, generation.h). The CPU that receives the datagram counts it in its own
 * cpu_counters (counters.h), in pass[65589] and in line[line].
 */
#ifndef PORTCTL_KEY_H
#define PORTCTL_KEY_H

/*
 * A table has one entry for each key: 65,536 TCP ports, 65,536 UDP ports, 256 other IP
 * protocols, and the kinds of packet that have neither. Only the first PORT_KEYS keys, the
 * port keys, have port counters.
 */
enum key {
	PORT_KEY_TCP = 0, /* + destination port */
	PORT_KEY_UDP = 65536, /* + destination port */
	PORT_KEYS = 131072,
	KEY_PROTOCOL = PORT_KEYS, /* + IP protocol number */
	KEY_NOT_IP = KEY_PROTOCOL + 256,
	KEY_MALFORMED,
	KEY_FRAGMENT, /* a fragment that is not the first */
	KEY_ERROR, /* ICMP: unreachable, too big, time exceeded, parameter problem */
	KEY_ERROR6,
	KEY_ECHO, /* ICMP echo request */
	KEY_ECHO6,
	KEY_NEIGHBOUR, /* ICMPv6 neighbour discovery and multicast listener discovery */
	KEYS_USED,
	KEYS = KEY_PROTOCOL + 512, /* entries in a table, with room for more kinds */
};

_Static_assert(KEYS_USED <= KEYS, "the table has an entry for each key");

#endif
