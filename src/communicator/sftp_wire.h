/* Packets of sftp version 3 (draft-ietf-secsh-filexfer-02): one request, one answer, and the calls
 * that both files and directories need. Private to this room; the caller holds the connection. */
#ifndef INGOT_COMMUNICATOR_SFTP_WIRE_H
#define INGOT_COMMUNICATOR_SFTP_WIRE_H

#include "communicator/ssh_comm.h"

enum {
	SFTP_INIT = 1,
	SFTP_VERSION,
	SFTP_OPEN,
	SFTP_CLOSE,
	SFTP_READ,
	SFTP_WRITE,
	SFTP_FSETSTAT = 10,
	SFTP_OPENDIR,
	SFTP_READDIR,
	SFTP_MKDIR = 14,
	SFTP_STAT = 17,
	SFTP_STATUS = 101,
	SFTP_HANDLE,
	SFTP_DATA,
	SFTP_NAME,
	SFTP_ATTRS
};
enum { FX_OK, FX_EOF, FX_NO_SUCH_FILE, FX_PERMISSION_DENIED, FX_FAILURE };
enum { FXF_READ = 1, FXF_WRITE = 2, FXF_CREAT = 8, FXF_TRUNC = 16 };
enum { ATTR_SIZE = 1, ATTR_OWNER = 2, ATTR_MODE = 4, ATTR_TIMES = 8 };

struct sftp {
	struct ssh_comm *s;
	struct ssh_chan chan;
	struct ssh_text text; /* out: answers that were not looked at yet */
	size_t used;	      /* of text.out */
	uint32_t id;
	struct buf packet;
};

/* One answer; body points into the input and lives until the next one. */
struct sftp_answer {
	uint8_t type;
	uint32_t id;
	struct str body;
};

struct sftp_attrs {
	bool has_size, has_mode;
	uint64_t size;
	uint32_t mode;
};

int sftp_start(struct sftp *f, struct ssh_comm *s, struct err *err) MUST_USE;
void sftp_stop(struct sftp *f); /* also of one that did not start */

/* A request in f->packet: its number is given back, the caller puts the rest behind it. */
uint32_t sftp_begin(struct sftp *f, uint8_t type);
void sftp_put32(struct buf *b, uint32_t n);
void sftp_put64(struct buf *b, uint64_t n);
void sftp_put_str(struct buf *b, struct str s);
int sftp_send(struct sftp *f, struct err *err) MUST_USE;
int sftp_receive(struct sftp *f, struct sftp_answer *ret, struct err *err) MUST_USE;
int sftp_call(struct sftp *f, struct sftp_answer *ret, struct err *err) MUST_USE; /* both */

/* Take a field off the front of an answer; false when it is not there. */
bool sftp_take32(struct str *s, uint32_t *ret);
bool sftp_take_str(struct str *s, struct str *ret);
bool sftp_take_attrs(struct str *s, struct sftp_attrs *ret);
bool sftp_is_ok(const struct sftp_answer *a);
/* Errors, always -1: an answer that is no success, told with the path; one that is no answer. */
int sftp_refused(const struct sftp_answer *a, const char *path, struct err *err);
int sftp_malformed(struct err *err);

/* 1: there is nothing of that name. */
int sftp_stat(struct sftp *f, const char *path, struct sftp_attrs *ret, struct err *err) MUST_USE;
/* type: SFTP_OPEN (with FXF_… flags) or SFTP_OPENDIR. */
int sftp_open(struct sftp *f, uint8_t type, const char *path, uint32_t flags,
	      struct buf *ret_handle, struct err *err) MUST_USE;
int sftp_close(struct sftp *f, const struct buf *handle, const char *path,
	       struct err *err) MUST_USE;

#endif
