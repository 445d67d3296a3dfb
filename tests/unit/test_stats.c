// SPDX-License-Identifier: GPL-2.0-only
/* stats_collect() and stats_rules(): the sums of counters that the tests fill by hand. */
#include "unit.h"

#include "kernel/counters.h"
#include "print/output.h"
#include "state/stats.h"

#define FULL (COUNT_FULL / COUNT_PACKET)
#define CPUS_MOST 2
#define UDP(port) (PORT_KEY_UDP + (port))

/* Makes an interface whose counters are zero; `cpus` CPUs have counters of their own. */
static void counters_init(struct interface *iface, size_t cpus)
{
	*iface = (struct interface){ .cpus = cpus };
	iface->counters = calloc(1, sizeof(*iface->counters));
	iface->cpu_counters = calloc(cpus + 1, sizeof(*iface->cpu_counters));
	assert_non_null(iface->counters);
	assert_non_null(iface->cpu_counters);
}

static void counters_clear(struct interface *iface)
{
	free(iface->counters);
	free(iface->cpu_counters);
}

/*
 * Counts packets of 100 bytes as the kernel side does: in the CPU's own counter, from which
 * full counts move to the shared one; or only in the shared one if the CPU has none (NULL).
 */
static void count(struct tally *shared, count_t *own, __u64 packets)
{
	__u64 counted = own ? count_tally(*own).packets + packets : 0;
	__u64 carried = own ? counted - counted % FULL : packets;

	shared->packets += carried;
	shared->bytes += carried * 100;
	if (own)
		*own = counted % FULL * (COUNT_PACKET + 100);
}

/* Counts packets on the CPU `number`, from 1; 0 is a CPU without counters of its own. */
static void charge(struct interface *iface, size_t number, __u32 key, enum verdict verdict,
		   __u32 line, __u64 packets)
{
	struct cpu_counters *own = number ? &iface->cpu_counters[number - 1] : NULL;
	struct counters *shared = iface->counters;

	count(&shared->line[line], own ? &own->line[line] : NULL, packets);
	if (key >= PORT_KEYS)
		return;
	if (verdict == VERDICT_PASS)
		count(&shared->pass[key], own ? &own->pass[key] : NULL, packets);
	else
		count(&shared->drop[key], own ? &own->drop[key] : NULL, packets);
}

static void assert_tally(const struct tally *tally, __u64 packets)
{
	assert_int_equal(tally->packets, packets);
	assert_int_equal(tally->bytes, packets * 100);
}

/* Parses rules and gives them the lines from LINE_FIRST_RULE on. */
static void parsed_with_lines(struct parsed *parsed, const char *text)
{
	parsed_valid(parsed, text);
	for (size_t i = 0; i < parsed->ruleset.count; i++)
		parsed->ruleset.rules[i].line = LINE_FIRST_RULE + i;
}

/* Checks the sums over `cpus` CPUs with counters and one without. CPU n counts 10^n packets. */
static void check_cpus(size_t cpus)
{
	static const __u64 sums[] = { 1, 11, 111 };
	struct interface iface;
	struct parsed parsed;
	struct stats stats;
	__u64 sum = sums[cpus], packets = 1;

	counters_init(&iface, cpus);
	parsed_with_lines(&parsed, "allow 22/tcp\ndrop 53");
	for (size_t n = 0; n <= cpus; n++, packets *= 10) {
		charge(&iface, n, 22, VERDICT_PASS, LINE_FIRST_RULE, packets);
		charge(&iface, n, UDP(53), VERDICT_DROP, LINE_FIRST_RULE + 1, packets * 2);
		charge(&iface, n, UDP(65535), VERDICT_PASS, LINE_DEFAULT_PASS, packets * 3);
		charge(&iface, n, KEY_NOT_IP, VERDICT_PASS, LINE_NOT_IP, packets * 4);
	}
	assert_int_equal(stats_collect(&iface, &parsed.ruleset, NULL, 0, &stats), 0);
	assert_tally(&stats.ports[22].pass, sum);
	assert_tally(&stats.ports[22].drop, 0);
	assert_tally(&stats.ports[UDP(22)].pass, 0);
	assert_tally(&stats.ports[UDP(53)].drop, sum * 2);
	assert_tally(&stats.ports[UDP(65535)].pass, sum * 3);
	assert_tally(&stats.rules[0], sum);
	assert_tally(&stats.rules[1], sum * 2);
	assert_tally(&stats.builtin[LINE_DEFAULT_PASS], sum * 3);
	assert_tally(&stats.builtin[LINE_NOT_IP], sum * 4);
	assert_tally(&stats.builtin[LINE_DEFAULT_DROP], 0);
	assert_tally(&stats.total.pass, sum * 8);
	assert_tally(&stats.total.drop, sum * 2);
	stats_clear(&stats);
	assert_null(stats.ports);
	assert_null(stats.rules);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

static void test_sums_over_cpus(void **state)
{
	(void)state;
	for (size_t cpus = 0; cpus <= CPUS_MOST; cpus++)
		check_cpus(cpus);
}

/* Each port key has its own counters, the first and the last included. */
static void test_every_port_has_its_counters(void **state)
{
	struct interface iface;
	struct ruleset none;
	struct stats stats;

	(void)state;
	counters_init(&iface, 2);
	ruleset_init(&none);
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		charge(&iface, key & 1, key, VERDICT_PASS, LINE_DEFAULT_PASS, key);
		charge(&iface, 0, key, VERDICT_DROP, LINE_DEFAULT_DROP, key + 1);
	}
	assert_int_equal(stats_collect(&iface, &none, NULL, 0, &stats), 0);
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		assert_tally(&stats.ports[key].pass, key);
		assert_tally(&stats.ports[key].drop, key + 1);
	}
	stats_clear(&stats);
	counters_clear(&iface);
}

/* Each built-in line adds to the total of its verdict only. */
static void test_builtin_lines_add_to_totals(void **state)
{
	static const bool passes[LINES_BUILTIN] = {
		[LINE_NOT_IP] = true, [LINE_FRAGMENT_PASS] = true, [LINE_DEFAULT_PASS] = true,
		[LINE_REPLY] = true,  [LINE_ERROR] = true,	   [LINE_NEIGHBOUR] = true,
		[LINE_ECHO] = true,   [LINE_DHCP] = true,	   [LINE_REMOVED_PASS] = true,
	};
	struct ruleset none;

	(void)state;
	ruleset_init(&none);
	for (enum line line = 0; line < LINES_BUILTIN; line++) {
		struct interface iface;
		struct stats stats;

		counters_init(&iface, 1);
		iface.counters->line[line] = (struct tally){ 3, 300 };
		iface.cpu_counters->line[line] = 4 * (COUNT_PACKET + 100);
		assert_int_equal(stats_collect(&iface, &none, NULL, 0, &stats), 0);
		assert_tally(&stats.builtin[line], 7);
		assert_tally(&stats.total.pass, passes[line] ? 7 : 0);
		assert_tally(&stats.total.drop, passes[line] ? 0 : 7);
		stats_clear(&stats);
		counters_clear(&iface);
	}
}

/* Lines that only the previous ruleset has count as "removed", by the rules' verdicts. */
static void test_lines_of_removed_rules(void **state)
{
	const struct stored_rule gone[] = {
		{ .line = LINE_FIRST_RULE, .verdict = VERDICT_PASS }, /* still a rule */
		{ .line = LINE_FIRST_RULE + 5, .verdict = VERDICT_PASS },
		{ .line = LINE_FIRST_RULE + 6, .verdict = VERDICT_DROP },
		{ .line = LINE_FIRST_RULE + 7, .verdict = VERDICT_DROP },
		{ .line = MAX_LINES - 1, .verdict = VERDICT_PASS },
		{ .line = MAX_LINES, .verdict = VERDICT_PASS }, /* no line at all */
		{ .line = 0xFFFFFFFF, .verdict = VERDICT_DROP },
	};
	struct interface iface;
	struct parsed parsed;
	struct stats stats;

	(void)state;
	counters_init(&iface, 2);
	parsed_with_lines(&parsed, "allow 22");
	charge(&iface, 0, 22, VERDICT_PASS, LINE_FIRST_RULE, 1);
	charge(&iface, 0, 80, VERDICT_PASS, LINE_FIRST_RULE + 5, 10);
	charge(&iface, 1, 80, VERDICT_PASS, LINE_FIRST_RULE + 5, 20);
	charge(&iface, 1, 23, VERDICT_DROP, LINE_FIRST_RULE + 6, 100);
	charge(&iface, 1, 24, VERDICT_DROP, LINE_FIRST_RULE + 7, 200);
	charge(&iface, 0, 81, VERDICT_PASS, MAX_LINES - 1, 1000);
	/* Counts of rules removed earlier are already on the lines "removed". */
	charge(&iface, 0, 82, VERDICT_PASS, LINE_REMOVED_PASS, 10000);
	charge(&iface, 0, 82, VERDICT_DROP, LINE_REMOVED_DROP, 20000);
	/* The record of a completed move lies behind the last line, and must not be counted. */
	iface.counters->move.sum = (struct tally){ 7, 7 };
	assert_int_equal(stats_collect(&iface, &parsed.ruleset, gone, ARRAY_SIZE(gone), &stats),
			 0);
	assert_tally(&stats.rules[0], 1);
	assert_tally(&stats.builtin[LINE_REMOVED_PASS], 11030);
	assert_tally(&stats.builtin[LINE_REMOVED_DROP], 20300);
	assert_tally(&stats.total.pass, 11031);
	assert_tally(&stats.total.drop, 20300);
	stats_clear(&stats);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

/* Each packet is counted on one line and one port, so both sums agree. */
static void test_lines_and_ports_add_up(void **state)
{
	struct tally lines = { 0 }, ports[2] = { { 0 } };
	struct interface iface;
	struct parsed parsed;
	struct stats stats;

	(void)state;
	counters_init(&iface, 2);
	parsed_with_lines(&parsed, "allow 0-99\ndrop 100-199\ndefault drop");
	for (__u32 i = 0; i < 300; i++) {
		__u32 line = i < 200 ? LINE_FIRST_RULE + i / 100 : LINE_DEFAULT_DROP;

		charge(&iface, i % 3, i % 2 * PORT_KEY_UDP + i,
		       i < 100 ? VERDICT_PASS : VERDICT_DROP, line, i * i + 1);
	}
	assert_int_equal(stats_collect(&iface, &parsed.ruleset, NULL, 0, &stats), 0);
	for (size_t i = 0; i < parsed.ruleset.count; i++)
		lines.packets += stats.rules[i].packets;
	for (enum line line = 0; line < LINES_BUILTIN; line++)
		lines.packets += stats.builtin[line].packets;
	for (__u32 key = 0; key < PORT_KEYS; key++) {
		ports[0].packets += stats.ports[key].pass.packets;
		ports[1].packets += stats.ports[key].drop.packets;
	}
	assert_int_equal(lines.packets, 299 * 300 * 599 / 6 + 300);
	assert_int_equal(stats.total.pass.packets, ports[0].packets);
	assert_int_equal(stats.total.drop.packets, ports[1].packets);
	assert_int_equal(lines.packets, ports[0].packets + ports[1].packets);
	stats_clear(&stats);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

/* Sums of 64 bits. */
static void test_sums_of_64_bits(void **state)
{
	struct interface iface;
	struct parsed parsed;
	struct stats stats;

	(void)state;
	counters_init(&iface, 2);
	parsed_with_lines(&parsed, "allow 1");
	iface.counters->line[LINE_FIRST_RULE] = (struct tally){ 1ull << 62, 1ull << 63 };
	iface.cpu_counters[0].line[LINE_FIRST_RULE] = COUNT_FULL - 1;
	iface.cpu_counters[1].line[LINE_FIRST_RULE] = COUNT_PACKET + 5;
	assert_int_equal(stats_collect(&iface, &parsed.ruleset, NULL, 0, &stats), 0);
	assert_true(stats.rules[0].packets == (1ull << 62) + FULL);
	assert_true(stats.rules[0].bytes == (1ull << 63) + COUNT_PACKET - 1 + 5);
	assert_true(stats.total.pass.bytes == stats.rules[0].bytes);
	stats_clear(&stats);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

/* A counter that stays full would be a bug; reading it must end all the same. */
static void test_full_counter_is_read(void **state)
{
	struct interface iface;

	(void)state;
	counters_init(&iface, 2);
	iface.counters->line[LINE_ECHO] = (struct tally){ 5, 500 };
	iface.cpu_counters[1].line[LINE_ECHO] = COUNT_FULL + 7;
	assert_true(counter_line(&iface, LINE_ECHO).packets == 5 + FULL);
	counters_clear(&iface);
}

/*
 * A process was killed while it moved a line's counts. It left a record of the move, and
 * perhaps some of the line's counters. Until the next change completes the move, these
 * counters must not be added to the sum that already includes them.
 */
static void test_interrupted_move_counts_once(void **state)
{
	const struct stored_rule gone[] = { { .line = LINE_FIRST_RULE + 5,
					      .verdict = VERDICT_PASS } };

	(void)state;
	for (int progress = 0; progress < 3; progress++) {
		struct interface iface;
		struct ruleset none;
		struct stats stats;

		counters_init(&iface, 2);
		ruleset_init(&none);
		charge(&iface, 0, 80, VERDICT_PASS, LINE_REMOVED_PASS, progress ? 115 : 100);
		charge(&iface, 0, 80, VERDICT_PASS, LINE_FIRST_RULE + 5, progress > 1 ? 0 : 10);
		charge(&iface, 1, 80, VERDICT_PASS, LINE_FIRST_RULE + 5, 5);
		iface.counters->move = (struct line_move){ LINE_FIRST_RULE + 5,
							   LINE_REMOVED_PASS,
							   { 115, 11500 } };
		assert_int_equal(stats_collect(&iface, &none, gone, 1, &stats), 0);
		assert_tally(&stats.builtin[LINE_REMOVED_PASS], 115);
		assert_tally(&stats.total.pass, 115);
		stats_clear(&stats);
		counters_clear(&iface);
	}
}

/* stats_rules() adds to the sums given, so that it can be called for several interfaces. */
static void test_rules_of_several_interfaces(void **state)
{
	struct tally counts[2] = { { 1000, 100000 }, { 0 } };
	struct interface iface;
	struct parsed parsed;

	(void)state;
	counters_init(&iface, 2);
	parsed_with_lines(&parsed, "allow 1\ndrop 2");
	charge(&iface, 0, 1, VERDICT_PASS, LINE_FIRST_RULE, 1);
	charge(&iface, 1, 1, VERDICT_PASS, LINE_FIRST_RULE, 10);
	charge(&iface, 1, 2, VERDICT_DROP, LINE_FIRST_RULE + 1, 5);
	stats_rules(&iface, &parsed.ruleset, counts);
	assert_tally(&counts[0], 1011);
	assert_tally(&counts[1], 5);
	stats_rules(&iface, &parsed.ruleset, counts);
	assert_tally(&counts[0], 1022);
	assert_tally(&counts[1], 10);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

static const struct {
	__u64 before;
	__u64 now;
	double seconds;
	double rate;
} rates[] = {
	{ 0, 0, 1, 0 },	   { 0, 10, 1, 10 },   { 5, 10, 1, 5 },
	{ 5, 10, 2, 2.5 }, { 5, 10, 0.5, 10 }, { 10, 10, 1, 0 },
	{ 11, 10, 1, 0 }, /* the counters were reset */
	{ 0, 10, 0, 0 },   { 0, 10, -1, 0 },   { 1ull << 60, (1ull << 60) + 3, 1, 3 },
};

static void test_rates(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct tally before = { rates[i].before, 9 }, now = { rates[i].now, 9 };

		assert_true(stats_rate(&before, &now, rates[i].seconds) == rates[i].rate);
	}
}

/* Packets over a rule's limit are on a line of their own and count as dropped. */
static void test_lines_of_limits(void **state)
{
	const struct stored_rule gone[] = {
		{ .line = 70, .limited_line = 71, .verdict = VERDICT_PASS },
		{ .line = 66, .limited_line = 67, .verdict = VERDICT_PASS }, /* still a rule */
		{ .line = 72, .verdict = VERDICT_REJECT },
		{ .line = 73, .limited_line = MAX_LINES, .verdict = VERDICT_PASS },
	};
	struct interface iface;
	struct parsed parsed;
	struct stats stats;

	(void)state;
	counters_init(&iface, 2);
	parsed_with_lines(&parsed, "allow 1\nreject 2\nallow 3 limit 5/s");
	parsed.ruleset.rules[2].limited_line = LINE_FIRST_RULE + 3;
	charge(&iface, 0, 1, VERDICT_PASS, LINE_FIRST_RULE, 1);
	charge(&iface, 1, 2, VERDICT_REJECT, LINE_FIRST_RULE + 1, 10);
	charge(&iface, 0, 3, VERDICT_PASS, LINE_FIRST_RULE + 2, 100);
	charge(&iface, 0, 3, VERDICT_DROP, LINE_FIRST_RULE + 3, 1000);
	charge(&iface, 1, 3, VERDICT_DROP, LINE_FIRST_RULE + 3, 2000);
	charge(&iface, 0, 4, VERDICT_PASS, 70, 10000);
	charge(&iface, 1, 4, VERDICT_DROP, 71, 20000);
	charge(&iface, 1, 4, VERDICT_DROP, 72, 40000);
	assert_int_equal(stats_collect(&iface, &parsed.ruleset, gone, ARRAY_SIZE(gone), &stats),
			 0);
	assert_tally(&stats.rules[1], 10);
	assert_tally(&stats.rules[2], 100);
	assert_tally(&stats.limited[0], 0);
	assert_tally(&stats.limited[1], 0);
	assert_tally(&stats.limited[2], 3000);
	assert_tally(&stats.builtin[LINE_REMOVED_PASS], 10000);
	assert_tally(&stats.builtin[LINE_REMOVED_DROP], 60000);
	assert_tally(&stats.total.pass, 10101);
	assert_tally(&stats.total.drop, 63010);
	assert_tally(&stats.ports[3].drop, 3000);
	stats_clear(&stats);
	assert_null(stats.limited);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

static void keep_last_limited(const struct line_view *line, void *data)
{
	char **last = data;

	if (strncmp(line->text, "limited: ", 9))
		return;
	free(*last);
	*last = strdup(line->text);
}

/* The name of a line is its whole rule, however many sources the rule has. */
static void test_long_line_name(void **state)
{
	struct interface iface;
	struct parsed parsed;
	struct stats stats;
	struct stats_view view = { .now = &stats };
	char rule[2000] = "allow 1 from 10.0.0.1", *last = NULL;

	(void)state;
	for (int i = 2; i < 100; i++)
		sprintf(rule + strlen(rule), ", 10.0.0.%d", i);
	strcat(rule, " limit 5/s");
	counters_init(&iface, 0);
	parsed_with_lines(&parsed, rule);
	assert_int_equal(stats_collect(&iface, &parsed.ruleset, NULL, 0, &stats), 0);
	output_each_line(&view, &parsed.ruleset, keep_last_limited, &last);
	assert_non_null(last);
	assert_string_equal(last + 9, rule);
	free(last);
	stats_clear(&stats);
	parsed_clear(&parsed);
	counters_clear(&iface);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sums_over_cpus),
		cmocka_unit_test(test_every_port_has_its_counters),
		cmocka_unit_test(test_builtin_lines_add_to_totals),
		cmocka_unit_test(test_lines_of_removed_rules),
		cmocka_unit_test(test_lines_and_ports_add_up),
		cmocka_unit_test(test_lines_of_limits),
		cmocka_unit_test(test_sums_of_64_bits),
		cmocka_unit_test(test_interrupted_move_counts_once),
		cmocka_unit_test(test_rules_of_several_interfaces),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_full_counter_is_read),
		cmocka_unit_test(test_long_line_name),
	};

	return run_suite("stats", tests);
}
