/* What the cloud commands share: the -data flag, one control request, and reading its answer. */
#ifndef INGOT_COMMAND_CLOUD_COMMON_H
#define INGOT_COMMAND_CLOUD_COMMON_H

#include "command/command.h"

#include <jansson.h>

#define CLOUD_DATA_FLAG \
	{ "data", FLAG_STRING, "dir", \
	  .doc = "Data directory of the local cloud. Default: $INGOT_CLOUD_DATA, else " \
		 "~/.local/share/ingot/cloud." }

enum { CLOUD_NOT_RUNNING = 3 }; /* exit code of status */

char *cloud_data_dir(const struct flags *flags); /* caller frees; absolute */
/* Asks the daemon; takes the request over. On failure the message is printed and *ret_code set. */
json_t *cloud_ask(const struct invocation *in, json_t *request, int *ret_code);
/* A member of an answer, "-" where it is missing; borrowed. */
const char *cloud_text(const json_t *answer, const char *member);
/* A fault plan from its file, unchecked. Errors: ERR_INVALID with file, line and column. */
int cloud_read_faults(const char *path, json_t **ret, struct err *err) MUST_USE;

#endif
