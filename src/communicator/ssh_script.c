/* A script and its run in one command: the text travels in the command line, so nothing has to wait for the
 * server to grant room for input. Scripts too long for that, and machines without a POSIX shell, take two
 * steps. */
#include "communicator/ssh_comm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <errno.h>
#include <sys/mman.h>

#define WORD_MAX ((size_t)48 * 1024) /* far below what a kernel takes as one argument (128 KiB) */
#define FAILED_STATUS 97	     /* of the command when the file could not be written */
#define HELLO "=ingot="
#define READY "=ready="

/* $1 file, $2 mode, $3 its bytes, $4 their number. The parent is the login shell, which leads the process group of
 * all that runs in the session. */
static const char put_script[] =
	"echo " HELLO "; umask 077; printf %b \"$3\" >\"$1\" || exit 21; chmod \"$2\" \"$1\" || exit 21; "
	"n=$(wc -c <\"$1\"); [ \"$n\" -eq \"$4\" ] || { echo \"$1: $n of $4 bytes arrived\" >&2; exit 21; }; "
	"echo " READY " $PPID";

/* Bytes as printf's %b reads them, in characters that no login shell minds between single quotes. */
static void add_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c && strchr(" _-./:=,+@;", c)))
			buf_addc(out, (char)c);
		else
			buf_printf(out, "\\0%03o", c);
	}
}

struct script_run {
	const struct comm_command *cmd;
	struct ssh_text early; /* held until the script starts */
	bool hello, started;
	int64_t group; /* process group there, once it started; 0: not known */
};

static void tell(struct script_run *r, enum proc_stream s, const char *p, size_t n)
{
	if (r->cmd->on_output && n)
		r->cmd->on_output(r->cmd->data, s, p, n);
}

/* Takes the two marks out of what came; what a login script printed around them is passed on. */
static void look_for_marks(struct script_run *r)
{
	struct buf *b = &r->early.out;
	size_t from = 0;
	char *nl;
	while (!r->started && from < b->n && (nl = memchr(b->p + from, '\n', b->n - from))) {
		size_t line = (size_t)(nl - b->p) - from;
		struct str text = str_trim((struct str){ b->p + from, line });
		bool hello = !r->hello && str_ends(text, HELLO), ready = r->hello && str_starts(text, READY);
		r->hello |= hello;
		r->started |= ready;
		if (ready && !parse_i64(str_trim(str_slice(text, strlen(READY), text.n)), &r->group))
			r->group = 0;
		if (hello || ready)
			buf_remove(b, from, line + 1);
		else
			from += line + 1;
	}
	if (!r->started)
		return;
	tell(r, PROC_STDOUT, b->p, b->n);
	tell(r, PROC_STDERR, r->early.err.p, r->early.err.n);
	ssh_text_release(&r->early);
}

static void on_data(void *data, bool is_stderr, const char *p, size_t n)
{
	struct script_run *r = data;
	if (r->started) {
		tell(r, is_stderr ? PROC_STDERR : PROC_STDOUT, p, n);
		return;
	}
	ssh_text_feed(&r->early, is_stderr, p, n);
	if (!is_stderr)
		look_for_marks(r);
}

static void one_command(struct buf *out, struct str text, const char *remote, int mode, const char *command)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	char bits[8], size[24];
	add_escaped(&bytes, text);
	snprintf(bits, sizeof(bits), "%04o", mode & 0777);
	snprintf(size, sizeof(size), "%zu", text.n);
	ssh_shell_command(out, put_script, (const char *const[]){ remote, bits, buf_cstr(&bytes), size }, 4);
	buf_remove(out, 0, strlen("exec "));
	buf_printf(out, " || exit %d\n%s", FAILED_STATUS, command);
}

static int run_taken(struct ssh_comm *s, struct script_run *r, const char *command, int *ret_status,
		     struct err *err)
{
	AUTO(ssh_chan) struct ssh_chan chan = { .on_data = on_data, .data = r };
	int64_t deadline = r->cmd->timeout_ms ? clock_ms() + r->cmd->timeout_ms : CLOCK_NEVER;
	unsigned flags = SSH_EXEC_AGENT | (r->cmd->pty || s->config->ssh_pty ? SSH_EXEC_PTY : 0);
	if (ssh_chan_exec(s->conn, &chan, command, flags, err) < 0)
		return -1;
	ssh_chan_eof(&chan);
	if (ssh_chan_finish(&chan, deadline, ret_status, err) == 0)
		return 0;
	if (err->code == ERR_CANCELLED || err->code == ERR_TIMEOUT)
		ssh_chan_kill(&chan, r->group);
	return -1;
}

static int in_two_steps(struct ssh_comm *s, struct str text, const char *remote, int mode,
			const struct comm_command *cmd, bool *ret_started, int *ret_status, struct err *err)
{
	auto_fd int fd = memfd_create("script", MFD_CLOEXEC);
	if (fd < 0 || os_write_all(fd, text.p, text.n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "keeping a script in memory");
	if (ssh_upload(&s->base, fd, (off_t)text.n, "script", remote, mode, err) < 0)
		return -1;
	*ret_started = true;
	return s->base.ops->run(&s->base, cmd, ret_status, err);
}

int ssh_run_script(struct communicator *c, struct str text, const char *remote, int mode,
		   const struct comm_command *cmd, bool *ret_started, int *ret_status, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	struct script_run r = { .cmd = cmd };
	AUTO(buf) struct buf command = BUF_INIT;
	int status = 0;
	*ret_started = false;
	one_command(&command, text, remote, mode, cmd->command);
	if (command.n > WORD_MAX || cmd->input.n || streq(s->config->ssh_file_transfer_method, "sftp"))
		return in_two_steps(s, text, remote, mode, cmd, ret_started, ret_status, err);
	if (ssh_comm_take(s, err) < 0)
		return -1;
	int ret = run_taken(s, &r, buf_cstr(&command), &status, err);
	ssh_comm_give(s);
	*ret_started = r.started;
	if (ret == 0 && r.started)
		*ret_status = status;
	else if (ret == 0 && r.hello)
		ret = ssh_text_failed(&r.early, status, err);
	else if (ret == 0) {
		log_line("script: no POSIX shell at %s, in two steps then", s->host);
		ret = in_two_steps(s, text, remote, mode, cmd, ret_started, ret_status, err);
	}
	ssh_text_release(&r.early);
	return ret;
}
