/* The null builder: makes no image; connects where the template says and runs the provisioners
 * there. */
#include "communicator/connect.h"
#include "engine/build.h"

struct null_config {
	struct comm_config comm;
};

static const struct spec_row rows[] = {
	SPEC_EMBED(struct null_config, comm, struct comm_config, &comm_spec),
};
static const struct spec spec =
	SPEC("null", struct null_config, rows,
	     .doc = "Creates no image: runs the provisioners on an existing machine or, with "
		    "`communicator = \"none\"`, only on this one.");

static void prepare_auth(struct prepare *p, const struct comm_config *c)
{
	bool has_password = given(c->ssh_password);

	if (!c->ssh_agent_auth && !has_password && !c->ssh_private_key_file)
		prepare_error(p, "ssh_password",
			      "there is no way to log in: set ssh_password, ssh_private_key_file "
			      "or ssh_agent_auth");
	if (has_password + c->ssh_agent_auth + (c->ssh_private_key_file != NULL) > 1)
		prepare_error(p, "ssh_password",
			      "only one of ssh_password, ssh_private_key_file and ssh_agent_auth "
			      "may be set");
}

static void prepare(struct prepare *p, void *config)
{
	struct null_config *c = config;
	const char *host;

	comm_prepare(p, &c->comm);
	if (streq(c->comm.communicator, "none"))
		return;
	host = comm_config_host(&c->comm);
	if (!given(host))
		prepare_error(p, "ssh_host", "there is no host to connect to: set ssh_host");
	if (streq(c->comm.communicator, "ssh"))
		prepare_auth(p, &c->comm);
}

static int connect_run(struct build *b, void *state, struct err *err)
{
	const struct null_config *c = state;
	const struct comm_target here = { 0 };

	return comm_connect(b, &c->comm, &here, err);
}

static void connect_undo(struct build *b, void *state UNUSED, bool failed UNUSED)
{
	comm_disconnect(b);
}

static const struct step steps[] = {
	{ "connect", "StepConnect", connect_run, connect_undo, false },
	BUILD_STEP_PROVISION,
};

static int run(struct build *b, void *config, struct artifact **ret, struct err *err)
{
	build_set(b, "ID", "Null");
	if (build_run_steps(b, steps, ARRAY_LEN(steps), config, err) < 0)
		return -1;
	*ret = artifact_new("fnoeding.null", "Null",
			    "Did not export anything. This is the null builder");
	return 0;
}

extern const struct builder builder_null;
const struct builder builder_null = {
	.type = "null",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
};
