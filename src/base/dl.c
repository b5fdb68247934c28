/* Shared libraries opened at first use. */
#include "base/dl.h"

#include <dlfcn.h>

static pthread_mutex_t dl_lock = PTHREAD_MUTEX_INITIALIZER;

static int open_locked(struct dl_library *lib, struct err *err)
{
	void *handle;

	if (lib->handle)
		return 0;
	handle = dlopen(lib->soname, RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(err, ERR_UNSUPPORTED,
			       "%s cannot be loaded (%s): install the package %s", lib->soname,
			       dlerror(), lib->package);
	for (size_t i = 0; i < lib->nsymbols; i++) {
		*lib->symbols[i].slot = dlsym(handle, lib->symbols[i].name);
		if (*lib->symbols[i].slot)
			continue;
		dlclose(handle);
		return err_set(err, ERR_UNSUPPORTED,
			       "%s has no %s: it is too old, install the package %s of Debian 12 "
			       "or later",
			       lib->soname, lib->symbols[i].name, lib->package);
	}
	lib->handle = handle;
	return 0;
}

int dl_open(struct dl_library *lib, struct err *err)
{
	int ret;

	pthread_mutex_lock(&dl_lock);
	ret = open_locked(lib, err);
	pthread_mutex_unlock(&dl_lock);
	return ret;
}
