/* The program's entry, apart from main() so that tests can link everything. */
#ifndef INGOT_COMMAND_MAIN_H
#define INGOT_COMMAND_MAIN_H

int command_main(int argc, char **argv); /* exit code */

#endif
