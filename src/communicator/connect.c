/* The connect step: try, wait a little, try again, and in the end say why it did not work. */
#include "communicator/connect.h"

#include "base/clock.h"
#include "base/log.h"
#include "communicator/ssh_comm.h"

#define MS INT64_C(1000000) /* in nanoseconds */
#define PAUSE_FIRST_MS 50
#define PAUSE_MAX_MS 1000
#define DIAL_FIRST_MS 1000
#define DIAL_MAX_MS 10000
#define DIAL_TRIES 4 /* before each doubling */
#define UNREACHABLE_MS 60000
/* A login may be refused while the guest still puts its key in place. The reference tries 10 times,
 * every 7 s; here the same time is granted, with shorter waits at first. */
#define REFUSED_PAUSE_MS 7000
#define CONSOLE_LINES 20

struct wait {
	struct build *b;
	const struct comm_config *c;
	const struct comm_target *t;
	struct ssh_comm *s;
	int64_t started, deadline, refused_since;
	int tries, refusals;
	bool ever_reached, told_unreachable, asked_keys;
	struct err last;
};

static void end_of_console(struct wait *w)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	if (!w->t->console || w->t->console(w->t->data, &text, &err) < 0) {
		if (err_any(&err))
			log_line("console: %s", err.msg);
		return;
	}
	struct str tail = str_trim(buf_str(&text));
	size_t from = tail.n, lines = 0;
	while (from > 0 && (tail.p[from - 1] != '\n' || ++lines < CONSOLE_LINES))
		from--;
	if (tail.n)
		build_error(w->b, "The last lines of the machine's console:\n" STR_FMT,
			    STR_ARG(str_slice(tail, from, tail.n)));
}

static int give_up(struct wait *w, const char *why, struct err *err)
{
	AUTO(buf) struct buf waited = BUF_INIT;
	clock_print_duration(&waited, (clock_ms() - w->started) / 1000 * 1000 * MS);
	end_of_console(w);
	enum err_code code =
		w->last.code == ERR_AUTH || w->last.code == ERR_REMOTE ? w->last.code : ERR_TIMEOUT;
	return err_set(err, code, "no SSH login after %s (%s, %d %s): %s", buf_cstr(&waited), why,
		       w->tries, w->tries == 1 ? "try" : "tries",
		       w->last.msg ? w->last.msg : "the machine has no address yet");
}

/* Where the machine is now. 1: not known yet. */
static int find_address(struct wait *w, struct err *err)
{
	const struct comm_target *t = w->t;
	AUTO(err) struct err later = ERR_INIT;
	char *host = NULL;
	int64_t port = w->c->ssh_port;
	if (!t->address) {
		host = xstrdup(w->c->ssh_host);
		if (!host)
			return err_set(err, ERR_INVALID,
				       "ssh_host is missing: set the name or address of the "
				       "machine");
	} else if (t->address(t->data, &host, &port, &later) < 0) {
		if (later.code != ERR_AGAIN)
			return err_move(err, &later);
		return 1;
	}
	free(w->s->host);
	w->s->host = host;
	w->s->port = port;
	return 0;
}

static void ask_known_keys(struct wait *w)
{
	AUTO(buf) struct buf keys = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	if (w->asked_keys || !w->t->host_keys || streq(w->c->ssh_host_key_check, "off"))
		return;
	w->asked_keys = true;
	if (w->t->host_keys(w->t->data, &keys, &err) < 0)
		log_line("host keys: %s", err.msg);
	else if (keys.n)
		w->s->known_keys = buf_steal(&keys);
}

/* Whether a failed try is worth another one, and how long to wait before it. */
static int judge(struct wait *w, struct err *e, int64_t *pause, struct err *err)
{
	bool no_tcp = e->code == ERR_AGAIN && e->os;
	if (!no_tcp && e->code != ERR_NOT_FOUND)
		w->ever_reached = true;
	if (e->code == ERR_CANCELLED || e->code == ERR_INVALID || e->code == ERR_UNSUPPORTED)
		return err_move(err, e);
	if (e->code == ERR_REMOTE) {
		end_of_console(w);
		return err_move(err, e);
	}
	if (e->code == ERR_AUTH) {
		int64_t now = clock_ms(), allowed = w->c->ssh_handshake_attempts;
		if (!w->refusals++)
			w->refused_since = now;
		*pause = MIN((int64_t)1000 << MIN(w->refusals - 1, 3), (int64_t)REFUSED_PAUSE_MS);
		if (allowed && w->refusals >= allowed &&
		    now - w->refused_since >= (allowed - 1) * REFUSED_PAUSE_MS) {
			err_release(&w->last);
			err_move(&w->last, e);
			return give_up(w, "every login was refused", err);
		}
	}
	log_line("ssh: try %d: %s", w->tries, e->msg);
	/* A try that was cut short by the end of the time tells less than the one before. */
	if (clock_ms() < w->deadline || !err_any(&w->last)) {
		err_release(&w->last);
		err_move(&w->last, e);
	}
	if (!w->ever_reached && !w->told_unreachable && w->t->unreachable &&
	    clock_ms() - w->started > UNREACHABLE_MS) {
		w->told_unreachable = true;
		w->t->unreachable(w->t->data, w->s->host);
	}
	return 0;
}

static int wait_for_login(struct wait *w, struct err *err)
{
	int64_t quick = PAUSE_FIRST_MS;
	for (;;) {
		AUTO(err) struct err e = ERR_INIT;
		int64_t pause = quick;
		int found = find_address(w, err);
		if (found < 0)
			return -1;
		if (found == 0) {
			int64_t dial = (int64_t)DIAL_FIRST_MS << MIN(w->tries / DIAL_TRIES, 8);
			dial = MIN(dial, (int64_t)DIAL_MAX_MS);
			w->tries++;
			if (ssh_comm_open(w->s, dial, w->deadline, &e) == 0)
				return 0;
			if (judge(w, &e, &pause, err) < 0)
				return -1;
		}
		if (w->deadline != CLOCK_NEVER && clock_ms() + pause >= w->deadline) {
			if (clock_sleep_until(w->deadline, w->b->cancel) < 0)
				return err_set(err, ERR_CANCELLED,
					       "cancelled while waiting for SSH");
			return give_up(w, "ssh_timeout", err);
		}
		if (clock_sleep(pause, w->b->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled while waiting for SSH");
		quick = MIN(quick + quick / 2, (int64_t)PAUSE_MAX_MS);
	}
}

static int login(struct wait *w, struct err *err)
{
	int found = find_address(w, err);
	if (found < 0)
		return -1;
	if (found == 0)
		build_say(w->b, "Connecting to %s over SSH...", w->s->host);
	build_say(w->b, "Waiting for a login...");
	w->started = clock_ms();
	w->deadline = w->c->ssh_timeout > 0 ? w->started + w->c->ssh_timeout / MS : CLOCK_NEVER;
	w->tries = w->refusals = 0;
	ask_known_keys(w);
	if (wait_for_login(w, err) < 0)
		return -1;
	build_say(w->b, "Connected.");
	return 0;
}

static int login_twice(struct wait *w, struct err *err)
{
	AUTO(buf) struct buf pause = BUF_INIT;
	if (login(w, err) < 0)
		return -1;
	if (w->c->pause_before_connecting <= 0)
		return 0;
	ssh_comm_close(w->s);
	clock_print_duration(&pause, w->c->pause_before_connecting);
	build_say(w->b, "Pausing %s before connecting...", buf_cstr(&pause));
	if (clock_sleep(w->c->pause_before_connecting / MS, w->b->cancel) < 0)
		return err_set(err, ERR_CANCELLED, "cancelled while pausing before connecting");
	w->s->announced = true; /* whatever restarts in this time may make new keys */
	return login(w, err);
}

static void set_values(struct build *b, const struct comm_config *c, const struct ssh_comm *s)
{
	char port[24];
	snprintf(port, sizeof(port), "%lld", (long long)s->port);
	build_set(b, "Host", s->host);
	build_set(b, "Port", port);
	build_set(b, "User", c->ssh_username);
	build_set(b, "Password", c->ssh_password ? c->ssh_password : "");
	build_set(b, "ConnType", "ssh");
	build_set(b, "SSHPrivateKeyFile", c->ssh_private_key_file ? c->ssh_private_key_file : "");
	build_set(b, "SSHPrivateKey", s->key_text ? s->key_text : "");
	build_set(b, "SSHAgentAuth", c->ssh_agent_auth ? "true" : "false");
}

int comm_connect(struct build *b, const struct comm_config *c, const struct comm_target *t,
		 struct err *err)
{
	if (streq(c->communicator, "none"))
		return 0;
	if (!streq(c->communicator, "ssh"))
		return err_set(err, ERR_UNSUPPORTED,
			       "the communicator \"%s\" is not yet supported by ingot",
			       c->communicator);
	struct wait w = { .b = b, .c = c, .t = t };
	w.s = ssh_comm_new(b, c, t->private_key);
	if (t->private_key)
		build_secret(b, t->private_key);
	int ret = login_twice(&w, err);
	err_release(&w.last);
	if (ret < 0) {
		communicator_free(&w.s->base);
		return -1;
	}
	set_values(b, c, w.s);
	b->comm = &w.s->base;
	return 0;
}

void comm_disconnect(struct build *b)
{
	communicator_free(b->comm);
	b->comm = NULL;
}

static void remove_key_line(struct build *b, const char *command)
{
	AUTO(err) struct err err = ERR_INIT;
	struct comm_command cmd = { .command = command };
	int status = 0;
	if (b->comm->ops->run(b->comm, &cmd, &status, &err) < 0)
		log_line("authorized_keys: %s", err.msg);
	else if (status)
		log_line("authorized_keys: status %d of %s", status, command);
}

void comm_clear_temporary_key(struct build *b, const struct comm_config *c, const char *key_name)
{
	if (!c->ssh_clear_authorized_keys || !b->comm || !key_name || !*key_name)
		return;
	build_say(b, "Removing the temporary key from authorized_keys");
	/* sed -i keeps neither owner nor mode in all seds; writing through the file does. Only the
	 * end of a line is its key's name: another key's comment may hold the same word. */
	static const char script[] =
		"f=$2/.ssh/authorized_keys; "
		"if [ -f \"$f\" ]; then "
		"t=$(while IFS= read -r l || [ -n \"$l\" ]; do "
		"case $l in (*\" $1\") ;; (*) printf \"%s\\n\" \"$l\";; esac; "
		"done <\"$f\"); "
		"printf \"%s\\n\" \"$t\" >\"$f\"; "
		"fi";
	AUTO(buf) struct buf own = BUF_INIT;
	AUTO(buf) struct buf root = BUF_INIT;
	buf_adds(&own, "sh -c ");
	buf_add_shell_word(&own, str_from(script));
	buf_adds(&own, " ingot ");
	buf_add_shell_word(&own, str_from(key_name));
	buf_printf(&root, "sudo -n %s /root", buf_cstr(&own));
	buf_adds(&own, " \"$HOME\"");
	remove_key_line(b, buf_cstr(&own));
	remove_key_line(b, buf_cstr(&root));
}
