/* One build on AWS: what the steps of all amazon builders share. The steps (steps.h) read the
 * configs, fill in what they found and made, and undo it.
 *
 * Every resource is a struct amazon_thing: its journal row is written before the creating call
 * leaves (amazon_intend), its id on the line after (amazon_made), and amazon_undo takes it away
 * again, also when the call's answer was lost and only name, token or tag can tell whether it was
 * made.
 */
#ifndef INGOT_BUILDER_AMAZON_STATE_H
#define INGOT_BUILDER_AMAZON_STATE_H

#include "aws/ec2.h"
#include "base/vec.h"
#include "builder/amazon/ami.h"
#include "builder/amazon/blockdev.h"
#include "builder/amazon/run.h"
#include "engine/build.h"

#include <pthread.h>

struct comm_config;
struct amazon_image_tags;

struct amazon_thing {
	const char *kind; /* as in the journal */
	const char *region;
	const char *name, *token;
	const char *id; /* NULL until made */
	int64_t row;	/* in the journal; 0: none */
	bool open;	/* intended: it may exist */
	bool product;	/* outlives a build that ends well */
};

/* An image that is made, in one region (image.h). */
struct amazon_image {
	const char *region;
	const char *name; /* the final one, or a temporary one while an old image has that */
	struct ec2_image image; /* as last described */
	struct amazon_thing *thing;
	bool temporary;	       /* only copied from: it goes when the build ends, also well */
	struct ec2_image *old; /* images of the final name that this one replaces */
	size_t nold;
};

struct amazon {
	struct build *b;
	/* What the template says. ami is NULL where no image is made. */
	struct aws_config *access;
	struct amazon_run *run;
	struct amazon_ami *ami;
	struct comm_config *comm;
	const struct spec_blocks *launch_mappings, *ami_mappings; /* struct amazon_block_device */
	const struct str_map *volume_tags; /* run_volume_tags */
	bool no_ephemeral, skip_create_ami, skip_ami_run_tags;
	const char *root_device_type; /* that the source image must have, or NULL: any */

	/* Where, and as whom. */
	struct aws_session *session;
	struct aws_client ec2; /* the build's region, its arena, its cancel flag */
	const char *region, *account;
	const char *run_tag; /* name of the tag with the run's id, NULL: none */

	/* Found. */
	struct ec2_image source;
	bool source_warned; /* -local: the user knows that it is a stand-in */
	const char *vpc_id, *subnet_id, *zone; /* "" when EC2 chooses */
	struct strs groups;		       /* of the instance */
	const char *profile;		       /* name of its instance profile or "" */

	/* Made. Intents can come from several threads. */
	pthread_mutex_t lock;
	struct arena *things_arena;
	VEC(struct amazon_thing *) things; /* in the order they were intended */
	struct amazon_thing *group, *key, *instance_thing;
	const char *key_name;  /* "" when the instance gets none */
	char *key_pem;	       /* secret; NULL when the template brings its own */
	const char *debug_key; /* file the key was saved in, or NULL */
	bool rule_added, rule_wide;
	struct ec2_instance instance;
	bool instance_ends; /* EC2 was told to terminate it */
	const char *host;   /* that is connected to */
	int64_t local_port; /* of a local instance, once something listens there */
	/* The first is made from the instance, the others are its copies. */
	struct amazon_image *images;
	size_t nimages;
	const struct amazon_image_tags *image_tags; /* image.h */
	bool keep; /* the new images stay whatever happens: the old ones are gone */
};

/* Opens the session, finds the region, and sets what -local replaces. */
int amazon_open(struct amazon *s, struct err *err) MUST_USE;
void amazon_release(struct amazon *s);

/* A region's client, for the build's thread, that the build's cancel flag does not stop, with a
 * deadline from now: for undo, and for creating calls, whose answer must not be lost. */
struct aws_client amazon_sure_client(const struct amazon *s, const char *region, int64_t ms);
#define AMAZON_CREATE_MS (60 * 1000)
#define AMAZON_UNDO_MS (10 * 60 * 1000)

/* The intent, on disk. name and token may be NULL; strings are copied. Any thread, as the three
 * below. */
int amazon_intend(struct amazon *s, const char *kind, const char *region, const char *name,
		  const char *token, bool product, struct amazon_thing **ret,
		  struct err *err) MUST_USE;
/* id: borrowed, it lives as long as the build. */
int amazon_made(struct amazon *s, struct amazon_thing *t, const char *id, struct err *err) MUST_USE;
/* The creating call was refused: when the answer is sure, the intent is closed. */
void amazon_refused(struct amazon *s, struct amazon_thing *t, const struct err *why);
/* It is gone, or was given to the user for good: the journal owes nothing for it any more. */
void amazon_settled(struct amazon *s, struct amazon_thing *t);
/* Takes it away, found by name, token or tag if the id is not known; says what it could not do. */
void amazon_undo(struct amazon *s, struct amazon_thing *t);

/* Tags with their {{ }} rendered, in the build's arena, plus the run's tag where run_tag is set.
 * what: for the error ("run_tags"). */
int amazon_tags(struct amazon *s, const struct str_map *tags, const char *what, bool with_run_tag,
		struct str_map *ret, struct err *err) MUST_USE;
int amazon_render(struct amazon *s, const char *text, const char *what, const char **ret,
		  struct err *err) MUST_USE;
/* BuildRegion, SourceAMI and its sisters, the build values that amazon builders give; ends with
 * NULL. */
extern const char *const amazon_source_names[];
void amazon_set_source_values(struct amazon *s);

/* Makes a temporary resource: intent, call and id, and once more without the run's tag where a tag
 * is refused. kind: as in the journal; what: for people. fn gets the rendered run_tags. */
typedef int amazon_temporary_fn(const struct aws_client *c, const char *name,
				const struct str_map *tags, void *data, const char **ret_id,
				struct err *err);
int amazon_make_temporary(struct amazon *s, const char *kind, const char *what, const char *name,
			  amazon_temporary_fn *fn, void *data, struct amazon_thing **ret,
			  struct err *err) MUST_USE;
/* A create was refused because of its tags: worth one try without the run's tag. */
bool amazon_tag_refused(const struct amazon *s, const struct err *err);
/* Says in the log that `what` is made once more without it, and empties err. */
void amazon_without_tag(struct amazon *s, const char *what, struct err *err);

#endif
