/* AWS's shared files: no input may crash the reader. It reads paths, so the input lies in a memory
 * file. */
#include "aws/files.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char path[64];
	static int fd = -1;
	AUTO(err) struct err err = ERR_INIT;
	AUTO(aws_files) struct aws_files *f = NULL;

	if (fd < 0) {
		fd = memfd_create("config", 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		setenv("AWS_CONFIG_FILE", path, 1);
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, n, 0) != (ssize_t)n)
		return 0;
	if (aws_files_load(path, &f, &err) < 0)
		return 0;
	aws_files_get(f, "profile", "default", NULL, "region");
	aws_files_get(f, "services", "s", "ec2", "endpoint_url");
	return 0;
}
