/* Options about the instance that an amazon builder works on: source image, type, network,
 * metadata, placement, user data. */
#ifndef INGOT_BUILDER_AMAZON_RUN_H
#define INGOT_BUILDER_AMAZON_RUN_H

#include "aws/ami_filter.h"
#include "engine/component.h"
#include "spec/spec.h"

struct comm_config;

/* vpc_filter, security_group_filter and subnet_filter; the first two know neither most_free nor
 * random. */
struct amazon_filter {
	struct str_map filters; /* after prepare: with those of `filter` */
	struct str_map filter;
	bool most_free;
	bool random;
};

struct amazon_license_request {
	char *license_configuration_arn;
};
struct amazon_license {
	struct amazon_license_request *license_configuration_request;
};

struct amazon_placement {
	char *host_resource_group_arn;
	char *host_id;
	char *tenancy;
};

struct amazon_metadata {
	char *http_endpoint;
	char *http_tokens;
	int64_t http_put_response_hop_limit;
	char *instance_metadata_tags;
};

struct amazon_statement {
	char *effect;
	struct strs action;
	struct strs resource;
};
struct amazon_policy {
	char *version;
	struct spec_blocks statement; /* struct amazon_statement */
};

struct amazon_run {
	enum tribool associate_public_ip_address;
	char *availability_zone;
	char *capacity_reservation_preference; /* after prepare: "none" unless another is chosen */
	char *capacity_reservation_id;
	char *capacity_reservation_group_arn;
	bool disable_stop_instance;
	bool ebs_optimized;
	bool enable_nitro_enclave;
	bool enable_t2_unlimited;
	bool enable_unlimited_credits; /* after prepare: also by its old name */
	char *iam_instance_profile;
	bool skip_profile_validation;
	struct amazon_policy *temporary_iam_instance_profile_policy_document;
	char *shutdown_behavior; /* after prepare: "stop" or "terminate" */
	char *instance_type;
	struct amazon_filter *security_group_filter;
	struct str_map run_tags; /* after prepare: with those of `run_tag` */
	struct str_map run_tag;
	char *security_group_id;
	struct strs security_group_ids; /* after prepare: with security_group_id */
	char *source_ami;
	struct aws_ami_filter *source_ami_filter;
	struct amazon_filter *subnet_filter;
	char *subnet_id;
	struct spec_blocks license_specifications; /* struct amazon_license */
	struct amazon_placement *placement;
	char *tenancy; /* after prepare: the one that counts */
	struct strs temporary_security_group_source_cidrs;
	bool temporary_security_group_source_public_ip;
	char *user_data;
	char *user_data_file;
	struct amazon_filter *vpc_filter;
	char *vpc_id;
	struct amazon_metadata *metadata_options; /* after prepare: never NULL, filled */
	char *ssh_interface; /* after prepare: NULL or one of the names */
	bool ssh_private_ip; /* old way to say ssh_interface = private_ip */

	/* Not yet supported. */
	int64_t block_duration_minutes;
	struct str_map fleet_tags, fleet_tag, spot_tags, spot_tag;
	char *spot_allocation_strategy;
	struct strs spot_instance_types;
	char *spot_price;
	char *spot_price_auto_product;
	int64_t windows_password_timeout;
	int64_t pause_before_ssm;
	int64_t session_manager_port;
};

extern const struct spec amazon_run_spec;

void amazon_run_prepare(struct prepare *p, struct amazon_run *c, const struct comm_config *comm);

/* T2, T3, T3a and T4g: they have CPU credits. */
bool amazon_is_burstable(const char *instance_type);
/* "10.0.0.0/8" or "::/0". */
bool amazon_is_cidr(const char *text);

#endif
