/* Calls that do not compile here, each with what to use. The build puts it before every file. */
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

/* buf_*, arena_printf, str_split */
#pragma GCC poison gets strcpy strcat strncpy strncat sprintf vsprintf strtok
/* gmtime_r and friends: threads */
#pragma GCC poison gmtime localtime ctime asctime
/* os_temp_file */
#pragma GCC poison mktemp tmpnam tempnam
/* proc_run: no shell */
#pragma GCC poison system popen
/* parse_i64 */
#pragma GCC poison atoi atol atof

#endif
