"""Document types: the mode that they put the document in."""

from __future__ import annotations

from .errors import ErrorList
from .markup import Doctype, read_doctype, skip_bogus_comment, skip_comment
from .tags import SPACES

_PUBLIC_PREFIXES = (
    "+//silmaril//dtd html pro v0r11 19970101//",
    "-//as//dtd html 3.0 aswedit + extensions//",
    "-//advasoft ltd//dtd html 3.0 aswedit + extensions//",
    "-//ietf//dtd html",
    "-//metrius//dtd metrius presentational//",
    "-//microsoft//dtd internet explorer 2.0 ",
    "-//microsoft//dtd internet explorer 3.0 ",
    "-//netscape comm. corp.//dtd ",
    "-//o'reilly and associates//dtd html ",
    "-//sq//dtd html 2.0 hotmetal + extensions//",
    "-//softquad software//dtd hotmetal pro ",
    "-//softquad//dtd hotmetal pro ",
    "-//spyglass//dtd html 2.0 extended//",
    "-//sun microsystems corp.//dtd hotjava ",
    "-//w3c//dtd html 3 1995-03-24//",
    "-//w3c//dtd html 3.2",
    "-//w3c//dtd html 4.0 frameset//",
    "-//w3c//dtd html 4.0 transitional//",
    "-//w3c//dtd html experimental ",
    "-//w3c//dtd w3 html//",
    "-//w3o//dtd w3 html 3.0//",
    "-//webtechs//dtd mozilla html",
)
_PUBLIC = ("-//w3o//dtd w3 html strict 3.0//en//", "-/w3c/dtd html 4.0 transitional/en", "html")
_PUBLIC_WITHOUT_SYSTEM = ("-//w3c//dtd html 4.01 frameset//", "-//w3c//dtd html 4.01 transitional//")
_SYSTEM = "http://www.ibm.com/data/dtd/v11/ibmxhtml1-transitional.dtd"


def is_conforming(doctype: Doctype) -> bool:
    """Return True for `<!DOCTYPE html>`, also with `about:legacy-compat`."""
    return (
        doctype.name == "html" and doctype.public is None and doctype.system in (None, "about:legacy-compat")
    )


def is_quirky(doctype: Doctype) -> bool:
    """Return True if the document is in quirks mode."""
    public = (doctype.public or "").lower()
    if doctype.force_quirks or doctype.name != "html" or public in _PUBLIC:
        return True
    if (doctype.system or "").lower() == _SYSTEM or public.startswith(_PUBLIC_PREFIXES):
        return True
    return doctype.system is None and public.startswith(_PUBLIC_WITHOUT_SYSTEM)


def has_quirks(text: str) -> bool:
    """Return True if a browser shows the document `text` in quirks mode."""
    text = text.removeprefix("\ufeff")
    unused = ErrorList(0)
    position, size = 0, len(text)
    while position < size:
        if text[position] in SPACES + "\r":
            position += 1
        elif text.startswith("<!--", position):
            position = skip_comment(text, position + 4, unused)
        elif text[position : position + 9].lower() == "<!doctype":
            return is_quirky(read_doctype(text, position + 9, position, unused)[0])
        elif text.startswith(("<!", "<?"), position):
            position = skip_bogus_comment(text, position, unused)
        else:
            break
    return True
