/* Requests of the local cloud: neither parameters nor signatures may crash it, whatever comes in.
 */
#include "cloud/api/query.h"
#include "cloud/api/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static bool known_key(void *data, const char *access_key, const char **ret_secret,
		      const char **ret_token)
{
	(void)data;
	(void)access_key;
	*ret_secret = "secret";
	*ret_token = NULL;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(arena) struct arena *a = arena_new();
	struct str text = { (const char *)data, n };
	const char *query = arena_strndup(a, text.p, n);
	struct http_field headers[] = { { "Host", "x" },
					{ "X-Amz-Date", "20150830T123600Z" },
					{ "Authorization", query } };
	struct http_request r = {
		.method = "GET", .path = "/", .query = query, .headers = headers, .nheaders = 3
	};
	struct signature s;
	struct query q;

	if (query_parse(&q, a, text))
		for (size_t i = 0; i < q.n; i++)
			if (!query_get(&q, "%s", q.v[i].name) && strlen(q.v[i].name) < 500)
				abort();
	if (signature_check(&r, 1440938160, known_key, NULL, a, &s) == SIGNATURE_OK)
		abort();
	r.nheaders = 2;
	if (signature_check(&r, 1440938160, known_key, NULL, a, &s) == SIGNATURE_OK)
		abort();
	return 0;
}
