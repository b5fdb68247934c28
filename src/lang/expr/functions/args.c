/* What the functions' C bodies share: errors that name an argument, whole numbers. */
#include "lang/expr/functions/args.h"

#include "lang/expr/eval.h"
#include "lang/expr/inner.h"

int arg_error(struct func_call *c, int arg, struct err *err, const char *fmt, ...)
{
	va_list ap;

	c->bad_arg = arg;
	va_start(ap, fmt);
	err_vset(err, ERR_INVALID, fmt, ap);
	va_end(ap);
	return -1;
}

int arg_int(struct func_call *c, const struct value *args, int i, int64_t *ret, struct err *err)
{
	if (value_as_i64(args[i], ret))
		return 0;
	return arg_error(c, i, err, "a whole number between %lld and %lld is needed",
			 (long long)INT64_MIN, (long long)INT64_MAX);
}

int arg_memory(const struct func_call *c, size_t more, struct err *err)
{
	if (arena_size(c->arena) + more <= EVAL_MEMORY_MAX)
		return 0;
	return err_set(err, ERR_INVALID, "the result would take more than %zu MiB of memory",
		       EVAL_MEMORY_MAX >> 20);
}

const char *arg_type(struct func_call *c, struct value v)
{
	return arena_str(c->arena, type_phrase(c->arena, type_of(c->arena, v))).p;
}

bool args_unknown(const struct value *args, size_t nargs)
{
	for (size_t i = 0; i < nargs; i++)
		if (args[i].kind == VALUE_UNKNOWN)
			return true;
	return false;
}

struct value args_wait(struct func_call *c, const struct value *args, size_t nargs,
		       const struct type *type)
{
	struct value v = value_unknown_of(type, c->span);

	for (size_t i = 0; i < nargs; i++)
		v = arg_marked(v, args[i].sensitive);
	return v;
}

const struct type *arg_elem_type(struct func_call *c, struct value v)
{
	const struct type *t = type_of(c->arena, v);

	return t->elem ? t->elem : &type_any;
}
