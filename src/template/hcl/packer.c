/* packer blocks: the version that a template asks for, and its plugins.
 *
 * What the official plugins do is part of ingot where it is done at all: they need no download,
 * whatever version is asked for. Others are recorded, so that a component of theirs can be named as
 * such. */
#include "template/hcl/hcl.h"

#include "template/plugin_source.h"
#include "template/version.h"

static const struct hcl_schema_attr packer_attrs[] = { { "required_version", false } };
static const struct hcl_schema_block packer_blocks[] = { { "required_plugins", NULL } };
static const struct hcl_schema packer_schema = {
	.attrs = packer_attrs,
	.nattrs = ARRAY_LEN(packer_attrs),
	.blocks = packer_blocks,
	.nblocks = ARRAY_LEN(packer_blocks),
};

static const char constraint_form[] =
	"A constraint is a version with an operator before it (=, !=, >, >=, <, <=, ~>) or none, "
	"several are joined by commas: \">= 1.7.0, < 2.0.0\".";

static struct diag *packer_error(struct hcl_template *t, struct span span, const char *subject,
				 const char *fmt, ...) PRINTF_LIKE(4, 5);

static struct diag *packer_error(struct hcl_template *t, struct span span, const char *subject,
				 const char *fmt, ...)
{
	struct diag *g;
	va_list ap;

	va_start(ap, fmt);
	g = diag_error(t->diags, span, "%s", arena_vprintf(t->arena, fmt, ap));
	va_end(ap);
	g->subject = subject;
	return g;
}

static bool is_null(const struct hcl_expr *x)
{
	return x->kind == HCL_LITERAL && x->value.kind == VALUE_NULL;
}

int hcl_packer_version(struct hcl_template *t, const struct hcl_block *block)
{
	const struct hcl_attr *attr;
	struct diags scratch; /* hcl_packer_block reports what is wrong with the body */
	struct hcl_content c;
	struct value v;
	struct diag *g;
	bool fits, pre;

	diags_init(&scratch, t->arena);
	hcl_content(t->arena, block->body, &packer_schema, &scratch, &c);
	attr = hcl_content_attr(&c, "required_version");
	if (!attr || is_null(attr->expr) ||
	    hcl_constant(t, attr->expr, &type_string, false, "packer", &v) < 0 ||
	    v.kind != VALUE_STRING)
		return 0;
	if (!version_satisfies(STR(VERSION_PACKER), v.string, &fits, &pre)) {
		g = packer_error(t, attr->expr->span, "packer",
				 "\"" STR_FMT "\" is no version constraint", STR_ARG(v.string));
		diag_detail(t->diags, g, "%s", constraint_form);
		return 0;
	}
	if (fits)
		return 0;
	g = packer_error(t, attr->expr->span, "packer",
			 "The template is for another version of Packer");
	diag_detail(t->diags, g,
		    "It asks for \"" STR_FMT "\"; ingot does what Packer " VERSION_PACKER " does.",
		    STR_ARG(v.string));
	return -1;
}

/* The local name is part of the names of components: small letters, digits and single dashes. */
static bool good_name(const char *name)
{
	if (!*name || *name == '-' || ends_with(name, "-") || strstr(name, "--"))
		return false;
	for (; *name; name++)
		if (((uint8_t)*name < 0x80 && !(*name >= 'a' && *name <= 'z') &&
		     !(*name >= '0' && *name <= '9') && *name != '-'))
			return false;
	return true;
}

/* The string of an attribute of the requirement; NULL with an error if there is none. */
static const char *field(struct hcl_template *t, const struct required_plugin *p, struct value v,
			 const char *key)
{
	const struct value_attr *a = value_attr_find(v, key);
	struct diag *g;

	if (a && a->value.kind == VALUE_STRING)
		return arena_strndup(t->arena, a->value.string.p, a->value.string.n);
	g = packer_error(t, p->span, "required_plugins", "The plugin \"%s\" has no %s", p->name,
			 key);
	diag_detail(t->diags, g,
		    "Write %s = { source = \"github.com/OWNER/%s\", version = \">= 1.0.0\" }.",
		    p->name, p->name);
	return NULL;
}

static void check_requirement(struct hcl_template *t, const struct required_plugin *p,
			      struct value v)
{
	const char *problem = p->source ? plugin_source_problem(p->source) : NULL;
	bool fits, pre = false;
	struct diag *g;

	if (p->version && !version_satisfies(STR("1.0.0"), str_from(p->version), &fits, &pre)) {
		g = packer_error(t, p->span, "required_plugins",
				 "\"%s\" is no version constraint of the plugin \"%s\"", p->version,
				 p->name);
		diag_detail(t->diags, g, "%s", constraint_form);
	} else if (pre) {
		packer_error(t, p->span, "required_plugins",
			     "The version of the plugin \"%s\" may be no pre-release, as \"%s\" is",
			     p->name, p->version);
	}
	if (problem) {
		g = packer_error(t, p->span, "required_plugins",
				 "\"%s\" is no source of a plugin: %s", p->source, problem);
		diag_detail(t->diags, g, "A source looks like \"github.com/hashicorp/amazon\".");
	}
	for (size_t i = 0; i < v.attrs->n; i++) {
		struct str key = v.attrs->v[i].key;

		if (!str_eqs(key, "source") && !str_eqs(key, "version"))
			packer_error(
			    t, p->span, "required_plugins",
			    "The plugin \"%s\" has a source and a version, and no \"" STR_FMT "\"",
			    p->name, STR_ARG(key));
	}
}

static void take_requirement(struct hcl_template *t, const struct hcl_attr *attr)
{
	struct required_plugin p = { .name = arena_strndup(t->arena, attr->name.p, attr->name.n),
				     .span = attr->expr->span };
	struct diag *g;
	struct value v;

	if (hcl_constant(t, attr->expr, &type_any, false, "required_plugins", &v) < 0)
		return;
	if (!good_name(p.name)) {
		g = packer_error(t, attr->name_span, "required_plugins",
				 "\"%s\" is no name of a plugin", p.name);
		diag_detail(t->diags, g,
			    "Small letters, digits and single dashes between them make a name.");
	}
	if (v.kind != VALUE_OBJECT) {
		g = packer_error(t, p.span, "required_plugins",
				 "The plugin \"%s\" needs an object, not %s", p.name,
				 value_kind_phrase(v));
		diag_detail(
		    t->diags, g,
		    "Write %s = { source = \"github.com/OWNER/%s\", version = \">= 1.0.0\" }.",
		    p.name, p.name);
		return;
	}
	p.version = field(t, &p, v, "version");
	p.source = field(t, &p, v, "source");
	check_requirement(t, &p, v);
	p.builtin = p.source && plugin_is_builtin(p.source);
	for (size_t i = 0; i < t->nplugins; i++)
		if (streq(t->plugins[i].name, p.name) && streq(t->plugins[i].source, p.source))
			return; /* each file of a directory may say what it needs */
	HCL_PUSH(t->arena, t->plugins, t->nplugins, p);
}

void hcl_packer_block(struct hcl_template *t, const struct hcl_block *block)
{
	struct hcl_content c, rows;

	hcl_content(t->arena, block->body, &packer_schema, t->diags, &c);
	for (size_t i = 0; i < c.nblocks; i++) {
		hcl_attributes(t->arena, c.blocks[i].body, t->diags, &rows);
		for (size_t j = 0; j < rows.nattrs; j++)
			take_requirement(t, &rows.attrs[j]);
	}
}

void hcl_check_plugins(struct hcl_template *t)
{
	for (size_t i = 1; i < t->nplugins; i++) {
		const struct required_plugin *p = &t->plugins[i], *other = t->plugins;
		struct diag *g;

		while (!streq(other->name, p->name))
			other++;
		if (other == p || !p->source || !other->source)
			continue;
		g = packer_error(t, p->span, "required_plugins",
				 "The plugin \"%s\" is required from two sources", p->name);
		diag_detail(t->diags, g, "At %s it is from %s.", hcl_place(t->arena, other->span),
			    other->source);
	}
}

const struct required_plugin *hcl_plugin_of(const struct hcl_template *t, const char *type)
{
	for (size_t i = 0; i < t->nplugins; i++) {
		const char *name = t->plugins[i].name;
		size_t n = strlen(name);

		/* "docker" is of docker, "qemu-iso" would be of qemu */
		if (!t->plugins[i].builtin && strncmp(type, name, n) == 0 &&
		    (!type[n] || type[n] == '-'))
			return &t->plugins[i];
	}
	return NULL;
}

int template_plugins(const struct template_args *args, struct arena *a, struct diags *d,
		     struct required_plugin **ret, size_t *ret_n)
{
	struct hcl_template *t;

	if (!template_is_hcl(args)) {
		*ret = NULL;
		*ret_n = 0;
		return 0;
	}
	if (hcl_read(a, args, d, &t) < 0 || hcl_variables(t) < 0)
		return -1;
	hcl_check_plugins(t);
	*ret = t->plugins;
	*ret_n = t->nplugins;
	return d->errors ? -1 : 0;
}
