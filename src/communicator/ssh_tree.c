/* Directories as one tar stream in one session. The machine decides where it goes (an existing
 * directory gets it, a new name becomes its copy) and unpacks while it arrives; a last entry with a
 * name of our own proves that everything was unpacked. Without tar, or without a shell: sftp. */
#include "communicator/ssh_comm.h"
#include "communicator/ssh_sftp.h"

#include "base/clock.h"
#include "base/libarchive.h"
#include "base/log.h"
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define CHUNK ((size_t)256 * 1024)
#define DEPTH_MAX 64
#define FAREWELL_MS 600000 /* to unpack what has arrived */

/* $1 destination, $2 "1": the contents only, $3 name of the directory, $4 its mode, $5 the last
 * entry's name. Says "files" where the reference would write each file over the destination, "tar"
 * where tar is absent. */
static const char unpack_script[] =
	"echo =ingot=; "
	"d=$1; "
	"if [ -d \"$d\" ]; then if [ \"$2\" ]; then t=$d; else t=${d%/}/$3; fi; "
	"elif [ -e \"$d\" ]; then echo \"$d: Not a directory\" >&2; exit 21; "
	"elif [ \"$2\" ]; then echo files; exit 0; "
	"else t=$d; fi; "
	"command -v tar >/dev/null 2>&1 || { echo tar; exit 0; }; "
	"if [ -d \"$t\" ]; then :; else mkdir \"$t\" && chmod \"$4\" \"$t\" || exit 21; fi; "
	"tar -xpomf - -C \"$t\" || exit 21; "
	"[ -e \"$t/$5\" ] || { echo \"$t: the last part did not arrive\" >&2; exit 21; }; "
	"rm -f \"$t/$5\"; "
	"echo done";
/* $1 directory to pack from, $2 name in it. */
static const char pack_script[] =
	"echo =ingot=; "
	"command -v tar >/dev/null 2>&1 || { echo tar; exit 0; }; "
	"cd \"$1\" || exit 21; "
	"echo go; "
	"exec tar -chf - -- \"$2\"";
/* $1 pattern: each match by its own name. */
static const char pack_pattern_script[] =
	"echo =ingot=; "
	"command -v tar >/dev/null 2>&1 || { echo tar; exit 0; }; "
	"p=$1; set --; "
	"for f in $p; do "
	"if [ -e \"$f\" ]; then "
	"n=${f##*/}; d=${f%\"$n\"}; "
	"set -- \"$@\" -C \"$(cd \"${d:-.}\" && pwd)\" \"$n\"; "
	"fi; "
	"done; "
	"if [ $# = 0 ]; then echo \"$p: No such file or directory\" >&2; exit 21; fi; "
	"echo go; "
	"exec tar -chf - \"$@\"";

struct packer {
	struct ssh_chan chan;
	struct ssh_text text;
	struct archive *a;
	struct archive_entry *entry;
	char *block;
	struct err err; /* of the write callback */
};

static la_ssize_t on_pack(struct archive *a, void *data, const void *p, size_t n)
{
	struct packer *k = data;
	if (!err_any(&k->err) && ssh_chan_write(&k->chan, p, n, &k->err) == 0)
		return (la_ssize_t)n;
	libarchive.set_error(a, EPIPE, "the connection takes no more");
	return -1;
}

static int pack_failed(struct packer *k, struct err *err)
{
	if (err_any(&k->err))
		return err_move(err, &k->err);
	return err_set(err, ERR_IO, "packing: %s", libarchive.error_string(k->a));
}

static int pack_head(struct packer *k, const char *name, mode_t type, int mode, off_t size,
		     struct err *err)
{
	libarchive.entry_clear(k->entry);
	libarchive.entry_set_pathname(k->entry, name);
	libarchive.entry_set_filetype(k->entry, type);
	libarchive.entry_set_perm(k->entry, (mode_t)mode & 0777);
	libarchive.entry_set_size(k->entry, size);
	return libarchive.write_header(k->a, k->entry) == ARCHIVE_OK ? 0 : pack_failed(k, err);
}

static int pack_file(struct packer *k, int dir, const char *file, const char *name, struct err *err)
{
	struct stat st;
	auto_fd int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, errno, "%s", name);
	if (pack_head(k, name, AE_IFREG, st.st_mode, st.st_size, err) < 0)
		return -1;
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = read(fd, k->block, (size_t)MIN(left, (off_t)CHUNK));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? err_errno(err, errno, "%s", name)
				     : err_set(err, ERR_IO, "%s shrank while it was read", name);
		if (libarchive.write_data(k->a, k->block, (size_t)n) != n)
			return pack_failed(k, err);
		left -= n;
	}
	return 0;
}

static int pack_dir(struct packer *k, int fd, const char *name, int depth, struct err *err);

/* Links are followed: the machine gets what they lead to, as with scp. */
static int pack_entry(struct packer *k, int dir, const char *file, const char *name, int depth,
		      struct err *err)
{
	struct stat st;
	if (fstatat(dir, file, &st, 0) < 0)
		return err_errno(err, errno, "%s", name);
	if (S_ISREG(st.st_mode))
		return pack_file(k, dir, file, name, err);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "%s is neither a file nor a directory", name);
	int fd = openat(dir, file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "%s", name);
	if (pack_head(k, name, AE_IFDIR, st.st_mode, 0, err) < 0) {
		fd_close(&fd);
		return -1;
	}
	return pack_dir(k, fd, name, depth + 1, err);
}

/* Takes fd over. */
static int pack_dir(struct packer *k, int fd, const char *name, int depth, struct err *err)
{
	DIR *dir = depth <= DEPTH_MAX ? fdopendir(fd) : NULL;
	int ret = 0;
	if (!dir) {
		ret = depth <= DEPTH_MAX
			      ? err_errno(err, errno, "%s", name)
			      : err_set(err, ERR_INVALID, "%s: too deep, or a link leads back up",
					name);
		fd_close(&fd);
		return ret;
	}
	for (struct dirent *e; ret == 0 && (e = readdir(dir));) {
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		auto_free char *path =
			*name ? xasprintf("%s/%s", name, e->d_name) : xstrdup(e->d_name);
		ret = pack_entry(k, dirfd(dir), e->d_name, path, depth, err);
	}
	closedir(dir);
	return ret;
}

static int pack_all(struct packer *k, const char *local, const char *mark, struct err *err)
{
	int fd = open(local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, errno, "%s", local);
	k->a = libarchive.write_new();
	k->entry = libarchive.entry_new();
	k->block = xmalloc(CHUNK);
	libarchive.write_set_format_gnutar(k->a);
	libarchive.write_add_filter_none(k->a);
	libarchive.write_set_bytes_per_block(k->a, (int)CHUNK);
	libarchive.write_set_bytes_in_last_block(k->a, 512);
	if (libarchive.write_open(k->a, k, NULL, on_pack, NULL) != ARCHIVE_OK) {
		fd_close(&fd);
		return pack_failed(k, err);
	}
	if (pack_dir(k, fd, "", 0, err) < 0 || pack_head(k, mark, AE_IFREG, 0600, 0, err) < 0)
		return -1;
	return libarchive.write_close(k->a) == ARCHIVE_OK ? 0 : pack_failed(k, err);
}

static void packer_release(struct packer *k)
{
	if (k->entry)
		libarchive.entry_free(k->entry);
	if (k->a) {
		/* The rest must not be sent once something failed. */
		if (!err_any(&k->err))
			err_set(&k->err, ERR_LOST, "stopped");
		libarchive.write_free(k->a);
	}
	free(k->block);
	err_release(&k->err);
	ssh_chan_release(&k->chan);
	ssh_text_release(&k->text);
}
DEFINE_AUTO(packer, struct packer, packer_release);

static bool says(const struct ssh_text *t, const char *line)
{
	auto_free char *whole = xasprintf("\n%s\n", line);
	return ssh_text_says(t, whole);
}

enum answer { UNPACKED, FILES, NO_TAR };

static int unpack_taken(struct ssh_comm *s, const char *local, const char *remote, enum answer *ret,
			struct err *err)
{
	AUTO(buf) struct buf command = BUF_INIT;
	AUTO(packer) struct packer k = { 0 };
	struct stat st;
	int status = 0;
	char mark[64], mode[8];
	uint8_t random[12];
	if (stat(local, &st) < 0)
		return err_errno(err, errno, "%s", local);
	os_random(random, sizeof(random));
	AUTO(buf) struct buf hex = BUF_INIT;
	buf_add_hex(&hex, random, sizeof(random));
	snprintf(mark, sizeof(mark), ".ingot-%s", buf_cstr(&hex));
	snprintf(mode, sizeof(mode), "%04o", st.st_mode & 0777);
	ssh_shell_command(&command, unpack_script,
			  (const char *const[]){ remote, ends_with(local, "/") ? "1" : "",
						 os_basename(local), mode, mark },
			  5);
	k.chan.on_data = ssh_text_feed;
	k.chan.data = &k.text;
	if (ssh_chan_exec(s->conn, &k.chan, buf_cstr(&command), 0, err) < 0)
		return -1;
	/* An answer that needs no tar comes while it is being sent. */
	if (pack_all(&k, local, mark, err) < 0 && !err_is(err, "early"))
		return -1;
	err_release(err);
	ssh_chan_eof(&k.chan);
	if (ssh_chan_finish(&k.chan, clock_ms() + FAREWELL_MS, &status, err) < 0)
		return -1;
	bool shell = ssh_text_says(&k.text, "=ingot=\n");
	*ret = says(&k.text, "files") ? FILES : !shell || says(&k.text, "tar") ? NO_TAR : UNPACKED;
	if (*ret != UNPACKED)
		return 0;
	return status || !says(&k.text, "done") ? ssh_text_failed(&k.text, status, err) : 0;
}

/* What scp makes of "directory/" and a destination that is not there: each file is written to that
 * name, so the last one stays. */
static int upload_as_files(struct ssh_comm *s, const char *local, const char *remote,
			   struct err *err)
{
	DIR *dir = opendir(local);
	int ret = 0;
	if (!dir)
		return err_errno(err, errno, "%s", local);
	for (struct dirent *e; ret == 0 && (e = readdir(dir));) {
		struct stat st;
		if (streq(e->d_name, ".") || streq(e->d_name, ".."))
			continue;
		auto_fd int fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			ret = err_errno(err, errno, "%s%s", local, e->d_name);
		else if (S_ISDIR(st.st_mode))
			ret = err_set(err, ERR_REMOTE,
				      "%s is not there: make it first, or leave the slash after %s "
				      "out",
				      remote, local);
		else
			ret = ssh_upload(&s->base, fd, st.st_size, e->d_name, remote, st.st_mode,
					 err);
	}
	closedir(dir);
	return ret;
}

int ssh_upload_dir(struct communicator *c, const char *local, const char *remote, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	enum answer answer = UNPACKED;
	if (streq(s->config->ssh_file_transfer_method, "sftp"))
		return ssh_sftp_upload_dir(s, local, remote, err);
	if (libarchive_open(err) < 0 || ssh_comm_take(s, err) < 0)
		return -1;
	int ret = unpack_taken(s, local, remote, &answer, err);
	ssh_comm_give(s);
	if (ret < 0 || answer == UNPACKED)
		return ret;
	if (answer == FILES)
		return upload_as_files(s, local, remote, err);
	log_line("upload: no tar at %s, trying sftp", s->host);
	return ssh_sftp_upload_dir(s, local, remote, err);
}

struct unpacker {
	struct ssh_chan chan;
	struct ssh_text text; /* until "go"; then out is the stream */
	struct buf block;     /* handed to the library */
	bool shell, going, no_tar;
	struct err err;
};

static void on_unpack(void *data, bool is_stderr, const char *p, size_t n)
{
	struct unpacker *u = data;
	const char *nl;
	ssh_text_feed(&u->text, is_stderr, p, n);
	struct buf *b = &u->text.out;
	while (!is_stderr && !u->going && b->n && (nl = memchr(b->p, '\n', b->n))) {
		struct str line = { b->p, (size_t)(nl - b->p) };
		if (!u->shell)
			u->shell = str_ends(line, "=ingot=");
		else if (str_eqs(line, "go"))
			u->going = true;
		else
			u->no_tar = str_eqs(line, "tar");
		buf_remove(b, 0, line.n + 1);
	}
}

/* The next bytes of the stream. */
static la_ssize_t on_unpack_read(struct archive *a, void *data, const void **ret)
{
	struct unpacker *u = data;
	struct buf *in = &u->text.out;
	while (!u->chan.closed && !u->chan.eof && (!u->going || !in->n))
		if (ssh_chan_step(&u->chan, CLOCK_NEVER, &u->err) < 0) {
			libarchive.set_error(a, EPIPE, "the connection broke off");
			return -1;
		}
	buf_reset(&u->block);
	if (u->going)
		buf_add(&u->block, in->p, in->n);
	buf_reset(in);
	*ret = u->block.p;
	return (la_ssize_t)u->block.n;
}

/* A name from the machine is only used below the destination. */
static int check_name(const char *name, struct err *err)
{
	struct str rest = str_from(name), part;
	bool bad = *name == '/' || !*name;
	while (str_split(&rest, '/', &part))
		bad |= str_eqs(part, "..");
	return bad ? err_set(err, ERR_REMOTE, "the machine's archive names %s: refused", name) : 0;
}

static int save_entry(struct archive *a, struct archive_entry *e, const char *local,
		      struct err *err)
{
	const char *name = libarchive.entry_pathname(e);
	mode_t type = libarchive.entry_filetype(e), mode = libarchive.entry_perm(e) & 0777;
	if (!name || check_name(name, err) < 0)
		return -1;
	const char *link = libarchive.entry_hardlink(e);
	auto_free char *path = os_path_join(local, name);
	if (type == AE_IFDIR) {
		size_t n = strlen(path);
		if (n > 1 && path[n - 1] == '/')
			path[n - 1] = 0;
		if (mkdir(path, mode | 0700) < 0 && errno != EEXIST)
			return err_errno(err, errno, "%s", path);
		return 0;
	}
	if (link) {
		auto_free char *from = os_path_join(local, link);
		if (check_name(link, err) < 0)
			return -1;
		unlink(path);
		return linkat(AT_FDCWD, from, AT_FDCWD, path, 0) < 0
			       ? err_errno(err, errno, "%s", path)
			       : 0;
	}
	if (type != AE_IFREG)
		return 0; /* devices and the like are not copied */
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	if (fd < 0)
		return err_errno(err, errno, "%s", path);
	auto_free char *block = xmalloc(CHUNK);
	for (;;) {
		la_ssize_t n = libarchive.read_data(a, block, CHUNK);
		if (n == 0)
			return 0;
		if (n < 0)
			return err_set(err, ERR_REMOTE, "%s: %s", name, libarchive.error_string(a));
		if (os_write_all(fd, block, (size_t)n) < 0)
			return err_errno(err, errno, "%s", path);
	}
}

static int save_all(struct unpacker *u, const char *local, struct err *err)
{
	struct archive *a = libarchive.read_new();
	struct archive_entry *e;
	int rc, ret = 0;
	libarchive.read_support_format_tar(a);
	if (libarchive.read_open(a, u, NULL, on_unpack_read, NULL) != ARCHIVE_OK)
		ret = -1;
	while (ret == 0 && (rc = libarchive.read_next_header(a, &e)) != ARCHIVE_EOF)
		ret = rc < ARCHIVE_WARN ? -1 : save_entry(a, e, local, err);
	if (ret < 0 && err_any(&u->err)) {
		err_release(err);
		err_move(err, &u->err);
	} else if (ret < 0 && !err_any(err) && u->going) {
		err_set(err, ERR_REMOTE, "the machine's archive: %s", libarchive.error_string(a));
	}
	libarchive.read_free(a);
	return ret;
}

static int download_taken(struct ssh_comm *s, struct unpacker *u, const char *command,
			  const char *local, struct err *err)
{
	int status = 0;
	u->chan.on_data = on_unpack;
	u->chan.data = u;
	u->text.max = BUF_MAX;
	if (ssh_chan_exec(s->conn, &u->chan, command, 0, err) < 0)
		return -1;
	ssh_chan_eof(&u->chan);
	AUTO(err) struct err packed = ERR_INIT;
	int ret = save_all(u, local, &packed);
	if (ret < 0 && err_any(&packed) && packed.code != ERR_REMOTE)
		return err_move(err, &packed);
	if (ssh_chan_finish(&u->chan, CLOCK_NEVER, &status, err) < 0)
		return -1;
	if (u->no_tar || !u->shell)
		return 0;
	if (status)
		return ssh_text_failed(&u->text, status, err);
	return err_any(&packed) ? err_move(err, &packed) : 0;
}

static void download_command(struct buf *out, const char *remote)
{
	auto_free char *path = xstrdup(remote);
	size_t n = strlen(path);
	if (strpbrk(remote, "*?[")) {
		ssh_shell_command(out, pack_pattern_script, (const char *const[]){ remote }, 1);
		return;
	}
	while (n > 1 && path[n - 1] == '/')
		path[--n] = 0;
	const char *name = os_basename(path);
	auto_free char *dir = name > path ? xstrndup(path, (size_t)(name - path)) : xstrdup(".");
	ssh_shell_command(out, pack_script, (const char *const[]){ dir, *name ? name : "." }, 2);
}

int ssh_download_dir(struct communicator *c, const char *remote, const char *local, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	struct unpacker u = { 0 };
	AUTO(buf) struct buf command = BUF_INIT;
	if (streq(s->config->ssh_file_transfer_method, "sftp"))
		return ssh_sftp_download_dir(s, remote, local, err);
	if (libarchive_open(err) < 0 || os_mkdir_all(local, 0755, err) < 0 ||
	    ssh_comm_take(s, err) < 0)
		return -1;
	download_command(&command, remote);
	int ret = download_taken(s, &u, buf_cstr(&command), local, err);
	ssh_chan_release(&u.chan);
	ssh_comm_give(s);
	bool elsewhere = ret == 0 && (u.no_tar || !u.shell);
	ssh_text_release(&u.text);
	buf_release(&u.block);
	err_release(&u.err);
	return elsewhere ? ssh_sftp_download_dir(s, remote, local, err) : ret;
}
