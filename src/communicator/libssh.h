/* libssh, opened at first use: `if (libssh_open(err) < 0) …` then libssh.new() and so on. */
#ifndef INGOT_COMMUNICATOR_LIBSSH_H
#define INGOT_COMMUNICATOR_LIBSSH_H

#include "base/err.h"

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h> /* ssh_send_keepalive is declared there, for clients too */

/* One row a function: X(member, symbol). The members have the symbols' own types. */
#define LIBSSH_FUNCTIONS(X) \
	X(new, ssh_new) \
	X(free, ssh_free) \
	X(options_set, ssh_options_set) \
	X(set_blocking, ssh_set_blocking) \
	X(connect, ssh_connect) \
	X(disconnect, ssh_disconnect) \
	X(silent_disconnect, ssh_silent_disconnect) \
	X(is_connected, ssh_is_connected) \
	X(get_error, ssh_get_error) \
	X(get_error_code, ssh_get_error_code) \
	X(get_disconnect_message, ssh_get_disconnect_message) \
	X(get_poll_flags, ssh_get_poll_flags) \
	X(set_counters, ssh_set_counters) \
	X(send_keepalive, ssh_send_keepalive) \
	X(get_serverbanner, ssh_get_serverbanner) \
	X(get_cipher_out, ssh_get_cipher_out) \
	X(get_status, ssh_get_status) \
	X(get_server_publickey, ssh_get_server_publickey) \
	X(get_publickey_hash, ssh_get_publickey_hash) \
	X(clean_pubkey_hash, ssh_clean_pubkey_hash) \
	X(get_fingerprint_hash, ssh_get_fingerprint_hash) \
	X(string_free_char, ssh_string_free_char) \
	X(key_free, ssh_key_free) \
	X(key_type, ssh_key_type) \
	X(key_type_to_char, ssh_key_type_to_char) \
	X(pki_import_privkey_base64, ssh_pki_import_privkey_base64) \
	X(pki_import_cert_file, ssh_pki_import_cert_file) \
	X(pki_import_pubkey_base64, ssh_pki_import_pubkey_base64) \
	X(pki_export_pubkey_base64, ssh_pki_export_pubkey_base64) \
	X(pki_copy_cert_to_privkey, ssh_pki_copy_cert_to_privkey) \
	X(userauth_none, ssh_userauth_none) \
	X(userauth_list, ssh_userauth_list) \
	X(userauth_publickey, ssh_userauth_publickey) \
	X(userauth_agent, ssh_userauth_agent) \
	X(userauth_password, ssh_userauth_password) \
	X(userauth_kbdint, ssh_userauth_kbdint) \
	X(userauth_kbdint_getnprompts, ssh_userauth_kbdint_getnprompts) \
	X(userauth_kbdint_getprompt, ssh_userauth_kbdint_getprompt) \
	X(userauth_kbdint_setanswer, ssh_userauth_kbdint_setanswer) \
	X(userauth_kbdint_getinstruction, ssh_userauth_kbdint_getinstruction) \
	X(channel_new, ssh_channel_new) \
	X(channel_free, ssh_channel_free) \
	X(channel_open_session, ssh_channel_open_session) \
	X(channel_open_forward, ssh_channel_open_forward) \
	X(channel_request_exec, ssh_channel_request_exec) \
	X(channel_request_pty_size, ssh_channel_request_pty_size) \
	X(channel_request_subsystem, ssh_channel_request_subsystem) \
	X(channel_request_auth_agent, ssh_channel_request_auth_agent) \
	X(channel_request_send_signal, ssh_channel_request_send_signal) \
	X(channel_write, ssh_channel_write) \
	X(channel_read_timeout, ssh_channel_read_timeout) \
	X(channel_poll, ssh_channel_poll) \
	X(channel_send_eof, ssh_channel_send_eof) \
	X(channel_close, ssh_channel_close) \
	X(channel_is_eof, ssh_channel_is_eof) \
	X(channel_is_open, ssh_channel_is_open) \
	X(channel_is_closed, ssh_channel_is_closed) \
	X(channel_window_size, ssh_channel_window_size) \
	X(channel_listen_forward, ssh_channel_listen_forward) \
	X(channel_open_forward_port, ssh_channel_open_forward_port) \
	X(set_channel_callbacks, ssh_set_channel_callbacks) \
	X(remove_channel_callbacks, ssh_remove_channel_callbacks) \
	X(set_callbacks, ssh_set_callbacks) \
	X(event_new, ssh_event_new) \
	X(event_free, ssh_event_free) \
	X(event_add_session, ssh_event_add_session) \
	X(event_remove_session, ssh_event_remove_session) \
	X(event_dopoll, ssh_event_dopoll)

struct libssh {
#define X(member, symbol) __typeof__(&symbol) member;
	LIBSSH_FUNCTIONS(X)
#undef X
};

extern struct libssh libssh;

/* Thread-safe. Errors: ERR_UNSUPPORTED, names the package. */
int libssh_open(struct err *err) MUST_USE;

#endif
