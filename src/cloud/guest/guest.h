/* The program that runs inside instances: static, small, needs nothing of the image but what it is
 * asked to run. Internal to src/cloud/guest/. Messages go to standard output, which is the
 * instance's console.
 */
#ifndef INGOT_CLOUD_GUEST_GUEST_H
#define INGOT_CLOUD_GUEST_GUEST_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

#define GUEST_PATH "/run/ingot/guest"		   /* this program, while the instance runs */
#define GUEST_USER_DATA "/run/ingot/user-data"	   /* as the metadata service gave it */
#define GUEST_STATE "/var/lib/ingot"		   /* what belongs to one instance id */
#define GUEST_LOG "/var/log/user-data.log"
#define GUEST_FILE_MAX ((size_t)16 << 20)

/* One line on the console: "ingot: text". */
void guest_say(const char *fmt, ...) PRINTF_LIKE(1, 2);
void guest_say_err(struct err *err); /* and empties it */

/* imds.c: GET below /latest/ ("meta-data/instance-id") with an IMDSv2 token, taken at the first
 * call. Errors: ERR_NOT_FOUND for 404, ERR_IO when nobody answers, ERR_REMOTE for all else. */
int guest_imds(const char *path, struct buf *ret, struct err *err) MUST_USE;

/* run.c */
/* Runs a program to its end; 0, or -1 with ERR_EXIT. log_fd: its output goes there too. */
int guest_run(const char *const *argv, int log_fd, struct err *err) MUST_USE;
/* The same with text on its standard input, and its standard output returned. */
int guest_filter(const char *const *argv, struct str input, struct buf *ret,
		 struct err *err) MUST_USE;
/* Leaves a copy of this program at GUEST_PATH, where units find it. */
void guest_install_self(void);
/* The environment that user-data and sshd get: /etc/environment over a plain one. */
void guest_environment(void);
bool guest_has(const char *program); /* in PATH */

/* accounts.c: /etc/passwd read without NSS. */
struct guest_account {
	char name[64], home[256];
	uid_t uid;
	gid_t gid;
};
bool guest_account_by_name(const char *name, struct guest_account *ret);
bool guest_account_by_uid(uid_t uid, struct guest_account *ret);
/* Adds keys (one a line) to the account's authorized_keys, those that are not there yet; prefix
 * goes before each key ("" or options and a space). */
int guest_authorize(const struct guest_account *a, struct str keys, const char *prefix,
		    struct err *err) MUST_USE;
void guest_set_hostname(const char *name, bool keep); /* keep: in /etc/hostname too */

/* identity.c: host name, login key, host keys; tells whether this is the instance's first boot. */
void guest_identity(bool *ret_first);

/* userdata.c */
/* The part that comes before services start (accounts, files, host name, bootcmd); true if there is
 * more for guest_user_data_late. */
bool guest_user_data_early(bool first);
int guest_user_data_late(void); /* packages, runcmd and scripts; exit status */

/* cloudconfig.c: one #cloud-config text; late: packages and commands. */
void guest_cloud_config(struct str text, bool late, int log_fd);

/* mime.c: the parts of a user-data text (plain, MIME multipart, each maybe gzip or base64). */
struct guest_part {
	char *text;
	size_t n;
};
#define GUEST_PARTS_MAX 64
size_t guest_split(struct str data, struct guest_part parts[GUEST_PARTS_MAX]);
void guest_parts_free(struct guest_part *parts, size_t n);

/* units.c: what systemd gets to know, in /run only, so that no image keeps it. */
void guest_write_units(bool user_data, bool cloud_init);

/* init.c: pid 1 of an image that has none; does not return. */
NORETURN void guest_pid1(bool user_data);

/* initrd.c: the first program of a kernel that was started directly; does not return. */
NORETURN void guest_initrd(void);

/* agent.c: in a virtual machine, a process that serves the backend; nothing elsewhere. */
void guest_start_agent(void);

/* handover.c: on the host, passes standard input to the abstract Unix socket `name`; exit status.
 */
int guest_hand_over(const char *name, const char *service);

#endif
