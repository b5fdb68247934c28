/* What the ssh communicator decides from text alone: tunnels, keys, words for the login shell. */
#include "communicator/config.h"
#include "communicator/ssh_comm.h"
#include "communicator/ssh_key.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_tunnels(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
		int64_t listen, port;
	} cases[] = {
		{ "8080:localhost:80", "localhost", 8080, 80 },
		{ "0:10.0.0.1:65535", "10.0.0.1", 0, 65535 },
		{ "1:[::1]:2", "::1", 1, 2 },
		{ "", NULL, 0, 0 },
		{ "8080", NULL, 0, 0 },
		{ "8080:80", NULL, 0, 0 },
		{ "8080::80", NULL, 0, 0 },
		{ "x:localhost:80", NULL, 0, 0 },
		{ "8080:localhost:http", NULL, 0, 0 },
		{ "8080:localhost:", NULL, 0, 0 },
		{ "65536:localhost:1", NULL, 0, 0 },
		{ "-1:localhost:1", NULL, 0, 0 },
		{ "1:localhost:0", NULL, 0, 0 },
		{ "1:a:b:2", NULL, 0, 0 },
		{ "1:::1:2", NULL, 0, 0 },
		{ "1:[::1:2", NULL, 0, 0 },
	};
	AUTO(arena) struct arena *a = arena_new();
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct comm_tunnel t;
		int rc = comm_tunnel_parse(a, cases[i].text, &t, &err);
		assert_int_equal(rc, cases[i].host ? 0 : -1);
		if (rc < 0) {
			assert_int_equal(err.code, ERR_INVALID);
			continue;
		}
		assert_string_equal(t.host, cases[i].host);
		assert_int_equal(t.listen_port, cases[i].listen);
		assert_int_equal(t.port, cases[i].port);
	}
}

/* base64 of "openssh-key-v1\0" and the cipher's name with its length. */
#define OPENSSH_OPEN "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU="
#define OPENSSH_LOCKED "b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI="

static void test_keys(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: fine */
	} cases[] = {
		{ "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", NULL },
		{ "-----BEGIN PRIVATE KEY-----\r\nAAAA\r\n-----END PRIVATE KEY-----\r\n", NULL },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n" OPENSSH_OPEN
		  "\n-----END OPENSSH PRIVATE KEY-----\n",
		  NULL },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n" OPENSSH_LOCKED
		  "\n-----END OPENSSH PRIVATE KEY-----\n",
		  "passphrase" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n!!!\n-----END OPENSSH PRIVATE KEY-----\n",
		  "damaged" },
		{ "-----BEGIN OPENSSH PRIVATE KEY-----\n" OPENSSH_OPEN, "damaged" },
		{ "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
		  "AAAA\n"
		  "-----END ENCRYPTED PRIVATE KEY-----\n",
		  "passphrase" },
		{ "-----BEGIN RSA PRIVATE KEY-----\n"
		  "Proc-Type: 4,ENCRYPTED\n"
		  "AAAA\n"
		  "-----END RSA PRIVATE KEY-----\n",
		  "passphrase" },
		{ "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n", "cut short" },
		{ "ssh-ed25519 AAAA me@here\n", "public key" },
		{ "PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY" },
		{ " \n", "empty" },
		{ "hello\n", "no private key" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(err) struct err err = ERR_INIT;
		int rc = ssh_key_check(str_from(cases[i].text), "k.pem", &err);
		assert_int_equal(rc, cases[i].says ? -1 : 0);
		if (rc < 0) {
			assert_non_null(strstr(err.msg, cases[i].says));
			assert_non_null(strstr(err.msg, "k.pem"));
		}
	}
}

static void test_shell_words(void **state)
{
	static const struct {
		const char *path, *word;
	} cases[] = {
		{ "/tmp/a b", "'/tmp/a b'" },
		{ "~/x y", "~/'x y'" },
		{ "~", "~" },
		{ "~joe/", "~joe/" },
		{ "~a;b/x", "'~a;b/x'" },
		{ "$HOME/x", "\"$HOME\"/'x'" },
		{ "$(id)/x", "'$(id)/x'" },
		{ "$", "'$'" },
		{ "it's", "'it'\"'\"'s'" },
		{ "", "''" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf out = BUF_INIT;
		auto_free char *want = xasprintf("exec sh -c 'true' ingot %s '~'", cases[i].word);
		ssh_shell_command(&out, "true", (const char *const[]){ cases[i].path, "~" }, 2);
		assert_string_equal(buf_cstr(&out), want);
	}
}

static void test_reason_of_a_failed_command(void **state)
{
	struct ssh_text t = { 0 };
	(void)state;
	AUTO(err) struct err a = ERR_INIT;
	ssh_text_failed(&t, 3, &a);
	assert_non_null(strstr(a.msg, "status 3"));
	ssh_text_feed(&t, true, "\ncat: x: No such file\n\nlast\n", 28);
	AUTO(err) struct err b = ERR_INIT;
	ssh_text_failed(&t, 1, &b);
	assert_string_equal(b.msg, "cat: x: No such file; last");
	ssh_text_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tunnels),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_shell_words),
		cmocka_unit_test(test_reason_of_a_failed_command),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
