/* Functions of lists and tuples.
 *
 * A tuple in gives a tuple out, a list a list of the same type. Elements that are unknown or
 * sensitive stay so, each on its own, wherever the result does not depend on them. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/inner.h"
#include "lang/expr/number.h"
#include "lang/expr/refine.h"

#include "base/map.h"

static struct value tuple(struct func_call *c, const struct value *v, size_t n)
{
	return value_seq_make(c->arena, VALUE_TUPLE, v, n, c->span);
}

/* n elements as a list of the type `like` has, or as a tuple where that is one. */
static struct value same_kind(struct func_call *c, struct value like, const struct value *v,
			      size_t n)
{
	struct value made = like.kind == VALUE_TUPLE
				    ? tuple(c, v, n)
				    : value_list(c->arena, arg_elem_type(c, like), v, n, c->span);

	return arg_marked(made, like.sensitive);
}

static bool is_list_or_tuple(const struct type *t)
{
	return t->kind == TYPE_LIST || t->kind == TYPE_TUPLE;
}

static int fn_chunklist(struct func_call *c, const struct value *args, size_t nargs,
			struct value *ret, struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	struct value *chunks;
	int64_t size;
	size_t n = 0;

	if (args_unknown(args, nargs)) {
		*ret = args_wait(c, args, nargs, type_list(c->arena, type));
		return 0;
	}
	if (arg_int(c, args, 1, &size, err) < 0)
		return -1;
	if (size < 0)
		return arg_error(c, 1, err, "the size of a chunk must not be negative");
	if (!size)
		size = (int64_t)MAX(args[0].seq->n, (size_t)1);
	chunks = arena_new_array(c->arena, struct value, args[0].seq->n / (size_t)size + 1);
	for (size_t i = 0; i < args[0].seq->n; i += (size_t)size)
		chunks[n++] = value_list(c->arena, type->elem, args[0].seq->v + i,
					 MIN(args[0].seq->n - i, (size_t)size), c->span);
	*ret = arg_marked(value_list(c->arena, type, chunks, n, c->span),
			  args[0].sensitive || args[1].sensitive);
	return 0;
}

static int fn_compact(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err UNUSED)
{
	struct value *v = arena_new_array(c->arena, struct value, args[0].seq->n);
	size_t n = 0;

	for (size_t i = 0; i < args[0].seq->n; i++)
		if (args[0].seq->v[i].kind != VALUE_NULL && args[0].seq->v[i].string.n)
			v[n++] = args[0].seq->v[i];
	*ret = value_list(c->arena, &type_string, v, n, c->span);
	return 0;
}

/* The common type of arguments that are all lists, or NULL. */
static const struct type *common_list(struct func_call *c, const struct value *args, size_t nargs)
{
	const struct type **types = arena_new_array(c->arena, const struct type *, nargs);

	for (size_t i = 0; i < nargs; i++) {
		types[i] = type_of(c->arena, args[i]);
		if (types[i]->kind != TYPE_LIST)
			return NULL;
	}
	return type_unify(c->arena, types, nargs);
}

/* The tuple that concat gives, where each argument tells how many elements it has. */
static const struct type *joined_type(struct func_call *c, const struct value *args, size_t nargs)
{
	const struct type **elems;
	size_t n = 0, total = 0;

	for (size_t i = 0; i < nargs; i++) {
		const struct type *t = type_of(c->arena, args[i]);

		if (t->kind != TYPE_TUPLE && args[i].kind == VALUE_UNKNOWN)
			return &type_any;
		total += t->kind == TYPE_TUPLE ? t->n : args[i].seq->n;
	}
	elems = arena_new_array(c->arena, const struct type *, total);
	for (size_t i = 0; i < nargs; i++) {
		const struct type *t = type_of(c->arena, args[i]);
		size_t len = t->kind == TYPE_TUPLE ? t->n : args[i].seq->n;

		for (size_t k = 0; k < len; k++)
			elems[n++] = t->kind == TYPE_TUPLE ? t->elems[k] : t->elem;
	}
	return type_tuple(c->arena, elems, n);
}

static int fn_concat(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		     struct err *err)
{
	const struct type *list = common_list(c, args, nargs);
	size_t total = 0, n = 0;
	bool sensitive = false;
	struct value *v;

	if (!nargs)
		return err_set(err, ERR_INVALID, "at least one list or tuple is needed");
	for (size_t i = 0; i < nargs; i++) {
		const struct type *t = type_of(c->arena, args[i]);

		if (!is_list_or_tuple(t))
			return arg_error(c, (int)i, err, "a list or tuple is needed, not %s",
					 arg_type(c, args[i]));
		if (args[i].kind == VALUE_UNKNOWN && t->kind == TYPE_LIST && !list)
			break; /* nobody knows where the elements of the others come */
		total += args[i].kind == VALUE_UNKNOWN ? 0 : args[i].seq->n;
	}
	if (args_unknown(args, nargs)) {
		*ret = args_wait(c, args, nargs, list ? list : joined_type(c, args, nargs));
		return 0;
	}
	v = arena_new_array(c->arena, struct value, total);
	for (size_t i = 0; i < nargs; i++) {
		struct value arg = args[i];

		if (list && value_convert(c->arena, arg, list, &arg, err) < 0) {
			c->bad_arg = (int)i;
			return -1;
		}
		if (arg.seq->n)
			memcpy(v + n, arg.seq->v, arg.seq->n * sizeof(*v));
		n += arg.seq->n;
		sensitive |= arg.sensitive;
	}
	*ret = arg_marked(list ? value_list(c->arena, list->elem, v, n, c->span) : tuple(c, v, n),
			  sensitive);
	return 0;
}

static int fn_distinct(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		       struct value *ret, struct err *err UNUSED)
{
	struct value *v = arena_new_array(c->arena, struct value, value_len(args[0]));
	AUTO(map) struct map seen = MAP_INIT;
	AUTO(buf) struct buf key = BUF_INIT;
	size_t n = 0;

	if (value_has_unknown(args[0])) {
		*ret = value_unknown_of(type_of(c->arena, args[0]), c->span);
		return 0;
	}
	for (size_t i = 0; i < args[0].seq->n; i++) {
		buf_reset(&key);
		set_key_write(&key, args[0].seq->v[i]);
		if (map_has(&seen, buf_str(&key)))
			continue;
		map_set(&seen, buf_str(&key), v);
		v[n++] = args[0].seq->v[i];
	}
	*ret = value_list(c->arena, arg_elem_type(c, args[0]), v, n, c->span);
	return 0;
}

static int fn_element(struct func_call *c, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	int64_t index;

	if (args[1].kind == VALUE_NUMBER && mpfr_sgn(args[1].number->v) < 0)
		return arg_error(c, 1, err, "the index must not be negative");
	if (type->kind != TYPE_ANY && !is_list_or_tuple(type))
		return arg_error(c, 0, err, "a list or tuple is needed, not %s",
				 arg_type(c, args[0]));
	if (args[1].kind == VALUE_UNKNOWN || type->kind == TYPE_ANY ||
	    (args[0].kind == VALUE_UNKNOWN && type->kind == TYPE_LIST)) {
		*ret = args_wait(c, args, nargs, type->kind == TYPE_LIST ? type->elem : &type_any);
		return 0;
	}
	if (arg_int(c, args, 1, &index, err) < 0)
		return -1;
	if (args[0].kind == VALUE_UNKNOWN && type->n) {
		*ret = args_wait(c, args, nargs, type->elems[(size_t)index % type->n]);
		return 0;
	}
	if (!value_len(args[0]))
		return arg_error(c, 0, err, "an empty list has no elements to choose from");
	*ret = arg_marked(args[0].seq->v[(size_t)index % args[0].seq->n],
			  args[0].sensitive || args[1].sensitive);
	return 0;
}

struct flat {
	struct value *v;
	size_t n, cap;
	bool sensitive, open;
};

static void flatten(struct func_call *c, struct value list, struct flat *f)
{
	f->sensitive |= list.sensitive;
	f->open |= list.kind == VALUE_SET && list.seq->n > 1 && value_has_unknown(list);
	for (size_t i = 0; i < list.seq->n; i++) {
		struct value v = list.seq->v[i];

		if (v.kind == VALUE_UNKNOWN) {
			const struct type *t = type_of(c->arena, v);

			/* What may turn out to be a list has no place yet. */
			if (t->kind == TYPE_ANY || t->kind == TYPE_LIST || t->kind == TYPE_SET ||
			    t->kind == TYPE_TUPLE) {
				f->sensitive |= v.sensitive;
				f->open = true;
				continue;
			}
		}
		if (value_is_seq(v)) {
			flatten(c, v, f);
			continue;
		}
		if (f->n == f->cap) {
			f->v = arena_grow(c->arena, f->v, f->cap * sizeof(v),
					  MAX(f->cap * 2, (size_t)16) * sizeof(v));
			f->cap = MAX(f->cap * 2, (size_t)16);
		}
		f->v[f->n++] = v;
	}
}

static int fn_flatten(struct func_call *c, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err)
{
	struct flat f = { 0 };

	if (!value_is_seq(args[0]) && value_has_unknown(args[0])) {
		*ret = args_wait(c, args, nargs, &type_any);
		return 0;
	}
	if (!value_is_seq(args[0]))
		return arg_error(c, 0, err, "a list, set or tuple is needed, not %s",
				 arg_type(c, args[0]));
	flatten(c, args[0], &f);
	*ret = arg_marked(f.open ? value_unknown_of(&type_any, c->span) : tuple(c, f.v, f.n),
			  f.sensitive);
	return 0;
}

static int fn_reverse(struct func_call *c, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]), **elems;
	struct value *v;

	if (type->kind != TYPE_ANY && !is_list_or_tuple(type) && type->kind != TYPE_SET)
		return arg_error(c, 0, err, "a list or tuple is needed, not %s",
				 arg_type(c, args[0]));
	if (args_unknown(args, nargs) && type->kind == TYPE_TUPLE) {
		elems = arena_new_array(c->arena, const struct type *, type->n);
		for (size_t i = 0; i < type->n; i++)
			elems[i] = type->elems[type->n - 1 - i];
		*ret = args_wait(c, args, nargs, type_tuple(c->arena, elems, type->n));
		return 0;
	}
	if (args_unknown(args, nargs)) {
		*ret = args_wait(c, args, nargs,
				 type->elem ? type_list(c->arena, type->elem) : &type_any);
		return 0;
	}
	v = arena_new_array(c->arena, struct value, args[0].seq->n);
	for (size_t i = 0; i < args[0].seq->n; i++)
		v[i] = args[0].seq->v[args[0].seq->n - 1 - i];
	*ret = same_kind(c, args[0], v, args[0].seq->n);
	return 0;
}

/* An index of slice: whole, and between 0 and the length where that is known. */
static int slice_index(struct func_call *c, const struct value *args, int i, int64_t *ret,
		       struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	size_t n = value_len(args[0]);

	if (args[i].kind == VALUE_UNKNOWN)
		return 0;
	if (arg_int(c, args, i, ret, err) < 0)
		return -1;
	if (*ret < 0)
		return arg_error(c, i, err, "the index must not be less than zero");
	if (type->kind == TYPE_TUPLE)
		n = type->n;
	else if (args[0].kind == VALUE_UNKNOWN)
		return 0;
	if ((uint64_t)*ret > n)
		return arg_error(
			c, i, err,
			"the index must not be greater than the length of the list, which is %zu",
			n);
	return 0;
}

static int fn_slice(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		    struct err *err)
{
	const struct type *type = type_of(c->arena, args[0]);
	int64_t from = 0, to = INT64_MAX;

	if (type->kind == TYPE_SET)
		return arg_error(
			c, 0, err,
			"a set has no order to cut a slice from: convert it to a list first");
	if (type->kind != TYPE_ANY && !is_list_or_tuple(type))
		return arg_error(c, 0, err, "a list or tuple is needed, not %s",
				 arg_type(c, args[0]));
	if (slice_index(c, args, 1, &from, err) < 0 || slice_index(c, args, 2, &to, err) < 0)
		return -1;
	if (from > to)
		return arg_error(c, 1, err, "the start must not be greater than the end");
	if (type->kind == TYPE_TUPLE && args[0].kind == VALUE_UNKNOWN && !args_unknown(args + 1, 2))
		*ret = args_wait(c, args, nargs,
				 type_tuple(c->arena, type->elems + from, (size_t)(to - from)));
	else if (args_unknown(args, nargs))
		*ret = args_wait(c, args, nargs, type->kind == TYPE_LIST ? type : &type_any);
	else
		*ret = same_kind(c, args[0], args[0].seq->v + from, (size_t)(to - from));
	return 0;
}

static int by_bytes(const void *x, const void *y)
{
	return str_cmp(((const struct value *)x)->string, ((const struct value *)y)->string);
}

static int fn_sort(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err)
{
	struct refinement range = value_range(args[0]);
	size_t n = value_len(args[0]);
	struct value *v = arena_new_array(c->arena, struct value, n);

	if (value_has_unknown(args[0])) { /* their order is not known, their number is */
		range.not_null = true;
		*ret = value_refine(c->arena, value_unknown_of(&type_list_string, c->span), &range);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		if (args[0].seq->v[i].kind == VALUE_NULL)
			return arg_error(c, 0, err,
					 "element %zu is null, which has no place in an order", i);
		v[i] = args[0].seq->v[i];
	}
	if (n)
		qsort(v, n, sizeof(*v), by_bytes);
	*ret = value_list(c->arena, &type_string, v, n, c->span);
	return 0;
}

static const struct func_param chunklist_params[] = { { "list", &type_list_any, PARAM_INSIDE },
						      { "size", &type_number, PARAM_INSIDE } };
static const struct func_param sort_params[] = { { "list", &type_list_string, PARAM_UNKNOWN } };
static const struct func_param strings_params[] = { { "list", &type_list_string } };
static const struct func_param seqs_params[] = { { "seqs", &type_any, PARAM_INSIDE } };
static const struct func_param distinct_params[] = { { "list", &type_list_any, PARAM_UNKNOWN } };
static const struct func_param element_params[] = { { "list", &type_any, PARAM_INSIDE },
						    { "index", &type_number, PARAM_INSIDE } };
static const struct func_param list_params[] = { { "list", &type_any, PARAM_INSIDE } };
static const struct func_param slice_params[] = { { "list", &type_any, PARAM_INSIDE },
						  { "start_index", &type_number, PARAM_UNKNOWN },
						  { "end_index", &type_number, PARAM_UNKNOWN } };

static const struct func_example chunklist_examples[] = {
	{ "chunklist([\"a\", \"b\", \"c\", \"d\", \"e\"], 2)",
	  "[[\"a\",\"b\"],[\"c\",\"d\"],[\"e\"]]" },
	{ "chunklist([1, 2], 0)", "[[1,2]]" },
};
static const struct func_example compact_examples[] = { { "compact([\"a\", \"\", \"b\", null])",
							  "[\"a\",\"b\"]" } };
static const struct func_example concat_examples[] = {
	{ "concat([\"a\", \"\"], [\"b\", \"c\"])", "[\"a\",\"\",\"b\",\"c\"]" },
	{ "concat([1], [\"x\"], [])", "[1,\"x\"]" }
};
static const struct func_example distinct_examples[] = { { "distinct([\"a\", \"b\", \"a\", \"c\"])",
							   "[\"a\",\"b\",\"c\"]" } };
static const struct func_example element_examples[] = {
	{ "element([\"a\", \"b\", \"c\"], 1)", "\"b\"" },
	{ "element([\"a\", \"b\", \"c\"], 3)", "\"a\"" }
};
static const struct func_example flatten_examples[] = {
	{ "flatten([[\"a\", \"b\"], [], [\"c\"]])", "[\"a\",\"b\",\"c\"]" },
	{ "flatten([[[1], 2], [3]])", "[1,2,3]" },
};
static const struct func_example reverse_examples[] = { { "reverse([1, 2, 3])", "[3,2,1]" } };
static const struct func_example slice_examples[] = { { "slice([\"a\", \"b\", \"c\", \"d\"], 1, 3)",
							"[\"b\",\"c\"]" } };
static const struct func_example sort_examples[] = { { "sort([\"e\", \"d\", \"a\", \"x\"])",
						       "[\"a\",\"d\",\"e\",\"x\"]" },
						     { "sort([10, 9])", "[\"10\",\"9\"]" } };

static const struct func rows[] = {
	{ "chunklist", chunklist_params, 2, .returns = &type_list_list_any, .call = fn_chunklist,
	  .doc = "Cuts a list into lists of at most `size` elements. A size of 0 gives one chunk "
		 "with all of them.",
	  FUNC_EXAMPLES(chunklist_examples) },
	{ "compact", strings_params, 1, .returns = &type_list_string, .call = fn_compact,
	  .doc = "The strings of a list that are neither empty nor null.",
	  FUNC_EXAMPLES(compact_examples) },
	{ "concat", seqs_params, 1, FUNC_VARIADIC, &type_any, fn_concat,
	  .doc = "Joins lists and tuples end to end. Lists of one type give a list, all else a "
		 "tuple.",
	  FUNC_EXAMPLES(concat_examples) },
	{ "distinct", distinct_params, 1, .returns = &type_list_any, .call = fn_distinct,
	  .doc = "The list without the elements that were there before; the others keep their "
		 "order.",
	  FUNC_EXAMPLES(distinct_examples) },
	{ "element", element_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_any, .call = fn_element,
	  .doc = "The element at an index counted from 0. An index past the end starts again at "
		 "the beginning; use `list[index]` where that should be an error.",
	  FUNC_EXAMPLES(element_examples) },
	{ "flatten", list_params, 1, .returns = &type_any, .call = fn_flatten,
	  .doc = "Replaces each list, set and tuple inside a list by its elements, however deep, "
		 "and gives a tuple.",
	  FUNC_EXAMPLES(flatten_examples) },
	{ "reverse", list_params, 1, .returns = &type_any, .call = fn_reverse,
	  .doc = "The elements in the opposite order. A set becomes a list.",
	  FUNC_EXAMPLES(reverse_examples) },
	{ "slice", slice_params, 3, .returns = &type_any, .call = fn_slice,
	  .doc = "The elements from `start_index` on and before `end_index`, counted from 0.",
	  FUNC_EXAMPLES(slice_examples) },
	{ "sort", sort_params, 1, .returns = &type_list_string, .call = fn_sort,
	  .doc = "Sorts strings by their Unicode code points; other elements are turned into "
		 "strings first.",
	  FUNC_EXAMPLES(sort_examples) },
};

const struct func_group func_group_list = { "Lists", rows, ARRAY_LEN(rows) };
