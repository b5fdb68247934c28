/* Texts with {{ }} become HCL templates with ${ }. Each action is rendered by functions that answer
 * with HCL code between two marks (code points that a text should not have; one that has them is
 * kept), so that arguments and pipelines work as ever. What only a component can render, {{ .Vars
 * }}, stays. */
#include "template/upgrade/upgrade_impl.h"

#include "lang/expr/print.h"
#include "lang/gotmpl/gotmpl.h"
#include "lang/hcl/hcl.h"

#define CODE_BEGIN "\xef\xb7\x90" /* U+FDD0, no character */
#define CODE_END "\xef\xb7\x91"

static int answer(struct gotmpl_env *env, const struct buf *text, struct value *ret)
{
	*ret = value_string(arena_str(env->arena, buf_str(text)), (struct span){ 0 });
	return 0;
}

static int answer_code(struct gotmpl_env *env, const char *code, struct value *ret)
{
	AUTO(buf) struct buf text = BUF_INIT;

	buf_printf(&text, CODE_BEGIN "%s" CODE_END, code);
	return answer(env, &text, ret);
}

/* Literal text inside of quotes. What would join up with a "${" behind it is written as an escape.
 */
static void write_literal(struct str s, bool code_follows, struct buf *out)
{
	AUTO(buf) struct buf quoted = BUF_INIT;
	char last = s.n ? s.p[s.n - 1] : 0;

	hcl_write_quoted(&quoted, s);
	if (code_follows && (last == '$' || last == '%')) {
		buf_add(out, quoted.p + 1, quoted.n - 3);
		buf_printf(out, "\\u%04x", last);
	} else {
		buf_add(out, quoted.p + 1, quoted.n - 2);
	}
}

/* A marked text as what stands between quotes. */
static void write_marked(struct str s, struct buf *out)
{
	while (s.n) {
		ptrdiff_t at = str_find(s, STR(CODE_BEGIN)), end;

		write_literal(str_slice(s, 0, at < 0 ? s.n : (size_t)at), at >= 0, out);
		if (at < 0)
			return;
		s = str_slice(s, (size_t)at + strlen(CODE_BEGIN), s.n);
		end = str_find(s, STR(CODE_END));
		if (end < 0) { /* cut by printf: half a call, which is_whole() is to see */
			buf_adds(out, CODE_BEGIN);
			return;
		}
		buf_printf(out, "${%.*s}", (int)end, s.p);
		s = str_slice(s, (size_t)end + strlen(CODE_END), s.n);
	}
}

static struct str text_of(struct gotmpl_env *env, struct value v)
{
	AUTO(buf) struct buf text = BUF_INIT;

	if (v.kind == VALUE_STRING)
		return v.string;
	gotmpl_print_value(&text, v, env->arena);
	return arena_str(env->arena, buf_str(&text));
}

static bool is_marked(struct str s)
{
	return str_find(s, STR(CODE_BEGIN)) >= 0 || str_find(s, STR(CODE_END)) >= 0;
}

/* By itself and in a template, where a comment in it would hide the end. */
static bool is_expr(struct arena *a, struct str code)
{
	struct str within = str_from(arena_printf(a, "\"${" STR_FMT "}\"", STR_ARG(code)));
	struct hcl_expr *x;
	struct diags d;

	diags_init(&d, a);
	return hcl_parse_expr(a, source_new(a, "", code), &d, &x) == 0 &&
	       hcl_parse_expr(a, source_new(a, "", within), &d, &x) == 0;
}

/* Whether the marks stand in pairs around expressions. What slices a text may have cut one, and
 * arguments may bring marks, or names that are none in HCL. */
static bool is_whole(struct arena *a, struct str s)
{
	if (utf8_invalid_at(s) >= 0)
		return false;
	for (;;) {
		ptrdiff_t at = str_find(s, STR(CODE_BEGIN)), end = str_find(s, STR(CODE_END));
		struct str code;

		if (at < 0 || end < at)
			return at < 0 && end < 0;
		code = str_slice(s, (size_t)at + strlen(CODE_BEGIN), (size_t)end);
		if (is_marked(code) || !is_expr(a, code))
			return false;
		s = str_slice(s, (size_t)end + strlen(CODE_END), s.n);
	}
}

/* An argument as an HCL expression: the code alone if it is nothing else, else a quoted template.
 */
static const char *expr_of(struct gotmpl_env *env, struct value v)
{
	struct str s = text_of(env, v);
	AUTO(buf) struct buf out = BUF_INIT;

	if (str_starts(s, CODE_BEGIN) &&
	    str_find(s, STR(CODE_END)) == (ptrdiff_t)(s.n - strlen(CODE_END)))
		return arena_strndup(env->arena, s.p + strlen(CODE_BEGIN),
				     s.n - strlen(CODE_BEGIN CODE_END));
	buf_addc(&out, '"');
	write_marked(s, &out);
	buf_addc(&out, '"');
	return arena_strdup(env->arena, buf_cstr(&out));
}

/* An argument that must be there as text when the template is turned. */
static int literal_of(struct gotmpl_env *env, struct value v, const char **ret, struct err *err)
{
	struct str s = text_of(env, v);

	if (is_marked(s))
		return err_set(err, ERR_UNSUPPORTED, "its argument is not a plain text");
	*ret = arena_strndup(env->arena, s.p ? s.p : "", s.n);
	return 0;
}

static int fn_aws_secretsmanager(struct gotmpl_env *env, const struct value *args, size_t nargs,
				 struct value *ret, struct err *err)
{
	struct upgrade *u = env->data;
	struct upgrade_secret secret = { 0 };
	size_t i = 0;

	if (literal_of(env, args[0], &secret.name, err) < 0 ||
	    (nargs > 1 && literal_of(env, args[1], &secret.key, err) < 0))
		return -1;
	while (i < u->secrets.n && !(streq(u->secrets.v[i].name, secret.name) &&
				     streq(u->secrets.v[i].key, secret.key)))
		i++;
	if (i == u->secrets.n)
		vec_push(&u->secrets, secret);
	return answer_code(env,
			   arena_printf(env->arena,
					"data.amazon-secretsmanager.autogenerated_%zu.value",
					i + 1),
			   ret);
}

static int fn_build(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	const char *name = NULL;

	if (literal_of(env, args[0], &name, err) < 0)
		return -1;
	return answer_code(env, arena_printf(env->arena, "build.%s", name), ret);
}

/* Inside a source it is a constant. Elsewhere HCL's build.name is the name of the build block,
 * which has none. */
static int fn_build_name(struct gotmpl_env *env, const struct value *args UNUSED,
			 size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	const struct upgrade *u = env->data;

	if (!u->build_name)
		return answer_code(env, "source.name", ret);
	*ret = value_cstring(env->arena, u->build_name, (struct span){ 0 });
	return 0;
}

static int fn_build_type(struct gotmpl_env *env, const struct value *args UNUSED,
			 size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	const struct upgrade *u = env->data;

	if (!u->build_type)
		return answer_code(env, "source.type", ret);
	*ret = value_cstring(env->arena, u->build_type, (struct span){ 0 });
	return 0;
}

/* HCL has none like it, but the components that had it in JSON still render it. */
static int fn_clean_resource_name(struct gotmpl_env *env, const struct value *args,
				  size_t nargs UNUSED, struct value *ret, struct err *err)
{
	struct str s = text_of(env, args[0]);
	AUTO(buf) struct buf text = BUF_INIT;

	if (s.n && memchr(s.p, '`', s.n))
		return err_set(err, ERR_UNSUPPORTED, "its argument has a backtick");
	buf_printf(&text, "{{ clean_resource_name `" STR_FMT "` }}", STR_ARG(s));
	return answer(env, &text, ret);
}

static int fn_consul_key(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
			 struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, arena_printf(env->arena, "consul_key(%s)", expr_of(env, args[0])),
			   ret);
}

static int fn_data(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err)
{
	const char *name = NULL;

	if (literal_of(env, args[0], &name, err) < 0)
		return -1;
	return answer_code(env, arena_printf(env->arena, "data.%s", name), ret);
}

static int fn_env(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		  struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, arena_printf(env->arena, "env(%s)", expr_of(env, args[0])), ret);
}

static int fn_isotime(struct gotmpl_env *env, const struct value *args, size_t nargs,
		      struct value *ret, struct err *err UNUSED)
{
	return answer_code(
		env,
		nargs ? arena_printf(env->arena, "legacy_isotime(%s)", expr_of(env, args[0]))
		      : "timestamp()",
		ret);
}

static int fn_lower(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, arena_printf(env->arena, "lower(%s)", expr_of(env, args[0])), ret);
}

static int fn_packer_version(struct gotmpl_env *env, const struct value *args UNUSED,
			     size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, "packer.version", ret);
}

static int fn_pwd(struct gotmpl_env *env, const struct value *args UNUSED, size_t nargs UNUSED,
		  struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, "path.cwd", ret);
}

/* HCL's replace takes "/…/" for a regular expression; what may be one goes over a list. */
static int replace_all(struct gotmpl_env *env, struct value old, struct value new, struct value in,
		       struct value *ret)
{
	struct str s = text_of(env, old);
	bool plain = !is_marked(s) && !(s.n > 1 && s.p[0] == '/' && s.p[s.n - 1] == '/');
	struct value first = plain ? in : new, last = plain ? new : in;
	AUTO(buf) struct buf code = BUF_INIT;

	buf_adds(&code, plain ? "replace(" : "join(");
	buf_printf(&code, "%s, ", expr_of(env, first));
	buf_printf(&code, plain ? "%s, " : "split(%s, ", expr_of(env, old));
	buf_printf(&code, plain ? "%s)" : "%s))", expr_of(env, last));
	return answer_code(env, buf_cstr(&code), ret);
}

static int fn_replace_all(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
			  struct value *ret, struct err *err UNUSED)
{
	return replace_all(env, args[0], args[1], args[2], ret);
}

/* HCL replaces all or nothing: a few are replaced here and now, if all texts are known. */
static int fn_replace(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		      struct value *ret, struct err *err)
{
	struct str old = text_of(env, args[0]), new = text_of(env, args[1]),
		   in = text_of(env, args[3]);
	AUTO(buf) struct buf out = BUF_INIT;
	int64_t times;

	if (!value_as_i64(args[2], &times))
		return err_set(err, ERR_UNSUPPORTED, "its third argument is no whole number");
	if (times < 0)
		return replace_all(env, args[0], args[1], args[3], ret);
	if (!old.n || is_marked(old) || is_marked(new) || is_marked(in))
		return err_set(err, ERR_UNSUPPORTED, "HCL has no function that replaces only some");
	while (in.n) {
		bool hit = times > 0 && in.n >= old.n && memcmp(in.p, old.p, old.n) == 0;

		if (hit)
			buf_add_str(&out, new);
		else
			buf_addc(&out, *in.p);
		times -= hit;
		in = str_slice(in, hit ? old.n : 1, in.n);
	}
	return answer(env, &out, ret);
}

static int fn_split(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err)
{
	int64_t index;

	if (!value_as_i64(args[2], &index) || index < 0)
		return err_set(err, ERR_UNSUPPORTED, "its third argument is no index");
	return answer_code(env,
			   arena_printf(env->arena, "split(%s, %s)[%lld]", expr_of(env, args[1]),
					expr_of(env, args[0]), (long long)index),
			   ret);
}

static int fn_strftime(struct gotmpl_env *env, const struct value *args, size_t nargs,
		       struct value *ret, struct err *err UNUSED)
{
	return answer_code(
		env,
		nargs ? arena_printf(env->arena, "legacy_strftime(%s)", expr_of(env, args[0]))
		      : "timestamp()",
		ret);
}

static int fn_template_dir(struct gotmpl_env *env, const struct value *args UNUSED,
			   size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, "path.root", ret);
}

static int fn_timestamp(struct gotmpl_env *env, const struct value *args UNUSED,
			size_t nargs UNUSED, struct value *ret, struct err *err UNUSED)
{
	struct upgrade *u = env->data;

	u->uses_timestamp = true;
	return answer_code(env, arena_printf(env->arena, "local.%s", u->timestamp), ret);
}

static int fn_upper(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, arena_printf(env->arena, "upper(%s)", expr_of(env, args[0])), ret);
}

static bool is_declared(const struct legacy *t, const char *name)
{
	for (size_t i = 0; i < t->nvariables; i++)
		if (streq(t->variables[i].name, name))
			return true;
	return false;
}

static int fn_user(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		   struct value *ret, struct err *err)
{
	struct upgrade *u = env->data;
	const char *name = NULL;
	bool local;

	if (literal_of(env, args[0], &name, err) < 0)
		return -1;
	local = map_has(&u->locals, str_from(name));
	if (!local && !is_declared(u->t, name))
		map_sets(&u->undeclared, name, u);
	return answer_code(
		env,
		arena_printf(env->arena, "%s.%s", local ? "local" : "var", upgrade_name(u, name)),
		ret);
}

static int fn_uuid(struct gotmpl_env *env, const struct value *args UNUSED, size_t nargs UNUSED,
		   struct value *ret, struct err *err UNUSED)
{
	return answer_code(env, "uuidv4()", ret);
}

static int fn_vault(struct gotmpl_env *env, const struct value *args, size_t nargs UNUSED,
		    struct value *ret, struct err *err UNUSED)
{
	return answer_code(env,
			   arena_printf(env->arena, "vault(%s, %s)", expr_of(env, args[0]),
					expr_of(env, args[1])),
			   ret);
}

static const struct gotmpl_func functions[] = {
	{ "aws_secretsmanager", 1, 2, fn_aws_secretsmanager },
	{ "build", 1, 1, fn_build },
	{ "build_name", 0, 0, fn_build_name },
	{ "build_type", 0, 0, fn_build_type },
	{ "clean_ami_name", 1, 1, fn_clean_resource_name },
	{ "clean_image_name", 1, 1, fn_clean_resource_name },
	{ "clean_resource_name", 1, 1, fn_clean_resource_name },
	{ "consul_key", 1, 1, fn_consul_key },
	{ "data", 1, 1, fn_data },
	{ "env", 1, 1, fn_env },
	{ "isotime", 0, 1, fn_isotime },
	{ "lower", 1, 1, fn_lower },
	{ "packer_version", 0, 0, fn_packer_version },
	{ "pwd", 0, 0, fn_pwd },
	{ "replace", 4, 4, fn_replace },
	{ "replace_all", 3, 3, fn_replace_all },
	{ "split", 3, 3, fn_split },
	{ "strftime", 0, 1, fn_strftime },
	{ "template_dir", 0, 0, fn_template_dir },
	{ "timestamp", 0, 0, fn_timestamp },
	{ "upper", 1, 1, fn_upper },
	{ "user", 1, 1, fn_user },
	{ "uuid", 0, 0, fn_uuid },
	{ "vault", 2, 2, fn_vault },
};

static int render_action(struct upgrade *u, struct str inner, struct str *ret, struct err *err)
{
	struct gotmpl_env env = { .arena = u->arena,
				  .funcs = functions,
				  .nfuncs = ARRAY_LEN(functions),
				  .missing_is_error = true,
				  .data = u };
	AUTO(buf) struct buf text = BUF_INIT;
	struct gotmpl *t;

	buf_printf(&text, "{{" STR_FMT "}}", STR_ARG(inner));
	if (gotmpl_parse(u->arena, arena_str(u->arena, buf_str(&text)), &t, err) < 0 ||
	    gotmpl_check(t, &env, err) < 0)
		return -1;
	if (gotmpl_render_text(&env, arena_str(u->arena, buf_str(&text)), ret, err) < 0)
		return -1;
	if (!is_whole(u->arena, *ret))
		return err_set(err, ERR_UNSUPPORTED, "what it gives cannot be written in HCL");
	return 0;
}

/* The text with its actions turned, marked. Errors: the action that could not be. */
static int turn(struct upgrade *u, struct str text, struct buf *out, struct err *err)
{
	struct gotmpl_part *parts;
	size_t n;

	if (is_marked(text))
		return err_set(err, ERR_UNSUPPORTED, "U+FDD0 and U+FDD1 are no characters");
	if (gotmpl_parts(u->arena, text, &parts, &n, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		struct str done = parts[i].text;

		if (parts[i].operand) {
			buf_printf(out, "{{ " STR_FMT " }}", STR_ARG(done));
			continue;
		}
		if (parts[i].action && render_action(u, parts[i].text, &done, err) < 0)
			return err_prefix(err, "{{" STR_FMT "}}", STR_ARG(parts[i].text));
		buf_add_str(out, done);
	}
	return 0;
}

/* Whether what could not be turned is the components' own business: it calls nothing but what every
 * template has. */
static bool is_late(struct upgrade *u, struct str text)
{
	struct gotmpl_env bare = { .arena = u->arena };
	AUTO(err) struct err err = ERR_INIT;
	struct gotmpl *t;

	return gotmpl_parse(u->arena, text, &t, &err) == 0 && gotmpl_check(t, &bare, &err) == 0;
}

static void warn_kept(struct upgrade *u, struct span span, const struct err *err)
{
	struct diag *g = diag_warning(u->diags, span, "This text is kept as it is");

	diag_detail(u->diags, g,
		    "%s. Write it as an HCL expression by hand, unless it is rendered late.",
		    err->msg);
}

void upgrade_text(struct upgrade *u, struct str text, struct span span, struct buf *out)
{
	AUTO(buf) struct buf turned = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	buf_addc(out, '"');
	if (!gotmpl_has_actions(text)) {
		write_literal(text, false, out);
	} else if (turn(u, text, &turned, &err) == 0) {
		write_marked(buf_str(&turned), out);
	} else {
		if (!is_late(u, text))
			warn_kept(u, span, &err);
		write_literal(text, false, out);
	}
	buf_addc(out, '"');
}

/* Whether an action calls only functions that exist, and others than env. */
static bool calls_for_local(struct upgrade *u, struct str inner)
{
	static const struct gotmpl_func of_variables[] = { { "env", 1, 1, fn_env } };
	struct gotmpl_env all = { .arena = u->arena,
				  .funcs = functions,
				  .nfuncs = ARRAY_LEN(functions) };
	struct gotmpl_env few = { .arena = u->arena, .funcs = of_variables, .nfuncs = 1 };
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf text = BUF_INIT;
	struct gotmpl *t;

	buf_printf(&text, "{{" STR_FMT "}}", STR_ARG(inner));
	if (gotmpl_parse(u->arena, arena_str(u->arena, buf_str(&text)), &t, &err) < 0 ||
	    gotmpl_check(t, &all, &err) < 0)
		return false;
	return gotmpl_check(t, &few, &err) < 0;
}

bool upgrade_is_local(struct upgrade *u, struct str text)
{
	AUTO(err) struct err err = ERR_INIT;
	struct gotmpl_part *parts;
	bool local = false;
	size_t n;

	if (!gotmpl_has_actions(text) || gotmpl_parts(u->arena, text, &parts, &n, &err) < 0)
		return false;
	for (size_t i = 0; i < n; i++)
		local |= parts[i].action && !parts[i].operand && calls_for_local(u, parts[i].text);
	return local;
}
