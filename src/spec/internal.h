/* Inside spec/: one decoding on its way, and the conversions of single values. */
#ifndef INGOT_SPEC_INTERNAL_H
#define INGOT_SPEC_INTERNAL_H

#include "spec/spec.h"

struct decoder {
	const struct spec_input *in;
	const struct spec_row *row; /* the option being decoded */
	const char *block;	    /* the blocks around it, "" for none: see decode_path() */
	struct str key;		    /* its name as written */
	bool late;		    /* it or a block around it is SPEC_LATE */
	bool failed;		    /* an error was added */
	size_t missing;		    /* errors about required options that are not there */
	bool rendered;		    /* the text at hand has been rendered: parts of a split one */
	bool standin;		    /* render gave a stand-in for the value at hand */
};

/* The option with the blocks around it: "metadata_options.http_tokens". */
const char *decode_path(const struct decoder *d);

/* Each converts one value as the rules of the language say (weak: mapstructure's, as Packer uses
 * it). 0; 1: nothing to set (null, unknown, a stand-in that is no text); -1 after a diagnostic. */
int convert_text(struct decoder *d, struct value v, char **ret);
int convert_bool(struct decoder *d, struct value v, bool *ret);
int convert_int(struct decoder *d, struct value v, int64_t *ret);
int convert_duration(struct decoder *d, struct value v, int64_t *ret_ns);

/* Renders the text of a string value; -1 after a diagnostic. */
int convert_render(struct decoder *d, struct value v, struct str *ret);
/* `"path" takes WHAT, not VALUE` at the value's place; always -1. */
int convert_wrong(struct decoder *d, struct value v, const char *what);

/* Adds an error and marks the decoding as failed; always -1. */
int decode_error(struct decoder *d, struct span span, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Decodes a value into the member of d->row; as the conversions. */
int decode_member(struct decoder *d, struct value v, void *member);
/* Decodes an object into a zeroed struct; block: those around it, "" for none. 0 or -1. */
int decode_object(struct decoder *d, const struct spec *spec, struct value body, const char *block,
		  void *out);

/* Calls fn for each row with its offset in the outermost struct, embedded ones flattened. */
void spec_each_at(const struct spec *spec, size_t base,
		  void (*fn)(void *data, const struct spec_row *row, size_t offset), void *data);

#endif
