/* One running build: what components get in hand. One thread each; its own arena.
 *
 * Builders are lists of steps; each *entered* step is undone in reverse, also after its own
 * failure; a product survives success.
 *
 *	static const struct step steps[] = {
 *		{ "key pair", "StepKeyPair", key_run, key_undo, 0 },
 *		…
 *	};
 *	return build_run_steps(b, steps, ARRAY_LEN(steps), state, err);
 */
#ifndef INGOT_ENGINE_BUILD_H
#define INGOT_ENGINE_BUILD_H

#include "base/arena.h"
#include "base/cancel.h"
#include "base/err.h"
#include "base/map.h"
#include "engine/component.h"
#include "engine/event.h"
#include "engine/journal.h"
#include "template/plan.h"

struct communicator;

enum on_error { ON_ERROR_CLEANUP, ON_ERROR_ABORT, ON_ERROR_ASK, ON_ERROR_RUN_CLEANUP };

/* Common to all builds of a process. */
struct run {
	char id[27];	 /* ULID: journal, tag ingot:run */
	char uuid[37];	 /* PACKER_RUN_UUID */
	struct events *events;
	struct journal *journal;
	struct cancel *cancel;
	bool force, debug, strict_ingress;
	bool no_questions; /* -machine-readable */
	enum on_error on_error;
	/* -local: the endpoint and keys that everything must use; NULL otherwise. */
	const struct run_local *local;
};

/* An id or name that a template uses, told to the local cloud before the first call, so that it has
 * a stand-in for what it does not know. Same kinds and hints as in cloud/local.h, which the build
 * command translates to. */
enum run_local_kind {
	RUN_LOCAL_IMAGE,    /* hint: the ssh user */
	RUN_LOCAL_VPC,
	RUN_LOCAL_SUBNET,   /* hint: its vpc id or NULL */
	RUN_LOCAL_GROUP,    /* hint: its vpc id or NULL */
	RUN_LOCAL_KEY_PAIR, /* by name; hint: its public key in OpenSSH's form or NULL */
	RUN_LOCAL_PROFILE,
	RUN_LOCAL_KMS_KEY,
	RUN_LOCAL_ACCOUNT,
	RUN_LOCAL_SNAPSHOT,
};
struct run_local_id {
	enum run_local_kind kind;
	const char *region, *id, *hint;
};
/* In its data directory: programs for local scripts, before all others. */
#define RUN_LOCAL_BIN "script-bin"

struct run_local {
	const char *endpoint, *access_key, *secret_key, *region, *data_dir;
	/* Called by builders on their threads, any number at once; tell: each warning or notice in
	 * words. */
	int (*expect)(void *cloud, const struct run_local_id *ids, size_t n,
		      void (*tell)(void *data, const char *text), void *data, struct err *err);
	int (*notices)(void *cloud, const char *instance_id,
		       void (*tell)(void *data, const char *text), void *data, struct err *err);
	void *cloud;
	struct cancel *gone; /* set when the cloud is: nothing can be undone there any more */
};

struct build {
	struct run *run;
	const struct plan *plan;
	const struct plan_build *spec;
	size_t index;		  /* colour */
	struct arena *arena;	  /* of this build */
	/* Child of run->cancel. While steps are undone it is a child of build_gone(), which Ctrl-C
	 * does not set: take it from here each time. */
	struct cancel *cancel;
	struct map generated;	  /* build values: ID, Host, Port, User, … → char * in the arena */
	struct communicator *comm; /* while connected */
	const char *part;	  /* while a post-processor runs: its type */
	/* The one that runs now: its language renders its late text (build_render). */
	const struct plan_component *component;
	const char *step;	  /* for the status line */
	struct build_inner *inner; /* the engine's own: engine/inner.h */
};

/* Ui: text of several lines gets the prefix on each. */
void build_say(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
void build_error(struct build *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Lines of a script, '\n' between them: engine/output.h. */
void build_output(struct build *b, bool error, struct str lines);
/* Hides it from now on; NULL is fine. */
void build_secret(struct build *b, const char *secret);
/* Sets a build value (copied). */
void build_set(struct build *b, const char *name, const char *value);
const char *build_get(const struct build *b, const char *name); /* NULL if not there */

/* Renders {{ }} of a SPEC_LATE text of the running component: its functions, the build's values,
 * `dot` (an object, or null) for {{ .Name }}. The result is in the build's arena. */
int build_render(struct build *b, struct value dot, const char *text, struct str *ret,
		 struct err *err) MUST_USE;

struct step {
	const char *label;  /* for people and the status line: "launch instance" */
	const char *name;   /* Packer's, printed by -debug and abort: "StepRunSourceInstance" */
	int (*run)(struct build *b, void *state, struct err *err);
	/* May be NULL. failed: the build did not end well. Idempotent, own deadline, cannot fail
	 * the build. */
	void (*undo)(struct build *b, void *state, bool failed);
	bool product; /* undo is called only when the build failed */
};
/* The cancel flag of what goes on after Ctrl-C, as cleaning up does: set when nothing can be
 * reached any more because the local cloud is gone. NULL where there is no such thing. */
struct cancel *build_gone(const struct build *b);

int build_run_steps(struct build *b, const struct step *steps, size_t n, void *state,
		    struct err *err) MUST_USE;
/* The step that runs the template's provisioners over b->comm; when one fails, its undo runs the
 * error-cleanup-provisioner as -on-error says. Every builder's list has it:
 *	{ … }, BUILD_STEP_PROVISION, { … } */
int build_provision(struct build *b, void *state, struct err *err) MUST_USE;
void build_provision_undo(struct build *b, void *state, bool failed);
#define BUILD_STEP_PROVISION \
	{ "provision", "StepProvision", build_provision, build_provision_undo, false }

/* Asks on the controlling terminal. *ret_answer: without the line's end, caller frees. Errors:
 * ERR_UNSUPPORTED "no available tty" (nothing was printed then), ERR_CANCELLED. */
int build_ask(struct build *b, const char *question, char **ret_answer, struct err *err) MUST_USE;
/* The same without showing the answer, which is hidden in all output from then on. */
int build_ask_secret(struct build *b, const char *question, char **ret_answer,
		     struct err *err) MUST_USE;

/* What a builder or post-processor made. Heap; freed with its ops. */
struct artifact {
	const char *builder_id; /* "mitchellh.amazonebs" */
	char *id;		/* "region:ami-…,region:ami-…" */
	char *text;		/* for people; may have several lines */
	char **files;		/* NULL-terminated or NULL */
	/* Values by name for post-processors and the manifest; may be NULL. */
	struct map *state;
	/* Takes the made things away (keep_input_artifact = false). May be NULL. */
	int (*destroy)(struct artifact *a, struct build *b, struct err *err);
	void (*free_state)(struct artifact *a); /* may be NULL */
	void *data;
};
struct artifact *artifact_new(const char *builder_id, const char *id, const char *text);
void artifact_add_file(struct artifact *a, const char *path);
void artifact_free(struct artifact *a);

#endif
