/* -local replaces where and with which keys everything runs, before the first build starts. */
#include "command/rehearsal.h"

#include "cloud/local.h"

#include "engine/inner.h"
#include "engine/journal.h"

struct rehearsal {
	struct run *run;
	struct local_cloud *cloud;
	struct run_local local;
};

/* The run's names of kinds stand in the same order as the cloud's. */
_Static_assert((int)RUN_LOCAL_IMAGE == (int)LOCAL_IMAGE && (int)RUN_LOCAL_VPC == (int)LOCAL_VPC &&
		       (int)RUN_LOCAL_SUBNET == (int)LOCAL_SUBNET && (int)RUN_LOCAL_GROUP == (int)LOCAL_GROUP &&
		       (int)RUN_LOCAL_KEY_PAIR == (int)LOCAL_KEY_PAIR && (int)RUN_LOCAL_PROFILE == (int)LOCAL_PROFILE &&
		       (int)RUN_LOCAL_KMS_KEY == (int)LOCAL_KMS_KEY && (int)RUN_LOCAL_ACCOUNT == (int)LOCAL_ACCOUNT &&
		       (int)RUN_LOCAL_SNAPSHOT == (int)LOCAL_SNAPSHOT,
	       "kinds of ids");

static int expect(void *cloud, const struct run_local_id *ids, size_t n, void (*tell)(void *data, const char *text),
		  void *data, struct err *err)
{
	auto_free struct local_id *v = xcalloc(n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct local_id){ (enum local_id_kind)ids[i].kind, ids[i].region, ids[i].id, ids[i].hint };
	return local_cloud_expect(cloud, v, n, tell, data, err);
}

static int notices(void *cloud, const char *instance_id, void (*tell)(void *data, const char *text), void *data,
		   struct err *err)
{
	return local_cloud_notices(cloud, instance_id, tell, data, err);
}

static void progress(void *data, const char *text)
{
	run_plain(data, false, "%s", text);
}

int rehearsal_start(struct run *run, struct rehearsal **ret, struct err *err)
{
	struct local_cloud_options options = { .on_progress = progress, .data = run, .cancel = run->cancel };
	struct local_cloud *cloud = NULL;
	struct rehearsal *r;

	if (local_cloud_attach(&options, &cloud, err) < 0)
		return err_prefix(err, "-local");
	r = xcalloc(1, sizeof(*r));
	*r = (struct rehearsal){ .run = run,
				 .cloud = cloud,
				 .local = { .endpoint = local_cloud_endpoint(cloud),
					    .access_key = local_cloud_access_key(cloud),
					    .secret_key = local_cloud_secret_key(cloud),
					    .region = local_cloud_region(cloud),
					    .data_dir = local_cloud_data_dir(cloud),
					    .expect = expect,
					    .notices = notices,
					    .cloud = cloud } };
	run->local = &r->local;
	events_add_secret(run->events, r->local.secret_key);
	journal_set_local(run->journal, r->local.data_dir);
	run_plain(run, false, "Rehearsing on the local cloud at %s (backend %s): no AWS account is touched.\n",
		  r->local.endpoint, local_cloud_backend(cloud));
	*ret = r;
	return 0;
}

void rehearsal_end(struct rehearsal *r)
{
	if (!r)
		return;
	if (local_cloud_started(r->cloud))
		run_plain(r->run, false, "\nImages of this build stay in %s; to use them: ingot cloud up", r->local.data_dir);
	r->run->local = NULL;
	local_cloud_detach(r->cloud);
	free(r);
}
