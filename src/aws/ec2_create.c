/* The calls that make things. EC2 remembers client tokens for some of them (call.c repeats those);
 * for the others an answer that was lost leaves the question whether the thing is there, and it is
 * looked for by its unique name before another is made. A key pair found that way is of no use, its
 * private half went with the answer: it is deleted and made anew.
 */
#include "aws/ec2.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"

#define CREATE_TRIES 4
#define LOOKS 4 /* a new thing may not be visible at the first look */

/* Looks a thing up after a lost answer; *ret_id NULL when there is none. */
typedef int lookup_fn(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		      struct err *err);

/* The text of an answer's element, in the client's arena; an answer without it is an error. */
static int take_id(const struct aws_client *c, const char *action, const struct xml *answer,
		   const char *element, const char **ret, struct err *err)
{
	const char *text = xml_text(answer, element);

	if (!*text)
		return err_set(err, ERR_REMOTE, "the answer to %s has no %s", action, element);
	*ret = arena_strdup(c->arena, text);
	return 0;
}

static int look_repeatedly(const struct aws_client *c, const struct aws_params *p,
			   lookup_fn *lookup, const char **ret_id, struct err *err)
{
	*ret_id = NULL;
	for (int i = 0; i < LOOKS && !*ret_id; i++) {
		if (i && clock_sleep(250 << i, c->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (lookup(c, p, ret_id, err) < 0)
			return -1;
	}
	return 0;
}

/* Creates by an action without client token; id is the element of the answer that holds the id. */
static int create(const struct aws_client *c, const char *action, const struct aws_params *p,
		  const char *id, lookup_fn *lookup, const char **ret_id, struct err *err)
{
	for (int tries = 1;; tries++) {
		AUTO(err) struct err e = ERR_INIT;
		AUTO(err) struct err look = ERR_INIT;
		const char *found = NULL;
		bool lost;
		struct xml *root;

		if (aws_call(c, action, p, &root, &e) == 0)
			return take_id(c, action, root, id, ret_id, err);
		/* After a lost answer "it exists already" is that answer, come late. */
		lost = e.code == ERR_LOST || (tries > 1 && e.code == ERR_EXISTS);
		if (!lost)
			return err_move(err, &e);
		e.code = ERR_LOST;
		log_line("aws: %s: the answer was lost (%s); looking whether it was done", action,
			 e.msg);
		if (look_repeatedly(c, p, lookup, &found, &look) < 0)
			return err_move(err, look.code == ERR_CANCELLED ? &look : &e);
		if (found) {
			*ret_id = found;
			return 0;
		}
		if (tries == CREATE_TRIES)
			return err_move(err, &e);
		if (clock_sleep(500 << tries, c->cancel) < 0)
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
}

static int find_image(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		      struct err *err)
{
	struct ec2_image *v;
	size_t n;

	if (ec2_find_images(c, aws_params_get(p, "Name"), &v, &n, err) < 0)
		return -1;
	*ret_id = n ? v[0].id : NULL;
	return 0;
}

static int find_group(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		      struct err *err)
{
	struct ec2_security_group *v;
	size_t n;

	if (ec2_find_security_groups(c, aws_params_get(p, "GroupName"), &v, &n, err) < 0)
		return -1;
	*ret_id = n ? v[0].id : NULL;
	return 0;
}

int ec2_create_image(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		     struct err *err)
{
	return create(c, "CreateImage", p, "imageId", find_image, ret_id, err);
}

int ec2_register_image(const struct aws_client *c, const struct aws_params *p, const char **ret_id,
		       struct err *err)
{
	return create(c, "RegisterImage", p, "imageId", find_image, ret_id, err);
}

int ec2_create_security_group(const struct aws_client *c, const char *name, const char *description,
			      const char *vpc_id, const struct str_map *tags, const char **ret_id,
			      struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	aws_params_add(&p, "GroupName", name);
	aws_params_add(&p, "GroupDescription", description);
	aws_params_add_given(&p, "VpcId", vpc_id);
	aws_params_tags(&p, "security-group", tags);
	return create(c, "CreateSecurityGroup", &p, "groupId", find_group, ret_id, err);
}

int ec2_create_key_pair(const struct aws_client *c, const char *name, const char *type,
			const struct str_map *tags, char **ret_pem, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;

	aws_params_add(&p, "KeyName", name);
	aws_params_add(&p, "KeyType", type);
	aws_params_tags(&p, "key-pair", tags);
	for (int tries = 1;; tries++) {
		AUTO(err) struct err e = ERR_INIT;
		struct xml *root;

		if (aws_call(c, "CreateKeyPair", &p, &root, &e) == 0) {
			char *pem = (char *)xml_text(root, "keyMaterial");

			if (!*pem)
				return err_set(err, ERR_REMOTE,
					       "the answer to CreateKeyPair has no keyMaterial");
			*ret_pem = xasprintf("%s\n", pem);
			explicit_bzero(pem, strlen(pem));
			return 0;
		}
		if (e.code != ERR_LOST && !(tries > 1 && e.code == ERR_EXISTS))
			return err_move(err, &e);
		e.code = ERR_LOST;
		if (tries == CREATE_TRIES)
			return err_move(err, &e);
		log_line("aws: CreateKeyPair: the answer was lost (%s); making %s anew", e.msg,
			 name);
		if (ec2_delete_key_pair(c, name, err) < 0)
			return -1;
	}
}

int ec2_run_instance(const struct aws_client *c, const struct aws_params *p, const char *token,
		     struct ec2_instance *ret, struct err *err)
{
	AUTO(aws_params) struct aws_params q = AWS_PARAMS_INIT;
	const char *id;
	struct xml *root;

	aws_params_add_all(&q, p);
	aws_params_set(&q, "MinCount", "1");
	aws_params_set(&q, "MaxCount", "1");
	aws_params_set(&q, "ClientToken", token);
	if (aws_call(c, "RunInstances", &q, &root, err) < 0 ||
	    take_id(c, "RunInstances", root, "instancesSet/item/instanceId", &id, err) < 0)
		return -1;
	ec2_read_instance(c->arena, xml_get(root, "instancesSet/item"), ret);
	return 0;
}

int ec2_copy_image(const struct aws_client *c, const struct aws_params *p, const char *token,
		   const char **ret_id, struct err *err)
{
	AUTO(aws_params) struct aws_params q = AWS_PARAMS_INIT;
	struct xml *root;

	aws_params_add_all(&q, p);
	aws_params_set(&q, "ClientToken", token);
	if (aws_call(c, "CopyImage", &q, &root, err) < 0)
		return -1;
	return take_id(c, "CopyImage", root, "imageId", ret_id, err);
}

int ec2_authorize_ingress(const struct aws_client *c, const char *group_id, int from_port,
			  int to_port, const struct strs *cidrs, struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	AUTO(err) struct err e = ERR_INIT;
	size_t v4 = 0, v6 = 0;

	aws_params_add(&p, "GroupId", group_id);
	aws_params_add(&p, "IpPermissions.1.IpProtocol", "tcp");
	aws_params_int(&p, "IpPermissions.1.FromPort", from_port);
	aws_params_int(&p, "IpPermissions.1.ToPort", to_port);
	for (size_t i = 0; i < cidrs->n; i++) {
		if (strchr(cidrs->v[i], ':'))
			aws_params_addf(&p, cidrs->v[i], "IpPermissions.1.Ipv6Ranges.%zu.CidrIpv6",
					++v6);
		else
			aws_params_addf(&p, cidrs->v[i], "IpPermissions.1.IpRanges.%zu.CidrIp",
					++v4);
	}
	if (aws_call(c, "AuthorizeSecurityGroupIngress", &p, NULL, &e) == 0 ||
	    err_is(&e, "InvalidPermission.Duplicate"))
		return 0;
	return err_move(err, &e);
}
