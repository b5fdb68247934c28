/* Cancel flag as an eventfd, so that every wait can be interrupted at once.
 *
 * One for the process (set by the thread that takes signals), children for builds: a child is
 * cancelled with its parent or alone. Waits poll() cancel_fd(), which becomes readable for good.
 */
#ifndef INGOT_BASE_CANCEL_H
#define INGOT_BASE_CANCEL_H

#include "base/base.h"

struct cancel;
struct err;

struct cancel *cancel_new(struct cancel *parent); /* parent may be NULL and must outlive it */
void cancel_free(struct cancel *c);
DEFINE_AUTO_PTR(cancel, struct cancel *, cancel_free);
/* Thread-safe, idempotent; not from a signal handler, as it takes a lock. */
void cancel_set(struct cancel *c);
bool cancel_is_set(const struct cancel *c);
int cancel_fd(const struct cancel *c); /* borrowed */
/* 0, or -1 with ERR_CANCELLED "cancelled". */
int cancel_check(const struct cancel *c, struct err *err);

#endif
