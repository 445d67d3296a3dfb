// SPDX-License-Identifier: GPL-2.0-only
#include "rules/totp.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <nettle/hmac.h>
#include <string.h>

#include "base/array.h"
#include "base/log.h"
#include "base/secret.h"

int totp_read(const char *path, struct totp *totp)
{
	size_t length;
	char *text;
	int err = secret_file_read(path, &text);

	if (err)
		return err;
	length = strcspn(text, "\r\n");
	if (!text[length + strspn(text + length, "\r\n")])
		text[length] = 0;
	totp->size = length / 2;
	if (totp->size < TOTP_SECRET_MIN || totp->size > TOTP_SECRET_MAX ||
	    !hex_parse(text, totp->secret, totp->size))
		err = fail(
			-EINVAL,
			"%s:1: expected a line of %d to %d hexadecimal digits, as printed by "
			"\"openssl rand -hex 32\"",
			path, 2 * TOTP_SECRET_MIN, 2 * TOTP_SECRET_MAX);
	secret_file_free(text);
	return err;
}

static __u32 range_width(const struct term *range)
{
	return range->last - range->first + 1;
}

__u32 totp_range(const struct knock *knock)
{
	if (!knock->secret)
		return 0;
	return range_width(&knock->range) * (knock->range.transports == TRANSPORT_BOTH ? 2 : 1);
}

__u32 totp_key(const struct term *range, __u32 index)
{
	bool udp = !(range->transports & TRANSPORT_TCP) || index >= range_width(range);

	return (udp ? PORT_KEY_UDP : PORT_KEY_TCP) + range->first + index % range_width(range);
}

void totp_sequence(const struct totp *totp, const struct knock *knock, __u64 window,
		   struct sequence *sequence)
{
	__be64 counter = htobe64(window);
	__be32 digest[SHA512_DIGEST_SIZE / sizeof(__be32)];
	struct hmac_sha512_ctx hmac;
	__u32 range = totp_range(knock);

	_Static_assert(ARRAY_SIZE(digest) >= MAX_STEPS,
		       "an integer of the digest for each step");
	hmac_sha512_set_key(&hmac, totp->size, totp->secret);
	hmac_sha512_update(&hmac, sizeof(counter), (const void *)&counter);
	hmac_sha512_digest(&hmac, sizeof(digest), (void *)digest);
	explicit_bzero(&hmac, sizeof(hmac));
	sequence->count = knock->steps;
	for (__u32 i = 0; i < knock->steps; i++) {
		__u32 index = ntohl(digest[i]) % range;

		if (i && totp_key(&knock->range, index) == sequence->steps[i - 1])
			index = (index + 1) % range;
		sequence->steps[i] = totp_key(&knock->range, index);
	}
}
