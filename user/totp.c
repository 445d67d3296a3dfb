// SPDX-License-Identifier: GPL-2.0-only
#include "totp.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "log.h"
#include "secret.h"

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
		err = fail(-EINVAL,
			   "%s:1: expected a line of %d to %d hexadecimal digits, as \"openssl "
			   "rand -hex 32\" makes them",
			   path, 2 * TOTP_SECRET_MIN, 2 * TOTP_SECRET_MAX);
	secret_file_free(text);
	return err;
}

static __u32 ports_of(const struct term *range)
{
	return range->last - range->first + 1;
}

__u32 totp_range(const struct knock *knock)
{
	if (!knock->secret)
		return 0;
	return ports_of(&knock->range) * (knock->range.transports == TRANSPORT_BOTH ? 2 : 1);
}

__u32 totp_key(const struct term *range, __u32 place)
{
	bool udp = !(range->transports & TRANSPORT_TCP) || place >= ports_of(range);

	return (udp ? PORT_KEY_UDP : PORT_KEY_TCP) + range->first + place % ports_of(range);
}

int totp_sequence(const struct totp *totp, const struct knock *knock, __u64 window,
		  struct sequence *sequence)
{
	__be64 counter = htobe64(window);
	__be32 words[MAX_STEPS];
	unsigned int size = sizeof(words);
	__u32 range = totp_range(knock);

	_Static_assert(sizeof(words) == 64, "the digest of SHA-512");
	if (!HMAC(EVP_sha512(), totp->secret, totp->size, (const unsigned char *)&counter,
		  sizeof(counter), (unsigned char *)words, &size))
		return fail(-EIO, "OpenSSL has no HMAC-SHA-512");
	sequence->count = knock->steps;
	for (__u32 i = 0; i < knock->steps; i++) {
		__u32 place = ntohl(words[i]) % range;

		if (i && totp_key(&knock->range, place) == sequence->steps[i - 1])
			place = (place + 1) % range;
		sequence->steps[i] = totp_key(&knock->range, place);
	}
	return 0;
}
