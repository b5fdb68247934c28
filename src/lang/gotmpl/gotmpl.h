/* The {{ … }} language: Go's text/template as templates use it, parsed once, rendered any time.
 *
 * Who renders says which functions exist (a sorted table) and what the dot is. The result can be
 * "unknown" when a function says that its value is not to be had yet (`build` during validate).
 */
#ifndef INGOT_LANG_GOTMPL_GOTMPL_H
#define INGOT_LANG_GOTMPL_GOTMPL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "lang/expr/value.h"

struct gotmpl;
struct gotmpl_env;

/* A function gets its evaluated arguments (a piped one is last). Error text has no context; the
 * engine adds `function "x"` and the place. */
typedef int gotmpl_fn(struct gotmpl_env *env, const struct value *args, size_t nargs, struct value *ret,
		      struct err *err);
struct gotmpl_func {
	const char *name;
	int min_args, max_args; /* max -1: any number */
	gotmpl_fn *call;
};

struct gotmpl_env {
	struct arena *arena;		 /* results live here */
	const struct gotmpl_func *funcs; /* the caller's; built-in ones (eq, printf, …) are always there */
	size_t nfuncs;
	struct value dot;  /* object or null */
	bool missing_is_text; /* a field the dot lacks renders "<no value>" instead of being an error */
	void *data;	      /* for the caller's functions */
};

/* True if the text can hold an action at all; without "{{" rendering is the identity. */
bool gotmpl_has_actions(struct str text);
int gotmpl_parse(struct arena *a, struct str text, struct gotmpl **ret, struct err *err) MUST_USE;
/* Errors: ERR_INVALID, with the byte offset within the template in err->os. */
int gotmpl_render(const struct gotmpl *t, struct gotmpl_env *env, struct buf *out, struct err *err) MUST_USE;
/* Both at once, result in env->arena. */
int gotmpl_render_text(struct gotmpl_env *env, struct str text, struct str *ret, struct err *err) MUST_USE;

#endif
