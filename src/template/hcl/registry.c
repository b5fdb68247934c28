/* hcp_packer_registry blocks: HCP Packer is a service of the reference's makers that ingot
 * publishes nothing to. The blocks are checked, so that a template that is right here is right
 * there. */
#include "template/hcl/component.h"

struct registry_options {
	char *bucket_name, *description;
	struct str_map labels, bucket_labels, build_labels;
	struct strs channels;
};
static const struct spec_row registry_rows[] = {
	SPEC_STR(struct registry_options, bucket_name, .doc = "Name of the bucket."),
	SPEC_STR(struct registry_options, description, .doc = "What is in it."),
	SPEC_MAP(struct registry_options, labels, .doc = "The old name of `bucket_labels`."),
	SPEC_MAP(struct registry_options, bucket_labels, .doc = "Labels of the bucket."),
	SPEC_MAP(struct registry_options, build_labels, .doc = "Labels of the builds."),
	SPEC_STRS(struct registry_options, channels, .doc = "Channels to assign."),
};
static const struct spec registry_spec =
	SPEC("hcp_packer_registry", struct registry_options, registry_rows);

static bool is_bucket_name(const char *s)
{
	enum { SHORTEST = 3, LONGEST = 36 };
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++)
		if (!(s[i] == '-' || (s[i] >= '0' && s[i] <= '9') ||
		      ((s[i] | 32) >= 'a' && (s[i] | 32) <= 'z')))
			return false;
	return n >= SHORTEST && n <= LONGEST;
}

void hcl_check_registry(struct hcl_template *t, const struct hcl_block *block)
{
	enum { DESCRIPTION_MAX = 255 };
	struct eval e = hcl_eval(t, NULL, t->arena, t->diags);
	struct registry_options o = { 0 };
	struct diag *g;

	if (hcl_common_decode(t, &e, block->body, &registry_spec, &o) < 0)
		return;
	if (o.bucket_name && !is_bucket_name(o.bucket_name))
		diag_error(t->diags, block->span,
			   "The bucket_name \"%s\" of hcp_packer_registry is not 3 to 36 letters, "
			   "digits and dashes",
			   o.bucket_name);
	else if (o.description && strlen(o.description) > DESCRIPTION_MAX)
		diag_error(t->diags, block->span,
			   "The description of hcp_packer_registry is longer than %d bytes",
			   (int)DESCRIPTION_MAX);
	else if (o.labels.n && o.bucket_labels.n)
		diag_error(t->diags, block->span,
			   "\"labels\" of hcp_packer_registry is the old name of "
			   "\"bucket_labels\": give the new one alone");
	else {
		g = diag_warning(t->diags, block->span, "ingot publishes nothing to HCP Packer");
		diag_detail(t->diags, g,
			    "The block \"hcp_packer_registry\" is checked and has no effect.");
	}
}
