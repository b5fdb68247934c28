/* Sources of plugins, as required_plugins and the plugins commands name them:
 * "github.com/hashicorp/amazon". */
#ifndef INGOT_TEMPLATE_PLUGIN_SOURCE_H
#define INGOT_TEMPLATE_PLUGIN_SOURCE_H

#include "base/base.h"

/* What is wrong with the form of a source, as a sentence's end; NULL if nothing is. */
const char *plugin_source_problem(const char *source);
/* Whether the plugin's components are part of ingot, so that there is nothing to download. */
bool plugin_is_builtin(const char *source);

#endif
