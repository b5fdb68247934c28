/* Plugin programs that lie on this machine, where Packer and `plugins install` put them:
 * DIRECTORY/HOST/NAMESPACE/NAME/packer-plugin-NAME_vVERSION_xAPI_OS_ARCH, each beside its checksum.
 */
#ifndef INGOT_PLUGIN_INSTALLED_H
#define INGOT_PLUGIN_INSTALLED_H

#include "base/err.h"
#include "base/vec.h"

struct plugin_file {
	char *path, *source, *version; /* version: "1.2.3" */
};
struct plugin_files {
	VEC(struct plugin_file) v;
};
void plugin_files_release(struct plugin_files *f);
DEFINE_AUTO(plugin_files, struct plugin_files, plugin_files_release);

/* DIRECTORY; the caller frees. Errors: PACKER_PLUGIN_PATH names several; no home. */
int plugin_directory(char **ret, struct err *err) MUST_USE;
/* Programs for this system whose checksum is right, of one source (NULL: all) and fitting the
 * version constraints (NULL: any), older ones first. A directory that is not there has none. */
int plugin_list(const char *directory, const char *source, const char *constraints,
		struct plugin_files *ret, struct err *err) MUST_USE;
/* Removes a program and its checksum. */
int plugin_remove(const char *path, struct err *err) MUST_USE;

#endif
