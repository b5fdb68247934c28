/* Numbers of the template languages: binary floats of 512 bits (as HCL has them), kept in an arena.
 *
 * The significand lives in the arena too, so that a number needs no release. Treat v as constant: a
 * number may be shared by threads.
 *
 * Not all have 512 bits: counts and indices have 64, and what the machine's own floats made (log,
 * pow) has 53, which shows in the shortest text (pow(2, 100)) and in their quotient. The result of
 * an operation has the larger precision of its operands: mpfr_get_prec(). (Fact: the reference's
 * value library.)
 */
#ifndef INGOT_LANG_EXPR_NUMBER_H
#define INGOT_LANG_EXPR_NUMBER_H

#include "base/arena.h"
#include "base/str.h"

#include <mpfr.h>

#define NUMBER_BITS 512
#define NUMBER_BITS_COUNT 64
#define NUMBER_BITS_DOUBLE 53

struct number {
	mpfr_t v;
};

/* A new number of value 0, to be filled in by its maker and left alone from then on. */
struct number *number_new(struct arena *a);
struct number *number_new_bits(struct arena *a, mpfr_prec_t bits);
/* Decimal text as JSON and HCL write it ("-2.5e3"); NULL if it is none. An exponent of more than
 * four digits is refused: nobody means it, and its text would fill the memory. */
const struct number *number_parse(struct arena *a, struct str text);
/* What may stand in a text that is to become a number: the same, a plus sign, a point with digits
 * on one side only, a binary exponent ("1p3"), and Inf. NULL if it is none of these. */
const struct number *number_parse_text(struct arena *a, struct str text);
/* The shortest decimal text that reads back as the same number, without an exponent; "+Inf",
 * "-Inf". */
struct str number_text(struct arena *a, const struct number *n);
/* Equal as HCL has it: their texts are (1/3 * 3 == 1). Comparing by size is another thing:
 * mpfr_cmp(). */
bool number_equal(const struct number *x, const struct number *y);

#endif
