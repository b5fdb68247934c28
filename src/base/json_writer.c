/* JSON text laid out as it is written. */
#include "base/json_writer.h"

static void next_item(struct json_writer *w)
{
	if (w->keyed) {
		w->keyed = false;
		return;
	}
	if (w->item)
		buf_addc(w->out, ',');
	if (w->depth)
		buf_printf(w->out, "\n%*s", w->depth * 2, "");
	w->item = true;
}

void json_open(struct json_writer *w, char bracket)
{
	next_item(w);
	buf_addc(w->out, bracket);
	w->depth++;
	w->item = false;
}

void json_close(struct json_writer *w, char bracket)
{
	w->depth--;
	if (w->item)
		buf_printf(w->out, "\n%*s", w->depth * 2, "");
	buf_addc(w->out, bracket);
	w->item = true;
}

void json_key(struct json_writer *w, const char *key)
{
	next_item(w);
	buf_add_json_string(w->out, str_from(key));
	buf_adds(w->out, ": ");
	w->keyed = true;
}

void json_raw(struct json_writer *w, const char *json)
{
	next_item(w);
	buf_adds(w->out, json);
}

void json_text(struct json_writer *w, const char *s)
{
	next_item(w);
	buf_add_json_string(w->out, str_from(s));
}

void json_pair(struct json_writer *w, const char *key, const char *value)
{
	json_key(w, key);
	json_text(w, value);
}

void json_raw_pair(struct json_writer *w, const char *key, const char *json)
{
	json_key(w, key);
	json_raw(w, json);
}
