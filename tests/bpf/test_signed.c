// SPDX-License-Identifier: GPL-2.0-only
/* Signed knocks: which are accepted, which are refused, and that none is accepted twice. */
#include <arpa/inet.h>
#include <endian.h>
#include <pthread.h>

#include "base/hash.h"
#include "doors.h"
#include "rules/signing.h"
#include "../sandbox.h"

#define PORT 62201

static struct signing_key alice = { .name = "alice",
				    .key = "0123456789abcdef0123456789abcdeF",
				    .server = "servers" };

static __u64 now(void)
{
	return clock_time(CLOCK_REALTIME);
}

/* Stores a key that may open the doors in the bit mask `allowed`. */
static void add_signer(const struct doors *doors, const struct signing_key *key, __u64 allowed)
{
	struct signer signer = { .expires = key->expires, .doors = allowed };
	struct signer_key who = { .number = key_number(key) };
	__u64 never = 0;

	blake2s_keyed(signer.state, 16, key->key);
	memcpy(signer.server, key->server, sizeof(signer.server));
	if (bpf_map_update_elem(bpf_map__fd(doors->filter.program->maps.signers), &who, &signer,
				BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(doors->filter.program->maps.last_signed),
				&who.number, &never, BPF_ANY))
		tap_bail("cannot add a signer");
}

#define RULES                                                                                  \
	"default drop\n"                                                                       \
	"knock ssh spa 62201/udp keys /k opens 22/tcp for 30s\n"                               \
	"knock web spa 62201/udp keys /k opens 80/tcp for 1h skew 5s\n"                        \
	"knock far spa 62202/udp keys /k opens 81/tcp for 30s\n"

/* Loads rules, and the key of alice, who may open "ssh" and "web". */
static void load_with_signer(struct doors *doors, const char *rules)
{
	__u64 tai;

	doors_load(doors, rules);
	tai = clock_time(CLOCK_TAI);
	doors->filter.program->data_control->control.tai_offset =
		(tai - now() + SECOND / 2) / SECOND * SECOND;
	doors->filter.program->data_control->control.created = now() - 3600 * SECOND;
	add_signer(doors, &alice, 3);
}

/* Sends a knock in a datagram of this family to `port`, with `more` bytes behind the knock. */
static __u32 deliver(const struct doors *doors, const struct signed_knock *knock, __u8 family,
		     __u16 port, int more)
{
	struct layer layers[LAYERS_MAX] = { IP4(), UDP(port), DATA(sizeof(*knock) + more) };
	struct frame frame;
	__u32 verdict;

	if (family == 6)
		layers[0] = (struct layer)IP6();
	build(&frame, layers);
	memcpy(frame.bytes + frame.length - sizeof(*knock) - more, knock, sizeof(*knock));
	if (filter_run(&doors->filter, &frame, 1, &verdict))
		tap_bail("a frame could not be run");
	if (verdict != DROP)
		tap_wrong("a knock did not drop");
	return verdict;
}

static struct signed_knock make_knock(const char *door, __u64 time)
{
	struct signed_knock knock = { .action = SIGNED_OPEN, .door = door_number(door) };

	sign(&knock, &alice, time);
	return knock;
}

/* Signs a changed knock again. */
static void resign(struct signed_knock *knock)
{
	sign(knock, &alice, be64toh(knock->time));
}

static bool is_port_open(const struct doors *doors, __u8 family, __u16 port)
{
	struct layer layers[LAYERS_MAX] = { IP4(), TCP(port) };
	struct frame frame;
	__u32 verdict;

	if (family == 6)
		layers[0] = (struct layer)IP6();
	build(&frame, layers);
	filter_run(&doors->filter, &frame, 1, &verdict);
	return verdict == PASS;
}

static void expect_port(const struct doors *doors, __u8 family, __u16 port, bool open)
{
	if (is_port_open(doors, family, port) != open)
		tap_wrong("port %u is %s", port, open ? "shut" : "open");
}

static void test_opens(__u8 family)
{
	struct signed_knock knock;
	struct doors doors;

	load_with_signer(&doors, RULES);
	knock = make_knock("ssh", now());
	expect_port(&doors, family, 22, false);
	deliver(&doors, &knock, family, PORT, 0);
	expect_port(&doors, family, 22, true);
	expect_port(&doors, family, 80, false);
	expect_port(&doors, family == 4 ? 6 : 4, 22, false);
	expect_count("grants", doors.counts[0].grants, 1);
	tap_end("signed: opens its door for its source only, IPv%u", family);
	knock = make_knock("ssh", now());
	knock.action = SIGNED_CLOSE;
	resign(&knock);
	deliver(&doors, &knock, family, PORT, 0);
	expect_port(&doors, family, 22, false);
	expect_count("closed", doors.counts[0].closed, 1);
	tap_end("signed: closes its door, IPv%u", family);
	doors_close(&doors);
}

/* Rules for sources or for the port, beside the knock. It comes from 192.0.2.1. */
static const struct {
	const char *name;
	const char *rules;
	bool opens;
} beside[] = {
	{ "opens where another source is dropped", RULES "drop from 203.0.113.0/24", true },
	{ "does not open where its source is dropped", RULES "drop from 192.0.2.0/24", false },
	{ "opens where the rule that dropped its source has expired",
	  RULES "drop from 192.0.2.0/24 for 1s", true },
	{ "opens where its port is allowed for another source",
	  RULES "allow 62201/udp from 203.0.113.0/24", true },
	{ "opens where its port is dropped by a rule", RULES "drop 60000-65535/udp", true },
};

static void test_rules_beside(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		struct signed_knock knock;
		struct doors doors;

		load_with_signer(&doors, beside[i].rules);
		knock = make_knock("ssh", now());
		deliver(&doors, &knock, 4, PORT, 0);
		expect_count("grants", doors.counts[0].grants, beside[i].opens);
		tap_end("signed: %s", beside[i].name);
		doors_close(&doors);
	}
}

/* Seconds until the grant of 192.0.2.1 expires, or 0 if it has none. */
static __u64 seconds_left(const struct doors *doors, __u32 door)
{
	struct grant_key key = { .family = 4, .door = door, .address = { 192, 0, 2, 1 } };
	struct grant grant;

	if (bpf_map_lookup_elem(bpf_map__fd(doors->filter.program->maps.grants), &key, &grant))
		return 0;
	return (grant.deadline - clock_time(CLOCK_BOOTTIME) + SECOND - 1) / SECOND;
}

static void test_times(void)
{
	struct signed_knock knock;
	struct doors doors;

	load_with_signer(&doors, RULES);
	knock = make_knock("web", now());
	knock.seconds = htonl(10);
	resign(&knock);
	deliver(&doors, &knock, 4, PORT, 0);
	expect_count("seconds", seconds_left(&doors, 2), 10);
	knock = make_knock("web", now());
	knock.seconds = htonl(7200);
	resign(&knock);
	deliver(&doors, &knock, 4, PORT, 0);
	expect_count("seconds", seconds_left(&doors, 2), 3600);
	tap_end("signed: opens for the time it asks for, at most for the rule's");
	knock = make_knock("ssh", now());
	knock.action = SIGNED_EXTEND;
	resign(&knock);
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, false);
	expect_count("refusals", doors.counts[0].refusals, 1);
	knock = make_knock("ssh", now());
	deliver(&doors, &knock, 4, PORT, 0);
	knock = make_knock("ssh", now());
	knock.action = SIGNED_EXTEND;
	resign(&knock);
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, true);
	tap_end("signed: extends a grant, but does not make one");
	doors_close(&doors);
}

static void test_address(void)
{
	struct signed_knock knock;
	struct doors doors;

	load_with_signer(&doors, RULES);
	knock = make_knock("ssh", now());
	knock.family = 4;
	memcpy(knock.address, "\xC0\x00\x02\x01", 4);
	resign(&knock);
	deliver(&doors, &knock, 6, PORT, 0);
	expect_port(&doors, 4, 22, true);
	expect_port(&doors, 6, 22, false);
	tap_end("signed: opens for the address in it, not for the packet's source");
	doors_close(&doors);
}

/* A field that is changed after signing. */
enum lie {
	LIE_VERSION,
	LIE_ACTION,
	LIE_FAMILY,
	LIE_SIGNER,
	LIE_TIME,
	LIE_SECONDS,
	LIE_DOOR,
	LIE_ADDRESS,
	LIE_SERVER,
	LIE_TAG,
	LIE_LAST_BIT,
	LIES,
};

static void test_lies(void)
{
	static const size_t offsets[LIES] = {
		[LIE_VERSION] = 0, [LIE_ACTION] = 1,   [LIE_FAMILY] = 2,    [LIE_SIGNER] = 4,
		[LIE_TIME] = 15,   [LIE_SECONDS] = 19, [LIE_DOOR] = 20,	    [LIE_ADDRESS] = 39,
		[LIE_SERVER] = 40, [LIE_TAG] = 48,     [LIE_LAST_BIT] = 63,
	};
	struct signed_knock knock;
	struct doors doors;

	load_with_signer(&doors, RULES);
	for (enum lie lie = 0; lie < LIES; lie++) {
		knock = make_knock("ssh", now());
		((__u8 *)&knock)[offsets[lie]] ^= lie == LIE_FAMILY ? 4 : 1;
		deliver(&doors, &knock, 4, PORT, 0);
	}
	expect_port(&doors, 4, 22, false);
	expect_port(&doors, 6, 22, false);
	tap_end("signed: with any field changed it is refused");
	for (int bit = 0; bit < 64 * 8; bit++) {
		knock = make_knock("ssh", now());
		((__u8 *)&knock)[bit / 8] ^= 1 << bit % 8;
		deliver(&doors, &knock, 4, PORT, 0);
	}
	expect_port(&doors, 4, 22, false);
	expect_port(&doors, 4, 80, false);
	expect_count("grants", doors.counts[0].grants + doors.counts[1].grants, 0);
	tap_end("signed: with any bit changed it is refused");
	knock = make_knock("ssh", now());
	deliver(&doors, &knock, 4, PORT, 1);
	deliver(&doors, &knock, 4, PORT + 1, 0);
	expect_port(&doors, 4, 22, false);
	tap_end("signed: with a longer payload or at another port it is refused");
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, true);
	tap_end("signed: a refused knock can be sent again correctly");
	doors_close(&doors);
}

static void test_keys(void)
{
	struct signing_key bob = alice, mallory = alice;
	struct signed_knock knock = { .action = SIGNED_OPEN, .door = door_number("ssh") };
	struct doors doors;

	load_with_signer(&doors, RULES);
	bob.key[0] ^= 1;
	mallory.key[1] ^= 1;
	bob.expires = now() - SECOND;
	add_signer(&doors, &bob, 3);
	sign(&knock, &bob, now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, false);
	tap_end("signed: an expired key is refused");
	bob.expires = now() + 60 * SECOND;
	add_signer(&doors, &bob, 2);
	sign(&knock, &bob, now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, false);
	expect_count("refusals", doors.counts[0].refusals, 2);
	tap_end("signed: a key for another door is refused");
	sign(&knock, &mallory, now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, false);
	expect_count("refusals", doors.counts[0].refusals, 2);
	tap_end("signed: an unknown key is ignored without a verification");
	doors_close(&doors);
}

/* A client whose clock is off. */
static void test_clock(void)
{
	static const struct {
		const char *door;
		__u16 port;
		int off;
		bool open;
	} clocks[] = {
		{ "ssh", 22, -29, true }, { "ssh", 22, 29, true }, { "ssh", 22, -31, false },
		{ "ssh", 22, 31, false }, { "web", 80, -4, true }, { "web", 80, 4, true },
		{ "web", 80, -6, false }, { "web", 80, 6, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		struct signed_knock knock;
		struct doors doors;

		load_with_signer(&doors, RULES);
		knock = make_knock(clocks[i].door, now() + clocks[i].off * (__s64)SECOND);
		deliver(&doors, &knock, 4, PORT, 0);
		expect_port(&doors, 4, clocks[i].port, clocks[i].open);
		tap_end("signed: a clock %d s off %s \"%s\"", clocks[i].off,
			clocks[i].open ? "opens" : "does not open", clocks[i].door);
		doors_close(&doors);
	}
}

/* A knock signed before the table of last knocks was made could be a replay. */
static void test_before_table(void)
{
	struct signed_knock knock;
	struct doors doors;

	load_with_signer(&doors, RULES);
	doors.filter.program->data_control->control.created = now() - 20 * SECOND;
	knock = make_knock("ssh", now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, false);
	doors.filter.program->data_control->control.created = now() - 31 * SECOND;
	knock = make_knock("ssh", now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, true);
	tap_end("signed: refused while it could be older than the table of last knocks");
	doors_close(&doors);
}

static void test_replay(void)
{
	struct signed_knock first, second;
	struct doors doors;

	load_with_signer(&doors, RULES);
	first = make_knock("ssh", now());
	second = make_knock("ssh", now() + 1);
	deliver(&doors, &second, 4, PORT, 0);
	expect_count("grants", doors.counts[0].grants, 1);
	for (int i = 0; i < 100; i++) {
		deliver(&doors, &second, 4, PORT, 0);
		deliver(&doors, &second, 6, PORT, 0);
		deliver(&doors, &first, 4, PORT, 0);
	}
	expect_port(&doors, 6, 22, false);
	expect_count("grants", doors.counts[0].grants, 1);
	expect_count("replays", doors.counts[0].replays, 300);
	tap_end("signed: neither a replay nor an older knock opens, from any source");
	doors_close(&doors);
}

/* The same knock on two CPUs at the same time: at most one is accepted. */
static struct doors *raced;
static pthread_barrier_t barrier;
static __u64 begin;
#define RACES 5000
static unsigned int races;

static void *race(void *data)
{
	if (!pin_to_cpu((long)data))
		return NULL;
	for (unsigned int i = 0; i < races; i++) {
		struct signed_knock knock = make_knock("ssh", begin + i);

		pthread_barrier_wait(&barrier);
		deliver(raced, &knock, 4, PORT, 0);
	}
	return NULL;
}

static void test_race(void)
{
	struct doors doors;
	pthread_t threads[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		tap_end("signed: two CPUs at once # SKIP there is only one CPU");
		return;
	}
	races = repeats(RACES);
	load_with_signer(&doors, RULES);
	raced = &doors;
	begin = now();
	pthread_barrier_init(&barrier, NULL, 2);
	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, race, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	expect_count("both",
		     doors.counts[0].grants + doors.counts[0].replays +
			     doors.counts[0].refusals,
		     2 * races);
	if (doors.counts[0].grants > races)
		tap_wrong("%llu of %u were accepted", doors.counts[0].grants, races);
	if (doors.counts[0].grants + doors.counts[0].refusals < races)
		tap_wrong("%llu of %u were accepted", doors.counts[0].grants, races);
	tap_end("signed: of one knock on two CPUs at once, only one is accepted");
	doors_close(&doors);
}

/* The time in the bucket that limits verifications at the second door. */
static __u64 bucket_due(const struct doors *doors)
{
	int map = bpf_map__fd(doors->filter.program->maps.buckets);
	__u64 due = 0;

	if (bpf_map_lookup_elem(map, &doors->filter.ruleset.rules[1].line, &due))
		tap_bail("cannot read a bucket");
	return due;
}

static void set_bucket_due(const struct doors *doors, __u64 due)
{
	int map = bpf_map__fd(doors->filter.program->maps.buckets);

	if (bpf_map_update_elem(map, &doors->filter.ruleset.rules[1].line, &due, BPF_ANY))
		tap_bail("cannot set a bucket");
}

/* Wrong tags for the right server cost a verification and are limited; others cost none. */
static void test_flood(void)
{
	struct signed_knock knock;
	struct doors doors;
	__u64 begun;

	load_with_signer(&doors, RULES);
	for (unsigned int i = 0; i < repeats(200000); i++) {
		knock = make_knock("ssh", now());
		knock.server[0] ^= 1;
		deliver(&doors, &knock, 4, PORT, 0);
	}
	expect_count("refusals", doors.counts[0].refusals, 0);
	knock = make_knock("ssh", now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 22, true);
	tap_end("signed: a flood for another server costs no verifications");
	begun = clock_time(CLOCK_BOOTTIME);
	for (int i = 0; i < 20 * SIGNED_BURST; i++) {
		knock = make_knock("web", now());
		knock.tag[0] ^= 1;
		deliver(&doors, &knock, 4, PORT, 0);
	}
	/* At least a burst was used up, however slow this machine is. */
	if (bucket_due(&doors) < begun + (SIGNED_BURST - 1) * (SECOND / SIGNED_RATE))
		tap_wrong("wrong tags used up too little of the limit");
	set_bucket_due(&doors, clock_time(CLOCK_BOOTTIME) + SECOND); /* over the limit */
	knock = make_knock("web", now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 80, false);
	set_bucket_due(&doors, clock_time(CLOCK_BOOTTIME)); /* within the limit again */
	knock = make_knock("web", now());
	deliver(&doors, &knock, 4, PORT, 0);
	expect_port(&doors, 4, 80, true);
	expect_count("refusals", doors.counts[1].refusals, 20 * SIGNED_BURST + 1);
	tap_end("signed: a flood of wrong tags is limited, and blocks the door while it lasts");
	doors_close(&doors);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	test_opens(4);
	test_opens(6);
	test_rules_beside();
	test_times();
	test_address();
	test_lies();
	test_keys();
	test_clock();
	test_before_table();
	test_replay();
	test_flood();
	test_race();
	return tap_done();
}
