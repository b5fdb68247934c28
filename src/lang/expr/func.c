/* The table of all functions: where names are found. */
#include "lang/expr/func.h"

#include "lang/expr/functions/groups.h"

const struct func_group *const func_groups[] = { FUNC_GROUPS(FUNC_GROUP_ENTRY) NULL };

const struct func *func_find(const struct func_group *const *groups, struct str name)
{
	for (; *groups; groups++)
		for (size_t i = 0; i < (*groups)->n; i++)
			if (str_eqs(name, (*groups)->rows[i].name))
				return &(*groups)->rows[i];
	return NULL;
}

const char *func_nearest(const struct func_group *const *groups, const char *name)
{
	const char *all[256];
	size_t n = 0;

	for (; *groups; groups++)
		for (size_t i = 0; i < (*groups)->n && n < ARRAY_LEN(all); i++)
			all[n++] = (*groups)->rows[i].name;
	return str_nearest(name, all, n);
}
