/* White space by Unicode, as templates strip it and heredocs count it. */
#ifndef INGOT_LANG_HCL_SPACE_H
#define INGOT_LANG_HCL_SPACE_H

#include "base/str.h"

/* The length of the white space at the start, in bytes; *ret_chars counts its characters. */
size_t space_leading(struct str s, size_t *ret_chars);
struct str space_trim_end(struct str s);

#endif
