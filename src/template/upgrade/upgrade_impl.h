/* Inside hcl2_upgrade: upgrade.c writes the blocks, upgrade_body.c options and their values,
 * upgrade_text.c texts with {{ }} in them. */
#ifndef INGOT_TEMPLATE_UPGRADE_UPGRADE_IMPL_H
#define INGOT_TEMPLATE_UPGRADE_UPGRADE_IMPL_H

#include "template/legacy/legacy.h"
#include "template/upgrade/upgrade.h"

#include "base/buf.h"
#include "base/vec.h"

/* A secret of {{ aws_secretsmanager }}, which becomes a data source. */
struct upgrade_secret {
	const char *name, *key; /* key may be NULL */
};

struct upgrade {
	struct arena *arena;
	const struct upgrade_args *args;
	const struct legacy *t;
	struct diags *diags;
	const char **source_names; /* of each builder of t */
	struct map locals;	   /* variables that are locals now; values are not used */
	struct map undeclared;	   /* variables that are used and nowhere declared */
	VEC(struct upgrade_secret) secrets;
	const char *timestamp; /* the local that stands for {{timestamp}} */
	bool uses_timestamp;
	const char *build_name, *build_type; /* of the source being written; NULL in build blocks */
};

/* A text as a quoted HCL template. What cannot be turned stays, with a warning at the text. */
void upgrade_text(struct upgrade *u, struct str text, struct span span, struct buf *out);
/* Whether a variable's default calls what only locals may call. */
bool upgrade_is_local(struct upgrade *u, struct str text);

/* `key = value`. */
void upgrade_attribute(struct upgrade *u, const char *key, struct value v, struct buf *out);
/* The options of an object, sorted: attributes and blocks, by spec where there is one, else by
 * their look. */
void upgrade_body(struct upgrade *u, struct value object, const struct spec *spec, struct buf *out);

/* A name that HCL can refer to. */
const char *upgrade_name(struct upgrade *u, const char *name);
bool upgrade_is_identifier(struct str name);

#endif
