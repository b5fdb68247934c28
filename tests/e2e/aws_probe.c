/* The AWS client by hand: what the end-to-end tests of src/aws run against moto and against servers
 * that misbehave. Not installed.
 *
 *	aws_probe [-o OPTION=VALUE]… COMMAND [ARGUMENT…]
 *
 * OPTION is as in a template, assume_role.role_arn for one in a block. Commands:
 *
 *	call SERVICE ACTION [KEY=VALUE…]   the answer's leaves as PATH=TEXT
 *	credentials | region | endpoint SERVICE REGION | whoami | address | parameter NAME
 *	wait KIND ID STATE                 KIND: instance image snapshot volume
 *	wait-many N ID STATE               N threads wait for one instance
 *	cancel MS KIND ID STATE            the wait is cancelled after MS
 *	patience MS IMAGE                  waits for an image, with so little patience
 *	cycle IMAGE NAME                   a build's calls: key, group, instance, stop, image,
 *	                                   copy, undo
 *	undo KIND ID | find KIND NAME TOKEN RUN
 *
 * Errors: "error CODE NAME STATUS: MESSAGE" and exit status 1.
 */
#include "aws/address.h"
#include "aws/ec2.h"
#include "aws/session_impl.h"
#include "aws/ssm.h"
#include "aws/sts.h"
#include "aws/undo.h"
#include "aws/wait.h"
#include "aws/waiter.h"
#include "base/clock.h"
#include "base/os.h"

#include <pthread.h>

struct probe {
	struct aws_config cfg;
	struct aws_assume_role role;
	struct aws_polling polling;
	struct aws_session *session;
	struct arena *arena;
	struct cancel *cancel;
	struct aws_client ec2;
	char **args;
	int nargs;
};

static int report(const struct err *e)
{
	printf("error %d %s %d: %s\n", e->code, e->name ? e->name : "-", e->os, e->msg);
	return 1;
}

static void print_leaves(const struct xml *x, const char *path)
{
	for (; x; x = x->next) {
		auto_free char *here = xasprintf("%s/%s", path, x->name);

		if (x->child)
			print_leaves(x->child, here);
		else
			printf("%s=%s\n", here, x->text);
	}
}

static int cmd_call(struct probe *p, struct err *err)
{
	AUTO(aws_params) struct aws_params params = AWS_PARAMS_INIT;
	struct aws_client c = aws_client_service(&p->ec2, p->args[0]);
	struct xml *root;

	for (int i = 2; i < p->nargs; i++) {
		char *eq = strchr(p->args[i], '=');

		*eq = '\0';
		aws_params_add(&params, p->args[i], eq + 1);
	}
	if (aws_call(&c, p->args[1], &params, &root, err) < 0)
		return -1;
	print_leaves(root, "");
	return 0;
}

static int cmd_credentials(struct probe *p, struct err *err)
{
	struct aws_credentials c;

	if (aws_session_credentials(p->session, p->cancel, p->arena, &c, err) < 0)
		return -1;
	printf("%s %s %s %lld %s\n", c.access_key, c.secret_key, c.token ? c.token : "-",
	       (long long)c.expires, aws_session_source(p->session));
	return 0;
}

static int cmd_region(struct probe *p, struct err *err)
{
	const char *r;

	if (aws_session_region(p->session, p->cancel, &r, err) < 0)
		return -1;
	puts(r);
	return 0;
}

static int cmd_endpoint(struct probe *p, struct err *err)
{
	AUTO(aws_endpoint) struct aws_endpoint e = { 0 };

	if (aws_endpoint_find(p->session, p->args[0], p->args[1], &e, err) < 0)
		return -1;
	printf("%s %s\n", e.url, e.custom ? "custom" : "aws");
	return 0;
}

static int cmd_whoami(struct probe *p, struct err *err)
{
	struct sts_identity id;

	if (sts_caller_identity(&p->ec2, &id, err) < 0)
		return -1;
	printf("%s %s %s\n", id.account, id.arn, id.partition);
	return 0;
}

static int cmd_address(struct probe *p, struct err *err)
{
	const char *cidr;

	if (aws_public_address(&p->ec2, &cidr, err) < 0)
		return -1;
	puts(cidr);
	return 0;
}

static int cmd_parameter(struct probe *p, struct err *err)
{
	struct ssm_parameter v;

	if (ssm_get_parameter(&p->ec2, p->args[0], true, &v, err) < 0)
		return -1;
	printf("%s %lld %s\n", v.value, (long long)v.version, v.type);
	return 0;
}

static int wait_for(const struct aws_client *c, const char *kind, const char *id, const char *state,
		    struct err *err)
{
	struct ec2_instance instance;
	struct ec2_image image;

	if (streq(kind, "instance")) {
		if (aws_wait_instance(c, id, state, &instance, err) < 0)
			return -1;
		printf("%s %s %s\n", instance.id, instance.state, instance.private_ip);
		return 0;
	}
	if (aws_wait_image(c, id, &image, err) < 0)
		return -1;
	printf("%s %s\n", image.id, image.state);
	return 0;
}

static int cmd_wait(struct probe *p, struct err *err)
{
	return wait_for(&p->ec2, p->args[0], p->args[1], p->args[2], err);
}

struct waiting {
	struct probe *probe;
	const char *id;
	int failed;
};

static void *wait_thread(void *data)
{
	struct waiting *w = data;
	AUTO(arena) struct arena *arena = arena_new();
	AUTO(err) struct err e = ERR_INIT;
	struct aws_client c = w->probe->ec2;

	c.arena = arena;
	w->failed = aws_wait_instance(&c, w->id, w->probe->args[2], NULL, &e) < 0;
	return NULL;
}

/* The ids are separated by commas and shared out among the threads. */
static int cmd_wait_many(struct probe *p, struct err *err)
{
	int n = (int)strtol(p->args[0], NULL, 10), failed = 0;
	pthread_t threads[256];
	struct waiting waits[256];
	struct str rest = str_from(p->args[1]), id;
	char *ids[256];
	int nids = 0;

	while (nids < 256 && str_split(&rest, ',', &id))
		ids[nids++] = arena_strndup(p->arena, id.p, id.n);
	for (int i = 0; i < n && i < 256; i++) {
		waits[i] = (struct waiting){ p, ids[i % nids], 0 };
		pthread_create(&threads[i], NULL, wait_thread, &waits[i]);
	}
	for (int i = 0; i < n && i < 256; i++) {
		pthread_join(threads[i], NULL);
		failed += waits[i].failed;
	}
	if (failed)
		return err_set(err, ERR_REMOTE, "%d of %d waits failed", failed, n);
	printf("%d done\n", n);
	return 0;
}

static void *cancel_thread(void *data)
{
	struct probe *p = data;

	clock_sleep(strtol(p->args[0], NULL, 10), NULL);
	cancel_set(p->cancel);
	return NULL;
}

static int cmd_cancel(struct probe *p, struct err *err)
{
	AUTO(err) struct err e = ERR_INIT;
	int64_t start = clock_ms();
	pthread_t t;
	int rc;

	pthread_create(&t, NULL, cancel_thread, p);
	rc = wait_for(&p->ec2, p->args[1], p->args[2], p->args[3], &e);
	pthread_join(t, NULL);
	printf("%s after %lld ms\n",
	       rc == 0			 ? "done"
	       : e.code == ERR_CANCELLED ? "cancelled"
					 : "failed",
	       (long long)(clock_ms() - start));
	return rc == 0 || e.code == ERR_CANCELLED ? 0 : err_move(err, &e);
}

static enum wait_verdict judge_available(const char *goal, const struct xml *item,
					 int64_t age UNUSED, const char **ret_state,
					 const char **ret_why UNUSED)
{
	*ret_state = xml_text(item, "imageState");
	return streq(*ret_state, goal) ? WAIT_DONE : WAIT_PENDING;
}

static int cmd_patience(struct probe *p, struct err *err)
{
	struct wait_request r = {
		.kind = WAIT_IMAGE,
		.id = p->args[1],
		.what = "image",
		.goal = "available",
		.judge = judge_available,
		.no_progress_ms = strtol(p->args[0], NULL, 10),
	};
	const struct xml *item;

	if (waiter_wait(&p->ec2, &r, &item, err) < 0)
		return -1;
	puts("available");
	return 0;
}

#define TRY(call) \
	do { \
		if ((call) < 0) \
			return -1; \
	} while (0)

static int cmd_cycle(struct probe *p, struct err *err)
{
	const struct aws_client *c = &p->ec2;
	AUTO(aws_params) struct aws_params run = AWS_PARAMS_INIT;
	AUTO(aws_params) struct aws_params make = AWS_PARAMS_INIT;
	AUTO(aws_params) struct aws_params copy = AWS_PARAMS_INIT;
	struct str_pair pair = { (char *)"ingot:run", (char *)"RUN" };
	struct str_map tags = { &pair, 1 };
	char *everywhere = (char *)"0.0.0.0/0";
	const char *name = p->args[1], *group, *image, *copied;
	struct ec2_instance instance;
	struct ec2_image described;
	char *pem, token[37];

	os_uuid(token);
	TRY(ec2_create_key_pair(c, name, "rsa", &tags, &pem, err));
	printf("key %s\n", strstr(pem, "PRIVATE KEY") ? "ok" : "bad");
	xfree_secret(pem);
	TRY(ec2_create_security_group(c, name, "a test", NULL, &tags, &group, err));
	TRY(ec2_authorize_ingress(c, group, 22, 22, &(struct strs){ &everywhere, 1 }, err));
	TRY(ec2_authorize_ingress(c, group, 22, 22, &(struct strs){ &everywhere, 1 }, err));
	aws_params_add(&run, "ImageId", p->args[0]);
	aws_params_add(&run, "InstanceType", "t3.micro");
	aws_params_add(&run, "KeyName", name);
	aws_params_add(&run, "SecurityGroupId.1", group);
	aws_params_tags(&run, "instance", &tags);
	TRY(ec2_run_instance(c, &run, token, &instance, err));
	TRY(aws_wait_instance(c, instance.id, "running", &instance, err));
	printf("instance %s %s mappings=%zu\n", instance.id, instance.state, instance.nmappings);
	TRY(ec2_stop_instance(c, instance.id, false, err));
	TRY(aws_wait_instance(c, instance.id, "stopped", NULL, err));
	aws_params_add(&make, "InstanceId", instance.id);
	aws_params_add(&make, "Name", name);
	TRY(ec2_create_image(c, &make, &image, err));
	TRY(aws_wait_image(c, image, &described, err));
	printf("image %s %s %s\n", described.id, described.name, described.mappings[0].snapshot_id);
	aws_params_add(&copy, "Name", name);
	aws_params_add(&copy, "SourceImageId", image);
	aws_params_add(&copy, "SourceRegion", c->region);
	os_uuid(token);
	struct aws_client far = aws_client_region(c, "us-west-2");
	TRY(ec2_copy_image(&far, &copy, token, &copied, err));
	TRY(aws_wait_image(&far, copied, NULL, err));
	TRY(aws_undo_resource(&far, "image", copied, err));
	TRY(aws_undo_resource(c, "image", image, err));
	TRY(aws_undo_resource(c, "image", image, err));
	TRY(aws_undo_resource(c, "instance", instance.id, err));
	TRY(aws_undo_resource(c, "security-group", group, err));
	TRY(aws_undo_resource(c, "security-group", group, err));
	TRY(aws_undo_resource(c, "key-pair", name, err));
	puts("clean");
	return 0;
}

static int cmd_undo(struct probe *p, struct err *err)
{
	return aws_undo_resource(&p->ec2, p->args[0], p->args[1], err);
}

static const char *dash_is_null(const char *s)
{
	return streq(s, "-") ? NULL : s;
}

static int cmd_find(struct probe *p, struct err *err)
{
	struct journal_row row = {
		.kind = p->args[0],
		.name = dash_is_null(p->args[1]),
		.token = dash_is_null(p->args[2]),
	};
	const char *id;

	if (aws_find_resource(&p->ec2, &row, p->args[3], &id, err) < 0)
		return -1;
	puts(id ? id : "none");
	return 0;
}

static const struct {
	const char *name;
	int nargs;
	int (*run)(struct probe *p, struct err *err);
} commands[] = {
	{ "call", 2, cmd_call },	   { "credentials", 0, cmd_credentials },
	{ "region", 0, cmd_region },	   { "endpoint", 2, cmd_endpoint },
	{ "whoami", 0, cmd_whoami },	   { "address", 0, cmd_address },
	{ "parameter", 1, cmd_parameter }, { "wait", 3, cmd_wait },
	{ "wait-many", 3, cmd_wait_many }, { "cancel", 4, cmd_cancel },
	{ "cycle", 2, cmd_cycle },	   { "patience", 2, cmd_patience },
	{ "undo", 2, cmd_undo },	   { "find", 4, cmd_find },
};

static void set_option(struct probe *p, char *text)
{
	struct aws_config *c = &p->cfg;
	const struct {
		const char *name;
		char **slot;
	} rows[] = {
		{ "access_key", &c->access_key },
		{ "secret_key", &c->secret_key },
		{ "token", &c->token },
		{ "profile", &c->profile },
		{ "shared_credentials_file", &c->shared_credentials_file },
		{ "mfa_code", &c->mfa_code },
		{ "region", &c->region },
		{ "custom_endpoint_ec2", &c->custom_endpoint_ec2 },
		{ "assume_role.role_arn", &p->role.role_arn },
		{ "assume_role.external_id", &p->role.external_id },
		{ "local_endpoint", (char **)&c->local_endpoint },
		{ "local_access_key", (char **)&c->local_access_key },
		{ "local_secret_key", (char **)&c->local_secret_key },
	};
	char *eq = strchr(text, '=');

	*eq = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (streq(rows[i].name, text))
			*rows[i].slot = eq + 1;
	if (starts_with(text, "assume_role"))
		c->assume_role = &p->role;
	if (streq(text, "max_retries"))
		c->max_retries = strtol(eq + 1, NULL, 10);
	if (streq(text, "delay_seconds"))
		p->polling.delay_seconds = strtol(eq + 1, NULL, 10);
	if (streq(text, "max_attempts"))
		p->polling.max_attempts = strtol(eq + 1, NULL, 10);
}

static int run(struct probe *p, const char *name, struct err *err)
{
	const char *region = p->cfg.region ? p->cfg.region : "us-east-1";

	if (aws_session_open(&p->cfg, &p->session, err) < 0)
		return -1;
	p->ec2 = aws_client(p->session, "ec2", region, p->arena, p->cancel);
	p->ec2.polling = p->polling;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (streq(commands[i].name, name) && p->nargs >= commands[i].nargs)
			return commands[i].run(p, err);
	return err_set(err, ERR_INVALID, "no such command: %s", name);
}

int main(int argc, char **argv)
{
	struct probe p = { .arena = arena_new(), .cancel = cancel_new(NULL) };
	AUTO(err) struct err err = ERR_INIT;
	int i = 1, rc;

	for (; i + 1 < argc && streq(argv[i], "-o"); i += 2)
		set_option(&p, argv[i + 1]);
	if (i >= argc)
		return 2;
	p.args = argv + i + 1;
	p.nargs = argc - i - 1;
	rc = run(&p, argv[i], &err) < 0 ? report(&err) : 0;
	aws_session_close(p.session);
	cancel_free(p.cancel);
	arena_free(p.arena);
	return rc;
}
