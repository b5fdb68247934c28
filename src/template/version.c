/* Comparing version numbers, and holding them against constraints, as hashicorp/go-version does. */
#include "template/version.h"

#define PARTS 6

struct version {
	uint64_t parts[PARTS];
	size_t nparts;	/* as written */
	struct str pre; /* "beta1" of 1.2.0-beta1 */
};

static bool is_pre_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '~' || c == '-' || c == '.';
}

/* Splits "1.2.0-beta1+7" into its numbers and its pre-release; build metadata does not count. */
static bool parse(struct str s, struct version *ret)
{
	struct str rest, field;
	size_t end = 0;

	*ret = (struct version){ 0 };
	if (str_starts(s, "v"))
		s = str_slice(s, 1, s.n);
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '+')
			s.n = i;
	while (end < s.n && ((s.p[end] >= '0' && s.p[end] <= '9') || s.p[end] == '.'))
		end++;
	if (end < s.n) {
		ret->pre = str_slice(s, end + (s.p[end] == '-'), s.n);
		if (!ret->pre.n)
			return false;
		for (size_t i = 0; i < ret->pre.n; i++)
			if (!is_pre_char(ret->pre.p[i]))
				return false;
	}
	rest = str_slice(s, 0, end);
	if (!rest.n)
		return false;
	for (; str_split(&rest, '.', &field); ret->nparts++)
		if (ret->nparts == PARTS || !parse_u64(field, &ret->parts[ret->nparts]))
			return false;
	return true;
}

static int compare(const struct version *x, const struct version *y)
{
	for (size_t i = 0; i < PARTS; i++)
		if (x->parts[i] != y->parts[i])
			return x->parts[i] < y->parts[i] ? -1 : 1;
	if ((x->pre.n != 0) != (y->pre.n != 0)) /* a pre-release comes before its release */
		return x->pre.n ? -1 : 1;
	return str_cmp(x->pre, y->pre);
}

bool version_compare(struct str a, struct str b, int *ret)
{
	struct version x, y;

	if (!parse(a, &x) || !parse(b, &y))
		return false;
	*ret = compare(&x, &y);
	return true;
}

/* Pre-releases match only what names one of the same version. */
static bool comparable(const struct version *v, const struct version *c)
{
	if (!v->pre.n)
		return true;
	return c->pre.n && memcmp(v->parts, c->parts, sizeof(v->parts)) == 0;
}

static bool is_equal(const struct version *v, const struct version *c)
{
	return compare(v, c) == 0;
}

static bool is_not_equal(const struct version *v, const struct version *c)
{
	return compare(v, c) != 0;
}

static bool is_less(const struct version *v, const struct version *c)
{
	return comparable(v, c) && compare(v, c) < 0;
}

static bool is_more(const struct version *v, const struct version *c)
{
	return comparable(v, c) && compare(v, c) > 0;
}

static bool is_at_most(const struct version *v, const struct version *c)
{
	return comparable(v, c) && compare(v, c) <= 0;
}

static bool is_at_least(const struct version *v, const struct version *c)
{
	return comparable(v, c) && compare(v, c) >= 0;
}

/* ~> 1.2.3: at least that, and only its last number may be higher. */
static bool is_about(const struct version *v, const struct version *c)
{
	if (!comparable(v, c) || (c->pre.n && !v->pre.n) || compare(v, c) < 0)
		return false;
	for (size_t i = 0; i + 1 < c->nparts; i++)
		if (v->parts[i] != c->parts[i])
			return false;
	return true;
}

static const struct {
	const char *op;
	bool (*holds)(const struct version *v, const struct version *c);
} ops[] = {
	/* the longer ones first */
	{ "<=", is_at_most }, { ">=", is_at_least }, { "!=", is_not_equal }, { "~>", is_about },
	{ "<", is_less },     { ">", is_more },	     { "=", is_equal },	     { "", is_equal },
};

bool version_satisfies(struct str version, struct str constraints, bool *ret, bool *ret_pre)
{
	struct str field, rest = constraints;
	struct version v, c;

	if (!parse(version, &v))
		return false;
	*ret = true;
	*ret_pre = false;
	while (str_split(&rest, ',', &field)) {
		size_t op = 0;

		field = str_trim(field);
		while (!str_starts(field, ops[op].op))
			op++;
		if (!parse(str_trim(str_slice(field, strlen(ops[op].op), field.n)), &c))
			return false;
		*ret &= ops[op].holds(&v, &c);
		*ret_pre |= c.pre.n != 0;
	}
	return true;
}
