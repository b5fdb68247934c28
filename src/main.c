/* Finds the command, runs it, returns its code. */
#include "command/main.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
