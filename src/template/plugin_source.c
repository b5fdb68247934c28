/* The form of a plugin's source (host/namespace/name), and the plugins that need no download. */
#include "template/plugin_source.h"

#include "base/str.h"

static const char *const builtin_sources[] = { "github.com/hashicorp/amazon" };

bool plugin_is_builtin(const char *source)
{
	for (size_t i = 0; i < ARRAY_LEN(builtin_sources); i++)
		if (streq(source, builtin_sources[i]))
			return true;
	return false;
}

const char *plugin_source_problem(const char *source)
{
	const char *name = strrchr(source, '/');
	size_t slashes = 0;

	for (const char *s = source; *s; s++)
		slashes += *s == '/';
	if (strstr(source, "://"))
		return "a source has no scheme in front";
	if (*source == '/' || ends_with(source, "/"))
		return "a source neither begins nor ends with a slash";
	if (strpbrk(source, "?#"))
		return "a source has no query and no fragment";
	if (slashes < 2)
		return "a source has a host, a namespace and a name";
	if (slashes > 15)
		return "a source has 16 parts at most";
	if (starts_with(name + 1, "packer-"))
		return "the name of a plugin does not begin with \"packer-\"";
	return NULL;
}
