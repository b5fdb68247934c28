/* Bodies of native syntax: attributes and blocks. */
#ifndef INGOT_LANG_HCL_BODY_H
#define INGOT_LANG_HCL_BODY_H

#include "lang/hcl/parse.h"

struct hcl_body *parse_file_body(struct parser *p); /* never NULL */

#endif
