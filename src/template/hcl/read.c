/* Finding the files of an HCL2 template, and sorting their top-level blocks.
 *
 * A directory is one template: its *.pkr.hcl in the order of their names, then its *.pkr.json. All
 * files are parsed before any is looked into, so that the mistakes of all are shown at once. */
#include "template/hcl/hcl.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"
#include "lang/hcl/token.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* Strings on the heap, sorted. */
struct paths {
	char **v;
	size_t n, cap;
};

static void paths_release(struct paths *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->v[i]);
	vec_release(p);
}
DEFINE_AUTO(paths, struct paths, paths_release);

static int compare_paths(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The directory's files with that ending, without "./" in their names, as in the reference. */
static int list_dir(const char *dir, const char *ending, struct paths *ret, struct err *err)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return err_errno(err, errno, "cannot read the directory %s", dir);
	while (starts_with(dir, "./"))
		dir += strspn(dir + 1, "/") + 1;
	while ((entry = readdir(d))) {
		auto_free char *path = NULL;

		if (!ends_with(entry->d_name, ending))
			continue;
		path = streq(dir, ".") || !*dir ? xstrdup(entry->d_name)
						: os_path_join(dir, entry->d_name);
		if (!os_is_dir(path))
			vec_push(ret, steal(path));
	}
	closedir(d);
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_paths);
	return 0;
}

int hcl_list_files(const char *path, const char *hcl, const char *json, struct arena *a,
		   const char ***ret, size_t *ret_n, struct err *err)
{
	AUTO(paths) struct paths found = { 0 }, found_json = { 0 };
	const char **v;

	if (!os_is_dir(path)) {
		if (ends_with(path, hcl) || ends_with(path, json))
			vec_push(&found, xstrdup(path));
	} else if (list_dir(path, hcl, &found, err) < 0 ||
		   list_dir(path, json, &found_json, err) < 0) {
		return -1;
	}
	*ret_n = found.n + found_json.n;
	v = arena_new_array(a, const char *, *ret_n + 1);
	for (size_t i = 0; i < *ret_n; i++)
		v[i] = arena_strdup(a, i < found.n ? found.v[i] : found_json.v[i - found.n]);
	*ret = v;
	return 0;
}

int hcl_parse_file(struct arena *a, const char *path, struct diags *d, struct hcl_file *ret,
		   struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	int rc = streq(path, "-")
		     ? os_read_fd(STDIN_FILENO, "standard input", HCL_SIZE_MAX, &text, err)
		     : os_read_file(path, HCL_SIZE_MAX, &text, err);

	if (rc < 0)
		return -1;
	ret->src = source_new(a, path, arena_str(a, buf_str(&text)));
	if (ends_with(path, ".json"))
		hcl_parse_json(a, ret->src, d, &ret->body);
	else
		hcl_parse(a, ret->src, d, &ret->body);
	return 0;
}

/* path.root as the reference shows it: the directory as given, or that of the file; empty without a
 * template. */
static const char *root_of(struct arena *a, const char *path)
{
	const char *slash, *dir;

	if (!path)
		return "";
	if (os_is_dir(path))
		return arena_strdup(a, path);
	slash = strrchr(path, '/');
	if (!slash)
		return ".";
	if (slash == path)
		return "/";
	dir = arena_strndup(a, path, (size_t)(slash - path));
	while (starts_with(dir, "./"))
		dir += 2;
	return dir;
}

static int parse_files(struct hcl_template *t, struct err *err)
{
	const char *path = t->args->path;
	const char *one[] = { path };
	const char **paths = one;
	size_t n = path != NULL;

	if (path && !streq(path, "-")) {
		struct stat st;

		if (stat(path, &st) < 0)
			return err_errno(err, errno, "cannot read the template %s", path);
		if (hcl_list_files(path, ".pkr.hcl", ".pkr.json", t->arena, &paths, &n, err) < 0)
			return -1;
		if (!n) {
			struct diag *g =
			    diag_error(t->diags, (struct span){ 0 }, "%s contains no HCL2 "
								     "template", path);

			diag_detail(t->diags, g,
				    "The names of template files end in .pkr.hcl or .pkr.json. "
				    "Name such a file, or a directory that contains some.");
			return -1;
		}
	}
	t->files = arena_new_array(t->arena, struct hcl_file, n + 1);
	for (size_t i = 0; i < n; i++)
		if (hcl_parse_file(t->arena, paths[i], t->diags, &t->files[t->nfiles++], err) < 0)
			return -1;
	return t->diags->errors ? -1 : 0;
}

const char *hcl_place(struct arena *a, struct span span)
{
	struct position at;

	if (!span.src)
		return "an unknown place";
	at = source_position(span.src, span.from);
	return arena_printf(a, "%s:%u:%u", span.src->name, at.line, at.column_chars);
}

bool hcl_is_identifier(struct arena *a, struct str s)
{
	struct hcl_tokens tokens = hcl_lex(a, s, HCL_LEX_EXPR);

	return s.n && tokens.v[0].kind == HCL_T_IDENT && tokens.v[0].from == 0 &&
	       tokens.v[0].to == s.n;
}

static struct str name_key(struct buf *b, const char *kind, const char *name)
{
	buf_printf(b, "%s %s", kind, name);
	return buf_str(b);
}

ptrdiff_t hcl_find(const struct hcl_template *t, const char *kind, const char *name)
{
	AUTO(buf) struct buf key = BUF_INIT;

	return (ptrdiff_t)(uintptr_t)map_get(&t->names, name_key(&key, kind, name)) - 1;
}

static struct span defined_at(const struct hcl_template *t, const char *kind, size_t index)
{
	if (streq(kind, "variable"))
		return t->variables[index].span;
	if (streq(kind, "local"))
		return t->locals[index].span;
	if (streq(kind, "data"))
		return t->datas[index].block->span;
	return t->sources[index].block->span;
}

bool hcl_define(struct hcl_template *t, const char *kind, const char *name, struct span span,
		size_t index)
{
	AUTO(buf) struct buf key = BUF_INIT;
	struct str k = name_key(&key, kind, name);
	void *old = map_get(&t->names, k);
	struct diag *g;

	if (!old) {
		map_set(&t->names, k, (void *)(uintptr_t)(index + 1));
		return true;
	}
	g = diag_error(t->diags, span, "The %s \"%s\" is defined twice",
		       streq(kind, "data") ? "data source" : kind, name);
	diag_detail(t->diags, g, "It is defined at %s already: give one of the two another name.",
		    hcl_place(t->arena, defined_at(t, kind, (size_t)(uintptr_t)old - 1)));
	return false;
}

/* Labels that are names. */
static bool good_labels(struct hcl_template *t, const struct hcl_block *block)
{
	bool good = true;

	for (size_t i = 0; i < block->nlabels; i++) {
		const struct hcl_label *l = &block->labels[i];
		struct diag *g;

		if (hcl_is_identifier(t->arena, l->text))
			continue;
		g = diag_error(t->diags, l->span, "\"" STR_FMT "\" is no name", STR_ARG(l->text));
		g->subject = hcl_block_title(t->arena, block);
		diag_detail(t->diags, g,
			    "A name begins with a letter or an underscore; letters, digits, - and "
			    "_ may follow.");
		good = false;
	}
	return good;
}

/* The type and the name that a block's labels give; both joined, or NULL where they are none. */
static const char *type_and_name_of(struct hcl_template *t, const struct hcl_block *block,
				    const char **ret_type, const char **ret_name)
{
	if (!good_labels(t, block))
		return NULL;
	*ret_type = arena_strndup(t->arena, block->labels[0].text.p, block->labels[0].text.n);
	*ret_name = arena_strndup(t->arena, block->labels[1].text.p, block->labels[1].text.n);
	return arena_printf(t->arena, "%s.%s", *ret_type, *ret_name);
}

static void take_variable(struct hcl_template *t, const struct hcl_block *block)
{
	hcl_declare(t, block);
}

static void take_variables(struct hcl_template *t, const struct hcl_block *block)
{
	struct hcl_content c;

	hcl_attributes(t->arena, block->body, t->diags, &c);
	for (size_t i = 0; i < c.nattrs; i++)
		hcl_declare_legacy(t, &c.attrs[i]);
}

static void add_local(struct hcl_template *t, struct str name, struct span span,
		      const struct hcl_expr *x, bool sensitive)
{
	const char *s = arena_strndup(t->arena, name.p, name.n);

	if (!hcl_define(t, "local", s, x->span, t->nlocals))
		return;
	HCL_PUSH(t->arena, t->locals, t->nlocals,
		 (struct hcl_local){ .name = s,
				     .expr = x,
				     .span = span,
				     .sensitive = sensitive,
				     .value = value_unknown(span) });
}

static void take_locals(struct hcl_template *t, const struct hcl_block *block)
{
	struct hcl_content c;

	hcl_attributes(t->arena, block->body, t->diags, &c);
	for (size_t i = 0; i < c.nattrs; i++)
		add_local(t, c.attrs[i].name, c.attrs[i].name_span, c.attrs[i].expr, false);
}

static void take_local(struct hcl_template *t, const struct hcl_block *block)
{
	static const struct hcl_schema_attr attrs[] = { { "expression", false },
							{ "sensitive", false } };
	static const struct hcl_schema schema = { .attrs = attrs, .nattrs = ARRAY_LEN(attrs) };
	const char *title = hcl_block_title(t->arena, block);
	const struct hcl_attr *x, *sensitive;
	struct value v = { 0 };
	struct hcl_content c;

	if (!good_labels(t, block))
		return;
	hcl_content(t->arena, block->body, &schema, t->diags, &c);
	x = hcl_content_attr(&c, "expression");
	if (!x) {
		struct diag *g = diag_error(t->diags, block->span, "%s has no value", title);

		diag_detail(t->diags, g, "Give it one: expression = VALUE.");
		return;
	}
	sensitive = hcl_content_attr(&c, "sensitive");
	if (sensitive && hcl_constant(t, sensitive->expr, &type_bool, false, title, &v) < 0)
		return;
	add_local(t, block->labels[0].text, block->labels[0].span, x->expr,
		  v.kind == VALUE_BOOL && v.boolean);
}

static void take_data(struct hcl_template *t, const struct hcl_block *block)
{
	const char *type, *name, *both = type_and_name_of(t, block, &type, &name);

	if (both && hcl_define(t, "data", both, block->span, t->ndatas))
		HCL_PUSH(t->arena, t->datas, t->ndatas,
			 (struct hcl_data){ .type = type,
					    .name = name,
					    .block = block,
					    .value = value_unknown(block->span) });
}

/* The reference looks at sources only where it goes on to build from them. */
static void take_source(struct hcl_template *t, const struct hcl_block *block)
{
	const char *type, *name, *both;
	struct diags *diags = t->diags;

	t->diags = &t->late;
	both = type_and_name_of(t, block, &type, &name);
	if (both && hcl_define(t, "source", both, block->span, t->nsources))
		HCL_PUSH(t->arena, t->sources, t->nsources,
			 (struct hcl_source){ .type = type, .name = name, .block = block });
	t->diags = diags;
}

static void take_build(struct hcl_template *t, const struct hcl_block *block)
{
	HCL_PUSH(t->arena, t->builds, t->nbuilds, block);
}

static void take_registry(struct hcl_template *t, const struct hcl_block *block)
{
	HCL_PUSH(t->arena, t->registries, t->nregistries, block);
}

static void take_group(struct hcl_template *t, const struct hcl_block *block)
{
	HCL_PUSH(t->arena, t->groups, t->ngroups, block);
}

static void take_nothing(struct hcl_template *t, const struct hcl_block *block)
{
	(void)t;
	(void)block;
}

static const char *const one_name[] = { "name", NULL };
static const char *const type_and_name[] = { "type", "name", NULL };

/* What may stand at the top of a file. */
static const struct {
	struct hcl_schema_block form;
	void (*take)(struct hcl_template *t, const struct hcl_block *block);
} kinds[] = {
	{ { "packer", NULL }, hcl_packer_block },
	{ { "source", type_and_name }, take_source },
	{ { "variables", NULL }, take_variables },
	{ { "variable", one_name }, take_variable },
	{ { "locals", NULL }, take_locals },
	{ { "local", one_name }, take_local },
	{ { "data", type_and_name }, take_data },
	{ { "build", NULL }, take_build },
	{ { "hcp_packer_registry", NULL }, take_registry },
	{ { "provisioners", one_name }, take_group },
	{ { "communicator", type_and_name }, take_nothing },
};

static void take_file(struct hcl_template *t, const struct hcl_file *f)
{
	struct hcl_schema_block blocks[ARRAY_LEN(kinds)];
	struct hcl_schema schema = { .blocks = blocks, .nblocks = ARRAY_LEN(blocks) };
	struct hcl_content c;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		blocks[i] = kinds[i].form;
	hcl_content(t->arena, f->body, &schema, t->diags, &c);
	for (size_t i = 0; i < c.nblocks; i++)
		for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
			if (str_eqs(c.blocks[i].type, kinds[k].form.type))
				kinds[k].take(t, &c.blocks[i]);
}

/* A template for another version may be full of things that this one does not know: that one
 * message first. */
static int check_version(struct hcl_template *t)
{
	static const struct hcl_schema_block packer = { "packer", NULL };
	static const struct hcl_schema schema = { .blocks = &packer, .nblocks = 1, .open = true };
	int rc = 0;

	for (size_t i = 0; i < t->nfiles; i++) {
		struct diags later; /* they come again when all is sorted */
		struct hcl_content c;

		diags_init(&later, t->arena);
		hcl_content(t->arena, t->files[i].body, &schema, &later, &c);
		for (size_t j = 0; j < c.nblocks; j++)
			rc |= hcl_packer_version(t, &c.blocks[j]);
	}
	return rc;
}

static void release_names(void *map)
{
	map_release(map);
}

int hcl_read(struct arena *a, const struct template_args *args, struct diags *d,
	     struct hcl_template **ret)
{
	AUTO(err) struct err err = ERR_INIT;
	struct hcl_template *t = arena_new_obj(a, struct hcl_template);

	t->arena = a;
	t->own_args = *args; /* builds look at them while they run, when the caller's may be gone */
	t->args = &t->own_args;
	t->diags = d;
	diags_init(&t->late, a);
	t->now_ms = clock_unix_ms();
	t->dir = root_of(a, args->path);
	arena_on_free(a, release_names, &t->names);
	*ret = t;
	if (parse_files(t, &err) < 0) {
		if (err_any(&err))
			diag_error(d, (struct span){ 0 }, "%s", err.msg);
		return -1;
	}
	if (check_version(t) < 0)
		return -1;
	for (size_t i = 0; i < t->nfiles; i++)
		take_file(t, &t->files[i]);
	return d->errors ? -1 : 0;
}
