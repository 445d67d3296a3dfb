// SPDX-License-Identifier: GPL-2.0-only
/* compile() against the reference evaluator on random rulesets, and cases written by hand. */
#include "unit.h"

#include "compile/compile.h"
#include "compile/evaluate.h"
#include "compile/image.h"
#include "compile/lines.h"
#include "random.h"
#include "slow.h"

/* How many random rulesets are tested at the edges of their ranges, and at all keys. */
#define RULESETS_AT_EDGES 5000
#define RULESETS_AT_ALL_KEYS 300

/* A ruleset compiled for one interface. The seed is printed when a test fails. */
struct compiled {
	const struct ruleset *ruleset;
	const char *iface;
	struct image *image;
	__u64 seed;
};

static void compiled_init(struct compiled *compiled, const struct ruleset *ruleset,
			  const char *iface, __u64 seed)
{
	*compiled = (struct compiled){ ruleset, iface, calloc(1, sizeof(struct image)), seed };
	assert_non_null(compiled->image);
	assert_int_equal(compile(ruleset, iface, compiled->image, NULL), 0);
}

static void compiled_clear(struct compiled *compiled)
{
	image_clear(compiled->image);
	free(compiled->image);
}

/*
 * Follows the details of a key's entry to the entry that decides, for a packet that is no
 * reply, not from a DHCP server and within limits. The rules must have no sources.
 */
static entry_t settled(const struct image *image, __u32 key)
{
	entry_t entry = image->table.entries[key];

	while (entry_flags(entry) & ~ENTRY_REPLY) {
		const struct detail *detail = &image->details[entry_line(entry)];

		assert_int_not_equal(entry_flags(entry) & ENTRY_SOURCES, ENTRY_SOURCES);
		assert_in_range(entry_line(entry), 0, image->detail_count - 1);
		entry = entry_flags(entry) & ENTRY_RULE ? detail->entry : detail->next;
	}
	return entry_final(entry);
}

static void fail_key(const struct compiled *compiled, __u32 key, const char *what)
{
	char *text = printed(compiled->ruleset);

	print_message("%s\n", text);
	free(text);
	fail_msg("seed %llu, interface \"%s\", key %u: %s", compiled->seed, compiled->iface,
		 key, what);
}

static const struct rule *rule_of_line(const struct ruleset *ruleset, __u32 line)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		if (ruleset->rules[i].line == line)
			return &ruleset->rules[i];
	}
	return NULL;
}

/* Returns the entry expected for a key that no rule names. */
static entry_t entry_without_rule(const struct ruleset *ruleset, __u32 key)
{
	bool fragments = ruleset->options[OPTION_FRAGMENTS] == VERDICT_PASS;

	if (key >= KEYS_USED)
		return 0;
	if (key == KEY_NOT_IP)
		return entry_make(VERDICT_PASS, 0, LINE_NOT_IP);
	if (key == KEY_MALFORMED)
		return entry_make(VERDICT_DROP, 0, LINE_MALFORMED);
	if (key == KEY_FRAGMENT)
		return fragments ? entry_make(VERDICT_PASS, 0, LINE_FRAGMENT_PASS)
				 : entry_make(VERDICT_DROP, 0, LINE_FRAGMENT_DROP);
	if (key == KEY_ERROR || key == KEY_ERROR6)
		return entry_make(VERDICT_PASS, 0, LINE_ERROR);
	if (key == KEY_ECHO || key == KEY_ECHO6)
		return entry_make(VERDICT_PASS, 0, LINE_ECHO);
	if (key == KEY_NEIGHBOUR)
		return entry_make(VERDICT_PASS, 0, LINE_NEIGHBOUR);
	return ruleset->fallback == VERDICT_PASS
		       ? entry_make(VERDICT_PASS, 0, LINE_DEFAULT_PASS)
		       : entry_make(VERDICT_DROP, 0, LINE_DEFAULT_DROP);
}

/* Where several rules are equally specific, the packet may be charged to any of them. */
static void check_key(__u32 key, void *data)
{
	const struct compiled *compiled = data;
	entry_t entry = settled(compiled->image, key);
	const struct rule *first, *rule;
	int best = slow_best(compiled->ruleset, compiled->iface, key, &first);

	if (!first) {
		if (entry != entry_without_rule(compiled->ruleset, key))
			fail_key(compiled, key, "no rule names it, but it has not the default");
		return;
	}
	rule = rule_of_line(compiled->ruleset, entry_line(entry));
	if (entry_verdict(entry) != first->action)
		fail_key(compiled, key, "another verdict than the most specific rule's");
	if (!rule || slow_rule_rank(rule, compiled->iface, key) != best)
		fail_key(compiled, key, "not charged to a most specific rule");
	if (entry != entry_make(first->action, 0, rule->line))
		fail_key(compiled, key, "flags that no rule asked for");
}

static void random_valid(struct random *random, size_t most, struct ruleset *ruleset)
{
	random_ruleset(random, random_below(random, most), ruleset);
	slow_remove_contradictions(ruleset);
}

static const char *random_iface(struct random *random)
{
	static const char *const names[] = { "eth0", "eth1", "unnamed" };

	return names[random_below(random, ARRAY_SIZE(names))];
}

static void test_random_rulesets_at_edges(void **state)
{
	(void)state;
	for (__u64 seed = 1; seed <= RULESETS_AT_EDGES; seed++) {
		struct random random = { seed };
		struct compiled compiled;
		struct ruleset ruleset;

		random_valid(&random, 40, &ruleset);
		compiled_init(&compiled, &ruleset, random_iface(&random), seed);
		slow_edges(&ruleset, check_key, &compiled);
		for (int i = 0; i < 500; i++)
			check_key(random_below(&random, KEYS), &compiled);
		compiled_clear(&compiled);
		ruleset_clear(&ruleset);
	}
}

static void test_random_rulesets_at_all_keys(void **state)
{
	(void)state;
	for (__u64 seed = 1000001; seed <= 1000000 + RULESETS_AT_ALL_KEYS; seed++) {
		struct random random = { seed };
		struct compiled compiled;
		struct ruleset ruleset;

		random_valid(&random, 20, &ruleset);
		compiled_init(&compiled, &ruleset, random_iface(&random), seed);
		for (__u32 key = 0; key < KEYS; key++)
			check_key(key, &compiled);
		compiled_clear(&compiled);
		ruleset_clear(&ruleset);
	}
}

/* Only equally specific rules may take keys from each other; nothing else may change. */
static void check_shuffled(const struct compiled *before, const struct compiled *after)
{
	for (__u32 key = 0; key < KEYS; key++) {
		entry_t a = settled(before->image, key), b = settled(after->image, key);

		if (entry_verdict(a) != entry_verdict(b))
			fail_key(after, key, "another verdict after shuffling");
		if (a != b)
			check_key(key, (void *)after);
	}
}

static void test_order_of_rules_does_not_matter(void **state)
{
	(void)state;
	for (__u64 seed = 2000001; seed <= 2000500; seed++) {
		struct random random = { seed };
		struct compiled before, after;
		struct ruleset ruleset;

		random_valid(&random, 40, &ruleset);
		compiled_init(&before, &ruleset, random_iface(&random), seed);
		random_shuffle(&random, &ruleset);
		compiled_init(&after, &ruleset, before.iface, seed);
		check_shuffled(&before, &after);
		compiled_clear(&before);
		compiled_clear(&after);
		ruleset_clear(&ruleset);
	}
}

/* Compiling the same ruleset twice gives the same image. */
static void test_same_ruleset_same_image(void **state)
{
	(void)state;
	for (__u64 seed = 3000001; seed <= 3000200; seed++) {
		struct random random = { seed };
		struct compiled first, second;
		struct ruleset ruleset;

		random_valid(&random, 40, &ruleset);
		compiled_init(&first, &ruleset, "eth0", seed);
		compiled_init(&second, &ruleset, "eth0", seed);
		assert_memory_equal(&first.image->table, &second.image->table,
				    sizeof(first.image->table));
		assert_int_equal(first.image->detail_count, second.image->detail_count);
		if (first.image->detail_count)
			assert_memory_equal(first.image->details, second.image->details,
					    first.image->detail_count * sizeof(struct detail));
		compiled_clear(&first);
		compiled_clear(&second);
		ruleset_clear(&ruleset);
	}
}

/* compile() sets used[] for exactly the rules in the image, and clears no element. */
static void check_used(const struct compiled *compiled)
{
	cleanup_free unsigned char *seen = calloc(MAX_LINES, 1);
	unsigned char used[64] = { [63] = 7 };

	image_clear(compiled->image);
	memset(compiled->image, 0, sizeof(*compiled->image));
	assert_int_equal(compile(compiled->ruleset, compiled->iface, compiled->image, used), 0);
	for (__u32 key = 0; key < KEYS; key++)
		seen[entry_line(settled(compiled->image, key))] = 1;
	for (size_t i = 0; i < compiled->ruleset->count; i++) {
		if (used[i] != seen[compiled->ruleset->rules[i].line])
			fail_msg("seed %llu, rule %zu: used is %d", compiled->seed, i, used[i]);
	}
	assert_int_equal(used[63], 7);
}

static void test_used_names_the_rules_in_the_image(void **state)
{
	(void)state;
	for (__u64 seed = 4000001; seed <= 4000500; seed++) {
		struct random random = { seed };
		struct compiled compiled;
		struct ruleset ruleset;

		random_valid(&random, 60, &ruleset);
		compiled_init(&compiled, &ruleset, random_iface(&random), seed);
		check_used(&compiled);
		compiled_clear(&compiled);
		ruleset_clear(&ruleset);
	}
}

#define TCP(port) (PORT_KEY_TCP + (port))
#define UDP(port) (PORT_KEY_UDP + (port))

/* The number of the rule that decides about a key on eth0; 0: no rule. */
static const struct {
	const char *text;
	__u32 key;
	unsigned int rule;
} by_hand[] = {
	{ "", TCP(22), 0 },
	{ "allow 22", TCP(22), 1 },
	{ "allow 22", UDP(22), 1 },
	{ "allow 22", TCP(21), 0 },
	{ "allow 22", TCP(23), 0 },
	{ "allow 22/udp", TCP(22), 0 },
	{ "drop 0-65535/tcp", TCP(65535), 1 },
	{ "drop 0-65535/tcp", UDP(0), 0 },
	{ "drop 0-65535/tcp", KEY_PROTOCOL + 6, 0 },
	{ "drop 65535\nallow 0", TCP(65535), 1 },
	{ "drop 65535\nallow 0", UDP(0), 2 },
	{ "drop 65535\nallow 0", UDP(65535), 1 },
	{ "drop 65535\nallow 0", KEY_PROTOCOL, 0 },
	/* the narrower range wins before all else */
	{ "drop 20-30\nallow 22", TCP(22), 2 },
	{ "drop 20-30/tcp on eth0\nallow 22-23", TCP(23), 2 },
	{ "drop 20-29\nallow 20-30", TCP(20), 1 },
	{ "drop 20-29\nallow 20-30", TCP(30), 2 },
	{ "drop 10-20 22\nallow 15-22", TCP(15), 2 },
	{ "drop 10-20 22\nallow 15-22", TCP(22), 1 },
	/* then one protocol before both */
	{ "drop 22\nallow 22/tcp", TCP(22), 2 },
	{ "drop 22\nallow 22/tcp", UDP(22), 1 },
	{ "drop 22 on eth0\nallow 22/tcp", TCP(22), 2 },
	{ "drop 20-30/udp\nallow 25-35", UDP(30), 1 },
	/* then a named interface before all */
	{ "drop 22\nallow 22 on eth0", TCP(22), 2 },
	{ "drop 22\nallow 22 on eth1", TCP(22), 1 },
	{ "drop 22\nallow 22 on eth", TCP(22), 1 },
	{ "drop 22\nallow 22 on eth00", TCP(22), 1 },
	/* equally specific: the range that begins lower, then the rule that comes first */
	{ "allow 25-35\nallow 20-30", TCP(27), 2 },
	{ "allow 20-30\nallow 25-35", TCP(27), 1 },
	{ "allow 25-35\nallow 20-30", TCP(31), 1 },
	{ "allow 22\nallow 22", TCP(22), 1 },
	/* protocols */
	{ "drop gre", KEY_PROTOCOL + 47, 1 },
	{ "drop gre", KEY_PROTOCOL + 46, 0 },
	{ "drop gre", TCP(47), 0 },
	{ "drop gre\nallow gre on eth0", KEY_PROTOCOL + 47, 2 },
	/* each term of a rule counts on its own */
	{ "drop 0-65535 22\nallow 20-30", TCP(22), 1 },
	{ "drop 0-65535 22\nallow 20-30", TCP(23), 2 },
	{ "drop 0-65535 22\nallow 20-30", TCP(31), 1 },
	/* keys that no rule can name */
	{ "drop 0-65535", KEY_FRAGMENT, 0 },
	{ "drop 0-65535", KEY_NOT_IP, 0 },
};

static void test_most_specific_rule_decides(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(by_hand); i++) {
		struct compiled compiled;
		struct parsed parsed;
		__u32 line;

		parsed_valid(&parsed, by_hand[i].text);
		for (size_t r = 0; r < parsed.ruleset.count; r++)
			parsed.ruleset.rules[r].line = LINE_FIRST_RULE + r;
		compiled_init(&compiled, &parsed.ruleset, "eth0", 0);
		line = entry_line(settled(compiled.image, by_hand[i].key));
		if (by_hand[i].rule ? line != LINE_FIRST_RULE + by_hand[i].rule - 1
				    : line >= LINES_BUILTIN)
			fail_msg("%s: key %u is charged to line %u", by_hand[i].text,
				 by_hand[i].key, line);
		compiled_clear(&compiled);
		parsed_clear(&parsed);
	}
}

#define KNOCK "knock k opens 22/tcp for 1h after 7/tcp 9/udp 8/tcp within 10s\n"

/* The flags of the entry that decides about a packet from a source without a grant. */
static const struct {
	const char *rules;
	__u32 key;
	__u32 marks;
} marks[] = {
	{ "default allow\n" KNOCK, TCP(22), ENTRY_REPLY | ENTRY_TOUCH },
	{ "default reject\n" KNOCK, TCP(22), ENTRY_REPLY | ENTRY_TOUCH },
	{ KNOCK "drop 1-1023", TCP(22), ENTRY_REPLY | ENTRY_TOUCH },
	{ KNOCK "reject 22", TCP(22), ENTRY_REPLY | ENTRY_TOUCH },
	{ KNOCK "drop 22 for 1s\ndrop 1-1023", TCP(22), ENTRY_REPLY | ENTRY_TOUCH },
	{ KNOCK "allow 1-1023 from 10.0.0.0/8\ndrop 1-1023", TCP(22),
	  ENTRY_REPLY | ENTRY_TOUCH },
	{ KNOCK "drop 1-1023", UDP(22), ENTRY_TOUCH },
	{ KNOCK "drop 1-1023", TCP(7), ENTRY_TOUCH },
	{ KNOCK "drop from 0.0.0.0/0", TCP(7), 0 },
	{ "drop 1-1023", TCP(22), 0 },
};

static void test_knock_flags(void **state)
{
	const struct prefix nobody = { .family = 4, .length = 32 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		struct compiled compiled;
		struct parsed parsed;
		struct ruleset none = { 0 };
		entry_t entry;

		parsed_valid(&parsed, marks[i].rules);
		assert_int_equal(assign_lines(&parsed.ruleset, &none), 0);
		compiled_init(&compiled, &parsed.ruleset, "eth0", 0);
		entry = evaluate_entry(compiled.image, marks[i].key, &nobody, 1, 0);
		if (entry_flags(entry) != marks[i].marks)
			fail_msg("%s: key %u has the marks %u", marks[i].rules, marks[i].key,
				 entry_flags(entry));
		compiled_clear(&compiled);
		parsed_clear(&parsed);
	}
}

/* The highest line number fits into an entry beside the verdict. */
static void test_last_line_fits_into_entry(void **state)
{
	struct compiled compiled;
	struct parsed parsed;

	(void)state;
	parsed_valid(&parsed, "drop 22/tcp");
	parsed.ruleset.rules[0].line = MAX_LINES - 1;
	compiled_init(&compiled, &parsed.ruleset, "eth0", 0);
	assert_int_equal(entry_line(settled(compiled.image, 22)), MAX_LINES - 1);
	assert_int_equal(entry_verdict(settled(compiled.image, 22)), VERDICT_DROP);
	compiled_clear(&compiled);
	parsed_clear(&parsed);
}

/* MAX_RULES rules, each for a key of its own. */
static void test_most_rules(void **state)
{
	struct ruleset ruleset;
	struct compiled compiled;

	(void)state;
	ruleset_init(&ruleset);
	for (__u32 i = 0; i < MAX_RULES; i++) {
		struct rule rule = { .action = VERDICT_DROP, .term_count = 1 };

		rule.line = LINE_FIRST_RULE + i;
		rule.terms = malloc(sizeof(*rule.terms));
		*rule.terms = (struct term){ i & 1 ? TRANSPORT_TCP : TRANSPORT_UDP, 0, i, i };
		assert_int_equal(ruleset_add(&ruleset, &rule), 0);
	}
	compiled_init(&compiled, &ruleset, "eth0", 0);
	for (__u32 i = 0; i < MAX_RULES; i++) {
		entry_t tcp = settled(compiled.image, TCP(i));
		entry_t udp = settled(compiled.image, UDP(i));

		assert_int_equal(entry_line(i & 1 ? tcp : udp), LINE_FIRST_RULE + i);
		assert_int_equal(entry_line(i & 1 ? udp : tcp), LINE_DEFAULT_PASS);
	}
	compiled_clear(&compiled);
	ruleset_clear(&ruleset);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_specific_rule_decides),
		cmocka_unit_test(test_last_line_fits_into_entry),
		cmocka_unit_test(test_knock_flags),
		cmocka_unit_test(test_most_rules),
		cmocka_unit_test(test_random_rulesets_at_edges),
		cmocka_unit_test(test_random_rulesets_at_all_keys),
		cmocka_unit_test(test_order_of_rules_does_not_matter),
		cmocka_unit_test(test_same_ruleset_same_image),
		cmocka_unit_test(test_used_names_the_rules_in_the_image),
	};

	return run_suite("compile", tests);
}
