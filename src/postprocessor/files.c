/* Artifacts that are files on this machine. */
#include "postprocessor/files.h"

#include <errno.h>
#include <unistd.h>

void files_join(struct buf *out, char *const *files)
{
	for (size_t i = 0; files && files[i]; i++)
		buf_printf(out, "%s%s", i ? ", " : "", files[i]);
}

static int remove_files(struct artifact *a, struct build *b UNUSED, struct err *err)
{
	for (size_t i = 0; a->files && a->files[i]; i++)
		if (unlink(a->files[i]) < 0 && errno != ENOENT && !err_any(err))
			err_errno(err, errno, "removing %s", a->files[i]);
	return err_any(err) ? -1 : 0;
}

struct artifact *files_artifact(const char *builder_id, const char *lead, char *const *files)
{
	AUTO(buf) struct buf text = BUF_INIT;
	struct artifact *a;

	buf_adds(&text, lead);
	files_join(&text, files);
	a = artifact_new(builder_id, "", buf_cstr(&text));
	for (size_t i = 0; files && files[i]; i++)
		artifact_add_file(a, files[i]);
	a->destroy = remove_files;
	return a;
}
