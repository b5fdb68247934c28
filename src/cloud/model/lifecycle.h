/* What happens to instances, volumes, snapshots and images after the API has answered: jobs that
 * make disks, ask the backend and move the states on. All of these are called with the cloud's lock
 * held.
 */
#ifndef INGOT_CLOUD_MODEL_LIFECYCLE_H
#define INGOT_CLOUD_MODEL_LIFECYCLE_H

#include "base/base.h"
#include "cloud/backend.h"
#include "cloud/cloud.h"

/* EC2's code and name of a state. */
enum instance_state {
	STATE_PENDING,
	STATE_RUNNING,
	STATE_SHUTTING_DOWN,
	STATE_TERMINATED,
	STATE_STOPPING,
	STATE_STOPPED
};
void instance_set_state(struct cloud *c, struct row *r, enum instance_state state);
bool instance_is(const struct row *r, const char *state);
void instance_set_reason(struct row *r, const char *code, const char *message);

/* The row is `pending`: makes its volumes, starts it. */
void lifecycle_launch(struct cloud *c, struct row *instance);
/* The row is `pending` again. */
void lifecycle_start(struct cloud *c, struct row *instance);
void lifecycle_stop(struct cloud *c, struct row *instance, bool force);
void lifecycle_terminate(struct cloud *c, struct row *instance);
void lifecycle_reboot(struct cloud *c, struct row *instance);
/* The rules of a group have changed, or the groups of an instance. */
void lifecycle_ports_changed(struct cloud *c, const char *group);
void lifecycle_instance_ports(struct cloud *c, struct row *instance);

/* The volume row is `creating`. */
void lifecycle_create_volume(struct cloud *c, struct row *volume);
/* The volume row is `deleting`; it goes at the end. */
void lifecycle_delete_volume(struct cloud *c, struct row *volume);
void lifecycle_attach(struct cloud *c, struct row *volume, struct row *instance);
void lifecycle_detach(struct cloud *c, struct row *volume, bool force);
void lifecycle_grow(struct cloud *c, struct row *volume, int64_t size_gib);

/* The snapshot row is `pending`. */
void lifecycle_create_snapshot(struct cloud *c, struct row *snapshot);
void lifecycle_copy_snapshot(struct cloud *c, struct row *snapshot, const char *from);
void lifecycle_delete_snapshot(struct cloud *c, const char *id);
/* The image row and its snapshots are `pending`; restart: the instance is stopped for it and runs
 * again. */
void lifecycle_create_image(struct cloud *c, struct row *image, struct row *instance, bool restart);
/* Images made of snapshots that are there already become available after the delay. */
void lifecycle_settle_images(struct cloud *c);

/* The backend's events; data is the cloud. */
extern const struct instance_events lifecycle_events_template;
/* At start: what was running when the daemon ended is now stopped, what was half made has failed.
 */
void lifecycle_recover(struct cloud *c);

#endif
