/* The shell-local provisioner: scripts on this machine, in the middle of a build. */
#include "communicator/local.h"

static int run(struct build *b, void *config, struct communicator *comm UNUSED, struct err *err)
{
	return local_run(b, config, err);
}

extern const struct provisioner provisioner_shell_local;
const struct provisioner provisioner_shell_local = {
	.type = "shell-local",
	.spec = &local_spec,
	.prepare = local_prepare,
	.run = run,
};
