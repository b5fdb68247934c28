/* checksum: digests of the artifact's files, one line each, appended to a file for each kind of
 * digest. */
#include "base/os.h"
#include "base/vec.h"
#include "engine/component.h"
#include "engine/script.h"
#include "postprocessor/files.h"
#include "spec/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

struct checksum_config {
	struct strs checksum_types;
	char *output;
};

static const struct spec_row rows[] = {
	SPEC_STRS(struct checksum_config, checksum_types, .def = "md5",
		  .doc = "Checksum types: `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512`."),
	SPEC_STR(struct checksum_config, output, .flags = SPEC_LATE,
		 .def = "packer_{{.BuildName}}_{{.BuilderType}}_{{.ChecksumType}}.checksum",
		 .doc = "Path of the file to append the checksums to. May contain "
			"`{{.BuildName}}`, `{{.BuilderType}}` and `{{.ChecksumType}}`."),
};
static const struct spec spec = SPEC("checksum", struct checksum_config, rows,
				     .doc = "Computes checksums of the artifact's files.");

/* Names of digests as the option and OpenSSL know them. */
static bool digest_known(const char *name)
{
	static const char *const names[] = {
		"md5", "sha1", "sha224", "sha256", "sha384", "sha512"
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(names[i], name))
			return true;
	return false;
}

static void prepare(struct prepare *p, void *config)
{
	struct checksum_config *c = config;

	for (size_t i = 0; i < c->checksum_types.n; i++)
		if (!digest_known(c->checksum_types.v[i]))
			prepare_error(p, "checksum_types",
				      "'%s' is not a checksum type: use md5, sha1, sha224, "
				      "sha256, sha384 or sha512",
				      c->checksum_types.v[i]);
}

static int digest_file(struct build *b, const char *type, const char *path, struct buf *ret_hex,
		       struct err *err)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	char chunk[65536];
	ssize_t got = -1;

	if (!md || !EVP_DigestInit_ex(md, EVP_get_digestbyname(type), NULL))
		err_set(err, ERR_UNSUPPORTED,
			"%s checksums are not available here (OpenSSL refuses them)", type);
	else if (fd < 0)
		err_errno(err, errno, "opening %s", path);
	while (!err_any(err) && (got = read(fd, chunk, sizeof(chunk))) > 0) {
		EVP_DigestUpdate(md, chunk, (size_t)got);
		(void)!cancel_check(b->cancel, err);
	}
	if (!err_any(err) && got < 0)
		err_errno(err, errno, "reading %s", path);
	if (!err_any(err)) {
		EVP_DigestFinal_ex(md, sum, &n);
		buf_add_hex(ret_hex, sum, n);
	}
	EVP_MD_CTX_free(md);
	return err_any(err) ? -1 : 0;
}

static int append_line(const char *path, struct str line, struct err *err)
{
	auto_free char *dir = xstrndup(path, (size_t)(os_basename(path) - path));
	auto_fd int fd = -1;

	if (*dir && os_mkdir_all(dir, 0755, err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || os_write_all(fd, line.p, line.n) < 0)
		return err_errno(err, errno, "writing %s", path);
	return 0;
}

static int output_path(struct build *b, const struct checksum_config *c, const char *type,
		       char **ret, struct err *err)
{
	struct str_pair pairs[] = {
		{ (char *)"BuildName", (char *)b->spec->bare_name },
		{ (char *)"BuilderType", (char *)b->spec->type },
		{ (char *)"ChecksumType", (char *)type },
	};
	struct str_map dot = { pairs, ARRAY_LEN(pairs) };
	struct str text;

	if (build_render(b, script_dot(b, &dot), c->output, &text, err) < 0)
		return err_prefix(err, "output");
	*ret = arena_strndup(b->arena, text.p, text.n);
	return 0;
}

static int run(struct build *b, void *config, struct artifact *in, struct artifact **ret,
	       bool *keep, bool *must_keep, struct err *err)
{
	const struct checksum_config *c = config;
	VEC(char *) files = VEC_INIT;
	int result = 0;

	for (size_t i = 0; in->files && in->files[i]; i++)
		vec_push(&files, in->files[i]);
	for (size_t t = 0; t < c->checksum_types.n && result == 0; t++) {
		const char *type = c->checksum_types.v[t];
		char *path = NULL;

		result = output_path(b, c, type, &path, err);
		for (size_t i = 0; result == 0 && in->files && in->files[i]; i++) {
			AUTO(buf) struct buf line = BUF_INIT;

			if (!os_exists(path))
				vec_push(&files, path);
			result = digest_file(b, type, in->files[i], &line, err);
			buf_printf(&line, "\t%s\n", os_basename(in->files[i]));
			if (result == 0)
				result = append_line(path, buf_str(&line), err);
		}
	}
	vec_push(&files, NULL);
	if (result == 0) {
		*ret = files_artifact("packer.post-processor.checksum",
				      "Created artifact from files: ", files.v);
		*keep = *must_keep = true;
	}
	vec_release(&files);
	return result;
}

extern const struct postprocessor postprocessor_checksum;
const struct postprocessor postprocessor_checksum = {
	.type = "checksum",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
};
