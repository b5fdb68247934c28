/* What kind of text a key file holds, told from its first line and, for OpenSSH's own form, the
 * cipher name in its head (→ PROTOCOL.key of OpenSSH). The library parses it for real when it logs
 * in. */
#include "communicator/ssh_key.h"

#include "base/os.h"

#include <string.h>

#define KEY_FILE_MAX (256 * 1024)
#define OPENSSH_BEGIN "-----BEGIN OPENSSH PRIVATE KEY-----"
#define OPENSSH_END "-----END OPENSSH PRIVATE KEY-----"
#define OPENSSH_MAGIC "openssh-key-v1"

char *ssh_key_expand(struct arena *a, const char *path)
{
	if (path[0] != '~' || (path[1] && path[1] != '/'))
		return arena_strdup(a, path);
	auto_free char *home = os_home(false);
	return arena_printf(a, "%s%s", home ? home : "", path + 1);
}

static int encrypted(const char *name, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "the key %s is protected by a passphrase, which ingot cannot ask for: use "
		       "an agent (ssh_agent_auth) or a copy without one (ssh-keygen -p)",
		       name);
}

/* Whether the body of an OpenSSH key says that it is encrypted; -1 when it is malformed. */
static int openssh_encrypted(struct str text)
{
	ptrdiff_t begin = str_find(text, STR(OPENSSH_BEGIN)),
		  end = str_find(text, STR(OPENSSH_END));
	if (begin < 0 || end < begin)
		return -1;
	AUTO(buf) struct buf base64 = BUF_INIT;
	AUTO(buf) struct buf bytes = BUF_INIT;
	for (const char *p = text.p + begin + strlen(OPENSSH_BEGIN); p < text.p + end; p++)
		if (!strchr(" \t\r\n", *p))
			buf_addc(&base64, *p);
	bool ok = buf_add_unbase64(&bytes, buf_str(&base64)) == 0;
	ssh_key_wipe(&base64);
	const char cipher_none[] = "\0\0\0\4none";
	size_t head = sizeof(OPENSSH_MAGIC);
	int ret = -1;
	if (ok && bytes.n >= head + 8 && memcmp(bytes.p, OPENSSH_MAGIC, head) == 0)
		ret = memcmp(bytes.p + head, cipher_none, 8) != 0;
	ssh_key_wipe(&bytes);
	return ret;
}

int ssh_key_check(struct str text, const char *name, struct err *err)
{
	static const char *const public[] = { "ssh-", "ecdsa-", "sk-", "-----BEGIN PUBLIC",
					      "---- BEGIN SSH2 PUBLIC" };
	struct str t = str_trim(text);
	if (!t.n)
		return err_set(err, ERR_INVALID, "the key %s is empty", name);
	for (size_t i = 0; i < ARRAY_LEN(public); i++)
		if (str_starts(t, public[i]))
			return err_set(err, ERR_INVALID,
				       "%s holds a public key; the private one is needed", name);
	if (str_starts(t, "PuTTY-User-Key-File"))
		return err_set(err, ERR_INVALID,
			       "the key %s is in PuTTY's form: export it as an OpenSSH key with "
			       "puttygen",
			       name);
	if (str_find(t, STR("BEGIN ENCRYPTED PRIVATE KEY")) >= 0 ||
	    str_find(t, STR("Proc-Type: 4,ENCRYPTED")) >= 0)
		return encrypted(name, err);
	if (str_find(t, STR(OPENSSH_BEGIN)) >= 0) {
		int e = openssh_encrypted(t);
		if (e > 0)
			return encrypted(name, err);
		return e < 0 ? err_set(err, ERR_INVALID, "the key %s is damaged", name) : 0;
	}
	if (str_find(t, STR("-----BEGIN ")) < 0 || str_find(t, STR("PRIVATE KEY-----")) < 0)
		return err_set(err, ERR_INVALID,
			       "%s holds no private key: PEM or OpenSSH form is wanted", name);
	if (str_find(t, STR("-----END ")) < 0)
		return err_set(err, ERR_INVALID,
			       "the key %s is cut short: its last line is missing", name);
	return 0;
}

void ssh_key_wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->cap);
	buf_release(b);
}

int ssh_key_read(const char *path, struct buf *ret, struct err *err)
{
	if (os_read_file(path, KEY_FILE_MAX, ret, err) < 0)
		return -1;
	if (ssh_key_check(buf_str(ret), path, err) < 0) {
		ssh_key_wipe(ret);
		return -1;
	}
	return 0;
}

int ssh_key_check_file(const char *path, const char *cert, struct err *err)
{
	struct buf key = BUF_INIT;
	if (ssh_key_read(path, &key, err) < 0)
		return -1;
	ssh_key_wipe(&key);
	if (!cert)
		return 0;
	AUTO(buf) struct buf text = BUF_INIT;
	if (os_read_file(cert, KEY_FILE_MAX, &text, err) < 0)
		return -1;
	if (str_find(buf_str(&text), STR("-cert-v01@openssh.com ")) < 0)
		return err_set(err, ERR_INVALID, "%s holds no OpenSSH certificate", cert);
	return 0;
}
