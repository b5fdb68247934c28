/* An sftp client of protocol version 3 (draft-ietf-secsh-filexfer-02). The library's own waits for
 * the answer to each 32 KiB, blocks, and hears no cancel flag; this one keeps many requests on the
 * way and waits in ssh_chan_step. */
#include "communicator/ssh_sftp.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define BLOCK 32768 /* every server takes this much */
#define AHEAD 64    /* requests on the way */
#define ANSWER_MAX ((size_t)256 * 1024)
#define INPUT_MAX ((size_t)64 << 20)
#define ANSWER_MS 300000
#define DEPTH_MAX 64

enum {
	INIT = 1,
	VERSION,
	OPEN,
	CLOSE,
	READ,
	WRITE,
	FSETSTAT = 10,
	OPENDIR,
	READDIR,
	MKDIR = 14,
	STAT = 17,
	STATUS = 101,
	HANDLE,
	DATA,
	NAME,
	ATTRS
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
struct answer {
	uint8_t type;
	uint32_t id;
	struct str body;
};

struct attrs {
	bool has_size, has_mode;
	uint64_t size;
	uint32_t mode;
};

static void put32(struct buf *b, uint32_t n)
{
	uint32_t be = htobe32(n);
	buf_add(b, &be, 4);
}

static void put64(struct buf *b, uint64_t n)
{
	uint64_t be = htobe64(n);
	buf_add(b, &be, 8);
}

static void put_str(struct buf *b, struct str s)
{
	put32(b, (uint32_t)s.n);
	buf_add_str(b, s);
}

static bool take32(struct str *s, uint32_t *ret)
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
	if (!take32(s, &high) || !take32(s, &low))
		return false;
	*ret = (uint64_t)high << 32 | low;
	return true;
}

static bool take_str(struct str *s, struct str *ret)
{
	uint32_t n;
	if (!take32(s, &n) || n > s->n)
		return false;
	*ret = str_slice(*s, 0, n);
	*s = str_slice(*s, n, s->n);
	return true;
}

static bool take_attrs(struct str *s, struct attrs *ret)
{
	uint32_t flags, skip;
	*ret = (struct attrs){ 0 };
	if (!take32(s, &flags))
		return false;
	ret->has_size = flags & ATTR_SIZE;
	ret->has_mode = flags & ATTR_MODE;
	if (ret->has_size && !take64(s, &ret->size))
		return false;
	if ((flags & ATTR_OWNER) && (!take32(s, &skip) || !take32(s, &skip)))
		return false;
	if (ret->has_mode && !take32(s, &ret->mode))
		return false;
	return !(flags & ATTR_TIMES) || (take32(s, &skip) && take32(s, &skip));
}

static int malformed(struct err *err)
{
	return err_set(err, ERR_REMOTE, "the sftp server's answer is malformed");
}

/* Starts a request in f->packet; the caller appends to it and calls send_packet(). */
static uint32_t begin(struct sftp *f, uint8_t type)
{
	buf_reset(&f->packet);
	put32(&f->packet, 0);
	buf_addc(&f->packet, (char)type);
	put32(&f->packet, ++f->id);
	return f->id;
}

static int send_packet(struct sftp *f, struct err *err)
{
	uint32_t be = htobe32((uint32_t)(f->packet.n - 4));
	memcpy(f->packet.p, &be, 4);
	return ssh_chan_write(&f->chan, f->packet.p, f->packet.n, err);
}

static int receive(struct sftp *f, struct answer *ret, struct err *err)
{
	struct buf *in = &f->text.out;
	int64_t deadline = clock_ms() + ANSWER_MS;
	buf_remove(in, 0, f->used);
	f->used = 0;
	for (;;) {
		struct str s = buf_str(in);
		uint32_t n;
		if (take32(&s, &n) && (n < 1 || n > ANSWER_MAX - 4))
			return malformed(err);
		if (in->n >= 4 && in->n - 4 >= n) {
			s = str_slice(s, 0, n);
			ret->type = (uint8_t)s.p[0];
			ret->body = str_slice(s, 1, n);
			ret->id = 0;
			f->used = 4 + n;
			if (ret->type != VERSION && !take32(&ret->body, &ret->id))
				return malformed(err);
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

/* An answer that is no success, told with the path. */
static int refused(const struct answer *a, const char *path, struct err *err)
{
	static const char *const texts[] = { "", "it ends too soon", "No such file or directory",
					     "Permission denied", "the server says no" };
	struct str body = a->body, text = { 0 };
	uint32_t code;
	if (a->type != STATUS || !take32(&body, &code))
		return malformed(err);
	take_str(&body, &text);
	enum err_code kind = code == FX_NO_SUCH_FILE ? ERR_NOT_FOUND : ERR_REMOTE;
	if (code > FX_OK && code < FX_FAILURE)
		return err_set(err, kind, "%s: %s", path, texts[code]);
	return err_set(err, kind, "%s: %s" STR_FMT, path, text.n ? "" : texts[FX_FAILURE],
		       STR_ARG(text));
}

static bool is_ok(const struct answer *a)
{
	struct str body = a->body;
	uint32_t code;
	return a->type == STATUS && take32(&body, &code) && code == FX_OK;
}

static int call(struct sftp *f, struct answer *ret, struct err *err)
{
	if (send_packet(f, err) < 0)
		return -1;
	return receive(f, ret, err);
}

static int start(struct sftp *f, struct ssh_comm *s, struct err *err)
{
	struct answer a;
	f->s = s;
	f->chan.on_data = ssh_text_feed;
	f->chan.data = &f->text;
	f->text.max = INPUT_MAX;
	if (ssh_chan_exec(s->conn, &f->chan, "sftp", SSH_EXEC_SUBSYSTEM, err) < 0)
		return -1;
	buf_reset(&f->packet);
	put32(&f->packet, 0);
	buf_addc(&f->packet, INIT);
	put32(&f->packet, 3);
	if (call(f, &a, err) < 0)
		return err_prefix(err, "sftp");
	return a.type == VERSION ? 0 : malformed(err);
}

static void stop(struct sftp *f)
{
	ssh_chan_release(&f->chan);
	ssh_text_release(&f->text);
	buf_release(&f->packet);
}

/* 1: there is nothing of that name. */
static int stat_path(struct sftp *f, const char *path, struct attrs *ret, struct err *err)
{
	struct answer a;
	begin(f, STAT);
	put_str(&f->packet, str_from(path));
	if (call(f, &a, err) < 0)
		return -1;
	if (a.type == ATTRS)
		return take_attrs(&a.body, ret) ? 0 : malformed(err);
	refused(&a, path, err);
	if (err->code != ERR_NOT_FOUND)
		return -1;
	err_release(err);
	return 1;
}

static int open_path(struct sftp *f, uint8_t type, const char *path, uint32_t flags,
		     struct buf *ret_handle, struct err *err)
{
	struct answer a;
	struct str handle;
	begin(f, type);
	put_str(&f->packet, str_from(path));
	if (type == OPEN) {
		put32(&f->packet, flags);
		put32(&f->packet, ATTR_MODE);
		put32(&f->packet, 0600);
	}
	if (call(f, &a, err) < 0)
		return -1;
	if (a.type != HANDLE || !take_str(&a.body, &handle))
		return refused(&a, path, err);
	buf_reset(ret_handle);
	buf_add_str(ret_handle, handle);
	return 0;
}

static int close_handle(struct sftp *f, const struct buf *handle, const char *path, struct err *err)
{
	struct answer a;
	begin(f, CLOSE);
	put_str(&f->packet, buf_str(handle));
	if (call(f, &a, err) < 0)
		return -1;
	return is_ok(&a) ? 0 : refused(&a, path, err);
}

/* Writes all of fd; *ret_size bytes. */
static int write_all(struct sftp *f, int fd, const struct buf *handle, const char *path,
		     uint64_t *ret_size, struct err *err)
{
	auto_free char *block = xmalloc(BLOCK);
	uint64_t at = 0;
	int ahead = 0;
	bool end = false;
	while (!end || ahead) {
		struct answer a;
		if (!end && ahead < AHEAD) {
			ssize_t n = read(fd, block, BLOCK);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return err_errno(err, errno, "reading the file to upload");
			end = n == 0;
			if (end)
				continue;
			begin(f, WRITE);
			put_str(&f->packet, buf_str(handle));
			put64(&f->packet, at);
			put_str(&f->packet, (struct str){ block, (size_t)n });
			if (send_packet(f, err) < 0)
				return -1;
			at += (uint64_t)n;
			ahead++;
			continue;
		}
		if (receive(f, &a, err) < 0)
			return -1;
		if (!is_ok(&a))
			return refused(&a, path, err);
		ahead--;
	}
	*ret_size = at;
	return 0;
}

/* Best effort for a file that somebody else owns, as with scp. */
static int set_mode(struct sftp *f, const struct buf *handle, int mode, struct err *err)
{
	struct answer a;
	begin(f, FSETSTAT);
	put_str(&f->packet, buf_str(handle));
	put32(&f->packet, ATTR_MODE);
	put32(&f->packet, (uint32_t)mode & 0777);
	return call(f, &a, err);
}

static int put_file(struct sftp *f, int fd, const char *remote, int mode, struct err *err)
{
	AUTO(buf) struct buf handle = BUF_INIT;
	struct attrs st;
	uint64_t size = 0;
	if (open_path(f, OPEN, remote, FXF_WRITE | FXF_CREAT | FXF_TRUNC, &handle, err) < 0 ||
	    write_all(f, fd, &handle, remote, &size, err) < 0 ||
	    set_mode(f, &handle, mode, err) < 0 || close_handle(f, &handle, remote, err) < 0)
		return -1;
	int found = stat_path(f, remote, &st, err);
	if (found < 0)
		return -1;
	if (found == 0 && st.has_size && st.has_mode && S_ISREG(st.mode) && st.size != size)
		return err_set(err, ERR_REMOTE, "%s: %llu of %llu bytes arrived", remote,
			       (unsigned long long)st.size, (unsigned long long)size);
	return 0;
}

static int get_file(struct sftp *f, const char *remote, int fd, struct err *err)
{
	AUTO(buf) struct buf handle = BUF_INIT;
	struct attrs st;
	int found = stat_path(f, remote, &st, err);
	if (found < 0)
		return -1;
	if (found)
		return err_set(err, ERR_NOT_FOUND, "%s: No such file or directory", remote);
	if (st.has_mode && S_ISDIR(st.mode))
		return err_set(err, ERR_REMOTE, "%s: Is a directory", remote);
	if (open_path(f, OPEN, remote, FXF_READ, &handle, err) < 0)
		return -1;
	/* Answers come in the order of the requests; a short one (allowed anywhere) ends the run
	 * ahead. */
	uint64_t asked = 0, got = 0;
	int ahead = 0;
	bool end = false;
	while (!end || ahead) {
		struct answer a;
		struct str data;
		if (!end && ahead < AHEAD && (asked <= st.size || !ahead)) {
			begin(f, READ);
			put_str(&f->packet, buf_str(&handle));
			put64(&f->packet, asked);
			put32(&f->packet, BLOCK);
			if (send_packet(f, err) < 0)
				return -1;
			asked += BLOCK;
			ahead++;
			continue;
		}
		if (receive(f, &a, err) < 0)
			return -1;
		ahead--;
		if (a.type != DATA) {
			struct str body = a.body;
			uint32_t code;
			if (!take32(&body, &code) || a.type != STATUS || code != FX_EOF)
				return refused(&a, remote, err);
			end = true;
			continue;
		}
		if (!take_str(&a.body, &data))
			return malformed(err);
		if (end)
			continue; /* behind a short answer: asked for again */
		if (os_write_all(fd, data.p, data.n) < 0)
			return err_errno(err, errno, "writing what was downloaded");
		got += data.n;
		if (data.n < BLOCK && got < st.size) {
			for (; ahead; ahead--)
				if (receive(f, &a, err) < 0)
					return -1;
			asked = got;
		}
	}
	if (st.has_size && S_ISREG(st.mode) && got < st.size)
		return err_set(err, ERR_REMOTE, "%s: %llu of %llu bytes arrived", remote,
			       (unsigned long long)got, (unsigned long long)st.size);
	return close_handle(f, &handle, remote, err);
}

static int make_dir(struct sftp *f, const char *path, int mode, struct err *err)
{
	struct answer a;
	struct attrs st;
	begin(f, MKDIR);
	put_str(&f->packet, str_from(path));
	put32(&f->packet, ATTR_MODE);
	put32(&f->packet, (uint32_t)mode & 0777);
	if (call(f, &a, err) < 0)
		return -1;
	if (is_ok(&a))
		return 0;
	AUTO(err) struct err why = ERR_INIT;
	refused(&a, path, &why);
	int found = stat_path(f, path, &st, err);
	if (found < 0 || (found == 0 && S_ISDIR(st.mode)))
		return found;
	return err_move(err, &why);
}

static int put_dir(struct sftp *f, const char *local, const char *remote, int depth,
		   struct err *err);

static int put_entry(struct sftp *f, const char *local, const char *remote, int depth,
		     struct err *err)
{
	struct stat st;
	if (stat(local, &st) < 0)
		return err_errno(err, errno, "%s", local);
	if (S_ISDIR(st.st_mode))
		return make_dir(f, remote, st.st_mode, err) < 0
			       ? -1
			       : put_dir(f, local, remote, depth + 1, err);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is neither a file nor a directory", local);
	auto_fd int fd = open(local, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "%s", local);
	return put_file(f, fd, remote, st.st_mode, err);
}

static int put_dir(struct sftp *f, const char *local, const char *remote, int depth,
		   struct err *err)
{
	DIR *dir = depth < DEPTH_MAX ? opendir(local) : NULL;
	int ret = 0;
	if (!dir)
		return depth < DEPTH_MAX ? err_errno(err, errno, "%s", local)
					 : err_set(err, ERR_INVALID,
						   "%s: too deep, or a link leads back up", local);
	for (struct dirent *e; ret == 0 && (e = readdir(dir));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		auto_free char *from = os_path_join(local, e->d_name);
		auto_free char *to = os_path_join(remote, e->d_name);
		ret = put_entry(f, from, to, depth, err);
	}
	closedir(dir);
	return ret;
}

static int put_tree(struct sftp *f, const char *local, const char *remote, struct err *err)
{
	struct attrs st = { 0 };
	bool contents = ends_with(local, "/");
	int found = stat_path(f, remote, &st, err);
	if (found < 0)
		return -1;
	if (found == 0 && !S_ISDIR(st.mode))
		return err_set(err, ERR_REMOTE, "%s: Not a directory", remote);
	if (contents)
		return (found && make_dir(f, remote, 0755, err) < 0)
			       ? -1
			       : put_dir(f, local, remote, 0, err);
	auto_free char *into = found ? xstrdup(remote) : os_path_join(remote, os_basename(local));
	return put_entry(f, local, into, 0, err);
}

/* Names of a remote folder, without . and .., each followed by its attributes. */
struct remote_entry {
	char *name;
	struct attrs attrs;
};
typedef VEC(struct remote_entry) remote_entries;

static int list_answer(struct answer *a, remote_entries *ret, struct err *err)
{
	uint32_t n;
	if (!take32(&a->body, &n))
		return malformed(err);
	for (uint32_t i = 0; i < n; i++) {
		struct str name, line;
		struct attrs st;
		if (!take_str(&a->body, &name) || !take_str(&a->body, &line) ||
		    !take_attrs(&a->body, &st))
			return malformed(err);
		if (str_eqs(name, ".") || str_eqs(name, ".."))
			continue;
		if (!name.n || memchr(name.p, '/', name.n) || memchr(name.p, 0, name.n))
			return malformed(err);
		vec_push(ret, (struct remote_entry){ xstrndup(name.p, name.n), st });
	}
	return 0;
}

static int list_dir(struct sftp *f, const char *remote, remote_entries *ret, struct err *err)
{
	AUTO(buf) struct buf handle = BUF_INIT;
	if (open_path(f, OPENDIR, remote, 0, &handle, err) < 0)
		return -1;
	for (;;) {
		struct answer a;
		begin(f, READDIR);
		put_str(&f->packet, buf_str(&handle));
		if (call(f, &a, err) < 0)
			return -1;
		if (a.type == NAME && list_answer(&a, ret, err) == 0)
			continue;
		if (err_any(err))
			return -1;
		struct str body = a.body;
		uint32_t code;
		if (a.type == STATUS && take32(&body, &code) && code == FX_EOF)
			return close_handle(f, &handle, remote, err);
		return refused(&a, remote, err);
	}
}

static int get_dir(struct sftp *f, const char *remote, const char *local, int depth,
		   struct err *err);

static int get_entry(struct sftp *f, const char *remote, const char *local, int depth,
		     struct err *err)
{
	struct attrs st;
	int found = stat_path(f, remote, &st, err); /* links are followed, as with scp */
	if (found)
		return found < 0 ? -1
				 : err_set(err, ERR_NOT_FOUND, "%s: No such file or directory",
					   remote);
	if (S_ISDIR(st.mode)) {
		if (mkdir(local, st.mode & 0777) < 0 && errno != EEXIST)
			return err_errno(err, errno, "%s", local);
		return get_dir(f, remote, local, depth + 1, err);
	}
	auto_fd int fd = open(local, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      st.has_mode ? st.mode & 0777 : 0644);
	if (fd < 0)
		return err_errno(err, errno, "%s", local);
	return get_file(f, remote, fd, err);
}

static int get_dir(struct sftp *f, const char *remote, const char *local, int depth,
		   struct err *err)
{
	remote_entries entries = VEC_INIT;
	int ret = depth > DEPTH_MAX ? err_set(err, ERR_REMOTE,
					      "%s: too deep, or a link leads back up", remote)
				    : list_dir(f, remote, &entries, err);
	for (size_t i = 0; i < entries.n; i++) {
		auto_free char *from = os_path_join(remote, entries.v[i].name);
		auto_free char *to = os_path_join(local, entries.v[i].name);
		if (ret == 0)
			ret = get_entry(f, from, to, depth, err);
		free(entries.v[i].name);
	}
	vec_release(&entries);
	return ret;
}

static int get_tree(struct sftp *f, const char *remote, const char *local, struct err *err)
{
	auto_free char *path = xstrdup(remote);
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = 0;
	auto_free char *into = os_path_join(local, os_basename(path));
	if (os_mkdir_all(local, 0755, err) < 0)
		return -1;
	return get_entry(f, path, into, 0, err);
}

/* The four entries: take the connection, start the subsystem, do it, let go. */
struct job {
	int (*file)(struct sftp *f, int fd, const char *remote, int mode, struct err *err);
	int (*tree)(struct sftp *f, const char *from, const char *to, struct err *err);
	int fd, mode;
	const char *from, *to;
};

static int run_job(struct ssh_comm *s, const struct job *j, struct err *err)
{
	struct sftp f = { 0 };
	if (ssh_comm_take(s, err) < 0)
		return -1;
	int ret = start(&f, s, err);
	if (ret == 0)
		ret = j->file ? j->file(&f, j->fd, j->to, j->mode, err)
			      : j->tree(&f, j->from, j->to, err);
	stop(&f);
	ssh_comm_give(s);
	return ret;
}

int ssh_sftp_upload(struct ssh_comm *s, int fd, const char *remote, int mode, struct err *err)
{
	return run_job(s, &(struct job){ .file = put_file, .fd = fd, .to = remote, .mode = mode },
		       err);
}

static int get_to_fd(struct sftp *f, int fd, const char *remote, int mode, struct err *err)
{
	(void)mode;
	return get_file(f, remote, fd, err);
}

int ssh_sftp_download(struct ssh_comm *s, const char *remote, int fd, struct err *err)
{
	return run_job(s, &(struct job){ .file = get_to_fd, .fd = fd, .to = remote }, err);
}

int ssh_sftp_upload_dir(struct ssh_comm *s, const char *local, const char *remote, struct err *err)
{
	return run_job(s, &(struct job){ .tree = put_tree, .from = local, .to = remote }, err);
}

int ssh_sftp_download_dir(struct ssh_comm *s, const char *remote, const char *local,
			  struct err *err)
{
	return run_job(s, &(struct job){ .tree = get_tree, .from = remote, .to = local }, err);
}
