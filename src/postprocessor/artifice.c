/* artifice: from here on the artifact is other files, for example ones that a provisioner fetched.
 */
#include "base/os.h"
#include "base/vec.h"
#include "engine/component.h"
#include "postprocessor/files.h"
#include "spec/spec.h"

#include <glob.h>

struct artifice_config {
	struct strs files;
};

static const struct spec_row rows[] = {
	SPEC_STRS(struct artifice_config, files,
		  .doc = "Files of the new artifact. Patterns (`*`, `?`, `[a-z]`) are allowed; a "
			 "missing file is not an error."),
};
static const struct spec spec = SPEC("artifice", struct artifice_config, rows,
				     .doc = "Replaces the files of the artifact with others.");

static void prepare(struct prepare *p, void *config)
{
	struct artifice_config *c = config;

	if (!c->files.n)
		prepare_error(p, "files", "files must name at least one file");
}

/* Adds what a pattern of Go's path/filepath matches: "!" is nothing special in it, names that begin
 * with a point are names like others, and what is no pattern is an error. */
static int find_files(const char *pattern, glob_t *found, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	int flags = GLOB_PERIOD | (found->gl_pathv ? GLOB_APPEND : 0);

	for (const char *p = pattern; *p; p++) {
		buf_addc(&text, *p);
		if (*p == '[') {
			p += p[1] == '^';
			buf_adds(&text, *p == '^' ? "^" : p[1] == '!' ? "\\" : "");
			if (p[1] == ']' || !strchr(p + 1, ']'))
				return err_set(err, ERR_INVALID, "files: '%s' is no pattern",
					       pattern);
		} else if (*p == '\\') {
			if (!p[1])
				return err_set(err, ERR_INVALID, "files: '%s' is no pattern",
					       pattern);
			buf_addc(&text, *++p);
		}
	}
	if (glob(buf_cstr(&text), flags, NULL, found) == GLOB_NOSPACE)
		abort(); /* the only other result is "no match" */
	return 0;
}

static int run(struct build *b, void *config, struct artifact *in, struct artifact **ret,
	       bool *keep, bool *must_keep, struct err *err)
{
	const struct artifice_config *c = config;
	AUTO(buf) struct buf list = BUF_INIT;
	VEC(char *) files = VEC_INIT;
	glob_t found = { 0 };

	for (size_t i = 0; i < c->files.n; i++)
		if (find_files(c->files.v[i], &found, err) < 0) {
			globfree(&found);
			return -1;
		}
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!streq(os_basename(found.gl_pathv[i]), ".") &&
		    !streq(os_basename(found.gl_pathv[i]), ".."))
			vec_push(&files, found.gl_pathv[i]);
	vec_push(&files, NULL);
	if (in->files && in->files[0]) {
		files_join(&list, in->files);
		build_say(b, "Discarding the artifact's files: %s", buf_cstr(&list));
		buf_reset(&list);
	}
	files_join(&list, files.v);
	build_say(b, "Using these artifact files: %s", buf_cstr(&list));
	*ret = files_artifact("packer.post-processor.artifice",
			      "Created artifact from files: ", files.v);
	*keep = true;
	*must_keep = false;
	vec_release(&files);
	globfree(&found);
	return 0;
}

extern const struct postprocessor postprocessor_artifice;
const struct postprocessor postprocessor_artifice = {
	.type = "artifice",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
};
