// SPDX-License-Identifier: GPL-2.0-only
#include "watch/events.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "rules/names.h"
#include "rules/prefix.h"
#include "rules/signing.h"

static const char *const kind_names[] = {
	[EVENT_DROP] = "drop",	     [EVENT_REJECT] = "reject", [EVENT_ATTEMPT] = "attempt",
	[EVENT_STEP] = "step",	     [EVENT_MISS] = "miss",	[EVENT_FAILURE] = "failure",
	[EVENT_LOCKOUT] = "lockout", [EVENT_GRANT] = "grant",	[EVENT_CLOSE] = "close",
	[EVENT_REFUSAL] = "refusal", [EVENT_REPLAY] = "replay",
};

_Static_assert(ARRAY_SIZE(kind_names) == EVENT_KINDS, "every kind has a name");

const char *event_name(enum event_kind kind)
{
	return kind < EVENT_KINDS ? kind_names[kind] : "unknown";
}

enum event_kind event_kind(const char *name)
{
	return text_index(kind_names, EVENT_KINDS, name);
}

static const char *const port_event_names[] = {
	[PORT_LISTEN] = "listen",
	[PORT_GONE] = "gone",
	[PORT_STATE] = "state",
};

_Static_assert(ARRAY_SIZE(port_event_names) == PORT_EVENTS, "every event has a name");

const char *port_event_name(enum port_event event)
{
	return port_event_names[event];
}

enum port_event port_event(const char *name)
{
	return text_index(port_event_names, PORT_EVENTS, name);
}

_Static_assert(sizeof(((struct signer_name *)0)->name) == KEY_NAME_MAX + 1, "names of keys");
_Static_assert(sizeof(((struct interface_name *)0)->name) == IFNAMSIZ, "names of interfaces");

static int event_names_add_keys(struct event_names *names, const struct signing_key *keys,
				size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct signer_name *signer;
		int err = array_reserve(&names->signers, &names->signer_room,
					names->signer_count, sizeof(*signer));

		if (err)
			return err;
		signer = &names->signers[names->signer_count++];
		signer->number = key_number(&keys[i]);
		memcpy(signer->name, keys[i].name, sizeof(signer->name));
	}
	return 0;
}

static int event_names_add_interfaces(struct event_names *names,
				      const struct interface *interfaces, size_t count)
{
	names->interfaces = calloc(count + 1, sizeof(*names->interfaces));
	if (!names->interfaces)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		names->interfaces[i].ifindex = interfaces[i].ifindex;
		memcpy(names->interfaces[i].name, interfaces[i].name, IFNAMSIZ);
	}
	names->interface_count = count;
	return 0;
}

int event_names_read(struct event_names *names, const struct ruleset *ruleset,
		     const struct interface *interfaces, size_t count)
{
	int err;

	*names = (struct event_names){ .ruleset = ruleset };
	err = event_names_add_interfaces(names, interfaces, count);
	for (size_t i = 0; i < ruleset->count && !err; i++) {
		const struct knock *knock = ruleset->rules[i].knock;
		struct signing_key *keys;
		size_t count;

		if (!knock || !knock->keys)
			continue;
		if (!keys_read(knock->keys, &keys, &count))
			err = event_names_add_keys(names, keys, count);
		keys_free(keys, count);
	}
	return err;
}

void event_names_clear(struct event_names *names)
{
	free(names->signers);
	free(names->interfaces);
	*names = (struct event_names){ 0 };
}

static void event_put_string(json_t *object, const char *key, const char *text)
{
	json_object_set_new(object, key, text_json(text));
}

/* Converts nanoseconds since boot to seconds since 1970. */
static double time_of_day(__u64 time)
{
	return (utc_now() - since_boot() + time) / 1e9;
}

static void event_put_port(json_t *object, __u32 key)
{
	if (key >= PORT_KEYS)
		return;
	event_put_string(object, "proto", key_protocol(key));
	json_object_set_new(object, "port", json_integer(key_port(key)));
	event_put_string(object, "service", service_name(key));
}

static void event_put_source(json_t *object, const __u8 *address, __u32 family)
{
	char text[ADDRESS_TEXT];

	if (family)
		event_put_string(object, "source", address_text(address, family, text));
}

static void event_put_knock(json_t *object, const struct event_names *names, __u32 door)
{
	const struct rule *rule = door ? ruleset_door(names->ruleset, door) : NULL;

	if (door)
		event_put_string(object, "knock", rule ? rule->knock->name : NULL);
}

static void event_put_signer(json_t *object, const struct event_names *names, __be32 number)
{
	size_t i = 0;

	while (i < names->signer_count && names->signers[i].number != number)
		i++;
	if (number)
		event_put_string(object, "key",
				 i < names->signer_count ? names->signers[i].name : NULL);
}

/* The line by the name that "stats" prints. */
static void event_put_line(json_t *object, const struct event_names *names, __u32 line)
{
	if (line < LINES_BUILTIN) {
		event_put_string(object, "line", line_name(line));
		return;
	}
	for (size_t i = 0; i < names->ruleset->count; i++) {
		const struct rule *rule = &names->ruleset->rules[i];
		cleanup_free char *text = NULL;

		if (rule->line != line && rule->limited_line != line)
			continue;
		text = rule_text(rule, false);
		json_object_set_new(
			object, "line",
			format_json("%s%s", rule->line == line ? "" : "limited: ", text ?: ""));
		return;
	}
	event_put_string(object, "line", NULL); /* the rule was deleted meanwhile */
}

/* An interface attached after event_names_read() has its current name. */
static void event_put_interface(json_t *object, const struct event_names *names, __u32 ifindex)
{
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < names->interface_count; i++) {
		if (names->interfaces[i].ifindex == ifindex) {
			event_put_string(object, "interface", names->interfaces[i].name);
			return;
		}
	}
	event_put_string(object, "interface", if_indextoname(ifindex, name));
}

json_t *event_json(const struct event *event, const struct event_names *names)
{
	json_t *object = json_object();

	json_object_set_new(object, "time", json_real(time_of_day(event->time)));
	event_put_string(object, "event", event_name(event->kind));
	event_put_interface(object, names, event->ifindex);
	event_put_port(object, event->key);
	event_put_source(object, event->address, event->family);
	if (event->port)
		json_object_set_new(object, "source_port", json_integer(ntohs(event->port)));
	if (event->kind == EVENT_DROP || event->kind == EVENT_REJECT)
		event_put_line(object, names, event->line);
	event_put_knock(object, names, event->door);
	event_put_signer(object, names, event->signer);
	return object;
}

json_t *expiry_json(const struct granted *granted, const struct event_names *names)
{
	json_t *object = json_object();

	json_object_set_new(object, "time", json_real(time_of_day(granted->grant.deadline)));
	event_put_string(object, "event", "expiry");
	event_put_source(object, granted->key.address, granted->key.family);
	event_put_knock(object, names, granted->key.door);
	return object;
}

json_t *listener_event_json(enum port_event event, __u64 time, __u32 key, json_t *listener)
{
	json_t *object = json_object();

	json_object_set_new(object, "time", json_real(time_of_day(time)));
	event_put_string(object, "event", port_event_name(event));
	event_put_port(object, key);
	json_object_update(object, listener);
	json_decref(listener);
	return object;
}

json_t *state_event_json(__u64 time, __u32 key, const char *state, const char *was)
{
	json_t *object = json_object();

	json_object_set_new(object, "time", json_real(time_of_day(time)));
	event_put_string(object, "event", port_event_name(PORT_STATE));
	event_put_port(object, key);
	event_put_string(object, "state", state);
	event_put_string(object, "was", was);
	return object;
}

static const char *text_of(const json_t *event, const char *key)
{
	return json_string_value(json_object_get(event, key)) ?: "-";
}

static void print_time(double seconds, FILE *out)
{
	time_t whole = seconds;
	struct tm local;
	char text[32];

	strftime(text, sizeof(text), "%F %T", localtime_r(&whole, &local));
	fprintf(out, "%s.%03d", text, (int)((seconds - whole) * 1000));
}

static void print_listener(const json_t *event, FILE *out)
{
	const char *program = json_string_value(json_object_get(event, "program"));
	json_int_t pid = json_integer_value(json_object_get(event, "pid"));

	if (program)
		fprintf(out, ": %s (pid %lld)", program, (long long)pid);
	else
		fputs(": unknown program", out);
	fprintf(out, " of user %s on %s", text_of(event, "user"), text_of(event, "address"));
}

void event_print(const json_t *event, FILE *out)
{
	const json_t *port = json_object_get(event, "port");
	const json_t *source_port = json_object_get(event, "source_port");

	print_time(json_real_value(json_object_get(event, "time")), out);
	fprintf(out, " %-8s", text_of(event, "event"));
	if (json_object_get(event, "interface"))
		fprintf(out, " %s", text_of(event, "interface"));
	if (port)
		fprintf(out, " %lld/%s", (long long)json_integer_value(port),
			text_of(event, "proto"));
	if (json_object_get(event, "state"))
		fprintf(out, ": %s, was %s", text_of(event, "state"), text_of(event, "was"));
	if (json_object_get(event, "program"))
		print_listener(event, out);
	if (json_object_get(event, "source"))
		fprintf(out, " from %s", text_of(event, "source"));
	if (source_port)
		fprintf(out, " port %lld", (long long)json_integer_value(source_port));
	if (json_object_get(event, "line"))
		fprintf(out, ": %s", text_of(event, "line"));
	if (json_object_get(event, "knock"))
		fprintf(out, ": knock %s", text_of(event, "knock"));
	if (json_object_get(event, "key"))
		fprintf(out, ", key %s", text_of(event, "key"));
	fputc('\n', out);
}
