/* Files and directories through sftp. Many blocks are on the way at a time; sizes are compared at
 * the end. */
#include "communicator/ssh_sftp.h"

#include "base/os.h"
#include "base/vec.h"
#include "communicator/sftp_wire.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define BLOCK 32768 /* every server takes this much */
#define AHEAD 64    /* requests on the way */
#define DEPTH_MAX 64

/* Writes all of fd; *ret_size bytes. */
static int write_all(struct sftp *f, int fd, const struct buf *handle, const char *path,
		     uint64_t *ret_size, struct err *err)
{
	auto_free char *block = xmalloc(BLOCK);
	uint64_t at = 0;
	int ahead = 0;
	bool end = false;
	while (!end || ahead) {
		struct sftp_answer a;
		if (!end && ahead < AHEAD) {
			ssize_t n = read(fd, block, BLOCK);
			if (n < 0 && errno == EINTR)
				continue;
			if (n < 0)
				return err_errno(err, errno, "reading the file to upload");
			end = n == 0;
			if (end)
				continue;
			sftp_begin(f, SFTP_WRITE);
			sftp_put_str(&f->packet, buf_str(handle));
			sftp_put64(&f->packet, at);
			sftp_put_str(&f->packet, (struct str){ block, (size_t)n });
			if (sftp_send(f, err) < 0)
				return -1;
			at += (uint64_t)n;
			ahead++;
			continue;
		}
		if (sftp_receive(f, &a, err) < 0)
			return -1;
		if (!sftp_is_ok(&a))
			return sftp_refused(&a, path, err);
		ahead--;
	}
	*ret_size = at;
	return 0;
}

/* Best effort for a file that somebody else owns, as with scp. */
static int set_mode(struct sftp *f, const struct buf *handle, int mode, struct err *err)
{
	struct sftp_answer a;
	sftp_begin(f, SFTP_FSETSTAT);
	sftp_put_str(&f->packet, buf_str(handle));
	sftp_put32(&f->packet, ATTR_MODE);
	sftp_put32(&f->packet, (uint32_t)mode & 0777);
	return sftp_call(f, &a, err);
}

static int put_file(struct sftp *f, int fd, const char *remote, int mode, struct err *err)
{
	AUTO(buf) struct buf handle = BUF_INIT;
	struct sftp_attrs st;
	uint64_t size = 0;
	if (sftp_open(f, SFTP_OPEN, remote, FXF_WRITE | FXF_CREAT | FXF_TRUNC, &handle, err) < 0 ||
	    write_all(f, fd, &handle, remote, &size, err) < 0 ||
	    set_mode(f, &handle, mode, err) < 0 || sftp_close(f, &handle, remote, err) < 0)
		return -1;
	int found = sftp_stat(f, remote, &st, err);
	if (found < 0)
		return -1;
	if (found == 0 && st.has_size && st.has_mode && S_ISREG(st.mode) && st.size != size)
		return err_set(err, ERR_REMOTE, "%s: %llu of %llu bytes arrived", remote,
			       (unsigned long long)st.size, (unsigned long long)size);
	return 0;
}

static int ask_block(struct sftp *f, const struct buf *handle, uint64_t at, struct err *err)
{
	sftp_begin(f, SFTP_READ);
	sftp_put_str(&f->packet, buf_str(handle));
	sftp_put64(&f->packet, at);
	sftp_put32(&f->packet, BLOCK);
	return sftp_send(f, err);
}

static bool is_end(const struct sftp_answer *a)
{
	struct str body = a->body;
	uint32_t code;
	return a->type == SFTP_STATUS && sftp_take32(&body, &code) && code == FX_EOF;
}

/* Answers come in the order of the requests; a short one (allowed anywhere) ends the run ahead:
 * what was asked for behind it is thrown away and asked for again. size, 0 where it is not known,
 * only says how far to ask ahead. */
static int read_all(struct sftp *f, int fd, const struct buf *handle, const char *remote,
		    uint64_t size, uint64_t *ret_got, struct err *err)
{
	uint64_t asked = 0, got = 0;
	int ahead = 0;
	bool end = false;
	while (!end || ahead) {
		struct sftp_answer a;
		struct str data;
		if (!end && ahead < AHEAD && (asked <= size || !ahead)) {
			if (ask_block(f, handle, asked, err) < 0)
				return -1;
			asked += BLOCK;
			ahead++;
			continue;
		}
		if (sftp_receive(f, &a, err) < 0)
			return -1;
		ahead--;
		if (a.type != SFTP_DATA && !is_end(&a))
			return sftp_refused(&a, remote, err);
		end |= a.type != SFTP_DATA;
		if (end)
			continue;
		if (!sftp_take_str(&a.body, &data) || !data.n || data.n > BLOCK)
			return sftp_malformed(err);
		if (os_write_all(fd, data.p, data.n) < 0)
			return err_errno(err, errno, "writing what was downloaded");
		got += data.n;
		if (data.n < BLOCK) {
			for (; ahead; ahead--)
				if (sftp_receive(f, &a, err) < 0)
					return -1;
			asked = got;
		}
	}
	*ret_got = got;
	return 0;
}

static int get_file(struct sftp *f, const char *remote, int fd, struct err *err)
{
	AUTO(buf) struct buf handle = BUF_INIT;
	struct sftp_attrs st;
	uint64_t got = 0;
	int found = sftp_stat(f, remote, &st, err);
	if (found < 0)
		return -1;
	if (found)
		return err_set(err, ERR_NOT_FOUND, "%s: No such file or directory", remote);
	if (st.has_mode && S_ISDIR(st.mode))
		return err_set(err, ERR_REMOTE, "%s: Is a directory", remote);
	if (sftp_open(f, SFTP_OPEN, remote, FXF_READ, &handle, err) < 0 ||
	    read_all(f, fd, &handle, remote, st.size, &got, err) < 0)
		return -1;
	if (st.has_size && S_ISREG(st.mode) && got < st.size)
		return err_set(err, ERR_REMOTE, "%s: %llu of %llu bytes arrived", remote,
			       (unsigned long long)got, (unsigned long long)st.size);
	return sftp_close(f, &handle, remote, err);
}

static int make_dir(struct sftp *f, const char *path, int mode, struct err *err)
{
	struct sftp_answer a;
	struct sftp_attrs st;
	sftp_begin(f, SFTP_MKDIR);
	sftp_put_str(&f->packet, str_from(path));
	sftp_put32(&f->packet, ATTR_MODE);
	sftp_put32(&f->packet, (uint32_t)mode & 0777);
	if (sftp_call(f, &a, err) < 0)
		return -1;
	if (sftp_is_ok(&a))
		return 0;
	AUTO(err) struct err why = ERR_INIT;
	sftp_refused(&a, path, &why);
	int found = sftp_stat(f, path, &st, err);
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
		return depth < DEPTH_MAX
			       ? err_errno(err, errno, "%s", local)
			       : err_set(err, ERR_INVALID, "%s: too deep, or a link leads back up",
					 local);
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
	struct sftp_attrs st = { 0 };
	bool contents = ends_with(local, "/");
	int found = sftp_stat(f, remote, &st, err);
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

/* Names of a remote directory, without . and .. */
struct names {
	char **v;
	size_t n, cap;
};

static int list_answer(struct sftp_answer *a, struct names *ret, struct err *err)
{
	uint32_t n;
	if (!sftp_take32(&a->body, &n))
		return sftp_malformed(err);
	for (uint32_t i = 0; i < n; i++) {
		struct str name, line;
		struct sftp_attrs attrs;
		if (!sftp_take_str(&a->body, &name) || !sftp_take_str(&a->body, &line) ||
		    !sftp_take_attrs(&a->body, &attrs))
			return sftp_malformed(err);
		if (str_eqs(name, ".") || str_eqs(name, ".."))
			continue;
		if (!name.n || memchr(name.p, '/', name.n) || memchr(name.p, 0, name.n))
			return sftp_malformed(err);
		vec_push(ret, xstrndup(name.p, name.n));
	}
	return 0;
}

static int list_dir(struct sftp *f, const char *remote, struct names *ret, struct err *err)
{
	AUTO(buf) struct buf handle = BUF_INIT;
	if (sftp_open(f, SFTP_OPENDIR, remote, 0, &handle, err) < 0)
		return -1;
	for (;;) {
		struct sftp_answer a;
		sftp_begin(f, SFTP_READDIR);
		sftp_put_str(&f->packet, buf_str(&handle));
		if (sftp_call(f, &a, err) < 0)
			return -1;
		if (a.type == SFTP_NAME && list_answer(&a, ret, err) == 0)
			continue;
		if (err_any(err))
			return -1;
		if (is_end(&a))
			return sftp_close(f, &handle, remote, err);
		return sftp_refused(&a, remote, err);
	}
}

static int get_dir(struct sftp *f, const char *remote, const char *local, int depth,
		   struct err *err);

static int get_entry(struct sftp *f, const char *remote, const char *local, int depth,
		     struct err *err)
{
	struct sftp_attrs st;
	int found = sftp_stat(f, remote, &st, err); /* links are followed, as with scp */
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
	struct names names = VEC_INIT;
	if (depth > DEPTH_MAX)
		return err_set(err, ERR_REMOTE, "%s: too deep, or a link leads back up", remote);
	int ret = list_dir(f, remote, &names, err);
	for (size_t i = 0; i < names.n; i++) {
		auto_free char *name = names.v[i];
		auto_free char *from = os_path_join(remote, name);
		auto_free char *to = os_path_join(local, name);
		if (ret == 0)
			ret = get_entry(f, from, to, depth, err);
	}
	vec_release(&names);
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
	int ret = sftp_start(&f, s, err);
	if (ret == 0)
		ret = j->file ? j->file(&f, j->fd, j->to, j->mode, err)
			      : j->tree(&f, j->from, j->to, err);
	sftp_stop(&f);
	ssh_comm_give(s);
	return ret;
}

int ssh_sftp_upload(struct ssh_comm *s, int fd, const char *remote, int mode, struct err *err)
{
	return run_job(s, &(struct job){ .file = put_file, .fd = fd, .to = remote, .mode = mode },
		       err);
}

static int get_to_fd(struct sftp *f, int fd, const char *remote, int mode UNUSED, struct err *err)
{
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
