// SPDX-License-Identifier: GPL-2.0-only
/* Any file read as a capture: every byte of every frame can be read. */
#include "host/capture.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct capture *capture;
	struct captured captured;

	nowhere();
	if (capture_open(input_file(data, size), &capture))
		return 0;
	while (capture_next(capture, &captured) == 1) {
		for (size_t i = 0; i < captured.size && i < CAPTURED_MAX; i++)
			asm volatile("" : : "r"(captured.frame[i])); /* reads it */
	}
	capture_close(capture);
	return 0;
}
