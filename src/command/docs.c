/* docs: the reference of the components, printed from their option tables. */
#include "command/command.h"
#include "command/components.h"
#include "command/ui.h"

#include "base/os.h"
#include "base/str.h"
#include "base/vec.h"
#include "spec/docs.h"

/* One component, whatever its kind. */
struct entry {
	const char *kind, *type;
	const struct spec *spec;
};
struct entries {
	VEC(struct entry) v;
};

#define ORIGIN "<!-- Printed from the option tables by `ingot docs -output-dir`: change the table, not this file. -->\n"

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
	ui_say(in, "\n`%s docs NAME` prints the options of one.", in->program);
	return 0;
}

static int print_one(const struct invocation *in, const struct entries *e, const char *type)
{
	auto_free const char **names = xcalloc(e->v.n, sizeof(*names));
	const char *near;
	size_t found = 0;

	for (size_t i = 0; i < e->v.n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		names[i] = e->v.v[i].type;
		if (!streq(type, e->v.v[i].type))
			continue;
		spec_write_markdown(e->v.v[i].spec, &text);
		ui_say(in, "%s(%s)\n\n" STR_FMT, found++ ? "\n" : "", e->v.v[i].kind, STR_ARG(str_trim(buf_str(&text))));
	}
	if (found)
		return 0;
	near = str_nearest(type, names, e->v.n);
	if (near)
		ui_error(in, "There is no component '%s'; did you mean '%s'? `%s docs` lists them all.", type, near, in->program);
	else
		ui_error(in, "There is no component '%s'. `%s docs` lists them all.", type, in->program);
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

static int write_file(const struct invocation *in, const char *dir, const char *name, const struct buf *text)
{
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *path = xasprintf("%s/%s", dir, name);

	if (os_mkdir_all(dir, 0755, &err) == 0 && os_write_file(path, text->p, text->n, 0644, &err) == 0)
		return 0;
	ui_error(in, "%s", err.msg);
	return 1;
}

/* One Markdown file for each component, and one that lists them: docs/reference of the repository. */
static int write_all(const struct invocation *in, const struct entries *e, const char *dir)
{
	AUTO(buf) struct buf index = BUF_INIT;
	const char *kind = "";

	buf_adds(&index, ORIGIN "# Reference: the options of all components\n\n`ingot docs NAME` prints the same.\n");
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
	return write_file(in, dir, "README.md", &index);
}

static int docs_run(const struct invocation *in)
{
	struct entries e = { 0 };
	int code;

	collect(&e);
	if (flags_given(in->flags, "output-dir"))
		code = write_all(in, &e, flags_string(in->flags, "output-dir"));
	else if (in->nargs)
		code = print_one(in, &e, in->args[0]);
	else
		code = list_all(in, &e);
	vec_release(&e.v);
	return code;
}

static const struct flag flags[] = {
	{ .name = "output-dir", .type = FLAG_STRING, .value = "path", .doc = "Write one Markdown file for each component there, and a list." },
};

const struct command command_docs = {
	.name = "docs",
	.arguments = "[options] [COMPONENT]",
	.summary = "Print the reference of a component's options",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.max_args = 1,
	.run = docs_run,
};
