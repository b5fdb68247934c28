/* The groups of functions of lang/expr: one a file fn_NAME.c, listed in func.c in the order of the docs. */
#ifndef INGOT_LANG_EXPR_GROUPS_H
#define INGOT_LANG_EXPR_GROUPS_H

#include "lang/expr/func.h"

extern const struct func_group func_group_collection;
extern const struct func_group func_group_crypto;
extern const struct func_group func_group_encoding;
extern const struct func_group func_group_list;
extern const struct func_group func_group_network;
extern const struct func_group func_group_number;
extern const struct func_group func_group_set;
extern const struct func_group func_group_string;
extern const struct func_group func_group_time;

#endif
