/* Options about the image that an amazon builder makes: name, tags, sharing, copies, encryption. */
#ifndef INGOT_BUILDER_AMAZON_AMI_H
#define INGOT_BUILDER_AMAZON_AMI_H

#include "aws/config.h"

struct amazon_deregistration_protection {
	bool enabled;
	bool with_cooldown;
};

struct amazon_ami {
	char *ami_name;
	char *ami_description;
	char *ami_virtualization_type;
	struct strs ami_users;
	struct strs ami_groups;
	struct strs ami_org_arns;
	struct strs ami_ou_arns;
	struct strs ami_product_codes;
	struct strs ami_regions; /* after prepare: each once, without the build's own region */
	int64_t snapshot_copy_duration_minutes; /* 0: not given */
	struct str_map tags; /* after prepare: with those of `tag` */
	struct str_map tag;
	enum tribool ena_support;
	enum tribool enhanced_networking; /* old name of ena_support */
	bool sriov_support;
	bool force_deregister; /* after prepare: also with -force */
	bool force_delete_snapshot;
	enum tribool encrypt_boot;
	char *kms_key_id;
	struct str_map region_kms_key_ids;
	bool skip_save_build_region;
	char *imds_support;
	char *deprecate_at;
	struct str_map snapshot_tags; /* after prepare: with those of `snapshot_tag` */
	struct str_map snapshot_tag;
	struct strs snapshot_users;
	struct strs snapshot_groups;
	struct amazon_deregistration_protection *deregistration_protection;
};

extern const struct spec amazon_ami_spec;

void amazon_ami_prepare(struct prepare *p, struct amazon_ami *c, const struct aws_config *access);

/* Adds the pairs of `more` to `to`; a key that is there already gets the new value. */
void amazon_merge_tags(struct arena *a, struct str_map *to, const struct str_map *more);

#endif
