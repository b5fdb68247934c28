/* Finding and taking away what a run left. Each kind is one row: how an intent without an id is
 * found, and how the thing is removed. A young thing may still be invisible, so "gone" is believed
 * at once only of things older than minutes (and by a session that did not make it itself).
 */
#include "aws/undo.h"

#include "aws/iam.h"
#include "aws/session_impl.h"
#include "aws/sts.h"
#include "aws/wait.h"
#include "base/clock.h"
#include "base/os.h"

#define UNDO_MS (15 * 60000) /* deadline of one undo */
#define YOUNG_S 600	     /* what was made less long ago may be invisible still */

struct kind {
	const char *name;
	int (*find)(const struct aws_client *c, const struct journal_row *row, const char *run_id,
		    const char **ret, struct err *err);
	int (*undo)(const struct aws_client *c, const char *id, struct err *err);
};

/* ---- finding ---- */

const char *aws_run_tag(void)
{
	const char *name = getenv("INGOT_RUN_TAG"); /* empty is not absent here */

	return !name ? "ingot:run" : *name ? name : NULL;
}

/* The run's tag as a filter; false when tags are turned off. */
static bool filter_run(struct aws_params *p, const char *run_id)
{
	const char *name = aws_run_tag();
	auto_free char *filter = NULL;

	if (!name)
		return false;
	filter = xasprintf("tag:%s", name);
	aws_params_filter(p, filter, run_id);
	return true;
}

static bool instance_lives(const struct ec2_instance *i)
{
	return !streq(i->state, "terminated") && !streq(i->state, "shutting-down");
}

static int find_instance(const struct aws_client *c, const struct journal_row *row,
			 const char *run_id, const char **ret, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_instance *v;
	size_t n;

	if (row->token)
		aws_params_filter(&p, "client-token", row->token);
	else if (!filter_run(&p, run_id))
		return 0;
	if (ec2_describe_instances(c, &p, &v, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n && !*ret; i++)
		if (instance_lives(&v[i]))
			*ret = v[i].id;
	return 0;
}

static int find_image(const struct aws_client *c, const struct journal_row *row,
		      const char *run_id UNUSED, const char **ret, struct err *err)
{
	struct ec2_image *v;
	size_t n;

	if (!row->name)
		return 0;
	if (ec2_find_images(c, row->name, &v, &n, err) < 0)
		return -1;
	*ret = n ? v[0].id : NULL;
	return 0;
}

static int find_volume(const struct aws_client *c, const struct journal_row *row UNUSED,
		       const char *run_id, const char **ret, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct ec2_volume *v;
	size_t n;

	if (!filter_run(&p, run_id))
		return 0;
	/* Another build's volume in use is not the one that an instance has left. */
	aws_params_filter(&p, "status", "available");
	if (ec2_describe_volumes(c, &p, &v, &n, err) < 0)
		return -1;
	*ret = n ? v[0].id : NULL;
	return 0;
}

static int find_group(const struct aws_client *c, const struct journal_row *row,
		      const char *run_id UNUSED, const char **ret, struct err *err)
{
	struct ec2_security_group *v;
	size_t n;

	if (!row->name)
		return 0;
	if (ec2_find_security_groups(c, row->name, &v, &n, err) < 0)
		return -1;
	*ret = n ? v[0].id : NULL;
	return 0;
}

/* Things that are removed by name: asking first would need one right more. */
static int find_by_name(const struct aws_client *c UNUSED, const struct journal_row *row,
			const char *run_id UNUSED, const char **ret, struct err *err UNUSED)
{
	*ret = row->name;
	return 0;
}

/* ---- undoing ---- */

static int undo_instance(const struct aws_client *c, const char *id, struct err *err)
{
	if (ec2_terminate_instance(c, id, err) < 0)
		return -1;
	return aws_wait_instance(c, id, "terminated", NULL, err);
}

static int delete_described_snapshots(const struct aws_client *c, const char *image_id,
				      struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	char *values[EC2_IMAGE_DESCRIPTIONS];
	struct ec2_snapshot *v;
	size_t n;

	ec2_snapshot_descriptions(c->arena, image_id, values);
	aws_params_add(&p, "Owner.1", "self");
	aws_params_filter_list(&p, "description", &(struct strs){ values, ARRAY_LEN(values) });
	if (ec2_describe_snapshots(c, &p, &v, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (ec2_delete_snapshot(c, v[i].id, err) < 0)
			return -1;
	return 0;
}

static int undo_image(const struct aws_client *c, const char *id, struct err *err)
{
	if (ec2_delete_image(c, id, true, err) < 0)
		return -1;
	return delete_described_snapshots(c, id, err);
}

/* One row a kind: X(name, how it is found, how it is undone). */
#define KINDS(X) \
	X("instance", find_instance, undo_instance) \
	X("image", find_image, undo_image) \
	X("volume", find_volume, ec2_delete_volume) \
	X("key-pair", find_by_name, ec2_delete_key_pair) \
	X("security-group", find_group, ec2_delete_security_group) \
	X("instance-profile", find_by_name, iam_delete_instance_profile) \
	X("role", find_by_name, iam_delete_role)

static const struct kind kinds[] = {
#define X(name, find, undo) { name, find, undo },
	KINDS(X)
#undef X
};

static const struct kind *kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (streq(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

int aws_undo_resource(const struct aws_client *c, const char *kind, const char *resource,
		      struct err *err)
{
	const struct kind *k = kind_of(kind);

	if (!k)
		return err_set(err, ERR_UNSUPPORTED, "%s: nothing is known about taking away a %s",
			       resource, kind);
	return k->undo(c, resource, err);
}

int aws_find_resource(const struct aws_client *c, const struct journal_row *row, const char *run_id,
		      const char **ret_resource, struct err *err)
{
	const struct kind *k = kind_of(row->kind);

	*ret_resource = NULL;
	if (!k)
		return err_set(err, ERR_UNSUPPORTED, "nothing is known about finding a %s",
			       row->kind);
	return k->find(c, row, run_id, ret_resource, err);
}

/* ---- for sweep: a client made from a row's place ---- */

/* Set before the table is used, by sweep's one thread. */
static struct {
	char *endpoint, *access_key, *secret_key;
} local_cloud;

void aws_undo_use_local(const char *endpoint, const char *access_key, const char *secret_key)
{
	free(local_cloud.endpoint);
	free(local_cloud.access_key);
	xfree_secret(local_cloud.secret_key);
	local_cloud.endpoint = xstrdup(endpoint);
	local_cloud.access_key = xstrdup(access_key);
	local_cloud.secret_key = xstrdup(secret_key);
}

static int open_session(const struct journal_place *place, struct aws_session **ret,
			struct err *err)
{
	struct aws_assume_role role = { .role_arn = (char *)place->role };
	struct aws_config cfg = {
		.profile = (char *)place->profile,
		.region = (char *)place->region,
		.custom_endpoint_ec2 = (char *)place->endpoint,
		.assume_role = place->role ? &role : NULL,
	};

	if (place->endpoint && streq(place->endpoint, local_cloud.endpoint)) {
		cfg.local_endpoint = local_cloud.endpoint;
		cfg.local_access_key = local_cloud.access_key;
		cfg.local_secret_key = local_cloud.secret_key;
	}
	return aws_session_open(&cfg, ret, err);
}

static int check_account(const struct aws_client *c, const char *account, struct err *err)
{
	struct sts_identity id;

	if (!account || !*account)
		return 0;
	if (sts_caller_identity(c, &id, err) < 0)
		return err_prefix(err, "asking which account the credentials belong to");
	if (!streq(id.account, account))
		return err_set(err, ERR_AUTH,
			       "the credentials (%s) belong to account %s, but this was made in "
			       "account %s",
			       aws_session_source(c->session), id.account, account);
	return 0;
}

/* A client for one row; *ret has no session after an error. */
static int open_place(const struct journal_place *place, struct arena *a, struct aws_client *ret,
		      struct err *err)
{
	struct aws_session *s;

	if (open_session(place, &s, err) < 0)
		return -1;
	*ret = aws_client(s, "ec2", place->region, a, NULL);
	ret->deadline_ms = clock_ms() + UNDO_MS;
	if (check_account(ret, place->account, err) < 0) {
		aws_session_close(s);
		return -1;
	}
	return 0;
}

static int sweep_find(const struct journal_row *row, const char *run_id, char **ret_resource,
		      struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	struct aws_client c;
	const char *id = NULL;
	int rc;

	if (open_place(&row->place, a, &c, err) < 0)
		return -1;
	rc = aws_find_resource(&c, row, run_id, &id, err);
	if (rc == 0)
		*ret_resource = xstrdup(id);
	aws_session_close(c.session);
	return rc;
}

static int sweep_undo(const struct journal_row *row, struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	bool young = clock_unix() - row->created < YOUNG_S;
	struct aws_client c;
	int rc;

	if (!row->resource)
		return 0;
	if (open_place(&row->place, a, &c, err) < 0)
		return -1;
	if (young) /* NotFound is asked again for a while */
		aws_session_note_made(c.session, row->resource);
	rc = aws_undo_resource(&c, row->kind, row->resource, err);
	aws_session_close(c.session);
	return rc;
}

const struct journal_undo aws_undo[] = {
#define X(name, find, undo) { "aws", name, sweep_find, sweep_undo },
	KINDS(X)
#undef X
};
const size_t aws_undo_n = ARRAY_LEN(aws_undo);
