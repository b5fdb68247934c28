/* The reference of a component, printed from its option table. */
#ifndef INGOT_SPEC_DOCS_H
#define INGOT_SPEC_DOCS_H

#include "base/buf.h"
#include "spec/spec.h"

/* Markdown: what the component does, required options, then the others, each with type, default and
 * choices; sub-blocks follow under their own headings. Hidden rows are left out. */
void spec_write_markdown(const struct spec *spec, struct buf *out);

#endif
