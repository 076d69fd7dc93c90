"""What people type: names, places, searches, prose in several languages, passwords."""

NAMES = """Sinéad O'Brien|Conan O’Brien|D'Angelo Russell|Mary-Jane Watson|김민수|이서연|박지훈|最上 太郎|佐藤花子|Jürgen Müßig|François d'Arras
|محمد علي|Đặng Thị Hoa|Łukasz Żółć|Robert Null|Jennifer Test|Or Cohen|Andy And|Miguel Ángel "Mike" Ruiz|Anne (Annie) Lee|Xi Li
|O'Neil & Sons|N'Golo Kanté|Dr. Select|Smith, John|van der Berg|St. John-Smythe Jr.|Ng|Sean O''Malley|Κωνσταντίνος|Союз Иванова""".replace(
    "\n", ""
).split("|")

STREETS = """12/4 O'Connell St. #3|Apt. 5-B, 221B Baker Street|서울특별시 강남구 테헤란로 123 (역삼동)|東京都千代田区丸の内1-1-1|Straße des 17. Juni 135
|c/o Müller, Hinterhof; 2. OG links|1600 Amphitheatre Pkwy|P.O. Box 1=A|Rue de l'Église, n° 7|Unit 7 & 8, Dock Road|شارع الملك فهد 12
|Plot 9 -- behind the union hall|Calle 8 #20-30|House "Sea View", Cliff Rd|Union Street 1, Drop 5|Table Mountain Rd 44""".replace(
    "\n", ""
).split("|")

SEARCHES = """O'Brien|select a plan|C++ & Java|drop in table tennis|rock 'n' roll|2+2=4|x^2 + y^2 = z^2|how to use "or" and "and"
|union jack t-shirt|where is my order?|insert coin|delete from favourites|update from 1.2 to 2.0|AT&T|R&D budget|50% off|100% cotton|<3 gifts|a > b
|1 or 2 bedrooms|size 8 and 1/2|order by phone|group by age|black or white = grey?|who's on first|dogs; cats|foo|bar -baz|site:example.com filetype:pdf
|"exact phrase"|price:>100|(red OR blue) AND shoes|table for 4|having fun|like a rolling stone|#hashtag|@mention|C#|F# vs C#|node.js|.NET 8|let's encrypt
|서울 맛집|김치찌개 레시피 & 재료|東京 ホテル|Müller's Büro|مطعم قريب|🍕 near me|l'été à Paris|what is $PATH|ls command in linux|cat food|man page|id card
|echo dot|ping pong|more & less|head & shoulders|sleep (5 tips)|benchmark laptop|script font|java script|style guide|on sale = yes
|iframe vs frame|alert sounds|etc/passwd meaning|../ meaning|what does && do|how to exit vim|eval in python|system of a down|exec summary template
|localhost not working|127.0.0.1 refused|http://localhost:3000 not loading|null pointer|NaN|undefined|true|-1|0|' |"|it's -- well -- complicated
|5' 10" in cm|6'2"|12" vinyl|3/4" pipe|15' cable|1=1|true or false|select * meaning|"select" keyword|case when did it start|user() manual|like % wildcard
|cast iron (pan)|convert (miles to km)|char siu|if(ever)|the count (of monte cristo)|ascii art :-)|begin again; end|sum(1..10)|f(x)=2x+1|sin(x)/x
|version 2.0 beta|database design|schema therapy|between us|exists = true?|into the wild|from dusk till dawn|values and beliefs|limit 10 per person
|truncate vs delete|join us|left join right|waitfor it|declare independence|shutdown -h now meaning|master & slave|temp file|hex nuts|--help|-rf
|C:\\Users\\me|\\\\server\\share|~/.bashrc|/etc/hosts|*.txt|file.php?id=5|index.html|{curly}|{{mustache}}|${dollar}|<title>|&nbsp;|%20|%zz|+1 555 0100""".replace(
    "\n", ""
).split("|")

PROSE = [
    'Hello, I\'d like to change my order: please select the blue one instead of the red; drop the table lamp and add 2 chairs (model "X-1").',
    "The union of both sets contains 5 or 6 elements -- where A = 1 and B = 2. See page 10; chapter 3.",
    "Don't forget: update your profile, set a new password, delete old files from the drive & insert the new card.",
    "I can't log in! It says \"Error 500; null\". My user is admin@example.com, what's wrong?",
    "Wir möchten am 3. Mai gegen 15:00 Uhr anreisen; geht das? Der Preis (119,00 €) gilt für 2 Personen -- oder?",
    "안녕하세요. 주문한 상품이 아직 도착하지 않았어요; 언제쯤 받을 수 있을까요? 운송장 번호는 1234-5678 입니다. 'VIP' 회원 & 쿠폰 적용 부탁드려요!",
    "お世話になっております。先日の件ですが、「見積書」(PDF)をお送りください。数量=3、価格<10,000円でお願いします。",
    "مرحبا، أريد تغيير العنوان من فضلك؛ رقم الطلب 4521 والسعر 100% صحيح.",
    'Great product 👍👍 10/10 would buy again <3 The instructions weren\'t clear, though; step 4 says "insert A into B" & then?',
    "L'hôtel était superbe, l'accueil chaleureux ; seul bémol : le petit-déjeuner n'est pas inclus (15 € / pers.).",
    "Rated 4 out of 5. Pros: cheap, light; cons: noise > 40 dB, battery < 2 h. Verdict: worth it, or not? You decide...",
    "Meeting notes: 1) select vendor 2) drop option B 3) create table of costs 4) alter plan if needed; 5) exec summary by Monday.",
    "To be or not to be, that is the question; whether 'tis nobler in the mind to suffer the slings and arrows.",
    "Math homework: if x=1 and y=2, what's x+y? And x*y? Is 1=1 always true, or only where x = y?",
    "Where's the cat? Cat & dog; ls -- just kidding. The script was funny (the alert guard, too).",
    "In SQL you write SELECT name FROM users WHERE id = 1, but I always forget the ORDER BY part.",
    "My résumé: 10+ years of C/C++, Java & PHP; databases (Oracle, MySQL); scripting: bash, perl.",
    "The password policy says: at least 8 chars, one of !@#$%^&*()_+-={}[]:;\"'<>,.?/ -- is ' or \" allowed?",
    "Call me at +1 (555) 010-9999 between 9 and 5; or e-mail: first.last+tag@example.co.uk -- whichever is easier.",
    "Ingredients: 1/2 cup sugar; 3 eggs; salt & pepper. Mix, then sleep (8 hours!) and bake at 180°C. Sift; sort; cut into cubes.",
    "See https://example.com/a?b=c&d=e#f and http://example.org/x.php?id=1 for details -- thanks!",
    "The file is in C:\\Program Files\\App\\config.ini or in /usr/local/etc/app.conf; on a Mac look at ~/Library.",
    "如果可以的话，请把发票寄到公司地址；数量=2，价格<100元。谢谢！",
    "Olá! Gostaria de saber o preço & prazo de entrega p/ São Paulo -- é possível? (obrigado)",
    "You must order by Friday, group by team, and limit 5 per person; having said that, exceptions exist (select few).",
    'Reviewer #2 said: "the authors don\'t cast the problem; instead they convert (incorrectly) units" -- we updated it.',
    'Re: Your script for "The Union" - I\'d drop the first scene; begin with the alert at the table; end with the kill (off-screen).',
    "She said 'or else', and he replied \"and what?\" = classic. (5 > 3) && (2 < 4) isn't prose; but people write it.",
]

ORGANISATIONS = [
    "O'Reilly & Associates",
    "Müller GmbH & Co. KG",
    "(주)한빛 & 파트너즈",
    'Toys"R"Us',
    "Yahoo!",
    "株式会社ナウ",
    "A/B Testing; Inc.",
]

AGENTS = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36 Edg/125.0.2535.67",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; SM-S918N) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 13; SM-G991N; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/120.0.0.0 Mobile Safari/537.36 KAKAOTALK 10.4.2",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
]
LANGUAGES = [
    "en-US,en;q=0.9",
    "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7",
    "de,en-US;q=0.7,en;q=0.3",
    "ja",
    "ar,en;q=0.5",
    "fr-FR,fr;q=0.9",
]
PUNCTUATION = "!@#$%^&*()_+-={}[]:;\"'<>,.?/|\\~`"
LETTERS = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
