// SPDX-License-Identifier: GPL-2.0-only
/* Signed knocks: what is believed, what is not, and that nothing is believed twice. */
#include <arpa/inet.h>
#include <endian.h>
#include <pthread.h>
#include <time.h>

#include "charged.h"
#include "base/hash.h"
#include "packet_case.h"
#include "rules/signing.h"
#include "../sandbox.h"

#define PORT 62201
#define SECOND 1000000000ull

struct gate {
	struct filter filter;
	struct door_counts *counts;
};

static struct signing_key alice = { .name = "alice",
				    .key = "0123456789abcdef0123456789abcdeF",
				    .server = "servers" };

static __u64 now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec * SECOND + time.tv_nsec;
}

static void add_signer(const struct gate *gate, const struct signing_key *key, __u64 doors)
{
	struct signer signer = { .expires = key->expires, .doors = doors };
	struct signer_key who = { .number = key_number(key) };
	__u64 never = 0;

	blake2s_keyed(signer.state, 16, key->key);
	memcpy(signer.server, key->server, sizeof(signer.server));
	if (bpf_map_update_elem(bpf_map__fd(gate->filter.program->maps.signers), &who, &signer,
				BPF_ANY) ||
	    bpf_map_update_elem(bpf_map__fd(gate->filter.program->maps.last_signed),
				&who.number, &never, BPF_ANY))
		tap_bail("cannot add a signer");
}

#define GATE                                                                                   \
	"default drop\n"                                                                       \
	"knock ssh spa 62201/udp keys /k opens 22/tcp for 30s\n"                               \
	"knock web spa 62201/udp keys /k opens 80/tcp for 1h skew 5s\n"                        \
	"knock far spa 62202/udp keys /k opens 81/tcp for 30s\n"

static void gate_load_rules(struct gate *gate, const char *rules)
{
	struct timespec tai;

	load_rules(&gate->filter, rules);
	gate->counts = map_memory(gate->filter.program->maps.door_counts,
				  MAX_DOORS * sizeof(*gate->counts));
	clock_gettime(CLOCK_TAI, &tai);
	gate->filter.program->data_control->control.tai_offset =
		(tai.tv_sec * SECOND + tai.tv_nsec - now() + SECOND / 2) / SECOND * SECOND;
	gate->filter.program->data_control->control.created = now() - 3600 * SECOND;
	add_signer(gate, &alice, 3);
}

static void gate_load(struct gate *gate)
{
	gate_load_rules(gate, GATE);
}

static void gate_close(struct gate *gate)
{
	munmap(gate->counts, MAX_DOORS * sizeof(*gate->counts));
	filter_close(&gate->filter);
}

/* A knock in a datagram; `family` is the packet's, `more` bytes follow the payload. */
static __u32 deliver(const struct gate *gate, const struct signed_knock *knock, __u8 family,
		     __u16 port, int more)
{
	struct layer layers[LAYERS_MAX] = { IP4(), UDP(port), DATA(sizeof(*knock) + more) };
	struct frame frame;
	__u32 verdict;

	if (family == 6)
		layers[0] = (struct layer)IP6();
	build(&frame, layers);
	memcpy(frame.bytes + frame.length - sizeof(*knock) - more, knock, sizeof(*knock));
	if (filter_run(&gate->filter, &frame, 1, &verdict))
		tap_bail("a frame could not be run");
	if (verdict != DROP)
		tap_wrong("a knock was answered");
	return verdict;
}

static struct signed_knock make_knock(const char *door, __u64 time)
{
	struct signed_knock knock = { .action = SIGNED_OPEN, .door = door_number(door) };

	sign(&knock, &alice, time);
	return knock;
}

/* Signs again what was changed. */
static void resign(struct signed_knock *knock)
{
	sign(knock, &alice, be64toh(knock->time));
}

static bool is_open(const struct gate *gate, __u8 family, __u16 port)
{
	struct layer layers[LAYERS_MAX] = { IP4(), TCP(port) };
	struct frame frame;
	__u32 verdict;

	if (family == 6)
		layers[0] = (struct layer)IP6();
	build(&frame, layers);
	filter_run(&gate->filter, &frame, 1, &verdict);
	return verdict == PASS;
}

static void expect_open(const struct gate *gate, __u8 family, __u16 port, bool open)
{
	if (is_open(gate, family, port) != open)
		tap_wrong("port %u is %s", port, open ? "shut" : "open");
}

static void expect_count(const char *what, __u64 count, __u64 expected)
{
	if (count != expected)
		tap_wrong("%s: %llu, not %llu", what, count, expected);
}

static void test_opens(__u8 family)
{
	struct signed_knock knock;
	struct gate gate;

	gate_load(&gate);
	knock = make_knock("ssh", now());
	expect_open(&gate, family, 22, false);
	deliver(&gate, &knock, family, PORT, 0);
	expect_open(&gate, family, 22, true);
	expect_open(&gate, family, 80, false);
	expect_open(&gate, family == 4 ? 6 : 4, 22, false);
	expect_count("grants", gate.counts[0].grants, 1);
	tap_end("signed: opens its door, for its source, IPv%u", family);
	knock = make_knock("ssh", now());
	knock.action = SIGNED_CLOSE;
	resign(&knock);
	deliver(&gate, &knock, family, PORT, 0);
	expect_open(&gate, family, 22, false);
	expect_count("closed", gate.counts[0].closed, 1);
	tap_end("signed: closes it, IPv%u", family);
	gate_close(&gate);
}

/* Rules beside the knock: a packet of 192.0.2.1 may be asked about its source first. */
static const struct {
	const char *name;
	const char *rules;
	bool heard;
} beside[] = {
	{ "other sources are dropped before all", GATE "drop from 203.0.113.0/24", true },
	{ "this one is", GATE "drop from 192.0.2.0/24", false },
	{ "this one is, but for a while that is over", GATE "drop from 192.0.2.0/24 for 1s",
	  true },
	{ "others may use the port", GATE "allow 62201/udp from 203.0.113.0/24", true },
	{ "a rule shuts the port", GATE "drop 60000-65535/udp", true },
};

static void test_beside(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++) {
		struct signed_knock knock;
		struct gate gate;

		gate_load_rules(&gate, beside[i].rules);
		knock = make_knock("ssh", now());
		deliver(&gate, &knock, 4, PORT, 0);
		expect_count("grants", gate.counts[0].grants, beside[i].heard);
		tap_end("signed: %s", beside[i].name);
		gate_close(&gate);
	}
}

/* Seconds that a source's grant has left, or 0. */
static __u64 seconds_left(const struct gate *gate, __u32 door)
{
	struct grant_key key = { .family = 4, .door = door, .address = { 192, 0, 2, 1 } };
	struct timespec boot;
	struct grant grant;

	if (bpf_map_lookup_elem(bpf_map__fd(gate->filter.program->maps.grants), &key, &grant))
		return 0;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return (grant.deadline - boot.tv_sec * SECOND - boot.tv_nsec + SECOND - 1) / SECOND;
}

static void test_times(void)
{
	struct signed_knock knock;
	struct gate gate;

	gate_load(&gate);
	knock = make_knock("web", now());
	knock.seconds = htonl(10);
	resign(&knock);
	deliver(&gate, &knock, 4, PORT, 0);
	expect_count("seconds", seconds_left(&gate, 2), 10);
	knock = make_knock("web", now());
	knock.seconds = htonl(7200);
	resign(&knock);
	deliver(&gate, &knock, 4, PORT, 0);
	expect_count("seconds", seconds_left(&gate, 2), 3600);
	tap_end("signed: so long as it says, and the door gives");
	knock = make_knock("ssh", now());
	knock.action = SIGNED_EXTEND;
	resign(&knock);
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, false);
	expect_count("refusals", gate.counts[0].refusals, 1);
	knock = make_knock("ssh", now());
	deliver(&gate, &knock, 4, PORT, 0);
	knock = make_knock("ssh", now());
	knock.action = SIGNED_EXTEND;
	resign(&knock);
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, true);
	tap_end("signed: extends only what is open");
	gate_close(&gate);
}

static void test_address(void)
{
	struct signed_knock knock;
	struct gate gate;

	gate_load(&gate);
	knock = make_knock("ssh", now());
	knock.family = 4;
	memcpy(knock.address, "\xC0\x00\x02\x01", 4);
	resign(&knock);
	deliver(&gate, &knock, 6, PORT, 0);
	expect_open(&gate, 4, 22, true);
	expect_open(&gate, 6, 22, false);
	tap_end("signed: for the address it names, not the packet's");
	gate_close(&gate);
}

/* What differs from a knock that is believed. */
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
	struct gate gate;

	gate_load(&gate);
	for (enum lie lie = 0; lie < LIES; lie++) {
		knock = make_knock("ssh", now());
		((__u8 *)&knock)[offsets[lie]] ^= lie == LIE_FAMILY ? 4 : 1;
		deliver(&gate, &knock, 4, PORT, 0);
	}
	expect_open(&gate, 4, 22, false);
	expect_open(&gate, 6, 22, false);
	tap_end("signed: no byte can be changed");
	for (int bit = 0; bit < 64 * 8; bit++) {
		knock = make_knock("ssh", now());
		((__u8 *)&knock)[bit / 8] ^= 1 << bit % 8;
		deliver(&gate, &knock, 4, PORT, 0);
	}
	expect_open(&gate, 4, 22, false);
	expect_open(&gate, 4, 80, false);
	expect_count("grants", gate.counts[0].grants + gate.counts[1].grants, 0);
	tap_end("signed: nor any bit");
	knock = make_knock("ssh", now());
	deliver(&gate, &knock, 4, PORT, 1);
	deliver(&gate, &knock, 4, PORT + 1, 0);
	expect_open(&gate, 4, 22, false);
	tap_end("signed: no longer, and at no other port");
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, true);
	tap_end("signed: what was refused was not used up");
	gate_close(&gate);
}

static void test_who(void)
{
	struct signing_key bob = alice, mallory = alice;
	struct signed_knock knock = { .action = SIGNED_OPEN, .door = door_number("ssh") };
	struct gate gate;

	gate_load(&gate);
	bob.key[0] ^= 1;
	mallory.key[1] ^= 1;
	bob.expires = now() - SECOND;
	add_signer(&gate, &bob, 3);
	sign(&knock, &bob, now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, false);
	tap_end("signed: a key that has expired");
	bob.expires = now() + 60 * SECOND;
	add_signer(&gate, &bob, 2);
	sign(&knock, &bob, now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, false);
	expect_count("refusals", gate.counts[0].refusals, 2);
	tap_end("signed: a key that is for another door");
	sign(&knock, &mallory, now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, false);
	expect_count("refusals", gate.counts[0].refusals, 2);
	tap_end("signed: a key that nobody knows, which costs no verification");
	gate_close(&gate);
}

/* The clock, moved by hand. */
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
		struct gate gate;

		gate_load(&gate);
		knock = make_knock(clocks[i].door, now() + clocks[i].off * (__s64)SECOND);
		deliver(&gate, &knock, 4, PORT, 0);
		expect_open(&gate, 4, clocks[i].port, clocks[i].open);
		tap_end("signed: a clock that is %d s off, \"%s\"", clocks[i].off,
			clocks[i].door);
		gate_close(&gate);
	}
}

/* What was sent before the table was made could be a repetition. */
static void test_beginning(void)
{
	struct signed_knock knock;
	struct gate gate;

	gate_load(&gate);
	gate.filter.program->data_control->control.created = now() - 20 * SECOND;
	knock = make_knock("ssh", now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, false);
	gate.filter.program->data_control->control.created = now() - 31 * SECOND;
	knock = make_knock("ssh", now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, true);
	tap_end("signed: nothing is believed that could have been before the beginning");
	gate_close(&gate);
}

static void test_replay(void)
{
	struct signed_knock first, second;
	struct gate gate;

	gate_load(&gate);
	first = make_knock("ssh", now());
	second = make_knock("ssh", now() + 1);
	deliver(&gate, &second, 4, PORT, 0);
	expect_count("grants", gate.counts[0].grants, 1);
	for (int i = 0; i < 100; i++) {
		deliver(&gate, &second, 4, PORT, 0);
		deliver(&gate, &second, 6, PORT, 0);
		deliver(&gate, &first, 4, PORT, 0);
	}
	expect_open(&gate, 6, 22, false);
	expect_count("grants", gate.counts[0].grants, 1);
	expect_count("replays", gate.counts[0].replays, 300);
	tap_end("signed: nothing twice, nothing that is older, from nobody");
	gate_close(&gate);
}

/* The same knock from two CPUs at the same time: one of them is believed. */
static struct gate *raced;
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
	struct gate gate;
	pthread_t threads[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		tap_end("signed: two CPUs at once # SKIP there is one CPU");
		return;
	}
	races = repeats(RACES);
	gate_load(&gate);
	raced = &gate;
	begin = now();
	pthread_barrier_init(&barrier, NULL, 2);
	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, race, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	expect_count("both",
		     gate.counts[0].grants + gate.counts[0].replays + gate.counts[0].refusals,
		     2 * races);
	if (gate.counts[0].grants > races)
		tap_wrong("%llu of %u were believed", gate.counts[0].grants, races);
	if (gate.counts[0].grants + gate.counts[0].refusals < races)
		tap_wrong("%llu of %u were believed", gate.counts[0].grants, races);
	tap_end("signed: two CPUs at once, nothing is believed twice");
	gate_close(&gate);
}

static __u64 boot_time(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

/* The bucket of the verifications that the second door pays for. */
static __u64 bucket_due(const struct gate *gate)
{
	int map = bpf_map__fd(gate->filter.program->maps.buckets);
	__u64 due = 0;

	if (bpf_map_lookup_elem(map, &gate->filter.ruleset.rules[1].line, &due))
		tap_bail("cannot read a bucket");
	return due;
}

static void set_bucket_due(const struct gate *gate, __u64 due)
{
	int map = bpf_map__fd(gate->filter.program->maps.buckets);

	if (bpf_map_update_elem(map, &gate->filter.ruleset.rules[1].line, &due, BPF_ANY))
		tap_bail("cannot set a bucket");
}

/* Bogus tags that cost a verification are limited; those who know less cost none. */
static void test_flood(void)
{
	struct signed_knock knock;
	struct gate gate;
	__u64 begun;

	gate_load(&gate);
	for (unsigned int i = 0; i < repeats(200000); i++) {
		knock = make_knock("ssh", now());
		knock.server[0] ^= 1;
		deliver(&gate, &knock, 4, PORT, 0);
	}
	expect_count("refusals", gate.counts[0].refusals, 0);
	knock = make_knock("ssh", now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 22, true);
	tap_end("signed: a flood from who does not know the server stands in nobody's way");
	begun = boot_time();
	for (int i = 0; i < 20 * SIGNED_BURST; i++) {
		knock = make_knock("web", now());
		knock.tag[0] ^= 1;
		deliver(&gate, &knock, 4, PORT, 0);
	}
	/* At least a burst was taken, however slow this machine is. */
	if (bucket_due(&gate) < begun + (SIGNED_BURST - 1) * (SECOND / SIGNED_RATE))
		tap_wrong("bogus tags take too little from the limit");
	set_bucket_due(&gate, boot_time() + SECOND); /* far from what is due next */
	knock = make_knock("web", now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 80, false);
	set_bucket_due(&gate, boot_time());
	knock = make_knock("web", now());
	deliver(&gate, &knock, 4, PORT, 0);
	expect_open(&gate, 4, 80, true);
	expect_count("refusals", gate.counts[1].refusals, 20 * SIGNED_BURST + 1);
	tap_end("signed: one from who does know them is limited at the door, and passes");
	gate_close(&gate);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	test_opens(4);
	test_opens(6);
	test_beside();
	test_times();
	test_address();
	test_lies();
	test_who();
	test_clock();
	test_beginning();
	test_replay();
	test_flood();
	test_race();
	return tap_done();
}
