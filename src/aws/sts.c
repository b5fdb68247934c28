/* STS calls with the session's own credentials. */
#include "aws/sts.h"

int sts_caller_identity(const struct aws_client *c, struct sts_identity *ret, struct err *err)
{
	struct aws_client sts = aws_client_service(c, "sts");
	struct xml *root;
	const struct xml *r;
	const char *colon;

	if (aws_call(&sts, "GetCallerIdentity", NULL, &root, err) < 0)
		return -1;
	r = xml_get(root, "GetCallerIdentityResult");
	ret->account = xml_text(r, "Account");
	ret->arn = xml_text(r, "Arn");
	ret->user_id = xml_text(r, "UserId");
	ret->partition = "aws";
	colon = starts_with(ret->arn, "arn:") ? strchr(ret->arn + 4, ':') : NULL;
	if (colon)
		ret->partition = arena_strndup(c->arena, ret->arn + 4,
					       (size_t)(colon - ret->arn) - 4);
	return 0;
}

int sts_decode_message(const struct aws_client *c, const char *encoded, const char **ret,
		       struct err *err)
{
	AUTO(aws_params) struct aws_params p = AWS_PARAMS_INIT;
	struct aws_client sts = aws_client_service(c, "sts");
	struct xml *root;

	aws_params_add(&p, "EncodedMessage", encoded);
	if (aws_call(&sts, "DecodeAuthorizationMessage", &p, &root, err) < 0)
		return -1;
	*ret = xml_text(root, "DecodeAuthorizationMessageResult/DecodedMessage");
	return 0;
}
