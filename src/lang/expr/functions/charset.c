/* Character sets by the names that IANA has for them, converted by the C library's iconv.
 *
 * The table is there for the names: iconv's own are others (it takes cp1252 and UTF-7, and not all
 * of IANA's), and messages name a set as the registry does.
 */
#include "lang/expr/functions/charset.h"

#include <errno.h>
#include <iconv.h>
#include <strings.h>

struct charset {
	const char *name;
	const char *iconv;
	const char *aliases; /* small letters, a space between two */
};

static const struct charset charsets[] = {
	{ "US-ASCII", "ASCII",
	  "ansi_x3.4-1968 ansi_x3.4-1986 cp367 csascii ibm367 iso-ir-6 iso646-us iso_646.irv:1991 "
	  "us" },
	{ "UTF-8", "UTF-8", "csutf8" },
	{ "UTF-16", "UTF-16", "csutf16" },
	{ "UTF-16BE", "UTF-16BE", "csutf16be" },
	{ "UTF-16LE", "UTF-16LE", "csutf16le" },
	{ "IBM037", "IBM037",
	  "cp037 csibm037 ebcdic-cp-ca ebcdic-cp-nl ebcdic-cp-us ebcdic-cp-wt" },
	{ "IBM437", "IBM437", "437 cp437 cspc8codepage437" },
	{ "IBM850", "IBM850", "850 cp850 cspc850multilingual" },
	{ "IBM852", "IBM852", "852 cp852 cspcp852" },
	{ "IBM855", "IBM855", "855 cp855 csibm855" },
	{ "IBM00858", "IBM858", "ccsid00858 cp00858 csibm00858 pc-multilingual-850+euro" },
	{ "IBM860", "IBM860", "860 cp860 csibm860" },
	{ "IBM862", "IBM862", "862 cp862 cspc862latinhebrew" },
	{ "IBM863", "IBM863", "863 cp863 csibm863" },
	{ "IBM865", "IBM865", "865 cp865 csibm865" },
	{ "IBM866", "IBM866", "866 cp866 csibm866" },
	{ "IBM1047", "IBM1047", "csibm1047 ibm-1047" },
	{ "IBM01140", "IBM1140", "ccsid01140 cp01140 csibm01140 ebcdic-us-37+euro" },
	{ "ISO_8859-1:1987", "ISO-8859-1",
	  "cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso_8859-1 l1 latin1" },
	{ "ISO_8859-2:1987", "ISO-8859-2",
	  "csisolatin2 iso-8859-2 iso-ir-101 iso_8859-2 l2 latin2" },
	{ "ISO_8859-3:1988", "ISO-8859-3",
	  "csisolatin3 iso-8859-3 iso-ir-109 iso_8859-3 l3 latin3" },
	{ "ISO_8859-4:1988", "ISO-8859-4",
	  "csisolatin4 iso-8859-4 iso-ir-110 iso_8859-4 l4 latin4" },
	{ "ISO_8859-5:1988", "ISO-8859-5",
	  "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso_8859-5" },
	{ "ISO_8859-6:1987", "ISO-8859-6",
	  "arabic asmo-708 csisolatinarabic ecma-114 iso-8859-6 iso-ir-127 iso_8859-6" },
	{ "ISO_8859-6-E", "ISO-8859-6", "csiso88596e iso-8859-6-e" },
	{ "ISO_8859-6-I", "ISO-8859-6", "csiso88596i iso-8859-6-i" },
	{ "ISO_8859-7:1987", "ISO-8859-7",
	  "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso_8859-7" },
	{ "ISO_8859-8:1988", "ISO-8859-8",
	  "csisolatinhebrew hebrew iso-8859-8 iso-ir-138 iso_8859-8" },
	{ "ISO_8859-8-E", "ISO-8859-8", "csiso88598e iso-8859-8-e" },
	{ "ISO_8859-8-I", "ISO-8859-8", "csiso88598i iso-8859-8-i" },
	{ "ISO_8859-9:1989", "ISO-8859-9",
	  "csisolatin5 iso-8859-9 iso-ir-148 iso_8859-9 l5 latin5" },
	{ "ISO-8859-10", "ISO-8859-10", "csisolatin6 iso-ir-157 iso_8859-10:1992 l6 latin6" },
	{ "ISO-8859-13", "ISO-8859-13", "csiso885913" },
	{ "ISO-8859-14", "ISO-8859-14",
	  "csiso885914 iso-celtic iso-ir-199 iso_8859-14 iso_8859-14:1998 l8 latin8" },
	{ "ISO-8859-15", "ISO-8859-15", "csiso885915 iso_8859-15 latin-9" },
	{ "ISO-8859-16", "ISO-8859-16",
	  "csiso885916 iso-ir-226 iso_8859-16 iso_8859-16:2001 l10 latin10" },
	{ "KOI8-R", "KOI8-R", "cskoi8r" },
	{ "KOI8-U", "KOI8-U", "cskoi8u" },
	{ "macintosh", "MACINTOSH", "csmacintosh mac" },
	{ "windows-874", "IBM1162", "cswindows874" },
	{ "windows-1250", "CP1250", "cswindows1250" },
	{ "windows-1251", "CP1251", "cswindows1251" },
	{ "windows-1252", "CP1252", "cswindows1252" },
	{ "windows-1253", "CP1253", "cswindows1253" },
	{ "windows-1254", "CP1254", "cswindows1254" },
	{ "windows-1255", "CP1255", "cswindows1255" },
	{ "windows-1256", "CP1256", "cswindows1256" },
	{ "windows-1257", "CP1257", "cswindows1257" },
	{ "windows-1258", "CP1258", "cswindows1258" },
	{ "Extended_UNIX_Code_Packed_Format_for_Japanese", "EUC-JP", "cseucpkdfmtjapanese euc-jp" },
	{ "ISO-2022-JP", "ISO-2022-JP", "csiso2022jp" },
	{ "Shift_JIS", "CP932", "csshiftjis ms_kanji" },
	{ "EUC-KR", "UHC", "cseuckr" },
	{ "GB18030", "GB18030", "csgb18030" },
	{ "GBK", "GBK", "cp936 csgbk ms936 windows-936" },
	{ "Big5", "BIG5", "csbig5" },
};

static bool name_is(struct str name, const struct charset *cs)
{
	struct str rest = str_from(cs->aliases), one;

	if (str_ieqs(name, cs->name))
		return true;
	while (str_split(&rest, ' ', &one))
		if (name.n == one.n && strncasecmp(name.p, one.p, one.n) == 0)
			return true;
	return false;
}

const struct charset *charset_find(struct str name)
{
	name = str_trim(name);
	if (name.n)
		for (size_t i = 0; i < ARRAY_LEN(charsets); i++)
			if (name_is(name, &charsets[i]))
				return &charsets[i];
	return NULL;
}

const char *charset_name(const struct charset *cs)
{
	return cs->name;
}

/* 0; -1 with errno EILSEQ where a character has no counterpart, else why iconv cannot. */
static int convert(const char *to, const char *from, struct str s, struct buf *out)
{
	iconv_t cd = iconv_open(to, from);
	char *in = (char *)s.p, piece[4096];
	size_t left = s.n, rc = 0;
	int why = 0;

	if (cd == (iconv_t)-1)
		return -1;
	for (bool flush = false; !why;) {
		char *p = piece;
		size_t room = sizeof(piece);

		rc = flush ? iconv(cd, NULL, NULL, &p, &room) : iconv(cd, &in, &left, &p, &room);
		why = rc == (size_t)-1 && errno != E2BIG ? errno : 0;
		buf_add(out, piece, (size_t)(p - piece));
		if (rc != (size_t)-1 && flush)
			break;
		flush |= rc != (size_t)-1;
	}
	iconv_close(cd);
	errno = why == EINVAL ? EILSEQ : why;
	return why ? -1 : 0;
}

/* UTF-16 of no named order of bytes: the mark decides, big-endian where there is none. */
static bool is_utf16(const struct charset *cs)
{
	return streq(cs->iconv, "UTF-16");
}

int charset_encode(const struct charset *cs, struct str s, struct buf *out)
{
	if (!is_utf16(cs))
		return convert(cs->iconv, "UTF-8", s, out);
	buf_adds(out, "\xfe\xff");
	return convert("UTF-16BE", "UTF-8", s, out);
}

int charset_decode(const struct charset *cs, struct str s, struct buf *out)
{
	bool little = is_utf16(cs) && str_starts(s, "\xff\xfe");

	if (!is_utf16(cs))
		return convert("UTF-8", cs->iconv, s, out);
	if (little || str_starts(s, "\xfe\xff"))
		s = str_slice(s, 2, s.n);
	return convert("UTF-8", little ? "UTF-16LE" : "UTF-16BE", s, out);
}
