/* A script, its run and its removal in one command: the text travels in the command line, so
 * nothing has to wait for the server to grant room for input, and no further round trip removes the
 * file. Scripts too long for that, and machines without a POSIX shell, take two steps. */
#include "communicator/ssh_comm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/os.h"

#include <errno.h>
#include <sys/mman.h>

#define WORD_MAX ((size_t)48 * 1024) /* far below what a kernel takes as one argument (128 KiB) */
#define HELLO "=ingot="
#define READY "=ready="
#define GONE "=gone=" /* with random digits after it, as a script may print anything */
#define GONE_MAX 32

/* $1 file, $2 mode, $3 its bytes, $4 their number, $5 the command, $6 empty, or after a success the
 * file is to be removed and this told at the end of stderr. The login shell becomes this one, so $$
 * leads the process group of all that runs in the session; another login shell runs the command, as
 * the server would have done it. What a shell says of a killed child is kept out of the command's
 * stderr. */
static const char put_script[] =
	"echo " HELLO "; (umask 077; printf %b \"$3\" >\"$1\") && chmod \"$2\" \"$1\" || exit 97; "
	"ingot_n=$(wc -c <\"$1\"); [ \"$ingot_n\" -eq \"$4\" ] || "
	"{ echo \"$1: $ingot_n of $4 bytes arrived\" >&2; exit 97; }; echo " READY " $$; "
	"[ \"$6\" ] || exec \"${SHELL:-sh}\" -c \"$5\"; "
	"exec 3>&2 2>/dev/null; (exec \"${SHELL:-sh}\" -c \"$5\" 2>&3 3>&-); ingot_n=$?; "
	"[ $ingot_n -ne 0 ] || { rm -f \"$1\" && printf %s \"$6\" >&3; }; exit $ingot_n";

/* Bytes as printf's %b reads them, in characters that no login shell minds in single quotes. */
static void add_escaped(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c && strchr(" _-./:=,+@;", c)))
			buf_addc(out, (char)c);
		else
			buf_printf(out, "\\0%03o", c);
	}
}

struct script_run {
	struct comm_script *script;
	const struct comm_command *cmd;
	struct ssh_text early; /* held until the script starts */
	bool hello;
	int64_t group; /* process group there, once it started; 0: not known */
	char gone[GONE_MAX];
	enum proc_stream gone_stream;
	struct buf tail; /* of gone_stream: may be the beginning of the mark */
};

static void script_run_release(struct script_run *r)
{
	ssh_text_release(&r->early);
	buf_release(&r->tail);
}
DEFINE_AUTO(script_run, struct script_run, script_run_release);

static void tell(struct script_run *r, enum proc_stream s, const char *p, size_t n)
{
	if (r->cmd->on_output && n)
		r->cmd->on_output(r->cmd->data, s, p, n);
}

/* How many bytes at the end of text are a beginning of the mark. */
static size_t mark_begun(struct str text, const char *mark, size_t len)
{
	for (size_t n = MIN(text.n, len - 1); n; n--)
		if (memcmp(text.p + text.n - n, mark, n) == 0)
			return n;
	return 0;
}

/* Output of the command, without the mark. */
static void pass_on(struct script_run *r, enum proc_stream s, const char *p, size_t n)
{
	size_t len = strlen(r->gone), held;
	if (!len || s != r->gone_stream) {
		tell(r, s, p, n);
		return;
	}
	if (r->tail.n) {
		buf_add(&r->tail, p, n);
		p = r->tail.p;
		n = r->tail.n;
	}
	ssize_t at = str_find((struct str){ p, n }, str_from(r->gone));
	if (at >= 0) {
		r->script->removed = true;
		tell(r, s, p, (size_t)at);
		tell(r, s, p + at + len, n - (size_t)at - len);
		buf_reset(&r->tail);
		return;
	}
	held = mark_begun((struct str){ p, n }, r->gone, len);
	tell(r, s, p, n - held);
	if (r->tail.n)
		buf_remove(&r->tail, 0, n - held);
	else
		buf_add(&r->tail, p + n - held, held);
}

/* Takes the first two marks out of what came. What a start file of the login shell printed before
 * them is dropped: the shell that runs the command prints it again. */
static void look_for_marks(struct script_run *r)
{
	struct buf *b = &r->early.out;
	bool *started = &r->script->started;
	char *nl;
	while (!*started && (nl = memchr(b->p, '\n', b->n))) {
		size_t line = (size_t)(nl - b->p);
		struct str text = str_trim((struct str){ b->p, line });
		if (r->hello && str_starts(text, READY)) {
			*started = true;
			if (!parse_i64(str_trim(str_slice(text, strlen(READY), text.n)), &r->group))
				r->group = 0;
		}
		r->hello |= str_ends(text, HELLO);
		buf_remove(b, 0, line + 1);
	}
	if (!*started)
		return;
	pass_on(r, PROC_STDOUT, b->p, b->n);
	ssh_text_release(&r->early);
}

static void on_data(void *data, bool is_stderr, const char *p, size_t n)
{
	struct script_run *r = data;
	if (r->script->started) {
		pass_on(r, is_stderr ? PROC_STDERR : PROC_STDOUT, p, n);
		return;
	}
	ssh_text_feed(&r->early, is_stderr, p, n);
	if (!is_stderr)
		look_for_marks(r);
}

static void one_command(struct buf *out, const struct script_run *r)
{
	AUTO(buf) struct buf bytes = BUF_INIT;
	const struct comm_script *s = r->script;
	char bits[8], size[24];
	add_escaped(&bytes, s->text);
	snprintf(bits, sizeof(bits), "%04o", s->mode & 0777);
	snprintf(size, sizeof(size), "%zu", s->text.n);
	ssh_shell_command(out, put_script,
			  (const char *const[]){ s->remote, bits, buf_cstr(&bytes), size,
						 r->cmd->command, r->gone },
			  6);
}

static int run_taken(struct ssh_comm *s, struct script_run *r, const char *command, unsigned flags,
		     int *ret_status, struct err *err)
{
	AUTO(ssh_chan) struct ssh_chan chan = { .on_data = on_data, .data = r };
	int64_t deadline = r->cmd->timeout_ms ? clock_ms() + r->cmd->timeout_ms : CLOCK_NEVER;
	if (ssh_chan_exec(s->conn, &chan, command, flags, err) < 0)
		return -1;
	ssh_chan_eof(&chan);
	if (ssh_chan_finish(&chan, deadline, ret_status, err) == 0)
		return 0;
	if (err->code == ERR_CANCELLED || err->code == ERR_TIMEOUT)
		ssh_chan_kill(&chan, r->group);
	return -1;
}

static int in_two_steps(struct ssh_comm *s, struct comm_script *script,
			const struct comm_command *cmd, int *ret_status, struct err *err)
{
	struct str text = script->text;
	auto_fd int fd = memfd_create("script", MFD_CLOEXEC);
	if (fd < 0 || os_write_all(fd, text.p, text.n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_errno(err, errno, "keeping a script in memory");
	if (ssh_upload(&s->base, fd, (off_t)text.n, "script", script->remote, script->mode, err))
		return -1;
	script->started = true;
	return s->base.ops->run(&s->base, cmd, ret_status, err);
}

static void choose_mark(struct script_run *r, bool pty)
{
	uint64_t n;
	if (!r->script->remove)
		return;
	os_random(&n, sizeof(n));
	snprintf(r->gone, sizeof(r->gone), GONE "%016llx=", (unsigned long long)n);
	r->gone_stream = pty ? PROC_STDOUT : PROC_STDERR;
}

int ssh_run_script(struct communicator *c, struct comm_script *script,
		   const struct comm_command *cmd, int *ret_status, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	AUTO(script_run) struct script_run r = { .script = script, .cmd = cmd };
	AUTO(buf) struct buf command = BUF_INIT;
	bool pty = cmd->pty || s->config->ssh_pty;
	int status = 0;
	script->started = script->removed = false;
	choose_mark(&r, pty);
	one_command(&command, &r);
	if (command.n > WORD_MAX || cmd->input.n ||
	    streq(s->config->ssh_file_transfer_method, "sftp"))
		return in_two_steps(s, script, cmd, ret_status, err);
	if (ssh_comm_take(s, err) < 0)
		return -1;
	int ret = run_taken(s, &r, buf_cstr(&command), SSH_EXEC_AGENT | (pty ? SSH_EXEC_PTY : 0),
			    &status, err);
	ssh_comm_give(s);
	tell(&r, r.gone_stream, r.tail.p, r.tail.n);
	if (ret < 0)
		return -1;
	if (script->started) {
		*ret_status = status;
		return 0;
	}
	if (r.hello)
		return ssh_text_failed(&r.early, status, err);
	/* No shell that does not know this command ends with a 0 after it. */
	if (status == 0) {
		err_set(err, ERR_REMOTE,
			"the script was not run: a forced command of the server, or a start file "
			"that replaces the shell, took its place");
		ssh_text_answered(&r.early, err);
		return -1;
	}
	log_line("script: no POSIX shell at %s, in two steps then", s->host);
	return in_two_steps(s, script, cmd, ret_status, err);
}
