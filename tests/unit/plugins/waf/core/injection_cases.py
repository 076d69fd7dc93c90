"""What the rules of 70-xss.conf, 80-sqli.conf and 90-responses.conf find, and what they let pass."""

from tests.unit.plugins.waf.core.cases import (
    answer,
    arg,
    args,
    cookie,
    field,
    header,
    json,
    name,
    path,
    xml,
)

RICH_TEXT = (
    '<p style="text-align: center; color: #ff0000">Our <strong>JavaScript</strong> course</p>'
    '<figure class="image"><img src="../images/a.png" alt="On=line" style="width:50%"></figure>'
    '<iframe src="https://www.youtube.com/embed/x" allowfullscreen></iframe>'
    "<table border=1><tr><td>1</td></tr></table><pre><code>&lt;script&gt;alert(1)&lt;/script&gt;</code></pre>"
    '<a href="https://a.example/?online=1&amp;only=2" target="_blank">more</a>'
)

XSS = {
    440710: (
        [
            arg("<script>alert(1)</script>"),
            arg("<ScRiPt src=//evil.example>"),
            arg("<svg:script>"),
            arg("</script x>"),
            path("/<script>"),
            header("Referer", "http://a/?<script>x"),
            json('{"a": "\\u003cscript\\u003e"}'),
            args("q=%253Cscript%253E"),
        ],
        [arg("scripture"), arg("<scripts>"), field(RICH_TEXT), arg("x < script")],
    ),
    440711: (
        [
            arg("<img src=x onerror=alert(1)>"),
            arg("<svg/onload=alert(1)>"),
            arg('<a href="x"onclick=x>'),
            arg("<body\nonload =x>"),
            name("<img onerror=x>"),
        ],
        [field(RICH_TEXT), arg("a < b, on time = yes"), arg('<a title="x">on</a>load=1')],
    ),
    440712: (
        [
            arg('<a href="javascript:alert(1)">'),
            arg("<form action=' java\tscript:x'>"),
            arg("<object data=javascript:x>"),
            arg('<x xlink:href="vbscript:x">'),
        ],
        [field(RICH_TEXT), arg('<a href="https://a.example/javascript-guide">'), arg("href = javascript")],
    ),
    440713: (
        [arg("javascript:alert(1)"), arg(" jAvAsCrIpT:x"), arg("java\nscript:x")],
        [arg("javascript tutorial"), arg("learn javascript: basics"), arg("JavaScript")],
    ),
    440714: (
        [arg("data:text/html,<x>"), arg('<iframe src="data:text/html;base64,PHg+">')],
        [
            arg('<img src="data:image/png;base64,iVBORw0KGgo=">'),
            arg("data:image/svg+xml;utf8,x"),
            arg("the data: text"),
        ],
    ),
    440715: (
        [
            arg("<base href=//evil.example>"),
            arg('<meta http-equiv="refresh" content="0;url=//x">'),
            arg("<iframe srcdoc='x'>"),
            arg("<set attributeName=onmouseover to=x>"),
        ],
        [field(RICH_TEXT), field("<meta http-equiv=Content-Type content=text/html>"), arg("baseline")],
    ),
    440716: (
        [
            arg('<p style="width: expression(x)">'),
            arg("<x style='-moz-binding:url(x)'>"),
            arg('<a style="behavior: url(x)">'),
        ],
        [field(RICH_TEXT), arg('style="color: red"'), arg("facial expression (happy)")],
    ),
    440717: (
        [arg("';alert(1);//"), arg('"-alert(1)-"'), arg("x'+fetch('//a')+'"), arg('");document.x=1//')],
        [arg("it's alert"), arg('say "alert"'), field("console.log('a'); alert('b')"), arg("'alert(1)'")],
    ),
    440718: (
        [
            arg("<svg onload=alert(1)>"),
            arg("x onmouseover=alert(1)"),
            arg("<a href=javascript:alert(1)>"),
            cookie("a=<img onerror=x>"),
        ],
        [field(RICH_TEXT), arg("season=on"), arg("/shop?online=true"), arg("1 < 2 and 3 > 2")],
    ),
    440719: (
        [arg('" onmouseover="x'), arg("' onfocus=x autofocus='"), arg('"onload=x')],
        [arg('"on time"'), arg('he said "onwards = up"'), arg('key="only"')],
    ),
    440720: (
        [
            arg('<a href="&#106;avascript:x">'),
            arg('<a href="java&Tab;script:x">'),
            arg("<a href=javascript&colon;alert(1)>"),
        ],
        [field(RICH_TEXT), arg('<a href="https://a.example/?a=1&amp;b=2">'), arg("&#8364; 10")],
    ),
    440730: ([arg("<iframe src=x>"), arg("<p style=x>")], [arg("<b>x</b>"), arg("1 < 2")]),
    440731: ([arg("<iframe src=x>"), arg("<svg >"), field("&lt;form &gt;")], [arg("<p>x</p>"), arg("form")]),
    440732: ([arg("document.cookie"), arg("window['location']")], [arg("the document"), arg("window")]),
    440733: ([field("&lt;script&gt;"), arg("\\x3cscript")], [arg("script"), arg("<p>")]),
    440734: ([arg("alert(1)"), arg("eval`x`")], [arg("alert"), arg("evaluation (x)")]),
    440735: ([arg("[][(![]+[])]"), arg("\\x61\\x62\\x63")], [arg("[1][2]"), arg("\\x61")]),
    440740: ([arg("<b>x</b>"), arg("<!doctype")], [arg("1 < 2"), arg("->")]),
    440741: ([arg("1 < 2"), arg("->")], [arg("1 = 1")]),
}

SQLI = {
    440810: (
        [
            arg("1' OR '1'='1"),
            arg("admin'--"),
            arg("1 UNION SELECT NULL,NULL--"),
            arg("1' AND SLEEP(5)#"),
            arg("1; DROP TABLE users"),
            cookie("id=1' or 1=1-- "),
            header("User-Agent", "' OR 1=1 -- "),
            json("{\"id\": \"1' or 'a'='a\"}"),
            xml("<id>1' or 1=1--</id>"),
            field("1') or ('1'='1"),
        ],
        [
            arg("O'Brien"),
            arg("select a plan"),
            arg("drop in table tennis"),
            arg("rock 'n' roll and soul"),
            arg("1+1=2"),
            arg("it's 5 o'clock -- hurry"),
            arg("where is it?"),
        ],
    ),
    440811: (
        [
            arg("1 union select 1,2,3"),
            arg("1/**/UNION/**/ALL/**/SELECT/**/null"),
            arg("x' uNiOn(select(@@version))"),
            arg("-1 union all select user,password from users"),
            path("/item/1%20union%20select%201"),
        ],
        [
            arg("the union select committee"),
            arg("credit union: select your plan"),
            arg("Union Select"),
            arg("union"),
        ],
    ),
    440812: (
        [
            arg("1;drop table users"),
            arg("Robert'); DROP TABLE Students;--"),
            arg("1;select pg_sleep(5)"),
            arg("1';insert into a values(1)"),
            arg("1;exec xp_cmdshell 'x'"),
        ],
        [
            field("CREATE TABLE a (b int); INSERT INTO a VALUES (1);"),
            arg("first;second"),
            arg("wait; drop the table off"),
        ],
    ),
    440813: (
        [
            arg("1 and sleep(5)"),
            arg("1;waitfor delay '0:0:5'"),
            arg("benchmark(5000000,md5(1))"),
            arg("1||pg_sleep(3)"),
            arg("if(1=1,sleep(5),0)"),
            arg("(sleep(5))"),
        ],
        [
            field("time.sleep(5)"),
            arg("sleep (8 hours)"),
            arg("benchmark results"),
            field("await sleep(1000);"),
            arg("deep sleep 5"),
        ],
    ),
    440814: (
        [
            arg("1 or 1=1"),
            arg("1' AND 'abcd'='abcd"),
            arg("5) AND 2833=2833 AND (3=3"),
            arg("1 and 10=10"),
            arg("x' or name='a"),
            arg("1' or true--"),
            path("/item/1%20AND%201=1"),
            arg('1" or "1"="1'),
        ],
        [
            arg("to be or not to be"),
            arg("rain or shine"),
            arg("x = 1 and y = 2"),
            arg("black and white = grey"),
            arg("R&B && soul"),
        ],
    ),
    440815: (
        [arg("1 order by 10"), arg("1' order by 3-- "), arg("x') group by 2#")],
        [arg("please order by 5"), arg("sort order by price"), arg("order by phone")],
    ),
    440816: (
        [
            arg("1 and extractvalue(1,concat(0x7e,version()))"),
            arg("updatexml(1,concat(0x7e,user()),1)"),
            arg("1;exec xp_cmdshell('x')"),
            arg("load_file('/etc/passwd')"),
            arg("1 into outfile '/tmp/x'"),
            arg("convert(int,@@version)"),
        ],
        [arg("extract value (now)"), arg("load file"), arg("into the outfield"), arg("convert (interest)")],
    ),
    440817: ([arg("1/*!50000union*/"), arg("/*!select*/")], [arg("/* select */"), arg("/*! license */")]),
    440818: (
        [
            arg("chr(65)||chr(66)"),
            arg("char(65)+char(66)"),
            arg("(case when (1=1) then 1 else 0 end)"),
            arg("if(5=5,1,2)"),
        ],
        [arg("chr(65)"), arg("in case when it rains"), arg("char (65)")],
    ),
    440819: (
        [
            arg("1 and (select 1)=1"),
            arg("1=(select count(*) from a)"),
            arg("1' and exists(select 1 from b)"),
            arg("1 in(select 2)"),
        ],
        [arg("please (select one)"), arg("options (select all)"), arg("choose and select")],
    ),
    440820: (
        [
            arg("(select 1 from dual)"),
            arg("(select(0)from(select(sleep(5)))v)"),
            arg("'||(select version())||'"),
            arg("'+(select 1)+'"),
        ],
        [arg("(select one)"), arg("'select'"), arg("a (select b)")],
    ),
    440821: (
        [arg("1\xbf'\"("), field("ann'\")")],
        [arg("'\"quoted\"'"), arg("f('x')"), arg('("it\'s")')],
    ),
    440830: ([arg("1' or '1'='1"), arg("1 union select 1")], [arg("O'Brien"), arg("select a plan")]),
    440831: (
        [arg("information_schema.tables"), arg("sqlite_master"), arg("@@version")],
        [arg("information schema"), arg("version")],
    ),
    440832: (
        [arg("select a from b"), arg("delete from a where b"), arg("drop table x")],
        [arg("select a plan"), arg("drop a table")],
    ),
    440833: ([arg("a'--"), arg("a' or b")], [arg("O'Brien"), arg("a or b")]),
    440834: ([arg("count(*) from x"), arg("version()=5")], [arg("count (me)"), arg("version")]),
    440835: (
        [header("X-Forwarded-For", "1' or '1'='1"), header("X-Id", "1 union select 1,2")],
        [header("X-Forwarded-For", "192.0.2.1, 192.0.2.2"), header("X-Name", "O'Brien")],
    ),
    440840: ([arg("select a from b"), arg("order by x like y")], [arg("a selection")]),
    440841: ([arg("a'b'c'd'"), arg("a/*")], [arg("O'Brien"), arg("a - b")]),
    440850: ([arg("O'Brien"), arg("a;b")], [arg("a b"), arg("a,b")]),
}

RESPONSES = {
    440910: (
        [
            answer("You have an error in your SQL syntax; check"),
            answer("ORA-01756: quoted"),
            answer('near "x": syntax error'),
            answer("sqlite3.OperationalError: x"),
        ],
        [answer("An error has occurred"), answer("Learn SQL syntax"), answer("AURORA-12345:")],
    ),
    440911: (
        [
            answer("Traceback (most recent call last):\n File"),
            answer("x\n\tat com.a.b.C.d(C.java:10)\n"),
            answer("<b>Warning</b>: include()"),
        ],
        [answer("look at com.example"), answer("<b>Warning</b> hot")],
    ),
    440912: (
        [
            answer("root:x:0:0:root:/root:/bin/bash"),
            answer("-----BEGIN RSA PRIVATE KEY-----"),
            answer("uid=0(root) gid=0(root)"),
        ],
        [answer("root: 0"), answer("-----BEGIN CERTIFICATE-----"), answer("uid=5")],
    ),
    440913: (
        [answer("<title>r57shell</title>"), answer("b374k 2.8")],
        [answer("seashell"), answer("57 shells")],
    ),
    440920: ([answer("<title>Index of /a</title>")], [answer("<title>Index of terms</title>")]),
    440921: ([answer("x", 500), answer("x", 503)], [answer("x"), answer("x", 404)]),
    440922: ([answer("<?php echo 1")], [answer("<?xml version='1.0'?>")]),
}
