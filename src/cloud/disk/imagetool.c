/* Runs mmdebstrap, sfdisk, mkfs.ext4, debugfs and their like for the base images and the qemu
 * backend. */
#include "base/os.h"
#include "base/proc.h"
#include "base/str.h"
#include "cloud/disk/imagetool.h"

#include <string.h>
#include <unistd.h>

#define SBIN "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
#define TAIL_LINES 4
#define LINE_MAX_BYTES 1000
#define OUTPUT_MAX ((size_t)256 << 20)

static const struct {
	const char *program, *package;
} packages[] = {
	{ "apt-config", "apt" },
	{ "debugfs", "e2fsprogs" },
	{ "e2fsck", "e2fsprogs" },
	{ "fakeroot", "fakeroot" },
	{ "mkfs.ext4", "e2fsprogs" },
	{ "mmdebstrap", "mmdebstrap" },
	{ "newuidmap", "uidmap" },
	{ "qemu-img", "qemu-utils" },
	{ "qemu-system-x86_64", "qemu-system-x86" },
	{ "resize2fs", "e2fsprogs" },
	{ "sfdisk", "fdisk" },
	{ "tar", "tar" },
};

static const char *package_of(const char *program)
{
	for (size_t i = 0; i < ARRAY_LEN(packages); i++)
		if (streq(packages[i].program, program))
			return packages[i].package;
	return program;
}

static char *search_path(void)
{
	const char *path = os_env("PATH");

	return path ? xasprintf("%s:" SBIN, path) : xstrdup(SBIN);
}

int imagetool_find(const char *program, const char *step, char **ret_path, struct err *err)
{
	auto_free char *path = search_path();
	struct str rest = str_from(path), dir;

	while (str_split(&rest, ':', &dir)) {
		auto_free char *candidate = xasprintf(STR_FMT "/%s", STR_ARG(dir), program);

		if (dir.n && access(candidate, X_OK) == 0) {
			*ret_path = steal(candidate);
			return 0;
		}
	}
	return err_set(err, ERR_UNSUPPORTED, "%s: %s is not installed; install the package %s",
		       step, program, package_of(program));
}

/* What one run has said: the open line of each stream, and the last whole lines for the error. */
struct talk {
	const struct imagetool *tool;
	struct buf open[2];
	char *tail[TAIL_LINES];
	size_t ntail;
};

static void talk_release(struct talk *t)
{
	buf_release(&t->open[0]);
	buf_release(&t->open[1]);
	for (size_t i = 0; i < t->ntail; i++)
		free(t->tail[i]);
}
DEFINE_AUTO(talk, struct talk, talk_release);

static void talk_line(struct talk *t, struct buf *line)
{
	if (line->n) {
		if (t->ntail == TAIL_LINES) {
			free(t->tail[0]);
			memmove(t->tail, t->tail + 1, (TAIL_LINES - 1) * sizeof(*t->tail));
			t->ntail--;
		}
		t->tail[t->ntail++] = xstrdup(buf_cstr(line));
		if (t->tool->on_line)
			t->tool->on_line(t->tool->data, buf_cstr(line));
	}
	buf_reset(line);
}

static void talk_add(struct talk *t, enum proc_stream s, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n' || p[i] == '\r')
			talk_line(t, &t->open[s]);
		else if (t->open[s].n < LINE_MAX_BYTES)
			buf_addc(&t->open[s], p[i]);
	}
}

static void on_output(void *data, enum proc_stream s, const char *p, size_t n)
{
	struct talk *t = data;

	if (s == PROC_STDOUT && t->tool->output) {
		buf_add(t->tool->output, p, n);
		return;
	}
	talk_add(t, s, p, n);
}

int imagetool_run(const struct imagetool *t, struct err *err)
{
	AUTO(talk) struct talk talk = { .tool = t };
	auto_free char *program = NULL, *search = search_path(),
		       *path = xasprintf("PATH=%s", search);
	auto_free const char **argv = NULL, **env = NULL;
	size_t n = 0, nenv = 0;
	int status;

	if (imagetool_find(t->argv[0], t->step, &program, err) < 0)
		return -1;
	while (t->argv[n])
		n++;
	while (t->env && t->env[nenv])
		nenv++;
	argv = xcalloc(n + 1, sizeof(*argv));
	memcpy(argv, t->argv, n * sizeof(*argv));
	argv[0] = program;
	env = xcalloc(nenv + 3, sizeof(*env));
	env[0] = path;
	env[1] = "LC_ALL=C";
	memcpy(env + 2, t->env ? t->env : argv + n, nenv * sizeof(*env));

	const struct proc_spec spec = {
		.argv = argv, .env = env, .input = t->input, .on_output = on_output, .data = &talk
	};

	if (t->output && !t->output->max)
		t->output->max = OUTPUT_MAX;
	if (proc_run(&spec, &status, err) < 0)
		return err_prefix(err, "%s", t->step);
	talk_line(&talk, &talk.open[PROC_STDOUT]);
	talk_line(&talk, &talk.open[PROC_STDERR]);
	if (status) {
		AUTO(buf) struct buf said = BUF_INIT;

		for (size_t i = 0; i < talk.ntail; i++)
			buf_printf(&said, "%s%s", i ? "; " : "", talk.tail[i]);
		err_set(err, ERR_EXIT, "%s: %s failed (%s %d): %s", t->step, t->argv[0],
			status < 0 ? "signal" : "exit status", status < 0 ? -status : status,
			said.n ? buf_cstr(&said) : "it said nothing");
		err->os = status;
		return -1;
	}
	if (t->output && t->output->overflow)
		return err_set(err, ERR_INVALID, "%s: %s gave more than %zu bytes", t->step,
			       t->argv[0], t->output->max);
	return 0;
}
