/* The control socket of the daemon: DIR/control.sock, mode 0600, the peer's user checked. One JSON
 * object a line each way: {"op": "status"} -> {"result": …} or {"error": "…", "code": N};
 * {"progress": "…"} before.
 */
#ifndef INGOT_CLOUD_CONTROL_H
#define INGOT_CLOUD_CONTROL_H

#include "base/buf.h"
#include "cloud/cloud.h"

struct control;

int control_start(struct cloud *c, struct control **ret, struct err *err) MUST_USE;
void control_stop(struct control *s); /* NULL is fine */

/* A socket address for a path of any length: name is filled with one that goes through
 * /proc/self/fd, dir_fd must stay open while it is used. */
struct sockaddr_un;
int control_address(const char *data_dir, int *ret_dir_fd, struct sockaddr_un *ret,
		    struct err *err) MUST_USE;
/* Reads one line (without its end) of at most max bytes; false at the end or on an error. */
bool control_read_line(int fd, struct buf *pending, size_t max, struct buf *ret);

/* ops.c: answers one request: a new reference, or NULL with err. progress may be called. */
json_t *control_answer(struct cloud *c, const json_t *request,
		       void (*progress)(void *data, const char *text), void *data, struct err *err);

#endif
