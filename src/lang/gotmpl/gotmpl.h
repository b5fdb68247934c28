/* The {{ … }} language: Go's text/template as templates use it, parsed once, rendered any time.
 *
 *	struct gotmpl_env env = { .arena = a, .funcs = funcs, .nfuncs = n, .dot = dot };
 *	if (gotmpl_render_text(&env, STR("packer-{{timestamp}}"), &out, &err) < 0) …
 *
 * Who renders says which functions exist and what the dot is. Values are those of lang/expr: text,
 * numbers, booleans, lists and objects. A field that an object lacks is an error, as of Go's
 * structs; what a map lacks is Go's "no value".
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
 * engine adds the function's name and the place. */
typedef int gotmpl_fn(struct gotmpl_env *env, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err);
struct gotmpl_func {
	const char *name;
	int min_args, max_args; /* max -1: any number */
	gotmpl_fn *call;
};

struct gotmpl_env {
	struct arena *arena; /* results live here */
	/* The caller's; built-in ones (eq, printf, …) are always there. */
	const struct gotmpl_func *funcs;
	size_t nfuncs;
	struct value dot;      /* object or null */
	bool missing_is_error; /* what a map lacks is an error too; else it renders "<no value>" */
	bool placeholder;      /* out: a function gave a stand-in, its value is not to be had yet */
	void *data;	       /* for the caller's functions */
};

/* True if the text can hold an action at all; without "{{" rendering is the identity. */
bool gotmpl_has_actions(struct str text);
/* Errors of all: ERR_INVALID, with the byte offset within the text in err->os. */
int gotmpl_parse(struct arena *a, struct str text, struct gotmpl **ret, struct err *err) MUST_USE;
/* Whether every function that the template names exists in env; renders nothing. */
int gotmpl_check(const struct gotmpl *t, const struct gotmpl_env *env, struct err *err) MUST_USE;
int gotmpl_render(const struct gotmpl *t, struct gotmpl_env *env, struct buf *out,
		  struct err *err) MUST_USE;
/* Parses, checks and renders at once; the result is in env->arena. */
int gotmpl_render_text(struct gotmpl_env *env, struct str text, struct str *ret,
		       struct err *err) MUST_USE;

/* What a text is made of, for those who put templates into another form. */
struct gotmpl_part {
	bool action;
	bool operand;	 /* an action that is one field, variable or constant: it calls nothing */
	struct str text; /* as it comes out; of an action what stands between the braces */
};
/* Errors as gotmpl_parse; ERR_UNSUPPORTED where actions belong together (if, range, variables…). */
int gotmpl_parts(struct arena *a, struct str text, struct gotmpl_part **ret, size_t *ret_n,
		 struct err *err) MUST_USE;

/* Go's text of a value (fmt's %v), as an action prints it. */
void gotmpl_print_value(struct buf *out, struct value v, struct arena *scratch);

#endif
