/* What makes a copy of an image this instance: host name, login key and host keys of its own. Done
 * once for each instance id, so that an image made from an instance starts clean.
 */
#include "guest.h"
#include "base/os.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SSH "/etc/ssh"
#define STATE_FILE GUEST_STATE "/instance-id"

/* ed25519 first: it is made in milliseconds, as is ecdsa; rsa would hold up the start. */
static const char *const key_types[] = { "ed25519", "ecdsa" };

static void remove_host_keys(void)
{
	DIR *d = opendir(SSH);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (starts_with(e->d_name, "ssh_host_") && unlinkat(dirfd(d), e->d_name, 0) < 0)
			guest_say("removing " SSH "/%s: %s", e->d_name, strerror(errno));
	if (d)
		closedir(d);
}

static void make_host_keys(void)
{
	for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
		auto_free char *path = xasprintf(SSH "/ssh_host_%s_key", key_types[i]);
		const char *argv[] = { "ssh-keygen", "-q", "-t", key_types[i], "-N",
				       "",	     "-f", path, NULL };
		AUTO(err) struct err err = ERR_INIT;

		if (!os_exists(path) && guest_run(argv, -1, &err) < 0)
			guest_say_err(&err);
	}
}

/* On the console as cloud-init prints it: clients compare with what the server shows. */
static void print_host_keys(void)
{
	static const char *const list[] = { "ssh-keygen", "-lf", "-", NULL };
	AUTO(buf) struct buf keys = BUF_INIT, fingerprints = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(key_types); i++) {
		auto_free char *path = xasprintf(SSH "/ssh_host_%s_key.pub", key_types[i]);

		if (os_read_file(path, GUEST_FILE_MAX, &keys, &err) < 0)
			err_release(&err);
	}
	if (!keys.n)
		return;
	if (guest_filter(list, buf_str(&keys), &fingerprints, &err) < 0)
		guest_say_err(&err);
	dprintf(STDOUT_FILENO,
		"-----BEGIN SSH HOST KEY FINGERPRINTS-----\n"
		"%s"
		"-----END SSH HOST KEY FINGERPRINTS-----\n"
		"-----BEGIN SSH HOST KEY KEYS-----\n"
		"%s"
		"-----END SSH HOST KEY KEYS-----\n",
		buf_cstr(&fingerprints), buf_cstr(&keys));
}

/* The key of the launch for the login user; root gets it with a message in place of a shell, as on
 * EC2. */
static void authorize_login(void)
{
	AUTO(buf) struct buf key = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	auto_free char *refusal = NULL;
	struct guest_account user, root;
	bool has_user = guest_account_by_uid(1000, &user),
	     has_root = guest_account_by_uid(0, &root);

	if (guest_imds("meta-data/public-keys/0/openssh-key", &key, &err) < 0) {
		if (err.code != ERR_NOT_FOUND)
			guest_say_err(&err);
		return;
	}
	if (has_user) {
		refusal = xasprintf("no-port-forwarding,no-agent-forwarding,no-X11-forwarding,"
				    "command=\"echo 'Please login as the user \\\"%s\\\" rather "
				    "than the user \\\"root\\\".';echo;sleep 10;exit 142\" ",
				    user.name);
		if (guest_authorize(&user, buf_str(&key), "", &err) < 0)
			guest_say_err(&err);
	}
	if (has_root && guest_authorize(&root, buf_str(&key), refusal ? refusal : "", &err) < 0)
		guest_say_err(&err);
}

/* "ip-172-31-0-12.ec2.internal": the part before the dot. */
static void take_host_name(void)
{
	AUTO(buf) struct buf name = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;
	char *dot;

	if (guest_imds("meta-data/local-hostname", &name, &err) < 0) {
		guest_say_err(&err);
		return;
	}
	buf_addc(&name, '\0');
	dot = strpbrk(name.p, ".\n");
	if (dot)
		*dot = '\0';
	if (*name.p)
		guest_set_hostname(name.p, true);
}

static bool is_first_boot(struct str id)
{
	AUTO(buf) struct buf seen = BUF_INIT;
	AUTO(err) struct err ignored = ERR_INIT;

	return os_read_file(STATE_FILE, GUEST_FILE_MAX, &seen, &ignored) < 0 ||
	       !str_eq(str_trim(buf_str(&seen)), str_trim(id));
}

void guest_identity(bool *ret_first)
{
	AUTO(buf) struct buf id = BUF_INIT;
	AUTO(err) struct err err = ERR_INIT;

	*ret_first = false;
	if (guest_imds("meta-data/instance-id", &id, &err) < 0) {
		/* Without the service there is no identity to take; the image's own login stays. */
		guest_say_err(&err);
		make_host_keys();
		print_host_keys();
		return;
	}
	*ret_first = is_first_boot(buf_str(&id));
	if (*ret_first) {
		take_host_name();
		remove_host_keys();
		authorize_login();
		if (os_mkdir_all(GUEST_STATE, 0755, &err) < 0 ||
		    os_write_file(STATE_FILE, id.p, id.n, 0644, &err) < 0)
			guest_say_err(&err);
	} else {
		AUTO(buf) struct buf name = BUF_INIT;

		if (os_read_file("/etc/hostname", 256, &name, &err) < 0)
			guest_say_err(&err);
		buf_addc(&name, '\0');
		name.p[strcspn(name.p, "\n")] = '\0';
		if (*name.p)
			guest_set_hostname(name.p, false);
	}
	make_host_keys();
	print_host_keys();
}
