/* The way from argv to a command. */
#include "command/main.h"

#include <stdio.h>

int command_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	puts("ingot " INGOT_VERSION);
	return 0;
}
