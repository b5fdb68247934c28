/* Inside the evaluator: eval.c walks the tree, eval_access.c looks into values, eval_ops.c has the
 * operators, eval_choice.c the conditional, eval_for.c loops and splats, call.c functions,
 * eval_tell.c the diagnostics.
 *
 * All of them give a value in any case: unknown after a mistake, which is in the diagnostics then.
 */
#ifndef INGOT_LANG_EXPR_EVALUATE_H
#define INGOT_LANG_EXPR_EVALUATE_H

#include "lang/expr/eval.h"
#include "lang/expr/inner.h"

struct value eval_any(struct eval *e, const struct hcl_expr *x);
/* With the mistakes kept apart, for who decides later whether they count (diags_add). */
struct value eval_apart(struct eval *e, const struct hcl_expr *x, struct diags *apart);

struct value eval_unary(struct eval *e, const struct hcl_expr *x);
struct value eval_binary(struct eval *e, const struct hcl_expr *x);
struct value eval_conditional(struct eval *e, const struct hcl_expr *x);
struct value eval_for(struct eval *e, const struct hcl_expr *x);
struct value eval_splat(struct eval *e, const struct hcl_expr *x);
struct value eval_call(struct eval *e, const struct hcl_expr *x);
/* The texts of a %{for}'s results in a row. */
struct value eval_join(struct eval *e, const struct hcl_expr *x, struct value results);

struct value eval_variable(struct eval *e, const struct hcl_expr *x);
/* Of v, which `of` gave; x is blamed. */
struct value eval_attr(struct eval *e, struct value v, const struct hcl_expr *x);
struct value eval_index(struct eval *e, struct value v, struct value key, const struct hcl_expr *x);

/* An error at a part of `whole` (which may be NULL), with the values that took part in `blamed`
 * (may be NULL). */
struct diag *eval_error(struct eval *e, struct span span, const struct hcl_expr *whole,
			const struct hcl_expr *blamed, const char *summary, ...) PRINTF_LIKE(5, 6);
/* A message of an err as a sentence: a capital first, a full stop. */
const char *eval_sentence(struct eval *e, const char *msg);
/* The names of an object's or map's keys for messages: "a, b, c and 4 more". */
const char *eval_keys(struct eval *e, struct value v);

#endif
