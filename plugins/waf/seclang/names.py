"""The words of SecLang: those of ModSecurity v3, and those of v2 that rule sets use.

Variables are upper-case, all other names lower-case.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COLLECTIONS: Final = _words("GLOBAL IP RESOURCE SESSION USER")
"""Variables whose values are kept between requests, opened by `initcol`, `setsid` or `setuid`."""

VARIABLES: Final = COLLECTIONS | _words(
    """
    ARGS ARGS_COMBINED_SIZE ARGS_GET ARGS_GET_NAMES ARGS_NAMES ARGS_POST ARGS_POST_NAMES AUTH_TYPE DURATION ENV
    FILES FILES_COMBINED_SIZE FILES_NAMES FILES_SIZES FILES_TMPNAMES FILES_TMP_CONTENT FULL_REQUEST FULL_REQUEST_LENGTH
    GEO HIGHEST_SEVERITY INBOUND_DATA_ERROR MATCHED_VAR MATCHED_VARS MATCHED_VARS_NAMES MATCHED_VAR_NAME MODSEC_BUILD
    MSC_PCRE_ERROR MSC_PCRE_LIMITS_EXCEEDED
    MULTIPART_BOUNDARY_QUOTED MULTIPART_BOUNDARY_WHITESPACE MULTIPART_CRLF_LF_LINES MULTIPART_DATA_AFTER
    MULTIPART_DATA_BEFORE MULTIPART_FILENAME MULTIPART_FILE_LIMIT_EXCEEDED MULTIPART_HEADER_FOLDING
    MULTIPART_INVALID_HEADER_FOLDING MULTIPART_INVALID_PART MULTIPART_INVALID_QUOTING MULTIPART_LF_LINE
    MULTIPART_MISSING_SEMICOLON MULTIPART_NAME MULTIPART_PART_HEADERS MULTIPART_SEMICOLON_MISSING
    MULTIPART_STRICT_ERROR MULTIPART_UNMATCHED_BOUNDARY
    OUTBOUND_DATA_ERROR PATH_INFO PERF_ALL PERF_COMBINED PERF_GC PERF_LOGGING PERF_PHASE1 PERF_PHASE2 PERF_PHASE3
    PERF_PHASE4 PERF_PHASE5 PERF_RULES PERF_SREAD PERF_SWRITE QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_PORT
    REMOTE_USER REQBODY_ERROR REQBODY_ERROR_MSG REQBODY_PROCESSOR REQBODY_PROCESSOR_ERROR REQBODY_PROCESSOR_ERROR_MSG
    REQUEST_BASENAME REQUEST_BODY REQUEST_BODY_LENGTH REQUEST_COOKIES REQUEST_COOKIES_NAMES REQUEST_FILENAME
    REQUEST_HEADERS REQUEST_HEADERS_NAMES REQUEST_LINE REQUEST_METHOD REQUEST_PROTOCOL REQUEST_URI REQUEST_URI_RAW
    RESPONSE_BODY RESPONSE_CONTENT_LENGTH RESPONSE_CONTENT_TYPE RESPONSE_HEADERS RESPONSE_HEADERS_NAMES
    RESPONSE_PROTOCOL RESPONSE_STATUS RULE SCRIPT_BASENAME SCRIPT_FILENAME SCRIPT_GID SCRIPT_GROUPNAME SCRIPT_MODE
    SCRIPT_UID SCRIPT_USERNAME SDBM_DELETE_ERROR SERVER_ADDR SERVER_NAME SERVER_PORT SESSIONID STATUS_LINE
    STREAM_INPUT_BODY STREAM_OUTPUT_BODY TIME TIME_DAY TIME_EPOCH TIME_HOUR TIME_MIN TIME_MON TIME_SEC TIME_WDAY
    TIME_YEAR TX UNIQUE_ID URLENCODED_ERROR USERAGENT_IP USERID WEBAPPID WEBSERVER_ERROR_LOG XML
    """
)

KEYED: Final = COLLECTIONS | _words(
    """
    ARGS ARGS_GET ARGS_GET_NAMES ARGS_NAMES ARGS_POST ARGS_POST_NAMES ENV FILES FILES_NAMES FILES_SIZES FILES_TMPNAMES
    FILES_TMP_CONTENT GEO MATCHED_VARS MATCHED_VARS_NAMES MULTIPART_FILENAME MULTIPART_NAME MULTIPART_PART_HEADERS
    PERF_RULES REQUEST_COOKIES REQUEST_COOKIES_NAMES REQUEST_HEADERS REQUEST_HEADERS_NAMES RESPONSE_HEADERS
    RESPONSE_HEADERS_NAMES RULE TX XML
    """
)
"""Variables of which a rule may select one key."""

OPERATORS: Final = _words(
    """
    beginswith contains containsword detectsqli detectxss endswith eq fuzzyhash ge geolookup gsblookup gt inspectfile
    ipmatch ipmatchf ipmatchfromfile le lt nomatch pm pmf pmfromfile rbl rsub rx rxglobal streq strmatch
    unconditionalmatch validatebyterange validatedtd validatehash validateschema validateurlencoding
    validateutf8encoding verifycc verifycpf verifyssn verifysvnr within
    """
)

WITHOUT_ARGUMENT: Final = _words(
    "detectsqli detectxss geolookup nomatch unconditionalmatch validateurlencoding validateutf8encoding"
)
"""Operators that need no argument."""

TRANSFORMATIONS: Final = _words(
    """
    base64decode base64decodeext base64encode cmdline compresswhitespace cssdecode escapeseqdecode hexdecode hexencode
    htmlentitydecode jsdecode length lowercase md5 none normalisepath normalisepathwin normalizepath normalizepathwin
    parityeven7bit parityodd7bit parityzero7bit removecomments removecommentschar removenulls removewhitespace
    replacecomments replacenulls sha1 sqlhexdecode trim trimleft trimright uppercase urldecode urldecodeuni urlencode
    utf8tounicode
    """
)

DISRUPTIVE: Final = _words("allow block deny drop pass proxy redirect")
"""Actions that say what becomes of the exchange; the last one of a rule counts."""

ACTIONS: Final = DISRUPTIVE | _words(
    """
    accuracy append auditlog capture chain ctl deprecatevar exec expirevar id initcol log logdata maturity msg
    multimatch noauditlog nolog pause phase prepend rev sanitisearg sanitisematched sanitisematchedbytes
    sanitiserequestheader sanitiseresponseheader sanitizearg sanitizematched sanitizematchedbytes
    sanitizerequestheader sanitizeresponseheader setenv setrsc setsid setuid setvar severity skip skipafter status t
    tag ver xmlns
    """
)

NEEDS_VALUE: Final = _words(
    """
    accuracy append ctl deprecatevar exec expirevar id initcol logdata maturity msg pause phase prepend proxy redirect
    rev sanitisearg sanitiserequestheader sanitiseresponseheader setenv setrsc setsid setuid setvar severity skip
    skipafter status t tag ver xmlns
    """
)
"""Actions that mean nothing without a value."""

TAKES_NO_VALUE: Final = _words(
    "auditlog block capture chain deny drop log multimatch noauditlog nolog pass sanitisematched"
)

REPEATABLE: Final = _words(
    """
    append ctl deprecatevar exec expirevar initcol prepend sanitisearg sanitisematched sanitisematchedbytes
    sanitiserequestheader sanitiseresponseheader setenv setvar t tag xmlns
    """
)
"""Actions of which a rule may have several; of all others, the last one counts."""

SEVERITIES: Final = ("EMERGENCY", "ALERT", "CRITICAL", "ERROR", "WARNING", "NOTICE", "INFO", "DEBUG")

PHASES: Final = {"1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "request": 2, "response": 4, "logging": 5}

CONTROLS: Final = _words(
    """
    auditengine auditlogparts debugloglevel forcerequestbodyvariable hashenforcement hashengine parsexmlintoargs
    requestbodyaccess requestbodylimit requestbodyprocessor responsebodyaccess responsebodylimit ruleengine
    ruleremovebyid ruleremovebymsg ruleremovebytag ruleremovetargetbyid ruleremovetargetbymsg ruleremovetargetbytag
    """
)
"""Options of the `ctl` action."""
