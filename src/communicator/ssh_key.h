/* Private keys as text: found, read and judged before any library sees them, so that mistakes are
 * named. */
#ifndef INGOT_COMMUNICATOR_SSH_KEY_H
#define INGOT_COMMUNICATOR_SSH_KEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* The path with a leading ~ or ~/ replaced by the user's home. */
char *ssh_key_expand(struct arena *a, const char *path);
/* Whether text holds a private key that can be used without asking: PEM or OpenSSH form, not
 * encrypted. Errors: ERR_INVALID, `name` is what the message calls it. */
int ssh_key_check(struct str text, const char *name, struct err *err) MUST_USE;
/* Reads and checks a key file. ret holds a secret: the caller wipes it (ssh_key_wipe). */
int ssh_key_read(const char *path, struct buf *ret, struct err *err) MUST_USE;
void ssh_key_wipe(struct buf *b);
/* Both files, cert may be NULL. */
int ssh_key_check_file(const char *path, const char *cert, struct err *err) MUST_USE;

#endif
