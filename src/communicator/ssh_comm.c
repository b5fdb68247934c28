/* The ssh communicator's own life: opening by the template's options, the pinned host key, opening
 * again, and running commands. */
#include "communicator/ssh_comm.h"

#include "base/clock.h"
#include "base/log.h"
#include "communicator/ssh_forward.h"

#define MS INT64_C(1000000) /* in nanoseconds */
#define IDLE_REOPEN_MS 30000
#define REOPEN_DIAL_MS 3000
#define REOPEN_PAUSE_MS 250
#define TUNNEL_MS 20000
#define FAILED_LINES 4 /* of a command's stderr in an error */

/* Once for each text: a login is tried many times. */
static void warn(void *data, const char *text)
{
	struct ssh_comm *s = data;
	if (streq(s->warned, text))
		return;
	free(s->warned);
	s->warned = xstrdup(text);
	build_say(s->b, "Warning: %s", text);
}

static int ask(void *data, const char *question, bool secret, char **ret_answer, struct err *err)
{
	struct build *b = ((struct ssh_comm *)data)->b;
	return (secret ? build_ask_secret : build_ask)(b, question, ret_answer, err);
}

static bool checks_keys(const struct ssh_comm *s)
{
	return !streq(s->config->ssh_host_key_check, "off");
}

static int differs(const char *host, const char *was, const char *is, struct err *err)
{
	return err_set(err, ERR_REMOTE,
		       "the host key of %s differs: expected %s, it shows %s. Another machine "
		       "answers, or somebody is in between (ssh_host_key_check = \"off\" would "
		       "accept it)",
		       host, was, is);
}

static int on_host_key(void *data, const char *fingerprint, const char *public_key, struct err *err)
{
	struct ssh_comm *s = data;
	if (!checks_keys(s))
		return 0;
	if (!s->pinned && s->known_keys && *s->known_keys && !strstr(s->known_keys, fingerprint) &&
	    !strstr(s->known_keys, public_key))
		return differs(s->host, "one of those on its console", fingerprint, err);
	if (s->pinned && !streq(s->pinned, fingerprint)) {
		if (!s->announced)
			return differs(s->host, s->pinned, fingerprint, err);
		build_say(s->b, "Warning: after its restart %s has a new host key, %s", s->host,
			  fingerprint);
	}
	free(s->pinned);
	s->pinned = xstrdup(fingerprint);
	return 0;
}

static int on_bastion_key(void *data, const char *fingerprint, const char *public_key UNUSED,
			  struct err *err)
{
	struct ssh_comm *s = data;
	if (checks_keys(s) && s->bastion_pinned && !streq(s->bastion_pinned, fingerprint))
		return differs(s->config->ssh_bastion_host, s->bastion_pinned, fingerprint, err);
	free(s->bastion_pinned);
	s->bastion_pinned = xstrdup(fingerprint);
	return 0;
}

static struct ssh_params common_params(struct ssh_comm *s, int64_t dial_ms)
{
	const struct comm_config *c = s->config;
	return (struct ssh_params){
		.dial_ms = dial_ms,
		.ciphers = c->ssh_ciphers,
		.key_exchange = c->ssh_key_exchange_algorithms,
		.keep_alive_ms = c->ssh_keep_alive_interval / MS,
		.silence_ms = c->ssh_read_write_timeout / MS,
		.warn = warn,
		.ask = ask,
		.data = s,
	};
}

static int open_bastion(struct ssh_comm *s, int64_t dial_ms, int64_t deadline, struct err *err)
{
	const struct comm_config *c = s->config;
	struct ssh_params p = common_params(s, dial_ms);
	p.host = c->ssh_bastion_host;
	p.port = c->ssh_bastion_port;
	p.host_key = on_bastion_key;
	p.silence_ms = 0;
	p.for_streams = true;
	p.login = (struct ssh_login){
		.user = c->ssh_bastion_username ? c->ssh_bastion_username : c->ssh_username,
		.password = c->ssh_bastion_password,
		.key_file = c->ssh_bastion_private_key_file,
		.cert_file = c->ssh_bastion_certificate_file,
		.interactive = c->ssh_bastion_interactive,
	};
	/* The agent alone would hide a key or password given beside it. */
	p.login.agent = c->ssh_bastion_agent_auth && !p.login.password && !p.login.key_file;
	if (ssh_conn_open(&p, deadline, s->b->cancel, &s->bastion, err) < 0)
		return err->code == ERR_CANCELLED ? -1 : err_prefix(err, "bastion");
	return 0;
}

static int open_tunnels(struct ssh_comm *s, struct err *err)
{
	const struct comm_config *c = s->config;
	AUTO(arena) struct arena *a = arena_new();
	struct comm_tunnel t;
	int ret = 0;
	ssh_conn_take(s->conn, s->b->cancel);
	for (size_t i = 0; ret == 0 && i < c->ssh_local_tunnels.n; i++)
		if (comm_tunnel_parse(a, c->ssh_local_tunnels.v[i], &t, err) < 0 ||
		    ssh_forward_local(s->conn, &t, err) < 0)
			ret = -1;
	for (size_t i = 0; ret == 0 && i < c->ssh_remote_tunnels.n; i++)
		if (comm_tunnel_parse(a, c->ssh_remote_tunnels.v[i], &t, err) < 0 ||
		    ssh_forward_remote(s->conn, &t, clock_ms() + TUNNEL_MS, err) < 0)
			ret = -1;
	ssh_conn_give(s->conn);
	return ret;
}

int ssh_comm_open(struct ssh_comm *s, int64_t dial_ms, int64_t deadline, struct err *err)
{
	const struct comm_config *c = s->config;
	struct ssh_params p = common_params(s, dial_ms);
	struct net_proxy proxy = { c->ssh_proxy_host, c->ssh_proxy_port, c->ssh_proxy_username,
				   c->ssh_proxy_password };
	if (c->ssh_bastion_host) {
		if (s->bastion && s->bastion->lost) {
			ssh_conn_free(s->bastion);
			s->bastion = NULL;
		}
		if (!s->bastion && open_bastion(s, dial_ms, deadline, err) < 0)
			return -1;
	}
	p.host = s->host;
	p.port = s->port;
	p.via = s->bastion;
	p.proxy = c->ssh_proxy_host ? &proxy : NULL;
	p.host_key = on_host_key;
	p.forward_agent = !c->ssh_disable_agent_forwarding;
	p.login = (struct ssh_login){
		.user = c->ssh_username,
		.password = c->ssh_password,
		.key_file = c->ssh_private_key_file,
		.cert_file = c->ssh_certificate_file,
		.key_text = s->key_text,
		.agent = c->ssh_agent_auth,
	};
	auto_free char *before = xstrdup(s->pinned);
	if (ssh_conn_open(&p, deadline, s->b->cancel, &s->conn, err) < 0) {
		/* Only a machine that let us in is the one we mean. */
		free(s->pinned);
		s->pinned = steal(before);
		return -1;
	}
	if (open_tunnels(s, err) < 0) {
		ssh_comm_close(s);
		return -1;
	}
	s->announced = false;
	return 0;
}

void ssh_comm_close(struct ssh_comm *s)
{
	ssh_conn_free(s->conn);
	s->conn = NULL;
}

/* Until it works or the deadline has passed; the last reason is the error. */
static int reopen(struct ssh_comm *s, int64_t deadline, struct err *err)
{
	ssh_comm_close(s);
	for (;;) {
		if (ssh_comm_open(s, REOPEN_DIAL_MS, deadline, err) == 0)
			return 0;
		if (err->code == ERR_CANCELLED || err->code == ERR_INVALID ||
		    err_is(err, "host-key"))
			return -1;
		log_line("ssh: %s", err->msg);
		if (clock_ms() + REOPEN_PAUSE_MS >= deadline) {
			err->code = ERR_LOST;
			return err_prefix(err, "connecting again to %s", s->host);
		}
		err_release(err);
		if (clock_sleep(REOPEN_PAUSE_MS, s->b->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
}

int ssh_comm_take(struct ssh_comm *s, struct err *err)
{
	if (cancel_check(s->b->cancel, err) < 0)
		return -1;
	if (s->conn) {
		ssh_conn_take(s->conn, s->b->cancel);
		if (!s->conn->lost)
			return 0;
		log_line("ssh: the idle connection to %s is gone: %s", s->conn->name,
			 s->conn->lost);
		ssh_conn_give(s->conn);
	}
	if (reopen(s, clock_ms() + IDLE_REOPEN_MS, err) < 0)
		return -1;
	ssh_conn_take(s->conn, s->b->cancel);
	return 0;
}

void ssh_comm_give(struct ssh_comm *s)
{
	ssh_conn_give(s->conn);
}

static void on_run_data(void *data, bool is_stderr, const char *p, size_t n)
{
	const struct comm_command *cmd = data;
	if (cmd->on_output)
		cmd->on_output(cmd->data, is_stderr ? PROC_STDERR : PROC_STDOUT, p, n);
}

static int run_taken(struct ssh_comm *s, const struct comm_command *cmd, int *ret_status,
		     struct err *err)
{
	AUTO(ssh_chan) struct ssh_chan chan = { .on_data = on_run_data, .data = (void *)cmd };
	int64_t deadline = cmd->timeout_ms ? clock_ms() + cmd->timeout_ms : CLOCK_NEVER;
	unsigned flags = SSH_EXEC_AGENT | (cmd->pty || s->config->ssh_pty ? SSH_EXEC_PTY : 0);
	if (ssh_chan_exec(s->conn, &chan, cmd->command, flags, err) < 0)
		return -1;
	/* A command need not read what it is given. */
	if (ssh_chan_write(&chan, cmd->input.p, cmd->input.n, err) < 0) {
		if (!err_is(err, "early"))
			return -1;
		err_release(err);
	}
	ssh_chan_eof(&chan);
	if (ssh_chan_finish(&chan, deadline, ret_status, err) == 0)
		return 0;
	if (err->code == ERR_CANCELLED || err->code == ERR_TIMEOUT)
		ssh_chan_kill(&chan, 0);
	return -1;
}

static int comm_run(struct communicator *c, const struct comm_command *cmd, int *ret_status,
		    struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	if (ssh_comm_take(s, err) < 0)
		return -1;
	int ret = run_taken(s, cmd, ret_status, err);
	ssh_comm_give(s);
	return ret;
}

static int comm_reconnect(struct communicator *c, int64_t deadline_ms, struct err *err)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	s->announced = true;
	return reopen(s, deadline_ms, err);
}

static void comm_free(struct communicator *c)
{
	struct ssh_comm *s = (struct ssh_comm *)c;
	ssh_comm_close(s);
	ssh_conn_free(s->bastion);
	xfree_secret(s->key_text);
	free(s->host);
	free(s->pinned);
	free(s->bastion_pinned);
	free(s->known_keys);
	free(s->warned);
	free(s);
}

static const struct communicator_ops ops = {
	.type = "ssh",
	.run = comm_run,
	.run_script = ssh_run_script,
	.upload = ssh_upload,
	.upload_dir = ssh_upload_dir,
	.download = ssh_download,
	.download_dir = ssh_download_dir,
	.reconnect = comm_reconnect,
	.free = comm_free,
};

struct ssh_comm *ssh_comm_new(struct build *b, const struct comm_config *c, const char *key_text)
{
	struct ssh_comm *s = xcalloc(1, sizeof(*s));
	s->base.ops = &ops;
	s->base.cancel = b->cancel;
	s->b = b;
	s->config = c;
	s->key_text = xstrdup(key_text);
	return s;
}

void ssh_text_feed(void *data, bool is_stderr, const char *p, size_t n)
{
	struct ssh_text *t = data;
	t->out.max = t->err.max = t->max ? t->max : SSH_TEXT_MAX;
	buf_add(is_stderr ? &t->err : &t->out, p, n);
}

bool ssh_text_says(const struct ssh_text *t, const char *part)
{
	return str_find(buf_str(&t->out), str_from(part)) >= 0;
}

void ssh_text_release(struct ssh_text *t)
{
	buf_release(&t->out);
	buf_release(&t->err);
}

static void add_lines(struct buf *out, const struct buf *text)
{
	struct str rest = str_trim(buf_str(text)), line;
	for (int i = 0; i < FAILED_LINES && str_split(&rest, '\n', &line); i++)
		if (str_trim(line).n)
			buf_printf(out, "%s" STR_FMT, out->n ? "; " : "", STR_ARG(str_trim(line)));
}

int ssh_text_answered(const struct ssh_text *t, struct err *err)
{
	AUTO(buf) struct buf said = BUF_INIT;
	add_lines(&said, &t->out);
	add_lines(&said, &t->err);
	if (!said.n || err->code != ERR_REMOTE)
		return -1;
	return err_prefix(err, "the machine ran no command, but answered \"%s\"", said.p);
}

int ssh_text_failed(const struct ssh_text *t, int status, struct err *err)
{
	AUTO(buf) struct buf said = BUF_INIT;
	/* The reason may stand anywhere between a login script's warning and a last "giving up". */
	add_lines(&said, &t->err);
	if (!said.n)
		return err_set(err, ERR_REMOTE, "the command on the machine ended with status %d",
			       status);
	return err_set(err, ERR_REMOTE, "%s", said.p);
}

/* A path as one word of the login shell, which replaces a leading ~, ~USER or $NAME in it, as it
 * does with scp; all else is quoted. */
static void add_path_word(struct buf *out, const char *path)
{
	static const char name_chars[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
	size_t n = 0;
	if (*path == '~' || *path == '$')
		n = 1 + strspn(path + 1, name_chars);
	if (n == 0 || (n == 1 && *path == '$') || (path[n] && path[n] != '/'))
		n = 0;
	buf_printf(out, *path == '$' && n ? "\"%.*s\"" : "%.*s", (int)n, path);
	if (n && path[n] == '/') /* the slash ends the name for every shell */
		buf_addc(out, path[n++]);
	if (path[n] || !n)
		buf_add_shell_word(out, str_from(path + n));
}

void ssh_shell_command(struct buf *out, const char *script, const char *const *args, size_t nargs)
{
	buf_adds(out, "exec sh -c ");
	buf_add_shell_word(out, str_from(script));
	buf_adds(out, " ingot");
	for (size_t i = 0; i < nargs; i++) {
		buf_addc(out, ' ');
		if (i == 0)
			add_path_word(out, args[i]);
		else
			buf_add_shell_word(out, str_from(args[i]));
	}
}
