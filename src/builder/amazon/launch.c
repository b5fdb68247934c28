/* RunInstances parameters. Empty values are left out: EC2 reads them as absent. */
#include "builder/amazon/launch.h"

#include "base/os.h"

#define USER_DATA_MAX 16384 /* EC2's limit, before base64 */

static void add_ebs(struct aws_params *p, int n, const struct amazon_block_device *d)
{
	const char *type = d->volume_type ? d->volume_type : "";
	char key[80], number[24];

#define EBS(name) (snprintf(key, sizeof(key), "BlockDeviceMapping.%d.Ebs." name, n), key)
#define NUMBER(v) (snprintf(number, sizeof(number), "%lld", (long long)(v)), number)
	aws_params_bool(p, EBS("DeleteOnTermination"), d->delete_on_termination);
	aws_params_add_given(p, EBS("VolumeType"), type);
	if (d->volume_size)
		aws_params_add(p, EBS("VolumeSize"), NUMBER(d->volume_size));
	if (d->iops && (streq(type, "io1") || streq(type, "io2") || streq(type, "gp3")))
		aws_params_add(p, EBS("Iops"), NUMBER(d->iops));
	if (d->throughput && streq(type, "gp3"))
		aws_params_add(p, EBS("Throughput"), NUMBER(d->throughput));
	aws_params_add_given(p, EBS("SnapshotId"), d->snapshot_id);
	if (d->encrypted != TRIBOOL_UNSET)
		aws_params_bool(p, EBS("Encrypted"), d->encrypted == TRIBOOL_TRUE);
	aws_params_add_given(p, EBS("KmsKeyId"), d->kms_key_id);
#undef NUMBER
#undef EBS
}

void amazon_params_device(struct aws_params *p, int n, const struct amazon_block_device *d)
{
	aws_params_addf(p, d->device_name, "BlockDeviceMapping.%d.DeviceName", n);
	if (d->no_device)
		aws_params_addf(p, "", "BlockDeviceMapping.%d.NoDevice", n);
	else if (given(d->virtual_name))
		aws_params_addf(p,
				starts_with(d->virtual_name, "ephemeral") ? d->virtual_name : NULL,
				"BlockDeviceMapping.%d.VirtualName", n);
	else
		add_ebs(p, n, d);
}

struct amazon_block_device amazon_device_of(const struct ec2_mapping *m)
{
	return (struct amazon_block_device){
		.device_name = (char *)m->device_name,
		.virtual_name = (char *)m->virtual_name,
		.no_device = m->no_device,
		.delete_on_termination = m->delete_on_termination,
		.volume_type = (char *)m->volume_type,
		.volume_size = m->size_gib,
		.iops = m->iops,
		.throughput = m->throughput,
	};
}

void amazon_params_devices(struct aws_params *p, const struct spec_blocks *list)
{
	for (size_t i = 0; list && i < list->n; i++)
		amazon_params_device(p, (int)i + 1, list->v[i]);
}

const struct amazon_block_device *amazon_launch_device(const struct amazon *s, const char *name)
{
	for (size_t i = 0; s->launch_mappings && i < s->launch_mappings->n; i++) {
		const struct amazon_block_device *d = s->launch_mappings->v[i];

		if (streq(d->device_name, name))
			return d;
	}
	return NULL;
}

const char *amazon_kms_key(const struct amazon *s, const char *region)
{
	const char *key = str_map_get(&s->ami->region_kms_key_ids, region);

	if (!key && streq(region, s->region))
		key = s->ami->kms_key_id;
	return given(key) ? key : NULL;
}

static bool is_volume(const struct amazon_block_device *d)
{
	return !d->no_device && !given(d->virtual_name);
}

/* An image has one key, for all its volumes: a device that says something else about its own, or
 * that only the image has, needs the copy. */
bool amazon_encrypts_at_launch(const struct amazon *s)
{
	if (!s->ami || s->ami->encrypt_boot != TRIBOOL_TRUE || s->ami->skip_save_build_region)
		return false;
	for (size_t i = 0; s->launch_mappings && i < s->launch_mappings->n; i++) {
		const struct amazon_block_device *d = s->launch_mappings->v[i];

		if (is_volume(d) && (d->encrypted == TRIBOOL_FALSE || given(d->kms_key_id)))
			return false;
	}
	for (size_t i = 0; s->ami_mappings && i < s->ami_mappings->n; i++)
		if (is_volume(s->ami_mappings->v[i]))
			return false;
	/* A source whose devices are not listed cannot be overruled device by device. */
	for (size_t i = 0; i < s->source.nmappings; i++)
		if (streq(s->source.mappings[i].device_name, s->source.root_device_name))
			return true;
	return false;
}

static struct amazon_block_device encrypted_device(const struct amazon *s,
						   const struct amazon_block_device *from)
{
	struct amazon_block_device d = *from;

	if (!is_volume(from))
		return d;
	d.encrypted = TRIBOOL_TRUE;
	d.kms_key_id = (char *)amazon_kms_key(s, s->region);
	return d;
}

/* The template's mappings, and for encrypt_boot those of the source image that it does not name. */
static int add_devices(const struct amazon *s, struct aws_params *p)
{
	bool encrypt = amazon_encrypts_at_launch(s);
	int n = 0;

	for (size_t i = 0; s->launch_mappings && i < s->launch_mappings->n; i++) {
		struct amazon_block_device d =
			*(struct amazon_block_device *)s->launch_mappings->v[i];

		if (encrypt)
			d = encrypted_device(s, &d);
		amazon_params_device(p, ++n, &d);
	}
	for (size_t i = 0; encrypt && i < s->source.nmappings; i++) {
		const struct ec2_mapping *m = &s->source.mappings[i];
		const struct amazon_block_device from = amazon_device_of(m);

		if (!m->ebs || amazon_launch_device(s, m->device_name))
			continue;
		struct amazon_block_device d = encrypted_device(s, &from);

		amazon_params_device(p, ++n, &d);
	}
	return n;
}

struct strs amazon_kept_devices(const struct amazon *s)
{
	size_t most = s->source.nmappings + (s->launch_mappings ? s->launch_mappings->n : 0);
	struct strs names = { arena_new_array(s->b->arena, char *, most + 1), 0 };

	for (size_t i = 0; s->launch_mappings && i < s->launch_mappings->n; i++) {
		const struct amazon_block_device *d = s->launch_mappings->v[i];

		if (!d->delete_on_termination && is_volume(d))
			names.v[names.n++] = d->device_name;
	}
	for (size_t i = 0; i < s->source.nmappings; i++) {
		const struct ec2_mapping *m = &s->source.mappings[i];

		if (m->ebs && !m->delete_on_termination && !amazon_launch_device(s, m->device_name))
			names.v[names.n++] = (char *)m->device_name;
	}
	return names;
}

static int add_user_data(struct amazon *s, struct aws_params *p, struct err *err)
{
	AUTO(buf) struct buf data = BUF_INIT, plain = BUF_INIT, text = BUF_INIT;
	const char *what = "user_data";

	if (given(s->run->user_data_file)) {
		what = "user_data_file";
		if (os_read_file(s->run->user_data_file, 1 << 20, &data, err) < 0)
			return err_prefix(err, "reading user_data_file");
	} else if (given(s->run->user_data)) {
		buf_adds(&data, s->run->user_data);
	}
	if (!data.n)
		return 0;
	/* Text that is base64 already goes as it stands, as in Packer. */
	bool encoded = buf_add_unbase64(&plain, buf_str(&data)) == 0;

	if ((encoded ? plain.n : data.n) > USER_DATA_MAX)
		return err_set(err, ERR_INVALID, "%s is %zu bytes long; EC2 takes at most %d", what,
			       encoded ? plain.n : data.n, USER_DATA_MAX);
	if (encoded)
		buf_add_str(&text, buf_str(&data));
	else
		buf_add_base64(&text, data.p, data.n);
	aws_params_add(p, "UserData", buf_cstr(&text));
	return 0;
}

static void add_network(const struct amazon *s, struct aws_params *p)
{
	enum tribool public = s->run->associate_public_ip_address;

	if (*s->subnet_id && public != TRIBOOL_UNSET) {
		aws_params_add(p, "NetworkInterface.1.DeviceIndex", "0");
		aws_params_bool(p, "NetworkInterface.1.AssociatePublicIpAddress",
				public == TRIBOOL_TRUE);
		aws_params_bool(p, "NetworkInterface.1.DeleteOnTermination", true);
		aws_params_add(p, "NetworkInterface.1.SubnetId", s->subnet_id);
		aws_params_list(p, "NetworkInterface.1.SecurityGroupId", &s->groups);
		return;
	}
	aws_params_add_given(p, "SubnetId", s->subnet_id);
	aws_params_list(p, "SecurityGroupId", &s->groups);
}

static void add_metadata(const struct amazon_metadata *m, struct aws_params *p)
{
	aws_params_add(p, "MetadataOptions.HttpEndpoint", m->http_endpoint);
	if (!streq(m->http_endpoint, "enabled"))
		return;
	aws_params_add(p, "MetadataOptions.HttpTokens", m->http_tokens);
	aws_params_int(p, "MetadataOptions.HttpPutResponseHopLimit",
		       m->http_put_response_hop_limit);
	if (streq(m->instance_metadata_tags, "enabled"))
		aws_params_add(p, "MetadataOptions.InstanceMetadataTags", "enabled");
}

static void add_placement(const struct amazon_run *r, const char *zone, struct aws_params *p)
{
#define RESERVATION "CapacityReservationSpecification."
	const struct {
		const char *key, *value;
	} rows[] = {
		{ "Placement.AvailabilityZone", zone },
		{ "Placement.Tenancy", r->tenancy },
		{ "Placement.HostResourceGroupArn",
		  r->placement ? r->placement->host_resource_group_arn : NULL },
		{ "Placement.HostId", r->placement ? r->placement->host_id : NULL },
		{ RESERVATION "CapacityReservationPreference", r->capacity_reservation_preference },
		{ RESERVATION "CapacityReservationTarget.CapacityReservationId",
		  r->capacity_reservation_id },
		{ RESERVATION "CapacityReservationTarget.CapacityReservationResourceGroupArn",
		  r->capacity_reservation_group_arn },
	};
#undef RESERVATION

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		aws_params_add_given(p, rows[i].key, rows[i].value);
}

static void add_extras(const struct amazon_run *r, struct aws_params *p)
{
	int n = 0;

	if (r->ebs_optimized)
		aws_params_bool(p, "EbsOptimized", true);
	if (r->enable_nitro_enclave)
		aws_params_bool(p, "EnclaveOptions.Enabled", true);
	if (r->enable_unlimited_credits || amazon_is_burstable(r->instance_type))
		aws_params_add(p, "CreditSpecification.CpuCredits",
			       r->enable_unlimited_credits ? "unlimited" : "standard");
	for (size_t i = 0; i < r->license_specifications.n; i++) {
		const struct amazon_license *l = r->license_specifications.v[i];

		if (l->license_configuration_request)
			aws_params_addf(p,
					l->license_configuration_request->license_configuration_arn,
					"LicenseSpecification.%d.LicenseConfigurationArn", ++n);
	}
}

static int add_tags(struct amazon *s, struct aws_params *p, bool with_run_tag, struct err *err)
{
	static const struct str_map none = { 0 };
	struct str_map run, volumes;

	if (amazon_tags(s, &s->run->run_tags, "run_tags", with_run_tag, &run, err) < 0 ||
	    amazon_tags(s, s->volume_tags ? s->volume_tags : &none, "run_volume_tags", with_run_tag,
			&volumes, err) < 0)
		return -1;
	aws_params_tags(p, "instance", &run);
	aws_params_tags(p, "network-interface", &run);
	aws_params_tags(p, "volume", &volumes);
	return 0;
}

int amazon_launch_params(struct amazon *s, struct aws_params *p, bool with_run_tag, struct err *err)
{
	const struct amazon_run *r = s->run;
	int devices;

	aws_params_add(p, "ImageId", s->source.id);
	aws_params_add(p, "InstanceType", r->instance_type);
	aws_params_add_given(p, "KeyName", s->key_name);
	aws_params_add_given(p, "IamInstanceProfile.Name", s->profile);
	if (!s->root_device_type || streq(s->root_device_type, "ebs"))
		aws_params_add(p, "InstanceInitiatedShutdownBehavior", r->shutdown_behavior);
	devices = add_devices(s, p);
	for (int i = 0; s->no_ephemeral && i < 26; i++) {
		aws_params_addf(p, (char[]){ 'x', 'v', 'd', 'c', (char)('a' + i), 0 },
				"BlockDeviceMapping.%d.DeviceName", devices + i + 1);
		aws_params_addf(p, "", "BlockDeviceMapping.%d.NoDevice", devices + i + 1);
	}
	add_network(s, p);
	add_metadata(r->metadata_options, p);
	add_placement(r, s->zone, p);
	add_extras(r, p);
	if (add_user_data(s, p, err) < 0)
		return -1;
	return add_tags(s, p, with_run_tag, err);
}
