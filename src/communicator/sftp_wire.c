/* An sftp client's packets. The library's own client waits for the answer to each 32 KiB, blocks,
 * and hears no cancel flag; this one keeps many requests on the way and waits in ssh_chan_step. */
#include "communicator/sftp_wire.h"

#include "base/clock.h"

#include <endian.h>

#define ANSWER_MAX ((size_t)256 * 1024)
#define INPUT_MAX ((size_t)64 << 20)
#define ANSWER_MS 300000

void sftp_put32(struct buf *b, uint32_t n)
{
	uint32_t be = htobe32(n);
	buf_add(b, &be, 4);
}

void sftp_put64(struct buf *b, uint64_t n)
{
	uint64_t be = htobe64(n);
	buf_add(b, &be, 8);
}

void sftp_put_str(struct buf *b, struct str s)
{
	sftp_put32(b, (uint32_t)s.n);
	buf_add_str(b, s);
}

bool sftp_take32(struct str *s, uint32_t *ret)
{
	uint32_t be;
	if (s->n < 4)
		return false;
	memcpy(&be, s->p, 4);
	*ret = be32toh(be);
	*s = str_slice(*s, 4, s->n);
	return true;
}

static bool take64(struct str *s, uint64_t *ret)
{
	uint32_t high, low;
	if (!sftp_take32(s, &high) || !sftp_take32(s, &low))
		return false;
	*ret = (uint64_t)high << 32 | low;
	return true;
}

bool sftp_take_str(struct str *s, struct str *ret)
{
	uint32_t n;
	if (!sftp_take32(s, &n) || n > s->n)
		return false;
	*ret = str_slice(*s, 0, n);
	*s = str_slice(*s, n, s->n);
	return true;
}

bool sftp_take_attrs(struct str *s, struct sftp_attrs *ret)
{
	uint32_t flags, skip;
	*ret = (struct sftp_attrs){ 0 };
	if (!sftp_take32(s, &flags))
		return false;
	ret->has_size = flags & ATTR_SIZE;
	ret->has_mode = flags & ATTR_MODE;
	if (ret->has_size && !take64(s, &ret->size))
		return false;
	if ((flags & ATTR_OWNER) && (!sftp_take32(s, &skip) || !sftp_take32(s, &skip)))
		return false;
	if (ret->has_mode && !sftp_take32(s, &ret->mode))
		return false;
	return !(flags & ATTR_TIMES) || (sftp_take32(s, &skip) && sftp_take32(s, &skip));
}

int sftp_malformed(struct err *err)
{
	return err_set(err, ERR_REMOTE, "the sftp server's answer is malformed");
}

uint32_t sftp_begin(struct sftp *f, uint8_t type)
{
	buf_reset(&f->packet);
	sftp_put32(&f->packet, 0);
	buf_addc(&f->packet, (char)type);
	sftp_put32(&f->packet, ++f->id);
	return f->id;
}

int sftp_send(struct sftp *f, struct err *err)
{
	uint32_t be = htobe32((uint32_t)(f->packet.n - 4));
	memcpy(f->packet.p, &be, 4);
	return ssh_chan_write(&f->chan, f->packet.p, f->packet.n, err);
}

int sftp_receive(struct sftp *f, struct sftp_answer *ret, struct err *err)
{
	struct buf *in = &f->text.out;
	int64_t deadline = clock_ms() + ANSWER_MS;
	buf_remove(in, 0, f->used);
	f->used = 0;
	for (;;) {
		struct str s = buf_str(in);
		uint32_t n;
		if (sftp_take32(&s, &n) && (n < 1 || n > ANSWER_MAX - 4))
			return sftp_malformed(err);
		if (in->n >= 4 && in->n - 4 >= n) {
			s = str_slice(s, 0, n);
			ret->type = (uint8_t)s.p[0];
			ret->body = str_slice(s, 1, n);
			ret->id = 0;
			f->used = 4 + n;
			if (ret->type != SFTP_VERSION && !sftp_take32(&ret->body, &ret->id))
				return sftp_malformed(err);
			return 0;
		}
		if (f->chan.closed || f->chan.eof)
			return f->text.err.n
				       ? ssh_text_failed(&f->text, 1, err)
				       : err_set(err, ERR_REMOTE, "the sftp server ended early");
		if (clock_ms() >= deadline)
			return err_set(err, ERR_LOST, "the sftp server does not answer");
		if (ssh_chan_step(&f->chan, deadline, err) < 0)
			return -1;
	}
}

int sftp_refused(const struct sftp_answer *a, const char *path, struct err *err)
{
	static const char *const texts[] = { "", "it ends too soon", "No such file or directory",
					     "Permission denied", "the server says no" };
	struct str body = a->body, text = { 0 };
	uint32_t code;
	if (a->type != SFTP_STATUS || !sftp_take32(&body, &code))
		return sftp_malformed(err);
	sftp_take_str(&body, &text);
	enum err_code kind = code == FX_NO_SUCH_FILE ? ERR_NOT_FOUND : ERR_REMOTE;
	if (code > FX_OK && code < FX_FAILURE)
		return err_set(err, kind, "%s: %s", path, texts[code]);
	return err_set(err, kind, "%s: %s" STR_FMT, path, text.n ? "" : texts[FX_FAILURE],
		       STR_ARG(text));
}

bool sftp_is_ok(const struct sftp_answer *a)
{
	struct str body = a->body;
	uint32_t code;
	return a->type == SFTP_STATUS && sftp_take32(&body, &code) && code == FX_OK;
}

int sftp_call(struct sftp *f, struct sftp_answer *ret, struct err *err)
{
	if (sftp_send(f, err) < 0)
		return -1;
	return sftp_receive(f, ret, err);
}

int sftp_start(struct sftp *f, struct ssh_comm *s, struct err *err)
{
	struct sftp_answer a;
	f->s = s;
	f->chan.on_data = ssh_text_feed;
	f->chan.data = &f->text;
	f->text.max = INPUT_MAX;
	if (ssh_chan_exec(s->conn, &f->chan, "sftp", SSH_EXEC_SUBSYSTEM, err) < 0)
		return -1;
	buf_reset(&f->packet);
	sftp_put32(&f->packet, 0);
	buf_addc(&f->packet, SFTP_INIT);
	sftp_put32(&f->packet, 3);
	if (sftp_call(f, &a, err) < 0)
		return err_prefix(err, "sftp");
	return a.type == SFTP_VERSION ? 0 : sftp_malformed(err);
}

void sftp_stop(struct sftp *f)
{
	ssh_chan_release(&f->chan);
	ssh_text_release(&f->text);
	buf_release(&f->packet);
}

int sftp_stat(struct sftp *f, const char *path, struct sftp_attrs *ret, struct err *err)
{
	struct sftp_answer a;
	sftp_begin(f, SFTP_STAT);
	sftp_put_str(&f->packet, str_from(path));
	if (sftp_call(f, &a, err) < 0)
		return -1;
	if (a.type == SFTP_ATTRS)
		return sftp_take_attrs(&a.body, ret) ? 0 : sftp_malformed(err);
	sftp_refused(&a, path, err);
	if (err->code != ERR_NOT_FOUND)
		return -1;
	err_release(err);
	return 1;
}

int sftp_open(struct sftp *f, uint8_t type, const char *path, uint32_t flags,
	      struct buf *ret_handle, struct err *err)
{
	struct sftp_answer a;
	struct str handle;
	sftp_begin(f, type);
	sftp_put_str(&f->packet, str_from(path));
	if (type == SFTP_OPEN) {
		sftp_put32(&f->packet, flags);
		sftp_put32(&f->packet, ATTR_MODE);
		sftp_put32(&f->packet, 0600);
	}
	if (sftp_call(f, &a, err) < 0)
		return -1;
	if (a.type != SFTP_HANDLE || !sftp_take_str(&a.body, &handle))
		return sftp_refused(&a, path, err);
	buf_reset(ret_handle);
	buf_add_str(ret_handle, handle);
	return 0;
}

int sftp_close(struct sftp *f, const struct buf *handle, const char *path, struct err *err)
{
	struct sftp_answer a;
	sftp_begin(f, SFTP_CLOSE);
	sftp_put_str(&f->packet, buf_str(handle));
	if (sftp_call(f, &a, err) < 0)
		return -1;
	return sftp_is_ok(&a) ? 0 : sftp_refused(&a, path, err);
}
