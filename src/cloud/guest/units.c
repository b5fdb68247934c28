/* Runtime units and masks for systemd: in /run, gone with the instance. Masked is what has no
 * device, no network of its own or no terminal to work on here, and would only delay the start.
 */
#include "guest.h"
#include "base/os.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define UNITS "/run/systemd/system"

static const char *const masked[] = {
	"apt-daily-upgrade.timer",
	"apt-daily.timer",
	"console-getty.service",
	"cryptsetup.target",
	"dev-hugepages.mount",
	"dev-mqueue.mount",
	"dpkg-db-backup.timer",
	"e2scrub_all.timer",
	"e2scrub_reap.service",
	"fstrim.timer",
	"getty.target",
	"getty-static.service",
	"ifupdown-pre.service",
	"integritysetup.target",
	"kmod-static-nodes.service",
	"man-db.timer",
	"modprobe@.service",
	"networking.service",
	"proc-sys-fs-binfmt_misc.automount",
	"remote-cryptsetup.target",
	"remote-veritysetup.target",
	"sys-fs-fuse-connections.mount",
	"sys-kernel-config.mount",
	"sys-kernel-debug.mount",
	"sys-kernel-tracing.mount",
	"systemd-ask-password-console.path",
	"systemd-ask-password-wall.path",
	"systemd-binfmt.service",
	"systemd-firstboot.service",
	"systemd-modules-load.service",
	"systemd-networkd-wait-online.service",
	"systemd-networkd.service",
	"systemd-pcrphase-sysinit.service",
	"systemd-pcrphase.service",
	"systemd-pstore.service",
	"systemd-random-seed.service",
	"systemd-remount-fs.service",
	"systemd-repart.service",
	"systemd-timesyncd.service",
	"systemd-udev-settle.service",
	"systemd-udev-trigger.service",
	"systemd-udevd-control.socket",
	"systemd-udevd-kernel.socket",
	"systemd-udevd.service",
	"systemd-update-utmp-runlevel.service",
	"veritysetup.target",
};

static const char user_data_unit[] = "[Unit]\n"
				     "Description=User data of the instance\n"
				     "After=network-online.target ssh.service sshd.service\n"
				     "[Service]\n"
				     "Type=oneshot\n"
				     "RemainAfterExit=yes\n"
				     "ExecStart=" GUEST_PATH " user-data\n"
				     "TimeoutStartSec=infinity\n"
				     "KillMode=process\n";

static void put_link(const char *target, const char *path)
{
	if (symlink(target, path) < 0 && errno != EEXIST)
		guest_say("%s: %s", path, strerror(errno));
}

void guest_write_units(bool user_data, bool cloud_init)
{
	AUTO(err) struct err err = ERR_INIT;

	if (os_mkdir_all(UNITS "/multi-user.target.wants", 0755, &err) < 0) {
		guest_say_err(&err);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(masked); i++) {
		auto_free char *path = xasprintf(UNITS "/%s", masked[i]);

		put_link("/dev/null", path);
	}
	if (cloud_init || !user_data)
		return;
	if (os_write_file(UNITS "/ingot-user-data.service", user_data_unit, strlen(user_data_unit),
			  0644, &err) < 0)
		guest_say_err(&err);
	put_link("../ingot-user-data.service",
		 UNITS "/multi-user.target.wants/ingot-user-data.service");
}
