/* The sleep provisioner: waits, and can be interrupted at once. */
#include "engine/build.h"

#include "base/clock.h"

struct sleep_config {
	int64_t duration;
};

static const struct spec_row rows[] = {
	SPEC_DURATION(struct sleep_config, duration,
		      .doc = "How long to wait, such as `30s` or `2m`."),
};
static const struct spec spec = SPEC("sleep", struct sleep_config, rows, .doc = "Waits.");

static int run(struct build *b, void *config, struct communicator *comm UNUSED, struct err *err)
{
	const struct sleep_config *c = config;

	if (clock_sleep(c->duration / CLOCK_NS_PER_MS, b->cancel) < 0)
		return err_set(err, ERR_CANCELLED, "cancelled");
	return 0;
}

extern const struct provisioner provisioner_sleep;
const struct provisioner provisioner_sleep = {
	.type = "sleep",
	.spec = &spec,
	.run = run,
};
