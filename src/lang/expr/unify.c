/* Which type values of several types can all become: the preferred one among them, or, for
 * structural types, one made of their parts. The order of preference and the cases are those of the
 * reference's value library, where a part of no known type makes the whole unknown. */
#include "lang/expr/inner.h"

/* How many distinct types are sorted by preference; more are taken as they come, for the sort is
 * quadratic. */
#define SORT_MAX 2000

struct unify {
	struct arena *a;
	bool unsafe;
};

static const struct type *unify(const struct unify *u, const struct type *const *types, size_t n);

/* < 0: x is the more general one of two primitives, collections or structures; 0: neither is. */
static int compare(const struct type *x, const struct type *y);

/* The general one of two structures with the same parts, if it is so in all parts. */
static int compare_parts(const struct type *x, const struct type *y)
{
	bool x_super = false, y_super = false;

	if (x->n != y->n)
		return 0;
	for (size_t i = 0; i < x->n; i++) {
		int cmp;

		if (x->kind == TYPE_OBJECT && !str_eq(x->attrs[i].name, y->attrs[i].name))
			return 0;
		cmp = x->kind == TYPE_OBJECT ? compare(x->attrs[i].type, y->attrs[i].type)
					     : compare(x->elems[i], y->elems[i]);
		x_super |= cmp < 0;
		y_super |= cmp > 0;
	}
	return (int)y_super - (int)x_super;
}

static int compare(const struct type *x, const struct type *y)
{
	if (x->kind == TYPE_ANY || y->kind == TYPE_ANY)
		return (x->kind == TYPE_ANY) - (y->kind == TYPE_ANY);
	if (type_is_primitive(x) && type_is_primitive(y))
		return (y->kind == TYPE_STRING) - (x->kind == TYPE_STRING);
	if (x->kind == y->kind)
		return x->elem ? compare(x->elem, y->elem) : compare_parts(x, y);
	if (x->kind == TYPE_LIST && y->kind == TYPE_TUPLE)
		return -1;
	if (x->kind == TYPE_TUPLE && y->kind == TYPE_LIST)
		return 1;
	if (x->kind == TYPE_MAP && y->kind == TYPE_OBJECT)
		return -1;
	if (x->kind == TYPE_OBJECT && y->kind == TYPE_MAP)
		return 1;
	if (y->kind == TYPE_SET && (x->kind == TYPE_LIST || x->kind == TYPE_TUPLE))
		return -1;
	if (x->kind == TYPE_SET && (y->kind == TYPE_LIST || y->kind == TYPE_TUPLE))
		return 1;
	return 0;
}

/* The indices of the types, general ones first (a topological sort: the relation is not total). */
static void sort_by_preference(const struct type *const *types, size_t n, size_t *order)
{
	size_t *above = xcalloc(n, sizeof(*above)); /* how many are more general */
	size_t head = 0, tail = 0;

	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++) {
			int cmp = compare(types[i], types[j]);

			above[j] += cmp < 0;
			above[i] += cmp > 0;
		}
	for (size_t i = 0; i < n; i++)
		if (!above[i])
			order[tail++] = i;
	for (; head < tail; head++) {
		size_t i = order[head];

		for (size_t j = 0; j < n; j++)
			if (i != j &&
			    compare(types[MIN(i, j)], types[MAX(i, j)]) * (i < j ? 1 : -1) < 0 &&
			    --above[j] == 0)
				order[tail++] = j;
	}
	for (size_t i = 0; tail < n && i < n; i++) /* cannot be, but nothing may be left out */
		if (above[i])
			order[tail++] = i;
	free(above);
}

static bool all_convertible(const struct unify *u, const struct type *const *types, size_t n,
			    const struct type *want)
{
	for (size_t i = 0; i < n; i++)
		if (!type_equal(types[i], want) &&
		    !type_convertible(u->a, types[i], want, u->unsafe))
			return false;
	return true;
}

static const struct type *preferred(const struct unify *u, const struct type *const *types,
				    size_t n)
{
	auto_free size_t *order = xcalloc(n, sizeof(*order));

	if (n > SORT_MAX)
		for (size_t i = 0; i < n; i++)
			order[i] = i;
	else
		sort_by_preference(types, n, order);
	for (size_t i = 0; i < n; i++)
		if (all_convertible(u, types, n, types[order[i]]))
			return types[order[i]];
	return NULL;
}

static const struct type *unify_collections(const struct unify *u, const struct type *const *types,
					    size_t n)
{
	const struct type **elems = arena_new_array(u->a, const struct type *, n), *elem, *ret;

	for (size_t i = 0; i < n; i++)
		elems[i] = types[i]->elem;
	elem = unify(u, elems, n);
	if (!elem)
		return NULL;
	ret = types[0]->kind == TYPE_MAP   ? type_map(u->a, elem)
	      : types[0]->kind == TYPE_SET ? type_set(u->a, elem)
					   : type_list(u->a, elem);
	return all_convertible(u, types, n, ret) ? ret : NULL;
}

/* All parts of all types as one element type: tuples as a list, objects as a map. */
static const struct type *unify_as_collection(const struct unify *u,
					      const struct type *const *types, size_t n)
{
	const struct type **parts, *elem, *ret;
	size_t count = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		count += types[i]->n;
	parts = arena_new_array(u->a, const struct type *, count);
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < types[i]->n; j++)
			parts[at++] = types[i]->kind == TYPE_TUPLE ? types[i]->elems[j]
								   : types[i]->attrs[j].type;
	elem = unify(u, parts, count);
	if (!elem)
		return NULL;
	ret = types[0]->kind == TYPE_TUPLE ? type_list(u->a, elem) : type_map(u->a, elem);
	return all_convertible(u, types, n, ret) ? ret : NULL;
}

static bool same_shape(const struct type *x, const struct type *y)
{
	if (x->n != y->n)
		return false;
	for (size_t i = 0; x->kind == TYPE_OBJECT && i < x->n; i++)
		if (!str_eq(x->attrs[i].name, y->attrs[i].name))
			return false;
	return true;
}

static const struct type *unify_structures(const struct unify *u, const struct type *const *types,
					   size_t n)
{
	const struct type **across = arena_new_array(u->a, const struct type *, n), **elems = NULL;
	struct type_attr *attrs = NULL;
	struct type *ret;

	for (size_t i = 1; i < n; i++)
		if (!same_shape(types[0], types[i]))
			return unify_as_collection(u, types, n);
	ret = arena_new_obj(u->a, struct type);
	*ret = (struct type){.kind = types[0]->kind, .n = types[0]->n};
	if (ret->kind == TYPE_TUPLE)
		ret->elems = elems = arena_new_array(u->a, const struct type *, ret->n);
	else
		ret->attrs = attrs = arena_new_array(u->a, struct type_attr, ret->n);
	for (size_t part = 0; part < ret->n; part++) {
		const struct type *t;

		for (size_t i = 0; i < n; i++)
			across[i] = elems ? types[i]->elems[part] : types[i]->attrs[part].type;
		t = unify(u, across, n);
		if (!t)
			return NULL;
		if (elems)
			elems[part] = t;
		else
			attrs[part] =
			    (struct type_attr){.name = types[0]->attrs[part].name, .type = t};
	}
	return all_convertible(u, types, n, ret) ? ret : unify_as_collection(u, types, n);
}

/* Structures among collections become such collections first: tuples among lists, objects among
 * maps. */
static const struct type *unify_mixed(const struct unify *u, const struct type *const *types,
				      size_t n, enum type_kind structural)
{
	const struct type **some = arena_new_array(u->a, const struct type *, n), *as, *ret;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (types[i]->kind == structural)
			some[count++] = types[i];
	as = unify_as_collection(u, some, count);
	if (!as)
		return NULL;
	for (size_t i = 0; i < n; i++)
		some[i] = types[i]->kind == structural ? as : types[i];
	ret = unify(u, some, n);
	return ret && ret->kind == as->kind ? ret : NULL;
}

/* Without doubles, in the order of their first place. */
static size_t distinct(const struct type *const *types, size_t n, const struct type **ret)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool found = false;

		for (size_t j = kept; !found && j-- > 0 && kept - j < 64;)
			found = type_equal(ret[j], types[i]);
		if (!found)
			ret[kept++] = types[i];
	}
	return kept;
}

static const struct type *unify(const struct unify *u, const struct type *const *all, size_t nall)
{
	const struct type **types = arena_new_array(u->a, const struct type *, nall), *ret;
	size_t count[TYPE_OBJECT + 1] = {0}, n, any;

	if (!nall)
		return NULL;
	n = distinct(all, nall, types);
	for (size_t i = 0; i < n; i++)
		count[types[i]->kind]++;
	any = count[TYPE_ANY];
	if (count[TYPE_MAP] && count[TYPE_MAP] + any == n)
		return any ? &type_any : unify_collections(u, types, n);
	if (count[TYPE_MAP] && count[TYPE_MAP] + count[TYPE_OBJECT] + any == n) {
		ret = unify_mixed(u, types, n, TYPE_OBJECT);
		if (ret)
			return ret;
	} else if (count[TYPE_LIST] && count[TYPE_LIST] + any == n) {
		return any ? &type_any : unify_collections(u, types, n);
	} else if (count[TYPE_LIST] && count[TYPE_LIST] + count[TYPE_TUPLE] + any == n) {
		ret = unify_mixed(u, types, n, TYPE_TUPLE);
		if (ret)
			return ret;
	} else if (count[TYPE_SET] && count[TYPE_SET] + any == n) {
		return any ? &type_any : unify_collections(u, types, n);
	} else if (count[TYPE_OBJECT] && count[TYPE_OBJECT] + any == n) {
		return any ? &type_any : unify_structures(u, types, n);
	} else if (count[TYPE_TUPLE] && count[TYPE_TUPLE] + any == n) {
		return any ? &type_any : unify_structures(u, types, n);
	} else if (count[TYPE_OBJECT] && count[TYPE_TUPLE]) {
		return NULL;
	}
	return preferred(u, types, n);
}

const struct type *type_unify_by(struct arena *a, const struct type *const *types, size_t n,
				 bool unsafe)
{
	struct unify u = {.a = a, .unsafe = unsafe};

	return unify(&u, types, n);
}

const struct type *type_unify(struct arena *a, const struct type *const *types, size_t n)
{
	return type_unify_by(a, types, n, true);
}
