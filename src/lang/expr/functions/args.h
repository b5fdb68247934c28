/* What the C functions of the function tables share: blaming an argument, and reading whole
 * numbers. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_ARGS_H
#define INGOT_LANG_EXPR_FUNCTIONS_ARGS_H

#include "lang/expr/func.h"

/* Sets err and says which argument (from 0) is to blame; always -1. */
int arg_error(struct func_call *c, int arg, struct err *err, const char *fmt, ...)
	PRINTF_LIKE(4, 5);
/* The whole number that argument is; an error that names the argument where it is none, or beyond
 * 64 bits. */
int arg_int(struct func_call *c, const struct value *args, int i, int64_t *ret,
	    struct err *err) MUST_USE;

/* For loops that make many values: -1, with err, once these and `more` bytes on the heap take more
 * than EVAL_MEMORY_MAX. */
int arg_memory(const struct func_call *c, size_t more, struct err *err) MUST_USE;

#define ARG_TEXT_MAX 80
/* For STR_FMT in messages: a string argument, cut where it is long. */
#define ARG_TEXT(v) (int)MIN((v).string.n, (size_t)ARG_TEXT_MAX), (v).string.p
/* The type of an argument as messages say it: "list of string". */
const char *arg_type(struct func_call *c, struct value v);

/* Whether one of the arguments is unknown itself (what is inside does not count). */
bool args_unknown(const struct value *args, size_t nargs);
/* Unknown of a type, marked as the arguments are: what a PARAM_UNKNOWN function gives where it has
 * to wait. */
struct value args_wait(struct func_call *c, const struct value *args, size_t nargs,
		       const struct type *type);
/* The element type of a list, set or map; the type of any value where it is none. */
const struct type *arg_elem_type(struct func_call *c, struct value v);
/* v with the mark added where `sensitive` is set. */
static inline struct value arg_marked(struct value v, bool sensitive)
{
	return sensitive ? value_mark(v, true) : v;
}

#endif
