/* Comparing version numbers as hashicorp/go-version does, as far as templates name them. */
#include "template/version.h"

#define PARTS 6

struct version {
	uint64_t parts[PARTS];
	struct str pre; /* "beta1" of 1.2.0-beta1 */
};

static bool parse(struct str s, struct version *ret)
{
	struct str rest, field;
	size_t n = 0;

	*ret = (struct version){ 0 };
	s = str_trim(s);
	if (str_starts(s, "v"))
		s = str_slice(s, 1, s.n);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '+') { /* build metadata does not count */
			s.n = i;
		} else if (s.p[i] == '-') {
			ret->pre = str_slice(s, i + 1, s.n);
			s.n = i;
		}
	}
	if (!s.n)
		return false;
	for (rest = s; str_split(&rest, '.', &field); n++)
		if (n == PARTS || !parse_u64(field, &ret->parts[n]))
			return false;
	return true;
}

bool version_compare(struct str a, struct str b, int *ret)
{
	struct version x, y;

	if (!parse(a, &x) || !parse(b, &y))
		return false;
	*ret = 0;
	for (size_t i = 0; i < PARTS && !*ret; i++)
		*ret = (x.parts[i] > y.parts[i]) - (x.parts[i] < y.parts[i]);
	if (!*ret && (x.pre.n != 0) != (y.pre.n != 0)) /* a pre-release comes before its release */
		*ret = x.pre.n ? -1 : 1;
	else if (!*ret)
		*ret = str_cmp(x.pre, y.pre);
	return true;
}
