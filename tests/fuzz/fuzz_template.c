/* Legacy templates as a whole: reading, variables, decoding by option tables, diagnostics. */
#include "base/os.h"
#include "template/plan.h"

#include <stdio.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct disk {
	char *name;
	int64_t size;
};
struct options {
	char *text, *late, *choice;
	bool flag;
	enum tribool maybe;
	int64_t number, when;
	double ratio;
	struct strs list;
	struct ints ints;
	struct str_lists lists;
	struct str_map map, tag;
	struct disk *disk;
	struct spec_blocks disks;
	struct value raw;
};

static const char *const choices[] = { "a", "b", NULL };
static const struct spec_row disk_rows[] = {
	SPEC_STR(struct disk, name, .flags = SPEC_REQUIRED, .doc = "x"),
	SPEC_INT(struct disk, size, .min = 1, .max = 9, .doc = "x"),
};
static const struct spec disk_spec = SPEC("disk", struct disk, disk_rows);
static const struct spec_row rows[] = {
	SPEC_STR(struct options, text, .doc = "x"),
	SPEC_STR(struct options, late, .flags = SPEC_LATE, .doc = "x"),
	SPEC_STR(struct options, choice, .choices = choices, .doc = "x"),
	SPEC_BOOL(struct options, flag, .doc = "x"),
	SPEC_TRIBOOL(struct options, maybe, .doc = "x"),
	SPEC_INT(struct options, number, .doc = "x"),
	SPEC_DURATION(struct options, when, .doc = "x"),
	SPEC_FLOAT(struct options, ratio, .doc = "x"),
	SPEC_STRS(struct options, list, .doc = "x"),
	SPEC_INTS(struct options, ints, .doc = "x"),
	SPEC_STR_LISTS(struct options, lists, .doc = "x"),
	SPEC_MAP(struct options, map, .doc = "x"),
	SPEC_MAP(struct options, tag, .flags = SPEC_KEY_VALUE, .doc = "x"),
	SPEC_BLOCK(struct options, disk, struct disk, &disk_spec, .doc = "x"),
	SPEC_BLOCKS(struct options, disks, &disk_spec, .doc = "x"),
	SPEC_VALUE(struct options, raw, .doc = "x"),
};
static const struct spec spec = SPEC("x", struct options, rows);
static const struct builder builder = { .type = "x", .spec = &spec };
static const struct provisioner provisioner = { .type = "x", .spec = &spec };
static const struct postprocessor postprocessor = { .type = "x", .spec = &spec };
static const struct builder *const builders[] = { &builder, NULL };
static const struct provisioner *const provisioners[] = { &provisioner, NULL };
static const struct postprocessor *const postprocessors[] = { &postprocessor, NULL };
static const struct registry registry = { .builders = builders,
					  .provisioners = provisioners,
					  .postprocessors = postprocessors };
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

	if (os_write_file(path, data, n, 0600, &err) < 0)
		abort();
	if (template_load(&args, &plan, &err) < 0 && !err_any(&err) && !plan->diags.errors)
		abort(); /* it fails, and nobody knows why */
	diags_render(&plan->diags, &out);
	return 0;
}
