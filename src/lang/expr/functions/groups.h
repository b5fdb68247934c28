/* The groups of functions of lang/expr: a file of this directory each, in the order of the docs. */
#ifndef INGOT_LANG_EXPR_FUNCTIONS_GROUPS_H
#define INGOT_LANG_EXPR_FUNCTIONS_GROUPS_H

#include "lang/expr/func.h"

#define FUNC_GROUPS(ROW) \
	ROW(number) \
	ROW(list) \
	ROW(collection) \
	ROW(set) \
	ROW(string) \
	ROW(format) \
	ROW(regex) \
	ROW(encoding) \
	ROW(json) \
	ROW(yaml) \
	ROW(csv) \
	ROW(crypto) \
	ROW(time) \
	ROW(network) \
	ROW(file) \
	ROW(convert)

/* For an initializer: the groups, each with a comma. */
#define FUNC_GROUP_ENTRY(name) &func_group_##name,
#define FUNC_GROUP_DECLARE(name) extern const struct func_group func_group_##name;
FUNC_GROUPS(FUNC_GROUP_DECLARE)

#endif
