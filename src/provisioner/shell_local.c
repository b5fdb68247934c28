/* The shell-local provisioner: scripts on this machine, in the middle of a build. */
#include "communicator/local.h"

static const struct spec spec = {
	.name = "shell-local", .size = sizeof(struct local_config), .rows = local_rows, .nrows = 0,
};

static int run(struct build *b, void *config, struct communicator *comm UNUSED, struct err *err)
{
	return local_run(b, config, err);
}

const struct provisioner provisioner_shell_local = {
	.type = "shell-local",
	.spec = &spec,
	.prepare = local_prepare,
	.run = run,
};
