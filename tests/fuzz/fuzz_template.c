/* Legacy templates as a whole: reading, variables, decoding by option tables, diagnostics. */
#include "components.h"

#include "template/plan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static char path[] = "/tmp/fuzz-template-XXXXXX";

static void remove_file(void)
{
	unlink(path);
}

int LLVMFuzzerInitialize(int *argc UNUSED, char ***argv UNUSED)
{
	int fd = mkstemp(path);

	if (fd < 0)
		abort();
	close(fd);
	atexit(remove_file);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct template_args args = { .path = path, .registry = &registry };
	AUTO(plan) struct plan *plan = NULL;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(buf) struct buf out = BUF_INIT;

	write_input(path, data, n);
	if (template_load(&args, &plan, &err) < 0 && !err_any(&err) && !plan->diags.errors)
		abort(); /* it fails, and nobody knows why */
	diags_render(&plan->diags, &out);
	return 0;
}
