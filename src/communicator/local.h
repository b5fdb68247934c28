/* Scripts on this machine: what the shell-local provisioner and post-processor share. */
#ifndef INGOT_COMMUNICATOR_LOCAL_H
#define INGOT_COMMUNICATOR_LOCAL_H

#include "engine/build.h"
#include "engine/component.h"
#include "spec/spec.h"

struct local_config {
	struct strs inline_;
	char *command, *script;
	struct strs scripts;
	struct strs environment_vars;
	struct str_map env;
	struct ints valid_exit_codes;
	struct strs execute_command;
	char *inline_shebang;
	struct strs only_on;
	char *tempfile_extension;
	bool use_linux_pathing;
	char *env_var_format;
};

extern const struct spec local_spec;

/* config: struct local_config; afterwards `script` is in scripts and `command` in inline_. */
void local_prepare(struct prepare *p, void *config);
/* Runs inline or the scripts in order, up to the first that fails. Errors: ERR_EXIT, ERR_CANCELLED,
 * those of rendering. */
int local_run(struct build *b, struct local_config *c, struct err *err) MUST_USE;

#endif
