/* Redaction in every encoding, and what the readers print. */
#include "engine/readers.h"
#include "engine/redact.h"

#include "base/os.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static void test_redact(void **state)
{
	static const struct {
		const char *secret, *text, *want;
	} cases[] = {
		{ "hunter2", "the word is hunter2.", "the word is <sensitive>." },
		{ "hunter2", "hunter2hunter2", "<sensitive><sensitive>" },
		{ "hunter2", "hunter", "hunter" },
		{ "ab", "ab is too short", "ab is too short" },
		{ "a\"b\\c", "{\"p\": \"a\\\"b\\\\c\"}", "{\"p\": \"<sensitive>\"}" },
		{ "a<b>&c", "\"a\\u003cb\\u003e\\u0026c\"", "\"<sensitive>\"" },
		{ "it's it", "X='it'\"'\"'s it' run", "X='<sensitive>' run" },
		{ "it's it", "+ echo 'it'\\''s it'", "+ echo '<sensitive>'" },
		{ "pa$$`w", "echo \"pa\\$\\$\\`w\"", "echo \"<sensitive>\"" },
		{ "p w/d+1", "https://u:p%20w%2Fd%2B1@h/", "https://u:<sensitive>@h/" },
		{ "p w/d+1", "q=p+w%2Fd%2B1&r", "q=<sensitive>&r" },
		{ "p w/d+1", "/p%20w/d%2B1", "/<sensitive>" },
		{ "correct horse", "Y29ycmVjdCBob3JzZQ==", "<sensitive>" },
		/* "user:correct horse" and "x:correct horse!": the secret alone decides the middle.
		 */
		{ "correct horse", "dXNlcjpjb3JyZWN0IGhvcnNl", "dXNlcjp<sensitive>" },
		{ "correct horse", "eDpjb3JyZWN0IGhvcnNlIQ==", "eDp<sensitive>IQ==" },
		{ "line one\nline two\n", "got line two", "got <sensitive>" },
		{ "-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----", "-----BEGIN KEY-----",
		  "-----BEGIN KEY-----" },
		{ "-----BEGIN KEY-----\nAAAABBBB\n-----END KEY-----", "AAAABBBB", "<sensitive>" },
		{ "secret\n", "a secret stands here", "a <sensitive> stands here" },
		{ "line one\nline two", "x line one\nline two\ny",
		  "x <sensitive>\n<sensitive>\ny" },
		{ "secret\n", "secret\nnext", "<sensitive>\nnext" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf out = BUF_INIT;
		struct redact *r = redact_new();

		redact_add(r, str_from(cases[i].secret));
		redact_text(r, str_from(cases[i].text), &out);
		assert_string_equal(buf_cstr(&out), cases[i].want);
		redact_free(r);
	}
}

static void test_longest_wins(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct redact *r = redact_new();

	(void)state;
	redact_add(r, STR("abcd"));
	redact_add(r, STR("abcdef"));
	redact_add(r, STR("abcde"));
	redact_text(r, STR("abcdefg abcdeg abcdg abcg"), &out);
	assert_string_equal(buf_cstr(&out), "<sensitive>g <sensitive>g <sensitive>g abcg");
	redact_free(r);
}

/* Emits a fixed little run and gives back what a reader wrote to a pipe. */
static void play(struct events *s, struct buf *out, int pipe_fds[2])
{
	static const char *const data[] = { "0", "id", "a,b\nc secret", NULL };

	events_add_secret(s, "secret");
	events_emit(s, &(struct event){ .kind = EVENT_LEGEND,
					.build = "a",
					.text = STR("a: output will be in this color.") });
	events_emit(s, &(struct event){ .kind = EVENT_LEGEND, .text = STR("") });
	events_emit(s,
		    &(struct event){ .kind = EVENT_SAY, .build = "a", .text = STR("one\ntwo  ") });
	events_emit(s, &(struct event){ .kind = EVENT_SAY,
					.build = "a",
					.part = "zip",
					.text = STR("my secret") });
	events_emit(s, &(struct event){ .kind = EVENT_OUTPUT,
					.build = "b",
					.build_index = 6,
					.text = STR("x, y\n\nz") });
	events_emit(s, &(struct event){ .kind = EVENT_OUTPUT,
					.build = "b",
					.build_index = 6,
					.error = true,
					.text = STR("e1\ne2") });
	events_emit(s, &(struct event){ .kind = EVENT_ERROR, .build = "a", .text = STR("bad") });
	events_emit(
		s, &(struct event){
			   .kind = EVENT_MACHINE, .build = "a", .type = "artifact", .data = data });
	events_emit(s, &(struct event){ .kind = EVENT_PLAIN,
					.build = "a",
					.error = true,
					.text = STR("Build 'a' errored") });
	events_emit(s, &(struct event){ .kind = EVENT_PLAIN, .text = STR("\n==> the end") });
	close(pipe_fds[1]);
	char chunk[4096];
	for (ssize_t n; (n = read(pipe_fds[0], chunk, sizeof(chunk))) > 0;)
		buf_add(out, chunk, (size_t)n);
	close(pipe_fds[0]);
}

static void test_terminal(void **state)
{
	static const struct {
		struct terminal_options o;
		const char *want;
	} cases[] = {
		{ { .legend = true, .color = true },
		  "\033[1;32ma: output will be in this color.\033[0m\n"
		  "\n"
		  "\033[1;32m==> a: one\n"
		  "==> a: two\033[0m\n"
		  "\033[1;32m==> a (zip): my <sensitive>\033[0m\n"
		  "\033[1;36m==> b: x, y\033[0m\n"
		  "\033[1;36m==> b:\033[0m\n"
		  "\033[1;36m==> b: z\033[0m\n"
		  "\033[1;31m==> b: e1\033[0m\n"
		  "\033[1;31m==> b: e2\033[0m\n"
		  "\033[1;31m==> a: bad\033[0m\n"
		  "\033[1;31mBuild 'a' errored\033[0m\n"
		  "\n"
		  "==> the end\n" },
		{ { 0 },
		  "==> a: one\n"
		  "==> a: two\n"
		  "==> a (zip): my <sensitive>\n"
		  "==> b: x, y\n"
		  "==> b:\n"
		  "==> b: z\n"
		  "==> b: e1\n"
		  "==> b: e2\n"
		  "==> a: bad\n"
		  "Build 'a' errored\n"
		  "\n"
		  "==> the end\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf) struct buf out = BUF_INIT;
		struct events *s = events_new();
		struct terminal_options o = cases[i].o;
		struct terminal *t;
		int fds[2];

		assert_int_equal(pipe(fds), 0);
		o.fd = fds[1];
		t = terminal_new(s, &o);
		play(s, &out, fds);
		assert_string_equal(buf_cstr(&out), cases[i].want);
		terminal_free(t);
		events_free(s);
	}
}

static void strip_times(struct buf *out)
{
	AUTO(buf) struct buf clean = BUF_INIT;
	struct str rest = buf_str(out), line;

	while (str_split(&rest, '\n', &line)) {
		const char *comma = line.n ? memchr(line.p, ',', line.n) : NULL;

		if (comma)
			buf_printf(&clean, STR_FMT "\n", (int)(line.p + line.n - comma), comma);
	}
	buf_reset(out);
	buf_add(out, clean.p, clean.n);
}

static void test_machine(void **state)
{
	AUTO(buf) struct buf out = BUF_INIT;
	struct events *s = events_new();
	struct machine_reader *m;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	m = machine_reader_new(s, fds[1]);
	play(s, &out, fds);
	strip_times(&out);
	assert_string_equal(
		buf_cstr(&out),
		",,ui,say,==> a: one\\n==> a: two\n"
		",,ui,say,==> a (zip): my <sensitive>\n"
		",,ui,say,==> b: x%!(PACKER_COMMA) y\n"
		",,ui,say,==> b:\n"
		",,ui,say,==> b: z\n"
		",,ui,error,==> b: e1\n"
		",,ui,error,==> b: e2\n"
		",,ui,error,==> a: bad\n"
		",a,artifact,0,id,a%!(PACKER_COMMA)b\\nc <sensitive>\n"
		",,ui,error,Build 'a' errored\n"
		",,ui,say,\\n==> the end\n");
	machine_reader_free(m);
	events_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redact),
		cmocka_unit_test(test_longest_wins),
		cmocka_unit_test(test_terminal),
		cmocka_unit_test(test_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
