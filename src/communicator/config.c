/* The table of communicator options, their defaults and checks. */
#include "communicator/config.h"

#include "base/os.h"
#include "communicator/ssh_key.h"

#include <errno.h>
#include <sys/stat.h>

#define SECOND INT64_C(1000000000)
#define PORT_MAX 65535

static const char *const transfer_methods[] = { "scp", "sftp", NULL };
static const char *const host_key_checks[] = { "pin", "off", NULL };

#define T struct comm_config
#define PORT(member, ...) SPEC_INT(T, member, .min = 0, .max = PORT_MAX, __VA_ARGS__)
static const struct spec_row rows[] = {
	SPEC_STR(T, communicator,
		 .doc = "How to talk to the machine: `ssh` (the default) or `none`."),
	SPEC_DURATION(T, pause_before_connecting,
		      .doc = "After the first connection, disconnect, wait this long and connect "
			     "again. For machines that restart SSH late in their first boot."),
	SPEC_STR(T, ssh_host,
		 .doc = "Name or address of the machine. Most builders find it out themselves."),
	PORT(ssh_port, .doc = "Port of its SSH server. Default: 22."),
	SPEC_STR(T, ssh_username,
		 .doc = "User to log in as. Required with the `ssh` communicator."),
	SPEC_STR(T, ssh_password, .flags = SPEC_SENSITIVE,
		 .doc = "Password of that user. Also used to answer the server's questions "
			"(keyboard-interactive)."),
	SPEC_STR(T, ssh_keypair_name,
		 .doc = "Existing key pair of the account to launch the machine with. The "
			"private key comes from `ssh_private_key_file` or `ssh_agent_auth`."),
	SPEC_STR(T, temporary_key_pair_name,
		 .doc = "Name of the temporary key pair. Default: a unique name."),
	SPEC_STR(T, temporary_key_pair_type,
		 .doc = "Type of the temporary key pair: `rsa` (the default) or `ed25519`."),
	SPEC_INT(T, temporary_key_pair_bits,
		 .doc = "Length of that key in bits, where its type leaves the choice."),
	SPEC_STRS(T, ssh_ciphers,
		  .doc = "Ciphers to offer, preferred first. Default: AES-GCM, "
			 "ChaCha20-Poly1305, AES-CTR."),
	SPEC_BOOL(T, ssh_clear_authorized_keys,
		  .doc = "Remove the temporary key from `authorized_keys` of the user and of "
			 "root at the end."),
	SPEC_STRS(T, ssh_key_exchange_algorithms,
		  .doc = "Key exchange methods to offer, preferred first."),
	SPEC_STR(T, ssh_private_key_file,
		 .doc = "Private key to log in with, in PEM or OpenSSH format and without a "
			"passphrase. `~` is the home directory."),
	SPEC_STR(T, ssh_certificate_file,
		 .doc = "SSH certificate for `ssh_private_key_file`."),
	SPEC_BOOL(T, ssh_pty,
		  .doc = "Run commands on a pseudo-terminal, which merges stdout and stderr."),
	SPEC_DURATION(T, ssh_timeout,
		      .doc = "How long to wait for a login to succeed. Default: `5m`, or no limit "
			     "if only `ssh_handshake_attempts` is set."),
	SPEC_DURATION(T, ssh_wait_timeout, .flags = SPEC_DEPRECATED, .instead = "ssh_timeout",
		      .doc = "Old name of `ssh_timeout`."),
	SPEC_STR(T, ssh_private_key_file, .name = "ssh_key_path",
		 .flags = SPEC_DEPRECATED | SPEC_HIDDEN, .instead = "ssh_private_key_file"),
	SPEC_BOOL(T, ssh_disable_agent_forwarding, .name = "ssh_disable_agent",
		  .flags = SPEC_DEPRECATED | SPEC_HIDDEN,
		  .instead = "ssh_disable_agent_forwarding"),
	SPEC_BOOL(T, ssh_agent_auth,
		  .doc = "Log in with the keys of the local agent (`SSH_AUTH_SOCK`). No "
			 "temporary key pair is created."),
	SPEC_BOOL(T, ssh_disable_agent_forwarding,
		  .doc = "Do not forward the local agent to the machine. By default it is "
			 "forwarded if there is one."),
	SPEC_INT(T, ssh_handshake_attempts, .min = 0, .max = 1000000,
		 .doc = "Give up after this many refused logins. Default: 10, or no limit if "
			"only `ssh_timeout` is set."),
	SPEC_STR(T, ssh_host_key_check, .choices = host_key_checks,
		 .doc = "`pin` (the default): the host key seen first must stay the same for the "
			"whole run, except after a restart. `off`: accept any key. `known_hosts` "
			"files are never read."),
	SPEC_STR(T, ssh_bastion_host, .doc = "Connect through this SSH server."),
	PORT(ssh_bastion_port, .doc = "Port of the bastion. Default: 22."),
	SPEC_BOOL(T, ssh_bastion_agent_auth,
		  .doc = "Log in to the bastion with the keys of the local agent."),
	SPEC_STR(T, ssh_bastion_username, .doc = "User on the bastion."),
	SPEC_STR(T, ssh_bastion_password, .flags = SPEC_SENSITIVE,
		 .doc = "Password on the bastion."),
	SPEC_BOOL(T, ssh_bastion_interactive,
		  .doc = "Pass the bastion's questions (one-time codes) on to the terminal."),
	SPEC_STR(T, ssh_bastion_private_key_file,
		 .doc = "Private key for the bastion. Default: `ssh_private_key_file`."),
	SPEC_STR(T, ssh_bastion_certificate_file, .doc = "SSH certificate for that key."),
	SPEC_STR(T, ssh_file_transfer_method, .choices = transfer_methods,
		 .doc = "`scp` (the default): transfer files with a shell command, or with scp "
			"where there is no POSIX shell. `sftp`: with the server's sftp "
			"subsystem, for machines without a shell."),
	SPEC_STR(T, ssh_proxy_host,
		 .doc = "SOCKS5 proxy to connect through. `http://HOST` means an HTTP CONNECT "
			"proxy."),
	PORT(ssh_proxy_port, .doc = "Port of the proxy. Default: 1080, or 80 for `http://`."),
	SPEC_STR(T, ssh_proxy_username, .doc = "User for the proxy."),
	SPEC_STR(T, ssh_proxy_password, .flags = SPEC_SENSITIVE, .doc = "Password for the proxy."),
	SPEC_DURATION(T, ssh_keep_alive_interval,
		      .doc = "How often to check that the server is still there. Default: `5s`. "
			     "Negative: never."),
	SPEC_DURATION(T, ssh_read_write_timeout,
		      .doc = "Treat the connection as lost if nothing has come from the server "
			     "for this long. Default: no such limit."),
	SPEC_STRS(T, ssh_remote_tunnels,
		  .doc = "Ports to open on the machine and forward to a host reachable from "
			 "here: `PORT:HOST:HOSTPORT`."),
	SPEC_STRS(T, ssh_local_tunnels,
		  .doc = "Ports to open here, on loopback, and forward to a host reachable from "
			 "the machine: `PORT:HOST:HOSTPORT`."),
	SPEC_STR(T, winrm_username, .doc = "User for WinRM."),
	SPEC_STR(T, winrm_password, .flags = SPEC_SENSITIVE, .doc = "Password for WinRM."),
	SPEC_STR(T, winrm_host, .doc = "Name or address of the machine for WinRM."),
	SPEC_BOOL(T, winrm_no_proxy, .doc = "Reach WinRM without a proxy."),
	PORT(winrm_port, .doc = "Port of WinRM. Default: 5985, or 5986 with TLS."),
	SPEC_DURATION(T, winrm_timeout, .doc = "How long to wait for WinRM. Default: `30m`."),
	SPEC_BOOL(T, winrm_use_ssl, .doc = "Use WinRM over TLS."),
	SPEC_BOOL(T, winrm_insecure, .doc = "Do not check WinRM's certificate."),
	SPEC_BOOL(T, winrm_use_ntlm, .doc = "Log in to WinRM with NTLM."),
};
#undef PORT

const struct spec comm_spec =
	SPEC("communicator", T, rows, .doc = "How a build reaches its machine.");

static bool parse_port(struct str s, int64_t least, int64_t *ret)
{
	return parse_i64(s, ret) && *ret >= least && *ret <= PORT_MAX;
}

/* An address of IPv6 stands in brackets; without them its colons could be anything's. */
static bool take_brackets(struct str *host)
{
	if (host->n > 2 && host->p[0] == '[' && host->p[host->n - 1] == ']') {
		*host = str_slice(*host, 1, host->n - 1);
		return true;
	}
	return str_find(*host, STR(":")) < 0;
}

int comm_tunnel_parse(struct arena *a, const char *text, struct comm_tunnel *ret, struct err *err)
{
	struct comm_tunnel t = { 0 };
	struct str rest = str_from(text), listen = { 0 };
	bool ok = str_split(&rest, ':', &listen) && parse_port(listen, 0, &t.listen_port);
	size_t colon = rest.n;
	while (colon > 0 && rest.p[colon - 1] != ':')
		colon--;
	struct str host = str_slice(rest, 0, colon > 0 ? colon - 1 : 0);
	if (!ok || !host.n || !parse_port(str_slice(rest, colon, rest.n), 1, &t.port) ||
	    !take_brackets(&host))
		return err_set(err, ERR_INVALID, "\"%s\" is not of the form PORT:HOST:HOSTPORT",
			       text);
	t.host = arena_strndup(a, host.p, host.n);
	*ret = t;
	return 0;
}

static void check_tunnels(struct prepare *p, const char *option, const struct strs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		AUTO(err) struct err err = ERR_INIT;
		struct comm_tunnel t;
		if (comm_tunnel_parse(p->arena, list->v[i], &t, &err) < 0)
			prepare_error(p, option, "%s: %s", option, err.msg);
	}
}

/* Replaces a leading ~ in *path and loads the key (and its certificate) once, so that a typing
 * mistake shows before anything is started. */
static void check_key_file(struct prepare *p, const char *option, char **path,
			   const char *cert_option, char **cert)
{
	AUTO(err) struct err err = ERR_INIT;
	*path = ssh_key_expand(p->arena, *path);
	if (*cert)
		*cert = ssh_key_expand(p->arena, *cert);
	struct stat st;
	if (stat(*path, &st) < 0)
		prepare_error(p, option, "%s: %s: %s", option, *path, strerror(errno));
	else if (*cert && stat(*cert, &st) < 0)
		prepare_error(p, cert_option, "%s: %s: %s", cert_option, *cert, strerror(errno));
	else if (ssh_key_check_file(*path, *cert, &err) < 0)
		prepare_error(p, option, "%s: %s", option, err.msg);
}

static void prepare_bastion(struct prepare *p, T *c)
{
	if (c->ssh_bastion_certificate_file && !c->ssh_bastion_private_key_file)
		prepare_error(p, "ssh_bastion_certificate_file",
			      "ssh_bastion_certificate_file needs its key: set "
			      "ssh_bastion_private_key_file");
	if (!c->ssh_bastion_host)
		return;
	if (!c->ssh_bastion_port)
		c->ssh_bastion_port = 22;
	bool own = c->ssh_bastion_private_key_file;
	if (!own && c->ssh_private_key_file) {
		c->ssh_bastion_private_key_file = c->ssh_private_key_file;
		c->ssh_bastion_certificate_file = c->ssh_certificate_file;
	}
	if (!c->ssh_bastion_password && !c->ssh_bastion_private_key_file &&
	    !c->ssh_bastion_agent_auth && !c->ssh_bastion_interactive)
		prepare_error(p, "ssh_bastion_host",
			      "a bastion needs ssh_bastion_password, ssh_bastion_private_key_file "
			      "or ssh_bastion_agent_auth");
	if (own)
		check_key_file(p, "ssh_bastion_private_key_file", &c->ssh_bastion_private_key_file,
			       "ssh_bastion_certificate_file", &c->ssh_bastion_certificate_file);
	if (c->ssh_proxy_host)
		prepare_error(p, "ssh_proxy_host",
			      "ssh_bastion_host and ssh_proxy_host exclude each other");
}

static void prepare_ssh(struct prepare *p, T *c)
{
	if (!c->ssh_port)
		c->ssh_port = 22;
	if (!c->ssh_timeout && !c->ssh_handshake_attempts) {
		c->ssh_timeout = 5 * 60 * SECOND;
		c->ssh_handshake_attempts = 10;
	}
	if (c->ssh_wait_timeout)
		c->ssh_timeout = c->ssh_wait_timeout;
	if (!c->ssh_keep_alive_interval)
		c->ssh_keep_alive_interval = 5 * SECOND;
	if (!c->ssh_file_transfer_method)
		c->ssh_file_transfer_method = arena_strdup(p->arena, "scp");
	if (!c->ssh_host_key_check)
		c->ssh_host_key_check = arena_strdup(p->arena, "pin");
	if (c->ssh_proxy_host && !c->ssh_proxy_port)
		c->ssh_proxy_port = starts_with(c->ssh_proxy_host, "http://") ? 80 : 1080;

	if (!c->ssh_username)
		prepare_error(p, "ssh_username",
			      "ssh_username is missing: set the user to log in as");
	if (c->ssh_certificate_file && !c->ssh_private_key_file)
		prepare_error(p, "ssh_certificate_file",
			      "ssh_certificate_file needs its key: set ssh_private_key_file");
	if (c->ssh_private_key_file)
		check_key_file(p, "ssh_private_key_file", &c->ssh_private_key_file,
			       "ssh_certificate_file", &c->ssh_certificate_file);
	prepare_bastion(p, c);
	check_tunnels(p, "ssh_local_tunnels", &c->ssh_local_tunnels);
	check_tunnels(p, "ssh_remote_tunnels", &c->ssh_remote_tunnels);
}

/* An empty string stands for "not given", as in the reference. */
static void drop_empty(T *c)
{
	char **const strings[] = {
		&c->communicator, &c->ssh_host, &c->ssh_username, &c->ssh_password,
		&c->ssh_keypair_name, &c->ssh_private_key_file, &c->ssh_certificate_file,
		&c->ssh_bastion_host, &c->ssh_bastion_username, &c->ssh_bastion_password,
		&c->ssh_bastion_private_key_file, &c->ssh_bastion_certificate_file,
		&c->ssh_file_transfer_method, &c->ssh_proxy_host, &c->ssh_proxy_username,
		&c->ssh_proxy_password, &c->ssh_host_key_check,
	};
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (!given(*strings[i]))
			*strings[i] = NULL;
}

void comm_prepare(struct prepare *p, T *c)
{
	drop_empty(c);
	if (!c->communicator)
		c->communicator = arena_strdup(p->arena, "ssh");
	if (streq(c->communicator, "ssh"))
		prepare_ssh(p, c);
	else if (streq(c->communicator, "winrm"))
		prepare_error(p, "communicator",
			      "the communicator \"winrm\" is not yet supported by ingot");
	else if (!streq(c->communicator, "none"))
		prepare_error(p, "communicator",
			      "there is no communicator \"%s\": use \"ssh\" or \"none\"",
			      c->communicator);
}

static bool is_ssh(const T *c)
{
	return streq(c->communicator, "ssh");
}

static bool is_winrm(const T *c)
{
	return streq(c->communicator, "winrm");
}

const char *comm_config_host(const T *c)
{
	return is_ssh(c) ? c->ssh_host : is_winrm(c) ? c->winrm_host : NULL;
}

int64_t comm_config_port(const T *c)
{
	return is_ssh(c) ? c->ssh_port : is_winrm(c) ? c->winrm_port : 0;
}

const char *comm_config_user(const T *c)
{
	return is_ssh(c) ? c->ssh_username : is_winrm(c) ? c->winrm_username : NULL;
}
