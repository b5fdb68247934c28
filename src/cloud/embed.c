/* The bounds of what embed.S takes in. */
#include "cloud/embed.h"

extern const char ingot_embed_guest[], ingot_embed_guest_end[];
extern const char ingot_embed_yum[], ingot_embed_yum_end[];
extern const char ingot_embed_yum_packages[], ingot_embed_yum_packages_end[];

struct str embed_data(enum embed_file f)
{
	switch (f) {
	case EMBED_GUEST:
		return (struct str){ ingot_embed_guest,
				     (size_t)(ingot_embed_guest_end - ingot_embed_guest) };
	case EMBED_YUM:
		return (struct str){ ingot_embed_yum,
				     (size_t)(ingot_embed_yum_end - ingot_embed_yum) };
	case EMBED_YUM_PACKAGES:
		return (struct str){ ingot_embed_yum_packages,
				     (size_t)(ingot_embed_yum_packages_end -
					      ingot_embed_yum_packages) };
	}
	abort();
}

char *embed_text(struct arena *a, enum embed_file f)
{
	return (char *)arena_str(a, embed_data(f)).p;
}
