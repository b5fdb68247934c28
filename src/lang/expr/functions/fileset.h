/* Files by pattern: * ? [a-z] [^a-z] {a,b} inside a name, ** for any number of directories. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_FILESET_H
#define INGOT_LANG_EXPR_FUNCTIONS_FILESET_H

#include "base/err.h"
#include "base/vec.h"

#define FILESET_MAX 100000     /* files of one call */
#define FILESET_DEPTH_MAX 64   /* directories below one another that ** goes down */
#define FILESET_FORMS_MAX 1000 /* patterns that braces may stand for */
#define FILESET_BRACES_MAX 100 /* pairs of braces of one pattern */

struct paths {
	VEC(char *) v;
};
void paths_release(struct paths *p);
DEFINE_AUTO(paths, struct paths, paths_release);

/* The regular files (also behind links) that match, in no order; one may come twice. Directories
 * that cannot be read have none. ERR_INVALID: the pattern is malformed, or matches too much. */
int fileset_find(const char *pattern, struct paths *ret, struct err *err) MUST_USE;

#endif
