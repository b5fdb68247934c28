/* Image options: rows and checks. */
#include "builder/amazon/ami.h"

#include "base/clock.h"

static const struct spec_row protection_rows[] = {
	SPEC_BOOL(struct amazon_deregistration_protection, enabled,
		  .doc = "Refuse to deregister the image until the protection is removed."),
	SPEC_BOOL(struct amazon_deregistration_protection, with_cooldown,
		  .doc = "Keep the protection for 24 hours after it is removed. Implies "
			 "`enabled`."),
};
static const struct spec protection_spec =
	SPEC("deregistration_protection", struct amazon_deregistration_protection, protection_rows,
	     .doc = "Deregistration protection of the new image.");

static const struct spec_row rows[] = {
	SPEC_STR(struct amazon_ami, ami_name,
		 .doc = "Name of the image, 3 to 128 characters: letters, digits and "
			"`()[] ./-'@_`. It must be unique among your images in a region: "
			"`{{timestamp}}` makes it so. `{{clean_resource_name}}` replaces "
			"characters that are not allowed."),
	SPEC_STR(struct amazon_ami, ami_description, .flags = SPEC_LATE,
		 .doc = "Description of the image. May contain values of the build, such as `{{ "
			".SourceAMI }}`."),
	SPEC_STR(struct amazon_ami, ami_virtualization_type,
		 .doc = "`hvm` or `paravirtual`; must match the source image."),
	SPEC_STRS(struct amazon_ami, ami_users,
		  .doc = "Ids of the accounts that may launch the image."),
	SPEC_STRS(struct amazon_ami, ami_groups,
		  .doc = "Groups that may launch the image. EC2 has only one: `all`, which makes "
			 "the image public."),
	SPEC_STRS(struct amazon_ami, ami_org_arns,
		  .doc = "ARNs of AWS organisations that may launch the image."),
	SPEC_STRS(struct amazon_ami, ami_ou_arns,
		  .doc = "ARNs of organisational units that may launch the image."),
	SPEC_STRS(struct amazon_ami, ami_product_codes,
		  .doc = "Product codes of the image."),
	SPEC_STRS(struct amazon_ami, ami_regions,
		  .doc = "Other regions to copy the image to, in parallel. Tags and sharing "
			 "apply there too."),
	SPEC_INT(struct amazon_ami, snapshot_copy_duration_minutes, .min = 0, .max = 2880,
		 .doc = "Minutes within which EC2 must finish copying the snapshots (a "
			"time-based copy, which costs extra): 15 to 2880, in steps of 15."),
	SPEC_MAP(struct amazon_ami, tags, .flags = SPEC_LATE,
		 .doc = "Tags of the image and its snapshots, in every region. May contain "
			"values of the build, such as `{{ .SourceAMI }}`, `{{ .SourceAMIName }}` "
			"and `{{ .BuildRegion }}`."),
	SPEC_MAP(struct amazon_ami, tag, .flags = SPEC_LATE | SPEC_KEY_VALUE,
		 .doc = "The same, one block with `key` and `value` for each tag."),
	SPEC_TRIBOOL(struct amazon_ami, ena_support,
		     .doc = "Turn enhanced networking (ENA) on or off before the image is "
			    "created. Default: as in the source image."),
	SPEC_TRIBOOL(struct amazon_ami, enhanced_networking, .flags = SPEC_DEPRECATED | SPEC_HIDDEN,
		     .instead = "ena_support", .doc = "Old name of `ena_support`."),
	SPEC_BOOL(struct amazon_ami, sriov_support,
		  .doc = "Turn on enhanced networking with the Intel 82599 virtual function "
			 "before the image is created."),
	SPEC_BOOL(struct amazon_ami, force_deregister,
		  .doc = "Replace an existing image of the same name. It is removed only once "
			 "the new one is available. `build -force` does the same."),
	SPEC_BOOL(struct amazon_ami, force_delete_snapshot,
		  .doc = "With `force_deregister`, also delete the snapshots of the old image."),
	SPEC_TRIBOOL(struct amazon_ami, encrypt_boot,
		     .doc = "Encrypt all volumes of the image, including the root volume. "
			    "`false` requests an unencrypted image. Default: as in the source "
			    "image."),
	SPEC_STR(struct amazon_ami, kms_key_id,
		 .doc = "KMS key (id, alias or ARN) for the build region; needs `encrypt_boot`. "
			"Default: the account's default key; images encrypted with it cannot be "
			"shared."),
	SPEC_MAP(struct amazon_ami, region_kms_key_ids,
		 .doc = "KMS key for each region in `ami_regions`; an empty value means the "
			"default key of that region."),
	SPEC_BOOL(struct amazon_ami, skip_save_build_region,
		  .doc = "Keep the image only in `ami_regions`, not in the region it was built "
			 "in."),
	SPEC_STR(struct amazon_ami, imds_support,
		 .doc = "`v2.0`: instances of the image accept only version 2 of the metadata "
			"service."),
	SPEC_STR(struct amazon_ami, deprecate_at,
		 .doc = "Time at which the image becomes deprecated, as `YYYY-MM-DDTHH:MM:SSZ`. "
			"EC2 rounds it to the minute."),
	SPEC_MAP(struct amazon_ami, snapshot_tags, .flags = SPEC_LATE,
		 .doc = "Tags of the snapshots of the image; they override `tags`."),
	SPEC_MAP(struct amazon_ami, snapshot_tag, .flags = SPEC_LATE | SPEC_KEY_VALUE,
		 .doc = "The same, one block with `key` and `value` for each tag."),
	SPEC_STRS(struct amazon_ami, snapshot_users,
		  .doc = "Ids of the accounts that may create volumes from the snapshots of the "
			 "image."),
	SPEC_STRS(struct amazon_ami, snapshot_groups,
		  .doc = "Groups that may create volumes from the snapshots. EC2 has only one: "
			 "`all`, which makes them public."),
	SPEC_BLOCK(struct amazon_ami, deregistration_protection,
		   struct amazon_deregistration_protection, &protection_spec,
		   .doc = "Protects the image from being deregistered."),
};
const struct spec amazon_ami_spec = SPEC("amazon image", struct amazon_ami, rows,
					 .doc = "The image to create.");

static bool name_byte_ok(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("()[] ./-'@_", c));
}

void amazon_merge_tags(struct arena *a, struct str_map *to, const struct str_map *more)
{
	if (!more->n)
		return;
	struct str_pair *v = arena_new_array(a, struct str_pair, to->n + more->n);
	size_t n = to->n;

	if (n)
		memcpy(v, to->v, n * sizeof(*v));
	for (size_t i = 0; i < more->n; i++) {
		size_t k = 0;

		while (k < n && !streq(v[k].key, more->v[i].key))
			k++;
		v[k] = more->v[i];
		if (k == n)
			n++;
	}
	*to = (struct str_map){ v, n };
}

static bool name_ok(const char *name)
{
	while (*name && name_byte_ok((unsigned char)*name))
		name++;
	return !*name;
}

static void check_name(struct prepare *p, struct amazon_ami *c)
{
	if (!given(c->ami_name)) {
		prepare_error(p, "ami_name", "ami_name is missing: the new image needs a name");
		return;
	}
	size_t n = strlen(c->ami_name);

	if (n < 3 || n > 128)
		prepare_error(p, "ami_name",
			      "ami_name must have 3 to 128 characters; this one has %zu", n);
	if (!name_ok(c->ami_name))
		diag_detail(p->diags,
			    prepare_error(p, "ami_name",
					  "ami_name contains characters that EC2 does not allow: "
					  "'%s'",
					  c->ami_name),
			    "Allowed are letters, digits and ()[] ./-'@_; the template function "
			    "clean_resource_name replaces all others.");
}

/* Key ids, multi-region keys, aliases, and the ARNs of each, as KMS documents them. */
static bool is_hex_id(const char *s)
{
	if (starts_with(s, "mrk-"))
		s += 4;
	size_t n = strspn(s, "0123456789abcdef");

	return n > 0 && n + strspn(s + n, "0123456789abcdef-") == strlen(s) && strlen(s) > 1;
}

static bool is_alias(const char *s)
{
	if (!starts_with(s, "alias/") || !s[6])
		return false;
	for (s += 6; *s; s++)
		if (!strchr("/:_-", *s) &&
		    !(name_byte_ok((unsigned char)*s) && !strchr("()[] .'@", *s)))
			return false;
	return true;
}

static bool is_kms_key(const char *s)
{
	static const char *const partitions[] = { "aws", "aws-cn", "aws-us-gov", "aws-iso",
						  "aws-iso-b", "aws-iso-e", "aws-iso-f",
						  "aws-eusc" };
	struct str rest = str_from(s), f[5];
	bool known = false;

	if (!starts_with(s, "arn:"))
		return is_hex_id(s) || is_alias(s);
	for (size_t i = 0; i < 5; i++)
		if (!str_split(&rest, ':', &f[i]))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(partitions); i++)
		known |= str_eqs(f[1], partitions[i]);
	if (!known || !str_eqs(f[2], "kms") || f[4].n != 12 ||
	    strspn(f[4].p, "0123456789") != 12 || !rest.p)
		return false;
	return starts_with(rest.p, "key/") ? is_hex_id(rest.p + 4) : is_alias(rest.p);
}

static void check_kms(struct prepare *p, struct amazon_ami *c)
{
	bool own = given(c->kms_key_id), any = own;
	bool shared = c->ami_users.n || c->ami_org_arns.n || c->ami_ou_arns.n;

	if (own && !is_kms_key(c->kms_key_id))
		prepare_error(p, "kms_key_id", "'%s' is not a KMS key id, alias or ARN",
			      c->kms_key_id);
	for (size_t i = 0; i < c->region_kms_key_ids.n; i++) {
		const struct str_pair *r = &c->region_kms_key_ids.v[i];

		if (!strs_has(&c->ami_regions, r->key))
			prepare_error(p, "region_kms_key_ids",
				      "region %s is in region_kms_key_ids but not in ami_regions",
				      r->key);
		if (given(r->value)) {
			any = true;
			if (!is_kms_key(r->value))
				prepare_error(p, "region_kms_key_ids",
					      "'%s' is not a KMS key id, alias or ARN", r->value);
		} else if (shared || c->snapshot_users.n) {
			prepare_error(p, "region_kms_key_ids",
				      "region %s uses the default KMS key, and images encrypted "
				      "with it cannot be shared: name a key",
				      r->key);
		}
	}
	for (size_t i = 0; c->region_kms_key_ids.n && i < c->ami_regions.n; i++)
		if (!str_map_get(&c->region_kms_key_ids, c->ami_regions.v[i]))
			prepare_error(p, "region_kms_key_ids",
				      "region %s is in ami_regions but not in region_kms_key_ids",
				      c->ami_regions.v[i]);
	if (any && c->encrypt_boot != TRIBOOL_TRUE)
		prepare_error(p, own ? "kms_key_id" : "region_kms_key_ids",
			      "kms_key_id and region_kms_key_ids need encrypt_boot = true");
	if (!own && !c->region_kms_key_ids.n && c->encrypt_boot == TRIBOOL_TRUE) {
		if (shared)
			prepare_error(p, "encrypt_boot",
				      "an image encrypted with the default KMS key cannot be "
				      "shared: set kms_key_id");
		if (c->snapshot_users.n)
			prepare_error(p, "snapshot_users",
				      "snapshots encrypted with the default KMS key cannot be "
				      "shared: set kms_key_id");
	}
}

/* Each region once, without the one that is built in. */
static void settle_regions(struct arena *a, struct amazon_ami *c, const char *build_region)
{
	struct strs out = { arena_new_array(a, char *, c->ami_regions.n + 1), 0 };

	for (size_t i = 0; i < c->ami_regions.n; i++) {
		char *r = c->ami_regions.v[i];

		if (*r && !strs_has(&out, r) && !streq(r, build_region))
			out.v[out.n++] = r;
	}
	c->ami_regions = out;
}

void amazon_ami_prepare(struct prepare *p, struct amazon_ami *c, const struct aws_config *access)
{
	int64_t at, minutes = c->snapshot_copy_duration_minutes;

	if (p->force)
		c->force_deregister = true;
	if (c->ena_support == TRIBOOL_UNSET)
		c->ena_support = c->enhanced_networking;
	amazon_merge_tags(p->arena, &c->tags, &c->tag);
	amazon_merge_tags(p->arena, &c->snapshot_tags, &c->snapshot_tag);
	c->tag = c->snapshot_tag = (struct str_map){ 0 };
	check_name(p, c);
	check_kms(p, c);
	settle_regions(p->arena, c, access->region);
	if (given(c->imds_support) && !streq(c->imds_support, "v2.0"))
		prepare_error(p, "imds_support", "imds_support must be 'v2.0' or empty, not '%s'",
			      c->imds_support);
	if (given(c->deprecate_at) &&
	    !clock_parse_rfc3339(str_from(c->deprecate_at), &at))
		prepare_error(p, "deprecate_at",
			      "deprecate_at must be a time of the form YYYY-MM-DDTHH:MM:SSZ, not "
			      "'%s'",
			      c->deprecate_at);
	if (minutes && (minutes < 15 || minutes % 15))
		prepare_error(p, "snapshot_copy_duration_minutes",
			      "snapshot_copy_duration_minutes must be 15 to 2880, in steps of 15");
	if (c->deregistration_protection && c->deregistration_protection->with_cooldown)
		c->deregistration_protection->enabled = true;
}
