/* Roles by the first argument: `init` (pid 1: what an instance needs before its services, then the
 * image's own init), `user-data` (the late part, a unit), `hand-over` (on the host, for qemu); in
 * an initrd it is called /init.
 */
#include "guest.h"
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

void guest_say(const char *fmt, ...)
{
	AUTO(buf) struct buf line = BUF_INIT;
	va_list ap;

	buf_adds(&line, "ingot: ");
	va_start(ap, fmt);
	buf_vprintf(&line, fmt, ap);
	va_end(ap);
	buf_addc(&line, '\n');
	os_write_all(STDOUT_FILENO, line.p, line.n);
}

void guest_say_err(struct err *err)
{
	guest_say("%s", err->msg);
	err_release(err);
}

/* cloud-init asks only the metadata service, and waits for no other; by a mount, so that the image
 * does not keep it. */
static void point_cloud_init(void)
{
	static const char config[] =
		"datasource_list: [Ec2]\n"
		"datasource:\n"
		"  Ec2:\n"
		"    strict_id: false\n"
		"    timeout: 5\n"
		"    max_wait: 10\n"
		"    metadata_urls: ['http://169.254.169.254']\n"
		"network: {config: disabled}\n"
		"locale: false\n";
	static const char *const copy[] = {
		"cp", "-a", "/etc/cloud/cloud.cfg.d", "/run/ingot/cloud.cfg.d", NULL
	};
	AUTO(err) struct err err = ERR_INIT;

	if (guest_run(copy, -1, &err) < 0 || os_write_file("/run/ingot/cloud.cfg.d/99-ingot.cfg",
							   config, strlen(config), 0644, &err) < 0)
		guest_say_err(&err);
	else if (mount("/run/ingot/cloud.cfg.d", "/etc/cloud/cloud.cfg.d", NULL, MS_BIND, NULL) < 0)
		guest_say("mounting the settings of cloud-init: %s", strerror(errno));
}

static NORETURN void become_init(void)
{
	static const struct {
		const char *path, *argument;
	} inits[] = {
		{ "/lib/systemd/systemd", "--system" },
		{ "/usr/lib/systemd/systemd", "--system" },
		{ "/sbin/init", NULL },
	};
	bool cloud_init = guest_has("cloud-init"), first = false, user_data = false;

	umask(022);
	guest_environment();
	guest_install_self();
	guest_start_agent();
	if (cloud_init) {
		point_cloud_init();
	} else {
		guest_identity(&first);
		user_data = guest_user_data_early(first);
	}
	for (size_t i = 0; i < ARRAY_LEN(inits); i++) {
		if (access(inits[i].path, X_OK) < 0)
			continue;
		guest_write_units(user_data, cloud_init);
		execl(inits[i].path, os_basename(inits[i].path), inits[i].argument, (char *)NULL);
		guest_say("starting %s: %s", inits[i].path, strerror(errno));
	}
	guest_pid1(user_data);
}

int main(int argc, char **argv)
{
	/* The kernel adds what it does not know of its command line as arguments. */
	if (streq(argv[0], "/init"))
		guest_initrd();
	if (argc < 2)
		return 64;
	if (streq(argv[1], "init"))
		become_init();
	if (streq(argv[1], "user-data")) {
		int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_APPEND | O_CLOEXEC);

		if (console >= 0)
			dup2(console, STDOUT_FILENO);
		guest_environment();
		return guest_user_data_late();
	}
	if (streq(argv[1], "hand-over") && argc == 4)
		return guest_hand_over(argv[2], argv[3]);
	guest_say("no role %s", argv[1]);
	return 64;
}
