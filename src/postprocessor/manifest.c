/* manifest: a JSON file that lists what every build made. Builds and processes that write one file
 * at the same time take turns (a lock on its directory); readers never see half of it. */
#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"
#include "engine/build.h"
#include "engine/component.h"
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

struct manifest_config {
	char *output;
	bool strip_path, strip_time;
	struct str_map custom_data;
};

static const struct spec_row rows[] = {
	SPEC_STR(struct manifest_config, output, .name = "filename",
		 .flags = SPEC_DEPRECATED | SPEC_HIDDEN, .instead = "output"),
	SPEC_STR(struct manifest_config, output, .def = "packer-manifest.json",
		 .doc = "Path of the manifest. Its directory must exist."),
	SPEC_BOOL(struct manifest_config, strip_path,
		  .doc = "List files by name only, without directories."),
	SPEC_BOOL(struct manifest_config, strip_time,
		  .doc = "Leave out `build_time`, so that equal builds write equal manifests."),
	SPEC_MAP(struct manifest_config, custom_data,
		 .doc = "Additional values to store with the artifact."),
};
static const struct spec spec = SPEC("manifest", struct manifest_config, rows,
				     .doc = "Records the artifacts of all builds in a JSON file.");

static void add_string(struct buf *out, const char *s)
{
	buf_add_go_json_string(out, str_from(s));
}

/* Text of an older manifest; what is not there is empty. */
static void add_old(struct buf *out, const json_t *v)
{
	struct str text = { "", 0 };

	if (json_is_string(v))
		text = (struct str){ json_string_value(v), json_string_length(v) };
	buf_add_go_json_string(out, text);
}

static void add_custom(struct buf *out, json_t *data)
{
	const char *key, *sep = "";
	json_t *v;

	if (!json_is_object(data)) {
		buf_adds(out, "null");
		return;
	}
	buf_adds(out, "{");
	json_object_foreach(data, key, v) {
		buf_printf(out, "%s\n        ", sep);
		add_string(out, key);
		buf_adds(out, ": ");
		add_old(out, v);
		sep = ",";
	}
	buf_adds(out, json_object_size(data) ? "\n      }" : "}");
}

static void add_files(struct buf *out, json_t *files)
{
	const char *sep = "";
	json_t *f;
	size_t i;

	if (!json_is_array(files)) {
		buf_adds(out, "null");
		return;
	}
	buf_adds(out, "[");
	json_array_foreach(files, i, f) {
		buf_printf(out, "%s\n        {\n          \"name\": ", sep);
		add_old(out, json_object_get(f, "name"));
		buf_printf(out, ",\n          \"size\": %lld\n        }",
			   (long long)json_integer_value(json_object_get(f, "size")));
		sep = ",";
	}
	buf_adds(out, json_array_size(files) ? "\n      ]" : "]");
}

static void add_build(struct buf *out, json_t *b)
{
	json_int_t t = json_integer_value(json_object_get(b, "build_time"));

	buf_adds(out, "    {\n      \"name\": ");
	add_old(out, json_object_get(b, "name"));
	buf_adds(out, ",\n      \"builder_type\": ");
	add_old(out, json_object_get(b, "builder_type"));
	if (t)
		buf_printf(out, ",\n      \"build_time\": %lld", (long long)t);
	buf_adds(out, ",\n      \"files\": ");
	add_files(out, json_object_get(b, "files"));
	buf_adds(out, ",\n      \"artifact_id\": ");
	add_old(out, json_object_get(b, "artifact_id"));
	buf_adds(out, ",\n      \"packer_run_uuid\": ");
	add_old(out, json_object_get(b, "packer_run_uuid"));
	buf_adds(out, ",\n      \"custom_data\": ");
	add_custom(out, json_object_get(b, "custom_data"));
	buf_adds(out, "\n    }");
}

/* The entry of this build, in the manifest's own form. New reference. */
static json_t *entry(struct build *b, const struct manifest_config *c, const struct artifact *in)
{
	json_t *e = json_object(), *files = NULL;
	auto_free const char **keys = NULL;

	for (size_t i = 0; in->files && in->files[i]; i++) {
		const char *name = c->strip_path ? os_basename(in->files[i]) : in->files[i];
		struct stat st = { 0 };

		if (!files)
			files = json_array();
		if (stat(in->files[i], &st) < 0)
			st.st_size = 0; /* as in the reference: listed all the same */
		json_array_append_new(files, json_pack("{s:s, s:I}", "name", name, "size",
						       (json_int_t)st.st_size));
	}
	json_object_set_new(e, "name", json_string(b->spec->bare_name));
	json_object_set_new(e, "builder_type", json_string(b->spec->type));
	if (!c->strip_time)
		json_object_set_new(e, "build_time", json_integer(clock_unix()));
	json_object_set_new(e, "files", files ? files : json_null());
	json_object_set_new(e, "artifact_id", json_string(in->id ? in->id : ""));
	json_object_set_new(e, "packer_run_uuid", json_string(b->run->uuid));
	if (c->custom_data.n) {
		json_t *data = json_object();

		keys = xcalloc(c->custom_data.n, sizeof(*keys));
		for (size_t i = 0; i < c->custom_data.n; i++)
			keys[i] = c->custom_data.v[i].key;
		sort_strings(keys, c->custom_data.n);
		for (size_t i = 0; i < c->custom_data.n; i++)
			json_object_set_new(data, keys[i],
					    json_string(str_map_get(&c->custom_data, keys[i])));
		json_object_set_new(e, "custom_data", data);
	}
	return e;
}

/* The list of builds that the file holds already; empty where there is none. New reference, NULL on
 * error. */
static json_t *read_builds(struct build *b, const char *path, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	AUTO(err) struct err missing = ERR_INIT;
	json_t *root, *builds;
	json_error_t where;

	if (os_read_file(path, 0, &text, &missing) < 0) {
		if (missing.code == ERR_NOT_FOUND)
			return json_array();
		err_move(err, &missing);
		return NULL;
	}
	if (!text.n)
		return json_array();
	root = json_loadb(text.p, text.n, 0, &where);
	if (!root || !json_is_object(root)) {
		err_set(err, ERR_INVALID,
			"%s is not a manifest (line %d, column %d: %s) and was not changed; move "
			"it away or set another output",
			path, root ? 1 : where.line, root ? 1 : where.column,
			root ? "not an object" : where.text);
		json_decref(root);
		return NULL;
	}
	builds = json_incref(json_object_get(root, "builds"));
	/* -force begins anew, but not over what this very run wrote. */
	if (!json_is_array(builds) ||
	    (b->run->force &&
	     !streq(json_string_value(json_object_get(root, "last_run_uuid")), b->run->uuid))) {
		json_decref(builds);
		builds = json_array();
	}
	json_decref(root);
	return builds;
}

static int rewrite(struct build *b, const struct manifest_config *c, const struct artifact *in,
		   struct err *err)
{
	AUTO(buf) struct buf out = BUF_INIT;
	json_t *builds = read_builds(b, c->output, err), *e;
	struct stat old;
	size_t i;

	if (!builds)
		return -1;
	json_array_append_new(builds, entry(b, c, in));
	buf_adds(&out, "{\n  \"builds\": [\n");
	json_array_foreach(builds, i, e) {
		if (i)
			buf_adds(&out, ",\n");
		add_build(&out, e);
	}
	buf_adds(&out, "\n  ],\n  \"last_run_uuid\": ");
	add_string(&out, b->run->uuid);
	buf_adds(&out, "\n}");
	json_decref(builds);
	return os_write_file(c->output, out.p, out.n,
			     stat(c->output, &old) == 0 ? old.st_mode & 0777 : 0644, err);
}

static int run(struct build *b, void *config, struct artifact *in, struct artifact **ret,
	       bool *keep, bool *must_keep, struct err *err)
{
	const struct manifest_config *c = config;
	auto_free char *dir = xstrndup(c->output, (size_t)(os_basename(c->output) - c->output));
	/* The directory is locked and not the file, which is replaced. A lock is also per open
	 * file, so that the threads of one process take turns as well. */
	auto_fd int lock = open(*dir ? dir : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0)
		return err_errno(err, errno, "writing %s", c->output);
	while (flock(lock, LOCK_EX) < 0 && errno == EINTR)
		;
	if (rewrite(b, c, in, err) < 0)
		return -1;
	*ret = NULL;
	*keep = true;
	*must_keep = true;
	return 0;
}

extern const struct postprocessor postprocessor_manifest;
const struct postprocessor postprocessor_manifest = {
	.type = "manifest",
	.spec = &spec,
	.run = run,
};
