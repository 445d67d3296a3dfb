// SPDX-License-Identifier: GPL-2.0-only
/* Knocks with a fixed sequence: which touches open a door, for whom, for how long; lockouts. */
#include <pthread.h>

#include "doors.h"
#include "../sandbox.h"

#define DOOR                                                                                   \
	"default drop\n"                                                                       \
	"knock a opens 22/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s "            \
	"close 500/tcp 400/udp\n"

static size_t count_attempts(const struct doors *doors)
{
	size_t count = 0;

	for (size_t i = 0; i < ATTEMPT_SETS * ATTEMPT_WAYS; i++)
		count += doors->attempts[i / ATTEMPT_WAYS].words[i % ATTEMPT_WAYS] != 0;
	return count;
}

static void age_lockout(void *value, __u64 by)
{
	((struct lockout *)value)->last -= by;
}

static void age_lockouts(const struct doors *doors, unsigned int seconds)
{
	struct lockout_key key;
	struct lockout lockout;

	each_element(doors->filter.program->maps.lockouts, &key, &lockout, age_lockout,
		     seconds * 1000000000ull);
}

static void test_open_and_close(struct source source, const char *name)
{
	struct doors doors;

	doors_load(&doors, DOOR);
	expect_open(&doors, source, false);
	TOUCH(&doors, source, T(7000), U(9000), T(8000));
	expect_open(&doors, source, true);
	expect_open(&doors, source, true);
	expect_open(&doors, other, false);
	expect_count("grants", doors.counts[0].grants, 1);
	expect_count("attempts", doors.counts[0].attempts, 1);
	expect_count("steps", doors.counts[0].steps, 1);
	tap_end("knock: %s: the sequence opens the door for its source only", name);
	TOUCH(&doors, source, T(500), U(400));
	expect_open(&doors, source, false);
	expect_count("closed", doors.counts[0].closed, 1);
	expect_count("attempts left", count_attempts(&doors), 0);
	tap_end("knock: %s: the closing sequence shuts the door at once", name);
	TOUCH(&doors, source, T(7000), U(9000), T(8000));
	age_grants(&doors, 29);
	expect_open(&doors, source, true);
	age_grants(&doors, 2);
	expect_open(&doors, source, false);
	tap_end("knock: %s: a grant expires", name);
	doors_close(&doors);
}

/* The port keys that a source touches, and whether the door is open afterwards. */
static const struct {
	const char *name;
	__u32 keys[16];
	bool open;
} touches[] = {
	{ "each step twice opens",
	  { T(7000), T(7000), U(9000), U(9000), T(8000), T(8000) },
	  true },
	{ "without the last step stays shut", { T(7000), U(9000) }, false },
	{ "without the first step stays shut", { U(9000), T(8000) }, false },
	{ "another order stays shut", { T(8000), U(9000), T(7000) }, false },
	{ "another protocol stays shut", { T(7000), T(9000), T(8000) }, false },
	{ "one miss opens", { T(7000), T(1), U(9000), T(8000) }, true },
	{ "two misses open", { T(7000), T(1), U(9000), U(2), T(8000) }, true },
	{ "three misses stay shut", { T(7000), T(1), U(9000), U(2), U(3), T(8000) }, false },
	{ "misses before the first step do not count",
	  { T(1), U(2), U(3), T(7000), U(9000), T(8000) },
	  true },
	{ "the right sequence after a failed one opens",
	  { T(7000), T(1), T(2), T(3), T(7000), U(9000), T(8000) },
	  true },
	{ "a touch of the door's own port is a miss",
	  { T(7000), T(22), T(22), T(22), U(9000), T(8000) },
	  false },
	{ "the first two steps twice, then the last, open",
	  { T(7000), U(9000), T(7000), U(9000), T(8000) },
	  true },
};

static void test_touches(void)
{
	struct doors doors;

	doors_load(&doors, DOOR);
	for (size_t i = 0; i < ARRAY_SIZE(touches); i++) {
		const struct source source = { 4, 10 + i, 0 };

		for (int k = 0; touches[i].keys[k]; k++)
			touch(&doors, source, touches[i].keys[k]);
		expect_open(&doors, source, touches[i].open);
		tap_end("knock: %s", touches[i].name);
	}
	doors_close(&doors);
}

static void test_time_limit(void)
{
	struct doors doors;

	doors_load(&doors, DOOR);
	TOUCH(&doors, one, T(7000), U(9000));
	age_attempts(&doors, 9);
	TOUCH(&doors, one, T(8000));
	expect_open(&doors, one, true);
	tap_end("knock: a sequence within its time opens");
	TOUCH(&doors, other, T(7000), U(9000));
	age_attempts(&doors, 11);
	TOUCH(&doors, other, T(8000));
	expect_open(&doors, other, false);
	tap_end("knock: a sequence over its time does not open");
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	expect_open(&doors, other, true);
	tap_end("knock: an expired attempt does not hinder the next");
	doors_close(&doors);
}

/* TCP segments other than SYNs are no touches: they neither open a door nor count as misses. */
static void test_other_segments(void)
{
	static const __u16 flags[] = { 0x10, 0x12, 0x04, 0x01, 0x29,
				       0x11, 0x00, 0x08, 0x20, 0x13 };
	struct doors doors;

	doors_load(&doors, DOOR);
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		const struct source source = { 4, 10 + i, 0 };

		send_frame(&doors, source, (struct layer)TCP(7000, .flags = SET(flags[i])));
		TOUCH(&doors, source, U(9000), T(8000));
		expect_open(&doors, source, false);
		TOUCH(&doors, source, T(7000), U(9000));
		for (int port = 1; port < 5; port++)
			send_frame(&doors, source,
				   (struct layer)TCP(port, .flags = SET(flags[i])));
		TOUCH(&doors, source, T(8000));
		expect_open(&doors, source, true);
	}
	tap_end("knock: only SYNs and datagrams are knocks");
	doors_close(&doors);
}

/* Sources that a rule without ports drops cannot knock. */
static void test_dropped_source(void)
{
	struct doors doors;

	doors_load(&doors, DOOR "drop from 192.0.2.1\nallow 6999-9000 from 192.0.2.7");
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	expect_count("attempts", doors.counts[0].attempts, 0);
	expect_count("grants", doors.counts[0].grants, 0);
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	expect_open(&doors, other, true);
	tap_end("knock: a source dropped by a rule without ports cannot knock, others can");
	doors_close(&doors);
}

static void test_shared_steps(void)
{
	struct doors doors;

	doors_load(&doors,
		   "default drop\n"
		   "knock a opens 22/tcp for 30s after 7000/tcp 8000/tcp 9000/udp within 10s\n"
		   "knock b opens 80/tcp for 30s after 7000/tcp 9000/udp 8000/tcp within 10s\n"
		   "knock c opens 81/tcp for 30s after 8000/tcp 9000/udp 7000/tcp within 10s");
	TOUCH(&doors, one, T(7000), T(8000), U(9000));
	if (touch(&doors, one, T(22)) != PASS || touch(&doors, one, T(80)) == PASS ||
	    touch(&doors, one, T(81)) == PASS)
		tap_wrong("another door is open");
	TOUCH(&doors, other, T(8000), U(9000), T(7000));
	if (touch(&doors, other, T(22)) == PASS || touch(&doors, other, T(80)) == PASS ||
	    touch(&doors, other, T(81)) != PASS)
		tap_wrong("another door is open");
	tap_end("knock: doors that share steps open each by its own order only");
	doors_close(&doors);
}

/* Loads MAX_DOORS knocks, each with another first step. */
static void doors_load_all(struct doors *doors)
{
	char rules[MAX_DOORS * 100];
	size_t length = snprintf(rules, sizeof(rules), "default drop\n");

	for (int i = 0; i < MAX_DOORS; i++)
		length +=
			snprintf(rules + length, sizeof(rules) - length,
				 "knock d%d opens %d/tcp for 30s after %d/tcp 9000/udp %d/tcp "
				 "within 10s\n",
				 i, 20000 + i, 7000 + i, 8000 + i);
	doors_load(doors, rules);
}

/* A touch is a miss only for doors at which the source has begun an attempt. */
static void test_most_doors(void)
{
	static const int begun[] = { 16, 40, 63 };
	struct doors doors;
	__u64 misses[MAX_DOORS] = { [16] = 2, [40] = 1 };

	doors_load_all(&doors);
	for (size_t i = 0; i < ARRAY_SIZE(begun); i++)
		TOUCH(&doors, one, T(7000 + begun[i]));
	TOUCH(&doors, one, U(9000));
	for (int i = 0; i < MAX_DOORS; i++) {
		bool is_begun = i == 16 || i == 40 || i == 63;

		expect_count("attempts", doors.counts[i].attempts, is_begun);
		expect_count("misses", doors.counts[i].misses, misses[i]);
		expect_count("steps", doors.counts[i].steps, is_begun);
	}
	tap_end("knock: a source has several attempts at once among %d doors", MAX_DOORS);
	doors_close(&doors);
}

static void test_per_net(void)
{
	const struct source source = { 6, 9, 1 }, neighbour = { 6, 9, 2 }, far = { 6, 8, 1 };
	struct doors doors;

	doors_load(&doors, "default drop\nknock a opens 22/tcp for 30s after 7000/tcp "
			   "9000/udp 8000/tcp within 10s per /64");
	TOUCH(&doors, source, T(7000), U(9000), T(8000));
	expect_open(&doors, source, true);
	expect_open(&doors, neighbour, true);
	expect_open(&doors, far, false);
	tap_end("knock: \"per /64\" opens the door for the whole /64");
	doors_close(&doors);
	doors_load(&doors, DOOR);
	TOUCH(&doors, source, T(7000), U(9000), T(8000));
	expect_open(&doors, source, true);
	expect_open(&doors, neighbour, false);
	tap_end("knock: without \"per /64\" it opens for the address only");
	doors_close(&doors);
}

static void test_once(void)
{
	const struct layer first = TCP(22, .from = 1111), second = TCP(22, .from = 2222);
	struct doors doors;

	doors_load(&doors, "default drop\nknock a opens 22/tcp 80 for 30s once after 7000/tcp "
			   "9000/udp 8000/tcp within 10s");
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	if (send_frame(&doors, one, first) != PASS || send_frame(&doors, one, first) != PASS)
		tap_wrong("the connection was not let in");
	if (send_frame(&doors, one, second) == PASS)
		tap_wrong("another connection was let in");
	if (send_frame(&doors, one, (struct layer)TCP(80, .from = 1111)) == PASS ||
	    send_frame(&doors, one, (struct layer)UDP(80, .from = 1111)) == PASS)
		tap_wrong("a connection to another port was let in");
	tap_end("knock: \"once\" lets in one connection, and its SYN again");
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	if (send_frame(&doors, one, second) != PASS || send_frame(&doors, one, first) == PASS)
		tap_wrong("not the new connection, or the old");
	tap_end("knock: \"once\" after a second knock lets in another connection");
	doors_close(&doors);
}

/* Fails an attempt by three misses. */
static void fail_once(const struct doors *doors, struct source source)
{
	TOUCH(doors, source, T(7000), T(1), T(2), T(3));
}

static void test_lockout(void)
{
	struct doors doors;

	doors_load(&doors, DOOR);
	for (int i = 0; i < LOCKOUT_FAILURES - 1; i++)
		fail_once(&doors, one);
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	expect_open(&doors, one, true);
	tap_end("lockout: a source is not locked out before the fifth failure");
	for (int i = 0; i < LOCKOUT_FAILURES; i++)
		fail_once(&doors, other);
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	expect_open(&doors, other, false);
	expect_count("failures", doors.counts[0].failures, 2 * LOCKOUT_FAILURES - 1);
	if (!doors.counts[0].refusals)
		tap_wrong("no refusal was counted");
	TOUCH(&doors, other, T(7000), U(9000));
	expect_count("attempts", count_attempts(&doors), 0);
	age_lockouts(&doors, LOCKOUT_SECONDS + 1);
	TOUCH(&doors, other, T(8000));
	expect_open(&doors, other, false);
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	expect_open(&doors, other, true);
	tap_end("lockout: five failures lock a source out for a minute");
	for (int i = 0; i < 2 * LOCKOUT_FAILURES; i++)
		fail_once(&doors, other);
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	age_grants(&doors, 20);
	expect_open(&doors, other, true);
	age_grants(&doors, 11);
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	expect_open(&doors, other, true);
	tap_end("lockout: a source with a grant is never locked out");
	doors_close(&doors);
}

static void shuffle(__u16 *ports, unsigned int *seed)
{
	for (unsigned int i = 65535; i > 0; i--) {
		unsigned int at = rand_r(seed) % (i + 1);
		__u16 port = ports[i];

		ports[i] = ports[at];
		ports[at] = port;
	}
}

/* Touches all TCP ports in this order, then all UDP ports. Returns true if a door opened. */
static bool scan(const struct doors *doors, const __u16 *ports)
{
	for (int i = 0; i < 65536; i++)
		touch(doors, one, T(ports[i]));
	for (int i = 0; i < 65536; i++)
		touch(doors, one, U(ports[i]));
	return doors->counts[0].grants + doors->counts[1].grants + doors->counts[2].grants;
}

static void test_scans(void)
{
	static __u16 ports[65536];
	unsigned int seed = 1;
	struct doors doors;

	doors_load(&doors,
		   "default drop\nallow 25 443\n"
		   "knock a opens 22/tcp for 30s after 7000/tcp 8000/tcp 9000/tcp within 1h\n"
		   "knock b opens 80/tcp for 30s after 9001/tcp 8001/tcp 7001/tcp within 1h\n"
		   "knock c opens 81/tcp for 30s after 7002/tcp 8002/udp 9002/udp within 1h");
	for (int i = 0; i < 65536; i++)
		ports[i] = i;
	if (scan(&doors, ports))
		tap_wrong("ascending opened a door");
	for (int i = 0; i < 65536; i++)
		ports[i] = 65535 - i;
	if (scan(&doors, ports))
		tap_wrong("descending opened a door");
	tap_end("scan: neither upwards nor downwards opens a door");
	for (int i = 0; i < 50; i++) {
		/* Earlier failures must not be the reason why the door stays shut. */
		age_lockouts(&doors, LOCKOUT_SECONDS + 1);
		shuffle(ports, &seed);
		if (scan(&doors, ports))
			tap_wrong("scan %d opened a door", i);
	}
	tap_end("scan: 50 scans in random order open no door");
	doors_close(&doors);
}

/* A flood of first steps overwrites attempts, and nothing else. */
static void test_flood(void)
{
	struct doors doors;

	doors_load(&doors, DOOR);
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	flood_first_steps(&doors, 1000000);
	expect_open(&doors, one, true);
	TOUCH(&doors, other, T(7000), U(9000), T(8000));
	expect_open(&doors, other, true);
	expect_count("grants", doors.counts[0].grants, 2);
	tap_end("flood: after a million first steps a grant is left, and the door still opens");
	doors_close(&doors);
}

static void test_full_grants(void)
{
	struct grant_key key = { .family = 4, .door = 9 };
	struct grant grant = { .deadline = ~0ull };
	struct doors doors;
	int map;

	doors_load(&doors, DOOR);
	map = bpf_map__fd(doors.filter.program->maps.grants);
	for (__u32 i = 0; i < MAX_GRANTS; i++) {
		memcpy(key.address, &i, sizeof(i));
		if (bpf_map_update_elem(map, &key, &grant, BPF_NOEXIST))
			tap_bail("cannot fill the grants");
	}
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	expect_open(&doors, one, false);
	expect_count("refusals", doors.counts[0].refusals, 1);
	tap_end("grants: a full table refuses new grants and counts the refusals");
	grant.deadline = 1;
	bpf_map_update_elem(map, &key, &grant, BPF_EXIST);
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	expect_open(&doors, one, true);
	tap_end("grants: expired grants make room");
	doors_close(&doors);
}

/* Under another default, the steps drop silently all the same, and the door is shut. */
static void test_defaults(const char *fallback, __u32 elsewhere)
{
	char rules[256];
	struct doors doors;

	snprintf(rules, sizeof(rules),
		 "default %s\nknock a opens 22/tcp for 30s after 7000/tcp 9000/udp 8000/tcp "
		 "within 10s",
		 fallback);
	doors_load(&doors, rules);
	if (touch(&doors, one, T(23)) != elsewhere)
		tap_wrong("port 23 does not get the default verdict");
	if (touch(&doors, one, T(22)) != DROP)
		tap_wrong("the shut door does not drop");
	TOUCH(&doors, one, T(7000), U(9000), T(8000));
	expect_open(&doors, one, true);
	tap_end("knock: under default %s, door and steps drop, and the knock opens", fallback);
	doors_close(&doors);
}

/* Two CPUs send the touches of one source at the same time, round after round. */
static struct doors *raced;
static pthread_barrier_t barrier;
#define RACES 5000
static unsigned int races;

static void *race(void *data)
{
	static const __u32 keys[] = { T(7000), U(9000), T(8000), T(500), U(400) };

	if (!pin_to_cpu((long)data))
		return NULL;
	for (unsigned int i = 0; i < races; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++) {
			pthread_barrier_wait(&barrier);
			touch(raced, one, keys[k]);
		}
	}
	return NULL;
}

static void test_race(void)
{
	struct doors doors;
	pthread_t threads[2];

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		tap_end("knock: two CPUs at once # SKIP there is only one CPU");
		return;
	}
	races = repeats(RACES);
	doors_load(&doors, DOOR);
	raced = &doors;
	pthread_barrier_init(&barrier, NULL, 2);
	for (long i = 0; i < 2; i++)
		pthread_create(&threads[i], NULL, race, (void *)i);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	expect_count("attempts", doors.counts[0].attempts, 2 * races);
	expect_count("steps", doors.counts[0].steps, races);
	expect_count("grants", doors.counts[0].grants, races);
	expect_count("closed", doors.counts[0].closed, races);
	expect_count("misses", doors.counts[0].misses, 0);
	tap_end("knock: touches from two CPUs at once take each step once");
	doors_close(&doors);
}

int main(void)
{
	pin_to_first_cpu();
	sandbox_enter();
	test_open_and_close(one, "IPv4");
	test_open_and_close((struct source){ 6, 1, 1 }, "IPv6");
	test_touches();
	test_time_limit();
	test_other_segments();
	test_dropped_source();
	test_shared_steps();
	test_most_doors();
	test_per_net();
	test_once();
	test_lockout();
	test_defaults("allow", PASS);
	test_defaults("reject", VERDICT_REJECT);
	test_full_grants();
	test_flood();
	test_scans();
	test_race();
	return tap_done();
}
