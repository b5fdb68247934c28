/* Option tables: what a component understands, as rows.
 *
 *	struct file_config { char *target; char *content; };
 *	static const struct spec_row file_rows[] = {
 *		SPEC_STR(struct file_config, target, .flags = SPEC_REQUIRED,
 *			 .doc = "Path of the file to write."),
 *		SPEC_STR(struct file_config, content, .doc = "Text to put into it."),
 *	};
 *	const struct spec file_spec = SPEC("file", struct file_config, file_rows);
 *
 * One table drives decoding from both languages, defaults, checks, "did you mean", docs, JSON
 * Schema and redaction. A row whose member has another C type does not compile.
 */
#ifndef INGOT_SPEC_SPEC_H
#define INGOT_SPEC_SPEC_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "lang/expr/value.h"

enum spec_type {
	SPEC_T_STR,	  /* char *; NULL when not given, or given as "" */
	SPEC_T_BOOL,	  /* bool */
	SPEC_T_TRIBOOL,	  /* enum tribool: not given is told apart */
	SPEC_T_INT,	  /* int64_t */
	SPEC_T_DURATION,  /* int64_t nanoseconds; text needs a unit, a bare number is nanoseconds */
	SPEC_T_STRS,	  /* struct strs */
	SPEC_T_INTS,	  /* struct ints */
	SPEC_T_MAP,	  /* struct str_map: string to string, in the order written */
	SPEC_T_BLOCK,	  /* pointer to the sub-spec's struct, NULL when not given */
	SPEC_T_BLOCKS,	  /* struct spec_blocks: zero or more */
	SPEC_T_VALUE,	  /* struct value as it stands */
	SPEC_T_EMBED,	  /* a sub-spec's rows as if they stood here; member is the struct itself */
};

enum spec_flags {
	SPEC_REQUIRED = 1 << 0,
	SPEC_SENSITIVE = 1 << 1,
	SPEC_LATE = 1 << 2,	  /* {{ }} in it is rendered by the component itself, later */
	SPEC_NOT_YET = 1 << 3,	  /* "not yet supported by ingot" when given */
	SPEC_DEPRECATED = 1 << 4, /* `instead` names the new one; still read, with one warning */
	SPEC_HIDDEN = 1 << 5,	  /* not in docs and completion (old names, internals) */
	SPEC_KEY_VALUE = 1 << 6,  /* SPEC_T_MAP as blocks of key/value/name (tag {…} of HCL2) */
	SPEC_OWN = 1 << 7,	  /* ingot's own: Packer has no such option */
};

enum tribool { TRIBOOL_UNSET = 0, TRIBOOL_FALSE, TRIBOOL_TRUE };

struct strs {
	char **v;
	size_t n;
};
struct ints {
	int64_t *v;
	size_t n;
};
struct str_pair {
	char *key, *value;
};
struct str_map {
	struct str_pair *v;
	size_t n;
};
struct spec_blocks {
	void **v; /* each points to the sub-spec's struct */
	size_t n;
};

struct spec;

struct spec_row {
	const char *name;
	enum spec_type type;
	unsigned flags;
	size_t offset;
	const char *def;	    /* default, as text that is decoded like user input */
	int64_t min, max;	    /* SPEC_T_INT and SPEC_T_DURATION; ignored when equal */
	const char *const *choices; /* SPEC_T_STR; NULL-terminated */
	const char *instead;	    /* SPEC_DEPRECATED: the option's new name */
	const struct spec *sub;	    /* BLOCK, BLOCKS, EMBED */
	const char *doc;	    /* our own words, one paragraph of Markdown */
};

struct spec {
	const char *name; /* as templates write it */
	size_t size;
	const struct spec_row *rows;
	size_t nrows;
	const char *doc;
};

/* offsetof(T, m), refused by the compiler unless m is a `want`. */
#define SPEC_OFF(T, m, want) \
	(offsetof(T, m) + \
	 0 * sizeof(struct { \
		 _Static_assert(_Generic(((T *)0)->m, want: 1, default: 0), \
				"option " #T "." #m " is not a " #want); \
		 int pad_; \
	 }))
#define SPEC_ROW_(T, m, want, t, ...) \
	{ .name = #m, .type = (t), .offset = SPEC_OFF(T, m, want), __VA_ARGS__ }
/* A later `.name = "…"` in the arguments overrides the member's name. */
#define SPEC_STR(T, m, ...) SPEC_ROW_(T, m, char *, SPEC_T_STR, __VA_ARGS__)
#define SPEC_BOOL(T, m, ...) SPEC_ROW_(T, m, bool, SPEC_T_BOOL, __VA_ARGS__)
#define SPEC_TRIBOOL(T, m, ...) SPEC_ROW_(T, m, enum tribool, SPEC_T_TRIBOOL, __VA_ARGS__)
#define SPEC_INT(T, m, ...) SPEC_ROW_(T, m, int64_t, SPEC_T_INT, __VA_ARGS__)

#define SPEC_DURATION(T, m, ...) SPEC_ROW_(T, m, int64_t, SPEC_T_DURATION, __VA_ARGS__)
#define SPEC_STRS(T, m, ...) SPEC_ROW_(T, m, struct strs, SPEC_T_STRS, __VA_ARGS__)
#define SPEC_INTS(T, m, ...) SPEC_ROW_(T, m, struct ints, SPEC_T_INTS, __VA_ARGS__)

#define SPEC_MAP(T, m, ...) SPEC_ROW_(T, m, struct str_map, SPEC_T_MAP, __VA_ARGS__)
#define SPEC_VALUE(T, m, ...) SPEC_ROW_(T, m, struct value, SPEC_T_VALUE, __VA_ARGS__)
#define SPEC_BLOCK(T, m, S, subspec, ...) \
	SPEC_ROW_(T, m, S *, SPEC_T_BLOCK, .sub = (subspec), __VA_ARGS__)
#define SPEC_BLOCKS(T, m, subspec, ...) \
	SPEC_ROW_(T, m, struct spec_blocks, SPEC_T_BLOCKS, .sub = (subspec), __VA_ARGS__)
#define SPEC_EMBED(T, m, S, subspec) \
	{ .name = "", .type = SPEC_T_EMBED, .offset = SPEC_OFF(T, m, S), .sub = (subspec) }
#define SPEC(label, T, r, ...) \
	{ .name = (label), .size = sizeof(T), .rows = (r), .nrows = ARRAY_LEN(r), __VA_ARGS__ }

/* Renders {{ }} in one string of an option. late: the row or a block around it is SPEC_LATE (the
 * text is checked and given back as it stands). 0; 1: *ret is a stand-in, since its value is not to
 * be had before the build runs; or -1 with ERR_INVALID and the byte offset in err->os. */
typedef int spec_render_fn(void *data, const struct spec_row *row, bool late, struct str text,
			   struct str *ret, struct err *err);

struct spec_input {
	struct arena *arena;
	struct diags *diags;
	spec_render_fn *render; /* NULL: text is taken as it is */
	void *data;
	/* Spans of strings are JSON text: a mistake in {{ }} is shown at its place in them. */
	bool json;
	/* Stands for a text that is not known yet, so that it counts as given; NULL: it is left
	 * unset. */
	const char *unknown;
	/* "true" for booleans, digits for numbers, one value for a list… */
	bool weak;
	/* Set on failure where nothing is wrong but that required options are not there: what is
	 * there can still be judged. NULL: nobody wants to know. */
	bool *ret_incomplete;
	/* Strings of sensitive options are told here, for redaction; NULL: nobody wants them. */
	void (*on_secret)(void *data, const char *secret);
};

/* Decodes an object into a zeroed struct. All mistakes are reported; after an unknown option a
 * missing required one is not, since it most likely is the misspelt one. Keys are read in any case;
 * one option in two spellings is a mistake. Unknown values count as given and leave the member
 * unset (see in->unknown). null counts as not given. Returns 0, or -1 when it added an error to
 * in->diags. */
int spec_decode(const struct spec *spec, struct value body, const struct spec_input *in,
		void *out) MUST_USE;

/* Looks a row up, in any case and through embedded ones; NULL if absent. *ret_offset (may be NULL):
 * from the outer struct. */
const struct spec_row *spec_find(const struct spec *spec, struct str name, size_t *ret_offset);
/* Calls fn for every row, embedded ones flattened. */
void spec_each(const struct spec *spec, void (*fn)(void *data, const struct spec_row *row),
	       void *data);
/* Bugs of the table itself (no doc, listed twice, required with default): number, each written to
 * out. */
int spec_check(const struct spec *spec, struct buf *out);

/* Helpers for decoded values. */
const char *str_map_get(const struct str_map *m, const char *key); /* NULL if absent */
bool strs_has(const struct strs *s, const char *what);

#endif
