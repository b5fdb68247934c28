/* Evaluation of HCL expressions.
 *
 *	struct eval e = { .arena = a, .diags = d, .scope = &scope, .funcs = func_groups };
 *	if (eval_expr(&e, x, &v) < 0) …		the mistakes are in d
 *
 * Evaluation goes on after a mistake, so that all of an expression's mistakes are reported. What
 * depends on a value that is not known yet is unknown, never a guess. A diagnostic carries the
 * values that took part (diag.values), sensitive ones hidden. Trees are constant: one may be
 * evaluated by many threads, each with its own struct eval.
 */
#ifndef INGOT_LANG_EXPR_EVAL_H
#define INGOT_LANG_EXPR_EVAL_H

#include "base/arena.h"
#include "base/diag.h"
#include "lang/expr/func.h"
#include "lang/expr/value.h"
#include "lang/hcl/tree.h"

/* Names by which expressions reach values: var, local, build, a for expression's own… Inner hides
 * outer. */
struct eval_scope {
	const struct eval_scope *up;
	const struct value_attr *v;
	size_t n;
};

struct eval {
	struct arena *arena;
	struct diags *diags;
	const struct eval_scope *scope;
	const struct func_group *const *funcs; /* NULL: func_groups */
	/* Functions that fetch secrets tell them before they return them; NULL: nobody listens. */
	void (*on_secret)(void *data, const char *secret);
	void *secret_data;
	const char *dir;     /* relative paths of files start here; NULL: the working directory */
	int64_t now_ms;	     /* start of the run, Unix time */
	const char *subject; /* diag.subject of what is reported, or NULL */
	/* The evaluator's own: */
	unsigned depth;
	uint64_t steps; /* expressions evaluated so far */
	bool exhausted; /* a ceiling was reached and reported: nothing more is evaluated */
	bool telling;	/* values are collected for a diagnostic: their own mistakes need none */
};

/* Ceilings, each with an error that says so. Depth is that of expressions in one another, and
 * bounds the stack. */
#define EVAL_DEPTH_MAX 1000
#define EVAL_STEPS_MAX 50000000
#define EVAL_MEMORY_MAX ((size_t)1 << 30)

/* 0; or -1 with at least one error in e->diags, and *ret unknown. */
int eval_expr(struct eval *e, const struct hcl_expr *x, struct value *ret);
/* The same, converted to a type; a mismatch is an error at the expression. */
int eval_expr_as(struct eval *e, const struct hcl_expr *x, const struct type *want,
		 struct value *ret);
/* A type constraint (`list(string)`, `object({a = optional(number, 1)})`; legacy keywords are the
 * caller's). */
int eval_type(struct eval *e, const struct hcl_expr *x, const struct type **ret);
/* The same where optional() takes a type alone: convert(). */
int eval_type_plain(struct eval *e, const struct hcl_expr *x, const struct type **ret);
/* The values that took part in x are told with a diagnostic of the caller's. */
void eval_tell_values(struct eval *e, struct diag *g, const struct hcl_expr *x);
/* Only literals, no names or functions: the value of a tree that must be constant. */
bool eval_is_constant(const struct hcl_expr *x);

#endif
