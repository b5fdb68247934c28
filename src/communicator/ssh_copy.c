/* Single files, through a command of the machine: `cat` into the file, its mode and its size told
 * back, all in one session. Where a round trip is long, a big file goes in several parts side by
 * side, as one session never has more than the server's window (2 MiB with OpenSSH) on the way.
 * Without a POSIX shell: sftp. */
#include "communicator/ssh_comm.h"
#include "communicator/ssh_sftp.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <errno.h>
#include <sys/stat.h>

#define CHUNK ((size_t)256 * 1024)
#define PARTS 4
#define PART_UNIT ((off_t)1 << 20) /* what dd counts in */
#define PART_MIN ((off_t)4 << 20)  /* above the window: no part ends before the others started */
#define SLOW_ROUND_MS 15
#define FAREWELL_MS 60000

/* $1 file, $2 mode. "=ingot=" on a line of its own says that a POSIX shell reads this; "ready" that
 * the file is open. A file that was there keeps its mode if it belongs to somebody else, as with
 * scp. */
static const char upload_script[] =
	"echo =ingot=; "
	"if [ -d \"$1\" ]; then echo \"$1: Is a directory\" >&2; exit 21; fi; "
	"e=; [ -e \"$1\" ] && e=1; "
	"umask 077; exec 3>\"$1\" || exit 21; "
	"echo ready; "
	"cat >&3 || exit 21; "
	"exec 3>&-; "
	"[ ! -f \"$1\" ] || chmod \"$2\" \"$1\" 2>/dev/null || [ \"$e\" ] || "
	"{ echo \"$1: its mode cannot be set\" >&2; exit 21; }; "
	"if [ -f \"$1\" ]; then wc -c <\"$1\"; else echo -; fi";
/* $1 file, $2 MiB to skip. */
static const char part_script[] = "exec dd of=\"$1\" bs=1048576 seek=\"$2\" conv=notrunc";
/* $1 file. */
static const char download_script[] =
	"echo =ingot=; "
	"if [ -d \"$1\" ]; then echo \"$1: Is a directory\" >&2; exit 21; fi; "
	"exec 3<\"$1\" || exit 21; "
	"if [ -f \"$1\" ]; then wc -c <\"$1\"; else echo -; fi; "
	"exec cat <&3";

struct part {
	struct ssh_chan chan;
	struct ssh_text text;
	struct buf command;
	off_t at, end; /* what is to be read next, and where this part stops */
	char *p;       /* CHUNK bytes */
	size_t from, to;
	bool done;   /* all of it was written */
	bool absent; /* merged into the one before */
};

struct upload {
	struct ssh_comm *s;
	int fd;
	bool seekable;
	off_t sent;
	struct part parts[PARTS];
	size_t nparts;
};

static void upload_release(struct upload *u)
{
	for (size_t i = 0; i < u->nparts; i++) {
		ssh_chan_release(&u->parts[i].chan);
		ssh_text_release(&u->parts[i].text);
		buf_release(&u->parts[i].command);
		free(u->parts[i].p);
	}
}
DEFINE_AUTO(upload, struct upload, upload_release);

static int fill(struct upload *u, struct part *p, struct err *err)
{
	size_t want = (size_t)MIN((off_t)CHUNK, p->end - p->at);
	ssize_t n = 0;
	if (!p->p)
		p->p = xmalloc(CHUNK);
	if (want)
		do
			n = u->seekable ? pread(u->fd, p->p, want, p->at) : read(u->fd, p->p, want);
		while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(err, errno, "reading the file to upload");
	p->from = 0;
	p->to = (size_t)n;
	p->at += n;
	p->done = n == 0;
	return 0;
}

/* Writes what fits now. */
static int feed(struct upload *u, struct part *p, bool *ret_progress, struct err *err)
{
	while (!p->done) {
		size_t n;
		if (p->from == p->to && (fill(u, p, err) < 0 || p->done))
			return err_any(err) ? -1 : 0;
		if (ssh_chan_write_some(&p->chan, p->p + p->from, p->to - p->from, &n, err) < 0)
			return -1;
		if (!n)
			return 0;
		p->from += n;
		u->sent += (off_t)n;
		*ret_progress = true;
	}
	return 0;
}

/* Splits what the first part still has to send, if that pays. */
static int split(struct upload *u, const char *remote, struct err *err)
{
	struct part *first = &u->parts[0];
	struct ssh_conn *c = first->chan.conn;
	off_t left = first->end - first->at, each = left / PARTS / PART_UNIT * PART_UNIT;
	if (!u->seekable || c->no_spare || each < PART_MIN ||
	    first->chan.answered - first->chan.asked < SLOW_ROUND_MS)
		return 0;
	off_t at = (first->at / PART_UNIT + 1) * PART_UNIT + each, end = first->end;
	first->end = at;
	for (u->nparts = 1; u->nparts < PARTS; u->nparts++) {
		struct part *p = &u->parts[u->nparts];
		p->at = at;
		p->end = u->nparts == PARTS - 1 ? end : at + each;
		at = p->end;
		p->chan.conn = c;
		char seek[24];
		snprintf(seek, sizeof(seek), "%lld", (long long)(p->at / PART_UNIT));
		ssh_shell_command(&p->command, part_script, (const char *const[]){ remote, seek },
				  2);
		p->chan.on_data = ssh_text_feed;
		p->chan.data = &p->text;
		if (ssh_chan_start(c, &p->chan, buf_cstr(&p->command), 0, err) < 0) {
			u->nparts++;
			return -1;
		}
	}
	return 0;
}

/* The server opens no more sessions: the part before takes this one's share. */
static void merge(struct upload *u, size_t i)
{
	size_t before = i - 1;
	while (u->parts[before].absent)
		before--;
	u->parts[before].end = u->parts[i].end;
	u->parts[before].done = false;
	u->parts[i].absent = u->parts[i].done = true;
	ssh_chan_release(&u->parts[i].chan);
}

static int advance(struct upload *u, struct err *err)
{
	for (size_t i = 0; i < u->nparts; i++) {
		struct part *p = &u->parts[i];
		bool was_opening = p->chan.opening;
		if (p->absent || ssh_chan_advance(&p->chan, err) == 0)
			continue;
		if (!i || !was_opening || err->code != ERR_REMOTE)
			return -1;
		log_line("upload: %s", err->msg);
		err_release(err);
		merge(u, i);
	}
	return 0;
}

/* A part's command ended, or its session closed, before it had everything. */
static const struct part *stopped(const struct upload *u)
{
	for (size_t i = 0; i < u->nparts; i++) {
		const struct part *p = &u->parts[i];
		if (!p->absent && !p->done && (p->chan.closed || p->chan.has_status))
			return p;
	}
	return NULL;
}

/* Sends everything. *ret_stopped: the part that would take no more, or NULL. */
static int send_all(struct upload *u, const char *remote, const struct part **ret_stopped,
		    struct err *err)
{
	bool split_done = false;
	for (;;) {
		bool progress = false, done = true;
		struct part *first = &u->parts[0];
		if (!split_done && ssh_text_says(&first->text, "ready\n") && first->chan.answered) {
			split_done = true;
			if (split(u, remote, err) < 0)
				return -1;
		}
		for (size_t i = 0; i < u->nparts; i++) {
			if (!u->parts[i].absent && feed(u, &u->parts[i], &progress, err) < 0)
				return -1;
			done &= u->parts[i].done;
		}
		*ret_stopped = stopped(u);
		if (*ret_stopped || done)
			return 0;
		if (!progress && ssh_conn_step(first->chan.conn, CLOCK_NEVER, err) < 0)
			return -1;
		if (advance(u, err) < 0)
			return -1;
	}
}

/* The size that the machine counted: the last line of what it said. */
static int check_size(const struct upload *u, const char *remote, struct err *err)
{
	struct str said = str_trim(buf_str(&u->parts[0].text.out));
	size_t from = said.n;
	int64_t size;
	while (from > 0 && said.p[from - 1] != '\n')
		from--;
	struct str line = str_trim(str_slice(said, from, said.n));
	if (str_eqs(line, "-"))
		return 0; /* no plain file: a device, a pipe */
	if (!parse_i64(line, &size))
		return err_set(err, ERR_REMOTE, "%s: the machine did not say how much arrived",
			       remote);
	if (size != u->sent)
		return err_set(err, ERR_REMOTE, "%s: %lld of %lld bytes arrived", remote,
			       (long long)size, (long long)u->sent);
	return 0;
}

static int end_part(struct part *p, int64_t deadline, struct err *err)
{
	int status = 0;
	ssh_chan_eof(&p->chan);
	if (ssh_chan_finish(&p->chan, deadline, &status, err) < 0)
		return -1;
	return status ? ssh_text_failed(&p->text, status, err) : 0;
}

static bool has_shell(const struct ssh_text *t)
{
	return ssh_text_says(t, "=ingot=\n");
}

/* *ret_no_shell: what answered is no POSIX shell; nothing was written. */
static int upload_taken(struct upload *u, const char *remote, int mode, bool *ret_no_shell,
			struct err *err)
{
	struct part *first = &u->parts[0];
	const struct part *stop = NULL;
	char bits[8];
	snprintf(bits, sizeof(bits), "%04o", mode & 0777);
	ssh_shell_command(&first->command, upload_script, (const char *const[]){ remote, bits }, 2);
	first->chan.on_data = ssh_text_feed;
	first->chan.data = &first->text;
	u->nparts = 1;
	if (ssh_chan_exec(u->s->conn, &first->chan, buf_cstr(&first->command), 0, err) < 0 ||
	    send_all(u, remote, &stop, err) < 0)
		return -1;
	/* Other parts first: the first one counts what they wrote. */
	for (size_t i = u->nparts; i-- > 0;) {
		struct part *p = stop ? (struct part *)stop : &u->parts[i];
		if (!p->absent && end_part(p, clock_ms() + FAREWELL_MS, err) < 0) {
			*ret_no_shell =
				err->code == ERR_REMOTE && p == first && !has_shell(&p->text);
			return -1;
		}
		if (stop)
			return err_set(err, ERR_REMOTE,
				       "%s: the machine stopped reading after %lld bytes", remote,
				       (long long)u->sent);
	}
	if (!has_shell(&first->text)) {
		*ret_no_shell = true;
		return err_set(err, ERR_REMOTE, "%s: the machine has no POSIX shell", remote);
	}
	return check_size(u, remote, err);
}

int ssh_upload(struct communicator *c, int fd, off_t size, const char *name, const char *remote,
	       int mode, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	struct stat st;
	auto_free char *target =
		ends_with(remote, "/") ? xasprintf("%s%s", remote, name) : xstrdup(remote);
	if (streq(s->config->ssh_file_transfer_method, "sftp"))
		return ssh_sftp_upload(s, fd, target, mode, err);
	AUTO(upload) struct upload u = { .s = s, .fd = fd };
	u.seekable = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	off_t start = u.seekable ? MAX(lseek(fd, 0, SEEK_CUR), (off_t)0) : 0, end = INT64_MAX;
	if (size >= 0)
		end = start + size;
	else if (u.seekable)
		end = MAX(st.st_size, start);
	u.parts[0].at = start;
	u.parts[0].end = end;
	bool no_shell = false;
	if (ssh_comm_take(s, err) < 0)
		return -1;
	int ret = upload_taken(&u, target, mode, &no_shell, err);
	ssh_comm_give(s);
	if (ret == 0 && u.seekable && u.sent != end - start)
		return err_set(err, ERR_IO, "%s: the local file shrank while it was read", name);
	if (no_shell && u.seekable) {
		log_line("upload: no POSIX shell at %s, trying sftp", s->host);
		err_release(err);
		lseek(fd, start, SEEK_SET);
		if (ssh_sftp_upload(s, fd, target, mode, err) == 0)
			return 0;
		return ssh_text_answered(&u.parts[0].text, err);
	}
	return ret;
}

struct download {
	struct ssh_text text;	/* until the head is read */
	struct ssh_text before; /* what stood before it */
	bool shell, counted;
	int64_t size; /* -1: not known */
	int64_t got;
	int fd, write_error;
};

static void save(struct download *d, const char *p, size_t n)
{
	if (!d->write_error && os_write_all(d->fd, p, n) < 0)
		d->write_error = errno;
	d->got += (int64_t)n;
}

/* Cuts "=ingot=" and the size off the front; whatever a login script printed before is skipped. */
static void read_head(struct download *d)
{
	struct buf *b = &d->text.out;
	const char *nl;
	while (!d->counted && b->n && (nl = memchr(b->p, '\n', b->n))) {
		struct str line = { b->p, (size_t)(nl - b->p) };
		if (!d->shell) {
			d->shell = str_ends(line, "=ingot=");
			ssh_text_feed(&d->before, false, b->p, line.n + 1);
		} else {
			d->counted = true;
			if (!parse_i64(str_trim(line), &d->size))
				d->size = -1;
		}
		buf_remove(b, 0, line.n + 1);
	}
	if (d->counted && b->n) {
		save(d, b->p, b->n);
		buf_reset(b);
	}
}

static void on_download(void *data, bool is_stderr, const char *p, size_t n)
{
	struct download *d = data;
	if (!is_stderr && d->counted) {
		save(d, p, n);
		return;
	}
	ssh_text_feed(&d->text, is_stderr, p, n);
	if (!is_stderr)
		read_head(d);
}

static int download_taken(struct ssh_comm *s, const char *remote, struct download *d,
			  struct err *err)
{
	AUTO(buf) struct buf command = BUF_INIT;
	AUTO(ssh_chan) struct ssh_chan chan = { .on_data = on_download, .data = d };
	int status = 0;
	ssh_shell_command(&command, download_script, &remote, 1);
	if (ssh_chan_exec(s->conn, &chan, buf_cstr(&command), 0, err) < 0)
		return -1;
	ssh_chan_eof(&chan);
	if (ssh_chan_finish(&chan, CLOCK_NEVER, &status, err) < 0)
		return -1;
	if (status || !d->counted)
		return ssh_text_failed(&d->text, status, err);
	if (d->write_error)
		return err_errno(err, d->write_error, "writing what was downloaded");
	if (d->size >= 0 && d->got != d->size)
		return err_set(err, ERR_REMOTE, "%s: %lld of %lld bytes arrived", remote,
			       (long long)d->got, (long long)d->size);
	return 0;
}

int ssh_download(struct communicator *c, const char *remote, int fd, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	struct download d = { .fd = fd, .size = -1 };
	if (streq(s->config->ssh_file_transfer_method, "sftp"))
		return ssh_sftp_download(s, remote, fd, err);
	if (ssh_comm_take(s, err) < 0)
		return -1;
	int ret = download_taken(s, remote, &d, err);
	ssh_comm_give(s);
	if (ret < 0 && err->code == ERR_REMOTE && !d.shell) {
		err_release(err);
		ret = ssh_sftp_download(s, remote, fd, err);
		if (ret < 0)
			ssh_text_answered(&d.before, err);
	}
	ssh_text_release(&d.text);
	ssh_text_release(&d.before);
	return ret;
}
