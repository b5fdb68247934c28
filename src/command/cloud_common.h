/* What the cloud commands share: the -data flag and one control request. */
#ifndef INGOT_COMMAND_CLOUD_COMMON_H
#define INGOT_COMMAND_CLOUD_COMMON_H

#include "command/command.h"

#include <jansson.h>

#define CLOUD_DATA_FLAG \
	{ \
		"data", FLAG_STRING, "dir", \
			.doc = "Data directory of the local cloud. Default: $INGOT_CLOUD_DATA, " \
			       "else ~/.local/share/ingot/cloud." \
	}

enum { CLOUD_NOT_RUNNING = 3 }; /* exit code of status */

char *cloud_data_dir(const struct flags *flags); /* caller frees; absolute */
/* Asks the daemon; takes the request over. On failure the message is printed and *ret_code set. */
json_t *cloud_ask(const struct invocation *in, json_t *request, int *ret_code);

#endif
