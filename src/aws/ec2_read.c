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

static const char *text(struct arena *a, const struct xml *x, const char *path)
{
	const char *s = xml_text(x, path);

	return *s ? arena_strdup(a, s) : "";
}

static void read_texts(struct arena *a, const struct xml *x, void *out, const struct text_row *rows,
		       size_t n)
{
	for (size_t i = 0; i < n; i++)
		*(const char **)((char *)out + rows[i].offset) = text(a, x, rows[i].path);
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
	}
}

void ec2_read_instance(struct arena *a, const struct xml *x, struct ec2_instance *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_instance, id, "instanceId"),
		TEXT(ec2_instance, state, "instanceState/name"),
		TEXT(ec2_instance, public_ip, "ipAddress"),
		TEXT(ec2_instance, private_ip, "privateIpAddress"),
		TEXT(ec2_instance, ipv6, "ipv6Address"),
		TEXT(ec2_instance, public_dns, "dnsName"),
		TEXT(ec2_instance, private_dns, "privateDnsName"),
	};

	*ret = (struct ec2_instance){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	if (!*ret->ipv6)
		ret->ipv6 = text(a, x,
				 "networkInterfaceSet/item/ipv6AddressesSet/item/ipv6Address");
	read_mappings(a, x, &ret->mappings, &ret->nmappings);
}

void ec2_read_image(struct arena *a, const struct xml *x, struct ec2_image *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_image, id, "imageId"),
		TEXT(ec2_image, name, "name"),
		TEXT(ec2_image, state, "imageState"),
		TEXT(ec2_image, description, "description"),
		TEXT(ec2_image, owner_id, "imageOwnerId"),
		TEXT(ec2_image, owner_alias, "imageOwnerAlias"),
		TEXT(ec2_image, creation_date, "creationDate"),
		TEXT(ec2_image, architecture, "architecture"),
		TEXT(ec2_image, virtualization, "virtualizationType"),
		TEXT(ec2_image, root_device_type, "rootDeviceType"),
		TEXT(ec2_image, root_device_name, "rootDeviceName"),
		TEXT(ec2_image, usage_operation, "usageOperation"),
		TEXT(ec2_image, boot_mode, "bootMode"),
		TEXT(ec2_image, tpm_support, "tpmSupport"),
		TEXT(ec2_image, imds_support, "imdsSupport"),
		TEXT(ec2_image, sriov, "sriovNetSupport"),
		TEXT(ec2_image, kernel_id, "kernelId"),
		TEXT(ec2_image, ramdisk_id, "ramdiskId"),
	};

	*ret = (struct ec2_image){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->ena_support = xml_bool(x, "enaSupport");
	ret->nproduct_codes = xml_count(x, "productCodes/item");
	read_mappings(a, x, &ret->mappings, &ret->nmappings);
	read_tags(a, x, &ret->tags);
}

void ec2_read_snapshot(struct arena *a, const struct xml *x, struct ec2_snapshot *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_snapshot, id, "snapshotId"),
		TEXT(ec2_snapshot, state, "status"),
		TEXT(ec2_snapshot, progress, "progress"),
		TEXT(ec2_snapshot, description, "description"),
	};

	*ret = (struct ec2_snapshot){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	read_tags(a, x, &ret->tags);
}

void ec2_read_volume(struct arena *a, const struct xml *x, struct ec2_volume *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_volume, id, "volumeId"),
	};

	*ret = (struct ec2_volume){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
}

void ec2_read_security_group(struct arena *a, const struct xml *x, struct ec2_security_group *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_security_group, id, "groupId"),
	};

	*ret = (struct ec2_security_group){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
}

void ec2_read_vpc(struct arena *a, const struct xml *x, struct ec2_vpc *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_vpc, id, "vpcId"),
	};

	*ret = (struct ec2_vpc){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->is_default = xml_bool(x, "isDefault");
}

void ec2_read_subnet(struct arena *a, const struct xml *x, struct ec2_subnet *ret)
{
	static const struct text_row rows[] = {
		TEXT(ec2_subnet, id, "subnetId"),
		TEXT(ec2_subnet, vpc_id, "vpcId"),
		TEXT(ec2_subnet, zone, "availabilityZone"),
	};

	*ret = (struct ec2_subnet){ 0 };
	read_texts(a, x, ret, rows, ARRAY_LEN(rows));
	ret->free_addresses = xml_int(x, "availableIpAddressCount", 0);
}
