/* Functions of numbers.
 *
 * log and pow are those of the machine's floats, step by step as the reference's library computes
 * them: another algorithm differs in the last digit, and that digit is shown. */
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/number.h"

#include <math.h>

#define RANGE_MAX 1024
#define PARSEINT_DIGITS_MAX 100000

static struct value value_of(const struct number *n, struct span span)
{
	return (struct value){ .kind = VALUE_NUMBER, .span = span, .number = n };
}

static struct value value_double(struct func_call *c, double d)
{
	struct number *n = number_new_bits(c->arena, NUMBER_BITS_DOUBLE);

	mpfr_set_d(n->v, d, MPFR_RNDN);
	return value_of(n, c->span);
}

/* A number as a machine float; digits get lost, but it must not become infinite. */
static int arg_double(struct func_call *c, const struct value *args, int i, double *ret,
		      struct err *err)
{
	double d = mpfr_get_d(args[i].number->v, MPFR_RNDN);

	if (isinf(d) && !mpfr_inf_p(args[i].number->v))
		return arg_error(c, i, err,
				 "a number between -1.7976931348623157e+308 and "
				 "1.7976931348623157e+308 is needed");
	*ret = d;
	return 0;
}

static int fn_abs(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err UNUSED)
{
	struct number *n = number_new_bits(c->arena, mpfr_get_prec(args[0].number->v));

	mpfr_abs(n->v, args[0].number->v, MPFR_RNDN);
	*ret = value_of(n, c->span);
	return 0;
}

/* Rounds in one direction; a negative fraction gives plain zero. */
static void round_to(struct func_call *c, struct value arg, mpfr_rnd_t direction, struct value *ret)
{
	struct number *n = number_new_bits(c->arena, mpfr_get_prec(arg.number->v));

	mpfr_rint(n->v, arg.number->v, direction);
	if (mpfr_zero_p(n->v))
		mpfr_set_zero(n->v, 1);
	*ret = value_of(n, c->span);
}

static int fn_ceil(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err UNUSED)
{
	round_to(c, args[0], MPFR_RNDU, ret);
	return 0;
}

static int fn_floor(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err UNUSED)
{
	round_to(c, args[0], MPFR_RNDD, ret);
	return 0;
}

/* The natural logarithm by the classic series in s = f / (2 + f), where x = 2^k (1 + f): less exact
 * than the C library's in the last bit, and what the reference shows. (Fact: Go's math.Log.) */
static double natural_log(double x)
{
	static const double odd[] = { 6.666666666666735130e-01, 2.857142874366239149e-01,
				      1.818357216161805012e-01, 1.479819860511658591e-01 };
	static const double even[] = { 3.999999999940941908e-01, 2.222219843214978396e-01,
				       1.531383769920937332e-01 };
	const double ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
	double f, k, s, s2, s4, r, half;
	int exponent;

	if (!(x > 0) || isinf(x))
		return log(x);
	f = frexp(x, &exponent);
	if (f < M_SQRT1_2) {
		f *= 2;
		exponent--;
	}
	f -= 1;
	k = exponent;
	s = f / (2 + f);
	s2 = s * s;
	s4 = s2 * s2;
	r = s2 * (odd[0] + s4 * (odd[1] + s4 * (odd[2] + s4 * odd[3])));
	r += s4 * (even[0] + s4 * (even[1] + s4 * even[2]));
	half = 0.5 * f * f;
	return k * ln2_high - ((half - (s * (half + r) + k * ln2_low)) - f);
}

static int fn_log(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	double num = 0, base = 0, result;

	if (arg_double(c, args, 0, &num, err) < 0 || arg_double(c, args, 1, &base, err) < 0)
		return -1;
	result = natural_log(num) / natural_log(base);
	if (isnan(result))
		return err_set(err, ERR_INVALID,
			       "the logarithm of that number to that base is no number");
	*ret = value_double(c, result);
	return 0;
}

/* e to the x, for x that are small enough: a power of two apart, the rest by its series for a
 * sixteenth, squared four times, with fused operations. (Fact: Go's math.Exp on amd64, after N.
 * Shibata.) */
static double natural_exp(double x)
{
	static const double series[] = {
		1 / 5040.0, 1 / 720.0, 1 / 120.0, 1 / 24.0, 1 / 6.0, 0.5, 1
	};
	double k = nearbyint(M_LOG2E * x), r, p = 1 / 40320.0;

	r = fma(-k, 0.69314718055966295651160180568695068359375, x);
	r = fma(-k, 0.28235290563031577122588448175013436025525412068e-12, r);
	r *= 0.0625;
	for (size_t i = 0; i < ARRAY_LEN(series); i++)
		p = fma(p, r, series[i]);
	r *= p;
	for (int i = 0; i < 3; i++)
		r *= r + 2;
	return ldexp(fma(r + 2, r, 1), (int)k);
}

/* x to a whole power by squaring, with the exponent of two kept apart; then the rest of the power.
 * (Fact: Go's math.Pow.) */
static double power(double x, double y)
{
	double whole, part = modf(fabs(y), &whole), result = 1, m;
	int exponent = 0, e;

	if (x == 0 || x == 1 || y == 0 || y == 1 || !isfinite(x) || !isfinite(y) || whole >= 0x1p63)
		return pow(x, y);
	if (y == 0.5)
		return sqrt(x);
	if (y == -0.5)
		return 1 / sqrt(x);
	if (part != 0 && x < 0)
		return NAN;
	if (part > 0.5) {
		part -= 1;
		whole += 1;
	}
	if (part != 0)
		result = natural_exp(part * natural_log(x));
	m = frexp(x, &e);
	for (uint64_t i = (uint64_t)whole; i; i >>= 1) {
		if (e < -4096 || e > 4096) { /* far out of range already */
			exponent += e;
			break;
		}
		if (i & 1) {
			result *= m;
			exponent += e;
		}
		m *= m;
		e *= 2;
		if (m < 0.5) {
			m += m;
			e--;
		}
	}
	return y < 0 ? ldexp(1 / result, -exponent) : ldexp(result, exponent);
}

static int fn_pow(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	double num = 0, exponent = 0, result;

	if (arg_double(c, args, 0, &num, err) < 0 || arg_double(c, args, 1, &exponent, err) < 0)
		return -1;
	result = power(num, exponent);
	if (isnan(result))
		return arg_error(c, 1, err,
				 "a negative number has no power that is no whole number");
	*ret = value_double(c, result);
	return 0;
}

static int pick(const struct value *args, size_t nargs, int sign, struct value *ret,
		struct err *err)
{
	size_t best = 0;

	if (!nargs)
		return err_set(err, ERR_INVALID, "at least one number is needed");
	for (size_t i = 1; i < nargs; i++)
		if (mpfr_cmp(args[i].number->v, args[best].number->v) * sign > 0)
			best = i;
	*ret = args[best];
	return 0;
}

static int fn_max(struct func_call *c UNUSED, const struct value *args, size_t nargs,
		  struct value *ret, struct err *err)
{
	return pick(args, nargs, 1, ret, err);
}

static int fn_min(struct func_call *c UNUSED, const struct value *args, size_t nargs,
		  struct value *ret, struct err *err)
{
	return pick(args, nargs, -1, ret, err);
}

static int fn_signum(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		     struct value *ret, struct err *err)
{
	int64_t n;

	if (arg_int(c, args, 0, &n, err) < 0)
		return -1;
	*ret = value_i64(c->arena, (n > 0) - (n < 0), c->span);
	return 0;
}

/* The digit's value, or 99. Up to base 36 letters mean the same in both cases; beyond, small ones
 * come first. */
static int digit(char d, int64_t base)
{
	if (d >= '0' && d <= '9')
		return d - '0';
	if (d >= 'a' && d <= 'z')
		return d - 'a' + 10;
	if (d >= 'A' && d <= 'Z')
		return d - 'A' + (base <= 36 ? 10 : 36);
	return 99;
}

/* False if the text is no whole number of that base. */
static bool parse_whole(mpz_t z, struct str text, int64_t base)
{
	/* Digits as GMP wants them: beyond base 36 it has capitals first. */
	static const char gmp[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	AUTO(buf) struct buf digits = BUF_INIT;
	bool negative = text.n && text.p[0] == '-';

	if (text.n && (negative || text.p[0] == '+'))
		text = str_slice(text, 1, text.n);
	if (!text.n || text.n > PARSEINT_DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		int d = digit(text.p[i], base);

		if (d >= base)
			return false;
		buf_addc(&digits, gmp[d]);
	}
	if (mpz_set_str(z, buf_cstr(&digits), (int)base) < 0)
		return false;
	if (negative)
		mpz_neg(z, z);
	return true;
}

static int fn_parseint(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		       struct value *ret, struct err *err)
{
	struct number *n;
	int64_t base;
	mpz_t z;

	if (type_of(c->arena, args[0])->kind != TYPE_STRING)
		return arg_error(c, 0, err, "a string is needed, not %s", arg_type(c, args[0]));
	if (args[0].kind == VALUE_UNKNOWN || args[1].kind == VALUE_UNKNOWN) {
		*ret = value_unknown_of(&type_number, c->span);
		return 0;
	}
	if (arg_int(c, args, 1, &base, err) < 0)
		return -1;
	if (base < 2 || base > 62)
		return arg_error(c, 1, err, "the base must be a whole number from 2 to 62");
	mpz_init(z);
	if (!parse_whole(z, args[0].string, base)) {
		mpz_clear(z);
		return arg_error(c, 0, err, "\"" STR_FMT "\" is no whole number of base %d",
				 ARG_TEXT(args[0]), (int)base);
	}
	n = number_new_bits(c->arena,
			    (mpfr_prec_t)MAX(mpz_sizeinbase(z, 2), (size_t)NUMBER_BITS_COUNT));
	mpfr_set_z(n->v, z, MPFR_RNDN);
	mpz_clear(z);
	*ret = value_of(n, c->span);
	return 0;
}

static const struct number *add(struct func_call *c, const struct number *x, const struct number *y)
{
	struct number *n = number_new_bits(c->arena, MAX(mpfr_get_prec(x->v), mpfr_get_prec(y->v)));

	mpfr_add(n->v, x->v, y->v, MPFR_RNDN);
	return n;
}

/* Whether a range that goes down or up is over at x. */
static bool range_over(const struct number *x, const struct number *end, bool down)
{
	return down ? mpfr_lessequal_p(x->v, end->v) : mpfr_greaterequal_p(x->v, end->v);
}

static int fn_range(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		    struct err *err)
{
	const struct number *start, *end, *step;
	struct value v[RANGE_MAX];
	size_t n = 0;
	bool down;

	if (nargs < 1 || nargs > 3)
		return err_set(err, ERR_INVALID, "one, two or three numbers are needed, not %zu",
			       nargs);
	start = nargs == 1 ? value_i64(c->arena, 0, c->span).number : args[0].number;
	end = args[nargs == 1 ? 0 : 1].number;
	step = nargs == 3 ? args[2].number
			  : value_i64(c->arena, mpfr_less_p(end->v, start->v) ? -1 : 1, c->span)
				    .number;
	down = mpfr_sgn(step->v) < 0;
	if (down && mpfr_greater_p(end->v, start->v))
		return arg_error(c, 1, err, "with a negative step the end must be below the start");
	if (!down && mpfr_less_p(end->v, start->v))
		return arg_error(c, 1, err, "with a positive step the end must be above the start");
	for (; !range_over(start, end, down); start = add(c, start, step)) {
		if (mpfr_zero_p(step->v))
			return arg_error(c, 2, err, "a step of zero never reaches the end");
		if (n == RANGE_MAX)
			return err_set(err, ERR_INVALID,
				       "that would be more than %d numbers: choose a larger step, "
				       "or an end nearer to the start",
				       RANGE_MAX);
		v[n++] = value_of(start, c->span);
	}
	*ret = value_list(c->arena, &type_number, v, n, c->span);
	return 0;
}

static int fn_sum(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	const struct number *total = NULL;

	if (args[0].kind != VALUE_UNKNOWN && !value_is_seq(args[0]))
		return arg_error(c, 0, err, "a list, set or tuple of numbers is needed, not %s",
				 arg_type(c, args[0]));
	if (value_has_unknown(args[0])) {
		*ret = value_unknown_of(&type_number, c->span);
		return 0;
	}
	if (!args[0].seq->n)
		return arg_error(c, 0, err, "an empty list has no sum");
	for (size_t i = 0; i < args[0].seq->n; i++) {
		AUTO(err) struct err why = ERR_INIT;
		struct value v;

		if (args[0].seq->v[i].kind == VALUE_NULL)
			return arg_error(c, 0, err, "element %zu is null, where a number is needed",
					 i);
		if (value_convert(c->arena, args[0].seq->v[i], &type_number, &v, &why) < 0)
			return arg_error(c, 0, err, "element %zu: %s", i, why.msg);
		total = total ? add(c, total, v.number) : v.number;
		if (mpfr_nan_p(total->v))
			return err_set(err, ERR_INVALID, "infinity and minus infinity have no sum");
	}
	*ret = value_of(total, c->span);
	return 0;
}

static const struct func_param num_params[] = { { "num", &type_number } };
static const struct func_param log_params[] = { { "num", &type_number }, { "base", &type_number } };
static const struct func_param pow_params[] = { { "num", &type_number },
						{ "power", &type_number } };
static const struct func_param numbers_params[] = { { "numbers", &type_number } };
static const struct func_param parseint_params[] = { { "number", &type_any, PARAM_UNKNOWN },
						     { "base", &type_number, PARAM_UNKNOWN } };
static const struct func_param range_params[] = { { "params", &type_number } };
static const struct func_param sum_params[] = { { "list", &type_any, PARAM_UNKNOWN } };

static const struct func_example abs_examples[] = { { "abs(-12.4)", "12.4" }, { "abs(3)", "3" } };
static const struct func_example ceil_examples[] = { { "ceil(5.1)", "6" }, { "ceil(-1.2)", "-1" } };
static const struct func_example floor_examples[] = { { "floor(4.9)", "4" },
						      { "floor(-1.2)", "-2" } };
static const struct func_example log_examples[] = { { "log(50, 10)", "1.6989700043360185" },
						    { "log(16, 2)", "4" },
						    { "ceil(log(15, 2))", "4" } };
static const struct func_example max_examples[] = { { "max(12, 54, 3)", "54" },
						    { "max([12, 54, 3]...)", "54" } };
static const struct func_example min_examples[] = { { "min(12, 54, 3)", "3" },
						    { "min([12, 54, 3]...)", "3" } };
static const struct func_example parseint_examples[] = { { "parseint(\"100\", 10)", "100" },
							 { "parseint(\"ff\", 16)", "255" },
							 { "parseint(\"-1011\", 2)", "-11" } };
static const struct func_example pow_examples[] = { { "pow(3, 2)", "9" },
						    { "pow(4, 0.5)", "2" },
						    { "pow(2, -1)", "0.5" } };
static const struct func_example range_examples[] = { { "range(3)", "[0,1,2]" },
						      { "range(1, 4)", "[1,2,3]" },
						      { "range(10, 0, -4)", "[10,6,2]" } };
static const struct func_example signum_examples[] = { { "signum(-13)", "-1" },
						       { "signum(0)", "0" },
						       { "signum(344)", "1" } };
static const struct func_example sum_examples[] = { { "sum([10, 13, 6.5])", "29.5" },
						    { "sum([\"1\", 2])", "3" } };

static const struct func rows[] = {
	{ "abs", num_params, 1, .returns = &type_number, .call = fn_abs,
	  .doc = "The number without its sign.", FUNC_EXAMPLES(abs_examples) },
	{ "ceil", num_params, 1, .returns = &type_number, .call = fn_ceil,
	  .doc = "The nearest whole number that is not below the given one.",
	  FUNC_EXAMPLES(ceil_examples) },
	{ "floor", num_params, 1, .returns = &type_number, .call = fn_floor,
	  .doc = "The nearest whole number that is not above the given one.",
	  FUNC_EXAMPLES(floor_examples) },
	{ "log", log_params, 2, .returns = &type_number, .call = fn_log,
	  .doc = "The logarithm of a number to a base, with the 53 bits of a machine's float.",
	  FUNC_EXAMPLES(log_examples) },
	{ "max", numbers_params, 1, FUNC_VARIADIC, &type_number, fn_max,
	  .doc = "The greatest of the numbers. A list is spread over the arguments with `...`.",
	  FUNC_EXAMPLES(max_examples) },
	{ "min", numbers_params, 1, FUNC_VARIADIC, &type_number, fn_min,
	  .doc = "The smallest of the numbers. A list is spread over the arguments with `...`.",
	  FUNC_EXAMPLES(min_examples) },
	{ "parseint", parseint_params, 2, .returns = &type_number, .call = fn_parseint,
	  .doc = "Reads a whole number from text in a base from 2 to 62. Up to base 36 capital "
		 "and small letters are the same digits; beyond, small letters come before "
		 "capitals. A sign may stand in front, a prefix such as `0x` may not.",
	  FUNC_EXAMPLES(parseint_examples) },
	{ "pow", pow_params, 2, .returns = &type_number, .call = fn_pow,
	  .doc = "A number to a power, with the 53 bits of a machine's float.",
	  FUNC_EXAMPLES(pow_examples) },
	{ "range", range_params, 1, FUNC_VARIADIC, &type_list_number, fn_range,
	  .doc = "A list of numbers: `range(END)`, `range(START, END)` or `range(START, END, "
		 "STEP)`. The end itself is never in it. Without a step it is 1, or -1 where the "
		 "end is below the start. At most 1024 numbers.",
	  FUNC_EXAMPLES(range_examples) },
	{ "signum", num_params, 1, .returns = &type_number, .call = fn_signum,
	  .doc = "-1, 0 or 1: the sign of a whole number.", FUNC_EXAMPLES(signum_examples) },
	{ "sum", sum_params, 1, .returns = &type_number, .call = fn_sum,
	  .doc = "The sum of the numbers in a list, set or tuple, which must not be empty.",
	  FUNC_EXAMPLES(sum_examples) },
};

const struct func_group func_group_number = { "Numbers", rows, ARRAY_LEN(rows) };
