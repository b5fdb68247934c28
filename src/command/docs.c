/* docs: the reference of the components and functions, printed from their tables. */
#include "command/command.h"
#include "command/components.h"
#include "command/ui.h"

#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"
#include "lang/expr/docs.h"
#include "spec/docs.h"

/* One component, whatever its kind. */
struct entry {
	const char *kind, *type;
	const struct spec *spec;
};
struct entries {
	VEC(struct entry) v;
};

#define ORIGIN \
	"<!-- Printed from the tables by `ingot docs -output-dir`: change the table, not this " \
	"file. -->\n"

#define ADD_ALL(e, kind_, list) \
	for (size_t i_ = 0; (list)[i_]; i_++) \
	vec_push(&(e)->v, (struct entry){ kind_, (list)[i_]->type, (list)[i_]->spec })

static void collect(struct entries *e)
{
	ADD_ALL(e, "builder", components.builders);
	ADD_ALL(e, "provisioner", components.provisioners);
	ADD_ALL(e, "post-processor", components.postprocessors);
	ADD_ALL(e, "data source", components.datasources);
}

static int list_all(const struct invocation *in, const struct entries *e)
{
	const char *kind = "";

	for (size_t i = 0; i < e->v.n; i++) {
		if (!streq(kind, e->v.v[i].kind))
			ui_say(in, "%s%ss:", i ? "\n" : "", e->v.v[i].kind);
		kind = e->v.v[i].kind;
		ui_say(in, "  %s", e->v.v[i].type);
	}
	ui_say(in,
	       "\n`%s docs NAME` prints the options of one, or a function; `%s docs functions` "
	       "lists those.",
	       in->program, in->program);
	return 0;
}

static int list_functions(const struct invocation *in)
{
	for (const struct func_group *const *g = components.functions; *g; g++) {
		ui_say(in, "%s%s:", g == components.functions ? "" : "\n", (*g)->name);
		for (size_t i = 0; i < (*g)->n; i++) {
			AUTO(buf) struct buf line = BUF_INIT;

			func_write_signature(&(*g)->rows[i], &line);
			ui_say(in, "  %s", buf_cstr(&line));
		}
	}
	ui_say(in, "\n`%s docs NAME` prints one with its examples.", in->program);
	return 0;
}

/* The nearest name of a component or function. */
static void tell_unknown(const struct invocation *in, const struct entries *e, const char *name)
{
	auto_free const char **names = xcalloc(e->v.n + 1, sizeof(*names));
	const char *function = func_nearest(components.functions, name), *near;

	for (size_t i = 0; i < e->v.n; i++)
		names[i] = e->v.v[i].type;
	names[e->v.n] = function ? function : "";
	near = str_nearest(name, names, e->v.n + 1);
	if (near && *near)
		ui_error(in,
			 "There is no component or function '%s'; did you mean '%s'? `%s docs` "
			 "lists them all.",
			 name, near, in->program);
	else
		ui_error(in, "There is no component or function '%s'. `%s docs` lists them all.",
			 name, in->program);
}

/* What has that name: components of any kind, a function. */
static int print_one(const struct invocation *in, const struct entries *e, const char *name)
{
	const struct func *f = func_find(components.functions, str_from(name));
	size_t found = 0;

	for (size_t i = 0; i < e->v.n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		if (!streq(name, e->v.v[i].type))
			continue;
		spec_write_markdown(e->v.v[i].spec, &text);
		ui_say(in, "%s(%s)\n\n" STR_FMT, found++ ? "\n" : "", e->v.v[i].kind,
		       STR_ARG(str_trim(buf_str(&text))));
	}
	if (f) {
		AUTO(buf) struct buf text = BUF_INIT;

		func_write_markdown(f, &text);
		ui_say(in, "%s(function)\n\n# %s\n\n" STR_FMT, found++ ? "\n" : "", name,
		       STR_ARG(str_trim(buf_str(&text))));
	}
	if (found)
		return 0;
	tell_unknown(in, e, name);
	return 1;
}

/* KIND-TYPE.md */
static char *file_name(const struct entry *e)
{
	char *name = xasprintf("%s-%s.md", e->kind, e->type);

	for (char *p = name; *p; p++)
		if (*p == ' ')
			*p = '-';
	return name;
}

static int write_file(const struct invocation *in, const char *dir, const char *name,
		      const struct buf *text)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *path = xasprintf("%s/%s", dir, name);

	if (os_mkdir_all(dir, 0755, &err) == 0 &&
	    os_write_file(path, text->p, text->n, 0644, &err) == 0)
		return 0;
	ui_error(in, "%s", err.msg);
	return 1;
}

/* The page of all functions, and its line in the list. */
static int write_functions(const struct invocation *in, const char *dir, struct buf *index)
{
	AUTO(buf) struct buf page = BUF_INIT;

	buf_adds(index, "\n## functions\n\n- [functions](functions.md)\n");
	buf_adds(&page, ORIGIN);
	func_write_page(components.functions, &page);
	return write_file(in, dir, "functions.md", &page);
}

/* One Markdown file for each component, one for all functions, and one that lists them:
 * docs/reference of the repository. */
static int write_all(const struct invocation *in, const struct entries *e, const char *dir)
{
	AUTO(buf) struct buf index = BUF_INIT;
	const char *kind = "";

	buf_adds(&index, ORIGIN "# Reference: the options of all components, and all "
				"functions\n\n`ingot docs NAME` prints the same.\n");
	for (size_t i = 0; i < e->v.n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;
		auto_free char *name = file_name(&e->v.v[i]);

		if (!streq(kind, e->v.v[i].kind))
			buf_printf(&index, "\n## %ss\n\n", e->v.v[i].kind);
		kind = e->v.v[i].kind;
		buf_printf(&index, "- [%s](%s)\n", e->v.v[i].type, name);
		buf_adds(&text, ORIGIN);
		spec_write_markdown(e->v.v[i].spec, &text);
		if (write_file(in, dir, name, &text))
			return 1;
	}
	if (write_functions(in, dir, &index))
		return 1;
	return write_file(in, dir, "README.md", &index);
}

static int docs_run(const struct invocation *in)
{
	struct entries e = { 0 };
	int code;

	collect(&e);
	if (flags_given(in->flags, "output-dir"))
		code = write_all(in, &e, flags_string(in->flags, "output-dir"));
	else if (in->nargs && streq(in->args[0], "functions"))
		code = list_functions(in);
	else if (in->nargs)
		code = print_one(in, &e, in->args[0]);
	else
		code = list_all(in, &e);
	vec_release(&e.v);
	return code;
}

static void docs_complete(struct buf *out)
{
	struct entries e = { 0 };

	collect(&e);
	for (size_t i = 0; i < e.v.n; i++)
		buf_printf(out, " %s", e.v.v[i].type);
	vec_release(&e.v);
	buf_adds(out, " functions");
	for (const struct func_group *const *g = components.functions; *g; g++)
		for (size_t i = 0; i < (*g)->n; i++)
			buf_printf(out, " %s", (*g)->rows[i].name);
}

static const struct flag flags[] = {
	{ .name = "output-dir",
	  .type = FLAG_STRING,
	  .value = "path",
	  .doc = "Write one Markdown file for each component there, one for all functions, and a "
		 "list." },
};

const struct command command_docs = {
	.name = "docs",
	.arguments = "[options] [COMPONENT|FUNCTION|functions]",
	.summary = "Print the reference of a component's options, or of a function",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.max_args = 1,
	.complete = docs_complete,
	.run = docs_run,
};
