/* EC2's answers as structs. Tables say which element fills which member, so that a new member is
 * one row.
 */
#include "aws/ec2.h"

#include "base/buf.h"

struct text_row {
	size_t offset; /* of a const char * */
	const char *path;
};
#define TEXT(T, member, p) { offsetof(struct T, member), (p) }

static void read_texts(struct arena *a, const struct xml *x, void *out, const struct text_row *rows,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const char *s = xml_text(x, rows[i].path);

		*(const char **)((char *)out + rows[i].offset) = *s ? arena_strdup(a, s) : "";
	}
}

static const char *text(struct arena *a, const struct xml *x, const char *path)
{
	const char *s = xml_text(x, path);

	return *s ? arena_strdup(a, s) : "";
}

const char *ec2_tag(const struct ec2_tags *tags, const char *key)
{
	for (size_t i = 0; i < tags->n; i++)
		if (streq(tags->v[i].key, key))
			return tags->v[i].value;
	return NULL;
}

static void read_tags(struct arena *a, const struct xml *x, struct ec2_tags *ret)
{
	size_t n = xml_count(x, "tagSet/item"), k = 0;

	ret->v = arena_new_array(a, struct ec2_tag, n + 1);
	ret->n = n;
	for (const struct xml *i = xml_first(x, "tagSet/item"); i; i = xml_next(i), k++) {
		ret->v[k].key = text(a, i, "key");
		ret->v[k].value = text(a, i, "value");
	}
}

static void read_mappings(struct arena *a, const struct xml *x, struct ec2_mapping **ret,
			  size_t *ret_n)
{
	static const struct text_row rows[] = {
		TEXT(ec2_mapping, device_name, "deviceName"),
		TEXT(ec2_mapping, virtual_name, "virtualName"),
		TEXT(ec2_mapping, volume_id, "ebs/volumeId"),
		TEXT(ec2_mapping, snapshot_id, "ebs/snapshotId"),
		TEXT(ec2_mapping, volume_type, "ebs/volumeType"),
		TEXT(ec2_mapping, kms_key_id, "ebs/kmsKeyId"),
	};
	size_t n = xml_count(x, "blockDeviceMapping/item");
	struct ec2_mapping *m = *ret = arena_new_array(a, struct ec2_mapping, n + 1);

	*ret_n = n;
	for (const struct xml *i = xml_first(x, "blockDeviceMapping/item"); i;
	     i = xml_next(i), m++) {
		read_texts(a, i, m, rows, ARRAY_LEN(rows));
		m->ebs = xml_get(i, "ebs") != NULL;
		m->no_device = xml_get(i, "noDevice") != NULL;
		m->size_gib = xml_int(i, "ebs/volumeSize", 0);
		m->iops = xml_int(i, "ebs/iops", 0);
		m->throughput = xml_int(i, "ebs/throughput", 0);
		m->delete_on_termination = xml_bool(i, "ebs/deleteOnTermination");
		m->encrypted = xml_bool(i, "ebs/encrypted");
	}
}

void ec2_read_instance(struct arena *a, const struct xml *x, struct ec2_instance *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_instance, id, "instanceId"),
		TEXT(ec2_instance, state, "instanceState/name"),
		TEXT(ec2_instance, state_reason_code, "stateReason/code"),
		TEXT(ec2_instance, state_reason, "stateReason/message"),
		TEXT(ec2_instance, image_id, "imageId"),
		TEXT(ec2_instance, type, "instanceType"),
		TEXT(ec2_instance, key_name, "keyName"),
		TEXT(ec2_instance, public_ip, "ipAddress"),
		TEXT(ec2_instance, private_ip, "privateIpAddress"),
		TEXT(ec2_instance, ipv6, "ipv6Address"),
		TEXT(ec2_instance, public_dns, "dnsName"),
		TEXT(ec2_instance, private_dns, "privateDnsName"),
		TEXT(ec2_instance, vpc_id, "vpcId"),
		TEXT(ec2_instance, subnet_id, "subnetId"),
		TEXT(ec2_instance, zone, "placement/availabilityZone"),
		TEXT(ec2_instance, lifecycle, "instanceLifecycle"),
		TEXT(ec2_instance, spot_request_id, "spotInstanceRequestId"),
		TEXT(ec2_instance, root_device_name, "rootDeviceName"),
		TEXT(ec2_instance, architecture, "architecture"),
		TEXT(ec2_instance, platform, "platform"),
		TEXT(ec2_instance, launch_time, "launchTime"),
		TEXT(ec2_instance, network_interface_id,
		     "networkInterfaceSet/item/networkInterfaceId"),
		TEXT(ec2_instance, iam_profile_arn, "iamInstanceProfile/arn"),
		TEXT(ec2_instance, virtualization, "virtualizationType"),
		TEXT(ec2_instance, sriov, "sriovNetSupport"),
	};

	*ret = (struct ec2_instance){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	if (!*ret->ipv6)
		ret->ipv6 = text(a, x,
				 "networkInterfaceSet/item/ipv6AddressesSet/item/ipv6Address");
	ret->ena_support = xml_bool(x, "enaSupport");
	read_mappings(a, x, &ret->mappings, &ret->nmappings);
	read_tags(a, x, &ret->tags);
}

static void read_product_codes(struct arena *a, const struct xml *x, struct ec2_image *ret)
{
	size_t n = xml_count(x, "productCodes/item"), k = 0;

	ret->product_codes = arena_new_array(a, const char *, n + 1);
	ret->nproduct_codes = n;
	for (const struct xml *i = xml_first(x, "productCodes/item"); i; i = xml_next(i))
		ret->product_codes[k++] = text(a, i, "productCode");
}

void ec2_read_image(struct arena *a, const struct xml *x, struct ec2_image *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_image, id, "imageId"),
		TEXT(ec2_image, name, "name"),
		TEXT(ec2_image, state, "imageState"),
		TEXT(ec2_image, state_reason, "stateReason/message"),
		TEXT(ec2_image, description, "description"),
		TEXT(ec2_image, owner_id, "imageOwnerId"),
		TEXT(ec2_image, owner_alias, "imageOwnerAlias"),
		TEXT(ec2_image, creation_date, "creationDate"),
		TEXT(ec2_image, deprecation_time, "deprecationTime"),
		TEXT(ec2_image, architecture, "architecture"),
		TEXT(ec2_image, virtualization, "virtualizationType"),
		TEXT(ec2_image, hypervisor, "hypervisor"),
		TEXT(ec2_image, root_device_type, "rootDeviceType"),
		TEXT(ec2_image, root_device_name, "rootDeviceName"),
		TEXT(ec2_image, platform, "platform"),
		TEXT(ec2_image, platform_details, "platformDetails"),
		TEXT(ec2_image, usage_operation, "usageOperation"),
		TEXT(ec2_image, boot_mode, "bootMode"),
		TEXT(ec2_image, tpm_support, "tpmSupport"),
		TEXT(ec2_image, imds_support, "imdsSupport"),
		TEXT(ec2_image, sriov, "sriovNetSupport"),
		TEXT(ec2_image, image_type, "imageType"),
		TEXT(ec2_image, kernel_id, "kernelId"),
		TEXT(ec2_image, ramdisk_id, "ramdiskId"),
		TEXT(ec2_image, source_instance_id, "sourceInstanceId"),
		TEXT(ec2_image, deregistration_protection, "deregistrationProtection"),
	};

	*ret = (struct ec2_image){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->ena_support = xml_bool(x, "enaSupport");
	ret->is_public = xml_bool(x, "isPublic");
	read_product_codes(a, x, ret);
	read_mappings(a, x, &ret->mappings, &ret->nmappings);
	read_tags(a, x, &ret->tags);
}

void ec2_read_snapshot(struct arena *a, const struct xml *x, struct ec2_snapshot *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_snapshot, id, "snapshotId"),
		TEXT(ec2_snapshot, state, "status"),
		TEXT(ec2_snapshot, state_message, "statusMessage"),
		TEXT(ec2_snapshot, progress, "progress"),
		TEXT(ec2_snapshot, volume_id, "volumeId"),
		TEXT(ec2_snapshot, description, "description"),
		TEXT(ec2_snapshot, start_time, "startTime"),
		TEXT(ec2_snapshot, kms_key_id, "kmsKeyId"),
		TEXT(ec2_snapshot, owner_id, "ownerId"),
	};

	*ret = (struct ec2_snapshot){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->size_gib = xml_int(x, "volumeSize", 0);
	ret->encrypted = xml_bool(x, "encrypted");
	read_tags(a, x, &ret->tags);
}

void ec2_read_volume(struct arena *a, const struct xml *x, struct ec2_volume *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_volume, id, "volumeId"),
		TEXT(ec2_volume, state, "status"),
		TEXT(ec2_volume, zone, "availabilityZone"),
		TEXT(ec2_volume, type, "volumeType"),
		TEXT(ec2_volume, snapshot_id, "snapshotId"),
		TEXT(ec2_volume, attached_to, "attachmentSet/item/instanceId"),
		TEXT(ec2_volume, attachment_state, "attachmentSet/item/status"),
		TEXT(ec2_volume, device, "attachmentSet/item/device"),
	};

	*ret = (struct ec2_volume){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->size_gib = xml_int(x, "size", 0);
	ret->encrypted = xml_bool(x, "encrypted");
	read_tags(a, x, &ret->tags);
}

void ec2_read_security_group(struct arena *a, const struct xml *x, struct ec2_security_group *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_security_group, id, "groupId"),
		TEXT(ec2_security_group, name, "groupName"),
		TEXT(ec2_security_group, vpc_id, "vpcId"),
	};

	*ret = (struct ec2_security_group){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	read_tags(a, x, &ret->tags);
}

void ec2_read_vpc(struct arena *a, const struct xml *x, struct ec2_vpc *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_vpc, id, "vpcId"),
		TEXT(ec2_vpc, cidr, "cidrBlock"),
		TEXT(ec2_vpc, state, "state"),
	};

	*ret = (struct ec2_vpc){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->is_default = xml_bool(x, "isDefault");
	read_tags(a, x, &ret->tags);
}

void ec2_read_subnet(struct arena *a, const struct xml *x, struct ec2_subnet *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_subnet, id, "subnetId"),
		TEXT(ec2_subnet, vpc_id, "vpcId"),
		TEXT(ec2_subnet, zone, "availabilityZone"),
		TEXT(ec2_subnet, cidr, "cidrBlock"),
		TEXT(ec2_subnet, state, "state"),
	};

	*ret = (struct ec2_subnet){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->free_addresses = xml_int(x, "availableIpAddressCount", 0);
	ret->maps_public_ip = xml_bool(x, "mapPublicIpOnLaunch");
	read_tags(a, x, &ret->tags);
}
