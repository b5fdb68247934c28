/* The shell provisioner: a script goes to the machine and runs there, in one round trip where it is
 * short. What breaks off before the script has started is tried again, for restarts, until
 * start_retry_timeout. */
#include "base/clock.h"
#include "base/os.h"
#include "base/vec.h"
#include "communicator/communicator.h"
#include "engine/output.h"
#include "engine/script.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SCRIPT_MAX ((size_t)256 << 20)
#define RETRY_PAUSE_MS 500
#define NO_COMMUNICATOR "communicator is \"none\", so there is no machine to run it on"

struct shell_config {
	struct strs inline_;
	char *script;
	struct strs scripts;
	struct ints valid_exit_codes;
	struct strs environment_vars;
	struct str_map env;
	char *env_var_format;
	bool binary;
	char *remote_path, *execute_command, *inline_shebang;
	int64_t pause_after;
	bool use_env_var_file;
	char *remote_folder, *remote_file;
	int64_t start_retry_timeout;
	bool skip_clean, expect_disconnect;
};

static const struct spec_row rows[] = {
	SPEC_STRS(struct shell_config, inline_, .name = "inline",
		  .doc = "Lines of a script, run together as one script."),
	SPEC_STR(struct shell_config, script, .doc = "Path of a script on this machine."),
	SPEC_STRS(struct shell_config, scripts,
		  .doc = "Paths of scripts on this machine, run in order."),
	SPEC_INTS(struct shell_config, valid_exit_codes,
		  .doc = "Exit statuses that count as success. Default: only 0."),
	SPEC_STRS(struct shell_config, environment_vars,
		  .doc = "Variables for the scripts, each `NAME=value`."),
	SPEC_MAP(struct shell_config, env,
		 .doc = "Variables for the scripts as a map; they override `environment_vars`."),
	SPEC_STR(struct shell_config, env_var_format, .flags = SPEC_LATE,
		 .doc = "Format of one variable in `{{.Vars}}`: the first `%s` is its name, the "
			"second its value. Default: `%s='%s' `, or with `use_env_var_file` a "
			"line `export %s='%s'`."),
	SPEC_BOOL(struct shell_config, binary,
		  .doc = "Upload scripts unchanged. Otherwise CRLF line endings are converted to "
			 "LF."),
	SPEC_STR(struct shell_config, remote_path,
		 .doc = "Path of the script on the machine. Default: `remote_file` in "
			"`remote_folder`."),
	SPEC_STR(struct shell_config, execute_command, .flags = SPEC_LATE,
		 .doc = "Command that runs the script. `{{.Vars}}` is the variables, `{{.Path}}` "
			"the path of the script, `{{.EnvVarFile}}` that of the file of "
			"variables. Default: `chmod +x {{.Path}}; {{.Vars}} {{.Path}}`."),
	SPEC_STR(struct shell_config, inline_shebang,
		 .doc = "First line of the script made from `inline`, without `#!`. Not given: "
			"`/bin/sh -e`, unless the lines begin with a `#!` of their own."),
	SPEC_DURATION(struct shell_config, pause_after,
		      .doc = "How long to wait after the scripts."),
	SPEC_BOOL(struct shell_config, use_env_var_file,
		  .doc = "Pass the variables in a file on the machine (mode 0600) instead of on "
			 "the command line."),
	SPEC_STR(struct shell_config, remote_folder, .def = "/tmp",
		 .doc = "Directory for scripts on the machine."),
	SPEC_STR(struct shell_config, remote_file,
		 .doc = "Name of the script in that directory. Default: `script_NUMBER.sh`."),
	SPEC_DURATION(struct shell_config, start_retry_timeout,
		      .doc = "How long to retry if the connection is lost before a script "
			     "starts, as after a restart. Default: `5m`."),
	SPEC_BOOL(struct shell_config, skip_clean, .doc = "Leave the scripts on the machine."),
	SPEC_BOOL(struct shell_config, expect_disconnect,
		  .doc = "A script may drop the connection, for example by restarting the "
			 "machine, and still succeed."),
};
static const struct spec spec =
	SPEC("shell", struct shell_config, rows, .doc = "Runs scripts on the machine.");

static void check_sources(struct prepare *p, struct shell_config *c)
{
	if (c->script && c->scripts.n)
		prepare_error(p, "scripts", "only one of script and scripts may be set");
	if (c->script) {
		c->scripts.v = arena_new_array(p->arena, char *, 1);
		c->scripts.v[0] = c->script;
		c->scripts.n = 1;
	}
	if (!c->scripts.n && !c->inline_.n)
		prepare_error(p, NULL, "there is nothing to run: set inline, script or scripts");
	else if (c->scripts.n && c->inline_.n)
		prepare_error(p, "inline", "set inline or script(s), not both");
	for (size_t i = 0; i < c->scripts.n; i++) {
		struct stat st;
		if (stat(c->scripts.v[i], &st) < 0)
			prepare_error(p, c->script ? "script" : "scripts",
				      "cannot read the script '%s': %s", c->scripts.v[i],
				      strerror(errno));
	}
}

static void prepare(struct prepare *p, void *config)
{
	struct shell_config *c = config;
	bool file = c->use_env_var_file;
	check_sources(p, c);
	if (!c->env_var_format)
		c->env_var_format = (char *)(file ? "export %s='%s'\n" : "%s='%s' ");
	if (!c->execute_command)
		c->execute_command =
			(char *)(file ? "chmod +x {{.Path}}; . {{.EnvVarFile}} && {{.Path}}"
				      : "chmod +x {{.Path}}; {{.Vars}} {{.Path}}");
	if (!c->start_retry_timeout)
		c->start_retry_timeout = 5 * 60 * 1000 * CLOCK_NS_PER_MS;
	for (size_t i = 0; i < c->environment_vars.n; i++)
		if (!strchr(c->environment_vars.v[i], '=') || *c->environment_vars.v[i] == '=')
			prepare_error(p, "environment_vars", "'%s' is not of the form NAME=value",
				      c->environment_vars.v[i]);
}

struct shell {
	struct build *b;
	const struct shell_config *c;
	struct communicator *comm;
	const char *path;     /* of a script, there */
	const char *env_file; /* of the variables, there; "" when there is none */
	const char *vars;
};

/* Wide enough for many builds on one machine: of 50 in 9999 numbers two would often meet. */
static unsigned random_number(void)
{
	uint32_t n;
	os_random(&n, sizeof(n));
	return n;
}

static int64_t retry_deadline(const struct shell *s)
{
	return clock_ms() + s->c->start_retry_timeout / CLOCK_NS_PER_MS;
}

/* Connects again where a try may still pass; otherwise err stays as it is. */
static int again(const struct shell *s, int64_t deadline, struct err *err)
{
	if (err->code != ERR_LOST || clock_ms() >= deadline)
		return -1;
	if (!s->c->expect_disconnect) { /* the next use of the connection opens it again */
		if (clock_sleep(RETRY_PAUSE_MS, s->b->cancel) < 0)
			return -1;
		err_release(err);
		return 0;
	}
	err_release(err);
	return s->comm->ops->reconnect(s->comm, deadline, err);
}

/* A descriptor with the bytes in it, at their start. */
static int text_fd(const struct buf *text, struct err *err)
{
	auto_fd int fd = memfd_create("script", MFD_CLOEXEC);
	if (fd < 0 || os_write_all(fd, text->p, text->n) < 0)
		return err_errno(err, errno, "keeping a script in memory");
	return steal_fd(fd);
}

static int upload(const struct shell *s, const struct buf *text, const char *path, int mode,
		  struct err *err)
{
	auto_fd int fd = text_fd(text, err);
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return s->comm->ops->upload(s->comm, fd, (off_t)text->n, "script", path, mode, err);
}

static int execute(const struct shell *s, struct comm_script *script, const char *command,
		   int *ret_status, struct err *err)
{
	struct output out;
	struct comm_command cmd = { .command = command, .on_output = output_feed, .data = &out };
	output_init(&out, s->b);
	int ret = s->comm->ops->run_script(s->comm, script, &cmd, ret_status, err);
	output_end(&out);
	return ret;
}

/* CR LF → LF. */
static void make_unix(struct buf *text)
{
	size_t to = 0;
	for (size_t i = 0; i < text->n; i++)
		if (text->p[i] != '\r' || i + 1 == text->n || text->p[i + 1] != '\n')
			text->p[to++] = text->p[i];
	buf_truncate(text, to);
}

static int inline_text(const struct shell *s, struct buf *ret, struct err *err)
{
	const char *shebang = s->c->inline_shebang;

	for (size_t i = 0; i < s->c->inline_.n; i++) {
		struct str line;
		if (build_render(s->b, script_dot(s->b, NULL), s->c->inline_.v[i], &line, err) < 0)
			return err_prefix(err, "inline");
		if (i == 0 && (shebang || !str_starts(line, "#!")))
			buf_printf(ret, "#!%s\n", shebang ? shebang : "/bin/sh -e");
		buf_add_str(ret, line);
		buf_addc(ret, '\n');
	}
	return 0;
}

static int render_command(const struct shell *s, char **ret, struct err *err)
{
	struct str_pair pairs[] = {
		{ (char *)"Vars", (char *)s->vars },
		{ (char *)"EnvVarFile", (char *)s->env_file },
		{ (char *)"Path", (char *)s->path },
	};
	struct str_map dot = { pairs, ARRAY_LEN(pairs) };
	struct str text;
	if (build_render(s->b, script_dot(s->b, &dot), s->c->execute_command, &text, err) < 0)
		return err_prefix(err, "execute_command");
	*ret = arena_strndup(s->b->arena, text.p, text.n);
	return 0;
}

/* *ret_cut: the connection broke off while it ran, and that was expected. */
static int run_once(const struct shell *s, struct comm_script *script, const char *command,
		    bool *ret_cut, struct err *err)
{
	int64_t deadline = retry_deadline(s);
	int status = 0;
	while (execute(s, script, command, &status, err) < 0) {
		if (script->started)
			break;
		if (again(s, deadline, err) < 0)
			return err->code == ERR_CANCELLED
				       ? -1
				       : err_prefix(err, "Error uploading the script");
	}
	if (!err_any(err))
		return script_check_status(status, &s->c->valid_exit_codes, err);
	if (err->code != ERR_LOST)
		return -1;
	if (s->c->expect_disconnect) {
		*ret_cut = true;
		err_release(err);
		return 0;
	}
	return err_prefix(
		err, "Script lost the connection (a script that restarts the machine needs "
		     "expect_disconnect = true)");
}

/* A restart may still be under way: tried again as above. */
static int remove_file(const struct shell *s, const char *path, struct err *err)
{
	auto_free char *command = xasprintf("rm -f %s", path);
	int64_t deadline = retry_deadline(s);
	struct comm_command cmd = { .command = command };
	int status = 0;
	while (s->comm->ops->run(s->comm, &cmd, &status, err) < 0)
		if (again(s, deadline, err) < 0)
			return err->code == ERR_CANCELLED
				       ? -1
				       : err_prefix(err, "Error removing the temporary script %s",
						    path);
	if (status)
		return err_set(err, ERR_REMOTE,
			       "Error removing the temporary script %s: rm exited with status %d",
			       path, status);
	return 0;
}

static int run_text(const struct shell *s, struct buf *text, struct err *err)
{
	char *command = NULL;
	bool cut = false;
	if (!s->comm)
		return err_set(err, ERR_INVALID, "Error uploading the script: " NO_COMMUNICATOR);
	if (!s->c->binary)
		make_unix(text);
	/* A script that restarts the machine is removed afterwards, which finds out that the
	 * machine is back. */
	struct comm_script script = {
		.text = buf_str(text),
		.remote = s->path,
		.mode = 0755,
		.remove = !s->c->skip_clean && !s->c->expect_disconnect,
	};
	if (render_command(s, &command, err) < 0 || run_once(s, &script, command, &cut, err) < 0)
		return -1;
	if (cut && s->comm->ops->reconnect(s->comm, retry_deadline(s), err) < 0)
		return -1;
	return s->c->skip_clean || script.removed ? 0 : remove_file(s, s->path, err);
}

static int put_variables(struct shell *s, struct err *err)
{
	AUTO(buf) struct buf text = BUF_INIT;
	int64_t deadline = retry_deadline(s);
	s->vars = script_vars(s->b, &s->c->environment_vars, &s->c->env, s->c->env_var_format);
	s->env_file = "";
	if (!s->c->use_env_var_file || !s->comm)
		return 0;
	s->env_file =
		arena_printf(s->b->arena, "%s/varfile_%u.sh", s->c->remote_folder, random_number());
	buf_adds(&text, s->vars);
	while (upload(s, &text, s->env_file, 0600, err) < 0)
		if (again(s, deadline, err) < 0)
			return err->code == ERR_CANCELLED
				       ? -1
				       : err_prefix(err, "Error uploading the file of variables");
	return 0;
}

static int run_all(struct shell *s, struct err *err)
{
	const struct shell_config *c = s->c;
	if (put_variables(s, err) < 0)
		return -1;
	for (size_t i = 0; i < c->scripts.n; i++) {
		AUTO(buf) struct buf text = BUF_INIT;
		build_say(s->b, "Running the shell script %s", c->scripts.v[i]);
		if (os_read_file(c->scripts.v[i], SCRIPT_MAX, &text, err) < 0 ||
		    run_text(s, &text, err) < 0)
			return -1;
	}
	if (c->inline_.n) {
		AUTO(buf) struct buf text = BUF_INIT;
		if (inline_text(s, &text, err) < 0)
			return -1;
		build_say(s->b, "Running the inline shell script");
		if (run_text(s, &text, err) < 0)
			return -1;
	}
	if (*s->env_file && !c->skip_clean)
		return remove_file(s, s->env_file, err);
	return 0;
}

static int run(struct build *b, void *config, struct communicator *comm, struct err *err)
{
	const struct shell_config *c = config;
	struct shell s = { .b = b, .c = c, .comm = comm };
	const char *name = c->remote_file;

	if (!name)
		name = arena_printf(b->arena, "script_%u.sh", random_number());
	s.path = c->remote_path ? c->remote_path
				: arena_printf(b->arena, "%s/%s", c->remote_folder, name);
	if (run_all(&s, err) < 0)
		return -1;
	if (c->pause_after <= 0)
		return 0;
	AUTO(buf) struct buf pause = BUF_INIT;
	clock_print_duration(&pause, c->pause_after);
	build_say(b, "Pausing %s after this provisioner...", buf_cstr(&pause));
	if (clock_sleep(c->pause_after / CLOCK_NS_PER_MS, b->cancel) < 0)
		return err_set(err, ERR_CANCELLED, "cancelled while pausing");
	return 0;
}

extern const struct provisioner provisioner_shell;
const struct provisioner provisioner_shell = {
	.type = "shell",
	.spec = &spec,
	.prepare = prepare,
	.run = run,
};
