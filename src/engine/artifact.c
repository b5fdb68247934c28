/* Artifacts: what builders and post-processors made. */
#include "engine/build.h"

#include "base/str.h"

struct artifact *artifact_new(const char *builder_id, const char *id, const char *text)
{
	struct artifact *a = xcalloc(1, sizeof(*a));

	a->builder_id = builder_id;
	a->id = xstrdup(id);
	a->text = xstrdup(text);
	return a;
}

void artifact_add_file(struct artifact *a, const char *path)
{
	size_t n = 0;

	while (a->files && a->files[n])
		n++;
	a->files = xrealloc(a->files, (n + 2) * sizeof(*a->files));
	a->files[n] = xstrdup(path);
	a->files[n + 1] = NULL;
}

void artifact_free(struct artifact *a)
{
	if (!a)
		return;
	if (a->free_state)
		a->free_state(a);
	for (char **f = a->files; f && *f; f++)
		free(*f);
	free(a->files);
	free(a->id);
	free(a->text);
	free(a);
}
