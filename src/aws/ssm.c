/* SSM parameters, by the JSON protocol. */
#include "aws/ssm.h"

int ssm_get_parameter(const struct aws_client *c, const char *name, bool decrypt,
		      struct ssm_parameter *ret, struct err *err)
{
	struct aws_client ssm = aws_client_service(c, "ssm");
	json_t *body = json_pack("{s:s, s:b}", "Name", name, "WithDecryption", decrypt);
	json_t *answer = NULL;
	const json_t *p;
	int rc = aws_call_json(&ssm, "AmazonSSM.GetParameter", body, &answer, err);

	json_decref(body);
	if (rc < 0)
		return err_prefix(err, "parameter %s", name);
	p = json_object_get(answer, "Parameter");
	ret->name = aws_json_text(c->arena, p, "Name");
	ret->value = aws_json_text(c->arena, p, "Value");
	ret->arn = aws_json_text(c->arena, p, "ARN");
	ret->type = aws_json_text(c->arena, p, "Type");
	ret->version = json_integer_value(json_object_get(p, "Version"));
	json_decref(answer);
	return 0;
}
