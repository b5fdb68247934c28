/* Steps that amazon builders put into their lists (engine/build.h); state is a struct amazon *.
 * Names are Packer's, as -debug prints them. */
#ifndef INGOT_BUILDER_AMAZON_STEPS_H
#define INGOT_BUILDER_AMAZON_STEPS_H

#include "builder/amazon/state.h"

/* preflight.c: account, regions, name of the image, source image; all asked at once. */
int amazon_preflight(struct build *b, void *state, struct err *err) MUST_USE;
int amazon_source_image(struct build *b, void *state, struct err *err) MUST_USE;
/* network.c: vpc, subnet and zone by id, filter or default. */
int amazon_network(struct build *b, void *state, struct err *err) MUST_USE;
/* keypair.c */
int amazon_key_pair(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_key_pair_undo(struct build *b, void *state, bool failed);
/* secgroup.c: the groups of the instance; the rule of a temporary one is added when its address is
 * known. */
int amazon_security_group(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_security_group_undo(struct build *b, void *state, bool failed);
int amazon_open_port(struct amazon *s, bool before_address, struct err *err) MUST_USE;
/* Lets everybody in, with a warning, where that is allowed and not yet so. */
void amazon_widen(struct amazon *s);
/* iam_profile.c */
int amazon_instance_profile(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_instance_profile_undo(struct build *b, void *state, bool failed);
/* instance.c */
int amazon_volumes(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_volumes_undo(struct build *b, void *state, bool failed);
int amazon_run_instance(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_run_instance_undo(struct build *b, void *state, bool failed);
/* connect.c */
/* The host keys that cloud-init prints on the console between two marks, a line each; none of a
 * list whose end is not there yet, as a part of it would make the others look false. */
void amazon_console_keys(struct str text, struct buf *ret);
int amazon_connect(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_connect_undo(struct build *b, void *state, bool failed);
int amazon_source_values(struct build *b, void *state, struct err *err) MUST_USE;
int amazon_clear_keys(struct build *b, void *state, struct err *err) MUST_USE;
/* stop.c */
int amazon_stop_instance(struct build *b, void *state, struct err *err) MUST_USE;
int amazon_modify_instance(struct build *b, void *state, struct err *err) MUST_USE;
/* copy.c: of images[0] to ami_regions, and to the build's region where it is not the result. */
int amazon_copy_image(struct build *b, void *state, struct err *err) MUST_USE;
void amazon_copy_image_undo(struct build *b, void *state, bool failed);
/* attributes.c */
int amazon_image_deprecation(struct build *b, void *state, struct err *err) MUST_USE;
int amazon_image_protection(struct build *b, void *state, struct err *err) MUST_USE;
int amazon_image_attributes(struct build *b, void *state, struct err *err) MUST_USE;
int amazon_image_tags(struct build *b, void *state, struct err *err) MUST_USE;
/* The run's tag goes: the images are the user's now. */
int amazon_image_untag(struct build *b, void *state, struct err *err) MUST_USE;
/* replace.c: force_deregister, in the order of which no failure leaves a name without an image. */
int amazon_replace_images(struct build *b, void *state, struct err *err) MUST_USE;

#endif
