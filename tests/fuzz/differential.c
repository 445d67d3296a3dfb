// SPDX-License-Identifier: GPL-2.0-only
/*
 * The whole data path against what the RFCs and the rules say of a packet: random
 * rulesets, and for each random frames, through BPF_PROG_TEST_RUN. Compared are the
 * verdict, the line, the port counter, and the frame that comes out: as it went in, or
 * the answer of `reject`. With limits, a door and its guests, and replies to what has
 * gone out through the other program. Nobody opens a door here, and no time passes.
 *
 * differential [FIRST_SEED [RULESETS]]; RULESETS as in "30s": as many as end in that time.
 */
#include <time.h>

#include "answer.h"
#include "world.h"

#define RULESETS 20
#define FRAMES 4000
#define ATTEMPTS 3

struct test {
	struct filter filter;
	struct world world;
	struct flow_set *flows;
	unsigned int compiled; /* rulesets */
	bool doubtful; /* two sources may have one bucket */
};

/* The door stands first, as of equally specific rules it is asked first. */
static void add_door(struct world *world)
{
	struct report report = { .out = stdout, .file = "# door" };
	struct ruleset behind = world->ruleset;

	ruleset_init(&world->ruleset);
	if (ruleset_parse(&world->ruleset, DOOR, &report))
		tap_bail("no door");
	world->ruleset.fallback = behind.fallback;
	memcpy(world->ruleset.options, behind.options, sizeof(behind.options));
	for (size_t i = 0; i < behind.count; i++) {
		if (ruleset_add(&world->ruleset, &behind.rules[i]))
			tap_bail("no rules");
	}
	free(behind.rules);
	world->door = world->ruleset.rules;
	strcpy(world->door->iface, IFACE);
	world->door->seconds = 1; /* see come_of() */
}

static void make_rules(struct random *random, struct world *world)
{
	struct ruleset none, *ruleset = &world->ruleset;

	random_sourced_ruleset(random, 1 + random_below(random, 24), ruleset);
	rules_leave_out(ruleset, slow_disagree);
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		/* Either long over, or not for long; and no limit fills again. */
		if (rule->seconds)
			rule->ends = random_once_in(random, 2) ? 1 : ~0ull;
		if (rule->limit.count)
			rule->limit = (struct limit){ 1, 'h', random_below(random, 5),
						      rule->limit.per_source };
		rule->line = rule->limited_line = 0;
	}
	if (random_once_in(random, 2))
		add_door(world);
	ruleset_init(&none);
	if (assign_lines(ruleset, &none))
		tap_bail("no lines");
}

static void random_talk(struct random *random, struct conversation *talk)
{
	static const __u8 protocols[] = { 6, 6, 17, 17, 17, 1, 1, 47 };
	static const __u16 ids[] = { 0, 7, 40000 };
	unsigned int which;

	talk->remote = random_address(random, &which);
	talk->protocol = protocols[random_below(random, ARRAY_SIZE(protocols))];
	if (talk->protocol == 1)
		talk->protocol = talk->remote.family == 4 ? 1 : 58;
	talk->remote_port = talk->protocol == 6 || talk->protocol == 17
				    ? random_port(random)
				    : ids[random_below(random, ARRAY_SIZE(ids))];
	talk->local_port = random_port(random);
	talk->fragment = random_once_in(random, 4);
	talk->unseen = (talk->fragment || talk->protocol == 6) && random_once_in(random, 2);
}

static void put_question(const struct conversation *talk, __u8 *at)
{
	bool ipv4 = talk->remote.family == 4;

	if (talk->protocol == 6 || talk->protocol == 17) {
		set_two(at, talk->local_port);
		set_two(at + 2, talk->remote_port);
		set_two(at + 4, 40);
		at[12] = 5 << 4;
		at[13] = talk->unseen && !talk->fragment ? 0x04 : 0x02; /* RST, SYN */
	} else if (talk->protocol != 47) {
		at[0] = ipv4 ? 8 : 128;
		set_two(at + 4, talk->remote_port);
	}
}

/* The packet that began it, on its way out. */
static void build_talk(const struct conversation *talk, struct random_frame *frame)
{
	bool ipv4 = talk->remote.family == 4;
	unsigned int offset = talk->unseen ? 5 : 0;
	__u8 *ip, *part;

	memset(frame, 0, sizeof(*frame));
	memcpy(add_bytes(frame, 14), "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
	set_two(frame->bytes + 12, ipv4 ? 0x0800 : 0x86dd);
	ip = add_bytes(frame, ipv4 ? 20 : 40);
	ip[0] = ipv4 ? 0x45 : 0x60;
	ip[ipv4 ? 9 : 6] = talk->protocol;
	memcpy(ip + (ipv4 ? 12 : 8), ipv4 ? LOCAL4 : LOCAL6, ipv4 ? 4 : 16);
	memcpy(ip + (ipv4 ? 16 : 24), talk->remote.address, ipv4 ? 4 : 16);
	if (talk->fragment && ipv4)
		set_two(ip + 6, 0x2000 | offset);
	if (talk->fragment && !ipv4) {
		part = add_bytes(frame, 8);
		part[0] = talk->protocol;
		set_two(part + 2, offset << 3 | 1);
		ip[6] = 44;
	}
	put_question(talk, add_bytes(frame, 40));
	set_two(ip + (ipv4 ? 2 : 4), frame->size - 14 - (ipv4 ? 0 : 40));
}

static void begin_talks(struct test *test, struct random *random)
{
	int program = bpf_program__fd(test->filter.program->progs.egress);

	for (size_t i = 0; i < TALKS; i++) {
		struct random_frame frame;
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .repeat = 1);

		random_talk(random, &test->world.talks[i]);
		build_talk(&test->world.talks[i], &frame);
		opts.data_size_in = frame.size;
		if (bpf_prog_test_run_opts(program, &opts))
			tap_bail("a frame could not be sent: %s", strerror(errno));
	}
}

/* Gives some a grant that lasts; others have one that is over, or none. */
static void let_in(struct test *test, struct random *random)
{
	int grants = bpf_map__fd(test->filter.program->maps.grants);

	for (size_t i = 0; i < ADDRESSES; i++) {
		struct prefix address = known_address(i);
		struct grant_key key = { .family = address.family, .door = 1 };
		struct grant grant = { .deadline = 1 };

		memcpy(key.address, address.address, sizeof(key.address));
		test->world.guests[i] = random_once_in(random, 2);
		if (test->world.guests[i])
			grant.deadline = ~0ull;
		bpf_map_delete_elem(grants, &key);
		if ((test->world.guests[i] || random_once_in(random, 2)) &&
		    bpf_map_update_elem(grants, &key, &grant, BPF_ANY))
			tap_bail("cannot let anybody in: %s", strerror(errno));
	}
}

/* The next packet is due at that time: at 0, the bucket is empty. */
static void set_bucket(const struct filter *filter, __u32 line, __u64 due)
{
	if (bpf_map_update_elem(bpf_map__fd(filter->program->maps.buckets), &line, &due,
				BPF_ANY))
		tap_bail("cannot set a bucket: %s", strerror(errno));
}

/* With another secret, those who had one bucket have two. */
static void forget(struct test *test, struct random *random)
{
	static __u64 due[SOURCE_BUCKETS];
	static __u32 keys[SOURCE_BUCKETS];
	struct filter *filter = &test->filter;
	volatile struct control *control = &filter->program->data_control->control;
	__u32 count = SOURCE_BUCKETS;

	for (__u32 i = 0; i < SOURCE_BUCKETS; i++)
		keys[i] = i;
	if (bpf_map_update_batch(bpf_map__fd(filter->program->maps.source_buckets), keys, due,
				 &count, NULL))
		tap_bail("cannot empty the buckets: %s", strerror(errno));
	for (size_t i = 0; i < test->world.ruleset.count; i++)
		set_bucket(filter, test->world.ruleset.rules[i].line, 0);
	test->world.echo_over = random_once_in(random, 4);
	set_bucket(filter, LINE_ECHO, test->world.echo_over ? ~0ull : 0);
	memset(test->flows, 0, FLOW_SETS * sizeof(*test->flows));
	for (size_t i = 0; i < ARRAY_SIZE(control->secret); i++)
		control->secret[i] = random_next(random);
	test->world.counted_count = 0;
	filter_zero(filter);
}

static __u32 run(const struct filter *filter, const struct random_frame *frame,
		 struct random_frame *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->bytes,
		    .data_size_in = frame->size, .data_out = out->bytes,
		    .data_size_out = sizeof(out->bytes), .repeat = 1);

	if (bpf_prog_test_run_opts(bpf_program__fd(filter->program->progs.portctl), &opts))
		tap_bail("the frame cannot be run: %s", strerror(errno));
	out->size = opts.data_size_out;
	return opts.retval;
}

static void print_frame(const char *what, const struct random_frame *frame)
{
	tap_wrong("%s:", what);
	for (size_t at = 0; at < frame->size; at += 16)
		tap_wrong_bytes(frame->bytes + at, frame->size - at);
}

/* Adds to what the counters were; only these two may have grown. */
static void check_charged(struct filter *filter, const struct outcome *outcome, __u32 key,
			  size_t bytes)
{
	struct cpu_counters *before = &filter->before.cpu_counters[cpu];
	struct cpu_counters *now = &filter->now.cpu_counters[cpu];
	bool pass = outcome->verdict == VERDICT_PASS, right;
	count_t *line = &before->line[outcome->line], *port = NULL;
	count_t one = COUNT_PACKET + bytes;
	struct changes changes;

	*line += one;
	right = *line == now->line[outcome->line];
	if (key < PORT_KEYS) {
		port = pass ? &before->pass[key] : &before->drop[key];
		*port += one;
		right &= *port == (pass ? now->pass[key] : now->drop[key]);
	}
	if (right)
		return;
	tap_wrong("key %u: charged should be line %u, %s", key, outcome->line,
		  !port	 ? "no port"
		  : pass ? "pass of the port"
			 : "drop of the port");
	*line -= one;
	if (port)
		*port -= one;
	filter_changes(filter, &changes);
	tap_wrong("%u lines were, the first %u, with %llu packets, %llu bytes; %u ports: pass "
		  "%u, drop %u",
		  changes.line_count, changes.line.index, changes.line.grew.packets,
		  changes.line.grew.bytes, changes.port_count, changes.pass.index,
		  changes.drop.index);
}

/* Whether a limit per source let less through than it should. */
static bool is_over_early(const struct filter *filter, const struct outcome *outcome)
{
	const struct rule *rule = outcome->per_source;

	return rule && filter->before.cpu_counters[cpu].line[rule->limited_line] !=
			       filter->now.cpu_counters[cpu].line[rule->limited_line];
}

static void check_out(const struct random_frame *frame, const struct reading *reading,
		      enum verdict verdict, __u32 got, const struct random_frame *out)
{
	struct question question = {
		.ip = frame->bytes + reading->network,
		.transport = frame->bytes + reading->transport,
		.link = reading->network,
		.protocol = reading->protocol,
		.ipv4 = reading->source.family == 4,
	};
	struct random_frame wanted = *frame;

	/* A packet that must not be answered is dropped, and charged as rejected. */
	if (verdict == VERDICT_REJECT && may_be_answered(frame, reading)) {
		memset(&wanted, 0, sizeof(wanted));
		wanted.size = make_answer(frame->bytes, &question, wanted.bytes);
	} else if (verdict == VERDICT_REJECT) {
		verdict = VERDICT_DROP;
	}
	if (got != verdict)
		tap_wrong("key %u: verdict %u, not %u", reading->key, got, verdict);
	if (out->size == wanted.size && !memcmp(out->bytes, wanted.bytes, out->size))
		return;
	print_frame("came out", out);
	print_frame("should have come out", &wanted);
}

static void check(struct test *test, struct random *random)
{
	const struct conversation *with =
		random_once_in(random, 4) ? &test->world.talks[random_below(random, TALKS)]
					  : NULL;
	unsigned int which;
	struct prefix source = with ? with->remote : random_address(random, &which);
	struct random_frame frame, out;
	struct reading reading;
	struct outcome outcome;
	__u32 got;

	random_frame(random, &source, with, &frame);
	reading = read_frame(frame.bytes, frame.size);
	if (reading.key == LAST_STEP)
		return;
	outcome = come_of(&test->world, &reading);
	if (outcome.verdict == VERDICT_REJECT)
		set_bucket(&test->filter, LINE_DEFAULT_REJECT, 0); /* of the answers */
	got = run(&test->filter, &frame, &out);
	if (is_over_early(&test->filter, &outcome)) {
		test->doubtful = true;
		return;
	}
	check_charged(&test->filter, &outcome, reading.key, frame.size);
	check_out(&frame, &reading, outcome.verdict, got, &out);
	if (tap.out)
		print_frame("the frame", &frame);
}

static void check_frames(struct test *test, struct random *random)
{
	struct changes changes;

	forget(test, random);
	begin_talks(test, random);
	test->doubtful = false;
	for (int i = 0; i < FRAMES && !tap.out && !test->doubtful; i++)
		check(test, random);
	if (tap.out || test->doubtful)
		return;
	filter_changes(&test->filter, &changes);
	if (changes.line_count || changes.port_count || changes.stray)
		tap_wrong("something else was charged: line %u, ports: pass %u, drop %u",
			  changes.line.index, changes.pass.index, changes.drop.index);
}

static void check_ruleset(struct test *test, __u64 seed)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	struct random random = { seed };
	struct world *world = &test->world;
	int attempt = 0;

	world->door = NULL;
	make_rules(&random, world);
	if (compile(&world->ruleset, IFACE, image, NULL)) {
		tap_end("seed %llu: more rules behind one another than a packet may ask", seed);
	} else {
		test->compiled++;
		filter_image(&test->filter, 0, image);
		let_in(test, &random);
		do
			check_frames(test, &random);
		while (test->doubtful && ++attempt < ATTEMPTS);
		if (attempt == ATTEMPTS)
			tap_wrong("a limit per source is over too early");
		if (tap.out)
			ruleset_print(&world->ruleset, tap.out);
		tap_end("seed %llu: %d frames through %zu rules%s", seed, FRAMES,
			world->ruleset.count, world->door ? " and a door" : "");
	}
	image_clear(image);
	ruleset_clear(&world->ruleset);
}

/* How many rulesets are wanted, or for how long, in seconds. */
static bool is_enough(const char *wanted, unsigned int rulesets, time_t begun)
{
	char *unit;
	long long number = wanted ? strtoll(wanted, &unit, 0) : RULESETS;

	return wanted && *unit == 's' ? time(NULL) - begun >= number : rulesets >= number;
}

int main(int argc, char **argv)
{
	__u64 seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	time_t begun = time(NULL);
	static struct test test;

	if (unshare(CLONE_NEWNET)) /* no connection of this host shall be asked for */
		tap_bail("a network namespace: %s", strerror(errno));
	pin_to_first_cpu();
	filter_load(&test.filter, cpu + 1);
	test.flows =
		map_memory(test.filter.program->maps.flows, FLOW_SETS * sizeof(*test.flows));
	filter_generation(&test.filter, 0);
	for (unsigned int i = 0; !i || !is_enough(argc > 2 ? argv[2] : NULL, i, begun); i++)
		check_ruleset(&test, seed + i);
	if (!test.compiled)
		tap_bail("no ruleset could be tried");
	munmap(test.flows, FLOW_SETS * sizeof(*test.flows));
	filter_close(&test.filter);
	return tap_done();
}
