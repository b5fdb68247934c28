/* The backend `none`: instances have states, but nothing boots and volumes have no bytes. For work
 * with the API alone: it needs no root, no base images and no time. */
#include "cloud/stateonly.h"

struct backend {
	struct instance_events events;
};

static int none_probe(struct err *err UNUSED)
{
	return 0;
}

static int none_open(const struct backend_config *c, struct backend **ret, struct err *err UNUSED)
{
	*ret = xcalloc(1, sizeof(**ret));
	(*ret)->events = c->events;
	return 0;
}

static void tell(struct backend *b, const char *id, enum instance_event e)
{
	b->events.on_event(b->events.data, id, e, NULL);
}

static int none_start(struct backend *b, const struct instance_spec *spec, struct err *err UNUSED)
{
	static const char text[] = "ingot local cloud: backend none, nothing boots here\n";

	b->events.on_console(b->events.data, spec->id, text, sizeof(text) - 1);
	tell(b, spec->id, INSTANCE_UP);
	return 0;
}

static int none_stop(struct backend *b, const char *id, bool force UNUSED, struct err *err UNUSED)
{
	tell(b, id, INSTANCE_DOWN);
	return 0;
}

static int none_reboot(struct backend *b, const char *id, struct err *err UNUSED)
{
	tell(b, id, INSTANCE_REBOOT);
	return 0;
}

static int none_set_ports(struct backend *b UNUSED, const char *id UNUSED,
			  const struct instance_port *p UNUSED, size_t n UNUSED,
			  struct err *err UNUSED)
{
	return 0;
}

static int none_attach(struct backend *b UNUSED, const char *id UNUSED,
		       const struct instance_disk *d UNUSED, struct err *err UNUSED)
{
	return 0;
}

static int none_detach(struct backend *b UNUSED, const char *id UNUSED, const char *volume UNUSED,
		       struct err *err UNUSED)
{
	return 0;
}

static void none_close(struct backend *b)
{
	free(b);
}

const struct backend_ops backend_none = {
	.name = "none",
	.probe = none_probe,
	.open = none_open,
	.start = none_start,
	.stop = none_stop,
	.reboot = none_reboot,
	.set_ports = none_set_ports,
	.attach = none_attach,
	.detach = none_detach,
	.close = none_close,
};
