"""HTML and other documents as editors send them."""

RICH_TEXT = [
    "<p>Hello <strong>world</strong>, it's <em>me</em>.</p><p>&nbsp;</p><ul><li>one &amp; two</li><li>three</li></ul>",
    '<p style="text-align: center;"><span style="color: #e03e2d; font-family: \'comic sans ms\', sans-serif;">Sale!</span></p>',
    '<p><img src="../media/photo-1.jpg" alt="It\'s a photo" width="640" height="480" loading="lazy" /></p>',
    '<figure class="table"><table><thead><tr><th>Name</th></tr></thead><tbody><tr><td>O\'Brien</td></tr></tbody></table></figure>',
    '<iframe title="YouTube video player" src="https://www.youtube.com/embed/dQw4w9WgXcQ" width="560" height="314" allowfullscreen="allowfullscreen"></iframe>',
    '<figure class="media"><oembed url="https://www.youtube.com/watch?v=dQw4w9WgXcQ"></oembed></figure>',
    '<p class="ql-align-justify">Quill <a href="https://example.com/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">link</a></p>',
    '<pre class="ql-syntax" spellcheck="false">if (a &lt; b &amp;&amp; c &gt; d) { alert("x"); }\n</pre>',
    '<pre><code class="language-html">&lt;script src="app.js"&gt;&lt;/script&gt;</code></pre><p>Add this before the end.</p>',
    '<p><img src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="></p>',
    '<p class="MsoNormal" style="margin-bottom:0cm;line-height:normal"><span lang="EN-US" style="font-size:12.0pt;mso-fareast-font-family:\'Times New Roman\'">Dear Sir,<o:p></o:p></span></p>',
    '<h2 id="h-1">1. Überblick</h2><blockquote><p>„Wer nicht wagt, der nicht gewinnt.“</p></blockquote><hr /><p>Ende; oder?</p>',
    '<p>안녕하세요, <u>공지사항</u>입니다.</p><p>시간: 10:00 ~ 12:00 (서울)</p><table border="1" cellpadding="0"><tbody><tr><td>1</td><td>2</td></tr></tbody></table>',
    '<div data-block="true" data-offset-key="a1-0-0" contenteditable="false"><span data-text="true">Draft.js &lt;3</span></div>',
    '<p>Our JavaScript course: select a date, then order by phone -- or online.</p><p><a href="mailto:info@example.com">Write us</a></p>',
    '<span class="mention" data-id="5" data-value="김민수" data-denotation-char="@">\ufeff<span contenteditable="false">@김민수</span>\ufeff</span> 확인 부탁드려요',
    '<!-- wp:paragraph {"align":"center"} --><p class="has-text-align-center">Block editor</p><!-- /wp:paragraph -->',
    '<!-- wp:image {"id":10,"sizeSlug":"large"} --><figure class="wp-block-image"><img src="https://example.com/a.jpg" alt=""/></figure><!-- /wp:image -->',
    '<p><audio controls="controls" src="/media/a.mp3"></audio><video width="320" height="240" controls="controls"><source src="/media/a.mp4" type="video/mp4" /></video></p>',
    '<p>[caption id="attachment_1" align="left"]<img class="size-medium" src="/a.png" />It\'s 5 > 3[/caption]</p>',
]

MARKDOWN = [
    "# Title\n\n* one\n* two\n\nSee [the docs](https://example.com/docs?a=1&b=2) and ![image](../img/a.png).\n\n> quote -- it's fine",
    "| a | b |\n|---|---|\n| 1 | `x or y` |\n\n- [ ] todo; later\n- [x] done & dusted",
    "Fixes #12; see !34 and @user. `SELECT` isn't needed any more.\n\n---\n\n**Note:** run `make test` first.",
    "<details>\n<summary>Logs</summary>\n\n```\nERROR: null\n```\n</details>",
    "1. Select the item\n2. Drop it on the table\n3. Press `Ctrl`+`C`\n\n~~old~~ *new* ***both*** :tada:",
]

PROSEMIRROR = {
    "type": "doc",
    "content": [
        {"type": "heading", "attrs": {"level": 2}, "content": [{"type": "text", "text": "It's a heading"}]},
        {
            "type": "paragraph",
            "content": [
                {"type": "text", "marks": [{"type": "bold"}], "text": "Bold & brave"},
                {
                    "type": "text",
                    "marks": [{"type": "link", "attrs": {"href": "https://example.com/?x=1"}}],
                    "text": "link",
                },
            ],
        },
        {
            "type": "codeBlock",
            "attrs": {"language": "js"},
            "content": [{"type": "text", "text": "if (a < b) { run('x'); }"}],
        },
    ],
}
