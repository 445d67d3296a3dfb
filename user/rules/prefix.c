// SPDX-License-Identifier: GPL-2.0-only
#include "rules/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/number.h"

/* Either family; sets all but the length. */
static int prefix_parse_address(const char *text, struct prefix *prefix)
{
	if (inet_pton(AF_INET, text, prefix->address) == 1)
		prefix->family = 4;
	else if (inet_pton(AF_INET6, text, prefix->address) == 1)
		prefix->family = 6;
	else
		return -EINVAL;
	return 0;
}

static int whole_length(const struct prefix *prefix)
{
	return prefix->family == 4 ? 32 : 128;
}

/* Clears the bits after the first `length`; returns whether one of them was set. */
static bool clear_host_bits(struct prefix *prefix)
{
	bool any = false;

	for (int i = 0; i < 16; i++) {
		int kept = prefix->length - 8 * i;
		__u8 mask = kept >= 8 ? 0xFF : kept <= 0 ? 0 : 0xFF << (8 - kept);

		any |= (prefix->address[i] & ~mask) != 0;
		prefix->address[i] &= mask;
	}
	return any;
}

static void explain_host_bits(const struct prefix *prefix, char *expected)
{
	char text[PREFIX_ERROR] = "";
	cleanup_file FILE *out = fmemopen(text, sizeof(text), "w");

	if (out) {
		prefix_print(prefix, out);
		fflush(out);
	}
	snprintf(expected, PREFIX_ERROR, "but host bits are set: expected %.64s", text);
}

int prefix_parse(const char *text, struct prefix *prefix, char expected[PREFIX_ERROR])
{
	const char *slash = strchrnul(text, '/');
	char address[INET6_ADDRSTRLEN + 1];
	unsigned long length, bits;

	*prefix = (struct prefix){ 0 };
	snprintf(expected, PREFIX_ERROR, "expected an address or prefix, as in 192.0.2.0/24");
	if ((size_t)(slash - text) >= sizeof(address))
		return -EINVAL;
	snprintf(address, sizeof(address), "%.*s", (int)(slash - text), text);
	if (prefix_parse_address(address, prefix))
		return -EINVAL;
	bits = whole_length(prefix);
	length = bits;
	if (*slash && number_parse(slash + 1, strlen(slash + 1), bits, &length)) {
		snprintf(expected, PREFIX_ERROR, "expected a prefix length from 0 to %lu",
			 bits);
		return -EINVAL;
	}
	prefix->length = length;
	if (!clear_host_bits(prefix))
		return 0;
	explain_host_bits(prefix, expected);
	return -EINVAL;
}

void prefix_print(const struct prefix *prefix, FILE *out)
{
	char text[INET6_ADDRSTRLEN];
	bool ipv4 = prefix->family == 4;

	fputs(inet_ntop(ipv4 ? AF_INET : AF_INET6, prefix->address, text, sizeof(text)), out);
	if (prefix->length != whole_length(prefix))
		fprintf(out, "/%u", prefix->length);
}

int prefix_compare(const void *left, const void *right)
{
	const struct prefix *a = left, *b = right;
	int order;

	if (a->family != b->family)
		return a->family - b->family;
	order = memcmp(a->address, b->address, sizeof(a->address));
	return order ?: a->length - b->length;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	int whole = outer->length / 8, bits = outer->length % 8;

	if (outer->family != inner->family || outer->length > inner->length ||
	    memcmp(outer->address, inner->address, whole))
		return false;
	return !bits || !((outer->address[whole] ^ inner->address[whole]) >> (8 - bits));
}

struct prefix prefix_common(const struct prefix *one, const struct prefix *other)
{
	struct prefix common = *one;

	if (other->length < common.length)
		common.length = other->length;
	clear_host_bits(&common);
	while (!prefix_contains(&common, other)) {
		common.length--;
		clear_host_bits(&common);
	}
	return common;
}

/* Adds one to the last bit of the prefix, with carry. */
bool prefix_next_address(const struct prefix *prefix, struct prefix *address)
{
	*address = *prefix;
	address->length = whole_length(prefix);
	for (int i = prefix->length; i-- > 0;) {
		__u8 bit = 0x80 >> i % 8;

		address->address[i / 8] ^= bit;
		if (address->address[i / 8] & bit)
			return true;
	}
	return false;
}

bool prefix_unmap(struct prefix *prefix)
{
	static const struct prefix mapped = { 6, 96, { [10] = 0xFF, 0xFF } };
	struct prefix ipv4 = { 4, prefix->length - mapped.length, { 0 } };

	if (!prefix_contains(&mapped, prefix))
		return false;
	memcpy(ipv4.address, prefix->address + 12, 4);
	*prefix = ipv4;
	return true;
}

int address_parse(const char *text, struct prefix *address)
{
	char expected[PREFIX_ERROR];

	if (prefix_parse(text, address, expected) || address->length != whole_length(address))
		return -EINVAL;
	prefix_unmap(address);
	return 0;
}

const char *address_text(const __u8 *address, __u32 family, char text[ADDRESS_TEXT])
{
	_Static_assert(ADDRESS_TEXT == INET6_ADDRSTRLEN, "the size of <arpa/inet.h>");
	return inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, ADDRESS_TEXT);
}
