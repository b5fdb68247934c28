/* Functions of files and paths. Relative paths start at the template's directory, but for
 * filebase64 and abspath, which the reference starts at the working directory. */
#include "lang/expr/eval.h"
#include "lang/expr/functions/args.h"
#include "lang/expr/functions/fileset.h"
#include "lang/expr/functions/groups.h"
#include "lang/expr/inner.h"
#include "lang/expr/text.h"
#include "lang/hcl/hcl.h"

#include "base/os.h"
#include "base/path.h"

#include <errno.h>
#include <sys/stat.h>

static int ret_string(struct func_call *c, const char *s, struct value *ret)
{
	return ret_text(c, str_from(arena_strdup(c->arena, s)), ret);
}

/* Argument i as a path of the file system; NULL with err. Caller frees. */
static char *arg_path(struct func_call *c, const struct value *args, int i, struct err *err)
{
	auto_free char *path = NULL;
	const char *dir = c->eval && c->eval->dir ? c->eval->dir : "";

	if (memchr(args[i].string.p ? args[i].string.p : "", 0, args[i].string.n)) {
		arg_error(c, i, err, "a path cannot have a zero byte");
		return NULL;
	}
	path = path_expand_home(args[i].string);
	if (!path) {
		arg_error(c, i, err,
			  "\"" STR_FMT "\": only your own home directory, ~ or ~/…, can stand here",
			  ARG_TEXT(args[i]));
		return NULL;
	}
	return *path == '/' ? path_clean(str_from(path)) : path_join(dir, path);
}

/* The content of the file at `path`, which the user wrote as argument i. */
static int read_file(struct func_call *c, int i, const char *path, size_t max, struct buf *ret,
		     struct err *err)
{
	AUTO(err) struct err why = ERR_INIT;

	if (os_read_file(*path ? path : ".", max, ret, &why) == 0)
		return 0;
	if (why.code == ERR_NOT_FOUND)
		return arg_error(c, i, err, "there is no file %s", path);
	return arg_error(c, i, err, "%s", why.msg);
}

static int read_text(struct func_call *c, int i, const char *path, size_t max, struct buf *ret,
		     struct err *err)
{
	if (read_file(c, i, path, max, ret, err) < 0)
		return -1;
	if (utf8_invalid_at(buf_str(ret)) >= 0)
		return arg_error(
			c, i, err,
			"%s is no UTF-8 text, which a string has to be; filebase64 reads any file",
			path);
	return 0;
}

static int fn_file(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err)
{
	auto_free char *path = arg_path(c, args, 0, err);
	AUTO(buf) struct buf content = BUF_INIT;

	if (!path || read_text(c, 0, path, 0, &content, err) < 0)
		return -1;
	return ret_buf(c, &content, ret, err);
}

static int fn_filebase64(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	auto_free char *path = xstrndup(args[0].string.p, args[0].string.n);
	AUTO(buf) struct buf content = BUF_INIT, out = BUF_INIT;

	if (read_file(c, 0, path, 0, &content, err) < 0)
		return -1;
	buf_add_base64(&out, content.p, content.n);
	return ret_buf(c, &out, ret, err);
}

static int fn_fileexists(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	auto_free char *path = arg_path(c, args, 0, err);
	struct stat st;
	bool there;

	if (!path)
		return -1;
	there = stat(*path ? path : ".", &st) == 0;
	if (!there && errno != ENOENT)
		return arg_error(c, 0, err, "%s cannot be looked at: %s", path, strerror(errno));
	if (there && !S_ISREG(st.st_mode))
		return arg_error(c, 0, err, "%s is there, but it is %s and no regular file", path,
				 S_ISDIR(st.st_mode) ? "a directory" : "something special");
	*ret = value_bool(there, c->span);
	return 0;
}

static int fn_fileset(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	auto_free char *given = xstrndup(args[0].string.p, args[0].string.n);
	auto_free char *wanted = xstrndup(args[1].string.p, args[1].string.n);
	auto_free char *dir =
		*given == '/' ? xstrdup(given)
			      : path_join(c->eval && c->eval->dir ? c->eval->dir : "", given);
	auto_free char *pattern = path_join(dir, wanted);
	AUTO(paths) struct paths found = { 0 };
	struct value *v;
	size_t n = 0;

	if (fileset_find(pattern, &found, err) < 0) {
		c->bad_arg = 1;
		return -1;
	}
	v = arena_new_array(c->arena, struct value, found.v.n);
	for (size_t i = 0; i < found.v.n; i++) {
		auto_free char *rel = path_rel(dir, found.v.v[i]);

		if (!rel)
			return arg_error(c, 1, err, "%s cannot be named from %s", found.v.v[i],
					 dir);
		if (utf8_invalid_at(str_from(rel)) >= 0)
			return arg_error(c, 1, err,
					 "the name of a file that matches is no UTF-8 text");
		ret_string(c, rel, &v[n++]);
	}
	*ret = value_set(c->arena, &type_string, v, n, c->span);
	return 0;
}

static int fn_basename(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		       struct value *ret, struct err *err UNUSED)
{
	auto_free char *s = path_basename(args[0].string);

	return ret_string(c, s, ret);
}

static int fn_dirname(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err UNUSED)
{
	auto_free char *s = path_dirname(args[0].string);

	return ret_string(c, s, ret);
}

static int fn_abspath(struct func_call *c, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	auto_free char *given = xstrndup(args[0].string.p, args[0].string.n), *here = NULL,
		       *path = NULL;

	if (*given != '/') {
		here = path_cwd();
		if (!here)
			return err_errno(err, errno, "the working directory");
	}
	path = path_join(here ? here : "", given);
	return ret_string(c, path, ret);
}

static int fn_pathexpand(struct func_call *c, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err)
{
	auto_free char *path = path_expand_home(args[0].string);

	if (!path)
		return arg_error(c, 0, err,
				 "\"" STR_FMT
				 "\": only your own home directory, ~ or ~/…, can be put in",
				 ARG_TEXT(args[0]));
	return ret_string(c, path, ret);
}

/* --- templatefile */

static int no_recursion(struct func_call *c UNUSED, const struct value *args UNUSED,
			size_t nargs UNUSED, struct value *ret UNUSED, struct err *err)
{
	return err_set(err, ERR_INVALID,
		       "a file that templatefile reads cannot call templatefile itself");
}

/* A letter or underscore first, then also digits and hyphens; all that is beyond ASCII the parser
 * judges. */
static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		uint8_t ch = (uint8_t)s.p[i];
		bool letter = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' ||
			      ch >= 0x80;

		if (!letter && (i == 0 || !((ch >= '0' && ch <= '9') || ch == '-')))
			return false;
	}
	return s.n;
}

struct check {
	struct func_call *call;
	struct value vars;
	struct err *err;
};

/* Names that the file uses must be in vars. */
static void check_reference(void *data, const struct hcl_expr *ref)
{
	struct check *k = data;
	struct position at;
	struct str root;

	if (err_any(k->err) || !hcl_traversal_names(ref, &root, 1) || value_attr_get(k->vars, root))
		return;
	at = source_position(ref->span.src, ref->span.from);
	arg_error(k->call, 1, k->err, "there is no key \"" STR_FMT "\", which %s:%u:%u refers to",
		  STR_ARG(root), ref->span.src->name, at.line, at.column_chars);
}

/* The first mistake of the file as the message of the call. */
static int file_error(struct func_call *c, const struct diags *d, struct err *err)
{
	const struct diag *g = &d->v[0];
	struct position at;

	for (size_t i = 0; i < d->n; i++)
		if (d->v[i].severity == DIAG_ERROR) {
			g = &d->v[i];
			break;
		}
	at = source_position(g->span.src, g->span.from);
	return arg_error(c, 0, err, "%s:%u:%u: %s.%s%s", g->span.src->name, at.line,
			 at.column_chars, g->summary, g->detail ? " " : "",
			 g->detail ? g->detail : "");
}

/* All functions, with one in front that stands in for templatefile. */
static const struct func_group *const *groups_inside(struct func_call *c)
{
	const struct func_group *const *all = c->eval->funcs ? c->eval->funcs : func_groups;
	struct func *row = arena_new_obj(c->arena, struct func);
	struct func_group *own = arena_new_obj(c->arena, struct func_group);
	const struct func_group **ret;
	size_t n = 0;

	while (all[n])
		n++;
	*row = *c->func;
	row->call = no_recursion;
	*own = (struct func_group){ c->func->name, row, 1 };
	ret = arena_new_array(c->arena, const struct func_group *, n + 2);
	ret[0] = own;
	memcpy(ret + 1, all, n * sizeof(*all));
	return ret;
}

static int render(struct func_call *c, struct hcl_expr *x, struct value vars, struct value *ret,
		  struct err *err)
{
	struct eval_scope scope = { .v = vars.attrs->v, .n = vars.attrs->n };
	struct eval inside = *c->eval;
	struct diags d;
	bool failed;

	diags_init(&d, c->arena);
	inside.diags = &d;
	inside.scope = &scope;
	inside.funcs = groups_inside(c);
	failed = eval_expr(&inside, x, ret) < 0;
	c->eval->steps = inside.steps;
	c->eval->exhausted = inside.exhausted;
	return failed ? file_error(c, &d, err) : 0;
}

static int fn_templatefile(struct func_call *c, const struct value *args, size_t nargs,
			   struct value *ret, struct err *err)
{
	struct check check = { c, args[1], err };
	auto_free char *path = NULL;
	AUTO(buf) struct buf content = BUF_INIT;
	struct hcl_expr *x;
	struct diags d;

	if (args_unknown(args, nargs)) {
		*ret = args_wait(c, args, nargs, &type_any);
		return 0;
	}
	path = arg_path(c, args, 0, err);
	if (!path || read_text(c, 0, path, HCL_SIZE_MAX, &content, err) < 0)
		return -1;
	diags_init(&d, c->arena);
	if (hcl_parse_template(c->arena,
			       source_new(c->arena, arena_strdup(c->arena, path),
					  arena_str(c->arena, buf_str(&content))),
			       &d, &x) < 0)
		return file_error(c, &d, err);
	if (!value_is_attrs(args[1]))
		return arg_error(c, 1, err, "a map or an object is needed, not %s",
				 arg_type(c, args[1]));
	for (size_t i = 0; i < args[1].attrs->n; i++)
		if (!is_name(args[1].attrs->v[i].key))
			return arg_error(c, 1, err,
					 "\"" STR_FMT "\" cannot be the name of a variable: it "
						      "must start with a letter and have "
					 "only letters, digits, underscores and hyphens",
					 STR_ARG(args[1].attrs->v[i].key));
	hcl_each_reference(x, check_reference, &check);
	if (err_any(err))
		return -1;
	return render(c, x, args[1], ret, err);
}

static const struct func_param path_params[] = { { "path", &type_string } };
static const struct func_param fileset_params[] = { { "path", &type_string },
						    { "pattern", &type_string } };
static const struct func_param templatefile_params[] = { { "path", &type_string },
							 { "vars", &type_any, PARAM_UNKNOWN } };

static const struct func_example abspath_examples[] = { { "abspath(\"/a/./b/../c\")", "\"/a/c\"" },
							{ "abspath(\"x\")", NULL } };
static const struct func_example basename_examples[] = { { "basename(\"images/disk.raw\")",
							   "\"disk.raw\"" } };
static const struct func_example dirname_examples[] = {
	{ "dirname(\"images/disk.raw\")", "\"images\"" }, { "dirname(\"disk.raw\")", "\".\"" }
};
static const struct func_example file_examples[] = { { "file(\"${path.root}/setup.sh\")", NULL } };
static const struct func_example filebase64_examples[] = { { "filebase64(\"logo.png\")", NULL } };
static const struct func_example fileexists_examples[] = { { "fileexists(\"no such file\")",
							     "false" } };
static const struct func_example fileset_examples[] = {
	{ "fileset(path.root, \"scripts/**/*.sh\")", NULL },
	{ "fileset(\"no such directory\", \"*\")", "[]" }
};
static const struct func_example pathexpand_examples[] = {
	{ "pathexpand(\"~/.ssh/id_ed25519.pub\")", NULL },
	{ "pathexpand(\"/etc/hosts\")", "\"/etc/hosts\"" }
};
static const struct func_example templatefile_examples[] = {
	{ "templatefile(\"user-data.tpl\", { hostname = \"web\", ports = [80, 443] })", NULL },
};

static const struct func rows[] = {
	{ "abspath", path_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_abspath,
	  .doc = "The path from the root on, without `.` and `..`. It starts at the working "
		 "directory, not at the template's.",
	  FUNC_EXAMPLES(abspath_examples) },
	{ "basename", path_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_basename,
	  .doc = "The last part of a path.", FUNC_EXAMPLES(basename_examples) },
	{ "dirname", path_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_dirname,
	  .doc = "A path without its last part.", FUNC_EXAMPLES(dirname_examples) },
	{ "file", path_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_file,
	  .doc = "The content of a file, which must be UTF-8 text. A relative path starts at the "
		 "template's directory; `~/` is the user's home.",
	  FUNC_EXAMPLES(file_examples) },
	{ "filebase64", path_params, 1, .returns = &type_string, .call = fn_filebase64,
	  .doc = "The content of any file, in base64. A relative path starts at the working "
		 "directory.",
	  FUNC_EXAMPLES(filebase64_examples) },
	{ "fileexists", path_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_bool, .call = fn_fileexists,
	  .doc = "Whether there is a file. A directory of that name is an error.",
	  FUNC_EXAMPLES(fileexists_examples) },
	{ "fileset", fileset_params, 2, .flags = FUNC_UNREFINED,
	  .returns = &type_set_string, .call = fn_fileset,
	  .doc = "The files below a directory that match a pattern, as paths from that directory "
		 "on. In a pattern `*` and `?` stand for characters of one name, `[a-z]` and "
		 "`[^a-z]` for one of a class, `{a,b}` for either, and `**` for any number of "
		 "directories.",
	  FUNC_EXAMPLES(fileset_examples) },
	{ "pathexpand", path_params, 1, .flags = FUNC_UNREFINED,
	  .returns = &type_string, .call = fn_pathexpand,
	  .doc = "The path with the user's home in the place of a `~` at its beginning.",
	  FUNC_EXAMPLES(pathexpand_examples) },
	{ "templatefile", templatefile_params, 2, .returns = &type_any, .call = fn_templatefile,
	  .doc = "Reads a file as a template, with `${…}` and `%{…}`, in which the keys of "
		 "`vars` are the variables; all functions but templatefile may be called. A file "
		 "that is nothing but one `${…}` gives the value itself, else text.",
	  FUNC_EXAMPLES(templatefile_examples) },
};

const struct func_group func_group_file = { "Files and paths", rows, ARRAY_LEN(rows) };
