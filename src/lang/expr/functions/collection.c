/* Functions of collections of any kind: counting, searching, maps and objects, the first that is
 * there.
 *
 * Objects in give objects or tuples out, maps give maps or lists. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/inner.h"
#include "lang/expr/refine.h"
#include "lang/expr/text.h"

#include "base/map.h"

/* --- counting and searching */

/* Elements of a set may turn out to be the same, but they cannot all vanish. */
static struct value unknown_length(struct func_call *c, struct value v)
{
	struct refinement of = value_range(v), r = { REFINE_NOT_NULL };

	if (v.kind == VALUE_SET) {
		r.min = refine_count(c->arena, 1);
		r.max = refine_count(c->arena, v.seq->n);
	} else if (v.type && v.type->kind == TYPE_STRING) {
		r.min = refine_count(c->arena, text_count_clusters(of.prefix));
	} else if (v.type) {
		r.min = refine_count(c->arena, of.len_min);
		r.max = refine_count(c->arena, of.len_max);
	}
	return value_refine(c->arena, value_unknown_of(&type_number, c->span), &r);
}

static int fn_length(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	int64_t n;

	if (type->kind == TYPE_BOOL || type->kind == TYPE_NUMBER)
		return arg_error(c, 0, err, "a string, a collection or an object is needed, not %s",
				 arg_type(c, args[0]));
	if (type->kind == TYPE_TUPLE || type->kind == TYPE_OBJECT) {
		n = (int64_t)type->n; /* told by the type, even of an unknown one */
	} else if (args[0].kind == VALUE_UNKNOWN ||
		   (args[0].kind == VALUE_SET && args[0].seq->n > 1 &&
		    value_has_unknown(args[0]))) {
		*ret = unknown_length(c, args[0]);
		return 0;
	} else {
		n = args[0].kind == VALUE_STRING ? (int64_t)text_count_clusters(args[0].string)
						 : (int64_t)value_len(args[0]);
	}
	*ret = value_i64(c->arena, n, c->span);
	return 0;
}

static int fn_contains(struct func_call *c, const struct value *args, size_t nargs,
		       struct value *ret, struct err *err)
{
	bool open = false;

	if (args_unknown(args, nargs)) {
		*ret = value_unknown_of(&type_bool, c->span);
		return 0;
	}
	if (!value_is_seq(args[0]))
		return arg_error(c, 0, err, "a list, set or tuple is needed, not %s",
				 arg_type(c, args[0]));
	for (size_t i = 0; i < args[0].seq->n; i++) {
		enum equality eq = value_same(c->arena, args[0].seq->v[i], args[1]);

		if (eq == EQUAL_YES) {
			*ret = value_bool(true, c->span);
			return 0;
		}
		open |= eq == EQUAL_OPEN;
	}
	*ret = open ? value_unknown_of(&type_bool, c->span) : value_bool(false, c->span);
	return 0;
}

static int fn_index(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		    struct err *err)
{
	if (args_unknown(args, nargs)) {
		*ret = value_unknown_of(&type_number, c->span);
		return 0;
	}
	if (args[0].kind != VALUE_LIST && args[0].kind != VALUE_TUPLE)
		return arg_error(c, 0, err, "a list or tuple is needed, not %s",
				 arg_type(c, args[0]));
	if (!args[0].seq->n)
		return arg_error(c, 0, err, "nothing is to be found in an empty list");
	for (size_t i = 0; i < args[0].seq->n; i++) {
		enum equality eq = value_same(c->arena, args[0].seq->v[i], args[1]);

		if (eq == EQUAL_NO)
			continue;
		*ret = eq == EQUAL_YES ? value_i64(c->arena, (int64_t)i, c->span)
				       : value_unknown_of(&type_number, c->span);
		return 0;
	}
	return arg_error(c, 1, err, "the item is not found in the list");
}

static int fn_alltrue(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err UNUSED)
{
	bool all = true;

	if (args[0].kind == VALUE_UNKNOWN) {
		*ret = value_unknown_of(&type_bool, c->span);
		return 0;
	}
	for (size_t i = 0; i < args[0].seq->n && all; i++) {
		struct value v = args[0].seq->v[i];

		if (v.kind == VALUE_UNKNOWN) {
			*ret = value_unknown_of(&type_bool, c->span);
			return 0;
		}
		all = v.kind == VALUE_BOOL && v.boolean;
	}
	*ret = value_bool(all, c->span);
	return 0;
}

static int fn_anytrue(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err UNUSED)
{
	bool open = args[0].kind == VALUE_UNKNOWN, found = false;

	for (size_t i = 0; !open && i < args[0].seq->n; i++)
		found |= args[0].seq->v[i].kind == VALUE_BOOL && args[0].seq->v[i].boolean;
	for (size_t i = 0; !open && !found && i < args[0].seq->n; i++)
		open |= args[0].seq->v[i].kind == VALUE_UNKNOWN;
	*ret = open ? value_unknown_of(&type_bool, c->span) : value_bool(found, c->span);
	return 0;
}

/* --- the first that is there */

static int fn_coalesce(struct func_call *c, const struct value *args, size_t nargs,
		       struct value *ret, struct err *err)
{
	const struct type **types = arena_new_array(c->arena, const struct type *, nargs), *common;

	for (size_t i = 0; i < nargs; i++)
		types[i] = type_of(c->arena, args[i]);
	common = nargs ? type_unify(c->arena, types, nargs) : &type_any;
	if (!common)
		return err_set(
			err, ERR_INVALID,
			"all arguments must have the same type, or types with one in common");
	for (size_t i = 0; i < nargs; i++) {
		struct value v = args[i];

		if (v.kind == VALUE_UNKNOWN) {
			*ret = value_unknown_of(common, c->span);
			return 0;
		}
		if (v.kind == VALUE_NULL)
			continue;
		if (value_convert(c->arena, v, common, &v, err) < 0) {
			c->bad_arg = (int)i;
			return -1;
		}
		if (common->kind == TYPE_STRING && !v.string.n)
			continue;
		*ret = v;
		return 0;
	}
	return err_set(err, ERR_INVALID, "all of the %zu arguments are null or empty strings",
		       nargs);
}

static int fn_coalescelist(struct func_call *c, const struct value *args, size_t nargs,
			   struct value *ret, struct err *err)
{
	if (!nargs)
		return err_set(err, ERR_INVALID, "at least one list or tuple is needed");
	for (size_t i = 0; i < nargs && args[i].kind != VALUE_UNKNOWN; i++) {
		const struct type *t = type_of(c->arena, args[i]);

		if (t->kind != TYPE_LIST && t->kind != TYPE_TUPLE)
			return arg_error(c, (int)i, err, "a list or tuple is needed, not %s",
					 args[i].kind == VALUE_NULL ? "null"
								    : arg_type(c, args[i]));
	}
	for (size_t i = 0; i < nargs; i++) {
		if (args[i].kind == VALUE_UNKNOWN) {
			*ret = value_unknown_of(&type_any, c->span);
			return 0;
		}
		if (args[i].kind != VALUE_NULL && args[i].seq->n) {
			*ret = args[i];
			return 0;
		}
	}
	return err_set(err, ERR_INVALID, "all of the %zu lists are null or empty", nargs);
}

/* --- maps and objects */

static bool is_map_or_object(const struct type *t)
{
	return t->kind == TYPE_MAP || t->kind == TYPE_OBJECT;
}

static int fn_keys(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		   struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	struct value *v;
	size_t n;

	if (type->kind != TYPE_ANY && !is_map_or_object(type))
		return arg_error(c, 0, err, "a map or an object is needed, not %s",
				 arg_type(c, args[0]));
	if (args[0].kind == VALUE_UNKNOWN && type->kind != TYPE_OBJECT) {
		*ret = args_wait(c, args, nargs,
				 type->kind == TYPE_MAP ? &type_list_string : &type_any);
		return 0;
	}
	n = type->kind == TYPE_OBJECT ? type->n : args[0].attrs->n;
	v = arena_new_array(c->arena, struct value, n);
	for (size_t i = 0; i < n; i++)
		v[i] = value_string(type->kind == TYPE_OBJECT ? type->attrs[i].name
							      : args[0].attrs->v[i].key,
				    c->span);
	*ret = type->kind == TYPE_MAP ? value_list(c->arena, &type_string, v, n, c->span) :
					value_seq_make(c->arena, VALUE_TUPLE, v, n, c->span);
	*ret = arg_marked(*ret, args[0].sensitive);
	return 0;
}

static int fn_values(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	struct value *v;

	if (type->kind != TYPE_ANY && !is_map_or_object(type))
		return arg_error(c, 0, err, "a map or an object is needed, not %s",
				 arg_type(c, args[0]));
	if (args_unknown(args, nargs)) {
		if (type->kind == TYPE_MAP)
			type = type_list(c->arena, type->elem);
		else if (type->kind == TYPE_OBJECT)
			type = type_tuple(c->arena, type_parts(c->arena, type), type->n);
		*ret = args_wait(c, args, nargs, type);
		return 0;
	}
	v = arena_new_array(c->arena, struct value, args[0].attrs->n);
	for (size_t i = 0; i < args[0].attrs->n; i++)
		v[i] = args[0].attrs->v[i].value;
	*ret = type->kind == TYPE_MAP
		       ? value_list(c->arena, type->elem, v, args[0].attrs->n, c->span)
		       : value_seq_make(c->arena, VALUE_TUPLE, v, args[0].attrs->n, c->span);
	*ret = arg_marked(*ret, args[0].sensitive);
	return 0;
}

static int fn_lookup(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]), *result = &type_any;
	bool sensitive = args[0].sensitive || args[1].sensitive;
	struct value fallback = args[2];
	const struct value_attr *found;

	if (type->kind != TYPE_ANY && !is_map_or_object(type))
		return arg_error(c, 0, err, "a map or an object is needed, not %s",
				 arg_type(c, args[0]));
	if (type->kind == TYPE_MAP) {
		AUTO(err) struct err why = ERR_INIT;

		result = type->elem;
		if (value_convert(c->arena, args[2], result, &fallback, &why) < 0)
			return arg_error(
				c, 2, err,
				"the default must be of the type of the map's elements: %s",
				why.msg);
	}
	if (type->kind == TYPE_OBJECT && args[1].kind == VALUE_STRING) {
		const struct type_attr *attr = type_attr_find(type, args[1].string);

		result = attr ? attr->type : type_of(c->arena, args[2]);
	}
	if (args_unknown(args, nargs) || value_has_unknown(args[0])) {
		*ret = args_wait(c, args, 2, result);
		return 0;
	}
	found = value_attr_get(args[0], args[1].string);
	*ret = arg_marked(found ? found->value : fallback, sensitive);
	return 0;
}

/* Whether merge gives a map: where all arguments are maps of the same type. */
static bool all_same_map(struct func_call *c, const struct value *args, size_t nargs)
{
	const struct type *first = nargs ? type_of(c->arena, args[0]) : &type_any;

	if (first->kind != TYPE_MAP)
		return false;
	for (size_t i = 1; i < nargs; i++)
		if (!type_equal(first, type_of(c->arena, args[i])))
			return false;
	return true;
}

/* The type of what merge gives of arguments of which some are unknown; NULL: one is neither a map
 * nor an object, which is told. */
static const struct type *merged_type(struct func_call *c, const struct value *args, size_t nargs,
				      struct err *err)
{
	AUTO(map) struct map types = MAP_INIT;
	struct type_attr *attrs;
	bool same = true, open = false;

	for (size_t i = 0; i < nargs; i++) {
		const struct type *t = type_of(c->arena, args[i]);

		if (t->kind == TYPE_ANY)
			return &type_any;
		if (!is_map_or_object(t)) {
			arg_error(c, (int)i, err, "a map or an object is needed, not %s",
				  arg_type(c, args[i]));
			return NULL;
		}
		same &= type_equal(t, type_of(c->arena, args[0]));
		open |= t->kind == TYPE_MAP && args[i].kind == VALUE_UNKNOWN;
		if (args[i].kind == VALUE_NULL)
			continue;
		for (size_t k = 0; k < t->n; k++)
			map_set(&types, t->attrs[k].name, (void *)t->attrs[k].type);
		for (size_t k = 0; t->kind == TYPE_MAP && k < value_len(args[i]); k++)
			map_set(&types, args[i].attrs->v[k].key, (void *)t->elem);
	}
	if (same && nargs)
		return type_of(c->arena, args[0]);
	if (open)
		return &type_any;
	attrs = arena_new_array(c->arena, struct type_attr, map_len(&types));
	for (size_t i = 0; i < map_len(&types); i++)
		attrs[i] = (struct type_attr){ .name = arena_str(c->arena, map_key_at(&types, i)),
					       .type = map_at(&types, i) };
	return type_object(c->arena, attrs, map_len(&types));
}

static int fn_merge(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		    struct err *err)
{
	bool as_map = all_same_map(c, args, nargs), sensitive = false;
	const struct type *type = merged_type(c, args, nargs, err);
	AUTO(map) struct map last = MAP_INIT;
	struct value_attr *v;

	if (!type)
		return -1;
	if (args_unknown(args, nargs)) {
		*ret = args_wait(c, args, nargs, type);
		return 0;
	}
	for (size_t i = 0; i < nargs; i++) {
		if (args[i].kind != VALUE_NULL && !value_is_attrs(args[i]))
			return arg_error(c, (int)i, err, "a map or an object is needed, not %s",
					 arg_type(c, args[i]));
		sensitive |= args[i].sensitive;
		for (size_t k = 0; args[i].kind != VALUE_NULL && k < args[i].attrs->n; k++)
			map_set(&last, args[i].attrs->v[k].key, (void *)&args[i].attrs->v[k]);
	}
	v = arena_new_array(c->arena, struct value_attr, map_len(&last));
	for (size_t i = 0; i < map_len(&last); i++)
		v[i] = *(const struct value_attr *)map_at(&last, i);
	*ret = as_map ? value_map(c->arena, arg_elem_type(c, args[0]), v, map_len(&last), c->span) :
			value_object(c->arena, v, map_len(&last), c->span);
	*ret = arg_marked(*ret, sensitive);
	return 0;
}

static int fn_zipmap(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	const struct type *type = type_of(c->arena, args[1]);
	bool sensitive = args[0].sensitive || args[1].sensitive;
	AUTO(map) struct map places = MAP_INIT;
	struct value_attr *v;

	if (type->kind != TYPE_ANY && type->kind != TYPE_LIST && type->kind != TYPE_TUPLE)
		return arg_error(c, 1, err, "a list or tuple is needed, not %s",
				 arg_type(c, args[1]));
	if (args_unknown(args, nargs) || value_has_unknown(args[0])) {
		*ret = args_wait(c, args, nargs,
				 type->kind == TYPE_LIST ? type_map(c->arena, type->elem)
							 : &type_any);
		return 0;
	}
	if (args[0].seq->n != args[1].seq->n)
		return err_set(err, ERR_INVALID,
			       "the number of keys (%zu) is not the number of values (%zu)",
			       args[0].seq->n, args[1].seq->n);
	v = arena_new_array(c->arena, struct value_attr, args[0].seq->n);
	for (size_t i = 0; i < args[0].seq->n; i++) {
		struct value key = args[0].seq->v[i];
		struct value_attr *place;

		if (key.kind == VALUE_NULL)
			return arg_error(c, 0, err, "the key at index %zu is null", i);
		sensitive |= key.sensitive;
		place = map_get(&places, key.string);
		if (!place) {
			place = &v[map_len(&places)];
			map_set(&places, key.string, place);
		}
		*place = (struct value_attr){ .key = key.string, .value = args[1].seq->v[i] };
	}
	*ret = type->kind == TYPE_LIST
		       ? value_map(c->arena, type->elem, v, map_len(&places), c->span)
		       : value_object(c->arena, v, map_len(&places), c->span);
	*ret = arg_marked(*ret, sensitive);
	return 0;
}

static const struct func_param length_params[] = { { "value", &type_any,
						     PARAM_UNKNOWN | PARAM_DYNAMIC } };
static const struct func_param search_params[] = { { "list", &type_any, PARAM_UNKNOWN },
						   { "value", &type_any, PARAM_UNKNOWN } };
static const struct func_param bools_params[] = { { "list", &type_list_bool, PARAM_UNKNOWN } };
static const struct func_param vals_params[] = { { "vals", &type_any,
						   PARAM_NULL | PARAM_UNKNOWN | PARAM_DYNAMIC } };
static const struct func_param keys_params[] = { { "inputMap", &type_any, PARAM_INSIDE } };
static const struct func_param values_params[] = { { "mapping", &type_any, PARAM_INSIDE } };
static const struct func_param lookup_params[] = { { "inputMap", &type_any, PARAM_INSIDE },
						   { "key", &type_string, PARAM_INSIDE },
						   { "default", &type_any, PARAM_INSIDE } };
static const struct func_param merge_params[] = { { "maps", &type_any,
						    PARAM_NULL | PARAM_DYNAMIC | PARAM_INSIDE } };
static const struct func_param zipmap_params[] = { { "keys", &type_list_string, PARAM_INSIDE },
						   { "values", &type_any, PARAM_INSIDE } };

static const struct func_example length_examples[] = { { "length([\"a\", \"b\"])", "2" },
						       { "length({ a = 1 })", "1" },
						       { "length(\"Käse\")", "4" } };
static const struct func_example contains_examples[] = {
	{ "contains([\"a\", \"b\"], \"a\")", "true" }, { "contains([1, 2], \"1\")", "false" }
};
static const struct func_example index_examples[] = { { "index([\"a\", \"b\", \"c\"], \"b\")",
							"1" } };
static const struct func_example alltrue_examples[] = { { "alltrue([true, \"true\"])", "true" },
							{ "alltrue([true, false])", "false" },
							{ "alltrue([])", "true" } };
static const struct func_example anytrue_examples[] = { { "anytrue([true, false])", "true" },
							{ "anytrue([])", "false" } };
static const struct func_example coalesce_examples[] = { { "coalesce(\"\", \"b\")", "\"b\"" },
							 { "coalesce(null, 0, 5)", "0" } };
static const struct func_example coalescelist_examples[] = { { "coalescelist([], [\"c\", \"d\"])",
							       "[\"c\",\"d\"]" } };
static const struct func_example keys_examples[] = { { "keys({ b = 1, a = 2 })",
						       "[\"a\",\"b\"]" } };
static const struct func_example values_examples[] = { { "values({ b = 1, a = 2 })", "[2,1]" } };
static const struct func_example lookup_examples[] = {
	{ "lookup({ a = \"x\" }, \"a\", \"none\")", "\"x\"" },
	{ "lookup({ a = \"x\" }, \"c\", \"none\")", "\"none\"" }
};
static const struct func_example merge_examples[] = {
	{ "merge({ a = 1, b = 2 }, { b = 3, c = 4 })", "{\"a\":1,\"b\":3,\"c\":4}" },
	{ "merge({ a = { x = 1 } }, { a = { y = 2 } })", "{\"a\":{\"y\":2}}" },
};
static const struct func_example zipmap_examples[] = { { "zipmap([\"a\", \"b\"], [1, \"x\"])",
							 "{\"a\":1,\"b\":\"x\"}" } };

static const struct func rows[] = {
	{ "alltrue", bools_params, 1, .returns = &type_bool, .call = fn_alltrue,
	  .doc = "Whether all elements are true; so it is for an empty list. Null counts as false.",
	  FUNC_EXAMPLES(alltrue_examples) },
	{ "anytrue", bools_params, 1, .returns = &type_bool, .call = fn_anytrue,
	  .doc = "Whether at least one element is true. Null counts as false.",
	  FUNC_EXAMPLES(anytrue_examples) },
	{ "coalesce", vals_params, 1, FUNC_VARIADIC | FUNC_UNREFINED, &type_any, fn_coalesce,
	  .doc = "The first argument that is neither null nor, where all are strings, empty. All "
		 "must have a type in common.",
	  FUNC_EXAMPLES(coalesce_examples) },
	{ "coalescelist", vals_params, 1, FUNC_VARIADIC, &type_any, fn_coalescelist,
	  .doc = "The first list or tuple that has elements.",
	  FUNC_EXAMPLES(coalescelist_examples) },
	{ "contains", search_params, 2, .returns = &type_bool, .call = fn_contains,
	  .doc = "Whether a list, set or tuple has an element equal to the value. Values of "
		 "different types are not equal.",
	  FUNC_EXAMPLES(contains_examples) },
	{ "index", search_params, 2, .returns = &type_number, .call = fn_index,
	  .doc = "The place, counted from 0, of the first element equal to the value; an error "
		 "where there is none.",
	  FUNC_EXAMPLES(index_examples) },
	{ "keys", keys_params, 1, .returns = &type_any, .call = fn_keys,
	  .doc = "The keys of a map or object, sorted.", FUNC_EXAMPLES(keys_examples) },
	{ "length", length_params, 1, .returns = &type_number, .call = fn_length,
	  .doc = "How many elements a collection has, or how many characters a string (as a reader "
		 "sees them, not bytes).",
	  FUNC_EXAMPLES(length_examples) },
	{ "lookup", lookup_params, 3, .flags = FUNC_UNREFINED,
	  .returns = &type_any, .call = fn_lookup,
	  .doc = "The value of a key in a map or object, or the default where there is no such "
		 "key.",
	  FUNC_EXAMPLES(lookup_examples) },
	{ "merge", merge_params, 1, FUNC_VARIADIC, &type_any, fn_merge,
	  .doc = "One map or object with the keys of all; where several have a key the last one "
		 "wins. It does not look into the values. Null stands for nothing.",
	  FUNC_EXAMPLES(merge_examples) },
	{ "values", values_params, 1, .returns = &type_any, .call = fn_values,
	  .doc = "The values of a map or object, in the order of its sorted keys.",
	  FUNC_EXAMPLES(values_examples) },
	{ "zipmap", zipmap_params, 2, .returns = &type_any, .call = fn_zipmap,
	  .doc = "A map or object of keys and as many values. Of equal keys the last one wins.",
	  FUNC_EXAMPLES(zipmap_examples) },
};

const struct func_group func_group_collection = { "Collections", rows, ARRAY_LEN(rows) };
