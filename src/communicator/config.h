/* Options of communicators: every builder embeds `struct comm_config` and comm_spec.
 *
 *	SPEC_EMBED(struct null_config, comm, struct comm_config, &comm_spec),
 *	…
 *	comm_prepare(p, &c->comm);
 *
 * Durations are nanoseconds; 0 in a number means "not given" until comm_prepare fills defaults in.
 */
#ifndef INGOT_COMMUNICATOR_CONFIG_H
#define INGOT_COMMUNICATOR_CONFIG_H

#include "engine/component.h"
#include "spec/spec.h"

struct comm_config {
	char *communicator; /* "ssh", "none", "winrm" */
	int64_t pause_before_connecting;

	char *ssh_host;
	int64_t ssh_port;
	char *ssh_username, *ssh_password;
	char *ssh_keypair_name; /* for builders that know key pairs */
	char *temporary_key_pair_name, *temporary_key_pair_type;
	int64_t temporary_key_pair_bits;
	struct strs ssh_ciphers, ssh_key_exchange_algorithms;
	bool ssh_clear_authorized_keys;
	char *ssh_private_key_file, *ssh_certificate_file;
	bool ssh_pty;
	int64_t ssh_timeout, ssh_wait_timeout;
	bool ssh_agent_auth, ssh_disable_agent_forwarding;
	int64_t ssh_handshake_attempts;
	char *ssh_host_key_check; /* "pin" or "off" */

	char *ssh_bastion_host;
	int64_t ssh_bastion_port;
	bool ssh_bastion_agent_auth, ssh_bastion_interactive;
	char *ssh_bastion_username, *ssh_bastion_password;
	char *ssh_bastion_private_key_file, *ssh_bastion_certificate_file;

	char *ssh_file_transfer_method; /* "scp" or "sftp" */
	char *ssh_proxy_host;
	int64_t ssh_proxy_port;
	char *ssh_proxy_username, *ssh_proxy_password;
	int64_t ssh_keep_alive_interval, ssh_read_write_timeout;
	struct strs ssh_remote_tunnels, ssh_local_tunnels;

	char *winrm_username, *winrm_password, *winrm_host;
	bool winrm_no_proxy;
	int64_t winrm_port, winrm_timeout;
	bool winrm_use_ssl, winrm_insecure, winrm_use_ntlm;
};

extern const struct spec comm_spec;

/* Fills defaults in and checks what needs no network: files are there and readable as keys, ports,
 * tunnels, combinations. Adds diagnostics to p. */
void comm_prepare(struct prepare *p, struct comm_config *c);

/* Host, port and user of the chosen communicator; NULL or 0 when there is none. */
const char *comm_config_host(const struct comm_config *c);
int64_t comm_config_port(const struct comm_config *c);
const char *comm_config_user(const struct comm_config *c);

/* "PORT:HOST:HOSTPORT" of the tunnel options; HOST may stand in brackets. Errors: ERR_INVALID. */
struct comm_tunnel {
	int64_t listen_port;
	char *host; /* in the arena */
	int64_t port;
};
int comm_tunnel_parse(struct arena *a, const char *text, struct comm_tunnel *ret,
		      struct err *err) MUST_USE;

#endif
