/* Form-encoded parameters of the Query protocols. */
#include "cloud/api/query.h"

#include "base/buf.h"

#define NAME_MAX_LEN 512

/* NULL on a broken escape, a NUL byte or what is no UTF-8. */
static char *decode(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1), *p = out;

	for (size_t i = 0; i < s.n; i++) {
		int c = (unsigned char)s.p[i];

		if (c == '+') {
			c = ' ';
		} else if (c == '%') {
			int hi = i + 2 < s.n ? hex_value(s.p[i + 1]) : -1;
			int lo = i + 2 < s.n ? hex_value(s.p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return NULL;
			c = hi << 4 | lo;
			i += 2;
		}
		if (!c)
			return NULL;
		*p++ = (char)c;
	}
	*p = '\0';
	return utf8_invalid_at((struct str){ out, (size_t)(p - out) }) < 0 ? out : NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct query_param *)a)->name, ((const struct query_param *)b)->name);
}

bool query_parse(struct query *q, struct arena *a, struct str text)
{
	struct str rest = text, field;
	size_t cap = 0;

	*q = (struct query){ 0 };
	while (rest.n && str_split(&rest, '&', &field)) {
		ptrdiff_t eq = str_find(field, STR("="));
		struct str name = eq < 0 ? field : str_slice(field, 0, (size_t)eq);
		struct str value = eq < 0 ? STR("") : str_slice(field, (size_t)eq + 1, field.n);

		if (!field.n)
			continue;
		if (q->n == QUERY_PARAMS_MAX || name.n > NAME_MAX_LEN)
			return false;
		if (q->n == cap) {
			q->v = arena_grow(a, q->v, cap * sizeof(*q->v),
					  (cap ? cap * 2 : 32) * sizeof(*q->v));
			cap = cap ? cap * 2 : 32;
		}
		q->v[q->n] = (struct query_param){ decode(a, name), decode(a, value) };
		if (!q->v[q->n].name || !q->v[q->n].value)
			return false;
		q->n++;
	}
	if (q->n)
		qsort(q->v, q->n, sizeof(*q->v), by_name);
	return true;
}

/* Index of the first parameter whose name is not before `name`. */
static size_t lower_bound(const struct query *q, const char *name)
{
	size_t lo = 0, hi = q->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strcmp(q->v[mid].name, name) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const char *get(const struct query *q, const char *fmt, va_list ap)
{
	char name[NAME_MAX_LEN];
	size_t at;

	vsnprintf(name, sizeof(name), fmt, ap);
	at = lower_bound(q, name);
	return at < q->n && streq(q->v[at].name, name) ? q->v[at].value : NULL;
}

const char *query_get(const struct query *q, const char *fmt, ...)
{
	const char *v;
	va_list ap;

	va_start(ap, fmt);
	v = get(q, fmt, ap);
	va_end(ap);
	return v;
}

const char *query_val(const struct query *q, const char *fmt, ...)
{
	const char *v;
	va_list ap;

	va_start(ap, fmt);
	v = get(q, fmt, ap);
	va_end(ap);
	return v && *v ? v : NULL;
}

bool query_any(const struct query *q, const char *fmt, ...)
{
	char name[NAME_MAX_LEN];
	va_list ap;
	size_t at, n;

	va_start(ap, fmt);
	vsnprintf(name, sizeof(name) - 1, fmt, ap);
	va_end(ap);
	n = strlen(name);
	at = lower_bound(q, name);
	if (at < q->n && streq(q->v[at].name, name))
		return true;
	name[n] = '.';
	name[n + 1] = '\0';
	at = lower_bound(q, name);
	return at < q->n && starts_with(q->v[at].name, name);
}
