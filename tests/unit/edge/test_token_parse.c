/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../suite.h"
#include "crypto/digest.h"
#include "edge/token_parse.h"
#include "ipc/verdict.h"

#define TK "MAigBhYEMTIzNA=="
#define FP                                                                                         \
	"SHA256 "                                                                                  \
	"A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:FC:29:0B:32:30:84:D7:D1:"  \
	"02:0F:E5"
#define FPLC                                                                                       \
	"SHA256 "                                                                                  \
	"a0:a2:32:c2:f1:94:a5:35:53:cb:13:10:dd:bc:08:21:e4:14:b9:d7:eb:fc:29:0b:32:30:84:d7:d1:"  \
	"02:0f:e5"
#define FPMC                                                                                       \
	"SHA256 "                                                                                  \
	"a0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:FC:29:0B:32:30:84:D7:D1:"  \
	"02:0F:e5"
#define JWK "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"

/* Bodies are written with ' for ", which none of them needs. */
#define TKTYPE	   "'tktype':'TNAuthList'"
#define TKVALUE(v) "'tkvalue':'" v "'"
#define CA(v)	   "'ca':" v
#define FPR(v)	   "'fingerprint':'" v "'"
#define ATC(m)	   "{'atc':{" m "}}"
#define WITH_TK(v) ATC(TKTYPE "," TKVALUE(v) "," CA("false") "," FPR(FP))
#define WITH_FP(v) ATC(TKTYPE "," TKVALUE(TK) "," CA("false") "," FPR(v))
#define WITH_CA(v) ATC(TKTYPE "," TKVALUE(TK) "," CA(v) "," FPR(FP))
#define ALL	   TKTYPE "," TKVALUE(TK) "," CA("false") "," FPR(FP)
#define ALL_BUT_CA TKTYPE "," TKVALUE(TK) "," FPR(FP)

static const struct good {
	const char *name, *body;
	enum token_form form;
	const char *spc, *tkvalue, *fingerprint;
	int ca;
} goods[] = {
	{ "nested", ATC(ALL), TOKEN_FORM_ATC, "1234", TK, FP },
	{ "top level", "{" ALL "}", TOKEN_FORM_ATC, "1234", TK, FP },
	{ "another order", ATC(FPR(FP) "," CA("false") "," TKVALUE(TK) "," TKTYPE), TOKEN_FORM_ATC,
	  "1234", TK, FP },
	{ "white space", " \t\r\n{ 'atc' :\n{" ALL "} } \n", TOKEN_FORM_ATC, "1234", TK, FP },
	{ "ca", WITH_CA("true"), TOKEN_FORM_ATC, "1234", TK, FP, 1 },
	{ "ca at top level", "{" ALL_BUT_CA "," CA("true") "}", TOKEN_FORM_ATC, "1234", TK, FP, 1 },
	{ "no ca", ATC(ALL_BUT_CA), TOKEN_FORM_ATC, "1234", TK, FP },
	{ "no padding", WITH_TK("MAigBhYENjgzRw"), TOKEN_FORM_ATC, "683G", "MAigBhYENjgzRw", FP },
	{ "leading zero", WITH_TK("MAigBhYEMDIyNg=="), TOKEN_FORM_ATC, "0226",
	  "MAigBhYEMDIyNg==", FP },
	{ "five characters", WITH_TK("MAmgBxYFTFVQMDE="), TOKEN_FORM_ATC, "LUP01",
	  "MAmgBxYFTFVQMDE=", FP },
	{ "six characters", WITH_TK("MAqgCBYGT1BDMDAw"), TOKEN_FORM_ATC, "OPC000",
	  "MAqgCBYGT1BDMDAw", FP },
	{ "sixteen characters", WITH_TK("MBSgEhYQMDEyMzQ1Njc4OUFCQ0RFRg=="), TOKEN_FORM_ATC,
	  "0123456789ABCDEF", "MBSgEhYQMDEyMzQ1Njc4OUFCQ0RFRg==", FP },
	{ "lower-case fingerprint", WITH_FP(FPLC), TOKEN_FORM_ATC, "1234", TK, FPLC },
	{ "mixed-case fingerprint", WITH_FP(FPMC), TOKEN_FORM_ATC, "1234", TK, FPMC },
	{ "thumbprint", WITH_FP(JWK), TOKEN_FORM_ATC, "1234", TK, JWK },
	{ "escaped names and values", "{'\\u0061tc':{" ALL_BUT_CA ",'c\\u0061':true}}",
	  TOKEN_FORM_ATC, "1234", TK, FP, 1 },
	{ "an escaped letter", ATC("'tktype':'TNAuth\\u004cist'," TKVALUE(TK) "," FPR(FP)),
	  TOKEN_FORM_ATC, "1234", TK, FP },
	{ "2017", "{" FPR(FP) "}", TOKEN_FORM_2017, "", "", FP },
	{ "2017 with a thumbprint", "{" FPR(JWK) "}", TOKEN_FORM_2017, "", "", JWK },
	{ "2017 with an SPC", "{" FPR(FP) ",'spc':'281K'}", TOKEN_FORM_2017, "281K", "", FP },
	{ "2017, SPC first", "{'spc':'0226'," FPR(FP) "}", TOKEN_FORM_2017, "0226", "", FP },
};

static const struct bad {
	const char *name, *body;
	enum order_defect defect;
	size_t len; /* 0: to the NUL */
} bads[] = {
	{ "empty", "", DEFECT_JSON },
	{ "white space only", " \n", DEFECT_JSON },
	{ "text", "TNAuthList", DEFECT_JSON },
	{ "cut short", "{'atc':{" ALL "}", DEFECT_JSON },
	{ "trailing bracket", "{" ALL "}}", DEFECT_JSON },
	{ "trailing text", "{" ALL "} x", DEFECT_JSON },
	{ "a second document", "{" ALL "}{}", DEFECT_JSON },
	{ "trailing comma", "{" ALL ",}", DEFECT_JSON },
	{ "a comment", "{" ALL "/* */}", DEFECT_JSON },
	{ "names without quotes", "{atc:{}}", DEFECT_JSON },
	{ "Python's False", WITH_CA("False"), DEFECT_CA_LITERAL },
	{ "Python's None", WITH_CA("None"), DEFECT_CA_LITERAL },
	{ "NaN", WITH_CA("NaN"), DEFECT_CA_LITERAL },
	{ "a leading zero", WITH_CA("01"), DEFECT_JSON },
	{ "a number beyond all", WITH_CA("1e999"), DEFECT_JSON },
	{ "byte order mark", "\xef\xbb\xbf{" ALL "}", DEFECT_JSON },
	{ "NUL at the end", "{" ALL "}", DEFECT_JSON, sizeof("{" ALL "}") },
	{ "NUL only", "\0", DEFECT_JSON, 1 },
	{ "NUL in a string", ATC(TKTYPE "," TKVALUE(TK "\0") "," FPR(FP)), DEFECT_JSON,
	  sizeof(ATC(TKTYPE "," TKVALUE(TK "\0") "," FPR(FP))) - 1 },
	{ "escaped NUL", WITH_TK(TK "\\u0000"), DEFECT_JSON },
	{ "escaped NUL in a name", "{'atc\\u0000':{" ALL "}}", DEFECT_JSON },
	{ "not UTF-8", "{'\xe9':1}", DEFECT_JSON },
	{ "overlong UTF-8", "{'\xc1\xa1tc':{" ALL "}}", DEFECT_JSON },
	{ "a surrogate in UTF-8", "{'\xed\xa0\x80':1}", DEFECT_JSON },
	{ "a lone surrogate", "{'\\ud800':1}", DEFECT_JSON },
	{ "a line break in a string", WITH_TK("MAigBhYE\nMTIzNA=="), DEFECT_JSON },
	{ "seventeen deep", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", DEFECT_JSON },

	{ "tktype twice", "{'atc':{" ALL "," TKTYPE "}}", DEFECT_TKTYPE_TWICE },
	{ "ca twice", ATC(ALL ",'ca':true"), DEFECT_CA_TWICE },
	{ "ca twice, once escaped", ATC(ALL ",'c\\u0061':true"), DEFECT_CA_TWICE },
	{ "ca twice, escaped first", "{'c\\u0061':true," ALL "}", DEFECT_CA_TWICE },
	{ "atc twice", "{'atc':{" ALL "},'atc':{" ALL "}}", DEFECT_ATC_TWICE },
	{ "atc twice, once escaped", "{'atc':{" ALL "},'\\u0061\\u0074\\u0063':{}}",
	  DEFECT_ATC_TWICE },
	{ "tkvalue twice", ATC(ALL "," TKVALUE(TK)), DEFECT_TKVALUE_TWICE },
	{ "fingerprint twice", ATC(ALL ",'fingerprint':''"), DEFECT_FINGERPRINT_TWICE },
	{ "spc twice", "{'spc':'1234','spc':'1234'}", DEFECT_SPC_TWICE },
	{ "a word behind another name", ATC("'tktype':TNAuthList"), DEFECT_JSON },
	{ "a name within a string", "{'x':'\\'ca\\':',y}", DEFECT_JSON },
	{ "an unknown member twice", "{" ALL ",'x':1,'x':1}", DEFECT_DUPLICATE_MEMBER },
	{ "a member twice within another", "{'x':{'y':1,'y':2}}", DEFECT_DUPLICATE_MEMBER },

	{ "an array", "[{" ALL "}]", DEFECT_NOT_AN_OBJECT },
	{ "an empty array", "[]", DEFECT_NOT_AN_OBJECT },
	{ "a string", "'atc'", DEFECT_NOT_AN_OBJECT },
	{ "a number", "1", DEFECT_NOT_AN_OBJECT },
	{ "null", "null", DEFECT_NOT_AN_OBJECT },
	{ "true", "true", DEFECT_NOT_AN_OBJECT },

	{ "a member more", "{" ALL ",'x':1}", DEFECT_UNKNOWN_MEMBER },
	{ "a member more in atc", ATC(ALL ",'x':1"), DEFECT_UNKNOWN_MEMBER },
	{ "a member beside atc", "{'atc':{" ALL "},'x':1}", DEFECT_UNKNOWN_MEMBER },
	{ "both nestings", "{'atc':{" ALL "}," ALL "}", DEFECT_UNKNOWN_MEMBER },
	{ "atc in atc", ATC("'atc':{" ALL "}"), DEFECT_UNKNOWN_MEMBER },
	{ "an upper-case name", ATC("'TKTYPE':'TNAuthList'"), DEFECT_UNKNOWN_MEMBER },
	{ "only an unknown member", "{'x':1}", DEFECT_UNKNOWN_MEMBER },
	{ "an empty name", "{" ALL ",'':1}", DEFECT_UNKNOWN_MEMBER },
	{ "spc in atc", ATC(ALL ",'spc':'1234'"), DEFECT_UNKNOWN_MEMBER },
	{ "2017 with a member more", "{" FPR(FP) ",'x':1}", DEFECT_UNKNOWN_MEMBER },
	{ "2017 with a member of atc", "{" FPR(FP) ",'spc':'1234'," TKTYPE "}",
	  DEFECT_UNKNOWN_MEMBER },

	{ "atc a string", "{'atc':'x'}", DEFECT_ATC_TYPE },
	{ "atc null", "{'atc':null}", DEFECT_ATC_TYPE },
	{ "atc an array", "{'atc':[{" ALL "}]}", DEFECT_ATC_TYPE },
	{ "atc a string of JSON", "{'atc':'{}'}", DEFECT_ATC_TYPE },

	{ "no members", "{}", DEFECT_TKTYPE_MISSING },
	{ "no members in atc", "{'atc':{}}", DEFECT_TKTYPE_MISSING },
	{ "no tktype", ATC(TKVALUE(TK) "," FPR(FP)), DEFECT_TKTYPE_MISSING },
	{ "a 2017 body in atc", ATC(FPR(FP)), DEFECT_TKTYPE_MISSING },
	{ "a 2017 body with ca", "{" FPR(FP) ",'ca':false}", DEFECT_TKTYPE_MISSING },
	{ "tktype null", ATC("'tktype':null," TKVALUE(TK) "," FPR(FP)), DEFECT_TKTYPE_TYPE },
	{ "tktype a number", ATC("'tktype':1," TKVALUE(TK) "," FPR(FP)), DEFECT_TKTYPE_TYPE },
	{ "tktype an array", ATC("'tktype':['TNAuthList']," TKVALUE(TK) "," FPR(FP)),
	  DEFECT_TKTYPE_TYPE },
	{ "TnAuthList", ATC("'tktype':'TnAuthList'," TKVALUE(TK) "," FPR(FP)),
	  DEFECT_TKTYPE_VALUE },
	{ "empty tktype", ATC("'tktype':''," TKVALUE(TK) "," FPR(FP)), DEFECT_TKTYPE_VALUE },
	{ "tktype with a space", ATC("'tktype':'TNAuthList '," TKVALUE(TK) "," FPR(FP)),
	  DEFECT_TKTYPE_VALUE },
	{ "JWTClaimConstraints", ATC("'tktype':'JWTClaimConstraints'," TKVALUE(TK) "," FPR(FP)),
	  DEFECT_TKTYPE_VALUE },

	{ "no tkvalue", ATC(TKTYPE "," FPR(FP)), DEFECT_TKVALUE_MISSING },
	{ "no tkvalue at top level", "{" TKTYPE "," FPR(FP) "}", DEFECT_TKVALUE_MISSING },
	{ "tkvalue null", ATC(TKTYPE ",'tkvalue':null," FPR(FP)), DEFECT_TKVALUE_TYPE },
	{ "tkvalue a number", ATC(TKTYPE ",'tkvalue':1234," FPR(FP)), DEFECT_TKVALUE_TYPE },
	{ "tkvalue an object", ATC(TKTYPE ",'tkvalue':{'spc':'1234'}," FPR(FP)),
	  DEFECT_TKVALUE_TYPE },
	{ "half the padding", WITH_TK("MAigBhYEMTIzNA="), DEFECT_TKVALUE_BASE64 },
	{ "too much padding", WITH_TK("MAigBhYEMTIzNA==="), DEFECT_TKVALUE_BASE64 },
	{ "padding inside", WITH_TK("MAig=BhYEMTIzNA="), DEFECT_TKVALUE_BASE64 },
	{ "unused bits", WITH_TK("MAigBhYEMTIzNB=="), DEFECT_TKVALUE_BASE64 },
	{ "a space", WITH_TK(" " TK), DEFECT_TKVALUE_BASE64 },
	{ "an escaped line break", WITH_TK(TK "\\n"), DEFECT_TKVALUE_BASE64 },
	{ "both alphabets", WITH_TK("+_"), DEFECT_TKVALUE_BASE64 },
	{ "hex", WITH_TK("3008A006160431323334"), DEFECT_TKVALUE_DER },
	{ "empty tkvalue", WITH_TK(""), DEFECT_TKVALUE_DER },
	{ "base64 of the SPC", WITH_TK("MTIzNA=="), DEFECT_TKVALUE_DER },
	{ "the SPC itself", WITH_TK("1234"), DEFECT_TKVALUE_DER },
	{ "untagged PrintableString", WITH_TK("MAYTBDEyMzQ="), DEFECT_TKVALUE_DER },
	{ "no length of the string", WITH_TK("MAigBhY4MUswMA=="), DEFECT_TKVALUE_DER },
	{ "trailing byte", WITH_TK("MAigBhYEMTIzNAA="), DEFECT_TKVALUE_CANONICAL },
	{ "BER length", WITH_TK("MIEIoAYWBDEyMzQ="), DEFECT_TKVALUE_CANONICAL },
	{ "indefinite length", WITH_TK("MICgBhYEMTIzNAAA"), DEFECT_TKVALUE_CANONICAL },
	{ "empty list", WITH_TK("MAA="), DEFECT_TKVALUE_ENTRIES },
	{ "two SPCs", WITH_TK("MBCgBhYEMTIzNKAGFgQ1Njc4"), DEFECT_TKVALUE_ENTRIES },
	{ "six SPCs",
	  WITH_TK("MDCgBhYEMTIzNKAGFgQxMjM0oAYWBDEyMzSgBhYEMTIzNKAGFgQxMjM0oAYWBDEyMzQ="),
	  DEFECT_TKVALUE_ENTRIES },
	{ "a telephone number", WITH_TK("MA+iDRYLMTIxNTU1NTEyMTI="), DEFECT_TKVALUE_NOT_SPC },
	{ "a telephone number in base64url", WITH_TK("MA-iDRYLMTIxNTU1NTEyMTI"),
	  DEFECT_TKVALUE_NOT_SPC },
	{ "a range", WITH_TK("MBWhEzARFgsxMjEyNTU1MTAwMAICA+g="), DEFECT_TKVALUE_NOT_SPC },
	{ "lower case", WITH_TK("MAigBhYEMjgxaw=="), DEFECT_TKVALUE_SPC },
	{ "an empty SPC", WITH_TK("MASgAhYA"), DEFECT_TKVALUE_SPC },
	{ "seventeen characters", WITH_TK("MBWgExYRMDEyMzQ1Njc4OUFCQ0RFRkc="), DEFECT_TKVALUE_SPC },

	{ "ca a string", WITH_CA("'true'"), DEFECT_CA_TYPE },
	{ "ca 1", WITH_CA("1"), DEFECT_CA_TYPE },
	{ "ca 0", WITH_CA("0"), DEFECT_CA_TYPE },
	{ "ca null", WITH_CA("null"), DEFECT_CA_TYPE },
	{ "ca an array", WITH_CA("[true]"), DEFECT_CA_TYPE },

	{ "no fingerprint", ATC(TKTYPE "," TKVALUE(TK)), DEFECT_FINGERPRINT_MISSING },
	{ "2017 without a fingerprint", "{'spc':'1234'}", DEFECT_FINGERPRINT_MISSING },
	{ "fingerprint null", "{'fingerprint':null}", DEFECT_FINGERPRINT_TYPE },
	{ "fingerprint a number", "{'fingerprint':1}", DEFECT_FINGERPRINT_TYPE },
	{ "fingerprint an array", "{'fingerprint':['" FP "']}", DEFECT_FINGERPRINT_TYPE },
	{ "empty fingerprint", WITH_FP(""), DEFECT_FINGERPRINT_FORM },
	{ "no algorithm", WITH_FP("A0:A2"), DEFECT_FINGERPRINT_FORM },
	{ "SHA-256",
	  WITH_FP("SHA-256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:"
		  "EB:FC:29:0B:32:30:84:D7:D1:02:0F:E5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "sha256",
	  WITH_FP("sha256 A0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:"
		  "FC:29:0B:32:30:84:D7:D1:02:0F:E5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "two spaces",
	  WITH_FP("SHA256  0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:"
		  "D7:EB:FC:29:0B:32:30:84:D7:D1:02:0F:E5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "no colons",
	  WITH_FP("SHA256 A0A232C2F194A53553CB1310DDBC0821E414B9D7EBFC290B323084D7D102"
		  "0FE5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "hyphens",
	  WITH_FP("SHA256 A0-A2-32-C2-F1-94-A5-35-53-CB-13-10-DD-BC-08-21-E4-14-B9-D7-"
		  "EB-FC-29-0B-32-30-84-D7-D1-02-0F-E5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "31 bytes",
	  WITH_FP("SHA256 A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:EB:"
		  "FC:29:0B:32:30:84:D7:D1:02:0F:E5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "33 bytes", WITH_FP(FP ":00"), DEFECT_FINGERPRINT_FORM },
	{ "a colon at the end", WITH_FP(FP ":"), DEFECT_FINGERPRINT_FORM },
	{ "not hex",
	  WITH_FP("SHA256 G0:A2:32:C2:F1:94:A5:35:53:CB:13:10:DD:BC:08:21:E4:14:B9:D7:"
		  "EB:FC:29:0B:32:30:84:D7:D1:02:0F:E5"),
	  DEFECT_FINGERPRINT_FORM },
	{ "an escaped quote", WITH_FP("SHA256 \\u0022"), DEFECT_FINGERPRINT_FORM },
	{ "thumbprint with padding", WITH_FP(JWK "="), DEFECT_FINGERPRINT_FORM },
	{ "thumbprint too short", WITH_FP("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-"),
	  DEFECT_FINGERPRINT_FORM },
	{ "thumbprint in base64", WITH_FP("oKIywvGUpTVTyxMQ3bwIIeQUudfr/CkLMjCE19ECD+U"),
	  DEFECT_FINGERPRINT_FORM },
	{ "thumbprint with unused bits", WITH_FP("oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-V"),
	  DEFECT_FINGERPRINT_FORM },

	{ "spc a number", "{" FPR(FP) ",'spc':1234}", DEFECT_SPC_TYPE },
	{ "spc null", "{" FPR(FP) ",'spc':null}", DEFECT_SPC_TYPE },
	{ "empty spc", "{" FPR(FP) ",'spc':''}", DEFECT_SPC_FORM },
	{ "lower-case spc", "{" FPR(FP) ",'spc':'281k'}", DEFECT_SPC_FORM },
	{ "spc too long", "{" FPR(FP) ",'spc':'0123456789ABCDEFG'}", DEFECT_SPC_FORM },
};

/* Give the parser exactly the bytes, so that a sanitizer sees a step beyond. */
static enum order_defect parse(const char *body, size_t len, struct order *order)
{
	char *copy;
	enum order_defect defect;

	len = len == 0 ? strlen(body) : len;
	copy = malloc(len == 0 ? 1 : len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
	for (size_t i = 0; i < len; i++)
		copy[i] = body[i] == '\'' ? '"' : body[i];
	memset(order, 0x55, sizeof(*order));
	defect = token_body_parse(copy, len, order);
	free(copy);
	return defect;
}

static bool members_are(const struct order *order, enum token_form form, int ca, const char *spc,
			const char *tkvalue, const char *fingerprint)
{
	return order->form == form && order->ca == ca && strcmp(order->spc, spc) == 0 &&
	       strcmp(order->tkvalue, tkvalue) == 0 && strcmp(order->fingerprint, fingerprint) == 0;
}

static void test_good_bodies(void)
{
	for (size_t i = 0; i < sizeof(goods) / sizeof(goods[0]); i++) {
		const struct good *good = &goods[i];
		struct order order;
		enum order_defect defect = parse(good->body, 0, &order);
		bool right = defect == DEFECT_NONE &&
			     members_are(&order, good->form, good->ca, good->spc, good->tkvalue,
					 good->fingerprint);

		if (!right)
			printf("\n  %s: %s, spc \"%s\", tkvalue \"%s\"", good->name,
			       defect_code(defect), order.spc, order.tkvalue);
		CU_ASSERT_TRUE(right);
	}
}

static void test_bad_bodies(void)
{
	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		const struct bad *bad = &bads[i];
		struct order order;
		enum order_defect defect = parse(bad->body, bad->len, &order);
		bool right =
			defect == bad->defect && members_are(&order, TOKEN_FORM_ATC, 0, "", "", "");

		if (!right)
			printf("\n  %s: %s", bad->name, defect_code(defect));
		CU_ASSERT_TRUE(right);
	}
}

static void test_every_defect_of_a_body_has_a_case(void)
{
	for (int defect = DEFECT_JSON; defect < DEFECT_COUNT; defect++) {
		bool found = false;

		for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]) && !found; i++)
			found = bads[i].defect == (enum order_defect)defect;
		CU_ASSERT_TRUE(found);
	}
}

/* Order and authority compare whole structs: nothing of an earlier use may be left behind. */
static void test_what_follows_a_text_is_zero(void)
{
	struct order order;

	CU_ASSERT_EQUAL(parse(goods[0].body, 0, &order), DEFECT_NONE);
	for (size_t i = strlen(order.spc); i < sizeof(order.spc); i++)
		CU_ASSERT_EQUAL(order.spc[i], 0);
	for (size_t i = strlen(order.tkvalue); i < sizeof(order.tkvalue); i++)
		CU_ASSERT_EQUAL(order.tkvalue[i], 0);
	for (size_t i = strlen(order.fingerprint); i < sizeof(order.fingerprint); i++)
		CU_ASSERT_EQUAL(order.fingerprint[i], 0);
}

static const struct {
	const char *content_type;
	bool is_json;
} media_types[] = {
	{ NULL, true },
	{ "application/json", true },
	{ "Application/JSON", true },
	{ "application/json;charset=utf-8", true },
	{ "application/json; charset=UTF-8", true },
	{ "application/json ; charset=\"utf-8\"", true },
	{ "application/json; Charset=utf-8 ", true },
	{ "", false },
	{ "application/jsonx", false },
	{ "application/json-seq", false },
	{ "application/jose+json", false },
	{ "text/json", false },
	{ "text/plain", false },
	{ "application/x-www-form-urlencoded", false },
	{ "multipart/form-data; boundary=x", false },
	{ "application/json;", false },
	{ "application/json; charset=iso-8859-1", false },
	{ "application/json; charset=utf-16", false },
	{ "application/json; charset=utf-8; x=y", false },
	{ "application/json; charset=\"utf-8", false },
	{ "application/json; charset=utf-8\"", false },
	{ "application/json; charset = utf-8", false },
	{ "application/json; profile=x", false },
	{ "application/json, application/json", false },
};

static void test_media_types(void)
{
	for (size_t i = 0; i < sizeof(media_types) / sizeof(media_types[0]); i++) {
		bool is_json = media_type_is_json(media_types[i].content_type);

		if (is_json != media_types[i].is_json)
			printf("\n  %s", media_types[i].content_type);
		CU_ASSERT_EQUAL(is_json, media_types[i].is_json);
	}
}

static void test_a_fingerprints_spelling_has_a_name(void)
{
	CU_ASSERT_STRING_EQUAL(fingerprint_spelling(FP), "sha256-hex-upper");
	CU_ASSERT_STRING_EQUAL(fingerprint_spelling(FPLC), "sha256-hex-lower");
	CU_ASSERT_STRING_EQUAL(fingerprint_spelling(FPMC), "sha256-hex-mixed");
	CU_ASSERT_STRING_EQUAL(fingerprint_spelling(JWK), "jwk-thumbprint");
	CU_ASSERT_PTR_NULL(fingerprint_spelling(""));
}

int main(void)
{
	static CU_TestInfo tests[] = {
		{ "good bodies", test_good_bodies },
		{ "bad bodies", test_bad_bodies },
		{ "every defect of a body has a case", test_every_defect_of_a_body_has_a_case },
		{ "what follows a text is zero", test_what_follows_a_text_is_zero },
		{ "a fingerprint's spelling has a name", test_a_fingerprints_spelling_has_a_name },
		{ "media types", test_media_types },
		CU_TEST_INFO_NULL,
	};

	return run_suite("token_parse", tests);
}
