/* Calling an AWS service: parameters in, XML or JSON tree out; signing, retries, token buckets,
 * clock skew and endpoints are behind it.
 *
 *	struct aws_client ec2 = aws_client(session, "ec2", region, arena, b->cancel);
 *	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
 *	aws_params_add(&p, "InstanceId.1", id);
 *	aws_params_addf(&p, value, "Filter.%d.Value.1", n);
 *	struct xml *answer;
 *	if (aws_call(&ec2, "DescribeInstances", &p, &answer, err) < 0)
 *		return err_prefix(err, "…");
 *	xml_text(answer, "reservationSet/item/instancesSet/item/instanceId")
 *
 * Errors: err->name is the service's own code ("InvalidAMIID.NotFound"), err->os the HTTP status,
 * the code says what kind: ERR_AUTH (keys or rights), ERR_NOT_FOUND, ERR_EXISTS, ERR_AGAIN
 * (throttled, all tries used), ERR_LOST (a create without client token broke off: look the thing up
 * before making it again), ERR_REMOTE (refused for another reason), ERR_CANCELLED, ERR_TIMEOUT (the
 * client's deadline). The message names action, resource, code and what to do.
 */
#ifndef INGOT_AWS_CALL_H
#define INGOT_AWS_CALL_H

#include "aws/session.h"
#include "aws/xml.h"
#include "base/arena.h"
#include "base/cancel.h"
#include "base/err.h"
#include "spec/spec.h"

#include <jansson.h>

/* A value; copy and change it freely. */
struct aws_client {
	struct aws_session *session;
	const char *service;	    /* "ec2", "sts", "iam", "ssm" */
	const char *region;	    /* what the call is signed for */
	struct arena *arena;	    /* answers live here */
	struct cancel *cancel;	    /* NULL: cannot be interrupted */
	int64_t deadline_ms;	    /* clock_ms(): retries and waits end then; 0: none */
	struct aws_polling polling; /* aws_polling of the template; zero: own pace */
};
struct aws_client aws_client(struct aws_session *s, const char *service, const char *region,
			     struct arena *a, struct cancel *cancel);
/* The same client for another service or another region. */
struct aws_client aws_client_service(const struct aws_client *c, const char *service);
struct aws_client aws_client_region(const struct aws_client *c, const char *region);
/* The same, with a deadline no later than ms from now. */
struct aws_client aws_client_within(const struct aws_client *c, int64_t ms);

#define AWS_LOOK_MS 8000 /* how long a thing is looked for before it counts as gone */

/* Parameters of the query protocol, in order; keys and values are copied. */
struct aws_param {
	char *key, *value;
};
struct aws_params {
	struct aws_param *v;
	size_t n, cap;
	int filters, tag_specs; /* next free numbers are these + 1 */
};
#define AWS_PARAMS_INIT { 0 }
/* value NULL: nothing is added. */
void aws_params_add(struct aws_params *p, const char *key, const char *value);
/* value NULL or "": nothing is added. EC2 takes an empty value for an absent one, or refuses it. */
void aws_params_add_given(struct aws_params *p, const char *key, const char *value);
void aws_params_addf(struct aws_params *p, const char *value, const char *key_fmt, ...)
	PRINTF_LIKE(3, 4);
void aws_params_bool(struct aws_params *p, const char *key, bool value);
void aws_params_int(struct aws_params *p, const char *key, int64_t value);
/* All of `from`, which may be NULL. */
void aws_params_add_all(struct aws_params *p, const struct aws_params *from);
/* KEY.1, KEY.2, … */
void aws_params_list(struct aws_params *p, const char *key, const struct strs *values);
void aws_params_filter(struct aws_params *p, const char *name, const char *value); /* one value */
void aws_params_filter_list(struct aws_params *p, const char *name, const struct strs *values);
/* KEY.1.Key, KEY.1.Value, …; tags may be NULL. */
void aws_params_pairs(struct aws_params *p, const char *key, const struct str_map *tags);
/* TagSpecification.n of a resource type ("instance"); nothing is added when there are no tags. */
void aws_params_tags(struct aws_params *p, const char *resource_type, const struct str_map *tags);
/* NULL if absent. */
const char *aws_params_get(const struct aws_params *p, const char *key);
/* Replaces or adds. */
void aws_params_set(struct aws_params *p, const char *key, const char *value);
void aws_params_release(struct aws_params *p);
DEFINE_AUTO(aws_params, struct aws_params, aws_params_release);

/* One call of the query protocol (EC2, STS, IAM). p may be NULL; ret may be NULL. Creates that take
 * a ClientToken get a random one unless p has it. */
int aws_call(const struct aws_client *c, const char *action, const struct aws_params *p,
	     struct xml **ret, struct err *err) MUST_USE;
/* All pages of a Describe/List: fn is called for each item at path ("imagesSet/item"); it returns 0
 * to go on. */
int aws_call_pages(const struct aws_client *c, const char *action, const struct aws_params *p,
		   const char *path, int (*fn)(void *data, const struct xml *item), void *data,
		   struct err *err) MUST_USE;
/* One call of the JSON protocol (SSM: target "AmazonSSM.GetParameter"). The caller frees *ret_json
 * (json_decref). */
int aws_call_json(const struct aws_client *c, const char *target, const json_t *body,
		  json_t **ret_json, struct err *err) MUST_USE;

/* A member of an object in such an answer, in the arena; NULL when it is no text. */
const char *aws_json_text(struct arena *a, const json_t *o, const char *key);

/* The caller may not do this action (any of EC2's and IAM's codes for it). */
bool aws_denied(const struct err *err);

#endif
