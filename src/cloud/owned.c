/* Directories of a user, made by root. */
#include "cloud/owned.h"

#include "base/str.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int owned_dir_make(const char *path, uid_t uid, gid_t gid, struct err *err)
{
	auto_free char *p = xstrdup(path);
	bool give = geteuid() == 0 && uid != 0;

	for (char *at = p + 1;; at++) {
		char was = *at;

		if (was && was != '/')
			continue;
		*at = '\0';
		if (mkdir(p, 0700) == 0) {
			if (give && lchown(p, uid, gid) < 0)
				return err_errno(err, errno, "giving %s to its user", p);
		} else if (errno != EEXIST) {
			return err_errno(err, errno, "making the directory %s", p);
		}
		if (!was)
			return 0;
		*at = was;
	}
}
