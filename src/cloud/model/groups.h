/* Security groups and their rules. A rule is a row of its own; the permission lists in a group's
 * document are made from them.
 */
#ifndef INGOT_CLOUD_MODEL_GROUPS_H
#define INGOT_CLOUD_MODEL_GROUPS_H

#include "base/base.h"
#include "cloud/backend.h"
#include "cloud/cloud.h"

struct group_rule {
	bool egress;
	const char *protocol; /* "tcp", "-1" … */
	int64_t from, to;     /* -1: all */
	const char *cidr, *cidr6, *group, *prefix_list; /* one of them */
	const char *description; /* may be NULL */
};

/* A group with EC2's outgoing rule. */
struct row *group_create(struct cloud *c, const char *region, const char *id, const char *vpc,
			 const char *name, const char *description);
/* Adds a rule and renews the group's lists; NULL if it is there already. */
struct row *group_add_rule(struct cloud *c, struct row *group, const struct group_rule *rule);
struct row *group_find_rule(struct cloud *c, const struct row *group,
			    const struct group_rule *rule);
void group_remove_rule(struct cloud *c, struct row *group, struct row *rule);
/* Removes a group with its rules. */
void group_remove(struct cloud *c, struct row *group);
struct row *group_by_name(struct cloud *c, const char *vpc, const char *name);
/* TCP ports that the groups of an instance open to this host; the caller frees *ret. A range wider
 * than 64 is cut down to the ports in it that machines are usually reached by. */
void group_ports(struct cloud *c, const json_t *group_set, struct instance_port **ret,
		 size_t *ret_n);

#endif
