/* Where the user's own directories are. Apart from os.c, as it needs the name service, which static
 * programs lack. */
#include "base/os.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

char *os_home(bool of_caller)
{
	const char *user = of_caller && geteuid() == 0 ? os_env("SUDO_USER") : NULL;
	char memory[4096];
	struct passwd pw, *found = NULL;

	if (!user && os_env("HOME"))
		return xstrdup(os_env("HOME"));
	if (user)
		getpwnam_r(user, &pw, memory, sizeof(memory), &found);
	else
		getpwuid_r(getuid(), &pw, memory, sizeof(memory), &found);
	return found ? xstrdup(found->pw_dir) : NULL;
}

char *os_xdg_dir(const char *kind)
{
	static const struct {
		const char *kind, *below_home;
	} defaults[] = { { "STATE", ".local/state" },
			 { "DATA", ".local/share" },
			 { "CACHE", ".cache" },
			 { "CONFIG", ".config" } };
	auto_free char *variable = xasprintf("XDG_%s_HOME", kind);
	auto_free char *home = os_home(true);
	const char *set = os_env(variable);

	if (set && *set == '/')
		return xasprintf("%s/ingot", set);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (streq(defaults[i].kind, kind))
			return xasprintf("%s/%s/ingot", home ? home : "/", defaults[i].below_home);
	abort(); /* a kind that is not in the table */
}
