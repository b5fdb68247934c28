/* Networks: the default VPC of each region, addresses. */
#ifndef INGOT_CLOUD_MODEL_VPC_H
#define INGOT_CLOUD_MODEL_VPC_H

#include "base/base.h"
#include "cloud/cloud.h"

/* Makes the region's default VPC with its subnets, group, gateway and routes unless it is there. */
void vpc_ensure_default(struct cloud *c, const char *region);
struct row *vpc_default(struct cloud *c, const char *region); /* NULL if it was deleted */
/* A VPC or subnet under a given id (stand-ins). cidr NULL: the default VPC's. */
struct row *vpc_create(struct cloud *c, const char *region, const char *id, const char *cidr,
		       bool is_default);
struct row *vpc_create_subnet(struct cloud *c, const char *region, const char *id, const char *vpc,
			      const char *cidr, int zone, bool public_ip);
/* The default subnet of a zone (-1: any), NULL if there is none. */
struct row *vpc_default_subnet(struct cloud *c, const char *region, int zone);

/* "172.31.16.0/20" -> network and prefix length; false on garbage. */
bool cidr_parse(const char *text, uint32_t *ret_address, int *ret_bits);
bool ip_parse(const char *text, uint32_t *ret);
/* An address of the subnet that no instance has; false when it is full. */
bool vpc_take_address(struct cloud *c, const struct row *subnet, char out[16]);
int vpc_free_addresses(struct cloud *c, const struct row *subnet);
/* An address of the daemon's part of 127.77.0.0/16 that no instance has; false when there is none.
 */
bool vpc_take_public(struct cloud *c, char out[16]);

#endif
