/* The one root file system behind all stand-ins: a tar made by mmdebstrap from the host's Debian
 * mirrors, and the raw disk made from it. Internal to the base images.
 */
#ifndef INGOT_CLOUD_BASEIMAGE_ROOT_H
#define INGOT_CLOUD_BASEIMAGE_ROOT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

#define BASE_DISK_SIZE ((uint64_t)8 << 30)
#define BASE_PARTITION_OFFSET ((uint64_t)1 << 20)

struct base_progress {
	void (*say)(void *data, const char *text);
	void *data;
};

/* The tar in the user's cache, made if its key (recipe, packages, mirrors, package lists of the
 * host) is new. ret_path: caller frees. */
int base_root_tar(bool with_kernel, const struct base_progress *p, char **ret_path,
		  struct err *err) MUST_USE;
/* A raw disk of BASE_DISK_SIZE (GPT, one ext4 labelled "root") from a root tar; out must not exist.
 */
int base_root_disk(const char *tar, const char *out, struct err *err) MUST_USE;

/* The host's Debian mirrors as one deb822 text: only Debian 12's own suites, without user names and
 * passwords; deb.debian.org where the host has none. apt_dir is "/etc/apt". */
void base_apt_sources(const char *apt_dir, struct buf *ret);

#endif
