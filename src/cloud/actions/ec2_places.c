/* Regions and availability zones. All regions are enabled, each has three zones. */
#include "cloud/actions/places.h"
#include "cloud/api/services.h"

/* Name and the prefix of its zone ids (AWS documentation, "Regions and Zones"). */
static const struct {
	const char *name, *prefix;
	bool opt_in;
} regions[] = {
	{ "af-south-1", "afs1", true },
	{ "ap-east-1", "ape1", true },
	{ "ap-northeast-1", "apne1", false },
	{ "ap-northeast-2", "apne2", false },
	{ "ap-northeast-3", "apne3", false },
	{ "ap-south-1", "aps1", false },
	{ "ap-south-2", "aps2", true },
	{ "ap-southeast-1", "apse1", false },
	{ "ap-southeast-2", "apse2", false },
	{ "ap-southeast-3", "apse3", true },
	{ "ap-southeast-4", "apse4", true },
	{ "ca-central-1", "cac1", false },
	{ "ca-west-1", "caw1", true },
	{ "eu-central-1", "euc1", false },
	{ "eu-central-2", "euc2", true },
	{ "eu-north-1", "eun1", false },
	{ "eu-south-1", "eus1", true },
	{ "eu-south-2", "eus2", true },
	{ "eu-west-1", "euw1", false },
	{ "eu-west-2", "euw2", false },
	{ "eu-west-3", "euw3", false },
	{ "il-central-1", "ilc1", true },
	{ "me-central-1", "mec1", true },
	{ "me-south-1", "mes1", true },
	{ "sa-east-1", "sae1", false },
	{ "us-east-1", "use1", false },
	{ "us-east-2", "use2", false },
	{ "us-west-1", "usw1", false },
	{ "us-west-2", "usw2", false },
	{ "cn-north-1", "cnn1", false },
	{ "cn-northwest-1", "cnnw1", false },
	{ "us-gov-east-1", "usge1", false },
	{ "us-gov-west-1", "usgw1", false },
};
#define REGIONS_LISTED 29 /* the rest are other partitions: known, not listed */

static int region_index(const char *region)
{
	for (size_t i = 0; i < ARRAY_LEN(regions); i++)
		if (streq(regions[i].name, region))
			return (int)i;
	return -1;
}

bool region_known(const char *region)
{
	return region_index(region) >= 0;
}

void zone_name(const char *region, int index, char out[32])
{
	snprintf(out, 32, "%.28s%c", region, 'a' + index);
}

void zone_id(const char *region, int index, char out[32])
{
	int i = region_index(region);

	snprintf(out, 32, "%s-az%d", i < 0 ? "local" : regions[i].prefix, index + 1);
}

int zone_index(const char *region, const char *zone)
{
	size_t n = strlen(region);

	if (strncmp(region, zone, n) != 0 || strlen(zone) != n + 1)
		return -1;
	return zone[n] >= 'a' && zone[n] < 'a' + ZONES_PER_REGION ? zone[n] - 'a' : -1;
}

static const struct filter_row region_filters[] = {
	{ "region-name", "regionName" },
	{ "endpoint", "regionEndpoint" },
	{ "opt-in-status", "optInStatus" },
	{ 0 },
};

static int describe_regions(struct call *c)
{
	json_t *set = json_array();
	size_t n;
	const char **names = call_list(c, &n, "RegionName");

	json_object_set_new(c->out, "regionInfo", set);
	for (size_t k = 0; k < n; k++)
		if (region_index(names[k]) < 0)
			return call_fail(c, "InvalidParameterValue", "Invalid region name: %.60s",
					 names[k]);
	for (size_t i = 0; i < REGIONS_LISTED; i++) {
		const char *name = regions[i].name;
		AUTO(json) json_t *doc =
			json_pack("{s:s, s:o, s:s}",
				  "regionName", name,
				  "regionEndpoint", json_sprintf("ec2.%s.amazonaws.com", name),
				  "optInStatus",
				  regions[i].opt_in ? "opted-in" : "opt-in-not-required");
		int pass = call_filter(c, region_filters, doc);

		if (pass < 0)
			return -1;
		if (pass && call_lists(c, "RegionName", name))
			json_array_append(set, doc);
	}
	return 0;
}

static const struct filter_row zone_filters[] = {
	{ "zone-name", "zoneName" },
	{ "zone-id", "zoneId" },
	{ "region-name", "regionName" },
	{ "state", "zoneState" },
	{ "zone-type", "zoneType" },
	{ "group-name", "groupName" },
	{ "opt-in-status", "optInStatus" },
	{ "network-border-group", "networkBorderGroup" },
	{ 0 },
};

static int describe_zones(struct call *c)
{
	json_t *set = json_array();
	size_t n, nids;
	const char **names = call_list(c, &n, "ZoneName"), **ids = call_list(c, &nids, "ZoneId");

	json_object_set_new(c->out, "availabilityZoneInfo", set);
	for (size_t k = 0; k < n; k++)
		if (zone_index(c->region, names[k]) < 0)
			return call_fail(c, "InvalidParameterValue",
					 "Invalid availability zone: [%.60s]", names[k]);
	for (int i = 0; i < ZONES_PER_REGION; i++) {
		char name[32], id[32];
		bool asked = n + nids == 0;
		int pass;

		zone_name(c->region, i, name);
		zone_id(c->region, i, id);
		AUTO(json) json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:[]}",
						   "zoneName", name,
						   "zoneId", id,
						   "zoneState", "available",
						   "regionName", c->region,
						   "zoneType", "availability-zone",
						   "optInStatus", "opt-in-not-required",
						   "groupName", c->region,
						   "networkBorderGroup", c->region,
						   "messageSet");

		for (size_t k = 0; k < n; k++)
			asked |= streq(names[k], name);
		for (size_t k = 0; k < nids; k++)
			asked |= streq(ids[k], id);
		pass = call_filter(c, zone_filters, doc);
		if (pass < 0)
			return -1;
		if (asked && pass)
			json_array_append(set, doc);
	}
	return 0;
}

const struct action ec2_place_actions[] = {
	{ "DescribeRegions", describe_regions, "RegionName Filter AllRegions", 0 },
	{ "DescribeAvailabilityZones", describe_zones,
	  "ZoneName ZoneId Filter AllAvailabilityZones", 0 },
	{ 0 },
};
