/* shell-local: inline text becomes a temporary script; each script runs through execute_command.
 *
 * Facts of the reference: inline text is rendered a second time when it runs; the variables stand
 * sorted before the script's absolute path; a script gets no input. */
#include "communicator/local.h"

#include "base/path.h"
#include "base/proc.h"
#include "engine/output.h"
#include "engine/script.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct spec_row local_rows[] = {
	SPEC_STRS(struct local_config, inline_, .name = "inline",
		  .doc = "Lines of a script. They are written to one temporary file, which is "
			 "run."),
	SPEC_STR(struct local_config, command, .flags = SPEC_HIDDEN,
		 .doc = "One line of shell, the same as `inline` with one element."),
	SPEC_STR(struct local_config, script, .doc = "Path of a script on this machine."),
	SPEC_STRS(struct local_config, scripts,
		  .doc = "Paths of scripts on this machine, run in order."),
	SPEC_STRS(struct local_config, environment_vars,
		  .doc = "Variables for the scripts, each `NAME=value`."),
	SPEC_MAP(struct local_config, env,
		 .doc = "Variables for the scripts as a map; they override `environment_vars`."),
	SPEC_INTS(struct local_config, valid_exit_codes,
		  .doc = "Exit statuses that count as success. Default: only 0."),
	SPEC_STRS(struct local_config, execute_command, .flags = SPEC_LATE,
		  .doc = "Program and arguments that run a script. `{{.Vars}}` is the variables "
			 "as shell assignments, `{{.Script}}` (or `{{.Command}}`) the path of "
			 "the script. Default: `/bin/sh -c \"{{.Vars}} {{.Script}}\"`."),
	SPEC_STR(struct local_config, inline_shebang, .def = "/bin/sh -e",
		 .doc = "First line of the temporary script made from `inline`, without `#!`."),
	SPEC_STRS(struct local_config, only_on,
		  .doc = "Operating systems (darwin, freebsd, linux, openbsd, solaris, windows) to "
			 "run on; skipped on others."),
	SPEC_STR(struct local_config, tempfile_extension,
		 .doc = "File name extension of the temporary script, for example `.py`."),
	SPEC_BOOL(struct local_config, use_linux_pathing,
		  .doc = "Only for Windows, where it converts paths to those of the Linux "
			 "subsystem."),
	SPEC_STR(struct local_config, env_var_format, .flags = SPEC_LATE, .def = "%s='%s' ",
		 .doc = "Format of one variable in `{{.Vars}}`: the first `%s` is its name, the "
			"second its value."),
};
const struct spec local_spec = SPEC("shell-local", struct local_config, local_rows,
				    .doc = "Runs scripts on the machine that ingot runs on.");

static void check_sources(struct prepare *p, struct local_config *c)
{
	int given = (c->inline_.n > 0) + (c->command != NULL) + (c->script != NULL) +
		    (c->scripts.n > 0);

	if (given == 0)
		prepare_error(p, NULL,
			      "there is nothing to run: set command, inline, script or scripts");
	else if (given > 1)
		prepare_error(p, NULL,
			      "only one of command, inline, script and scripts may be set");
	if (c->script && !c->scripts.n) {
		c->scripts.v = arena_new_array(p->arena, char *, 1);
		c->scripts.v[0] = c->script;
		c->scripts.n = 1;
	}
	if (c->command && !c->inline_.n) {
		c->inline_.v = arena_new_array(p->arena, char *, 1);
		c->inline_.v[0] = c->command;
		c->inline_.n = 1;
	}
	for (size_t i = 0; i < c->scripts.n; i++) {
		struct stat st;

		if (stat(c->scripts.v[i], &st) < 0)
			prepare_error(p, c->script ? "script" : "scripts",
				      "cannot read the script '%s': %s", c->scripts.v[i],
				      strerror(errno));
	}
}

void local_prepare(struct prepare *p, void *config)
{
	static const char *const systems[] = { "darwin", "freebsd", "linux",
					       "openbsd", "solaris", "windows" };
	static char *default_command[] = { (char *)"/bin/sh", (char *)"-c",
					   (char *)"{{.Vars}} {{.Script}}" };
	struct local_config *c = config;

	check_sources(p, c);
	if (c->use_linux_pathing && (c->inline_.n || c->scripts.n))
		prepare_error(p, "use_linux_pathing",
			      "it turns paths of Windows into those of its Linux subsystem, and "
			      "there are none here: leave it out");
	if (!c->execute_command.n)
		c->execute_command = (struct strs){ default_command, ARRAY_LEN(default_command) };
	for (size_t i = 0; i < c->environment_vars.n; i++)
		if (!strchr(c->environment_vars.v[i], '=') || *c->environment_vars.v[i] == '=')
			prepare_error(p, "environment_vars", "'%s' is not of the form NAME=value",
				      c->environment_vars.v[i]);
	for (size_t i = 0; i < c->only_on.n; i++) {
		bool known = false;

		for (size_t k = 0; k < ARRAY_LEN(systems); k++)
			known |= streq(systems[k], c->only_on.v[i]);
		if (!known)
			prepare_error(p, "only_on",
				      "only_on must name darwin, freebsd, linux, openbsd, "
				      "solaris or windows, not '%s'",
				      c->only_on.v[i]);
	}
}

/* The temporary script of inline text; the caller removes and frees the path. */
static int write_inline(struct build *b, const struct local_config *c, char **ret_path,
			struct err *err)
{
	const char *ending = c->tempfile_extension ? c->tempfile_extension : "";
	AUTO(buf) struct buf text = BUF_INIT;

	if (*ending && *ending != '.')
		ending = arena_printf(b->arena, ".%s", ending);
	buf_printf(&text, "#!%s\n", c->inline_shebang);
	for (size_t i = 0; i < c->inline_.n; i++) {
		struct str line;

		if (build_render(b, script_dot(b, NULL), c->inline_.v[i], &line, err) < 0)
			return err_prefix(err, "inline");
		buf_add_str(&text, line);
		buf_addc(&text, '\n');
	}
	return proc_temp_program("packer-shell", ending, buf_str(&text), ret_path, err);
}

static int run_script(struct build *b, const struct local_config *c, const char *path,
		      struct err *err)
{
	struct str_pair pairs[3];
	struct str_map dot = { pairs, ARRAY_LEN(pairs) };
	const char **argv = arena_new_array(b->arena, const char *, c->execute_command.n + 1);
	auto_free char *full = path_abs(path); /* a script that is a link sees its own name */
	struct proc_spec spec = { .argv = argv,
				  .env = script_local_env(b, NULL),
				  .on_output = output_feed,
				  .cancel = b->cancel };
	struct output out;
	int status, ret;

	pairs[0] = (struct str_pair){ (char *)"Vars", script_vars(b, &c->environment_vars, &c->env,
								  c->env_var_format) };
	pairs[1] = (struct str_pair){ (char *)"Script", full };
	pairs[2] = (struct str_pair){ (char *)"Command", pairs[1].value };
	for (size_t i = 0; i < c->execute_command.n; i++) {
		struct str word;

		if (build_render(b, script_dot(b, &dot), c->execute_command.v[i], &word, err) < 0)
			return err_prefix(err, "execute_command");
		argv[i] = arena_strndup(b->arena, word.p, word.n);
	}
	build_say(b, "Running local shell script: %s", path);
	output_init(&out, b);
	spec.data = &out;
	ret = proc_run(&spec, &status, err);
	output_end(&out);
	if (ret < 0)
		return err->code == ERR_CANCELLED
			       ? ret
			       : err_prefix(err, "Error executing script: %s", path);
	return script_check_status(status < 0 ? -1 : status, &c->valid_exit_codes, err);
}

int local_run(struct build *b, struct local_config *c, struct err *err)
{
	bool here = c->only_on.n == 0 || strs_has(&c->only_on, "linux");
	int ret = 0;

	if (!here) {
		build_say(b, "Skipping shell-local: it is not for this operating system (only_on)");
		return 0;
	}
	if (c->inline_.n) {
		auto_free char *path = NULL;

		if (write_inline(b, c, &path, err) < 0)
			return -1;
		ret = run_script(b, c, path, err);
		unlink(path);
	}
	for (size_t i = 0; ret == 0 && i < c->scripts.n; i++)
		ret = run_script(b, c, c->scripts.v[i], err);
	return ret;
}
