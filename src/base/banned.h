/* Calls that do not compile here, each with what to use. Included before every file by the build.
 */
#ifndef INGOT_BASE_BANNED_H
#define INGOT_BASE_BANNED_H

/* The headers that declare them come first, or the poison would hit their declarations. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#pragma GCC poison gets strcpy strcat strncpy strncat sprintf vsprintf \
	strtok					  /* buf_*, arena_printf, str_split */
#pragma GCC poison gmtime localtime ctime asctime /* gmtime_r and friends: threads */
#pragma GCC poison mktemp tmpnam tempnam				       /* os_temp_file */
#pragma GCC poison system popen /* proc_run: no shell */
#pragma GCC poison atoi atol atof					       /* parse_i64 */

#endif
