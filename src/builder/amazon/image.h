/* The images of a build: which are made where and under which name, and what all of them get. */
#ifndef INGOT_BUILDER_AMAZON_IMAGE_H
#define INGOT_BUILDER_AMAZON_IMAGE_H

#include "builder/amazon/state.h"

/* Fills s->images: the one made from the instance first (a temporary one where it is only copied
 * from), then the copies. With force_deregister the images that have the name already are looked up
 * in every region, and theirs get a temporary name there. copied: the first cannot be the build
 * region's result. */
int amazon_plan_images(struct amazon *s, bool copied, struct err *err) MUST_USE;

/* Makes one image: intent, call, id. The call gets Name, Description and tags added to `base`. */
typedef int amazon_make_fn(const struct aws_client *c, const struct aws_params *p,
			   const char *token, const char **ret_id, struct err *err);
int amazon_make_image(struct amazon *s, const struct aws_client *c, struct amazon_image *image,
		      const struct aws_params *base, amazon_make_fn *make,
		      struct err *err) MUST_USE;
/* CreateImage as such a call; it takes no token. */
amazon_make_fn amazon_create_call;
int amazon_await_image(const struct aws_client *c, struct amazon_image *image,
		       struct err *err) MUST_USE;

/* Runs fn for each image that is not temporary, side by side, with clients of their regions. */
typedef int amazon_image_fn(struct amazon *s, const struct aws_client *c,
			    struct amazon_image *image, struct err *err);
int amazon_each_image(struct amazon *s, amazon_image_fn *fn, struct err *err) MUST_USE;

/* What images get once they are available; nothing where the template asks for nothing. */
amazon_image_fn amazon_apply_attributes, amazon_apply_deprecation, amazon_apply_protection,
	amazon_apply_tags;
/* Takes the run's tag off the image and its snapshots; best effort. */
void amazon_untag_image(struct amazon *s, const struct aws_client *c,
			const struct amazon_image *image);

/* Tags of images and of snapshots and the description with their texts rendered, without the run's
 * tag; made once, by amazon_plan_images. */
struct amazon_image_tags {
	struct str_map image, snapshot;
	const char *description; /* NULL or "": none */
};

/* Ids of the snapshots behind an image, in the arena. */
struct strs amazon_snapshots(struct arena *a, const struct ec2_image *image);

#endif
