// SPDX-License-Identifier: GPL-2.0-only
#include "rules/term.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "base/number.h"

#define NAME_SIZE 64

/* Makes a string of a token; false if no service or protocol has so long a name. */
static bool copy_name(const char *text, size_t length, char name[NAME_SIZE])
{
	if (length >= NAME_SIZE)
		return false;
	memcpy(name, text, length);
	name[length] = 0;
	return true;
}

static int parse_transport(const char *text, size_t length, __u8 *transports)
{
	if (length == 3 && !memcmp(text, "tcp", 3))
		*transports = TRANSPORT_TCP;
	else if (length == 3 && !memcmp(text, "udp", 3))
		*transports = TRANSPORT_UDP;
	else
		return -EINVAL;
	return 0;
}

/* A port or range in digits. Returns 1, 0 if the text is something else, or -EINVAL. */
static int parse_port_range(const char *text, size_t length, struct term *term,
			    const char **expected)
{
	const char *dash = memchr(text, '-', length);
	size_t first_length = dash ? (size_t)(dash - text) : length;
	unsigned long first, last;
	int err = number_parse(text, first_length, 65535, &first);
	int err_last = err;

	last = first;
	if (dash)
		err_last = number_parse(dash + 1, length - first_length - 1, 65535, &last);
	if (err == -EINVAL || err_last == -EINVAL)
		return 0;
	*expected = "expected a port from 0 to 65535";
	if (err || err_last)
		return -EINVAL;
	*expected = "expected a range with the lower port first, as in 6000-6100";
	if (last < first)
		return -EINVAL;
	term->first = first;
	term->last = last;
	return 1;
}

/* A service's name. TCP and UDP become one term if the service has the same port on both. */
static int parse_service(const char *name, __u8 transports, struct term terms[2])
{
	int tcp = transports & TRANSPORT_TCP ? service_port(name, TRANSPORT_TCP) : -ENOENT;
	int udp = transports & TRANSPORT_UDP ? service_port(name, TRANSPORT_UDP) : -ENOENT;
	int count = 0;

	if (tcp >= 0 && tcp == udp) {
		terms[0] = (struct term){ TRANSPORT_BOTH, 0, tcp, tcp };
		return 1;
	}
	if (tcp >= 0)
		terms[count++] = (struct term){ TRANSPORT_TCP, 0, tcp, tcp };
	if (udp >= 0)
		terms[count++] = (struct term){ TRANSPORT_UDP, 0, udp, udp };
	return count;
}

static int parse_protocol_name(const char *name, struct term *term, const char **expected)
{
	int number = protocol_number(name);

	if (number == IPPROTO_TCP || number == IPPROTO_UDP) {
		*expected = "expected ports with it, as in 0-65535/tcp";
		return -EINVAL;
	}
	/* protocols(5) gives "ip" the number 0; in other firewalls "ip" means every protocol. */
	if (number == IPPROTO_IP && !strcasecmp(name, "ip")) {
		*expected = "expected one IP protocol; for all of them write \"from\" without "
			    "ports (0/ip is protocol number 0)";
		return -EINVAL;
	}
	if (number < 0)
		return -EINVAL;
	*term = (struct term){ .protocol = number };
	return 1;
}

/* "47/ip": an IP protocol by its number. */
static int parse_protocol_number(const char *text, size_t length, struct term *term,
				 const char **expected)
{
	unsigned long number;

	*expected = "expected the number of an IP protocol from 0 to 255 before /ip";
	if (number_parse(text, length, 255, &number))
		return -EINVAL;
	*expected = "expected ports with it, as in 0-65535/tcp";
	if (number == IPPROTO_TCP || number == IPPROTO_UDP)
		return -EINVAL;
	*term = (struct term){ .protocol = number };
	return 1;
}

int term_parse(const char *text, size_t length, struct term terms[2], const char **expected)
{
	const char *slash = memchr(text, '/', length);
	__u8 transports = TRANSPORT_BOTH;
	char name[NAME_SIZE];
	int count;

	if (slash && text + length - slash == 3 && !memcmp(slash, "/ip", 3))
		return parse_protocol_number(text, slash - text, &terms[0], expected);
	*expected = "expected tcp or udp after the slash";
	if (slash && parse_transport(slash + 1, text + length - slash - 1, &transports))
		return -EINVAL;
	if (slash)
		length = slash - text;
	terms[0] = (struct term){ .transports = transports };
	count = parse_port_range(text, length, &terms[0], expected);
	if (count)
		return count;
	*expected = slash ? "expected a port, a range or the name of a service"
			  : "expected a port, a range, or the name of a service or IP protocol";
	if (!copy_name(text, length, name))
		return -EINVAL;
	count = parse_service(name, transports, terms);
	if (count || slash)
		return count ?: -EINVAL;
	return parse_protocol_name(name, &terms[0], expected);
}

/* Without fprintf(), which took most of the time of printing 65,536 rules. */
static void print_decimal(__u16 port, FILE *out)
{
	char digits[5], *end = digits + sizeof(digits);

	for (char *digit = digits_before(end, port); digit < end; digit++)
		putc_unlocked(*digit, out);
}

void term_print(const struct term *term, FILE *out)
{
	if (!term->transports) {
		fprintf(out, "%u/ip", term->protocol);
		return;
	}
	print_decimal(term->first, out);
	if (term->last != term->first) {
		putc_unlocked('-', out);
		print_decimal(term->last, out);
	}
	if (term->transports != TRANSPORT_BOTH)
		fputs(term->transports == TRANSPORT_TCP ? "/tcp" : "/udp", out);
}

int term_compare(const void *left, const void *right)
{
	const struct term *a = left, *b = right;

	if (!a->transports != !b->transports)
		return !a->transports - !b->transports;
	if (a->protocol != b->protocol)
		return a->protocol - b->protocol;
	if (a->first != b->first)
		return a->first - b->first;
	if (a->last != b->last)
		return a->last - b->last;
	return a->transports - b->transports;
}

bool term_has_key(const struct term *term, __u32 key)
{
	__u8 transport = key < PORT_KEY_UDP ? TRANSPORT_TCP : TRANSPORT_UDP;

	return term->transports & transport && term->first <= key_port(key) &&
	       key_port(key) <= term->last;
}
