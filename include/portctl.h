/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel side (bpf/) and the user side (user/) share: the layout of
 * everything that lives in a BPF map. All integers are in host byte order
 * unless a comment says otherwise. The includer provides the __uN types
 * (linux/types.h or vmlinux.h).
 *
 * Worked example: a UDP datagram to port 53 has the key
 * PORT_KEY_UDP + 53 = 65589. Under "allow 53/udp" the active generation's
 * entry for that key is entry_make(VERDICT_PASS, 0, line), and the packet is
 * counted in cpu_counters[cpu].pass[65589] and cpu_counters[cpu].line[line] (tally.h),
 * cpu being the one it arrived on.
 */
#ifndef PORTCTL_H
#define PORTCTL_H

/* Raised whenever a layout below changes; pins of another schema are refused. */
#define PORTCTL_SCHEMA 11

/*
 * Keys. Every packet is judged by one entry of the table, found by its key:
 * 65,536 TCP ports, 65,536 UDP ports, 256 other IP protocols, and the kinds of
 * packet that have neither. Only the first PORT_KEYS keys have port counters.
 */
enum key {
	PORT_KEY_TCP = 0,
	PORT_KEY_UDP = 65536,
	PORT_KEYS = 131072,
	KEY_PROTOCOL = PORT_KEYS, /* + IP protocol number */
	KEY_NOT_IP = KEY_PROTOCOL + 256,
	KEY_MALFORMED,
	KEY_FRAGMENT, /* a fragment that is not the first */
	KEY_ERROR, /* ICMP: unreachable, too big, time exceeded, parameter problem */
	KEY_ERROR6,
	KEY_ECHO, /* ICMP echo request */
	KEY_ECHO6,
	KEY_NEIGHBOUR, /* ICMPv6 neighbour discovery and multicast listeners */
	KEYS_USED,
	KEYS = KEY_PROTOCOL + 512, /* the table's size, with room to grow */
};

/* The values are those of enum xdp_action, so the data path returns them as they are. */
enum verdict {
	VERDICT_UNSET = 0, /* none; no entry has it */
	VERDICT_DROP = 1, /* XDP_DROP */
	VERDICT_PASS = 2, /* XDP_PASS */
	VERDICT_REJECT = 3, /* XDP_TX */
};

/*
 * Lines that are built in. A line has one verdict for ever, so that the lines
 * add up by verdict too: hence two for each reason that can go either way.
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
	LINE_REPLY, /* an answer to what this host began */
	LINE_ERROR, /* the lifelines */
	LINE_NEIGHBOUR,
	LINE_ECHO,
	LINE_ECHO_LIMITED,
	LINE_DHCP,
	LINE_REMOVED_PASS, /* what rules that are gone had counted */
	LINE_REMOVED_DROP,
	LINE_KNOCK, /* knock ports, and doors for whom they are shut */
	LINES_BUILTIN,
	LINE_FIRST_RULE = 64,
};

#define MAX_RULES 65536
/* Room for two wholly different rulesets, the active one and the next. */
#define MAX_LINES (LINE_FIRST_RULE + 2 * MAX_RULES)

/*
 * One entry of the table: bits 3-24 line, 26-31 flags, and the verdict less one, with its
 * lower bit in bit 0 and its upper one in bit 25. So one comparison finds any flag, a
 * reject, and a line that there is not; what is below is dropped or passed by bit 0, and
 * the line is where its word is, in bytes (bpf/charge.h). Bit 1 says that it was made: zero
 * is no entry, and where one was never written the packet is dropped, for LINE_UNSET.
 *
 * A plain entry has no flags and is the whole answer. One with a flag sends the packet
 * on: its line is not a line but the index of the detail that says where to. Marks are
 * flags of entries that are plain but for them: they keep their line.
 */
typedef __u32 entry_t;

enum entry_flag {
	ENTRY_SOURCES = 1, /* look the source up: the answer, or `next` */
	ENTRY_RULE = 2, /* a rule that ends, that has a limit, or that is a door */
	ENTRY_REPLY = 4, /* let in if it is a reply; else the entry is plain */
	ENTRY_DHCP = 8, /* let in if it is from a DHCP server's port, else `next` */
	ENTRY_TOUCH = 16, /* a port that is shut while there are doors: touching it counts */
	ENTRY_MARKS = ENTRY_REPLY | ENTRY_TOUCH,
};

#define ENTRY_PASS 1u /* if it is no reject */
#define ENTRY_MADE 2u
#define ENTRY_LINE ((1u << 25) - 8)
#define ENTRY_REJECT (1u << 25)
#define LAST_LINE ((MAX_LINES - 1) << 3) /* as an entry has it */

static inline entry_t entry_make(enum verdict verdict, __u32 flags, __u32 line)
{
	return flags << 26 | line << 3 | ENTRY_MADE |
	       (verdict == VERDICT_PASS ? ENTRY_PASS : 0) |
	       (verdict == VERDICT_REJECT ? ENTRY_REJECT : 0);
}

static inline __u32 entry_verdict(entry_t entry)
{
	return ((entry & ENTRY_REJECT) >> 24 | (entry & ENTRY_PASS)) + VERDICT_DROP;
}

static inline __u32 entry_flags(entry_t entry)
{
	return entry >> 26;
}

/* Whether it leads to a detail: more than marks. */
static inline __u32 entry_leads_on(entry_t entry)
{
	return entry_flags(entry) & ~ENTRY_MARKS;
}

/* The same entry without its flags. */
static inline entry_t entry_plain(entry_t entry)
{
	return entry & ((1 << 26) - 1);
}

static inline __u32 entry_line(entry_t entry)
{
	return (entry & ENTRY_LINE) >> 3;
}

/*
 * Headers of IPv6 with another one behind them, which is what is judged (RFC 8200, 4; the
 * mobility header is RFC 6275's).
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

/*
 * The lengths of a group's prefixes, a bit for each: `ipv4` has bit 32 - length,
 * `ipv6[0]` bit 128 - length of those longer than 64, `ipv6[1]` bit 64 - length of
 * the others. So the lowest bit is the longest one, and its negation is its mask.
 */
struct lengths {
	__u64 ipv4;
	__u64 ipv6[2];
};

/* What an entry with a flag leads to. Times are nanoseconds since boot. */
struct detail {
	union {
		struct { /* ENTRY_RULE */
			__u64 deadline; /* when the rule ends; 0: never */
			__u64 interval; /* between packets at the limit; 0: no limit */
			__u64 tolerance; /* by how much packets may come early: the burst */
			entry_t entry; /* what the rule says; plain */
			entry_t limited; /* the same for packets over the limit; plain */
			__u32 door; /* applies to those with a grant for it; 0: to all */
			__u32 per_source; /* the limit is: a number that no other
					   * rule with this line had; else 0 */
		};
		struct { /* ENTRY_SOURCES */
			struct lengths lengths;
			entry_t any4; /* of length 0: all of IPv4; 0: there is none */
			entry_t any6;
			__u32 group; /* whose sources */
		};
	};
	entry_t next; /* where it does not apply; 0: nothing more to ask */
	__u32 zero;
};

/*
 * Rules that end can stand one behind the other, so many at one place; more are
 * refused. No way through details is longer than DETAIL_STEPS: the sources of
 * rules without ports, DHCP, the port's sources, and both times the rules.
 */
#define DETAIL_ENDING 8
#define DETAIL_STEPS (2 * DETAIL_ENDING + 5)

/*
 * Sources: the prefixes of all groups and both families, by the tag of each
 * (include/source_tag.h). One that finds its set full goes to the next, SOURCE_HOPS
 * sets away at most; the last sets are for those only.
 */
#define SOURCE_WAYS 5
#define SOURCE_HOPS 8
#define SOURCE_SECRETS 7

struct source_set {
	__u64 tags[SOURCE_WAYS];
	entry_t entries[SOURCE_WAYS];
	__u32 goes_on; /* the next set has some that found no place here */
};

/*
 * A conversation that this host, or one behind it, began: UDP, ICMP echo, and
 * TCP that no local socket has.
 */
struct flow_key {
	__u8 remote[16]; /* network byte order; IPv4 in the first four */
	__u8 local[16];
	__be16 remote_port; /* ICMP echo: the identifier */
	__be16 local_port; /* ICMP echo: 0 */
	__u8 protocol;
	__u8 family; /* 4 or 6 */
	__u16 zero;
};

/* How long a flow lives after its last packet went out, in seconds. */
#define FLOW_LIFE_UDP 180
#define FLOW_LIFE_TCP 7440 /* RFC 5382, REQ-5 */

/* A place of the flow table, which is written on the way out only (bpf/flow.h). */
struct flow {
	__u64 tag[2]; /* a keyed hash of the struct flow_key */
	__u64 until; /* when it ends, in ticks; 0: never used */
};

/*
 * Those flows that may stand in one of two sets each. 65,536 flows find a place
 * with certainty for all practical purposes, 200,000 mostly do.
 */
#define FLOW_WAYS 5
#define FLOW_SETS 65536

struct flow_set {
	struct flow flows[FLOW_WAYS];
	__u64 refused; /* new flows that found no place */
};

/*
 * For so many sets together when the last of their flows ends, in ticks: a flood that is
 * no reply to anything mostly stops here, and not at the sets, which no cache holds.
 */
#define FLOW_ENDS 8192

/* Buckets that limits per source share, found by a keyed hash of the source. */
#define SOURCE_BUCKETS 65536

/*
 * Doors: what a knock opens, by its number, which is from 1 to MAX_DOORS. A
 * sequence is a list of port keys, to be touched one after the other.
 */
#define MAX_DOORS 64
#define MAX_STEPS 16

struct sequence {
	__u32 count; /* 0: there is none */
	__u32 steps[MAX_STEPS];
};

enum sequence_kind { SEQUENCE_OPEN, SEQUENCE_CLOSE, SEQUENCES };

enum door_flag {
	DOOR_ONCE = 1, /* a grant is for one connection */
	DOOR_NET = 2, /* a grant is for the source's /64 (IPv6) */
	DOOR_TIMED = 4, /* its sequences are those of struct windows */
};

struct door {
	struct sequence sequences[SEQUENCES];
	__u32 window; /* how long an attempt may take, in ATTEMPT_TICK */
	__u32 misses; /* how many wrong touches it may have */
	__u32 seconds; /* how long a grant lasts */
	__u32 flags; /* enum door_flag */
	__u32 signed_key; /* port key of signed knocks; 0: none are heard */
	__be32 name; /* as struct signed_knock has it */
	__u32 skew; /* by how many seconds a signature's time may be off */
	__u32 line; /* whose bucket limits the verifications */
};

/*
 * Doors whose sequence changes with the time: that of each window of 30 seconds
 * (RFC 6238) is made by "portctl knock serve", and good for one window more each way.
 * It stands at list[number & 3]; `number` is 0 while that is written.
 */
#define WINDOW_SECONDS 30
#define WINDOWS 4

struct window {
	__u64 number; /* of windows since 1970, UTC; 0: none */
	struct sequence sequence;
	__u32 zero;
};

struct windows {
	__u64 until; /* nanoseconds since boot: whoever makes them lived until then */
	struct window list[WINDOWS];
};

/* The sequences a door can have at a time: `sequences`, or `list` of its windows. */
#define DOOR_SEQUENCES 4

/*
 * Attempts: what a source has knocked so far, in words of 64 bits that anybody's
 * packets make, so they are overwritten by others' and never grow. A set of them is
 * found by a keyed hash of the source, and in it a word by more of that hash and
 * the number of the sequence: bits 0-19 when it began (in ATTEMPT_TICK), 20-23
 * misses so far, 24-28 steps so far (0: no attempt), 29-36 sequence (door - 1 times
 * DOOR_SEQUENCES, and its index there), 37-63 tag.
 */
#define ATTEMPT_SETS 8192
#define ATTEMPT_WAYS 8
#define ATTEMPT_TICK 26 /* 2^26 ns, 1/15 s; 20 bits of them are 19 hours */
#define ATTEMPT_TIMES (1u << 20)
#define ATTEMPT_MISSES 15 /* the most that `misses` can be */
#define ATTEMPT_SECONDS 3600 /* the most that `window` can be */

struct attempts {
	__u64 words[ATTEMPT_WAYS];
};

/* A source that is let in, and by whom: a knock, or the administrator. */
#define MAX_GRANTS 16384

struct grant_key {
	__u8 address[16]; /* network byte order; IPv4 in the first four */
	__u32 family; /* 4 or 6 */
	__u32 door;
};

struct grant {
	__u64 deadline; /* nanoseconds since boot */
	__u64 opener; /* DOOR_ONCE: whose connection it was, bpf/grant.h; 0: nobody's yet */
	__u64 window; /* DOOR_TIMED: the last one it was made by; kept after its end */
};

/*
 * Sources whose attempts failed: after LOCKOUT_FAILURES within LOCKOUT_SECONDS of
 * each other their knocks are not heard until LOCKOUT_SECONDS after the last.
 */
#define MAX_LOCKOUTS 4096
#define LOCKOUT_FAILURES 5
#define LOCKOUT_SECONDS 60

struct lockout_key {
	__u8 address[16]; /* IPv6: the first 8 bytes, then zeros */
	__u32 family;
	__u32 zero;
};

struct lockout {
	__u64 last; /* nanoseconds since boot */
	__u64 failures;
};

/*
 * A signed knock: one datagram whose payload is this. Integers are in network byte
 * order. The tag is keyed BLAKE2s (RFC 7693) of 16 bytes, with a key of 32, over the
 * 48 bytes before it. Of each signer the time must be later than any before: it is
 * the counter against replay as well.
 */
#define SIGNED_VERSION 1
#define SIGNED_PORT 62201 /* where the client sends to, unless told otherwise */

enum signed_action { SIGNED_OPEN = 1, SIGNED_CLOSE = 2, SIGNED_EXTEND = 3 };

struct signed_knock {
	__u8 version;
	__u8 action; /* enum signed_action; extend: only what is open */
	__u8 family; /* of `address`, 4 or 6; 0: the packet's source, address is 0 */
	__u8 zero;
	__be32 signer; /* the first 4 bytes of unkeyed BLAKE2s-128 of the key */
	__be64 time; /* nanoseconds since 1970, UTC */
	__be32 seconds; /* how long; 0, or more than the door gives: as it gives */
	__be32 door; /* the first 4 bytes of unkeyed BLAKE2s-128 of its name */
	__u8 address[16]; /* IPv4 in the first four */
	__u8 server[8]; /* the server's, from the key's line */
	__u8 tag[16];
};

/* Verifications a second of each door, and how many at once. */
#define SIGNED_RATE 10000
#define SIGNED_BURST 1000

#define MAX_SIGNERS 1024

/* Whose key it is, and in which slot: who may sign goes back together with the rules. */
struct signer_key {
	__be32 number;
	__u32 slot;
};

/* Who may sign. The time of the last knock is kept apart: only the kernel writes it. */
struct signer {
	__u32 state[8]; /* BLAKE2s once it has taken the key */
	__u8 server[8];
	__u64 expires; /* nanoseconds since 1970; 0: never */
	__u64 doors; /* a bit for each that they may open, number 1 first */
};

/* What happened at one door. */
struct door_counts {
	__u64 attempts; /* first steps */
	__u64 steps; /* those after */
	__u64 misses;
	__u64 failures; /* attempts that had too many */
	__u64 grants;
	__u64 closed; /* by a closing sequence, or a signature */
	__u64 refusals; /* knocks of who is locked out, grants without room */
	__u64 replays; /* of signatures, and of windows that were used */
};

/*
 * Events: what happens, for those who watch. Each has a ring buffer of his own in one
 * of MONITORS places; while there is none, nothing is told. Of drops and rejects there
 * are so many samples a second of each key, and of all so many events at most.
 */
enum event_kind {
	EVENT_DROP,
	EVENT_REJECT,
	EVENT_ATTEMPT, /* the first step of a sequence */
	EVENT_STEP,
	EVENT_MISS,
	EVENT_FAILURE,
	EVENT_LOCKOUT,
	EVENT_GRANT,
	EVENT_CLOSE,
	EVENT_REFUSAL,
	EVENT_REPLAY,
	EVENT_KINDS,
	EVENT_NONE = EVENT_KINDS,
};

#define MONITORS 4
#define EVENT_SAMPLES 10
#define EVENT_RATE 1000

struct event {
	__u64 time; /* nanoseconds since boot */
	__u32 kind; /* enum event_kind */
	__u32 ifindex; /* where it came in */
	__u32 key; /* enum key */
	__u32 line; /* drop, reject: what it was charged to */
	__u32 door; /* of knocks; else 0 */
	__be32 signer; /* of signed ones; else 0 */
	__u32 zero;
	__be16 port; /* the source's, if it has one */
	__u8 family; /* 4 or 6; 0: no address */
	__u8 zero2;
	__u8 address[16]; /* the source's, network byte order; IPv4 in the first four */
};

/*
 * The samples that were taken of an interface's keys since whoever watches set it to
 * zero, which he does every second: the data path needs no clock for it. 255: as many
 * as there may be.
 */
struct sampling {
	__u32 count; /* of all */
	__u32 zero;
	__u8 keys[KEYS];
};

/*
 * What a program is loaded for: to filter; to say how it would judge, without any
 * effect; or to judge what was captured, in maps and at times of its own.
 */
enum purpose { PURPOSE_FILTER, PURPOSE_EXPLAIN, PURPOSE_REPLAY };

/* A detail that was asked about a packet, and what came of it. */
struct asked {
	__u32 detail;
	__u32 flags; /* those of the entry that led to it */
	entry_t answer; /* 0: it did not apply */
	__u32 zero;
};

/* Between whoever asks and a program that was not loaded to filter. */
struct inquiry {
	__u64 now; /* PURPOSE_REPLAY: the time, nanoseconds since 1970 */
	__u32 count; /* of what was asked, in its order; PURPOSE_REPLAY: of the batch */
	__u32 zero;
	struct asked asked[DETAIL_STEPS];
};

/* A frame of a capture, in a batch of them. */
struct captured_frame {
	__u64 now; /* nanoseconds since 1970 */
	__u32 size; /* 0: it is the one that the program is run with */
	__u8 data[2036];
};

/* How many one run of the program judges. */
#define BATCH_FRAMES 256

/* Of each kind, since the first attach. */
struct event_count {
	__u64 due; /* of the bucket */
	__u64 sent;
	__u64 lost; /* over the rate, or a ring buffer was full; not of drops and rejects */
};

/* One compiled ruleset, for one interface: what a packet is judged by. */
struct generation {
	entry_t entries[KEYS];
	__u64 steps[PORT_KEYS / 64]; /* a bit for each key that is in a sequence */
	__u32 door_count; /* no door has a higher number */
	__u32 source_sets; /* those that a tag leads to */
	__u64 source_secret[SOURCE_SECRETS]; /* random: the key of its tags */
	struct door doors[MAX_DOORS]; /* number 1 first */
};

/*
 * Shared by every interface of a network namespace, so that one store flips
 * them all: a packet is judged by slot `generation & 1`.
 *
 * A change that waits to be confirmed is in `pending`, as the generation that it
 * made; the kernel's own timer goes back to the one before, unless `pending` has
 * been taken away (compare-and-swap) by then.
 */
struct control {
	__u32 schema;
	__u32 generation;
	__u32 pending; /* 0: nothing waits */
	__u32 rolled_back; /* how often the timer had to go back */
	__u64 deadline; /* nanoseconds since boot: when it will */
	__u32 secret[16]; /* random: 0 to 11 key the tags of flows, 12 to 15 buckets */
	__u64 created; /* nanoseconds since 1970: what was signed before is not believed */
	__u64 tai_offset; /* nanoseconds that CLOCK_TAI is before UTC */
	__u32 watchers; /* a bit for each place of a monitor that is taken */
	__u32 samples; /* of drops and rejects, a second and key; at most 255 */
	__u64 sampled_at; /* nanoseconds since boot: when the next second of them began */
	__u32 settled; /* the last generation of which it is known that no packet holds others */
	__u32 zero;
};

/* What bpf/listen.bpf.c tells of a socket. */
enum socket_news {
	SOCKET_LISTENS, /* TCP: from now on; UDP: it was bound to a port */
	SOCKET_ENDS, /* TCP: it listens no longer */
};

struct socket_event {
	__u64 time; /* nanoseconds since boot */
	__u32 news; /* enum socket_news */
	__u32 key; /* a port key */
	__u32 pid; /* of the process that did it */
	__u32 uid;
	__u32 family; /* 4 or 6 */
	__u8 address[16]; /* network byte order; IPv4 in the first four */
	char program[16]; /* NUL-terminated */
	__u32 unused;
};

_Static_assert(sizeof(struct door) == 168, "struct door");
_Static_assert(sizeof(struct generation) == 4 * KEYS + PORT_KEYS / 8 + 8 + 8 * SOURCE_SECRETS +
						    MAX_DOORS * sizeof(struct door),
	       "struct generation");
_Static_assert(sizeof(struct signed_knock) == 64, "struct signed_knock: one block and its tag");
_Static_assert(MAX_DOORS <= 64, "a signer has a bit for each door");
_Static_assert(sizeof(struct attempts) == 64, "struct attempts: a cache line");
_Static_assert(sizeof(struct grant_key) == 24, "struct grant_key");
_Static_assert(sizeof(struct lockout_key) == 24, "struct lockout_key");
_Static_assert(MAX_DOORS *DOOR_SEQUENCES <= 1 << 8, "a sequence has 8 bits in an attempt");
_Static_assert((int)SEQUENCES <= DOOR_SEQUENCES && WINDOWS <= DOOR_SEQUENCES, "sequences");
_Static_assert(sizeof(struct windows) == 8 + WINDOWS * 80, "struct windows");
_Static_assert(ATTEMPT_SECONDS * 1000000000ull >> ATTEMPT_TICK < ATTEMPT_TIMES,
	       "an attempt's time does not come round in it");
_Static_assert(sizeof(struct control) == 128, "struct control");
_Static_assert(sizeof(struct event) == 56, "struct event");
_Static_assert(sizeof(struct captured_frame) == 2048, "struct captured_frame");
_Static_assert(sizeof(struct socket_event) == 64, "struct socket_event");
_Static_assert(sizeof(struct sampling) % 8 == 0, "nothing is behind it");
_Static_assert(sizeof(struct detail) == 48, "struct detail");
_Static_assert(sizeof(struct source_set) == 64, "struct source_set: a cache line");
_Static_assert(sizeof(struct flow_key) == 40, "struct flow_key");
_Static_assert(sizeof(struct flow_set) == 128, "struct flow_set: two cache lines");
_Static_assert(KEYS_USED <= KEYS, "keys");
_Static_assert(LINES_BUILTIN <= LINE_FIRST_RULE, "built-in lines");
_Static_assert(MAX_LINES <= ENTRY_LINE >> 3, "a line has 22 bits in an entry");

#endif
