/* User data as instances get it: its parts, and what a #cloud-config asks for. Nothing is done to
 * the host: what would be run, written or removed is left out here. */
#include "cloud/guest/guest.h"

#include "base/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int write_nothing(const char *path, const void *p, size_t n)
{
	return *path && (p || !n) ? 0 : -1;
}

static int keep(const char *path)
{
	return *path ? 0 : -1;
}

#define open(path, ...) (keep(path), memfd_create("file", MFD_CLOEXEC))
#define unlink(path) keep(path)
#define fchmod(fd, mode) ((void)(fd), (void)(mode), 0)
#define os_write_file(path, p, n, mode, err) ((void)(err), write_nothing(path, p, n))
#define os_mkdir_all(path, mode, err) ((void)(err), keep(path))

#include "cloud/guest/cloudconfig.c"
#include "cloud/guest/mime.c"

void guest_say(const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
}

void guest_say_err(struct err *err)
{
	if (!err_any(err))
		abort();
	err_release(err);
}

int guest_run(const char *const *argv, int log_fd UNUSED, struct err *err)
{
	size_t n = 0;

	while (*argv)
		n += strlen(*argv++);
	return n ? 0 : err_set(err, ERR_EXIT, "nothing to run");
}

/* gzip, as it were: two bytes of it are its mark. */
int guest_filter(const char *const *argv UNUSED, struct str input, struct buf *ret,
		 struct err *err)
{
	if (input.n < 3)
		return err_set(err, ERR_EXIT, "no gzip");
	buf_add_str(ret, str_slice(input, 2, input.n));
	return 0;
}

int guest_imds(const char *path, struct buf *ret, struct err *err UNUSED)
{
	buf_adds(ret, path);
	return 0;
}

bool guest_has(const char *program UNUSED)
{
	return true;
}

bool guest_account_by_name(const char *name, struct guest_account *ret)
{
	*ret = (struct guest_account){ .uid = 1000 };
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return strlen(name) % 2;
}

bool guest_account_by_uid(uid_t uid, struct guest_account *ret)
{
	*ret = (struct guest_account){ .uid = uid };
	return uid != 1000;
}

int guest_authorize(const struct guest_account *a UNUSED, struct str text UNUSED,
		    const char *prefix UNUSED, struct err *err UNUSED)
{
	return 0;
}

void guest_set_hostname(const char *name, bool in_file UNUSED)
{
	if (!*name)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct guest_part parts[GUEST_PARTS_MAX];
	size_t count = guest_split((struct str){ (const char *)data, n }, parts);

	for (size_t i = 0; i < count; i++) {
		struct str text = { parts[i].text, parts[i].n };

		guest_cloud_config(text, false, -1);
		guest_cloud_config(text, true, -1);
	}
	guest_parts_free(parts, count);
	return 0;
}
