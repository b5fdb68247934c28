/* What every script of a build gets: its environment, and the exit statuses that count as success.
 */
#ifndef INGOT_ENGINE_SCRIPT_H
#define INGOT_ENGINE_SCRIPT_H

#include "engine/build.h"
#include "spec/spec.h"

/* For scripts on this machine: "K=V" entries, NULL-terminated, in the build's arena, over the
 * environment of the process: PACKER_BUILD_NAME, PACKER_BUILDER_TYPE, PACKER_RUN_UUID, and with
 * -local the endpoint and keys of the local cloud, with every other way to an account taken away.
 * `extra` (may be NULL) comes last. */
const char *const *script_local_env(struct build *b, const char *const *extra);

/* The dot for late text: the build's values, and `more` (may be NULL) over them. */
struct value script_dot(struct build *b, const struct str_map *more);

/* {{.Vars}}: the build's own variables and the template's ("NAME=value" and by name), sorted by
 * name, the later definition wins, each as `format` ("%s='%s' ") says. In the build's arena. */
char *script_vars(struct build *b, const struct strs *list, const struct str_map *more,
		  const char *format);

/* 0, or -1 with ERR_EXIT and the reference's text (scripts look for it) when the status is not
 * allowed. With an empty list only 0 is. */
int script_check_status(int status, const struct ints *valid, struct err *err) MUST_USE;

#endif
