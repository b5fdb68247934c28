/* The rehearsal's side of an amazon build: ids that only a real account knows get stand-ins in the
 * local cloud under those very ids. */
#include "builder/amazon/local.h"

#include "base/log.h"
#include "base/proc.h"
#include "communicator/config.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNPRIVILEGED_PORT 1024
#define PORT_SHIFT 10000
#define TOLD_MAX 256 /* ids of one template that the local cloud is told of */

struct told {
	struct run_local_id v[TOLD_MAX];
	size_t n;
	const char *region;
};

static void tell(struct told *t, enum run_local_kind kind, const char *region, const char *id,
		 const char *hint)
{
	if (given(id) && t->n < TOLD_MAX)
		t->v[t->n++] = (struct run_local_id){ kind, region, id, given(hint) ? hint : NULL };
}

static void tell_list(struct told *t, enum run_local_kind kind, const struct strs *ids,
		      const char *hint)
{
	for (size_t i = 0; i < ids->n; i++)
		tell(t, kind, t->region, ids->v[i], hint);
}

/* The public half of the template's private key; NULL where it cannot be had. */
static const char *public_key(struct amazon *s, const char *file)
{
	const char *const argv[] = { "ssh-keygen", "-y", "-P", "", "-f", file, NULL };
	struct proc_spec spec = { .argv = argv, .timeout_ms = 5000 };
	AUTO(buf) struct buf out = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if (!given(file))
		return NULL;
	if (proc_output(&spec, 65536, &out, &err) < 0) {
		log_line("%s: no public key of %s: %s", s->b->spec->name, file, err.msg);
		return NULL;
	}
	struct str line = str_trim(buf_str(&out));

	return arena_strndup(s->b->arena, line.p, line.n);
}

static void tell_devices(struct told *t, const struct spec_blocks *list)
{
	for (size_t i = 0; list && i < list->n; i++) {
		const struct amazon_block_device *d = list->v[i];

		tell(t, RUN_LOCAL_SNAPSHOT, t->region, d->snapshot_id, NULL);
		tell(t, RUN_LOCAL_KMS_KEY, t->region, d->kms_key_id, NULL);
	}
}

static void tell_image_options(struct told *t, const struct amazon_ami *ami)
{
	tell(t, RUN_LOCAL_KMS_KEY, t->region, ami->kms_key_id, NULL);
	for (size_t i = 0; i < ami->region_kms_key_ids.n; i++)
		tell(t, RUN_LOCAL_KMS_KEY, ami->region_kms_key_ids.v[i].key,
		     ami->region_kms_key_ids.v[i].value, NULL);
	tell_list(t, RUN_LOCAL_ACCOUNT, &ami->ami_users, NULL);
	tell_list(t, RUN_LOCAL_ACCOUNT, &ami->snapshot_users, NULL);
}

static void say(void *data, const char *text)
{
	build_say(data, "%s", text);
}

static void warn(void *data, const char *text)
{
	struct amazon *s = data;
	const char *source = s->run->source_ami;

	s->source_warned |= given(source) && strstr(text, source);
	build_say(s->b, "Warning: %s", text);
}

void amazon_local_source(struct amazon *s)
{
	if (s->b->run->local && !s->source_warned && strcasestr(s->source.description, "stand-in"))
		build_say(s->b, "Warning: %s is an %s", s->source.id, s->source.description);
}

int amazon_tell_local(struct amazon *s, struct err *err)
{
	const struct run_local *l = s->b->run->local;
	const struct amazon_run *r = s->run;
	struct told *t = arena_new_obj(s->b->arena, struct told);

	t->region = s->region;
	tell(t, RUN_LOCAL_IMAGE, s->region, r->source_ami, comm_config_user(s->comm));
	tell(t, RUN_LOCAL_VPC, s->region, r->vpc_id, NULL);
	tell(t, RUN_LOCAL_SUBNET, s->region, r->subnet_id, r->vpc_id);
	tell_list(t, RUN_LOCAL_GROUP, &r->security_group_ids, r->vpc_id);
	if (given(s->comm->ssh_keypair_name))
		tell(t, RUN_LOCAL_KEY_PAIR, s->region, s->comm->ssh_keypair_name,
		     public_key(s, s->comm->ssh_private_key_file));
	tell(t, RUN_LOCAL_PROFILE, NULL, r->iam_instance_profile, NULL);
	tell_devices(t, s->launch_mappings);
	if (s->ami)
		tell_image_options(t, s->ami);
	if (!t->n || !l->expect)
		return 0;
	if (l->expect(l->cloud, t->v, t->n, warn, s, err) < 0)
		return err_prefix(err, "telling the local cloud what the template names");
	return 0;
}

void amazon_local_notices(struct amazon *s)
{
	const struct run_local *l = s->b->run->local;
	AUTO(err) struct err err = ERR_INIT;

	if (!l || !l->notices || !given(s->instance.id))
		return;
	if (l->notices(l->cloud, s->instance.id, say, s->b, &err) < 0)
		log_line("%s: no notices of the local cloud: %s", s->b->spec->name, err.msg);
}

const struct comm_config *amazon_local_comm(struct amazon *s)
{
	struct comm_config *c = arena_new_obj(s->b->arena, struct comm_config);

	*c = *s->comm;
	c->ssh_host = c->winrm_host = NULL;
	c->ssh_bastion_host = c->ssh_proxy_host = NULL;
	return c;
}

/* On loopback the answer is there at once. */
static bool listens(const char *host, int64_t port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && inet_pton(AF_INET, host, &to.sin_addr) == 1 &&
	       connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
}

/* Asked until something listens, then remembered: a machine's emulator takes connections slowly. */
int64_t amazon_local_port(struct amazon *s, const char *host, int64_t port)
{
	if (port >= UNPRIVILEGED_PORT || !starts_with(host, "127."))
		return port;
	if (s->local_port)
		return s->local_port;
	if (listens(host, port))
		return s->local_port = port;
	if (listens(host, port + PORT_SHIFT))
		return s->local_port = port + PORT_SHIFT;
	return port;
}
