/* Logging in: the keys, the agent, the password, the server's own questions, in that order, going
 * on after each partial success. What was refused is remembered, so that the error can name it. */
#include "communicator/ssh.h"

#include "base/clock.h"
#include "base/log.h"
#include "communicator/ssh_key.h"

#define LOGIN_MS 60000
#define QUESTIONS_MAX 16 /* of one keyboard-interactive round */
/* Signatures: the library's own order, and for servers that know no better RSA with SHA-1. */
#define SIGNATURES \
	"ssh-ed25519," \
	"ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521," \
	"rsa-sha2-512,rsa-sha2-256," \
	"ssh-ed25519-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp256-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp384-cert-v01@openssh.com," \
	"ecdsa-sha2-nistp521-cert-v01@openssh.com," \
	"rsa-sha2-512-cert-v01@openssh.com,rsa-sha2-256-cert-v01@openssh.com"
#define SIGNATURES_SHA1 SIGNATURES ",ssh-rsa,ssh-rsa-cert-v01@openssh.com"

struct login {
	struct ssh_conn *conn;
	const struct ssh_params *p;
	int64_t deadline;
	bool known_methods; /* the server has said what it takes */
	int methods;
	struct buf tried; /* "the key /x, the password" */
};

enum verdict { REFUSED, ACCEPTED, PARTIAL };

static int broken(struct login *l, struct err *err)
{
	struct ssh_conn *c = l->conn;
	ssh_conn_check(c);
	if (c->lost && strstr(c->lost, "authentication failures"))
		return err_set(err, ERR_AUTH, "%s refuses the user %s: %s", c->name,
			       l->p->login.user, c->lost);
	return err_set(err, ERR_AGAIN, "login at %s: %s", c->name,
		       c->lost ? c->lost : "the server closed the connection");
}

/* Judges one answer of the library. 1: ask again after a wait. */
static int judge(struct login *l, int rc, enum verdict *ret, struct err *err)
{
	switch (rc) {
	case SSH_AUTH_SUCCESS:
		*ret = ACCEPTED;
		return 0;
	case SSH_AUTH_PARTIAL:
		*ret = PARTIAL;
		break;
	case SSH_AUTH_DENIED:
		*ret = REFUSED;
		break;
	case SSH_AUTH_AGAIN:
		if (clock_ms() >= l->deadline)
			return err_set(err, ERR_AGAIN, "login at %s: no answer in time",
				       l->conn->name);
		if (ssh_conn_step(l->conn, l->deadline, err) < 0) {
			if (err->code == ERR_CANCELLED)
				return -1;
			err_release(err);
			return broken(l, err);
		}
		return 1;
	default:
		return broken(l, err);
	}
	l->methods = libssh.userauth_list(l->conn->session, NULL);
	l->known_methods = l->methods != 0;
	return 0;
}

/* Whether it makes sense to try a method. */
static bool takes(const struct login *l, int method)
{
	return !l->known_methods || (l->methods & method);
}

/* name: of a key, or "". */
static void note(struct login *l, const char *what, const char *name)
{
	buf_printf(&l->tried, "%s%s%s", l->tried.n ? ", " : "", what, name);
}

static int with_key_once(struct login *l, ssh_key key, enum verdict *ret, struct err *err)
{
	int rc;
	do
		rc = judge(l, libssh.userauth_publickey(l->conn->session, l->p->login.user, key),
			   ret, err);
	while (rc > 0);
	return rc;
}

static int with_key(struct login *l, ssh_key key, const char *name, enum verdict *ret,
		    struct err *err)
{
	ssh_session s = l->conn->session;
	if (with_key_once(l, key, ret, err) < 0)
		return -1;
	/* Refused by the library itself: the server takes no better signature of this key. */
	const char *why = libssh.get_error(s);
	if (*ret == REFUSED && strstr(why, "PUBLICKEY_ACCEPTED_TYPES") && strstr(why, "'ssh-rsa")) {
		auto_free char *text = xasprintf("%s takes RSA keys only with SHA-1 signatures; "
						 "one is given to it",
						 l->conn->name);
		if (l->p->warn)
			l->p->warn(l->p->data, text);
		libssh.options_set(s, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, SIGNATURES_SHA1);
		if (with_key_once(l, key, ret, err) < 0)
			return -1;
	}
	if (*ret == REFUSED)
		note(l, "the key ", name);
	return 0;
}

static int import_key(struct str text, const char *name, const char *cert_file, ssh_key *ret,
		      struct err *err)
{
	ssh_key key = NULL, cert = NULL;
	auto_free char *copy = xstrndup(text.p, text.n);
	int rc = libssh.pki_import_privkey_base64(copy, NULL, NULL, NULL, &key);
	explicit_bzero(copy, text.n);
	if (rc != SSH_OK)
		return err_set(err, ERR_INVALID,
			       "the key %s cannot be read: its kind is not known, or it is damaged",
			       name);
	if (cert_file) {
		rc = libssh.pki_import_cert_file(cert_file, &cert);
		if (rc == SSH_OK)
			rc = libssh.pki_copy_cert_to_privkey(cert, key);
		if (cert)
			libssh.key_free(cert);
		if (rc != SSH_OK) {
			libssh.key_free(key);
			return err_set(err, ERR_INVALID,
				       "the certificate %s cannot be read or is not one of the "
				       "key %s",
				       cert_file, name);
		}
	}
	*ret = key;
	return 0;
}

static int key_step(struct login *l, struct str text, const char *name, const char *cert,
		    enum verdict *ret, struct err *err)
{
	ssh_key key = NULL;
	if (ssh_key_check(text, name, err) < 0 || import_key(text, name, cert, &key, err) < 0)
		return -1;
	int rc = with_key(l, key, name, ret, err);
	libssh.key_free(key);
	return rc;
}

static int key_file_step(struct login *l, enum verdict *ret, struct err *err)
{
	const struct ssh_login *in = &l->p->login;
	struct buf text = BUF_INIT;
	if (ssh_key_read(in->key_file, &text, err) < 0) {
		err->code = ERR_INVALID;
		return -1;
	}
	int rc = key_step(l, buf_str(&text), in->key_file, in->cert_file, ret, err);
	ssh_key_wipe(&text);
	return rc;
}

static int agent_step(struct login *l, enum verdict *ret, struct err *err)
{
	int rc;
	if (!getenv("SSH_AUTH_SOCK"))
		return err_set(err, ERR_INVALID,
			       "login by agent: SSH_AUTH_SOCK is not set, so there is no agent");
	do
		rc = judge(l, libssh.userauth_agent(l->conn->session, l->p->login.user), ret, err);
	while (rc > 0);
	if (rc == 0 && *ret == REFUSED)
		note(l, "every key of the agent", "");
	return rc;
}

static int password_step(struct login *l, enum verdict *ret, struct err *err)
{
	int rc;
	do
		rc = judge(l,
			   libssh.userauth_password(l->conn->session, l->p->login.user,
						    l->p->login.password),
			   ret, err);
	while (rc > 0);
	if (rc == 0 && *ret == REFUSED)
		note(l, "the password", "");
	return rc;
}

/* Answers the questions of one round: with the password, or as the user says. */
static int answer_questions(struct login *l, struct err *err)
{
	ssh_session s = l->conn->session;
	const struct ssh_params *p = l->p;
	int n = libssh.userauth_kbdint_getnprompts(s);
	for (int i = 0; i < n && i < QUESTIONS_MAX; i++) {
		char echo = 0;
		const char *question = libssh.userauth_kbdint_getprompt(s, (unsigned)i, &echo);
		if (!p->login.interactive || !p->ask) {
			libssh.userauth_kbdint_setanswer(
				s, (unsigned)i, p->login.password ? p->login.password : "");
			continue;
		}
		char *answer = NULL;
		if (p->ask(p->data, question ? question : "", !echo, &answer, err) < 0)
			return err_prefix(err, "the question of %s", l->conn->name);
		libssh.userauth_kbdint_setanswer(s, (unsigned)i, answer);
		xfree_secret(answer);
	}
	return 0;
}

static int questions_step(struct login *l, enum verdict *ret, struct err *err)
{
	for (;;) {
		int rc = libssh.userauth_kbdint(l->conn->session, l->p->login.user, NULL);
		if (rc == SSH_AUTH_INFO) {
			if (answer_questions(l, err) < 0)
				return -1;
			continue;
		}
		rc = judge(l, rc, ret, err);
		if (rc > 0)
			continue;
		if (rc == 0 && *ret == REFUSED)
			note(l, "the answers to its questions", "");
		return rc;
	}
}

static void describe_methods(int methods, struct buf *out)
{
	static const struct {
		int bit;
		const char *name;
	} names[] = {
		{ SSH_AUTH_METHOD_PUBLICKEY, "publickey" },
		{ SSH_AUTH_METHOD_PASSWORD, "password" },
		{ SSH_AUTH_METHOD_INTERACTIVE, "keyboard-interactive" },
		{ SSH_AUTH_METHOD_HOSTBASED, "hostbased" },
		{ SSH_AUTH_METHOD_GSSAPI_MIC, "gssapi-with-mic" },
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (methods & names[i].bit)
			buf_printf(out, "%s%s", out->n ? ", " : "", names[i].name);
}

static int refused(struct login *l, struct err *err)
{
	AUTO(buf) struct buf methods = BUF_INIT;
	describe_methods(l->methods, &methods);
	const char *user = l->p->login.user;
	if (!l->tried.n)
		return err_set(err, ERR_AUTH,
			       "%s: no way to log in as %s was given that the server takes (it "
			       "takes: %s)",
			       l->conn->name, user, buf_cstr(&methods));
	return err_set(err, ERR_AUTH, "%s answers, but refuses %s for the user %s (it takes: %s)",
		       l->conn->name, buf_cstr(&l->tried), user,
		       methods.n ? buf_cstr(&methods) : "nothing");
}

static int try_all(struct login *l, struct err *err)
{
	const struct ssh_login *in = &l->p->login;
	const struct {
		bool given;
		int method;
		int (*step)(struct login *l, enum verdict *ret, struct err *err);
	} ways[] = {
		{ in->agent, SSH_AUTH_METHOD_PUBLICKEY, agent_step },
		{ in->key_file && !in->agent, SSH_AUTH_METHOD_PUBLICKEY, key_file_step },
		{ in->password && !in->agent, SSH_AUTH_METHOD_PASSWORD, password_step },
		{ (in->password && !in->agent) || in->interactive, SSH_AUTH_METHOD_INTERACTIVE,
		  questions_step },
	};
	enum verdict v = REFUSED;
	if (in->key_text && !in->agent &&
	    key_step(l, str_from(in->key_text), "made for this build", NULL, &v, err) < 0)
		return -1;
	for (size_t i = 0; v != ACCEPTED && i < ARRAY_LEN(ways); i++)
		if (ways[i].given && takes(l, ways[i].method) && ways[i].step(l, &v, err) < 0)
			return -1;
	return v == ACCEPTED ? 0 : refused(l, err);
}

int ssh_auth(struct ssh_conn *c, const struct ssh_params *p, int64_t deadline, struct err *err)
{
	struct login l = { .conn = c, .p = p, .deadline = MIN(deadline, clock_ms() + LOGIN_MS) };
	if (p->login.interactive)
		l.deadline = deadline; /* people are slow */
	libssh.options_set(c->session, SSH_OPTIONS_PUBLICKEY_ACCEPTED_TYPES, SIGNATURES);
	int rc = try_all(&l, err);
	buf_release(&l.tried);
	return rc;
}
