/* Gives a fuzz target each file of its corpus once, without a fuzzer: what was found stays mended,
 * and the targets keep up with the sources. */
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/os.h"

#include <dirent.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

int main(int argc, char **argv)
{
	DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
	size_t files = 0;

	if (!d) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	for (struct dirent *e; (e = readdir(d));) {
		auto_free char *path = os_path_join(argv[1], e->d_name);
		AUTO(buf) struct buf b = BUF_INIT;
		AUTO(err) struct err err = ERR_INIT;

		if (e->d_name[0] == '.')
			continue;
		if (os_read_file(path, 0, &b, &err) < 0) {
			fprintf(stderr, "%s\n", err.msg);
			return 1;
		}
		printf("%s\n", e->d_name);
		fflush(stdout);
		LLVMFuzzerTestOneInput((const uint8_t *)buf_cstr(&b), b.n);
		files++;
	}
	closedir(d);
	return files ? 0 : 1;
}
