/* The live part of the terminal reader: a line for each running build, under the log. */
#ifndef INGOT_ENGINE_STATUS_H
#define INGOT_ENGINE_STATUS_H

#include "engine/event.h"

struct status; /* of all builds; guarded by the stream's lock */

struct status *status_new(bool color);
void status_free(struct status *s);
/* Takes note of an EVENT_STEP. */
void status_step(struct status *s, const struct event *e);
/* Appends what takes the drawn lines away / draws them, for a screen of that size. */
void status_erase(struct status *s, struct buf *out);
void status_draw(struct status *s, size_t rows, size_t columns, struct buf *out);
bool status_any(const struct status *s);

#endif
