/* Numbers: MPFR floats whose significand is in the arena. */
#include "lang/expr/number.h"

#define EXPONENT_DIGITS_MAX 4

struct number *number_new_bits(struct arena *a, mpfr_prec_t bits)
{
	struct number *n = arena_new_obj(a, struct number);
	void *significand = arena_alloc(a, mpfr_custom_get_size(bits));

	mpfr_custom_init(significand, bits);
	mpfr_custom_init_set(n->v, MPFR_ZERO_KIND, 0, bits, significand);
	return n;
}

struct number *number_new(struct arena *a)
{
	return number_new_bits(a, NUMBER_BITS);
}

/* -?digits(.digits)?([eE][+-]?digits)? : what JSON has, with leading zeros allowed. */
static bool is_decimal(struct str s)
{
	size_t i = 0, from;

	i += i < s.n && s.p[i] == '-';
	for (from = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
		i++;
	if (i == from)
		return false;
	if (i < s.n && s.p[i] == '.') {
		for (from = ++i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == from)
			return false;
	}
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		i += i < s.n && (s.p[i] == '+' || s.p[i] == '-');
		for (from = i; i < s.n && s.p[i] >= '0' && s.p[i] <= '9';)
			i++;
		if (i == from || i - from > EXPONENT_DIGITS_MAX)
			return false;
	}
	return i == s.n;
}

const struct number *number_parse(struct arena *a, struct str text)
{
	struct number *n;

	if (!is_decimal(text))
		return NULL;
	n = number_new(a);
	if (mpfr_set_str(n->v, arena_strndup(a, text.p, text.n), 10, MPFR_RNDN) < 0)
		return NULL;
	return n;
}

/* One or more digits from *i on, or none where that is allowed; returns how many. */
static size_t digits_at(struct str s, size_t *i)
{
	size_t from = *i;

	while (*i < s.n && s.p[*i] >= '0' && s.p[*i] <= '9')
		(*i)++;
	return *i - from;
}

const struct number *number_parse_text(struct arena *a, struct str text)
{
	bool signed_ = text.n && (*text.p == '+' || *text.p == '-');
	struct str s = str_slice(text, signed_, text.n);
	size_t i = 0, mantissa, to;
	bool binary = false;
	int64_t exponent = 0;
	struct number *n = number_new(a);

	if (str_eqs(s, "Inf") || str_eqs(s, "inf")) {
		mpfr_set_inf(n->v, signed_ && *text.p == '-' ? -1 : 1);
		return n;
	}
	mantissa = digits_at(s, &i);
	if (i < s.n && s.p[i] == '.') {
		i++;
		mantissa += digits_at(s, &i);
	}
	to = i;
	if (i < s.n && (s.p[i] == 'e' || s.p[i] == 'E' || s.p[i] == 'p')) {
		bool minus = false;
		size_t from;

		binary = s.p[i++] == 'p';
		if (i < s.n && (s.p[i] == '+' || s.p[i] == '-'))
			minus = s.p[i++] == '-';
		from = i;
		if (!digits_at(s, &i) || i - from > EXPONENT_DIGITS_MAX ||
		    !parse_i64(str_slice(s, from, i), &exponent))
			return NULL;
		exponent = minus ? -exponent : exponent;
	}
	if (!mantissa || i != s.n)
		return NULL;
	if (binary) {
		mpfr_set_str(n->v, arena_strndup(a, s.p, to), 10, MPFR_RNDN);
		mpfr_mul_2si(n->v, n->v, (long)exponent, MPFR_RNDN);
	} else {
		mpfr_set_str(n->v, arena_strndup(a, s.p, s.n), 10, MPFR_RNDN);
	}
	if (signed_ && *text.p == '-')
		mpfr_neg(n->v, n->v, MPFR_RNDN);
	return n;
}

/* The digits of a whole number that its precision holds to the last one, which are also its
 * shortest. */
static struct str whole_text(struct arena *a, const struct number *n)
{
	char *out;
	mpz_t z;

	if (mpfr_fits_slong_p(n->v, MPFR_RNDN))
		return str_from(arena_printf(a, "%ld", mpfr_get_si(n->v, MPFR_RNDN)));
	mpz_init(z);
	mpfr_get_z(z, n->v, MPFR_RNDN);
	out = arena_alloc(a, mpz_sizeinbase(z, 10) + 2);
	mpz_get_str(out, 10, z);
	mpz_clear(z);
	return str_from(out);
}

/* Decimal digits (and their exponent) that always read back as n, with room for the sign. */
static size_t digits_max(const struct number *n)
{
	return (size_t)mpfr_get_prec(n->v) * 30103 / 100000 + 3;
}

/* Whether the text stands for n: it reads back as n or, as the reference has it for powers of two,
 * whose lower neighbour is nearer than the upper one, it is no farther off than half the way to the
 * upper one. */
static bool stands_for(const char *text, const struct number *n)
{
	mpfr_prec_t bits = mpfr_get_prec(n->v);
	bool power = mpfr_min_prec(n->v) == 1, ret;
	mpfr_t back;

	mpfr_init2(back, power ? 2 * bits + 64 : bits);
	mpfr_set_str(back, text, 10, MPFR_RNDN);
	if (power) {
		mpfr_sub(back, back, n->v, MPFR_RNDN);
		/* in half units of the last bit */
		mpfr_mul_2si(back, back, (long)(bits + 1 - mpfr_get_exp(n->v)), MPFR_RNDN);
		ret = mpfr_cmpabs_ui(back, 1) <= 0;
	} else {
		ret = mpfr_equal_p(back, n->v);
	}
	mpfr_clear(back);
	return ret;
}

/* Fewest decimal digits that stand for n: more are never worse, so halving finds it. */
static size_t shortest_digits(struct arena *a, const struct number *n)
{
	size_t low = 2, high = digits_max(n);
	char *digits = arena_alloc(a, high + 4), *text = arena_alloc(a, high + 32);

	while (low < high) {
		size_t mid = (low + high) / 2;
		mpfr_exp_t exp;
		bool negative;

		mpfr_get_str(digits, &exp, 10, mid, n->v, MPFR_RNDN);
		negative = digits[0] == '-';
		snprintf(text, high + 32, "%s0.%se%ld", negative ? "-" : "", digits + negative,
			 (long)exp);
		if (stands_for(text, n))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

struct str number_text(struct arena *a, const struct number *n)
{
	size_t len, size, pos = 0;
	mpfr_exp_t exp;
	char *out, *d;

	if (mpfr_zero_p(n->v))
		return mpfr_signbit(n->v) ? STR("-0") : STR("0");
	if (!mpfr_number_p(n->v))
		return mpfr_sgn(n->v) < 0 ? STR("-Inf") : STR("+Inf");
	if (mpfr_integer_p(n->v) && mpfr_get_exp(n->v) <= mpfr_get_prec(n->v))
		return whole_text(a, n);
	d = arena_alloc(a, digits_max(n) + 4);
	mpfr_get_str(d, &exp, 10, shortest_digits(a, n), n->v, MPFR_RNDN);
	size = strlen(d) + (size_t)(exp < 0 ? -exp : exp) + 8;
	out = arena_alloc(a, size);
	if (*d == '-')
		out[pos++] = *d++;
	len = strlen(d);
	while (len > 1 && d[len - 1] == '0')
		len--;
	if (exp <= 0) {
		out[pos++] = '0';
		out[pos++] = '.';
		for (; exp < 0; exp++)
			out[pos++] = '0';
		memcpy(out + pos, d, len);
		return (struct str){ out, pos + len };
	}
	for (size_t i = 0; i < len || i < (size_t)exp; i++) {
		if (i == (size_t)exp)
			out[pos++] = '.';
		out[pos++] = i < len ? d[i] : '0';
	}
	return (struct str){ out, pos };
}

/* Whether the two may round to one text: not when they differ by more than the coarser one's last
 * bits. */
static bool nearly_equal(const struct number *x, const struct number *y)
{
	long bits = (long)MIN(mpfr_get_prec(x->v), mpfr_get_prec(y->v)) - 4;
	bool near;
	mpfr_t d;

	mpfr_init2(d, NUMBER_BITS_COUNT);
	mpfr_sub(d, x->v, y->v, MPFR_RNDN);
	near = mpfr_zero_p(d) ||
	       mpfr_get_exp(d) <= MAX(mpfr_get_exp(x->v), mpfr_get_exp(y->v)) - bits;
	mpfr_clear(d);
	return near;
}

bool number_equal(const struct number *x, const struct number *y)
{
	AUTO(arena) struct arena *a = NULL;

	if (mpfr_equal_p(x->v, y->v))
		return true;
	if (!mpfr_regular_p(x->v) || !mpfr_regular_p(y->v) || mpfr_sgn(x->v) != mpfr_sgn(y->v))
		return false;
	if (!nearly_equal(x, y))
		return false;
	a = arena_new();
	return str_eq(number_text(a, x), number_text(a, y));
}
