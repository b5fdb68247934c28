/* -local replaces where and with which keys everything runs, before the first build starts. */
#include "command/rehearsal.h"

#include "base/cancel.h"
#include "base/os.h"

#include "cloud/local.h"

#include "engine/inner.h"
#include "engine/journal.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>

/* First in the PATH of local scripts: an AWS CLI that is older than AWS_ENDPOINT_URL (Debian 12's)
 * would call AWS. It takes its own directory out of the PATH; an --endpoint-url of the script's
 * comes later and wins. */
static const char aws_front[] =
	"#!/bin/sh\n"
	"# Written by ingot for the scripts of rehearsals: old AWS CLIs take their endpoint as an "
	"option only.\n"
	"here=${0%/*} p=:$PATH:\n"
	"case $p in *\":$here:\"*) p=${p%%\":$here:\"*}:${p#*\":$here:\"} ;; esac\n"
	"p=${p#:} PATH=${p%:}\n"
	"exec aws ${AWS_ENDPOINT_URL:+--endpoint-url \"$AWS_ENDPOINT_URL\"} \"$@\"\n";

struct rehearsal {
	struct run *run;
	struct local_cloud *cloud;
	struct run_local local;
	struct cancel *ended;
	pthread_t watcher;
	bool watched;
};

/* The run's names of kinds stand in the same order as the cloud's. */
_Static_assert((int)RUN_LOCAL_IMAGE == (int)LOCAL_IMAGE && (int)RUN_LOCAL_VPC == (int)LOCAL_VPC &&
		       (int)RUN_LOCAL_SUBNET == (int)LOCAL_SUBNET &&
		       (int)RUN_LOCAL_GROUP == (int)LOCAL_GROUP &&
		       (int)RUN_LOCAL_KEY_PAIR == (int)LOCAL_KEY_PAIR &&
		       (int)RUN_LOCAL_PROFILE == (int)LOCAL_PROFILE &&
		       (int)RUN_LOCAL_KMS_KEY == (int)LOCAL_KMS_KEY &&
		       (int)RUN_LOCAL_ACCOUNT == (int)LOCAL_ACCOUNT &&
		       (int)RUN_LOCAL_SNAPSHOT == (int)LOCAL_SNAPSHOT,
	       "kinds of ids");

static int expect(void *cloud, const struct run_local_id *ids, size_t n,
		  void (*tell)(void *data, const char *text), void *data, struct err *err)
{
	auto_free struct local_id *v = xcalloc(n + 1, sizeof(*v));

	for (size_t i = 0; i < n; i++)
		v[i] = (struct local_id){ (enum local_id_kind)ids[i].kind, ids[i].region, ids[i].id,
					  ids[i].hint };
	return local_cloud_expect(cloud, v, n, tell, data, err);
}

static int notices(void *cloud, const char *instance_id, void (*tell)(void *data, const char *text),
		   void *data, struct err *err)
{
	return local_cloud_notices(cloud, instance_id, tell, data, err);
}

static void progress(void *data, const char *text)
{
	run_plain(data, false, "%s", text);
}

static int write_aws_front(const char *data_dir, struct err *err)
{
	auto_free char *dir = os_path_join(data_dir, RUN_LOCAL_BIN),
		       *path = os_path_join(dir, "aws");

	return os_mkdir_all(dir, 0700, err) < 0
		       ? -1
		       : os_write_file(path, aws_front, sizeof(aws_front) - 1, 0700, err);
}

/* Builds whose cloud is gone would wait for their instances to the end of their patience. */
static void *watch(void *data)
{
	enum { CLOUD, ENDED };
	struct rehearsal *r = data;
	struct pollfd p[] = {
		[CLOUD] = { .fd = local_cloud_fd(r->cloud), .events = POLLRDHUP },
		[ENDED] = { .fd = cancel_fd(r->ended), .events = POLLIN },
	};

	while (poll(p, ARRAY_LEN(p), -1) < 0 && errno == EINTR)
		;
	if (p[ENDED].revents || !p[CLOUD].revents)
		return NULL;
	run_plain(r->run, true,
		  "The local cloud stopped: the builds are cancelled. Its log: %s/cloud.log",
		  r->local.data_dir);
	cancel_set(r->local.gone);
	cancel_set(r->run->cancel);
	return NULL;
}

int rehearsal_start(struct run *run, struct rehearsal **ret, struct err *err)
{
	struct local_cloud_options options = { .on_progress = progress,
					       .data = run,
					       .cancel = run->cancel };
	struct local_cloud *cloud = NULL;
	struct rehearsal *r;

	if (local_cloud_attach(&options, &cloud, err) < 0)
		return err_prefix(err, "-local");
	if (write_aws_front(local_cloud_data_dir(cloud), err) < 0) {
		local_cloud_detach(cloud);
		return err_prefix(err, "-local");
	}
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
					    .cloud = cloud,
					    .gone = cancel_new(NULL) } };
	r->ended = cancel_new(NULL);
	r->watched = pthread_create(&r->watcher, NULL, watch, r) == 0;
	run->local = &r->local;
	events_add_secret(run->events, r->local.secret_key);
	journal_set_local(run->journal, r->local.data_dir);
	run_plain(run, false,
		  "Rehearsing on the local cloud at %s (backend %s): no AWS account is touched.\n",
		  r->local.endpoint, local_cloud_backend(cloud));
	*ret = r;
	return 0;
}

void rehearsal_end(struct rehearsal *r)
{
	if (!r)
		return;
	cancel_set(r->ended);
	if (r->watched)
		pthread_join(r->watcher, NULL);
	cancel_free(r->ended);
	cancel_free(r->local.gone);
	if (local_cloud_started(r->cloud))
		run_plain(r->run, false,
			  "\nThe images of this build are in %s; to use them: ingot cloud up",
			  r->local.data_dir);
	r->run->local = NULL;
	local_cloud_detach(r->cloud);
	free(r);
}
