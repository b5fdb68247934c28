/* The functions of {{ }} in templates, and what they look at. Both languages have them: HCL2
 * templates use {{ }} in options that are rendered late. */
#ifndef INGOT_TEMPLATE_FUNCTIONS_H
#define INGOT_TEMPLATE_FUNCTIONS_H

#include "base/map.h"
#include "lang/expr/func.h"
#include "lang/gotmpl/gotmpl.h"

struct scope {
	const struct map *variables; /* user: name → char *; NULL: the language has none */
	/* env, vault and consul are allowed; an unset user variable is an error. */
	bool in_variables;
	const char *template_dir;
	const char *build_name, *build_type; /* NULL: not available here */
	const char *component;		     /* type, for functions that some components add */
	int64_t now_ms;			     /* the start of the run */
	/* Those of HCL, for vault and its like; NULL: none. */
	const struct func_group *const *functions;
	void (*on_secret)(void *data, const char *secret); /* told what they fetched; may be NULL */
	void *secret_data;
	/* build: names known before the run (NULL: not available here), and their values at run. */
	const struct map *known;     /* name → anything */
	const struct map *generated; /* name → char *; NULL before the run */
	/* out */
	const char *unset; /* in_variables: the user variable that was missing */
	bool old_clean;	   /* clean_ami_name was called */
};

/* The name of a function, or NULL beyond the last: for completion. */
const char *scope_function(size_t i);

/* Renders text with the scope's functions. 0; 1: *ret holds a stand-in for what only the run knows;
 * -1 with the byte offset in err->os. `check`: only parse, and look the functions up; *ret is the
 * text. */
int scope_render(struct scope *s, struct arena *a, struct value dot, bool check, struct str text,
		 struct str *ret, struct err *err) MUST_USE;

/* Renders until nothing changes any more, as the reference does where {{ }} comes late and for
 * names: a variable may hold {{.Script}}. */
int scope_render_all(struct scope *s, struct arena *a, struct value dot, struct str text,
		     struct str *ret, struct err *err) MUST_USE;

/* The object {{ . }} made of a build's values; at run, those without a value are "no value". */
struct value scope_dot(const struct scope *s, struct arena *a);

#endif
