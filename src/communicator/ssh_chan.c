/* Commands on a connection. A session is asked for ahead of its use, and data follows a command
 * without waiting for the server's "yes", so that a command costs one round trip. */
#include "communicator/ssh.h"

#include "base/clock.h"
#include "base/log.h"

#define OPEN_MS 60000
#define REFUSED_MS 3000 /* for a server with one session at a time */
#define REFUSED_PAUSE_MS 10
/* What the other side may send ahead; with the library's own 1.2 MB long lines wait for answers. */
#define WINDOW (8U << 20)
#define WRITE_MAX ((size_t)256 * 1024)
#define SIGNAL_BASE 128
#define KILL_MS 500

static int on_data(ssh_session s UNUSED, ssh_channel ch UNUSED, void *p, uint32_t n, int is_stderr,
		   void *data)
{
	struct ssh_chan *chan = data;
	if (chan->on_data)
		chan->on_data(chan->data, is_stderr, p, n);
	chan->unacked += n;
	return (int)n;
}

static void on_eof(ssh_session s UNUSED, ssh_channel ch UNUSED, void *data)
{
	((struct ssh_chan *)data)->eof = true;
}

static void on_close(ssh_session s UNUSED, ssh_channel ch UNUSED, void *data)
{
	((struct ssh_chan *)data)->closed = true;
}

static void on_status(ssh_session s UNUSED, ssh_channel ch UNUSED, int status, void *data)
{
	struct ssh_chan *chan = data;
	chan->has_status = true;
	chan->status = status;
}

/* As a shell shows it. RFC 4254, 6.10. */
static void on_signal(ssh_session s UNUSED, ssh_channel ch UNUSED, const char *name,
		      int core UNUSED, const char *text UNUSED, const char *language UNUSED,
		      void *data)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{ "HUP", 1 },	{ "INT", 2 },	{ "QUIT", 3 },	{ "ILL", 4 },	{ "TRAP", 5 },
		{ "ABRT", 6 },	{ "BUS", 7 },	{ "FPE", 8 },	{ "KILL", 9 },	{ "USR1", 10 },
		{ "SEGV", 11 }, { "USR2", 12 }, { "PIPE", 13 }, { "ALRM", 14 }, { "TERM", 15 },
	};
	struct ssh_chan *chan = data;
	chan->has_status = true;
	chan->status = SIGNAL_BASE;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		if (streq(signals[i].name, name))
			chan->status += signals[i].number;
}

static void listen_to(struct ssh_chan *chan)
{
	ssh_callbacks_init(&chan->callbacks);
	chan->callbacks.userdata = chan;
	chan->callbacks.channel_data_function = on_data;
	chan->callbacks.channel_eof_function = on_eof;
	chan->callbacks.channel_close_function = on_close;
	chan->callbacks.channel_exit_status_function = on_status;
	chan->callbacks.channel_exit_signal_function = on_signal;
	libssh.set_channel_callbacks(chan->ch, &chan->callbacks);
}

/* Lets the other side send WINDOW bytes ahead. The library does it when asked to read that much.
 * Nothing is there to be read, as on_data takes everything; what a server sent before it was asked
 * to is left alone. */
static void widen(struct ssh_chan *chan)
{
	char nothing[1];
	chan->unacked = 0;
	if (!chan->closed && libssh.channel_is_open(chan->ch) &&
	    libssh.channel_poll(chan->ch, 0) <= 0)
		libssh.channel_read_timeout(chan->ch, nothing, WINDOW, 0, 0);
}

void ssh_conn_ask_spare(struct ssh_conn *c)
{
	if (c->spare || c->no_spare || c->lost)
		return;
	c->spare = libssh.channel_new(c->session);
	if (c->spare && libssh.channel_open_session(c->spare) == SSH_ERROR) {
		libssh.channel_free(c->spare);
		c->spare = NULL;
	}
}

/* Looks whether the session was opened. A second one that is refused is asked for again later. */
static int advance_open(struct ssh_chan *chan, struct err *err)
{
	struct ssh_conn *c = chan->conn;
	int64_t now = clock_ms();
	if (now < chan->retry_at)
		return 0;
	int rc = chan->ch ? libssh.channel_open_session(chan->ch) : SSH_ERROR;
	if (rc == SSH_AGAIN)
		return 0;
	ssh_conn_check(c);
	if (c->lost)
		return ssh_conn_lost(c, err);
	if (rc == SSH_OK) {
		chan->opening = false;
		listen_to(chan);
		widen(chan);
		return 0;
	}
	if (chan->was_spare)
		log_line("ssh: %s allows one session at a time", c->name);
	else if (!c->no_spare || now - chan->opened_first > REFUSED_MS)
		return err_set(err, ERR_REMOTE, "%s opens no session: %s", c->name,
			       libssh.get_error(c->session));
	/* The last session may not be over for the server, though it is for us. */
	c->no_spare = true;
	chan->was_spare = false;
	chan->retry_at = now + REFUSED_PAUSE_MS;
	libssh.channel_free(chan->ch);
	chan->ch = libssh.channel_new(c->session);
	return 0;
}

static int request_pty(struct ssh_chan *chan, struct err *err)
{
	int64_t deadline = clock_ms() + OPEN_MS;
	int rc;
	while ((rc = libssh.channel_request_pty_size(chan->ch, "xterm", 80, 40)) == SSH_AGAIN)
		if (clock_ms() >= deadline)
			return err_set(err, ERR_LOST,
				       "%s does not answer the request for a terminal",
				       chan->conn->name);
		else if (ssh_conn_step(chan->conn, deadline, err) < 0)
			return -1;
	if (rc == SSH_OK)
		return 0;
	return err_set(err, ERR_REMOTE, "%s gives no terminal (ssh_pty)", chan->conn->name);
}

/* Sends the request, or looks for the answer to the one that was sent. */
static int advance_request(struct ssh_chan *chan, struct err *err)
{
	struct ssh_conn *c = chan->conn;
	bool subsystem = chan->flags & SSH_EXEC_SUBSYSTEM;
	if (!chan->requested) {
		chan->requested = true;
		if ((chan->flags & SSH_EXEC_AGENT) && c->forward_agent)
			libssh.channel_request_auth_agent(chan->ch);
		if ((chan->flags & SSH_EXEC_PTY) && request_pty(chan, err) < 0)
			return -1;
		chan->asked = clock_ms();
	}
	int rc = subsystem ? libssh.channel_request_subsystem(chan->ch, chan->command)
			   : libssh.channel_request_exec(chan->ch, chan->command);
	if (rc == SSH_AGAIN)
		return 0;
	ssh_conn_check(c);
	if (c->lost)
		return ssh_conn_lost(c, err);
	if (rc != SSH_OK)
		return err_set(err, ERR_REMOTE, "%s refuses to run %s", c->name,
			       subsystem ? "its sftp subsystem" : "a command");
	chan->command = NULL;
	chan->answered = clock_ms();
	return 0;
}

int ssh_chan_advance(struct ssh_chan *chan, struct err *err)
{
	if (chan->opening && advance_open(chan, err) < 0)
		return -1;
	return !chan->opening && chan->command ? advance_request(chan, err) : 0;
}

int ssh_chan_start(struct ssh_conn *c, struct ssh_chan *chan, const char *command, unsigned flags,
		   struct err *err)
{
	chan->conn = c;
	chan->command = command;
	chan->flags = flags;
	if (c->lost)
		return ssh_conn_lost(c, err);
	chan->opening = true;
	chan->opened_first = clock_ms();
	chan->was_spare = c->spare;
	chan->ch = c->spare ? c->spare : libssh.channel_new(c->session);
	c->spare = NULL;
	return ssh_chan_advance(chan, err);
}

int ssh_chan_exec(struct ssh_conn *c, struct ssh_chan *chan, const char *command, unsigned flags,
		  struct err *err)
{
	int64_t deadline = clock_ms() + OPEN_MS;
	if (ssh_chan_start(c, chan, command, flags, err) < 0)
		return -1;
	while (chan->opening) {
		if (clock_ms() >= deadline)
			return err_set(err, ERR_LOST,
				       "%s does not answer the request for a session", c->name);
		if (ssh_chan_step(chan,
				  MIN(deadline, MAX(chan->retry_at, clock_ms() + REFUSED_PAUSE_MS)),
				  err) < 0)
			return -1;
	}
	ssh_conn_ask_spare(c);
	return 0;
}

int ssh_chan_step(struct ssh_chan *chan, int64_t deadline, struct err *err)
{
	if (ssh_conn_step(chan->conn, deadline, err) < 0)
		return -1;
	if (chan->unacked > WINDOW / 2)
		widen(chan);
	return ssh_chan_advance(chan, err);
}

int ssh_chan_write_some(struct ssh_chan *chan, const char *p, size_t n, size_t *ret,
			struct err *err)
{
	struct ssh_conn *c = chan->conn;
	*ret = 0;
	if (chan->closed || chan->opening)
		return 0;
	/* What the socket does not take at once is copied around by the library: let it drain
	 * first. */
	if (libssh.get_poll_flags(c->session) & SSH_WRITE_PENDING)
		return 0;
	n = MIN(MIN(n, WRITE_MAX), (size_t)libssh.channel_window_size(chan->ch));
	if (!n)
		return 0;
	int rc = libssh.channel_write(chan->ch, p, (uint32_t)n);
	if (rc >= 0) {
		*ret = (size_t)rc;
		return 0;
	}
	ssh_conn_check(c);
	if (c->lost)
		return ssh_conn_lost(c, err);
	return err_set(err, ERR_REMOTE, "%s: %s", c->name, libssh.get_error(c->session));
}

int ssh_chan_write(struct ssh_chan *chan, const char *p, size_t n, struct err *err)
{
	while (n) {
		size_t done;
		if (ssh_chan_write_some(chan, p, n, &done, err) < 0)
			return -1;
		p += done;
		n -= done;
		if (n && (chan->closed || chan->has_status)) {
			err_set(err, ERR_REMOTE,
				"the command stopped reading before the end of its input");
			err_set_name(err, "early");
			return -1;
		}
		if (n && !done && ssh_chan_step(chan, CLOCK_NEVER, err) < 0)
			return -1;
	}
	return 0;
}

void ssh_chan_eof(struct ssh_chan *chan)
{
	if (!chan->closed && !chan->conn->lost)
		libssh.channel_send_eof(chan->ch);
}

int ssh_chan_finish(struct ssh_chan *chan, int64_t deadline, int *ret_status, struct err *err)
{
	while (!chan->closed) {
		if (clock_ms() >= deadline)
			return err_set(err, ERR_TIMEOUT, "the command took too long");
		if (ssh_chan_step(chan, deadline, err) < 0) {
			/* A machine that goes down may say how the command ended and no more. */
			if (err->code != ERR_LOST || !chan->has_status || !chan->eof)
				return -1;
			err_release(err);
			break;
		}
	}
	if (!chan->has_status)
		return err_set(err, ERR_LOST,
			       "%s ended the command's session without an exit status",
			       chan->conn->name);
	*ret_status = chan->status;
	return 0;
}

static void wait_closed(struct ssh_chan *chan, int64_t deadline)
{
	while (!chan->closed && clock_ms() < deadline) {
		AUTO(err) struct err err = ERR_INIT;
		if (ssh_chan_step(chan, deadline, &err) < 0)
			break;
	}
}

static void kill_group(struct ssh_conn *c, int64_t group, int64_t deadline)
{
	AUTO(err) struct err err = ERR_INIT;
	AUTO(ssh_chan) struct ssh_chan chan = { 0 };
	char command[64];
	snprintf(command, sizeof(command), "kill -TERM -%lld", (long long)group);
	if (ssh_chan_exec(c, &chan, command, 0, &err) < 0)
		return;
	ssh_chan_eof(&chan);
	wait_closed(&chan, deadline);
}

void ssh_chan_kill(struct ssh_chan *chan, int64_t group)
{
	struct ssh_conn *c = chan->conn;
	const struct cancel *cancel = c->cancel;
	int64_t deadline = clock_ms() + KILL_MS;
	c->cancel = NULL; /* it is set already; this has its own deadline */
	if (!chan->closed && !c->lost && !chan->command)
		libssh.channel_request_send_signal(chan->ch, "TERM");
	if (!chan->closed && !c->lost && group > 1)
		kill_group(c, group, deadline);
	wait_closed(chan, deadline);
	if (!chan->closed && !c->lost)
		libssh.channel_close(chan->ch);
	c->cancel = cancel;
}

void ssh_chan_release(struct ssh_chan *chan)
{
	if (!chan->ch)
		return;
	libssh.remove_channel_callbacks(chan->ch, &chan->callbacks);
	libssh.channel_free(chan->ch);
	chan->ch = NULL;
}
