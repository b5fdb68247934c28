/* The readers of the event stream that print: one for people, one for programs, one for the log. */
#ifndef INGOT_ENGINE_READERS_H
#define INGOT_ENGINE_READERS_H

#include "engine/event.h"

/* For people. */
struct terminal_options {
	int fd;
	bool color;	 /* escapes */
	bool legend;	 /* says which build has which colour */
	bool timestamps; /* -timestamp-ui */
	bool status;	 /* fd is a terminal that can move its cursor: live lines under the log */
};
struct terminal;
/* Adds itself to the stream; free after the last event and before the stream. */
struct terminal *terminal_new(struct events *s, const struct terminal_options *o);
/* No status lines from now on; those on the screen go with the next message. NULL is fine. */
void terminal_end_status(struct terminal *t);
void terminal_free(struct terminal *t);

/* For programs: -machine-readable. */
struct machine_reader;
struct machine_reader *machine_reader_new(struct events *s, int fd);
void machine_reader_free(struct machine_reader *m);

/* The log file has what people see, too. */
void log_reader_add(struct events *s);

#endif
