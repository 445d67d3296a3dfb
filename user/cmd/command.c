// SPDX-License-Identifier: GPL-2.0-only
#include "cmd/command.h"

int parse_json(int argc, char **argv, bool *json)
{
	*json = false;
	return options_parse(options_json, &argc, argv, json) ? -1 : argc;
}

int parse_change(int argc, char **argv, struct change *change)
{
	*change = (struct change){ 0 };
	return options_parse(change_options, &argc, argv, change) ? -1 : argc;
}
