// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compares the data path with the expected outcome by the RFCs and the rules: random rulesets,
 * and for each of them random frames through BPF_PROG_TEST_RUN. Compared are the verdict, the
 * line, the port counter, and the frame returned: unchanged, or the answer of `reject`.
 * Rulesets have limits, and often a knock that some sources have opened; the egress program has
 * seen packets to which some frames are replies. No source opens the knock here, and no time
 * passes.
 *
 * differential [FIRST_SEED [RULESETS]]; RULESETS is a number, or a time as in "30s".
 */
#include <time.h>

#include "portctl/flow.h"
#include "answer.h"
#include "world.h"
#include "compile/compile.h"
#include "compile/image.h"
#include "compile/lines.h"
#include "rules/ruleset_parse.h"

#define RULESETS 20
#define FRAMES 4000
#define ATTEMPTS 3

struct test {
	struct filter filter;
	struct world world;
	struct flow_set *flows;
	unsigned int compiled; /* number of rulesets */
	bool doubtful; /* two sources may share one bucket */
};

/* Puts the knock first, because it is the first of equally specific rules. */
static void add_knock(struct world *world)
{
	struct report report = { .out = stdout, .file = "# knock" };
	struct ruleset others = world->ruleset;

	ruleset_init(&world->ruleset);
	if (ruleset_parse(&world->ruleset, KNOCK, &report))
		tap_bail("cannot parse the knock");
	world->ruleset.fallback = others.fallback;
	memcpy(world->ruleset.options, others.options, sizeof(others.options));
	for (size_t i = 0; i < others.count; i++) {
		if (ruleset_add(&world->ruleset, &others.rules[i]))
			tap_bail("cannot add the rules");
	}
	free(others.rules);
	world->knock = world->ruleset.rules;
	strcpy(world->knock->iface, IFACE);
	world->knock->seconds = 1; /* a rule with a time, see rule_for() */
}

static void make_rules(struct random *random, struct world *world)
{
	struct ruleset none, *ruleset = &world->ruleset;

	random_sourced_ruleset(random, 1 + random_below(random, 24), ruleset);
	rules_leave_out(ruleset, slow_disagree);
	for (size_t i = 0; i < ruleset->count; i++) {
		struct rule *rule = &ruleset->rules[i];

		/* A rule has expired or never does; no bucket refills in this time. */
		if (rule->seconds)
			rule->ends = random_once_in(random, 2) ? 1 : ~0ull;
		if (rule->limit.count)
			rule->limit = (struct limit){ 1, 'h', random_below(random, 5),
						      rule->limit.per_source };
		rule->line = rule->limited_line = 0;
	}
	if (random_once_in(random, 2))
		add_knock(world);
	ruleset_init(&none);
	if (assign_lines(ruleset, &none))
		tap_bail("cannot assign lines");
}

static void random_conversation(struct random *random, struct conversation *conversation)
{
	static const __u8 protocols[] = { 6, 6, 17, 17, 17, 1, 1, 47 };
	static const __u16 ids[] = { 0, 7, 40000 };
	unsigned int which;

	conversation->remote = random_address(random, &which);
	conversation->protocol = protocols[random_below(random, ARRAY_SIZE(protocols))];
	if (conversation->protocol == 1)
		conversation->protocol = conversation->remote.family == 4 ? 1 : 58;
	conversation->remote_port = conversation->protocol == 6 || conversation->protocol == 17
					    ? random_port(random)
					    : ids[random_below(random, ARRAY_SIZE(ids))];
	conversation->local_port = random_port(random);
	conversation->fragment = random_once_in(random, 4);
	conversation->unseen = (conversation->fragment || conversation->protocol == 6) &&
			       random_once_in(random, 2);
}

static void put_opening(const struct conversation *conversation, __u8 *at)
{
	bool ipv4 = conversation->remote.family == 4;

	if (conversation->protocol == 6 || conversation->protocol == 17) {
		set_two(at, conversation->local_port);
		set_two(at + 2, conversation->remote_port);
		set_two(at + 4, 40);
		at[12] = 5 << 4;
		at[13] = conversation->unseen && !conversation->fragment ? 0x04
									 : 0x02; /* RST, SYN */
	} else if (conversation->protocol != 47) {
		at[0] = ipv4 ? 8 : 128;
		set_two(at + 4, conversation->remote_port);
	}
}

/* Builds the outgoing packet that begins a conversation. */
static void build_opening(const struct conversation *conversation, struct random_frame *frame)
{
	bool ipv4 = conversation->remote.family == 4;
	unsigned int offset = conversation->unseen ? 5 : 0;
	__u8 *ip, *part;

	memset(frame, 0, sizeof(*frame));
	memcpy(add_bytes(frame, 14), "\2\0\0\0\0\2\2\0\0\0\0\1", 12);
	set_two(frame->bytes + 12, ipv4 ? 0x0800 : 0x86dd);
	ip = add_bytes(frame, ipv4 ? 20 : 40);
	ip[0] = ipv4 ? 0x45 : 0x60;
	ip[ipv4 ? 9 : 6] = conversation->protocol;
	memcpy(ip + (ipv4 ? 12 : 8), ipv4 ? LOCAL4 : LOCAL6, ipv4 ? 4 : 16);
	memcpy(ip + (ipv4 ? 16 : 24), conversation->remote.address, ipv4 ? 4 : 16);
	if (conversation->fragment && ipv4)
		set_two(ip + 6, 0x2000 | offset);
	if (conversation->fragment && !ipv4) {
		part = add_bytes(frame, 8);
		part[0] = conversation->protocol;
		set_two(part + 2, offset << 3 | 1);
		ip[6] = 44;
	}
	put_opening(conversation, add_bytes(frame, 40));
	set_two(ip + (ipv4 ? 2 : 4), frame->size - 14 - (ipv4 ? 0 : 40));
}

static void send_openings(struct test *test, struct random *random)
{
	int program = bpf_program__fd(test->filter.program->progs.egress);

	for (size_t i = 0; i < CONVERSATIONS; i++) {
		struct random_frame frame;
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.bytes, .repeat = 1);

		random_conversation(random, &test->world.conversations[i]);
		build_opening(&test->world.conversations[i], &frame);
		opts.data_size_in = frame.size;
		if (bpf_prog_test_run_opts(program, &opts))
			tap_bail("cannot run the egress program: %s", strerror(errno));
	}
}

/* Gives some addresses a grant that lasts, others an expired one or none. */
static void set_grants(struct test *test, struct random *random)
{
	int grants = bpf_map__fd(test->filter.program->maps.grants);

	for (size_t i = 0; i < ADDRESSES; i++) {
		struct prefix address = known_address(i);
		struct grant_key key = { .family = address.family, .door = 1 };
		struct grant grant = { .deadline = 1 };

		memcpy(key.address, address.address, sizeof(key.address));
		test->world.granted[i] = random_once_in(random, 2);
		if (test->world.granted[i])
			grant.deadline = ~0ull;
		bpf_map_delete_elem(grants, &key);
		if ((test->world.granted[i] || random_once_in(random, 2)) &&
		    bpf_map_update_elem(grants, &key, &grant, BPF_ANY))
			tap_bail("cannot add a grant: %s", strerror(errno));
	}
}

/* Sets when the next packet is due: at 0 no packet has been counted. */
static void set_bucket(const struct filter *filter, __u32 line, __u64 due)
{
	if (bpf_map_update_elem(bpf_map__fd(filter->program->maps.buckets), &line, &due,
				BPF_ANY))
		tap_bail("cannot set a bucket: %s", strerror(errno));
}

/* Clears limits, flows and counters; with a new secret, sources share other buckets. */
static void reset_state(struct test *test, struct random *random)
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
		tap_bail("cannot clear the buckets: %s", strerror(errno));
	for (size_t i = 0; i < test->world.ruleset.count; i++)
		set_bucket(filter, test->world.ruleset.rules[i].line, 0);
	test->world.echo_limited = random_once_in(random, 4);
	set_bucket(filter, LINE_ECHO, test->world.echo_limited ? ~0ull : 0);
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
		tap_bail("cannot run the program: %s", strerror(errno));
	out->size = opts.data_size_out;
	return opts.retval;
}

static void print_frame(const char *what, const struct random_frame *frame)
{
	tap_wrong("%s:", what);
	for (size_t at = 0; at < frame->size; at += 16)
		tap_wrong_bytes(frame->bytes + at, frame->size - at);
}

/* Checks that only one line and one port counted the packet; adds it to `before`. */
static void check_counters(struct filter *filter, const struct outcome *outcome, __u32 key,
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
	tap_wrong("key %u: expected a count at line %u, %s", key, outcome->line,
		  !port	 ? "no port"
		  : pass ? "pass of the port"
			 : "drop of the port");
	*line -= one;
	if (port)
		*port -= one;
	filter_changes(filter, &changes);
	tap_wrong("%u lines have counted, the first %u, with %llu packets, %llu bytes; %u "
		  "ports: pass %u, drop %u",
		  changes.line_count, changes.line.index, changes.line.grew.packets,
		  changes.line.grew.bytes, changes.port_count, changes.pass.index,
		  changes.drop.index);
}

/* Whether a limit per source has dropped a packet that should pass. */
static bool is_limited_early(const struct filter *filter, const struct outcome *outcome)
{
	const struct rule *rule = outcome->per_source;

	return rule && filter->before.cpu_counters[cpu].line[rule->limited_line] !=
			       filter->now.cpu_counters[cpu].line[rule->limited_line];
}

static void check_output(const struct random_frame *frame, const struct reading *reading,
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

	/* A packet that must not be answered is dropped, but counted as rejected. */
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
	print_frame("got", out);
	print_frame("expected", &wanted);
}

static void check(struct test *test, struct random *random)
{
	const struct conversation *with =
		random_once_in(random, 4)
			? &test->world.conversations[random_below(random, CONVERSATIONS)]
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
	outcome = expect_outcome(&test->world, &reading);
	if (outcome.verdict == VERDICT_REJECT)
		set_bucket(&test->filter, LINE_DEFAULT_REJECT, 0); /* the limit of answers */
	got = run(&test->filter, &frame, &out);
	if (is_limited_early(&test->filter, &outcome)) {
		test->doubtful = true;
		return;
	}
	check_counters(&test->filter, &outcome, reading.key, frame.size);
	check_output(&frame, &reading, outcome.verdict, got, &out);
	if (tap.out)
		print_frame("the frame", &frame);
}

static void check_frames(struct test *test, struct random *random)
{
	struct changes changes;

	reset_state(test, random);
	send_openings(test, random);
	test->doubtful = false;
	for (int i = 0; i < FRAMES && !tap.out && !test->doubtful; i++)
		check(test, random);
	if (tap.out || test->doubtful)
		return;
	filter_changes(&test->filter, &changes);
	if (changes.line_count || changes.port_count || changes.stray)
		tap_wrong("something else was counted: line %u, ports: pass %u, drop %u",
			  changes.line.index, changes.pass.index, changes.drop.index);
}

static void check_ruleset(struct test *test, __u64 seed)
{
	cleanup_free struct image *image = calloc(1, sizeof(*image));
	struct random random = { seed };
	struct world *world = &test->world;
	int attempt = 0;

	world->knock = NULL;
	make_rules(&random, world);
	if (compile(&world->ruleset, IFACE, image, NULL)) {
		tap_end("seed %llu: skipped, a chain of rules is too long", seed);
	} else {
		test->compiled++;
		filter_image(&test->filter, 0, image);
		set_grants(test, &random);
		do
			check_frames(test, &random);
		while (test->doubtful && ++attempt < ATTEMPTS);
		if (attempt == ATTEMPTS)
			tap_wrong("a limit per source drops too early");
		if (tap.out)
			ruleset_print(&world->ruleset, tap.out);
		tap_end("seed %llu: %d frames through %zu rules%s", seed, FRAMES,
			world->ruleset.count, world->knock ? ", one of them a knock" : "");
	}
	image_clear(image);
	ruleset_clear(&world->ruleset);
}

/* `wanted`: number of rulesets, seconds as in "30s", or NULL for the default number. */
static bool is_finished(const char *wanted, unsigned int rulesets, time_t begun)
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

	if (unshare(CLONE_NEWNET)) /* without sockets that could receive a frame */
		tap_bail("cannot enter a network namespace: %s", strerror(errno));
	pin_to_first_cpu();
	filter_load(&test.filter, cpu + 1);
	test.flows =
		map_memory(test.filter.program->maps.flows, FLOW_SETS * sizeof(*test.flows));
	filter_generation(&test.filter, 0);
	for (unsigned int i = 0; !i || !is_finished(argc > 2 ? argv[2] : NULL, i, begun); i++)
		check_ruleset(&test, seed + i);
	if (!test.compiled)
		tap_bail("no ruleset could be compiled");
	munmap(test.flows, FLOW_SETS * sizeof(*test.flows));
	filter_close(&test.filter);
	return tap_done();
}
