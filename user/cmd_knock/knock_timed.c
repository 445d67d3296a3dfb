// SPDX-License-Identifier: GPL-2.0-only
#include "cmd_knock/knock_timed.h"

#include <string.h>

#include "base/clock.h"
#include "rules/totp.h"

__u64 knock_timed_window(void)
{
	return utc_now() / 1000000000 / WINDOW_SECONDS;
}

int knock_timed_sequence(const struct knock *knock, __u64 window, struct sequence *sequence)
{
	struct totp totp;
	int err = totp_read(knock->secret, &totp);

	if (!err)
		totp_sequence(&totp, knock, window, sequence);
	explicit_bzero(&totp, sizeof(totp));
	return err;
}
