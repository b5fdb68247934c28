/* Functions of sets. Lists and tuples that are given for a set are turned into one first. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/inner.h"

#include "base/map.h"

#define PRODUCT_MAX 1000000

/* The arguments as sets of one element type, which unknown ones have too. Empty ones of no type fit
 * with all. */
static int common_sets(struct func_call *c, const struct value *args, size_t nargs,
		       struct value *sets, const struct type **ret_elem, struct err *err)
{
	const struct type **types = arena_new_array(c->arena, const struct type *, nargs),
			  *elem = &type_any, *set;
	size_t n = 0;

	for (size_t i = 0; i < nargs; i++) {
		const struct type *t = arg_elem_type(c, args[i]);

		if (args[i].kind == VALUE_UNKNOWN || args[i].seq->n || t->kind != TYPE_ANY)
			types[n++] = t;
	}
	if (n)
		elem = type_unify(c->arena, types, n);
	if (!elem)
		return err_set(err, ERR_INVALID, "the elements of the sets have no type in common");
	set = type_set(c->arena, elem);
	for (size_t i = 0; i < nargs; i++)
		if (value_convert(c->arena, args[i], set, &sets[i], err) < 0) {
			c->bad_arg = (int)i;
			return -1;
		}
	*ret_elem = elem;
	return 0;
}

static int fn_setunion(struct func_call *c, const struct value *args, size_t nargs,
		       struct value *ret, struct err *err)
{
	struct value *sets = arena_new_array(c->arena, struct value, nargs), *v;
	const struct type *elem;
	size_t total = 0, n = 0;

	if (common_sets(c, args, nargs, sets, &elem, err) < 0)
		return -1;
	if (args_unknown(args, nargs)) {
		*ret = value_unknown_of(type_set(c->arena, elem), c->span);
		return 0;
	}
	for (size_t i = 0; i < nargs; i++)
		total += sets[i].seq->n;
	v = arena_new_array(c->arena, struct value, total);
	for (size_t i = 0; i < nargs; i++)
		for (size_t k = 0; k < sets[i].seq->n; k++)
			v[n++] = sets[i].seq->v[k];
	*ret = value_set(c->arena, elem, v, n, c->span);
	return 0;
}

static int fn_setintersection(struct func_call *c, const struct value *args, size_t nargs,
			      struct value *ret, struct err *err)
{
	struct value *sets = arena_new_array(c->arena, struct value, nargs), *v;
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(map) struct map counts = MAP_INIT;
	const struct type *elem;
	size_t n = 0;

	if (common_sets(c, args, nargs, sets, &elem, err) < 0)
		return -1;
	for (size_t i = 0; i < nargs; i++)
		if (value_has_unknown(sets[i])) {
			*ret = value_unknown_of(type_set(c->arena, elem), c->span);
			return 0;
		}
	/* An element of the first set stays if each set after it has counted it once more. */
	for (size_t i = 1; i < nargs; i++)
		for (size_t k = 0; k < sets[i].seq->n; k++) {
			buf_reset(&key);
			set_key_write(&key, sets[i].seq->v[k]);
			map_set(&counts, buf_str(&key),
				(char *)map_get(&counts, buf_str(&key)) + 1);
		}
	v = arena_new_array(c->arena, struct value, sets[0].seq->n);
	for (size_t k = 0; k < sets[0].seq->n; k++) {
		buf_reset(&key);
		set_key_write(&key, sets[0].seq->v[k]);
		if ((uintptr_t)map_get(&counts, buf_str(&key)) == nargs - 1)
			v[n++] = sets[0].seq->v[k];
	}
	*ret = value_set(c->arena, elem, v, n, c->span);
	return 0;
}

/* The type of the elements that an argument of setproduct gives; NULL with err. */
static const struct type *product_elem(struct func_call *c, struct value v, int i, struct err *err)
{
	const struct type *t = type_of(c->arena, v), *common;

	if (t->kind == TYPE_SET || t->kind == TYPE_LIST)
		return t->elem;
	if (t->kind != TYPE_TUPLE) {
		arg_error(c, i, err, "a set, list or tuple is needed, not %s", arg_type(c, v));
		return NULL;
	}
	common = t->n ? type_unify(c->arena, t->elems, t->n) : &type_any;
	if (!common)
		arg_error(c, i, err, "the elements have no type in common");
	return common;
}

/* All tuples with an element of each of the n sequences, the last one changing fastest. */
static int product(struct func_call *c, const struct value *args, size_t n,
		   const struct type *const *elems, struct value *rows_out, size_t total,
		   struct err *err)
{
	size_t *at = arena_new_array(c->arena, size_t, n);
	struct value *row = arena_new_array(c->arena, struct value, n);

	for (size_t r = 0; r < total; r++) {
		for (size_t i = 0; i < n; i++)
			if (value_convert(c->arena, args[i].seq->v[at[i]], elems[i], &row[i],
					  err) < 0) {
				c->bad_arg = (int)i;
				return -1;
			}
		rows_out[r] = value_seq_make(c->arena, VALUE_TUPLE, row, n, c->span);
		if (arg_memory(c, 0, err) < 0)
			return -1;
		for (size_t i = n; i-- > 0 && ++at[i] == args[i].seq->n;)
			at[i] = 0;
	}
	return 0;
}

static int fn_setproduct(struct func_call *c, const struct value *args, size_t nargs,
			 struct value *ret, struct err *err)
{
	const struct type **elems = arena_new_array(c->arena, const struct type *, nargs), *elem;
	bool ordered = true, sensitive = false, open = false;
	size_t total = 1;
	struct value *v;

	if (nargs < 2)
		return err_set(err, ERR_INVALID, "at least two sets or lists are needed");
	for (size_t i = 0; i < nargs; i++) {
		sensitive |= args[i].sensitive;
		if (type_of(c->arena, args[i])->kind == TYPE_ANY) {
			*ret = args_wait(c, args, nargs, &type_any);
			return 0;
		}
		elems[i] = product_elem(c, args[i], (int)i, err);
		if (!elems[i])
			return -1;
		ordered &= type_of(c->arena, args[i])->kind != TYPE_SET;
	}
	elem = type_tuple(c->arena, elems, nargs);
	for (size_t i = 0; i < nargs; i++) {
		open |= args[i].kind == VALUE_UNKNOWN ||
			(args[i].kind == VALUE_SET && value_has_unknown(args[i]));
		total = args[i].kind == VALUE_UNKNOWN || !args[i].seq->n ? 0
									 : total * args[i].seq->n;
		if (total > PRODUCT_MAX)
			return err_set(err, ERR_INVALID, "that would be more than %d combinations",
				       PRODUCT_MAX);
	}
	if (open) {
		*ret = args_wait(c, args, nargs,
				 ordered ? type_list(c->arena, elem) : type_set(c->arena, elem));
		return 0;
	}
	v = arena_new_array(c->arena, struct value, total);
	if (product(c, args, nargs, elems, v, total, err) < 0)
		return -1;
	if (ordered) {
		*ret = value_list(c->arena, elem, v, total, c->span);
	} else { /* a set keeps no marks apart: one sensitive element makes all of it so */
		for (size_t i = 0; i < total; i++) {
			bool marked;

			v[i] = value_unmark_deep(c->arena, v[i], &marked);
			sensitive |= marked;
		}
		*ret = value_set(c->arena, elem, v, total, c->span);
	}
	*ret = arg_marked(*ret, sensitive);
	return 0;
}

static const struct func_param sets_params[] = { { "first_set", &type_set_any, PARAM_UNKNOWN },
						 { "other_sets", &type_set_any, PARAM_UNKNOWN } };
static const struct func_param product_params[] = { { "sets", &type_any,
						      PARAM_UNKNOWN | PARAM_MARKED } };

static const struct func_example union_examples[] = { { "setunion([\"a\", \"b\"], [\"b\", \"c\"])",
							"[\"a\",\"b\",\"c\"]" } };
static const struct func_example intersection_examples[] = {
	{ "setintersection([\"a\", \"b\"], [\"b\", \"c\"])", "[\"b\"]" }
};
static const struct func_example product_examples[] = {
	{ "setproduct([\"a\", \"b\"], [1, 2])", "[[\"a\",1],[\"a\",2],[\"b\",1],[\"b\",2]]" },
};

static const struct func rows[] = {
	{ "setintersection", sets_params, 2, FUNC_VARIADIC, &type_set_any, fn_setintersection,
	  .doc = "The set of the elements that are in all of the given sets.",
	  FUNC_EXAMPLES(intersection_examples) },
	{ "setproduct", product_params, 1, FUNC_VARIADIC, &type_any, fn_setproduct,
	  .doc = "All combinations of one element of each set, as tuples. Lists and tuples keep "
		 "their order and give a list; with a set among them the result is a set.",
	  FUNC_EXAMPLES(product_examples) },
	{ "setunion", sets_params, 2, FUNC_VARIADIC, &type_set_any, fn_setunion,
	  .doc = "The set of the elements that are in at least one of the given sets.",
	  FUNC_EXAMPLES(union_examples) },
};

const struct func_group func_group_set = { "Sets", rows, ARRAY_LEN(rows) };
