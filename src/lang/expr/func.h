/* Functions of the expression language: rows of tables, with their docs and examples.
 *
 *	static const struct func_param upper_params[] = { { "str", &type_string } };
 *	static const struct func_example upper_examples[] = { { "upper(\"Ünï\")", "\"ÜNÏ\"" } };
 *	{ "upper", upper_params, 1, .returns = &type_string, .call = fn_upper,
 *	  .doc = "Turns all letters into capitals.", FUNC_EXAMPLES(upper_examples) },
 *
 * The caller (lang/expr/call.c) counts the arguments, converts each to its parameter's type,
 * refuses null, answers unknown for unknown, takes the marks off and puts them on the result: a
 * row's flags say where not. A C function therefore sees plain values of the right type. Docs,
 * completion and the test of the examples read the same rows. Functions are pure but for those of
 * files, time and servers.
 */
#ifndef INGOT_LANG_EXPR_FUNC_H
#define INGOT_LANG_EXPR_FUNC_H

#include "base/err.h"
#include "lang/expr/type.h"
#include "lang/expr/value.h"

struct eval;
struct hcl_expr;

enum func_param_flags {
	PARAM_NULL = 1 << 0,	/* null may come */
	PARAM_UNKNOWN = 1 << 1, /* unknown may come, also inside a collection; else the result is
				 * unknown */
	PARAM_MARKED = 1 << 2,	/* marks stay on: the function carries them to its result itself */
	PARAM_DYNAMIC = 1 << 3, /* a null or unknown of no known type may come (to a parameter of
				 * type any, with PARAM_NULL or PARAM_UNKNOWN); else the result is
				 * unknown: format("%v", null) is */
	/* Elements may be either, and the function sees to the whole. */
	PARAM_INSIDE = PARAM_UNKNOWN | PARAM_MARKED,
};

struct func_param {
	const char *name;
	const struct type *type;
	unsigned flags;
};

struct func_example {
	const char *expr;
	const char *result; /* as jsonencode gives it; NULL: that depends on time or chance */
};

/* One call on its way. */
struct func_call {
	struct arena *arena;
	struct eval *eval; /* scope, directory, time, other functions */
	const struct func *func;
	struct span span;	       /* of the whole call */
	struct hcl_expr *const *exprs; /* the arguments unevaluated, for FUNC_LAZY */
	size_t nexprs;
	int bad_arg; /* out, on failure: the argument to blame; stays -1: the call */
};

/* 0, or -1 with err (ERR_INVALID mostly; its message is shown after the function's and argument's
 * name). */
typedef int func_fn(struct func_call *c, const struct value *args, size_t nargs, struct value *ret,
		    struct err *err);

enum func_flags {
	FUNC_VARIADIC = 1 << 0,	 /* the last parameter may come any number of times, also none */
	FUNC_LAZY = 1 << 1,	 /* gets c->exprs and no args: try, can, convert */
	FUNC_UNREFINED = 1 << 2, /* nothing is known of an unknown result; of others, that it is not
				  * null (lang/expr/refine.h; facts: the reference) */
};

struct func {
	const char *name;
	const struct func_param *params;
	size_t nparams;
	unsigned flags;
	const struct type *returns; /* what unknown arguments give unknown of; any: it depends */
	func_fn *call;
	const char *doc; /* our own words, one or more sentences of Markdown */
	const struct func_example *examples;
	size_t nexamples;
};
#define FUNC_EXAMPLES(e) .examples = (e), .nexamples = ARRAY_LEN(e)

/* One file of functions; name heads its part of the docs. */
struct func_group {
	const char *name;
	const struct func *rows;
	size_t n;
};

/* All functions of an environment: NULL-terminated. func_groups has those of lang/expr;
 * command/components.c adds those that ask servers. */
extern const struct func_group *const func_groups[];
const struct func *func_find(const struct func_group *const *groups, struct str name);
/* The nearest name for "did you mean", or NULL. */
const char *func_nearest(const struct func_group *const *groups, const char *name);

#endif
