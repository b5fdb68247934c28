/* HCL2 templates as a whole, in both forms: files, variables, locals, data sources, builds;
 * inspect's listing. The first byte chooses: the JSON form, the form alone. */
#include "components.h"

#include "template/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

enum { JSON_FORM = 1, SYNTAX_ONLY = 2, NO_DATA = 4 };

static char native[] = "/tmp/fuzz-hclload-XXXXXX.pkr.hcl",
	    json[] = "/tmp/fuzz-hclload-XXXXXX.pkr.json";

static void remove_files(void)
{
	unlink(native);
	unlink(json);
}

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
	int fds[] = { mkstemps(native, 8), mkstemps(json, 9) };

	if (fds[0] < 0 || fds[1] < 0)
		abort();
	close(fds[0]);
	close(fds[1]);
	atexit(remove_files);
	return 0;
}

static void check_plan(const struct template_args *args)
{
	AUTO(plan) struct plan *plan = NULL;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf out = BUF_INIT;

	if (template_load(args, &plan, &err) < 0 && !err_any(&err) && !plan->diags.errors)
		abort(); /* it fails, and nobody knows why */
	diags_render(&plan->diags, &out);
}

static void check_outline(const struct template_args *args)
{
	AUTO(arena) struct arena *a = arena_new();
	AUTO(err) struct err err = ERR_INIT;
	struct outline o;
	struct diags d;

	diags_init(&d, a);
	if (template_outline(args, a, &d, &o, &err) < 0 && !d.errors)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct template_args args = { .registry = &registry, .warn_undeclared = true };

	if (!n)
		return 0;
	args.path = *data & JSON_FORM ? json : native;
	args.syntax_only = *data & SYNTAX_ONLY;
	args.run_data = !(*data & NO_DATA);
	write_input(args.path, data + 1, n - 1);
	check_plan(&args);
	check_outline(&args);
	return 0;
}
