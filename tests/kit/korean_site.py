"""A board of the year 2003 in EUC-KR, as JSP wrote it: pages, forms, uploads, redirects, style, script, feed, JSON.

Every byte that it sends or understands is EUC-KR (in truth CP949). It listens on 127.0.0.1 only.
"""

import contextlib
import email
import html
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlsplit

CHARSET = "cp949"
PAGE = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<html><head>
<meta http-equiv="Content-Type" content="text/html; charset=euc-kr">
<title>{title}</title>
<link rel="stylesheet" href="/board/style.css">
<script src="/board/script.js"></script>
</head><body>
<h1>{title}</h1>
<p class="menu"><a href="list.jsp">목록</a> | <a href="write.jsp">글쓰기</a> | <a href="upload.jsp">자료 올리기</a></p>
{body}
<p id="notice"></p>
</body></html>
"""
LIST = """<form action="search.jsp"><input name="q" value=""><input type="submit" value="검색"></form>
<table border="1"><tr><th>번호<th>제목<th>글쓴이</tr>{rows}</table>"""
WRITE = """<form action="save.jsp" method="post">
<p>제목 <input name="title"></p><p>글쓴이 <input name="writer"></p>
<p><textarea name="text" rows="4" cols="40"></textarea></p>
<input type="hidden" name="_charset_"><input type="submit" value="등록"></form>"""
UPLOAD = """<form action="received.jsp" method="post" enctype="multipart/form-data">
<p>설명 <input name="note"></p><input type="file" name="file"><input type="submit" value="올리기"></form>"""
STYLE = """@charset "euc-kr";
body { font-family: 나눔고딕, "NanumGothic", sans-serif; margin: 1.5em; background: #f4f6fb }
table { border-collapse: collapse } th, td { padding: 4px 12px } .menu::after { content: " · 게시판" }
"""
SCRIPT = 'window.onload = function () { document.getElementById("notice").innerText = "공지: 펲시콜라 똠방각하"; }\n'
POSTS = [("안녕하세요", "홍길동"), ("똠방각하를 보셨나요?", "김철수"), ("내일 모임 공지", "이영희")]


class Board(BaseHTTPRequestHandler):
    """Handles a request by its path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        address = urlsplit(self.path)
        values = dict(parse_qsl(address.query, keep_blank_values=True, encoding=CHARSET))
        page = _PAGES.get(address.path)
        if page is None and address.path.startswith("/board/files/"):
            name = unquote_to_bytes(address.path.rpartition("/")[2]).decode(CHARSET, "replace")
            self._reply("text/html", _page("자료", f"<p id=name>{html.escape(name)}</p>"))
        elif page is None:
            self._reply("text/html", _page("없음", "<p>없는 페이지입니다</p>"), 404)
        else:
            self._reply(*page(self.server, values))

    def do_POST(self):
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/board/save.jsp":
            values = dict(parse_qsl(data.decode("latin-1"), keep_blank_values=True, encoding=CHARSET))
            self.server.forms.append(values)
            self.server.posts.append((values["title"], values["writer"]))
            query = (
                f"title={quote(values['title'].encode(CHARSET))}&text={quote(values['text'].encode(CHARSET))}"
            )
            self._reply("text/html", b"", 302, {"Location": f"/board/view.jsp?{query}"})
        else:
            field_lines = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            parts = email.message_from_bytes(field_lines + data).get_payload()
            contents = [part.get_payload(decode=True) for part in parts]
            self.server.uploads.append((contents, data))
            note = html.escape(contents[0].decode(CHARSET, "replace"))
            self._reply("text/html", _page("받았습니다", f"<p id=note>{note}</p>"))

    def _reply(self, content_type, content, status=200, fields=None):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments):
        """Stay quiet."""


def _page(title, body):
    return PAGE.format(title=title, body=body).encode(CHARSET, "replace")


def _list(server, values):
    rows = "".join(
        f"<tr><td>{number}<td>{html.escape(title)}<td>{html.escape(writer)}</tr>"
        for number, (title, writer) in enumerate(server.posts, 1)
    )
    return "text/html; charset=EUC-KR", _page("한글 게시판", LIST.format(rows=rows))


def _search(server, values):
    found = [title for title, _ in server.posts if values.get("q", "") in title]
    query = html.escape(values.get("q", ""))
    return "text/html", _page(
        "검색", f"<p id=query>{query}</p><ul>{''.join(f'<li>{each}' for each in found)}</ul>"
    )


def _view(server, values):
    title, text = html.escape(values.get("title", "")), html.escape(values.get("text", ""))
    return "text/html", _page(title, f"<pre id=text>{text}</pre>")


def _feed(server, values):
    items = "".join(f"<item><title>{html.escape(title)}</title></item>" for title, _ in server.posts)
    text = f'<?xml version="1.0" encoding="euc-kr"?><rss version="2.0"><channel>{items}</channel></rss>'
    return "application/rss+xml", text.encode(CHARSET)


_PAGES = {
    "/board/list.jsp": _list,
    "/board/write.jsp": lambda server, values: ("text/html", _page("글쓰기", WRITE)),
    "/board/upload.jsp": lambda server, values: ("text/html", _page("자료 올리기", UPLOAD)),
    "/board/search.jsp": _search,
    "/board/view.jsp": _view,
    "/board/style.css": lambda server, values: ("text/css", STYLE.encode(CHARSET)),
    "/board/script.js": lambda server, values: (
        "application/javascript; charset=euc-kr",
        SCRIPT.encode(CHARSET),
    ),
    "/board/rss.jsp": _feed,
    "/board/list.json": lambda server, values: (
        "application/json;charset=EUC-KR",
        json.dumps(server.posts, ensure_ascii=False).encode(CHARSET),
    ),
}


@contextlib.contextmanager
def board():
    """The site, running: `forms` and `uploads` are what it received, `server_port` is its port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Board) as server:
        server.daemon_threads = True
        server.posts, server.forms, server.uploads = list(POSTS), [], []
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
