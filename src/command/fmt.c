/* fmt: HCL2 files in their canonical layout. What it prints is data: names of changed files and
 * differences; mistakes come after them. A file that does not parse is left alone. */
#include "command/command.h"
#include "command/template_flags.h"
#include "command/ui.h"

#include "lang/hcl/format.h"
#include "lang/hcl/hcl.h"

#include "base/linediff.h"
#include "base/os.h"
#include "base/vec.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_UNFORMATTED = 3 };

struct fmt {
	bool diff, write, recursive;
	bool changed;
	VEC(char *) mistakes; /* shown when all files are done */
};

static void add_mistakes(struct fmt *f, const struct diags *d)
{
	for (size_t i = 0; i < d->n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;

		if (d->v[i].severity != DIAG_ERROR)
			continue;
		diag_render(&d->v[i], &text);
		vec_push(&f->mistakes, buf_steal(&text));
	}
}

static void add_failure(struct fmt *f, const char *msg)
{
	vec_push(&f->mistakes, xasprintf("Error: %s\n", msg));
}

static bool is_hcl_name(const char *path)
{
	return ends_with(path, ".pkr.hcl") || ends_with(path, ".pkrvars.hcl");
}

/* The canonical text of a file (or NAME "-"), false with the reason among the mistakes. */
static bool lay_out(struct fmt *f, const char *name, struct buf *ret_text, struct buf *ret_laid)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct hcl_tokens tokens;
	struct diags d;
	int rc = streq(name, "-")
			 ? os_read_fd(STDIN_FILENO, "standard input", HCL_SIZE_MAX, ret_text, &err)
			 : os_read_file(name, HCL_SIZE_MAX, ret_text, &err);

	if (rc < 0) {
		add_failure(f, err.msg);
		return false;
	}
	diags_init(&d, a);
	rc = hcl_check(a, source_new(a, name, buf_str(ret_text)), &d, &tokens);
	add_mistakes(f, &d);
	if (rc < 0)
		return false;
	hcl_format_tokens(buf_str(ret_text), tokens, ret_laid);
	if (ret_laid->overflow) {
		auto_free char *msg = xasprintf("%s: the formatted file would be too large", name);

		add_failure(f, msg);
		return false;
	}
	return true;
}

static int replace(const char *path, struct str text, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_errno(err, errno, "%s", path);
	return os_write_file(path, text.p, text.n, (int)(st.st_mode & 07777), err);
}

static void show_diff(const char *path, struct str from, struct str to)
{
	auto_free char *old = xasprintf("old/%s", path), *new = xasprintf("new/%s", path);
	AUTO(buf) struct buf out = BUF_INIT;

	linediff_unified(from, to, old, new, &out);
	ui_write(buf_str(&out));
}

static void format_file(struct fmt *f, const char *path)
{
	AUTO(buf) struct buf text = BUF_INIT, laid = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	if (!is_hcl_name(path)) {
		auto_free char *msg = xasprintf(
			"%s: fmt formats only *.pkr.hcl and *.pkrvars.hcl files, directories of "
			"them, and standard input (-)",
			path);

		return add_failure(f, msg);
	}
	if (!lay_out(f, path, &text, &laid) || str_eq(buf_str(&text), buf_str(&laid)))
		return;
	f->changed = true;
	ui_write(str_from(path));
	ui_write(STR("\n"));
	if (f->write && replace(path, buf_str(&laid), &err) < 0)
		return add_failure(f, err.msg);
	if (f->diff)
		show_diff(path, buf_str(&text), buf_str(&laid));
}

/* Where nothing is to be written, text that is right already is given back all the same: so does
 * the reference. */
static void format_stdin(struct fmt *f)
{
	AUTO(buf) struct buf text = BUF_INIT, laid = BUF_INIT;
	bool same;

	if (!lay_out(f, "-", &text, &laid))
		return;
	same = str_eq(buf_str(&text), buf_str(&laid));
	if (!same)
		f->changed = true;
	if (same || f->write)
		ui_write(buf_str(&laid));
}

/* Hidden ones and what editors leave behind. */
static int wanted(const struct dirent *e)
{
	const char *name = e->d_name;

	return name[0] != '.' && !ends_with(name, "~") && !(name[0] == '#' && ends_with(name, "#"));
}

static bool is_own_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Names of files stand without "./" before them. */
static const char *shown_dir(const char *dir)
{
	while (starts_with(dir, "./"))
		for (dir += 2; *dir == '/'; dir++)
			;
	return streq(dir, ".") ? "" : dir;
}

static void format_dir(struct fmt *f, const char *dir)
{
	struct dirent **entries = NULL;
	int n = scandir(dir, &entries, wanted, by_bytes);

	if (n < 0) {
		auto_free char *msg =
			xasprintf("reading the directory %s: %s", dir, strerror(errno));

		return add_failure(f, msg);
	}
	for (int i = 0; i < n; i++) {
		auto_free char *path = os_path_join(shown_dir(dir), entries[i]->d_name);

		free(entries[i]);
		if (is_own_dir(path)) {
			if (f->recursive)
				format_dir(f, path);
		} else if (is_hcl_name(path)) {
			format_file(f, path);
		}
	}
	free(entries);
}

static int run(const struct invocation *in)
{
	bool check = flags_bool(in->flags, "check");
	struct fmt f = {
		.diff = flags_bool(in->flags, "diff"),
		.write = flags_bool(in->flags, "write") && !check,
		.recursive = flags_bool(in->flags, "recursive"),
	};
	size_t nmistakes;

	for (size_t i = 0; i < in->nargs; i++) {
		if (streq(in->args[i], "-"))
			format_stdin(&f);
		else if (os_is_dir(in->args[i]))
			format_dir(&f, in->args[i]);
		else
			format_file(&f, in->args[i]);
	}
	nmistakes = f.mistakes.n;
	for (size_t i = 0; i < nmistakes; i++) {
		ui_error(in, "%s", f.mistakes.v[i]);
		free(f.mistakes.v[i]);
	}
	vec_release(&f.mistakes);
	if (nmistakes)
		return 1;
	return check && f.changed ? EXIT_UNFORMATTED : 0;
}

static const struct flag flags[] = {
	{ "check", FLAG_BOOL,
	  .doc = "Change nothing; exit with status 3 if a file is not formatted." },
	{ "diff", FLAG_BOOL, .doc = "Show the changes as a unified diff." },
	{ "write", FLAG_BOOL, .def = "true",
	  .doc = "Change nothing; only print the names of files that are not formatted." },
	{ "recursive", FLAG_BOOL, .doc = "Process subdirectories too." },
};

const struct command command_fmt = {
	.name = "fmt",
	.arguments = "[options] [TEMPLATE]",
	.summary = "Format HCL2 files",
	.description = "Rewrites *.pkr.hcl and *.pkrvars.hcl files in the canonical format and "
		       "prints the name of each file that changes. Only white space between "
		       "tokens changes. With \"-\" it reads standard input and writes standard "
		       "output. A file with a syntax error is left as it is.",
	.flags = flags,
	.nflags = ARRAY_LEN(flags),
	.more_flags = template_flags,
	.nmore_flags = NTEMPLATE_FLAGS,
	.more_hidden = true,
	.min_args = 1,
	.max_args = -1,
	.packer = true,
	.run = run,
};
