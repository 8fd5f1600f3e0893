"""What guests in other languages write, for the moments they care about most; slots are filled from ``SLOTS``."""

from __future__ import annotations

_EMOJI = ("😂", "🍿", "👀", "💚", "🎬", "😱", "✨", "🛸", ":jelly:", ":popcorn:")

SLOTS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {
        "emoji": _EMOJI,
        "essen": ("Popcorn", "Götterspeise", "Käsebrot", "Salzstangen", "Lakritz", "kalter Pizza"),
        "wer": ("Nancy", "der Professor", "der Sheriff", "der Hund", "der Leuchtturmwärter"),
        "lob": ("großes Kino", "ein Meisterwerk", "genau mein Humor", "Wackelpudding in Vollendung"),
    },
    "es": {
        "emoji": _EMOJI,
        "comida": ("palomitas", "gelatina de limón", "tostadas con mermelada", "pipas", "churros"),
        "quien": ("Nancy", "el profesor", "el sheriff", "el perro", "el farero"),
        "elogio": ("una joya", "cine con mayúsculas", "una maravilla", "puro arte gelatinoso"),
    },
    "fr": {
        "emoji": _EMOJI,
        "quoi": ("la ficelle", "la fermeture éclair", "le pouce du technicien", "l'ombre du micro"),
        "bravo": ("du grand cinéma", "un chef-d'œuvre", "sublime", "du flan de compétition"),
    },
    "ja": {
        "emoji": ("😂", "🍿", "👀", "💚", "🎬", "😱", "✨", "🍮", "🛸"),
        "物": ("ゼリー", "隕石", "灯台", "チューバ", "犬のビスケット", "ナンシー", "教授のパイプ"),
        "感": ("最高です", "笑いが止まらない", "怖いのに可愛い", "名作でした", "予算はどこへ"),
    },
    "ar": {
        "emoji": ("😂", "🍿", "👀", "💚", "🎬", "😱", "✨"),
        "من": ("نانسي", "البروفيسور", "الشريف", "الكلب بسكويت", "حارس المنارة"),
        "وصف": ("رائع", "مضحك جدا", "تحفة فنية", "مخيف ولطيف معا"),
    },
    "nl": {
        "emoji": _EMOJI,
        "wie": ("Nancy", "de professor", "de sheriff", "de hond"),
        "snack": ("drop", "popcorn", "pudding"),
    },
    "pt": {
        "emoji": _EMOJI,
        "quem": ("a Nancy", "o professor", "o xerife", "o cachorro"),
        "lanche": ("pipoca", "gelatina"),
    },
    "it": {
        "emoji": _EMOJI,
        "chi": ("Nancy", "il professore", "lo sceriffo", "il cane"),
        "cosa": ("gelatina", "limonata"),
    },
}

TOOTS: dict[str, dict[str, tuple[str, ...]]] = {
    "de": {
        "before": (
            "Gleich geht's los! Decke, {essen} und alle Lampen aus. {emoji}",
            "Wer ist heute dabei? Ich bringe {essen} mit. {emoji}",
            "Bei uns ist es mitten in der Nacht, aber für Götterspeise aus dem All bleibe ich wach. {emoji}",
            "Tipp von mir: {wer} überlebt nicht. Einsatz: eine Schüssel {essen}. {emoji}",
        ),
        "opening": (
            "Die Buchstaben schmelzen! Schon der Vorspann ist {lob}. {emoji}",
            "Theremin, Leuchtturm, ernste Stimme. Ich bin zu Hause. {emoji}",
            "Im Vorspann steht ein Beauftragter für Wackeln. {emoji}",
        ),
        "meteor": (
            "Der Meteor ist eindeutig eine Kartoffel am Faden {emoji}",
            "Er landet in der Marmeladenfabrik. Wo auch sonst. {emoji}",
        ),
        "professor": (
            "Nancy rechnet, der Professor raucht Pfeife und bekommt den Beifall. {emoji}",
            "Weder Tier noch Pflanze. Also Nachtisch. {emoji}",
            "Das Labor besteht aus drei Flaschen und einem Teekessel {emoji}",
        ),
        "factory": ("Nicht hinter die Kessel gehen! Er geht hinter die Kessel. {emoji}",),
        "jelly": (
            "DA IST SIE! Die Götterspeise kommt unter der Tür durch! {emoji}",
            "Das ist ein Duschvorhang voller Vanillesoße und ich liebe ihn {emoji}",
            "Sie wackelt! Sie schmatzt! Das ist {lob}! {emoji}",
            "Man sieht den Reißverschluss am Monster. Großartig. {emoji}",
            "Der Hut schwimmt obenauf. Der Hut spielt besser als {wer}. {emoji}",
        ),
        "nancy": (
            "Hört doch endlich auf Nancy! {emoji}",
            "Nancy hat es gesehen, gezeichnet und vermessen, und der Sheriff lacht. {emoji}",
        ),
        "diner": ("Ein ganzes Lied. Über das Wackeln. Mitten im Film. {emoji}",),
        "army": (
            "Der Panzer fährt jetzt zum dritten Mal durchs Bild {emoji}",
            "Archivbilder mit Schnee. Im Juli. Das ist {lob}. {emoji}",
        ),
        "biscuit": (
            "Guter Hund! Der einzige mit Verstand außer Nancy. {emoji}",
            "Der Hund lebt. Ich wiederhole: Der Hund lebt! {emoji}",
        ),
        "lighthouse": (
            "Nachtisch klettert auf Leuchtturm. Was für ein Satz. {emoji}",
            "Sie verrammeln die Tür mit einem Liegestuhl. {emoji}",
        ),
        "band": (
            "EINE TUBA! Sie besiegen es mit einer TUBA! {emoji}",
            "Die Blaskapelle rettet die Welt. Ich weine vor Lachen. {emoji}",
            "Resonanz! Endlich stimmt die Physik, und {wer} kann nichts dafür. {emoji}",
            "Das tiefe C! Haltet das tiefe C! {emoji}",
        ),
        "ending": (
            "ENDE? Mit Fragezeichen! Und der Löffel hat sich bewegt! {emoji}",
            "Mein Urteil: {lob}. {emoji}",
        ),
        "after": (
            "Danke euch allen, das war {lob}. Bis nächste Woche! {emoji}",
            "Ich esse nie wieder {essen}, ohne an heute Nacht zu denken. {emoji}",
            "Gute Nacht, Port Marrow. Gute Nacht, {wer}. {emoji}",
        ),
    },
    "es": {
        "before": (
            "¡Esta noche toca gelatina espacial! Tengo {comida} y mantita. {emoji}",
            "Primera vez por aquí, ¿qué hay que saber? De momento traigo {comida}. {emoji}",
            "Apuesto a que {quien} no llega al final {emoji}",
        ),
        "opening": (
            "¡Las letras se derriten! Ya es {elogio} y solo van los créditos. {emoji}",
            "Suena el theremín y soy feliz {emoji}",
        ),
        "meteor": ("El meteorito es una patata con hilo y nadie me convencerá de otra cosa {emoji}",),
        "professor": (
            "Nancy hace las cuentas y el profesor enciende la pipa. Como siempre. {emoji}",
            "«Ni animal ni vegetal». Entonces, postre. {emoji}",
        ),
        "jelly": (
            "¡YA ESTÁ AQUÍ! ¡La gelatina pasa por debajo de la puerta! {emoji}",
            "Se ve la cremallera del monstruo. Es {elogio}. {emoji}",
            "¡Qué grito! ¡Cuatro segundos sin respirar! {emoji}",
            "Se ha comido al vigilante y ha dejado el sombrero {emoji}",
        ),
        "nancy": ("Que alguien escuche a Nancy, por favor {emoji}",),
        "diner": ("Paran la película para cantar sobre gelatina. ¡{elogio}! {emoji}",),
        "army": ("El mismo tanque, tercera vez {emoji}", "El coronel llama con un teléfono sin cable {emoji}"),
        "biscuit": ("¡El perro! ¡El mejor actor! {emoji}",),
        "lighthouse": ("Un postre trepando por un faro. No sabía que lo necesitaba. {emoji}",),
        "band": (
            "¡UNA TUBA! ¡Lo vencen con UNA TUBA! {emoji}",
            "La banda municipal salva el mundo. ¡{elogio}! {emoji}",
            "¡Aguanten esa nota, valientes! {emoji}",
        ),
        "ending": ("¿FIN? Con interrogación. La cuchara se ha movido. {emoji}", "Cinco temblores de cinco {emoji}"),
        "after": (
            "Gracias a todo el mundo, ha sido {elogio}. ¡Hasta la semana que viene! {emoji}",
            "Ahora quiero una película entera sobre {quien} {emoji}",
        ),
    },
    "fr": {
        "before": (
            "Ce soir, gelée de l'espace ! Qui est là ? {emoji}",
            "Plaid, tisane et gelée citron. Je suis prête. {emoji}",
        ),
        "opening": ("Les lettres fondent, c'est {bravo} {emoji}",),
        "jelly": (
            "LA VOILÀ ! Elle passe sous la porte ! {emoji}",
            "On voit {quoi}, c'est {bravo} {emoji}",
            "Un rideau de douche rempli de crème anglaise. J'adore. {emoji}",
        ),
        "nancy": ("Écoutez Nancy, bon sang ! {emoji}",),
        "army": ("Le même char pour la troisième fois, et toujours {quoi} dans le coin {emoji}",),
        "lighthouse": ("Un dessert grimpe au phare. Voilà. {emoji}",),
        "band": (
            "UN TUBA ! Sauvés par UN TUBA ! {emoji}",
            "La fanfare joue et tout s'effondre en compote. C'est {bravo} ! {emoji}",
        ),
        "after": ("Merci à tout le monde, c'était {bravo}. À la semaine prochaine ! {emoji}",),
    },
    "ja": {
        "before": (
            "今夜は宇宙から来たゼリーを見ます。おやつは当然ゼリー{emoji}",
            "はじめて参加します。よろしくお願いします{emoji}",
        ),
        "opening": ("タイトルが溶けてる!{感}{emoji}", "テルミンの音が聞こえたら始まりの合図{emoji}"),
        "jelly": (
            "出た!ドアの下からゼリーが出た!{emoji}",
            "{物}、{感}{emoji}",
            "怪物のファスナーが見えてる。{感}{emoji}",
            "どう見てもプリンです。{感}{emoji}",
        ),
        "nancy": ("ナンシーの話を聞いてあげて!{emoji}", "計算したのはナンシーなのに教授が拍手されてる{emoji}"),
        "biscuit": ("犬が無事でよかった{emoji}", "一番の名優は犬のビスケット{emoji}"),
        "lighthouse": ("{物}が気になって話が入ってこない{emoji}",),
        "band": ("まさかのチューバ!{感}{emoji}", "町の吹奏楽団が世界を救った{emoji}"),
        "after": ("みなさんお疲れさまでした。{感}{emoji}", "来週も{物}に会いたい。おやすみなさい{emoji}"),
    },
    "ar": {
        "before": ("من معنا الليلة؟ الفشار جاهز {emoji}",),
        "opening": ("الحروف تذوب على الشاشة، بداية {وصف} {emoji}",),
        "jelly": ("ظهر الهلام من تحت الباب! مشهد {وصف} {emoji}", "الوحش هلام و{من} لا يصدق! {emoji}"),
        "nancy": ("استمعوا إلى نانسي من فضلكم {emoji}",),
        "biscuit": ("الكلب بسكويت هو بطل الفيلم {emoji}",),
        "band": ("هزموا الوحش بآلة توبا! هذا {وصف} {emoji}", "الفرقة النحاسية أنقذت العالم و{من} يصفق {emoji}"),
        "after": ("شكرا لكم جميعا، فيلم {وصف}. إلى الأسبوع القادم {emoji}",),
    },
    "nl": {
        "before": ("Klaar voor de gelei! Met {snack} op de bank. {emoji}",),
        "jelly": (
            "DAAR IS DIE! Pudding onder de deur door! {emoji}",
            "De rits zit er nog op en {wie} zegt niks {emoji}",
        ),
        "band": ("EEN TUBA! Natuurlijk een TUBA! {emoji}",),
        "after": ("Wat een heerlijke onzin. {wie} was de beste. Welterusten! {emoji}",),
    },
    "pt": {
        "opening": ("As letras estão derretendo! Cadê a {lanche}? {emoji}",),
        "jelly": ("A GELEIA CHEGOU! E {quem} nem percebeu {emoji}", "Dá pra ver o zíper do monstro {emoji}"),
        "band": ("Salvos por uma TUBA! {emoji}",),
        "after": ("Que filme! Agora quero {lanche} e uma continuação com {quem}. {emoji}",),
    },
    "it": {
        "before": ("Stasera gelatina spaziale! Con {cosa}, naturalmente. {emoji}",),
        "jelly": ("ECCOLA! Passa sotto la porta! {emoji}", "Si vede la cerniera, e {chi} fa finta di niente {emoji}"),
        "band": ("UNA TUBA! Il mondo salvato da UNA TUBA! {emoji}",),
        "after": ("Grazie a tutti, che serata! Premio a {chi}. {emoji}",),
    },
}

REPLIES: dict[str, tuple[str, ...]] = {
    "de": (
        "Genau das habe ich auch gedacht {emoji}",
        "Ich kann nicht mehr {emoji}",
        "Und {wer} merkt wieder nichts {emoji}",
    ),
    "es": ("¡Totalmente! Y {quien} ni se entera {emoji}", "No puedo más {emoji}", "Comentario de la noche {emoji}"),
    "fr": ("Moi aussi j'ai vu {quoi} ! {emoji}", "Je n'en peux plus {emoji}"),
    "ja": ("わかります!{感}{emoji}", "それ、私も思いました{emoji}"),
    "ar": ("فعلا! مشهد {وصف} {emoji}",),
    "nl": ("Ja! En {wie} kijkt de andere kant op {emoji}",),
    "pt": ("Concordo! E {quem} fugindo? {emoji}",),
    "it": ("Verissimo! E {chi}? {emoji}",),
}

ALT_TEXTS: dict[str, tuple[str, ...]] = {
    "de": ("Schwarz-weißes Standbild: Ein Leuchtturm aus Pappe, davor Nebel aus Watte.",),
    "es": ("Un cuenco de gelatina verde con dos pasas como ojos delante de la pantalla.",),
    "fr": ("Capture d'écran : une masse luisante passe sous une porte, un chapeau flotte dessus.",),
    "ja": ("白黒の場面写真。ドアの下から光るゼリーが流れ出ている。",),
}
