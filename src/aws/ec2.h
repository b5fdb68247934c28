/* EC2 as structs: what builds read of its answers, and the calls they make. Strings are never NULL
 * ("" when EC2 said nothing) and live in the client's arena, as do the arrays. All functions:
 * aws_call's errors.
 *
 * Creating calls take their parameters as struct aws_params where templates decide about many of
 * them. Those whose answer was lost look the thing up before they try again (ec2_create.c).
 */
#ifndef INGOT_AWS_EC2_H
#define INGOT_AWS_EC2_H

#include "aws/call.h"

struct ec2_tags {
	struct ec2_tag {
		const char *key, *value;
	} *v;
	size_t n;
};
const char *ec2_tag(const struct ec2_tags *tags, const char *key); /* NULL if absent */

struct ec2_mapping {
	const char *device_name, *virtual_name;
	const char *volume_id, *snapshot_id; /* of instance; of image */
	const char *volume_type;
	int64_t size_gib, iops, throughput; /* 0: not said */
	bool ebs, delete_on_termination, no_device;
};

struct ec2_instance {
	const char *id, *state; /* pending running shutting-down terminated stopping stopped */
	const char *public_ip, *private_ip, *ipv6, *public_dns, *private_dns;
	struct ec2_mapping *mappings;
	size_t nmappings;
};

struct ec2_image {
	const char *id, *name, *state; /* pending available failed … */
	const char *description, *owner_id, *owner_alias, *creation_date;
	const char *architecture, *virtualization, *root_device_type, *root_device_name;
	const char *usage_operation, *boot_mode, *tpm_support, *imds_support;
	const char *sriov, *kernel_id, *ramdisk_id;
	bool ena_support;
	size_t nproduct_codes;
	struct ec2_mapping *mappings;
	size_t nmappings;
	struct ec2_tags tags;
};

struct ec2_snapshot {
	const char *id, *state; /* pending completed error */
	const char *progress, *description;
	struct ec2_tags tags;
};

struct ec2_volume {
	const char *id;
};

struct ec2_security_group {
	const char *id;
};

struct ec2_vpc {
	const char *id;
	bool is_default;
};

struct ec2_subnet {
	const char *id, *vpc_id, *zone;
	int64_t free_addresses;
};

/* ---- reading (ec2_describe.c): all pages; p holds ids, filters and owners; may be NULL ---- */
int ec2_describe_instances(const struct aws_client *c, const struct aws_params *p,
			   struct ec2_instance **ret, size_t *ret_n, struct err *err) MUST_USE;
int ec2_describe_images(const struct aws_client *c, const struct aws_params *p,
			struct ec2_image **ret, size_t *ret_n, struct err *err) MUST_USE;
int ec2_describe_snapshots(const struct aws_client *c, const struct aws_params *p,
			   struct ec2_snapshot **ret, size_t *ret_n, struct err *err) MUST_USE;
int ec2_describe_volumes(const struct aws_client *c, const struct aws_params *p,
			 struct ec2_volume **ret, size_t *ret_n, struct err *err) MUST_USE;
int ec2_describe_security_groups(const struct aws_client *c, const struct aws_params *p,
				 struct ec2_security_group **ret, size_t *ret_n,
				 struct err *err) MUST_USE;
int ec2_describe_vpcs(const struct aws_client *c, const struct aws_params *p, struct ec2_vpc **ret,
		      size_t *ret_n, struct err *err) MUST_USE;
int ec2_describe_subnets(const struct aws_client *c, const struct aws_params *p,
			 struct ec2_subnet **ret, size_t *ret_n, struct err *err) MUST_USE;
/* The account's own images of a name; security groups of a name. */
int ec2_find_images(const struct aws_client *c, const char *name, struct ec2_image **ret,
		    size_t *ret_n, struct err *err) MUST_USE;
int ec2_find_security_groups(const struct aws_client *c, const char *name,
			     struct ec2_security_group **ret, size_t *ret_n,
			     struct err *err) MUST_USE;
/* Descriptions, with *, of the snapshots that EC2 makes for an image, as values of a filter: a
 * pending image does not list them. In the arena. */
#define EC2_IMAGE_DESCRIPTIONS 2
void ec2_snapshot_descriptions(struct arena *a, const char *image_id,
			       char *ret[EC2_IMAGE_DESCRIPTIONS]);
/* Names of the account's regions. */
int ec2_describe_regions(const struct aws_client *c, struct strs *ret, struct err *err) MUST_USE;
/* One by id; ERR_NOT_FOUND when EC2 does not know it. */
int ec2_get_instance(const struct aws_client *c, const char *id, struct ec2_instance *ret,
		     struct err *err) MUST_USE;
int ec2_get_image(const struct aws_client *c, const char *id, struct ec2_image *ret,
		  struct err *err) MUST_USE;
/* Console output, decoded (may be empty); best effort: a denial is ERR_AUTH. latest: of Nitro
 * machines. */
int ec2_console_output(const struct aws_client *c, const char *id, bool latest, const char **ret,
		       struct err *err) MUST_USE;
/* One item of an answer ("instancesSet/item", "imagesSet/item", …) as a struct. */
void ec2_read_instance(struct arena *a, const struct xml *item, struct ec2_instance *ret);
void ec2_read_image(struct arena *a, const struct xml *item, struct ec2_image *ret);
void ec2_read_snapshot(struct arena *a, const struct xml *item, struct ec2_snapshot *ret);
void ec2_read_volume(struct arena *a, const struct xml *item, struct ec2_volume *ret);
void ec2_read_security_group(struct arena *a, const struct xml *item,
			     struct ec2_security_group *ret);
void ec2_read_vpc(struct arena *a, const struct xml *item, struct ec2_vpc *ret);
void ec2_read_subnet(struct arena *a, const struct xml *item, struct ec2_subnet *ret);

/* ---- making (ec2_create.c): write the journal's intent before, the id after ---- */
/* ret_id is in the arena. p: all of RunInstances but MinCount, MaxCount (1) and ClientToken, which
 * is `token`. */
int ec2_run_instance(const struct aws_client *c, const struct aws_params *p, const char *token,
		     struct ec2_instance *ret, struct err *err) MUST_USE;
/* type: "rsa" or "ed25519". ret_pem: the private key, a secret: xfree_secret(). */
int ec2_create_key_pair(const struct aws_client *c, const char *name, const char *type,
			const struct str_map *tags, char **ret_pem, struct err *err) MUST_USE;
int ec2_create_security_group(const struct aws_client *c, const char *name, const char *description,
			      const char *vpc_id, const struct str_map *tags, const char **ret_id,
			      struct err *err) MUST_USE;
/* One TCP port range for each address range; a rule that is there already is fine. */
int ec2_authorize_ingress(const struct aws_client *c, const char *group_id, int from_port,
			  int to_port, const struct strs *cidrs, struct err *err) MUST_USE;
/* p has at least Name (and InstanceId, or the mappings of RegisterImage). */
int ec2_create_image(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		     struct err *err) MUST_USE;
int ec2_register_image(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		       struct err *err) MUST_USE;
/* Signed for the client's region (the destination); p: Name, SourceImageId, SourceRegion, … */
int ec2_copy_image(const struct aws_client *c, const struct aws_params *p, const char *token,
		   const char **ret_id, struct err *err) MUST_USE;

/* ---- changing (ec2_change.c) ---- */
int ec2_stop_instance(const struct aws_client *c, const char *id, bool force,
		      struct err *err) MUST_USE;
int ec2_create_tags(const struct aws_client *c, const struct strs *ids, const struct str_map *tags,
		    struct err *err) MUST_USE;
int ec2_delete_tags(const struct aws_client *c, const struct strs *ids, const struct strs *keys,
		    struct err *err) MUST_USE;
/* p, what to change ("EnaSupport.Value"), is sent as it stands behind the id. */
int ec2_modify_instance(const struct aws_client *c, const char *id, const struct aws_params *p,
			struct err *err) MUST_USE;
int ec2_modify_image(const struct aws_client *c, const char *id, const struct aws_params *p,
		     struct err *err) MUST_USE;
int ec2_modify_snapshot(const struct aws_client *c, const char *id, const struct aws_params *p,
			struct err *err) MUST_USE;

/* ---- taking away (ec2_change.c): a thing that is gone already is success ---- */
int ec2_terminate_instance(const struct aws_client *c, const char *id, struct err *err) MUST_USE;
int ec2_deregister_image(const struct aws_client *c, const char *id, struct err *err) MUST_USE;
int ec2_delete_key_pair(const struct aws_client *c, const char *name, struct err *err) MUST_USE;
/* These try again, up to 2 minutes, while an image or a dying instance still holds the thing. */
int ec2_delete_snapshot(const struct aws_client *c, const char *id, struct err *err) MUST_USE;
int ec2_delete_volume(const struct aws_client *c, const char *id, struct err *err) MUST_USE;
int ec2_delete_security_group(const struct aws_client *c, const char *id, struct err *err) MUST_USE;
/* Deregisters the image and deletes the snapshots of its mappings (their ids are read first). */
int ec2_delete_image(const struct aws_client *c, const char *id, bool with_snapshots,
		     struct err *err) MUST_USE;

#endif
