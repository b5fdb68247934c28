/* Secrets leave no text: the first lines are secrets (a record separator ends them), the rest is
 * what is said, with each secret added in several encodings. */
#include "engine/redact.h"

#include <stdlib.h>

#define SECRETS_MAX 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_gone(const struct redact *r, struct str said, struct str secret)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct str rest, mark = STR(REDACT_MARK);

	redact_text(r, said, &out);
	rest = buf_str(&out);
	if (secret.n < REDACT_MIN || str_find(mark, secret) >= 0)
		return; /* the mark itself may hold it */
	for (ptrdiff_t at = str_find(rest, secret); at >= 0; at = str_find(rest, secret)) {
		struct str around = { rest.p + MAX(at - (ptrdiff_t)mark.n, (ptrdiff_t)0),
				      MIN(secret.n + 2 * mark.n,
					  rest.n - (size_t)MAX(at - (ptrdiff_t)mark.n,
							       (ptrdiff_t)0)) };

		if (str_find(around, mark) < 0)
			abort(); /* only beside a mark can a piece of it look like a secret */
		rest = str_slice(rest, (size_t)at + 1, rest.n);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	AUTO(redact) struct redact *r = redact_new();
	AUTO(buf) struct buf said = BUF_INIT;
	struct str text = { (const char *)data, n }, lines, secrets[SECRETS_MAX];
	size_t count = 0;

	if (!str_split(&text, '\x1e', &lines))
		return 0;
	while (count < SECRETS_MAX && str_split(&lines, '\n', &secrets[count]))
		redact_add(r, secrets[count++]);
	buf_add_str(&said, text);
	for (size_t i = 0; i < count; i++) {
		buf_add_str(&said, secrets[i]);
		buf_addc(&said, ' ');
		buf_add_base64(&said, secrets[i].p, secrets[i].n);
		buf_addc(&said, ' ');
		buf_add_json_string(&said, secrets[i]);
		buf_add_uri(&said, secrets[i], false);
		buf_add_shell_word(&said, secrets[i]);
	}
	for (size_t i = 0; i < count; i++)
		if (str_trim(secrets[i]).n >= REDACT_MIN)
			check_gone(r, buf_str(&said), secrets[i]);
	return 0;
}
