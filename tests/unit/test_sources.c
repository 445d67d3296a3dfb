// SPDX-License-Identifier: GPL-2.0-only
/*
 * compile() and ruleset_check() against the reference evaluator, on random rulesets with
 * sources, expiry times and limits.
 */
#include "unit.h"

#include <errno.h>

#include "compile/evaluate.h"
#include "compile/check.h"
#include "compile/compile.h"
#include "compile/image.h"
#include "random_sources.h"
#include "slow_sources.h"

#define RULESETS 2000
#define SOURCES_MAX 512

/* A random compiled ruleset, and the source addresses at which the verdict can change. */
struct world {
	__u64 seed;
	struct ruleset ruleset;
	struct image *image;
	const char *iface;
	struct prefix sources[SOURCES_MAX];
	size_t source_count;
	unsigned char used[64];
	bool decides[64]; /* rules that decide, says the reference evaluator */
};

static void add_probe(struct world *world, struct prefix source)
{
	source.length = source.family == 4 ? 32 : 128;
	if (world->source_count < SOURCES_MAX)
		world->sources[world->source_count++] = source;
}

/* Returns the next or the previous address, which may wrap around. */
static struct prefix step(struct prefix source, bool up)
{
	int last = source.family == 4 ? 3 : 15;

	while (last >= 0) {
		source.address[last] += up ? 1 : -1;
		if (source.address[last--] != (up ? 0 : 0xFF))
			break;
	}
	return source;
}

/* Adds the first and the last address of a prefix, and their neighbours outside. */
static void add_edges(struct world *world, const struct prefix *prefix)
{
	struct prefix first = *prefix, last = *prefix;

	set_host_bits(&last, prefix->length, true);
	add_probe(world, first);
	add_probe(world, last);
	add_probe(world, step(first, false));
	add_probe(world, step(last, true));
}

static void add_probes(struct world *world, struct random *random)
{
	for (size_t i = 0; i < world->ruleset.count; i++) {
		const struct rule *rule = &world->ruleset.rules[i];

		for (size_t s = 0; s < rule->source_count; s++)
			add_edges(world, &rule->sources[s]);
	}
	for (int i = 0; i < 12; i++) {
		unsigned int which;
		struct prefix source = random_address(random, &which);
		int bits = source.family == 4 ? 32 : 128;

		if (i % 2)
			source.address[random_below(random, bits / 8)] = random_next(random);
		add_probe(world, source);
	}
}

static void fail_probe(const struct world *world, const struct probe *probe,
		       const struct rule *rule, enum verdict got)
{
	cleanup_free char *text = printed(&world->ruleset), *decides = NULL;
	FILE *out = tmpfile();
	char source[128] = "";

	prefix_print(&probe->source, out);
	rewind(out);
	if (!fgets(source, sizeof(source), out))
		*source = 0;
	fclose(out);
	decides = rule ? rule_text(rule, false) : strdup("no rule");
	print_message("%s\n", text);
	for (size_t i = 0; i < world->ruleset.count; i++) {
		if (is_over(&world->ruleset.rules[i], probe->now))
			print_message("rule %zu is over\n", i + 1);
	}
	fail_msg("seed %llu, %s, key %u from %s: \"%s\" decides, but the verdict is %s",
		 world->seed, probe->iface, probe->key, source, decides, verdict_name(got));
}

static void check_probe(struct world *world, const struct probe *probe)
{
	const struct rule *rule;
	enum verdict wanted = slow_evaluate(&world->ruleset, *probe, &rule);
	enum verdict got = entry_verdict(
		evaluate_entry(world->image, probe->key, &probe->source, probe->now, 0));

	if (got != wanted)
		fail_probe(world, probe, rule, got);
	if (rule)
		world->decides[rule - world->ruleset.rules] = true;
}

static void check_world(struct world *world)
{
	static const __u32 others[] = {
		KEY_PROTOCOL + 1,
		KEY_PROTOCOL + 47,
		KEY_PROTOCOL + 58,
		KEY_PROTOCOL,
		KEY_NOT_IP,
		KEY_MALFORMED,
		KEY_FRAGMENT,
		KEY_ERROR,
		KEY_ERROR6,
		KEY_ECHO,
		KEY_ECHO6,
		KEY_NEIGHBOUR,
		22,
		PORT_KEY_UDP + 546,
	};

	for (size_t s = 0; s < world->source_count; s++) {
		struct probe probe = { world->iface, 0, world->sources[s], NOW };

		for (__u32 port = FIRST_PORT - 1; port < FIRST_PORT + PORTS + 6; port++) {
			probe.key = PORT_KEY_TCP + port;
			check_probe(world, &probe);
			probe.key = PORT_KEY_UDP + port;
			check_probe(world, &probe);
		}
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			probe.key = others[i];
			check_probe(world, &probe);
		}
	}
}

/* Makes and compiles a random ruleset. Returns false if too many of its rules overlap. */
static bool world_make(struct world *world, __u64 seed)
{
	static const char *const ifaces[] = { "eth0", "eth1", "unnamed" };
	struct random random = { seed };
	int err;

	*world = (struct world){ .seed = seed, .image = calloc(1, sizeof(*world->image)) };
	assert_non_null(world->image);
	random_sourced_ruleset(&random, 1 + random_below(&random, 24), &world->ruleset);
	rules_leave_out(&world->ruleset, slow_disagree);
	world->iface = ifaces[random_below(&random, ARRAY_SIZE(ifaces))];
	add_probes(world, &random);
	err = compile(&world->ruleset, world->iface, world->image, world->used);
	assert_true(err == 0 || err == -E2BIG);
	return !err;
}

static void world_clear(struct world *world)
{
	image_clear(world->image);
	free(world->image);
	ruleset_clear(&world->ruleset);
}

static void test_random_rulesets(void **state)
{
	cleanup_free struct world *world = malloc(sizeof(*world));
	int refused = 0;

	(void)state;
	for (__u64 seed = 1; seed <= RULESETS; seed++) {
		if (!world_make(world, seed)) {
			refused++;
		} else {
			check_world(world);
			/* A rule that decides must not be reported as unused. */
			for (size_t i = 0; i < world->ruleset.count; i++) {
				if (world->decides[i] && !world->used[i])
					fail_msg("seed %llu: rule %zu decides, but is said "
						 "to be unused",
						 seed, i + 1);
			}
		}
		world_clear(world);
	}
	assert_in_range(refused, 0, RULESETS / 20);
}

/* The order of the rules does not matter. */
static void test_order_of_rules_does_not_matter(void **state)
{
	cleanup_free struct world *world = malloc(sizeof(*world));

	(void)state;
	for (__u64 seed = 100001; seed <= 100300; seed++) {
		struct random random = { seed };

		if (world_make(world, seed)) {
			random_shuffle(&random, &world->ruleset);
			image_clear(world->image);
			memset(world->image, 0, sizeof(*world->image));
			assert_int_equal(
				compile(&world->ruleset, world->iface, world->image, NULL), 0);
			check_world(world);
		}
		world_clear(world);
	}
}

static bool any_disagree(const struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (slow_disagree(&ruleset->rules[i], &ruleset->rules[j]))
				return true;
		}
	}
	return false;
}

/* Each message must name two rows whose rules contradict each other. */
static void check_messages(const struct parsed *parsed, __u64 seed)
{
	const struct rule *rules = parsed->ruleset.rules;
	const char *line = parsed->messages;

	for (unsigned int n = 0; n < parsed->report.errors; n++) {
		const char *but = strstr(line, ", but line ");
		unsigned int later = 0, earlier = 0;

		if (!but || sscanf(line, "F:%u:1: found ", &later) != 1 ||
		    sscanf(but, ", but line %u (", &earlier) != 1 || !earlier ||
		    earlier >= later || later > parsed->ruleset.count ||
		    !slow_disagree(&rules[earlier - 1], &rules[later - 1]))
			fail_msg("seed %llu: these do not contradict: %s", seed, line);
		line = strchr(line, '\n') + 1;
	}
	assert_int_equal(*line, 0);
}

/* Makes some rules overlap that rarely do by chance: same source, nearly the same ports. */
static void make_twins(struct random *random, struct ruleset *ruleset)
{
	for (size_t i = 1; i < ruleset->count; i++) {
		const struct rule *other = &ruleset->rules[random_below(random, i)];
		struct rule *rule = &ruleset->rules[i];

		if (!random_once_in(random, 3))
			continue;
		if (other->source_count && rule->source_count)
			rule->sources[0] = other->sources[0];
		if (other->term_count && rule->term_count)
			rule->terms[0] = other->terms[0];
		if (rule->term_count && rule->terms[0].transports) {
			int shift = random_below(random, 3);

			rule->terms[0].first += shift;
			rule->terms[0].last += shift;
		}
		if (random_once_in(random, 2))
			strcpy(rule->iface, other->iface);
	}
}

static void test_random_contradictions(void **state)
{
	int with = 0, without = 0;

	(void)state;
	for (__u64 seed = 200001; seed <= 205000; seed++) {
		struct random random = { seed };
		struct parsed parsed;
		bool wanted;
		int err;

		parsed_init(&parsed);
		random_sourced_ruleset(&random, random_below(&random, 10), &parsed.ruleset);
		make_twins(&random, &parsed.ruleset);
		wanted = any_disagree(&parsed.ruleset);
		err = ruleset_check(&parsed.ruleset, parsed.ruleset.count, &parsed.report);
		fflush(parsed.report.out);
		if (err != -EINVAL && wanted)
			fail_msg("seed %llu: not found (%d)\n%s", seed, err,
				 printed(&parsed.ruleset));
		if (err == -EINVAL && !wanted)
			fail_msg("seed %llu: there is none\n%s\n%s", seed,
				 printed(&parsed.ruleset), parsed.messages);
		check_messages(&parsed, seed);
		parsed_clear(&parsed);
		with += wanted;
		without += !wanted;
	}
	assert_in_range(with, 500, 4900);
	assert_in_range(without, 500, 4900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_rulesets),
		cmocka_unit_test(test_order_of_rules_does_not_matter),
		cmocka_unit_test(test_random_contradictions),
	};

	return run_suite("sources", tests);
}
