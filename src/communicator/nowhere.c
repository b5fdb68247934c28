/* A machine that is not there: all succeeds, nothing happens. */
#include "communicator/nowhere.h"

static int run(struct communicator *c, const struct comm_command *cmd UNUSED, int *ret_status,
	       struct err *err)
{
	if (cancel_check(c->cancel, err) < 0)
		return -1;
	*ret_status = 0;
	return 0;
}

static int run_script(struct communicator *c, struct comm_script *script,
		      const struct comm_command *cmd, int *ret_status, struct err *err)
{
	script->started = script->removed = true;
	return run(c, cmd, ret_status, err);
}

static int upload(struct communicator *c, int fd UNUSED, off_t size UNUSED,
		  const char *name UNUSED, const char *remote UNUSED, int mode UNUSED,
		  struct err *err)
{
	return cancel_check(c->cancel, err);
}

static int upload_dir(struct communicator *c, const char *local UNUSED, const char *remote UNUSED,
		      struct err *err)
{
	return cancel_check(c->cancel, err);
}

static int download(struct communicator *c, const char *remote UNUSED, int fd UNUSED,
		    struct err *err)
{
	return cancel_check(c->cancel, err);
}

static int download_dir(struct communicator *c, const char *remote UNUSED,
			const char *local UNUSED, struct err *err)
{
	return cancel_check(c->cancel, err);
}

static int reconnect(struct communicator *c, int64_t deadline_ms UNUSED, struct err *err)
{
	return cancel_check(c->cancel, err);
}

static void release(struct communicator *c UNUSED)
{
}

const struct communicator_ops nowhere_ops = {
	.type = "none",
	.run = run,
	.run_script = run_script,
	.upload = upload,
	.upload_dir = upload_dir,
	.download = download,
	.download_dir = download_dir,
	.reconnect = reconnect,
	.free = release,
};
