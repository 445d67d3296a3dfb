// SPDX-License-Identifier: GPL-2.0-only
/* JSON strings: bytes that are not UTF-8 are written as \xNN, so that nothing is lost. */
#include "unit.h"

#include "advise/explain.h"
#include "print/output.h"
#include "base/utf8.h"

static const struct {
	const char *text;
	const char *json; /* NULL: as `text` */
} texts[] = {
	{ "", NULL },
	{ "eth0", NULL },
	{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", NULL },
	{ "h2\xff", "h2\\xff" },
	{ "\xc3", "\\xc3" },
	{ "\xc3(", "\\xc3(" },
	{ "\xc0\xaf", "\\xc0\\xaf" }, /* an overlong encoding */
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" }, /* a surrogate */
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" }, /* above U+10FFFF */
	{ "\xe2\x82"
	  "a\xc3\xa9",
	  "\\xe2\\x82"
	  "a\xc3\xa9" },
};

static void test_bytes_that_are_not_utf8(void **state)
{
	json_t *json;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		json = text_json(texts[i].text);
		assert_string_equal(json_string_value(json), texts[i].json ?: texts[i].text);
		json_decref(json);
	}
	json = text_json(NULL);
	assert_true(json_is_null(json));
	json_decref(json);
	json = format_json("%s is %d", "h2\xff", 7);
	assert_string_equal(json_string_value(json), "h2\\xff is 7");
	json_decref(json);
}

/* Renders an interface whose name is not UTF-8, as `status -j` or `stats -j` does. */
static json_t *shown(bool status)
{
	struct interface iface = { .name = "h2\xff", .mode = "native", .ifindex = 7 };
	struct datapath dp = { .interfaces = &iface, .count = 1 };
	struct ruleset none;
	struct stats stats = { 0 };
	struct status_view view = { .dp = &dp, .ruleset = &none };
	struct stats_view counted = { .iface = &iface, .now = &stats };
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *json;

	ruleset_init(&none);
	assert_non_null(out);
	if (status)
		json_renderer.status(out, &view);
	else
		json_renderer.stats(out, &counted, 1, &none);
	assert_int_equal(fclose(out), 0);
	json = json_loads(text, 0, NULL);
	free(text);
	return json;
}

static void test_interface_name_that_is_not_utf8(void **state)
{
	(void)state;
	for (int status = 0; status < 2; status++) {
		json_t *json = shown(status);
		const json_t *list = json_object_get(json, "interfaces");

		assert_int_equal(json_array_size(list), 1);
		assert_string_equal(
			json_string_value(json_object_get(json_array_get(list, 0), "name")),
			"h2\\xff");
		json_decref(json);
	}
}

static void test_explain_of_interface_that_is_not_utf8(void **state)
{
	const struct judgement judgement = { .entry = entry_make(VERDICT_PASS, 0,
								 LINE_DEFAULT_PASS) };
	const struct packet packet = { .source = { .family = 4, .length = 32 },
				       .protocol = 6,
				       .port = 80 };
	struct ruleset none;
	json_t *json;

	(void)state;
	ruleset_init(&none);
	json = explain_json(&judgement, &packet, &none, "h2\xff");
	assert_non_null(json);
	assert_string_equal(json_string_value(json_object_get(json, "interface")), "h2\\xff");
	assert_non_null(strstr(json_string_value(json_object_get(json, "text")), " h2\\xff "));
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_that_are_not_utf8),
		cmocka_unit_test(test_interface_name_that_is_not_utf8),
		cmocka_unit_test(test_explain_of_interface_that_is_not_utf8),
	};

	return run_suite("json", tests);
}
