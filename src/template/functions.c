/* What {{user}}, {{timestamp}} and the others give. (Facts: interpolate/funcs.go of Packer's plugin
 * SDK.) */
#include "template/functions.h"

#include "base/os.h"
#include "base/path.h"
#include "base/vec.h"
#include "lang/expr/eval.h"
#include "base/gotime.h"
#include "template/version.h"

#include <errno.h>
#include <unicase.h>
#include <unistr.h>

#define ROUNDS_MAX 100

static const struct span nowhere;

static struct scope *scope_of(struct gotmpl_env *env)
{
	return env->data;
}

static int give(struct gotmpl_env *env, struct str s, struct value *ret)
{
	*ret = value_string(arena_str(env->arena, s), nowhere);
	return 0;
}

/* Arguments of all but the numbers of replace and split are text. */
static int need_text_at(const struct value *args, size_t i, struct err *err)
{
	if (args[i].kind == VALUE_STRING)
		return 0;
	return err_set(err, ERR_INVALID, "argument %zu is %s, text belongs (in \" or `)", i + 1,
		       value_kind_phrase(args[i]));
}

static int need_text(const struct value *args, size_t nargs, struct err *err)
{
	for (size_t i = 0; i < nargs; i++)
		if (need_text_at(args, i, err) < 0)
			return -1;
	return 0;
}

static int fn_user(struct gotmpl_env *env, const struct value *args, size_t nargs,
		   struct value *ret, struct err *err)
{
	struct scope *s = scope_of(env);
	const char *v;

	if (need_text(args, nargs, err) < 0)
		return -1;
	if (!s->variables)
		return err_set(err, ERR_INVALID,
			       "HCL2 templates have no user variables; write ${var." STR_FMT "}",
			       STR_ARG(args[0].string));
	v = map_get(s->variables, args[0].string);
	if (!v && s->in_variables) {
		s->unset = arena_strndup(env->arena, args[0].string.p, args[0].string.n);
		return err_set(err, ERR_NOT_FOUND, "the variable \"%s\" is not set", s->unset);
	}
	return give(env, str_from(v ? v : ""), ret);
}

static int fn_env(struct gotmpl_env *env, const struct value *args, size_t nargs, struct value *ret,
		  struct err *err)
{
	const char *v;

	if (need_text(args, nargs, err) < 0)
		return -1;
	if (!scope_of(env)->in_variables)
		return err_set(
		    err, ERR_INVALID,
		    "the environment can be read in \"variables\" only; use {{user `name`}} here");
	v = getenv(arena_strndup(env->arena, args[0].string.p, args[0].string.n));
	return give(env, str_from(v ? v : ""), ret);
}

/* What HCL has by the same name: it asks a server. Arguments that are left out are null there. */
static int ask_server(struct gotmpl_env *env, const char *name, const struct value *args,
		      size_t nargs, struct value *ret, struct err *err)
{
	struct scope *s = scope_of(env);
	const struct func *f = s->functions ? func_find(s->functions, str_from(name)) : NULL;
	struct eval e = { .arena = env->arena,
			  .on_secret = s->on_secret,
			  .secret_data = s->secret_data };
	struct func_call call = { .arena = env->arena, .eval = &e, .func = f, .bad_arg = -1 };
	struct value all[2] = { value_null(nowhere), value_null(nowhere) };

	if (need_text(args, nargs, err) < 0)
		return -1;
	if (!s->in_variables)
		return err_set(err, ERR_INVALID, "it can be used in \"variables\" only");
	if (!f)
		return err_set(err, ERR_UNSUPPORTED, "not available here");
	for (size_t i = 0; i < nargs && i < ARRAY_LEN(all); i++)
		all[i] = args[i];
	return f->call(&call, all, f->nparams, ret, err);
}

#define SERVER_FUNCTION(name) \
	static int fn_##name(struct gotmpl_env *env, const struct value *args, size_t nargs, \
			     struct value *ret, struct err *err) \
	{ \
		return ask_server(env, #name, args, nargs, ret, err); \
	}
SERVER_FUNCTION(aws_secretsmanager)
SERVER_FUNCTION(aws_secretsmanager_raw)
SERVER_FUNCTION(consul_key)
SERVER_FUNCTION(vault)

static int fn_timestamp(struct gotmpl_env *env, const struct value *args UNUSED,
			size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	return give(env,
		    str_from(arena_printf(env->arena, "%lld",
					  (long long)(scope_of(env)->now_ms / 1000))),
		    ret);
}

static int fn_isotime(struct gotmpl_env *env, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (need_text(args, nargs, err) < 0)
		return -1;
	gotime_format(&b, scope_of(env)->now_ms,
		      nargs ? args[0].string : STR("2006-01-02T15:04:05Z07:00"));
	return give(env, buf_str(&b), ret);
}

static int fn_strftime(struct gotmpl_env *env, const struct value *args, size_t nargs,
		       struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (need_text(args, nargs, err) < 0)
		return -1;
	gotime_strftime(&b, scope_of(env)->now_ms, args[0].string);
	return give(env, buf_str(&b), ret);
}

static int fn_uuid(struct gotmpl_env *env, const struct value *args UNUSED, size_t nargs UNUSED,
		   struct value *ret, struct err *err UNUSED)
{
	char uuid[37];

	os_uuid(uuid);
	return give(env, str_from(uuid), ret);
}

static int give_if_known(struct gotmpl_env *env, const char *v, struct value *ret, struct err *err)
{
	if (!v)
		return err_set(err, ERR_INVALID, "not available here");
	return give(env, str_from(v), ret);
}

static int fn_build_name(struct gotmpl_env *env, const struct value *args UNUSED,
			 size_t nargs UNUSED, struct value *ret, struct err *err)
{
	return give_if_known(env, scope_of(env)->build_name, ret, err);
}

static int fn_build_type(struct gotmpl_env *env, const struct value *args UNUSED,
			 size_t nargs UNUSED, struct value *ret, struct err *err)
{
	return give_if_known(env, scope_of(env)->build_type, ret, err);
}

static int fn_template_dir(struct gotmpl_env *env, const struct value *args UNUSED,
			   size_t nargs UNUSED, struct value *ret, struct err *err)
{
	return give_if_known(env, scope_of(env)->template_dir, ret, err);
}

static int fn_pwd(struct gotmpl_env *env, const struct value *args UNUSED, size_t nargs UNUSED,
		  struct value *ret, struct err *err)
{
	auto_free char *path = path_cwd();

	if (!path)
		return err_errno(err, errno, "reading the working directory");
	return give(env, str_from(path), ret);
}

static int fn_packer_version(struct gotmpl_env *env, const struct value *args UNUSED,
			     size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	return give(env, STR(VERSION_PACKER), ret);
}

/* Character by character, as Go does: of "ß" there is no single capital. */
static int change_case(struct gotmpl_env *env, struct str s, ucs4_t (*map)(ucs4_t),
		       struct value *ret)
{
	const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
	AUTO(buf) struct buf out = BUF_INIT;

	while (p < end) {
		ucs4_t c;
		int n = u8_mbtouc(&c, p, (size_t)(end - p));
		uint8_t text[6];
		int len = u8_uctomb(text, map(c), sizeof(text));

		buf_add(&out, text, len > 0 ? (size_t)len : 0);
		p += n;
	}
	return give(env, buf_str(&out), ret);
}

static int fn_upper(struct gotmpl_env *env, const struct value *args, size_t nargs,
		    struct value *ret, struct err *err)
{
	if (need_text(args, nargs, err) < 0)
		return -1;
	return change_case(env, args[0].string, uc_toupper, ret);
}

static int fn_lower(struct gotmpl_env *env, const struct value *args, size_t nargs,
		    struct value *ret, struct err *err)
{
	if (need_text(args, nargs, err) < 0)
		return -1;
	return change_case(env, args[0].string, uc_tolower, ret);
}

/* Replaces the first n (negative: all); an empty `old` matches before each character and at the
 * end. */
static void replace(struct buf *out, struct str s, struct str old, struct str new, int64_t n)
{
	while (n != 0) {
		ptrdiff_t at = old.n ? str_find(s, old) : 0;

		if (at < 0)
			break;
		buf_add(out, s.p, (size_t)at);
		buf_add_str(out, new);
		s = str_slice(s, (size_t)at + old.n, s.n);
		n--;
		if (old.n)
			continue;
		if (!s.n)
			return;
		do { /* one whole character */
			buf_addc(out, s.p[0]);
			s = str_slice(s, 1, s.n);
		} while (s.n && ((uint8_t)s.p[0] & 0xc0) == 0x80);
	}
	buf_add_str(out, s);
}

/* replace OLD NEW COUNT TEXT */
static int fn_replace(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;
	int64_t n;

	if (need_text(args, 2, err) < 0)
		return -1;
	if (!value_as_i64(args[2], &n))
		return err_set(err, ERR_INVALID, "argument 3 is %s, a whole number belongs",
			       value_kind_phrase(args[2]));
	if (need_text_at(args, 3, err) < 0)
		return -1;
	replace(&b, args[3].string, args[0].string, args[1].string, n);
	return give(env, buf_str(&b), ret);
}

static int fn_replace_all(struct gotmpl_env *env, const struct value *args, size_t nargs,
			  struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (need_text(args, nargs, err) < 0)
		return -1;
	replace(&b, args[2].string, args[0].string, args[1].string, -1);
	return give(env, buf_str(&b), ret);
}

/* split TEXT SEPARATOR INDEX */
static int fn_split(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	struct str s, sep;
	int64_t want, i;

	if (need_text(args, 2, err) < 0)
		return -1;
	if (!value_as_i64(args[2], &want))
		return err_set(err, ERR_INVALID, "argument 3 is %s, a whole number belongs",
			       value_kind_phrase(args[2]));
	s = args[0].string;
	sep = args[1].string;
	for (i = 0;; i++) {
		ptrdiff_t at = sep.n ? str_find(s, sep) : s.n > 1 ? 1 : -1;

		if (i == want)
			return give(env, str_slice(s, 0, at < 0 ? s.n : (size_t)at), ret);
		if (at < 0)
			break;
		s = str_slice(s, (size_t)at + sep.n, s.n);
	}
	return err_set(err, ERR_INVALID, "there is no part %lld, only %lld", (long long)want,
		       (long long)i + 1);
}

static int fn_build(struct gotmpl_env *env, const struct value *args, size_t nargs,
		    struct value *ret, struct err *err)
{
	struct scope *s = scope_of(env);
	const char *v;

	if (need_text(args, nargs, err) < 0)
		return -1;
	if (!s->known && !s->variables)
		return err_set(err, ERR_INVALID,
			       "values of the build are not available here; write ${build." STR_FMT
			       "} in a provisioner or post-processor",
			       STR_ARG(args[0].string));
	if (!s->known)
		return err_set(err, ERR_INVALID, "values of the build are not available here");
	if (!map_has(s->known, args[0].string))
		return err_set(err, ERR_INVALID, "the build has no value \"%.*s\"",
			       (int)args[0].string.n, args[0].string.p);
	if (!s->generated) {
		env->placeholder = true;
		return give(env,
			    str_from(arena_printf(env->arena, "{{.%.*s}}", (int)args[0].string.n,
						  args[0].string.p)),
			    ret);
	}
	v = map_get(s->generated, args[0].string);
	if (!v) {
		*ret = value_unknown(nowhere);
		return 0;
	}
	return give(env, str_from(v), ret);
}

/* AMI names have letters, digits and a few signs; what else stands there becomes a dash. (Fact:
 * EC2's CreateImage, parameter Name.) */
static int fn_clean_ami(struct gotmpl_env *env, const struct value *args, size_t nargs,
			struct value *ret, struct err *err)
{
	AUTO(buf) struct buf b = BUF_INIT;

	if (need_text(args, nargs, err) < 0)
		return -1;
	for (size_t i = 0; i < args[0].string.n; i++) {
		char c = args[0].string.p[i];
		bool fine = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') ||
			    (c && strchr("()[] ./-'@_", c));

		buf_addc(&b, fine ? c : '-');
	}
	return give(env, buf_str(&b), ret);
}

static int fn_clean_ami_old(struct gotmpl_env *env, const struct value *args, size_t nargs,
			    struct value *ret, struct err *err)
{
	scope_of(env)->old_clean = true;
	return fn_clean_ami(env, args, nargs, ret, err);
}

static int fn_sed(struct gotmpl_env *env UNUSED, const struct value *args UNUSED,
		  size_t nargs UNUSED, struct value *ret UNUSED, struct err *err)
{
	return err_set(err, ERR_INVALID, "it was taken out of Packer; use replace or replace_all");
}

static const struct gotmpl_func functions[] = {
	{ "aws_secretsmanager", 1, 2, fn_aws_secretsmanager },
	{ "aws_secretsmanager_raw", 1, 1, fn_aws_secretsmanager_raw },
	{ "build", 1, 1, fn_build },
	{ "build_name", 0, 0, fn_build_name },
	{ "build_type", 0, 0, fn_build_type },
	{ "consul_key", 1, 1, fn_consul_key },
	{ "env", 1, 1, fn_env },
	{ "isotime", 0, 1, fn_isotime },
	{ "lower", 1, 1, fn_lower },
	{ "packer_version", 0, 0, fn_packer_version },
	{ "pwd", 0, 0, fn_pwd },
	{ "replace", 4, 4, fn_replace },
	{ "replace_all", 3, 3, fn_replace_all },
	{ "sed", 2, 2, fn_sed },
	{ "split", 3, 3, fn_split },
	{ "strftime", 1, 1, fn_strftime },
	{ "template_dir", 0, 0, fn_template_dir },
	{ "timestamp", 0, 0, fn_timestamp },
	{ "upper", 1, 1, fn_upper },
	{ "user", 1, 1, fn_user },
	{ "uuid", 0, 0, fn_uuid },
	{ "vault", 2, 2, fn_vault },
	/* What only options of amazon components have. */
	{ "clean_resource_name", 1, 1, fn_clean_ami },
	{ "clean_ami_name", 1, 1, fn_clean_ami_old },
};
#define AMAZON_FUNCTIONS 2

const char *scope_function(size_t i)
{
	return i < ARRAY_LEN(functions) ? functions[i].name : NULL;
}

int scope_render(struct scope *s, struct arena *a, struct value dot, bool check, struct str text,
		 struct str *ret, struct err *err)
{
	struct gotmpl_env env = { .arena = a,
				  .funcs = functions,
				  .nfuncs = ARRAY_LEN(functions),
				  .dot = dot,
				  .data = s };
	AUTO(buf) struct buf out = BUF_INIT;
	struct gotmpl *t;

	*ret = text;
	if (!gotmpl_has_actions(text))
		return 0;
	if (!s->component || !starts_with(s->component, "amazon-"))
		env.nfuncs -= AMAZON_FUNCTIONS;
	if (gotmpl_parse(a, text, &t, err) < 0)
		return -1;
	if (check)
		return gotmpl_check(t, &env, err);
	if (gotmpl_render(t, &env, &out, err) < 0)
		return -1;
	*ret = arena_str(a, buf_str(&out));
	/* A value of the build can also come by the dot, or from a variable's text. */
	return env.placeholder || (!s->generated && str_find(*ret, STR("{{.")) >= 0);
}

int scope_render_all(struct scope *s, struct arena *a, struct value dot, struct str text,
		     struct str *ret, struct err *err)
{
	for (int round = 0; round < ROUNDS_MAX; round++) {
		if (scope_render(s, a, dot, false, text, ret, err) < 0)
			return -1;
		if (str_eq(*ret, text))
			return 0;
		text = *ret;
	}
	err_set(err, ERR_INVALID, "it still changes after %d renderings", ROUNDS_MAX);
	return -1;
}

static struct value dot_value(const struct scope *s, struct arena *a, struct str key)
{
	const char *v;

	if (!s->generated)
		return value_cstring(a, arena_printf(a, "{{.%.*s}}", (int)key.n, key.p), nowhere);
	v = map_get(s->generated, key);
	return v ? value_string(str_from(v), nowhere) : value_unknown(nowhere);
}

struct value scope_dot(const struct scope *s, struct arena *a)
{
	size_t known = s->known ? map_len(s->known) : 0,
	       given = s->generated ? map_len(s->generated) : 0, n = 0;
	struct value_attr *attrs;

	if (!s->known && !s->generated)
		return value_null(nowhere);
	attrs = arena_new_array(a, struct value_attr, known + given);
	for (size_t i = 0; i < known; i++, n++)
		attrs[n] = (struct value_attr){ .key = map_key_at(s->known, i),
						.value = dot_value(s, a, map_key_at(s->known, i)) };
	for (size_t i = 0; i < given; i++)
		if (!s->known || !map_has(s->known, map_key_at(s->generated, i)))
			attrs[n++] = (struct value_attr){
				.key = map_key_at(s->generated, i),
				.value = dot_value(s, a, map_key_at(s->generated, i))
			};
	return value_attrs_make(a, VALUE_MAP, attrs, n, nowhere);
}
