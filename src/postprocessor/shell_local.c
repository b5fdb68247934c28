/* The shell-local post-processor: scripts on this machine, after a build; the artifact is passed
 * on. */
#include "communicator/local.h"

static int run(struct build *b, void *config, struct artifact *in UNUSED, struct artifact **ret,
	       bool *keep, bool *must_keep, struct err *err)
{
	if (local_run(b, config, err) < 0)
		return -1;
	*ret = NULL;
	*keep = *must_keep = true; /* it is the output as well */
	return 0;
}

extern const struct postprocessor postprocessor_shell_local;
const struct postprocessor postprocessor_shell_local = {
	.type = "shell-local",
	.spec = &local_spec,
	.prepare = local_prepare,
	.run = run,
};
