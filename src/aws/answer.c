/* Error answers: EC2's, STS's and IAM's XML, the JSON protocol's, and pages of proxies that are
 * neither. */
#include "aws/answer.h"

#include "aws/session_impl.h"
#include "aws/sts.h"
#include "base/buf.h"

static void read_xml(struct arena *a, const struct http_response *r, struct aws_answer *ret)
{
	AUTO(err) struct err ignored = ERR_INIT;
	struct xml *root;
	const struct xml *e;

	if (xml_parse(a, buf_str(&r->body), &root, &ignored) < 0)
		return;
	e = xml_get(root, "Errors/Error");
	if (!e)
		e = xml_get(root, "Error");
	ret->code = xml_text_or_null(e, "Code");
	ret->message = xml_text_or_null(e, "Message");
}

static void read_json(struct arena *a, const struct http_response *r, struct aws_answer *ret)
{
	json_t *j = json_loadb(buf_cstr(&r->body), r->body.n, 0, NULL);
	const char *type = json_string_value(json_object_get(j, "__type"));
	const char *text = json_string_value(json_object_get(j, "message"));

	if (!text)
		text = json_string_value(json_object_get(j, "Message"));
	if (!type)
		type = r->error_type;
	if (type) {
		const char *hash = strrchr(type, '#');
		const char *name = hash ? hash + 1 : type;

		ret->code = arena_strndup(a, name, strcspn(name, ":"));
	}
	ret->message = arena_strdup(a, text);
	json_decref(j);
}

/* What a body that is no error of AWS begins with: an HTML page of a proxy, say. */
static const char *excerpt(struct arena *a, const struct http_response *r)
{
	struct str t = str_trim(buf_str(&r->body));
	char *s = arena_strndup(a, t.p, MIN(t.n, 80));

	for (char *p = s; *p; p++)
		if ((unsigned char)*p < 0x20)
			*p = ' ';
	return *s ? s : "(empty)";
}

struct aws_answer aws_answer_read(struct arena *a, const struct http_response *r, bool json)
{
	struct aws_answer ret = { .status = r->status };

	(json ? read_json : read_xml)(a, r, &ret);
	if (!ret.message)
		ret.message = ret.code ? "no message"
				       : arena_printf(a, "the answer is no AWS answer: %s",
						      excerpt(a, r));
	return ret;
}

/* EC2 hides the reason of a denial in an encoded text; sts decodes it, if the template asks and
 * may. */
static const char *decoded(const struct aws_client *c, struct arena *a, const char *message)
{
	static const char mark[] = "authorization failure message: ";
	AUTO(err) struct err ignored = ERR_INIT;
	const char *at = strstr(message, mark), *text;
	struct aws_client sts;

	if (!at || !c->session->cfg.decode_authorization_messages)
		return NULL;
	at += sizeof(mark) - 1;
	sts = aws_client_service(c, "sts");
	sts.arena = a;
	if (sts_decode_message(&sts, arena_strndup(a, at, strcspn(at, " \n")), &text, &ignored) < 0)
		return NULL;
	return text;
}

static void add_advice(struct buf *b, const char *advice, const char *service, const char *action,
		       const char *source)
{
	buf_adds(b, " (");
	for (const char *p = advice; *p; p++) {
		if (p[0] == '%' && p[1] == 'A') {
			buf_printf(b, "%s:%s", service, action);
			p++;
		} else if (p[0] == '%' && p[1] == 'S') {
			buf_adds(b, source ? source : "none");
			p++;
		} else {
			buf_addc(b, *p);
		}
	}
	buf_addc(b, ')');
}

void aws_answer_error(const struct aws_client *c, const char *action, const char *source,
		      const struct error_row *row, const struct aws_answer *answer,
		      struct err *err)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT;
	const char *reason = decoded(c, a, answer->message);

	if (answer->code)
		buf_printf(&text, "%s: ", answer->code);
	else
		buf_printf(&text, "HTTP status %d: ", answer->status);
	buf_adds(&text, reason ? reason : answer->message);
	if (row->advice)
		add_advice(&text, row->advice, c->service, action, source);
	err_set(err, row->code, "%s", buf_cstr(&text));
	err->os = answer->status;
	err_set_name(err, answer->code);
}
