/* JSON text laid out as it is written: two spaces a level.
 *
 *	struct json_writer w = { .out = &out };
 *	json_open(&w, '{');
 *	json_pair(&w, "type", "object");
 *	json_key(&w, "n");
 *	json_raw(&w, "1");
 *	json_close(&w, '}');
 */
#ifndef INGOT_BASE_JSON_WRITER_H
#define INGOT_BASE_JSON_WRITER_H

#include "base/buf.h"

struct json_writer {
	struct buf *out;
	int depth;
	bool item;  /* one was written on this level */
	bool keyed; /* a key waits for its value */
};

/* '{' or '[', and its end. */
void json_open(struct json_writer *w, char bracket);
void json_close(struct json_writer *w, char bracket);
/* The key of the value that comes next. */
void json_key(struct json_writer *w, const char *key);
/* A value: a string, or JSON text as it stands. */
void json_text(struct json_writer *w, const char *s);
void json_raw(struct json_writer *w, const char *json);
/* Key and string; key and JSON text. */
void json_pair(struct json_writer *w, const char *key, const char *value);
void json_raw_pair(struct json_writer *w, const char *key, const char *json);

#endif
