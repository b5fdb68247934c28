/* Templates: the cases of template.test (legacy JSON) and hcl_builds.test (HCL2), each a template,
 * and below "---" what comes out: the diagnostics as users see them, then the builds with their
 * decoded options.
 *
 * The components are the test's own: builder "alpha", provisioner "run", post-processor "store".
 * All have text (late: as it stands), number, when and old. With TEST_UPDATE set the file is
 * written anew. */
#include "base/map.h"
#include "base/os.h"
#include "datasource/functions.h"
#include "lang/expr/functions/groups.h"
#include "template/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

struct options {
	char *text, *late, *secret, *required;
	int64_t number, when;
	struct strs list;
	bool flag;
	struct str_map map, tag;
	struct inner *one;
	struct spec_blocks many;
};
struct inner {
	char *key;
	struct spec_blocks deep;
};

static const struct spec_row deep_rows[] = { SPEC_STR(struct inner, key, .doc = "Key.") };
static const struct spec deep_spec = SPEC("deep", struct inner, deep_rows);
static const struct spec_row inner_rows[] = {
	SPEC_STR(struct inner, key, .flags = SPEC_REQUIRED, .doc = "Key."),
	SPEC_BLOCKS(struct inner, deep, &deep_spec, .doc = "Deeper."),
};
static const struct spec inner_spec = SPEC("inner", struct inner, inner_rows);

static const struct spec_row rows[] = {
	SPEC_STR(struct options, text, .doc = "Text."),
	SPEC_STR(struct options, late, .flags = SPEC_LATE, .doc = "Late text."),
	SPEC_STR(struct options, secret, .flags = SPEC_SENSITIVE, .doc = "Secret."),
	SPEC_INT(struct options, number, .def = "7", .doc = "Number."),
	SPEC_DURATION(struct options, when, .doc = "Time."),
	SPEC_STRS(struct options, list, .doc = "List."),
	SPEC_BOOL(struct options, flag, .doc = "Flag."),
	SPEC_MAP(struct options, map, .doc = "Map."),
	SPEC_MAP(struct options, tag, .flags = SPEC_KEY_VALUE, .doc = "Tags."),
	SPEC_BLOCK(struct options, one, struct inner, &inner_spec, .doc = "One block."),
	SPEC_BLOCKS(struct options, many, &inner_spec, .doc = "Blocks."),
	SPEC_STR(struct options, required, .name = "old_text",
		 .flags = SPEC_DEPRECATED | SPEC_HIDDEN, .instead = "text"),
};
static const struct spec alpha_spec = SPEC("alpha", struct options, rows);

static void prepare(struct prepare *p, void *config)
{
	struct options *o = config;

	if (o->number > 100)
		prepare_error(p, "number", "number is more than 100");
	if (streq(o->text, "warn"))
		prepare_warning(p, "text", "this text is odd");
}

static const char *const generated[] = { "Special", NULL };
static const struct builder alpha = {
	.type = "alpha", .spec = &alpha_spec, .generated = generated, .prepare = prepare
};
static const struct builder amazon = { .type = "amazon-test",
				       .spec = &alpha_spec,
				       .prepare = prepare };
static const struct provisioner provision = { .type = "run",
					      .spec = &alpha_spec,
					      .prepare = prepare };
static const struct postprocessor store = { .type = "store",
					    .spec = &alpha_spec,
					    .prepare = prepare };
static const struct builder *const builders[] = { &alpha, &amazon, NULL };
static const struct provisioner *const provisioners[] = { &provision, NULL };
static const struct postprocessor *const postprocessors[] = { &store, NULL };
static const char *const later[] = { "vmware-vmx", NULL };
#define ENTRY(name) &func_group_##name,
static const struct func_group *const functions[] = { FUNC_GROUPS(ENTRY) &func_group_server, NULL };
#undef ENTRY
static const struct registry registry = {
	.functions = functions,
	.builders = builders,
	.provisioners = provisioners,
	.postprocessors = postprocessors,
	.later_builders = later,
	.later_provisioners = later,
	.later_postprocessors = later,
};

static void show_map(struct buf *out, const char *name, const struct str_map *m)
{
	for (size_t i = 0; i < m->n; i++)
		buf_printf(out, " %s[%s]=%s", name, m->v[i].key, m->v[i].value);
}

static void show_inner(struct buf *out, const char *name, const struct inner *v)
{
	buf_printf(out, " %s{%s", name, v->key ? v->key : "");
	for (size_t i = 0; i < v->deep.n; i++)
		show_inner(out, "deep", v->deep.v[i]);
	buf_addc(out, '}');
}

static void show_options(struct buf *out, const void *config)
{
	const struct options *o = config;

	if (!o) {
		buf_adds(out, " (none)\n");
		return;
	}
	if (o->text)
		buf_printf(out, " text=%s", o->text);
	if (o->late)
		buf_printf(out, " late=%s", o->late);
	if (o->number != 7)
		buf_printf(out, " number=%lld", (long long)o->number);
	if (o->when)
		buf_printf(out, " when=%lld", (long long)o->when);
	for (size_t i = 0; i < o->list.n; i++)
		buf_printf(out, " list[%zu]=%s", i, o->list.v[i]);
	if (o->flag)
		buf_adds(out, " flag");
	show_map(out, "map", &o->map);
	show_map(out, "tag", &o->tag);
	if (o->one)
		show_inner(out, "one", o->one);
	for (size_t i = 0; i < o->many.n; i++)
		show_inner(out, "many", o->many.v[i]);
	buf_addc(out, '\n');
}

static void show_provisioner(struct buf *out, const char *what, const struct plan_provisioner *p)
{
	buf_printf(out, "  %s %s", what, p->c.type);
	if (p->pause_before_ns)
		buf_printf(out, " pause=%lld", (long long)p->pause_before_ns);
	if (p->timeout_ns)
		buf_printf(out, " timeout=%lld", (long long)p->timeout_ns);
	if (p->max_retries)
		buf_printf(out, " retries=%lld", (long long)p->max_retries);
	if (p->continue_on_error)
		buf_adds(out, " continue");
	show_options(out, p->c.config);
}

static void show_build(struct buf *out, const struct plan_build *b)
{
	buf_printf(out, "%s (%s)%s:", b->name, b->bare_name, b->broken ? " broken" : "");
	show_options(out, b->builder.config);
	for (size_t i = 0; i < b->nafter; i++)
		buf_printf(out, "  after %s\n", b->after[i]->name);
	for (size_t i = 0; i < b->nprovisioners; i++)
		show_provisioner(out, "provisioner", &b->provisioners[i]);
	if (b->cleanup)
		show_provisioner(out, "cleanup", b->cleanup);
	for (size_t i = 0; i < b->nchains; i++) {
		buf_adds(out, "  chain\n");
		for (size_t j = 0; j < b->chains[i].n; j++) {
			const struct plan_postprocessor *p = &b->chains[i].v[j];

			buf_printf(out, "    %s%s%s keep=%d", p->c.type, p->c.name ? " " : "",
				   p->c.name ? p->c.name : "", p->keep_input);
			show_options(out, p->c.config);
		}
	}
}

/* "-only a,b -var x=y" of a case's head line; ~ is a space. */
static void parse_args(struct arena *a, struct str head, struct template_args *args)
{
	struct str word, item;

	args->vars = arena_alloc(a, 8 * sizeof(*args->vars));
	while (str_split(&head, ' ', &word)) {
		bool only = str_eqs(word, "-only"), except = str_eqs(word, "-except");

		if (str_eqs(word, "-var") && str_split(&head, ' ', &word)) {
			ptrdiff_t eq = str_find(word, STR("="));

			args->vars[args->nvars].name = arena_strndup(a, word.p, (size_t)eq);
			args->vars[args->nvars].value = arena_strndup(a, word.p + eq + 1,
								      word.n - (size_t)eq - 1);
			for (char *c = args->vars[args->nvars++].value; *c; c++)
				*c = *c == '~' ? ' ' : *c;
		} else if ((only || except) && str_split(&head, ' ', &word)) {
			char **list = arena_new_array(a, char *, 8);

			for (size_t n = 0; str_split(&word, ',', &item);)
				list[n++] = arena_strndup(a, item.p, item.n);
			*(only ? &args->only : &args->except) = list;
		} else if (str_eqs(word, "-syntax-only")) {
			args->syntax_only = true;
		} else if (str_eqs(word, "-strict")) {
			args->strict = true;
		} else if (str_eqs(word, "-json")) {
			args->path = "t.pkr.json";
		}
	}
}

static void run_case(struct arena *a, const char *file, struct str head, struct str template,
		     struct buf *out)
{
	struct template_args args = { .path = file, .registry = &registry };
	AUTO(plan) struct plan *plan = NULL;
	AUTO(err) struct err err = ERR_INIT;

	parse_args(a, head, &args);
	assert_int_equal(os_write_file(args.path, template.p, template.n, 0600, &err), 0);
	if (template_load(&args, &plan, &err) < 0)
		assert_true(err_any(&err) || plan->diags.errors);
	diags_render(&plan->diags, out);
	for (size_t i = 0; i < plan->nbuilds; i++)
		show_build(out, &plan->builds[i]);
	for (size_t i = 0; i < plan->nsecrets; i++)
		buf_printf(out, "secret %s\n", plan->secrets[i]);
}

static void read_case_file(const char *name, struct buf *text, char **ret_path)
{
	AUTO(err) struct err err = ERR_INIT;

	*ret_path = os_path_join(getenv("TEST_DIR"), name);
	assert_int_equal(os_read_file(*ret_path, 0, text, &err), 0);
}

/* Cases begin with "=== name arguments". */
static void run_cases(const char *name, const char *file)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(buf) struct buf text = BUF_INIT, fresh = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *path = NULL, *dir = NULL;
	size_t cases = 0, bad = 0;
	struct str rest;

	read_case_file(name, &text, &path);
	assert_int_equal(os_temp_dir("template", &dir, &err), 0);
	assert_int_equal(chdir(dir), 0);
	setenv("INGOT_TEST_VAR", "from env", 1);
	rest = buf_str(&text);
	while (str_starts(rest, "=== ")) {
		ptrdiff_t line = str_find(rest, STR("\n")), split = str_find(rest, STR("\n---\n")),
			  end = str_find(rest, STR("\n=== "));
		struct str head = str_slice(rest, 4, (size_t)line),
			   body = str_slice(rest, (size_t)line + 1, (size_t)split + 1);
		struct str want = str_slice(rest, (size_t)split + 5,
					    end < 0 ? rest.n : (size_t)end + 1);
		AUTO(buf) struct buf got = BUF_INIT;

		run_case(a, file, head, body, &got);
		buf_printf(&fresh, "=== " STR_FMT "\n" STR_FMT "---\n%s", STR_ARG(head),
			   STR_ARG(body), buf_cstr(&got));
		if (!str_eq(buf_str(&got), want)) {
			print_message("=== " STR_FMT "\n--- want\n" STR_FMT "--- got\n%s",
				      STR_ARG(head), STR_ARG(want), buf_cstr(&got));
			bad++;
		}
		cases++;
		rest = str_slice(rest, end < 0 ? rest.n : (size_t)end + 1, rest.n);
	}
	assert_int_equal(chdir("/"), 0);
	os_remove_all(dir, &err);
	if (getenv("TEST_UPDATE"))
		assert_int_equal(os_write_file(path, fresh.p, fresh.n, 0644, &err), 0);
	assert_true(cases > 20);
	assert_int_equal(bad, 0);
}

static void test_legacy(void **state UNUSED)
{
	run_cases("template.test", "t.json");
}

static void test_hcl(void **state UNUSED)
{
	run_cases("hcl_builds.test", "t.pkr.hcl");
}

static struct plan *load(const char *file, const char *template)
{
	struct template_args args = { .path = file, .registry = &registry };
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *dir = NULL;
	struct plan *plan;

	assert_int_equal(os_temp_dir("template", &dir, &err), 0);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(os_write_file(file, template, strlen(template), 0600, &err), 0);
	assert_int_equal(template_load(&args, &plan, &err), 0);
	assert_int_equal(chdir("/"), 0);
	os_remove_all(dir, &err);
	assert_int_equal(plan->diags.errors, 0);
	return plan;
}

/* At run the options are decoded again with the build's values, and late text is rendered. */
static void test_at_run(void **state UNUSED)
{
	AUTO(plan)
	struct plan *plan = load(
		"t.json",
		"{\"variables\": {\"v\": \"{{.Vars}}\"}, \"builders\": [{\"type\": \"alpha\"}], "
		"\"provisioners\": [{\"type\": \"run\","
		"\"text\": \"{{build `ID`}} {{.Host}} {{build `Special`}} {{.Nope}}\", \"number\": "
		"\"{{build `Port`}}\","
		"\"late\": \"{{user `v`}} {{build `ID`}} {{.Script}} {{.Host}}\"}]}");
	AUTO(arena) struct arena *a = arena_new();
	AUTO(map) struct map values = MAP_INIT;
	AUTO(err) struct err err = ERR_INIT;
	const struct plan_data data = { .values = &values };
	const struct plan_component *c = &plan->builds[0].provisioners[0].c;
	struct value_attr dot[] = {
		{ .key = STR("Script"), .value = value_cstring(a, "s.sh", (struct span){ 0 }) },
		{ .key = STR("Vars"), .value = value_cstring(a, "A=1", (struct span){ 0 }) }
	};
	struct options *o;
	struct diags d;
	struct str text;
	void *config;

	diags_init(&d, a);
	map_sets(&values, "ID", (void *)"i-1");
	map_sets(&values, "Host", (void *)"h");
	map_sets(&values, "Port", (void *)"22");
	o = c->config;
	assert_string_equal(o->text, "{{.ID}} {{.Host}} {{.Special}} <no value>");
	assert_int_equal(o->number, 0);
	assert_int_equal(c->decode(c, &data, a, &d, &config), 0);
	o = config;
	assert_string_equal(o->text, "i-1 h <no value> <no value>");
	assert_int_equal(o->number, 22);
	assert_int_equal(c->render(c, &data, a,
				   value_attrs_make(a, VALUE_OBJECT, dot, 2, (struct span){ 0 }),
				   str_from(o->late), &text, &err),
			 0);
	assert_true(str_eqs(text, "A=1 i-1 s.sh h"));
}

/* The same in HCL2: build.* is unknown for the plan, and a text at run. */
static void test_hcl_at_run(void **state UNUSED)
{
	AUTO(plan)
	struct plan *plan = load("t.pkr.hcl", "source \"alpha\" \"a\" {}\n"
					      "build {\n"
					      "  name = \"b\"\n"
					      "  sources = [\"alpha.a\"]\n"
					      "  provisioner \"run\" {\n"
					      "    text = \"${build.ID} ${build.Special} "
					      "${build.Host} ${build.name} ${source.name}\"\n"
					      "    late = \"{{ .Script }} {{ .ID }} ${build.ID}\"\n"
					      "    number = build.Port\n"
					      "    dynamic \"many\" {\n"
					      "      for_each = [build.ID]\n"
					      "      content { key = many.value }\n"
					      "    }\n"
					      "  }\n"
					      "}\n");
	AUTO(arena) struct arena *a = arena_new();
	AUTO(map) struct map values = MAP_INIT;
	AUTO(err) struct err err = ERR_INIT;
	const struct plan_data data = { .values = &values };
	const struct plan_component *c = &plan->builds[0].provisioners[0].c;
	struct value_attr dot = { .key = STR("Script"),
				  .value = value_cstring(a, "s.sh", (struct span){ 0 }) };
	struct options *o = c->config;
	struct diags d;
	struct str text;
	void *config;

	diags_init(&d, a);
	assert_string_equal(o->text, "<unknown>");
	assert_int_equal(o->number, 0);
	map_sets(&values, "ID", (void *)"i-1");
	map_sets(&values, "Special", (void *)"s");
	map_sets(&values, "Port", (void *)"22");
	assert_int_equal(c->decode(c, &data, a, &d, &config), 0);
	o = config;
	assert_string_equal(o->text, "i-1 s <unknown> b a");
	assert_int_equal(o->number, 22);
	assert_int_equal(o->many.n, 1);
	assert_string_equal(((struct inner *)o->many.v[0])->key, "i-1");
	assert_int_equal(c->render(c, &data, a,
				   value_attrs_make(a, VALUE_OBJECT, &dot, 1, (struct span){ 0 }),
				   str_from(o->late), &text, &err),
			 0);
	assert_true(str_eqs(text, "s.sh i-1 i-1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_hcl),
		cmocka_unit_test(test_at_run),
		cmocka_unit_test(test_hcl_at_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
