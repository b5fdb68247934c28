/* What a component is to the engine: one const struct and one row in a table (engine/registry.h).
 *
 * Life of a component in a build:
 *	decode    spec_decode() fills its config struct (in the plan's arena)
 *	prepare   checks that config; adds diagnostics; no network, no account
 *	run       on the build's thread; the config was decoded once more, with the build's own data
 *
 * Every slot says when it is called and whether it may be NULL.
 */
#ifndef INGOT_ENGINE_COMPONENT_H
#define INGOT_ENGINE_COMPONENT_H

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "lang/expr/value.h"
#include "spec/spec.h"

struct artifact;
struct build;
struct cancel;
struct communicator;
struct run_local;

/* What prepare may look at. */
struct prepare {
	struct arena *arena; /* lives as long as the plan */
	struct diags *diags;
	struct value body;	/* the options as written, for spans */
	const char *component;	/* "amazon-ebs" */
	const char *build_name; /* bare name of the build */
	bool force;
	/* Data sources: where a rehearsal runs (engine/build.h), and the flag that ends the run;
	 * may be NULL. */
	const struct run_local *local;
	struct cancel *cancel;
};
/* "NAME: text" at the place of the option, or of the component's block where it was not written or
 * is NULL. No error is added where the option's value is not known before the build (what is given
 * back then belongs to no list). */
struct diag *prepare_error(struct prepare *p, const char *option, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
struct diag *prepare_warning(struct prepare *p, const char *option, const char *fmt, ...)
	PRINTF_LIKE(3, 4);

struct builder {
	const char *type;
	const struct spec *spec;
	/* Names of the values that templates reach by {{ build `X` }} and build.X, beyond the
	 * common ones (ID, Host, …); NULL-terminated or NULL. */
	const char *const *generated;
	/* Checks and completes the config. May be NULL. */
	void (*prepare)(struct prepare *p, void *config);
	/* Makes the image: runs its step list by build_run_steps(), which calls the provisioners
	 * where BUILD_STEP_PROVISION stands. Returns the artifact (NULL: none, e.g.
	 * skip_create_ami). */
	int (*run)(struct build *b, void *config, struct artifact **ret, struct err *err);
};

struct provisioner {
	const char *type;
	const struct spec *spec;
	void (*prepare)(struct prepare *p, void *config); /* may be NULL */
	/* comm is NULL only where the build has communicator "none". */
	int (*run)(struct build *b, void *config, struct communicator *comm, struct err *err);
	/* Options that {{ }} leaves for run are SPEC_LATE rows. */
};

struct postprocessor {
	const char *type;
	const struct spec *spec;
	void (*prepare)(struct prepare *p, void *config); /* may be NULL */
	/* Takes the artifact of the step before (never NULL) and returns the next one, or NULL for
	 * "the same, passed on". *keep: in = what keep_input_artifact says by default, out =
	 * whether the input must be kept; *must_keep: the template may not overrule it. */
	int (*run)(struct build *b, void *config, struct artifact *in, struct artifact **ret,
		   bool *keep, bool *must_keep, struct err *err);
};

struct datasource {
	const char *type;
	const struct spec *spec;
	void (*prepare)(struct prepare *p, void *config); /* may be NULL */
	/* Asks for the value, an object. On any thread. Attributes that are secrets are marked
	 * sensitive: they are to be hidden in all output, and may be used like any other. */
	int (*run)(struct arena *a, void *config, struct value *ret, struct err *err);
	/* Names of the output's attributes, for validate (which does not run it). */
	const char *const *outputs;
};

#endif
