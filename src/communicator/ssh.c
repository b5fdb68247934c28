/* A connection's life: the dial, the handshake, the wait loop and the thread that keeps an idle
 * connection alive. Invariant: the session is touched by the taker, or by the keeper while there is
 * none. */
#include "communicator/ssh.h"

#include "base/clock.h"
#include "base/log.h"
#include "communicator/ssh_forward.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>

#define KEEPER_STACK ((size_t)128 * 1024)
#define BANNER_MS 10000	   /* a server that listens shows its version at once */
#define HANDSHAKE_MS 60000 /* for low orbit */
#define PUMP_MAX 64	   /* reads of the library before the cancel flag is looked at again */
/* Asked this often without a sign of life, a peer is gone. */
#define KEEP_ALIVE_MISSED 12
#define KEEP_ALIVE_LOST_MS 60000
#define KEEP_ALIVE_LEAST 3 /* questions, however long it was silent */

/* Fast ones first; the rest for old servers and those without AES instructions. */
#define CIPHERS \
	"aes128-gcm@openssh.com,aes256-gcm@openssh.com," \
	"chacha20-poly1305@openssh.com," \
	"aes128-ctr,aes192-ctr,aes256-ctr"
#define KEY_EXCHANGE \
	"curve25519-sha256,curve25519-sha256@libssh.org," \
	"ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521," \
	"diffie-hellman-group18-sha512,diffie-hellman-group16-sha512," \
	"diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256"
#define HOST_KEYS \
	"ssh-ed25519," \
	"ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," \
	"rsa-sha2-512,rsa-sha2-256"
/* Offered only to a server that has nothing better. */
#define LEGACY_KEY_EXCHANGE ",diffie-hellman-group-exchange-sha1,diffie-hellman-group14-sha1"
#define LEGACY_HOST_KEYS ",ssh-rsa"

int ssh_conn_lost(struct ssh_conn *c, struct err *err)
{
	return err_set(err, ERR_LOST, "the connection to %s broke off: %s", c->name,
		       c->lost ? c->lost : "unknown reason");
}

static void set_lost(struct ssh_conn *c, const char *why)
{
	if (!c->lost)
		c->lost = xstrdup(why);
}

void ssh_conn_check(struct ssh_conn *c)
{
	if (c->lost || libssh.is_connected(c->session))
		return;
	/* Asking for the server's last words replaces the library's own error if there are none. */
	auto_free char *why = xstrdup(libssh.get_error(c->session));
	const char *said = libssh.get_disconnect_message(c->session);
	if (said && *said)
		set_lost(c, said);
	else if (!*why || strstr(why, "disconnected"))
		set_lost(c, "the server closed it");
	else
		set_lost(c,
			 starts_with(why, "Socket error: ") ? why + strlen("Socket error: ") : why);
}

/* Lets the library read and write what it can without waiting. */
static void pump(struct ssh_conn *c)
{
	for (int i = 0; i < PUMP_MAX; i++) {
		int rc = libssh.event_dopoll(c->event, 0);
		if (rc == SSH_AGAIN)
			break;
		if (rc != SSH_OK) {
			ssh_conn_check(c);
			set_lost(c, libssh.get_error(c->session));
			return;
		}
	}
	ssh_conn_check(c);
}

/* Counts what came in, and asks for a sign of life when it is time. A peer is lost only if it left
 * questions unanswered: a program that was stopped for a while has asked none. */
static void keep_alive(struct ssh_conn *c, int64_t now)
{
	if (c->counter.in_bytes != c->heard) {
		c->heard = c->counter.in_bytes;
		c->last_heard = now;
		c->unanswered = 0;
	}
	int64_t silent = now - c->last_heard;
	bool asking = c->keep_alive_ms > 0;
	int64_t limit = MAX(c->keep_alive_ms * KEEP_ALIVE_MISSED, (int64_t)KEEP_ALIVE_LOST_MS);
	bool ignored = c->unanswered >= KEEP_ALIVE_LEAST && silent > limit;
	if ((c->silence_ms && silent > c->silence_ms) || (asking && ignored)) {
		auto_free char *why = xasprintf("nothing came from the server for %lld s",
						(long long)(silent / 1000));
		set_lost(c, why);
		return;
	}
	if (!asking || now - c->last_asked < c->keep_alive_ms)
		return;
	/* The first call takes the answer to the last question, the second asks. */
	libssh.send_keepalive(c->session);
	libssh.send_keepalive(c->session);
	c->last_asked = now;
	c->unanswered++;
}

static int64_t next_duty(const struct ssh_conn *c, int64_t deadline)
{
	if (c->keep_alive_ms > 0)
		deadline = MIN(deadline, c->last_asked + c->keep_alive_ms);
	if (c->silence_ms > 0)
		deadline = MIN(deadline, c->last_heard + c->silence_ms + 1);
	return deadline;
}

/* One wait. other: a further descriptor that ends it, told in *ret_other. */
static void wait_and_pump(struct ssh_conn *c, int other, bool *ret_other, int64_t deadline)
{
	struct pollfd p[2 + SSH_FORWARD_POLLS] = {
		{ .fd = c->fd, .events = POLLIN },
		{ .fd = other, .events = POLLIN },
	};
	if (libssh.get_poll_flags(c->session) & SSH_WRITE_PENDING)
		p[0].events |= POLLOUT;
	size_t n = 2 + ssh_forward_polls(c, p + 2);
	int ready = poll(p, n, clock_left(next_duty(c, deadline)));
	*ret_other = ready > 0 && p[1].revents;
	pump(c);
	if (!c->lost)
		keep_alive(c, clock_ms());
	if (!c->lost)
		ssh_forward_step(c);
}

int ssh_conn_step(struct ssh_conn *c, int64_t deadline, struct err *err)
{
	bool cancelled = false;
	if (c->lost)
		return ssh_conn_lost(c, err);
	wait_and_pump(c, c->cancel ? cancel_fd(c->cancel) : -1, &cancelled, deadline);
	if (cancelled)
		return err_set(err, ERR_CANCELLED, "cancelled");
	return c->lost ? ssh_conn_lost(c, err) : 0;
}

static void *keeper_thread(void *data)
{
	struct ssh_conn *c = data;
	pthread_mutex_lock(&c->lock);
	while (!c->stop && !c->lost) {
		if (c->takers) {
			pthread_cond_wait(&c->changed, &c->lock);
			continue;
		}
		bool woken;
		c->keeping = true;
		pthread_mutex_unlock(&c->lock);
		wait_and_pump(c, c->wake_fd, &woken, CLOCK_NEVER);
		pthread_mutex_lock(&c->lock);
		c->keeping = false;
		pthread_cond_broadcast(&c->changed);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static int keeper_start(struct ssh_conn *c, struct err *err)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, KEEPER_STACK);
	int e = pthread_create(&c->keeper, &attr, keeper_thread, c);
	pthread_attr_destroy(&attr);
	if (e)
		return err_errno(err, e, "starting a thread for the connection");
	c->has_keeper = true;
	return 0;
}

void ssh_conn_take(struct ssh_conn *c, const struct cancel *cancel)
{
	pthread_mutex_lock(&c->lock);
	c->takers++;
	eventfd_write(c->wake_fd, 1);
	while (c->keeping || c->takers > 1)
		pthread_cond_wait(&c->changed, &c->lock);
	eventfd_t n;
	eventfd_read(c->wake_fd, &n);
	c->cancel = cancel;
	pthread_mutex_unlock(&c->lock);
}

void ssh_conn_give(struct ssh_conn *c)
{
	pthread_mutex_lock(&c->lock);
	c->cancel = NULL;
	c->takers--;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
}

static int set_option(struct ssh_conn *c, enum ssh_options_e option, const void *value,
		      struct err *err)
{
	if (libssh.options_set(c->session, option, value) == 0)
		return 0;
	return err_set(err, ERR_INVALID, "%s", libssh.get_error(c->session));
}

/* The names that the user listed, or `fallback`. */
static int set_list(struct ssh_conn *c, enum ssh_options_e option, const struct strs *names,
		    const char *fallback, const char *what, struct err *err)
{
	AUTO(buf) struct buf list = BUF_INIT;
	for (size_t i = 0; i < names->n; i++)
		buf_printf(&list, "%s%s", i ? "," : "", names->v[i]);
	if (libssh.options_set(c->session, option, list.n ? list.p : fallback) == 0)
		return 0;
	return err_set(err, ERR_INVALID, "%s: the SSH library knows none of %s", what,
		       buf_cstr(&list));
}

static int set_options(struct ssh_conn *c, const struct ssh_params *p, bool legacy, struct err *err)
{
	bool no = false;
	auto_free char *kex = xasprintf("%s%s", KEY_EXCHANGE, legacy ? LEGACY_KEY_EXCHANGE : "");
	auto_free char *keys = xasprintf("%s%s", HOST_KEYS, legacy ? LEGACY_HOST_KEYS : "");
	libssh.set_blocking(c->session, 0);
	/* Nothing of the user's own SSH set-up counts: builds must not depend on who runs them. */
	if (set_option(c, SSH_OPTIONS_PROCESS_CONFIG, &no, err) < 0 ||
	    set_option(c, SSH_OPTIONS_SSH_DIR, "/nonexistent", err) < 0 ||
	    set_option(c, SSH_OPTIONS_KNOWNHOSTS, "/dev/null", err) < 0 ||
	    set_option(c, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null", err) < 0 ||
	    set_option(c, SSH_OPTIONS_HOST, p->host, err) < 0 ||
	    set_option(c, SSH_OPTIONS_USER, p->login.user, err) < 0 ||
	    set_option(c, SSH_OPTIONS_COMPRESSION, "no", err) < 0 ||
	    set_option(c, SSH_OPTIONS_HOSTKEYS, keys, err) < 0 ||
	    set_list(c, SSH_OPTIONS_CIPHERS_C_S, &p->ciphers, CIPHERS, "ssh_ciphers", err) < 0 ||
	    set_list(c, SSH_OPTIONS_CIPHERS_S_C, &p->ciphers, CIPHERS, "ssh_ciphers", err) < 0 ||
	    set_list(c, SSH_OPTIONS_KEY_EXCHANGE, &p->key_exchange, kex,
		     "ssh_key_exchange_algorithms", err) < 0)
		return -1;
	return set_option(c, SSH_OPTIONS_FD, &c->fd, err);
}

static int check_host_key(struct ssh_conn *c, const struct ssh_params *p, struct err *err)
{
	ssh_key key = NULL;
	unsigned char *hash = NULL;
	size_t n;
	char *text = NULL, *base64 = NULL;
	int ret = -1;
	if (!p->host_key)
		return 0;
	if (libssh.get_server_publickey(c->session, &key) == SSH_OK &&
	    libssh.get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) == 0 &&
	    libssh.pki_export_pubkey_base64(key, &base64) == SSH_OK &&
	    (text = libssh.get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n))) {
		log_line("ssh: %s shows the host key %s", c->name, text);
		ret = p->host_key(p->data, text, base64, err);
		if (ret < 0)
			err_set_name(err, "host-key");
	} else {
		err_set(err, ERR_REMOTE, "the host key of %s cannot be read", c->name);
	}
	libssh.string_free_char(text);
	libssh.string_free_char(base64);
	if (hash)
		libssh.clean_pubkey_hash(&hash);
	if (key)
		libssh.key_free(key);
	return ret;
}

/* Version and key exchange. *ret_no_match: the two sides have no method in common. */
static int handshake(struct ssh_conn *c, int64_t deadline, bool *ret_no_match, struct err *err)
{
	int64_t banner = MIN(deadline, clock_ms() + BANNER_MS);
	bool added = false;
	for (;;) {
		int rc = libssh.connect(c->session);
		c->fd_given = true;
		if (!added) /* the library makes its poll handle with the first call */
			libssh.event_add_session(c->event, c->session);
		added = true;
		if (rc == SSH_OK)
			return 0;
		if (rc != SSH_AGAIN || c->lost) {
			const char *why = libssh.get_error(c->session);
			if (!libssh.get_serverbanner(c->session))
				return err_set(err, ERR_AGAIN,
					       "%s is open, but what answers is no SSH server, or "
					       "one that is not ready",
					       c->name);
			if (c->lost)
				why = c->lost;
			*ret_no_match = strstr(why, "no match for method") ||
					strstr(why, "Unable to negotiate");
			return err_set(err, *ret_no_match ? ERR_REMOTE : ERR_AGAIN,
				       "SSH handshake with %s: %s", c->name, why);
		}
		if (!libssh.get_serverbanner(c->session) && clock_ms() >= banner)
			return err_set(err, ERR_AGAIN, "%s is open, but no SSH server answers",
				       c->name);
		if (clock_ms() >= deadline)
			return err_set(err, ERR_AGAIN, "SSH handshake with %s: no end in time",
				       c->name);
		bool greeted = libssh.get_serverbanner(c->session);
		if (ssh_conn_step(c, greeted ? deadline : banner, err) < 0 && err->code != ERR_LOST)
			return -1;
		err_release(err);
	}
}

static int dial(struct ssh_conn *c, const struct ssh_params *p, int64_t deadline, struct err *err)
{
	deadline = MIN(deadline, clock_ms() + p->dial_ms);
	if (p->via)
		c->fd = ssh_forward_dial(p->via, p->host, p->port, deadline, c->cancel, err);
	else if (p->proxy)
		c->fd = net_dial_proxy(p->proxy, p->host, p->port, deadline, c->cancel, err);
	else
		c->fd = net_dial(p->host, p->port, deadline, c->cancel, err);
	return c->fd < 0 ? -1 : 0;
}

static int start_session(struct ssh_conn *c, const struct ssh_params *p, bool legacy,
			 struct err *err)
{
	c->session = libssh.new();
	c->event = libssh.event_new();
	if (!c->session || !c->event)
		return err_set(err, ERR_IO, "the SSH library has no memory");
	libssh.set_counters(c->session, &c->counter, NULL);
	c->last_heard = c->last_asked = clock_ms();
	return set_options(c, p, legacy, err);
}

static void warn_legacy(const struct ssh_conn *c, const struct ssh_params *p)
{
	auto_free char *text = xasprintf("the SSH server %s knows only outdated methods (SHA-1); "
					 "they are used for this connection",
					 c->name);
	if (p->warn)
		p->warn(p->data, text);
}

/* One try. */
static int open_once(const struct ssh_params *p, bool legacy, int64_t deadline,
		     const struct cancel *cancel, struct ssh_conn **ret, bool *ret_no_match,
		     struct err *err)
{
	AUTO(ssh_conn) struct ssh_conn *c = xcalloc(1, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->changed, NULL);
	c->fd = -1;
	c->takers = 1; /* ours, until it is handed out */
	c->cancel = cancel;
	c->keep_alive_ms = 0; /* from the login on */
	c->forward_agent = p->forward_agent;
	c->name = xasprintf("%s port %lld", p->host, (long long)p->port);
	c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->wake_fd < 0)
		return err_errno(err, errno, "eventfd");
	if (dial(c, p, deadline, err) < 0 || start_session(c, p, legacy, err) < 0)
		return -1;
	if (handshake(c, MIN(deadline, clock_ms() + HANDSHAKE_MS), ret_no_match, err) < 0 ||
	    check_host_key(c, p, err) < 0 || ssh_auth(c, p, deadline, err) < 0)
		return -1;
	if (legacy)
		warn_legacy(c, p);
	log_line("ssh: logged in to %s as %s, cipher %s", c->name, p->login.user,
		 libssh.get_cipher_out(c->session));
	c->keep_alive_ms = p->keep_alive_ms;
	c->silence_ms = p->silence_ms;
	c->last_heard = c->last_asked = clock_ms();
	if (c->forward_agent)
		ssh_forward_agent(c);
	if (!p->for_streams)
		ssh_conn_ask_spare(c);
	if (keeper_start(c, err) < 0)
		return -1;
	ssh_conn_give(c);
	*ret = steal(c);
	return 0;
}

int ssh_conn_open(const struct ssh_params *p, int64_t deadline, const struct cancel *c,
		  struct ssh_conn **ret, struct err *err)
{
	bool no_match = false;
	if (libssh_open(err) < 0)
		return -1;
	if (open_once(p, false, deadline, c, ret, &no_match, err) == 0)
		return 0;
	if (!no_match || p->key_exchange.n || p->ciphers.n)
		return -1;
	err_release(err);
	return open_once(p, true, deadline, c, ret, &no_match, err);
}

static void keeper_stop(struct ssh_conn *c)
{
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	eventfd_write(c->wake_fd, 1);
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->keeper, NULL);
}

void ssh_conn_free(struct ssh_conn *c)
{
	if (!c)
		return;
	if (c->has_keeper)
		keeper_stop(c);
	if (c->session) {
		ssh_forward_free(c);
		if (c->spare)
			libssh.channel_free(c->spare);
		if (libssh.is_connected(c->session))
			libssh.disconnect(c->session);
		libssh.event_remove_session(c->event, c->session);
		libssh.free(c->session); /* closes the socket, if it ever got it */
		if (c->fd_given)
			c->fd = -1;
	}
	if (c->event)
		libssh.event_free(c->event);
	fd_close(&c->fd);
	fd_close(&c->wake_fd);
	pthread_cond_destroy(&c->changed);
	pthread_mutex_destroy(&c->lock);
	free(c->name);
	free(c->lost);
	free(c);
}
