/* The local cloud as the rest of ingot sees it: `build -local` and the cloud commands talk to its
 * daemon through this. Nothing here needs root; the daemon is found by its data directory.
 *
 *	AUTO(local_cloud) struct local_cloud *lc = NULL;
 *
 *	if (local_cloud_attach(&(struct local_cloud_options){ .on_progress = tell }, &lc, err) < 0)
 *		return -1;
 *	local_cloud_expect(lc, ids, n, warn, data, err);
 *	… its endpoint, keys and region …
 *
 * An attachment is a connection to the daemon: while it is open the daemon stays, and a daemon that
 * was started by an attachment stops when the last one is gone (also when its holder was killed).
 */
#ifndef INGOT_CLOUD_LOCAL_H
#define INGOT_CLOUD_LOCAL_H

#include "base/base.h"
#include "base/buf.h"
#include "base/cancel.h"
#include "base/err.h"

struct local_cloud;

struct local_cloud_options {
	const char *data_dir; /* NULL: INGOT_CLOUD_DATA, else the default directory */
	/* The rest is read only when a daemon has to be started. */
	const char *backend;  /* NULL: "auto" */
	const char *net;      /* "mirror", "any", "none"; NULL: "mirror" */
	/* What it is doing while it takes long (base images are made); may be NULL. Caller's
	 * thread. */
	void (*on_progress)(void *data, const char *text);
	void *data;
	struct cancel *cancel; /* may be NULL */
};

/* Uses a running daemon or starts one: by itself when this process may run containers, else through
 * `sudo -n` when that asks nothing, else with the qemu backend. Errors: ERR_UNSUPPORTED, ERR_IO,
 * with the daemon's own message. */
int local_cloud_attach(const struct local_cloud_options *o, struct local_cloud **ret,
		       struct err *err) MUST_USE;
/* Waits until a daemon that now ends is gone; NULL is fine. */
void local_cloud_detach(struct local_cloud *lc);
DEFINE_AUTO_PTR(local_cloud, struct local_cloud *, local_cloud_detach);

/* Borrowed, valid until detach. */
const char *local_cloud_endpoint(const struct local_cloud *lc); /* "http://127.0.0.1:4599" */
const char *local_cloud_access_key(const struct local_cloud *lc);
const char *local_cloud_secret_key(const struct local_cloud *lc);
const char *local_cloud_region(const struct local_cloud *lc);  /* where the template names none */
const char *local_cloud_backend(const struct local_cloud *lc); /* "container", "qemu", "none" */
const char *local_cloud_data_dir(const struct local_cloud *lc);
bool local_cloud_started(const struct local_cloud *lc); /* it will end with the builds */
int local_cloud_fd(const struct local_cloud *lc); /* for poll: hangs up when the daemon is gone */

/* Ids and names that a template uses. Those the cloud does not know are made as stand-ins under
 * that very id; each gets one warning in words for the user. */
enum local_id_kind {
	LOCAL_IMAGE, /* hint: the ssh user; gives the base image that fits it */
	LOCAL_VPC,
	LOCAL_SUBNET,	/* hint: its vpc id or NULL */
	LOCAL_GROUP,	/* security group; hint: its vpc id or NULL */
	LOCAL_KEY_PAIR, /* by name; hint: the public key in OpenSSH's form, or NULL (instances then
			   get none) */
	LOCAL_PROFILE,	/* IAM instance profile by name; region unused */
	LOCAL_KMS_KEY,	/* id, ARN or alias */
	LOCAL_ACCOUNT,	/* 12 digits; region unused */
	LOCAL_SNAPSHOT,
};
struct local_id {
	enum local_id_kind kind;
	const char *region; /* NULL: local_cloud_region() */
	const char *id;
	const char *hint;
};
int local_cloud_expect(struct local_cloud *lc, const struct local_id *ids, size_t n,
		       void (*warn)(void *data, const char *text), void *data,
		       struct err *err) MUST_USE;

/* What the user should hear of an instance and was not told yet: hosts that the proxy refused, with
 * the flag that allows them; limits hit. */
int local_cloud_notices(struct local_cloud *lc, const char *instance_id,
			void (*tell)(void *data, const char *text), void *data, struct err *err);

/* The default data directory, of the calling user under sudo; caller frees. */
char *local_cloud_default_dir(void);

/* One request over the control socket: a JSON object with "op"; ret gets a new reference to the
 * answer's "result" (used by the cloud commands). `progress` may be NULL. ERR_NOT_FOUND: no daemon
 * there; else the daemon's own error. */
struct json_t;
int local_cloud_control(const char *data_dir, const struct json_t *request,
			void (*progress)(void *data, const char *text), void *data,
			struct json_t **ret, struct err *err) MUST_USE;

#endif
