/* Reading the template that fix and hcl2_upgrade are given. */
#include "command/legacy_text.h"

#include "base/os.h"
#include "base/str.h"
#include "lang/jsontext/jsontext.h"

#include <unistd.h>

int legacy_text_read(const char *path, struct buf *ret, struct err *err)
{
	if (streq(path, "-"))
		return os_read_fd(STDIN_FILENO, "standard input", JSONTEXT_SIZE_MAX, ret, err);
	if (ends_with(path, ".pkr.hcl") || ends_with(path, ".pkr.json") || os_is_dir(path))
		return err_set(
			err, ERR_INVALID,
			"%s is an HCL2 template already; this command is for legacy JSON templates",
			path);
	return os_read_file(path, JSONTEXT_SIZE_MAX, ret, err);
}
