// SPDX-License-Identifier: GPL-2.0-only
/* Any file read as keys of signed knocks, and as the secret of timed knocks. */
#include "fuzz.h"
#include "rules/signing.h"
#include "rules/totp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = input_file(data, size);
	struct signing_key *keys = NULL;
	struct totp totp;
	size_t count = 0;

	nowhere();
	if (!keys_read(path, &keys, &count)) {
		for (size_t i = 0; i < count; i++)
			key_opens(&keys[i], "ssh");
	}
	keys_free(keys, count);
	if (!totp_read(path, &totp) &&
	    (totp.size < TOTP_SECRET_MIN || totp.size > TOTP_SECRET_MAX))
		abort();
	return 0;
}
