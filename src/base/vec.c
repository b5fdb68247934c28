/* What arrays of any element type share. */
#include "base/vec.h"

void *vec_grow_(void *v, size_t *cap, size_t want, size_t size)
{
	if (want <= *cap)
		return v;
	*cap = MAX(MAX(*cap * 2, want), (size_t)8);
	return xrealloc(v, *cap * size);
}

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void sort_strings(const char **v, size_t n)
{
	if (n)
		qsort(v, n, sizeof(*v), compare_strings);
}
