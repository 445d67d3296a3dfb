// SPDX-License-Identifier: GPL-2.0-only
/* Any text read as a configuration of knockd: its sequences and commands. */
#include "fuzz.h"
#include "knockd/knockd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = input_text(data, size);
	struct knockd knockd;

	if (!text)
		return 0;
	nowhere();
	if (!knockd_parse(text, &knockd)) {
		for (size_t i = 0; i < knockd.count; i++) {
			struct knockd_command command;
			struct sequence sequence;

			if (knockd.events[i].sequence.text)
				knockd_sequence(knockd.events[i].sequence.text, &sequence);
			if (knockd.events[i].start_command.text)
				knockd_command(knockd.events[i].start_command.text, &command);
		}
	}
	knockd_clear(&knockd);
	free(text);
	return 0;
}
