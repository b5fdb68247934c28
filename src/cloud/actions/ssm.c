/* SSM: parameters, above all the public ones that name images. */
#include "base/clock.h"
#include "cloud/api/services.h"

static json_t *render(struct call *c, const struct row *r)
{
	json_t *doc = json_copy(r->doc);
	int64_t when = 0;

	json_object_del(doc, "_date");
	json_object_set_new(doc, "Version", json_integer(MAX(doc_int(r->doc, "_version"), 1)));
	json_object_del(doc, "_version");
	json_object_set_new(
		doc, "DataType",
		json_string(streq(doc_str(doc, "DataType"), "aws:ec2:image") || r->region[0] == '*'
				    ? "aws:ec2:image"
				    : "text"));
	json_object_set_new(doc, "ARN",
			    json_sprintf("arn:aws:ssm:%s:%s:parameter%s%s", c->region,
					 r->region[0] == '*' ? "" : c->cloud->account,
					 doc_str(doc, "Name")[0] == '/' ? "" : "/",
					 doc_str(doc, "Name")));
	clock_parse_rfc3339(str_from(doc_str(r->doc, "_date")), &when);
	json_object_set_new(doc, "LastModifiedDate", json_real((double)when / 1000));
	return doc;
}

/* Own parameters are rows of "REGION NAME", public ones of their name. */
static struct row *find(struct call *c, const char *name)
{
	struct row *r =
		call_lookup(c, KIND_PARAMETER, arena_printf(c->arena, "%s %s", c->region, name));

	return r ? r : call_lookup(c, KIND_PARAMETER, name);
}

static int get_parameter(struct call *c)
{
	const char *name = doc_str(c->body, "Name");
	struct row *r = name ? find(c, name) : NULL;

	if (!name)
		return call_fail(c, "ValidationException", "Name is missing");
	if (!r)
		return call_fail(c, "ParameterNotFound", "The local cloud has no parameter %.200s",
				 name);
	json_object_set_new(c->out, "Parameter", render(c, r));
	return 0;
}

static int get_parameters(struct call *c)
{
	json_t *found = json_array(), *invalid = json_array(), *name;
	size_t i;

	json_object_set_new(c->out, "Parameters", found);
	json_object_set_new(c->out, "InvalidParameters", invalid);
	json_array_foreach(json_object_get(c->body, "Names"), i, name) {
		struct row *r = json_is_string(name) ? find(c, json_string_value(name)) : NULL;

		if (r)
			json_array_append_new(found, render(c, r));
		else
			json_array_append(invalid, name);
	}
	return 0;
}

static int get_by_path(struct call *c)
{
	const char *path = doc_str(c->body, "Path");
	bool deep = doc_bool(c->body, "Recursive");
	json_t *found = json_array();
	struct row *r;

	json_object_set_new(c->out, "Parameters", found);
	if (!path || path[0] != '/')
		return call_fail(c, "ValidationException", "Path must begin with /");
	for (size_t i = 0; (r = call_next(c, KIND_PARAMETER, &i));) {
		const char *name = doc_str(r->doc, "Name");
		size_t n = strlen(path) - ends_with(path, "/");

		if (strncmp(name, path, n) == 0 && name[n] == '/' &&
		    (deep || !strchr(name + n + 1, '/')))
			json_array_append_new(found, render(c, r));
	}
	return 0;
}

static int put_parameter(struct call *c)
{
	const char *name = doc_str(c->body, "Name"), *value = doc_str(c->body, "Value"),
		   *type = doc_str(c->body, "Type");
	struct row *r;
	char now[TIME_SIZE];
	json_t *doc;

	if (!name || !value)
		return call_fail(c, "ValidationException", "Name and Value are required");
	if (starts_with(name, "/aws") || starts_with(name, "aws"))
		return call_fail(c, "AccessDeniedException",
				 "No access to reserved parameter name: %.200s.", name);
	r = find(c, name);
	if (r && !doc_bool(c->body, "Overwrite"))
		return call_fail(c, "ParameterAlreadyExists",
				 "The parameter already exists. To overwrite this value, set the "
				 "overwrite option in the request to true.");
	doc = json_pack("{s:s, s:s, s:s, s:s, s:I}", "Name", name, "Type", type ? type : "String",
			"Value", value, "_date", time_now(now), "_version",
			(json_int_t)(r ? doc_int(r->doc, "_version") + 1 : 1));
	r = model_put(c->cloud->model, KIND_PARAMETER, c->region,
		      arena_printf(c->arena, "%s %s", c->region, name), doc);
	json_object_set_new(c->out, "Version", json_integer(doc_int(r->doc, "_version")));
	json_object_set_new(c->out, "Tier", json_string("Standard"));
	return 0;
}

static int delete_parameter(struct call *c)
{
	const char *name = doc_str(c->body, "Name");
	struct row *r = name ? find(c, name) : NULL;

	if (!r || r->region[0] == '*')
		return call_fail(c, "ParameterNotFound",
				 "The local cloud has no parameter %.200s of yours",
				 name ? name : "");
	model_remove(c->cloud->model, r);
	return 0;
}

const struct action ssm_actions[] = {
	{ "GetParameter", get_parameter, NULL, 0 },
	{ "GetParameters", get_parameters, NULL, 0 },
	{ "GetParametersByPath", get_by_path, NULL, 0 },
	{ "PutParameter", put_parameter, NULL, 0 },
	{ "DeleteParameter", delete_parameter, NULL, 0 },
	{ 0 },
};
