/* Instance types as families times sizes: memory and processors of a size follow from those of
 * `large`. */
#include "cloud/actions/places.h"
#include "cloud/actions/types.h"
#include "cloud/api/services.h"

#define LEAST_MEMORY ((uint64_t)512 << 20)
#define PLACES "region|availability-zone|availability-zone-id"

/* Sizes with their factor over `large`, in 1/16. */
static const struct {
	const char *name;
	unsigned sixteenths, vcpus_sixteenths;
} sizes[] = {
	{ "nano", 1, 16 },	    { "micro", 2, 16 },		{ "small", 4, 16 },
	{ "medium", 8, 16 },	    { "large", 16, 16 },	{ "xlarge", 32, 32 },
	{ "2xlarge", 64, 64 },	    { "4xlarge", 128, 128 },	{ "8xlarge", 256, 256 },
	{ "9xlarge", 288, 288 },    { "10xlarge", 320, 320 },	{ "12xlarge", 384, 384 },
	{ "16xlarge", 512, 512 },   { "18xlarge", 576, 576 },	{ "24xlarge", 768, 768 },
	{ "32xlarge", 1024, 1024 }, { "48xlarge", 1536, 1536 },
};
/* Their places in the table. */
enum {
	NANO, MICRO, SMALL, MEDIUM, LARGE, XLARGE,
	X2, X4, X8, X9, X10, X12, X16, X18, X24, X32, X48,
};
#define FROM_TO(a, b) (((1u << ((b) + 1)) - 1) & ~((1u << (a)) - 1))
#define ONE(a) (1u << (a))
#define BURST FROM_TO(NANO, X2)
#define GENERAL (FROM_TO(LARGE, X8) | ONE(X12) | ONE(X16) | ONE(X24))

enum { ARM = 1, XEN = 2, BURSTABLE = 4, OLD = 8 };

/* Memory of `large` in MiB; `large` has two processors everywhere. */
static const struct {
	const char *name;
	unsigned memory_large, sizes, flags;
} families[] = {
	{ "t1", 4904, ONE(MICRO), XEN | BURSTABLE | OLD },
	{ "t2", 8192, BURST, XEN | BURSTABLE },
	{ "t3", 8192, BURST, BURSTABLE },
	{ "t3a", 8192, BURST, BURSTABLE },
	{ "t4g", 8192, BURST, BURSTABLE | ARM },
	{ "m1", 7680, FROM_TO(SMALL, XLARGE), XEN | OLD },
	{ "m3", 7680, FROM_TO(MEDIUM, X2), XEN | OLD },
	{ "m4", 8192, FROM_TO(LARGE, X4) | ONE(X10) | ONE(X16), XEN },
	{ "m5", 8192, GENERAL, 0 },
	{ "m5a", 8192, GENERAL, 0 },
	{ "m5d", 8192, GENERAL, 0 },
	{ "m5n", 8192, GENERAL, 0 },
	{ "m6a", 8192, GENERAL | ONE(X32) | ONE(X48), 0 },
	{ "m6i", 8192, GENERAL | ONE(X32), 0 },
	{ "m6g", 8192, FROM_TO(MEDIUM, X8) | ONE(X12) | ONE(X16), ARM },
	{ "m7a", 8192, FROM_TO(MEDIUM, X8) | GENERAL | ONE(X32) | ONE(X48), 0 },
	{ "m7i", 8192, GENERAL | ONE(X48), 0 },
	{ "m7g", 8192, FROM_TO(MEDIUM, X8) | ONE(X12) | ONE(X16), ARM },
	{ "c1", 3584, ONE(MEDIUM) | ONE(XLARGE), XEN | OLD },
	{ "c3", 3840, FROM_TO(LARGE, X8), XEN | OLD },
	{ "c4", 3840, FROM_TO(LARGE, X8), XEN },
	{ "c5", 4096, FROM_TO(LARGE, X4) | ONE(X9) | ONE(X12) | ONE(X18) | ONE(X24), 0 },
	{ "c5a", 4096, GENERAL, 0 },
	{ "c5d", 4096, FROM_TO(LARGE, X4) | ONE(X9) | ONE(X12) | ONE(X18) | ONE(X24), 0 },
	{ "c5n", 5376, FROM_TO(LARGE, X4) | ONE(X9) | ONE(X18), 0 },
	{ "c6a", 4096, GENERAL | ONE(X32) | ONE(X48), 0 },
	{ "c6i", 4096, GENERAL | ONE(X32), 0 },
	{ "c6g", 4096, FROM_TO(MEDIUM, X8) | ONE(X12) | ONE(X16), ARM },
	{ "c7i", 4096, GENERAL | ONE(X48), 0 },
	{ "c7g", 4096, FROM_TO(MEDIUM, X8) | ONE(X12) | ONE(X16), ARM },
	{ "r3", 15616, FROM_TO(LARGE, X8), XEN | OLD },
	{ "r4", 15616, FROM_TO(LARGE, X8) | ONE(X16), XEN },
	{ "r5", 16384, GENERAL, 0 },
	{ "r5a", 16384, GENERAL, 0 },
	{ "r6i", 16384, GENERAL | ONE(X32), 0 },
	{ "r6g", 16384, FROM_TO(MEDIUM, X8) | ONE(X12) | ONE(X16), ARM },
	{ "r7i", 16384, GENERAL | ONE(X48), 0 },
	{ "i3", 15616, FROM_TO(LARGE, X8) | ONE(X16), 0 },
	{ "g4dn", 8192, FROM_TO(XLARGE, X8) | ONE(X12) | ONE(X16), 0 },
	{ "p3", 15616, ONE(X2) | ONE(X8) | ONE(X16), XEN },
};

static void fill(struct instance_type *t, size_t family, size_t size)
{
	unsigned flags = families[family].flags;

	*t = (struct instance_type){
		.vcpus = MAX(1u, 2 * sizes[size].vcpus_sixteenths / 16),
		.memory_mib = (uint64_t)families[family].memory_large * sizes[size].sixteenths / 16,
		.arm = flags & ARM,
		.nitro = !(flags & XEN),
		.burstable = flags & BURSTABLE,
		.current = !(flags & OLD),
	};
	/* Small sizes of families of whole processors have one. */
	if (size < LARGE && (!(flags & BURSTABLE) || (flags & XEN && size < MEDIUM)))
		t->vcpus = 1;
	snprintf(t->name, sizeof(t->name), "%s.%s", families[family].name, sizes[size].name);
}

/* Through all types: for (i = 0; next_type(&i, &t);) */
static bool next_type(size_t *i, struct instance_type *ret)
{
	while (*i < ARRAY_LEN(families) * ARRAY_LEN(sizes)) {
		size_t family = *i / ARRAY_LEN(sizes), size = (*i)++ % ARRAY_LEN(sizes);

		if (families[family].sizes & ONE(size)) {
			fill(ret, family, size);
			return true;
		}
	}
	return false;
}

bool instance_type_find(const char *name, struct instance_type *ret)
{
	struct instance_type t;

	for (size_t i = 0; next_type(&i, &t);)
		if (streq(t.name, name)) {
			*ret = t;
			return true;
		}
	return false;
}

uint64_t instance_type_memory(const struct instance_type *t, const struct cloud *c)
{
	uint64_t largest = c->config.max_memory / 4;

	return MIN(t->memory_mib << 20, MAX(largest, LEAST_MEMORY));
}

static json_t *describe(const struct instance_type *t)
{
	return json_pack("{s:s, s:b, s:b, s:[s], s:[s, s], s:[s], s:b, s:s?, s:{s:[s]}, "
			 "s:{s:i, s:i, s:i}, s:{s:I}, s:b, s:b, s:b, s:{s:s, s:s, s:s}, "
			 "s:{s:i, s:i, s:i, s:s, s:b}, s:[s]}",
			 "instanceType", t->name,
			 "currentGeneration", (int)t->current,
			 "freeTierEligible",
			 (int)(streq(t->name, "t2.micro") || streq(t->name, "t3.micro")),
			 "supportedUsageClasses", "on-demand",
			 "supportedRootDeviceTypes", "ebs", "instance-store",
			 "supportedVirtualizationTypes", "hvm",
			 "bareMetal", 0,
			 "hypervisor", t->nitro ? "nitro" : "xen",
			 "processorInfo",
			 "supportedArchitectures", t->arm ? "arm64" : "x86_64",
			 "vCpuInfo",
			 "defaultVCpus", t->vcpus,
			 "defaultCores", MAX(1u, t->vcpus / 2),
			 "defaultThreadsPerCore", t->vcpus > 1 ? 2 : 1,
			 "memoryInfo", "sizeInMiB", (json_int_t)t->memory_mib,
			 "instanceStorageSupported", 0,
			 "hibernationSupported", 0,
			 "burstablePerformanceSupported", (int)t->burstable,
			 "ebsInfo",
			 "ebsOptimizedSupport", t->nitro ? "default" : "supported",
			 "encryptionSupport", "supported",
			 "nvmeSupport", t->nitro ? "required" : "unsupported",
			 "networkInfo",
			 "maximumNetworkInterfaces", 3,
			 "ipv4AddressesPerInterface", 10,
			 "ipv6AddressesPerInterface", 10,
			 "enaSupport", t->nitro ? "required" : "supported",
			 "ipv6Supported", 1,
			 "supportedBootModes", "legacy-bios");
}

static const struct filter_row filters[] = {
	{ "instance-type", "instanceType" },
	{ "current-generation", "currentGeneration" },
	{ "free-tier-eligible", "freeTierEligible" },
	{ "bare-metal", "bareMetal" },
	{ "hypervisor", "hypervisor" },
	{ "burstable-performance-supported", "burstablePerformanceSupported" },
	{ "processor-info.supported-architecture", "processorInfo.supportedArchitectures[]" },
	{ "vcpu-info.default-vcpus", "vCpuInfo.defaultVCpus" },
	{ "vcpu-info.default-cores", "vCpuInfo.defaultCores" },
	{ "memory-info.size-in-mib", "memoryInfo.sizeInMiB" },
	{ "network-info.ena-support", "networkInfo.enaSupport" },
	{ "supported-root-device-type", "supportedRootDeviceTypes[]" },
	{ "supported-virtualization-type", "supportedVirtualizationTypes[]" },
	{ "supported-usage-class", "supportedUsageClasses[]" },
	{ "instance-storage-supported", "instanceStorageSupported" },
	{ "hibernation-supported", "hibernationSupported" },
	{ "ebs-info.ebs-optimized-support", "ebsInfo.ebsOptimizedSupport" },
	{ 0 },
};

static int describe_types(struct call *c)
{
	AUTO(json) json_t *all = json_array();
	struct instance_type t;
	size_t n;
	const char **names = call_list(c, &n, "InstanceType");

	if (call_filter(c, filters, NULL) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!instance_type_find(names[i], &t))
			return call_fail(
				c, "InvalidInstanceType",
				"The following supplied instance types do not exist: [%.60s]",
				names[i]);
		AUTO(json) json_t *doc = describe(&t);
		if (call_filter(c, filters, doc))
			json_array_append(all, doc);
	}
	for (size_t i = 0; !n && next_type(&i, &t);) {
		AUTO(json) json_t *doc = describe(&t);

		if (call_filter(c, filters, doc))
			json_array_append(all, doc);
	}
	return call_answer_page(c, all, "instanceTypeSet", 100);
}

static const struct filter_row offering_filters[] = {
	{ "instance-type", "instanceType" },
	{ "location", "location" },
	{ 0 },
};

static void add_offerings(struct call *c, json_t *all, const char *type, const char *by)
{
	for (int z = 0; z < (streq(by, "region") ? 1 : ZONES_PER_REGION); z++) {
		char place[32];

		if (streq(by, "region"))
			snprintf(place, sizeof(place), "%s", c->region);
		else if (streq(by, "availability-zone-id"))
			zone_id(c->region, z, place);
		else
			zone_name(c->region, z, place);
		AUTO(json) json_t *doc = json_pack("{s:s, s:s, s:s}", "instanceType", type,
						   "locationType", by, "location", place);
		if (call_filter(c, offering_filters, doc))
			json_array_append(all, doc);
	}
}

static int describe_offerings(struct call *c)
{
	AUTO(json) json_t *all = json_array();
	const char *by = "region";
	struct instance_type t;

	if (call_enum(c, "LocationType", PLACES, &by) < 0 ||
	    call_filter(c, offering_filters, NULL) < 0)
		return -1;
	for (size_t i = 0; next_type(&i, &t);)
		add_offerings(c, all, t.name, by);
	return call_answer_page(c, all, "instanceTypeOfferingSet", 1000);
}

const struct action ec2_type_actions[] = {
	{ "DescribeInstanceTypes", describe_types, "InstanceType Filter MaxResults NextToken", 0 },
	{ "DescribeInstanceTypeOfferings", describe_offerings,
	  "LocationType Filter MaxResults NextToken", 0 },
	{ 0 },
};
