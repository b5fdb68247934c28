/* for_each on source and build: ingot's own, read as Terraform reads it. */
#include "template/hcl/builds.h"

#define INSTANCES_MAX 1000 /* builds of one block */
#define UNKNOWN_KEY "?" /* what an instance is called while nobody knows how many there are */

void hcl_own(struct hcl_template *t, struct span span, const char *what)
{
	struct diag *g;

	if (!t->args->strict)
		return;
	for (size_t i = 0; i < t->diags->n; i++) /* a source may be used more than once */
		if (t->diags->v[i].lenient && t->diags->v[i].span.src == span.src &&
		    t->diags->v[i].span.from == span.from)
			return;
	g = diag_warning(t->diags, span, "\"%s\" is ingot's own", what);
	g->lenient = true;
	diag_detail(t->diags, g, "Packer refuses it here.");
}

static struct hcl_bound bind_each(struct arena *a, struct value key, struct value value,
				  struct span span)
{
	struct value_attr pair[] = { { .key = STR("key"), .value = key },
				     { .key = STR("value"), .value = value } };
	struct value_attr *each = arena_new_obj(a, struct value_attr);

	*each = (struct value_attr){ .key = STR("each"),
				     .value = value_object(a, pair, ARRAY_LEN(pair), span) };
	return (struct hcl_bound){ each, 1 };
}

/* The key is part of the names of builds, which people write on command lines. */
static bool is_key(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == '\'' ||
		    s.p[i] == '"')
			return false;
	return s.n > 0;
}

static bool take(struct hcl_template *t, struct value key, struct value value, struct span span,
		 struct hcl_instance *v, size_t *n)
{
	if (key.kind != VALUE_STRING) {
		diag_error(t->diags, span,
			   "The elements of a list or set in \"for_each\" are texts, not %s",
			   value_kind_phrase(key));
		return false;
	}
	if (!is_key(key.string)) {
		diag_error(t->diags, span,
			   "\"" STR_FMT
			   "\" cannot be a key of \"for_each\": it becomes part of a name",
			   STR_ARG(key.string));
		return false;
	}
	for (size_t i = 0; i < *n; i++)
		if (str_eqs(key.string, v[i].key)) {
			diag_error(t->diags, span, "\"for_each\" has \"" STR_FMT "\" twice",
				   STR_ARG(key.string));
			return false;
		}
	v[(*n)++] = (struct hcl_instance){ arena_strndup(t->arena, key.string.p, key.string.n),
					   bind_each(t->arena, key, value, span) };
	return true;
}

bool hcl_instances(struct hcl_template *t, struct value each, struct hcl_instance **ret,
		   size_t *ret_n)
{
	struct span span = each.span;
	size_t room = MIN(value_len(each), (size_t)INSTANCES_MAX) + 1;
	struct hcl_instance *v = arena_new_array(t->arena, struct hcl_instance, room);

	*ret = v;
	*ret_n = 0;
	if (each.kind == VALUE_UNKNOWN) {
		v[(*ret_n)++] = (struct hcl_instance){
			UNKNOWN_KEY, bind_each(t->arena, value_unknown_of(&type_string, span),
					       value_unknown(span), span)
		};
		return true;
	}
	if (!value_is_seq(each) && !value_is_attrs(each)) {
		diag_error(t->diags, span,
			   "\"for_each\" takes a map, an object or a set of texts, not %s",
			   value_kind_phrase(each));
		return false;
	}
	if (value_len(each) > INSTANCES_MAX) {
		diag_error(t->diags, span, "\"for_each\" has %zu elements; at most %d can be",
			   value_len(each), INSTANCES_MAX);
		return false;
	}
	for (size_t i = 0; i < value_len(each); i++) {
		struct value value = value_is_seq(each) ? each.seq->v[i] : each.attrs->v[i].value;
		struct value key =
			value_is_seq(each) ? value : value_string(each.attrs->v[i].key, span);

		if (!take(t, key, value, span, v, ret_n))
			return false;
	}
	return true;
}
