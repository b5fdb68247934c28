/* SIGINT, SIGTERM and SIGHUP as calls on a thread of their own: nothing else of the process sees
 * them. */
#ifndef INGOT_COMMAND_INTERRUPT_H
#define INGOT_COMMAND_INTERRUPT_H

struct interrupt;

/* Before any other thread. first: on the first signal, with its name as the reference prints it
 * ("interrupt", "terminated"); second: on the next one, must end the process. Both run on the
 * watcher's thread. */
struct interrupt *interrupt_watch(void (*first)(void *data, const char *signal),
				  void (*second)(void *data), void *data);
void interrupt_end(struct interrupt *i); /* signals do what they did before; NULL is fine */

#endif
